with per as (select d, b, coalesce(avg(c), 0) as n
  from (select e.timestamp::date as d, null::varchar as b, e."p.$session_id" as session, any_value(try_cast(coalesce(s."$session_duration", 0)::varchar as double)) as c
        from events e left join (select e."p.$session_id" as session_id, date_diff('second', min(timestamp), max(timestamp)) as "$session_duration" from events e where e."p.$session_id" is not null group by 1) s on s.session_id = e."p.$session_id" where e.event = $p3 and e.timestamp >= $p1 and e.timestamp <= $p2 group by all)
  group by all)
select d::timestamp as d, b, n, 1 as r from per
