"""The queries that run now, and the states of the asynchronous ones, which are kept for twenty minutes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from insights_mcp.local.store import iso, stamp

KEPT_FOR = timedelta(minutes=20)
MOST_BYTES = 64_000_000


@dataclass
class Job:
    """An asynchronous query, and its `work`. `response` is its whole answer as JSON once it is complete."""

    id: str
    team_id: int
    insight_id: int | None
    start: datetime
    cancelled: threading.Event = field(default_factory=threading.Event)
    pickup: datetime | None = None
    end: datetime | None = None
    error: bool = False
    error_message: str | None = None
    response: bytes | None = None
    work: Future[None] | None = field(default=None, repr=False)

    @property
    def expiration(self) -> datetime:
        """When its state is forgotten."""
        return (self.end or self.start) + KEPT_FOR

    def status(self) -> dict[str, Any]:
        """The query_status object."""
        return {
            "id": self.id, "team_id": self.team_id, "insight_id": self.insight_id, "dashboard_id": None,
            "query_async": True, "complete": self.end is not None, "error": self.error,
            "error_message": self.error_message, "results": self.response and orjson.Fragment(self.response),
            "start_time": _iso(self.start), "pickup_time": _iso(self.pickup), "end_time": _iso(self.end),
            "expiration_time": _iso(self.expiration) if self.end else None, "task_id": None, "labels": None,
            "query_progress": None,
        }  # fmt: skip


class Jobs:
    """All jobs of this process by id, and the switches by which running queries are stopped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._weight = 0
        self._running: list[tuple[str, threading.Event]] = []

    def add(self, job: Job) -> None:
        """Remember a job, and forget those whose time is over; the oldest go earlier when they take too much room."""
        with self._lock:
            while (oldest := next(iter(self._jobs.values()), None)) and oldest.end and oldest.expiration <= job.start:
                self._forget(oldest.id)
            self._forget(job.id)
            self._jobs[job.id] = job

    def answered(self, job: Job, response: bytes) -> None:
        """Keep its answer, while there is room."""
        with self._lock:
            job.response = response
            if self._jobs.get(job.id) is job:
                self._weight += len(response)
            ended = (each for each in list(self._jobs.values()) if each.end)
            while self._weight > MOST_BYTES and (oldest := next(ended, None)):
                self._forget(oldest.id)

    def get(self, job_id: str, now: datetime) -> Job | None:
        """A job whose state is still kept."""
        job = self._jobs.get(job_id)
        return job if job and not (job.end and job.expiration <= now) else None

    def unfinished(self, job_id: str) -> Job | None:
        """A job that has not ended."""
        job = self._jobs.get(job_id)
        return job if job and job.end is None else None

    def remove(self, job_id: str) -> Job | None:
        """Forget a job."""
        with self._lock:
            return self._forget(job_id)

    def _forget(self, job_id: str) -> Job | None:
        job = self._jobs.pop(job_id, None)
        self._weight -= len((job and job.response) or b"")
        return job

    @contextmanager
    def running(self, query_id: str | None, cancelled: threading.Event) -> Iterator[None]:
        """While inside, `cancel` finds the query by its id."""
        entry = (query_id or "", cancelled)
        with self._lock:
            self._running.append(entry)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(entry)

    def cancel(self, prefix: str) -> bool:
        """Stop every running query whose id begins so: whether there was one."""
        with self._lock:
            found = [cancelled for query_id, cancelled in self._running if query_id and query_id.startswith(prefix)]
        for cancelled in found:
            cancelled.set()
        return bool(found)

    def cancel_all(self) -> None:
        """Stop everything."""
        with self._lock:
            switches = [cancelled for _, cancelled in self._running] + [job.cancelled for job in self._jobs.values()]
        for cancelled in switches:
            cancelled.set()


def _iso(moment: datetime | None) -> str | None:
    return iso(stamp(moment)) if moment else None
