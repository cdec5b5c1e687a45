"""Long computations through real tools: waited for, reported, stopped when nobody waits any more."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio
import pytest

from insights_mcp.scopes import Scopes
from tests.asking import assistant
from tests.loopback import SESSION_ONLY, Loopback, Reply, error, insight, ok, status

pytestmark = pytest.mark.anyio

SQL = {"kind": "HogQLQuery", "query": "select 1"}
QUERY = "/api/projects/1/query/"
ONE = QUERY + "[^/]+/"
ANSWER = {"results": [["a", 1]], "columns": ["event", "n"], "hasMore": False, "is_cached": False}
RUNNING = ok({"query_status": status("q-1", query_progress={"rows_read": 5000, "estimated_rows_total": 9000})}, 202)
DONE = ok({"query_status": status("q-1", complete=True, results=ANSWER)})
BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])


@BOTH
async def test_a_query_is_waited_for(mode: str, posthog: Loopback) -> None:
    """Started asynchronously, asked until done, answered as if it had been quick."""
    posthog.on("POST", QUERY, RUNNING)
    posthog.on("GET", ONE, RUNNING, RUNNING, DONE)
    async with assistant(posthog, mode=mode) as user:
        told = await user.call("run_query", query=SQL)
    assert [["a", 1]] == told.structured["rows"], told.text


async def test_a_query_that_is_done_at_once(posthog: Loopback) -> None:
    """Is in the state that came first; nobody asks again."""
    posthog.on("POST", QUERY, DONE)
    async with assistant(posthog) as user:
        told = await user.call("run_query", query=SQL)
    assert ([["a", 1]], []) == (told.structured["rows"], posthog.calls("GET", "query/")), told.text


async def test_an_insight_that_is_done_at_once(posthog: Loopback) -> None:
    """Is read once more, whole."""
    done = status("cache_1_5f2c", complete=True, results={"results": []})
    posthog.on_insights("GET", "12/", ok(insight(result=None, query_status=done)), ok(insight()))
    async with assistant(posthog) as user:
        assert not (await user.call("get_insight", id=12)).failed
    assert ["async", "force_cache"] == [r.query["refresh"][0] for r in posthog.calls("GET", "insights/12")]


async def test_a_computing_call_has_an_id_of_its_own(posthog: Loopback) -> None:
    """By which it can be stopped; another for every call."""
    posthog.on("POST", QUERY, ok(ANSWER))
    async with assistant(posthog) as user:
        for _ in range(2):
            await user.call("run_query", query=SQL)
    ids = [r.json["client_query_id"] for r in posthog.calls("POST")]
    assert (2, ["async", "async"]) == (len(set(ids)), [r.json["refresh"] for r in posthog.calls("POST")])


@BOTH
async def test_progress_is_reported(mode: str, posthog: Loopback) -> None:
    """To whoever asked for it."""
    posthog.on("POST", QUERY, RUNNING)
    posthog.on("GET", ONE, RUNNING, RUNNING, DONE)
    heard: list[str | None] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message)

    async with assistant(posthog, mode=mode) as user:
        await user.mcp.call_tool("run_query", {"query": SQL}, progress_callback=listen)
        await asyncio.sleep(0.1)
    assert ["5,000 rows read of about 9,000"] * 2 == heard


async def stopped(posthog: Loopback, tool: str, mode: str, **arguments: Any) -> list[str]:
    """Cancel a call in the middle, as a user does: the raw paths of what was then asked to stop."""
    async with assistant(posthog, mode=mode) as user:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(user.mcp.call_tool, tool, arguments)
            await anyio.to_thread.run_sync(seen, posthog, "GET")
            tasks.cancel_scope.cancel()
        await anyio.to_thread.run_sync(seen, posthog, "DELETE")
    return [r.path for r in posthog.calls("DELETE")]


def seen(posthog: Loopback, method: str) -> None:
    """Wait until a query was asked about so."""
    until = time.monotonic() + 5
    while not posthog.calls(method, "/query/") and time.monotonic() < until:
        time.sleep(0.02)


@BOTH
async def test_cancelling_a_call_stops_its_query(mode: str, posthog: Loopback) -> None:
    """By the id PostHog knows it by."""
    posthog.on("POST", QUERY, RUNNING)
    posthog.on("GET", ONE, RUNNING)
    posthog.on("DELETE", ONE, ok({"message": "Cancelled query on clickhouse"}))
    assert [QUERY + "q-1/"] == await stopped(posthog, "run_query", mode, query=SQL)


@BOTH
async def test_cancelling_get_insight_stops_its_job(mode: str, posthog: Loopback) -> None:
    """An insight's job has another id than the one we sent."""
    posthog.on_insights("GET", "12/", ok(insight(result=None, query_status=status("cache_1_5f2c"))))
    posthog.on("GET", ONE, ok({"query_status": status("cache_1_5f2c")}, 202))
    posthog.on("DELETE", ONE, Reply(status=204))
    assert [QUERY + "cache_1_5f2c/"] == await stopped(posthog, "get_insight", mode, id=12)


async def test_an_insight_is_waited_for(posthog: Loopback) -> None:
    """Its result is fetched when the job is done."""
    waiting = ok(insight(result=None, query_status=status()))
    posthog.on_insights("GET", "12/", waiting, ok(insight()))
    posthog.on("GET", ONE, RUNNING, DONE)
    async with assistant(posthog) as user:
        assert 3 == len((await user.call("get_insight", id=12)).structured["rows"])
    assert ["async", "force_cache"] == [r.query["refresh"][0] for r in posthog.calls("GET", "insights/12")]


async def test_an_insight_is_waited_for_without_query_scope(posthog: Loopback) -> None:
    """By looking at the insight itself."""
    waiting = ok(insight(result=None, query_status=status()))
    posthog.on_insights("GET", "12/", waiting, waiting, waiting, ok(insight()))
    async with assistant(posthog, scopes=Scopes(["insight:read"])) as user:
        assert 3 == len((await user.call("get_insight", id=12)).structured["rows"])
    assert [] == posthog.calls("GET", "/query/")


async def test_a_version_without_async_is_asked_to_block(posthog: Loopback) -> None:
    """It took the unknown word for force_cache."""
    posthog.on_insights("GET", "12/", ok(insight(result=None)), ok(insight()))
    async with assistant(posthog) as user:
        assert 3 == len((await user.call("get_insight", id=12)).structured["rows"])
    assert ["async", "blocking"] == [r.query["refresh"][0] for r in posthog.calls("GET", "insights/12")]


async def test_a_job_that_is_forgotten_has_left_its_result(posthog: Loopback) -> None:
    """404 of the status is no failure: the cache has it."""
    posthog.on_insights("GET", "12/", ok(insight(result=None, query_status=status())), ok(insight()))
    async with assistant(posthog) as user:
        assert not (await user.call("get_insight", id=12)).failed


async def test_patience_ends_with_the_id(posthog: Loopback) -> None:
    """The query goes on; how to wait on or stop it is said."""
    posthog.on("POST", QUERY, RUNNING)
    posthog.on("GET", ONE, RUNNING)
    async with assistant(posthog) as user:
        told = await user.call("run_query", query=SQL, wait=1)
    assert (True, True) == ("still running" in told.text, "cancel_query(query_id='q-1')" in told.text)


FAILED = {
    "in the insight": insight(result=None, query_status=status(error=True, error_message="Unknown field foo")),
    "without a reason": insight(result=None, query_status=status(error=True)),
}


@pytest.mark.parametrize("name", FAILED)
async def test_an_error_inside_a_200_is_told(name: str, posthog: Loopback) -> None:
    """`complete` stays false: nobody waits for it."""
    posthog.on_insights("GET", "12/", ok(FAILED[name]))
    async with assistant(posthog) as user:
        told = await user.call("get_insight", id=12)
    assert (True, True) == (told.failed, "The query failed" in told.text)
    assert 1 == len(posthog.calls(part="insights/12/"))


@pytest.mark.parametrize("code", [400, 500])
async def test_a_failed_job_is_told(code: int, posthog: Loopback) -> None:
    """Its status comes with an error code and another body than errors have; it is not asked again."""
    posthog.on("POST", QUERY, RUNNING)
    posthog.on("GET", ONE, ok({"query_status": status("q-1", error=True, error_message="No such table")}, code))
    async with assistant(posthog) as user:
        told = await user.call("run_query", query=SQL)
    assert (True, True, 1) == (told.failed, "No such table" in told.text, len(posthog.calls("GET")))


async def test_the_concurrency_limit_is_told(posthog: Loopback) -> None:
    """Both as 429 without Retry-After, and inside a 200."""
    limit = "Exceeded maximum concurrency limit: 3 for key: api:query:per-org:x and task: y"
    posthog.on("POST", QUERY, error(429, limit, "throttled", "throttled_error"))
    crowded = status(error=True, error_message="concurrency_limit_exceeded")
    posthog.on_insights("GET", "12/", ok(insight(result=None, query_status=crowded)))
    async with assistant(posthog) as user:
        query = await user.call("run_query", query=SQL)
        saved = await user.call("get_insight", id=12)
    assert (True, True) == ("concurrency limit" in query.text, "too many queries" in saved.text)


@pytest.mark.parametrize("results", [[1, 2], "text", {"columns": "none"}, {"query_status": 3}])
async def test_a_result_of_unknown_shape_is_told(results: Any, posthog: Loopback) -> None:
    """Readably."""
    posthog.on("POST", QUERY, ok({"query_status": status("q-1", complete=True, results=results)}))
    posthog.on("POST", QUERY, RUNNING)
    posthog.on("GET", ONE, ok({"query_status": status("q-1", complete=True, results=results)}))
    async with assistant(posthog) as user:
        told = await user.call("run_query", query=SQL)
    assert (True, False) == (told.failed, "made a mistake" in told.text)


@pytest.mark.parametrize("reply", [{}, {"results": None, "columns": ["n"]}, {"type": "server_error", "detail": "x"}])
async def test_a_reply_without_results_is_no_empty_result(reply: Any, posthog: Loopback) -> None:
    """Nothing was counted, and so nothing is 0."""
    posthog.on("POST", QUERY, ok(reply))
    async with assistant(posthog) as user:
        told = await user.call("run_query", query=SQL)
    assert (True, True) == (told.failed, told.text.startswith("The reply to the query holds no results."))


async def test_an_error_in_the_reply_is_told(posthog: Loopback) -> None:
    """`error` beside `results`."""
    posthog.on("POST", QUERY, ok({"results": None, "error": "Syntax error at 7"}))
    async with assistant(posthog) as user:
        assert "Syntax error at 7" in (await user.call("run_query", query=SQL)).text


@pytest.mark.parametrize(
    ("delete", "cancel", "said"),
    [
        (ok({"message": "Query already complete"}), SESSION_ONLY, "(DELETE query)"),
        (Reply(status=204), SESSION_ONLY, "(DELETE query)"),
        (error(500, "x"), Reply(status=201), "(insights/cancel)"),
        (error(500, "x"), SESSION_ONLY, "it refused"),
    ],
)
async def test_cancel_query_says_how(delete: Reply, cancel: Reply, said: str, posthog: Loopback) -> None:
    """By DELETE, else by the endpoint for sessions; or that neither worked."""
    posthog.on("DELETE", ONE, delete)
    posthog.on_insights("POST", "cancel/", cancel)
    async with assistant(posthog) as user:
        assert said in (await user.call("cancel_query", query_id="mcp-12345678")).text
