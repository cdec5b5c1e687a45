"""The SELECT of actors: the columns, filters, order and page that are asked for, over those who were selected."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from insights_mcp.local.events import APART
from insights_mcp.local.queries.actors.origins import Persons
from insights_mcp.local.queries.actors.whom import Whom
from insights_mcp.local.queries.hogql import statements
from insights_mcp.local.queries.hogql.combinators import taken_apart
from insights_mcp.local.queries.hogql.harmless import harmless
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.selects import Selects
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.tree import Alias, Call, Field, Node, walk
from insights_mcp.schema.actors import ActorsQuery

COMMENT = re.compile(r"\s+--.*$", re.DOTALL)
ORDER = re.compile(r"^(?P<what>.*?)(?:\s+(?P<way>asc|desc))?$", re.IGNORECASE | re.DOTALL)
DELETE = "person.$delete"
DISTINCT_IDS = "event_distinct_ids"
WHO = ("person", "group", "actor")


@dataclass(frozen=True)
class Asked:
    """What is asked for, read but not compiled: a name or expression, and whether it is counted over several rows."""

    name: str
    node: Node | None
    counted: bool


@dataclass(frozen=True)
class Column:
    """One column: what was asked for, its SQL and type. `late`: its values come later, from this column beside."""

    name: str
    typed: Typed
    late: str | None = None


class Frame:
    """Compiles the parts of one ActorsQuery. `within` another statement no column comes later."""

    def __init__(
        self, query: ActorsQuery, whom: Whom, compiler: Selects, scope: Scope, *, within: bool = False
    ) -> None:
        self.query, self.whom, self.compiler, self.scope = query, whom, compiler, scope
        self.within = within
        scope.add(whom.origin)
        scope.add(whom.beside)
        self.asked = [self._read(name) for name in query.select or whom.origin.defaults]
        self.is_counted = any(each.counted and each.name != DELETE for each in self.asked)
        if self._adds_ids():
            self.asked.append(self._read(DISTINCT_IDS))
        # What is sorted by is needed of everybody; what else stands beside, of those on the page alone.
        self._order = self._sorting()
        self.columns = [self._column(each) for each in self.asked]

    def page(self, limit: str, offset: str) -> str:
        """SQL: one page of those who are meant; the last column is who it is."""
        listed = "".join(f"{column.typed.sql} as c{number}, " for number, column in enumerate(self.columns))
        actor = f"any_value({self.whom.origin.actor})" if self.is_counted else self.whom.origin.actor
        where, tables = self._where(), self.whom.tables(self.whom.beside.used)
        clauses = f"{where}{self._group()}{self._order} limit {limit} offset {offset}"
        return f"select {listed}{actor} as actor from {tables}{clauses}"

    def late(self) -> str | None:
        """SQL: what is asked of those on the page alone; None when nothing is."""
        names = [column.late for column in self.columns if column.late]
        if not (names and self.whom.of_page):
            return None
        listed = ", ".join(self.whom.beside.typed(name).sql for name in names)
        return f"select source.actor, {listed} from ({self.whom.of_page(names)}) source"

    def _adds_ids(self) -> bool:
        """Of trends, PostHog also says by which ids each person came."""
        known = isinstance(self.whom.origin, Persons) and DISTINCT_IDS in self.whom.beside.columns
        return known and not (self.within or self.is_counted or DISTINCT_IDS in (each.name for each in self.asked))

    def _read(self, name: str) -> Asked:
        if name == DELETE:
            return Asked(name, None, True)
        node = _parsed(name)
        if isinstance(node, Alias):
            self.scope.aliases.setdefault(node.name, node.what)
            node = node.what
        return Asked(name, node, _is_counted(node))

    def _column(self, asked: Asked) -> Column:
        if asked.node is None:
            return Column(asked.name, Typed("1", "UInt8", False))
        beside = self.whom.beside
        late = None if self.within or self.is_counted or not self.whom.of_page else beside.column(asked.name)
        if late and late not in beside.used:
            return Column(asked.name, Typed("null", beside.columns[late]), late)
        return Column(asked.name, self._compiled(asked.node))

    def _compiled(self, node: Node) -> Typed:
        found = self.compiler.expression(node, self.scope)
        return found if harmless(node) else replace(found, sql=APART + found.sql)

    def _where(self) -> str:
        """SQL: the conditions that actors must meet."""
        query, origin = self.query, self.whom.origin
        parts = [origin.matches(each) for each in (query.properties, query.fixedProperties) if each]
        if query.search:
            parts.append(origin.search(query.search))
        return f" where {' and '.join(parts)}" if parts else ""

    def _group(self) -> str:
        """SQL: with a count among the columns, the others are what is counted by."""
        pairs = zip(self.asked, self.columns, strict=True)
        by = [column.typed.sql for asked, column in pairs if self.is_counted and not asked.counted]
        return f" group by {', '.join(by)}" if by else ""

    def _sorting(self) -> str:
        """SQL: as asked for, or PostHog's own order; then by id, so that pages fit together."""
        terms = [self._term(text) for text in self._asked_order()]
        if not self.is_counted:
            terms.append((self.compiler.expression(_parsed("actor_id"), self.scope), ""))
        once = {typed.sql: _sorted(typed, way) for typed, way in reversed(terms)}
        return f" order by {', '.join(reversed(once.values()))}" if once else ""

    def _asked_order(self) -> list[str]:
        if self.query.orderBy is not None:
            return self.query.orderBy
        names = [each.name for each in self.asked]
        counts = [each.name for each in self.asked if each.counted and each.name != DELETE]
        if counts:
            return [f"{'count()' if 'count()' in names else counts[0]} DESC"]
        if "created_at" in names:
            return ["created_at DESC"]
        return [name for name in names[:1] if name != DELETE]

    def _term(self, text: str) -> tuple[Typed, str]:
        match = ORDER.match(text.strip())
        assert match  # the pattern takes any text
        way = " desc" if (match["way"] or "").lower() == "desc" else ""
        what = COMMENT.sub("", match["what"])
        if what == self.whom.origin.field_name:  # by who they are means by what they are called
            what = "properties.email" if what == "person" else "properties.name"
        node = _parsed(what)
        node = node.what if isinstance(node, Alias) else node
        return self._compiled(node), way


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
    return any(isinstance(each, Call) and not each.over and taken_apart(each.name) for each in walk(node))
