"""Calendar heatmaps: on which weekdays and in which hours it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from insights_mcp.answer.answer import Table
from insights_mcp.answer.asked import Asked, local
from insights_mcp.answer.digest.course import NAME
from insights_mcp.answer.numbers import number, percent, told
from insights_mcp.answer.series import label_of
from insights_mcp.text import quoted

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_SERIES = 3
ENOUGH = 12
BUSIEST = 5  # hours of the week that say more than the weekdays do
EVERY = "all"
LONGEST = 60  # days of a window in which a day more of one weekday matters
ROWS, COLUMNS = ("rowAggregations", "row"), ("columnAggregations", "column")  # where totals stand, and of what
Cell = tuple[int, int, float]


def digest(result: list[dict[str, Any]], asked: Asked) -> list[str]:
    """The busiest hour, weekday and hour of the day of each of the first series; whether weekdays compare."""
    lines = [f"{quoted(label_of(grid), NAME)}: {_told(grid)}" for grid in result[:MOST_SERIES]]
    return [*lines, *_uneven(asked)]


def _uneven(asked: Asked) -> list[str]:
    """Which weekdays are more often in the window than others: they look busier than they are."""
    start, end = local(asked.date_from, asked.zone), local(asked.date_to, asked.zone)
    if start is None or end is None or not 0 <= (end - start).days < LONGEST:
        return []
    until = min(end, asked.until).date()
    days = [start.date() + timedelta(days=n) for n in range((until - start.date()).days + 1)]
    times = Counter(day.isoweekday() for day in days)
    often = max(times.values(), default=0)
    more = [weekday(day) for day in sorted(times) if times[day] == often]
    least = min(times[day] for day in range(1, 8))
    return [f"of {', '.join(more)} there are {often} in the window, of others {least}"] if least < often else []


def table(result: list[dict[str, Any]]) -> Table:
    """A row for each hour of the week in which something happened, each weekday and each hour of the day.

    The busiest say most, then the weekdays.
    """
    several = len(result) > 1
    held = [(label_of(grid), *row) for grid in result for row in _rows(grid)]
    rows = [[*([label] if several else []), day, hour, value] for label, day, hour, value in held]
    by_value = sorted(range(len(held)), key=lambda place: -held[place][3])
    inner = [place for place in by_value if EVERY not in held[place]]
    days = [place for place, (_, _, hour, _) in enumerate(held) if hour == EVERY]
    columns = [*(["series"] if several else []), "weekday", "hour", "value"]
    ranked = list(dict.fromkeys((*inner[:BUSIEST], *days, *by_value)))
    return Table(columns, rows, ranked=ranked, enough=ENOUGH)


def _rows(grid: dict[str, Any]) -> list[tuple[str, str, float]]:
    """Weekday, hour and value; those of all hours, and of all weekdays, at the end."""
    found = [(weekday(day), f"{hour:02}:00", value) for day, hour, value in cells(grid)]
    found += [(weekday(day), EVERY, value) for day, value in totals(grid, *ROWS).items()]
    return found + [(EVERY, f"{hour:02}:00", value) for hour, value in totals(grid, *COLUMNS).items()]


def totals(grid: dict[str, Any], name: str, key: str) -> dict[int, float]:
    """Of each weekday, or of each hour: what PostHog says, as people who came twice do not add up."""
    held = _held(grid).get(name)
    found = [(number(t.get(key)), number(t.get("value"))) for t in (held if isinstance(held, list) else [])
             if isinstance(t, dict)]  # fmt: skip
    return {
        int(at): value
        for at, value in sorted(found, key=lambda pair: pair[0] or 0)
        if at is not None and value is not None
    }


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
    parts += [_ends("weekdays", totals(grid, *ROWS), whole, weekday)]
    parts += [_ends("hours", totals(grid, *COLUMNS), whole, lambda at: f"{at:02}:00")]
    return "; ".join(part for part in parts if part)


def _ends(what: str, found: dict[int, float], whole: float, name: Callable[[int], str]) -> str:
    """The busiest and the quietest of those that have anything."""
    ranked = sorted((value, at) for at, value in found.items())
    if len(ranked) < 2:
        return ""
    (least, quiet), (most, busy) = ranked[0], ranked[-1]
    return f"{what}: busiest {name(busy)} {told(most)} ({percent(most, whole)}), quietest {name(quiet)} {told(least)}"
