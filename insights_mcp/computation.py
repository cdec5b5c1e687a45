"""Seeing a computation through: start it, report progress, wait, and stop it when nobody waits any more.

Works with every key: the state of a query is asked from `/query/:id` where the key may, else from the insight.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import anyio
from pydantic import ValidationError

from insights_mcp.client import Client
from insights_mcp.endpoint import Endpoint
from insights_mcp.endpoints.insights import CancelInsightQuery, GetInsight
from insights_mcp.endpoints.queries import DeleteQuery, GetQuery, RunQuery
from insights_mcp.errors import BadReply, InsightsError, NotFound, QueryFailed
from insights_mcp.schema.insight import Insight, QueryStatus, Refresh
from insights_mcp.schema.query import QueryResponse
from insights_mcp.text import clean

FIRST_PAUSE = 0.005
LONGEST_PAUSE = 2.0
STOP_WITHIN = 5.0

WITHOUT_WAITING = {Refresh.BLOCKING: Refresh.ASYNC, Refresh.FORCE_BLOCKING: Refresh.FORCE_ASYNC}
WAYS_TO_STOP: tuple[tuple[str, type[Endpoint[Any]], str], ...] = (
    ("DELETE query", DeleteQuery, "id"),
    ("insights/cancel", CancelInsightQuery, "client_query_id"),
)
LIMIT_REACHED = "concurrency_limit_exceeded"


async def _silent(progress: float, message: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Watch:
    """How long to wait (seconds), and whom to tell: `report(seconds so far, message)`."""

    patience: float = 120.0
    report: Callable[[float, str], Awaitable[None]] = _silent
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started


class Busy(QueryFailed):
    """PostHog computes no more queries at the moment; nothing is said about this one."""


class StillRunning(QueryFailed):
    """Patience ran out; the query `query_id` goes on."""

    def __init__(self, query_id: str, seconds: float) -> None:
        super().__init__(
            f"The query is still running after {seconds:.0f} seconds.",
            f"Make the same call again to go on waiting, or stop it: cancel_query(query_id={query_id!r}).",
        )
        self.query_id = query_id


def new_query_id() -> str:
    """An id by which a computing call can be followed and stopped."""
    return f"mcp-{uuid4().hex}"


async def run_query(client: Client, call: RunQuery, watch: Watch) -> QueryResponse:
    """The complete answer to a query. QueryFailed when it fails, StillRunning when patience ends."""
    query_id = call.client_query_id or new_query_id()
    started = call.model_copy(update={"refresh": WITHOUT_WAITING.get(call.refresh, call.refresh)})
    async with stopped_when_cancelled(client, query_id) as running:
        reply = await client.send(started.model_copy(update={"client_query_id": query_id}))
        status = reply.query_status
        if status and _running(status):
            running.query_id = status.id or query_id
            reply = _response(await _settled(client, running.query_id, watch))
        elif status and status.results is not None:  # done at once
            reply = _response(status)
    if reply.error:
        raise QueryFailed(f"The query failed: {clean(reply.error)}")
    if reply.outcome is None:
        raise BadReply("The reply to the query holds no results.", "Run it anew (refresh=true), or ask in SQL.")
    return reply


async def get_insight(client: Client, call: GetInsight, watch: Watch) -> Insight:
    """The insight with a result as fresh as `call.refresh` asks. Errors as `run_query`."""
    query_id = new_query_id()
    quick = WITHOUT_WAITING.get(call.refresh, call.refresh)
    async with stopped_when_cancelled(client, query_id) as running:
        insight = await client.send(call.model_copy(update={"refresh": quick, "client_query_id": query_id}))
        status = insight.query_status
        if status and _running(status):
            running.query_id = status.id or query_id  # its own id, not the one we chose
            return await _computed(client, call, running.query_id, watch)
        if status and status.results is not None:  # done at once
            return await client.send(_cached(call))
        if insight.result is None and insight.query is not None and quick != call.refresh:
            # a version that does not know asynchronous refresh took it for force_cache
            insight = await client.send(call.model_copy(update={"client_query_id": query_id}))
    _running(insight.query_status)
    return insight


async def _computed(client: Client, call: GetInsight, query_id: str, watch: Watch) -> Insight:
    if client.may(GetQuery):
        with suppress(NotFound):  # done and forgotten meanwhile: the cache has it
            await _settled(client, query_id, watch)
        return await client.send(_cached(call))
    async for _ in _pauses(watch, query_id):
        insight = await client.send(_cached(call))
        if not _running(insight.query_status):
            return insight
        await watch.report(watch.seconds, "computing")
    raise AssertionError("unreachable")


def _cached(call: GetInsight) -> GetInsight:
    return call.model_copy(update={"refresh": Refresh.FORCE_CACHE, "client_query_id": new_query_id()})


async def _settled(client: Client, query_id: str, watch: Watch) -> QueryStatus:
    async for _ in _pauses(watch, query_id):
        status = (await client.send(GetQuery(id=query_id))).query_status
        if not _running(status):
            return status
        await watch.report(watch.seconds, _progress(status))
    raise AssertionError("unreachable")


async def _pauses(watch: Watch, query_id: str) -> AsyncIterator[None]:
    """Comes back after ever longer pauses until patience ends; over a slow connection less often."""
    pause = FIRST_PAUSE
    while watch.seconds < watch.patience:
        await anyio.sleep(pause)
        asked = time.monotonic()
        yield
        pause = min(max(pause * 1.3, time.monotonic() - asked), LONGEST_PAUSE)
    raise StillRunning(query_id, watch.seconds)


def _response(status: QueryStatus) -> QueryResponse:
    try:
        return QueryResponse.model_validate(status.results or {})
    except ValidationError:
        raise BadReply("The finished query's result has an unknown shape.", "Try again with refresh=true.") from None


def _running(status: QueryStatus | None) -> bool:
    """Whether to go on waiting. QueryFailed when it failed: a failed one may well say `complete: false`."""
    if status is None:
        return False
    if status.error:
        if status.error_message == LIMIT_REACHED:
            raise Busy("PostHog is computing too many queries for this organization.", "Try again in a minute.")
        raise QueryFailed(f"The query failed: {clean(status.error_message or 'PostHog gave no reason.')}")
    return not status.complete


def _progress(status: QueryStatus) -> str:
    counts: dict[str, Any] = status.query_progress or {}
    rows, total = counts.get("rows_read"), counts.get("estimated_rows_total")
    if not isinstance(rows, int) or not rows:
        return "computing"
    return f"{rows:,} rows read" + (f" of about {total:,}" if isinstance(total, int) and total else "")


@dataclass
class Running:
    """The query that is waited for, by the id it is known by now."""

    query_id: str


@asynccontextmanager
async def stopped_when_cancelled(client: Client, query_id: str) -> AsyncIterator[Running]:
    """When the caller goes away, so does the query."""
    running = Running(query_id)
    try:
        yield running
    except anyio.get_cancelled_exc_class():
        with anyio.move_on_after(STOP_WITHIN, shield=True):
            await stop(client, running.query_id)
        raise


async def stop(client: Client, query_id: str) -> str:
    """Stop a query by the way the key may use; says which. '' when the key may use none."""
    for name, endpoint, argument in WAYS_TO_STOP:
        if client.may(endpoint):
            with suppress(InsightsError, ValidationError):  # one way takes no short ids
                await client.send(endpoint(**{argument: query_id}))
                return name
    return ""
