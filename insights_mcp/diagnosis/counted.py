"""What a query counts: events or actions with the conditions on them, one by one, and where they stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from insights_mcp.diagnosis import hogql
from insights_mcp.diagnosis.conditions import Condition, conditions_of, equals, property_set
from insights_mcp.text import clean, quoted

PAGEVIEW, SCREEN = "$pageview", "$screen"
IN_PATHS = {PAGEVIEW: f"event = '{PAGEVIEW}'", SCREEN: f"event = '{SCREEN}'", "custom_event": "event not like '$%'"}
PATH_ITEM = (
    "replaceRegexpOne(toString(if(event = '$pageview', properties.$current_url, "
    "if(event = '$screen', properties.$screen_name, event))), '(.)/$', '\\\\1')"
)
COMPARED = re.compile(r"\s*={1,2}\s*'((?:[^'\\]|\\.|'')*)'")
RETENTION = ("targetEntity", "returningEntity")
OF_PROPERTY = ("sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99")
MATHS = {
    "first_time_for_user": "math first_time_for_user counts only people who did it for the first time in the window",
    "first_matching_event_for_user": "math first_matching_event_for_user counts only each person's first such event",
    "unique_group": "math unique_group counts only events with a group",
    "unique_session": "math unique_session counts only events with a session id",
    "hogql": "math hogql is an expression of its own",
}


@dataclass(frozen=True)
class Counted:
    """One thing that is counted. `events`: its names; none for an action, or for every event.

    `label` stands before the word events; empty for every event. `where`: its place in the query. `holds`: SQL that
    holds for it, conditions apart. `own`: what else its math leaves out.
    """

    label: str
    where: str
    holds: str = ""
    events: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    own: str = ""

    @property
    def name(self) -> str:
        """What it is called where a sentence begins."""
        return self.label[:1].upper() + self.label[1:] if self.label else "Any event"

    @property
    def any(self) -> bool:
        """Whether every event is counted."""
        return not self.holds and not self.label


def counted_in(source: dict[str, Any]) -> list[Counted]:
    """What a query counts, in its order; of a kind that is not known, nothing."""
    read = READ.get(str(source.get("kind")))
    return read(source) if read else []


def _of_series(source: dict[str, Any]) -> list[Counted]:
    rest = tuple(conditions_of(source.get("properties")))
    return [
        _of_node(node, f"series[{place}]", rest) for place, node in enumerate(source.get("series") or ())
        if isinstance(node, dict)
    ]  # fmt: skip


def _of_node(node: dict[str, Any], where: str, rest: tuple[Condition, ...]) -> Counted:
    own = (*conditions_of(node.get("properties")), *conditions_of(node.get("fixedProperties")))
    math = str(node.get("math") or "")
    label, holds, events = _entity(node)
    return Counted(label, f"{where}.event", holds, events, (*own, *rest, *_math(node, math)), MATHS.get(math, ""))


def _entity(node: dict[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """What it is called, the SQL that finds it, and the events it names."""
    if node.get("kind") == "GroupNode":
        parts = [_entity(inner) for inner in node.get("nodes") or ()]
        return (
            " or ".join(label for label, *_ in parts if label),
            " or ".join(f"({holds})" for _, holds, _ in parts if holds),
            tuple(event for *_, events in parts for event in events),
        )
    if node.get("kind") == "ActionsNode":
        return _action(node.get("id"), node.get("name"))
    if node.get("kind") == "DataWarehouseNode":
        return f"warehouse table {quoted(node.get('table_name') or node.get('id'))}", "", ()
    event = node.get("event")
    return _event(event if isinstance(event, str) else None)


def _event(name: str | None) -> tuple[str, str, tuple[str, ...]]:
    return (quoted(name), f"event = {hogql.text(name)}", (name,)) if name else ("", "", ())


def _action(number: Any, name: Any) -> tuple[str, str, tuple[str, ...]]:
    shown = f"action {quoted(name or number)}"
    return shown, f"matchesAction({number})" if str(number).isdigit() else "", ()


def _math(node: dict[str, Any], math: str) -> tuple[Condition, ...]:
    name = node.get("math_property")
    if math not in OF_PROPERTY or not isinstance(name, str):
        return ()
    owner = "person" if node.get("math_property_type") == "person_properties" else "event"
    return (property_set(name, owner, "math_property"),)


def _of_retention(source: dict[str, Any]) -> list[Counted]:
    rest = tuple(conditions_of(source.get("properties")))
    given = source.get("retentionFilter") or {}
    return [_of_retained(given.get(name) or {}, f"retentionFilter.{name}.id", rest) for name in RETENTION]


def _of_retained(entity: dict[str, Any], where: str, rest: tuple[Condition, ...]) -> Counted:
    is_action = entity.get("type") == "actions"
    found = _action(entity.get("id"), entity.get("name")) if is_action else _event(entity.get("id"))
    label, holds, events = found
    return Counted(label, where, holds, events, (*conditions_of(entity.get("properties")), *rest))


def _of_paths(source: dict[str, Any]) -> list[Counted]:
    given = source.get("pathsFilter") or {}
    kinds = [kind for kind in given.get("includeEventTypes") or () if kind in IN_PATHS]
    ends = [_end(name, given[name]) for name in ("startPoint", "endPoint") if given.get(name)]
    label = " or ".join("custom" if kind == "custom_event" else quoted(kind) for kind in kinds)
    holds = " or ".join(IN_PATHS[kind] for kind in kinds)
    events = tuple(kind for kind in kinds if kind.startswith("$")) if "custom_event" not in kinds else ()
    rest = conditions_of(source.get("properties"))
    named = (
        [property_set("$current_url", "event", "what a page goes by")] if kinds == [PAGEVIEW] else []
    )  # by which a page is a step
    return [Counted(label, "pathsFilter.includeEventTypes", holds, events, (*rest, *named, *ends))]


def _end(name: str, value: Any) -> Condition:
    """That a path begins or ends there; a page's address is known without the slash at its end."""
    plain = str(value)
    given = plain if plain == "/" else plain.removesuffix("/")
    holds = f"{PATH_ITEM} = {hogql.text(given)}"
    return Condition(f"{name} = {clean(plain, 80)}", holds, PATH_ITEM, name, "path", "exact", (plain,))


def _of_sql(source: dict[str, Any]) -> list[Counted]:
    """The events that the text names, with what it compares properties with."""
    from insights_mcp.repair import names_in  # with its models it would weigh on the start

    text = source.get("query")
    names = [name for name in names_in(source) if name.path and name.path[-1] == "query"]
    events = dict.fromkeys(name.name for name in names if name.of == "event")
    said = [_compared(str(text), name.name, name.type, name.span) for name in names if name.of == "property"]
    conditions = tuple(c for c in said if c) if len(events) == 1 and not re.search(r"\bor\b", str(text), re.I) else ()
    return [Counted(quoted(e), "the name in the SQL", f"event = {hogql.text(e)}", (e,), conditions) for e in events]


def _compared(text: str, name: str, owner: str | None, span: tuple[int, int] | None) -> Condition | None:
    """`= 'text'` behind a property; every other comparison is passed over."""
    found = COMPARED.match(text[span[1] :].removeprefix("]")) if span else None
    if found is None or owner not in (None, "event", "person"):
        return None
    return equals(name, owner or "event", found[1].replace("''", "'").replace("\\'", "'"))


def _of_table(source: dict[str, Any]) -> list[Counted]:
    """A table of events: the rows it may show."""
    events = [e for e in (source.get("event"), *(source.get("events") or ())) if isinstance(e, str)]
    given = (*conditions_of(source.get("properties")), *conditions_of(source.get("fixedProperties")))
    label = " or ".join(map(quoted, events))
    return [Counted(label, "event", hogql.one_of("event", events) if events else "", tuple(events), given)]


READ: dict[str, Callable[[dict[str, Any]], list[Counted]]] = {
    "TrendsQuery": _of_series,
    "StickinessQuery": _of_series,
    "LifecycleQuery": _of_series,
    "FunnelsQuery": _of_series,
    "RetentionQuery": _of_retention,
    "PathsQuery": _of_paths,
    "HogQLQuery": _of_sql,
    "EventsQuery": _of_table,
}
