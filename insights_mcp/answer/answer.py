"""What every tool answers with, before it is written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Table:
    """Columns and rows. `first`: the place of `rows[0]` in the whole; `held`: rows of the whole, if known.

    `verbatim`: the cells are safe already and are shown as they are (JSON pieces).
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    first: int = 0
    held: int | None = None
    verbatim: bool = False

    @property
    def size(self) -> int:
        """Rows in the whole, as far as is known."""
        return self.held if self.held is not None else self.first + len(self.rows)

    def after(self, offset: int) -> Table:
        """The table without its first `offset` rows."""
        return replace(self, rows=self.rows[offset:], first=offset, held=self.size)


@dataclass(frozen=True)
class Answer:
    """One sentence in our words, named facts, a table, what was left out, and what to do next.

    `more` is the call that brings the following rows, with `{offset}` where their place goes.
    """

    said: str
    facts: dict[str, Any] = field(default_factory=dict)
    table: Table | None = None
    left_out: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    more: str = ""
