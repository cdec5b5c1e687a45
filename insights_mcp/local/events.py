"""The events of a project: one DuckDB file, opened read-only and boxed in. Nothing else runs a query on DuckDB.

A query compiled from its JSON alone runs in this process; one that holds a caller's own SQL apart (`box/` says why).
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from insights_mcp.box.boxes import BOXES, LOST, Request
from insights_mcp.box.program import (
    NO_CANCEL,
    POLL,
    EngineLost,
    Failed,
    Interrupted,
    Rows,
    TooBig,
    TookTooLong,
    connect,
    guarded,
    run,
)
from insights_mcp.errors import InsightsError
from insights_mcp.local.layout import LAYOUT, TABLES, column_of, pointer

if TYPE_CHECKING:
    import duckdb

__all__ = ["APART", "EngineLost", "EventStore", "Failed", "Interrupted", "Rows", "StoreError", "TooBig", "TookTooLong"]

Owner = Literal["event", "person"]
SECONDS = 60.0
AT_ONCE = 4
# In the text of a statement: it holds a caller's own SQL, so it runs apart.
APART = "/* apart */ "
VALUES = """
select value, count(*) from (select {value} as value from events where event in (select unnest($events::varchar[])))
where value is not null and ($containing is null or value ilike '%' || $containing || '%' escape '\\')
group by 1 order by 2 desc, 1 limit $limit
"""


class StoreError(InsightsError):
    """The store cannot be read: `what` happened, and what to do `next_step`."""


@dataclass(frozen=True)
class EventRow:
    """An event that was seen; times are UTC. `repeats`: how many of them the person behind one has, on average."""

    name: str
    first_seen: datetime
    last_seen: datetime
    count: int
    repeats: float


@dataclass(frozen=True)
class PropertyRow:
    """A property that was seen. `property_type` is String, Numeric, Boolean, DateTime or None."""

    name: str
    property_type: str | None
    events: frozenset[str]


@dataclass(frozen=True)
class Catalogue:
    """What a compiler must know of the store: property types, which keys have a column, when events came."""

    event_types: Mapping[str, str | None] = field(default_factory=dict)
    person_types: Mapping[str, str | None] = field(default_factory=dict)
    group_types: Mapping[int, str] = field(default_factory=dict)
    group_property_types: Mapping[tuple[int, str], str | None] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    events: Mapping[str, EventRow] = field(default_factory=dict)


class EventStore:
    """The events at `path`. Opened at the first question; a missing file is an empty project."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._catalogue: Catalogue | None = None

    def event_definitions(self) -> list[EventRow]:
        """Every event, by name."""
        return sorted(self.catalogue().events.values(), key=lambda row: row.name)

    def property_definitions(self, owner: Owner | int) -> list[PropertyRow]:
        """Every property of events (with the events that carry it), of persons, or of groups of a type, by name."""
        catalogue = self.catalogue()
        types = catalogue.event_types if owner == "event" else catalogue.person_types
        if isinstance(owner, int):
            types = {name: kind for (number, name), kind in catalogue.group_property_types.items() if number == owner}
        carriers: dict[str, set[str]] = {}
        if owner == "event":
            for event, name in self.fetch("select event, name from event_properties").rows:
                carriers.setdefault(name, set()).add(event)
        return [PropertyRow(name, types[name], frozenset(carriers.get(name, ()))) for name in sorted(types)]

    def property_values(
        self, key: str, event_names: list[str], containing: str | None, limit: int = 10
    ) -> list[tuple[str, int]]:
        """Values of an event property with their counts, most frequent first; all events when none is named."""
        names = event_names or list(self.catalogue().events)
        value = column_of(key) if key in self.catalogue().columns else "properties ->> $path"
        parameters: dict[str, Any] = {"events": names, "containing": _like(containing), "limit": limit}
        if value.endswith("$path"):
            parameters["path"] = pointer(key)
        return [(text, count) for text, count in self.fetch(VALUES.format(value=value), parameters).rows]

    def catalogue(self) -> Catalogue:
        """What there is. Read once for each state of the file."""
        with self._lock:
            connection = self._open()
            self._catalogue = self._catalogue or _catalogue(connection.cursor())
            return self._catalogue

    def fetch(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        cancelled: threading.Event = NO_CANCEL,
        seconds: float = SECONDS,
        limit: int | None = None,
    ) -> Rows:
        """Run one generated SELECT; at most `limit` rows are read. Several threads may call at once.

        With APART in its text, in a process that can be killed. Raises Interrupted, TookTooLong, TooBig, Failed,
        StoreError.
        """
        if APART in sql:
            return BOXES.run(self._request(sql, parameters or {}, limit), cancelled=cancelled, seconds=seconds)
        with self._turn(cancelled):
            with self._lock:
                cursor = self._open().cursor()
            try:
                return _run(cursor, sql, parameters or {}, cancelled, seconds, limit)
            except EngineLost:
                self.close()
                raise EngineLost(LOST) from None

    def _request(self, sql: str, parameters: Mapping[str, Any], limit: int | None) -> Request:
        with self._lock:
            self._open()
            path = str(self.path) if self._stamp else None
            return Request(path, self._stamp, TABLES, sql, dict(parameters), limit)

    def close(self) -> None:
        """Let go of the file. The next question opens it again."""
        with self._lock:
            self._close()
        BOXES.let_go(str(self.path))

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = self._catalogue = self._stamp = None

    @contextmanager
    def _turn(self, cancelled: threading.Event) -> Iterator[None]:
        while not self._turns.acquire(timeout=POLL * 5):
            if cancelled.is_set():
                raise Interrupted
        try:
            yield
        finally:
            self._turns.release()

    def _open(self) -> duckdb.DuckDBPyConnection:
        stamp = _stamp(self.path)
        if self._connection and stamp != self._stamp:
            self._close()
        if not self._connection:
            self._connection, self._stamp = _boxed(self.path, stamp is not None), stamp
        return self._connection


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def _boxed(path: Path, exists: bool) -> duckdb.DuckDBPyConnection:
    import duckdb

    spill = str(Path(tempfile.gettempdir()) / f"insights-mcp-{os.getpid()}")
    try:
        connection = connect(str(path) if exists else None, spill, TABLES)
        _check_layout(path, connection, exists)
    except duckdb.Error as error:
        raise refusal(path, str(error)) from error
    return connection


def _check_layout(path: Path, connection: duckdb.DuckDBPyConnection, exists: bool) -> None:
    import duckdb

    try:
        found = connection.execute("select value from store_facts where name = 'layout'").fetchall()
    except duckdb.CatalogException:
        found = []
    if exists and found != [(str(LAYOUT),)]:
        connection.close()
        raise StoreError(
            f"{path} is no event store of this version.",
            "Move it away and load the event files again (insights-mcp load).",
        )


def refusal(path: Path, message: str) -> StoreError:
    """Why a store cannot be opened, from DuckDB's message."""
    if "lock" in message or "different configuration" in message:
        return StoreError(
            f"{path} is being written: events are being loaded.", "Wait until the load is done, then repeat."
        )
    if "ermission" in message:
        return StoreError(f"{path} cannot be read.", "Check its rights.")
    return StoreError(
        f"{path} is damaged, or was written by another version of the engine.",
        f"Move it away and load the event files again (insights-mcp load). ({message[:200]})",
    )


def _run(
    cursor: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Mapping[str, Any],
    cancelled: threading.Event,
    seconds: float,
    limit: int | None,
) -> Rows:
    try:
        with guarded(cursor.interrupt, cancelled, seconds) as reason:
            try:
                return run(cursor, sql, parameters, limit)
            except (Interrupted, Failed) as error:
                raise reason() or error from None
    finally:
        cursor.close()


def _catalogue(cursor: duckdb.DuckDBPyConnection) -> Catalogue:
    properties = cursor.execute("select owner, name, property_type, has_column from property_catalogue").fetchall()
    events = cursor.execute("select name, first_seen, last_seen, count, repeats from event_catalogue").fetchall()
    group_types = cursor.execute("select group_type_index, name from group_types").fetchall()
    return Catalogue(
        {name: kind for owner, name, kind, _ in properties if owner == "event"},
        {name: kind for owner, name, kind, _ in properties if owner == "person"},
        dict(group_types),
        {(int(o[6:]), name): kind for o, name, kind, _ in properties if o.startswith("group_")},
        frozenset(name for owner, name, _, column in properties if owner == "event" and column),
        {
            n: EventRow(n, first.replace(tzinfo=UTC), last.replace(tzinfo=UTC), *counts)
            for n, first, last, *counts in events
        },
    )


def _like(text: str | None) -> str | None:
    return None if text is None else text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
