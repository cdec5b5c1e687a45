"""What a trend is made of: each series, in each period, for each cohort that is counted by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from insights_mcp.local.queries import breakdowns, dates, entities, unsupported
from insights_mcp.local.queries.breakdowns import By
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.schema.filters import DateRange, Entity
from insights_mcp.schema.query import IN_ALL
from insights_mcp.schema.trends import Series, TrendsQuery

NUMBER = "BoldNumber"
CUMULATIVE = "ActionsLineGraphCumulative"
SLOPE = "SlopeGraph"
# Neither broken down nor beside the period before; the calendar is of the first series.
BOXES, CALENDAR = "BoxPlot", "CalendarHeatmap"
ALONE = (SLOPE, BOXES, CALENDAR)


# An active user of the last 7 days is anyone seen in a whole bucket of a week; so too for months.
WIDE = {"weekly_active": ("week", "month", "quarter", "year"), "monthly_active": ("month", "quarter", "year")}


@dataclass(frozen=True)
class Part:
    """What one statement counts: a series in a period, `by` its values. `open_end`: it is a slope, of the first bucket
    and the last, and whether that is not over yet."""

    series: Series
    name: str
    order: int
    period: Period
    compared: str | None
    by: By | None
    in_all: bool
    cumulative: bool
    open_end: bool | None = None


def parts(query: TrendsQuery, context: Context) -> list[Part]:
    """The parts of a query, in the order of its results. Raises QueryError for what is not supported."""
    display = display_of(query)
    by = breakdowns.of(query.breakdownFilter, display)
    if display == breakdowns.WORLD_MAP and by is None:
        raise QueryError("A world map needs a breakdown, by '$geoip_country_code'.", attr="breakdownFilter")
    if display in (BOXES, CALENDAR):
        by = None
    asked = query.series[:1] if display == CALENDAR else query.series
    shown = (display in IN_ALL, display == CUMULATIVE)
    return [
        Part(series, name_of(series, context), order, period, label, each, *shown, open_end)
        for label, period in _periods(query, context, display)
        for open_end in (_open_end(period, context) if display == SLOPE else None,)
        for each in _each_cohort(by)
        for order, series in enumerate(asked)
        if entities.exists(series, context)
    ]


def _open_end(period: Period, context: Context) -> bool:
    now = context.local_now.replace(tzinfo=None)
    return any(each <= now < dates.plus(each, period.interval) for each in period.buckets()[-1:])


def _each_cohort(by: By | None) -> list[By | None]:
    if by is None or by.together:
        return [by]
    return [replace(by, cohorts=(cohort,)) for cohort in by.cohorts]


def display_of(query: TrendsQuery) -> str:
    """How the result is drawn."""
    display = (query.trendsFilter and query.trendsFilter.display) or "ActionsLineGraph"
    refused = unsupported.feature(unsupported.DISPLAYS, display, "trendsFilter")
    if refused:
        raise refused
    return display


def counted_as(series: Series, query: TrendsQuery) -> str | None:
    """The math of a series: over intervals as wide as their window, active users are plain users."""
    return "dau" if interval(query) in WIDE.get(series.math or "", ()) else series.math


def smoothing(query: TrendsQuery) -> int:
    """Over how many buckets each number is the mean."""
    return (query.trendsFilter and query.trendsFilter.smoothingIntervals) or 1


def is_by_value(part: Part, query: TrendsQuery) -> bool:
    """Whether values of a breakdown are drawn, each by itself, before they are ranked: smoothed, or added up where they
    may fall."""
    if part.by is None or part.in_all or part.open_end is not None:
        return False
    return smoothing(query) > 1 or (part.cumulative and bool(part.series.math_property or part.series.math_hogql))


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


def _periods(query: TrendsQuery, context: Context, display: str) -> Iterator[tuple[str | None, Period]]:
    period, compare = current(query, context, display), query.compareFilter
    if not compare or not compare.compare or display in ALONE:
        yield None, period
        return
    given = query.dateRange or DateRange()
    yield "current", period
    # What is added up is of whole days; but the period before is that of the interval.
    compared = _asked(query, context, display, interval(query))
    if compare.compare_to:
        before = dates.shifted(compared, compare.compare_to)
    else:
        before = dates.previous(compared, given.date_from, given.date_to, interval(query))
    yield "previous", replace(before, beside=period)


def current(query: TrendsQuery, context: Context, display: str) -> Period:
    """The period the query asks about."""
    return _asked(query, context, display, "day" if display in IN_ALL else interval(query))


def _asked(query: TrendsQuery, context: Context, display: str, unit: str) -> Period:
    given, filters = query.dateRange or DateRange(), Filters(context.scan(), context)
    unsupported.asked_of_dates(given)
    known = [series for series in query.series if entities.exists(series, context)]
    common: Any = {
        "now": context.local_now,
        "week_start": context.project.week_start_day,
        "exact": bool(given.explicitDate),
        "first": context.first_seen([name for series in known for name in entities.events_of(series, filters)]),
    }
    of = dates.to_the_moment if display == NUMBER else dates.period
    return replace(of(given.date_from, given.date_to, interval=unit, **common), passing=True)
