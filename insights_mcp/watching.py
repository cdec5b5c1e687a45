"""What an alert sees in a result: the series it watches, and the value it holds against its bounds.

PostHog's rule for each kind of query: of a trend with a breakdown every value is watched, of one without the series
chosen; a funnel's share converted, in per cent; of SQL a column of the last row, the first, or any. The interval that
still goes on does not count, unless the alert says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import number, numbers
from insights_mcp.answer.series import breakdown_of, buckets_of, label_of

ABSOLUTE, INCREASE, DECREASE = "absolute_value", "relative_increase", "relative_decrease"
CONDITIONS = (ABSOLUTE, INCREASE, DECREASE)


@dataclass(frozen=True)
class Rule:
    """What is compared with which bounds. `shares`: of the value before, so that 0.2 is 20 %.

    `ongoing`: the interval that is not over counts, too.
    """

    condition: str = ABSOLUTE
    shares: bool = False
    lower: float | None = None
    upper: float | None = None
    ongoing: bool = False

    @property
    def relative(self) -> bool:
        """Whether a value is compared with the one before it."""
        return self.condition in (INCREASE, DECREASE)

    def held(self, now: float | None, before: float | None) -> float | None:
        """The value that is held against the bounds."""
        if now is None or (self.relative and before is None):
            return None
        if before is None or not self.relative:
            return now
        grown = now - before if self.condition == INCREASE else before - now
        if not self.shares:
            return grown
        return grown / before if before else math.inf if now else 0.0

    def margin(self, value: float) -> float:
        """How far inside the bounds a value is; less than nothing when it is outside."""
        bounds = [value - self.lower] if self.lower is not None else []
        return min([*bounds, self.upper - value] if self.upper is not None else bounds, default=math.inf)


@dataclass(frozen=True)
class Reading:
    """What the alert sees of one series: its latest value, the one before, and what is held against the bounds."""

    label: str
    bucket: str
    now: float | None
    before: float | None
    value: float | None


def rule_of(configuration: Any, condition: Any, config: Any) -> Rule:
    """The rule from the three objects the API has it in: of the threshold, and two of the alert."""
    threshold, watched = _object(configuration), _object(config)
    bounds = _object(threshold.get("bounds"))
    named = _object(condition).get("type")
    return Rule(
        named if named in CONDITIONS else ABSOLUTE,
        threshold.get("type") == "percentage",
        number(bounds.get("lower")),
        number(bounds.get("upper")),
        watched.get("check_ongoing_interval") is True,
    )


def readings(result: Any, columns: Any, asked: Asked, config: Any, rule: Rule) -> list[Reading]:
    """What the alert sees, a reading each series it watches. None where it sees nothing, or nothing that it can."""
    if result is None:
        return []
    if result == []:  # no data counts as 0, so that a lower bound fires
        return [Reading("", "", 0.0, 0.0, rule.held(0.0, 0.0))]
    points = READERS.get(str(asked.source.get("kind")), _trend)
    if isinstance(columns, list) or _has_rows(result):
        points = _rows
    try:
        found = points(result, _object(config) | {"columns": columns}, asked, rule)
        return [Reading(*point, rule.held(point[2], point[3])) for point in found]
    except (TypeError, KeyError, IndexError, AttributeError):  # a shape that is not this kind's
        return []


def closest(found: Iterable[Reading], rule: Rule) -> Reading | None:
    """The reading that is furthest outside the bounds, or nearest to one."""
    held = [(rule.margin(reading.value), place, reading) for place, reading in enumerate(found)
            if reading.value is not None]  # fmt: skip
    return min(held, default=(0.0, 0, None))[2]


def circumstances(answer: dict[str, Any], source: dict[str, Any], at: datetime) -> Asked:
    """What is known of a result besides its numbers, from the answer of a query computed at this moment."""
    dates = _object(answer.get("resolved_date_range"))
    return Asked(source, at, answer.get("timezone"), dates.get("date_from"), dates.get("date_to"))


def by_value(source: dict[str, Any]) -> bool:
    """Whether a query is broken down, so that each value is watched."""
    by = _object(source.get("breakdownFilter"))
    return bool(by.get("breakdown") or by.get("breakdowns"))


# label, bucket, latest value, value before: per kind

Point = tuple[str, str, float | None, float | None]
Points = Callable[[Any, dict[str, Any], Asked, Rule], list[Point]]


def _trend(result: Any, config: dict[str, Any], asked: Asked, rule: Rule) -> list[Point]:
    current = [item for item in result if item.get("compare_label") != "previous"]
    index = config.get("series_index")
    index = index if type(index) is int and index >= 0 else 0
    watched = current if by_value(asked.source) else current[index : index + 1]
    return [_latest(item, asked, rule) for item in watched]


def _latest(item: dict[str, Any], asked: Asked, rule: Rule) -> Point:
    """The last value that counts; a total is one value, which nothing comes before."""
    values = numbers(item.get("data"))
    if not values:
        return label_of(item), "", number(item.get("aggregated_value")), None
    buckets = buckets_of(item, len(values))
    last = len(values) - 1 - (0 if rule.ongoing else asked.unfinished(buckets))
    if last < 0:
        return label_of(item), "", None, None
    return label_of(item), buckets[last], values[last], values[last - 1] if last else None


def _funnel(result: Any, config: dict[str, Any], asked: Asked, rule: Rule) -> list[Point]:
    current = [item for item in result if isinstance(item, list) or item.get("compare_label") != "previous"]
    if current and isinstance(current[0], dict) and "data" in current[0]:
        return [_latest({"label": "conversion"} | item, asked, rule) for item in current]
    funnels = current if isinstance(current[0], list) else [current]
    return [_converted(steps, config) for steps in funnels]


def _converted(steps: list[dict[str, Any]], config: dict[str, Any]) -> Point:
    chosen = config.get("funnel_step")
    at = chosen if type(chosen) is int else len(steps) - 1
    start = at - 1 if config.get("metric") == "conversion_from_previous" else 0
    came, went = number(steps[start].get("count")), number(steps[at].get("count"))
    named = str(steps[at].get("custom_name") or steps[at].get("name") or f"step {at + 1}")
    label = " ".join(part for part in (named, breakdown_of(steps[at])) if part)
    share = None if came is None or went is None else 100 * went / came if came else 0.0
    return label, "", share, None


def _rows(result: Any, config: dict[str, Any], asked: Asked, rule: Rule) -> list[Point]:
    names = [str(name) for name in config["columns"] or ()]
    place = _column(result, names, config.get("column"))
    of = _label_column(names, config.get("label_column"), place)
    label = names[place] if place < len(names) else "result"
    values = [0.0 if row[place] is None else number(row[place]) for row in result]
    marks = [str(row[of]) if of is not None and row[of] is not None else "" for row in result]
    if config.get("evaluation") == "any_row":
        return [(f"{label} {mark}".strip(), "", value, None) for mark, value in zip(marks, values, strict=True)]
    if config.get("evaluation") == "first_row":
        return [(label, marks[0] or "first row", values[0], values[1] if len(values) > 1 else None)]
    return [(label, marks[-1] or "last row", values[-1], values[-2] if len(values) > 1 else None)]


def _column(rows: list[list[Any]], names: list[str], chosen: Any) -> int:
    """The column that is named, else the only one with numbers, else the last."""
    if chosen in names:
        return names.index(chosen)
    numeric = [n for n in range(len(rows[-1])) if number(rows[-1][n]) is not None]
    return numeric[0] if len(numeric) == 1 else len(rows[-1]) - 1


def _label_column(names: list[str], chosen: Any, place: int) -> int | None:
    if chosen in names:
        return names.index(chosen)
    return next((n for n in range(len(names)) if n != place), None)


def _has_rows(result: Any) -> bool:
    return isinstance(result, list) and isinstance(result[0], list) and not any(isinstance(c, dict) for c in result[0])


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


READERS: dict[str, Points] = {"TrendsQuery": _trend, "FunnelsQuery": _funnel, "HogQLQuery": _rows}
