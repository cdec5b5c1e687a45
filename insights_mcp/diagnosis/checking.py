"""Whether the events, properties, actions and cohorts that a query names exist: before it is saved or run.

The project's definitions tell; what they do not know is looked for in the events of late before it is called unknown.
A name in another case is repaired when only one is meant.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import anyio

from insights_mcp.client import Client
from insights_mcp.diagnosis import hogql, known
from insights_mcp.diagnosis.by_name import numbered
from insights_mcp.diagnosis.known import Known, offered, same_but_for_case
from insights_mcp.diagnosis.probes import Asking
from insights_mcp.diagnosis.verdict import UNSEEN, Checked
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.errors import InsightsError
from insights_mcp.schema.query import source_of
from insights_mcp.text import clean, quoted

if TYPE_CHECKING:
    from insights_mcp.repair import Name

WITHIN = 6.0
REMEMBERED = 16  # queries
LATELY = "timestamp >= now() - interval 30 day"
MOST = 8
MOST_SEARCHED = 3
FIELDS = frozenset({"distinct_id", "event", "timestamp", "person_id", "uuid", "id", "$group_key", "elements_chain"})
NOT_LISTED = ("$feature/", "$virt_", "$group_", "$session", "$lib", "$set", "$active_feature_flags")
OTHER = {"event": "person", "person": "event"}
SQL_OF = {"event": "properties", "person": "person.properties"}
OWNERS: dict[str | None, tuple[str, ...]] = {"event": ("event",), "person": ("person",), None: ("event", "person")}


async def looked_through(client: Client, query: dict[str, Any], before: dict[str, Any] | None = None) -> Checked:
    """The query, looked through. Names that stood in the query `before` are not questioned."""
    plain, wanted = _without_mark(query)
    plain, numbers = await numbered(client, plain)
    old = {(name.of, name.name) for name in _names(json.dumps(before))} if before else ()
    names = [name for name in _names(json.dumps(plain)) if _is_listed(name) and (name.of, name.name) not in old]
    found: tuple[list[Name], dict[str, Known]] = ([], {})
    with anyio.move_on_after(WITHIN), suppress(InsightsError):
        found = await _missing(client, names)
    missing, lists = found
    if not missing:
        return Checked(plain, numbers)
    from insights_mcp.repair import renamed

    changes = [(name, other) for name in missing if (other := same_but_for_case(name.name, _known(name, lists)))]
    rest = [name for name in missing if name not in [changed for changed, _ in changes]]
    others = await _of_others(client, rest)
    return Checked(
        renamed(plain, changes) if changes else plain,
        (*numbers, *dict.fromkeys(f"{name.of} {quoted(name.name)} → {quoted(to)}" for name, to in changes)),
        () if wanted else tuple(_told(name, lists, others) for name in _once(rest))[:MOST],
    )


@lru_cache(REMEMBERED)
def _names(text: str) -> tuple[Name, ...]:
    """The names in a query, which is JSON text. The same query is often asked again."""
    from insights_mcp.repair import names_in  # with its models it would weigh on the start

    return tuple(names_in(json.loads(text)))


def _without_mark(query: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The query as PostHog knows it, and whether it may name what was not seen yet."""
    source = source_of(query)
    marked = query.get(UNSEEN) is True or source.get(UNSEEN) is True
    if UNSEEN not in query and UNSEEN not in source:
        return query, False
    plain = {key: value for key, value in query.items() if key != UNSEEN}
    if source is not query:
        plain["source"] = {key: value for key, value in source.items() if key != UNSEEN}
    return plain, marked


def _is_listed(name: Name) -> bool:
    """Whether it is one of the names that PostHog keeps lists of."""
    if name.of == "event":
        return True
    return name.type in OWNERS and name.name not in FIELDS and not name.name.startswith(NOT_LISTED)


async def _missing(client: Client, names: list[Name]) -> tuple[list[Name], dict[str, Known]]:
    """The names that are in no list, nor in the events of late; and the lists."""
    lists = await _lists(client, names)
    absent = [name for name in names if name.name not in _known(name, lists)]
    if not absent:
        return [], lists
    settled = await _searched(client, absent, lists)
    missing = [
        name for name in absent
        if name.name not in _known(name, lists)
        and all(key in lists and (lists[key].all or (key, name.name) in settled) for key in _keys(name))
    ]  # fmt: skip
    return (await _not_seen_lately(client, missing) if missing else []), lists


async def _lists(client: Client, names: list[Name]) -> dict[str, Known]:
    """The lists that tell of these names, asked for at once; those that cannot be had are left out."""
    wanted = sorted({key for name in names for key in _keys(name)})
    if len(wanted) == 1:  # as most often; a task of its own would cost a turn of the loop
        found = [await _list(client, wanted[0])]
    else:
        found = list(await asyncio.gather(*(_list(client, key) for key in wanted)))
    return {key: value for key, value in zip(wanted, found, strict=True) if value is not None}


async def _searched(client: Client, absent: list[Name], lists: dict[str, Known]) -> set[tuple[str, str]]:
    """Looks for names in lists that are too long for one page: what is found joins them; what was looked for."""
    wanted = {(key, name.name) for name in absent for key in _keys(name) if key in lists and not lists[key].all}
    asked = sorted(wanted)[:MOST_SEARCHED]
    found = await asyncio.gather(*(_list(client, key, name) for key, name in asked))
    settled = {pair for pair, answer in zip(asked, found, strict=True) if answer is not None}
    for (key, _), answer in zip(asked, found, strict=True):
        lists[key] = Known([*lists[key].names, *(answer.names if answer else ())], lists[key].all)
    return settled


async def _list(client: Client, key: str, search: str | None = None) -> Known | None:
    if key == "events":
        return await known.events(client, search=search)
    return await known.properties(client, "person" if key == "person" else "event", search=search)


def _keys(name: Name) -> tuple[str, ...]:
    return ("events",) if name.of == "event" else OWNERS[name.type]


def _known(name: Name, lists: dict[str, Known]) -> list[str]:
    return [other for key in _keys(name) if key in lists for other in lists[key].names]


async def _not_seen_lately(client: Client, missing: list[Name]) -> list[Name]:
    """Those of the names that the events of the last weeks do not know either: definitions come a little later."""
    if not client.may(RunQuery):
        return missing
    unique = _once(missing)[:MOST]
    events = [name.name for name in unique if name.of == "event"]
    columns = ", ".join(f"countIf({_is_there(name)})" for name in unique)
    only = f" and {hogql.one_of('event', events)}" if len(events) == len(unique) else ""
    sql = f"select {columns} from events where {LATELY}{only}"
    try:
        counts = (await known.remembered(client, sql, known.REASONS_FOR, lambda: Asking(client).rows(sql)))[0]
    except (InsightsError, IndexError):
        return missing  # the lists stand
    seen = {(name.of, name.type, name.name) for name, count in zip(unique, counts, strict=False) if count}
    return [name for name in missing if (name.of, name.type, name.name) not in seen]


def _is_there(name: Name) -> str:
    if name.of == "event":
        return f"event = {hogql.text(name.name)}"
    own, person = (f"{prefix}properties.{hogql.named(name.name)} is not null" for prefix in ("", "person."))
    return {"event": own, "person": person}.get(str(name.type), f"{own} or {person}")


def _once(names: Iterable[Name]) -> list[Name]:
    """Each name once, where it stands first."""
    return list({(name.of, name.type, name.name): name for name in reversed(list(names))}.values())[::-1]


async def _of_others(client: Client, missing: list[Name]) -> set[tuple[str, str]]:
    """Properties that are not whose they are said to be: an event's that persons have, or the other way round."""
    wanted = {(OTHER[name.type], name.name) for name in missing if name.type in OTHER}
    found: dict[str, Known | None] = {}
    with anyio.move_on_after(WITHIN), suppress(InsightsError):
        found = {owner: await _list(client, owner) for owner in {owner for owner, _ in wanted}}
    return {(owner, name) for owner, name in wanted if (there := found.get(owner)) and name in there.names}


def _told(name: Name, lists: dict[str, Known], others: set[tuple[str, str]]) -> str:
    whose = "" if name.of == "event" or name.type is None else f"{name.type} "
    if (other := OTHER.get(name.type or "")) and (other, name.name) in others:
        way = f"{SQL_OF[other]}.{clean(name.name, 80)}" if name.span else f'"type": "{other}" beside {_where(name)}'
        return f"No {whose}property {quoted(name.name)} has been seen, but {other}s have it: write {way}."
    there = _known(name, lists)
    none = "" if there else f" There are no {name.of}s at all yet: is it the right project?"
    return f"No {whose}{name.of} {quoted(name.name)} has been seen.{offered(name.name, there, _where(name))}{none}"


def _where(name: Name) -> str:
    """Its place, as in `series[0].event`."""
    if name.span:
        return "the name in the SQL"
    path = name.path[1:] if name.path[:1] == ("source",) else name.path
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
