with marks as materialized (select * from (select e.pid as a, e.timestamp as ts, (case when e.event = $p2 then 1 when e.event = $p3 then 2 else 0 end)::utinyint as m, [coalesce(e."p.page", '')] as v from events e where e.timestamp >= $p4 and e.timestamp <= $p5) where a is not null),
attributed as (select a, coalesce(arg_min(v, ts) filter (len(list_filter(v, lambda x: x <> '')) > 0), ['']) as v from marks group by a),
followed as (select a, m, ts as t0, lead(case when m & 2 > 0 then ts end, 1) over o as t1 from marks window o as (partition by a order by ts, m)),
entries as (select * exclude (m) from followed where m & 1 > 0),
attempts as materialized (select a, t0, case when t1 <= t0 + to_days($p6) then 2 else 1 end as steps, case when t1 <= t0 + to_days($p6) then date_diff('second', t0, t1) end as x1 from entries),
most as (select a, max(steps) as steps from attempts group by all),
furthest as (select attempts.* from attempts join most using (a, steps)),
persons as materialized (select a, steps, min(x1) as y1, min(x1) as z1 from furthest group by a, steps),
ranked as (select v, row_number() over (order by count(*) filter (steps > 1) desc, count(*) filter (steps > 0) desc, v) as rank from persons join (select distinct a, v from attributed) using (a) group by v)
select count(*) filter (steps > 0), count(*) filter (steps > 1), avg(y1), median(z1), case when rank <= $p1 then v else ['Other'] end as value from persons join (select distinct a, v from attributed) using (a) join ranked using (v) group by value order by min(rank)
