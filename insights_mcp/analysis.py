"""A result told in words, by rule alone: a headline, two or three facts with numbers, one thing to take away.

PostHog asks a language model for this. Here the same result always gives the same words; the embedded backend
answers `analyze` with it, and so does the server where PostHog refuses `analyze` to API keys. The facts are those
of the digest that stands above every result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.funnels import Funnel, funnel_of, whom
from insights_mcp.answer.digest.retention import cohorts_of, weighted
from insights_mcp.answer.numbers import number
from insights_mcp.answer.results import readable
from insights_mcp.answer.series import Series, label_of, series_of
from insights_mcp.text import clean, counted, quoted

Lines = list[str]
STEADY = 0.05
MOST_FACTS = 4


def analysis(name: str, asked: Asked, results: Any, columns: Sequence[Any] | None = None) -> str:
    """The words for a result; says so when there is none, or when its shape is not known."""
    if not results:
        return f"{quoted(name)} has no result to analyze: compute it first, or nothing matched."
    tell = TELLERS.get(str(asked.source.get("kind")))
    try:
        told = tell(results, asked) if tell else _told_otherwise(results, asked, columns)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        told = _told_otherwise(results, asked, columns)
    headline, *bullets, takeaway = told
    return "\n".join([f"{quoted(name)}: {headline}", *(f"- {bullet}" for bullet in bullets), takeaway])


def _told_trend(results: list[dict[str, Any]], asked: Asked) -> Lines:
    current = [item for item in results if item.get("compare_label") != "previous"]
    if not any(series.get("data") for series in current):
        return _told_totals(current)
    found = [series_of(item, asked) for item in current]
    biggest = max(found, key=lambda series: series.average)
    if None in biggest.values or biggest.high is None or biggest.low is None:
        return _told_otherwise(results, asked, None)
    before, after = (half or 0.0 for half in biggest.halves)
    name, peak = quoted(biggest.label, 80), clean(biggest.buckets[biggest.high], 40)
    return [
        f"{name} is {_direction(before, after)} over {len(biggest.values)} intervals{_sum(biggest)}.",
        f"The highest value is {_number(biggest.values[biggest.high])} ({peak}), "
        f"the lowest {_number(biggest.values[biggest.low])} ({clean(biggest.buckets[biggest.low], 40)}).",
        f"On average {_number(after)} in the second half against {_number(before)} in the first: "
        f"{_growth(before, after)}.",
        *_share_of_largest(found, biggest),
        f"Look at {peak} to see what made the peak{_unfinished(biggest)}.",
    ]


def _unfinished(series: Series) -> str:
    return "; the last interval is not over and counts in no half" if series.unfinished else ""


def _sum(series: Series) -> str:
    return f" and adds up to {_number(series.total)}" if series.total is not None else ""


def _share_of_largest(found: list[Series], biggest: Series) -> Lines:
    if len(found) < 2:
        return []
    share = biggest.average / (sum(series.average for series in found) or 1)
    name = quoted(biggest.label, 80)
    return [f"Of {len(found)} series, {name} is the largest, with {share:.0%} of the sum of averages."]


def _told_totals(results: list[dict[str, Any]]) -> Lines:
    ranked = sorted(results, key=lambda series: -(number(series.get("aggregated_value")) or 0))
    first, last = (quoted(label_of(series), 80) for series in (ranked[0], ranked[-1]))
    most, least = (_number(number(series.get("aggregated_value"))) for series in (ranked[0], ranked[-1]))
    return [
        f"{first} is {most}.",
        f"{len(ranked)} values, the least {least} ({last}).",
        f"{first} is the largest.",
    ]


def _told_funnel(results: Any, asked: Asked) -> Lines:
    if isinstance(results[0], list):
        return _told_otherwise(results, asked, None)
    funnel = funnel_of(results, whom(asked.source))
    at, here, on = funnel.weakest or (0, funnel.first, funnel.first)
    name = quoted(funnel.names[at])
    through, lost = _share(funnel.last, funnel.first), _share(here - on, here)
    return [
        f"{through} of {_number(funnel.first)} {funnel.whom} complete all {len(funnel.counts)} steps.",
        f"{_number(funnel.last)} {funnel.whom} reach the end.",
        f"The largest loss is after {name}: {_number(here - on)} {funnel.whom}, {lost} of those who got there.",
        *_steepest(funnel, at),
        f"What comes after {name} is where most can be won.",
    ]


def _steepest(funnel: Funnel, told: int) -> Lines:
    at, here, on = funnel.steepest or (told, 0.0, 0.0)
    return [f"The smallest share goes on after {quoted(funnel.names[at])}: {_share(on, here)}."] if at != told else []


def _told_retention(results: list[dict[str, Any]], asked: Asked) -> Lines:
    cohorts = cohorts_of(results, asked)
    back, begun, count = weighted(cohorts, 1)
    largest = max(cohorts, key=lambda cohort: cohort.size)
    ended = (
        f" ({_number(back)} of {_number(begun)}, in the {counted(count, 'cohort')} for which it is over)"
        if count
        else ""
    )
    back_told = f"{_share(back, begun)} of people come back in the period after their first{ended}."
    return [
        back_told if count else "For no cohort the period after its first is over.",
        f"{_number(sum(cohort.size for cohort in cohorts))} starts in {len(cohorts)} cohorts.",
        f"The largest cohort is {clean(largest.name, 60)}: {_number(largest.size)} people.",
        "Compare the newest cohorts with the oldest to see whether retention is getting better.",
    ]


def _told_otherwise(results: Any, asked: Asked, columns: Sequence[Any] | None) -> Lines:
    """The lines of the digest; of a shape nobody knows, its size."""
    found = readable(results, columns, asked).digest[:MOST_FACTS]
    if found:
        return [f"{found[0]}.", *(f"{line}." for line in found[1:]), "get_insight shows the numbers."]
    rows = len(results) if isinstance(results, list | dict) else 1
    return [f"the result has {rows} rows or parts.", "Read them with get_insight."]


def _growth(before: float, after: float) -> str:
    return f"{(after - before) / abs(before):+.0%}" if before else "from nothing" if after else "no change"


def _direction(before: float, after: float) -> str:
    if abs(after - before) <= STEADY * max(abs(before), abs(after)):
        return "steady"
    return "rising" if after > before else "falling"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "none"


def _number(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


TELLERS: dict[str, Callable[[Any, Asked], Lines]] = {
    "TrendsQuery": _told_trend,
    "FunnelsQuery": _told_funnel,
    "RetentionQuery": _told_retention,
}
