"""StickinessQuery: how many persons (or groups) did something on one day of the range, on two, on three …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries import dates, entities, hogql, presence, unsupported
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.presence import Mask
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.selection import Actors
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.actors import InsightActorsQuery, StickinessActorsQuery
from insights_mcp.schema.filters import CompareFilter, DateRange
from insights_mcp.schema.stickiness import StickinessQuery, StickinessSeries

MODEL = StickinessQuery
SIGNS = {"gte": ">=", "lte": "<=", "exact": "="}
# An actor's intervals are one mask. With a criterion an interval counts by how often it happened in it, so those are
# counted first.
ACTIVE = """select actor, bit_count({mask})::bigint as c
  from (select {actor} as actor, {index} as w from {tables} where {where}) where actor is not null group by actor"""
OFTEN = """select actor, count(*) as c
  from (select {actor} as actor, {index} as w from {tables} where {where} group by all having count(*) {often})
  where actor is not null group by actor"""
COUNTS = "select c, count(*) as n from ({active}) group by c"
LISTED = "select distinct actor from ({active}){wanted}"
# Whoever an expression names by their id.
NAMED = """select distinct o.pid as actor
from ({active}) a join persons o on o.person_id = try_cast(a.actor::varchar as uuid){wanted}"""


@dataclass(frozen=True)
class Part:
    """One series in one period: what its statement answers."""

    series: StickinessSeries
    order: int
    name: str | None
    period: Period
    compared: str | None


@dataclass(frozen=True)
class Plan:
    """The statements, and what shaping must know."""

    query: StickinessQuery
    statements: list[Sql]
    parts: list[Part]


def interval(query: StickinessQuery) -> str:
    """The interval a query is cut by."""
    return query.interval or "day"


def compile(query: StickinessQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statements for a query. Raises QueryError for what is not supported."""
    parts = list(_parts(query, context))
    return Plan(query, [_statement(part, query, context) for part in parts], parts)


def _statement(part: Part, query: StickinessQuery, context: Context) -> Sql:
    scan = context.scan()
    return scan.statement(COUNTS.format(active=_active(part, query, Filters(scan, context))))


def actors(
    query: StickinessQuery, point: StickinessActorsQuery | InsightActorsQuery, scan: Scan, context: Context
) -> Actors:
    """Who did it on so many days: exactly, or at least or at most; at least where the insight is cumulative."""
    part = _part(query, point, context)
    active, wanted = _active(part, query, Filters(scan, context)), ""
    if point.day is not None:
        wanted = f" where c {_sign(query, point)} {scan.bind(_day(point.day))}"
    sql = (NAMED if part.series.math == "hogql" else LISTED).format(active=active, wanted=wanted)
    return Actors(lambda _: sql, group_type_index=_group(part.series))


def _sign(query: StickinessQuery, point: StickinessActorsQuery | InsightActorsQuery) -> str:
    operator = getattr(point, "operator", None) or "exact"
    return ">=" if _is_cumulative(query) else SIGNS[operator]


def _day(given: str | int) -> int:
    try:
        return int(given)
    except ValueError:
        raise QueryError(f"'{given}' is no number of intervals: 'day' is 1, 2, 3 …", attr="day") from None


def _part(query: StickinessQuery, point: StickinessActorsQuery | InsightActorsQuery, context: Context) -> Part:
    label = (point.compare or "current") if _is_compared(query) else None
    found = [part for part in _parts(query, context) if part.order == (point.series or 0) and part.compared == label]
    if not found:
        raise QueryError(f"The insight has no series {point.series}: they are numbered from 0.", attr="series")
    return found[0]


def _is_compared(query: StickinessQuery) -> bool:
    return bool(query.compareFilter and query.compareFilter.compare)


def _is_cumulative(query: StickinessQuery) -> bool:
    return bool(query.stickinessFilter and query.stickinessFilter.computedAs == "cumulative")


def _parts(query: StickinessQuery, context: Context) -> Iterator[Part]:
    if not query.series:
        raise QueryError("The query has no series. Give at least one event to count.", attr="series")
    filters = Filters(context.scan(), context)
    for order, series in enumerate(query.series):
        if not entities.exists(series, context):
            continue
        action = entities.named(series, filters)
        name = action.name if action else series.event
        for compared, period in _periods(query, context):
            yield Part(series, order, name, period, compared)


def _periods(query: StickinessQuery, context: Context) -> list[tuple[str | None, Period]]:
    given, compare = query.dateRange or DateRange(), query.compareFilter or CompareFilter()
    unsupported.asked_of_dates(given)
    current = dates.period(
        given.date_from,
        given.date_to,
        interval=interval(query),
        now=context.local_now,
        week_start=context.project.week_start_day,
        exact=bool(given.explicitDate),
        first=context.first_seen([None]),
    )
    if not compare.compare:
        return [(None, current)]
    if compare.compare_to:
        return [("current", current), ("previous", dates.shifted(current, compare.compare_to))]
    return [
        ("current", current),
        ("previous", dates.previous(current, given.date_from, given.date_to, interval(query))),
    ]


# -- statements --------------------------------------------------------------------------------------------------------


def _active(part: Part, query: StickinessQuery, filters: Filters) -> str:
    """SQL: each actor with the number `c` of their intervals."""
    criteria = query.stickinessFilter and query.stickinessFilter.stickinessCriteria
    scan, size = filters.scan, len(part.period.buckets()) + 1
    holes = {
        "mask": Mask(size).of("w"),
        "actor": _actor(part.series, filters),
        "index": _index(part.period, query.intervalCount),
        "where": _where(part, query, filters),
        "tables": scan.tables,
    }
    if not criteria:
        return ACTIVE.format_map(holes)
    return OFTEN.format_map(holes | {"often": f"{SIGNS[criteria.operator]} {scan.bind(criteria.value)}"})


def _actor(series: StickinessSeries, filters: Filters) -> str:
    if series.math == "hogql" and series.math_hogql is not None:
        return hogql.expression(series.math_hogql, filters.scan, filters.context).sql
    return presence.actor(filters.scan, _group(series), filters)


def _group(series: StickinessSeries) -> int | None:
    """The type of group that is counted; None for persons."""
    return series.math_group_type_index if series.math == "unique_group" else None


def _index(period: Period, count: int | None) -> str:
    """SQL: the number of an event's interval; of so many intervals together, these are counted back from the end."""
    local = period.local("e.timestamp")
    if count is None:
        first = dates.floor(period.start, period.interval, period.week_start)
        return presence.index(local, period.interval, first)
    end = period.read_to.replace(tzinfo=None)
    return f"(date_sub('{period.interval}', {local}, timestamp '{end:%Y-%m-%d %H:%M:%S}') // {count})"


def _where(part: Part, query: StickinessQuery, filters: Filters) -> str:
    scan, series = filters.scan, part.series
    start, end = (scan.bind(presence.utc(moment)) for moment in (part.period.read_from, part.period.read_to))
    conditions = [f"e.timestamp >= {start}", f"e.timestamp <= {end}", entities.matches(series, filters)]
    conditions += presence.sampled(scan, query.samplingFactor)
    if query.properties:
        conditions.append(filters.all_of(query.properties))
    if query.filterTestAccounts:
        conditions.append(filters.test_accounts())
    if _group(series) is not None:
        conditions.append(f"{_actor(series, filters)} <> ''")
    return " and ".join(conditions)


# -- results -----------------------------------------------------------------------------------------------------------


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows (number of intervals, number of actors) of each part as PostHog's list of series."""
    return {"results": [_series(plan, part, answer) for part, answer in zip(plan.parts, answers, strict=True)]}


def _series(plan: Plan, part: Part, answer: Rows) -> dict[str, Any]:
    counts = dict(answer.rows)
    total = ceil(len(part.period.buckets()) / (plan.query.intervalCount or 1))
    days = sorted({*range(1, total + 1), *counts})
    data = [counts.get(day, 0) for day in days]
    cumulative = _is_cumulative(plan.query)
    series = {
        "count": sum(data),
        "data": list(accumulate(reversed(data)))[::-1] if cumulative else data,
        "days": days,
        "label": "All events" if part.name is None else part.name,
        "labels": [_label(day, part.period.interval, cumulative) for day in days],
        "action": _action(part),
    }
    return series | ({"compare": True, "compare_label": part.compared} if part.compared else {})


def _label(day: int, interval: str, cumulative: bool) -> str:
    return f"{day} {interval}{'' if day == 1 else 's'}{' or more' if cumulative else ''}"


def _action(part: Part) -> dict[str, Any]:
    return {
        "order": part.order,
        "type": "events",
        "name": part.name or "All events",
        "id": part.name,
        "custom_name": part.series.custom_name,
    }
