"""SELECT, FROM, joins, common table expressions and unions as DuckDB SQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries import dates, sessions
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import calls, printing, sources, statements, tables, tree
from insights_mcp.local.queries.hogql.aggregates import Aggregates
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import TWIN, Relation, Source, Typed
from insights_mcp.local.queries.hogql.tree import Alias, Call, Literal, Node, Select, Star, Table, Union
from insights_mcp.local.queries.presence import sampled
from insights_mcp.local.queries.properties import Filters
from insights_mcp.schema.hogql import HogQLFilters

assert calls.TABLE  # registers the functions
TABLES = (
    "events", "persons", "sessions", "groups", "cohort_people", "static_cohort_people", "raw_cohort_people",
    "person_distinct_ids", "raw_person_distinct_ids", "raw_sessions", "raw_persons", "raw_groups", "numbers",
    "session_replay_events",
)  # fmt: skip
FILTERED = (sources.Events, tables.Sessions)
# Joins that may leave out what stands after them, and what stands before.
OUTER_RIGHT = ("left", "full", "asof left")
OUTER_LEFT = ("right", "full")
# What grows in a common table expression that refers to itself.
WIDE = {"Int64": "::bigint", "UInt64": "::bigint"}
COLUMN_LIMIT = 500
NESTING = 20


class Selects(Aggregates):
    """Compiles whole queries."""

    given: HogQLFilters | None = None
    bounce = sessions.BOUNCE_SECONDS
    nesting = 0

    def query(self, node: Node, ctes: dict[str, Node]) -> Relation:
        """A SELECT or a UNION."""
        self.nesting += 1
        if self.nesting > NESTING:
            raise QueryError(f"More than {NESTING} queries are nested in one another.", attr="query")
        found = self._union(node, ctes) if isinstance(node, Union) else self._select(node, ctes)
        self.nesting -= 1
        return found

    def subquery(self, node: Node, scope: Scope) -> Relation:
        return self.query(node, scope.ctes)

    def _union(self, node: Union, ctes: dict[str, Node]) -> Relation:
        ctes = {**ctes, **dict(node.ctes)}
        first = self.query(node.first, ctes)
        text = f"({first.sql})"
        for word, part in node.rest:
            relation = self.query(part, ctes)
            if len(relation.columns) != len(first.columns):
                raise QueryError("The parts of a UNION need the same number of columns.", attr="query")
            text += f" {word} ({relation.sql})"
        return Relation(text, first.columns)

    def _select(self, node: Node, ctes: dict[str, Node]) -> Relation:
        if not isinstance(node, Select):
            raise QueryError("Only SELECT is allowed.", attr="query")
        scope = Scope(ctes={**ctes, **dict(node.ctes)})
        joins = self._sources(node, scope)
        elements = self._unfolded(node, scope) if node.arrays else ""
        scope.windows = dict(node.windows)
        scope.aliases = {item.name: item.what for item in node.columns if isinstance(item, Alias)}
        scope.aliases |= {name: each for name, each in scope.ctes.items() if not isinstance(each, (Select, Union))}
        columns = self._columns(node.columns, scope)
        clauses = self._clauses(node, scope, columns, joins)
        listed = ", ".join(f"{typed.sql} as {identifier(name)}" for name, typed in columns.items())
        origin = self._from(node, scope, joins) + elements
        sql = f"select {'distinct ' if node.distinct else ''}{listed}{origin}{clauses}"
        return Relation(sql, {name: replace(typed, sql=identifier(name)) for name, typed in columns.items()})

    # -- what is read --------------------------------------------------------------------------------------------------

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
        recorded = any(isinstance(source, tables.Recordings) for _, source in found)
        for _, source in found:
            if recorded and isinstance(source, sources.Events):  # snapshots are no events beside recordings
                shown = self.scan.bind(list(tables.Recordings.SNAPSHOTS))
                own = f"{source.scan.events}.event"
                source.kept.append(f"coalesce({own} not in (select unnest({shown}::varchar[])), true)")
            scope.add(source)
        return found

    def _source(self, node: Node, scope: Scope) -> Source:
        if isinstance(node, tree.Derived):
            return sources.Derived(node.alias or f"subquery_{id(node)}", self.query(node.query, scope.ctes))
        if isinstance(node, tree.Tagged):
            return sources.Derived(node.alias or f"query_{id(node)}", self._tagged(node.query, scope))
        if not isinstance(node, Table):
            raise QueryError("A table's name is expected after FROM.", attr="query")
        name, alias = ".".join(node.chain), node.alias or node.chain[-1]
        if name in scope.ctes and node.args is None:
            return sources.Derived(alias, self._common(name, scope.ctes))
        return self._table(name, alias, node, scope)

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
            return sources.Events(alias, scan, self.clock, sampled(scan, node.share))
        name = name.removeprefix("raw_") if name not in ("raw_sessions", "raw_person_distinct_ids") else name
        if name == "persons":
            own = replace(scan, persons=identifier(alias), persons_on_events=False)
            return sources.Persons(alias, own, self.clock)
        if name.endswith("cohort_people"):
            return tables.CohortPeople(alias, scan, self.context, name.startswith("static"))
        made = {"events": sources.Events, "groups": tables.Groups}
        made |= {"raw_sessions": tables.RawSessions, "session_replay_events": tables.Recordings}
        if name == "sessions":
            found = tables.Sessions(alias, scan, self.clock)
            found.bounce = self.bounce
            return found
        return made[name](alias, scan, self.clock) if name in made else sources.DistinctIds(alias, scan, self.clock)

    def _unfolded(self, node: Select, scope: Scope) -> str:
        """ARRAY JOIN: a row for each element; several arrays go in step."""
        parts: dict[str, Typed] = {}
        for item in node.arrays:
            name, what = (item.name, item.what) if isinstance(item, Alias) else (printing.name_of(item), item)
            found = self.expression(what, scope)
            if not found.type.startswith("Array("):
                raise QueryError(f"ARRAY JOIN takes an array, not {found.type}.", attr="query")
            sql = f"case when len({found.sql}) > 0 then {found.sql} else [null] end" if node.keep_empty else found.sql
            parts[name] = Typed(f"unnest({sql})", found.type[6:-1], node.keep_empty)
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

    # -- columns and clauses -------------------------------------------------------------------------------------------

    def _columns(self, items: tuple[Node, ...], scope: Scope) -> dict[str, Typed]:
        columns: dict[str, Typed] = {}
        for item in items[: COLUMN_LIMIT + 1]:
            for name, typed in self._column(item, scope):
                columns[_unused(name, columns)] = typed
        if len(columns) > COLUMN_LIMIT:
            raise QueryError(f"The query has more than {COLUMN_LIMIT} columns.", attr="query")
        if not columns:
            raise QueryError("The query selects nothing.", attr="query")
        return columns

    def _column(self, item: Node, scope: Scope) -> list[tuple[str, Typed]]:
        if isinstance(item, Star):
            return self._star(item, scope)
        if isinstance(item, Alias):
            with scope.expanded(item.name) as what:
                return [(item.name, self.expression(what, scope))]
        return [(self._name(item, scope), self.expression(item, scope))]

    def _name(self, item: Node, scope: Scope) -> str:
        """The name of a column; of the whole query PostHog calls what is computed by its table too: `e.person_id`."""
        if self.nesting == 1 and isinstance(item, tree.Field) and len(item.chain) == 2:
            source = scope.sources.get(item.chain[0])
            if source and item.chain[1] in source.computed:
                return printing.text(item)
        return printing.name_of(item)

    def _star(self, item: Star, scope: Scope) -> list[tuple[str, Typed]]:
        if item.table is not None and item.table not in scope.sources:
            raise QueryError(f"There is no table `{item.table}` in this query.", attr="query")
        if not scope.sources:
            raise QueryError("`*` needs a table to select from.", attr="query")
        chosen = [scope.sources[item.table]] if item.table else list(scope.sources.values())
        return [
            (name, scope.find((source.alias, name)))
            for source in chosen
            for name in source.star()
            if name not in item.without
        ]

    def _clauses(self, node: Select, scope: Scope, columns: dict[str, Typed], joins: list[tuple[str, Source]]) -> str:
        where = f" where {self._truth(node.where, scope)}" if node.where else ""
        group = ", ".join(self._place(item, scope, columns) for item in node.group)
        having = f" having {self._truth(node.having, scope)}" if node.having else ""
        order = self._order(node, scope, columns)
        drawn = [part for _, source in joins for part in source.kept]
        if drawn:
            where = f"{where} and " if where else " where "
            where += " and ".join(drawn)
        text = where + (f" group by {group}" if group else "") + having
        if node.limit_by:
            count, by = node.limit_by
            partition = ", ".join(self._place(item, scope, columns) for item in by)
            text += f" qualify row_number() over (partition by {partition} {order}) <= {self._whole(count)}"
        if node.ties:
            return text + self._tied(node, order, bool(node.limit_by))
        text += f" {order}" if order else ""
        text += f" limit {self._whole(node.limit)}" if node.limit else ""
        return text + (f" offset {self._whole(node.offset)}" if node.offset else "")

    def _tied(self, node: Select, order: str, taken: bool) -> str:
        """LIMIT n WITH TIES: also those that are equal to the last."""
        if not order or taken or node.offset:
            raise QueryError("LIMIT WITH TIES needs ORDER BY, and no OFFSET and no LIMIT BY.", attr="query")
        return f" qualify rank() over ({order}) <= {self._whole(node.limit)} {order}"

    def _truth(self, node: Node, scope: Scope) -> str:
        found = self.expression(node, scope, truth=True)
        return found.sql if found.type in ("UInt8", "Bool") and not found.sql.isdigit() else f"({found.sql})::boolean"

    def _place(self, item: Node, scope: Scope, columns: dict[str, Typed]) -> str:
        """A grouping or sorting expression; a number is a column's place."""
        if isinstance(item, Literal) and isinstance(item.value, int) and not isinstance(item.value, bool):
            if not 1 <= item.value <= len(columns):
                raise QueryError(f"There is no column number {item.value}.", attr="query")
            return list(columns.values())[item.value - 1].sql
        return self.expression(item, scope).sql

    def _order(self, node: Select, scope: Scope, columns: dict[str, Typed]) -> str:
        if not node.order:
            return ""
        parts = [
            f"{self._place(item.what, scope, columns)}{' desc' if item.descending else ''} nulls {item.nulls or 'last'}"
            for item in node.order
        ]
        return "order by " + ", ".join(parts)

    def _whole(self, node: Node | None) -> str:
        if isinstance(node, Literal) and isinstance(node.value, int) and 0 <= node.value < 2**62:
            return str(node.value)
        raise QueryError("LIMIT and OFFSET take whole numbers.", attr="query")

    # -- {filters} -----------------------------------------------------------------------------------------------------

    def filters(self, scope: Scope) -> str:
        given = self.given or HogQLFilters()
        source = next((each for each in scope.sources.values() if isinstance(each, FILTERED)), None)
        if source is None:
            raise QueryError("{filters} needs the table `events` or `sessions` in the same SELECT.", attr="query")
        if isinstance(source, tables.Sessions):
            return self._session_filters(given, source)
        compiled = Filters(source.scan, self.context)
        parts = [compiled.all_of(given.properties)] if given.properties else []
        if given.filterTestAccounts:
            parts.append(compiled.test_accounts())
        dates = self._dates(given, f"{source.scan.events}.timestamp")
        return "(" + " and ".join(parts + dates) + ")" if parts or given.dateRange else "true"

    def _session_filters(self, given: HogQLFilters, source: tables.Sessions) -> str:
        parts = [tables.session_filters(source, self.context).all_of(given.properties)] if given.properties else []
        started = source.use("$start_timestamp", Typed("", "DateTime", False))
        return "(" + " and ".join(parts + self._dates(given, started.sql)) + ")"

    def _dates(self, given: HogQLFilters, column: str) -> list[str]:
        bounds = [(">=", self._bound(given, True)), ("<=", self._bound(given, False))]
        return ["true"] + [
            f"{column} {sign} {self.scan.bind(bound.astimezone(UTC).replace(tzinfo=None))}"
            for sign, bound in bounds
            if bound
        ]

    def _bound(self, given: HogQLFilters, start: bool) -> datetime | None:
        text = given.dateRange and (given.dateRange.date_from if start else given.dateRange.date_to)
        if not text or text == "all":
            return None
        moment, _ = dates.parsed(text, self.context.local_now, cut="day" if start else None)
        return moment if start or len(text) != 10 else moment.replace(**dates.DAY_END)

    def filter_date(self, start: bool) -> Typed:
        bound = self._bound(self.given or HogQLFilters(), start)
        if bound is None:
            return Typed("null::timestamp", "DateTime", True)
        return Typed(f"{self.scan.bind(bound.replace(tzinfo=None))}::timestamp", "DateTime", False)


def _unused(name: str, columns: dict[str, Typed]) -> str:
    """Two columns may go by one name; DuckDB's may not, and to it `a` and `A` are one."""
    taken = {each.lower() for each in columns}
    found, number = name, 1
    while found.lower() in taken:
        found, number = f"{name}{TWIN}{number}", number + 1
    return found


def _reads(node: Node, name: str) -> bool:
    """Whether a SELECT reads a table of this name."""
    read = [node.source, *(join.source for join in node.joins)] if isinstance(node, Select) else []
    return any(isinstance(each, Table) and each.chain == (name,) for each in read)


def _has_equality(node: Node) -> bool:
    if isinstance(node, Call) and node.name == "and":
        return any(_has_equality(arg) for arg in node.args)
    return isinstance(node, Call) and node.name == "equals" and all(not isinstance(a, Literal) for a in node.args)
