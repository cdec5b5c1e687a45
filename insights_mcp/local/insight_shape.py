"""A saved insight as the API sends it: the basic form of lists and the full one with its result.

Stored JSON and computed results are spliced into the reply as they are (`orjson.Fragment`), never parsed.
"""

from __future__ import annotations

from typing import Any

import orjson

from insights_mcp.local.calls import whole
from insights_mcp.local.errors import not_found
from insights_mcp.local.results import Outcome
from insights_mcp.local.store import Row, Store, iso

People = dict[int, dict[str, Any]]

EVERYONE_MAY_EDIT = 21
CAN_EDIT = 37
LIVE_TILES = """from tiles t join dashboards d on d.id = t.dashboard_id
        where t.insight_id = i.id and not t.deleted and not d.deleted"""
TILE = "json_object('id', t.id, 'dashboard_id', t.dashboard_id, 'deleted', null)"
SELECT = f"""select i.*,
    (select json_group_array(tag) from insight_tags where insight_id = i.id) as tags,
    (select json_group_array({TILE}) {LIVE_TILES}) as tiles,
    (select json_group_array(t.dashboard_id) {LIVE_TILES}) as dashboards,
    (select max(last_viewed_at) from views where insight_id = i.id) as last_viewed_at
    from insights i"""
NO_QUERY = orjson.Fragment(b'{"kind":"InsightVizNode","source":{"kind":"TrendsQuery","series":[]},"full":true}')
NOTHING = Outcome()
OF_RESULT = ("hasMore", "columns", "types", "hogql", "resolved_date_range", "timezone", "boxplot_data")


def find(store: Store, reference: str, *, deleted: bool = False) -> Row:
    """The insight of a number or short_id. Problem 404; a deleted one is found only when asked for."""
    alive = "" if deleted else " and not i.deleted"
    number = whole(reference) if reference.isdigit() else None
    row = number and store.row(f"{SELECT} where i.id = ?{alive}", number)
    row = row or store.row(f"{SELECT} where i.short_id = ?{alive}", reference)
    if row is None:
        raise not_found()
    return row


def basic(row: Row, users: People) -> dict[str, Any]:
    """The form of lists: no result."""
    return {
        "id": row["id"],
        "short_id": row["short_id"],
        "name": row["name"],
        "derived_name": row["derived_name"],
        "filters": orjson.Fragment(row["filters"]),
        "query": orjson.Fragment(row["query"]) if row["query"] else NO_QUERY,
        "dashboards": orjson.Fragment(row["dashboards"]),
        "dashboard_tiles": orjson.Fragment(row["tiles"]),
        "description": row["description"],
        "last_refresh": None,
        "refreshing": False,
        "saved": bool(row["saved"]),
        "tags": orjson.Fragment(row["tags"]),
        "updated_at": iso(row["updated_at"]),
        "created_by": users.get(row["created_by"]),
        "created_at": iso(row["created_at"]),
        "last_modified_at": iso(row["last_modified_at"]),
        "favorited": bool(row["favorited"]),
        "user_access_level": "manager",
        "last_viewed_at": iso(row["last_viewed_at"]),
    }


def full(row: Row, users: People, outcome: Outcome, alerts: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole insight with what was computed or cached. `last_viewed_at` is filled in lists only."""
    shape = basic(row, users) | {
        "order": row["order"],
        "deleted": bool(row["deleted"]),
        "last_modified_by": users.get(row["last_modified_by"]),
        "is_sample": bool(row["is_sample"]),
        "effective_restriction_level": EVERYONE_MAY_EDIT,
        "effective_privilege_level": CAN_EDIT,
        "alerts": alerts,
        "last_viewed_at": None,
        **computed(outcome),
    }
    del shape["refreshing"]
    return shape


def computed(outcome: Outcome) -> dict[str, Any]:
    """The fields of an insight that come from its result."""
    return {
        "result": None if outcome.results is None else orjson.Fragment(outcome.results),
        "last_refresh": iso(outcome.last_refresh),
        "cache_target_age": iso(outcome.target_age),
        "next_allowed_client_refresh": iso(outcome.next_refresh),
        "is_cached": outcome.is_cached,
        "query_status": outcome.status,
        "filters_hash": outcome.key,
        **{name: outcome.rest.get(name) for name in OF_RESULT},
    }
