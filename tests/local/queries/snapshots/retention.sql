with seen as (select e.pid as actor, e.event = $p1 as s, e.event = $p2 as r, ((e.timestamp::date - date '2026-04-12') // 7) as w from events e where (e.timestamp >= $p3 and e.timestamp < $p4) and (e.event = $p1 or e.event = $p2)),
masks as (
  select actor, bit_or(1::ubigint << (w)::integer) filter (s) as s, bit_or(1::ubigint << (w)::integer) filter (r) as r, min(w) filter (s) as f from seen
  group by actor having s is not null),
alike as (select s, null as f, r, count(*) as n from masks group by all),
starts as (select i.i, f, r, n from alike, range(8) i(i) where ((s >> (i.i)::integer) & 1 = 1)),
cells as (select i, n, c - i as k from starts, range(8) c(c) where c >= i and c < i + 8 and (c = i or ((r >> (c)::integer) & 1 = 1)))
select i, k, sum(n)::bigint as n from cells group by all
