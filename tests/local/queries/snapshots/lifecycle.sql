with spells as (
  select actor, bit_or(1::ubigint << (w)::integer) as m from (select e.pid as actor, (e.timestamp::date - date '2026-05-24') as w from events e where e.timestamp >= $p1 and e.timestamp < $p2 and e.event = $p3 and null::varchar is distinct from 'false')
  group by actor),
dated as (select m, coalesce(case when o.created_at >= $p1 and o.created_at < $p2 then (o.created_at::date - date '2026-05-24') end = (bit_count(xor(m, m - 1)) - 1), false) as born, spells.actor from spells join persons o on o.pid = spells.actor),
alike as (select m, born, count(*) as n from dated group by all),
laid as (
  select i.w, n, ((m >> (i.w)::integer) & 1 = 1) as here, ((m >> (i.w - 1)::integer) & 1 = 1) as before, born and i.w = (bit_count(xor(m, m - 1)) - 1) as is_new
  from alike, range(1, 9) i(w)),
standing as (
  select w, n, case when here and is_new then 'new' when here and before then 'returning'
                    when here then 'resurrecting' else 'dormant' end as status
  from laid where here or before)
select w, status, sum(n)::bigint as n from standing group by all
