with per as (select d::timestamp as d, case b when '' then $p5 else b end as b, n from (select e.timestamp::date as d, concat((p.properties ->> $p1), '') as b, count(distinct e.pid) as n
  from events e join persons p on p.pid = e.pid
  where e.event = $p4 and e.timestamp >= $p2 and e.timestamp <= $p3 group by all)),
ranked as (
  select b, row_number() over () as r
  from (select b from per group by b order by b = $p5, sum(n * 1) desc, b limit $p7))
select d, case when r is null then $p6 else b end as b, sum(n) as n, coalesce(min(r), $p7 + 1) as r
from per left join ranked using (b) group by 1, 2
