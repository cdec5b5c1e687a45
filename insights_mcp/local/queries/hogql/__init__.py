"""HogQLQuery: SQL over events and persons. Text to tokens, to a tree, to DuckDB SQL; rows to PostHog's answer.

The user's text never reaches DuckDB: what runs is written from the tree, over known tables, fields and functions.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID

from insights_mcp.local.events import APART, Rows
from insights_mcp.local.layout import identifier
from insights_mcp.local.queries.hogql import people, sources, spelling, statements
from insights_mcp.local.queries.hogql.harmless import harmless
from insights_mcp.local.queries.hogql.places import told
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.selects import Selects
from insights_mcp.local.queries.hogql.sources import TWIN, Typed, type_name
from insights_mcp.local.queries.hogql.tree import Literal, Node, Select, Union
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sessions import BOUNCE_SECONDS
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.hogql import HogQLQuery

MODEL = HogQLQuery
DEFAULT_LIMIT = 100
LIMIT = 50_000
DAY = 86_400
SECONDS = {
    "IntervalMinute": 60, "IntervalHour": 3600, "IntervalDay": DAY, "IntervalWeek": 7 * DAY, "IntervalMonth": 30 * DAY,
    "IntervalQuarter": 90 * DAY, "IntervalYear": 360 * DAY,
}  # fmt: skip
PLAIN = {"UUID": "::varchar", "Float64": "::double"}


@dataclass(frozen=True)
class Plan:
    """The statement, and what shaping must know."""

    statements: list[Sql]
    columns: dict[str, Typed]
    text: str
    limit: int
    offset: int
    zone: tzinfo | None
    limited: bool
    zone_name: str = "UTC"


def interval(query: HogQLQuery) -> None:
    """SQL has no interval."""


def compile(query: HogQLQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statement for a query. Raises QueryError."""
    with told(query.query):
        return _compiled(query, context)


def _compiled(query: HogQLQuery, context: Context) -> Plan:
    tree = statements.parse(query.query)
    scan = context.scan()
    compiler = Selects(scan, context, _values(query))
    compiler.given = query.filters
    compiler.bounce = _bounce(query)
    tree, limit, offset, limited = _limited(_settled(tree, compiler))
    relation = compiler.query(tree, {})
    text = f"{APART}select {plain(relation.columns)} from ({relation.sql}) limit {limit + 1} offset {offset}"
    return Plan(
        [scan.statement(text)], relation.columns, query.query, limit, offset, context.local_now.tzinfo, limited,
        context.project.timezone,
    )  # fmt: skip


def plain(columns: dict[str, Typed]) -> str:
    """The columns, as what is quick to hand over."""
    return ", ".join(
        f"{identifier(name)}{PLAIN[typed.type]} as {identifier(name)}" if typed.type in PLAIN else identifier(name)
        for name, typed in columns.items()
    )


def relation(query: HogQLQuery, scan: Scan, context: Context) -> sources.Relation:
    """A query as a table within another statement, which must run APART."""
    compiler = Selects(scan, context, _values(query))
    compiler.given = query.filters
    with told(query.query):
        return compiler.query(statements.parse(query.query), {})


def condition(text: str, scan: Scan, context: Context) -> str:
    """SQL for a HogQL condition on one event, such as a filter of type `hogql`."""
    return f"coalesce(({expression(text, scan, context, truth=True).sql})::boolean, false)"


def expression(text: str, scan: Scan, context: Context, *, truth: bool = False) -> Typed:
    """SQL for a HogQL expression over one event, such as the name of a path's step."""
    compiler = Selects(scan, context)
    scope = Scope()
    for alias in ("events", "e"):  # PostHog's own queries call the table `e`, so expressions in insights may
        scope.add(people.Events(alias, scan, compiler.clock))
    tree = statements.parse_expression(text)
    with told(text):
        found = compiler.expression(tree, scope, truth=truth)
    return found if harmless(tree) else replace(found, sql=APART + found.sql)


def text_of(text: str, scan: Scan, context: Context) -> str:
    """SQL for an expression over one event as text, the way ClickHouse writes its values."""
    return f"({spelling.text(expression(text, scan, context))})::varchar"


def _values(query: HogQLQuery) -> dict[str, Any]:
    variables = (query.variables or {}).values()
    named = {
        f"variables.{each['code_name']}": each.get("value")
        for each in variables
        if isinstance(each, dict) and "code_name" in each
    }
    return {**(query.values or {}), **named}


def _bounce(query: HogQLQuery) -> int:
    """After how many seconds a session did not bounce: as the query's modifiers say."""
    seconds = (query.modifiers or {}).get("bounceRateDurationSeconds")
    return int(seconds) if isinstance(seconds, (int, float)) and 0 <= seconds < 2**31 else BOUNCE_SECONDS


def _settled(tree: Node, compiler: Selects) -> Node:
    """The query with the values given for its outer limit."""
    if not isinstance(tree, Select):
        return tree
    return replace(tree, limit=compiler.settled(tree.limit), offset=compiler.settled(tree.offset))


def _limited(tree: Node) -> tuple[Node, int, int, bool]:
    """The query without its outer limit, and the limit: 100 when it has none, never above 50,000."""
    if not isinstance(tree, Select) or tree.limit is None:
        offset = _number(tree.offset) if isinstance(tree, Select) else 0
        inner = replace(tree, offset=None) if isinstance(tree, Select) else tree
        return inner, DEFAULT_LIMIT, offset, not isinstance(tree, Union)
    limit = _number(tree.limit)
    if tree.ties:
        return tree, LIMIT, 0, False
    return replace(tree, limit=None, offset=None), min(limit, LIMIT), _number(tree.offset) or 0, True


def _number(node: Node | None) -> int:
    from insights_mcp.local.queries.errors import QueryError

    if node is None:
        return 0
    if isinstance(node, Literal) and isinstance(node.value, int) and node.value >= 0:
        return min(node.value, 2**62)
    raise QueryError("LIMIT and OFFSET take whole numbers.", attr="query")


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows as PostHog's answer: `results`, `columns`, `types`, `hasMore`."""
    kinds = list(plan.columns.values())
    names = [name.split(TWIN)[0] for name in plan.columns]
    rows = answers[0].rows
    results = [
        [value(item, _kind(kind), plan.zone) for item, kind in zip(row, kinds, strict=True)]
        for row in rows[: plan.limit]
    ]
    return {
        "results": results,
        "columns": names,
        "types": [[name, type_name(kind, plan.zone_name)] for name, kind in zip(names, kinds, strict=True)],
        "hasMore": len(rows) > plan.limit,
        "limit": plan.limit,
        "offset": plan.offset,
        "hogql": plan.text,
        "query": plan.text,
    }


def value(item: Any, kind: str, zone: tzinfo | None) -> Any:
    """A value of DuckDB as JSON: times with the project's offset, truth as 1 and 0, as ClickHouse has them."""
    convert = VALUES.get(type(item))
    return convert(item, kind, zone) if convert else item


def _kind(typed: Typed) -> str:
    """A type as values need to know it: of an interval, its unit."""
    return typed.shown or typed.type if typed.type == "Interval" else typed.type


def _length(item: timedelta, kind: str, zone: tzinfo | None) -> float:
    """How many units an interval has."""
    return item.total_seconds() / SECONDS.get(kind, 1)


def _time(item: datetime, kind: str, zone: tzinfo | None) -> str:
    return item.replace(tzinfo=zone).isoformat().replace("+00:00", "Z")


def _float(item: float, kind: str, zone: tzinfo | None) -> float | None:
    return item if math.isfinite(item) else None


def _list(item: list[Any] | tuple[Any, ...], kind: str, zone: tzinfo | None) -> list[Any]:
    inner = kind[6:-1] if kind.startswith("Array(") else ""
    return [value(each, inner, zone) for each in item]


def _dict(item: dict[Any, Any], kind: str, zone: tzinfo | None) -> Any:
    """A map is an object; a tuple with names is a list."""
    if kind.startswith("Map("):
        return {str(key): value(each, "", zone) for key, each in item.items()}
    return _list(list(item.values()), "", zone)


VALUES: dict[type, Any] = {
    bool: lambda item, kind, zone: item if kind == "Bool" else int(item),
    datetime: _time,
    date: lambda item, kind, zone: item.isoformat(),
    timedelta: _length,
    float: _float,
    Decimal: lambda item, kind, zone: float(item),
    UUID: lambda item, kind, zone: str(item),
    bytes: lambda item, kind, zone: base64.b64encode(item).decode(),
    list: _list,
    tuple: _list,
    dict: lambda item, kind, zone: _dict(item, kind, zone),
}
