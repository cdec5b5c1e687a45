"""Rows of SQL: the range of each numeric column and where its ends are; what stands the same in every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.numbers import LONGEST_INTEGER, number, told
from insights_mcp.text import clean, quoted

MOST_COLUMNS = 24  # looked at
MOST_TOLD = 5
PLAIN = frozenset({str, int, float, bool, type(None)})
FEW_ROWS = 3
SAMPLE = 100


@dataclass(frozen=True)
class Column:
    """What the values of a column are like. `low` and `high` are rows; `constant` holds its one value."""

    place: int
    name: str
    low: int | None = None
    high: int | None = None
    constant: tuple[Any, ...] = ()
    nulls: int = 0


def columns_of(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> list[Column]:
    """Each of the first columns, read once; of texts that differ from the start on there is nothing to compute."""
    return [
        Column(place, name)
        if _differing_texts([row[place] for row in rows[:SAMPLE]])
        else _column([row[place] for row in rows], place, name)
        for place, name in enumerate(names[:MOST_COLUMNS])
    ]


def _differing_texts(values: list[Any]) -> bool:
    return len(values) == SAMPLE and set(map(type, values)) == {str} and len(set(values)) > 1


def _column(values: list[Any], place: int, name: str) -> Column:
    kinds = set(map(type, values))
    if not kinds <= PLAIN:
        return Column(place, name)
    nulls = values.count(None) if type(None) in kinds else 0
    if len(values) > FEW_ROWS and values.count(values[0]) == len(values) and len(kinds) == 1:
        return Column(place, name, constant=(values[0],), nulls=nulls)
    if not kinds <= {int, float, type(None)}:
        return Column(place, name, nulls=nulls)
    return _ranged(values, place, name, nulls)


def _ranged(values: list[Any], place: int, name: str, nulls: int) -> Column:
    sound = (
        all(map(_computable, {min(known), max(known)})) if (known := [v for v in values if v is not None]) else False
    )
    if not sound or len(known) < 2 or sum(known) != sum(known):
        return Column(place, name, nulls=nulls)
    return Column(place, name, values.index(min(known)), values.index(max(known)), nulls=nulls)


def _computable(value: float) -> bool:
    return number(value) is not None and (isinstance(value, float) or value.bit_length() <= LONGEST_INTEGER)


def digest(rows: Sequence[Sequence[Any]], columns: list[Column]) -> list[str]:
    """Lines about rows."""
    ranged = [_told(column, rows, columns) for column in columns if column.low is not None][:MOST_TOLD]
    same = [f"{clean(c.name, 40)} = {_cell(c.constant[0])}" for c in columns if c.constant][:MOST_TOLD]
    empty = [f"{clean(c.name, 40)} {c.nulls}" for c in columns if c.nulls and not c.constant][:MOST_TOLD]
    lines = [f"the same in every row: {', '.join(same)}"] if same else []
    return ranged + lines + ([f"nulls: {', '.join(empty)}"] if empty else [])


def _told(column: Column, rows: Sequence[Sequence[Any]], columns: list[Column]) -> str:
    low, high = column.low or 0, column.high or 0
    name = clean(column.name, 40)
    if rows[low][column.place] == rows[high][column.place]:
        return f"{name}: {told(rows[low][column.place])} wherever it is not null"
    ends = [
        f"{word} {told(rows[at][column.place])}{_where(at, rows, columns, column)}"
        for word, at in (("low", low), ("high", high))
    ]
    return f"{name}: {', '.join(ends)}"


def _where(at: int, rows: Sequence[Sequence[Any]], columns: list[Column], told_of: Column) -> str:
    """The row named by the first column that is no number, else by its place."""
    named = next((c for c in columns if c.low is None and not c.constant and c is not told_of), None)
    value = None if named is None else rows[at][named.place]
    return f" ({quoted(value, 40)})" if isinstance(value, str) and value else f" (row {at + 1})"


def _cell(value: Any) -> str:
    return quoted(value, 40) if isinstance(value, str) else "null" if value is None else str(value).lower()


def ranking(rows: Sequence[Sequence[Any]], columns: list[Column]) -> list[int]:
    """The places of rows that say most, first: the first, the last, each column's ends, then in order."""
    ends = [place for c in columns for place in (c.high, c.low) if place is not None]
    return list(dict.fromkeys((0, len(rows) - 1, *ends, *range(1, min(len(rows), 1_000)))))
