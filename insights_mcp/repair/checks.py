"""What must hold between the fields of a query, and what the common form leaves to be filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from insights_mcp.repair import dates
from insights_mcp.repair.common import PATH_TYPES, PATH_WORDS
from insights_mcp.repair.entities import OVER_PROPERTY
from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.words import VALUES, spoken, word

OVER = "property"
ENDS = spoken({"funnelFromStep": "from funnelfromstep fromstep", "funnelToStep": "to funneltostep tostep"})
COUNTED: dict[str, tuple[str, dict[str, Any]]] = {
    "TrendsQuery": ("events", {"kind": "trends", "events": ["$pageview"], "from": "-30d"}),
    "FunnelsQuery": ("steps", {"kind": "funnel", "steps": ["$pageview", "signed up"], "from": "-30d"}),
    "StickinessQuery": ("events", {"kind": "stickiness", "events": ["$pageview"], "from": "-30d"}),
    "LifecycleQuery": ("events", {"kind": "lifecycle", "events": ["$pageview"], "from": "-30d"}),
}
RETENTION = {"kind": "retention", "start": "signed up", "return": "$pageview", "period": "week"}
CORRELATION = {"kind": "correlation", "steps": ["$pageview", "signed up"]}
NAMES = re.compile(r"[A-Za-z_$][\w$]*")  # in a formula
NEEDED: dict[str, tuple[str, Any]] = {
    "hogql": ("math_hogql", "sum(properties.amount)"),
    "unique_group": ("math_group_type_index", 0),
}


def checked(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """The query, filled in; what cannot be computed is said before PostHog says it in its own way."""
    _check_events(query, at, found)
    _check_series(query, at, found)
    _check_formulas(query, at, found)
    fill = FILL.get(query["kind"])
    return fill(query, at, found) if fill else query


def _check_events(query: dict[str, Any], at: Path, found: Findings) -> None:
    """The common form of what counts something names it."""
    name, example = COUNTED.get(query["kind"], ("", None))
    if found.easy and name and query.get("series") in (None, []):
        found.wrong((*at, name), "is missing: the names of events", example=example)
        found.written.setdefault((*at, "series"), (*at, name))


def _check_series(query: dict[str, Any], at: Path, found: Findings) -> None:
    for node, place in _nodes(query.get("series"), (*at, "series")):
        given = node.get("math")
        math = str(VALUES["math"].get(word(given), given) if isinstance(given, str) else "")
        example: dict[str, Any] = {"kind": "EventsNode", "event": node.get("event") or "$pageview", "math": math}
        over = {word(key) for key, value in node.items() if value}
        if math in OVER_PROPERTY and not over & {"mathproperty", "mathhogql", OVER}:
            more = {"math_property": "$session_duration"}
            found.wrong(
                (*place, "math_property"), f"is missing: {shown(math)} is over a property", example=example | more
            )
        elif math in NEEDED and node.get(NEEDED[math][0]) is None:
            name, value = NEEDED[math]
            found.wrong((*place, name), f"is missing: {shown(math)} needs it", example=example | {name: value})


def _check_formulas(query: dict[str, Any], at: Path, found: Findings) -> None:
    """A formula is of letters, one for each series."""
    options, series = query.get("trendsFilter"), query.get("series")
    nodes = options.get("formulaNodes") if isinstance(options, dict) else None
    if query["kind"] != "TrendsQuery" or not isinstance(nodes, list) or not isinstance(series, list):
        return
    letters = [chr(ord("A") + n) for n in range(min(len(series), 26))]
    for n, node in enumerate(nodes):
        text = node.get("formula") if isinstance(node, dict) else node
        named = NAMES.findall(text) if isinstance(text, str) else []
        strange = [each for each in named if each.upper() not in letters]
        if strange and found.easy:
            what = f"{shown(strange[0])} is no series: the letters are {', '.join(letters)}, in their order"
            example = {"events": ["signed up", "$pageview"], "formula": "A / B"}
            found.wrong((*at, "trendsFilter", "formulaNodes", n), what, example=example)


def _nodes(series: Any, at: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    if isinstance(series, list):
        yield from ((node, (*at, place)) for place, node in enumerate(series) if isinstance(node, dict))


def _funnel(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """The window as number and unit. Exclusions lie between the first step and the last, unless they say where."""
    options, series = query.get("funnelsFilter"), query.get("series")
    if not isinstance(options, dict):
        return query
    options = _window(options, (*at, "funnelsFilter"), found)
    query, excluded = query | {"funnelsFilter": options}, options.get("exclusions")
    if not isinstance(excluded, list) or not isinstance(series, list):
        return query
    ends = {"funnelFromStep": 0, "funnelToStep": max(len(series) - 1, 1)}
    nodes = [{"event": each} if isinstance(each, str) else each for each in excluded]
    filled = [_bounded(each, ends) if isinstance(each, dict) else each for each in nodes]
    return query if filled == excluded else query | {"funnelsFilter": options | {"exclusions": filled}}


def _window(options: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """`14 days` is a number and its unit."""
    given = options.get("funnelWindowInterval")
    if not isinstance(given, str) or given.strip().isdigit() or (length := dates.length(given)) is None:
        return options
    both = {"funnelWindowInterval": length[0], "funnelWindowIntervalUnit": length[1]}
    found.repaired((*at, "funnelWindowInterval"), given, both)
    return options | both


def _bounded(exclusion: dict[str, Any], ends: dict[str, int]) -> dict[str, Any]:
    named = {ENDS.get(word(key), key): step for key, step in exclusion.items()}
    return named | {name: step for name, step in ends.items() if named.get(name) is None}


def _retention(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """Who comes back does again what they started with, unless something else is said."""
    options = query.get("retentionFilter")
    if not found.easy:
        return query
    options = options if isinstance(options, dict) else {}
    start, back = options.get("targetEntity"), options.get("returningEntity")
    if start is None and back is None:
        found.wrong((*at, "start"), "is missing: the event people start with", example=RETENTION)
    both = {"targetEntity": back if start is None else start, "returningEntity": start if back is None else back}
    return query | {"retentionFilter": options | both}


def _paths(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """PostHog wants the filter even where it says nothing."""
    options = query.get("pathsFilter")
    if options is not None:
        return query | {"pathsFilter": _typed(options, (*at, "pathsFilter"), found)}
    if not found.easy:
        found.said((*at, "pathsFilter"), "missing → {}")
    return query | {"pathsFilter": {}}


def _typed(options: Any, at: Path, found: Findings) -> Any:
    """The types of steps in PostHog's words."""
    types = options.get("includeEventTypes") if isinstance(options, dict) else None
    if not isinstance(types, list):
        return options
    read = [
        PATH_WORDS.get(word(each), each) if isinstance(each, str) and each not in PATH_TYPES else each for each in types
    ]
    if read == types:
        return options
    return options | {"includeEventTypes": found.repaired((*at, "includeEventTypes"), types, read)}


def _correlation(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """What is compared is told by what is named."""
    if found.easy and query.get("source") is None:
        found.wrong((*at, "steps"), "is missing: the names of events", example=CORRELATION)
        found.written.setdefault((*at, "source"), (*at, "steps"))
    if query.get("funnelCorrelationType") is not None:
        return query
    of_people, of_events = (query.get(name) for name in ("funnelCorrelationNames", "funnelCorrelationEventNames"))
    if found.easy and of_people and of_events:
        found.wrong((*at, "events"), "asks another question than properties; give one of them", example=CORRELATION)
    kind = "event_with_properties" if of_events else "properties" if of_people else "events"
    if not found.easy:
        found.said((*at, "funnelCorrelationType"), f"missing → {shown(kind)}")
    return query | {"funnelCorrelationType": kind}


Fill = Callable[[dict[str, Any], Path, Findings], dict[str, Any]]
FILL: dict[str, Fill] = {"FunnelsQuery": _funnel, "RetentionQuery": _retention, "PathsQuery": _paths,
                        "FunnelCorrelationQuery": _correlation}  # fmt: skip
