"""Stickiness and lifecycle: people by how often they came, and who came and who went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.lifecycle import STATUSES
from insights_mcp.answer.numbers import known
from insights_mcp.answer.series import Series, series_of
from insights_mcp.charts.folding import Folded, Line
from insights_mcp.charts.lines import lines
from insights_mcp.charts.look import PALETTE
from insights_mcp.charts.part import Part
from insights_mcp.charts.plot import Plot
from insights_mcp.charts.stacks import bar_part, bars
from insights_mcp.charts.units import PEOPLE, scale_of

COLOURS = {"new": PALETTE[0], "returning": PALETTE[2], "resurrecting": PALETTE[4], "dormant": PALETTE[1]}
MOST_GROUPS = 64  # bars beside each other


def stickiness(result: Sequence[dict[str, Any]], asked: Asked) -> Part:
    """A bar for each number of intervals; where there are too many bars, a line."""
    found = [_counted(series_of(item, asked)) for item in result]
    title = f"{asked.source.get('interval') or 'day'}s on which somebody came"
    if sum(len(series.values) for series in found) > MOST_GROUPS:
        return lines(found, PEOPLE, x_title=title)
    return bars(found, PEOPLE, stacked=False, x_title=title)


def _counted(series: Series) -> Series:
    """Its buckets are numbers of intervals: none of them can be unfinished."""
    return replace(series, buckets=[str(place) for place in range(1, len(series.values) + 1)], unfinished=0)


def lifecycle(result: Sequence[dict[str, Any]], asked: Asked) -> Part:
    """Who was there above zero, who had gone below."""
    by_status = {series.status: series for series in (series_of(item, asked) for item in result)}
    found = [Line(status, by_status[status], COLOURS[status]) for status in STATUSES if status in by_status]
    buckets = max((line.series.buckets for line in found), key=len)
    sums = [sum(known(line.values[at] for line in found if at < len(line.values) and (line.values[at] or 0) * sign > 0))
            for at in range(len(buckets)) for sign in (1, -1)]  # fmt: skip
    plot = Plot(Folded(found), buckets, scale_of(sums, PEOPLE), PEOPLE)
    return bar_part(plot, "lifecycle", stacked=True)
