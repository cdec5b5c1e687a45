"""Date ranges, comparisons and breakdowns as models write them."""

from __future__ import annotations

import re
from typing import Any

from insights_mcp.repair import dates
from insights_mcp.repair.comparisons import OWNERS, unprefixed, whose
from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.values import from_json
from insights_mcp.repair.words import PROPERTY_TYPES, WHOSE, nearly, spoken, word
from insights_mcp.schema.filters import BreakdownFilter

DATES = spoken({"date_from": "from start startdate since after begin", "date_to": "to end enddate until before"})
RANGE = {"date_from": "-30d"}
BREAKDOWNS = spoken(
    {
        "breakdown": "property key name",
        "breakdowns": "properties",
        "breakdown_type": "type",
        "breakdown_limit": "limit",
        "breakdown_histogram_bin_count": "histogrambincount",
        "breakdown_group_type_index": "grouptypeindex",
        "breakdown_normalize_url": "normalizeurl",
        "breakdown_hide_other_aggregation": "hideotheraggregation",
    }
)
BREAKDOWN = {"breakdowns": [{"property": "$browser", "type": "event"}]}
MOST = 3  # breakdowns at once
MOST_DAYS = 1_900  # that a number may mean; above, it may be a year
TYPES = tuple(t for t in PROPERTY_TYPES if t not in ("flag", "element", "recording", "log_entry", "meta", "empty"))
PREVIOUS = frozenset({"previous", "previousperiod", "previous_period", "period", "prior", "priorperiod", "last"})


def dated(value: Any, at: Path, found: Findings) -> Any:
    """A date range with dates that PostHog reads as they are meant."""
    value = from_json(value, at, found)
    if isinstance(value, str) and (ends := dates.span(value)):
        value = found.repaired(at, value, _range(*ends))
    if isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value):
        value = found.repaired(at, value, {"date_from": value[0], "date_to": value[1]})
    if not isinstance(value, dict):
        found.wrong(at, f"{shown(value)} is no date range: {dates.FORMS}", example=RANGE)
        return value
    return _ends(renamed(DATES, value, at, found), at, found)


def _range(first: str, last: str | None) -> dict[str, str]:
    return {"date_from": first} | ({"date_to": last} if last else {})


def _ends(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    ends = dict(value)
    for name in ("date_from", "date_to"):
        given = value.get(name)
        if given is None:
            continue
        text = _text(given)
        read = _end(name, text, whole=found.easy) if text or given == "" else None
        if read is None:
            found.wrong((*at, name), f"{shown(given)} is no date: {dates.FORMS}", example={name: "-30d"})
            continue
        first, last = read
        if first != given:
            ends[name] = found.repaired((*at, name), given, first)
        if last and value.get("date_to") is None:
            ends["date_to"] = last
            found.said((*at, "date_to"), f"missing → {shown(last)}, the end of {shown(given)}")
    return ends


def _text(given: Any) -> str:
    """A date as text: a number is a moment, or so many days back."""
    number = int(given) if isinstance(given, str) and re.fullmatch(r"-?\d{1,3}", given) else given
    if type(number) is not int:
        return given if isinstance(given, str) else ""
    if 0 < abs(number) < MOST_DAYS:
        return f"-{abs(number)}d"
    return str(number) if dates.EPOCH.fullmatch(str(number)) else ""


def _end(name: str, text: str, *, whole: bool) -> dates.Ends | None:
    """`whole`: a month is meant from its first day to its last; PostHog takes it for its first."""
    if name == "date_from":
        return dates.since(text) if whole else dates.start(text)
    last = dates.whole(text) if whole else dates.end(text)
    return None if last is None else (last, None)


def compared(value: Any, at: Path, found: Findings) -> Any:
    """A comparison: with the period before, or with one so long ago."""
    value = from_json(value, at, found)
    if isinstance(value, bool):
        return found.expanded(at, value, {"compare": value})
    if isinstance(value, str):
        value = found.expanded(at, value, _comparison(value))
    if not isinstance(value, dict):
        found.wrong(at, f"{shown(value)} is no comparison", example={"compare": True, "compare_to": "-1w"})
        return value
    to = value.get("compare_to")
    if isinstance(to, str) and word(to) in PREVIOUS:
        found.repaired((*at, "compare_to"), to, None)
        return value | {"compare": True, "compare_to": None}
    if isinstance(to, str) and to and (ago := dates.start(to)) and ago[0] != to:
        return value | {"compare_to": found.repaired((*at, "compare_to"), to, _ago(ago[0]))}
    return value


def _comparison(text: str) -> Any:
    said = word(text)
    if said in PREVIOUS or said in ("true", "yes"):
        return {"compare": True}
    if said in ("false", "no", "none", "off", ""):
        return {"compare": False}
    ago = dates.start(text)
    return {"compare": True, "compare_to": _ago(ago[0])} if ago else text


def _ago(text: str) -> str:
    """`-1wStart`, the beginning of the week before, is a week ago."""
    return text.removesuffix("Start")


def broken_down(value: Any, at: Path, found: Findings) -> Any:
    """What a query is split by: one or several properties, by name or with whose they are."""
    value = from_json(value, at, found)
    if isinstance(value, str | list):
        with found.reading(easy=True):
            read = several(value, at, found)
        return found.expanded(at, value, {"breakdowns": read})
    if not isinstance(value, dict):
        found.wrong(at, f"{shown(value)} is nothing to split by", example=BREAKDOWN)
        return value
    value = renamed(BREAKDOWNS, value, at, found)
    if isinstance(value.get("breakdown"), dict) and "breakdowns" not in value:
        inner = value["breakdown"]
        rest = {key: item for key, item in value.items() if key != "breakdown"}
        value = rest | found.repaired((*at, "breakdown"), inner, {"breakdowns": several(inner, at, found)})
    name, kind = value.get("breakdown"), value.get("breakdown_type")
    if isinstance(name, str) and kind in (None, "event", "person") and (bare := unprefixed(name, {"type": kind})):
        value = value | {"breakdown": found.repaired((*at, "breakdown"), name, bare)}
    if "breakdown_type" in value:
        value = value | {"breakdown_type": type_of(value["breakdown_type"], (*at, "breakdown_type"), found)}
    if "breakdowns" in value and value["breakdowns"] is not None:
        value = value | {"breakdowns": several(value["breakdowns"], (*at, "breakdowns"), found)}
    return value


def several(value: Any, at: Path, found: Findings) -> Any:
    """A list of breakdowns, each with its property."""
    items = from_json(value, at, found)
    items = items if isinstance(items, list) else [items]
    if len(items) > MOST:
        found.wrong(at, f"{len(items)} breakdowns, and {MOST} at most are allowed", example=BREAKDOWN["breakdowns"])
    return [_one(each, (*at, place) if isinstance(value, list) else at, found) for place, each in enumerate(items)]


def owned(value: Any) -> Any:
    """`{"person": "plan"}` is `person.plan`."""
    if isinstance(value, dict) and len(value) == 1:
        ((owner, name),) = value.items()
        return f"{owner}.{name}" if owner in OWNERS and isinstance(name, str) else value
    return value


def _one(value: Any, at: Path, found: Findings) -> Any:
    value = owned(value)
    if isinstance(value, str):
        owner, name = whose(value)
        return found.expanded(at, value, {"property": name, **owner})
    if not isinstance(value, dict):
        return value
    names = {"breakdown": "property", "key": "property", "name": "property", "breakdowntype": "type"}
    value = renamed(names, value, at, found)
    return value | {"type": type_of(value["type"], (*at, "type"), found)} if "type" in value else value


def type_of(given: Any, at: Path, found: Findings) -> Any:
    """Whose property is meant, in PostHog's words."""
    if given is None or given in TYPES:
        return given
    meant = WHOSE.get(word(given)) if isinstance(given, str) else None
    if meant is None and isinstance(given, str):
        meant = next((t for t in TYPES if word(t) == word(given)), None) or nearly(given, TYPES)
    if meant:
        return found.repaired(at, given, meant)
    found.not_allowed(at, given, TYPES, BREAKDOWN)
    return given


def renamed(names: dict[str, str], value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """The object with other names for its fields put right, where the right one is not there."""
    read: dict[str, Any] = {}
    for key, item in value.items():
        kept = key in names.values() or (key in BreakdownFilter.model_fields and word(key) not in names)
        name = key if kept else names.get(word(key), key)
        if name != key and (name in value or name in read):
            name = key
        if name != key:
            found.moved((*at, key), (*at, name))
        read[name] = item
    return read
