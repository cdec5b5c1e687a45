with seen as (select e.pid as actor, e.event = $p3 as s, e.event = $p4 as r, ((e.timestamp::date - date '2026-04-12') // 7) as w, e.timestamp as ts, coalesce(try_cast(e."p.amount" as double), 0) as v from events e where (e.timestamp >= $p1 and e.timestamp < $p2) and (e.event = $p3 or e.event = $p4)),
daily as (
  select actor, w, bool_or(s) as s, bool_or(r) as r, coalesce(sum(v) filter (r and ts > t0), 0) as own, sum(v) filter (r) as v from (select *, min(case when s then ts end) over (partition by actor, w) as t0 from seen)
  group by actor, w),
starts as (select actor, w as i, own from daily where s and w is not null),
cells as (
  select i, 0 as k, own as v from starts
  union all select i, d.w - i as k, d.v from starts join daily d using (actor)
  where d.r and d.w > i and d.w < i + 8)
select i, k, count(*) as n, sum(v) as v from cells group by i, k
