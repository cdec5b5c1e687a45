"""Who is behind a point of an insight: what each kind's `actors` gives, and the frame of actors/ reads.

Every kind that has actors offers, in a module that actors/points.py names, one pure function

    actors(query, point, scan, context) -> Actors

with the kind's own model, the point (schema/actors.py), the scan to bind values with, and the context.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

Write = Callable[[Collection[str]], str]
# The parameter of `Actors.of_page` that lists the actors.
PAGE = "page"


@dataclass(frozen=True)
class Actors:
    """A SELECT with one row for each actor. Its column `actor` is the person's pid, or the group's key as text when
    there is a `group_type_index`.

    `columns` are the columns beside it, by name, with their type in HogQL's words: `event_count` (UInt64),
    `event_distinct_ids` (Array(String)), `appearances` (Array(Int64)), `matching_events` (a list of structs or rows
    of timestamp, uuid, $session_id, $window_id), and whatever else may be selected or sorted by. Times are UTC.

    `select` writes the SELECT with those of the columns that are asked for. `of_page`, where there is one, writes it
    for the actors in $page alone: what only those on a page need is not found out of everybody.
    """

    select: Write
    columns: Mapping[str, str] = field(default_factory=dict)
    group_type_index: int | None = None
    of_page: Write | None = None

    @property
    def sql(self) -> str:
        """The SELECT with every column."""
        return self.select(self.columns)
