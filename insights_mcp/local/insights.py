"""Saved insights: list, create, read, change, delete and restore, each with its side effects."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response

from insights_mcp.endpoint import Effect, Route
from insights_mcp.endpoints.insights import (
    INSIGHT,
    CreateInsight,
    DestroyInsight,
    GetInsight,
    ListInsights,
    UpdateInsight,
)
from insights_mcp.local import fields
from insights_mcp.local.account import people
from insights_mcp.local.activity import changes_between, record
from insights_mcp.local.alert_shape import alerts_of
from insights_mcp.local.calls import Call, answers, bounds, encoded, page, reply
from insights_mcp.local.computing import Ask
from insights_mcp.local.insight_shape import NOTHING, SELECT, People, basic, find, full
from insights_mcp.local.listing import selection
from insights_mcp.local.overrides import overridden
from insights_mcp.local.results import Outcome, refresh_of
from insights_mcp.local.store import Row, Store
from insights_mcp.local.trending import record_view
from insights_mcp.schema.query import source_of
from insights_mcp.scopes import Scope

LETTERS = string.ascii_letters + string.digits
SHORT_ID_LENGTH = 8
TEXT = fields.nullable(fields.text(400))
WRITABLE: dict[str, fields.Field] = {
    "name": TEXT,
    "derived_name": TEXT,
    "filters": fields.json_object,
    "query": fields.nullable(fields.query),
    "order": fields.nullable(fields.whole_number),
    "deleted": fields.boolean,
    "dashboards": fields.many(fields.primary_key),
    "description": TEXT,
    "tags": fields.tags,
    "favorited": fields.boolean,
    "saved": fields.boolean,
}
COLUMNS = ("name", "derived_name", "filters", "query", "order", "deleted", "description", "favorited", "saved")
AS_JSON = ("filters", "query")
MATERIAL = ("name", "description", "filters")
LOGGED = ("name", "description", "query", "filters", "favorited", "deleted", "derived_name", "tags", "dashboards")
MAY_ALERT = ("TrendsQuery", "HogQLQuery", "FunnelsQuery")


@answers(ListInsights)
async def list_insights(call: Call) -> Response:
    """One page of the insights that match the filters."""
    where, values, order = selection(call)
    limit, offset = bounds(call)
    count = call.store.value(f"select count(*) from ({SELECT} where {where})", *values)
    rows = call.store.rows(f"{SELECT} where {where} order by {order} limit ? offset ?", *values, limit, offset)
    users = people(call.store)
    matched = {"search_match_type": "exact"} if call.query.get("search") else {}
    shapes = [basic(row, users) if call.flag("basic") else await with_filters(call, row, users, {}) for row in rows]
    viewed = [shape | matched | {"last_viewed_at": basic(row, users)["last_viewed_at"]}
              for shape, row in zip(shapes, rows, strict=True)]  # fmt: skip
    return page(call, viewed, count, limit, offset)


@answers(CreateInsight)
async def create_insight(call: Call) -> Response:
    """Save a new insight; its maker counts as a viewer."""
    given = fields.read(call.body, WRITABLE)
    with call.store.transaction():
        insight_id = _insert(call, given)
        _attach(call.store, insight_id, given)
        record_view(call.store, insight_id, call.user_id, call.stamp)
        record(call.store, find(call.store, str(insight_id), deleted=True), "created", call.stamp, call.user_id)
    return reply(await _answer(call, find(call.store, str(insight_id), deleted=True)), 201)


@answers(GetInsight)
async def get_insight(call: Call) -> Response:
    """One insight with what is kept of its result, or computed. Records no view."""
    row = find(call.store, call.path["id"])
    if call.flag("basic"):
        return reply(basic(row, people(call.store)))
    return reply(await _answer(call, row))


@answers(Route("PUT", INSIGHT, Scope.INSIGHT_WRITE, Effect.DESTRUCTIVE))
@answers(UpdateInsight)
async def update_insight(call: Call) -> Response:
    """Change the given fields. Only `deleted: false` finds an insight that is deleted."""
    restoring = call.body.get("deleted") is False
    with call.store.transaction():
        before = find(call.store, call.path["id"], deleted=restoring)
        _update(call, before, fields.read(call.body, WRITABLE))
        after = find(call.store, str(before["id"]), deleted=True)
        _log_changes(call, before, after)
    return reply(await _answer(call, after))


@answers(DestroyInsight)
def destroy_insight(call: Call) -> Response:
    """Never: 405 with nothing in it, whatever the number."""
    return Response(status_code=405)


async def _answer(call: Call, row: Row) -> dict[str, Any]:
    """The full form of one insight, seen from a dashboard when the caller says so."""
    tile = _tile(call, row)
    shape = await with_filters(call, row, people(call.store), json.loads(tile["filters"]) if tile else {})
    if tile:
        shape |= {"color": tile["color"], "layouts": orjson.Fragment(tile["layouts"])}
    return shape


async def with_filters(call: Call, row: Row, users: People, filters: dict[str, Any]) -> dict[str, Any]:
    """The full form, with a dashboard's filters and the caller's overrides laid over its query."""
    filters, variables = filters | (call.mapped("filters_override") or {}), call.mapped("variables_override")
    if row["query"] and (filters or variables):
        query = overridden(json.loads(row["query"]), filters, variables)
        row = row | {"query": encoded(query).decode()}
    outcome = await _outcome(call, row, watched=not filters and not variables)
    return full(row, users, outcome, alerts_of(call.store, row, users))


async def _outcome(call: Call, row: Row, *, watched: bool) -> Outcome:
    query = json.loads(row["query"] or "null")
    if not query or row["deleted"]:
        return NOTHING
    refresh = refresh_of(call.query.get("refresh", call.body.get("refresh")))
    ask = Ask(call.gone, call.query.get("client_query_id"), insight_id=row["id"], watched=watched)
    return await call.backend.computing.answer_or_failure(query, refresh, ask)


def _tile(call: Call, row: Row) -> Row | None:
    dashboard = call.whole("from_dashboard", 0)
    return call.store.row(
        """select t.color, t.layouts, d.filters from tiles t join dashboards d on d.id = t.dashboard_id
        where t.insight_id = ? and d.id = ? and not t.deleted and not d.deleted""",
        row["id"], dashboard,
    )  # fmt: skip


def _insert(call: Call, given: dict[str, Any]) -> int:
    times = {"created_at": call.stamp, "updated_at": call.stamp, "last_modified_at": call.stamp}
    people_ = {"created_by": call.user_id, "last_modified_by": call.user_id}
    return call.store.insert("insights", short_id=new_short_id(), **_columns(given), **times, **people_)


def _update(call: Call, before: Row, given: dict[str, Any]) -> None:
    columns = {"is_sample": 0, "saved": 1, "updated_at": call.stamp} | _columns(given)
    if any(name in columns and columns[name] != before[name] for name in MATERIAL):
        columns |= {"last_modified_at": call.stamp, "last_modified_by": call.user_id}
    call.store.update("insights", before["id"], **columns)
    if given.get("deleted"):
        call.store.change("update tiles set deleted = 1 where insight_id = ?", before["id"])
        given = {name: value for name, value in given.items() if name != "dashboards"}
    if given.get("deleted") or ("query" in given and not may_alert(given["query"])):
        call.store.change("delete from alerts where insight_id = ?", before["id"])
    _attach(call.store, before["id"], given)


def may_alert(query: dict[str, Any] | None) -> bool:
    """Whether an insight with this query can carry alerts."""
    return bool(query) and source_of(query or {}).get("kind") in MAY_ALERT


def new_short_id() -> str:
    """Eight random letters and digits."""
    return "".join(secrets.choice(LETTERS) for _ in range(SHORT_ID_LENGTH))


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    kept = {name: given[name] for name in COLUMNS if name in given}
    for name in AS_JSON:
        if kept.get(name) is not None:
            kept[name] = encoded(kept[name]).decode()
    return kept


def _attach(store: Store, insight_id: int, given: dict[str, Any]) -> None:
    if "tags" in given:
        store.change("delete from insight_tags where insight_id = ?", insight_id)
        for tag in given["tags"]:
            store.insert("insight_tags", insight_id=insight_id, tag=tag)
    if "dashboards" in given:
        _put_on(store, insight_id, given["dashboards"])


def _put_on(store: Store, insight_id: int, dashboards: Sequence[int]) -> None:
    """Make these its dashboards. A tile that was taken off before comes back as it was."""
    for number in dashboards:
        if not store.row("select id from dashboards where id = ? and not deleted", number):
            raise fields.missing_object(number, "dashboards")
    store.change("update tiles set deleted = 1 where insight_id = ?", insight_id)
    for number in dashboards:
        store.change(
            """insert into tiles (insight_id, dashboard_id) values (?, ?)
            on conflict (insight_id, dashboard_id) do update set deleted = 0""",
            insight_id, number,
        )  # fmt: skip


def _log_changes(call: Call, before: Row, after: Row) -> None:
    changes = changes_between(_state(call.store, before), _state(call.store, after))
    deletion = {(0, 1): "deleted", (1, 0): "restored"}.get((before["deleted"], after["deleted"]), "updated")
    if changes:
        record(call.store, after, deletion, call.stamp, call.user_id, changes)


def _state(store: Store, row: Row) -> dict[str, Any]:
    """What the activity log compares."""
    parsed = {name: json.loads(row[name] or "null") for name in ("query", "filters", "tags", "dashboards")}
    flags = {name: bool(row[name]) for name in ("favorited", "deleted")}
    state = {**row, **parsed, **flags}
    state["dashboards"] = [
        {"id": number, "name": store.value("select name from dashboards where id = ?", number)}
        for number in sorted(parsed["dashboards"])
    ]
    return {name: state[name] for name in LOGGED}
