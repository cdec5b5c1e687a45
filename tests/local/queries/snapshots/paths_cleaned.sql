with raw as materialized (
  select e.pid, (epoch_us(e.timestamp) - 1779667200000000) << 22 | (e.rowid & 4194303) as tick, e.rowid as id, coalesce(case when ends_with(e."p.$current_url", '/') and length(e."p.$current_url") > 1 then left(e."p.$current_url", -1) else e."p.$current_url" end, '') as item
  from events e where (e.event = $p8) and e.timestamp >= $p6 and e.timestamp <= $p7),
items as materialized (
  select item, path, hash(path) as k
  from (select item, case when regexp_matches(name, $p3) then ($p4::varchar[])[list_position([case when regexp_matches(name, $p3) then length(regexp_extract(name, $p3)) end], list_min([case when regexp_matches(name, $p3) then length(regexp_extract(name, $p3)) end]))] else name end as path
        from (select item, regexp_replace(item, $p1, $p2, 'gs') as name from (select distinct item from raw))) where path not in (select unnest($p5::varchar[]))),
paths as materialized (select distinct k, path from items),
visits as (select pid, tick, id, k from raw join items using (item) order by pid, tick),
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
  where not nothing),
edges as (
  select i, fk, k, count(*) as n, avg(us - fus) / 1000 as ms
  from steps where i > 1 group by all having count(*) >= $p10)
select (i - 1) || '_' || a.path as source, i || '_' || b.path as target, n, ms
from edges join paths a on a.k = fk join paths b on b.k = edges.k order by n desc, 1, 2 limit $p11
