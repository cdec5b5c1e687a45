"""What follows FROM and WHERE in a SELECT: groups and their totals, windows, order and the filling of gaps, limits."""

from __future__ import annotations

from insights_mcp.local.queries.hogql.parsing import Expressions
from insights_mcp.local.queries.hogql.tree import Call, Fill, LimitBy, Node, OrderBy, Star, Window

Groups = tuple[tuple[Node, ...], tuple[tuple[Node, ...], ...]]
SETS_LIMIT = 64


class Clauses(Expressions):
    """Clauses. Whole queries are `statements.py`."""

    def group(self) -> Groups:
        """What to group by; and of totals, what each set of them is grouped by."""
        if self.take("all"):
            return (Star(),), ()
        if self.take("grouping", "sets"):
            sets = self.inside("(", ")", self._set)
            return tuple(dict.fromkeys(key for each in sets for key in each)), self._few(sets)
        keys = self.listed(self.expression)
        how = keys[0].name.lower() if len(keys) == 1 and isinstance(keys[0], Call) else ""
        if how in ("rollup", "cube") and isinstance(keys[0], Call):
            keys = keys[0].args
        while any(self.take("with", word) for word in ("rollup", "cube", "totals")):
            pass  # PostHog takes no notice of these; ROLLUP(…) and CUBE(…) it does
        return keys, self._sets(how, keys)

    def _set(self) -> tuple[Node, ...]:
        return self.inside("(", ")", self.expression) if self.sees("(") else (self.expression(),)

    def _sets(self, how: str, keys: tuple[Node, ...]) -> tuple[tuple[Node, ...], ...]:
        """Of ROLLUP the first keys, fewer each time; of CUBE any of them."""
        if how == "rollup":
            return self._few(tuple(keys[:count] for count in range(len(keys), -1, -1)))
        if how != "cube":
            return ()
        chosen = range(2 ** min(len(keys), SETS_LIMIT.bit_length()))
        return self._few(tuple(tuple(key for n, key in enumerate(keys) if not each >> n & 1) for each in chosen))

    def _few(self, sets: tuple[tuple[Node, ...], ...]) -> tuple[tuple[Node, ...], ...]:
        if len(sets) > SETS_LIMIT:
            raise self.error(f"totals of more than {SETS_LIMIT} sets of groups")
        return sets

    def named_window(self) -> tuple[str, Window]:
        """name AS (PARTITION BY …)."""
        name = self.name()
        self.need("as")
        return name, self.window()

    def order(self) -> tuple[tuple[OrderBy, ...], Fill | None]:
        """What to sort by, and how its gaps are filled."""
        found = self.listed(self.ordered)
        if not self.take("with", "fill"):
            return found, None
        start = self.expression() if self.take("from") else None
        end = self.expression() if self.take("to") else None
        step = self.expression() if self.take("step") else None
        if len(found) > 1 or self.sees(","):
            raise self.error("WITH FILL goes with one expression to sort by")
        return found, Fill(start, end, step, self._interpolated() if self.take("interpolate") else None)

    def _interpolated(self) -> tuple[str, ...]:
        if not self.sees("("):
            return ()
        return self.inside("(", ")", self.name)

    def limits(self) -> tuple[Node | None, Node | None, LimitBy | None]:
        """LIMIT, OFFSET, and LIMIT BY."""
        limit: Node | None = None
        offset: Node | None = None
        by = None
        while self.sees("limit") or self.sees("offset"):
            if self.take("offset"):
                offset = self.expression()
            else:
                self.next()
                limit = self.expression()
                if self.take(","):
                    offset, limit = limit, self.expression()
            if limit is not None and self.take("by"):
                by, limit, offset = (limit, self.listed(self.expression), offset), None, None
            if self.sees("with", "ties") and (limit is None or self.peek(2).text.lower() == "by"):
                raise self.error("WITH TIES follows LIMIT and a number")
        return limit, offset, by
