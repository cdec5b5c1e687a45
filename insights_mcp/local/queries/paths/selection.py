"""Who went from one step of a path to the next, or stopped there."""

from __future__ import annotations

from insights_mcp.local.queries.paths import tables
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.selection import Actors
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.actors import Point
from insights_mcp.schema.paths import PathsFilter, PathsQuery

# A person's steps at the point, with the events they were (a hundred at most).
WALKERS = """{tables}
select steps.pid as actor, count(*) as event_count,
       list(distinct row(e.timestamp, e.uuid, {session}, {window}))[:100] as matching_events
from steps join events e on e.rowid = steps.id
where {condition} group by steps.pid"""
KEY = "{number} || '_' || (select path from paths where k = {k})"


def actors(query: PathsQuery, point: Point, scan: Scan, context: Context) -> Actors:
    """Who took the edge that `pathStartKey` and `pathEndKey` name, or whose path ended at `pathDropoffKey`."""
    given = query.pathsFilter or PathsFilter()
    inner = scan.inner("e")
    walked = tables(query, inner, context, sized=bool(given.pathDropoffKey))
    sql = WALKERS.format(
        tables=walked,
        session=f"coalesce({inner.event_property('$session_id')}, '')",
        window=f"coalesce({inner.event_property('$window_id')}, '')",
        condition=" and ".join(_conditions(given, scan)),
    )
    return Actors(sql, {"event_count": "UInt64", "matching_events": "Array(Tuple(DateTime, UUID, String, String))"})


def _conditions(given: PathsFilter, scan: Scan) -> list[str]:
    here = KEY.format(number="i", k="steps.k")
    if given.pathDropoffKey:
        return ["i = size", f"{here} = {scan.bind(given.pathDropoffKey)}"]
    before = f"i > 1 and {KEY.format(number='(i - 1)', k='fk')}"
    asked = ((before, given.pathStartKey), (here, given.pathEndKey))
    return [f"{key} = {scan.bind(value)}" for key, value in asked if value] or ["true"]
