"""The terms of an expression: constants, fields, calls, brackets, CASE, intervals, and what follows OVER."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from insights_mcp.local.queries.hogql.cursor import Cursor
from insights_mcp.local.queries.hogql.tree import (
    Call,
    Cast,
    Field,
    Interval,
    Lambda,
    Literal,
    Node,
    OrderBy,
    Placeholder,
    Settled,
    Star,
    Subquery,
    Window,
)

CHAIN_LIMIT = 30
ELEMENT_LIMIT = 60
UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
# Words that end an expression: they cannot be an alias without AS.
RESERVED = frozenset(
    """select from where prewhere group by having order limit offset union intersect except all distinct join inner
    left right full outer cross asof any global on using as and or not in like ilike is between case when then else end
    window with settings format sample final array over asc desc nulls interval qualify ties into""".split()  # noqa: SIM905
)
CONSTANTS = {"null": None, "true": True, "false": False}
FRAME_WORDS = frozenset({"rows", "range", "between", "unbounded", "preceding", "following", "current", "row", "and"})


class Terms(Cursor):
    """Terms. What stands between them is `parsing.py`; whole queries are `statements.py`."""

    def query(self) -> Node:
        raise NotImplementedError

    def expression(self) -> Node:
        raise NotImplementedError

    def aliased(self) -> Node:
        raise NotImplementedError

    def sum(self) -> Node:
        raise NotImplementedError

    def _postfix(self) -> Node:
        found = self._primary()
        while True:
            if self.take("["):
                found = _indexed(found, self.expression())
                self.need("]")
            elif self.take("::"):
                found = Cast(found, self._type())
            elif self.token.kind == "number" and self.token.text.startswith("."):
                found = _place(found, self.next().text[1:])
            elif self.sees(".") or self.sees("?."):
                self.next()
                found = self._member(found)
            else:
                return found

    def _member(self, owner: Node) -> Node:
        if self.token.kind == "number":
            return _place(owner, self.next().text)
        if self.take("*") and isinstance(owner, Field):
            return Star(".".join(owner.chain))
        name = self.name()
        if isinstance(owner, (Field, Placeholder)):
            if len(owner.chain) > CHAIN_LIMIT:
                raise self.error(f"more than {CHAIN_LIMIT} names in a row")
            return replace(owner, chain=(*owner.chain, name))
        return Call("arrayElement", (owner, Literal(name)), form="[]")

    def _type(self) -> str:
        name = self.name()
        if self.sees("("):
            inner = self.inside("(", ")", lambda: self.next().text if self.token.kind != "word" else self._type())
            name = f"{name}({', '.join(inner)})"
        return name

    def _primary(self) -> Node:
        token = self.token
        if token.kind == "string":
            return Literal(self.next().text)
        if token.kind == "number":
            return Literal(_number(self.next().text))
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
            found = self.expression()
            self.need("}")
            return Placeholder(found.chain) if isinstance(found, Field) else Settled(found)
        if self.take("*"):
            return self._star()
        if self.sees("<"):
            return self._element()
        raise self.error("an expression is expected")

    def _element(self) -> Node:
        """A tag as a value: a tuple of its name, its attributes and what stands inside, which PostHog draws."""
        self.depth += 1
        if self.depth > ELEMENT_LIMIT:
            raise self.error(f"tags are nested more than {ELEMENT_LIMIT} levels deep")
        self.need("<")
        name = self.name()
        parts: list[Node] = [Literal("__hx_tag"), Literal(name)]
        while not self.sees(">") and not self.sees("/"):
            parts += [Literal(self.name()), self._given() if self.take("=") else Literal(True)]
        if not self.take("/"):
            parts += self._inside(name)
        self.need(">")
        self.depth -= 1
        return Call("tuple", tuple(parts))

    def _given(self) -> Node:
        """The value of an attribute."""
        if self.take("{"):
            found = self.expression()
            self.need("}")
            return found
        if self.token.kind != "string":
            raise self.error("an attribute is text in quotes, or an expression in braces")
        return Literal(self.next().text)

    def _inside(self, name: str) -> list[Node]:
        self.need(">")
        found: list[Node] = []
        while not self.sees("<", "/"):
            found.append(self._element() if self.sees("<") else self._given())
        self.place += 2
        if self.name() != name:
            raise self.error(f"'</{name}>' is expected")
        return [Literal("children"), Call("tuple", tuple(found))] if found else []

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
        items = self.inside("(", ")", self.aliased)
        return items[0] if len(items) == 1 else Call("tuple", items)

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
        if word == "case":
            return self._case()
        if word == "interval":
            return self._interval()
        if self.peek().text == "->":
            name = self.name()
            self.need("->")
            return Lambda((name,), self.expression())
        if word in ("date", "timestamp") and self.peek().kind == "string":
            self.next()
            return Call("toDate" if word == "date" else "toDateTime", (Literal(self.next().text),))
        return self._field()

    def _field(self) -> Node:
        if self.token.kind == "word" and self.token.text.lower() in RESERVED - {
            "format",
            "any",
            "final",
            "array",
            "sample",
        }:
            raise self.error("an expression is expected")
        return Field((self.name(),))

    def _call(self) -> Node:
        name = self.name()
        special = SPECIAL.get(name.lower())
        if special:
            return special(self)
        distinct, args = self._arguments()
        params: tuple[Node, ...] = ()
        if self.sees("("):
            params = args
            distinct, args = self._arguments()
        if self.take("within", "group"):
            params, args = self._within(args)
        form = ""
        if args == (Star(),):
            args, form = (), "*"
        if self.take("filter", "("):
            self.need("where")
            name, args = name + "If", (*args, self.expression())
            self.need(")")
        over = self._over() if self.take("over") else None
        return Call(name, args, params, distinct, over, form)

    def _within(self, levels: tuple[Node, ...]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """percentile_cont(0.9) WITHIN GROUP (ORDER BY x): from the largest on when the order is descending."""
        self.need("(")
        self.need("order")
        self.need("by")
        order = self.ordered()
        self.need(")")
        level = levels[0] if len(levels) == 1 else None
        if order.descending and isinstance(level, Literal) and isinstance(level.value, (int, float)):
            levels = (Literal(1 - level.value),)
        return levels, (order.what,)

    def _arguments(self) -> tuple[bool, tuple[Node, ...]]:
        self.need("(")
        distinct = self.sees("distinct") and self.peek().text != "," and self.take("distinct")
        if self.take(")"):
            return distinct, ()
        if self.sees("select") or self.sees("with"):
            found: tuple[Node, ...] = (Subquery(self.query()),)
        else:
            found = self.listed(self.aliased)
        self.need(")")
        return distinct, found

    def _cast(self) -> Node:
        self.need("(")
        what = self.expression()
        if not self.take("as"):
            self.need(",")
            kind = self.next().text
        else:
            kind = self._type()
        self.need(")")
        return Cast(what, kind)

    def _extract(self) -> Node:
        if not (self.peek().kind == "word" and self.peek(2).text.lower() == "from"):
            return Call("extract", self._arguments()[1])
        self.need("(")
        unit = self._unit()
        self.need("from")
        what = self.expression()
        self.need(")")
        return Call("datePart", (Literal(unit), what))

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
        return Interval(self.sum(), self._unit())

    def _unit(self) -> str:
        return self._known_unit(self.name())

    def _known_unit(self, word: str) -> str:
        unit = word.lower().removesuffix("s")
        if unit not in UNITS:
            raise self.error(f"'{word}' is no unit of time; {', '.join(UNITS)} are")
        return unit

    def _over(self) -> Window:
        return self.window() if self.sees("(") else Window(name=self.name())

    def window(self) -> Window:
        """What stands in the brackets after OVER."""
        self.need("(")
        partition = self.listed(self.expression) if self.take("partition", "by") else ()
        order = self.listed(self.ordered) if self.take("order", "by") else ()
        frame = self._frame()
        self.need(")")
        return Window(partition, order, frame)

    def _frame(self) -> str:
        words = []
        while self.token.text.lower() in FRAME_WORDS or self.token.kind == "number":
            words.append(self.next().text.lower())
        return " ".join(words)

    def ordered(self) -> OrderBy:
        """An expression to sort by, its direction, and where NULL goes."""
        what = self.expression()
        descending = self.take("desc") or self.take("descending")
        if not descending and not self.take("asc"):
            self.take("ascending")
        nulls = None
        if self.take("nulls"):
            nulls = "first" if self.take("first") else "last"
            if nulls == "last":
                self.need("last")
        return OrderBy(what, descending, nulls)


SPECIAL: dict[str, Callable[[Terms], Node]] = {"cast": Terms._cast, "extract": Terms._extract}


def _number(text: str) -> int | float:
    if text.startswith("0x"):
        return int(text, 16)
    return int(text) if text.isdigit() else float(text)


def _indexed(owner: Node, key: Node) -> Node:
    if isinstance(owner, Field) and isinstance(key, Literal) and isinstance(key.value, str):
        return Field((*owner.chain, key.value), indexed=True)
    return Call("arrayElement", (owner, key), form="[]")


def _place(owner: Node, number: str) -> Node:
    return Call("tupleElement", (owner, Literal(int(number))), form=".")
