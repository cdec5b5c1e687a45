with marks as materialized (select * from (select e.pid as a, e.timestamp as ts, (case when e.event = $p1 then 1 else 0 end + case when e.event = $p2 then 2 else 0 end)::uinteger as m from events e where e.timestamp >= $p3 and e.timestamp <= $p4 and e.event in ($p2, $p1)) where a is not null and m > 0),
who as materialized (select a, bit_or(m) as did, count(*) > 1000 as many from marks group by a),
c0 as materialized (select a, ts as t0, many from marks join (select a, many from who where did & 1 > 0 and did & 2 > 0) using (a) where m & 1 > 0),
c1 as materialized (select * from (
  select c.*, list_min(list_filter(n.l, lambda x: x >= c.t0)) as t1 from c0 c
  join (select a, list(ts) as l from marks where m & 2 > 0 and (a) in (select a from who where did & 1 > 0 and did & 2 > 0 and not many) group by a) n
  using (a))
where t1 <= t0 + to_days($p5) union all
select c.*, n.ts as t1 from (select * from c0 where many) c
  asof join (select a, ts from marks where m & 2 > 0 and (a) in (select a from who where many)) n
  on c.a = n.a and n.ts >= c.t0 where n.ts <= t0 + to_days($p5)),
persons as materialized (select a, 1 as steps, null::double as y1, null::double as z1 from who anti join c1 using (a) where did & 1 > 0 union all select a, 2 as steps, avg(x1) as y1, median(x1) as z1 from (select a, date_diff('second', t0, t1) as x1 from c1) group by a)
select count(*) filter (steps > 0), count(*) filter (steps > 1), avg(y1), median(z1) from persons
