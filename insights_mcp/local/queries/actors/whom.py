"""Whom a query is about: all persons, those a HogQL query names, or those behind a point; and the tables to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from insights_mcp.local.events import APART
from insights_mcp.local.layout import identifier
from insights_mcp.local.queries import hogql
from insights_mcp.local.queries.actors.origins import Groups, Origin, Persons
from insights_mcp.local.queries.actors.points import selected
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.selects import Selects
from insights_mcp.local.queries.hogql.sources import Clock, Relation, Source, Typed
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.selection import Write
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.actors import ActorsQuery
from insights_mcp.schema.hogql import HogQLQuery

RECORDINGS, EVENTS = "matched_recordings", "matching_events"


class Selected(Source):
    """What a selection of actors says of each, beside who it is; and what of that was asked for."""

    def __init__(self, columns: Mapping[str, str], clock: Clock) -> None:
        super().__init__("source")
        self.columns = columns
        self.clock = clock
        self.used: set[str] = set()

    def column(self, name: str) -> str | None:
        """The column that a name means; recordings are found by the events they show."""
        name = EVENTS if name == RECORDINGS else name
        return name if name in self.columns else None

    def typed(self, column: str) -> Typed:
        """A column and its type."""
        sql, kind = f"{self.name}.{identifier(column)}", self.columns[column]
        return Typed(self.clock(sql) if kind == "DateTime" else sql, kind)

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        found = self.column(chain[0]) if len(chain) == 1 else None
        if chain == (RECORDINGS,) and not found:
            return Typed("[]::varchar[]", "Array(Nothing)", False)
        if not found:
            return None
        self.used.add(found)
        return self.typed(found)

    def star(self) -> tuple[str, ...]:
        return tuple(self.columns)


@dataclass(frozen=True)
class Whom:
    """Who is meant, what is said of each beside, and the tables to read for that: of all, or of those on a page."""

    origin: Origin
    beside: Selected
    tables: Write
    of_page: Write | None = None


def whom(query: ActorsQuery, scan: Scan, context: Context, compiler: Selects) -> Whom:
    """Whom a query is about. Raises QueryError."""
    persons = Persons(context, compiler.clock, scan)
    if query.source is None:
        return Whom(persons, Selected({}, compiler.clock), lambda _: persons.tables())
    if isinstance(query.source, HogQLQuery):
        return _named(hogql.relation(query.source, scan, context), persons, compiler.clock)
    # Persons are listed, also where users are counted by their distinct ids.
    found = selected(query.source, replace(scan, by_distinct_id=False), context)
    number = found.group_type_index
    origin: Origin = persons if number is None else Groups(number, compiler.clock, scan)

    def tables(columns: Collection[str]) -> str:
        return f"({found.select(columns)}) source{origin.joined('source.actor')}"

    return Whom(origin, Selected(found.columns, compiler.clock), tables, found.of_page)


def _named(relation: Relation, persons: Persons, clock: Clock) -> Whom:
    """The persons that the rows of a HogQL query name."""
    actor = identifier(_id_column(relation))
    tables = f"{APART}({relation.sql}) source join persons p on p.person_id = try_cast(source.{actor} as uuid)"
    columns = {name: typed.type for name, typed in relation.columns.items()}
    return Whom(persons, Selected(columns, clock), lambda _: tables)


def _id_column(relation: Relation) -> str:
    """The column of a HogQL source that says who."""
    for name in ("actor_id", "person_id", "group_key"):
        if name in relation.columns:
            return name
    found = next((name for name in relation.columns if "id" in name.lower()), None)
    if found is None:
        raise QueryError("The source query needs a column of ids, such as person_id.", attr="source")
    return found
