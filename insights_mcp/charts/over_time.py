"""Series over time: lines, with the period before in a lighter shade; stacked areas; stacked or grouped bars.

A bucket that is not over is dashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import known
from insights_mcp.answer.series import Series
from insights_mcp.charts import calendar
from insights_mcp.charts.folding import Folded, Line, folded, thinned, together
from insights_mcp.charts.look import BACKGROUND, DASH, HEIGHT, OTHERS, ROOM, chosen, colours, haloed, rows
from insights_mcp.charts.part import Part
from insights_mcp.charts.units import Scale, Unit, scale_of, unit_of

PARTIAL = "dashed: not over yet"
LIGHT = 0.45
FEW_POINTS = 31
MOST_BARS = 150
LABEL_HEIGHT = 16
FILLED = {"size": 28}
BESIDE = {"align": "left", "baseline": "middle", "dx": ROOM}
HOLLOW = {"size": 28, "filled": False, "fill": BACKGROUND}
STACKED = frozenset({"ActionsBar", "ActionsStackedBar"})
BARS = STACKED | {"ActionsUnstackedBar"}


@dataclass(frozen=True)
class Plot:
    """What all layers share: the lines, both axes, and the room there is."""

    folded: Folded
    buckets: list[str]
    scale: Scale
    unit: Unit
    x_title: str = ""

    @property
    def lines(self) -> list[Line]:
        """The lines."""
        return self.folded.lines

    @property
    def unfinished(self) -> int:
        """The last buckets that were not over."""
        return max(line.series.unfinished for line in self.lines)

    @property
    def y(self) -> dict[str, Any]:
        """The axis of values."""
        axis = {"title": None, "domain": False, "ticks": False, **chosen(self.scale.ticks, self.scale.labels)}
        return {"field": "y", "type": "quantitative", "scale": self.scale.described(), "axis": axis}

    @property
    def colour(self) -> dict[str, Any]:
        """The colour of each line, without a legend."""
        return colours(self.folded.names, self.folded.colours)

    def x_axis(self) -> dict[str, Any]:
        """The axis of time."""
        places, labels = calendar.ticks(self.buckets)
        return {"title": self.x_title or None, "grid": False, "labelAngle": 0, **chosen(places, labels)}

    def part(self, layers: list[dict[str, Any]], kind: str) -> Part:
        """The drawing, and what a reader must know of it."""
        notes = (*self.folded.notes, *((PARTIAL,) if self.unfinished else ()), *_compared(self.lines))
        span = None if self.x_title else (self.buckets[0], self.buckets[-1])
        return Part({"height": HEIGHT, "layer": [*layers, *self._zero()]}, kind, notes, span)

    def _zero(self) -> Iterator[dict[str, Any]]:
        """A line at zero where it is not the axis."""
        if self.scale.ticks[0] < 0:
            mark = {"type": "rule", "color": OTHERS, "strokeWidth": 1}
            yield {"data": rows([{"y": 0}]), "mark": mark, "encoding": {"y": self.y}}


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


# lines


def lines(found: Sequence[Series], unit: Unit, *, logarithmic: bool = False, x_title: str = "") -> Part:
    """A line for each series, its name at its end."""
    chosen_ = folded(found)
    values = [v for line in chosen_.lines for v in known([*line.values, *line.previous])]
    buckets = max((line.series.buckets for line in chosen_.lines), key=len)
    labels = end_labels(chosen_.lines, unit)
    scale = scale_of(values, unit, logarithmic=logarithmic)
    plot = Plot(chosen_, buckets, scale, unit, x_title)
    few = len(buckets) <= FEW_POINTS
    layers = [
        *_under(plot),
        *_before(plot),
        _stroke(
            plot, _dashed(chosen_.lines), {"strokeWidth": 2, "strokeDash": DASH, "point": HOLLOW if few else False}
        ),
        _stroke(plot, _solid(chosen_.lines), {"strokeWidth": 2, "point": FILLED if few else False}),
        *_names(plot, labels),
    ]
    return plot.part(layers, "lines")


def end_labels(drawn: Sequence[Line], unit: Unit) -> list[str]:
    """What stands at the end of each line: its name, or its last complete value where it is alone."""
    if len(drawn) > 1:
        return [line.name for line in drawn]
    values = known(_told_of(drawn[0]))
    return [unit.told(values[-1]) if values else ""]


def _told_of(line: Line) -> list[float | None]:
    """The values that are over, or all if none is."""
    return line.series.complete if known(line.series.complete) else line.values


def _x(plot: Plot) -> dict[str, Any]:
    domain = [0, max(len(plot.buckets) - 1, 1)]
    return {"field": "x", "type": "quantitative", "scale": {"domain": domain, "nice": False}, "axis": plot.x_axis()}


def _stroke(plot: Plot, values: list[dict[str, Any]], mark: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": rows(values),
        "mark": {"type": "line", "strokeJoin": "round", "clip": False, **mark},
        "encoding": {"x": _x(plot), "y": plot.y, "color": plot.colour},
    }


def _under(plot: Plot) -> Iterator[dict[str, Any]]:
    """A single line has a light ground under it."""
    if len(plot.lines) == 1 and plot.scale.ticks[0] == 0 and not plot.scale.logarithmic:
        yield {
            "data": rows(_solid(plot.lines)),
            "mark": {"type": "area", "opacity": 0.1},
            "encoding": {"x": _x(plot), "y": plot.y, "color": plot.colour},
        }


def _before(plot: Plot) -> Iterator[dict[str, Any]]:
    values = [row for line in plot.lines for row in points(line.name, line.previous[: len(plot.buckets)])]
    if values:
        yield _stroke(plot, values, {"strokeWidth": 1.5, "opacity": LIGHT})


def points(name: str, values: Sequence[float | None], first: int = 0) -> Iterator[dict[str, Any]]:
    """Rows of a line from its `first` place on; of a long one those that show its course."""
    places = (place for place in thinned(values) if values[place] is not None)
    return ({"x": place + first, "y": values[place], "s": name} for place in places)


def _solid(drawn: Sequence[Line]) -> list[dict[str, Any]]:
    return [row for line in drawn for row in points(line.name, line.series.complete)]


def _dashed(drawn: Sequence[Line]) -> list[dict[str, Any]]:
    """From the last complete bucket into those that are not over."""
    starts = [(line, max(len(line.series.complete) - 1, 0)) for line in drawn if line.series.unfinished]
    return [row for line, start in starts for row in points(line.name, line.values[start:], start)]


def _names(plot: Plot, labels: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Names beside the ends of the lines, none over another; a single line has its value above its end."""
    ends = [_end(plot, line) for line in plot.lines]
    alone = len(plot.lines) == 1
    mark = _on_the_line(plot) if alone and plot.unfinished else BESIDE
    heights = apart([y for _, y in ends], HEIGHT)
    for line, label, (place, _), y in zip(plot.lines, labels, ends, heights, strict=True):
        layer = {
            "data": rows([{"x": place, "t": label}]),
            "mark": {"type": "text", "color": line.colour, "fontWeight": "bold" if alone else "normal", **mark},
            "encoding": {
                "text": {"field": "t"},
                "x": _x(plot) if alone else {"value": "width"},
                "y": {"value": round(y, 1)},
            },
        }
        yield from haloed(layer) if alone else [layer]


def _on_the_line(plot: Plot) -> dict[str, Any]:
    """Above the last complete value; below it where the line comes down and goes up again."""
    values = known(plot.lines[0].values)[-2 - plot.unfinished :]
    valley = len(values) > 2 and values[0] > values[1] < values[2]
    side = {"baseline": "top", "dy": ROOM} if valley else {"baseline": "bottom", "dy": -ROOM}
    return {"align": "center", **side}


def _end(plot: Plot, line: Line) -> tuple[int, float]:
    """The place of the last value to name, and its height in pixels."""
    values = line.values if len(plot.lines) > 1 else _told_of(line)
    place = max((place for place, value in enumerate(values) if value is not None), default=0)
    value = values[place] if place < len(values) else None
    return place, HEIGHT * (1 - plot.scale.share(value or 0.0))


def apart(wanted: Sequence[float], height: float) -> list[float]:
    """Heights so near to those wanted as can be, none nearer to another than a line of text."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    found, floor = [0.0] * len(wanted), 0.0
    for place in order:
        found[place] = max(wanted[place], floor)
        floor = found[place] + LABEL_HEIGHT
    ceiling = height
    for place in reversed(order):
        found[place] = min(found[place], ceiling)
        ceiling = found[place] - LABEL_HEIGHT
    return found


def _compared(drawn: Sequence[Line]) -> tuple[str, ...]:
    return ("lighter: the period before",) if any(line.previous for line in drawn) else ()


# areas and bars, on each other


def legend(chosen_: Folded) -> dict[str, Any]:
    """Colours with a legend in the order they stand on each other, the topmost first."""
    return colours(chosen_.names, chosen_.colours, orient="right", values=chosen_.names[::-1])


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
            "x": _x(plot),
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


def bars(found: Sequence[Series], unit: Unit, *, stacked: bool, kind: str = "bars", x_title: str = "") -> Part:
    """A bar for each bucket, series on each other or side by side; a bucket that is not over has a dashed outline."""
    chosen_ = folded(found)
    buckets = max((line.series.buckets for line in chosen_.lines), key=len)
    values = [v for line in chosen_.lines for v in known([*line.values, *line.previous])]
    scale = _stacked_scale(chosen_.lines, unit) if stacked else scale_of(values, unit)
    return bar_part(Plot(chosen_, buckets, scale, unit, x_title), kind, stacked=stacked)


def bar_part(plot: Plot, kind: str, *, stacked: bool) -> Part:
    """Bars of a plot that is laid out already."""
    count, data = len(plot.buckets), _bar_rows(plot, len(plot.buckets) - plot.unfinished)
    padding = {"paddingInner": 0.25 if count < 60 else 0.1, "paddingOuter": 0.2}
    encoding = {
        "x": {"field": "x", "type": "ordinal", "axis": plot.x_axis(), "scale": {"domain": [*range(count)], **padding}},
        "y": plot.y | {"stack": "zero" if stacked else None},
        "color": legend(plot.folded) if len(plot.lines) > 1 else plot.colour,
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
