"""Which events and properties a query names, and where; and the query with other names in these places."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from insights_mcp.repair.sql_names import SqlName, names_in_sql, requoted

Path = tuple[Any, ...]  # keys, and places in lists
OTHERS = frozenset({"cohort", "static-cohort", "precalculated-cohort", "flag", "element", "recording", "log_entry"})
EXPRESSIONS = frozenset({"math_hogql", "funnelAggregateByHogQL", "pathsHogQLExpression"})
MATHS = {"event_properties": "event", "numerical_event_properties": "event", "person_properties": "person",
         "session_properties": "session"}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """An event or property that a query names, and where.

    `type` is whose property it is, as PostHog says it (event, person, group, session); None where SQL does not tell.
    `on` is the event of the series it stands in. `span` is its place in a text of SQL.
    """

    of: Literal["event", "property"]
    name: str
    path: Path
    type: str | None = None
    on: str | None = None
    span: tuple[int, int] | None = None


def names_in(query: Any) -> list[Name]:
    """All of them, in the order they stand, each place by itself. What is no name is passed over."""
    found: list[Name] = []
    waiting: list[tuple[Any, Path, str | None]] = [(query, (), None)]
    while waiting:
        node, path, on = waiting.pop()
        if isinstance(node, dict):
            on = _event_of(node) or on
            found += _named(node, path, on)
        waiting += reversed(
            [(value, (*path, key), on) for key, value in _inside(node) if isinstance(value, dict | list)]
        )
    return found


def renamed(query: dict[str, Any], changes: Iterable[tuple[Name, str]]) -> dict[str, Any]:
    """A copy of the query, with a new name in each of these places."""
    changed = copy.deepcopy(query)
    # The last of a text first: what stands before it keeps its place.
    for name, to in sorted(changes, key=lambda change: change[0].span or (0, 0), reverse=True):
        holder: Any = changed
        for part in name.path[:-1]:
            holder = holder[part]
        last = name.path[-1]
        holder[last] = requoted(holder[last], name.span, to) if name.span else to
    return changed


def _inside(node: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, list) else ()


def _event_of(node: dict[str, Any]) -> str | None:
    """The event a series is of."""
    event = node.get("event") if node.get("kind") == "EventsNode" else None
    return event if isinstance(event, str) else None


def _named(node: dict[str, Any], path: Path, on: str | None) -> Iterator[Name]:
    """What this object itself names, not what is inside it."""
    for key, read in READ.items():
        if key in node:
            yield from read(node, (*path, key), on)
    for key in EXPRESSIONS & node.keys():
        yield from _in_sql(node[key], (*path, key), on, "events")


def _series(node: dict[str, Any], path: Path, _: str | None) -> Iterator[Name]:
    if node.get("kind") in ("EventsNode", "EventsQuery"):
        yield from _texts("event", node["event"], path)


def _events(node: dict[str, Any], path: Path, _: str | None) -> Iterator[Name]:
    if node.get("kind") == "EventsQuery":
        yield from _texts("event", node["events"], path)


def _condition(node: dict[str, Any], path: Path, on: str | None) -> Iterator[Name]:
    """A filter's key: a property, or an expression."""
    kind = str(node.get("type") or "event")
    if kind == "hogql":
        yield from _in_sql(node["key"], path, on, "events")
    elif kind not in OTHERS and "id" not in node:
        yield from _texts("property", node["key"], path, kind, on)


def _broken_down(node: dict[str, Any], path: Path, on: str | None) -> Iterator[Name]:
    """What a query is split by: a property, several of them, or an expression."""
    whose = "breakdown_type" if path[-1] == "breakdown" else "type"
    kind = str(node.get(whose) or "event")
    given = node[path[-1]]
    if kind == "hogql":
        places = enumerate(given) if isinstance(given, list) else [(None, given)]
        for place, text in places:
            yield from _in_sql(text, path if place is None else (*path, place), on, "events")
    elif kind not in OTHERS:
        yield from _texts("property", given, path, kind, on)


def _math(node: dict[str, Any], path: Path, on: str | None) -> Iterator[Name]:
    whose = node.get("math_property_type")
    yield from _texts("property", node["math_property"], path, MATHS.get(str(whose), "event"), on)


def _aggregated(node: dict[str, Any], path: Path, on: str | None) -> Iterator[Name]:
    kind = node.get("aggregationPropertyType") or "event"
    yield from _texts("property", node["aggregationProperty"], path, str(kind), on)


def _entity(node: dict[str, Any], path: Path, _: str | None) -> Iterator[Name]:
    """What starts a cohort of a retention, or counts as coming back."""
    entity = node[path[-1]]
    if isinstance(entity, dict) and entity.get("type") in (None, "events"):
        yield from _texts("event", entity.get("id"), (*path, "id"))


def _select(node: dict[str, Any], path: Path, on: str | None) -> Iterator[Name]:
    """The expressions of a table of events."""
    if node.get("kind") == "EventsQuery" and isinstance(texts := node[path[-1]], list):
        for place, text in enumerate(texts):
            yield from _in_sql(text, (*path, place), on, "events")


def _sql(node: dict[str, Any], path: Path, on: str | None) -> Iterator[Name]:
    if node.get("kind") == "HogQLQuery":
        yield from _in_sql(node["query"], path, on)


def _texts(
    of: Literal["event", "property"], given: Any, path: Path, kind: str | None = None, on: str | None = None
) -> Iterator[Name]:
    """A name, or a list of them."""
    if isinstance(given, str) and given:
        yield Name(of, given, path, kind, on)
    elif isinstance(given, list):
        yield from (Name(of, n, (*path, place), kind, on) for place, n in enumerate(given) if isinstance(n, str) and n)


def _in_sql(text: Any, path: Path, on: str | None, table: str | None = None) -> Iterator[Name]:
    if isinstance(text, str):
        found: Iterable[SqlName] = names_in_sql(text, table)
        yield from (Name(n.of, n.name, path, n.type, on, n.span) for n in found)


READ: dict[str, Callable[[dict[str, Any], Path, str | None], Iterator[Name]]] = {
    "event": _series,
    "events": _events,
    "key": _condition,
    "breakdown": _broken_down,
    "property": _broken_down,
    "math_property": _math,
    "aggregationProperty": _aggregated,
    "targetEntity": _entity,
    "returningEntity": _entity,
    "select": _select,
    "where": _select,
    "query": _sql,
}
