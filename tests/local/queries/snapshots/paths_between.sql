with raw as materialized (
  select e.pid, e.timestamp as ts, e.rowid as id, coalesce(case e.event when $p3 then case when ends_with(e."p.$current_url", '/') and length(e."p.$current_url") > 1 then left(e."p.$current_url", -1) else e."p.$current_url" end else e.event end, '') as item
  from events e where (e.event = $p3) and e.timestamp >= $p4 and e.timestamp <= $p5),
items as materialized (
  select item, path, case when path = '' then 0 else dense_rank() over (order by path) end::uinteger as k
  from (select item, name as path
        from (select item, item as name from (select distinct item from raw)))),
paths as materialized (select distinct k, path from items union all select 4294967295::uinteger, '...'),
visits as (select pid, ts, id, k from raw join items using (item) order by pid, ts, id),
seen as (
  select pid, ts, id, k, lead(k) over () as nk,
         coalesce(lead(pid) over () <> pid or epoch_us(lead(ts) over ()) - epoch_us(ts) >= 1800000000, true) as last
  from visits),
compact as (
  select pid, ts, id, k, last, row_number() over () as rn, lag(k) over () as fk, lag(ts) over () as fts,
         coalesce(lag(last) over (), true) as is_new
  from seen where last or k <> nk),
sessions as materialized (
  select pid, ts, id, k, fk, fts, rn, last and k = 0 as nothing,
         max(case when is_new then rn end) over (rows unbounded preceding) as s
  from compact),
starts as (select s, min(rn) as t from sessions where k = (select min(k) from paths where path = $p1) group by 1),
points as (
  select s, t, min(rn) as u from sessions join starts using (s)
  where k = (select min(k) from paths where path = $p2) and rn >= t and not nothing group by all),
ways as (
  select pid, s, ts, id, rn - t + 1 as i, u - t + 1 as size,
         case when u - t + 1 > 5 and rn - t = 2 then 4294967295 else k end as k
  from sessions join points using (s) where rn between t and u),
shown as (
  select pid, s, ts, id, k, case when size > 5 and i > 2 + 1 then i - size + 2 * 2 + 1 else i end as i
  from ways where size <= 5 or i <= 2 + 1 or i > size - 2),
steps as (
  select pid, ts, id, k, i, lag(k) over o as fk, lag(ts) over o as fts
  from shown window o as (partition by s order by i)),
edges as (
  select i, fk, k, count(*) as n, avg(epoch_us(ts) - epoch_us(fts)) / 1000 as ms
  from steps where i > 1 group by all)
select (i - 1) || '_' || a.path as source, i || '_' || b.path as target, n, ms
from edges join paths a on a.k = fk join paths b on b.k = edges.k order by n desc, 1, 2 limit $p7
