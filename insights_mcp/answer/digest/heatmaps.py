"""Calendar heatmaps: on which weekdays and in which hours it happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from insights_mcp.answer.answer import Table
from insights_mcp.answer.digest.course import NAME
from insights_mcp.answer.numbers import number, percent, told
from insights_mcp.answer.series import label_of
from insights_mcp.text import quoted

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_SERIES = 3
ENOUGH = 12
Cell = tuple[int, int, float]


def digest(result: list[dict[str, Any]]) -> list[str]:
    """The busiest hour, weekday and hour of the day of each of the first series."""
    return [f"{quoted(label_of(grid), NAME)}: {_told(grid)}" for grid in result[:MOST_SERIES]]


def table(result: list[dict[str, Any]]) -> Table:
    """A row for each hour of the week in which something happened; the busiest say most."""
    several = len(result) > 1
    held = [(label_of(grid), cell) for grid in result for cell in cells(grid)]
    rows: list[list[Any]] = [
        [*([label] if several else []), weekday(day), f"{hour:02}:00", value] for label, (day, hour, value) in held
    ]
    ranked = sorted(range(len(held)), key=lambda place: -held[place][1][2])
    columns = [*(["series"] if several else []), "weekday", "hour", "value"]
    return Table(columns, rows, ranked=ranked, enough=ENOUGH)


def cells(grid: dict[str, Any]) -> list[Cell]:
    """Weekday (1 is Monday), hour and value of each cell, in order."""
    held = _held(grid).get("data")
    found = [(number(c.get("row")), number(c.get("column")), number(c.get("value")))
             for c in (held if isinstance(held, list) else []) if isinstance(c, dict)]  # fmt: skip
    return sorted((int(d), int(h), v) for d, h, v in found if d is not None and h is not None and v is not None)


def weekday(day: int) -> str:
    """Its name."""
    return WEEKDAYS[day - 1] if 1 <= day <= len(WEEKDAYS) else f"day {day}"


def _held(grid: dict[str, Any]) -> dict[str, Any]:
    held = grid.get("calendar_heatmap_data")
    return held if isinstance(held, dict) else {}


def _told(grid: dict[str, Any]) -> str:
    found = cells(grid)
    if not found:
        return "nothing in any hour"
    day, hour, most = max(found, key=lambda cell: cell[2])
    held = _held(grid)
    whole = number(held.get("allAggregations")) or 0.0
    parts = [f"{told(whole)} in all", f"most, {told(most)}, on {weekday(day)} from {hour:02}:00"]
    parts += [_ends("weekdays", held.get("rowAggregations"), "row", whole, weekday)]
    parts += [_ends("hours", held.get("columnAggregations"), "column", whole, lambda at: f"{at:02}:00")]
    return "; ".join(part for part in parts if part)


def _ends(what: str, totals: Any, key: str, whole: float, name: Callable[[int], str]) -> str:
    """The busiest and the quietest of those that have anything."""
    found = [(number(t.get(key)), number(t.get("value"))) for t in (totals if isinstance(totals, list) else [])
             if isinstance(t, dict)]  # fmt: skip
    ranked = sorted((value, int(at)) for at, value in found if at is not None and value is not None)
    if len(ranked) < 2:
        return ""
    (least, quiet), (most, busy) = ranked[0], ranked[-1]
    return f"{what}: busiest {name(busy)} {told(most)} ({percent(most, whole)}), quietest {name(quiet)} {told(least)}"
