"""A series of values over time, read tolerantly, and what it says: facts that the digest and the analysis share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from insights_mcp.answer.asked import Asked, spacing
from insights_mcp.answer.numbers import known, mean, number, numbers

# PostHog's marks for values beyond the breakdown's limit, and for events without a value.
MARKS = {"$$_posthog_breakdown_other_$$": "(other)", "$$_posthog_breakdown_null_$$": "(none)"}
# Only these add up over time: the same person counts again in every bucket, and an average is no amount.
SUMMABLE = frozenset({None, "total", "sum", "first_time_for_user", "first_matching_event_for_user"})
ALL_USERS = "all users"  # the label of the cohort "all"
MIDNIGHTS = ("T00:00:00Z", " 00:00:00")
SHORTEST_SHIFT = 3
LEAST_SHIFT = 0.3  # of the level before
EXPLAINED = 0.6  # of the variance


@dataclass(frozen=True)
class Series:
    """Values with the names of their buckets; the last `unfinished` of them were not over."""

    label: str
    values: list[float | None]
    buckets: list[str]
    unfinished: int = 0
    summable: bool = False
    period: str = ""  # current or previous, where two are compared
    status: str = ""  # of a lifecycle
    cut: int = 0  # of the period before: the last buckets of which it holds a part only

    @property
    def over(self) -> int:
        """The number of buckets that were over."""
        return len(self.values) - self.unfinished

    @property
    def complete(self) -> list[float | None]:
        """The values of buckets that were over."""
        return self.values[: self.over] if self.unfinished else self.values

    @cached_property
    def average(self) -> float:
        """Of the complete buckets; what it weighs among others."""
        found = known(self.complete)
        return sum(map(abs, found)) / len(found) if found else 0.0

    @cached_property
    def total(self) -> float | None:
        """The sum of all, where a sum means something."""
        found = known(self.values) if self.summable else []
        return sum(found) if found else None

    @property
    def last(self) -> int | None:
        """The last complete bucket's place."""
        return self._known(self.over - 1)

    @property
    def before(self) -> int | None:
        """The bucket before the last complete one."""
        return None if (last := self.last) is None else self._known(last - 1)

    @property
    def week_before(self) -> int | None:
        """The same weekday a week before, in a daily series."""
        if (last := self.last) is None or spacing(self.buckets) != "day":
            return None
        return self._known(last - 7)

    def _known(self, place: int) -> int | None:
        return place if 0 <= place < len(self.values) and self.values[place] is not None else None

    @property
    def low(self) -> int | None:
        """Where it was least, of the complete buckets."""
        return self._extreme(self.complete, min)

    @property
    def high(self) -> int | None:
        """Where it was most; an unfinished bucket may have passed all others already."""
        return self._extreme(self.values, max)

    def _extreme(self, values: list[float | None], choose: Callable[[list[float]], float]) -> int | None:
        found = known(values)
        return values.index(choose(found)) if found else None

    @property
    def zeros(self) -> tuple[int, int] | None:
        """The longest run of two or more zeros among the complete buckets, as first and last place."""
        runs = [list(run) for zero, run in groupby(range(len(self.complete)), lambda p: self.values[p] == 0) if zero]
        longest = max(runs, key=len, default=[])
        return (longest[0], longest[-1]) if 2 <= len(longest) < len(self.complete) else None

    @property
    def halves(self) -> tuple[float | None, float | None]:
        """The averages of the first and of the second half of the complete buckets."""
        done = self.complete
        return mean(done[: len(done) // 2]), mean(done[(len(done) + 1) // 2 :])

    @property
    def shift(self) -> tuple[int, float, float] | None:
        """Where one level gives way to another for good, with the averages before and after."""
        values = known(self.complete)
        return level_shift(values) if len(values) == len(self.complete) else None


def level_shift(values: list[float]) -> tuple[int, float, float] | None:
    """The best split into two levels, if two levels tell the course better than a straight line and noise do."""
    count = len(values)
    if count < 2 * SHORTEST_SHIFT + 1:
        return None
    average = sum(values) / count
    spread = sum((value - average) ** 2 for value in values)
    if not spread:
        return None
    explained, at, left = _best_split(values, average)
    before, after = left / at, (average * count - left) / (count - at)
    large = abs(after - before) >= LEAST_SHIFT * max(abs(before), abs(after) if not before else 0.0)
    return (
        (at, before, after) if large and explained / spread >= max(EXPLAINED, _line(values, average) / spread) else None
    )


def _best_split(values: list[float], average: float) -> tuple[float, int, float]:
    """What it explains of the spread, its place, and the sum before it."""
    count, best, left = len(values), (0.0, SHORTEST_SHIFT, sum(values[:SHORTEST_SHIFT])), 0.0
    for at in range(1, count - SHORTEST_SHIFT + 1):
        left += values[at - 1]
        between = (left - at * average) ** 2 * count / (at * (count - at))
        if at >= SHORTEST_SHIFT and between > best[0]:
            best = (between, at, left)
    return best


def _line(values: list[float], average: float) -> float:
    """What a straight line explains of the spread."""
    count = len(values)
    middle = (count - 1) / 2
    together = sum((place - middle) * (value - average) for place, value in enumerate(values))
    return together**2 / (count * (count**2 - 1) / 12)


def all_series(result: list[dict[str, Any]], asked: Asked) -> list[Series]:
    """The series of a reply. Most have the buckets of the one before them: those are read once."""
    found: list[Series] = []
    for before, item in zip([None, *result], result, strict=False):
        same = before is not None and all(item.get(k) == before.get(k) for k in ("days", "labels"))
        found.append(series_of(item, asked, found[-1] if same else None))
    return found


def series_of(item: dict[str, Any], asked: Asked, like: Series | None = None) -> Series:
    """A series of a reply, whatever is missing in it; with the buckets of another, if it has as many."""
    values = numbers(item.get("data"))
    if like is not None and len(like.values) == len(values):
        buckets, unfinished = like.buckets, like.unfinished
    else:
        buckets = buckets_of(item, len(values))
        unfinished = asked.unfinished(buckets)
    action = item.get("action")
    period = str(item.get("compare_label") or "")
    adds_up = isinstance(action, dict) and _math(action) in SUMMABLE and not _drawn_otherwise(asked)
    return Series(
        label_of(item),
        values,
        buckets,
        unfinished,
        adds_up,
        period,
        str(item.get("status") or ""),
        asked.cut_off(buckets) if period == "previous" else 0,
    )


def _math(action: dict[str, Any]) -> str | None:
    math = action.get("math")
    return math if math is None else str(math)


def _drawn_otherwise(asked: Asked) -> bool:
    """Cumulated or smoothed: the values are no amounts of their buckets."""
    drawn = asked.part("trendsFilter")
    smoothed = number(drawn.get("smoothingIntervals")) or 0
    return drawn.get("display") == "ActionsLineGraphCumulative" or smoothed > 1


def buckets_of(item: dict[str, Any], size: int) -> list[str]:
    """Names of the buckets: days, else labels, else numbers."""
    named = [n for n in (item.get("days"), item.get("labels")) if isinstance(n, list) and len(n) == size]
    dated = [n for n in named if all(isinstance(name, str) for name in n)]  # stickiness counts its days
    found: Sequence[Any] = next(iter(dated or named), range(1, size + 1))
    names = [str(bucket)[:40] for bucket in found]
    midnight = next((m for m in MIDNIGHTS if names and all(name.endswith(m) for name in names)), "")
    return [name.removesuffix(midnight) for name in names]


def label_of(series: dict[str, Any]) -> str:
    """What is counted, of which breakdown value, in which period."""
    action = series.get("action")
    custom = action.get("custom_name") if isinstance(action, dict) else None
    label = unmarked(str(custom or series.get("label") or "series"))
    breakdown = _cohort(series) or breakdown_of(series)
    told = breakdown in ("", label) or label.endswith((f" {breakdown}", ALL_USERS))
    named = label if told else f"{label} {breakdown}"
    return f"{named} ({series['compare_label']})" if series.get("compare_label") else named


def _cohort(series: dict[str, Any]) -> str:
    """The cohort's number, where the series is of one: its name is in the label."""
    value = series.get("breakdown_value")
    return f"(cohort {value})" if type(value) is int and series.get("label") != str(value) else ""


def breakdown_of(item: dict[str, Any]) -> str:
    """The breakdown value in words."""
    value = item.get("breakdown_value", item.get("breakdown"))
    told = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return unmarked(told)


def unmarked(text: str) -> str:
    """PostHog's marks in words."""
    for mark, word in MARKS.items():
        text = text.replace(mark, word)
    return text
