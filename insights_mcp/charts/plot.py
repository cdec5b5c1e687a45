"""What lines, areas and bars share: the series that are drawn, an axis of time and one of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from insights_mcp.charts import calendar
from insights_mcp.charts.folding import Folded, Line
from insights_mcp.charts.look import HEIGHT, OTHERS, chosen, colours, rows
from insights_mcp.charts.part import Part
from insights_mcp.charts.units import Scale, Unit

PARTIAL = "dashed: not over yet"
BEFORE = "lighter: the period before"
LIGHT = 0.45


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

    @property
    def over_time(self) -> dict[str, Any]:
        """Places of buckets on a line."""
        scale = {"domain": [0, max(len(self.buckets) - 1, 1)], "nice": False}
        return {"field": "x", "type": "quantitative", "scale": scale, "axis": self.x_axis()}

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


def _compared(drawn: Sequence[Line]) -> tuple[str, ...]:
    return (BEFORE,) if any(line.previous for line in drawn) else ()
