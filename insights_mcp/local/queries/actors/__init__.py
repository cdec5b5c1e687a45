"""ActorsQuery: which persons or groups are behind a point of an insight, or all persons; with what is known of them.

Who is meant is told by a selection of the source's kind (whom.py, points.py), what is asked of each by the frame
(frame.py). Once a page of them is there, it is asked who they are (origins.py), and what is wanted of them alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from insights_mcp.local.events import APART, Rows
from insights_mcp.local.layout import identifier
from insights_mcp.local.queries import hogql
from insights_mcp.local.queries.actors import recordings
from insights_mcp.local.queries.actors.frame import DELETE, WHO, Column, Frame
from insights_mcp.local.queries.actors.plan import Plan
from insights_mcp.local.queries.actors.whom import RECORDINGS, whom
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import printing, statements
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.selects import Selects
from insights_mcp.local.queries.hogql.sources import Relation
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.selection import PAGE
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.actors import ActorsQuery

__all__ = ["MODEL", "compile", "interval", "relation", "shape"]

MODEL = ActorsQuery
DEFAULT_LIMIT, LIMIT = 100, 50_000


def interval(query: ActorsQuery) -> None:
    """Actors have no interval."""


def compile(query: ActorsQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statements for a query. Raises QueryError for what is not supported."""
    scan = context.scan()
    compiler = Selects(scan, context)
    meant = whom(query, scan, context, compiler)
    frame = Frame(query, meant, compiler, Scope())
    limit, offset = min(query.limit or DEFAULT_LIMIT, LIMIT), query.offset or 0
    page, late = frame.page(scan.bind(limit + 1), scan.bind(offset)), frame.late()
    is_shown = any(column.name in WHO for column in frame.columns)
    return Plan(
        [scan.statement(page)],
        frame.columns,
        meant.origin,
        limit,
        offset,
        scan,
        context.local_now.tzinfo,
        meant.origin.details(f"${PAGE}") if is_shown else None,
        scan.statement(late) if late else None,
    )


def relation(query: ActorsQuery, scan: Scan, context: Context) -> Relation:
    """The actors as a table within another statement, which must run APART."""
    compiler = Selects(scan, context)
    frame = Frame(query, whom(query, scan, context, compiler), compiler, Scope(), within=True)
    if any(column.name == RECORDINGS for column in frame.columns):
        raise QueryError("Inside SQL, actors have no recordings; leave matched_recordings out.", attr="select")
    names = [printing.name_of(statements.parse_column(column.name)) for column in frame.columns]
    page = frame.page(scan.bind(LIMIT), scan.bind(0))
    listed = ", ".join(f"c{number} as {identifier(name)}" for number, name in enumerate(names))
    typed = (column.typed for column in frame.columns)
    columns = {name: replace(each, sql=identifier(name)) for name, each in zip(names, typed, strict=True)}
    return Relation(f"{APART}select {listed} from ({page})", columns)


# -- results -----------------------------------------------------------------------------------------------------------


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows as PostHog's answer, with each actor written out."""
    rows, sessions = plan.rows(answers), plan.recorded(answers)
    results = [_row(plan, row, sessions) for row in rows]
    found = {
        "results": results,
        "columns": [column.name for column in plan.columns],
        "types": [column.typed.type for column in plan.columns],
        "hasMore": len(answers[0].rows) > plan.limit,
        "limit": plan.limit,
        "offset": plan.offset,
    }
    return found | _written_out(plan, rows, results, answers) if plan.details else found


def _row(plan: Plan, row: tuple[Any, ...], sessions: frozenset[str]) -> list[Any]:
    return [_value(plan, column, item, sessions) for column, item in zip(plan.columns, row[:-1], strict=True)]


def _value(plan: Plan, column: Column, item: Any, sessions: frozenset[str]) -> Any:
    if column.name == RECORDINGS:
        return recordings.shown(item, sessions)
    if column.name == DELETE:
        return 1
    if column.typed.type == "Tuple(String, String)" and isinstance(item, list):
        return {"display_name": item[0], "id": item[1]}
    return hogql.value(item, column.typed.type, plan.zone)


def _written_out(
    plan: Plan, rows: list[tuple[Any, ...]], results: list[list[Any]], answers: list[Rows]
) -> dict[str, Any]:
    known = plan.known(answers)
    for row, result in zip(rows, results, strict=True):
        for place, column in enumerate(plan.columns):
            if column.name in WHO:
                result[place] = known.get(row[-1]) or {"id": result[place], **plan.origin.blank}
    return {"missing_actors_count": sum(row[-1] not in known for row in rows)}
