"""What each `math` counts, as SQL over one pass of the events: rows of bucket, value, number and rank."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from insights_mcp.local.queries import dates, entities, unsupported
from insights_mcp.local.queries.breakdowns import NONE, OTHER
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import ALWAYS, Filters, joined
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.local.queries.trends.parts import Part
from insights_mcp.schema.trends import TrendsQuery

QUANTILES = {"median": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
OVER_VALUES = {
    **{name: f"coalesce({name}({{x}}), 0)" for name in ("sum", "avg", "min", "max")},
    **{name: f"coalesce(quantile_cont({{x}}, {share}), 0)" for name, share in QUANTILES.items()},
}
PER_ACTOR_COUNT = "_count_per_actor"
SLOPE_POINTS = 2
PER_DAY = {"hour": 24, "minute": 1440, "second": 86_400}
WINDOWS = {"weekly_active": 7, "monthly_active": 30}
USERS = ("dau", *WINDOWS)
# What counts groups where a type of group is named; events of none are left out.
GROUPED = (*USERS, "unique_group")
# An active user of the last 7 days is anyone seen in a whole bucket of a week; so too for months.
WIDE = {"weekly_active": ("week", "month", "quarter", "year"), "monthly_active": ("month", "quarter", "year")}

PLAIN = """select {bucket} as d, {value} as b, {aggregate} as n
  from {tables}
  where {where} group by all"""
# Over time and added up, a person (or a group) counts once, when first seen.
FIRST_SEEN = """select d, b, count(*) as n
  from (select min({bucket}) as d, {value} as b, {actor} as actor from {tables} where {where} group by all)
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
ACTIVE = """select k.d, v.b, coalesce(runs.n, 0)::bigint as n
  from (select unnest({buckets}::timestamp[]) as d) k
  cross join (select distinct b from runs) v
  asof left join runs on runs.b is not distinct from v.b and runs.d <= k.d"""
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
         arg_min({value}, {at}) filter (where {matching}) as b
  from {tables} where {events} and {at} <= {end} group by 1),
"""
FIRST_TIME = """select {first_bucket} as d, b, count(*) as n from firsts
  where first = matched and first >= {start} group by all"""
# Values are ranked by the sum of their buckets, those without a value last; what is beyond the limit is "other".
RANKED = """with {bins}{before}per as ({per}),
ranked as (
  select b, row_number() over () as r
  from (select b from per group by b order by {first}sum(n * {weight}) desc, b limit {limit}))
select d, case when r is null then {other} else b end as b, sum(n) as n, coalesce(min(r), {limit} + 1) as r
from per left join ranked using (b) group by 1, 2"""
UNRANKED = "with {before}per as ({per})\nselect d::timestamp as d, b, n, 1 as r from per"
# What is grouped by becomes the bucket and the value.
NAMED = "select d::timestamp as d, {shown} as b, n from ({per})"
BINS = """bins as (
  select {edges}
  from (select {bounds} from {tables} where {where})),
"""


class Counting:
    """One part of a trend, while its statement is written."""

    def __init__(self, part: Part, query: TrendsQuery, context: Context, scan: Scan | None = None) -> None:
        self.part = part
        self.query = query
        self.context = context
        self.scan = scan or context.scan()
        self.filters = Filters(self.scan, context)
        self.at = f"{self.scan.events}.timestamp"
        self.math = math_of(part)
        self.actor = actor(self)

    def statement(self) -> Sql:
        """The statement of the part."""
        return self.scan.statement(self.text())

    def text(self) -> str:
        """SQL: rows of bucket, value, number and rank."""
        math = MATHS.get(self.math) or (_per_actor if self.math.endswith(PER_ACTOR_COUNT) else _over_values)
        before, per, holes = math(self)
        by = self.part.by
        named = {
            "bucket": "null::timestamp" if self.part.in_all else self.part.period.grouped(self.at),
            "value": self._value(),
            "actor": self.actor,
            "at": self.at,
        }
        bounds = by.bounds(self.filters) if by else ""
        where = self.where(with_actor=self.math in GROUPED)
        holes = {"where": where, **named, **holes}
        tables = self.scan.tables
        holes["tables"] = tables + (by.tables(self.filters) if by else "")
        text = {"before": before.format_map(holes), "per": per.format_map(holes)}
        if not by:
            return UNRANKED.format_map(text)
        shown = f"case b when '' then {self.scan.bind(NONE)} else b end" if by.is_plain else "b"
        shown = by.splits[0].named(shown, self.filters) if by.is_plain else shown
        text["per"] = NAMED.format(shown=shown, per=text["per"])
        text["bins"] = BINS.format(edges=by.edges(), bounds=bounds, tables=tables, where=where) if bounds else ""
        return RANKED.format_map(text | self._ranking())

    def _value(self) -> str:
        """SQL: what to group by for the value."""
        by = self.part.by
        if by is None:
            return "null::varchar"
        return by.splits[0].raw(self.filters) if by.is_plain else by.value(self.filters)

    def _ranking(self) -> dict[str, str]:
        by = self.part.by
        assert by
        none, other = self.scan.bind(NONE), self.scan.bind(OTHER)
        several = by.is_several
        limit = self.scan.bind(by.limit)
        is_none = f"list_contains(b, {none})" if several else f"b = {none}"
        return {
            "weight": self._weight(),
            "first": "" if self.part.in_all else f"{is_none}, ",
            "other": f"[{', '.join([other] * len(by.splits))}]" if several else other,
            "limit": limit,
        }

    def _weight(self) -> str:
        """SQL: in how many running sums a bucket's number is."""
        if not self.part.cumulative:
            return "1"
        return f"len(list_filter({self.buckets()}::timestamp[], lambda x: x >= d))"

    def buckets(self) -> str:
        """The buckets, bound."""
        return self.scan.bind(self.part.period.buckets())

    def bound(self, moment: datetime) -> str:
        """A moment, bound as UTC."""
        return self.scan.bind(moment.astimezone(UTC).replace(tzinfo=None))

    def events(self) -> str:
        """SQL that holds for the events of the series, whatever their properties."""
        return joined("and", [entities.kind_of(self.part.series, self.filters), *self._sampled()])

    def matching(self) -> str:
        """SQL that holds where all filters do."""
        series, query = self.part.series, self.query
        given = [series.properties, series.fixedProperties, query.properties]
        conditions = [self.filters.test_accounts()] if query.filterTestAccounts else []
        return joined("and", [*conditions, *(self.filters.all_of(each) for each in given if each)])

    def _sampled(self) -> list[str]:
        share = self.query.samplingFactor
        if share is None or share >= 1:
            return []
        if not share > 0:
            raise QueryError("samplingFactor is a share of the users, above 0 and up to 1.", attr="samplingFactor")
        return [f"hash({self.scan.events}.distinct_id) % 1000000 < {self.scan.bind(int(share * 1_000_000))}"]

    def where(self, *, with_actor: bool = False) -> str:
        """SQL that holds for the events that count."""
        start, end = window(self.part, self.math)
        during = [f"{self.at} >= {self.bound(start)}", f"{self.at} <= {self.bound(end)}"]
        during += self._ends()
        grouped = with_actor and self.actor != self.scan.actor
        known = [f"coalesce({self.actor}, '') <> ''"] if grouped else []
        return " and ".join(each for each in [self.events(), *during, *known, self.matching()] if each != ALWAYS)

    def _ends(self) -> list[str]:
        """SQL that holds in the ends of a slope; who is active in them is seen between them, too."""
        buckets, period = self.part.period.buckets(), self.part.period
        if self.part.open_end is None or self.math in WINDOWS or len(buckets) < SLOPE_POINTS:
            return []
        first, last = (self.bound(each.replace(tzinfo=period.zone)) for each in (buckets[1], buckets[-1]))
        return [f"({self.at} < {first} or {self.at} >= {last})"]


def math_of(part: Part) -> str:
    """What the series counts; over buckets as wide as their window, active users are plain users."""
    math = part.series.math or "total"
    if refused := unsupported.feature(unsupported.MATHS, math, "series"):
        raise refused
    return "dau" if part.period.interval in WIDE.get(math, ()) and not part.in_all else math


def actor(counting: Counting) -> str:
    """SQL: who counts: the user, or the group where the series counts groups."""
    series = counting.part.series
    number = series.math_group_type_index
    if number is None:
        number = counting.query.aggregation_group_type_index
    if number is None or series.math not in GROUPED:
        return counting.scan.actor
    return counting.scan.group_key(counting.filters.group_type(int(number)))


def window(part: Part, math: str) -> tuple[datetime, datetime]:
    """From when to when events are read: for active users, also the days before; per actor, not before the range."""
    start, end = part.period.read_from, part.period.end
    if math.endswith(PER_ACTOR_COUNT):
        return part.period.start, end
    days = WINDOWS.get(math)
    if days and part.in_all:
        return dates.floor(end, "day") - timedelta(days=days - 1), end
    return (start - timedelta(days=days), end) if days else (start, end)


# -- what each math counts: CTEs before it, the rows of bucket, value and number, and what these name ----------------

Compiled = tuple[str, str, dict[str, str]]


def _total(counting: Counting) -> Compiled:
    return "", PLAIN, {"aggregate": "count(*)"}


def _users(counting: Counting) -> Compiled:
    if counting.part.cumulative:
        return "", FIRST_SEEN, {}
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


def _groups(counting: Counting) -> Compiled:
    if counting.part.series.math_group_type_index is None:
        raise QueryError("math 'unique_group' needs math_group_type_index, the type of group to count.", attr="series")
    return _users(counting)


def _first_time(counting: Counting) -> Compiled:
    events, matching = counting.events(), counting.matching()
    return FIRSTS, FIRST_TIME, _first_holes(counting, events, matching)


def _first_matching(counting: Counting) -> Compiled:
    events = joined("and", [counting.events(), counting.matching()])
    return FIRSTS, FIRST_TIME, _first_holes(counting, events, "true")


def _first_holes(counting: Counting, events: str, matching: str) -> dict[str, str]:
    start, end = window(counting.part, counting.math)
    bucket = "null::timestamp" if counting.part.in_all else counting.part.period.bucket("matched")
    return {
        "events": events,
        "matching": matching,
        "start": counting.bound(start),
        "end": counting.bound(end),
        "first_bucket": bucket,
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
    "unique_group": _groups,
    "first_time_for_user": _first_time,
    "first_matching_event_for_user": _first_matching,
    "hogql": _hogql,
}
