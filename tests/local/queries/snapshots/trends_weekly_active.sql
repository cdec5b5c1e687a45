with seen as (
  select distinct e.pid as actor, null::varchar as b, date_trunc('day', e.timestamp - interval 1 microsecond)::timestamp - interval 0 day as d from events e where e.event = $p4 and e.timestamp >= $p2 and e.timestamp <= $p3),
spans as (
  select b, d, least(d + interval 7 day,
                     coalesce(lead(d) over (partition by b, actor order by d), timestamp '9999-01-01')) as until
  from seen),
steps as (select b, d, 1 as v from spans union all select b, until, -1 from spans),
runs as (
  select b, d, sum(v) over (partition by b order by d) as n
  from (select b, d, sum(v) as v from steps group by all)),
per as (select k.d, v.b, runs.n::bigint as n
  from (select unnest($p1::timestamp[]) as d) k
  cross join (select distinct b from runs) v
  asof join runs on runs.b is not distinct from v.b and runs.d <= k.d
  where runs.n > 0)
select d::timestamp as d, b, n, 1 as r from per
