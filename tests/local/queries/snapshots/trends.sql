with per as (select e.timestamp::date as d, null::varchar as b, count(*) as n
  from events e
  where e.event = $p3 and e.timestamp >= $p1 and e.timestamp <= $p2 group by all)
select d::timestamp as d, b, n, 1 as r from per
