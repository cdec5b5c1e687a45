"""A query's result made readable, for every shape PostHog's query kinds have: what it says, and its tables.

Mirrors what `result` (insights) and `results` (query) hold per kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from insights_mcp.answer import series_tables, tables
from insights_mcp.answer.answer import Table
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest import (
    boxes,
    correlations,
    funnels,
    heatmaps,
    lifecycle,
    paths,
    retention,
    rows,
    stickiness,
    trends,
)
from insights_mcp.answer.pieces import pieces_table
from insights_mcp.answer.series import all_series, label_of
from insights_mcp.text import KEY

UNKNOWN = Asked()
ROWS, NOTHING = "rows", "nothing"


@dataclass(frozen=True)
class Readable:
    """What a result says, the table of what says most, and the table of all of it, in order.

    `left_out`: what not even the whole table has.
    """

    digest: tuple[str, ...] = ()
    picked: Table | None = None
    whole: Table | None = None
    left_out: tuple[str, ...] = ()
    unfinished: bool = False


def readable(result: Any, columns: Sequence[Any] | None = None, asked: Asked = UNKNOWN) -> Readable:
    """The result made readable; nothing when there is none."""
    if result is None:
        return Readable()
    shape = shape_of(result, columns)
    if shape == NOTHING:
        empty = Table([str(column) for column in columns or ()], [])
        return Readable((), empty, empty)
    if shape == ROWS:
        return _of_rows(result, [str(column) for column in columns or ()])
    return SHAPES[shape][1](result, asked) if shape else _of_pieces(result, asked)


def shape_of(result: Any, columns: Sequence[Any] | None = None) -> str:
    """The name of a result's shape: one of SHAPES, ROWS of SQL, NOTHING in it; '' for any other."""
    if result == []:
        return NOTHING
    if columns is not None and _rows_of(result, len(columns)):
        return ROWS
    return next((name for name, (fits, _) in SHAPES.items() if fits(result)), "")


def _of_rows(result: list[Any], columns: list[str]) -> Readable:
    facts = rows.columns_of(result, columns)
    digest = tuple(rows.digest(result, facts)) if len(result) > 1 else ()
    return Readable(digest, tables.informative(result, columns, facts), Table(columns, result))


def _of_pieces(result: Any, _: Asked) -> Readable:
    """Shown as it is, but for keys in it."""
    pieces = pieces_table(result)
    table = replace(pieces, rows=[[KEY.sub("ph*_…", cell) for cell in row] for row in pieces.rows])
    return Readable((), table, table)


# what a result is, by its shape


def _rows_of(result: Any, width: int) -> bool:
    return isinstance(result, list) and all(isinstance(row, list) and len(row) == width for row in result)


def _objects(result: Any) -> bool:
    return isinstance(result, list) and bool(result) and all(isinstance(item, dict) for item in result)


def _series(result: Any) -> bool:
    return _objects(result) and all(isinstance(s.get("data"), list) and s["data"] for s in result)


def _lifecycle(result: Any) -> bool:
    statuses = [str(s.get("status")) for s in result] if _series(result) else []
    return bool(statuses) and set(statuses) <= set(lifecycle.STATUSES) and len(set(statuses)) == len(statuses)


def _stickiness(result: Any) -> bool:
    return _series(result) and all(_counted(s.get("days")) for s in result)


def _counted(days: Any) -> bool:
    return isinstance(days, list) and bool(days) and all(type(day) is int for day in days)


def _percentages(result: Any) -> bool:
    """A funnel over time: shares without a label, and `count` is the number of periods."""
    return _series(result) and not any(
        "action" in s or "label" in s or s.get("count") != len(s["data"]) for s in result
    )


def _totals(result: Any) -> bool:
    return _objects(result) and all("aggregated_value" in s for s in result) and not _series(result)


def _cohorts(result: Any) -> bool:
    return _objects(result) and all(isinstance(cohort.get("values"), list) for cohort in result)


def _steps(result: Any) -> bool:
    return _objects(result) and all(_is_count(s.get("count")) and "order" in s and "data" not in s for s in result)


def _step_lists(result: Any) -> bool:
    return isinstance(result, list) and bool(result) and all(_steps(steps) for steps in result)


def _bins(result: Any) -> bool:
    found = result.get("bins") if isinstance(result, dict) else None
    return isinstance(found, list) and _rows_of(found, 2)


def _edges(result: Any) -> bool:
    return _objects(result) and all({"source", "target", "value"} <= set(edge) for edge in result)


def _boxes(result: Any) -> bool:
    return _objects(result) and all({"median", "p25", "p75"} <= set(box) for box in result)


def _grids(result: Any) -> bool:
    return _objects(result) and all(isinstance(item.get("calendar_heatmap_data"), dict) for item in result)


def _correlations(result: Any) -> bool:
    found = result.get("events") if isinstance(result, dict) else None
    return isinstance(found, list) and all(isinstance(each, dict) and "odds_ratio" in each for each in found)


def _is_count(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


# what is made of it


def _of_series(result: list[dict[str, Any]], asked: Asked) -> Readable:
    found = all_series(result, asked)
    digest = tuple(trends.told_of(found))
    unfinished = any(series.unfinished for series in found)
    return Readable(digest, series_tables.picked(found), series_tables.whole(found), unfinished=unfinished)


def _of_other_series(
    tell: Callable[[list[dict[str, Any]], Asked], list[str]], first: str = "bucket"
) -> Callable[[Any, Asked], Readable]:
    """Series with a digest of their own."""

    def shape(result: list[dict[str, Any]], asked: Asked) -> Readable:
        found = all_series(result, asked)
        picked, whole = series_tables.picked(found, first), series_tables.whole(found, first)
        return Readable(tuple(tell(result, asked)), picked, whole, unfinished=any(s.unfinished for s in found))

    return shape


def _of_percentages(result: list[dict[str, Any]], asked: Asked) -> Readable:
    named = [{"label": "conversion, %"} | item for item in result]
    return _of_other_series(funnels.trend)(named, asked)


def _of_totals(result: list[dict[str, Any]], asked: Asked) -> Readable:
    table = tables.totals([(label_of(series), series["aggregated_value"]) for series in result])
    return Readable(tuple(trends.totals(result, asked)), table, Table(table.columns, table.rows))


def _of_cohorts(result: list[dict[str, Any]], asked: Asked) -> Readable:
    found = retention.cohorts_of(result, asked)
    unfinished = any(cohort.over < len(cohort.counts) for cohort in found)
    digest = tuple(retention.digest(found, asked))
    names = retention.period_names(asked, max(len(cohort.counts) for cohort in found))
    return Readable(digest, tables.shares(found, names), tables.cohorts(found, names), unfinished=unfinished)


def _of_steps(result: list[dict[str, Any]], asked: Asked) -> Readable:
    found = funnels.funnel_of(result, funnels.whom(asked.source))
    table = tables.steps(found)
    return Readable(tuple(funnels.told_of(found)), table, table)


def _of_step_lists(result: list[list[dict[str, Any]]], _: Asked) -> Readable:
    found = [funnels.funnel_of(steps) for steps in result]
    return Readable(tuple(funnels.by_value(found)), tables.funnels(found), tables.step_lists(found))


def _of_bins(result: dict[str, Any], asked: Asked) -> Readable:
    table = tables.bins(result)
    return Readable(tuple(funnels.times(result, asked)), table, table)


def _of_edges(result: list[dict[str, Any]], asked: Asked) -> Readable:
    table = tables.edges(result)
    return Readable(tuple(paths.digest(result, asked)), table, Table(table.columns, table.rows))


def _of_boxes(result: list[dict[str, Any]], asked: Asked) -> Readable:
    table = boxes.table(result, asked)
    return Readable(tuple(boxes.digest(result, asked)), table, Table(table.columns, table.rows))


def _of_grids(result: list[dict[str, Any]], asked: Asked) -> Readable:
    table = heatmaps.table(result)
    return Readable(tuple(heatmaps.digest(result, asked)), table, Table(table.columns, table.rows))


def _of_correlations(result: dict[str, Any], asked: Asked) -> Readable:
    table = correlations.table(result["events"], asked)
    return Readable(tuple(correlations.digest(result, asked)), table, Table(table.columns, table.rows))


def _of_objects(result: list[dict[str, Any]], _: Asked) -> Readable:
    table, left_out = tables.objects(result)
    return Readable((), table, table, left_out)


SHAPES: dict[str, tuple[Callable[[Any], bool], Callable[[Any, Asked], Readable]]] = {
    "boxes": (_boxes, _of_boxes),
    "grids": (_grids, _of_grids),
    "totals": (_totals, _of_totals),
    "lifecycle": (_lifecycle, _of_other_series(lifecycle.digest)),
    "stickiness": (_stickiness, _of_other_series(stickiness.digest, "intervals")),
    "percentages": (_percentages, _of_percentages),
    "series": (_series, _of_series),
    "cohorts": (_cohorts, _of_cohorts),
    "steps": (_steps, _of_steps),
    "step lists": (_step_lists, _of_step_lists),
    "bins": (_bins, _of_bins),
    "edges": (_edges, _of_edges),
    "correlations": (_correlations, _of_correlations),
    "objects": (_objects, _of_objects),
}
