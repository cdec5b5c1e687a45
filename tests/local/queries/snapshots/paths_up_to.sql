with raw as not materialized (
  select *, hash(path) as k
  from (select e.pid, (epoch_us(e.timestamp) - 1779667200000000) << 22 | (e.rowid & 4194303) as tick, e.rowid as id, coalesce(case when ends_with(e."p.$current_url", '/') and length(e."p.$current_url") > 1 then left(e."p.$current_url", -1) else e."p.$current_url" end, '') as path from events e where (e.event = $p4) and e.timestamp >= $p2 and e.timestamp <= $p3)),
paths as materialized (select k, any_value(path) as path from raw group by k),
visits as (select pid, tick, id, k from raw order by pid, tick),
seen as (
  select pid, tick >> 22 as us, id, k, lead(k) over () as nk,
         coalesce(lead(pid) over () <> pid
                  or (lead(tick) over () >> 22) - (tick >> 22) >= 1800000000, true) as last
  from visits),
compact as (
  select pid, us, id, k, last, row_number() over () as rn, lag(k) over () as fk, lag(us) over () as fus,
         coalesce(lag(last) over (), true) as is_new
  from seen where last or k <> nk),
sessions as materialized (
  select pid, us, id, k, fk, fus, rn, last and k = hash('') as nothing,
         max(case when is_new then rn end) over (rows unbounded preceding) as s
  from compact),
points as (select s, min(rn) as t from sessions where k = hash($p1) and not nothing group by 1),
steps as (
  select pid, us, id, k, fk, fus, rn - greatest(s, t - 5 + 1) + 1 as i
  from sessions join points using (s) where rn between greatest(s, t - 5 + 1) and t),
edges as (
  select i, fk, k, count(*) as n, avg(us - fus) / 1000 as ms
  from steps where i > 1 group by all)
select (i - 1) || '_' || a.path as source, i || '_' || b.path as target, n, ms
from edges join paths a on a.k = fk join paths b on b.k = edges.k order by n desc, 1, 2 limit $p6
