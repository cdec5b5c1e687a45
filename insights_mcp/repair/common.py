"""The common form: a few short names, the same for all kinds, and where each leads in PostHog's query.

trends      events, math, by, formula, compare, display, limit, interval
funnel      steps, window, order, by, exclude, display
retention   start, return, period, periods, type, by
stickiness  events, cumulative, compare, interval
lifecycle   events, interval
paths       events, start, end, exclude, steps, limit
sql         sql
all         from, to, where; and every field of PostHog's own
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from insights_mcp.repair import dates, ranges
from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.words import INTERVALS, VALUES, word

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
WINDOW_UNITS = ("windowunit", "conversionwindowunit", "funnelwindowunit", "unit")
PATH_TYPES = ("$pageview", "$screen", "custom_event", "hogql")


def _at(*path: str) -> Short:
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


def _window(value: Any, at: Path, found: Findings) -> Placed:
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


def _path_events(value: Any, at: Path, found: Findings) -> Placed:
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


def _ends(value: Any, at: Path, found: Findings) -> Placed:
    """A whole date range in words."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{abs(value)} days"
    read = ranges.dated(value, at, found)
    return [(("dateRange", key), item) for key, item in read.items()] if isinstance(read, dict) else []


def _period(value: Any, at: Path, found: Findings) -> Placed:
    """A word such as week is how time is cut; others are a range."""
    if isinstance(value, str) and (word(value) in INTERVALS or word(value) in INTERVALS.values()):
        return [(("interval",), value)]
    return _ends(value, at, found)


def _compare_to(value: Any, at: Path, found: Findings) -> Placed:
    """Nothing is compared unless that is said, too."""
    return [(("compareFilter", "compare_to"), value), (("compareFilter", "compare"), True)]


def _days(value: Any, at: Path, found: Findings) -> Placed:
    """So many days back."""
    number = int(value) if isinstance(value, str) and value.strip().isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        return _ends(value, at, found)
    return [(("dateRange", "date_from"), f"-{number}d")]


def _start_and_return(value: Any, at: Path, found: Findings) -> Placed:
    """One event that people do again, or what they start with and what they come back for."""
    items = value if isinstance(value, list) else [value]
    if len(items) not in (1, 2):
        example = {"start": "signed up", "return": "$pageview"}
        found.wrong(at, f"{shown(value)} are not one event, or two: the start and the return", example=example)
        return []
    return [((RETENTION, "targetEntity"), items[0]), ((RETENTION, "returningEntity"), items[-1])]


def _cumulated(value: Any, at: Path, found: Findings) -> Placed:
    return [(("trendsFilter", "display"), "cumulative")] if value in (True, "true") else []


def _ordered(value: Any, at: Path, found: Findings) -> Placed:
    return [((FUNNEL, "funnelOrderType"), "ordered" if value in (True, "true") else "unordered")]


def _strict(value: Any, at: Path, found: Findings) -> Placed:
    return [((FUNNEL, "funnelOrderType"), "strict")] if value in (True, "true") else []


def _first_time(value: Any, at: Path, found: Findings) -> Placed:
    meant = "retention_first_time" if value in (True, "true") else "retention_recurring"
    return [((RETENTION, "retentionType"), meant)]


def _path_types(value: Any, at: Path, found: Findings) -> Placed:
    """The types of old filters, and in other words."""
    items = value if isinstance(value, list) else [value]
    read = [PATH_WORDS.get(word(each), each) if isinstance(each, str) else each for each in items]
    return _path_events(read, at, found)


def _untested(value: Any, at: Path, found: Findings) -> Placed:
    """The opposite of leaving test accounts out."""
    return [(("filterTestAccounts",), {True: False, False: True}.get(value, value))] if isinstance(value, bool) else []


def _tests(value: Any, at: Path, found: Findings) -> Placed:
    return [(("filterTestAccounts",), value)]


_DATES: dict[str, Short] = {"from": _at("dateRange", "date_from"), "to": _at("dateRange", "date_to")}
_ALL: dict[str, Short] = {**_DATES, "where": _at("properties")}
_MATH: dict[str, Short] = {"math": _at("math"), "property": _at("math_property")}
# The common form. Each kind: its short names.
EASY: dict[str, dict[str, Short]] = {
    "TrendsQuery": {
        "events": _listed("series"), **_MATH, "by": _by, "limit": _at("breakdownFilter", "breakdown_limit"), **_ALL,
        "compare": _at("compareFilter"), "formula": _formula, "display": _at("trendsFilter", "display"),
    },
    "FunnelsQuery": {
        "steps": _listed("series"), "window": _window, "order": _at(FUNNEL, "funnelOrderType"), "exclude": _excluded,
        "by": _by_one_type, "limit": _at("breakdownFilter", "breakdown_limit"), **_ALL,
        "display": _at(FUNNEL, "funnelVizType"),
    },
    "RetentionQuery": {
        "start": _at(RETENTION, "targetEntity"), "return": _at(RETENTION, "returningEntity"),
        "period": _at(RETENTION, "period"), "periods": _at(RETENTION, "totalIntervals"), "type": _retention_type,
        "by": _by, **_ALL,
    },
    "StickinessQuery": {
        "events": _listed("series"), **_MATH, "cumulative": _cumulative, **_ALL, "compare": _at("compareFilter"),
        "display": _at("stickinessFilter", "display"),
    },
    "LifecycleQuery": {"events": _listed("series"), **_ALL},
    "PathsQuery": {
        "events": _path_events, "start": _at(PATHS, "startPoint"), "end": _at(PATHS, "endPoint"),
        "steps": _at(PATHS, "stepLimit"), "limit": _at(PATHS, "edgeLimit"), "exclude": _listed(PATHS, "excludeEvents"),
        **_ALL,
    },
    "HogQLQuery": {"sql": _at("query")},
}  # fmt: skip
# Other names for the same: understood, and said. By their letters alone.
_AGAIN = {
    "events": "event metric metrics entities eventnames",
    "steps": "events event funnelsteps stages",
    "math": "aggregation aggregate measure countby",
    "property": "mathproperty mathon aggregateon",
    "from": "since startdate fromdate begin after",
    "to": "until enddate todate before",
    "where": "filter filters conditions propertyfilters",
    "by": "breakdown breakdowns groupby breakdownby splitby segmentby",
    "limit": "breakdownlimit maxedges maxbreakdowns",
    "compare": "comparison compareprevious comparewithprevious",
    "formula": "formulas",
    "display": "chart charttype visualization viz viztype displaytype graph graphtype",
    "window": "conversionwindow funnelwindow funnelwindowdays windowdays timewindow conversiontime within",
    "order": "ordertype funnelorder steporder",
    "exclude": "exclusion excluded excludes excludedevents",
    "start": "startpage frompage startevent targetevent target cohortevent initialevent",
    "return": "returnevent returning returningevent returns",
    "period": "interval granularity periodtype",
    "periods": "intervals numperiods numintervals",
    "type": "mode",
    "end": "endevent endpage topage",
    "sql": "query hogql statement",
}
_EVERYWHERE: dict[str, Short] = {
    **dict.fromkeys(["range", "dates", "timeframe", "timerange", "dateperiod", "timeperiod", "last"], _ends),
    "period": _period,
    **dict.fromkeys(["days", "lastdays", "numdays", "lookback", "lookbackdays", "dayback", "daysback"], _days),
    **dict.fromkeys(
        ["excludetestaccounts", "excludetestusers", "filtertestusers", "excludeinternalusers", "filterinternalusers",
         "filterinternalandtestusers", "filteroutinternalusers", "excludeinternalandtestusers"], _tests),
    **dict.fromkeys(["includetestaccounts", "includetestusers", "includeinternalusers"], _untested),
    **dict.fromkeys(["granularity", "bucket", "frequency", "groupinterval", "timeunit", "resolution", "unit",
                     "timegranularity"], _at("interval")),
}  # fmt: skip
# What only one kind is asked for, in words that are none of its short names.
_ONLY: dict[str, dict[str, Short]] = {
    "RetentionQuery": {**dict.fromkeys(["events", "event", "series"], _start_and_return), "firsttime": _first_time},
    "PathsQuery": dict.fromkeys(["pathtype", "eventtypes", "includeevents", "types"], _path_types),
    "FunnelsQuery": {
        **dict.fromkeys(WINDOW_UNITS, _at(FUNNEL, "funnelWindowIntervalUnit")),
        "ordered": _ordered,
        "strict": _strict,
    },
    "TrendsQuery": {
        "cumulative": _cumulated,
        **dict.fromkeys(
            ["smoothing", "smooth", "rollingaverage", "movingaverage", "rollingwindow"],
            _at("trendsFilter", "smoothingIntervals"),
        ),
    },
}
# Names that other kinds have, and why this one has not.
ZONE = {"timezone": "dates are in the project's time zone", "tz": "dates are in the project's time zone"}
ABSENT: dict[str, dict[str, str]] = {
    "TrendsQuery": ZONE,
    "FunnelsQuery": ZONE,
    "RetentionQuery": ZONE,
    "StickinessQuery": {"by": "stickiness cannot be split; use one query for each value, with where"},
    "LifecycleQuery": {"by": "a lifecycle cannot be split; use one query for each value, with where",
                       "compare": "a lifecycle has no comparison"},
    "PathsQuery": {"by": "paths cannot be split; use one query for each value, with where"},
    "HogQLQuery": dict.fromkeys(
        ("by", "from", "to", "where", "events", "interval", "limit"), "SQL says this in its own text"
    ),
}  # fmt: skip


def shorts(kind: str) -> dict[str, Short]:
    """Every short name of a kind, by its letters alone, those of the common form first."""
    easy = EASY.get(kind, {})
    again = {other: easy[name] for name, others in _AGAIN.items() if name in easy for other in others.split()}
    everywhere = _EVERYWHERE if "from" in easy else {}
    to = {"compareto": _compare_to} if "compare" in easy else {}
    return everywhere | to | again | _ONLY.get(kind, {}) | easy


def with_unit(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """A funnel's window with the unit that stands beside it."""
    own = {each for each, short in shorts("FunnelsQuery").items() if short is _window}
    window = next((key for key in query if word(key) in own), None)
    unit = next((key for key in query if word(key) in WINDOW_UNITS), None)
    if window is None or unit is None or not str(query[window]).strip().isdigit() or not isinstance(query[unit], str):
        return query
    both = f"{query[window]} {query[unit]}"
    found.said((*at, unit), f"the unit of {window}")
    return {key: both if key == window else item for key, item in query.items() if key != unit}


def absent(kind: str, name: str) -> str | None:
    """Why a kind has no such field, where it is known."""
    own = ABSENT.get(kind, {})
    said = word(name)
    return next((why for each, why in own.items() if said == each or said in _AGAIN.get(each, "").split()), None)
