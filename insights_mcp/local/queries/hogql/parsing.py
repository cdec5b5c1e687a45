"""HogQL's grammar: tokens to a tree. Expressions by precedence; depth is limited, so hostile text fails cleanly."""

from __future__ import annotations

from collections.abc import Callable

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.terms import RESERVED, Terms
from insights_mcp.local.queries.hogql.tree import (
    Alias,
    Call,
    Literal,
    Node,
)

DEPTH_LIMIT = 60
COMPARE = {
    "=": "equals", "==": "equals", "!=": "notEquals", "<>": "notEquals", "<": "less", "<=": "lessOrEquals",
    ">": "greater", ">=": "greaterOrEquals", "like": "like", "ilike": "ilike", "in": "in",
}  # fmt: skip
NEGATED = {"like": "notLike", "ilike": "notILike", "in": "notIn"}
REGEX = {
    "~": (False, False), "=~": (False, False), "!~": (True, False), "!=~": (True, False),
    "~*": (False, True), "=~*": (False, True), "!~*": (True, True), "!=~*": (True, True),
}  # fmt: skip
SUMS = {"+": "plus", "-": "minus", "||": "concat"}
PRODUCTS = {"*": "multiply", "/": "divide", "%": "modulo", "div": "intDiv", "mod": "modulo"}


class Expressions(Terms):
    """Expressions, from the loosest binding to the tightest."""

    def aliased(self) -> Node:
        """An expression, perhaps with a name."""
        what = self.expression()
        if self.take("as"):
            return Alias(what, self.name())
        if self.token.kind == "name" or (self.token.kind == "word" and self.token.text.lower() not in RESERVED):
            return Alias(what, self.name())
        return what

    def unnamed(self) -> Node:
        """An expression, without the names it may have."""
        what = self.expression()
        while self.take("as"):
            self.name()
        return what

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise QueryError(f"The query is nested more than {DEPTH_LIMIT} levels deep.", attr="query")
        found = self._ternary()
        self.depth -= 1
        return found

    def _ternary(self) -> Node:
        found = self._or()
        if not self.take("?"):
            return found
        yes = self.expression()
        self.need(":")
        return Call("if", (found, yes, self.expression()))

    def _or(self) -> Node:
        return self._chain("or", self._and)

    def _and(self) -> Node:
        return self._chain("and", self._not)

    def _chain(self, word: str, inner: Callable[[], Node]) -> Node:
        parts = [inner()]
        while self.sees(word) and self.take(word):
            parts.append(inner())
        return parts[0] if len(parts) == 1 else Call(word, tuple(parts))

    def _not(self) -> Node:
        if self.sees("not"):
            self.next()
            self.depth += 1
            if self.depth > DEPTH_LIMIT:
                raise QueryError(f"The query is nested more than {DEPTH_LIMIT} levels deep.", attr="query")
            found = Call("not", (self._not(),))
            self.depth -= 1
            return found
        return self._coalesced()

    def _coalesced(self) -> Node:
        found = self._comparison()
        while self.take("??"):
            found = Call("ifNull", (found, self._comparison()))
        return found

    def _comparison(self) -> Node:
        found = self.sum()
        while True:
            further = self._compared(found)
            if further is None:
                return found
            found = further

    def _compared(self, left: Node) -> Node | None:
        text = self.token.text.lower() if self.token.kind in ("sign", "word") else ""
        if text in REGEX:
            self.next()
            return _regex(left, self.sum(), *REGEX[text])
        if text == "is":
            return self._is(left)
        negated = text == "not" and self.peek().text.lower() in (*NEGATED, "between")
        if negated:
            self.next()
            text = self.token.text.lower()
        if text == "between":
            return self._between(left, negated)
        if text not in COMPARE:
            return None
        self.next()
        return self._operation(NEGATED[text] if negated else COMPARE[text], left)

    def _operation(self, name: str, left: Node) -> Node:
        if name in ("in", "notIn"):
            if self.take("cohort"):
                return Call(f"{name}Cohort", (left, self.sum()))
            return Call(name, (left, self.sum()))
        return folded(Call(name, (left, self.sum())))

    def _is(self, left: Node) -> Node:
        self.need("is")
        negated = self.take("not")
        if self.take("distinct"):
            self.need("from")
            return Call("equals" if negated else "notEquals", (left, self.sum()))
        if self.take("null"):
            return Call("isNotNull" if negated else "isNull", (left,), form="is")
        raise self.error("NULL or DISTINCT FROM is expected")

    def _between(self, left: Node, negated: bool) -> Node:
        self.need("between")
        low = self.sum()
        self.need("and")
        bounds = (Call("greaterOrEquals", (left, low)), Call("lessOrEquals", (left, self.sum())))
        inside = Call("and", bounds, form="between")
        return Call("not", (inside,), form="between") if negated else inside

    def sum(self) -> Node:
        return self._binary(SUMS, lambda: self._binary(PRODUCTS, self._sign))

    def _binary(self, names: dict[str, str], inner: Callable[[], Node]) -> Node:
        found = inner()
        while (text := self.token.text.lower()) in names and self.token.kind in ("sign", "word"):
            self.next()
            found = _joined(names[text], found, inner())
        return found

    def _sign(self) -> Node:
        signs = 0
        while self.token.kind == "sign" and self.token.text in "+-":
            signs += self.next().text == "-"
        found = self._postfix()
        if signs % 2 == 0:
            return found
        if isinstance(found, Literal) and isinstance(found.value, (int, float)):
            return Literal(-found.value)
        return Call("negate", (found,), form="-")


def _joined(name: str, left: Node, right: Node) -> Call:
    """One operation; `a || b || c` is one concat."""
    sides = (left, right)
    if name == "concat":
        parts = [side.args if isinstance(side, Call) and side.name == "concat" else (side,) for side in sides]
        return Call(name, (*parts[0], *parts[1]))
    return Call(name, sides)


def _regex(left: Node, right: Node, negated: bool, any_case: bool) -> Node:
    pattern = Call("concat", (Literal("(?i)"), right), form="~*") if any_case else right
    found = Call("match", (left, pattern))
    return Call("not", (found,)) if negated else found


def folded(call: Call) -> Node:
    """A comparison of two constants is a constant."""
    left, right = call.args
    if not (isinstance(left, Literal) and isinstance(right, Literal)) or call.name not in FOLD:
        return call
    a, b = left.value, right.value
    if call.name in ("equals", "notEquals"):
        return Literal(int((a == b) == (call.name == "equals")))
    if a is None or b is None:
        return Literal(0)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return Literal(int(FOLD[call.name](a, b)))
    return call


FOLD: dict[str, Callable[[float, float], bool]] = {
    "equals": lambda a, b: a == b,
    "notEquals": lambda a, b: a != b,
    "less": lambda a, b: a < b,
    "lessOrEquals": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greaterOrEquals": lambda a, b: a >= b,
}
