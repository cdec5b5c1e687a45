"""What a funnel may not be, and what to change."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from insights_mcp.local.queries import unsupported
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.schema.filters import PropertyFilter
from insights_mcp.schema.funnels import Exclusion, FunnelsFilter, FunnelsQuery, Step

MARKS = 60
WIDEST = 100 * 366 * 86_400
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}


def check(query: FunnelsQuery) -> None:
    """Raise QueryError for a funnel that means nothing, or that is not supported."""
    given = query.funnelsFilter or FunnelsFilter()
    if len(query.series) < 2:
        raise QueryError("Funnels require at least two steps. Add a step to the series.", attr="series")
    if len(query.series) + len(given.exclusions or []) > MARKS:
        raise QueryError(f"A funnel has at most {MARKS} steps and exclusions together.", attr="series")
    if query.samplingFactor not in (None, 1):
        raise unsupported.refuse("sampling", "samplingFactor")
    if query.compareFilter and query.compareFilter.compare:
        raise unsupported.refuse("comparison", "compareFilter")
    _check_window(given)
    _check_range(given, len(query.series) - 1)
    for exclusion in given.exclusions or []:
        _check_exclusion(exclusion, query.series, given.funnelOrderType == "unordered")
    _check_optional(query.series, given)
    _check_attribution(given, len(query.series))


def _check_window(given: FunnelsFilter) -> None:
    # Where it is none, or less, PostHog takes the default.
    if (given.funnelWindowInterval or 0) * SECONDS[given.funnelWindowIntervalUnit or "day"] > WIDEST:
        raise QueryError("funnelWindowInterval must be at most a hundred years.", attr="funnelsFilter")


def _check_range(given: FunnelsFilter, last: int) -> None:
    start, end = given.funnelFromStep, given.funnelToStep
    if start is not None and not 0 <= start < last:
        raise QueryError(f"funnelFromStep must be between 0 and {last - 1}, not {start}.", attr="funnelsFilter")
    if end is not None and not 0 < end <= last:
        raise QueryError(f"funnelToStep must be between 1 and {last}, not {end}.", attr="funnelsFilter")
    if (start or 0) >= (last if end is None else end):
        raise QueryError("funnelToStep must be greater than funnelFromStep.", attr="funnelsFilter")


def _check_exclusion(exclusion: Exclusion, series: list[Step], unordered: bool) -> None:
    start, end, last = exclusion.funnelFromStep, exclusion.funnelToStep, len(series) - 1
    if not 0 <= start < end <= last:
        raise QueryError(
            f"An exclusion goes from one step to a later one, of 0 to {last}; not from {start} to {end}.",
            attr="exclusions",
        )
    if unordered and (start, end) != (0, last):
        raise QueryError(
            f"In an unordered funnel an exclusion must span all steps: from 0 to {last}.", attr="exclusions"
        )
    if any(covers(step, exclusion) for step in series[start : end + 1]):
        raise QueryError(
            "An exclusion cannot be an event that is a step of the funnel. Give it filters that tell them apart.",
            attr="exclusions",
        )


def _check_optional(series: list[Step], given: FunnelsFilter) -> None:
    if not any(step.optionalInFunnel for step in series):
        return
    if given.funnelVizType not in (None, "steps") or given.funnelOrderType == "unordered":
        raise QueryError(
            "Optional steps work in ordered and strict funnels, with funnelVizType 'steps'.", attr="series"
        )
    if series[0].optionalInFunnel:
        raise QueryError("The first step of a funnel cannot be optional.", attr="series")
    for step, following in pairwise(series):
        if step.optionalInFunnel and not following.optionalInFunnel and covers(following, step):
            raise QueryError("An optional step cannot be the same as the required step after it.", attr="series")


def _check_attribution(given: FunnelsFilter, count: int) -> None:
    number = given.breakdownAttributionValue
    if given.breakdownAttributionType == "step" and not 0 <= (number or 0) < count:
        raise QueryError(f"breakdownAttributionValue must be a step, 0 to {count - 1}.", attr="funnelsFilter")


def covers(wider: Step, narrower: Step) -> bool:
    """Whether each event of one step is, by its definition, one of the other too: the same, with no filter more."""
    same = (wider.kind, wider.event, wider.id) == (narrower.kind, narrower.event, narrower.id)
    return same and all(_filters(wider, name) <= _filters(narrower, name) for name in ("properties", "fixedProperties"))


def apart(one: Step, other: Step) -> bool:
    """Whether, by their definitions alone, no event can be both: other events, or other values of a property."""
    if one.kind == other.kind == "EventsNode" and one.event and other.event and one.event != other.event:
        return True
    mine, theirs = _texts(one), _texts(other)
    return any(mine[key].isdisjoint(theirs[key]) for key in mine.keys() & theirs.keys())


def _texts(step: Step) -> dict[str, set[str]]:
    """The values that a step wants properties of its events to be, where these are words: 1 and 1.0 may be one."""
    given = step.properties if isinstance(step.properties, list) else []
    exact = [
        item
        for item in given
        if isinstance(item, PropertyFilter) and item.type in (None, "event") and item.operator in (None, "exact")
    ]
    listed = {str(item.key): item.value if isinstance(item.value, list) else [item.value] for item in exact}
    return {key: {value.casefold() for value in values} for key, values in listed.items() if _are_words(values)}


def _are_words(values: list[Any]) -> bool:
    return bool(values) and all(
        isinstance(value, str) and (value[:1].isalpha() or value[:1] in ("/", "$", "_")) for value in values
    )


def _filters(step: Step, name: str) -> set[str]:
    """Each filter of a step as text; a group of filters is one."""
    given = getattr(step, name)
    items = given if isinstance(given, list) else [given] if given else []
    return {item.model_dump_json(exclude_none=True) for item in items}
