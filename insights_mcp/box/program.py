"""DuckDB in a box: one file, one statement at a time, and limits. Also the program of a boxed process.

Settings keep a statement from files, the network, extensions and other settings, but leave two holes: scalar functions
ignore the memory limit, and some operators ignore the interrupt. Statements compiled from a query's JSON alone cannot
reach either. Those that hold a caller's own HogQL can (`arrayMap` in `arrayMap` runs for hours and hears nothing), so
they run in a process of their own (`boxes.py`), which ends itself when it grows and is killed when it does not hear.

The others stay in this process: there is nothing to kill in them, and they share one cache of the file. Measured, a
process of its own costs 0.6 ms for a small answer, up to 2 µs for each value of a large one, and 0.15 s to start.

As a program this file stands alone: it imports nothing of the package, so that a process starts in the time of DuckDB.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

POLL = 0.02
MOST_ROWS = 1_000_000
MOST_BYTES = 128_000_000
# What a boxed process may occupy, and the wall behind it for a single request of memory that no sample would see.
MOST_MEMORY = 1_000_000_000
WALL = 6_000_000_000
TOO_LARGE = 75
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "allow_persistent_secrets": "false",
    "memory_limit": "420MB",
    "max_temp_directory_size": "8GB",
}
SETTINGS = ("set timezone = 'UTC'", "set enable_external_access = false", "set lock_configuration = true")
NO_CANCEL = threading.Event()


class Interrupted(Exception):
    """The caller cancelled the query."""


class TookTooLong(Exception):
    """The query ran into the time limit, in seconds."""


class Failed(Exception):
    """DuckDB could not do what the query says; the message is its own."""


class TooBig(Failed):
    """The query needs more memory than one query may have, or gives more rows."""


class EngineLost(Failed):
    """An internal error after which DuckDB answers nothing until it is opened anew."""


@dataclass(frozen=True)
class Rows:
    """An answer of the store. Times are UTC without zone."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def connect(path: str | None, spill: str, tables: str) -> duckdb.DuckDBPyConnection:
    """A connection from which only this file can be reached (the order matters). Without one, empty `tables`."""
    import duckdb

    config = {**CONFIG, "temp_directory": spill, "threads": min(4, os.cpu_count() or 1)}
    connection = duckdb.connect(path or ":memory:", read_only=path is not None, config=config)
    if path is None:
        connection.execute(tables)
    elif files := _read_in_place(connection):
        quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        connection.execute(f"set allowed_paths = [{quoted}]")
    for statement in SETTINGS:
        connection.execute(statement)
    return connection


def _read_in_place(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The files that the store's events are a view of."""
    import duckdb

    try:
        return [file for (file,) in connection.execute("select value from store_facts where name = 'file'").fetchall()]
    except duckdb.CatalogException:
        return []


def run(
    cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any], limit: int | None, slice_: int = 10_000
) -> Rows:
    """Run a statement. Raises Interrupted when the cursor is, Failed and its kinds."""
    import duckdb

    try:
        cursor.execute(sql, dict(parameters))
        rows = list(_fetched(cursor, MOST_ROWS + 1 if limit is None else limit, slice_))
    except duckdb.InterruptException:
        raise Interrupted from None
    except duckdb.OutOfMemoryException as error:
        raise TooBig(str(error)) from error
    except duckdb.FatalException as error:
        raise EngineLost(str(error)) from error
    except (duckdb.Error, RuntimeError, MemoryError) as error:
        raise Failed(str(error)) from error
    if len(rows) > MOST_ROWS:
        raise TooBig(f"more than {MOST_ROWS} rows")
    return Rows([column[0] for column in cursor.description or ()], rows)


def _fetched(cursor: duckdb.DuckDBPyConnection, limit: int, slice_: int) -> Iterator[tuple[Any, ...]]:
    """In slices: between two of them other threads get their turn, such as the one that watches."""
    while limit > 0 and (rows := cursor.fetchmany(min(slice_, limit))):
        yield from rows
        limit -= len(rows)


@contextmanager
def guarded(
    interrupt: Callable[[], object], cancelled: threading.Event, seconds: float
) -> Iterator[Callable[[], Exception | None]]:
    """Interrupts when the caller cancels or the time is up; again and again, until it is heard. Gives why it did."""
    finished = threading.Event()
    deadline = time.monotonic() + seconds

    def reason() -> Exception | None:
        if cancelled.is_set():
            return Interrupted()
        return TookTooLong(seconds) if time.monotonic() > deadline else None

    def watch() -> None:
        while not finished.wait(POLL):
            if reason():
                interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield reason
    finally:
        finished.set()
        watcher.join()


# -- a boxed process: frames of pickled tuples, requests on stdin, replies on what was stdout --------------------------


def write(stream: IO[bytes], message: Any) -> None:
    """Send a message."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(content).to_bytes(8, "little") + content)
    stream.flush()


def read(stream: IO[bytes]) -> bytes | None:
    """The next message, pickled; None when the other side is gone."""
    head = stream.read(8)
    size = int.from_bytes(head, "little")
    content = stream.read(size) if len(head) == 8 else b""
    return content if len(head) == 8 and len(content) == size else None


class Process:
    """What a boxed process holds: an open file, and the statement that runs."""

    def __init__(self, spill: str) -> None:
        self.spill = spill
        self.requests: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self.opened: tuple[str | None, Any] | None = None
        self.connection: duckdb.DuckDBPyConnection | None = None
        self.cursor: duckdb.DuckDBPyConnection | None = None

    def listen(self, stream: IO[bytes]) -> None:
        """Take requests until the other side is gone; then there is nobody to work for."""
        with suppress(Exception):
            while content := read(stream):
                message = pickle.loads(content)
                if message == ("interrupt",):
                    self.interrupt()
                else:
                    self.requests.put(message)
        self.end(0)

    def interrupt(self) -> None:
        cursor = self.cursor
        if cursor:
            cursor.interrupt()

    def weigh(self) -> None:
        """End when too large. A scalar function takes gigabytes in one step, so sample often."""
        while True:
            time.sleep(POLL / 2)
            if weight() > MOST_MEMORY:
                self.end(TOO_LARGE)

    def end(self, code: int) -> None:
        shutil.rmtree(self.spill, ignore_errors=True)
        os._exit(code)

    def answer(self, message: tuple[Any, ...]) -> tuple[Any, ...]:
        """What to reply: the name of what happened, and its facts."""
        if message[0] == "close":
            self._close()
            return ("closed",)
        _, path, stamp, tables, sql, parameters, limit = message
        try:
            connection = self._open(path, stamp, tables)
            self.cursor = connection.cursor()
            found = run(self.cursor, sql, parameters, limit, 100)
            return ("rows", found.columns, found.rows)
        except Exception as error:  # noqa: BLE001 (told to the other side)
            return (type(error).__name__, str(error))
        finally:
            cursor, self.cursor = self.cursor, None
            if cursor:
                cursor.close()

    def _open(self, path: str | None, stamp: Any, tables: str) -> duckdb.DuckDBPyConnection:
        if self.opened != (path, stamp) or not self.connection:
            self._close()
            self.connection, self.opened = connect(path, self.spill, tables), (path, stamp)
        return self.connection

    def _close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = self.opened = None


def weight() -> int:
    """The bytes of memory this process holds; where that cannot be asked, the most it ever held."""
    try:
        with open("/proc/self/statm", "rb") as facts:
            return int(facts.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return _most_held()


def _most_held() -> int:
    try:
        import resource
    except ImportError:
        return _held_on_windows()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _held_on_windows() -> int:
    import ctypes

    facts = (ctypes.c_size_t * 10)()
    facts[0] = ctypes.sizeof(facts)
    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009 (only there on Windows)
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    kernel.K32GetProcessMemoryInfo(ctypes.c_void_p(kernel.GetCurrentProcess()), facts, ctypes.sizeof(facts))
    return int(facts[2])


def _humble() -> None:
    """Other work comes first, and memory has a wall."""
    with suppress(ImportError, OSError, ValueError, AttributeError):
        os.nice(5)
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (WALL, WALL))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(spill: str) -> None:
    """Answer requests until the other side is gone."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _humble()
    process = Process(spill)
    for task in (lambda: process.listen(sys.stdin.buffer), process.weigh):
        threading.Thread(target=task, daemon=True).start()
    while True:
        reply = process.answer(process.requests.get())
        content = pickle.dumps((*reply, weight()), pickle.HIGHEST_PROTOCOL)
        if len(content) > MOST_BYTES:
            content = pickle.dumps(("TooBig", "the answer is too large", weight()))
        replies.write(len(content).to_bytes(8, "little") + content)
        replies.flush()


if __name__ == "__main__":
    main(sys.argv[1])
