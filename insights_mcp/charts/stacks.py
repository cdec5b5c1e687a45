"""Series on each other or side by side: areas and bars; what is not over has a dashed edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from insights_mcp.answer.numbers import known
from insights_mcp.answer.series import Series
from insights_mcp.charts.folding import Folded, Line, folded, thinned, together
from insights_mcp.charts.look import DASH, colours, rows
from insights_mcp.charts.part import Part
from insights_mcp.charts.plot import LIGHT, Plot
from insights_mcp.charts.units import Scale, Unit, scale_of

FEW = 3  # bars that would be too broad


def legend(chosen_: Folded, *, stacked: bool = True) -> dict[str, Any]:
    """Colours with a legend in the order of the bars; of those that stand on each other the topmost first."""
    names = chosen_.names[::-1] if stacked else chosen_.names
    return colours(chosen_.names, chosen_.colours, orient="right", values=names)


def _stacked_scale(drawn: Sequence[Line], unit: Unit) -> Scale:
    return scale_of(known(together([line.values for line in drawn])), unit)


def areas(found: Sequence[Series], unit: Unit) -> Part:
    """Series on each other; what is not over is lighter and dashed."""
    chosen_ = folded(found)
    buckets = max((line.series.buckets for line in chosen_.lines), key=len)
    plot = Plot(chosen_, buckets, _stacked_scale(chosen_.lines, unit), unit)
    kept = thinned(together([line.values for line in chosen_.lines]))
    complete = len(buckets) - plot.unfinished
    layers = [
        _area(plot, [place for place in kept if place < complete], {"opacity": 0.85}),
        _area(plot, [p for p in kept if p >= complete - 1] if plot.unfinished else [],
              {"opacity": 0.4, "line": {"strokeDash": DASH, "strokeWidth": 1.5}}),
    ]  # fmt: skip
    return plot.part(layers, "areas")


def _area(plot: Plot, places: Sequence[int], mark: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": rows(_stacked_rows(plot.lines, places)),
        "mark": {"type": "area", **mark},
        "encoding": {
            "x": plot.over_time,
            "y": plot.y | {"stack": "zero"},
            "color": legend(plot.folded),
            "order": {"field": "k", "type": "quantitative"},
        },
    }


def _stacked_rows(drawn: Sequence[Line], places: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"x": place, "y": line.values[place] or 0, "s": line.name, "k": order}
        for order, line in enumerate(drawn)
        for place in places
        if place < len(line.values)
    ]


def bars(found: Sequence[Series], unit: Unit, *, stacked: bool, x_title: str = "") -> Part:
    """A bar for each bucket, series on each other or side by side; a bucket that is not over has a dashed outline."""
    chosen_ = folded(found)
    buckets = max((line.series.buckets for line in chosen_.lines), key=len)
    values = [v for line in chosen_.lines for v in known([*line.values, *line.previous])]
    scale = _stacked_scale(chosen_.lines, unit) if stacked else scale_of(values, unit)
    return bar_part(Plot(chosen_, buckets, scale, unit, x_title), "bars", stacked=stacked)


def bar_part(plot: Plot, kind: str, *, stacked: bool) -> Part:
    """Bars of a plot that is laid out already."""
    count, data = len(plot.buckets), _bar_rows(plot, len(plot.buckets) - plot.unfinished)
    padding = {"paddingInner": 0.25 if count < 60 else 0.1, "paddingOuter": 0.2 if count > FEW else 1.0}
    encoding = {
        "x": {"field": "x", "type": "ordinal", "axis": plot.x_axis(), "scale": {"domain": [*range(count)], **padding}},
        "y": plot.y | {"stack": "zero" if stacked else None},
        "color": legend(plot.folded, stacked=stacked) if len(plot.lines) > 1 else plot.colour,
        "order": {"field": "k", "type": "quantitative"},
    }
    if not stacked and _side_by_side(plot.folded):
        encoding["xOffset"] = {"field": "o", "type": "nominal", "sort": None}
    return plot.part([*bar_layers(data, encoding)], kind)


def _side_by_side(chosen_: Folded) -> bool:
    return len(chosen_.lines) > 1 or any(line.previous for line in chosen_.lines)


def bar_layers(data: Sequence[dict[str, Any]], encoding: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Full bars, lighter ones for the period before, outlined ones for what is not over."""
    marks: dict[str, dict[str, Any]] = {
        "": {"type": "bar"},
        "previous": {"type": "bar", "opacity": LIGHT},
        "partial": {"type": "bar", "fillOpacity": 0.25, "strokeDash": DASH, "strokeWidth": 1.2},
    }
    for state, mark in marks.items():
        values = [{k: v for k, v in row.items() if k != "state"} for row in data if row["state"] == state]
        if values:
            outline = {"stroke": {**encoding["color"], "legend": None}} if state == "partial" else {}
            yield {"data": rows(values), "mark": mark, "encoding": encoding | outline}


def _bar_rows(plot: Plot, complete: int) -> list[dict[str, Any]]:
    return [
        {"x": place, "y": value, "s": line.name, "k": order, "o": f"{order}{offset}",
         "state": state or ("partial" if place >= complete else "")}
        for order, line in enumerate(plot.lines)
        for offset, state, values in (("a", "previous", line.previous), ("b", "", line.values))
        for place, value in enumerate(values[: len(plot.buckets)])
        if value is not None
    ]  # fmt: skip
