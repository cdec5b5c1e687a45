"""Which recordings show what actors did: those of the sessions of which snapshots are among the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from insights_mcp.local.queries.sql import Scan, Sql

SNAPSHOTS = ["$snapshot", "$snapshot_items"]
RECORDED = """select distinct {session} from {tables}
where e.event in (select unnest({snapshots}::varchar[])) and {session} in (select unnest($sessions::varchar[]))"""
Event = tuple[datetime, Any, str | None, str | None]


def events(cell: Iterable[Any] | None) -> list[Event]:
    """The events of one actor: rows or structs of time, uuid, session and window."""
    rows = (each.values() if isinstance(each, dict) else each for each in cell or ())
    return [(at, uuid, session, window) for at, uuid, session, window in rows]


def recorded(cells: Iterable[Any], scan: Scan) -> Sql | None:
    """The statement that says which of the sessions were recorded; None when there are none."""
    return among({session for cell in cells for _, _, session, _ in events(cell) if session}, scan)


def among(sessions: Iterable[str], scan: Scan) -> Sql | None:
    """The statement that says which of these sessions were recorded; None when there are none."""
    if not (listed := sorted(sessions)):
        return None
    asked = scan.inner("e")
    holes = {"session": asked.event_property("$session_id"), "snapshots": scan.bind(SNAPSHOTS)}
    found = scan.statement(RECORDED.format(tables=asked.tables, **holes))
    return Sql(found.text, {**found.parameters, "sessions": listed})


def shown(cell: Iterable[Any] | None, sessions: frozenset[str]) -> list[dict[str, Any]]:
    """The recorded sessions of one actor, each with the events in it."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for at, uuid, session, window in sorted(events(cell), key=lambda event: (event[2] or "", event[0], str(event[1]))):
        if session in sessions:
            when = at.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
            found[str(session)].append({"timestamp": when, "uuid": str(uuid), "window_id": window or ""})
    return [{"session_id": session, "events": each} for session, each in found.items()]
