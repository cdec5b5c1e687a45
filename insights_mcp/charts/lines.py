"""A line for each series over time: what is not over is dashed, the period before is lighter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from insights_mcp.answer.numbers import known
from insights_mcp.answer.series import Series
from insights_mcp.charts.folding import Folded, Line, folded, thinned
from insights_mcp.charts.look import BACKGROUND, DASH, HEIGHT, ROOM, haloed, rows
from insights_mcp.charts.part import Part
from insights_mcp.charts.plot import LIGHT, Plot
from insights_mcp.charts.units import Unit, scale_of

FEW_POINTS = 31
OUTSIZED = 3  # times the greatest value of any line
LABEL_HEIGHT = 16
FILLED = {"size": 28}
HOLLOW = {"size": 28, "filled": False, "fill": BACKGROUND}
BESIDE = {"align": "left", "baseline": "middle", "dx": ROOM}


def lines(found: Sequence[Series], unit: Unit, *, logarithmic: bool = False, x_title: str = "") -> Part:
    """A line for each series, its name at its end."""
    chosen_ = _to_scale(folded(found))
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


def _to_scale(chosen_: Folded) -> Folded:
    """Without the sum of the others, where the lines would be flat beside it."""
    *named, last = chosen_.lines
    if not (named and last.summed):
        return chosen_
    high, summed = (max(known(v for line in part for v in line.values), default=0.0) for part in (named, [last]))
    return Folded(named, last.summed) if summed > OUTSIZED * high else chosen_


def end_labels(drawn: Sequence[Line], unit: Unit) -> list[str]:
    """What stands at the end of each line: its name, or its last complete value where it is alone."""
    if len(drawn) > 1:
        return [line.name for line in drawn]
    values = known(_told_of(drawn[0]))
    return [unit.told(values[-1]) if values else ""]


def _told_of(line: Line) -> list[float | None]:
    """The values that are over, or all if none is."""
    return line.series.complete if known(line.series.complete) else line.values


def _stroke(plot: Plot, values: list[dict[str, Any]], mark: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": rows(values),
        "mark": {"type": "line", "strokeJoin": "round", "clip": False, **mark},
        "encoding": {"x": plot.over_time, "y": plot.y, "color": plot.colour},
    }


def _under(plot: Plot) -> Iterator[dict[str, Any]]:
    """A single line has a light ground under it."""
    if len(plot.lines) == 1 and plot.scale.ticks[0] == 0 and not plot.scale.logarithmic:
        yield {
            "data": rows(_solid(plot.lines)),
            "mark": {"type": "area", "opacity": 0.1},
            "encoding": {"x": plot.over_time, "y": plot.y, "color": plot.colour},
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
                "x": plot.over_time if alone else {"value": "width"},
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
