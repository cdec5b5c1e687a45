with seen as (select e.pid as actor, e.event = $p1 as s, e.event = $p2 as r, e.timestamp as ts from events e where (e.timestamp >= $p3 and e.timestamp < $p4) and (e.event = $p1 or e.event = $p2)),
begun as (select actor, ts, r, t from (select *, min(case when s then ts end) over (partition by actor) as t from seen) where ts >= t and (t >= $p3 and t < $p4)),
masks as (
  select actor, i, bit_or(1::ubigint << (case when k < 8 then k end)::integer) filter (r) as r
  from (select actor, r, date_diff('day', t, ts) // 7 as k, date_diff('day', timestamp '2026-04-12 00:00:00', t) // 7 as i from begun) where i < 8 group by all),
starts as (select i, r, count(*) as n from masks group by all),
cells as (select i, n, c as k from starts, range(8) c(c) where c = 0 or ((r >> (c)::integer) & 1 = 1))
select i, k, sum(n)::bigint as n from cells group by all
