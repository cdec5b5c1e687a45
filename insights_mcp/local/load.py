"""Loading event files into a project's folder: bounded memory, all or nothing, nothing twice."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insights_mcp.local.layout import FILE, LAYOUT, TABLES
from insights_mcp.local.loading import judging, merging, refusals, staging
from insights_mcp.local.loading.columns import Columns
from insights_mcp.local.loading.errors import LoadError
from insights_mcp.local.loading.files import Source, sources

if TYPE_CHECKING:
    import duckdb

__all__ = ["Columns", "LoadError", "Loaded", "load"]

MEMORY = "1500MB"
WORKSHOP = ".loading-"
TOTALS = "select coalesce(sum(count), 0)::bigint, min(first_seen), max(last_seen) from event_catalogue"
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Loaded:
    """What a load did: events `loaded`, already `known` (by uuid) and `refused` (listed in the file `refusals`);
    and the store after it: `events` in all, the `first` and the `last` time (UTC)."""

    loaded: int
    known: int
    refused: int
    refusals: Path | None
    events: int
    first: datetime | None
    last: datetime | None


def load(
    files: list[Path],
    into: Path,
    *,
    columns: Columns = Columns(),  # noqa: B008 (frozen)
    persons_on_events: bool = False,
    progress: Progress = lambda fraction, message: None,
) -> Loaded:
    """Load files (or folders, or patterns) into the project folder `into`. Raises LoadError; then nothing was loaded.

    A load that is killed leaves the store as it was; run again, it ends with the same store.
    """
    with opened_store(into) as (con, workshop):
        found = list(sources(files, workshop))
        rejects = _stage(con, found, columns, workshop, progress)
        added = merging.merge(con, progress, persons_on_events=persons_on_events)
        answer = _counted(con, found, rejects, into, added)
    progress(1.0, "done")
    return answer


@contextmanager
def opened_store(into: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """The store in a folder, opened for writing, and a folder for what is thrown away after."""
    import duckdb

    workshop: Path | None = None
    con: duckdb.DuckDBPyConnection | None = None
    try:
        into.mkdir(parents=True, exist_ok=True)
        con = _opened(into / FILE)
        # The lock is ours, so what other loads left behind is dead.
        for left in into.glob(WORKSHOP + "*"):
            shutil.rmtree(left, ignore_errors=True)
        workshop = Path(tempfile.mkdtemp(prefix=WORKSHOP, dir=into))
        _prepare(con, workshop)
        yield con, workshop
    except OSError as error:
        raise LoadError(f"{into} cannot be written: {error.strerror or error}.", "Choose another folder.") from error
    except duckdb.OutOfMemoryException as error:
        raise LoadError(
            f"The load needs more memory or disk than there is: {error}", "Load fewer files at once."
        ) from error
    except duckdb.Error as error:
        raise LoadError(f"The load failed: {error}", "Nothing was loaded.") from error
    finally:
        if con:
            con.close()
        if workshop:
            shutil.rmtree(workshop, ignore_errors=True)


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": "2",
        "storage_compatibility_version": "latest",
    }
    try:
        return duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        raise refusal(path, str(error)) from error


def refusal(path: Path, message: str) -> LoadError:
    """Why a store cannot be opened for writing, from DuckDB's message."""
    if "lock" in message or "different configuration" in message:
        holder = re.search(r"PID (\d+)", message)
        who = f"process {holder[1]}" if holder else "this process"
        return LoadError(f"{path} is in use by {who}.", "Stop it (a server?), then load again.")
    if "ermission" in message or "read-only" in message.lower():
        return LoadError(f"{path} cannot be written.", "Choose another folder or change its rights.")
    return _other_version(path, f" ({message[:200]})")


def _other_version(path: Path, why: str = "") -> LoadError:
    return LoadError(f"{path} is no event store of this version.", f"Move it away and load the files again.{why}")


def _prepare(con: duckdb.DuckDBPyConnection, workshop: Path) -> None:
    con.execute("set timezone = 'UTC'")
    con.execute(f"set temp_directory = '{_quoted(workshop)}'")
    con.execute("set autoinstall_known_extensions = false")
    con.execute(f"attach '{_quoted(workshop / 'staging.duckdb')}' as staging")
    con.execute(TABLES)
    found = con.execute("select value from store_facts where name = 'layout'").fetchall()
    if not found:
        con.execute("insert into store_facts values ('layout', $v)", {"v": str(LAYOUT)})
    elif found != [(str(LAYOUT),)]:
        raise _other_version(workshop.parent / FILE)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _stage(
    con: duckdb.DuckDBPyConnection, found: list[Source], columns: Columns, workshop: Path, progress: Progress
) -> list[dict[str, Any]]:
    total = sum(source.size for source in found) or 1
    rejects: list[dict[str, Any]] = []
    staged: list[str] = []
    done = 0
    for number, source in enumerate(found):
        watch = _Watch(con, progress, 0.2 * done / total, 0.2 * source.size / total, f"reading {source.shown.name}")
        staged.append(staging.stage(con, number, source, columns, watch, workshop))
        rejects += refusals.rejected(con, source)
        done += source.size
    judging.judge(con, staged, _Watch(con, progress, 0.2, 0.2, "looking at the rows"))
    return rejects


class _Watch:
    """Runs a statement in a thread of its own and tells how far it is, so that an interrupt is heard at once."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, progress: Progress, start: float, share: float, message: str
    ) -> None:
        self.con, self.progress, self.start, self.share, self.message = con, progress, start, share, message

    def __call__(self, statement: str) -> None:
        errors: list[Exception] = []
        thread = threading.Thread(target=self._execute, args=(statement, errors))
        thread.start()
        try:
            self._tell(thread)
        except BaseException:
            self.con.interrupt()
            raise
        finally:
            thread.join()
        if errors:
            raise errors[0]

    def _execute(self, statement: str, errors: list[Exception]) -> None:
        try:
            self.con.execute(statement)
        except Exception as error:  # noqa: BLE001 (raised in the thread that waits)
            errors.append(error)

    def _tell(self, thread: threading.Thread) -> None:
        while thread.is_alive():
            thread.join(0.1)
            done = max(0.0, min(100.0, self.con.query_progress())) / 100 if thread.is_alive() else 1.0
            self.progress(self.start + self.share * done, self.message)


def _counted(
    con: duckdb.DuckDBPyConnection, found: list[Source], rejects: list[dict[str, Any]], into: Path, added: int
) -> Loaded:
    [(good, refused)] = con.execute(
        "select coalesce(sum(count) filter (reason is null and not is_person), 0)::bigint,"
        " coalesce(sum(count) filter (reason is not null), 0)::bigint from staging.keysets"
    ).fetchall()
    path = refusals.write(con, found, rejects, into) if refused or rejects else None
    [(events, first, last)] = con.execute(TOTALS).fetchall()
    return Loaded(
        added, good - added, refused + len(rejects), path, events, first and first.replace(tzinfo=UTC),
        last and last.replace(tzinfo=UTC),
    )  # fmt: skip
