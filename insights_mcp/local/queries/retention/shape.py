"""Counts of a retention table as PostHog's list of cohorts, one value of a breakdown after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from insights_mcp.local.queries.breakdowns import OTHER, By
from insights_mcp.local.queries.retention.table import Table

Cell = tuple[int, int]
Cells = dict[Cell, tuple[int, float]]


def cohorts(table: Table, by: By | None, rows: list[tuple[Any, ...]], amounts: bool) -> list[dict[str, Any]]:
    """Rows (value, row, column, number, amount) as cohorts: the largest values first, what is beyond the limit last.

    Without a breakdown rows have no value.
    """
    if by is None:
        return list(_table(table, _by_value([(None, *row) for row in rows]).get(None, {}), amounts))
    values = _by_value(rows)
    sizes = {value: sum(count for (_, column), (count, _) in cells.items() if column == 0)
             for value, cells in values.items()}  # fmt: skip
    ranked = sorted(values, key=lambda value: (-sizes[value], value))
    shown = {value: values[value] for value in ranked[: by.limit]}
    if ranked[by.limit :]:
        shown[OTHER] = _added(values[value] for value in ranked[by.limit :])
    return [
        cohort | {"breakdown_value": value}
        for value, cells in shown.items()
        for cohort in _table(table, cells, amounts)
    ]


def scaled(rows: list[tuple[Any, ...]], split: bool, share: float | None) -> list[tuple[Any, ...]]:
    """Rows counted on a share of the users, as if on all of them."""
    if not share or share >= 1:
        return rows
    keys = 3 if split else 2
    return [(*row[:keys], *(round(number / share, 3) for number in row[keys:])) for row in rows]


def _by_value(rows: list[tuple[Any, ...]]) -> dict[Any, Cells]:
    found: dict[Any, Cells] = {}
    for value, row, column, count, *amount in rows:
        found.setdefault(value, {})[row, column] = (count, amount[0] if amount else 0.0)
    return found


def _added(several: Iterator[Cells]) -> Cells:
    found: Cells = {}
    for cells in several:
        for cell, (count, amount) in cells.items():
            before = found.get(cell, (0, 0.0))
            found[cell] = (before[0] + count, before[1] + amount)
    return found


def _table(table: Table, cells: Mapping[Cell, tuple[int, float]], amounts: bool) -> Iterator[dict[str, Any]]:
    labels = table.labels()
    for row in range(table.rows):
        values = [_value(cells.get((row, column), (0, 0.0)), label, amounts) for column, label in enumerate(labels)]
        yield {"values": values, "label": f"{table.period} {row}", "date": table.date(row)}


def _value(cell: tuple[int, float], label: str, amounts: bool) -> dict[str, Any]:
    count, amount = cell
    return {"count": count, **({"aggregation_value": amount} if amounts else {}), "label": label}
