"""What an update changes, in words; what it takes along; and the call that undoes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from insights_mcp.answer.pieces import dumps
from insights_mcp.schema.insight import Insight
from insights_mcp.schema.query import slim, source_of
from insights_mcp.text import counted, quoted
from insights_mcp.words import changes
from insights_mcp.words.differences import MINUS

SHORT = 60
MOST = 8
IN_A_SENTENCE = 380  # characters
AS_FACT = 1_500
MAY_ALERT = ("TrendsQuery", "HogQLQuery", "FunnelsQuery")
BACK = (("add", MINUS), ("remove", "+"))
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
    return [(MINUS, item) for item in now if item not in value] + [("+", item) for item in value if item not in now]


def in_a_sentence(lines: list[str]) -> str:
    """The lines in a row, the first few."""
    more = f"; and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return ("; ".join(lines[:MOST]) + more).removesuffix(".")


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


def undo(before: Insight, wanted: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The call that puts back what was there; its arguments as a fact, if they are too long for a sentence."""
    arguments = {"id": str(before.id)} | {k: v for field in wanted for k, v in _undone(before, field, wanted[field])}
    call = f"Undo: update_insight({', '.join(f'{name}={dumps(value)}' for name, value in arguments.items())})."
    if len(call) <= IN_A_SENTENCE:
        return call, {}
    if len(dumps(arguments)) <= AS_FACT:
        return "Undo: update_insight with the arguments in `undo`.", {"undo": arguments}
    return f"Undo: get_insight_activity(id='{before.id}', detail='full') holds all that was there.", {}


def _undone(before: Insight, field: str, value: Any) -> Iterable[tuple[str, Any]]:
    now = current(before, field)
    if field in ADDED_AND_REMOVED:
        moved = _moved(now, value)
        back = {
            "add": [item for sign, item in moved if sign == MINUS],
            "remove": [i for sign, i in moved if sign == "+"],
        }
        return [(f"{verb}_{field}", list(map(str, items))) for verb, items in back.items() if items]
    if field == "query":
        return [(field, slim(now or {}))]
    return [(field, now or before.title if field == "name" else now)]
