"""Bars from left to right, one for each name, with its value at its end; or where there is one value, its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest import correlations
from insights_mcp.answer.numbers import change, number, percent, rough
from insights_mcp.answer.series import SUMMABLE, breakdown_of, label_of
from insights_mcp.charts.folding import is_rest
from insights_mcp.charts.look import INK, MAIN, OTHERS, PALETTE, ROOM, SOFT, distinct, rows, short
from insights_mcp.charts.part import Part
from insights_mcp.charts.plot import BEFORE, LIGHT
from insights_mcp.charts.units import Unit, unit_of
from insights_mcp.errors import NoPicture
from insights_mcp.text import counted

MOST = 20
NAME = 40
BAR = 26
PAIR = 40  # the height of two bars, one for each period
SHARED = frozenset({"ActionsPie", "WorldMap"})
# What these displays show is read faster, and drawn without a map, as a ranking: so that nobody looks for the other.
INSTEAD = {"ActionsPie": ("ranked, instead of a pie",), "WorldMap": ("ranked, instead of a map",)}
ODDS = "odds ratio, logarithmic; right: goes along with converting, left: with not converting"
OUTSIZED = 2  # times the greatest named value


@dataclass(frozen=True)
class Bar:
    """A name, its value, and that of the period before."""

    name: str
    value: float
    before: float | None = None
    grey: bool = False  # it stands for others


def totals(result: Sequence[dict[str, Any]], asked: Asked) -> Part:
    """One value for each series: a number, or bars."""
    unit, found = unit_of(asked), _bars(result)
    if len(found) == 1:
        return single(found[0], unit)
    summable = all(_math(item) in SUMMABLE and item.get("action") for item in result)
    display = asked.part("trendsFilter").get("display")
    part = bars(found, unit, summable=summable, shared=summable and display in SHARED)
    return replace(part, notes=(*INSTEAD.get(str(display), ()), *part.notes))


def _bars(result: Sequence[dict[str, Any]]) -> list[Bar]:
    before = {_name(item): number(item.get("aggregated_value")) for item in result if _previous(item)}
    current = [item for item in result if not _previous(item)] or list(result)
    values = [(_name(item), number(item.get("aggregated_value"))) for item in current]
    return [Bar(name, value, before.get(name), is_rest(name)) for name, value in values if value is not None]


def _previous(item: dict[str, Any]) -> bool:
    return item.get("compare_label") == "previous"


def _name(item: dict[str, Any]) -> str:
    """Without the period; of several breakdown values all."""
    plain = {k: v for k, v in item.items() if k != "compare_label"}
    several = isinstance(item.get("breakdown_value"), list) and len(item["breakdown_value"]) > 1
    return breakdown_of(item) if several else label_of(plain)


def _math(item: dict[str, Any]) -> Any:
    action = item.get("action")
    return action.get("math") if isinstance(action, dict) else None


def bars(found: Sequence[Bar], unit: Unit, *, summable: bool, shared: bool = False) -> Part:
    """The greatest first. Of more than can be read the rest is summed, where a sum means something."""
    ranked = sorted(found, key=lambda bar: (bar.grey, -bar.value))
    rest = ranked[MOST - 1 :] if len(ranked) > MOST else []
    kept = ranked[: len(ranked) - len(rest)]
    drawn = [*kept, _together(rest)] if rest and summable else kept
    notes = [f"{counted(len(rest), 'smaller value')} not drawn"] if rest and not summable else []
    notes += [BEFORE] if any(bar.before is not None for bar in drawn) else []
    whole = sum(bar.value for bar in ranked)
    told = [unit.told(bar.value) + (_share(bar.value, whole) if shared else "") for bar in drawn]
    outsized = drawn[-1].grey and len(drawn) > 1 and drawn[-1].value > OUTSIZED * max(b.value for b in drawn[:-1])
    notes += [f"{drawn[-1].name}: not to scale"] if outsized else []
    return Part(_horizontal(drawn, told, outsized), "bars", tuple(notes))


def odds(result: dict[str, Any], asked: Asked) -> Part:
    """What goes along with converting to the right of even odds, what goes along with not converting to the left."""
    parts = correlations.parts_of(asked)
    known = [(each, number(each.get("odds_ratio"))) for each in result["events"]]
    found = [(": ".join(filter(None, correlations.split(each, parts))), ratio) for each, ratio in known if ratio]
    ranked = sorted(((name, ratio) for name, ratio in found if ratio > 0), key=lambda pair: -pair[1])
    if not ranked:
        raise NoPicture("Nothing goes along with converting: there is nothing to draw.")
    kept = ranked[: MOST // 2] + ranked[MOST // 2 :][-(MOST // 2) :]
    drawn = [Bar(name, log2(ratio), grey=ratio < 1) for name, ratio in kept]
    told = [f"×{rough(2**bar.value)}" for bar in drawn]
    return Part(_horizontal(drawn, told, False), "bars", (ODDS,))


def _together(rest: Sequence[Bar]) -> Bar:
    before = [bar.before for bar in rest if bar.before is not None]
    name = "all others" if any(bar.grey for bar in rest) else f"{len(rest)} others"
    return Bar(name, sum(bar.value for bar in rest), sum(before) if before else None, True)


def _share(value: float, whole: float) -> str:
    return f"  ({percent(value, whole)})" if whole > 0 else ""


def _horizontal(drawn: Sequence[Bar], told: Sequence[str], outsized: bool) -> dict[str, Any]:
    """Others that would make all named ones look alike get a bar that is cut off, and no place on the scale."""
    domain = _domain(drawn[:-1] if outsized else drawn)
    names = distinct((bar.name for bar in drawn), NAME)
    double = any(bar.before is not None for bar in drawn)
    data = [
        {"s": name, "x": min(bar.value, domain[1]), "b": None if bar.before is None else min(bar.before, domain[1]),
         "e": min(max(bar.value, 0.0), domain[1]), "t": text, "c": OTHERS if bar.grey else MAIN}
        for name, bar, text in zip(names, drawn, told, strict=True)
    ]  # fmt: skip
    axis = {"title": None, "domain": False, "ticks": False, "labelLimit": 400, "labelColor": INK}
    scale = {"domain": names, "paddingInner": 0.3}
    y = {"field": "s", "type": "nominal", "sort": None, "scale": scale, "axis": axis}
    step = PAIR if double else BAR
    return {"height": {"step": step}, "data": rows(data), "encoding": {"y": y}, "layer": _layers(domain, double)}


def _layers(domain: list[float], double: bool) -> list[dict[str, Any]]:
    """Bars with their values behind them, and below each that of the period before."""
    x = {"type": "quantitative", "scale": {"domain": domain, "nice": False}, "axis": None}
    colour = {"color": {"field": "c", "type": "nominal", "scale": None}}
    half: dict[str, Any] = {"height": {"band": 0.48}} if double else {}
    up: dict[str, Any] = {"yOffset": -PAIR / 5} if double else {}
    text = {"type": "text", "align": "left", "baseline": "middle", "dx": ROOM}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "bar", **half, **up}, "encoding": {"x": {"field": "x", **x}, **colour}},
        {"mark": {**text, **up}, "encoding": {"text": {"field": "t"}, "x": {"field": "e", **x}}},
    ]
    below = {"type": "bar", "opacity": LIGHT, "yOffset": PAIR / 5, **half}
    return [*layers, {"mark": below, "encoding": {"x": {"field": "b", **x}, **colour}}] if double else layers


def _domain(drawn: Sequence[Bar]) -> list[float]:
    """From zero to the greatest; values stand at the bars, so the axis needs no round end."""
    values = [value for bar in drawn for value in (bar.value, bar.before) if value is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    return [low, high if high > low else 1.0]


def single(bar: Bar, unit: Unit) -> Part:
    """One number, large; with what became of it."""
    lines = [(unit.told(bar.value), 40, {"fontSize": 64, "fontWeight": "bold", "color": PALETTE[0]}),
             (short(bar.name, 80), 92, {"fontSize": 15, "color": SOFT})]  # fmt: skip
    if bar.before is not None:
        told = f"{unit.told(bar.before)} in the period before ({change(bar.before, bar.value)})"
        lines.append((told, 118, {"fontSize": 15, "color": INK}))
    layers = [
        {"data": rows([{"t": text}]),
         "mark": {"type": "text", "align": "left", "baseline": "middle", **look},
         "encoding": {"text": {"field": "t"}, "x": {"value": 0}, "y": {"value": y}}}
        for text, y, look in lines
    ]  # fmt: skip
    return Part({"height": lines[-1][1] + 12, "layer": layers}, "number")
