with raw as materialized (
  select *, hash(path) as k
  from (select e.pid, e.timestamp as ts, e.rowid as id, coalesce(case when ends_with(e."p.$current_url", '/') and length(e."p.$current_url") > 1 then left(e."p.$current_url", -1) else e."p.$current_url" end, '') as path from events e where (e.event = $p4) and e.timestamp >= $p2 and e.timestamp <= $p3)),
paths as materialized (select k, any_value(path) as path from raw group by k),
visits as (select pid, ts, id, k from raw order by pid, ts, id),
seen as (
  select pid, ts, id, k, lead(k) over () as nk,
         coalesce(lead(pid) over () <> pid or epoch_us(lead(ts) over ()) - epoch_us(ts) >= 1800000000, true) as last
  from visits),
compact as (
  select pid, ts, id, k, last, row_number() over () as rn, lag(k) over () as fk, lag(ts) over () as fts,
         coalesce(lag(last) over (), true) as is_new
  from seen where last or k <> nk),
sessions as materialized (
  select pid, ts, id, k, fk, fts, rn, last and k = hash('') as nothing,
         max(case when is_new then rn end) over (rows unbounded preceding) as s
  from compact),
points as (select s, min(rn) as t from sessions where k = hash($p1) and not nothing group by 1),
steps as (
  select pid, ts, id, k, fk, fts, rn - greatest(s, t - 5 + 1) + 1 as i
  from sessions join points using (s) where rn between greatest(s, t - 5 + 1) and t),
edges as (
  select i, fk, k, count(*) as n, avg(epoch_us(ts) - epoch_us(fts)) / 1000 as ms
  from steps where i > 1 group by all)
select (i - 1) || '_' || a.path as source, i || '_' || b.path as target, n, ms
from edges join paths a on a.k = fk join paths b on b.k = edges.k order by n desc, 1, 2 limit $p6
