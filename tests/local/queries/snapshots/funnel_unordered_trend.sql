with marks as materialized (select * from (select e.pid as a, e.timestamp as ts, (case when e.event = $p1 then 1 when e.event = $p2 then 2 else 0 end)::utinyint as m from events e where e.timestamp >= $p3 and e.timestamp <= $p4) where a is not null and m > 0),
movers as (select a from marks group by a having bit_count(bit_or(m)) > 1),
c0_0 as (select a, ts as t0, 0 as r from marks where m & 1 > 0 and (a) in (from movers)),
c0_1 as (select c.*, n.ts as t1 from c0_0 c asof left join (select a, ts from marks where m & 2 > 0) n on c.a = n.a and t0 <= n.ts),
c1_0 as (select a, ts as t0, 1 as r from marks where m & 2 > 0 and (a) in (from movers)),
c1_1 as (select c.*, n.ts as t1 from c1_0 c asof left join (select a, ts from marks where m & 1 > 0) n on c.a = n.a and t0 <= n.ts),
turns as materialized (select * from c0_1 union all by name select * from c1_1 union all by name select a, ts as t0, 0 as r from marks where m & 1 > 0 and m & 1 > 0 and (a) not in (from movers) union all by name select a, ts as t0, 1 as r from marks where m & 2 > 0 and m & 2 > 0 and (a) not in (from movers)),
entries as (select * from turns),
attempts as materialized (select a, t0, 1 + (t1 <= t0 + to_days($p5) is true)::integer as steps, case when list_sort([t0, t1], 'ASC', 'NULLS LAST')[2] <= t0 + to_days($p5) then date_diff('second', list_sort([t0, t1], 'ASC', 'NULLS LAST')[1], list_sort([t0, t1], 'ASC', 'NULLS LAST')[2]) end as x1 from entries),
reached as (select date_trunc('day', t0)::timestamp as d, a, max(steps) as steps from attempts group by all)
select d, count(*) filter (steps > 0) as n, count(*) filter (steps > 1) as m from reached group by all order by all
