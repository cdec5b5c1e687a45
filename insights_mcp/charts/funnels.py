"""Funnels: steps as bars with their share of the first, side by side for breakdowns; and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.funnels import Funnel, funnel_of
from insights_mcp.answer.numbers import duration, known, number, percent
from insights_mcp.answer.series import series_of
from insights_mcp.charts.folding import MOST, together
from insights_mcp.charts.lines import lines
from insights_mcp.charts.look import (
    BACKGROUND,
    HEIGHT,
    INK,
    MAIN,
    OTHERS,
    PALETTE,
    ROOM,
    SHADE,
    SOFT,
    chosen,
    colours,
    distinct,
    extent,
    rows,
)
from insights_mcp.charts.part import Part
from insights_mcp.charts.units import PEOPLE, PER_CENT, SECONDS, scale_of

BAR = 44
NAME = 34
SMALL, FINE = 11, 10  # letters
BROAD, THIN, MANY = 17, 14, 32  # a bar among several of a step, and where there are many
FULL = 75  # per cent: text behind such a bar leaves the part that is drawn in


def steps(result: Sequence[dict[str, Any]], _: Asked) -> Part:
    """A bar for each step, on the bar of the step before: what is seen of that are the people lost."""
    funnel = funnel_of(list(result))
    names = [f"{place}. {name}" for place, name in enumerate(distinct(funnel.names, NAME), 1)]
    counts = [count or 0.0 for count in funnel.counts]
    told = [_told(count, counts[0], before) for count, before in zip(counts, [None, *counts], strict=False)]
    data = [
        {"s": name, "x": count, "b": max(before, count), "t": text}
        for name, count, before, text in zip(names, counts, [counts[0], *counts], told, strict=False)
    ]
    x = {"type": "quantitative", "scale": {"domain": [0, max(*counts, 1.0, 0.0)]}, "axis": None}
    layers = [
        {"mark": {"type": "bar", "color": SHADE}, "encoding": {"x": {"field": "b", **x}}},
        {"mark": {"type": "bar", "color": MAIN, "cornerRadiusEnd": 2}, "encoding": {"x": {"field": "x", **x}}},
        {"mark": {"type": "text", "align": "left", "baseline": "middle", "dx": ROOM},
         "encoding": {"text": {"field": "t"}, "x": {"field": "b", **x}}},
    ]  # fmt: skip
    notes = tuple(_time(funnel)) + (("grey: lost at this step",) if counts[-1] < counts[0] else ())
    spec = {"height": {"step": BAR}, "data": rows(data), "encoding": {"y": _names(names)}, "layer": layers}
    return Part(spec, "steps", notes)


def _names(names: Sequence[str]) -> dict[str, Any]:
    axis = {"title": None, "domain": False, "ticks": False, "labelLimit": 400, "labelColor": INK}
    scale = {"domain": list(names), "paddingInner": 0.3}
    return {"field": "s", "type": "nominal", "sort": None, "scale": scale, "axis": axis}


def _told(count: float, first: float, before: float | None) -> str:
    """People, of the first, and of the step before where that is another."""
    if before is None or not first:
        return PEOPLE.told(count)
    of_first = f"{PEOPLE.told(count)}  ·  {percent(count, first)}"
    return of_first if before == first else f"{of_first}  ({percent(count, before)} of step before)"


def _time(funnel: Funnel) -> list[str]:
    last = funnel.medians[-1]
    return [f"median time to the last step {duration(last)}"] if last is not None else []


def by_value(result: Sequence[Sequence[dict[str, Any]]], _: Asked) -> Part:
    """For each step a bar for each breakdown value: the share of those who entered."""
    found = _folded([funnel_of(list(each)) for each in result])
    values = distinct(funnel.value for funnel in found)
    longest = max(found, key=lambda funnel: len(funnel.names)).names
    names = [f"{place}. {name}" for place, name in enumerate(distinct(longest, NAME), 1)]
    data: list[dict[str, Any]] = [
        {"s": names[step], "v": value, "k": order, "x": _percent(count, funnel.first), "t": _share(count, funnel, step)}
        for order, (value, funnel) in enumerate(zip(values, found, strict=True))
        for step, count in enumerate(funnel.counts)
    ]
    shown = {"y": _names(names) | {"scale": {"domain": names, "paddingInner": 0.18}}, **_beside(values)}
    height = ((THIN if len(data) > MANY else BROAD) * len(values) + 12) * len(names)
    layers = _value_layers(data, values, others=len(result) > MOST)
    spec = {"height": height, "data": rows(data), "encoding": shown, "layer": layers}
    return Part(spec, "steps by value", ("share of those who entered, and people",))


def _beside(values: Sequence[str]) -> dict[str, Any]:
    """The bars of a step, one below the other, from nobody to all who entered."""
    scale = {"domain": list(values), "paddingInner": 0.12}
    return {
        "yOffset": {"field": "v", "type": "nominal", "sort": None, "scale": scale},
        "x": {"field": "x", "type": "quantitative", "scale": {"domain": [0, 100]}, "axis": None},
    }


def _value_layers(data: list[dict[str, Any]], values: Sequence[str], *, others: bool) -> list[dict[str, Any]]:
    range_ = [*PALETTE[: MOST - 1], OTHERS if others else PALETTE[MOST - 1]][: len(values)]
    offset = extent(str(row["t"]) for row in data if row["x"] > FULL) + 2 * ROOM  # the legend begins where no text is
    colour = colours(values, range_, orient="right", values=list(values), offset=offset) | {"field": "v"}
    text = {
        "type": "text",
        "align": "left",
        "baseline": "middle",
        "dx": ROOM,
        "fontSize": FINE if len(data) > MANY else SMALL,
    }
    return [
        {"mark": {"type": "bar", "cornerRadiusEnd": 2}, "encoding": {"color": colour}},
        {"mark": text, "encoding": {"text": {"field": "t"}}},
    ]


def _folded(found: list[Funnel]) -> list[Funnel]:
    """The values with most people; those of the others are summed: nobody is in two."""
    ranked = sorted(found, key=lambda funnel: -funnel.first)
    if len(ranked) <= MOST:
        return ranked
    rest = ranked[MOST - 1 :]
    summed = together([funnel.counts for funnel in rest])
    return [*ranked[: MOST - 1], Funnel(f"{len(rest)} others", rest[0].names, summed, [None] * len(summed))]


def _percent(count: float | None, of: float) -> float:
    return 100 * (count or 0.0) / of if of else 0.0


def _share(count: float | None, funnel: Funnel, step: int) -> str:
    people = PEOPLE.told(count or 0.0)
    return f"{percent(count or 0.0, funnel.first)}  ({people})" if step else people


def trend(result: Sequence[dict[str, Any]], asked: Asked) -> Part:
    """Conversion over time, in per cent."""
    named = [{"label": _value(item)} | item for item in result]
    return lines([series_of(item, asked) for item in named], PER_CENT)


def _value(item: dict[str, Any]) -> str:
    return "conversion" if item.get("breakdown_value") is None else ""


def times(result: dict[str, Any], _: Asked) -> Part:
    """How many took how long, with average and median."""
    bins = [(start, count) for start, count in (map(number, row) for row in result["bins"]) if start is not None]
    starts = [start for start, _ in bins]
    apart = starts[1] - starts[0] if len(starts) > 1 else 1.0
    low, high = starts[0], starts[-1] + apart
    scale = scale_of(known(count for _, count in bins))
    shown = [tick for tick in scale_of([low, high], SECONDS).ticks if low <= tick <= high]
    axis = {"title": "time to convert", "grid": False, **chosen(shown, [SECONDS.tick(t) for t in shown])}
    x = {"type": "quantitative", "scale": {"domain": [low, high], "nice": False}, "axis": axis}
    axis = {"title": "people", "domain": False, "ticks": False, **chosen(scale.ticks, scale.labels)}
    y = {"field": "y", "type": "quantitative", "scale": scale.described(), "axis": axis}
    data = [{"x": start, "e": start + apart, "y": count or 0} for start, count in bins]
    encoding = {"x": {"field": "x", **x}, "x2": {"field": "e"}, "y": y, "y2": {"datum": 0}}
    mark = {"type": "rect", "color": MAIN, "stroke": BACKGROUND, "strokeWidth": 1.5}
    layers = [{"data": rows(data), "mark": mark, "encoding": encoding}]
    layers += [layer for place, told in enumerate(_moments(result, low, high)) for layer in _rule(told, x, place)]
    return Part({"height": HEIGHT, "layer": layers}, "histogram")


def _moments(result: dict[str, Any], low: float, high: float) -> list[tuple[str, float]]:
    named = ((name, number(result.get(f"{name}_conversion_time"))) for name in ("median", "average"))
    return [(name, seconds) for name, seconds in named if seconds is not None and low <= seconds <= high]


def _rule(told: tuple[str, float], x: dict[str, Any], place: int) -> list[dict[str, Any]]:
    """A line where the average is, with its name above the bars."""
    name, seconds = told
    data, at = rows([{"x": seconds, "t": f"{name} {duration(seconds)}"}]), {"x": {"field": "x", **x}}
    line = {"data": data, "mark": {"type": "rule", "color": INK, "strokeDash": [2, 2]}, "encoding": at}
    mark = {"type": "text", "align": "left", "dx": 5, "dy": 8 + 15 * place, "y": 0, "color": SOFT}
    return [line, {"data": data, "mark": mark, "encoding": at | {"text": {"field": "t"}}}]
