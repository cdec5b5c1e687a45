"""Calls as they are written: name(params)(args), DISTINCT, FILTER, WITHIN GROUP, OVER; and tags as values."""

from __future__ import annotations

from collections.abc import Callable

from insights_mcp.local.queries.hogql.cursor import Cursor
from insights_mcp.local.queries.hogql.tree import (
    Call,
    Cast,
    Literal,
    Node,
    OrderBy,
    Star,
    Subquery,
    Window,
)

ELEMENT_LIMIT = 60
SIDES = {"both": "trim", "leading": "trimLeft", "trailing": "trimRight"}
FRAME_WORDS = frozenset({"rows", "range", "between", "unbounded", "preceding", "following", "current", "row", "and"})


class Calling(Cursor):
    """Calls, windows and tags. The terms around them are `terms.py`."""

    def query(self) -> Node:
        raise NotImplementedError

    def expression(self) -> Node:
        raise NotImplementedError

    def named(self) -> Node:
        raise NotImplementedError

    def type(self) -> str:
        raise NotImplementedError

    def unit(self) -> str:
        raise NotImplementedError

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
            found = self.listed(self.named)
        self.need(")")
        return distinct, found

    def _cast(self) -> Node:
        self.need("(")
        what = self.expression()
        if not self.take("as"):
            self.need(",")
            kind = self.next().text
        else:
            kind = self.type()
        self.need(")")
        return Cast(what, kind)

    def _extract(self) -> Node:
        if not (self.peek().kind == "word" and self.peek(2).text.lower() == "from"):
            return Call("extract", self._arguments()[1])
        self.need("(")
        unit = self.unit()
        self.need("from")
        what = self.expression()
        self.need(")")
        return Call("datePart", (Literal(unit), what))

    def _part(self) -> Node:
        """substring(text FROM 2 FOR 3), as SQL has it; or as a call."""
        self.need("(")
        args = self.listed(self.named)
        for word in ("from", "for"):
            if self.take(word):
                args = (*args, self.expression())
        self.need(")")
        return Call("substring", args)

    def _trim(self) -> Node:
        """trim(BOTH 'x' FROM text), as SQL has it; or as a call."""
        side = SIDES.get(self.peek().text.lower()) if self.peek(2).kind == "string" else None
        if side is None:
            return Call("trim", self._arguments()[1])
        self.place += 2
        signs = Literal(self.next().text)
        self.need("from")
        what = self.expression()
        self.need(")")
        return Call(side, (what, signs))

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
        if self.take("collate"):  # PostHog takes no notice of it
            self.next()
        return OrderBy(what, descending, nulls)

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


SPECIAL: dict[str, Callable[[Calling], Node]] = {
    **dict.fromkeys(("cast", "try_cast"), Calling._cast), "extract": Calling._extract, "trim": Calling._trim,
    **dict.fromkeys(("substring", "substr"), Calling._part),
}  # fmt: skip
