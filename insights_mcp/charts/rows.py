"""Rows of SQL: a column of dates or names and columns of numbers make a chart; anything else is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from insights_mcp.answer.asked import Asked, after, moment, spacing
from insights_mcp.answer.numbers import known, number
from insights_mcp.answer.series import Series
from insights_mcp.charts import ranked
from insights_mcp.charts.lines import lines
from insights_mcp.charts.over_time import MOST_BARS
from insights_mcp.charts.part import Part
from insights_mcp.charts.stacks import bars
from insights_mcp.charts.units import Unit
from insights_mcp.errors import NoPicture
from insights_mcp.text import clean, counted

NUMBERS = Unit()
MOST_COLUMNS = 7
ALIKE = 200  # times: what is greater or smaller than that has no place on the same axis
ROWS = 5_000
HOW = "Ask for one column of dates or names and one or more of numbers, such as: select toDate(timestamp), count() …"


@dataclass(frozen=True)
class Columns:
    """What the columns hold: the places of dates, of names and of numbers."""

    names: list[str]
    dates: list[int]
    texts: list[int]
    numbers: list[int]


def build(result: Sequence[Sequence[Any]], names: Sequence[Any], asked: Asked) -> Part:
    """The chart that the columns allow."""
    rows = result[:ROWS]
    columns = _read(rows, [clean(name, 60) for name in names])
    if not columns.numbers:
        raise NoPicture("No column of these rows holds numbers.", HOW)
    if len(rows) == 1 and not columns.dates:
        return _one_row(rows[0], columns)
    if columns.dates:
        return _over_time(rows, columns, asked)
    if columns.texts:
        return _by_name(rows, columns)
    return _by_number(rows, columns)


def _read(rows: Sequence[Sequence[Any]], names: list[str]) -> Columns:
    kinds = [_kind([row[place] for row in rows]) for place in range(len(names))]
    of = {kind: [place for place, found in enumerate(kinds) if found == kind] for kind in ("date", "text", "number")}
    return Columns(names, of["date"], of["text"], of["number"])


def _kind(values: list[Any]) -> str:
    """What all values but nulls are."""
    held = [value for value in values if value is not None]
    if held and all(number(value) is not None for value in held):
        return "number"
    if held and all(moment(value) is not None and len(value) >= 10 for value in held):
        return "date"
    return "text" if held and all(isinstance(value, str | bool) for value in held) else ""


def _one_row(row: Sequence[Any], columns: Columns) -> Part:
    found = [ranked.Bar(columns.names[at], value) for at in columns.numbers if (value := number(row[at])) is not None]
    return ranked.single(found[0], NUMBERS) if len(found) == 1 else ranked.bars(found, NUMBERS, summable=False)


def _alike(rows: Sequence[Sequence[Any]], columns: Columns) -> tuple[list[int], tuple[str, ...]]:
    """Columns of numbers that can share an axis with the first, and which cannot."""
    tops = {at: max((abs(v) for v in known(number(row[at]) for row in rows)), default=0.0) for at in columns.numbers}
    first = next((top for top in tops.values() if top), 1.0)
    kept = [at for at, top in tops.items() if not top or first / ALIKE <= top <= first * ALIKE][:MOST_COLUMNS]
    others = [columns.names[at] for at in columns.numbers if at not in kept]
    return kept, (f"not drawn: {', '.join(others[:3])}",) if others else ()


def _over_time(rows: Sequence[Sequence[Any]], columns: Columns, asked: Asked) -> Part:
    """A line for each column of numbers; or where there is a column of names, for each name."""
    date = columns.dates[0]
    days = sorted({row[date] for row in rows if row[date] is not None}, key=_at)
    kept, notes = _alike(rows, columns)
    if columns.texts and len(days) < len(rows):
        name = columns.texts[0]
        values = list(dict.fromkeys(str(row[name]) for row in rows))
        series = [_series(value, [r for r in rows if str(r[name]) == value], date, kept[0], days) for value in values]
        notes = (columns.names[kept[0]],)
    elif len(days) < sum(row[date] is not None for row in rows):
        raise NoPicture("The same date stands in several rows, and no column of names tells them apart.", HOW)
    else:
        series = [_series(columns.names[at], rows, date, at, days) for at in kept]
    ends = asked.unfinished(series[0].buckets)
    part = lines([replace(one, unfinished=ends) for one in series], NUMBERS)
    return Part(part.spec, part.kind, (*notes, *part.notes), part.span)


def _at(day: str) -> datetime:
    return moment(day) or datetime.min


def _series(name: str, rows: Sequence[Sequence[Any]], date: int, at: int, days: list[str]) -> Series:
    values = {_at(row[date]): number(row[at]) for row in rows if row[date] is not None}
    axis = _evenly(days)
    return Series(name, [values.get(_at(day)) for day in axis], axis)


def _evenly(days: list[str]) -> list[str]:
    """With the days that no row has in between, so that the axis is true; as they are, where they follow no rule."""
    starts = [_at(day) for day in days]
    nearest = min(pairwise(starts), key=lambda pair: pair[1] - pair[0], default=())
    length = spacing([str(start) for start in nearest])
    if length is None or starts[0] == starts[-1]:
        return [day[:19] for day in days]
    axis = [starts[0]]
    while axis[-1] < starts[-1] and len(axis) < ROWS:
        axis.append(after(axis[-1], length))
    return [_written(at) for at in axis] if set(starts) <= set(axis) else [day[:19] for day in days]


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if at.time() == at.min.time() else str(at)


def _by_name(rows: Sequence[Sequence[Any]], columns: Columns) -> Part:
    """Bars of the first column of numbers, by name."""
    at = columns.numbers[0]
    found = [ranked.Bar(_name(row, columns.texts), value) for row in rows if (value := number(row[at])) is not None]
    part = ranked.bars(found, NUMBERS, summable=False)
    others = len(columns.numbers) - 1
    more = (f"{counted(others, 'more column')} not drawn",) if others else ()
    return Part(part.spec, part.kind, (columns.names[at], *more, *part.notes))


def _name(row: Sequence[Any], texts: Sequence[int]) -> str:
    return " · ".join("(null)" if row[at] is None else str(row[at]) for at in texts[:3])


def _by_number(rows: Sequence[Sequence[Any]], columns: Columns) -> Part:
    """Numbers over the first column, where that rises from row to row."""
    first = [number(row[columns.numbers[0]]) for row in rows]
    held = known(first)
    if len(columns.numbers) < 2 or len(held) < len(first) or sorted(set(held)) != held:
        raise NoPicture("There is no column of dates or names to draw the numbers over.", HOW)
    rest = Columns(columns.names, [], [], columns.numbers[1:])
    kept, notes = _alike(rows, rest)
    buckets = [NUMBERS.told(value) for value in held]
    series = [Series(columns.names[at], [number(row[at]) for row in rows], buckets) for at in kept]
    title = columns.names[columns.numbers[0]]
    if len(series) > 1 or len(held) > MOST_BARS:
        part = lines(series, NUMBERS, x_title=title)
        return Part(part.spec, part.kind, (*notes, *part.notes))
    part = bars(series, NUMBERS, stacked=False, x_title=title)
    return Part(part.spec, part.kind, (series[0].label, *notes, *part.notes))
