"""The insights that are measured: the query, the best SQL by hand for DuckDB and for ClickHouse, and its limits.

All three give the same rows; `rows` takes them out of PostHog's answer. Of funnels ClickHouse computes the counts
alone, and so of paths; SQL by hand also the times between the steps, so its rows are `by_hand`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rows = set[tuple[Any, ...]]
PAGES = ("/", "/pricing", "/docs", "/blog", "/signup", "/login", "/dashboard", "/settings")
VIEWS = {"kind": "EventsNode", "event": "$pageview"}
BOUGHT = ("$pageview", "checkout_started", "purchase_completed")
MONTH = {"date_from": "2026-10-02", "date_to": "2026-10-31"}
QUARTER = {"date_from": "2026-08-03", "date_to": "2026-10-31"}
IN_MONTH = "timestamp >= '2026-10-02 00:00:00' and timestamp <= '2026-10-31 23:59:59'"
IN_QUARTER = "timestamp >= '2026-08-03 00:00:00' and timestamp < '2026-11-01 00:00:00'"
IN_WEEKS = "timestamp >= '2026-09-06 00:00:00' and timestamp < '2026-11-01 00:00:00'"
IN_12_WEEKS = "timestamp >= '2026-08-02 00:00:00' and timestamp < '2026-11-01 00:00:00'"


@dataclass(frozen=True)
class Case:
    """A query and what it is measured against. At most: by hand, and ClickHouse at 1 M and at 10 M events."""

    name: str
    query: dict[str, Any]
    rows: Callable[[Any], Rows]
    duckdb: str
    clickhouse: str
    at_most: tuple[float, float] = (1.0, 1.1)
    # A caller's own SQL runs in a process of its own, whose CPU time is not seen here.
    apart: bool = False
    by_hand: Callable[[Any], Rows] | None = None


def _series(results: Any) -> Rows:
    return {
        (str(day)[:10], str(series.get("breakdown_value", "")), round(count))
        for series in results
        for day, count in zip(series["days"], series["data"], strict=True)
        if count
    }


def _cells(results: Any) -> Rows:
    return {
        (i, j, cell["count"]) for i, row in enumerate(results) for j, cell in enumerate(row["values"]) if cell["count"]
    }


def _days(results: Any) -> Rows:
    return {(day, round(n)) for day, n in zip(results[0]["days"], results[0]["data"], strict=True) if n}


def _statuses(results: Any) -> Rows:
    return {(day[:10], s["status"], abs(round(n))) for s in results for day, n in zip(s["days"], s["data"], strict=True)
            if n}  # fmt: skip


def _page(results: Any) -> Rows:
    return {(place, person, n, " ".join(sorted(ids))) for place, (person, n, ids) in enumerate(results)}


TREND = """
with ev as materialized (
  select d, coalesce(b, '$$_posthog_breakdown_null_$$') as b, c from (
    select timestamp::date as d, "p.$browser" as b, count(*) as c
    from events where event = '$pageview' and {0} group by 1, 2)),
top as (select b from ev group by b order by b = '$$_posthog_breakdown_null_$$', sum(c) desc, b limit 25)
select d::varchar, case when top.b is null then '$$_posthog_breakdown_other_$$' else ev.b end, sum(c)::bigint
from ev left join top using (b) group by 1, 2
"""
CH_TREND = """
with ev as (select toDate(timestamp) d, ifNull(browser, '$$_posthog_breakdown_null_$$') b, count() c
            from events where event = '$pageview' and {0} group by d, b),
top as (select b from ev group by b order by b = '$$_posthog_breakdown_null_$$', sum(c) desc, b limit 25)
select toString(d), if(b in (select b from top), b, '$$_posthog_breakdown_other_$$') bb, sum(c) from ev group by d, bb
"""
ACTIVE = """
select d::varchar, '', n from (select timestamp::date as d, count(distinct pid) as n
                               from events where event = '$pageview' and {0} group by 1)
"""
CH_ACTIVE = """
select toString(toDate(timestamp)) d, '', uniqExact(person_id) from events where event = '$pageview' and {0} group by d
"""
RETENTION = """
with m as (select pid, bit_or(1::ubigint << (date_diff('day', date '2026-09-06', timestamp::date) // 7)::integer) as m
           from events where event = '$pageview' and {0} group by pid),
g as (select m, count(*) as n from m group by m)
select i.i, j.j - i.i, sum(n)::bigint from g, range(8) i(i), range(8) j(j)
where j.j >= i.i and (m >> i.i) & 1 = 1 and (m >> j.j) & 1 = 1 group by 1, 2
"""
CH_RETENTION = """
select ij.1, toInt64(ij.2) - ij.1, sum(n) from (
  select m, count() n from (
    select groupBitOr(bitShiftLeft(toUInt64(1), intDiv(dateDiff('day', toDate('2026-09-06'), toDate(timestamp)), 7))) m
    from events where event = '$pageview' and {0} group by person_id) group by m)
array join arrayFlatten(arrayMap(x -> arrayMap(y -> (x, y), range(8)), range(8))) as ij
where ij.2 >= ij.1 and bitTest(m, ij.1) and bitTest(m, ij.2)
group by ij.1, ij.2
"""
STICKINESS = """
select c, count(*) from (select bit_count(bit_or(1::ubigint <<
  date_diff('day', timestamp '2026-10-02', timestamp)::integer)) as c
  from events where event = '$pageview' and {0} group by pid) group by 1
"""
CH_STICKINESS = """
select c, count() from (select bitCount(groupBitOr(bitShiftLeft(toUInt64(1),
  dateDiff('day', toDate('2026-10-02'), toDate(timestamp))))) c
  from events where event = '$pageview' and {0} group by person_id) group by c
"""
LIFECYCLE = """
with m as (select pid, bit_or(1::ubigint << (date_diff('day', date '2026-08-02', timestamp::date) // 7)::integer) as m
           from events where event = '$pageview' and {0} group by pid),
g as (select m, case when created_at >= timestamp '2026-08-02'
                     then date_diff('day', date '2026-08-02', created_at::date) // 7 else -1 end as fw, count(*) as n
      from m join persons using (pid) group by 1, 2),
x as (select i.i as w, n, fw, (m >> i.i) & 1 = 1 as cur, (m >> (i.i - 1)) & 1 = 1 as prev from g, range(1, 13) i(i))
select (date '2026-08-02' + 7 * w::integer)::varchar, case when cur and fw = w then 'new' when cur and prev
  then 'returning' when cur then 'resurrecting' else 'dormant' end, sum(n)::bigint
from x where cur or prev group by 1, 2
"""
CH_LIFECYCLE = """
with a as (select person_id, groupBitOr(bitShiftLeft(toUInt64(1),
             intDiv(dateDiff('day', toDate('2026-08-02'), toDate(timestamp)), 7))) m
           from events where event = '$pageview' and {0} group by person_id),
g as (select m, toInt32(intDiv(dateDiff('day', toDate('2026-08-02'), toDate(first_seen)), 7)) fw, count() n
      from a join persons p on p.person_id = a.person_id group by m, fw)
select toString(toDate('2026-08-02') + 7 * w), multiIf(bitTest(m, w) and fw = w, 'new', bitTest(m, w) and
  bitTest(m, w - 1), 'returning', bitTest(m, w), 'resurrecting', 'dormant') st, sum(n)
from g array join range(1, 13) as w where bitTest(m, w) or bitTest(m, w - 1) group by w, st
"""


FOLLOWED = """
n{k} as materialized (select pid, min(ts) as low, max(ts) as high, count(*) as n, case when n > 2 then list(ts) end as l
  from b semi join p{last} using (pid) where s = {k} group by pid having count(*) > 0),
c{k} as materialized (select * from (select c.*, case when t{last} <= low then low when t{last} > high then null
    when n = 2 then high else list_min(list_filter(l, lambda x: x >= t{last})) end as t{k}
  from (select pid, {times} from c{last}) c join n{k} using (pid)) where t{k} <= t1 + interval 14 day),
p{k} as materialized (select pid, {seconds} from c{k} group by pid)"""
STARTED = """
b as materialized (select * from (select pid, timestamp as ts, ({condition})::utinyint as s from events where {where})
  where s is not null),
n2 as materialized (select pid, min(ts) as low, max(ts) as high, count(*) as n from b where s = 2
  group by pid having count(*) > 0),
starts as materialized (select pid, ts as t1, low, high, n from b join n2 using (pid) where s = 1),
c2 as materialized (select pid, t1, t2 from (
    select *, case when t1 <= low then low when n = 2 and t1 <= high then high end as t2 from starts)
  where t2 <= t1 + interval 14 day union all
  select * from (select pid, t1, list_min(list_filter(l, lambda x: x >= t1)) as t2 from starts join (
    select pid, list(ts) as l from b semi join (select * from n2 where n > 2) using (pid) where s = 2 group by pid)
    using (pid) where t1 > low and t1 <= high) where t2 <= t1 + interval 14 day),
p2 as materialized (select pid, {seconds} from c2 group by pid)"""


def _chain(steps: int, condition: str, where: str) -> str:
    """Each start is followed forward, as ours does, without what only other funnels and larger persons need."""
    tables = [STARTED.format(condition=condition, where=where, seconds=_seconds(2))]
    for k in range(3, steps + 1):
        times = ", ".join(f"t{i}" for i in range(1, k))
        tables.append(FOLLOWED.format(k=k, last=k - 1, times=times, seconds=_seconds(k)))
    best = [f"select * from p{k} anti join p{k + 1} using (pid)" for k in range(2, steps)] + [f"select * from p{steps}"]
    persons = "persons as materialized (" + " union all by name ".join(best) + ")"
    rows = ["select 1, count(distinct case when s = 1 then pid end), null, null from b"]
    rows += [
        f"select {k}, (select count(*) from p{k}), trunc(avg(a{k}))::bigint, trunc(median(m{k}))::bigint from persons"
        for k in range(2, steps + 1)
    ]
    return f"with {', '.join(tables)}, {persons} {' union all '.join(rows)}"


def _seconds(steps: int) -> str:
    """Average and median of each step's seconds, over a person's starts that came as far."""
    taken = [f"date_diff('second', t{k - 1}, t{k})" for k in range(2, steps + 1)]
    return ", ".join(f"avg({each}) as a{k}, median({each}) as m{k}" for k, each in enumerate(taken, 2))


def _ch_chain(steps: list[str], where: str) -> str:
    return (
        "select k, countIf(l >= k) from (select windowFunnel(1209600000000)(toUInt64(toUnixTimestamp64Micro("
        f"timestamp)), {', '.join(steps)}) l from events where {where} group by person_id)"
        f" array join range(1, {len(steps) + 1}) as k group by k"
    )


def _cases(column: str, values: tuple[str, ...]) -> str:
    return "case " + " ".join(f"when {column} = '{value}' then {k}" for k, value in enumerate(values, 1)) + " end"


def _listed(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def _steps(results: Any) -> Rows:
    return {(step["order"] + 1, step["count"]) for step in results}


def _timed_steps(results: Any) -> Rows:
    times = ("average_conversion_time", "median_conversion_time")
    whole = {step["order"]: [None if step[key] is None else int(step[key]) for key in times] for step in results}
    return {(step["order"] + 1, step["count"], *whole[step["order"]]) for step in results}


def _edges(results: Any) -> Rows:
    return {(edge["source"], edge["target"], edge["value"]) for edge in results}


def _timed_edges(results: Any) -> Rows:
    return {(e["source"], e["target"], e["value"], int(e["average_conversion_time"])) for e in results}


PATHS = """
with e0 as materialized (select *, hash(path) as k from (select pid, timestamp as ts,
  coalesce(case when "p.$current_url" like '_%/' then left("p.$current_url", -1) else "p.$current_url" end, '') as path
  from events where event = '$pageview' and {0})),
dict as materialized (select k, any_value(path) as path from e0 group by k),
a as (select k, epoch_us(ts) as us, lead(k) over () as nk, coalesce(lead(pid) over () <> pid
        or epoch_us(lead(ts) over ()) - epoch_us(ts) >= 1800000000, true) as lst
      from (select pid, ts, k from e0 order by pid, ts)),
c as (select k, lag(k) over () as fk, us - lag(us) over () as took,
             case when lag(lst, 1, true) over () then 1 when lag(lst, 2, true) over () then 2
                  when lag(lst, 3, true) over () then 3 when lag(lst, 4, true) over () then 4
                  when lag(lst, 5, true) over () then 5 end as i from a where lst or k <> nk),
g as (select i, fk, k, count(*) as n, avg(took) / 1000 as ms from c where i > 1 group by all)
select (i - 1) || '_' || x.path, i || '_' || y.path, n, trunc(ms)::bigint
from g join dict x on x.k = fk join dict y on y.k = g.k
order by n desc, 1, 2 limit 50
"""
CH_PATHS = """
with p as (select person_id, arraySort(x -> x.1, groupArray((toUnixTimestamp64Micro(timestamp),
             replaceRegexpOne(ifNull(current_url, ''), '(.)/$', '\\\\1')))) ev
           from events where event = '$pageview' and {0} group by person_id),
s as (select arrayJoin(arraySplit((x, i) -> i > 1 and x.1 - ev[i - 1].1 >= 1800000000, ev, arrayEnumerate(ev))) se
      from p),
c as (select arraySlice(arrayFilter((x, i) -> i = length(se) or x.2 != se[i + 1].2, se, arrayEnumerate(se)), 1, 5) st
      from s)
select concat(toString(i - 1), '_', st[i - 1].2) src, concat(toString(i), '_', st[i].2) dst, count() n
from c array join range(2, length(st) + 1) as i group by src, dst order by n desc, src, dst limit 50
"""
IN_DAY = "timestamp >= '2026-10-15 00:00:00' and timestamp < '2026-10-16 00:00:00'"
# Of persons with as many events any may come first, so the rows are places and numbers.
# UUIDs in ClickHouse's order; by which ids each came is asked of the page alone.
BEHIND = """
with page as materialized (
  select person_id, pid, n, row_number() over () - 1 as place from (
    select person_id, pid, n from (select pid, count(*) as n from events where event = '$pageview' and {0} group by pid)
    join persons using (pid) order by n desc, right(person_id::varchar, 17), person_id limit 100))
select place, person_id::varchar, n, array_to_string(list(distinct distinct_id order by distinct_id), ' ')
from page join events using (pid) where event = '$pageview' and {0} group by place, person_id, n
"""
CH_BEHIND = """
select toInt64(row_number() over (order by n desc, person_id)) - 1, toString(person_id), n,
       arrayStringConcat(ids, ' ') from (
  select person_id, count() as n, arraySort(groupUniqArray(distinct_id)) as ids
  from events where event = '$pageview' and {0} group by person_id order by n desc, person_id limit 100)
"""
SYSTEMS = """
select "p.$os", count(*) as n, count(distinct pid) from events where event = '$pageview' and {0}
group by 1 order by n desc limit 20
"""
CH_SYSTEMS = """
select os, count() as n, uniqExact(person_id) from events where event = '$pageview' and {0}
group by os order by n desc limit 20
"""
HOGQL = (
    "select properties.$os as os, count() as n, uniq(person_id) from events where event = '$pageview' and {0}"
    " group by os order by n desc limit 20"
)
CASES = (
    Case("trend by browser", {"kind": "TrendsQuery", "series": [VIEWS], "dateRange": MONTH,
         "breakdownFilter": {"breakdown": "$browser", "breakdown_type": "event", "breakdown_limit": 25}},
         _series, TREND.format(IN_MONTH), CH_TREND.format(IN_MONTH)),
    Case("daily active", {"kind": "TrendsQuery", "series": [VIEWS | {"math": "dau"}], "dateRange": MONTH},
         _series, ACTIVE.format(IN_MONTH), CH_ACTIVE.format(IN_MONTH)),
    Case("funnel of 3 steps", {"kind": "FunnelsQuery", "dateRange": QUARTER,
         "series": [{"kind": "EventsNode", "event": name} for name in BOUGHT]}, _steps,
         _chain(3, _cases("event", BOUGHT), IN_QUARTER),
         _ch_chain([f"event = '{name}'" for name in BOUGHT], f"event in {_listed(BOUGHT)} and {IN_QUARTER}"),
         (1.3, 1.7), by_hand=_timed_steps),
    Case("funnel of 8 steps", {"kind": "FunnelsQuery", "dateRange": QUARTER, "series": [
             VIEWS | {"properties": [{"type": "event", "key": "$pathname", "operator": "exact", "value": [page]}]}
             for page in PAGES]}, _steps,
         _chain(8, _cases('"p.$pathname"', PAGES), f"event = '$pageview' and {IN_QUARTER}"),
         _ch_chain([f"ifNull(pathname, '') = '{page}'" for page in PAGES],
                   f"event = '$pageview' and pathname in {_listed(PAGES)} and {IN_QUARTER}"), (1.3, 1.7),
         by_hand=_timed_steps),
    Case("retention, 8 weeks", {"kind": "RetentionQuery", "dateRange": {"date_to": "2026-10-31"}, "retentionFilter": {
             "period": "Week", "totalIntervals": 8, "retentionType": "retention_recurring",
             "targetEntity": {"id": "$pageview", "type": "events"},
             "returningEntity": {"id": "$pageview", "type": "events"}}},
         _cells, RETENTION.format(IN_WEEKS), CH_RETENTION.format(IN_WEEKS)),
    Case("stickiness, 30 days", {"kind": "StickinessQuery", "series": [VIEWS], "dateRange": MONTH},
         _days, STICKINESS.format(IN_MONTH), CH_STICKINESS.format(IN_MONTH)),
    Case("lifecycle, 12 weeks", {"kind": "LifecycleQuery", "series": [VIEWS], "interval": "week",
         "dateRange": {"date_from": "2026-08-09", "date_to": "2026-10-31"}},
         _statuses, LIFECYCLE.format(IN_12_WEEKS), CH_LIFECYCLE.format(IN_12_WEEKS)),
    Case("paths", {"kind": "PathsQuery", "dateRange": MONTH, "pathsFilter": {"includeEventTypes": ["$pageview"]}},
         _edges, PATHS.format(IN_MONTH), CH_PATHS.format(IN_MONTH), (1.3, 1.7), by_hand=_timed_edges),
    Case("persons behind a day", {"kind": "ActorsQuery", "select": ["id", "event_count"], "limit": 100,
         "orderBy": ["event_count DESC", "id"], "source": {"kind": "InsightActorsQuery", "day": "2026-10-15",
         "source": {"kind": "TrendsQuery", "series": [VIEWS], "dateRange": MONTH}}},
         _page,
         BEHIND.format(IN_DAY), CH_BEHIND.format(IN_DAY)),
    Case("SQL, by operating system", {"kind": "HogQLQuery", "query": HOGQL.format(IN_MONTH)},
         lambda results: {tuple(row) for row in results}, SYSTEMS.format(IN_MONTH), CH_SYSTEMS.format(IN_MONTH),
         apart=True),
)  # fmt: skip
