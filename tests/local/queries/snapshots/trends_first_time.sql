with firsts as (
  select e.pid as actor, min(e.timestamp) as first, min(e.timestamp) filter (where e."p.page" = $p2) as matched,
         arg_min(null::varchar, e.timestamp) filter (where e."p.page" = $p2) as b
  from events e where e.event = $p1 and e.timestamp <= $p4 group by 1),
per as (select date_trunc('day', matched)::timestamp as d, b, count(*) as n from firsts
  where first = matched and first >= $p3 group by all)
select d::timestamp as d, b, n, 1 as r from per
