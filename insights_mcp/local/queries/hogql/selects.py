"""SELECT and UNION as DuckDB SQL: columns, conditions, groups, order and limits over what is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import calls, exact, filling, printing, tree
from insights_mcp.local.queries.hogql.compiling import TIMES
from insights_mcp.local.queries.hogql.reading import Reading
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.signatures import default_of
from insights_mcp.local.queries.hogql.sources import TWIN, Relation, Source, Typed, exact_type
from insights_mcp.local.queries.hogql.tree import Alias, Call, Fill, Literal, Node, OrderBy, Select, Star, Union

assert calls.TABLE  # registers the functions
COLUMN_LIMIT = 500
NESTING = 20


class Selects(Reading):
    """Compiles whole queries."""

    nesting = 0

    def query(self, node: Node, ctes: dict[str, Node]) -> Relation:
        """A SELECT or a UNION."""
        self.nesting += 1
        if self.nesting > NESTING:
            raise QueryError(f"More than {NESTING} queries are nested in one another.", attr="query")
        outer, self.within = self.within, ""
        found = self._union(node, ctes) if isinstance(node, Union) else self._select(node, ctes)
        self.nesting, self.within = self.nesting - 1, outer
        return found

    def subquery(self, node: Node, scope: Scope) -> Relation:
        return self.query(node, scope.ctes)

    def _union(self, node: Union, ctes: dict[str, Node]) -> Relation:
        ctes = {**ctes, **dict(node.ctes)}
        first = self.query(node.first, ctes)
        text, kinds = f"({first.sql})", [[exact_type(column)] for column in first.columns.values()]
        for word, part in node.rest:
            relation = self.query(part, ctes)
            if len(relation.columns) != len(first.columns):
                raise QueryError("The parts of a UNION need the same number of columns.", attr="query")
            text += f" {word} ({relation.sql})"
            for own, column in zip(kinds, relation.columns.values(), strict=True):
                own.append(exact_type(column))
        columns = zip(first.columns.items(), kinds, strict=True)
        return Relation(text, {n: replace(typed, exact=exact.common(own)) for (n, typed), own in columns})

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
        columns = self._of_totals(node, scope, columns)
        clauses = self._clauses(node, scope, columns, joins)
        listed = ", ".join(f"{typed.sql} as {identifier(name)}" for name, typed in columns.items())
        origin = self._from(node, scope, joins) + elements
        sql = f"select {'distinct ' if node.distinct else ''}{listed}{origin}{clauses}"
        named = {name: replace(typed, sql=identifier(name)) for name, typed in columns.items()}
        if node.fill:
            gaps = self._gaps(node.fill, node.order[0], scope, columns)
            sql = filling.filled(sql, gaps, named) + self._cut(node)
        return Relation(sql, named)

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
        if isinstance(item, Call) and item.name.lower() == "columns" and not item.over:
            return self._chosen(item, scope)
        if isinstance(item, Alias):
            with scope.expanded(item.name) as what:
                return [(item.name, self.expression(what, scope))]
        return [(self._name(item, scope), self.expression(item, scope))]

    def _chosen(self, node: Call, scope: Scope) -> list[tuple[str, Typed]]:
        """COLUMNS('pattern'), COLUMNS(a, b), COLUMNS(* EXCLUDE (a))."""
        pattern = node.args[0] if len(node.args) == 1 else None
        if isinstance(pattern, Literal) and isinstance(pattern.value, str):
            chosen = _matching(pattern.value)
            return [each for each in self._star(Star(), scope) if chosen(each[0])]
        items = [Star()] if node.form == "*" else list(node.args)
        return [found for item in items for found in self._column(item, scope)]

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
        group = self._grouped(node, scope, columns)
        having = f" having {self._truth(node.having, scope)}" if node.having else ""
        order = self._order(node, scope, columns)
        drawn = [part for _, source in joins for part in source.kept]
        if drawn:
            where = f"{where} and " if where else " where "
            where += " and ".join(drawn)
        text = where + (f" group by {group}" if group else "") + having
        kept = self._kept(node, scope, columns, order)
        text += f" qualify {' and '.join(kept)}" if kept else ""
        text += f" {order}" if order else ""
        return text if node.ties or node.fill else text + self._cut(node)

    def _kept(self, node: Select, scope: Scope, columns: dict[str, Typed], order: str) -> list[str]:
        """The conditions that rows must meet once groups and windows are computed."""
        kept = [self._truth(node.qualify, scope)] if node.qualify else []
        if node.limit_by:
            count, by, offset = node.limit_by
            keys = ", ".join(self._place(each, scope, columns) for each in by)
            number = f"row_number() over (partition by {keys} {order})"
            kept.append(f"{number} > {self._whole(offset)}" if offset else "true")
            kept.append(f"{number} <= {self._whole(count)}{f' + {self._whole(offset)}' if offset else ''}")
        if node.ties:  # also those that are equal to the last
            if not order or node.limit_by or node.offset or node.fill:
                raise QueryError("LIMIT WITH TIES needs ORDER BY, and no OFFSET and no LIMIT BY.", attr="query")
            kept.append(f"rank() over ({order}) <= {self._whole(node.limit)}")
        return [each for each in kept if each != "true"]

    def _cut(self, node: Select) -> str:
        text = f" limit {self._whole(node.limit)}" if node.limit else ""
        return text + (f" offset {self._whole(node.offset)}" if node.offset else "")

    # -- totals of groups ----------------------------------------------------------------------------------------------

    def _grouped(self, node: Select, scope: Scope, columns: dict[str, Typed]) -> str:
        def listed(keys: tuple[Node, ...]) -> str:
            return ", ".join(self._key(key, scope, columns) for key in keys)

        if node.group == (Star(),):
            return "all"
        if not node.totals:
            return listed(node.group)
        return f"grouping sets ({', '.join(f'({listed(each)})' for each in node.totals)})"

    def _key(self, key: Node, scope: Scope, columns: dict[str, Typed]) -> str:
        """What is grouped by; where there are totals, it is what a column was before."""
        if isinstance(key, Literal) and type(key.value) is int and 1 <= key.value <= len(scope.keys):
            return scope.keys[key.value - 1]
        return self.expression(key, scope).sql if scope.keys else self._place(key, scope, columns)

    def _of_totals(self, node: Select, scope: Scope, columns: dict[str, Typed]) -> dict[str, Typed]:
        """The columns, where a total has the default of what it is not grouped by, as in ClickHouse."""
        if not node.totals:
            return columns
        scope.keys = [typed.sql for typed in columns.values()]
        keys = {self._place(key, scope, columns) for key in node.group}
        scope.absent = {
            typed.sql: f"coalesce({typed.sql}, {default_of(typed.type)})"
            for typed in columns.values()
            if typed.sql in keys and not typed.nullable and default_of(typed.type) != "null"
        }
        return {name: replace(typed, sql=scope.absent.get(typed.sql, typed.sql)) for name, typed in columns.items()}

    # -- gaps ----------------------------------------------------------------------------------------------------------

    def _gaps(self, fill: Fill, by: OrderBy, scope: Scope, columns: dict[str, Typed]) -> filling.Gaps:
        """What WITH FILL says of the column that is sorted by."""
        place = self._place(by.what, scope, columns)
        name = next((name for name, typed in columns.items() if typed.sql == place), None)
        if name is None:
            raise QueryError("WITH FILL goes with a column of the SELECT.", attr="query")
        timed = columns[name].type in TIMES

        def bound(node: Node | None) -> str | None:
            if node is None:
                return None
            return (self.as_time(node, scope) if timed else self.expression(node, scope)).sql

        step = self.expression(fill.step, scope) if fill.step else None
        return filling.Gaps(
            name, columns[name].type, by.descending, bound(fill.start), bound(fill.end), step, fill.carried
        )

    def _truth(self, node: Node, scope: Scope) -> str:
        found = self.expression(node, scope, truth=True)
        return found.sql if found.type in ("UInt8", "Bool") and not found.sql.isdigit() else f"({found.sql})::boolean"

    def _place(self, item: Node, scope: Scope, columns: dict[str, Typed]) -> str:
        """A grouping or sorting expression; a number is a column's place."""
        if isinstance(item, Literal) and isinstance(item.value, int) and not isinstance(item.value, bool):
            if not 1 <= item.value <= len(columns):
                raise QueryError(f"There is no column number {item.value}.", attr="query")
            return _no_place(list(columns.values())[item.value - 1].sql)
        found = self.expression(item, scope).sql
        return scope.absent.get(found, _no_place(found))

    def _order(self, node: Select, scope: Scope, columns: dict[str, Typed]) -> str:
        if not node.order:
            return ""
        parts = [
            f"{self._place(item.what, scope, columns)}{' desc' if item.descending else ''} nulls {item.nulls or 'last'}"
            for item in node.order
        ]
        return "order by " + ", ".join(parts)

    def _whole(self, node: Node | None) -> str:
        node = self.settled(node)
        if isinstance(node, Literal) and isinstance(node.value, int) and 0 <= node.value < 2**62:
            return str(node.value)
        raise QueryError("LIMIT and OFFSET take whole numbers.", attr="query")


def _no_place(sql: str) -> str:
    """A number that is a value, not the place of a column."""
    return f"{sql}::bigint" if sql.isdigit() else sql


def _matching(pattern: str) -> Callable[[str], bool]:
    """Whether a name matches a pattern; only such patterns as cannot run long."""
    if len(pattern) > 200 or re.search(r"\)[*+?{]|\(\?", pattern) or len(re.findall(r"[*+{]", pattern)) > 3:
        raise QueryError("COLUMNS takes a simple pattern, such as 'name.*'; or names: COLUMNS(a, b).", attr="query")
    try:
        compiled = re.compile(pattern)
    except re.error:
        raise QueryError(f"COLUMNS: '{pattern}' is no regular expression.", attr="query") from None
    return lambda name: compiled.search(name[:200]) is not None


def _unused(name: str, columns: dict[str, Typed]) -> str:
    """Two columns may go by one name; DuckDB's may not, and to it `a` and `A` are one."""
    taken = {each.lower() for each in columns}
    found, number = name, 1
    while found.lower() in taken:
        found, number = f"{name}{TWIN}{number}", number + 1
    return found
