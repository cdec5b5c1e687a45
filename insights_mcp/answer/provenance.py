"""Where a result's numbers come from, in one line: dates, zone, filters in words, freshness, limits, link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from insights_mcp.answer.asked import Asked, instant, local
from insights_mcp.answer.numbers import duration
from insights_mcp.answer.pieces import dumps
from insights_mcp.text import clean, shortened

MOST_FILTERS = 4
FILTER = 90
OPERATORS = {
    "exact": "=", "is_not": "≠", "icontains": "contains", "not_icontains": "does not contain", "regex": "matches",
    "not_regex": "does not match", "gt": ">", "gte": "≥", "lt": "<", "lte": "≤", "min": "≥", "max": "≤",
    "is_set": "is set", "is_not_set": "is not set", "is_date_before": "before", "is_date_after": "after",
    "is_date_exact": "on", "between": "between", "not_between": "not between", "in": "in", "not_in": "not in",
}  # fmt: skip
WITHOUT_VALUE = frozenset({"is_set", "is_not_set"})
TYPES_WITHOUT_VALUE = frozenset({"hogql", "behavioral"})
BETWEEN = frozenset({"between", "not_between"})
OUTSIDE = frozenset({"not_in", "is_not"})
SQL = "HogQLQuery"
OF_ROWS = (SQL, "EventsQuery", "ActorsQuery")


def provenance(
    asked: Asked,
    *,
    computed: str | None,
    cached: bool,
    now: datetime,
    unfinished: bool = False,
    begun: bool = False,
    link: str = "",
) -> str:
    """The line. Test accounts, filters and breakdown are told of queries that can have them.

    `unfinished`: the last bucket is not over; `begun`: the first began before the window.
    """
    parts = [window(asked), *(_filters(asked.source) if asked.source.get("kind") != SQL else ())]
    parts += [_freshness(computed, cached, now), "first bucket partial" if begun else ""]
    parts += ["last bucket partial" if unfinished else ""]
    parts += [_limit(asked) if asked.has_more else "", clean(link, 200)]
    return "; ".join(part for part in parts if part)


def window(asked: Asked) -> str:
    """From when to when, and in which zone."""
    zone = clean(asked.zone or "", 40)
    ends = [_day(asked.date_from, asked.zone), _day(asked.date_to, asked.zone)]
    if not ends[0]:
        return zone
    return f"{ends[0]} to {ends[1] or 'now'}" + (f" ({zone})" if zone else "")


def _day(text: str | None, zone: str | None) -> str:
    """A moment, without the clock where it is a day's begin or end."""
    found = local(text, zone)
    if found is None:
        return clean(text or "", 40)
    clock = found.strftime("%H:%M:%S")
    return found.strftime("%Y-%m-%d") if clock in ("00:00:00", "23:59:59") else found.strftime("%Y-%m-%d %H:%M")


def _filters(source: dict[str, Any]) -> list[str]:
    """Test accounts in or out, conditions, breakdown, sampling."""
    parts = [f"test accounts {'out' if source.get('filterTestAccounts') is True else 'in'}"]
    found = [*conditions(source.get("properties")), *_of_series(source.get("series"))]
    if found:
        more = f" and {len(found) - MOST_FILTERS} more" if len(found) > MOST_FILTERS else ""
        parts.append(f"where {', '.join(found[:MOST_FILTERS])}{more}")
    sampling = source.get("samplingFactor")
    sampled = isinstance(sampling, int | float) and 0 < sampling < 1
    return [*parts, _breakdown(source.get("breakdownFilter")), f"sample of {sampling:.3g}" if sampled else ""]


def conditions(properties: Any, joined: str = " and ") -> list[str]:
    """Property filters in words; a group that is one of several stands in brackets."""
    if isinstance(properties, dict):
        word = " or " if properties.get("type") == "OR" else " and "
        inner = [c for value in _list(properties.get("values")) for c in conditions([value], word)]
        return inner if word == joined or len(inner) < 2 else [f"({word.join(inner)})"]
    return [c for item in _list(properties) for c in _condition(item, joined)]


def is_begun(item: dict[str, Any]) -> bool:
    """Whether a filter was saved before its value was chosen: PostHog passes it over."""
    of, does = str(item.get("type")), str(item.get("operator"))  # of a saved insight they can be anything
    said = does in WITHOUT_VALUE or of in TYPES_WITHOUT_VALUE or "values" in item
    return item.get("value") is None and not said


def _condition(item: Any, joined: str) -> list[str]:
    if not isinstance(item, dict):
        return []
    if is_begun(item):
        return [clean(f"{item['key']} (no value: passed over)", FILTER)] if item.get("key") else []
    if "values" in item:
        return conditions(item, joined)
    operator = str(item.get("operator") or "exact")
    if item.get("type") == "cohort":
        word = "not in" if operator in OUTSIDE or item.get("negation") is True else "in"
        return [clean(f"{word} cohort {item.get('cohort_name') or _value(item.get('value'))}", FILTER)]
    joined = " and " if operator in BETWEEN else " or "
    value = "" if operator in WITHOUT_VALUE or item.get("type") == "hogql" else f" {_value(item.get('value'), joined)}"
    word = "" if item.get("type") == "hogql" else f" {OPERATORS.get(operator, clean(operator, 30))}"
    return [clean(f"{item.get('label') or item.get('key')}{word}{value}", FILTER)]


def _value(value: Any, joined: str = " or ") -> str:
    if isinstance(value, list):
        rest = f" … +{len(value) - 3}" if len(value) > 3 else ""
        return joined.join(map(_value, value[:3])) + rest
    return shortened(value if isinstance(value, str) else dumps(value), 40)


def _of_series(series: Any) -> list[str]:
    """Conditions on single series, with whose they are."""
    return [
        clean(f"{_named(entity)}: {condition}", FILTER)
        for entity in _list(series) if isinstance(entity, dict)
        for condition in conditions(entity.get("properties"))
    ]  # fmt: skip


def _named(entity: dict[str, Any]) -> str:
    return str(entity.get("custom_name") or entity.get("name") or entity.get("event") or "series")


def _breakdown(given: Any) -> str:
    if not isinstance(given, dict):
        return ""
    several = [item.get("property") for item in _list(given.get("breakdowns")) if isinstance(item, dict)]
    one = given.get("breakdown")
    names = several or (one if isinstance(one, list) else [one])
    told = ", ".join(clean(name, 40) for name in names[:3] if name is not None)
    return f"by {told}" if told else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _freshness(computed: str | None, cached: bool, now: datetime) -> str:
    """When it was computed; how long ago, if it comes from the cache."""
    at = instant(computed)
    if at is None:
        return "cached" if cached else ""
    if not cached:
        return (
            f"computed {at:%Y-%m-%d %H:%M}Z" if at.utcoffset() == now.utcoffset() else f"computed {clean(computed, 40)}"
        )
    return f"computed {duration(max((now - at).total_seconds(), 1))} ago (cached)"


def _limit(asked: Asked) -> str:
    return "row limit hit" if asked.source.get("kind") in OF_ROWS else "breakdown limit hit"
