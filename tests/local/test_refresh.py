"""Refresh modes: what is served, what is computed, what becomes a job; when a result is stale."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from insights_mcp.local import open_backend, queries, results
from insights_mcp.local.results import refresh_of
from insights_mcp.schema.insight import Refresh

from .api import TREND, TREND_SOURCE, Api, Clock

DECEMBER = {"date_from": "2025-12-01", "date_to": "2025-12-31"}
CLOSED = {"kind": "InsightVizNode", "source": TREND_SOURCE | {"dateRange": DECEMBER}}
BAD_SQL = {"kind": "DataVisualizationNode", "source": {"kind": "HogQLQuery", "query": "select nonsense from events"}}


@pytest.fixture
def saved(api: Api) -> Api:
    """One insight with a query, nothing computed."""
    api.insight(name="one", query=TREND)
    return api


def get(api: Api, refresh: str | None = None, **params: Any) -> dict[str, Any]:
    """Insight 1."""
    response = api.get("insights/1/", **({"refresh": refresh} if refresh is not None else {}), **params)
    assert response.status_code == 200, response.text
    return dict(response.json())


def settled(api: Api) -> dict[str, Any]:
    """Insight 1 once no job is running for it."""
    for _ in range(500):
        insight = get(api)
        if insight["query_status"] is None:
            return insight
        time.sleep(0.01)
    raise AssertionError("the job never ended")


def told(insight: dict[str, Any]) -> tuple[bool, bool, bool]:
    """Whether there is a result, whether it was kept, whether a job runs."""
    return insight["result"] is not None, insight["is_cached"], insight["query_status"] is not None


HOLDING = (False, False, False)
COMPUTED = (True, False, False)
KEPT = (True, True, False)
KEPT_AND_JOB = (True, True, True)
JOB = (False, False, True)


@pytest.mark.parametrize(
    ("refresh", "cold", "fresh", "stale"),
    [
        (None, HOLDING, KEPT, KEPT),
        ("force_cache", HOLDING, KEPT, KEPT),
        ("nonsense", HOLDING, KEPT, KEPT),
        ("false", HOLDING, KEPT, KEPT),
        ("blocking", COMPUTED, KEPT, COMPUTED),
        ("async", JOB, KEPT, KEPT_AND_JOB),
        ("lazy_async", JOB, KEPT, KEPT),
        ("async_except_on_cache_miss", COMPUTED, KEPT, KEPT_AND_JOB),
        ("force_async", JOB, JOB, JOB),
        ("force_blocking", COMPUTED, COMPUTED, COMPUTED),
        ("true", COMPUTED, COMPUTED, COMPUTED),
    ],
)
def test_the_table(saved: Api, clock: Clock, refresh: str | None, cold: Any, fresh: Any, stale: Any) -> None:
    """Nothing kept, kept and fresh, kept and seven hours old."""
    first = told(get(saved, refresh))
    settled(saved)
    get(saved, "blocking")
    second = told(get(saved, refresh))
    settled(saved)
    clock.pass_by(hours=7)
    assert (cold, fresh, stale) == (first, second, told(get(saved, refresh)))


def test_lazy_patience_ends(saved: Api, clock: Clock) -> None:
    """After twelve hours a job is started."""
    get(saved, "blocking")
    clock.pass_by(hours=13)
    assert told(get(saved, "lazy_async")) == KEPT_AND_JOB


def test_the_times(saved: Api) -> None:
    """Computed now, stale after six hours for a daily trend, advice to wait a minute."""
    insight = get(saved, "blocking")
    names = ("last_refresh", "cache_target_age", "next_allowed_client_refresh", "timezone")
    expected = ("2026-01-10T09:00:00Z", "2026-01-10T15:00:00Z", "2026-01-10T09:01:00Z", "UTC")
    assert expected == tuple(insight[name] for name in names)


def test_a_closed_range_never_goes_stale(api: Api, clock: Clock) -> None:
    """What has been, has been."""
    api.insight(query=CLOSED)
    first = get(api, "blocking")
    clock.pass_by(days=400)
    assert (first["cache_target_age"], told(get(api, "blocking"))) == (None, KEPT)


def test_new_events_make_a_result_stale(saved: Api) -> None:
    """Whatever its age."""
    get(saved, "blocking")
    saved.backend.events_file.touch()
    assert told(get(saved, "blocking")) == COMPUTED


def test_kept_and_computed_are_the_same(saved: Api) -> None:
    """But for the word that says so."""
    computed, kept = get(saved, "blocking"), get(saved, "blocking")
    assert computed | {"is_cached": True} == kept


def test_the_result(saved: Api) -> None:
    """Is PostHog's: a list of series."""
    series = get(saved, "blocking")["result"][0]
    assert (series["label"], series["count"], len(series["days"])) == ("signed_up", 4.0, 8)


def test_a_job_of_an_insight(saved: Api) -> None:
    """Its id is the cache key; two askers share it; reading the insight again gets the result."""
    asked = get(saved, "async")
    status = saved.get(f"query/{asked['filters_hash']}/")
    assert asked["filters_hash"] == asked["query_status"]["id"]
    assert status.status_code in (200, 202)
    assert [asked["query_status"]["insight_id"], asked["query_status"]["query_async"]] == [1, True]
    assert told(settled(saved)) == KEPT


def test_refresh_of_a_create(api: Api) -> None:
    """In the query string or in the body."""
    in_query = api.post("insights/?refresh=blocking", {"query": TREND}).json()
    in_body = api.post("insights/", {"query": TREND | {"full": True}, "refresh": True}).json()
    assert [told(in_query), told(in_body)] == [COMPUTED, COMPUTED]


def test_a_bad_query_of_an_insight(api: Api) -> None:
    """400 when computed; read without computing it is there."""
    api.insight(query=BAD_SQL)
    response = api.get("insights/1/", refresh="blocking")
    assert (response.status_code, response.json()["type"]) == (400, "validation_error")
    assert told(get(api)) == HOLDING


def breaks(*args: object, **options: object) -> dict[str, Any]:
    """A query run that ends in what nobody foresaw."""
    raise RuntimeError("the disk is on fire")


def test_a_computation_that_breaks(saved: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 with an error inside; `complete` stays false, as in PostHog."""
    monkeypatch.setattr(queries, "run", breaks)
    status = get(saved, "blocking", client_query_id="mine")["query_status"]
    expected = {"id": "mine", "error": True, "complete": False, "error_message": "the disk is on fire"}
    assert expected == {name: status[name] for name in expected}


class Slow:
    """A query run that lasts until it is cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.stopped = threading.Event()

    def __call__(self, query: object, *, cancelled: threading.Event, **_: object) -> dict[str, Any]:
        self.begun.set()
        if not cancelled.wait(20):
            raise AssertionError("never cancelled")
        self.stopped.set()
        raise queries.QueryCancelled


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """Every query is slow."""
    run = Slow()
    monkeypatch.setattr(queries, "run", run)
    return run


async def _while_running(slow: Slow, work: asyncio.Task[Any], then: Callable[[], Any]) -> Any:
    await asyncio.to_thread(slow.begun.wait, 10)
    stop = then()
    if asyncio.iscoroutine(stop):
        await stop
    return await work


def test_cancel_by_prefix(saved: Api, slow: Slow) -> None:
    """The running query stops, and whoever waits for it is told."""

    async def story() -> Any:
        work = asyncio.ensure_future(
            saved.send("GET", "insights/1/", params={"refresh": "blocking", "client_query_id": "abcdefgh-1"})
        )
        cancel = {"client_query_id": "abcdefgh"}
        return await _while_running(slow, work, lambda: saved.send("POST", "insights/cancel/", json=cancel))

    status = saved.run(story()).json()["query_status"]
    assert (status["error"], status["error_message"]) == (True, "Query was cancelled.")


def test_a_cancelled_call_stops_its_query(saved: Api, slow: Slow) -> None:
    """Whoever goes away takes the query along."""

    async def story() -> None:
        work = asyncio.ensure_future(saved.send("GET", "insights/1/", params={"refresh": "blocking"}))
        with pytest.raises(asyncio.CancelledError):
            await _while_running(slow, work, work.cancel)

    saved.run(story())
    assert slow.stopped.wait(10)


def test_a_disconnected_client_stops_its_query(saved: Api, slow: Slow) -> None:
    """As a server reports it: http.disconnect."""

    async def receive() -> dict[str, Any]:
        if not slow.begun.is_set():
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/api/projects/1/insights/1/",
        "raw_path": b"", "query_string": b"refresh=blocking", "scheme": "http", "server": ("local", 80),
        "headers": [(b"authorization", saved.headers["Authorization"].encode())], "client": None, "root_path": "",
    }  # fmt: skip
    saved.run(saved.backend.app(scope, receive, send))
    assert slow.stopped.wait(10)


def test_a_deleted_job_stops(saved: Api, slow: Slow) -> None:
    """DELETE of its id; afterwards the id is unknown."""
    job = get(saved, "async")["query_status"]["id"]
    assert slow.begun.wait(10)
    assert saved.delete(f"query/{job}/").json() == {"message": "Cancelled query on clickhouse"}
    assert slow.stopped.wait(10)
    assert saved.get(f"query/{job}/").status_code == 404


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", Refresh.FORCE_BLOCKING), (True, Refresh.FORCE_BLOCKING), ("1", Refresh.FORCE_BLOCKING),
     (False, Refresh.FORCE_CACHE), ("no", Refresh.FORCE_CACHE), ("ASYNC", Refresh.ASYNC), (["x"], Refresh.FORCE_CACHE)],
)  # fmt: skip
def test_reading_the_parameter(value: object, expected: Refresh) -> None:
    """Yes means force_blocking, no and unknown words mean force_cache."""
    assert expected is refresh_of(value)


def test_only_the_latest_results_are_kept(saved: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest ones make room."""
    monkeypatch.setattr(results, "MOST_KEPT", 2)
    for days in range(1, 5):
        clock.pass_by(minutes=1)
        source = TREND_SOURCE | {"dateRange": {"date_from": f"-{days}d"}}
        saved.post("query/", {"query": source})
    saved.backend.close()
    with closing(sqlite3.connect(saved.backend.store.path)) as file:
        assert file.execute("select count(*) from results").fetchone() == (2,)


def test_a_result_is_known_before_it_is_written(saved: Api, clock: Clock, runner: asyncio.Runner) -> None:
    """And written when the folder is closed, at the latest."""
    asked = {"query": TREND_SOURCE}
    assert [False, True] == [saved.post("query/", asked).json()["is_cached"] for _ in range(2)]
    saved.backend.close()
    with closing(open_backend(saved.backend.path, clock=clock)) as again:
        assert Api(again, runner, again.owner_key).post("query/", asked).json()["is_cached"]
