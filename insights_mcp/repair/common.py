"""The common form: a few short names, the same for all kinds, and where each leads in PostHog's query.

trends      events, math, by, formula, compare, display, limit, interval
funnel      steps, window, order, by, exclude, display
retention   start, return, period, periods, type, by
stickiness  events, cumulative, compare, interval
lifecycle   events, interval
paths       events, start, end, exclude, steps, limit
sql         sql
correlation steps, window, order, properties, events
all         from, to, where; and every field of PostHog's own
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from insights_mcp.repair import dates, ranges
from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.words import VALUES, word

Placed = list[tuple[tuple[str, ...], Any]]  # where in PostHog's query, and what stands there
Short = Callable[[Any, Path, Findings], Placed]
FUNNEL = "funnelsFilter"
RETENTION = "retentionFilter"
PATHS = "pathsFilter"
PATH_WORDS = {
    "pageview": "$pageview", "pageviews": "$pageview", "pages": "$pageview", "screen": "$screen", "screens": "$screen",
    "custom": "custom_event", "customevents": "custom_event", "customevent": "custom_event", "events": "custom_event",
}  # fmt: skip
SEVERAL = re.compile(r"\s*(?:,|->|→|=>)\s*")  # between names in one text
LONGEST = 1_000  # characters of a text that may be several names
PATH_TYPES = ("$pageview", "$screen", "custom_event", "hogql")


def into(*path: str) -> Short:
    return lambda value, at, found: [(path, value)]


def _several(value: Any, at: Path, found: Findings) -> Any:
    """Names in one text, as a list of them."""
    if not isinstance(value, str) or value.startswith("[") or len(value) > LONGEST:
        return value
    names = SEVERAL.split(value.strip())
    return found.repaired(at, value, names) if len(names) > 1 and all(names) else value


def _listed(*path: str) -> Short:
    def listed(value: Any, at: Path, found: Findings) -> Placed:
        value = _several(value, at, found)
        return [(path, value if isinstance(value, list) else [value])]

    return listed


def _by(value: Any, at: Path, found: Findings) -> Placed:
    """What to split by: the newer list of breakdowns."""
    value = ranges.owned(value)
    value = _several(value, at, found)
    if isinstance(value, dict) and "limit" in value and {"property", "key", "name"} & value.keys():
        one = {key: item for key, item in value.items() if key != "limit"}
        return [*_by(one, at, found), (("breakdownFilter", "breakdown_limit"), value["limit"])]
    if isinstance(value, dict) and value.keys() == {"cohort"}:
        cohorts = value["cohort"] if isinstance(value["cohort"], list) else [value["cohort"]]
        return [(("breakdownFilter", "breakdown"), cohorts), (("breakdownFilter", "breakdown_type"), "cohort")]
    if isinstance(value, dict) and not {"property", "key", "name"} & value.keys():
        return [
            (("breakdownFilter", key), item)
            for key, item in ranges.renamed(ranges.BREAKDOWNS, value, at, found).items()
        ]
    with found.reading(easy=True):
        return [(("breakdownFilter", "breakdowns"), ranges.several(value, at, found))]


def _by_one_type(value: Any, at: Path, found: Findings) -> Placed:
    """Funnels have the older form only: several properties, all of one type."""
    placed = _by(value, at, found)
    items = placed[0][1] if placed and placed[0][0][-1] == "breakdowns" else None
    if not isinstance(items, list) or not all(isinstance(each, dict) and "property" in each for each in items):
        return placed
    kinds = {(each.get("type") or "event", each.get("group_type_index")) for each in items}
    if len(kinds) > 1:
        found.wrong(at, "a funnel is split by properties of one type only", example={"by": ["$browser", "$os"]})
        return placed
    names = [each["property"] for each in items]
    (kind, number), *_ = kinds or {("event", None)}
    by = {"breakdown": names[0] if len(names) == 1 else names, "breakdown_type": kind}
    by |= {} if number is None else {"breakdown_group_type_index": number}
    return [(("breakdownFilter", key), item) for key, item in by.items()]


def within(value: Any, at: Path, found: Findings) -> Placed:
    """Within which time a funnel must be walked."""
    if isinstance(value, dict):
        value = f"{value.get('interval') or value.get('value')} {value.get('unit') or 'day'}"
    length = dates.length(value)
    if length is None:
        found.wrong(at, f"{shown(value)} is no length of time", example={"window": "14 days"})
        return []
    return [((FUNNEL, "funnelWindowInterval"), length[0]), ((FUNNEL, "funnelWindowIntervalUnit"), length[1])]


def _excluded(value: Any, at: Path, found: Findings) -> Placed:
    """What must not happen, between the first step and the last unless it says where."""
    items = value if isinstance(value, list) else [value]
    return [((FUNNEL, "exclusions"), [{"event": each} if isinstance(each, str) else each for each in items])]


def _formula(value: Any, at: Path, found: Findings) -> Placed:
    items = value if isinstance(value, list) else [value]
    return [
        (("trendsFilter", "formulaNodes"), [{"formula": each} if isinstance(each, str) else each for each in items])
    ]


def _cumulative(value: Any, at: Path, found: Findings) -> Placed:
    return [(("stickinessFilter", "computedAs"), "cumulative" if value in (True, "true") else "non_cumulative")]


def _retention_type(value: Any, at: Path, found: Findings) -> Placed:
    meant = VALUES["retentionType"].get(word(value)) if isinstance(value, str) else None
    return [((RETENTION, "retentionType"), meant or value)]


def path_events(value: Any, at: Path, found: Findings) -> Placed:
    """Which events are steps: types of them, or custom events by name."""
    items = value if isinstance(value, list) else [value]
    names = [each for each in items if isinstance(each, str) and each not in PATH_TYPES]
    if len(names) != len([each for each in items if each not in PATH_TYPES]):
        found.wrong(at, f"{shown(value)} are no events' names", example={"events": ["$pageview"]})
    types = [each for each in items if each in PATH_TYPES]
    if not names:
        return [((PATHS, "includeEventTypes"), types)]
    quoted = ", ".join("'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'" for name in (*types, *names))
    only = {"type": "hogql", "key": f"event in ({quoted})"}
    return [((PATHS, "includeEventTypes"), list(dict.fromkeys([*types, "custom_event"]))), (("properties",), [only])]


def _of_funnel(name: str) -> Short:
    """A name of the funnel that is asked about."""
    inner = ("source", "source")
    return lambda value, at, found: [
        ((*inner, name), value), (("source", "kind"), "FunnelsActorsQuery"), ((*inner, "kind"), "funnel"),
    ]  # fmt: skip


def _properties(value: Any, at: Path, found: Findings) -> Placed:
    """Whose values are compared; all of them in PostHog's way."""
    value = _several(value, at, found)
    names = value if isinstance(value, list) else [value]
    return [(("funnelCorrelationNames",), ["$all" if name in ("all", "*", True) else name for name in names])]


_DATES: dict[str, Short] = {"from": into("dateRange", "date_from"), "to": into("dateRange", "date_to")}
_ALL: dict[str, Short] = {**_DATES, "where": into("properties")}
_MATH: dict[str, Short] = {"math": into("math"), "property": into("math_property")}
# The common form. Each kind: its short names.
EASY: dict[str, dict[str, Short]] = {
    "TrendsQuery": {
        "events": _listed("series"), **_MATH, "by": _by, "limit": into("breakdownFilter", "breakdown_limit"), **_ALL,
        "compare": into("compareFilter"), "formula": _formula, "display": into("trendsFilter", "display"),
    },
    "FunnelsQuery": {
        "steps": _listed("series"), "window": within, "order": into(FUNNEL, "funnelOrderType"), "exclude": _excluded,
        "by": _by_one_type, "limit": into("breakdownFilter", "breakdown_limit"), **_ALL,
        "display": into(FUNNEL, "funnelVizType"),
    },
    "RetentionQuery": {
        "start": into(RETENTION, "targetEntity"), "return": into(RETENTION, "returningEntity"),
        "period": into(RETENTION, "period"), "periods": into(RETENTION, "totalIntervals"), "type": _retention_type,
        "by": _by, **_ALL,
    },
    "StickinessQuery": {
        "events": _listed("series"), **_MATH, "cumulative": _cumulative, **_ALL, "compare": into("compareFilter"),
        "display": into("stickinessFilter", "display"),
    },
    "LifecycleQuery": {"events": _listed("series"), **_ALL},
    "PathsQuery": {
        "events": path_events, "start": into(PATHS, "startPoint"), "end": into(PATHS, "endPoint"),
        "steps": into(PATHS, "stepLimit"), "limit": into(PATHS, "edgeLimit"),
        "exclude": _listed(PATHS, "excludeEvents"), **_ALL,
    },
    "HogQLQuery": {"sql": into("query")},
    "FunnelCorrelationQuery": {
        **{name: _of_funnel(name) for name in ("steps", "window", "order", "from", "to", "where")},
        "properties": _properties, "events": _listed("funnelCorrelationEventNames"),
    },
}  # fmt: skip
