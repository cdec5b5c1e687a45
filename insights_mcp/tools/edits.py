"""What an update changes, in words; what it takes along; and the call that undoes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from insights_mcp.answer.pieces import dumps
from insights_mcp.schema.insight import Insight
from insights_mcp.schema.query import slim, source_of
from insights_mcp.text import counted, quoted
from insights_mcp.words import changes

SHORT = 60
MOST = 8
INLINE = 220  # characters of a former query that the call shows
IN_FACTS = 1_500
FORMER_QUERY = "former_query"
MAY_ALERT = ("TrendsQuery", "HogQLQuery", "FunnelsQuery")
ADDED_AND_REMOVED = {"tags": "tag", "dashboards": "dashboard"}


def told(before: Insight, wanted: dict[str, Any]) -> list[str]:
    """Each change, a line."""
    return [line for field, value in wanted.items() for line in _told(before, field, value)]


def _told(before: Insight, field: str, value: Any) -> Iterable[str]:
    now = current(before, field)
    if field == "query":
        return changes(now, value) or ["query in another form"]
    if field == "favorited":
        return ["now a favorite" if value else "no longer a favorite"]
    if noun := ADDED_AND_REMOVED.get(field):
        return [f"{noun} {sign} {quoted(item) if noun == 'tag' else item}" for sign, item in _moved(now, value)]
    return [f"{field} {quoted(now or '', SHORT)} → {quoted(value, SHORT)}"]


def _moved(now: list[Any], value: list[Any]) -> list[tuple[str, Any]]:
    return [("−", item) for item in now if item not in value] + [("+", item) for item in value if item not in now]


def in_a_sentence(lines: list[str]) -> str:
    """The lines in a row, the first few."""
    more = f"; and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return "; ".join(lines[:MOST]) + more


def current(insight: Insight, field: str) -> Any:
    """What a field holds, in the form in which it is given."""
    if field == "dashboards":
        return insight.on_dashboards
    if field == "description":
        return insight.description or ""
    return bool(insight.favorited) if field == "favorited" else getattr(insight, field)


def warnings(before: Insight, wanted: dict[str, Any]) -> tuple[str, ...]:
    """What a new query does to the alerts on the insight."""
    if "query" not in wanted or not before.alerts:
        return ()
    alerts, source = counted(len(before.alerts), "alert"), source_of(wanted["query"])
    if source.get("kind") not in MAY_ALERT:
        return (f"The new kind of query cannot carry alerts: PostHog deletes the insight's {alerts} for good.",)
    series = source.get("series")
    lost = [alert for alert in before.alerts if isinstance(series, list) and _series_of(alert) >= len(series)]
    if lost and source.get("kind") == "TrendsQuery":
        return (f"{alerts} on it; {len(lost)} of them watch a series that the new query does not have.",)
    return (f"{alerts} on it will watch the new query's values: see list_thresholds.",)


def _series_of(alert: dict[str, Any]) -> int:
    config = alert.get("config")
    place = config.get("series_index") if isinstance(config, dict) else None
    return place if isinstance(place, int) else 0


def undo(before: Insight, wanted: dict[str, Any]) -> str:
    """The call that puts back what was there."""
    arguments = [f"id='{before.id}'", *(text for field in wanted for text in _undone(before, field, wanted[field]))]
    return f"Undo: update_insight({', '.join(arguments)})."


def _undone(before: Insight, field: str, value: Any) -> Iterable[str]:
    now = current(before, field)
    if field in ADDED_AND_REMOVED:
        moved = _moved(now, value)
        back = {"add": [item for sign, item in moved if sign == "−"], "remove": [i for sign, i in moved if sign == "+"]}
        return [f"{verb}_{field}={dumps(list(map(str, items)))}" for verb, items in back.items() if items]
    if field == "query":
        return [f"query={dumps(_slim(before)) if _is_inline(before) else FORMER_QUERY}"]
    return [f"{field}={dumps(now) if field != 'name' else dumps(now or before.title)}"]


def former(before: Insight, wanted: dict[str, Any]) -> dict[str, Any]:
    """The former query, if it is too long to stand in the call that undoes."""
    if "query" not in wanted or _is_inline(before):
        return {}
    held = _slim(before)
    where = f"get_insight_activity(id='{before.id}', detail='full') holds it"
    return {FORMER_QUERY: held if len(dumps(held)) <= IN_FACTS else where}


def _is_inline(before: Insight) -> bool:
    return len(dumps(_slim(before))) <= INLINE


def _slim(before: Insight) -> dict[str, Any]:
    found: dict[str, Any] = slim(before.query or {})
    return found
