select c, count(*) as n from (select actor, bit_count(bit_or(1::ubigint << (w)::integer))::bigint as c
  from (select e.pid as actor, (e.timestamp::date - date '2026-05-25') as w from events e where e.timestamp >= $p1 and e.timestamp <= $p2 and e.event = $p3) where actor is not null group by actor) group by c
