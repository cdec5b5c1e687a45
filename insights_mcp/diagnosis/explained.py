"""A query that failed on a name nobody knows: which name was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress

import anyio

from insights_mcp.client import Client
from insights_mcp.diagnosis import known
from insights_mcp.errors import InsightsError
from insights_mcp.text import clean, quoted

WITHIN = 4.0
UNKNOWN_FIELD = re.compile(
    r"(?:unable to resolve field|field not found|unknown (?:field|column|identifier))\W+([\w$.]+)", re.I
)
UNKNOWN_TABLE = re.compile(r"unknown table\W+([\w.]+)", re.I)
COLUMNS = (
    "event",
    "timestamp",
    "distinct_id",
    "person_id",
    "uuid",
    "properties",
    "person",
    "created_at",
    "elements_chain",
)
TABLES = ("events", "persons", "sessions", "groups", "cohort_people", "session_replay_events", "person_distinct_ids")


async def hint(client: Client, message: str) -> str:
    """What a message about an unknown name calls for; nothing for another message."""
    if "did you mean" in message.casefold():
        return ""
    if table := UNKNOWN_TABLE.search(message):
        return _of(table[1], TABLES, "tables")
    field = UNKNOWN_FIELD.search(message)
    if field is None:
        return ""
    name = field[1].rstrip(".")
    owners = await _owners(client)
    ways = [f"{prefix}.{own}" for prefix, names in owners.items() for own in (name, f"${name}") if own in names]
    if ways:
        return f"It is a property: write {' or '.join(clean(way, 80) for way in ways)}."
    return _of(
        name, [*COLUMNS, *(f"{prefix}.{other}" for prefix, names in owners.items() for other in names)], "fields"
    )


async def _owners(client: Client) -> dict[str, Iterable[str]]:
    """The properties there are, by how SQL writes their owner; in time, or not at all."""
    found: dict[str, Iterable[str]] = {}
    with anyio.move_on_after(WITHIN), suppress(InsightsError):
        for prefix, owner in (("properties", "event"), ("person.properties", "person")):
            there = await known.properties(client, "person" if owner == "person" else "event")
            if there is not None:
                found[prefix] = there.names
    return found


def _of(name: str, names: Iterable[str], what: str) -> str:
    near = known.near(name, names)
    return f"Nearest {what}: {', '.join(map(quoted, near))}." if near else ""
