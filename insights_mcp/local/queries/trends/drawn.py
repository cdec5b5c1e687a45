"""Displays whose answer is no list of numbers over time: box plots, and heatmaps of weekdays by hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries import breakdowns, cohorts, dates
from insights_mcp.local.queries.breakdowns import ALL
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.properties import joined
from insights_mcp.local.queries.sql import Sql
from insights_mcp.local.queries.trends.counting import Counting
from insights_mcp.local.queries.trends.maths import OWNERS
from insights_mcp.local.queries.trends.parts import Part

SPREAD = ("min", "p25", "median", "p75", "max", "mean")
BOXES = """select d, min(x), quantile_cont(x, 0.25), median(x), quantile_cont(x, 0.75), max(x), avg(x)
from (select {bucket} as d, {value} as x from {tables} where {where}{once}) where x is not null group by 1"""
# A fact of the session counts once in each bucket, however many events the session has there.
ONCE = " group by {session}, 1"
# Weekdays as ClickHouse counts them: 1 is Monday, 7 Sunday.
HOURS = """with seen as (
  select isodow({local})::bigint as day, hour({local})::bigint as hour, {actor} as actor from {tables} where {where})
select day, hour, {number} as n from seen group by grouping sets ((day, hour), (day), (hour), ()) order by all"""
GRID = ("data", "rowAggregations", "columnAggregations", "allAggregations")
HEAT_MATHS = {"total": "count(*)", "dau": "count(distinct actor)"}


def boxes(counting: Counting) -> Sql:
    """The spread of a property's values in each bucket."""
    series, scan = counting.part.series, counting.scan
    owner = series.math_property_type or "event_properties"
    if not series.math_property or owner not in OWNERS:
        raise QueryError("A box plot needs a math_property, the property whose values it shows.", attr="series")
    value, once = scan.number(OWNERS[owner], series.math_property), ""
    if owner == "session_properties":
        value, once = f"any_value({value})", ONCE.format(session=scan.event_property("$session_id"))
    holes = {"bucket": counting.part.period.bucket(counting.at), "value": value, "once": once}
    where = joined("and", [counting.where(), *_cohorts(counting)])
    return scan.statement(BOXES.format(tables=scan.tables, where=where, **holes))


def _cohorts(counting: Counting) -> list[str]:
    """SQL that holds for the members of the cohorts to break down by: no more becomes of them."""
    by = breakdowns.of(counting.query.breakdownFilter)
    wanted = [cohorts.member(number, counting.filters) for number in by.cohorts if number != ALL] if by else []
    return [joined("or", wanted)] if wanted else []


def hours(counting: Counting) -> Sql:
    """How much happened in each hour of each weekday."""
    if counting.math not in HEAT_MATHS:
        raise QueryError(f"A calendar heatmap shows math {' or '.join(HEAT_MATHS)}.", attr="series")
    where = counting.where()
    return counting.scan.statement(
        HOURS.format(
            local=counting.part.period.local(counting.at),
            actor=counting.actor,
            number=HEAT_MATHS[counting.math],
            tables=counting.scan.tables,
            where=where,
        )
    )


def box_plot(parts: list[Part], answers: list[Rows]) -> dict[str, Any]:
    """One box for each series and bucket; where nothing has a value, all of it is 0."""
    found = []
    for part, answer in zip(parts, answers, strict=True):
        spreads = {row[0]: row[1:] for row in answer.rows}
        for bucket in part.period.buckets():
            spread = spreads.get(bucket, (0.0,) * len(SPREAD))
            found.append({
                "day": dates.day(bucket, part.period.interval),
                "label": dates.label(bucket, part.period.interval, part.period.start, part.period.end),
                **dict(zip(SPREAD, spread, strict=True)),
                "series_index": part.order,
                "series_label": f"{part.series.custom_name or part.name} - {part.series.math_property}",
            })  # fmt: skip
    return {"results": found}


def calendar(parts: list[Part], answers: list[Rows]) -> dict[str, Any]:
    """Each series as a grid of weekdays (rows) by hours (columns), with the numbers of whole rows and columns."""
    return {"results": [_grid(part, answer) for part, answer in zip(parts, answers, strict=True)]}


def _grid(part: Part, answer: Rows) -> dict[str, Any]:
    grid: dict[str, Any] = defaultdict(list, allAggregations=0)
    for day, hour, number in answer.rows:
        if day is not None and hour is not None:
            grid["data"].append({"row": day, "column": hour, "value": number})
        elif day is not None:
            grid["rowAggregations"].append({"row": day, "value": number})
        elif hour is not None:
            grid["columnAggregations"].append({"column": hour, "value": number})
        else:
            grid["allAggregations"] = number
    whole = grid["allAggregations"]
    named = {
        "action": {
            "id": part.name, "type": "events", "order": part.order, "name": part.name, "math": part.series.math,
        },
        "label": part.name,
        "data": [],
        "count": whole,
        "aggregated_value": whole,
        "calendar_heatmap_data": {name: grid[name] for name in GRID},
    }  # fmt: skip
    return named if part.compared is None else {**named, "compare": True, "compare_label": part.compared}


STATEMENTS: dict[str, Callable[[Counting], Sql]] = {"BoxPlot": boxes, "CalendarHeatmap": hours}
SHAPES: dict[str, Callable[[list[Part], list[Rows]], dict[str, Any]]] = {
    "BoxPlot": box_plot,
    "CalendarHeatmap": calendar,
}
