with raw as not materialized (
  select *, hash(path) as k
  from (select e.pid, (epoch_us(e.timestamp) - 1779667200000000) << 22 | (e.rowid & 4194303) as tick, e.rowid as id, coalesce(case when ends_with(e."p.$current_url", '/') and length(e."p.$current_url") > 1 then left(e."p.$current_url", -1) else e."p.$current_url" end, '') as path from events e where (e.event = $p5) and e.timestamp >= $p3 and e.timestamp <= $p4)),
paths as materialized (select k, any_value(path) as path from raw group by k union select hash('...'), '...'),
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
starts as (select s, min(rn) as t from sessions where k = hash($p1) group by 1),
points as (
  select s, t, min(rn) as u from sessions join starts using (s)
  where k = hash($p2) and rn >= t and not nothing group by all),
ways as (
  select pid, s, us, id, rn - t + 1 as i, u - t + 1 as size,
         case when u - t + 1 > 5 and rn - t = 2 then hash('...') else k end as k
  from sessions join points using (s) where rn between t and u),
shown as (
  select pid, s, us, id, k, case when size > 5 and i > 2 + 1 then i - size + 2 * 2 + 1 else i end as i
  from ways where size <= 5 or i <= 2 + 1 or i > size - 2),
steps as (
  select pid, us, id, k, i, lag(k) over o as fk, lag(us) over o as fus
  from shown window o as (partition by s order by i)),
edges as (
  select i, fk, k, count(*) as n, avg(us - fus) / 1000 as ms
  from steps where i > 1 group by all)
select (i - 1) || '_' || a.path as source, i || '_' || b.path as target, n, ms
from edges join paths a on a.k = fk join paths b on b.k = edges.k order by n desc, 1, 2 limit $p7
