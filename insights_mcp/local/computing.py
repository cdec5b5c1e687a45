"""Computing a query, or not: what is kept is served, what is missing is run in a thread, now or as a job.

Mirrors the `refresh` parameter of insights and of query. How many run at once is up to the event store.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import anyio
import orjson

from insights_mcp.local import actions, cohorts, queries
from insights_mcp.local.account import project_row
from insights_mcp.local.alarms import check_alerts
from insights_mcp.local.calls import encoded
from insights_mcp.local.errors import Problem, invalid, parse_error, unavailable
from insights_mcp.local.events import StoreError
from insights_mcp.local.jobs import Job, Jobs
from insights_mcp.local.results import FORCED, STALE_AFTER, Kept, Outcome, Results, Step, key_of, step_for, target_age
from insights_mcp.local.store import Store, iso, stamp
from insights_mcp.schema.insight import Refresh
from insights_mcp.schema.query import source_of

if TYPE_CHECKING:
    from insights_mcp.local.backend import Backend

log = logging.getLogger(__name__)

THREADS = 32
# So many seconds a job is waited for before the caller is told to ask again.
MOMENT = 0.5
CANCELLED = "Query was cancelled."
SETTINGS = ("week_start_day", "test_account_filters", "path_cleaning_filters", "aggregate_users_by_distinct_id")
DEFINED = "select max(updated_at) from (select updated_at from actions union all select updated_at from cohorts)"
Source = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """The project as the engine needs it; `version` changes with what its queries mean."""

    project: queries.Project
    version: str


@dataclass(frozen=True)
class Ask:
    """Who asks: `query_id` is the client's name for the query, `job_id` an asynchronous one's (else the cache key).

    `watched`: the result is the insight's own, so that its alerts are held against it.
    """

    gone: Callable[[], Awaitable[None]] = field(repr=False)
    query_id: str | None = None
    job_id: str | None = None
    insight_id: int | None = None
    watched: bool = False


class Computing:
    """Runs the queries of one project folder."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="query")
        self._results = Results(backend.store)
        self.jobs = Jobs()

    async def answer(self, query: Mapping[str, Any], refresh: Refresh, ask: Ask) -> Outcome:
        """What a caller gets of a query. Problems: 400 for what the query does wrong, 503 when events are locked."""
        source, project = source_of(dict(query)), self._settings().project
        key = key_of(source, project.timezone, project.id)
        interval, now = queries.interval_of(source), self._backend.clock()
        kept = None if refresh in FORCED else self._results.load(key, source, interval, now, self._version())
        step = step_for(refresh, kept)
        if step is Step.COMPUTE:
            return await self._compute(source, key, ask)
        if step is Step.SERVE:
            return self._served(key, kept, self.jobs.unfinished(key))
        job = self._enqueue(source, key, ask)
        await self._given_a_moment(job, ask)
        if step is Step.STATUS:
            return Outcome(status=job.status(), rest={"timezone": project.timezone})
        return self._served(key, kept, job, {"timezone": project.timezone})

    async def answer_or_failure(self, query: Mapping[str, Any], refresh: Refresh, ask: Ask) -> Outcome:
        """The same for a saved insight: a computation that breaks is told inside the answer, in `query_status`."""
        try:
            return await self.answer(query, refresh, ask)
        except Problem:
            raise
        except queries.QueryCancelled:
            return _failed(ask, CANCELLED, self._backend)
        except queries.SchemaError as error:
            return _failed(ask, error.detail, self._backend)
        except Exception as error:
            log.exception("The query of insight %s broke", ask.insight_id)
            return _failed(ask, str(error), self._backend)

    def cancel(self, prefix: str) -> bool:
        """Stop the running queries whose client id begins so."""
        return self.jobs.cancel(prefix)

    def close(self) -> None:
        """Stop what runs and wait for it."""
        self.jobs.cancel_all()
        self._threads.shutdown(cancel_futures=True)
        self._results.close()

    def _settings(self) -> Settings:
        return self._backend.store.remembered(settings_in)

    def _served(self, key: str, kept: Kept | None, job: Job | None, rest: Mapping[str, Any] | None = None) -> Outcome:
        outcome = kept.outcome if kept else Outcome(key, rest=rest or {})
        return replace(outcome, status=job.status()) if job else outcome

    async def _compute(self, source: Source, key: str, ask: Ask) -> Outcome:
        cancelled = threading.Event()
        with self.jobs.running(ask.query_id, cancelled):
            loop = asyncio.get_running_loop()
            run = loop.run_in_executor(self._threads, self._run, source, key, ask, cancelled)
            # Whoever went away never asks for the outcome; asking here keeps the loop from complaining.
            run.add_done_callback(lambda done: done.cancelled() or done.exception())
            watch = asyncio.ensure_future(ask.gone())
            try:
                either: list[asyncio.Future[Any]] = [run, watch]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                return run.result() if run.done() else _nobody_left()
            except (queries.QueryError, StoreError) as error:
                raise _problem(error) from None
            finally:
                watch.cancel()
                cancelled.set()

    def _enqueue(self, source: Source, key: str, ask: Ask) -> Job:
        job_id = ask.job_id or key
        if job := self.jobs.unfinished(job_id):
            return job
        job = Job(job_id, self._backend.project_id, ask.insight_id, self._backend.clock())
        self.jobs.add(job)
        job.work = self._threads.submit(self._work, job, source, key, ask)
        return job

    async def _given_a_moment(self, job: Job, ask: Ask) -> None:
        """Most queries end in a moment. Then the first reply tells so, and nobody has to ask again."""
        if job.work:
            with self.jobs.running(ask.query_id, job.cancelled), anyio.move_on_after(MOMENT):
                await _ended(job.work)

    def _work(self, job: Job, source: Source, key: str, ask: Ask) -> None:
        job.pickup = self._backend.clock()
        try:
            self.jobs.answered(job, encoded(response(self._run(source, key, ask, job.cancelled))))
        except Exception as error:
            job.error, job.error_message = True, _safe_message(error)
            if job.error_message is None:
                log.exception("Job %s broke", job.id)
        job.end = self._backend.clock()

    def _run(self, source: Source, key: str, ask: Ask, cancelled: threading.Event) -> Outcome:
        """Compute, keep, and look whether an alert goes off. Blocks; runs in a thread."""
        if cancelled.is_set():
            raise queries.QueryCancelled
        backend, project, now = self._backend, self._settings().project, self._backend.clock()
        version = self._version()
        body = queries.run(source, events=backend.events, project=project, now=now, cancelled=cancelled)
        results = body.pop("results", None)
        # Parsed back, so that a fresh answer and a kept one are the same.
        rest, last_refresh = orjson.loads(encoded(body)), stamp(now)
        target = target_age(source, queries.interval_of(source), rest, last_refresh, STALE_AFTER)
        outcome = Outcome(key, encoded(results), rest, last_refresh, target)
        self._results.save(outcome, version)
        if ask.watched and ask.insight_id is not None and not backend.store.read_only:
            check_alerts(backend.store, ask.insight_id, rest | {"results": results}, source, now)
        return outcome

    def _version(self) -> str:
        """Changes whenever events are loaded, an action or a cohort is defined anew, or a setting changes."""
        defined = self._settings().version
        try:
            file = self._backend.events_file.stat()
        except OSError:
            return f"-{defined}"
        return f"{file.st_mtime_ns}-{file.st_size}-{defined}"


def settings_in(store: Store) -> Settings:
    """What the folder holds of them."""
    row = project_row(store)
    said = [store.value(DEFINED), *(row[name] for name in SETTINGS)]
    project = queries.Project(
        row["id"],
        row["timezone"],
        row["week_start_day"],
        json.loads(row["test_account_filters"]),
        path_cleaning_filters=json.loads(row["path_cleaning_filters"]),
        aggregate_users_by_distinct_id=bool(row["aggregate_users_by_distinct_id"]),
        actions=actions.defined(store),
        cohorts=cohorts.defined(store),
    )
    return Settings(project, hashlib.sha1(repr(said).encode()).hexdigest())


async def _ended(work: Future[None]) -> None:
    """Waits until it has; who stops waiting does not stop the work."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    def tell(_: Future[None]) -> None:
        with suppress(RuntimeError):  # the loop may be over
            loop.call_soon_threadsafe(end)

    work.add_done_callback(tell)
    await ended


def response(outcome: Outcome) -> dict[str, Any]:
    """An outcome in the form of the query endpoint: `results`, and the parts each kind has."""
    if outcome.results is None:
        return ({"cache_key": outcome.key} if outcome.key else {}) | {"query_status": outcome.status}
    return dict(outcome.rest) | {
        "results": orjson.Fragment(outcome.results),
        "is_cached": outcome.is_cached,
        "last_refresh": iso(outcome.last_refresh),
        "next_allowed_client_refresh": iso(outcome.next_refresh),
        "cache_key": outcome.key,
        "cache_target_age": iso(outcome.target_age),
        "query_status": outcome.status,
        "error": None,
    }


def check_query(query: object, prefix: str = "") -> None:
    """Problem 400 (parse_error) unless `query` is a query that PostHog's schema knows."""
    if not isinstance(query, dict):
        raise parse_error(f"{prefix}1 validation error for QuerySchemaRoot\n  Input should be a valid dictionary")
    try:
        queries.check(query)
    except queries.SchemaError as error:
        raise parse_error(prefix + error.detail) from None


def cancelled_problem() -> Problem:
    """400: somebody stopped the query."""
    return invalid(CANCELLED, code="query_was_cancelled")


def _problem(error: queries.QueryError | StoreError) -> Problem:
    if isinstance(error, StoreError):
        return unavailable(str(error))
    return invalid(error.detail, error.attr, error.code)


def _safe_message(error: Exception) -> str | None:
    """What may be told of an error; None for what nobody foresaw."""
    if isinstance(error, queries.QueryCancelled):
        return CANCELLED
    if isinstance(error, queries.SchemaError):
        return error.detail
    return str(_problem(error).body["detail"]) if isinstance(error, queries.QueryError | StoreError) else None


def _failed(ask: Ask, message: str, backend: Backend) -> Outcome:
    # PostHog leaves `complete` false here: who polls must look at `error` first.
    job = Job(
        ask.query_id or "", backend.project_id, ask.insight_id, backend.clock(), error=True, error_message=message
    )
    return Outcome(status=job.status())


def _nobody_left() -> Outcome:
    raise queries.QueryCancelled
