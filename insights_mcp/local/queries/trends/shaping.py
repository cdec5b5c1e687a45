"""How counted rows become PostHog's list of series: filled, labelled, added up, smoothed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import accumulate
from math import floor
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries.breakdowns import ALL, NONE, OTHER
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.trends.parts import Part, counted_as, interval, is_by_value, smoothing
from insights_mcp.schema.trends import TrendsQuery

# Counted things grow with the share of events that is read; their averages do not.
UNSCALED = frozenset({"avg", "min", "max", "median", "p75", "p90", "p95", "p99"})
Series = dict[str, Any]
Named = Callable[[int], str]


def series_of(
    query: TrendsQuery, period: Period, parts: list[Part], answers: list[Rows], cohort_name: Named
) -> tuple[list[Series], bool]:
    """Rows (bucket, value, number, rank) of each part as series; and whether values were left out as "other"."""
    results: list[Series] = []
    more = False
    alone = len(parts) == len({part.compared for part in parts})
    told = filter_of(query, period)
    for part, answer in zip(parts, answers, strict=True):
        alike = {"order": part.order, "label": part.name, "action": _action(part, query, period), "filter": told}
        for value, numbers in _by_value(part, answer):
            other = _holds(OTHER, value)
            more = more or other
            if not (other and part.by and part.by.hide_other):
                label = _value_label(value, part, cohort_name)
                shown = label if alone else f"{part.name} - {label}"
                results.append(_series(query, part, alike, value, numbers, shown))
    return results, more


Value = str | tuple[str, ...] | None


def _by_value(part: Part, answer: Rows) -> list[tuple[Value, list[Any]]]:
    """The numbers of each value, bucket by bucket; a single one where all time is one. In the order of their ranks.

    Of numbers in all, those without a value are ranked as others are, but shown after them.
    """
    buckets: list[datetime | None] = [None] if part.in_all else [*part.period.buckets()]
    places, none = {bucket: place for place, bucket in enumerate(buckets)}, [0] * len(buckets)
    found: dict[Value, list[Any]] = {} if part.by else {None: [*none]}
    ranks: dict[Value, int] = {None: 0}
    for bucket, value, number, rank in answer.rows:
        key = tuple(value) if isinstance(value, list) else value
        if (numbers := found.get(key)) is None:
            numbers, ranks[key] = found.setdefault(key, [*none]), rank
        if (place := places.get(bucket)) is not None:
            numbers[place] = number
    if part.in_all:
        return sorted(found.items(), key=lambda each: (_holds(OTHER, each[0]), _holds(NONE, each[0]), ranks[each[0]]))
    return sorted(found.items(), key=lambda each: ranks[each[0]])


def _holds(mark: str, value: Value) -> bool:
    return value == mark or (isinstance(value, tuple) and mark in value)


def _value_label(value: Value, part: Part, cohort_name: Named) -> str:
    if part.by and part.by.cohorts and value not in (OTHER, NONE, None):
        return "all users" if value == ALL else cohort_name(int(str(value)))
    return "::".join(value) if isinstance(value, tuple) else str(value)


def _series(query: TrendsQuery, part: Part, alike: Series, value: Value, numbers: list[Any], label: str) -> Series:
    """One series; `alike` is what all of the part have, written once."""
    drawn = _in_all(numbers) if part.in_all else _over_time(query, part, numbers)
    share = query.samplingFactor
    series = {**alike, **(_scaled(drawn, share) if share and _is_scaled(part, share) else drawn)}
    if part.compared:
        series |= {"compare": True, "compare_label": part.compared}
    if part.by and value is not None:
        series |= {"breakdown_value": _breakdown_value(value, part), "label": label}
    return series


def _breakdown_value(value: Value, part: Part) -> Any:
    assert part.by
    if part.by.cohorts:
        return int(str(value)) if str(value).isdigit() else value
    if isinstance(value, tuple):
        return list(value)
    return [value] if part.by.listed else value


def _is_scaled(part: Part, share: float) -> bool:
    math = part.series.math or "total"
    return share != 1 and math not in UNSCALED and not math.endswith("_count_per_actor")


def _scaled(series: Series, share: float) -> Series:
    """What the share that was read stands for: each number by itself, so that a sum is not one of rounded ones."""
    times = 1 / share
    totals: Series = {name: round(series[name] * times) for name in ("count", "aggregated_value") if name in series}
    return {**series, **totals, "data": [round(number * times) for number in series["data"]]}


def _in_all(numbers: list[Any]) -> Series:
    return {"data": [], "days": [], "count": 0, "aggregated_value": numbers[0]}


def _over_time(query: TrendsQuery, part: Part, numbers: list[Any]) -> Series:
    data = numbers
    if part.open_end is None and not is_by_value(part, query):
        data = smoothed(added_up(numbers) if part.cumulative else numbers, smoothing(query))
    series = {
        "data": [float(number) for number in data] if part.by else data,
        "labels": part.period.labels,
        "days": part.period.days,
        "count": float((data[-1] if data else 0) if part.cumulative else sum(data)),
    }
    return series if part.open_end is None else _slope(series, part.open_end)


def _slope(series: Series, open_end: bool) -> Series:
    """Its first bucket and its last, of the data and of what names them."""
    ends = {name: series[name][:: max(1, len(series[name]) - 1)] for name in ("data", "labels", "days")}
    return {**series, **ends, "incomplete_end": open_end}


def added_up(numbers: list[Any]) -> list[Any]:
    """The running sum. Where it is not above 0, it is what it was before, as PostHog draws it."""
    found = list(accumulate(numbers))
    for place in range(1, len(found)):
        found[place] = found[place] if found[place] > 0 else found[place - 1]
    return found


def smoothed(data: list[Any], span: int) -> list[Any]:
    """Each number as the mean of the last few, in whole numbers."""
    if span <= 1:
        return data
    windows = [data[max(0, end - span) : end] for end in range(1, len(data) + 1)]
    return [float(floor(sum(window) / len(window))) for window in windows]


def _action(part: Part, query: TrendsQuery, period: Period) -> Series:
    series = part.series
    return {
        "days": period.moments,
        "id": part.name if series.kind != "EventsNode" else series.event,
        "type": "events",
        "order": part.order,
        "name": part.name,
        "custom_name": series.custom_name,
        "math": counted_as(series, query),
        "math_property": series.math_property,
        "math_hogql": series.math_hogql,
        "math_group_type_index": series.math_group_type_index,
        "properties": {},
    }


def filter_of(query: TrendsQuery, period: Period) -> Series:
    """The query in the words that insights had before queries."""
    parts = (query.trendsFilter, query.breakdownFilter)
    said = {key: value for part in parts if part for key, value in part.model_dump(exclude_none=True).items()}
    named = {"filter_test_accounts": query.filterTestAccounts, "sampling_factor": query.samplingFactor}
    return {
        **said,
        **query.model_dump(include={"properties"}, exclude_unset=True, exclude_none=True),
        **{key: value for key, value in named.items() if value is not None},
        **period.resolved(),
        "entity_type": "events",
        "insight": "TRENDS",
        "interval": interval(query),
    }
