"""HogQL's SELECT: clauses, joins, common table expressions, unions."""

from __future__ import annotations

from collections.abc import Callable

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.clauses import Clauses
from insights_mcp.local.queries.hogql.cursor import Item
from insights_mcp.local.queries.hogql.tags import tag
from insights_mcp.local.queries.hogql.terms import RESERVED
from insights_mcp.local.queries.hogql.tree import (
    Alias,
    Call,
    Derived,
    Join,
    Literal,
    Node,
    OrderBy,
    Select,
    Table,
    Tagged,
    Union,
)

UNION_LIMIT = 200
SETS = {"union": "union", "intersect": "intersect", "except": "except"}
JOIN_WORDS = ("inner", "left", "right", "full", "cross", "outer", "join", "any", "all", "asof", "global")
UNSUPPORTED = ("settings", "format", "into")
REFUSED = {
    "insert": "INSERT", "update": "UPDATE", "delete": "DELETE", "drop": "DROP", "create": "CREATE", "alter": "ALTER",
    "attach": "ATTACH", "copy": "COPY", "set": "SET", "pragma": "PRAGMA", "install": "INSTALL", "load": "LOAD",
    "explain": "EXPLAIN", "show": "SHOW", "describe": "DESCRIBE", "system": "SYSTEM", "call": "CALL",
    "truncate": "TRUNCATE", "grant": "GRANT", "kill": "KILL", "use": "USE", "export": "EXPORT", "import": "IMPORT",
}  # fmt: skip


class Statements(Clauses):
    """Whole queries."""

    def whole(self) -> Node:
        """The one query that the text is."""
        word = self.token.text.lower()
        if word in REFUSED:
            raise QueryError(f"Only SELECT is allowed, not {REFUSED[word]}.", attr="query")
        found = self.query()
        self.take(";")
        if self.token.kind != "end":
            raise self.error("the query should end here; only one SELECT is allowed")
        return found

    def query(self) -> Node:
        """A SELECT, or several joined by UNION."""
        self.depth += 4
        ctes = self._ctes() if self.take("with") else ()
        first = self._term()
        rest = []
        while self.token.kind == "word" and self.token.text.lower() in SETS:
            word = self.next().text.lower()
            how = " all" if self.take("all") else ""
            self.take("distinct")
            rest.append((word + how, self._term()))
            if len(rest) > UNION_LIMIT:
                raise self.error(f"more than {UNION_LIMIT} parts of a UNION")
        self.depth -= 4
        if rest:
            return Union(first, tuple(rest), ctes)
        return first if not ctes or not isinstance(first, Select) else _with(first, ctes)

    def _term(self) -> Node:
        if self.take("("):
            self.depth += 1
            found = self.query()
            self.depth -= 1
            self.need(")")
            return found
        return self._select()

    def _ctes(self) -> tuple[tuple[str, Node], ...]:
        if self.sees("recursive") and self.peek().text.lower() != "as":
            self.next()
        return self.listed(self._cte)

    def _cte(self) -> tuple[str, Node]:
        if self.peek().text.lower() == "as" and self._query_follows():
            name = self.name()
            self.need("as")
            if not self.take("materialized") and self.take("not"):
                self.need("materialized")
            self.need("(")
            found = self.query()
            self.need(")")
            return name, found
        what = self.aliased()
        if not isinstance(what, Alias):
            raise self.error("a name after AS is expected")
        return what.name, what.what

    def _query_follows(self) -> bool:
        """Whether a bracket follows AS, perhaps after [NOT] MATERIALIZED."""
        ahead = 2
        while self.peek(ahead).text.lower() in ("not", "materialized"):
            ahead += 1
        return self.peek(ahead).text == "("

    def _select(self) -> Select:
        self.need("select")
        distinct = self.take("distinct")
        apart = self.inside("(", ")", self.expression) if distinct and self.take("on") else ()
        columns = self.listed(self.aliased)
        source, joins = self._from() if self.take("from") else (None, ())
        keep_empty = self.take("left", "array", "join")
        arrays = self.listed(self.aliased) if keep_empty or self._array_join() else ()
        where = self.expression() if self.take("prewhere") or self.take("where") else None
        group, totals = self.group() if self.take("group", "by") else ((), ())
        having = self.expression() if self.take("having") else None
        windows = self.listed(self.named_window) if self.take("window") else ()
        qualify = self.expression() if self.take("qualify") else None
        order, fill = self.order() if self.take("order", "by") else ((), None)
        limit, offset, by = self.limits()
        ties = self.take("with", "ties")
        word = self.token.text.lower() if self.token.kind == "word" else ""
        if word in UNSUPPORTED or self.sees("with", "totals"):
            raise self.error(f"{word.upper()} is not supported here; leave it out")
        if apart:  # DISTINCT ON is LIMIT 1 BY
            distinct, by = False, (Literal(1), apart, None)
        return Select(
            columns, source, joins, (), where, group, having, windows, order, limit, offset, by, distinct, arrays,
            keep_empty, ties, qualify, totals, fill,
        )  # fmt: skip

    def _array_join(self) -> bool:
        return self.take("inner", "array", "join") or self.take("array", "join")

    def _from(self) -> tuple[Node, tuple[Join, ...]]:
        source = self._source()
        joins = []
        while True:
            if self.take(","):
                joins.append(Join("cross", self._source()))
            elif self.sees("array") or self.sees("left", "array") or self.sees("inner", "array"):
                break
            elif self.token.kind == "word" and self.token.text.lower() in JOIN_WORDS:
                joins.append(self._join())
            else:
                break
        return source, tuple(joins)

    def _join(self) -> Join:
        words = []
        while self.token.text.lower() in JOIN_WORDS:
            words.append(self.next().text.lower())
        if words[-1:] != ["join"]:
            raise self.error("'JOIN' is expected")
        kind = next((word for word in ("left", "right", "full", "cross") if word in words), "inner")
        kind = f"asof {kind}" if "asof" in words else kind
        source = self._source()
        if self.take("using"):
            names = self.inside("(", ")", self.name) if self.sees("(") else self.listed(self.name)
            return Join(kind, source, None, names)
        return Join(kind, source, self.expression() if self.take("on") else None)

    def _source(self) -> Node:
        if self.sees("<"):
            return Tagged(tag(self), self._alias())
        if self.sees("(", "<"):
            self.need("(")
            found_tag = tag(self)
            self.need(")")
            return Tagged(found_tag, self._alias())
        if self.sees("("):
            self.need("(")
            found = self.query()
            self.need(")")
            return Derived(found, self._alias())
        if self.token.kind == "string":
            raise self.error("a table's name is expected, not a string")
        chain = [self.name()]
        while self.take("."):
            chain.append(self.name())
        args = self.inside("(", ")", self.expression) if self.sees("(") else None
        found_alias = self._alias()
        self.take("final")
        share = self._sample() if self.take("sample") else 1
        return Table(tuple(chain), found_alias, args, share)

    def _sample(self) -> float:
        """A share of the users: SAMPLE 0.1, SAMPLE 1/10."""
        found = self.sum()
        parts = found.args if isinstance(found, Call) and found.name == "divide" else (found,)
        numbers = [part.value for part in parts if isinstance(part, Literal)]
        if len(numbers) != len(parts) or not all(isinstance(each, (int, float)) and each > 0 for each in numbers):
            raise self.error("SAMPLE takes a share, such as 0.1 or 1/10")
        share = float(numbers[0] or 0) / float(numbers[1] or 1) if len(numbers) == 2 else float(numbers[0] or 0)
        if share > 1:
            raise self.error("SAMPLE takes a share of 1 at most, not a number of rows")
        return share

    def _alias(self) -> str | None:
        if self.take("as"):
            return self.name()
        token = self.token
        plain = token.kind == "word" and token.text.lower() not in RESERVED
        return self.name() if plain or token.kind == "name" else None


def _with(select: Select, ctes: tuple[tuple[str, Node], ...]) -> Select:
    from dataclasses import replace

    return replace(select, ctes=ctes + select.ctes)


def parse(text: str) -> Node:
    """The tree of a query. Raises QueryError."""
    try:
        return Statements(text).whole()
    except RecursionError:
        raise QueryError("The query is nested too deeply.", attr="query") from None


def parse_expression(text: str) -> Node:
    """The tree of one expression, such as a filter or `properties.plan AS "Plan"`, whose name says nothing."""
    return _all_of(text, lambda cursor: cursor.unnamed())


def parse_column(text: str) -> Node:
    """The tree of an expression that may have a name."""
    return _all_of(text, lambda cursor: cursor.aliased())


def parse_order(text: str) -> OrderBy:
    """What to sort by, such as `timestamp DESC`."""
    return _all_of(text, lambda cursor: cursor.ordered())


def _all_of(text: str, one: Callable[[Statements], Item]) -> Item:
    cursor = Statements(text)
    found = one(cursor)
    if cursor.token.kind != "end":
        raise cursor.error("the expression should end here")
    return found
