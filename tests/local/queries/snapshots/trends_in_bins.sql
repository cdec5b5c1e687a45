with found as (select e.timestamp::date as d, try_cast(e."p.amount" as double) as b, count(*) as n
  from events e
  where e.event = $p3 and e.timestamp >= $p1 and e.timestamp <= $p2 group by all),
bins as (
  select list_transform(range(3), lambda i: (high0 - low0) / 3 * i + low0) as starts0,
    list_transform(range(3), lambda i:
      '[' || regexp_replace(((high0 - low0) / 3 * i + low0)::varchar, '\.0+$', '') || ',' || case when i = 3 - 1 then regexp_replace(((high0 - low0) / 3 * (i + 1) + low0 + 0.01)::varchar, '\.0+$', '') else regexp_replace(((high0 - low0) / 3 * (i + 1) + low0)::varchar, '\.0+$', '') end || ']') as names0
  from (select min(b) as low0, max(b) as high0 from found)),
per as (select d::timestamp as d, coalesce(bins.names0[len(list_filter(bins.starts0, lambda start: start <= b))], $p4) as b, n from found cross join bins),
ranked as (
  select b, row_number() over () as r
  from (select b from per group by b order by b = $p4, sum(n * 1) desc, b limit $p6))
select d, case when r is null then $p5 else b end as b, sum(n) as n, coalesce(min(r), $p6 + 1) as r
from per left join ranked using (b) group by 1, 2
