"""ActorsQuery: which persons or groups are behind a point of an insight, or all persons; with what is known of them.

A selection of the source's kind says who (points.py), the frame what is asked of each (frame.py), and once a page of
them is there, a look-up who they are (origins.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any

from insights_mcp.local.events import APART, Rows
from insights_mcp.local.layout import identifier
from insights_mcp.local.queries import hogql
from insights_mcp.local.queries.actors import recordings
from insights_mcp.local.queries.actors.frame import DELETE, Column, Frame, id_column
from insights_mcp.local.queries.actors.origins import Groups, Origin, Persons, Selected
from insights_mcp.local.queries.actors.points import selected
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.selects import Selects
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.selection import Fold
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.actors import ActorsQuery
from insights_mcp.schema.hogql import HogQLQuery

MODEL = ActorsQuery
WHO = ("person", "group", "actor")
RECORDINGS = "matched_recordings"
DISTINCT_IDS = "event_distinct_ids"
DEFAULT_LIMIT, LIMIT = 100, 50_000


@dataclass(frozen=True)
class Plan:
    """The statements: to fold (where a selection needs it), for the page, then for who is on it."""

    fold: Fold | None
    page: Sql
    columns: list[Column]
    origin: Origin
    limit: int
    offset: int
    scan: Scan
    zone: tzinfo | None
    statements: list[Sql] = field(default_factory=list)

    def follow(self, answers: list[Rows]) -> list[Sql]:
        """What to ask next, by what was answered so far."""
        if self.fold and not answers:
            return [self.fold.statement]
        first = 1 if self.fold else 0
        if len(answers) == first:
            given = self.fold.values(answers[0]) if self.fold else {}
            return [Sql(self.page.text, {**self.page.parameters, **given})]
        return self._looked_up(answers[first].rows[: self.limit]) if len(answers) == first + 1 else []

    def _looked_up(self, rows: list[tuple[Any, ...]]) -> list[Sql]:
        asked: list[Sql | None] = []
        if self.who is not None:
            asked.append(self.origin.details([str(row[self.who]) for row in rows]))
        if self.recordings is not None:
            asked.append(recordings.recorded((row[self.recordings] for row in rows), self.scan))
        return [statement for statement in asked if statement]

    @property
    def who(self) -> int | None:
        """The first column that shows an actor whole."""
        return next((n for n, column in enumerate(self.columns) if column.name in WHO), None)

    @property
    def recordings(self) -> int | None:
        """The column of matched recordings."""
        return next((n for n, column in enumerate(self.columns) if column.name == RECORDINGS), None)


def interval(query: ActorsQuery) -> None:
    """Actors have no interval."""


def compile(query: ActorsQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statements for a query. Raises QueryError for what is not supported."""
    scan = context.scan()
    compiler, scope = Selects(scan, context), Scope()
    origin, tables, beside, fold = _source(query, scan, context, compiler)
    scope.add(origin)
    scope.add(Selected(beside, compiler.clock))
    frame = Frame(query, origin, compiler, scope)
    columns = frame.columns(_names(query, origin, beside))
    limit, offset = min(query.limit or DEFAULT_LIMIT, LIMIT), query.offset or 0
    listed = ", ".join(f"{column.typed.sql} as c{number}" for number, column in enumerate(columns))
    clauses = frame.where() + frame.group(columns) + frame.order(columns)
    page = f"select {listed} from {tables}{clauses} limit {scan.bind(limit + 1)} offset {scan.bind(offset)}"
    return Plan(fold, scan.statement(page), columns, origin, limit, offset, scan, context.local_now.tzinfo)


def _source(
    query: ActorsQuery, scan: Scan, context: Context, compiler: Selects
) -> tuple[Origin, str, Mapping[str, str], Fold | None]:
    """Whom it is about, the tables to read, and what a selection says of each beside."""
    persons = Persons(context, compiler.clock, scan)
    if query.source is None:
        return persons, persons.tables(), {}, None
    if isinstance(query.source, HogQLQuery):
        relation = hogql.relation(query.source, scan, context)
        actor = identifier(id_column(relation))
        joined = f"{APART}({relation.sql}) source join persons p on p.person_id = try_cast(source.{actor} as uuid)"
        return persons, joined, {name: typed.type for name, typed in relation.columns.items()}, None
    # Persons are listed, also where users are counted by their distinct ids.
    found = selected(query.source, replace(scan, by_distinct_id=False), context)
    number = found.group_type_index
    origin: Origin = persons if number is None else Groups(number, compiler.clock, scan)
    return origin, f"({found.sql}) source{origin.joined('source.actor')}", found.columns, found.fold


def _names(query: ActorsQuery, origin: Origin, beside: Mapping[str, str]) -> list[str]:
    """What is asked for; of trends, PostHog also says by which ids each person came."""
    names = query.select or list(origin.defaults)
    extra = isinstance(origin, Persons) and DISTINCT_IDS in beside and DISTINCT_IDS not in names
    return [*names, DISTINCT_IDS] if extra else names


# -- results -----------------------------------------------------------------------------------------------------------


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows as PostHog's answer, with each actor written out."""
    page, *looked_up = answers[1:] if plan.fold else answers
    rows = page.rows
    details = looked_up.pop(0) if plan.who is not None else None
    recorded = frozenset(str(session) for answer in looked_up for (session,) in answer.rows)
    results = [_row(plan, row, recorded) for row in rows[: plan.limit]]
    found = {
        "results": results,
        "columns": [column.name for column in plan.columns],
        "types": [column.typed.type for column in plan.columns],
        "hasMore": len(rows) > plan.limit,
        "limit": plan.limit,
        "offset": plan.offset,
    }
    return found | _written_out(plan, plan.who, results, details) if plan.who is not None and details else found


def _row(plan: Plan, row: tuple[Any, ...], recorded: frozenset[str]) -> list[Any]:
    return [_value(plan, column, item, recorded) for column, item in zip(plan.columns, row, strict=True)]


def _value(plan: Plan, column: Column, item: Any, recorded: frozenset[str]) -> Any:
    if column.name == RECORDINGS:
        return recordings.shown(item, recorded)
    if column.name == DELETE:
        return 1
    if column.typed.type == "Tuple(String, String)" and isinstance(item, list):
        return {"display_name": item[0], "id": item[1]}
    return hogql.value(item, column.typed.type, plan.zone)


def _written_out(plan: Plan, who: int, results: list[list[Any]], answer: Rows) -> dict[str, Any]:
    shown, missing = plan.origin.shown([str(row[who]) for row in results], answer)
    for row in results:
        for place, column in enumerate(plan.columns):
            if column.name in WHO:
                row[place] = shown[str(row[place])]
    return {"missing_actors_count": missing}
