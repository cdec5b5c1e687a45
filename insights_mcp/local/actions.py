"""Actions: events under one name, defined by steps. Mirrors `/api/projects/:project_id/actions/`."""

from __future__ import annotations

import json
from typing import Any

import orjson
from starlette.responses import Response

from insights_mcp.endpoint import Effect, Route
from insights_mcp.endpoints.definitions import ListActions
from insights_mcp.local import fields
from insights_mcp.local.auth import require
from insights_mcp.local.calls import Call, answers, encoded
from insights_mcp.local.errors import invalid
from insights_mcp.local.insight_shape import People
from insights_mcp.local.queries.project import Action
from insights_mcp.local.saved import Saved
from insights_mcp.local.store import Row, Store, iso
from insights_mcp.scopes import Scope

ACTION = ListActions.route.path + "{id}/"
# No endpoint of the catalogue asks for it, so it is no Scope and is checked here.
WRITE = "action:write"
MATCHINGS = ("contains", "regex", "exact", None)


def defined(store: Store) -> dict[int, Action]:
    """The actions by number, as the engine needs them."""
    rows = store.rows("select id, name, steps from actions where not deleted")
    return {row["id"]: Action(row["id"], row["name"], json.loads(row["steps"])) for row in rows}


@answers(ListActions)
def list_actions(call: Call) -> Response:
    """One page of the actions, by name."""
    return SAVED.listed(call)


@answers(Route("GET", ACTION, Scope.ACTION_READ))
def get_action(call: Call) -> Response:
    """One action."""
    return SAVED.replied(call, SAVED.found(call)["id"])


@answers(Route("POST", ListActions.route.path, None, Effect.WRITE, repeatable=False))
def create_action(call: Call) -> Response:
    """Define an action."""
    require(call.caller, WRITE)
    fields.required(call.body, ("name",))
    given = fields.read(call.body, WRITABLE)
    number = call.store.insert(
        "actions", created_at=call.stamp, updated_at=call.stamp, created_by=call.user_id, **_columns(given)
    )
    return SAVED.replied(call, number, 201)


@answers(Route("PATCH", ACTION, None, Effect.DESTRUCTIVE))
def update_action(call: Call) -> Response:
    """Change an action; `deleted: true` deletes it."""
    require(call.caller, WRITE)
    row = SAVED.found(call, deleted=call.body.get("deleted") is False)
    given = fields.read(call.body, WRITABLE)
    call.store.update("actions", row["id"], updated_at=call.stamp, **_columns(given))
    return SAVED.replied(call, row["id"])


def _shape(row: Row, users: People) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "tags": orjson.Fragment(row["tags"]),
        "post_to_slack": False,
        "slack_message_format": "",
        "steps": orjson.Fragment(row["steps"]),
        "created_at": iso(row["created_at"]),
        "created_by": users.get(row["created_by"]),
        "deleted": bool(row["deleted"]),
        "is_calculating": False,
        "last_calculated_at": iso(row["updated_at"]),
        "team_id": 1,
        "is_action": True,
        "pinned_at": None,
    }


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    return {name: encoded(value).decode() if name in ("tags", "steps") else value for name, value in given.items()}


def _step(value: Any, name: str) -> dict[str, Any]:
    step = fields.json_object(value, name)
    for key in ("url_matching", "text_matching", "href_matching"):
        if step.get(key) not in MATCHINGS:
            raise invalid(f'"{step[key]}" is not a valid choice.', f"{name}__{key}", "invalid_choice")
    for key in ("event", "url", "text", "href", "selector", "tag_name"):
        if not isinstance(step.get(key), str | None):
            raise invalid("Not a valid string.", f"{name}__{key}")
    fields.filters(step.get("properties") or [], f"{name}__properties")
    return step


WRITABLE: dict[str, fields.Field] = {
    "name": fields.text(400),
    "description": fields.text(),
    "tags": fields.tags,
    "steps": fields.many(_step),
    "deleted": fields.boolean,
}
SAVED = Saved("actions", "folded(name), id", _shape)
