"""What each `math` counts, as SQL over one pass of the events: rows of bucket, value and number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from insights_mcp.local.queries import dates
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.properties import joined
from insights_mcp.local.queries.trends.counting import FIRSTS_ONLY, PER_ACTOR_COUNT, WINDOWS, Counting, window

QUANTILES = {"median": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
OVER_VALUES = {
    **{name: f"coalesce({name}({{x}}), 0)" for name in ("sum", "avg", "min", "max")},
    **{name: f"coalesce(quantile_cont({{x}}, {share}), 0)" for name, share in QUANTILES.items()},
}
PER_DAY = {"hour": 24, "minute": 1440, "second": 86_400}

PLAIN = """select {bucket} as d, {value} as b, {aggregate} as n
  from {tables}
  where {where} group by all"""
# Over time and added up, a person (or a group) counts once, when first seen: with all their ids, where ids are users.
FIRST_SEEN = """select d, b, {summed} as n
  from (select min({bucket}) as d, {value} as b, {who} as actor{ids} from {tables} where {where} group by all)
  group by all"""
PER_ACTOR = """select d, b, {aggregate} as n
  from (select {bucket} as d, {value} as b, {actor} as actor, count(*) as c from {tables} where {where} group by all)
  group by all"""
# A fact of the session counts once for each session, however many events it has.
PER_SESSION = """select d, b, {aggregate} as n
  from (select {bucket} as d, {value} as b, {session} as session, any_value({operand}) as c
        from {tables} where {where} group by all)
  group by all"""
# Active at a bucket is who was seen in the 6 (29) days before it or the day after. So each time someone was seen covers
# `span` buckets, or fewer where they are seen again: +1 at the first, -1 after the last, then a running sum.
ACTIVE = """select k.d, v.b, runs.n::bigint as n
  from (select unnest({buckets}::timestamp[]) as d) k
  cross join (select distinct b from runs) v
  asof join runs on runs.b is not distinct from v.b and runs.d <= k.d
  where runs.n > 0"""
ACTIVE_RUNS = """seen as (
  select distinct {actor} as actor, {value} as b, {first} as d from {tables} where {where}),
spans as (
  select b, d, least(d + interval {span} {unit},
                     coalesce(lead(d) over (partition by b, actor order by d), timestamp '9999-01-01')) as until
  from seen),
steps as (select b, d, 1 as v from spans union all select b, until, -1 from spans),
runs as (
  select b, d, sum(v) over (partition by b order by d) as n
  from (select b, d, sum(v) as v from steps group by all)),
"""
# The first time of all history counts, where it is in the period and is as the filters say.
FIRSTS = """firsts as (
  select {actor} as actor, min({at}) as first, min({at}) filter (where {matching}) as matched,
         {value_at}({value}, {at}) filter (where {matching}) as b
  from {tables} where {events} and {at} <= {end} group by 1),
"""
FIRST_TIME = """select {first_bucket} as d, b, count(*) as n from firsts
  where first = matched and first >= {start} group by all"""
# What is the same whether it is counted of values that are alike together, or by each and then added up.
ADDED_UP = ("total", "sum", *FIRSTS_ONLY)
# The CTEs before it, the rows, and what these name.
Compiled = tuple[str, str, dict[str, str]]


def compiled(counting: Counting) -> Compiled:
    """The CTEs before it, the rows of bucket, value and number, and what these name."""
    math = MATHS.get(counting.math)
    return (math or (_per_actor if counting.math.endswith(PER_ACTOR_COUNT) else _over_values))(counting)


def _total(counting: Counting) -> Compiled:
    return "", PLAIN, {"aggregate": "count(*)"}


def _users(counting: Counting) -> Compiled:
    if counting.part.cumulative:
        scan, of_ids = counting.scan, counting.scan.by_distinct_id and counting.actor == counting.scan.actor
        ids = {"who": f"{scan.events}.pid", "ids": f", count(distinct {counting.actor}) as ids", "summed": "sum(ids)"}
        return "", FIRST_SEEN, ids if of_ids else {"who": counting.actor, "ids": "", "summed": "count(*)"}
    return "", PLAIN, {"aggregate": f"count(distinct {counting.actor})"}


def _active(counting: Counting) -> Compiled:
    if counting.part.in_all:
        return "", PLAIN, {"aggregate": f"count(distinct {counting.actor})"}
    period = counting.part.period
    unit = period.interval if period.interval in PER_DAY else "day"
    each = PER_DAY.get(unit, 1)
    moment = f"{period.local(counting.at)} - interval 1 microsecond"
    holes = {
        "unit": unit,
        "span": str(WINDOWS[counting.math] * each),
        "first": f"{dates.truncated(moment, unit, 0)} - interval {each - 1} {unit}",
        "buckets": counting.buckets(),
    }
    return ACTIVE_RUNS, ACTIVE, holes


def _sessions(counting: Counting) -> Compiled:
    session = counting.scan.event_property("$session_id")
    # Events of no session are one session together.
    return "", PLAIN, {"aggregate": f"count(distinct coalesce({session}, ''))"}


def _first_time(counting: Counting) -> Compiled:
    events, matching = counting.events(), counting.matching()
    return FIRSTS, FIRST_TIME, _first_holes(counting, events, matching)


def _first_matching(counting: Counting) -> Compiled:
    events = joined("and", [counting.events(), counting.matching()])
    return FIRSTS, FIRST_TIME, _first_holes(counting, events, "true")


def _first_holes(counting: Counting, events: str, matching: str) -> dict[str, str]:
    by, (start, end) = counting.part.by, window(counting.part, counting.math)
    bucket = "null::timestamp" if counting.part.in_all else counting.part.period.bucket("matched")
    return {
        "events": events,
        "matching": matching,
        "start": counting.bound(start),
        "end": counting.bound(end),
        "first_bucket": bucket,
        # A number may be none, which is a value of the first time, too.
        "value_at": "arg_min_null" if by and by.binned else "arg_min",
    }


def _per_actor(counting: Counting) -> Compiled:
    return "", PER_ACTOR, {"aggregate": OVER_VALUES[counting.math.removesuffix(PER_ACTOR_COUNT)].format(x="c")}


def _hogql(counting: Counting) -> Compiled:
    from insights_mcp.local.queries.hogql import expression

    text = counting.part.series.math_hogql
    if not text:
        raise QueryError("math 'hogql' needs math_hogql, an aggregate such as sum(properties.price).", attr="series")
    found = expression(text, counting.scan, counting.context)
    return "", PLAIN, {"aggregate": f"coalesce(try_cast(({found.sql}) as double), 0)"}


def _over_values(counting: Counting) -> Compiled:
    series = counting.part.series
    key = series.math_property
    if not key:
        raise QueryError(f"math '{series.math}' needs a math_property, the property to compute it over.", attr="series")
    owner = "session_properties" if key == "$session_duration" else series.math_property_type or "event_properties"
    if owner not in OWNERS:
        raise QueryError(f"math over {owner} is not supported; use {', '.join(OWNERS)}.", attr="series")
    operand = counting.scan.number(OWNERS[owner], key)
    if series.math_multiplier is not None:
        operand = f"({operand} * {counting.scan.bind(series.math_multiplier)})"
    if owner != "session_properties":
        return "", PLAIN, {"aggregate": OVER_VALUES[counting.math].format(x=operand)}
    session = counting.scan.event_property("$session_id")
    return "", PER_SESSION, {
        "aggregate": OVER_VALUES[counting.math].format(x="c"), "operand": operand, "session": session,
    }  # fmt: skip


OWNERS: dict[str, Literal["event", "person", "session"]] = {
    "event_properties": "event",
    "person_properties": "person",
    "session_properties": "session",
}
MATHS: dict[str, Callable[[Counting], Compiled]] = {
    "total": _total,
    "dau": _users,
    **dict.fromkeys(WINDOWS, _active),
    "unique_session": _sessions,
    "unique_group": _users,
    **dict.fromkeys(("first_time_for_user", "first_time_for_group"), _first_time),
    **dict.fromkeys(("first_matching_event_for_user", "first_matching_event_for_group"), _first_matching),
    "hogql": _hogql,
}
