"""EventsQuery: a table of events. Its columns and conditions are HogQL, and so is the whole: one HogQL tree."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from insights_mcp.local.events import APART, Rows
from insights_mcp.local.queries import dates, elements, hogql
from insights_mcp.local.queries.actors import recordings
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import aggregates, statements
from insights_mcp.local.queries.hogql.selects import Selects
from insights_mcp.local.queries.hogql.tree import (
    Alias,
    Call,
    Field,
    Literal,
    Node,
    OrderBy,
    Placeholder,
    Select,
    Table,
    walk,
)
from insights_mcp.local.queries.project import Action, Context
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.events_table import EventsQuery
from insights_mcp.schema.filters import PropertyGroup
from insights_mcp.schema.hogql import HogQLFilters

MODEL = EventsQuery
DEFAULT_AFTER = "-24h"
LATEST = timedelta(seconds=5)  # later events are not shown unless `before` says so
# What a person is called by, the first that is there.
CALLED = ("email", "Email", '"$email"', "name", "Name", "username", "Username", "UserName")
CALLED_BY = f"coalesce({', '.join(f'person.properties.{name}' for name in CALLED)}, distinct_id)"
PERSON = {"uuid": "person.id", "created_at": "person.created_at", "properties": "person.properties"}
EVENT = (
    "uuid", "event", "properties", "timestamp", "team_id", "distinct_id", "elements_chain", "created_at", "person_mode",
)  # fmt: skip
# Columns that are objects: what each holds, by key.
OBJECTS = {
    "*": {name: name for name in EVENT},
    "person": {**PERSON, "distinct_id": "distinct_id"},
    "person_display_name": {
        "display_name": CALLED_BY,
        "id": "toString(person.id)",
        "distinct_id": "distinct_id",
    },
}
# What such a column is called by its type, where PostHog asks for something else first; what it is sorted by.
TYPES = {"person": "String"}
SORTED_BY = {"*": "uuid", "person": "distinct_id", "person_display_name": CALLED_BY}
DISPLAY_NAME = re.compile(r"^\s*person_display_name(?:\s*--.*?)?(?=\s*(?:\sASC|\sDESC)?$)", re.IGNORECASE)


# The number of an action whose steps the query brings itself.
OWN_ACTION = 0


@dataclass(frozen=True)
class Plan:
    """The statement's plan as HogQL, which columns are objects, and by which one pages can go on, if any."""

    table: hogql.Plan
    names: list[str]
    objects: list[str | None]
    cursor: int | None
    scan: Scan

    @property
    def statements(self) -> list[Sql]:
        return self.table.statements

    def follow(self, answers: list[Rows]) -> list[Sql]:
        """Which sessions of the events were recorded."""
        asked = recordings.among(_sessions(self, answers[0]), self.scan) if len(answers) == 1 else None
        return [asked] if asked else []


def interval(query: EventsQuery) -> None:
    """A table has no interval."""


def compile(query: EventsQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statement for a query. Raises QueryError."""
    if query.source:
        raise QueryError("EventsQuery takes no source here; filter by `personId` or `where`.", attr="source")
    query, context = query.model_copy(update={"select": query.select or ["*"]}), _with_steps(query, context)
    objects = [_object(text) for text in query.select]
    columns = [_column(text, kind) for text, kind in zip(query.select, objects, strict=True)]
    limit = min(hogql.DEFAULT_LIMIT if query.limit is None else query.limit, hogql.LIMIT)
    scan = context.scan()
    compiler = Selects(scan, context)
    given = [PropertyGroup(type="AND", values=each) if isinstance(each, list) else each for each in
             (query.fixedProperties, query.properties) if each]  # fmt: skip
    compiler.given = HogQLFilters(
        properties=PropertyGroup(type="AND", values=list(given)), filterTestAccounts=query.filterTestAccounts
    )
    select = _select(query, columns, context)
    relation = compiler.query(select, {})
    offset = query.offset or 0
    text = f"{APART}select {hogql.plain(relation.columns)} from ({relation.sql}) limit {limit + 1} offset {offset}"
    zone = context.local_now.tzinfo
    plan = hogql.Plan(
        [scan.statement(text)], relation.columns, "", limit, offset, zone, True, context.project.timezone
    )  # fmt: skip
    names = [_title(text, kind) for text, kind in zip(query.select, objects, strict=True)]
    return Plan(plan, names, objects, _cursor(query, select), scan)


def _with_steps(query: EventsQuery, context: Context) -> Context:
    """The project with the action that the query describes by its steps, if it does."""
    if not query.actionSteps:
        return context
    own = Action(OWN_ACTION, "", [step.model_dump(exclude_none=True) for step in query.actionSteps])
    return replace(context, project=replace(context.project, actions={**context.project.actions, OWN_ACTION: own}))


def _cursor(query: EventsQuery, select: Select) -> int | None:
    """The column whose last time says where the next page begins; none where rows are not in the order of time."""
    if select.group or not (select.order and select.order[0].what == Field(("timestamp",))):
        return None
    names = [text.split("--")[0].strip() for text in query.select]
    return next((names.index(name) for name in ("*", "timestamp") if name in names), None)


def _object(text: str) -> str | None:
    name = text.split("--")[0].strip()
    return name if name in OBJECTS else None


def _title(text: str, kind: str | None) -> str:
    """What a column is called: as it was asked for, or as it is named there."""
    found = None if kind else statements.parse_column(text)
    return found.name if isinstance(found, Alias) else text


def _column(text: str, kind: str | None) -> Node:
    if kind:
        return Call("tuple", tuple(statements.parse_expression(each) for each in OBJECTS[kind].values()))
    return statements.parse_column(text)


def _select(query: EventsQuery, columns: list[Node], context: Context) -> Select:
    grouped = any(_aggregates(column) for column in columns)
    conditions = _conditions(query, context)
    having = tuple(each for each in conditions if _aggregates(each))
    return Select(
        # Under names of their own: texts can be alike.
        columns=tuple(Alias(column, f"column {place}") for place, column in enumerate(columns)),
        source=Table(("events",)),
        where=Call("and", tuple(each for each in conditions if not _aggregates(each))),
        having=Call("and", having) if having else None,
        group=tuple(column for column in columns if _varies(column) and not _aggregates(column)) if grouped else (),
        order=_order(query, columns),
    )


def _order(query: EventsQuery, columns: list[Node]) -> tuple[OrderBy, ...]:
    """Unless said: the largest of what is counted first, or the latest if times are shown, or the first column."""
    if query.orderBy is not None:
        return tuple(statements.parse_order(DISPLAY_NAME.sub(CALLED_BY, text)) for text in query.orderBy)
    counted = [column for column in columns if _aggregates(column)]
    if counted:
        named = dict(zip(query.select, columns, strict=True))
        return (OrderBy(named.get("count()", counted[0]), descending=True),)
    if "timestamp" in query.select:
        return (OrderBy(Field(("timestamp",)), descending=True),)
    kind = _object(query.select[0])
    if not _varies(columns[0]):
        return ()
    return (OrderBy(statements.parse_expression(SORTED_BY[kind]) if kind else columns[0]),)


def _conditions(query: EventsQuery, context: Context) -> list[Node]:
    found: list[Node] = [Placeholder(("filters",))]
    found += [statements.parse_expression(text) for text in query.where or []]
    names = [name for name in (query.event, *(query.events or ())) if name]
    if names:
        found.append(Call("in", (Field(("event",)), Call("tuple", tuple(map(Literal, names))))))
    if query.actionId or query.actionSteps:
        found.append(Call("matchesAction", (Literal(query.actionId or OWN_ACTION),)))
    if query.personId:
        found.append(Call("equals", (Field(("person_id",)), Literal(query.personId))))
    after = query.after or DEFAULT_AFTER
    if after != "all":
        found.append(Call("greater", (Field(("timestamp",)), _moment(after, context))))
    before = _moment(query.before, context) if query.before else Literal((context.local_now + LATEST).isoformat())
    return [*found, Call("less", (Field(("timestamp",)), before))]


def _moment(text: str, context: Context) -> Node:
    moment, _ = dates.parsed(text, context.local_now)
    return Literal(moment.isoformat())


def _varies(node: Node) -> bool:
    """Whether it depends on the event. A number alone would be a column's place in GROUP BY and ORDER BY."""
    return any(isinstance(part, (Field, Select)) for part in walk(node))


def _aggregates(node: Node) -> bool:
    """Whether there is an aggregate in it."""
    names = (part.name for part in walk(node) if isinstance(part, Call) and not part.over)
    return any(aggregates.is_aggregate(name) or aggregates.is_aggregate(name.removesuffix("If")) for name in names)


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows as PostHog's answer; `*` and `person` as objects."""
    found = hogql.shape(plan.table, answers)
    recorded = {session for answer in answers[1:] for (session,) in answer.rows}
    results = [
        [_shaped(item, kind, recorded) for item, kind in zip(row, plan.objects, strict=True)]
        for row in found["results"]
    ]
    types = [TYPES.get(str(kind), type_) for kind, (_, type_) in zip(plan.objects, found["types"], strict=True)]
    return {
        **found,
        "results": results,
        "columns": plan.names,
        "types": types,
        "nextCursor": _next(plan, results) if found["hasMore"] else None,
        "hogql": "",
    }


def _next(plan: Plan, results: list[list[Any]]) -> str | None:
    """The time of the last row, from which on the next page is asked for by `before` (or `after`)."""
    if plan.cursor is None or not results:
        return None
    last = results[-1][plan.cursor]
    return str(last["timestamp"] if isinstance(last, dict) else last).replace("Z", "+00:00")


def _sessions(plan: Plan, answer: Rows) -> set[str]:
    """The sessions of the events that are shown whole."""
    place = next((place for place, kind in enumerate(plan.objects) if kind == "*"), None)
    if place is None:
        return set()
    known = EVENT.index("properties")
    read = (json.loads(_fields(row[place])[known] or "{}") for row in answer.rows[: plan.table.limit])
    return {str(each["$session_id"]) for each in read if each.get("$session_id")}


def _fields(item: Any) -> list[Any]:
    """What a tuple holds, as DuckDB hands it over."""
    return list(item.values()) if isinstance(item, dict) else list(item)


def _shaped(item: Any, kind: str | None, recorded: set[str]) -> Any:
    if kind is None or not isinstance(item, list):
        return item
    known = dict(zip(OBJECTS[kind], item, strict=True))
    if isinstance(known.get("properties"), str):
        known["properties"] = json.loads(known["properties"])
    return _whole(known, recorded) if kind == "*" else known


def _whole(event: dict[str, Any], recorded: set[str]) -> dict[str, Any]:
    """An event with the elements that were clicked, and whether its session was recorded."""
    if event["elements_chain"]:
        event["elements"] = elements.shown(event["elements_chain"])
    if session := event["properties"].get("$session_id"):
        event["properties"]["$has_recording"] = session in recorded
    return event
