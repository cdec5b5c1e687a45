"""Series over time as the query's display asks for them: lines, areas or bars."""

from __future__ import annotations

from collections.abc import Sequence

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import known
from insights_mcp.answer.series import Series
from insights_mcp.charts.lines import lines
from insights_mcp.charts.part import Part
from insights_mcp.charts.stacks import areas, bars
from insights_mcp.charts.units import unit_of

MOST_BARS = 150
STACKED = frozenset({"ActionsBar", "ActionsStackedBar"})
BARS = STACKED | {"ActionsUnstackedBar"}


def build(found: Sequence[Series], asked: Asked) -> Part:
    """The drawing that the query's display asks for."""
    display = str(asked.part("trendsFilter").get("display") or "")
    unit, logarithmic = unit_of(asked), asked.part("trendsFilter").get("yAxisScaleType") == "log10"
    longest = max(len(series.values) for series in found)
    if (display in BARS and longest <= MOST_BARS) or longest == 1:
        return bars(found, unit, stacked=display in STACKED and _adds_up(found))
    if display == "ActionsAreaGraph" and len(found) > 1 and _adds_up(found):
        return areas(found, unit)
    return lines(found, unit, logarithmic=logarithmic)


def _adds_up(found: Sequence[Series]) -> bool:
    """Whether the series may stand on each other: no comparison, nothing below zero."""
    return not any(s.period == "previous" or min(known(s.values), default=0) < 0 for s in found)
