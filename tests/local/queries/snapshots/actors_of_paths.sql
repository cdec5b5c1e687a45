select p.person_id as c0, "source"."event_count" as c1, p.pid as actor from (with raw as not materialized (
  select *, hash(path) as k
  from (select e.pid, (epoch_us(e.timestamp) - 1779667200000000) << 22 | (e.rowid & 4194303) as tick, e.rowid as id, coalesce(case when ends_with(e."p.$current_url", '/') and length(e."p.$current_url") > 1 then left(e."p.$current_url", -1) else e."p.$current_url" end, '') as path from events e where (e.event = $p3) and e.timestamp >= $p1 and e.timestamp <= $p2)),
paths as materialized (select k, any_value(path) as path from raw group by k),
visits as (select pid, tick, id, k from raw order by pid, tick),
seen as (
  select pid, tick >> 22 as us, id, k, lead(k) over () as nk,
         coalesce(lead(pid) over () <> pid
                  or (lead(tick) over () >> 22) - (tick >> 22) >= 1800000000, true) as last
  from visits),
compact as (
  select pid, us, id, k, lag(k) over () as fk, lag(us) over () as fus, last and k = hash('') as nothing,
         lag(last, 1, true) over () as last1, lag(last, 2, true) over () as last2, lag(last, 3, true) over () as last3, lag(last, 4, true) over () as last4, lag(last, 5, true) over () as last5
  from seen where last or k <> nk),
steps as (
  select pid, us, id, k, fk, fus, i
  from (select *, case when last1 then 1 when last2 then 2 when last3 then 3 when last4 then 4 when last5 then 5 end as i from compact)
  where not nothing)
select steps.pid as actor, count(*) as event_count from steps where i - 1 = 1 and fk = hash($p5) and i = 2 and steps.k = hash($p6) group by steps.pid) source join persons p on p.pid = source.actor order by "source"."event_count" desc nulls last, right(p.person_id::varchar, 17) nulls last, p.person_id nulls last limit $p7 offset $p8
