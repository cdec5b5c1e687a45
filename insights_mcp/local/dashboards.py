"""Dashboards: list, read with their insights, make and change. Mirrors `/dashboards/`."""

from __future__ import annotations

import json
from typing import Any

import orjson
from starlette.responses import Response

from insights_mcp.endpoint import Effect, Route
from insights_mcp.endpoints.account import DASHBOARDS, GetDashboard, ListDashboards
from insights_mcp.local import fields
from insights_mcp.local.account import people
from insights_mcp.local.auth import require
from insights_mcp.local.calls import Call, answers, bounds, encoded, page, reply, whole
from insights_mcp.local.errors import invalid, not_found
from insights_mcp.local.insight_shape import CAN_EDIT, EVERYONE_MAY_EDIT, SELECT, People
from insights_mcp.local.insights import with_filters
from insights_mcp.local.store import Row, iso

DASHBOARD = DASHBOARDS + "{id}/"
# No endpoint of the catalogue asks for it, so it is no Scope and is checked here.
WRITE = "dashboard:write"
LONGEST_SEARCH = 200
ON_DASHBOARD = f"""select t.id as tile_id, t.layouts, t.color as tile_color, shown.* from tiles t
    join ({SELECT}) shown on shown.id = t.insight_id
    where t.dashboard_id = ? and not t.deleted and not shown.deleted order by t.id"""


@answers(ListDashboards)
def list_dashboards(call: Call) -> Response:
    """One page of the dashboards, pinned ones first, then by name."""
    limit, offset = bounds(call)
    text = call.query.get("search", "").strip().casefold()
    if len(text) > LONGEST_SEARCH:
        raise invalid(f"Search query must be {LONGEST_SEARCH} characters or fewer.", "search")
    where = "not deleted and instr(folded(name) || char(10) || folded(description), ?)"
    count = call.store.value(f"select count(*) from dashboards where {where}", text)
    rows = call.store.rows(
        f"select * from dashboards where {where} order by pinned desc, folded(name), id limit ? offset ?",
        text, limit, offset,
    )  # fmt: skip
    users = people(call.store)
    return page(call, [_basic(row, users) for row in rows], count, limit, offset)


@answers(GetDashboard)
async def get_dashboard(call: Call) -> Response:
    """A dashboard with its tiles; each insight is computed with the dashboard's filters."""
    return reply(await _whole(call, _find(call, whole(call.path["id"]))))


@answers(Route("POST", DASHBOARDS, None, Effect.WRITE, repeatable=False))
async def create_dashboard(call: Call) -> Response:
    """Make a dashboard."""
    require(call.caller, WRITE)
    given = fields.read(call.body, WRITABLE)
    number = call.store.insert("dashboards", created_at=call.stamp, created_by=call.user_id, **_columns(given))
    return reply(await _whole(call, _find(call, number)), 201)


@answers(Route("PATCH", DASHBOARD, None, Effect.DESTRUCTIVE))
async def update_dashboard(call: Call) -> Response:
    """Change a dashboard; `deleted: true` deletes it and takes its tiles away, `deleted: false` brings it back."""
    require(call.caller, WRITE)
    given = fields.read(call.body, WRITABLE)
    row = _find(call, whole(call.path["id"]), deleted=given.get("deleted") is False)
    with call.store.transaction():
        call.store.update("dashboards", row["id"], **_columns(given))
        if given.get("deleted") and call.body.get("delete_insights") is True:
            call.store.change(
                "update insights set deleted = 1 where id in (select insight_id from tiles where dashboard_id = ?)",
                row["id"],
            )
    return reply(await _whole(call, _find(call, row["id"], deleted=True)))


@answers(Route("DELETE", DASHBOARD, None, Effect.DESTRUCTIVE))
def destroy_dashboard(call: Call) -> Response:
    """Never: 405 with nothing in it."""
    require(call.caller, WRITE)
    return Response(status_code=405)


def _find(call: Call, number: int | None, *, deleted: bool = False) -> Row:
    alive = "" if deleted else " and not deleted"
    row = call.store.row(f"select * from dashboards where id = ?{alive}", number)
    if row is None:
        raise not_found()
    return row


async def _whole(call: Call, row: Row) -> dict[str, Any]:
    users, filters = people(call.store), json.loads(row["filters"])
    found = call.store.rows(ON_DASHBOARD, row["id"])
    tiles = [
        {
            "id": tile["tile_id"],
            "layouts": orjson.Fragment(tile["layouts"]),
            "color": tile["tile_color"],
            "insight": await with_filters(call, tile, users, filters),
            "text": None,
            "order": position,
        }
        for position, tile in enumerate(found)
    ]
    more = {"filters": filters, "variables": {}, "persisted_filters": filters, "persisted_variables": None}
    return _basic(row, users) | more | {"breakdown_colors": [], "data_color_theme_id": None, "tiles": tiles}


def _basic(row: Row, users: People) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "pinned": bool(row["pinned"]),
        "created_at": iso(row["created_at"]),
        "created_by": users.get(row["created_by"]),
        "last_accessed_at": None,
        "is_shared": False,
        "deleted": bool(row["deleted"]),
        "creation_mode": "default",
        "tags": orjson.Fragment(row["tags"]),
        "restriction_level": EVERYONE_MAY_EDIT,
        "effective_restriction_level": EVERYONE_MAY_EDIT,
        "effective_privilege_level": CAN_EDIT,
        "user_access_level": "manager",
        "access_control_version": "v2",
        "last_refresh": None,
        "team_id": 1,
    }


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    return {name: encoded(v).decode() if name in ("tags", "filters") else v for name, v in given.items()}


WRITABLE: dict[str, fields.Field] = {
    "name": fields.text(400),
    "description": fields.text(),
    "pinned": fields.boolean,
    "tags": fields.tags,
    "filters": fields.json_object,
    "deleted": fields.boolean,
}
