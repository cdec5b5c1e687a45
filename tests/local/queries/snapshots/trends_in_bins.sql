with bins as (select min(try_cast(e."p.amount" as double)) as low0, max(try_cast(e."p.amount" as double)) as high0 from events e where e.event = $p4 and e.timestamp >= $p2 and e.timestamp <= $p3),
per as (select d::timestamp as d, b as b, n from (select e.timestamp::date as d, coalesce(case when bins.high0 = bins.low0 then '[' || regexp_replace(printf('%.2f', (bins.low0)), '\.?0+$', '') || ',' || regexp_replace(printf('%.2f', (bins.high0 + 0.01)), '\.?0+$', '') || ']' else
    (select '[' || regexp_replace(printf('%.2f', (bins.low0 + i * (bins.high0 - bins.low0) / 3)), '\.?0+$', '') || ',' || case when i = 3 - 1 then regexp_replace(printf('%.2f', (bins.high0 + 0.01)), '\.?0+$', '') else regexp_replace(printf('%.2f', (bins.low0 + (i + 1) * (bins.high0 - bins.low0) / 3)), '\.?0+$', '') end || ']'
     from (select least(floor((try_cast(e."p.amount" as double) - bins.low0) / ((bins.high0 - bins.low0) / 3)), 3 - 1) as i) where i is not null)
    end, $p1) as b, count(*) as n
  from events e cross join bins
  where e.event = $p4 and e.timestamp >= $p2 and e.timestamp <= $p3 group by all)),
ranked as (
  select b, row_number() over (order by b = $p5, sum(n * 1) desc, b) as r from per group by b)
select d, case when r <= $p8 then b else $p6 end as b, sum(n) as n, min(least(r, $p8 + 1)) as r
from per join ranked using (b) group by 1, 2 order by r, d
