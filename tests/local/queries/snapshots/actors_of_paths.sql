select p.person_id as c0, "source"."event_count" as c1, p.pid as actor from (with raw as materialized (
  select e.pid, e.timestamp as ts, e.rowid as id, coalesce(case e.event when $p2 then case when ends_with(e."p.$current_url", '/') and length(e."p.$current_url") > 1 then left(e."p.$current_url", -1) else e."p.$current_url" end else e.event end, '') as item
  from events e where (e.event = $p2) and e.timestamp >= $p3 and e.timestamp <= $p4),
items as materialized (
  select item, path, case when path = '' then 0 else dense_rank() over (order by path) end::uinteger as k
  from (select item, name as path
        from (select item, item as name from (select distinct item from raw)))),
paths as materialized (select distinct k, path from items),
visits as (select pid, ts, id, k from raw join items using (item) order by pid, ts, id),
seen as (
  select pid, ts, id, k, lead(k) over () as nk,
         coalesce(lead(pid) over () <> pid or epoch_us(lead(ts) over ()) - epoch_us(ts) >= 1800000000, true) as last
  from visits),
compact as (
  select pid, ts, id, k, last, row_number() over () as rn, lag(k) over () as fk, lag(ts) over () as fts,
         coalesce(lag(last) over (), true) as is_new
  from seen where last or k <> nk),
sessions as (
  select pid, ts, id, k, fk, fts, rn, last and k = 0 as nothing,
         max(case when is_new then rn end) over (rows unbounded preceding) as s
  from compact),
steps as (
  select pid, ts, id, k, fk, fts, rn - s + 1 as i
  from sessions where not nothing and rn - s < 5)
select steps.pid as actor, count(*) as event_count from steps where i - 1 = 1 and fk = (select min(k) from paths where path = $p6) and i = 2 and steps.k = (select min(k) from paths where path = $p7) group by steps.pid) source join persons p on p.pid = source.actor order by "source"."event_count" desc nulls last, right(p.person_id::varchar, 17) nulls last, p.person_id nulls last limit $p8 offset $p9
