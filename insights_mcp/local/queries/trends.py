"""TrendsQuery: what each `math` counts, over time or in all, by the values of a property, against the period before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries import breakdowns, dates, entities, unsupported
from insights_mcp.local.queries.breakdowns import NONE, OTHER, By
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.filters import DateRange
from insights_mcp.schema.trends import Series, TrendsQuery

MODEL = TrendsQuery
IN_ALL = frozenset({"BoldNumber", "ActionsPie", "ActionsBarValue", "ActionsTable", "WorldMap"})
QUANTILES = {"median": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
OVER_VALUES = {
    **{name: f"coalesce({name}({{x}}), 0)" for name in ("sum", "avg", "min", "max")},
    **{name: f"coalesce(quantile_cont({{x}}, {share}), 0)" for name, share in QUANTILES.items()},
}
COUNTS = {"total": "count(*)", "dau": "count(distinct e.pid)"}
PER_DAY = {"hour": 24, "minute": 1440, "second": 86_400}
WINDOWS = {"weekly_active": 7, "monthly_active": 30}
# An active user of the last 7 days is anyone seen in a whole bucket of a week; so too for months.
WIDE = {"weekly_active": ("week", "month", "quarter", "year"), "monthly_active": ("month", "quarter", "year")}

PLAIN = "select {bucket} as d, {value} as b, {aggregate} as n from {tables} where {where} group by all"
# Over time and added up, a person counts once, when first seen.
FIRST_SEEN = """select d, b, count(*) as n
  from (select min({bucket}) as d, {value} as b, e.pid from {tables} where {where} group by all) group by all"""
PER_ACTOR = """select d, b, {aggregate} as n
  from (select {bucket} as d, {value} as b, e.pid, count(*) as c from {tables} where {where} group by all)
  group by all"""
# Active at a bucket is who was seen in the 6 (29) days before it or the day after. So each time someone was seen covers
# `span` buckets, or fewer where they are seen again: +1 at the first, -1 after the last, then a running sum.
ACTIVE = """select k.d, v.b, coalesce(runs.n, 0)::bigint as n
  from (select unnest({buckets}::timestamp[]) as d) k
  cross join (select distinct b from runs) v
  asof left join runs on runs.b is not distinct from v.b and runs.d <= k.d"""
ACTIVE_RUNS = """seen as (select distinct e.pid, {value} as b, {first} as d from {tables} where {where}),
spans as (
  select b, d, least(d + interval {span} {unit},
                     coalesce(lead(d) over (partition by b, pid order by d), timestamp '9999-01-01')) as until
  from seen),
steps as (select b, d, 1 as v from spans union all select b, until, -1 from spans),
runs as (
  select b, d, sum(v) over (partition by b order by d) as n
  from (select b, d, sum(v) as v from steps group by all)),
"""
# Values are ranked by the sum of their buckets, those without a value last; what is beyond the limit is "other".
RANKED = """with {before}per as ({per}),
ranked as (
  select b, row_number() over (order by b = {none}, sum(n * {weight}) desc, b) as r from per group by b)
select d, case when r <= {limit} then b else {other} end as b, sum(n) as n, min(least(r, {limit} + 1)) as r
from per join ranked using (b) group by 1, 2 order by r, d"""
UNRANKED = "with {before}per as ({per}) select d, b, n, 1 as r from per"


@dataclass(frozen=True)
class Part:
    """One series in one period: what its statement answers."""

    series: Series
    order: int
    period: Period
    compared: str | None


@dataclass(frozen=True)
class Plan:
    """The statements, and what shaping must know."""

    query: TrendsQuery
    statements: list[Sql]
    parts: list[Part]
    period: Period
    by: By | None
    in_all: bool


def interval(query: TrendsQuery) -> str:
    """The interval a query is cut by."""
    return query.interval or "day"


def compile(query: TrendsQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statements for a query. Raises QueryError for what is not supported."""
    display = _display(query)
    in_all = display in IN_ALL
    by = breakdowns.of(query.breakdownFilter)
    if display == "WorldMap" and by is None:
        raise QueryError("A world map needs a breakdown, by '$geoip_country_code'.", attr="breakdownFilter")
    period = _period(query, context, in_all)
    parts = list(_parts(query, period))
    statements = [_statement(part, query, context, by, in_all) for part in parts]
    return Plan(query, statements, parts, period, by, in_all)


def _display(query: TrendsQuery) -> str:
    given = query.trendsFilter
    if given and (given.formula or given.formulas or given.formulaNodes):
        raise unsupported.refuse("formula", "trendsFilter")
    if given and (given.smoothingIntervals or 1) > 1:
        raise unsupported.refuse("smoothing", "trendsFilter")
    if query.samplingFactor not in (None, 1):
        raise unsupported.refuse("sampling", "samplingFactor")
    if query.aggregation_group_type_index is not None:
        raise unsupported.refuse("groups", "aggregation_group_type_index")
    display = (given and given.display) or "ActionsLineGraph"
    refused = unsupported.feature(unsupported.DISPLAYS, display, "trendsFilter")
    if refused:
        raise refused
    if not query.series:
        raise QueryError("The query has no series. Give at least one event to count.", attr="series")
    return display


def _period(query: TrendsQuery, context: Context, in_all: bool) -> Period:
    given = query.dateRange or DateRange()
    if in_all and _is_compared(query) and not given.date_to:
        exact = dates.to_the_moment(given.date_from, context.local_now)
        if exact:
            return exact
    return dates.period(
        given.date_from,
        given.date_to,
        interval="day" if in_all else interval(query),
        now=context.local_now,
        week_start=context.project.week_start_day,
        exact=bool(given.explicitDate),
        first=context.first_seen([series.event for series in query.series]),
    )


def _is_compared(query: TrendsQuery) -> bool:
    return bool(query.compareFilter and query.compareFilter.compare)


def _parts(query: TrendsQuery, period: Period) -> Iterator[Part]:
    compare = query.compareFilter
    if not compare or not _is_compared(query):
        yield from (Part(series, order, period, None) for order, series in enumerate(query.series))
        return
    given = query.dateRange or DateRange()
    before = (
        dates.shifted(period, compare.compare_to)
        if compare.compare_to
        else dates.previous(period, given.date_from, given.date_to)
    )
    for label, each in (("current", period), ("previous", before)):
        yield from (Part(series, order, each, label) for order, series in enumerate(query.series))


# -- statements --------------------------------------------------------------------------------------------------------


def _statement(part: Part, query: TrendsQuery, context: Context, by: By | None, in_all: bool) -> Sql:
    _check_series(part.series)
    scan = context.scan()
    math = _math(part.series.math or "total", part.period.interval)
    holes = {
        "bucket": "null::timestamp" if in_all else part.period.bucket("e.timestamp"),
        "value": by.value(scan) if by else "null::varchar",
    }
    cumulative = _is_cumulative(query)
    before, per = (_active if math in WINDOWS else _counted)(math, part, scan, holes, in_all)
    per = FIRST_SEEN if math == "dau" and cumulative else per
    holes["where"] = _where(part, query, context, scan, _window(math, part, in_all))
    holes["tables"] = scan.tables
    named = {"before": before.format_map(holes), "per": per.format_map(holes)}
    if not by:
        return scan.statement(UNRANKED.format_map(named))
    ranked = {
        "weight": _weight(part, scan, cumulative),
        "none": scan.bind(NONE),
        "other": scan.bind(OTHER),
        "limit": scan.bind(by.limit),
    }
    return scan.statement(RANKED.format_map(named | ranked))


def _is_cumulative(query: TrendsQuery) -> bool:
    return bool(query.trendsFilter and query.trendsFilter.display == "ActionsLineGraphCumulative")


def _weight(part: Part, scan: Scan, cumulative: bool) -> str:
    """SQL: in how many running sums a bucket's number is."""
    return f"len(list_filter({scan.bind(part.period.buckets())}::timestamp[], lambda x: x >= d))" if cumulative else "1"


def _check_series(series: Series) -> None:
    refused = unsupported.feature(unsupported.SERIES, series.kind, "series") or unsupported.feature(
        unsupported.MATH, series.math or "total", "series"
    )
    if refused:
        raise refused
    if series.math_group_type_index is not None and series.math in (*WINDOWS, "dau"):
        raise unsupported.refuse("groups", "series")


def _math(math: str, interval: str) -> str:
    return "dau" if interval in WIDE.get(math, ()) else math


def _counted(math: str, part: Part, scan: Scan, holes: dict[str, str], in_all: bool) -> tuple[str, str]:
    if math.endswith("_count_per_actor"):
        holes["aggregate"] = OVER_VALUES[math.removesuffix("_count_per_actor")].format(x="c")
        return "", PER_ACTOR
    if math == "unique_session":
        holes["aggregate"] = f"count(distinct {scan.event_property('$session_id')})"
    elif math in COUNTS:
        holes["aggregate"] = COUNTS[math]
    else:
        holes["aggregate"] = OVER_VALUES[math].format(x=_operand(part.series, scan))
    return "", PLAIN


def _operand(series: Series, scan: Scan) -> str:
    key = series.math_property
    if not key:
        raise QueryError(f"math '{series.math}' needs a math_property, the property to compute it over.", attr="series")
    if key == "$session_duration":
        raise QueryError("math over $session_duration is not supported yet; use math 'unique_session'.", attr="series")
    owner = series.math_property_type or "event_properties"
    if owner not in OWNERS:
        raise QueryError(
            f"math over {owner} is not supported yet; use event_properties or person_properties.", attr="series"
        )
    return f"try_cast({OWNERS[owner](scan, key)} as double)"


OWNERS = {"event_properties": Scan.event_property, "person_properties": Scan.person_property}


def _active(math: str, part: Part, scan: Scan, holes: dict[str, str], in_all: bool) -> tuple[str, str]:
    if in_all:
        holes["aggregate"] = COUNTS["dau"]
        return "", PLAIN
    unit = part.period.interval if part.period.interval in PER_DAY else "day"
    each = PER_DAY.get(unit, 1)
    moment = f"{part.period.local('e.timestamp')} - interval 1 microsecond"
    holes["unit"], holes["span"] = unit, str(WINDOWS[math] * each)
    holes["first"] = f"{dates.truncated(moment, unit, 0)} - interval {each - 1} {unit}"
    holes["buckets"] = scan.bind(part.period.buckets())
    return ACTIVE_RUNS, ACTIVE


def _window(math: str, part: Part, in_all: bool) -> tuple[datetime, datetime]:
    """From when to when events are read; for active users, also the days before."""
    start, end = part.period.read_from, part.period.end
    days = WINDOWS.get(math)
    if days and in_all:
        return dates.floor(end, "day") - timedelta(days=days - 1), end
    return (start - timedelta(days=days), end) if days else (start, end)


def _where(part: Part, query: TrendsQuery, context: Context, scan: Scan, window: tuple[datetime, datetime]) -> str:
    filters = Filters(scan, context)
    start, end = (scan.bind(moment.astimezone(UTC).replace(tzinfo=None)) for moment in window)
    conditions = [f"e.timestamp >= {start}", f"e.timestamp <= {end}"]
    conditions.insert(0, entities.matches(part.series, filters))
    given = [query.properties]
    if query.filterTestAccounts:
        conditions.append(filters.test_accounts())
    return " and ".join([*conditions, *(filters.all_of(each) for each in given if each)])


# -- results -----------------------------------------------------------------------------------------------------------


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows (bucket, value, number, rank) of each part as PostHog's list of series."""
    results: list[dict[str, Any]] = []
    more = False
    for part, answer in zip(plan.parts, answers, strict=True):
        for value, rows in _by_value(plan, answer):
            more = more or value == OTHER
            if not (value == OTHER and plan.by and plan.by.hide_other):
                results.append(_series(plan, part, value, rows))
    return {"results": results, "hasMore": more, "resolved_date_range": plan.period.resolved()}


def _by_value(plan: Plan, answer: Rows) -> list[tuple[str | None, dict[datetime | None, Any]]]:
    found: dict[str | None, dict[datetime | None, Any]] = {} if plan.by else {None: {}}
    for bucket, value, number, _ in answer.rows:
        found.setdefault(value, {})[bucket] = number
    return list(found.items())


def _series(plan: Plan, part: Part, value: str | None, rows: dict[datetime | None, Any]) -> dict[str, Any]:
    buckets = part.period.buckets()
    name = part.series.event or "All events"
    series: dict[str, Any] = {
        "order": part.order,
        "label": name,
        "action": _action(part, name, plan.period),
        "filter": _filter(plan),
    }
    series |= _in_all(rows) if plan.in_all else _over_time(plan, part, buckets, rows)
    if part.compared:
        series |= {"compare": True, "compare_label": part.compared}
    if plan.by and value is not None:
        series |= {"breakdown_value": [value] if plan.by.listed else value}
        series["label"] = f"{name} - {value}" if len(plan.query.series) > 1 else value
    return series


def _in_all(rows: dict[datetime | None, Any]) -> dict[str, Any]:
    return {"data": [], "days": [], "count": 0, "aggregated_value": rows.get(None, 0)}


def _over_time(plan: Plan, part: Part, buckets: list[datetime], rows: dict[datetime | None, Any]) -> dict[str, Any]:
    data = [rows.get(bucket, 0) for bucket in buckets]
    cumulative = _is_cumulative(plan.query)
    if cumulative:
        data = list(accumulate(data))
    cut = part.period.interval
    return {
        "data": [float(number) for number in data] if plan.by else data,
        "labels": [dates.label(bucket, cut, part.period.start, part.period.end) for bucket in buckets],
        "days": [dates.day(bucket, cut) for bucket in buckets],
        "count": float((data[-1] if data else 0) if cumulative else sum(data)),
    }


def _action(part: Part, name: str, period: Period) -> dict[str, Any]:
    series = part.series
    return {
        "days": [dates.iso(bucket.replace(tzinfo=period.zone)) for bucket in period.buckets()],
        "id": series.event,
        "type": "events",
        "order": part.order,
        "name": name,
        "custom_name": series.custom_name,
        "math": series.math,
        "math_property": series.math_property,
        "math_hogql": series.math_hogql,
        "math_group_type_index": series.math_group_type_index,
        "properties": {},
    }


def _filter(plan: Plan) -> dict[str, Any]:
    """The query in the words that insights had before queries."""
    query = plan.query
    parts = (query.trendsFilter, query.breakdownFilter)
    said = {key: value for part in parts if part for key, value in part.model_dump(exclude_none=True).items()}
    named = {"filter_test_accounts": query.filterTestAccounts, "sampling_factor": query.samplingFactor}
    return {
        **said,
        **query.model_dump(include={"properties"}, exclude_unset=True, exclude_none=True),
        **{key: value for key, value in named.items() if value is not None},
        **plan.period.resolved(),
        "entity_type": "events",
        "insight": "TRENDS",
        "interval": interval(query),
    }
