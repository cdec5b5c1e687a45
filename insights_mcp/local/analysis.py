"""A result told in words: a headline, two or three facts with numbers, one thing to take away. By rule alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Lines = list[str]

NOTHING = "No results available."


def analysis(name: str, source: dict[str, Any], results: Any) -> str:
    """The words for a result of the given query; says so when there is none."""
    if not results:
        return f"{name}: {NOTHING} Compute the insight first, then ask again."
    told = TELLERS.get(source.get("kind", ""), _told_otherwise)(results)
    headline, *bullets, takeaway = told
    return "\n".join([f"{name}: {headline}", *(f"- {bullet}" for bullet in bullets), takeaway])


def _told_trend(results: list[dict[str, Any]]) -> Lines:
    if not any(series.get("data") for series in results):
        return _told_totals(results)
    biggest = max(results, key=lambda series: abs(series.get("count") or 0))
    data, days = biggest["data"], biggest.get("labels") or biggest.get("days") or []
    top, low = max(range(len(data)), key=data.__getitem__), min(range(len(data)), key=data.__getitem__)
    # The last interval is usually still going on: comparing halves says more than the last two points.
    before, after = sum(data[: len(data) // 2]), sum(data[(len(data) + 1) // 2 :])
    return [
        f"{biggest.get('label')} adds up to {_number(sum(data))} over {len(data)} intervals.",
        f"The highest value is {_number(data[top])} ({_at(days, top)}), "
        f"the lowest {_number(data[low])} ({_at(days, low)}).",
        f"The second half has {_number(after)} against {_number(before)} in the first: {_growth(before, after)}.",
        *_others(results, biggest),
        f"Overall the series is {_direction(before, after)}.",
    ]


def _others(results: list[dict[str, Any]], biggest: dict[str, Any]) -> Lines:
    if len(results) < 2:
        return []
    total = sum(abs(series.get("count") or 0) for series in results) or 1
    share = abs(biggest.get("count") or 0) / total
    return [f"Of {len(results)} series, {biggest.get('label')} is the largest with {share:.0%} of the whole."]


def _told_totals(results: list[dict[str, Any]]) -> Lines:
    ranked = sorted(results, key=lambda series: -(series.get("aggregated_value") or 0))
    total = sum(series.get("aggregated_value") or 0 for series in ranked)
    first = ranked[0]
    return [
        f"the total is {_number(total)} over {len(ranked)} series.",
        f"{first.get('label')} leads with {_number(first.get('aggregated_value') or 0)}.",
        f"{ranked[-1].get('label')} is last with {_number(ranked[-1].get('aggregated_value') or 0)}.",
        f"{first.get('label')} is where most of it happens.",
    ]


def _told_funnel(results: Any) -> Lines:
    steps = results[0] if isinstance(results, list) and isinstance(results[0], list) else results
    # Time to convert and historical trends have other shapes.
    if not all(isinstance(step, dict) and "action_id" in step for step in steps):
        return _told_otherwise(results)
    counts = [step["count"] for step in steps]
    drops = [(counts[i] - counts[i + 1], i) for i in range(len(counts) - 1)]
    lost, at = max(drops, default=(0, 0))
    return [
        f"{_share(counts[-1], counts[0])} of {_number(counts[0])} people complete all {len(counts)} steps.",
        f"{_number(counts[-1])} people reach {steps[-1].get('name')}.",
        f"The largest loss is after {steps[at].get('name')}: {_number(lost)} people.",
        f"Improving the step after {steps[at].get('name')} would help most.",
    ]


def _told_retention(results: list[dict[str, Any]]) -> Lines:
    cohorts = [[value["count"] for value in cohort["values"]] for cohort in results]
    people = sum(cohort[0] for cohort in cohorts if cohort)
    back = sum(cohort[1] for cohort in cohorts if len(cohort) > 1)
    begun = sum(cohort[0] for cohort in cohorts if len(cohort) > 1)
    best = max(results, key=lambda cohort: cohort["values"][0]["count"] if cohort["values"] else 0)
    return [
        f"{_share(back, begun)} of people come back in the period after their first.",
        f"{_number(people)} people began in {len(cohorts)} cohorts.",
        f"The largest cohort is {best.get('label')} with {_number(best['values'][0]['count'])} people.",
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
    rows = len(results) if isinstance(results, list) else 1
    return [f"the result has {rows} rows.", f"Rows: {rows}.", "Look at the rows themselves for more."]


def _growth(before: float, after: float) -> str:
    return f"{(after - before) / before:+.0%}" if before else "from nothing" if after else "no change"


def _direction(before: float, after: float) -> str:
    if abs(after - before) <= 0.05 * max(abs(before), abs(after)):
        return "steady"
    return "rising" if after > before else "falling"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "0 %"


def _at(labels: list[Any], index: int) -> str:
    return str(labels[index]) if index < len(labels) else f"interval {index + 1}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


TELLERS: dict[str, Callable[[Any], Lines]] = {
    "TrendsQuery": _told_trend,
    "StickinessQuery": _told_trend,
    "FunnelsQuery": _told_funnel,
    "RetentionQuery": _told_retention,
    "LifecycleQuery": _told_lifecycle,
}
