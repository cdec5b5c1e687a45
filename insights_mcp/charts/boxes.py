"""Box plots: the spread of a property's values, bucket by bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import number
from insights_mcp.answer.series import buckets_of
from insights_mcp.charts import calendar
from insights_mcp.charts.look import HEIGHT, INK, MAIN, chosen, rows, short
from insights_mcp.charts.part import Part
from insights_mcp.charts.units import scale_of, unit_of

SPREAD = ("min", "p25", "median", "p75", "max")
FAR = 20  # times the greatest upper quarter: such extremes would flatten every box
MOST = 150


def build(result: Sequence[dict[str, Any]], asked: Asked) -> Part:
    """Boxes from the lower to the upper quarter, the median in them, whiskers to the extremes; of the first series."""
    first = result[0].get("series_index")
    item = [box for box in result if box.get("series_index") == first][-MOST:]
    found = [(place, spread) for place, box in enumerate(item) if (spread := _spread(box))]
    buckets = buckets_of({"days": [box.get("day") for box in item]}, len(item))
    highest = max((spread["p75"] for _, spread in found), default=1.0)
    whole = all(spread["max"] <= FAR * (highest or 1.0) for _, spread in found)
    names = SPREAD if whole else SPREAD[1:4]
    unit = unit_of(asked)
    scale = scale_of([spread[name] for _, spread in found for name in names], unit)
    x = {"field": "x", "type": "ordinal", "scale": {"domain": list(range(len(item))), "paddingInner": 0.35},
         "axis": {"title": None, "labelAngle": 0, **chosen(*calendar.ticks(buckets))}}  # fmt: skip
    y = {"type": "quantitative", "scale": scale.described(),
         "axis": {"title": None, "domain": False, "ticks": False, **chosen(scale.ticks, scale.labels)}}  # fmt: skip
    data = rows({"x": place, **{name: spread[name] for name in SPREAD}} for place, spread in found)
    spec = {"height": HEIGHT, "data": data, "encoding": {"x": x}, "layer": _layers(y, whole)}
    ends = "whiskers: least and greatest" if whole else "extremes, far outside, not drawn"
    notes = (short(item[0].get("series_label") or "values", 60), "box: the middle half, line: the median", ends)
    return Part(spec, "boxes", notes, (buckets[0], buckets[-1]))


def _spread(box: dict[str, Any]) -> dict[str, float] | None:
    """Its five numbers; none of a bucket without values."""
    values = {name: number(box.get(name)) for name in SPREAD}
    known = {name: value for name, value in values.items() if value is not None}
    return known if len(known) == len(SPREAD) and any(known.values()) else None


def _layers(y: dict[str, Any], whole: bool) -> list[dict[str, Any]]:
    ends = {"y": {"field": "min", **y}, "y2": {"field": "max"}}
    whisker = {"mark": {"type": "rule", "color": MAIN}, "encoding": ends}
    box = {"type": "bar", "color": MAIN, "fillOpacity": 0.35, "stroke": MAIN, "strokeWidth": 1}
    return [
        *([whisker] if whole else []),
        {"mark": box, "encoding": {"y": {"field": "p25", **y}, "y2": {"field": "p75"}}},
        {"mark": {"type": "tick", "color": INK, "thickness": 2}, "encoding": {"y": {"field": "median", **y}}},
    ]
