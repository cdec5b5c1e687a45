"""What every tool answers with, before it is written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

Row = Sequence[Any]


class Rows(Sequence[Row]):
    """Rows that are made when they are looked at: of a large result few are."""

    def __init__(self, places: range, row: Callable[[int], Row]) -> None:
        self._places = places
        self._row = row

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Rows: ...
    def __getitem__(self, place: int | slice) -> Row | Rows:
        if isinstance(place, slice):
            return Rows(self._places[place], self._row)
        return self._row(self._places[place])


@dataclass(frozen=True)
class Table:
    """Columns and rows. `first`: the place of `rows[0]` in the whole; `held`: rows of the whole, if known.

    `verbatim`: the cells are safe already and are shown as they are (JSON pieces).
    `ranked`: places of rows, those that say most first: so many of them are shown as fit, `enough` at most where
    the answer is short, in the table's order. `sums_up`: what the rows are made from, where they are not all of it.
    """

    columns: Sequence[str]
    rows: Sequence[Row]
    first: int = 0
    held: int | None = None
    verbatim: bool = False
    ranked: Sequence[int] | None = None
    enough: int = 40
    sums_up: str = ""

    @property
    def size(self) -> int:
        """Rows in the whole, as far as is known."""
        return self.held if self.held is not None else self.first + len(self.rows)

    def after(self, offset: int) -> Table:
        """The table without its first `offset` rows."""
        return replace(self, rows=self.rows[offset:], first=offset, held=self.size)


@dataclass(frozen=True)
class Picture:
    """An image that is shown beside the text."""

    data: bytes
    mime_type: str


@dataclass(frozen=True)
class Link:
    """A resource that holds more than the answer, by its address."""

    uri: str
    name: str
    mime_type: str = "text/csv"


@dataclass(frozen=True)
class Answer:
    """One sentence in our words, the digest of a result, named facts, a table, what was left out, what to do next.

    `notes`: what must be known before the numbers are believed: repairs of the query, why there is nothing.
    `more` is the call that brings the following rows, with `{offset}` where their place goes.
    `provenance` stands behind the project: which dates, filters and freshness the numbers have.
    """

    said: str
    facts: dict[str, Any] = field(default_factory=dict)
    table: Table | None = None
    left_out: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    more: str = ""
    digest: tuple[str, ...] = ()
    provenance: str = ""
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    links: tuple[Link, ...] = ()
