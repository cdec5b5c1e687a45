"""What data the events hold: events, properties and values, read from the event store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from starlette.responses import Response

from insights_mcp.endpoints.definitions import ListEventDefinitions, ListPropertyDefinitions, ListPropertyValues
from insights_mcp.local.calls import Call, answers, bounds, page, reply, whole
from insights_mcp.local.errors import invalid, unavailable
from insights_mcp.local.events import EventRow, EventStore, Owner, PropertyRow, StoreError
from insights_mcp.local.queries.sessions import FIELDS
from insights_mcp.local.store import iso, stamp

Found = TypeVar("Found")

MOST_VALUES = 10
NEEDS_EVENT = (
    "The event_name parameter is required when using a personal API key. For queries without event filters, please "
    "use the Query endpoint instead: https://posthog.com/docs/api/query"
)
EVENT_TYPES: dict[str, Callable[[str], bool]] = {
    "event": lambda name: True,
    "event_custom": lambda name: not name.startswith("$"),
    "event_posthog": lambda name: name.startswith("$"),
}
SESSION = [PropertyRow(name, kind, frozenset()) for name, (*_, kind) in sorted(FIELDS.items())]
OWNERS: dict[str, Owner] = {"event": "event", "person": "person"}
ORDERINGS: dict[str, Callable[[EventRow], Any]] = {
    "name": lambda row: row.name,
    "last_seen_at": lambda row: row.last_seen,
    "created_at": lambda row: row.first_seen,
    "last_seen_at::date": lambda row: row.last_seen.date(),
    "created_at::date": lambda row: row.first_seen.date(),
}


@answers(ListEventDefinitions)
async def list_event_definitions(call: Call) -> Response:
    """The events that were seen: by search, type and order."""
    kind = EVENT_TYPES.get(call.query.get("event_type", "event"))
    if kind is None:
        raise invalid(f'"{call.query["event_type"]}" is not a valid choice.', "event_type", "invalid_choice")
    rows = [row for row in await read(call, lambda events: events.event_definitions()) if kind(row.name)]
    found = _ordered([row for row in rows if _matches(row.name, call.query.get("search", ""))], call)
    limit, offset = bounds(call)
    return page(call, [_event(row) for row in found[offset : offset + limit]], len(found), limit, offset)


@answers(ListPropertyDefinitions)
async def list_property_definitions(call: Call) -> Response:
    """The properties of events, of persons, of groups of a type, or of sessions."""
    owner = call.query.get("type", "event")
    if owner not in ("event", "person", "group", "session"):
        raise invalid(f'"{owner}" is not a valid choice.', "type", "invalid_choice")
    number = whole(call.query.get("group_type_index", ""))
    if owner == "group" and number is None:
        raise invalid("`group_type_index` must be set for `group` type", "group_type_index")
    known = number if owner == "group" else OWNERS.get(owner)
    rows = SESSION if known is None else await read(call, lambda events: events.property_definitions(known))
    names = frozenset(map(str, call.listed("event_names") or ())) if owner == "event" else frozenset[str]()
    wanted = [row for row in rows if _wanted(row, names, call)]
    found = sorted(wanted, key=lambda row: (not row.events & names, row.name))
    limit, offset = bounds(call)
    items = [_property(row, names, owner) for row in found[offset : offset + limit]]
    return page(call, items, len(found), limit, offset)


@answers(ListPropertyValues)
async def list_property_values(call: Call) -> Response:
    """The most frequent values of a property."""
    key, names = call.query.get("key"), call.query.getlist("event_name")
    if not key:
        raise invalid("You must provide a key")
    if key == "custom_event":
        rows = await read(call, lambda events: events.event_definitions())
        return _values([(row.name, row.count) for row in rows if EVENT_TYPES["event_custom"](row.name)])
    if not names and not call.caller.owner:
        raise invalid(NEEDS_EVENT)
    part = call.query.get("value")
    return _values(await read(call, lambda events: events.property_values(key, names, part, MOST_VALUES)))


async def read(call: Call, question: Callable[[EventStore], list[Found]]) -> list[Found]:
    """Ask the event store in a thread. Problem 503 when it cannot be read now."""
    try:
        return await asyncio.to_thread(question, call.backend.events)
    except StoreError as error:
        raise unavailable(str(error)) from None


def _values(values: list[tuple[str, int]]) -> Response:
    items = [{"name": name, "count": count} for name, count in values]
    return reply({"results": items, "refreshing": False}, headers={"Cache-Control": "max-age=10"})


def _matches(name: str, search: str) -> bool:
    return all(term in name.casefold() for term in search.casefold().split())


def _ordered(rows: list[EventRow], call: Call) -> list[EventRow]:
    asked = call.query.get("ordering", "")
    rows = sorted(rows, key=lambda row: row.name)
    if key := ORDERINGS.get(asked.removeprefix("-")):
        return sorted(rows, key=key, reverse=asked.startswith("-"))
    if call.query.get("search"):
        return sorted(rows, key=lambda row: len(row.name))
    return sorted(rows, key=lambda row: row.last_seen.date(), reverse=True)


def _wanted(row: PropertyRow, names: frozenset[str], call: Call) -> bool:
    if "properties" in call.query and row.name not in call.query["properties"].split(","):
        return False
    if "is_numerical" in call.query and call.flag("is_numerical") is not (row.property_type == "Numeric"):
        return False
    if call.flag("filter_by_event_names") and names and not row.events & names:
        return False
    excluded = call.listed("excluded_properties") or ()
    return row.name not in excluded and _matches(row.name, call.query.get("search", ""))


def _event(row: EventRow) -> dict[str, Any]:
    return {
        "id": _id("event", row.name), "name": row.name, "owner": None, "description": None, "tags": [],
        "created_at": _time(row.first_seen), "updated_at": None, "updated_by": None,
        "last_seen_at": _time(row.last_seen), "last_updated_at": None, "verified": False, "verified_at": None,
        "verified_by": None, "hidden": False, "is_action": False, "action_id": None, "is_calculating": False,
        "last_calculated_at": None, "created_by": None, "post_to_slack": False, "default_columns": [],
    }  # fmt: skip


def _property(row: PropertyRow, names: frozenset[str], owner: str) -> dict[str, Any]:
    return {
        "id": _id(owner, row.name), "name": row.name, "is_numerical": row.property_type == "Numeric",
        "property_type": row.property_type, "tags": [], "description": None, "updated_at": None, "updated_by": None,
        "verified": False, "verified_at": None, "verified_by": None, "hidden": False,
        "is_seen_on_filtered_events": bool(row.events & names) if names else None,
    }  # fmt: skip


def _id(kind: str, name: str) -> str:
    """The same name has the same id, in every process."""
    return str(uuid5(NAMESPACE_URL, f"{kind}/{name}"))


def _time(moment: datetime) -> str | None:
    return iso(stamp(moment))
