"""A whole result as one flat table with typed columns, for SQL and for files: nothing rounded, marked or left out.

One row for each value. Times are on the project's clocks. A column that would be empty in every row is not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from insights_mcp.answer.asked import Asked, local
from insights_mcp.answer.digest import boxes, heatmaps
from insights_mcp.answer.digest.retention import cohorts_of
from insights_mcp.answer.pieces import dumps, pieces_table
from insights_mcp.answer.results import UNKNOWN, shape_of
from insights_mcp.answer.series import label_of, series_of, unmarked

DATE = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?")
MIDNIGHT = re.compile(r"[T ]\d\d:\d\d(:00(\.0+)?)?(Z|[+-]\d\d:?\d\d)?$")
STRING = re.compile(r"(\w+\()*String\)*")
TEXT, INTEGER, NUMBER, BOOLEAN, DAY, TIME = "text", "integer", "number", "boolean", "date", "time"
LARGEST = 2**63 - 1
INDEX = "series_index"
PARTIAL = "partial"
Row = dict[str, Any]


@dataclass(frozen=True)
class Flat:
    """Columns with their types, and rows. A cell is null, text, a number or a truth value; a date or time is text."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[list[Any]]


def flat(result: Any, columns: Sequence[Any] | None = None, types: Any = None, asked: Asked = UNKNOWN) -> Flat:
    """The result as a table; one without columns when there is none."""
    if result is None:
        return Flat((), (), [])
    shape = shape_of(result, columns)
    if shape in ("rows", "nothing"):
        return _typed([str(column) for column in columns or ()], result, declared(types, columns), asked)
    if shape in ROWS:
        return _of_dicts(list(ROWS[shape](result, asked)), asked)
    pieces = pieces_table(result)
    return Flat(tuple(pieces.columns), (TEXT, TEXT), [list(row) for row in pieces.rows])


def _of_dicts(rows: list[Row], asked: Asked) -> Flat:
    names = list(dict.fromkeys(name for row in rows for name, value in row.items() if value is not None))
    if not any(row.get(INDEX) for row in rows):
        names = [name for name in names if name != INDEX]  # there is one series only
    return _typed(names, [[row.get(name) for name in names] for row in rows], {}, asked)


# rows of each shape


def _series_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    for item in result:
        series, head = series_of(item, asked), _head(item)
        first_running = len(series.values) - series.unfinished
        days = _days(item, len(series.values)) or series.buckets
        for place, (day, value) in enumerate(zip(days, item["data"], strict=False)):
            yield head | {"date": day, "value": value, PARTIAL: place >= first_running}


def _percentage_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    for row in _series_rows(result, asked):
        yield {"percent" if name == "value" else name: cell for name, cell in row.items() if name != "series"}


def _interval_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    for item in result:
        for interval, value in zip(item["days"], item["data"], strict=False):
            yield _head(item) | {"intervals": interval, "value": value}


def _total_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    for item in result:
        yield _head(item) | {"value": item["aggregated_value"]}


def _cohort_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    for item, cohort in zip(result, cohorts_of(result, asked), strict=True):
        head = _breakdown(item) | {"cohort": item.get("date") or item.get("label")}
        for period, value in enumerate(item["values"]):
            counted = value if isinstance(value, dict) else {"count": value}
            more = {k: v for k, v in counted.items() if k not in ("count", "label") and not isinstance(v, dict | list)}
            yield head | {"period": period, "people": counted.get("count")} | more | {PARTIAL: period >= cohort.over}


def _step_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    for place, step in enumerate(result, 1):
        yield _breakdown(step) | {
            "step": place,
            "name": step.get("custom_name") or step.get("name") or step.get("action_id"),
            "people": step.get("count"),
            "average_seconds": step.get("average_conversion_time"),
            "median_seconds": step.get("median_conversion_time"),
        }


def _step_list_rows(result: list[list[Row]], asked: Asked) -> Iterator[Row]:
    for steps in result:
        yield from _step_rows(steps, asked)


def _bin_rows(result: Row, asked: Asked) -> Iterator[Row]:
    spans = {k: v for k, v in result.items() if k != "bins" and not isinstance(v, dict | list)}
    for start, people in result["bins"]:
        yield {"from_second": start, "people": people} | spans


def _edge_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    for edge in result:
        milliseconds = edge.get("average_conversion_time")
        seconds = milliseconds / 1000 if isinstance(milliseconds, int | float) else None
        yield {"source": edge["source"], "target": edge["target"], "people": edge["value"], "average_seconds": seconds}


def _box_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    places: dict[Any, list[Row]] = {}
    for box in result:
        places.setdefault(box.get(INDEX), []).append(box)
    for own in places.values():
        days = [box.get("day") or box.get("label") for box in own]
        first_running = len(own) - asked.unfinished(days)
        for place, (day, box) in enumerate(zip(days, own, strict=True)):
            spread = {name: box.get(name) for name in boxes.SPREAD}
            head = {"series": box.get("series_label"), INDEX: box.get(INDEX), "date": day}
            yield head | spread | {PARTIAL: place >= first_running}


def _grid_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    for grid in result:
        for day, hour, value in heatmaps.cells(grid):
            yield _head(grid) | {"weekday": day, "hour": hour, "value": value}


def _object_rows(result: list[Row], asked: Asked) -> Iterator[Row]:
    return iter(result)


ROWS: dict[str, Callable[[Any, Asked], Iterator[Row]]] = {
    "boxes": _box_rows,
    "grids": _grid_rows,
    "series": _series_rows,
    "lifecycle": _series_rows,
    "percentages": _percentage_rows,
    "stickiness": _interval_rows,
    "totals": _total_rows,
    "cohorts": _cohort_rows,
    "steps": _step_rows,
    "step lists": _step_list_rows,
    "bins": _bin_rows,
    "edges": _edge_rows,
    "objects": _object_rows,
}


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


def _days(item: Row, size: int) -> list[Any] | None:
    days = item.get("days")
    return days if isinstance(days, list) and len(days) == size else None


# types


def declared(types: Any, columns: Sequence[Any] | None) -> dict[int, str]:
    """Which columns of SQL hold text, whatever it looks like: their declared type says so."""
    pairs = types if isinstance(types, list) and len(types) == len(columns or ()) else []
    names = [pair[1] if isinstance(pair, list) and len(pair) == 2 else pair for pair in pairs]
    return {place: TEXT for place, name in enumerate(names) if STRING.fullmatch(str(name))}


def _typed(columns: Sequence[str], rows: Sequence[Sequence[Any]], known: dict[int, str], asked: Asked) -> Flat:
    """Each column with the narrowest type that holds all its values."""
    cells = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in columns]
    types = [known.get(place) or _type_of(values, asked) for place, values in enumerate(cells)]
    held = [_held(kind, values, asked) for kind, values in zip(types, cells, strict=True)]
    return Flat(_distinct(columns), tuple(types), [list(row) for row in zip(*held, strict=True)])


def _type_of(values: list[Any], asked: Asked) -> str:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return BOOLEAN
    if kinds == {int}:
        return INTEGER if all(-LARGEST <= v <= LARGEST for v in values if v is not None) else TEXT
    if kinds and kinds <= {int, float}:
        return NUMBER
    if kinds == {str}:
        return _type_of_texts([value for value in values if value is not None], asked)
    return TEXT


def _type_of_texts(texts: list[str], asked: Asked) -> str:
    if not all(map(_is_moment, texts)):
        return TEXT
    return DAY if all(DATE.fullmatch(text) or _midnight(text, asked) for text in texts) else TIME


def _midnight(text: str, asked: Asked) -> bool:
    return MIDNIGHT.match(text, 10) is not None and _time(text, asked).endswith(" 00:00:00")


def _is_moment(text: str) -> bool:
    if not (DATE.fullmatch(text) or MOMENT.fullmatch(text)):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _held(kind: str, values: list[Any], asked: Asked) -> list[Any]:
    return [None if value is None else HELD[kind](value, asked) for value in values]


def _text(value: Any, _: Asked) -> str:
    return value if isinstance(value, str) else dumps(value)


def _number(value: Any, _: Asked) -> float | None:
    return float(value) if math.isfinite(value) else None


def _day(value: str, asked: Asked) -> str:
    return value if len(value) == 10 else _time(value, asked)[:10]


def _time(value: str, asked: Asked) -> str:
    """On the project's clocks; what has no offset is told by them already."""
    found = local(value, asked.zone)
    return (found or datetime.fromisoformat(value).replace(tzinfo=None)).isoformat(" ")


def _as_is(value: Any, _: Asked) -> Any:
    return value


HELD: dict[str, Callable[[Any, Asked], Any]] = {
    TEXT: _text, NUMBER: _number, DAY: _day, TIME: _time, INTEGER: _as_is, BOOLEAN: _as_is,
}  # fmt: skip


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once, as SQL tells them apart."""
    found: dict[str, str] = {}
    for name in (name or "column" for name in names):
        count, own = 1, name
        while own.casefold() in found:
            count += 1
            own = f"{name}_{count}"
        found[own.casefold()] = own
    return tuple(found.values())
