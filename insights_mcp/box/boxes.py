"""Boxed processes: a few, started when first needed, kept warm, killed when they do not hear; and whose turn it is."""

from __future__ import annotations

import atexit
import io
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insights_mcp.box import program
from insights_mcp.box.program import POLL, EngineLost, Failed, Interrupted, Rows, TooBig, TookTooLong

AT_ONCE = 6
WARM = 2
# Kept warm only while small: what a process has once taken it may not give back.
WARM_MEMORY = 400_000_000
# A query that does not hear an interrupt is killed after so many seconds.
GRACE = 0.3
# While others wait, nobody has the turn for longer.
FAIR = 5.0
NAMES = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME")
VALUES = frozenset({"datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone",
                    "decimal.Decimal", "uuid.UUID", "uuid.SafeUUID"})  # fmt: skip
FAILURES = {"Interrupted": Interrupted, "TooBig": TooBig, "EngineLost": EngineLost}
LOST = "The query broke the engine; it was restarted."


@dataclass(frozen=True)
class Request:
    """A statement for a file. `stamp` changes when the file does; without a file the `tables` are empty."""

    path: str | None
    stamp: Any
    tables: str
    sql: str
    parameters: dict[str, Any]
    limit: int | None


class _Values(pickle.Unpickler):
    """Reads values and nothing else: a boxed process is not trusted."""

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in VALUES:
            raise pickle.UnpicklingError(f"{module}.{name} is no value")
        return super().find_class(module, name)


class Box:
    """One process, and the query it runs."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.path: str | None = None
        self.spill = ""
        self.since = 0.0
        self.weight = 0
        self.outvoted = threading.Event()

    def run(self, request: Request, cancelled: threading.Event, seconds: float) -> Rows:
        """Run a statement. Raises Interrupted, TookTooLong, TooBig, Failed."""
        self.path = request.path
        process = self._started()
        with self._watched(process, cancelled, seconds) as reason:
            message = ("run", *(getattr(request, name) for name in Request.__dataclass_fields__))
            kind, *facts = self._asked(process, message)
        if kind == "rows":
            return Rows(facts[0], facts[1])
        if why := reason():
            raise why
        if kind == "gone":
            raise TooBig("the process grew too large") if facts[0] == program.TOO_LARGE else EngineLost(LOST)
        raise FAILURES.get(kind, Failed)(LOST if kind == "EngineLost" else facts[0])

    def let_go(self) -> None:
        """Close the file."""
        self.path = None
        if self.process:
            self._asked(self.process, ("close",))

    def end(self) -> None:
        """Kill the process; the next query starts another."""
        process, self.process = self.process, None
        if process:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    stream and stream.close()
            shutil.rmtree(self.spill, ignore_errors=True)

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            self.spill = tempfile.mkdtemp(prefix="insights-mcp-")
            # No keys in its environment, no folder of the caller's on its path.
            kept = {name: os.environ[name] for name in NAMES if name in os.environ}
            kept["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(Path(program.__file__).resolve()), self.spill],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=kept, cwd=self.spill,
            )  # fmt: skip
        return self.process

    def _asked(self, process: subprocess.Popen[bytes], message: tuple[Any, ...]) -> tuple[Any, ...]:
        """Send a message and wait for the reply; ("gone", exit code) when the process ends over it."""
        assert process.stdin
        assert process.stdout
        content = None
        with suppress(OSError):
            program.write(process.stdin, message)
            content = program.read(process.stdout)
        if content is None:
            code = process.wait()
            self.end()
            return ("gone", code)
        *reply, self.weight = _Values(io.BytesIO(content)).load()
        return tuple(reply)

    @contextmanager
    def _watched(
        self, process: subprocess.Popen[bytes], cancelled: threading.Event, seconds: float
    ) -> Iterator[Any]:  # fmt: skip
        """Asks the process to stop when the caller cancels or the time is up; kills it when it does not."""
        self.outvoted.clear()
        self.since = time.monotonic()
        first: list[float] = []

        def stop() -> None:
            now = time.monotonic()
            if not first:
                first.append(now)
                with suppress(OSError, ValueError):
                    assert process.stdin
                    program.write(process.stdin, ("interrupt",))
            elif now - first[0] > GRACE:
                process.kill()

        with program.guarded(stop, _Either(cancelled, self.outvoted), seconds) as reason:
            yield lambda: TookTooLong(FAIR) if self.outvoted.is_set() and not cancelled.is_set() else reason()


class _Either(threading.Event):
    """Set when one of two is."""

    def __init__(self, *events: threading.Event) -> None:
        super().__init__()
        self._events = events

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)


class Boxes:
    """All boxed processes of this one. At most `AT_ONCE` run; while others wait, who has run longest gives way."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._idle: list[Box] = []
        self._busy: list[Box] = []

    def run(self, request: Request, *, cancelled: threading.Event, seconds: float) -> Rows:
        """Run a statement in one of them. Raises Interrupted, TookTooLong, TooBig, Failed."""
        taken = self._take(request.path, cancelled)
        try:
            return taken.run(request, cancelled, seconds)
        except OSError as error:
            raise EngineLost(f"No process could be started for the query: {error.strerror}.") from error
        finally:
            self._give(taken)

    def let_go(self, path: str | None) -> None:
        """Close the file, or what was loaded without one, in every process that has it open and does nothing."""
        with self._changed:
            for each in self._idle:
                if each.path == path:
                    each.let_go()

    def close(self) -> None:
        """End all processes; those that run are killed."""
        with self._changed:
            for each in (*self._idle, *self._busy):
                each.end()
            self._idle.clear()

    def _take(self, path: str | None, cancelled: threading.Event) -> Box:
        with self._changed:
            while len(self._busy) >= AT_ONCE:
                self._changed.wait(POLL * 5)
                if cancelled.is_set():
                    raise Interrupted
                self._outvote()
            # One that has the file open is fastest.
            found = next((each for each in self._idle if each.path == path), None)
            found = found or (self._idle[-1] if self._idle else Box())
            if found in self._idle:
                self._idle.remove(found)
            found.since = time.monotonic()
            self._busy.append(found)
            return found

    def _outvote(self) -> None:
        longest = min(self._busy, key=lambda each: each.since, default=None)
        if longest and len(self._busy) >= AT_ONCE and time.monotonic() - longest.since > FAIR:
            longest.outvoted.set()

    def _give(self, taken: Box) -> None:
        with self._changed:
            self._busy.remove(taken)
            keep = taken.process is not None and taken.weight < WARM_MEMORY and len(self._idle) < WARM
            if keep:
                self._idle.append(taken)
            self._changed.notify_all()
        if not keep:
            taken.end()


BOXES = Boxes()
atexit.register(BOXES.close)
