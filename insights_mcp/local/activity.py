"""Who changed what: writing the activity log, and its two feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from insights_mcp.endpoints.activity import GetInsightActivity, ListActivity
from insights_mcp.local.account import people
from insights_mcp.local.calls import Call, answers, encoded, reply, whole
from insights_mcp.local.errors import invalid
from insights_mcp.local.insight_shape import find
from insights_mcp.local.store import Row, Store, iso

PAGE_SIZE = 10
MOST_PER_PAGE = 1000
EMPTY: tuple[Any, ...] = (None, "", [], {})
SYSTEM = {"first_name": "System", "email": None, "is_system": True}

Change = dict[str, Any]


@answers(GetInsightActivity)
def get_insight_activity(call: Call) -> Response:
    """The log of one insight."""
    return _feed(call, "where insight_id = ?", find(call.store, call.path["id"])["id"])


@answers(ListActivity)
def list_activity(call: Call) -> Response:
    """The log of all insights, deleted ones too."""
    return _feed(call, "")


def record(
    store: Store, insight: Row, activity: str, at: str, user_id: int | None, changes: list[Change] | None = None
) -> None:
    """Write an entry. An insight that has no name at all leaves no trace, as in PostHog."""
    name = insight["name"] or insight["derived_name"]
    if not name:
        return
    detail = {"changes": changes, "trigger": None, "type": None, "name": name, "short_id": insight["short_id"]}
    store.insert(
        "activity", insight_id=insight["id"], user_id=user_id, activity=activity,
        detail=encoded(detail).decode(), created_at=at,
    )  # fmt: skip


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two states of an insight, field by field."""
    return [change(name, before[name], after[name]) for name in before if before[name] != after[name]]


def change(name: str, before: Any, after: Any) -> Change:
    """One changed field. False is a value, not an absence."""
    action = "created" if _empty(before) else "deleted" if _empty(after) else "changed"
    return {"type": "Insight", "action": action, "field": name, "before": before, "after": after}


def _empty(value: Any) -> bool:
    return value is not False and value != 0 and value in EMPTY


def _feed(call: Call, where: str, *values: object) -> Response:
    limit, number = min(_positive(call, "limit", PAGE_SIZE), MOST_PER_PAGE), _positive(call, "page", 1)
    total = call.store.value(f"select count(*) from activity {where}", *values)
    rows = call.store.rows(
        f"select * from activity {where} order by created_at desc, id desc limit ? offset ?",
        *values,
        limit,
        limit * (number - 1),
    )
    users = people(call.store)
    following = call.link(page=number + 1, limit=limit) if number * limit < total else None
    previous = call.link(page=number - 1, limit=limit) if number > 1 else None
    entries = [_entry(row, users) for row in rows]
    return reply({"results": entries, "next": following, "previous": previous, "total_count": total})


def _entry(row: Row, users: dict[int, dict[str, Any]]) -> dict[str, Any]:
    user = users.get(row["user_id"])
    return {
        "user": {"first_name": user["first_name"], "email": user["email"]} if user else SYSTEM,
        "activity": row["activity"],
        "scope": "Insight",
        "item_id": str(row["insight_id"]),
        "detail": orjson.Fragment(row["detail"]),
        "created_at": iso(row["created_at"]),
    }


def _positive(call: Call, name: str, default: int) -> int:
    number = whole(call.query.get(name, str(default)))
    if number is None or not 1 <= number <= 1_000_000:
        raise invalid(f"{name} must be a positive integer", name)
    return number
