"""Box plots: the spread of a property's values, bucket by bucket; several series side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import number
from insights_mcp.answer.series import buckets_of
from insights_mcp.charts import calendar
from insights_mcp.charts.look import DASH, HEIGHT, INK, PALETTE, chosen, colours, distinct, rows
from insights_mcp.charts.part import Part
from insights_mcp.charts.plot import PARTIAL
from insights_mcp.charts.units import Scale, scale_of, unit_of
from insights_mcp.text import counted

SPREAD = ("min", "p25", "median", "p75", "max")
FAR = 20  # times the greatest upper quarter: such extremes would flatten every box
MOST = 150  # boxes
MOST_SERIES = 3
Box = dict[str, Any]
RUNNING = {"strokeDash": {"condition": {"test": "datum.p", "value": DASH}, "value": [1, 0]},
           "opacity": {"condition": {"test": "datum.p", "value": 0.6}, "value": 1}}  # fmt: skip


def build(result: Sequence[Box], asked: Asked) -> Part:
    """Boxes from the lower to the upper quarter, the median in them, whiskers to the extremes."""
    held = _by_series(result)
    names = distinct((own[0].get("series_label") or "values" for own in held), 40)
    drawn = held[:MOST_SERIES]
    days = list(dict.fromkeys(str(box.get("day")) for own in drawn for box in own))
    kept = days[-(MOST // len(drawn)) :]
    found = [(kept.index(day), name, spread)
             for name, own in zip(names, drawn, strict=False) for box in own
             if (day := str(box.get("day"))) in kept and (spread := _spread(box))]  # fmt: skip
    highest = max((spread["p75"] for *_, spread in found), default=1.0)
    whole = all(spread["max"] <= FAR * (highest or 1.0) for *_, spread in found)
    values = [spread[name] for *_, spread in found for name in (SPREAD if whole else SPREAD[1:4])]
    buckets = buckets_of({"days": kept}, len(kept))
    over = len(kept) - asked.unfinished(kept)
    data = rows({"x": place, "s": name, "p": place >= over, **spread} for place, name, spread in found)
    encoding = _encoding(buckets, names[: len(drawn)])
    layers = _layers(_axis(scale_of(values, unit_of(asked))), whole)
    notes = (names[0], *_read(whole)) if len(names) == 1 else _read(whole)
    notes += (f"{len(held) - len(drawn)} more series not drawn",) if len(held) > len(drawn) else ()
    notes += (f"{counted(len(days) - len(kept), 'older bucket')} not drawn",) if len(days) > len(kept) else ()
    notes += (PARTIAL,) if over < len(kept) else ()
    spec = {"height": HEIGHT, "data": data, "encoding": encoding, "layer": layers}
    return Part(spec, "boxes", notes, (buckets[0], buckets[-1]))


def _by_series(result: Sequence[Box]) -> list[list[Box]]:
    found: dict[Any, list[Box]] = {}
    for box in result:
        found.setdefault(str(box.get("series_index")), []).append(box)
    return list(found.values())


def _read(whole: bool) -> tuple[str, ...]:
    """How a box is read."""
    ends = "whiskers: least and greatest" if whole else "extremes, far outside, not drawn"
    return ("box: the middle half, line: the median", ends)


def _spread(box: Box) -> dict[str, float] | None:
    """Its five numbers; none of a bucket without values."""
    values = {name: number(box.get(name)) for name in SPREAD}
    known = {name: value for name, value in values.items() if value is not None}
    return known if len(known) == len(SPREAD) and any(known.values()) else None


def _encoding(buckets: list[str], names: Sequence[str]) -> dict[str, Any]:
    """Where a box stands, and its colour."""
    x = {"field": "x", "type": "ordinal", "scale": {"domain": list(range(len(buckets))), "paddingInner": 0.35},
         "axis": {"title": None, "labelAngle": 0, **chosen(*calendar.ticks(buckets))}}  # fmt: skip
    if len(names) == 1:
        return {"x": x, "color": colours(names, PALETTE[:1]), **RUNNING}
    offset = {"field": "s", "type": "nominal", "sort": None, "scale": {"domain": list(names), "paddingInner": 0.2}}
    return {"x": x, "xOffset": offset, "color": colours(names, PALETTE[: len(names)], orient="top"), **RUNNING}


def _axis(scale: Scale) -> dict[str, Any]:
    return {"type": "quantitative", "scale": scale.described(),
            "axis": {"title": None, "domain": False, "ticks": False, **chosen(scale.ticks, scale.labels)}}  # fmt: skip


def _layers(y: dict[str, Any], whole: bool) -> list[dict[str, Any]]:
    ends = {"y": {"field": "min", **y}, "y2": {"field": "max"}}
    box = {"type": "bar", "fillOpacity": 0.45}
    middle = {"mark": {"type": "tick", "thickness": 2}, "encoding": {"y": {"field": "median", **y},
              "color": {"value": INK}}}  # fmt: skip
    return [
        *([{"mark": {"type": "rule"}, "encoding": ends}] if whole else []),
        {"mark": box, "encoding": {"y": {"field": "p25", **y}, "y2": {"field": "p75"}}},
        middle,
    ]
