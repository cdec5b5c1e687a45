with marks as materialized (select * from (select e.pid as a, e.timestamp as ts, (case when e.event = $p1 then 1 when e.event = $p2 then 2 else 0 end)::utinyint as m from events e where e.timestamp >= $p3 and e.timestamp <= $p4) where a is not null and m > 0),
n1 as materialized (select a, min(ts) as low, max(ts) as high, count(*)::uinteger as n
  from marks where m & 2 > 0 group by a),
starts as materialized (select * from (select a, ts as t0 from marks where m & 1 > 0) join n1 using (a)),
c1 as materialized (select a, t0, date_diff('second', t0, t1) as x1, t1 from (
  select *, case when t0 <= low then low when n = 2 and t0 <= high then high end as t1 from starts)
where t1 <= t0 + to_days($p5) union all
select a, t0, date_diff('second', t0, t1), t1 from (
  select a, t0, list_min(list_filter(l, lambda x: x >= t0)) as t1 from starts join (
    select a, list(ts) as l from marks semi join (select * from n1 where n > 2) using (a)
    where m & 2 > 0 group by a) using (a) where t0 > low and t0 <= high)
where t1 <= t0 + to_days($p5)),
p1 as materialized (select a, avg(x1) as y1, median(x1) as z1 from c1 group by all),
persons as materialized (select p1.*, 2 as steps from p1)
select (select count(distinct case when m & 1 > 0 then a end) from marks), count(y1), avg(y1), median(z1) from persons
