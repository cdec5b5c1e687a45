with per as (select d::timestamp as d, case b when '' then $p5 else b end as b, n from (select e.timestamp::date as d, concat((p.properties ->> $p1), '') as b, count(distinct e.pid) as n
  from events e join persons p on p.pid = e.pid
  where e.event = $p4 and e.timestamp >= $p2 and e.timestamp <= $p3 group by all)),
ranked as (
  select b, list(d) as d, list(n) as n, row_number() over (order by b = $p5, sum(n * 1) desc, b) as r
  from per group by b)
select d, case when r <= $p7 then b else $p6 end as b, sum(n) as n, min(least(r, $p7 + 1)) as r
from (select unnest(d) as d, b, unnest(n) as n, r from ranked) group by 1, 2
