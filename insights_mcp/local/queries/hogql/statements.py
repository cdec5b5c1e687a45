"""HogQL's SELECT: clauses, joins, common table expressions, unions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
JOIN_WORDS = (
    "inner", "left", "right", "full", "cross", "outer", "join", "any", "all", "asof", "global", "semi", "anti",
)  # fmt: skip
# Of what follows a SELECT, or stands in its place: why it is refused, as in PostHog.
UNSUPPORTED = {
    "settings": "SETTINGS is not supported; leave it out", "format": "FORMAT is not supported; leave it out",
    "into": "INTO is not supported; leave it out", "final": "FINAL is not supported; leave it out",
    "values": "VALUES is not supported; use SELECT … UNION ALL SELECT …",
    "top": "TOP is not supported; use LIMIT", "pivot": "PIVOT is not supported; use countIf and the like",
    "unpivot": "UNPIVOT is not supported; use ARRAY JOIN", "natural": "NATURAL JOIN is not supported; use USING",
    "positional": "POSITIONAL JOIN is not supported; number the rows and join by that",
    "percent": "LIMIT takes a number of rows, not a share", "fetch": "FETCH is not supported; use LIMIT",
}  # fmt: skip
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
            raise self._refused("the query should end here; only one SELECT is allowed")
        return found

    def _refused(self, otherwise: str) -> QueryError:
        """What is wrong with the word that comes next."""
        word = self.token.text.lower() if self.token.kind == "word" else ""
        return self.error(UNSUPPORTED.get(word, otherwise))

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
        ordered = self.sees("limit") or self.sees("order", "by") or self.sees("offset")
        if ordered and (rest or isinstance(first, Union)):
            raise self.error("what comes after a UNION goes around it: SELECT * FROM (… UNION ALL …) ORDER BY …")
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
        names = self._names_ahead()
        if self._query_follows(names + 1):
            name = self.name()
            columns = self.inside("(", ")", self.name) if names else ()
            self.need("as")
            if not self.take("materialized") and self.take("not"):
                self.need("materialized")
            self.need("(")
            found = self.query()
            self.need(")")
            return name, _named(found, columns) if columns else found
        what = self.aliased()
        if not isinstance(what, Alias):
            raise self.error("a name after AS is expected")
        return what.name, what.what

    def _names_ahead(self) -> int:
        """How many tokens the names of columns in brackets take: `x (a, b) AS …`."""
        ahead = 1
        if self.peek().text != "(":
            return 0
        while self.peek(ahead + 1).kind in ("word", "name") and self.peek(ahead + 2).text in (",", ")"):
            ahead += 2
        return ahead if self.peek(ahead).text == ")" else 0

    def _query_follows(self, ahead: int) -> bool:
        """Whether AS and a bracket follow, perhaps with [NOT] MATERIALIZED between them."""
        if self.peek(ahead).text.lower() != "as":
            return False
        ahead += 1
        while self.peek(ahead).text.lower() in ("not", "materialized"):
            ahead += 1
        return self.peek(ahead).text == "("

    def _select(self) -> Select:
        if not self.take("select"):
            raise self._refused("'SELECT' is expected")
        if self.sees("top") and self.peek().kind == "number":
            raise self._refused("")
        distinct = self.take("distinct")
        apart = self.inside("(", ")", self.expression) if distinct and self.take("on") else ()
        columns = self.listed(self.aliased)
        source, joins = self._from() if self.take("from") else (None, ())
        keep_empty = self.take("left", "array", "join")
        arrays = self.listed(self.aliased) if keep_empty or self._array_join() else ()
        where = self._where()
        group, totals = self.group() if self.take("group", "by") else ((), ())
        having = self.expression() if self.take("having") else None
        windows = self.listed(self.named_window) if self.take("window") else ()
        qualify = self.expression() if self.take("qualify") else None
        order, fill = self.order() if self.take("order", "by") else ((), None)
        limit, offset, by = self.limits()
        ties = self.take("with", "ties")
        if self.token.text.lower() in UNSUPPORTED:
            raise self._refused("")
        if apart:  # DISTINCT ON is LIMIT 1 BY
            distinct, by = False, (Literal(1), apart, None)
        return Select(
            columns, source, joins, (), where, group, having, windows, order, limit, offset, by, distinct, arrays,
            keep_empty, ties, qualify, totals, fill,
        )  # fmt: skip

    def _where(self) -> Node | None:
        """PREWHERE and WHERE are one condition here."""
        first = self.expression() if self.take("prewhere") else None
        second = self.expression() if self.take("where") else None
        return Call("and", (first, second)) if first and second else first or second

    def _array_join(self) -> bool:
        return self.take("inner", "array", "join") or self.take("array", "join")

    def _from(self) -> tuple[Node, tuple[Join, ...]]:
        if self.sees("(") and not self._select_follows() and self.peek().text != "<":
            self.need("(")
            source, inner = self._from()
            self.need(")")
            joins = list(inner)
        else:
            source, joins = self._source(), []
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
        how = next((word for word in ("asof", "semi", "anti", "any") if word in words), None)
        if how in ("semi", "anti", "any") and (kind not in ("left", "inner") or (how, kind) == ("any", "inner")):
            raise self.error(f"{how.upper()} {kind.upper()} JOIN is not supported; use LEFT {how.upper()} JOIN")
        kind = {"asof": f"asof {kind}", "any": "any", "semi": "semi", "anti": "anti"}.get(how or "", kind)
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
        if self.token.kind == "string" or self.sees("{"):
            raise self.error("a table's name is expected, and no value can stand for it")
        if self.sees("values", "("):
            raise self._refused("")
        at = self.token.at
        chain = [self.name()]
        while self.take("."):
            chain.append(self.name())
        args = self.inside("(", ")", self.expression) if self.sees("(") else None
        found_alias = self._alias()
        if self.sees("final"):
            raise self._refused("")
        share = self._sample() if self.take("sample") else 1
        return Table(tuple(chain), found_alias, args, share, at=at)

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


def _named(query: Node, names: tuple[str, ...]) -> Node:
    """A query whose columns have these names: `with x(a, b) as (select 1, 2)`."""
    if isinstance(query, Union):
        return replace(query, first=_named(query.first, names))
    if not isinstance(query, Select) or len(query.columns) != len(names):
        count = len(query.columns) if isinstance(query, Select) else 0
        raise QueryError(f"The query has {count} columns, and {len(names)} names are given for them.", attr="query")
    given = [each.what if isinstance(each, Alias) else each for each in query.columns]
    return replace(query, columns=tuple(Alias(what, name) for what, name in zip(given, names, strict=True)))


def _with(select: Select, ctes: tuple[tuple[str, Node], ...]) -> Select:
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
