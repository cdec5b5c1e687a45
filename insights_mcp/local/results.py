"""What was computed before, how old it may be, and what each `refresh` mode makes of that.

A result is kept as JSON bytes under the hash of its query. It is stale when PostHog would say so, and also when
the events have been loaded anew since.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import orjson

from insights_mcp.local.calls import encoded
from insights_mcp.local.errors import Problem
from insights_mcp.local.store import Row, Store, moment_of, stamp
from insights_mcp.schema.insight import Refresh
from insights_mcp.schema.query import PRODUCT_ANALYTICS

log = logging.getLogger(__name__)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STALE_AFTER: dict[str | None, timedelta] = {
    "second": 5 * MINUTE, "minute": 5 * MINUTE, "hour": HOUR, "day": 6 * HOUR, "week": DAY, "month": 60 * DAY,
    None: 6 * HOUR,
}  # fmt: skip
LAZILY: dict[str | None, timedelta] = {
    "second": 15 * MINUTE, "minute": 15 * MINUTE, "hour": 2 * HOUR, "day": 12 * HOUR, "week": DAY, "month": 60 * DAY,
    None: 12 * HOUR,
}  # fmt: skip
CLOSED_RANGE_MARGIN = timedelta(seconds=10)
CLIENT_REFRESH = MINUTE

MOST_KEPT = 500
# A result is written after so many seconds, together with those that came meanwhile; sooner when they take much room.
LATER = 1.0
MOST_UNSAVED = 64_000_000
OLDEST = """delete from results where last_refresh <
    (select last_refresh from results order by last_refresh desc limit 1 offset ?)"""
YES = frozenset({"true", "1", "yes", ""})


class Step(Enum):
    """What to do for a caller: SERVE what is kept, COMPUTE and wait, ENQUEUE and serve, or give only the STATUS."""

    SERVE = "serve"
    COMPUTE = "compute"
    ENQUEUE = "enqueue"
    STATUS = "status"


@dataclass(frozen=True)
class Plan:
    """The step of a refresh mode when nothing is kept, when it is fresh, when it is stale."""

    missing: Step
    fresh: Step
    stale: Step


PLANS = {
    Refresh.FORCE_CACHE: Plan(Step.SERVE, Step.SERVE, Step.SERVE),
    Refresh.BLOCKING: Plan(Step.COMPUTE, Step.SERVE, Step.COMPUTE),
    Refresh.ASYNC: Plan(Step.ENQUEUE, Step.SERVE, Step.ENQUEUE),
    Refresh.LAZY_ASYNC: Plan(Step.ENQUEUE, Step.SERVE, Step.ENQUEUE),
    Refresh.ASYNC_EXCEPT_ON_CACHE_MISS: Plan(Step.COMPUTE, Step.SERVE, Step.ENQUEUE),
    Refresh.FORCE_ASYNC: Plan(Step.STATUS, Step.STATUS, Step.STATUS),
    Refresh.FORCE_BLOCKING: Plan(Step.COMPUTE, Step.COMPUTE, Step.COMPUTE),
}


# What is kept makes no difference to these.
FORCED = frozenset(
    mode for mode, plan in PLANS.items() if {plan.missing, plan.fresh, plan.stale} in ({Step.STATUS}, {Step.COMPUTE})
)


@dataclass(frozen=True)
class Outcome:
    """What a caller gets of a query: `results` as JSON bytes, the other parts of the response, and how it came.

    Times are stored stamps. Without results and with a `status` a job is running, or has failed.
    """

    key: str | None = None
    results: bytes | None = None
    rest: Mapping[str, Any] = field(default_factory=dict)
    last_refresh: str | None = None
    target_age: str | None = None
    is_cached: bool = False
    status: dict[str, Any] | None = None

    @property
    def next_refresh(self) -> str | None:
        """When it is sensible to force a refresh, by PostHog's advice."""
        return stamp(moment_of(self.last_refresh) + CLIENT_REFRESH) if self.last_refresh else None


@dataclass(frozen=True)
class Kept:
    """A result of before, and how stale it is: by the usual measure and by the patient one."""

    outcome: Outcome
    stale: bool
    stale_lazily: bool


def refresh_of(value: object) -> Refresh:
    """The mode a `refresh` parameter means. Unknown words mean force_cache, as in PostHog."""
    if value is None or value is False:
        return Refresh.FORCE_CACHE
    word = str(value).lower()
    if word in YES:
        return Refresh.FORCE_BLOCKING
    return Refresh(word) if word in list(Refresh) else Refresh.FORCE_CACHE


def step_for(refresh: Refresh, kept: Kept | None) -> Step:
    """What to do, given the mode and what is kept."""
    plan = PLANS[refresh]
    if kept is None:
        return plan.missing
    stale = kept.stale_lazily if refresh is Refresh.LAZY_ASYNC else kept.stale
    return plan.stale if stale else plan.fresh


def key_of(source: Mapping[str, Any], timezone: str, team: int) -> str:
    """The hash under which a query's result is kept; identical queries share it."""
    canonical = encoded([source, timezone], canonical=True)
    return f"cache_{team}_{hashlib.sha256(canonical).hexdigest()[:32]}"


class Results:
    """What was computed before, the latest few hundred. Known at once, and written to the folder a moment later.

    So nobody waits for the disk. In a folder that lets nothing be written they live as long as the process.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unsaved: dict[str, Row] = {}
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._closing = threading.Event()
        self._writer: threading.Thread | None = None

    def save(self, outcome: Outcome, events: str) -> None:
        """Keep a computed result; `events` names the state of the events it was computed from."""
        row = {
            "key": outcome.key, "results": outcome.results, "rest": encoded(outcome.rest).decode(),
            "last_refresh": outcome.last_refresh, "events_version": events,
        }  # fmt: skip
        with self._lock:
            self._unsaved.pop(str(outcome.key), None)
            self._unsaved[str(outcome.key)] = row
            crowded = _size(self._unsaved) > MOST_UNSAVED
        if not self._store.read_only:
            self._write_soon()
        if crowded:
            self.flush()
        with self._lock:
            _cut(self._unsaved)

    def flush(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            rows = list(self._unsaved.values())
        if not rows or self._store.read_only:
            return
        try:
            self._write(rows)
        except Problem as problem:
            # Only a cache: what cannot be written now is written with the next result, or computed again.
            log.warning("Results are not kept for later: %s", problem.body["detail"])
            return
        with self._lock:
            for row in rows:
                if self._unsaved.get(row["key"]) is row:
                    del self._unsaved[row["key"]]

    def close(self) -> None:
        """Write the last ones."""
        self._closing.set()
        self._due.set()
        if self._writer:
            self._writer.join()
        self.flush()

    def _write_behind(self) -> None:
        while not self._closing.is_set():
            self._due.wait()
            self._closing.wait(LATER)
            self._due.clear()
            self.flush()

    def _write_soon(self) -> None:
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_behind, name="results", daemon=True)
                self._writer.start()
        self._due.set()

    def _write(self, rows: list[Row]) -> None:
        with self._store.transaction():
            for row in rows:
                self._store.change(
                    f"insert or replace into results ({', '.join(row)}) values (?, ?, ?, ?, ?)", *row.values()
                )
            self._store.change(OLDEST, MOST_KEPT - 1)

    def load(
        self, key: str, source: Mapping[str, Any], interval: str | None, now: datetime, events: str
    ) -> Kept | None:
        """What is kept under a key, None when nothing is."""
        row = self._unsaved.get(key) or self._store.row("select * from results where key = ?", key)
        if row is None:
            return None
        rest, refreshed = orjson.loads(row["rest"]), row["last_refresh"]
        usual, patient = (target_age(source, interval, rest, refreshed, ages) for ages in (STALE_AFTER, LAZILY))
        outcome = Outcome(key, row["results"], rest, refreshed, usual, is_cached=True)
        changed, at = row["events_version"] != events, stamp(now)
        return Kept(outcome, changed or _past(usual, at), changed or _past(patient, at))


def _cut(rows: dict[str, Row]) -> None:
    """The oldest make room, but never for the latest."""
    while len(rows) > 1 and (len(rows) > MOST_KEPT or _size(rows) > MOST_UNSAVED):
        del rows[next(iter(rows))]


def _size(rows: dict[str, Row]) -> int:
    return sum(len(row["results"]) for row in rows.values())


def target_age(
    source: Mapping[str, Any],
    interval: str | None,
    rest: Mapping[str, Any],
    last_refresh: str,
    ages: Mapping[str | None, timedelta],
) -> str | None:
    """When a result becomes stale; None for a range that had closed before it was computed."""
    refreshed = moment_of(last_refresh)
    date_to = (rest.get("resolved_date_range") or {}).get("date_to")
    if date_to and _moment(str(date_to)) < refreshed - CLOSED_RANGE_MARGIN:
        return None
    dated = source.get("kind") in PRODUCT_ANALYTICS
    return stamp(refreshed + ages.get(interval if dated else "minute", ages[None]))


def _past(target: str | None, now: str) -> bool:
    return target is not None and target <= now


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment_of(text + "Z")
