"""LifecycleQuery: for each period, who is new, who was there before too, who is back, and who is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries import dates, entities, presence, unsupported, zones
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.presence import Mask
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.selection import Actors
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.actors import InsightActorsQuery
from insights_mcp.schema.filters import DateRange
from insights_mcp.schema.lifecycle import LifecycleQuery

MODEL = LifecycleQuery
STATUSES = ("new", "returning", "resurrecting", "dormant")
OWNERS = {
    "person": "join persons o on o.pid = spells.actor",
    "group": "left join groups o on o.group_type_index = {number} and o.group_key = spells.actor",
}
# Each actor's periods are one mask `m`, counted from the period before the range. Someone is new in the first of them
# when they came to be in that same period. Equal masks are counted together, then laid out by period.
SPELLS = """with spells as (
  select actor, {mask} as m from (select {actor} as actor, {index} as w from {tables} where {where})
  group by actor),
dated as (select m, coalesce({created} = {first}, false) as born, {who} from spells {owners}),
alike as (select m, born, {counted} from dated group by all),
laid as (
  select i.w, n, {here} as here, {before} as before, {begins} and i.w = {first} as is_new
  from alike, range(1, {size}) i(w)),
standing as (
  select w, n, case when here and is_new then 'new' when here and before then 'returning'
                    when here then 'resurrecting' else 'dormant' end as status
  from laid where here or before)
"""
COUNTS = "select w, status, sum(n)::bigint as n from standing group by all"


@dataclass(frozen=True)
class Span:
    """The periods that are read: those of the range, and one before it."""

    period: Period
    exact: bool

    @property
    def starts(self) -> list[datetime]:
        """The start of each, in wall-clock time."""
        buckets = self.period.buckets()
        return [dates.plus(buckets[0], self.period.interval, -1), *buckets] if buckets else []

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """From when until before when events count."""
        starts, zone = self.starts, self.period.zone
        last = dates.plus(starts[-1], self.period.interval) if starts else self.period.start
        return (starts[0] if starts else self.period.start).replace(tzinfo=zone), last.replace(tzinfo=zone)

    def shown(self) -> dict[int, datetime]:
        """The periods that are answered, by number; with exact dates only those that start between them."""
        start, end = (moment.replace(tzinfo=None) for moment in (self.period.start, self.period.end))
        return {n: each for n, each in enumerate(self.starts) if n and (not self.exact or start <= each <= end)}


@dataclass(frozen=True)
class Plan:
    """The statement, and what shaping must know."""

    query: LifecycleQuery
    statements: list[Sql]
    span: Span
    name: str
    id: str | None


def interval(query: LifecycleQuery) -> str:
    """The interval a query is cut by."""
    return query.interval or "day"


def compile(query: LifecycleQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statement for a query. Raises QueryError for what is not supported."""
    if not query.series:
        raise QueryError("The query has no series. Give an event to follow.", attr="series")
    scan, span = context.scan(), _span(query, context)
    filters = Filters(scan, context)
    spells = _spells(query, filters, span, COUNTED)
    action = entities.named(query.series[0], filters)
    name = action.name if action else query.series[0].event
    return Plan(
        query, [scan.statement(spells + COUNTS)], span, name or "All events", str(action.id) if action else name
    )


def actors(query: LifecycleQuery, point: InsightActorsQuery, scan: Scan, context: Context) -> Actors:
    """Who had a status on a day."""
    span = _span(query, context)
    wanted = [f"w in (select unnest({scan.bind(_numbers(point, span, context))}::bigint[]))"]
    if point.status is not None:
        wanted.append(f"status = {scan.bind(point.status)}")
    spells = _spells(query, Filters(scan, context), span, LISTED)
    sql = f"{spells}select distinct n as actor from standing where {' and '.join(wanted)}"
    return Actors(lambda _: sql, group_type_index=query.aggregation_group_type_index)


def _numbers(point: InsightActorsQuery, span: Span, context: Context) -> list[int]:
    if point.day is None:
        return list(span.shown())
    day, _ = dates.parsed(str(point.day), context.local_now)
    start = dates.floor(day, span.period.interval, span.period.week_start).replace(tzinfo=None)
    return [number for number, each in enumerate(span.starts) if number and each == start]


def _span(query: LifecycleQuery, context: Context) -> Span:
    given = query.dateRange or DateRange()
    unsupported.asked_of_dates(given)
    names = [None if each.kind == "ActionsNode" else each.event for each in query.series]
    exact = bool(given.explicitDate)
    period = dates.period(
        given.date_from,
        given.date_to,
        interval=interval(query),
        now=context.local_now,
        week_start=context.project.week_start_day,
        exact=exact,
        first=context.first_seen(names),
    )
    return Span(period, exact)


# Either how many are alike, or each of them by name.
COUNTED = {"who": "spells.actor", "counted": "count(*) as n"}
LISTED = {"who": "spells.actor", "counted": "actor as n"}


def _spells(query: LifecycleQuery, filters: Filters, span: Span, who: Mapping[str, str]) -> str:
    scan, number = filters.scan, query.aggregation_group_type_index
    starts, (start, end) = span.starts or [datetime(1970, 1, 1)], span.bounds
    mask, unit = Mask(len(starts)), span.period.interval

    def index(column: str) -> str:
        return presence.index(zones.local(column, start, end), unit, starts[0])

    holes = {
        "actor": presence.actor(scan, number, filters),
        "index": index("e.timestamp"),
        "mask": mask.of("w"),
        "first": mask.least("m"),
        # Where history begins with the range, whoever is there at once is new.
        "begins": f"(born or {mask.least('m')} = 1)" if _begins_with_range(query) else "born",
        "here": mask.has("m", "i.w"),
        "before": mask.has("m", "i.w - 1"),
        "size": len(starts),
        "where": _where(query, filters, span),
        "created": f"case when o.created_at >= {scan.bind(presence.utc(start))}"
        f" and o.created_at < {scan.bind(presence.utc(end))} then {index('o.created_at')} end",
        "owners": OWNERS["person" if number is None else "group"].format(number=number),
        "tables": scan.tables,
    }
    return SPELLS.format_map({**holes, **who})


def _begins_with_range(query: LifecycleQuery) -> bool:
    """Whether the period before the range is not looked at."""
    return bool(query.lifecycleFilter and query.lifecycleFilter.onlyUseInsightDates)


def _where(query: LifecycleQuery, filters: Filters, span: Span) -> str:
    scan, number = filters.scan, query.aggregation_group_type_index
    start, end = span.bounds
    if _begins_with_range(query):
        start = next((each.replace(tzinfo=span.period.zone) for each in span.starts[1:]), start)
    conditions = [
        f"e.timestamp >= {scan.bind(presence.utc(start))}",
        f"e.timestamp < {scan.bind(presence.utc(end))}",
        *(entities.matches(series, filters) for series in query.series),
        *presence.sampled(scan, query.samplingFactor),
        # Events that were sent without a profile for their person are nobody's life.
        f"{scan.event_property('$process_person_profile')} is distinct from 'false'",
    ]
    if query.properties:
        conditions.append(filters.all_of(query.properties))
    if query.filterTestAccounts:
        conditions.append(filters.test_accounts())
    if number is not None:
        conditions.append(f"{presence.actor(scan, number, filters)} <> ''")
    return " and ".join(conditions)


# -- results -----------------------------------------------------------------------------------------------------------


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows (number of the period, status, number) as PostHog's four series."""
    share = plan.query.samplingFactor or 1
    counts = {(number, status): round(count / share) for number, status, count in answers[0].rows}
    return {
        "results": [_series(plan, status, counts) for status in STATUSES],
        "resolved_date_range": plan.span.period.resolved(),
    }


def _series(plan: Plan, status: str, counts: Mapping[tuple[int, str], int]) -> dict[str, Any]:
    period, shown = plan.span.period, plan.span.shown()
    sign = -1.0 if status == "dormant" else 1.0
    data = [sign * counts.get((number, status), 0) + 0.0 for number in shown]
    return {
        "action": _action(plan),
        "data": data,
        "count": sum(data) + 0.0,
        "labels": [dates.label(each, period.interval, period.start, period.end) for each in shown.values()],
        "days": [dates.day(each, period.interval) for each in shown.values()],
        "label": f"{plan.name} - {status}",
        "status": status,
    }


def _action(plan: Plan) -> dict[str, Any]:
    series = plan.query.series[0]
    action = {
        "id": plan.id,
        "name": plan.name,
        "type": "actions" if series.kind == "ActionsNode" else "events",
        "order": 0,
        "math": "total",
    }
    return action | ({"custom_name": series.custom_name} if series.custom_name is not None else {})
