"""HogQL's grammar: tokens to a tree. Expressions by how tightly their operators bind; depth is limited.

What binds looser may stand before what binds tighter, as in `a is null + 1`: each operator takes what is to its left.
"""

from __future__ import annotations

from collections.abc import Callable

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import lexing
from insights_mcp.local.queries.hogql.terms import RESERVED, Terms
from insights_mcp.local.queries.hogql.tree import (
    Alias,
    Call,
    Literal,
    Node,
    standing,
)

DEPTH_LIMIT = 60
# How tightly operators bind, from the loosest on.
TERNARY, OR, AND, NOT, BETWEEN, COALESCE, DISTINCT, NULL, COMPARE, SUM, PRODUCT = range(1, 12)
COMPARISONS = {
    "=": "equals", "==": "equals", "!=": "notEquals", "<>": "notEquals", "<": "less", "<=": "lessOrEquals",
    ">": "greater", ">=": "greaterOrEquals", "like": "like", "ilike": "ilike", "in": "in",
    "not like": "notLike", "not ilike": "notILike", "not in": "notIn",
}  # fmt: skip
REGEX = {
    "~": (False, False), "=~": (False, False), "!~": (True, False), "!=~": (True, False),
    "~*": (False, True), "=~*": (False, True), "!~*": (True, True), "!=~*": (True, True),
}  # fmt: skip
SUMS = {"+": "plus", "-": "minus", "||": "concat"}
PRODUCTS = {"*": "multiply", "/": "divide", "%": "modulo", "div": "intDiv", "mod": "modulo"}
CHAINS = {"and": AND, "or": OR}
SAME = {"is distinct from": "notEquals", "is not distinct from": "equals", "<=>": "equals"}
LEVELS = {
    "?": TERNARY, **CHAINS, "between": BETWEEN, "not between": BETWEEN, "??": COALESCE,
    **dict.fromkeys(SAME, DISTINCT), **dict.fromkeys(("is null", "is not null", "ignore nulls"), NULL),
    **dict.fromkeys((*COMPARISONS, *REGEX), COMPARE), **dict.fromkeys(SUMS, SUM), **dict.fromkeys(PRODUCTS, PRODUCT),
}  # fmt: skip
# What no column can be called.
TAKEN = ("true", "false", "null", "team_id")
# Operators of several words, the longest first.
PHRASES = sorted((tuple(each.split()) for each in LEVELS if " " in each), key=len, reverse=True)


class Expressions(Terms):
    """Expressions."""

    def aliased(self) -> Node:
        """An expression, perhaps with a name."""
        what = self.named()
        if isinstance(what, Alias):
            return what
        if self.token.kind == "name" or (self.token.kind == "word" and self.token.text.lower() not in RESERVED):
            return Alias(what, self._given_name())
        return what

    def _given_name(self) -> str:
        if self.token.kind == "word" and self.token.text.lower() in TAKEN:
            raise self.error(f"'{self.token.text}' cannot be an alias, as it is a reserved keyword")
        return self.next().text if self.token.kind == "string" else self.name()

    def named(self) -> Node:
        """An expression, perhaps with a name after AS."""
        what = self.expression()
        while self.take("as"):
            what = Alias(what, self._given_name())
        return what

    def unnamed(self) -> Node:
        """An expression, without the names it may have."""
        what = self.expression()
        while self.take("as"):
            self.name()
        return what

    def expression(self) -> Node:
        return self._bound(TERNARY)

    def sum(self) -> Node:
        return self._bound(SUM)

    def _bound(self, least: int) -> Node:
        """An expression of operators that bind this tightly at least."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise QueryError(f"The query is nested more than {DEPTH_LIMIT} levels deep.", attr="query")
        found = self._prefixed()
        while (operator := self._operator()) and LEVELS[operator] >= least:
            at = self.token.at
            self.place += len(operator.split())
            found = standing(self._further(operator, found), at)
        self.depth -= 1
        return found

    def _operator(self) -> str:
        """The operator that comes next; empty when none does."""
        text = self.token.text.lower()
        if self.token.kind not in ("sign", "word"):
            return ""
        phrase = next((each for each in PHRASES if each[0] == text and self.sees(*each)), None)
        if text == "is" and phrase is None:
            self.next()
            raise self.error("NULL or DISTINCT FROM is expected")
        return " ".join(phrase) if phrase else text if text in LEVELS else ""

    def _further(self, operator: str, left: Node) -> Node:
        """An operation, of whose parts the first is there already."""
        level = LEVELS[operator]
        if level == NULL:
            return self._postfix(_null(operator, left))
        if level == TERNARY:
            yes = self.expression()
            self.need(":")
            return Call("if", (left, yes, self.expression()))
        if level == BETWEEN:
            return self._between(left, operator)
        if operator.endswith("in") and self.take("cohort"):
            return Call(f"{COMPARISONS[operator]}Cohort", (left, self._bound(level + 1)))
        return _operation(operator, left, self._bound(level + 1))

    def _between(self, left: Node, operator: str) -> Node:
        low = self._bound(COALESCE)
        self.need("and")
        bounds = (Call("greaterOrEquals", (left, low)), Call("lessOrEquals", (left, self._bound(COALESCE))))
        inside = Call("and", bounds, form="between")
        return Call("not", (inside,), form="between") if operator == "not between" else inside

    def _prefixed(self) -> Node:
        if self.sees("not") and self._starts(1):
            self.next()
            return Call("not", (self._bound(NOT),))
        if not self.sees("-") and not self.sees("+"):
            return self._postfix(self._primary())
        minus = self.next().text == "-"
        if self.token.kind == "number" and minus:
            return self._postfix(Literal(-lexing.number(self.next().text)))
        inner = self._bound(PRODUCT + 1)
        return Call("negate", (inner,), form="-") if minus else inner

    def _starts(self, ahead: int) -> bool:
        """Whether an expression can start there: if not, the word before is a name."""
        token = self.peek(ahead)
        return token.kind != "end" and token.text not in (",", ")", "]", "}") and token.text.lower() != "from"


def _null(operator: str, left: Node) -> Node:
    if operator == "ignore nulls":  # as aggregates do anyway
        return left
    return Call("isNotNull" if operator == "is not null" else "isNull", (left,), form="is")


def _operation(operator: str, left: Node, right: Node) -> Node:
    if operator in CHAINS:
        return _chained(operator, left, right)
    if operator in REGEX:
        return _regex(left, right, *REGEX[operator])
    if operator in SAME:
        return Call(SAME[operator], (left, right), form="distinct")
    if operator in COMPARISONS:
        return folded(Call(COMPARISONS[operator], (left, right)))
    return _joined({**SUMS, **PRODUCTS, "??": "ifNull"}[operator], left, right)


def _chained(name: str, left: Node, right: Node) -> Call:
    """`a and b and c` is one `and`, however it is bracketed."""
    sides = [
        side.args if isinstance(side, Call) and side.name == side.form == name else (side,) for side in (left, right)
    ]
    return Call(name, (*sides[0], *sides[1]), form=name)


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
