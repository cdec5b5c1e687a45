"""A whole result as one flat table with typed columns, for SQL and for files: nothing rounded, marked or left out.

One row for each value. Times are on the project's clocks. A column that would be empty in every row is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.answer import Rows
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.column_types import texts, typed
from insights_mcp.answer.digest import boxes, correlations, heatmaps
from insights_mcp.answer.digest.retention import cohorts_of, period_names
from insights_mcp.answer.pieces import pieces_table
from insights_mcp.answer.results import UNKNOWN, shape_of
from insights_mcp.answer.series import buckets_of, label_of, unmarked

INDEX = "series_index"
PARTIAL = "partial"
Row = dict[str, Any]
# Rows that belong together: what stands in each of them, and what differs, by column.
Block = tuple[Row, dict[str, Sequence[Any]]]


@dataclass(frozen=True)
class Flat:
    """Columns with their types, and rows. A cell is null, text, a number or a truth value; a date or time is text.

    `unfinished`: some rows are of buckets that had not ended; the column `partial` says which.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    unfinished: bool = False


def flat(result: Any, columns: Sequence[Any] | None = None, types: Any = None, asked: Asked = UNKNOWN) -> Flat:
    """The result as a table; one without columns when there is none."""
    if result is None:
        return Flat((), (), [])
    shape = shape_of(result, columns)
    if shape in BLOCKS:
        return _of_blocks(list(BLOCKS[shape](result, asked)), asked)
    if shape:
        names = [str(column) for column in columns or ()]
        return _table(names, list(zip(*result, strict=True)) or [[]] * len(names), asked, texts(types, names))
    pieces = pieces_table(result)
    return _table(pieces.columns, list(zip(*pieces.rows, strict=True)), asked, dict.fromkeys(range(2), "text"))


def _of_blocks(blocks: list[Block], asked: Asked) -> Flat:
    cells: dict[str, list[Any]] = {name: [] for head, columns in blocks for name in (*head, *columns)}
    for head, columns in blocks:
        size = max(map(len, columns.values()))
        for name, values in cells.items():
            values += columns[name] if name in columns else [head.get(name)] * size
    said = {name: values for name, values in cells.items() if any(value is not None for value in values)}
    if not any(said.get(INDEX, ())):
        said.pop(INDEX, None)  # there is one series only
    table = _table(list(said), list(said.values()), asked, {})
    return Flat(table.columns, table.types, table.rows, any(said.get(PARTIAL, ())))


def _table(names: Sequence[str], cells: Sequence[Sequence[Any]], asked: Asked, known: dict[int, str]) -> Flat:
    """The columns typed; a row is made when it is looked at."""
    held = [typed(values, asked, known.get(place)) for place, values in enumerate(cells)]
    columns = [values for _, values in held]
    rows = Rows(range(len(columns[0]) if columns else 0), lambda place: [values[place] for values in columns])
    return Flat(_distinct(names), tuple(kind for kind, _ in held), rows)


# the rows of each shape


def _series(result: list[Row], asked: Asked) -> Iterator[Block]:
    for item in result:
        size = len(item["data"])
        days = buckets_of(item, size)
        running = asked.unfinished(days)
        yield _head(item), {"date": days, "value": item["data"], PARTIAL: _last(size, running)}


def _percentages(result: list[Row], asked: Asked) -> Iterator[Block]:
    for head, columns in _series(result, asked):
        named = {"percent" if name == "value" else name: values for name, values in columns.items()}
        yield {name: value for name, value in head.items() if name != "series"}, named


def _intervals(result: list[Row], _: Asked) -> Iterator[Block]:
    for item in result:
        size = min(len(item["days"]), len(item["data"]))
        yield _head(item), {"intervals": item["days"][:size], "value": item["data"][:size]}


def _totals(result: list[Row], _: Asked) -> Iterator[Block]:
    for item in result:
        yield _head(item), {"value": [item["aggregated_value"]]}


def _cohorts(result: list[Row], asked: Asked) -> Iterator[Block]:
    bracketed = bool(asked.part("retentionFilter").get("retentionCustomBrackets"))
    for item, cohort in zip(result, cohorts_of(result, asked), strict=True):
        size = len(item["values"])
        values = [value if isinstance(value, dict) else {"count": value} for value in item["values"]]
        more = {k: v for k, v in _columns(values).items() if k not in ("count", "label")}
        head = _breakdown(item) | {"cohort": item.get("date") or item.get("label")}
        periods = period_names(asked, size) if bracketed else range(size)
        people = [value.get("count") for value in values]
        yield head, {"period": periods, "people": people} | more | {PARTIAL: _last(size, size - min(cohort.over, size))}


def _steps(result: list[Row], _: Asked) -> Iterator[Block]:
    rows = [
        _breakdown(step)
        | {
            "step": place,
            "name": step.get("custom_name") or step.get("name") or step.get("action_id"),
            "people": step.get("count"),
            "average_seconds": step.get("average_conversion_time"),
            "median_seconds": step.get("median_conversion_time"),
        }
        for place, step in enumerate(result, 1)
    ]
    yield {}, _columns(rows)


def _step_lists(result: list[list[Row]], asked: Asked) -> Iterator[Block]:
    for steps in result:
        yield from _steps(steps, asked)


def _bins(result: Row, _: Asked) -> Iterator[Block]:
    starts, people = [start for start, _ in result["bins"]], [count for _, count in result["bins"]]
    spans = {k: v for k, v in result.items() if k != "bins" and not isinstance(v, dict | list)}
    named = {name.replace("_conversion_time", "_seconds"): [value] * len(starts) for name, value in spans.items()}
    yield {}, {"from_second": starts, "people": people, **named}


def _edges(result: list[Row], _: Asked) -> Iterator[Block]:
    spans = [edge.get("average_conversion_time") for edge in result]
    seconds = [span / 1000 if isinstance(span, int | float) else None for span in spans]
    ends = {name: [edge[name] for edge in result] for name in ("source", "target")}
    yield {}, {**ends, "times": [edge["value"] for edge in result], "average_seconds": seconds}


def _correlations(result: Row, asked: Asked) -> Iterator[Block]:
    found, parts = result["events"], correlations.parts_of(asked)
    named = dict(zip(parts, zip(*(correlations.split(each, parts) for each in found), strict=True), strict=False))
    counts = {name: [each.get(key) for each in found] for name, key in CORRELATION.items()}
    yield {"skewed": result.get("skewed")}, {**named, **counts}


CORRELATION = {
    "converted": "success_count", "not_converted": "failure_count", "odds_ratio": "odds_ratio",
    "goes_along_with": "correlation_type",
}  # fmt: skip


def _boxes(result: list[Row], asked: Asked) -> Iterator[Block]:
    places: dict[Any, list[Row]] = {}
    for box in result:
        places.setdefault(box.get(INDEX), []).append(box)
    for place, own in places.items():
        days = [box.get("day") or box.get("label") for box in own]
        spread = {name: [box.get(name) for box in own] for name in boxes.SPREAD}
        partial = {PARTIAL: _last(len(own), asked.unfinished(days))}
        yield {"series": own[0].get("series_label"), INDEX: place}, {"date": days, **spread, **partial}


def _grids(result: list[Row], _: Asked) -> Iterator[Block]:
    """Each hour of the week, with what its weekday and its hour of the day have in all."""
    for grid in result:
        days, hours, values = zip(*heatmaps.cells(grid), strict=True) if heatmaps.cells(grid) else ((), (), ())
        by_day, by_hour = heatmaps.totals(grid, *heatmaps.ROWS), heatmaps.totals(grid, *heatmaps.COLUMNS)
        sums = {"weekday_total": [by_day.get(day) for day in days], "hour_total": [by_hour.get(hour) for hour in hours]}
        yield _head(grid), {"weekday": days, "hour": hours, "value": values, **sums}


def _objects(result: list[Row], _: Asked) -> Iterator[Block]:
    yield {}, _columns(result, nested=True)


BLOCKS: dict[str, Callable[[Any, Asked], Iterator[Block]]] = {
    "boxes": _boxes,
    "grids": _grids,
    "series": _series,
    "lifecycle": _series,
    "percentages": _percentages,
    "stickiness": _intervals,
    "totals": _totals,
    "cohorts": _cohorts,
    "steps": _steps,
    "step lists": _step_lists,
    "bins": _bins,
    "edges": _edges,
    "correlations": _correlations,
    "objects": _objects,
}


def _columns(rows: Sequence[Row], nested: bool = False) -> dict[str, Sequence[Any]]:
    """The fields of objects as columns."""
    names = dict.fromkeys(k for row in rows for k, v in row.items() if nested or not isinstance(v, dict | list))
    return {name: [row.get(name) for row in rows] for name in names}


def _last(size: int, count: int) -> list[bool]:
    return [False] * (size - count) + [True] * count


def _head(item: Row) -> Row:
    """What stands in each row of a series: which one it is, of which breakdown value, status and period."""
    action = item.get("action")
    of = action if isinstance(action, dict) else {}
    unnamed = {k: v for k, v in item.items() if k != "compare_label"}
    return {
        "series": of.get("custom_name") or of.get("name") or label_of(unnamed),
        INDEX: of.get("order"),
        **_breakdown(item),
        "status": item.get("status"),
        "period": item.get("compare_label"),
    }


def _breakdown(item: Row) -> Row:
    """The breakdown value; of several breakdowns a value each; a cohort by its name."""
    value = item.get("breakdown_value", item.get("breakdown"))
    if isinstance(value, int):
        value = item.get("breakdown") or item.get("label") or value
    values = value if isinstance(value, list) else [value]
    names = ["breakdown"] if len(values) == 1 else [f"breakdown_{place}" for place in range(1, len(values) + 1)]
    return {name: None if v is None else unmarked(str(v)) for name, v in zip(names, values, strict=True)}


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, as SQL tells them apart."""
    found: dict[str, str] = {}
    for name in (name or "column" for name in names):
        count, own = 1, name
        while own.casefold() in found:
            count += 1
            own = f"{name}_{count}"
        found[own.casefold()] = own
    return tuple(found.values())
