"""What a trend is made of: each series, in each period, for each cohort that is counted by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from insights_mcp.local.queries import breakdowns, dates, entities, unsupported
from insights_mcp.local.queries.breakdowns import By
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.schema.filters import DateRange, Entity
from insights_mcp.schema.trends import Series, TrendsQuery

IN_ALL = frozenset({"BoldNumber", "ActionsPie", "ActionsBarValue", "ActionsTable", "WorldMap"})
CUMULATIVE = "ActionsLineGraphCumulative"


@dataclass(frozen=True)
class Part:
    """What one statement counts: a series in a period, `by` its values."""

    series: Series
    name: str
    order: int
    period: Period
    compared: str | None
    by: By | None
    in_all: bool
    cumulative: bool


def parts(query: TrendsQuery, context: Context) -> list[Part]:
    """The parts of a query, in the order of its results. Raises QueryError for what is not supported."""
    display = display_of(query)
    by = breakdowns.of(query.breakdownFilter)
    if display == "WorldMap" and by is None:
        raise QueryError("A world map needs a breakdown, by '$geoip_country_code'.", attr="breakdownFilter")
    in_all = display in IN_ALL
    found: list[Part] = []
    for label, period in _periods(query, context, in_all):
        for order, series in enumerate(query.series):
            part = Part(series, name_of(series, context), order, period, label, by, in_all, display == CUMULATIVE)
            found += _each_cohort(part)
    return found


def _each_cohort(part: Part) -> list[Part]:
    by = part.by
    if not by or by.together:
        return [part]
    return [replace(part, by=replace(by, cohorts=(cohort,))) for cohort in by.cohorts]


def display_of(query: TrendsQuery) -> str:
    """How the result is drawn."""
    display = (query.trendsFilter and query.trendsFilter.display) or "ActionsLineGraph"
    refused = unsupported.feature(unsupported.DISPLAYS, display, "trendsFilter")
    if refused:
        raise refused
    return display


def interval(query: TrendsQuery) -> str:
    """The interval a query is cut by."""
    return query.interval or "day"


def name_of(series: Entity, context: Context) -> str:
    """How a series is called in the results: by its event, or its action."""
    if series.kind == "ActionsNode":
        return entities.found(series.id, Filters(context.scan(), context)).name
    if series.kind == "GroupNode":
        return series.name or ", ".join(name_of(node, context) for node in series.nodes or [])
    return series.event or "All events"


def _periods(query: TrendsQuery, context: Context, in_all: bool) -> Iterator[tuple[str | None, Period]]:
    period = current(query, context, in_all)
    compare = query.compareFilter
    if not compare or not compare.compare:
        yield None, period
        return
    given = query.dateRange or DateRange()
    yield "current", period
    if compare.compare_to:
        yield "previous", dates.shifted(period, compare.compare_to)
    else:
        yield "previous", dates.previous(period, given.date_from, given.date_to)


def current(query: TrendsQuery, context: Context, in_all: bool) -> Period:
    """The period the query asks about."""
    given = query.dateRange or DateRange()
    compared = bool(query.compareFilter and query.compareFilter.compare)
    if in_all and compared and not given.date_to:
        exact = dates.to_the_moment(given.date_from, context.local_now)
        if exact:
            return exact
    filters = Filters(context.scan(), context)
    return dates.period(
        given.date_from,
        given.date_to,
        interval="day" if in_all else interval(query),
        now=context.local_now,
        week_start=context.project.week_start_day,
        exact=bool(given.explicitDate),
        first=context.first_seen([name for series in query.series for name in entities.events_of(series, filters)]),
    )
