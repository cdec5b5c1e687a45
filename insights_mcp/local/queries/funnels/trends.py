"""A funnel over time: of those who entered in each interval, the share that went on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from insights_mcp.local.queries import dates
from insights_mcp.local.queries.funnels.attempts import attempts, valued, with_tables
from insights_mcp.local.queries.funnels.funnel import Funnel
from insights_mcp.local.queries.funnels.values import Values

# PostHog computes so many lines (periods times values), and drops the rest.
LINES = 1000


def select(funnel: Funnel) -> str:
    """SQL: for each interval (and value) how many reached the first of the two steps, and how many the second."""
    reached = f"select {entered(funnel)} as d, {funnel.person}, max(steps) as steps from attempts group by all"
    value = ", v" if funnel.values else ""
    return with_tables(
        iter([*attempts(funnel), ("reached", reached)]),
        f"select d, count(*) filter (steps > {funnel.first}) as n, count(*) filter (steps > {funnel.last}) as m{value}"
        f" from {valued(funnel, 'reached')} group by all order by all",
    )


def entered(funnel: Funnel) -> str:
    """SQL: the interval in which an attempt began."""
    return funnel.period.bucket("t0")


def results(funnel: Funnel, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """One series of percentages; with a breakdown, one for each value."""
    buckets = funnel.period.buckets()[:LINES]
    if funnel.values is None:
        return [_series(funnel, buckets, {row[0]: row[1:3] for row in rows})]
    found: dict[tuple[str, ...], dict[datetime, tuple[int, int]]] = {}
    for start, entered, went_on, value in rows:
        found.setdefault(tuple(value), {})[start] = (entered, went_on)
    limit = min(funnel.values.limit, max(1, LINES // max(1, len(buckets))))
    by_size = sorted(found, key=lambda value: (sum(entered for entered, _ in found[value].values()), value))
    series = [
        {**_series(funnel, buckets, found[value]), "breakdown_value": _named(funnel, funnel.values, list(value))}
        for value in by_size[::-1][:limit]
    ]
    return sorted(series, key=lambda each: each["breakdown_value"])


def _named(funnel: Funnel, values: Values, value: list[str]) -> Any:
    """A value as it is read; over time also none has a name."""
    named = values.named(value, funnel)
    return ["None" if each is None else each for each in named] if isinstance(named, list) else named


def _series(funnel: Funnel, buckets: list[datetime], counts: dict[datetime, tuple[int, int]]) -> dict[str, Any]:
    cut, start, end = funnel.period.interval, funnel.period.start, funnel.period.end
    return {
        "count": len(buckets),
        "data": [_rate(*counts.get(bucket, (0, 0))) for bucket in buckets],
        "days": [dates.day(bucket, cut) for bucket in buckets],
        "labels": [dates.label(bucket, cut, start, end) for bucket in buckets],
    }


def _rate(entered: int, went_on: int) -> float:
    return round(went_on / entered * 100, 2) if entered else 0.0
