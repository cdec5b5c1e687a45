"""Saved definitions of one kind (actions, cohorts): a page of them, one by number, one as it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from insights_mcp.local.account import people
from insights_mcp.local.calls import Call, bounds, page, reply, whole
from insights_mcp.local.errors import not_found
from insights_mcp.local.insight_shape import People
from insights_mcp.local.store import Row


@dataclass(frozen=True)
class Saved:
    """The rows of `table`, listed in `order`, answered as `shape` says."""

    table: str
    order: str
    shape: Callable[[Row, People], dict[str, Any]]

    def listed(self, call: Call) -> Response:
        """One page of those whose name holds the text of `search`."""
        limit, offset = bounds(call)
        text = call.query.get("search", "").strip().casefold()
        matching = f"from {self.table} where not deleted and instr(folded(name), ?)"
        count = call.store.value(f"select count(*) {matching}", text)
        rows = call.store.rows(f"select * {matching} order by {self.order} limit ? offset ?", text, limit, offset)
        users = people(call.store)
        return page(call, [self.shape(row, users) for row in rows], count, limit, offset)

    def found(self, call: Call, *, deleted: bool = False) -> Row:
        """The one whose number is in the path, also when it is deleted if so asked. 404 when there is none."""
        alive = "" if deleted else " and not deleted"
        row = call.store.row(f"select * from {self.table} where id = ?{alive}", whole(call.path["id"]))
        if row is None:
            raise not_found()
        return row

    def replied(self, call: Call, number: int, status: int = 200) -> Response:
        """The answer that shows one."""
        row = call.store.row(f"select * from {self.table} where id = ?", number)
        assert row is not None
        return reply(self.shape(row, people(call.store)), status)
