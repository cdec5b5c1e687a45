"""Who is behind a point of an insight: what each kind's `actors` gives, and the frame of actors.py reads.

Every kind that has actors offers, in a module that actors.py's table names, one pure function

    actors(query, point, scan, context) -> Actors

with the kind's own model, the point (schema/actors.py), the scan to bind values with, and the context.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries.sql import Sql


@dataclass(frozen=True)
class Fold:
    """A selection that is made in Python: a statement to run first, and what its rows give the SELECT of actors.

    `values` names parameters beyond those of the scan, which the SELECT then uses as `$name`.
    """

    statement: Sql
    values: Callable[[Rows], dict[str, Any]]


@dataclass(frozen=True)
class Actors:
    """A SELECT with one row for each actor. Its column `actor` is the person's pid, or the group's key as text when
    there is a `group_type_index`.

    `columns` are the columns beside it, by name, with their type in HogQL's words: `event_count` (UInt64),
    `event_distinct_ids` (Array(String)), `appearances` (Array(Int64)), `matching_events` (a list of structs or rows
    of timestamp, uuid, $session_id, $window_id), and whatever else may be selected or sorted by. Times are UTC.
    """

    sql: str
    columns: Mapping[str, str] = field(default_factory=dict)
    group_type_index: int | None = None
    fold: Fold | None = None
