"""Stickiness: how many people came on how many intervals."""

from __future__ import annotations

from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.course import NAME
from insights_mcp.answer.numbers import known, percent, told
from insights_mcp.answer.series import Series, series_of
from insights_mcp.text import quoted

MOST_SERIES = 3


def digest(result: list[dict[str, Any]], asked: Asked) -> list[str]:
    """A line for each of the first series."""
    cumulative = any("or more" in str(label) for item in result for label in _labels(item)[:1])
    tell = _cumulative if cumulative else _exact
    return [tell(series_of(item, asked)) for item in result[:MOST_SERIES]]


def _labels(item: dict[str, Any]) -> list[Any]:
    labels = item.get("labels")
    return labels if isinstance(labels, list) else []


def _exact(series: Series) -> str:
    """People by the exact number of intervals: each stands once, so they add up."""
    people = sum(known(series.values))
    name = quoted(series.label, NAME)
    if not people:
        return f"{name}: nobody"
    most = series.high or 0
    facts = [f"{told(people)} people", _at(series, 0, people)]
    facts += [_at(series, most, people, "most ")] if most else []
    last = len(series.values) - 1
    facts += [_at(series, last, people, "all: ")] if last > 0 and last != most else []
    return f"{name}: {'; '.join(facts)}"


def _at(series: Series, place: int, people: float, word: str = "") -> str:
    value = series.values[place] or 0.0
    return f"{word}{told(value)} ({percent(value, people)}) on {series.buckets[place]}"


def _cumulative(series: Series) -> str:
    first, last = series.values[0], series.values[-1]
    shares = f" ({percent(last, first)})" if first and last is not None else ""
    everywhere = f"{told(last)}{shares} on all {len(series.values)} intervals"
    return f"{quoted(series.label, NAME)}: {told(first)} people; {everywhere}"
