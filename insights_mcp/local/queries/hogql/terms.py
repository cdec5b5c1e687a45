"""The terms of an expression: constants, fields, brackets, CASE, intervals."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import lexing
from insights_mcp.local.queries.hogql.calling import Calling
from insights_mcp.local.queries.hogql.tree import (
    Call,
    Cast,
    Field,
    Interval,
    Lambda,
    Literal,
    Node,
    Placeholder,
    Settled,
    Star,
    Subquery,
    standing,
)

CHAIN_LIMIT = 30
UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
# Words that end an expression: they cannot be an alias without AS.
RESERVED = frozenset(
    """select from where prewhere group by having order limit offset union intersect except all distinct join inner
    left right full outer cross asof any global on using as and or not in like ilike is between case when then else end
    window with settings format sample final array over asc desc nulls interval qualify ties into""".split()  # noqa: SIM905
)
# Reserved words that are names all the same where an expression is expected.
NAMES = frozenset(
    """format any final array sample ties into asof over nulls window settings global qualify using interval case
    asc desc is not""".split()  # noqa: SIM905
)
CONSTANTS = {
    "null": None, "true": True, "false": False, "inf": math.inf, "infinity": math.inf, "nan": math.nan,
}  # fmt: skip


OBJECT = (Literal("__hx_tag"), Literal("__hx_obj"))


class Terms(Calling):
    """Terms. What stands between them is `parsing.py`; whole queries are `statements.py`."""

    def sum(self) -> Node:
        raise NotImplementedError

    def _starts(self, ahead: int) -> bool:
        raise NotImplementedError

    def named(self) -> Node:
        raise NotImplementedError

    def _postfix(self, found: Node) -> Node:
        """A term with what follows it: places, names, types."""
        while True:
            if self.take("[") or self.take("?.", "["):
                found = self._place(found)
            elif self.take("::"):
                found = Cast(found, self.type())
            elif self.token.kind == "number" and self.token.text.startswith("."):
                found = _element(found, self.next().text[1:])
            elif self.sees(".") or self.sees("?."):
                self.next()
                found = self._member(found)
            else:
                return found

    def _place(self, owner: Node) -> Node:
        """`[1]`, or a part of an array: `[2:3]`."""
        start: Node = Literal(1) if self.sees(":") else self.expression()
        if not self.take(":"):
            self.need("]")
            return _indexed(owner, start)
        end = None if self.sees("]") else self.expression()
        self.need("]")
        if end is None:
            return Call("arraySlice", (owner, start), form="[:]")
        size = Call("plus", (Call("minus", (end, start)), Literal(1)))
        return Call("arraySlice", (owner, start, size), form="[:]")

    def _member(self, owner: Node) -> Node:
        if self.token.kind == "number":
            return _element(owner, self.next().text)
        if self.take("*") and isinstance(owner, Field):
            return replace(self._star(), table=".".join(owner.chain))
        name = self.name()
        if isinstance(owner, (Field, Placeholder)):
            if len(owner.chain) > CHAIN_LIMIT:
                raise self.error(f"more than {CHAIN_LIMIT} names in a row")
            return replace(owner, chain=(*owner.chain, name))
        return Call("arrayElement", (owner, Literal(name)), form="[]")

    def type(self) -> str:
        name = self.name()
        if self.sees("("):
            inner = self.inside("(", ")", lambda: self.next().text if self.token.kind != "word" else self.type())
            name = f"{name}({', '.join(inner)})"
        return name

    def _primary(self) -> Node:
        at = self.token.at
        return standing(self._bare(), at)

    def _bare(self) -> Node:
        token = self.token
        if token.kind == "string":
            return Literal(self.next().text)
        if token.kind == "number":
            return Literal(lexing.number(self.next().text))
        if token.kind == "template":
            return self._template(self.next().text)
        if token.kind == "sign":
            return self._bracketed()
        if token.kind == "word":
            return self._word()
        if token.kind == "name":
            return self._field()
        raise self.error("an expression is expected")

    def _bracketed(self) -> Node:
        if self.sees("("):
            return self._parenthesis()
        if self.sees("["):
            return Call("array", self.inside("[", "]", self.expression))
        if self.take("{"):
            return self._braced()
        if self.take("*"):
            return self._star()
        if self.sees("<"):
            return self._element()
        raise self.error("an expression is expected")

    def _braced(self) -> Node:
        """A given value, `{name}`; or an object, `{'key': value}`, which is a tuple that says so."""
        if self.take("}"):
            return Call("tuple", OBJECT)
        found = self.expression()
        if self.sees("}"):
            self.next()
            return Placeholder(found.chain) if isinstance(found, Field) else Settled(found)
        self.need(":")
        pairs = [found, self.expression()]
        while self.take(",") and not self.sees("}"):
            pairs.append(self.expression())
            self.need(":")
            pairs.append(self.expression())
        self.need("}")
        return Call("tuple", (*OBJECT, *pairs))

    def _template(self, text: str) -> Node:
        """f'hello {name}': text with expressions in it."""
        parts: list[Node] = []
        at = self.tokens[self.place - 1].at + len("f'")
        for place, piece in enumerate(re.split(r"(?<!\\)\{([^{}]*)\}", text)):
            if place % 2:
                parts.append(self._inside_text(piece, at + 1))
            elif piece:
                parts.append(Literal(lexing.unescaped(f"'{piece}'")))
            at += len(piece) + 2 * (place % 2)
        return Call("concat", tuple(parts)) if parts else Literal("")

    def _inside_text(self, piece: str, at: int) -> Node:
        """An expression within a template, which stands at a place of the whole text."""
        inner = type(self)(piece)
        inner.tokens = [replace(token, at=token.at + at) for token in inner.tokens]
        inner.text, inner.depth = self.text, self.depth
        found = inner.expression()
        if inner.token.kind != "end":
            raise inner.error("the expression in a template should end here")
        return found

    def _star(self) -> Star:
        if (self.sees("except") or self.sees("exclude")) and self.next():
            names = self.inside("(", ")", self.name) if self.sees("(") else (self.name(),)
            return Star(without=names)
        return Star()

    def _parenthesis(self) -> Node:
        if self.peek().text.lower() in ("select", "with") or (self.peek().text == "(" and self._select_follows()):
            self.need("(")
            found = self.query()
            self.need(")")
            return Subquery(found)
        if self._is_lambda():
            names = self.inside("(", ")", self.name)
            self.need("->")
            return Lambda(names, self.expression())
        items = self.inside("(", ")", self.named)
        alone = len(items) == 1 and self.tokens[self.place - 2].text != ","
        return items[0] if alone else Call("tuple", items)

    def _select_follows(self) -> bool:
        ahead = 1
        while self.peek(ahead).text == "(":
            ahead += 1
        return self.peek(ahead).kind == "word" and self.peek(ahead).text.lower() in ("select", "with")

    def _is_lambda(self) -> bool:
        ahead = 1
        while self.peek(ahead).kind in ("word", "name") and self.peek(ahead + 1).text == ",":
            ahead += 2
        return (
            self.peek(ahead).kind == "word" and self.peek(ahead + 1).text == ")" and self.peek(ahead + 2).text == "->"
        )

    def _word(self) -> Node:
        word = self.token.text.lower()
        if self.peek().text == "(" and self.peek().kind == "sign" and word not in ("case", "interval"):
            return self._call()
        if word in CONSTANTS:
            self.next()
            return Literal(CONSTANTS[word])
        if word in ("case", "interval") and self._starts(1):
            return self._case() if word == "case" else self._interval()
        if self.peek().text == "->":
            name = self.name()
            self.need("->")
            return Lambda((name,), self.expression())
        if word == "lambda" and self.peek().kind == "word" and self.take("lambda"):
            names = self.listed(self.name)
            self.need(":")
            return Lambda(names, self.expression())
        if word in ("date", "timestamp") and self.peek().kind == "string":
            self.next()
            return Call("toDate" if word == "date" else "toDateTime", (Literal(self.next().text),))
        return self._field()

    def _field(self) -> Node:
        if self.token.kind == "word" and self.token.text.lower() in RESERVED - NAMES:
            raise self.error("an expression is expected")
        return Field((self.name(),))

    def _case(self) -> Node:
        self.need("case")
        subject = None if self.sees("when") else self.expression()
        parts: list[Node] = []
        while self.take("when"):
            condition = self.expression()
            parts.append(Call("equals", (subject, condition)) if subject else condition)
            self.need("then")
            parts.append(self.expression())
        parts.append(self.expression() if self.take("else") else Literal(None))
        self.need("end")
        return Call("if" if len(parts) == 3 else "multiIf", tuple(parts), form="case" if subject else "")

    def _interval(self) -> Node:
        self.need("interval")
        if self.token.kind == "string":
            number, _, unit = self.token.text.partition(" ")
            if unit and number.lstrip("-").isdigit():
                self.next()
                return Interval(Literal(int(number)), self._known_unit(unit))
        return Interval(self.sum(), self.unit())

    def unit(self) -> str:
        return self._known_unit(self.name())

    def _known_unit(self, word: str) -> str:
        unit = word.lower().removesuffix("s")
        if unit not in UNITS:
            raise self.error(f"'{word}' is no unit of time; {', '.join(UNITS)} are")
        return unit


def _indexed(owner: Node, key: Node) -> Node:
    if isinstance(owner, Field) and isinstance(key, Literal) and isinstance(key.value, str):
        return Field((*owner.chain, key.value), indexed=True)
    return Call("arrayElement", (owner, key), form="[]")


def _element(owner: Node, number: str) -> Node:
    if not number.isdigit():
        raise QueryError(f"'{number}' is no place in a tuple; count from 1.", "syntax_error", "query")
    return Call("tupleElement", (owner, Literal(int(number))), form=".")
