"""Who went from one step of a path to the next, or stopped there."""

from __future__ import annotations

from collections.abc import Collection

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.paths import tables
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.selection import Actors
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.actors import Point
from insights_mcp.schema.paths import PathsFilter, PathsQuery

# A person's steps at the point; where it is asked, with the events they were (a hundred at most).
WALKERS = "{tables}\nselect steps.pid as actor, count(*) as event_count{events} where {condition} group by steps.pid"
EVENTS = """, list(distinct row(e.timestamp, e.uuid, {session}, {window}))[:100] as matching_events
from steps join events e on e.rowid = steps.id"""
COLUMNS = {"event_count": "UInt64", "matching_events": "Array(Tuple(DateTime, UUID, String, String))"}


def actors(query: PathsQuery, point: Point, scan: Scan, context: Context) -> Actors:
    """Who took the edge that `pathStartKey` and `pathEndKey` name, or whose path ended at `pathDropoffKey`."""
    given = query.pathsFilter or PathsFilter()
    inner = scan.inner("e")
    walked = tables(query, inner, context, sized=bool(given.pathDropoffKey))
    condition = " and ".join(_conditions(given, scan))
    session, window = (f"coalesce({inner.event_property(key)}, '')" for key in ("$session_id", "$window_id"))
    events = EVENTS.format(session=session, window=window)

    def select(columns: Collection[str]) -> str:
        listed = events if "matching_events" in columns else " from steps"
        return WALKERS.format(tables=walked, events=listed, condition=condition)

    return Actors(select, COLUMNS)


def _conditions(given: PathsFilter, scan: Scan) -> list[str]:
    if given.pathDropoffKey:
        return ["i = size", _at(given.pathDropoffKey, "i", "steps.k", scan)]
    asked = (("i - 1", "fk", given.pathStartKey), ("i", "steps.k", given.pathEndKey))
    return [_at(key, place, number, scan) for place, number, key in asked if key] or ["i > 0"]


def _at(key: str, place: str, number: str, scan: Scan) -> str:
    """SQL that holds for steps at a key such as `2_/buy`: the second step, to /buy."""
    before, _, path = key.partition("_")
    if not before.isdecimal() or len(before) > 9:
        raise QueryError(f"'{key}' is no step of a path; they are like 2_/buy.", attr="pathsFilter")
    return f"{place} = {int(before)} and {number} = hash({scan.bind(path)})"
