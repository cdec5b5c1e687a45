"""The SELECT of actors: the columns, filters, order and page that are asked for, over those who were selected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from insights_mcp.local.events import APART
from insights_mcp.local.queries.actors.origins import Origin
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import functions, sources, statements
from insights_mcp.local.queries.hogql.harmless import harmless
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.selects import Selects
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.tree import Alias, Call, Field, Node, walk
from insights_mcp.schema.actors import ActorsQuery

COMMENT = re.compile(r"\s+--.*$", re.DOTALL)
ORDER = re.compile(r"^(?P<what>.*?)(?:\s+(?P<way>asc|desc))?$", re.IGNORECASE | re.DOTALL)
DELETE = "person.$delete"


@dataclass(frozen=True)
class Column:
    """One column: what was asked for, its SQL and type, and whether it is counted over several rows."""

    name: str
    typed: Typed
    counted: bool


class Frame:
    """Compiles the parts of one ActorsQuery."""

    def __init__(self, query: ActorsQuery, origin: Origin, compiler: Selects, scope: Scope) -> None:
        self.query, self.origin, self.compiler, self.scope = query, origin, compiler, scope

    def columns(self, names: Sequence[str]) -> list[Column]:
        """Each name or expression as a column."""
        return [self._column(name) for name in names]

    def _column(self, name: str) -> Column:
        if name == DELETE:
            return Column(name, Typed("1", "UInt8", False), True)
        node = _parsed(name)
        if isinstance(node, Alias):
            self.scope.aliases.setdefault(node.name, node.what)
            node = node.what
        return Column(name, self._compiled(node), _is_counted(node))

    def _compiled(self, node: Node) -> Typed:
        found = self.compiler.expression(node, self.scope)
        return found if harmless(node) else replace(found, sql=APART + found.sql)

    def where(self) -> str:
        """SQL: the conditions that actors must meet."""
        query = self.query
        parts = [self.origin.matches(each) for each in (query.properties, query.fixedProperties) if each]
        if query.search:
            parts.append(self.origin.search(query.search))
        return f" where {' and '.join(parts)}" if parts else ""

    def group(self, columns: list[Column]) -> str:
        """SQL: with a count among the columns, the others are what is counted by."""
        if not any(column.counted and column.name != DELETE for column in columns):
            return ""
        by = [column.typed.sql for column in columns if not column.counted]
        return f" group by {', '.join(by)}" if by else ""

    def order(self, columns: list[Column]) -> str:
        """SQL: as asked for, or PostHog's own order; then by id, so that pages fit together."""
        counted = bool(self.group(columns)) or all(column.counted for column in columns)
        terms = [self._term(text) for text in self._asked(columns)]
        terms += [] if counted else [_sorted(self.compiler.expression(_parsed("actor_id"), self.scope), "")]
        return f" order by {', '.join(terms)}" if terms else ""

    def _asked(self, columns: list[Column]) -> list[str]:
        if self.query.orderBy is not None:
            return self.query.orderBy
        names = [column.name for column in columns]
        counts = [column.name for column in columns if column.counted and column.name != DELETE]
        if counts:
            return [f"{'count()' if 'count()' in names else counts[0]} DESC"]
        if "created_at" in names:
            return ["created_at DESC"]
        return [name for name in names[:1] if name != DELETE]

    def _term(self, text: str) -> str:
        match = ORDER.match(text.strip())
        assert match  # the pattern takes any text
        way = " desc" if (match["way"] or "").lower() == "desc" else ""
        what = COMMENT.sub("", match["what"])
        if what == self.origin.field_name:  # by who they are means by what they are called
            what = "properties.email" if what == "person" else "properties.name"
        node = _parsed(what)
        node = node.what if isinstance(node, Alias) else node
        return _sorted(self._compiled(node), way)


def _sorted(typed: Typed, way: str) -> str:
    """SQL: ClickHouse sorts UUIDs by their second half first."""
    if typed.type != "UUID":
        return f"{typed.sql}{way} nulls last"
    return f"right({typed.sql}::varchar, 17){way} nulls last, {typed.sql}{way} nulls last"


def _parsed(text: str) -> Node:
    text = COMMENT.sub("", text)
    if text == "group":  # a column here, a word of the language elsewhere
        return Field((text,))
    cursor = statements.Statements(text)
    found = cursor.aliased()
    if cursor.token.kind != "end":
        raise cursor.error("the expression should end here")
    return found


def _is_counted(node: Node) -> bool:
    return any(isinstance(each, Call) and not each.over and _is_aggregate(each.name) for each in walk(node))


def _is_aggregate(name: str) -> bool:
    names = ("count", *functions.AGGREGATES, *functions.QUANTILES)
    return name in names or name.removesuffix("If") in names


def id_column(relation: sources.Relation) -> str:
    """The column of a HogQL source that says who."""
    for name in ("actor_id", "person_id", "group_key"):
        if name in relation.columns:
            return name
    found = next((name for name in relation.columns if "id" in name.lower()), None)
    if found is None:
        raise QueryError("The source query needs a column of ids, such as person_id.", attr="source")
    return found
