"""One declarative specification (Vega-Lite) for each shape of result, drawn from the same data as the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.provenance import window
from insights_mcp.answer.results import shape_of
from insights_mcp.answer.series import all_series
from insights_mcp.charts import boxes, counts, flow, funnels, heat, over_time, ranked, rows
from insights_mcp.charts.look import framed
from insights_mcp.charts.part import Part
from insights_mcp.errors import NoPicture
from insights_mcp.words.terms import window as asked_for

Builder = Callable[[Any, Asked], Part]


def chart_of(result: Any, columns: Sequence[Any] | None, asked: Asked, title: str) -> dict[str, Any]:
    """The chart of a result. NoPicture says why there is none."""
    part = _part(result, columns, asked)
    return framed(part.spec, title, [note for note in (_when(part, asked), *part.notes) if note])


def _part(result: Any, columns: Sequence[Any] | None, asked: Asked) -> Part:
    if not result:
        raise NoPicture("The result is empty: there is nothing to draw.")
    shape = shape_of(result, columns)
    if shape == "rows":
        return rows.build(result, columns or (), asked)
    if shape not in BUILDERS:
        raise NoPicture("A result of this shape has no chart.", "Its table says what it holds.")
    return BUILDERS[shape](result, asked)


def _series(result: Any, asked: Asked) -> Part:
    return over_time.build(all_series(result, asked), asked)


BUILDERS: dict[str, Builder] = {
    "series": _series,
    "totals": ranked.totals,
    "lifecycle": counts.lifecycle,
    "stickiness": counts.stickiness,
    "percentages": funnels.trend,
    "cohorts": heat.retention,
    "steps": funnels.steps,
    "step lists": funnels.by_value,
    "bins": funnels.times,
    "edges": flow.build,
    "grids": heat.calendar,
    "boxes": boxes.build,
    "correlations": ranked.odds,
}


def _when(part: Part, asked: Asked) -> str:
    """The window; where the reply does not tell it, the first and the last bucket, or what was asked for."""
    if asked.date_from:
        return window(asked)
    if part.span is None:
        return asked_for(asked.source.get("dateRange")) if asked.source.get("dateRange") else ""
    return window(replace(asked, date_from=part.span[0], date_to=part.span[1]))
