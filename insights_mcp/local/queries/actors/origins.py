"""Whom actors are: persons or groups. The table they stand in, their fields, how they are searched and shown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC
from typing import Any, ClassVar

from insights_mcp.local.events import APART
from insights_mcp.local.layout import pointer
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import statements
from insights_mcp.local.queries.hogql.harmless import harmless
from insights_mcp.local.queries.hogql.people import person_field
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.selects import Selects
from insights_mcp.local.queries.hogql.sources import MILLISECONDS, Clock, Source, Typed
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.filters import Properties, PropertyFilter, PropertyGroup

# What a person is called by, the first that is known; else the id.
DISPLAY = ("email", "Email", "name", "Name", "username", "Username", "UserName")
PERSONS = """select p.pid, p.person_id::varchar, p.created_at, coalesce(p.is_identified, false), p.properties::varchar,
       coalesce(list(d.distinct_id order by d.distinct_id) filter (d.distinct_id is not null), [])
from persons p left join person_distinct_ids d using (pid)
where p.pid in (select unnest({page}::uinteger[])) group by all"""
GROUPS = """select group_key, created_at, properties::varchar from groups
where group_type_index = $number and group_key in (select unnest({page}::varchar[]))"""
PERSON_SEARCH = """({email} ilike {text} or {name} ilike {text} or p.person_id::varchar ilike {text}
  or p.pid in (select pid from person_distinct_ids where distinct_id ilike {text}))"""
OF_EVENTS = frozenset({"event_metadata", "session", "element", "group"})


class Persons(Source):
    """Persons, as `p`."""

    field_name = "person"
    actor = "p.pid"
    blank: ClassVar[dict[str, int]] = {}
    defaults = ("person", "id", "person.$delete")

    def __init__(self, context: Context, clock: Clock, scan: Scan) -> None:
        super().__init__("persons")
        self.context, self.clock = context, clock
        self.scan = replace(scan, events="p", persons="p", persons_on_events=False)

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        if chain[0] == "person" and len(chain) > 1:
            return self.field(chain[1:])
        if len(chain) == 1 and chain[0] in ("actor_id", "person", "actor"):
            return person_field(self.scan, self.clock, ("id",))
        if chain == ("person_display_name",):
            return self._display()
        return person_field(self.scan, self.clock, chain)

    def _display(self) -> Typed:
        names = ", ".join(self.scan.person_property(key) for key in DISPLAY)
        return Typed(f"[coalesce({names}, p.person_id::varchar), p.person_id::varchar]", "Tuple(String, String)", False)

    def star(self) -> tuple[str, ...]:
        return ("id", "created_at", "is_identified", "properties", "person", "actor", "person_display_name")

    def tables(self) -> str:
        return "persons p"

    def joined(self, actor: str) -> str:
        """SQL: the join with a selection, whose `actor` is a person's pid."""
        return f" join persons p on p.pid = {actor}"

    def matches(self, properties: Properties) -> str:
        """SQL that holds for persons with these properties."""
        return PersonFilters(self, self.context).all_of(properties)

    def search(self, text: str) -> str:
        """SQL that holds for persons whose mail, name or ids contain a text."""
        fields = {key: self.scan.person_property(key) for key in ("email", "name")}
        return f"coalesce({PERSON_SEARCH.format(text=self.scan.bind(f'%{text}%'), **fields)}, false)"

    def details(self, page: str) -> Sql:
        """Who they are whose pids a parameter lists."""
        return Sql(PERSONS.format(page=page), {})

    def shown(self, rows: list[tuple[Any, ...]]) -> dict[Any, dict[str, Any]]:
        """Each pid's person."""
        return {pid: _person(*row) for pid, *row in rows}


def _person(key: str, created_at: Any, is_identified: bool, properties: str, distinct_ids: list[str]) -> dict[str, Any]:
    return {
        "id": key,
        "properties": json.loads(properties or "{}"),
        "is_identified": is_identified,
        "created_at": _moment(created_at),
        "distinct_ids": distinct_ids,
    }


def _moment(value: Any) -> str | None:
    return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z") if value else None


class PersonFilters(Filters):
    """Filters on persons alone: any property is the person's."""

    def __init__(self, persons: Persons, context: Context) -> None:
        super().__init__(persons.scan, context)
        self.persons = persons

    def one(self, item: PropertyGroup | PropertyFilter) -> str:
        if isinstance(item, PropertyFilter) and item.type == "hogql":
            scope = Scope()
            scope.add(self.persons)
            tree = statements.parse_expression(str(item.key))
            found = Selects(self.scan, self.context).expression(tree, scope, truth=True)
            return f"{'' if harmless(tree) else APART}coalesce(({found.sql})::boolean, false)"
        if (
            isinstance(item, PropertyFilter)
            and item.type in (None, "event")
            and "values" not in (item.model_extra or {})
        ):
            return super().one(item.model_copy(update={"type": "person"}))
        if isinstance(item, PropertyFilter) and item.type in OF_EVENTS:
            raise QueryError(
                f"Persons have no '{item.type}' properties: filter the insight by these.", attr="properties"
            )
        return super().one(item)


class Groups(Source):
    """Groups of one type: `source.actor` is the key, what is known of it stands in `g`."""

    field_name = "group"
    actor = "source.actor"
    defaults = ("group",)
    names = ("id", "key", "actor_id", "group", "actor")

    def __init__(self, number: int, clock: Clock, scan: Scan) -> None:
        super().__init__("groups")
        self.number, self.clock, self.scan = number, clock, scan

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        if len(chain) == 1 and chain[0] in self.names:
            return Typed("source.actor", "String", False)
        if chain[0] == "properties" and len(chain) > 1:
            return Typed(f"(g.properties ->> {self.scan.bind(pointer(*chain[1:]))})")
        if chain == ("properties",):
            return Typed("g.properties::varchar")
        return Typed(MILLISECONDS.format(self.clock("g.created_at")), "DateTime") if chain == ("created_at",) else None

    def star(self) -> tuple[str, ...]:
        return (*self.names, "properties", "created_at")

    def joined(self, actor: str) -> str:
        """SQL: the join with a selection, whose `actor` is a group's key."""
        return f" left join groups g on g.group_type_index = {self.number} and g.group_key = {actor}"

    def matches(self, properties: Properties) -> str:
        """Groups are not narrowed by properties here."""
        raise QueryError("Groups cannot be filtered here; filter the insight by group properties.", attr="properties")

    def search(self, text: str) -> str:
        """SQL that holds for groups whose name or key contains a text."""
        name, like = self.scan.bind(pointer("name")), self.scan.bind(f"%{text}%")
        return f"coalesce((g.properties ->> {name}) ilike {like} or source.actor ilike {like}, false)"

    @property
    def blank(self) -> dict[str, int]:
        """What is said even of a group that is not known."""
        return {"group_type_index": self.number}

    def details(self, page: str) -> Sql:
        """Which they are whose keys a parameter lists."""
        return Sql(GROUPS.format(page=page), {"number": self.number})

    def shown(self, rows: list[tuple[Any, ...]]) -> dict[Any, dict[str, Any]]:
        """Each key's group."""
        return {row[0]: self._group(*row) for row in rows}

    def _group(self, key: str, created_at: Any, properties: str) -> dict[str, Any]:
        known = json.loads(properties or "{}")
        return {
            "id": key,
            "type": "group",
            "properties": known,
            "group_key": key,
            "group_type_index": self.number,
            "created_at": _moment(created_at),
            "group_properties": known,
        }


Origin = Persons | Groups
