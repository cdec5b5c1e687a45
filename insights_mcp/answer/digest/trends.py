"""Trends: the course of the main series, shares and movers among several, one period against the one before."""

from __future__ import annotations

from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.course import NAME, course
from insights_mcp.answer.numbers import change, known, number, percent, rough, sparkline, told
from insights_mcp.answer.series import Series, all_series, label_of
from insights_mcp.text import quoted

MOST_COURSES = 3
MOST_NAMED = 3
OTHER = "(other)"


def digest(result: list[dict[str, Any]], asked: Asked) -> list[str]:
    """Lines about series over time."""
    return told_of(all_series(result, asked))


def told_of(found: list[Series]) -> list[str]:
    """The same of series that are read already."""
    current = sorted((s for s in found if s.period != "previous"), key=lambda s: -s.average)
    previous = {_without_period(s): s for s in found if s.period == "previous"}
    lines = [] if len(current) == 1 else [f"{len(current)} series: {_shares(current)}", _movers(current)]
    pairs = [(s, previous[_without_period(s)]) for s in current if _without_period(s) in previous]
    compared = [_compared(*pair) for pair in pairs if _alike(pair[0], current, previous)][:MOST_NAMED]
    courses = [_drawn(series) for series in current[: MOST_COURSES if len(current) <= MOST_COURSES else 1]]
    return [line for line in (*lines, *courses, *compared) if line]


def _alike(series: Series, current: list[Series], previous: dict[str, Series]) -> bool:
    """Whether it holds the same in both periods: what is left over does so where the same values have their own."""
    return OTHER not in series.label or {_without_period(s) for s in current} == previous.keys()


def _drawn(series: Series) -> str:
    bars = sparkline(series.values) if len(series.values) > 3 else ""
    return course(series) + (f"; {bars}" if bars else "")


def _without_period(series: Series) -> str:
    return series.label.removesuffix(f" ({series.period})")


def _shares(ranked: list[Series]) -> str:
    """Shares of the sum where amounts add up, else the averages."""
    totals = [series.total for series in ranked]
    if None in totals:
        named = [f"{quoted(s.label, NAME)} {rough(s.average)}" for s in ranked[:MOST_NAMED]]
        return f"largest by average {', '.join(named)}"
    whole = sum(known(totals))
    largest = sorted(ranked, key=lambda s: -(s.total or 0))[:MOST_NAMED]
    named = [f"{quoted(s.label, NAME)} {told(s.total)} ({percent(s.total or 0, whole)})" for s in largest]
    return f"total {told(whole)}; largest {', '.join(named)}"


def _movers(ranked: list[Series]) -> str:
    """Who gained and who lost most from the first half to the second, on average."""
    moved = [(after - before, before, after, s) for s in ranked for before, after in [s.halves]
             if before is not None and after is not None and after != before]  # fmt: skip
    if not moved:
        return ""
    ends = (max(moved, key=lambda m: m[0]), min(moved, key=lambda m: m[0]))
    named = [f"{word} {quoted(s.label, NAME)} {rough(before)} → {rough(after)} ({change(before, after)})"
             for (by, before, after, s), word, sign in zip(ends, ("up", "down"), (1, -1), strict=True)
             if by * sign > 0]  # fmt: skip
    return f"biggest movers, second half against first: {', '.join(named)}"


def _compared(now: Series, then: Series) -> str:
    """Both periods up to where both are complete."""
    size = min(len(now.complete), len(then.values) - then.cut)
    ours, theirs = known(now.values[:size]), known(then.values[:size])
    if not ours or len(ours) != len(theirs):
        return ""
    if now.total is not None:
        before, after, what = sum(theirs), sum(ours), "total"
    else:
        before, after, what = sum(theirs) / size, sum(ours) / size, "average"
    name = quoted(_without_period(now), NAME)
    found = f"{what} {rough(after)} against {rough(before)} ({change(before, after)})"
    return f"{name} against the previous period, {size} buckets of each: {found}{_began(then, size)}"


def _began(then: Series, size: int) -> str:
    """From when on there was any of it, where that is not from the start: such a change is no growth."""
    first = next((place for place, value in enumerate(then.values[:size]) if value), 0)
    return f"; the previous one is 0 before {then.buckets[first]}" if first * 4 >= size else ""


def totals(result: list[dict[str, Any]], _: Asked) -> list[str]:
    """One number for each series: rank and, where amounts add up, shares; and what each was in the period before."""
    current = [item for item in result if item.get("compare_label") != "previous"] or result
    found = [(number(item.get("aggregated_value")), item) for item in current]
    ranked = sorted(((v, item) for v, item in found if v is not None), key=lambda pair: -pair[0])
    if not ranked:
        return []
    whole = sum(value for value, _ in ranked) if all(_adds_up(item) for _, item in ranked) else 0.0
    before = {
        _bare(item): number(item.get("aggregated_value")) for item in result if item.get("compare_label") == "previous"
    }
    named = [_valued(value, item, whole if len(ranked) > 1 else 0.0) for value, item in ranked[:MOST_NAMED]]
    against = [_against(value, item, before) for value, item in ranked[:MOST_NAMED]]
    if len(ranked) == 1:
        return [f"{named[0]}{f'; the period before {against[0]}' if against[0] else ''}"]
    least = _valued(*ranked[-1], 0.0)
    total = f"; total {told(whole)}" if whole else ""
    told_before = [
        f"{quoted(_bare(item), NAME)} {text}" for (_, item), text in zip(ranked, against, strict=False) if text
    ]
    return [
        f"{len(ranked)} values: largest {', '.join(named)}{total}; least {least}",
        *([f"the period before: {', '.join(told_before)}"] if told_before else []),
    ]


def _against(value: float, item: dict[str, Any], before: dict[str, float | None]) -> str:
    """What it was in the period before, and the change since; '' where that is not known."""
    then = before.get(_bare(item))
    return "" if then is None else f"{told(then)} ({change(then, value)})"


def _bare(item: dict[str, Any]) -> str:
    """The name without the period."""
    return label_of({key: value for key, value in item.items() if key != "compare_label"})


def _adds_up(item: dict[str, Any]) -> bool:
    action = item.get("action")
    return isinstance(action, dict) and action.get("math") in (None, "total", "sum")


def _valued(value: float, item: dict[str, Any], whole: float) -> str:
    share = f" ({percent(value, whole)})" if whole > 0 else ""
    return f"{quoted(_bare(item), NAME)} {told(value)}{share}"
