"""What a SELECT reads: tables, subqueries, common table expressions and tags, how they are joined, ARRAY JOIN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries import sessions
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import exact, people, printing, recordings, sources, statements, tables, tree
from insights_mcp.local.queries.hogql.given import Given
from insights_mcp.local.queries.hogql.places import placed
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import Relation, Source, Typed, exact_type
from insights_mcp.local.queries.hogql.tree import Alias, Call, Literal, Node, Select, Table, Union
from insights_mcp.local.queries.presence import sampled
from insights_mcp.local.queries.sql import Scan

TABLES = (
    "events", "persons", "sessions", "groups", "cohort_people", "static_cohort_people", "raw_cohort_people",
    "person_distinct_ids", "raw_person_distinct_ids", "raw_sessions", "raw_persons", "raw_groups", "numbers",
    "session_replay_events", "raw_session_replay_events",
)  # fmt: skip
# Joins that may leave out what stands after them, and what stands before.
OUTER_RIGHT = ("left", "full", "asof left", "any")
OUTER_LEFT = ("right", "full")
# What grows in a common table expression that refers to itself.
WIDE = {"Int64": "::bigint", "UInt64": "::bigint"}


class Reading(Given):
    """Compiles FROM."""

    bounce = sessions.BOUNCE_SECONDS

    def query(self, node: Node, ctes: dict[str, Node]) -> Relation:
        """A SELECT or a UNION; see selects.py."""
        raise NotImplementedError

    def _sources(self, node: Select, scope: Scope) -> list[tuple[str, Source]]:
        """The sources in order, each with how it is joined; all are named before any condition is compiled."""
        if node.source is None:
            return []
        found = [("", self._source(node.source, scope))]
        found += [(join.kind, self._source(join.source, scope)) for join in node.joins]
        for place, (kind, source) in enumerate(found):
            source.optional = source.optional or kind in OUTER_RIGHT
            if kind in OUTER_LEFT:
                for _, earlier in found[:place]:
                    earlier.optional = True
        recorded = any(isinstance(source, recordings.Recordings) for _, source in found)
        for _, source in found:
            if recorded and isinstance(source, people.Events):  # snapshots are no events beside recordings
                shown = self.scan.bind(list(recordings.Recordings.SNAPSHOTS))
                own = f"{source.scan.events}.event"
                source.kept.append(f"coalesce({own} not in (select unnest({shown}::varchar[])), true)")
            scope.add(source)
        return found

    def _source(self, node: Node, scope: Scope) -> Source:
        """A table under its name."""
        try:
            return self._named_source(node, scope)
        except QueryError as error:
            raise placed(error, node.at) from None

    def _named_source(self, node: Node, scope: Scope) -> Source:
        if isinstance(node, tree.Derived):
            return sources.Derived(node.alias or f"subquery_{id(node)}", self.query(node.query, scope.ctes))
        if isinstance(node, tree.Tagged):
            return sources.Derived(node.alias or f"query_{id(node)}", self._tagged(node.query, scope))
        if not isinstance(node, Table):
            raise QueryError("A table's name is expected after FROM.", attr="query")
        name, alias = ".".join(node.chain), node.alias or node.chain[-1]
        if name in scope.ctes and node.args is None:
            return sources.Derived(alias, self._common(name, scope.ctes))
        found = self._table(name, alias, node, scope)
        if name in TABLES:
            found.everywhere = {"team_id": Typed(f"{self.context.project.id}::bigint", "Int64", False)}
        return found

    def _common(self, name: str, ctes: dict[str, Node]) -> Relation:
        """A common table expression, which may refer to itself after its first part."""
        node, inner = ctes[name], {key: value for key, value in ctes.items() if key != name}
        if isinstance(node, tree.Own):
            return Relation(f"select * from {identifier(name)}", dict(node.columns))
        if not (isinstance(node, Union) and any(_reads(part, name) for _, part in node.rest)):
            return self.query(node, inner)
        first = self.query(node.first, {**inner, **dict(node.ctes)})
        listed = ", ".join(f"{c.sql}{WIDE.get(c.type, '')} as {identifier(n)}" for n, c in first.columns.items())
        text = f"(select {listed} from ({first.sql}))"
        for word, part in node.rest:
            own = tree.Own(tuple(first.columns.items()))
            text += f" {word} ({self.query(part, {**inner, **dict(node.ctes), name: own}).sql})"
        sql = f"with recursive {identifier(name)} as ({text}) select * from {identifier(name)}"
        return Relation(sql, first.columns)

    def _tagged(self, query: dict[str, Any], scope: Scope) -> Relation:
        """A query that is written as a tag, as a table."""
        if query.get("kind") == "HogQLQuery" and isinstance(query.get("query"), str):
            return self.query(statements.parse(query["query"]), scope.ctes)
        if query.get("kind") != "ActorsQuery":
            raise QueryError("A tag after FROM is an <ActorsQuery> or a <HogQLQuery>.", attr="query")
        from insights_mcp.local.queries import actors  # it is built on this package

        try:
            parsed = actors.MODEL.model_validate(query)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise QueryError(
                f"The tag <ActorsQuery> does not fit at `{where}`: {first['msg']}.", attr="query"
            ) from None
        fresh = replace(
            self.scan, with_persons=False, events="e", persons="p", groups=set(), session_fields=set(),
            persons_on_events=self.context.project.persons_on_events,
        )  # fmt: skip
        return actors.relation(parsed, fresh, self.context)

    def _table(self, name: str, alias: str, node: Table, scope: Scope) -> Source:
        if name == "numbers":
            return sources.Derived(alias, self._numbers(node.args, scope))
        if name in TABLES and node.args is not None:
            raise QueryError(f"Table '{name}' does not accept arguments", attr="query")
        if name not in TABLES:
            raise sources.unknown_table(name, [*(c for c in scope.ctes), *TABLES])
        scan = replace(self.scan.inner(identifier(alias)), persons=identifier(alias + ".person"))
        if node.share < 1:
            if name != "events":
                raise QueryError("SAMPLE takes a share of `events` only.", attr="query")
            return people.Events(alias, scan, self.clock, sampled(scan, node.share))
        name = name.removeprefix("raw_") if name not in ("raw_sessions", "raw_person_distinct_ids") else name
        if name == "persons":
            own = replace(scan, persons=identifier(alias), persons_on_events=False)
            return people.Persons(alias, own, self.clock)
        if name.endswith("cohort_people"):
            return tables.CohortPeople(alias, scan, self.context, name.startswith("static"))
        made: dict[str, Callable[[str, Scan, sources.Clock], sources.Source]]
        made = {"events": people.Events, "groups": tables.Groups}
        made |= {"raw_sessions": tables.RawSessions, "session_replay_events": recordings.Recordings}
        if name == "sessions":
            found = tables.Sessions(alias, scan, self.clock)
            found.bounce = self.bounce
            return found
        if name in made:
            return made[name](alias, scan, self.clock)
        return people.DistinctIds(alias, scan, self.clock, raw=name.startswith("raw_"))

    def _unfolded(self, node: Select, scope: Scope) -> str:
        """ARRAY JOIN: a row for each element; several arrays go in step."""
        parts: dict[str, Typed] = {}
        for item in node.arrays:
            name, what = (item.name, item.what) if isinstance(item, Alias) else (printing.name_of(item), item)
            found = self.expression(what, scope)
            if not found.type.startswith("Array("):
                raise QueryError(f"ARRAY JOIN takes an array, not {found.type}.", attr="query")
            sql = f"case when len({found.sql}) > 0 then {found.sql} else [null] end" if node.keep_empty else found.sql
            known = exact.of_array(exact_type(found))
            parts[name] = Typed(f"unnest({sql})", found.type[6:-1], node.keep_empty, exact=known)
        text = "select " + ", ".join(f"{typed.sql} as {identifier(name)}" for name, typed in parts.items())
        source = sources.Elements("elements of arrays", Relation(text, parts))
        # Before the others: the name of an array stands for its element from here on.
        scope.sources = {source.alias: source, **scope.sources}
        return (" cross join lateral " if node.source else " from ") + source.tables()

    def _numbers(self, args: tuple[Node, ...] | None, scope: Scope) -> Relation:
        if args is None:
            raise QueryError("Table function 'numbers' requires arguments", attr="query")
        found = [f"({self.expression(arg, scope).sql})::bigint" for arg in args]
        if not 1 <= len(found) <= 2:
            bound = "at least 1 argument" if not found else "at most 2 arguments"
            raise QueryError(f"Table function 'numbers' requires {bound}", attr="query")
        start, count = ("0::bigint", found[0]) if len(found) == 1 else found
        # A subquery in the arguments cannot be one of a table function: unnest a list instead.
        text = f"select unnest(range({start}, {start} + least({count}, 100000))) as number"
        return Relation(text, {"number": Typed("number", "UInt64", False)})

    def _from(self, node: Select, scope: Scope, joins: list[tuple[str, Source]]) -> str:
        if not joins:
            return ""
        conditions = [self._on(join, scope) for join in node.joins]
        text = " from " + joins[0][1].tables()
        for (kind, source), condition in zip(joins[1:], conditions, strict=True):
            joined = source.tables()
            nested = " join " in joined and joined[0] != "("
            if kind == "any":
                text += _any(source, joined, condition, nested)
                continue
            text += f" {kind} join ({joined}){condition}" if nested else f" {kind} join {joined}{condition}"
        return text

    def _on(self, join: tree.Join, scope: Scope) -> str:
        if join.kind == "cross":
            return ""
        if join.using:
            return f" using ({', '.join(identifier(name) for name in join.using)})"
        if join.on is None or not _has_equality(join.on):
            raise QueryError("A JOIN needs ON with an equality between both sides.", attr="query")
        return " on " + self.expression(join.on, replace(scope, joining=True), truth=True).sql


def _any(source: Source, joined: str, condition: str, nested: bool) -> str:
    """LEFT ANY JOIN: one row at most for each row before."""
    if nested or not condition.startswith(" on "):
        raise QueryError("ANY JOIN needs ON, and a subquery or a table whose own columns are used.", attr="query")
    where = condition.removeprefix(" on ")
    return f" left join lateral (select * from {joined} where {where} limit 1) {source.name} on true"


def _reads(node: Node, name: str) -> bool:
    """Whether a SELECT reads a table of this name."""
    read = [node.source, *(join.source for join in node.joins)] if isinstance(node, Select) else []
    return any(isinstance(each, Table) and each.chain == (name,) for each in read)


def _has_equality(node: Node) -> bool:
    if isinstance(node, Call) and node.name == "and":
        return any(_has_equality(arg) for arg in node.args)
    return isinstance(node, Call) and node.name == "equals" and all(not isinstance(a, Literal) for a in node.args)
