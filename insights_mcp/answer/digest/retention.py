"""Retention: who came back, weighted by the size of the cohorts; running periods and empty cohorts do not count."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from insights_mcp.answer.asked import Asked, after, local
from insights_mcp.answer.digest.course import NAME
from insights_mcp.answer.numbers import number, numbers, percent, told
from insights_mcp.answer.series import breakdown_of
from insights_mcp.text import counted, quoted

PERIODS = {"hour": "hour", "day": "day", "week": "week", "month": "month"}
MOST_VALUES = 3
CUMULATIVE = "cumulative: until a cohort's last period is over, each of its shares may still grow"


@dataclass(frozen=True)
class Cohort:
    """People who started together, and how many of them came back in each period; the first is the start."""

    value: str
    name: str
    counts: list[float | None]
    over: int  # so many periods had ended

    @property
    def size(self) -> float:
        """Who started."""
        return (self.counts[0] if self.counts else 0) or 0.0

    @property
    def growing(self) -> bool:
        """Whether more may still start: its first period had not ended."""
        return not self.over


def cohorts_of(result: list[dict[str, Any]], asked: Asked) -> list[Cohort]:
    """The cohorts of a reply."""
    return [_cohort(item, asked) for item in result]


def _cohort(item: dict[str, Any], asked: Asked) -> Cohort:
    counts = numbers(_counts(item["values"]))
    name = str(item.get("date") or item.get("label") or "")
    name = name[:10] if name[10:19] in ("T00:00:00", " 00:00:00") else name[:16]
    return Cohort(breakdown_of(item), name, counts, _over(item, len(counts), asked))


def _counts(values: list[Any]) -> list[Any]:
    """What each period holds: `{"count": n}`, or n."""
    try:
        return [value["count"] for value in values]
    except (TypeError, KeyError):
        return [value.get("count") if isinstance(value, dict) else value for value in values]


def _over(item: dict[str, Any], periods: int, asked: Asked) -> int:
    """How many of its periods had ended; all, where the reply does not tell dates."""
    start = local(item.get("date"), asked.zone)
    shape = asked.part("retentionFilter")
    length = PERIODS.get(str(shape.get("period") or "Day").lower())
    # The window's end does not end the periods: people are followed beyond it.
    if start is None or asked.now is None or length is None:
        return periods
    widths = [1, *_brackets(shape.get("retentionCustomBrackets"))] if shape.get("retentionCustomBrackets") else []
    ends = [sum(widths[: p + 1]) for p in range(periods)] if widths else range(1, periods + 1)
    return bisect_right(ends, asked.now, key=lambda end: after(start, length, end))


def _brackets(widths: Any) -> list[int]:
    return [int(width) for width in widths if number(width)] if isinstance(widths, list) else []


def period_names(asked: Asked, count: int) -> list[str]:
    """What each period is called: its number; of brackets of several, from which to which."""
    widths = _brackets(asked.part("retentionFilter").get("retentionCustomBrackets"))
    ends = list(accumulate(widths))
    named = [str(end) if width == 1 else f"{end - width + 1}-{end}" for end, width in zip(ends, widths, strict=True)]
    return ["0", *named, *map(str, range(len(named) + 1, count))][:count]


def weighted(cohorts: list[Cohort], period: int) -> tuple[float, float, int]:
    """Who came back in a period, of how many, in how many cohorts: those not empty for which it had ended."""
    pairs = [(c.counts[period], c.size) for c in cohorts if period < min(c.over, len(c.counts)) and c.size]
    known = [(back, size) for back, size in pairs if back is not None]
    return sum(back for back, _ in known), sum(size for _, size in known), len(known)


def digest(cohorts: list[Cohort], asked: Asked) -> list[str]:
    """Lines about a retention table."""
    started = [c for c in cohorts if c.size]
    if not started:
        return [f"nobody started in any of {len(cohorts)} cohorts"]
    names = period_names(asked, max(len(cohort.counts) for cohort in started))
    lines = (_told(started, names), _sizes(started, len(cohorts)), _values(started), _open(started, asked))
    return [line for line in lines if line]


def _open(cohorts: list[Cohort], asked: Asked) -> str:
    """Who comes back later counts for every period before, where it is counted so."""
    running = any(cohort.over < len(cohort.counts) for cohort in cohorts)
    return CUMULATIVE if running and asked.part("retentionFilter").get("cumulative") is True else ""


def _told(cohorts: list[Cohort], names: Sequence[str]) -> str:
    periods = sorted({p for c in cohorts for p in _ended(c)})
    if not periods:
        return "no period after the first has ended yet"
    chosen = dict.fromkeys((periods[0], periods[len(periods) // 2], periods[-1]))
    return f"came back (weighted): {', '.join(_period(cohorts, p, names[p]) for p in chosen)}"


def _ended(cohort: Cohort) -> Sequence[int]:
    """The periods after the first that had ended, with a number."""
    ended = range(1, min(cohort.over, len(cohort.counts)))
    return ended if None not in cohort.counts else [p for p in ended if cohort.counts[p] is not None]


def _period(cohorts: list[Cohort], period: int, name: str) -> str:
    back, size, count = weighted(cohorts, period)
    return f"period {name} {percent(back, size)} ({told(back)} of {told(size)} in {counted(count, 'cohort')})"


def _sizes(started: list[Cohort], held: int) -> str:
    whole = [cohort for cohort in started if not cohort.growing] or started
    largest, least = max(whole, key=lambda c: c.size), min(whole, key=lambda c: c.size)
    empty = f", {held - len(started)} empty" if held > len(started) else ""
    growing = f", {len(started) - len(whole)} not over yet" if len(whole) < len(started) else ""
    if largest.size == least.size:
        return (
            f"{held} cohorts{empty}{growing}, each{' other' if growing else ''} with {told(largest.size)}"
            if held > 1
            else ""
        )
    return f"{held} cohorts{empty}{growing}: largest {_named(largest)}, least {_named(least)}"


def _named(cohort: Cohort) -> str:
    value = f"{quoted(cohort.value, NAME)} " if cohort.value else ""
    return f"{value}{cohort.name} with {told(cohort.size)}"


def _values(cohorts: list[Cohort]) -> str:
    """Retention in period 1 by breakdown value, for those with most people."""
    by_value: dict[str, list[Cohort]] = {}
    for cohort in cohorts:
        by_value.setdefault(cohort.value, []).append(cohort)
    if len(by_value) < 2:
        return ""
    ranked = sorted(by_value.items(), key=lambda pair: -sum(c.size for c in pair[1]))[:MOST_VALUES]
    known = [(value, weighted(members, 1)) for value, members in ranked]
    named = [
        f"{quoted(value, NAME)} {percent(back, size)} of {told(size)}" for value, (back, size, count) in known if count
    ]
    return f"period 1 by value: {', '.join(named)}" if named else ""
