"""Whose sessions are behind a funnel that counts sessions: each person once, with the events of all of theirs."""

from __future__ import annotations

from collections.abc import Collection

from insights_mcp.local.queries.selection import Actors
from insights_mcp.local.queries.sql import Scan

# How a funnel says that it counts sessions.
SESSIONS = "properties.$session_id"
OF_SESSIONS = """select o.pid as actor{columns} from ({found}) f
join (select {session} as session, min(e.pid) as pid from {tables} where {session} is not null group by 1) o
  on o.session = f.actor group by o.pid"""
MATCHING = ", flatten(list(f.matching_events)) as matching_events"


def persons(found: Actors, scan: Scan) -> Actors:
    """The persons of the sessions that were found."""
    inner = scan.inner("e")
    session = inner.event_property("$session_id")

    def select(asked: Collection[str]) -> str:
        columns = MATCHING if "matching_events" in asked else ""
        return OF_SESSIONS.format(columns=columns, found=found.select(asked), session=session, tables=inner.tables)

    return Actors(select, found.columns)
