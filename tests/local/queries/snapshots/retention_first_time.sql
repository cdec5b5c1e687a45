with seen as (select e.pid as actor, e.event = $p3 as s, e.event = $p4 as r, case when (e.timestamp >= $p1 and e.timestamp < $p2) then ((e.timestamp::date - date '2026-04-12') // 7) end as w, case when e.event = $p3 then e.timestamp end as first from events e where (e.event = $p3 or (e.event = $p4 and e.timestamp >= $p1))),
anchored as (
  select actor, min(first) as t, bit_or(1::ubigint << (w)::integer) filter (r and w is not null) as r from seen group by actor),
starts as (
  select i, i as f, r, count(*) as n from (select actor, ((t::date - date '2026-04-12') // 7) as i, r from anchored where (t >= $p1 and t < $p2)) group by all),
cells as (select i, n, c - i as k from starts, range(8) c(c) where c >= i and c < i + 8 and (c = i or ((r >> (c)::integer) & 1 = 1)))
select i, k, sum(n)::bigint as n from cells group by all
