"""Other names for what the common form says: understood, and said where they are."""

from __future__ import annotations

import re
from typing import Any

from insights_mcp.repair import ranges
from insights_mcp.repair.common import EASY, FUNNEL, PATH_WORDS, RETENTION, Placed, Short, into, path_events, within
from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.words import INTERVALS, word

WINDOW_UNITS = ("windowunit", "windowintervalunit", "conversionwindowunit", "funnelwindowunit", "unit")


def _ends(value: Any, at: Path, found: Findings) -> Placed:
    """A whole date range in words."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{abs(value)} days"
    read = ranges.dated(value, at, found)
    return [(("dateRange", key), item) for key, item in read.items()] if isinstance(read, dict) else []


def _period(value: Any, at: Path, found: Findings) -> Placed:
    """A word such as week is how time is cut; others, and `30d`, are a range."""
    said = word(value) if isinstance(value, str) else ""
    if not re.search(r"\d", said) and (said in INTERVALS or said in INTERVALS.values()):
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
    return path_events(read, at, found)


def _untested(value: Any, at: Path, found: Findings) -> Placed:
    """The opposite of leaving test accounts out."""
    return [(("filterTestAccounts",), {True: False, False: True}.get(value, value))] if isinstance(value, bool) else []


def _tests(value: Any, at: Path, found: Findings) -> Placed:
    return [(("filterTestAccounts",), value)]


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
    "window": "conversionwindow funnelwindow funnelwindowdays windowdays conversionwindowdays windowinterval "
    "timewindow conversiontime within",
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
                     "timegranularity"], into("interval")),
}  # fmt: skip
# What only one kind is asked for, in words that are none of its short names.
_ONLY: dict[str, dict[str, Short]] = {
    "RetentionQuery": {**dict.fromkeys(["events", "event", "series"], _start_and_return), "firsttime": _first_time},
    "PathsQuery": dict.fromkeys(["pathtype", "eventtypes", "includeevents", "types"], _path_types),
    "FunnelsQuery": {
        **dict.fromkeys(WINDOW_UNITS, into(FUNNEL, "funnelWindowIntervalUnit")),
        "ordered": _ordered,
        "strict": _strict,
    },
    "TrendsQuery": {
        "cumulative": _cumulated,
        **dict.fromkeys(
            ["smoothing", "smooth", "rollingaverage", "movingaverage", "rollingwindow"],
            into("trendsFilter", "smoothingIntervals"),
        ),
    },
}
ZONE = dict.fromkeys(("timezone", "tz"), "dates are in the project's time zone")
# Names that other kinds have, and why this one has not.
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
    own = {each for each, short in shorts("FunnelsQuery").items() if short is within}
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
