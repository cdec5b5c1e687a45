"""A result told in words, by rule alone: a headline, two or three facts with numbers, one thing to take away.

PostHog asks a language model for this. Here the same result always gives the same words; the embedded backend
answers `analyze` with it, and so does the server where PostHog refuses `analyze` to API keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from insights_mcp.text import clean, quoted

Lines = list[str]


def analysis(name: str, source: dict[str, Any], results: Any) -> str:
    """The words for the result of a query; says so when there is none, or when its shape is not known."""
    if not results:
        return f"{quoted(name)} has no result to analyze: compute it first, or nothing matched."
    try:
        told = TELLERS.get(str(source.get("kind")), _told_otherwise)(results)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        told = _told_otherwise(results)
    headline, *bullets, takeaway = told
    return "\n".join([f"{quoted(name)}: {headline}", *(f"- {bullet}" for bullet in bullets), takeaway])


def _told_trend(results: list[dict[str, Any]]) -> Lines:
    if not any(series.get("data") for series in results):
        return _told_totals(results)
    biggest = max(results, key=lambda series: sum(map(abs, series["data"])))
    data, days = biggest["data"], biggest.get("labels") or biggest.get("days") or []
    top, low = max(range(len(data)), key=data.__getitem__), min(range(len(data)), key=data.__getitem__)
    # The last interval is usually still going on: comparing halves of the rest says more than the last two points.
    ended = data[:-1] or data
    before, after = _mean(ended[: len(ended) // 2]), _mean(ended[(len(ended) + 1) // 2 :])
    label = _label(biggest)
    return [
        f"{label} is {_direction(before, after)} over {len(data)} intervals{_sum(biggest)}.",
        f"The highest value is {_number(data[top])} ({_at(days, top)}), "
        f"the lowest {_number(data[low])} ({_at(days, low)}).",
        f"On average {_number(after)} in the second half against {_number(before)} in the first: "
        f"{_growth(before, after)}.",
        *_share_of_largest(results, biggest),
        f"Look at {_at(days, top)} to see what made the peak; the last interval may be unfinished.",
    ]


def _sum(series: dict[str, Any]) -> str:
    action = series.get("action")
    math = action.get("math") if isinstance(action, dict) else None
    return f" and adds up to {_number(sum(series['data']))}" if math in (None, "total") else ""


def _share_of_largest(results: list[dict[str, Any]], biggest: dict[str, Any]) -> Lines:
    if len(results) < 2:
        return []
    means = [_mean([abs(value) for value in series["data"]]) for series in results]
    share = _mean([abs(value) for value in biggest["data"]]) / (sum(means) or 1)
    return [f"Of {len(results)} series, {_label(biggest)} is the largest, with {share:.0%} of the sum of averages."]


def _told_totals(results: list[dict[str, Any]]) -> Lines:
    ranked = sorted(results, key=lambda series: -(series.get("aggregated_value") or 0))
    first, last = ranked[0], ranked[-1]
    return [
        f"{_label(first)} is {_number(first.get('aggregated_value') or 0)}.",
        f"{len(ranked)} values, the least {_number(last.get('aggregated_value') or 0)} ({_label(last)}).",
        f"{_label(first)} is the largest.",
    ]


def _told_funnel(results: Any) -> Lines:
    steps = results[0] if isinstance(results[0], list) else results
    counts = [step["count"] for step in steps]
    lost, at = max(((counts[i] - counts[i + 1], i) for i in range(len(counts) - 1)), default=(0, 0))
    name = quoted(steps[at].get("custom_name") or steps[at].get("name"))
    return [
        f"{_share(counts[-1], counts[0])} of {_number(counts[0])} people complete all {len(counts)} steps.",
        f"{_number(counts[-1])} people reach the end.",
        f"The largest loss is after {name}: {_number(lost)} people, {_share(lost, counts[at])} of those who got there.",
        f"What comes after {name} is where most can be won.",
    ]


def _told_retention(results: list[dict[str, Any]]) -> Lines:
    cohorts = [[value["count"] for value in cohort["values"]] for cohort in results if cohort["values"]]
    followed = [cohort for cohort in cohorts if len(cohort) > 1 and cohort[0]]
    begun, back = sum(cohort[0] for cohort in followed), sum(cohort[1] for cohort in followed)
    largest = max(results, key=lambda cohort: cohort["values"][0]["count"] if cohort["values"] else 0)
    return [
        f"{_share(back, begun)} of people come back in the period after their first.",
        f"{_number(sum(cohort[0] for cohort in cohorts))} starts in {len(cohorts)} cohorts.",
        f"The largest cohort is {clean(largest.get('label'), 60)}: {_number(largest['values'][0]['count'])} people.",
        "Compare the newest cohorts with the oldest to see whether retention is getting better.",
    ]


def _told_lifecycle(results: list[dict[str, Any]]) -> Lines:
    counts = {series.get("status"): sum(series.get("data") or []) for series in results}
    gained, lost = counts.get("new", 0) + counts.get("resurrecting", 0), -counts.get("dormant", 0)
    return [
        f"{_number(gained)} users came or came back, {_number(lost)} went dormant.",
        f"New: {_number(counts.get('new', 0))}, resurrecting: {_number(counts.get('resurrecting', 0))}.",
        f"Returning: {_number(counts.get('returning', 0))}.",
        "More users come than go." if gained > lost else "As many users go as come, or more.",
    ]


def _told_otherwise(results: Any) -> Lines:
    rows = len(results) if isinstance(results, list | dict) else 1
    return [f"the result has {rows} rows or parts.", "Read them with get_insight."]


def _label(series: dict[str, Any]) -> str:
    return quoted(series.get("label") or "the series", 80)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _growth(before: float, after: float) -> str:
    return f"{(after - before) / abs(before):+.0%}" if before else "from nothing" if after else "no change"


def _direction(before: float, after: float) -> str:
    if abs(after - before) <= 0.05 * max(abs(before), abs(after)):
        return "steady"
    return "rising" if after > before else "falling"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "none"


def _at(labels: list[Any], index: int) -> str:
    return clean(labels[index], 40) if index < len(labels) else f"interval {index + 1}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


TELLERS: dict[str, Callable[[Any], Lines]] = {
    "TrendsQuery": _told_trend,
    "StickinessQuery": _told_trend,
    "FunnelsQuery": _told_funnel,
    "RetentionQuery": _told_retention,
    "LifecycleQuery": _told_lifecycle,
}
