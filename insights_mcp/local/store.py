"""Where a project's saved objects lie: one SQLite file. The only module that touches sqlite3.

Several server processes may use one file at once (WAL, a busy time-out). What was acknowledged survives a
kill and a power cut (`synchronous=FULL`).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from insights_mcp.local.errors import LocalError, read_only, unavailable
from insights_mcp.local.tables import ADDED, VERSION

Row = dict[str, Any]
Found = TypeVar("Found")

FILE = "project.sqlite3"
BUSY_SECONDS = 10.0
BUSY = "Another process keeps it locked: end that one, then try again."
WRITABLE = "Make room, or end what else writes to it, then repeat."
DAMAGED = "Restore it from a backup, or load the events into a new folder."


class Store:
    """One connection, usable from any thread. `read_only` when the folder lets nothing be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._changes = 0
        self._known: tuple[object, dict[Any, Any]] = (None, {})
        with _said_of(path):
            self._connection, self.read_only = _open(path)
            try:
                self._prepare()
            except BaseException:
                self.close()
                raise

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows of a SELECT, as dictionaries."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Row | None:
        """The first row of a SELECT, if any."""
        with self._lock:
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def value(self, sql: str, *values: object) -> Any:
        """The first column of the first row, None when there is no row."""
        found = self.row(sql, *values)
        return next(iter(found.values())) if found else None

    def remembered(self, find: Callable[[Store], Found]) -> Found:
        """What `find` reads here, read again once anything was changed, by this process or another."""
        with self._lock:
            state = (self._changes, self._connection.execute("pragma data_version").fetchone()["data_version"])
            if state != self._known[0]:
                self._known = state, {}
            known = self._known[1]
            if find not in known:
                known[find] = find(self)
            found: Found = known[find]
            return found

    def change(self, sql: str, *values: object) -> int:
        """Run one INSERT, UPDATE or DELETE: how many rows it touched."""
        return self._write(sql, values).rowcount

    def insert(self, table: str, **values: object) -> int:
        """Add a row: its rowid. Table and column names come from code, never from a request."""
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        return self._write(f"insert into {table} ({names}) values ({marks})", tuple(values.values())).lastrowid or 0

    def update(self, table: str, key: int | str, **values: object) -> None:
        """Set columns of the row whose `id` is `key`."""
        if values:
            names = ", ".join(f'"{name}" = ?' for name in values)
            self._write(f"update {table} set {names} where id = ?", (*values.values(), key))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside happen, or none. May be nested: the outermost counts."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._write("begin immediate", ())
            try:
                yield
                self._write("commit", ())
            except BaseException:
                self._changes += 1
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _write(self, sql: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        if self.read_only:
            raise read_only()
        with self._lock:
            self._changes += 1
            try:
                return self._connection.execute(sql, values)
            except sqlite3.OperationalError as error:
                # Locked by another process for longer than the time-out, or the disk is full.
                raise unavailable(f"The project folder cannot be written: {error}. {WRITABLE}") from error

    def _prepare(self) -> None:
        version = self._version()
        if version > VERSION:
            raise LocalError(f"{self.path} was written by a newer version.", "Update insights-mcp.")
        if version < VERSION:
            with self.transaction():
                self._create()

    def _create(self) -> None:
        # Two processes may come here at once: only the first one finds the old version inside the transaction.
        for tables in ADDED[self._version() :]:
            for statement in tables.split(";\n"):
                self._connection.execute(statement)
        self._connection.execute(f"pragma user_version = {VERSION}")

    def _version(self) -> int:
        return int(self.value("pragma user_version"))


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """What SQLite says of a file that cannot be used becomes a LocalError."""
    try:
        yield
    except sqlite3.Error as error:
        next_step = BUSY if "locked" in str(error) else DAMAGED
        raise LocalError(f"{path} cannot be used: {error}.", next_step) from error


def _open(path: Path) -> tuple[sqlite3.Connection, bool]:
    if _writable(path):
        return _connect(f"{path.as_uri()}?mode=rwc", writable=True), False
    try:
        return _connect(f"{path.as_uri()}?mode=ro"), True
    except sqlite3.OperationalError:
        # A WAL file in a folder where its side files cannot be made opens only when nobody can be writing.
        return _connect(f"{path.as_uri()}?immutable=1"), True


def _writable(path: Path) -> bool:
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def _connect(uri: str, *, writable: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        connection.row_factory = _as_dict
        connection.create_function("folded", 1, _folded, deterministic=True)
        if writable:
            _make_durable(connection)
        connection.execute("pragma foreign_keys = on")
        connection.execute("select count(*) from sqlite_master")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _make_durable(connection: sqlite3.Connection) -> None:
    until = time.monotonic() + BUSY_SECONDS
    connection.execute("pragma synchronous = full")
    while True:
        # Of two processes that turn a new file to WAL at once, SQLite refuses one without waiting.
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def _folded(text: str | None) -> str:
    """SQLite's own lower() knows ASCII only."""
    return (text or "").casefold()


def stamp(moment: datetime) -> str:
    """A moment as it is stored: UTC, always with microseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str) -> datetime:
    """A stored moment."""
    return datetime.fromisoformat(text)


def iso(text: str | None) -> str | None:
    """A stored moment as PostHog sends it: microseconds only when there are any."""
    return text.replace(".000000Z", "Z") if text else None
