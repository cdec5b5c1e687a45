"""EventsQuery: a table of events. Its columns and conditions are HogQL, and so is the whole: one HogQL tree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from insights_mcp.local.events import APART, Rows
from insights_mcp.local.queries import dates, hogql
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
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Sql
from insights_mcp.schema.events_table import EventsQuery
from insights_mcp.schema.filters import PropertyGroup
from insights_mcp.schema.hogql import HogQLFilters

MODEL = EventsQuery
DEFAULT_AFTER = "-24h"
PERSON = {"uuid": "person.id", "created_at": "person.created_at", "properties": "person.properties"}
# Columns that are objects: what each holds, by key.
OBJECTS = {
    "*": {
        name: name
        for name in ("uuid", "event", "properties", "timestamp", "distinct_id", "elements_chain", "created_at")
    },
    "person": {**PERSON, "distinct_id": "distinct_id"},
    "person_display_name": {
        "display_name": "coalesce(person.properties.email, person.properties.name, person.properties.username,"
        " distinct_id)",
        "id": "toString(person.id)",
        "distinct_id": "distinct_id",
    },
}


@dataclass(frozen=True)
class Plan:
    """The statement's plan as HogQL, and which columns are objects."""

    table: hogql.Plan
    names: list[str]
    objects: list[str | None]

    @property
    def statements(self) -> list[Sql]:
        return self.table.statements


def interval(query: EventsQuery) -> None:
    """A table has no interval."""


def compile(query: EventsQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statement for a query. Raises QueryError."""
    if query.source:
        raise QueryError("EventsQuery takes no source here; filter by `personId` or `where`.", attr="source")
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
    relation = compiler.query(_select(query, columns, context), {})
    offset = query.offset or 0
    text = f"{APART}select {hogql.plain(relation.columns)} from ({relation.sql}) limit {limit + 1} offset {offset}"
    zone = context.local_now.tzinfo
    plan = hogql.Plan(
        [scan.statement(text)], relation.columns, "", limit, offset, zone, True, context.project.timezone
    )  # fmt: skip
    return Plan(plan, query.select, objects)


def _object(text: str) -> str | None:
    name = text.split("--")[0].strip()
    return name if name in OBJECTS else None


def _column(text: str, kind: str | None) -> Node:
    """A column, under a name of its own: texts can be alike."""
    if kind:
        return Call("tuple", tuple(statements.parse_expression(each) for each in OBJECTS[kind].values()))
    found = statements.parse_column(text)
    return found.what if isinstance(found, Alias) else found


def _select(query: EventsQuery, columns: list[Node], context: Context) -> Select:
    order = tuple(statements.parse_order(text) for text in query.orderBy or ())
    grouped = any(_aggregates(column) for column in columns)
    if not query.orderBy and not grouped:
        order = (OrderBy(Field(("timestamp",)), descending=True),)
    return Select(
        columns=tuple(Alias(column, f"column {place}") for place, column in enumerate(columns)),
        source=Table(("events",)),
        where=Call("and", tuple(_conditions(query, context))),
        group=tuple(column for column in columns if not _aggregates(column)) if grouped else (),
        order=order,
    )


def _conditions(query: EventsQuery, context: Context) -> list[Node]:
    found: list[Node] = [Placeholder(("filters",))]
    found += [statements.parse_expression(text) for text in query.where or []]
    names = [name for name in (query.event, *(query.events or ())) if name]
    if names:
        found.append(Call("in", (Field(("event",)), Call("tuple", tuple(map(Literal, names))))))
    if query.actionId is not None:
        found.append(Call("matchesAction", (Literal(query.actionId),)))
    if query.personId:
        found.append(Call("equals", (Field(("person_id",)), Literal(query.personId))))
    after = query.after or DEFAULT_AFTER
    if after != "all":
        found.append(Call("greater", (Field(("timestamp",)), _moment(after, context))))
    if query.before:
        found.append(Call("less", (Field(("timestamp",)), _moment(query.before, context))))
    return found


def _moment(text: str, context: Context) -> Node:
    moment, _ = dates.parsed(text, context.local_now)
    return Literal(moment.isoformat())


def _aggregates(node: Node) -> bool:
    """Whether there is an aggregate in it."""
    names = (part.name for part in walk(node) if isinstance(part, Call) and not part.over)
    return any(aggregates.is_aggregate(name) or aggregates.is_aggregate(name.removesuffix("If")) for name in names)


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows as PostHog's answer; `*` and `person` as objects."""
    found = hogql.shape(plan.table, answers)
    found["results"] = [
        [_shaped(item, kind) for item, kind in zip(row, plan.objects, strict=True)] for row in found["results"]
    ]
    kinds = [kind for _, kind in found["types"]]
    return {**found, "columns": plan.names, "types": kinds, "hogql": ""}


def _shaped(item: Any, kind: str | None) -> Any:
    if kind is None or not isinstance(item, list):
        return item
    known = dict(zip(OBJECTS[kind], item, strict=True))
    if isinstance(known.get("properties"), str):
        known["properties"] = json.loads(known["properties"])
    return known
