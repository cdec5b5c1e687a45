"""Cohorts: persons listed, or described by what they are and did. Mirrors `/api/projects/:project_id/cohorts/`."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from insights_mcp.endpoint import Effect, Route
from insights_mcp.endpoints.definitions import ListCohorts
from insights_mcp.local import fields
from insights_mcp.local.auth import require
from insights_mcp.local.calls import Call, answers, encoded
from insights_mcp.local.errors import invalid
from insights_mcp.local.insight_shape import People
from insights_mcp.local.queries.cohorts import definition_of
from insights_mcp.local.queries.project import Cohort
from insights_mcp.local.saved import Saved
from insights_mcp.local.store import Row, Store, iso
from insights_mcp.scopes import Scope

COHORT = ListCohorts.route.path + "{id}/"
# No endpoint of the catalogue asks for it, so it is no Scope and is checked here.
WRITE = "cohort:write"
PERSONS = "_create_static_person_ids"
JSON = ("filters", "groups", "persons")


def defined(store: Store) -> dict[int, Cohort]:
    """The cohorts by number, as the engine needs them."""
    rows = store.rows("select * from cohorts where not deleted")
    return {row["id"]: _cohort(row) for row in rows}


def _cohort(row: Row) -> Cohort:
    stored = {"filters": json.loads(row["filters"]), "groups": json.loads(row["groups"])}
    persons = json.loads(row["persons"])
    return Cohort(row["id"], row["name"], bool(row["is_static"]), persons, definition_of(stored))


@answers(ListCohorts)
def list_cohorts(call: Call) -> Response:
    """One page of the cohorts, the newest first."""
    return SAVED.listed(call)


@answers(Route("GET", COHORT, Scope.COHORT_READ))
def get_cohort(call: Call) -> Response:
    """One cohort."""
    return SAVED.replied(call, SAVED.found(call)["id"])


@answers(Route("POST", ListCohorts.route.path, None, Effect.WRITE, repeatable=False))
def create_cohort(call: Call) -> Response:
    """Define a cohort; a static one takes the uuids of its persons."""
    require(call.caller, WRITE)
    given = _columns(fields.read(call.body, WRITABLE))
    number = call.store.insert(
        "cohorts", created_at=call.stamp, updated_at=call.stamp, created_by=call.user_id, **given
    )
    return SAVED.replied(call, number, 201)


@answers(Route("PATCH", COHORT, None, Effect.DESTRUCTIVE))
def update_cohort(call: Call) -> Response:
    """Change a cohort; `deleted: true` deletes it."""
    require(call.caller, WRITE)
    row = SAVED.found(call, deleted=call.body.get("deleted") is False)
    call.store.update(
        "cohorts", row["id"], updated_at=call.stamp, **_columns(fields.read(call.body, WRITABLE))
    )  # fmt: skip
    return SAVED.replied(call, row["id"])


def _shape(row: Row, users: People) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "groups": orjson.Fragment(row["groups"]),
        "deleted": bool(row["deleted"]),
        "filters": orjson.Fragment(row["filters"]),
        "query": None,
        "is_calculating": False,
        "created_by": users.get(row["created_by"]),
        "created_at": iso(row["created_at"]),
        "last_calculation": iso(row["updated_at"]),
        "errors_calculating": 0,
        "count": len(json.loads(row["persons"])) if row["is_static"] else None,
        "is_static": bool(row["is_static"]),
        "cohort_type": "static" if row["is_static"] else "behavioral",
        "experiment_set": [],
    }


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    if PERSONS in given:
        given = {**{name: value for name, value in given.items() if name != PERSONS}, "persons": given[PERSONS]}
    return {name: encoded(value).decode() if name in JSON else value for name, value in given.items()}


def _definition(value: Any, name: str) -> dict[str, Any]:
    given = fields.json_object(value, name)
    if given and not isinstance(given.get("properties"), dict):
        raise invalid("Filters must contain a 'properties' key with type and values.", name)
    fields.filters(given.get("properties") or [], name)
    return given


def _group(value: Any, name: str) -> dict[str, Any]:
    group = fields.json_object(value, name)
    fields.filters(group.get("properties") or [], name)
    return group


def _person(value: Any, name: str) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise invalid(f'"{value}" is not a valid UUID.', name) from None


WRITABLE: dict[str, fields.Field] = {
    "name": fields.text(400),
    "description": fields.text(1000),
    "groups": fields.many(_group),
    "filters": _definition,
    "is_static": fields.boolean,
    PERSONS: fields.many(_person),
    "deleted": fields.boolean,
}
SAVED = Saved("cohorts", "created_at desc, id desc", _shape)
