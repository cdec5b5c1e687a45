"""Queries that are not saved: the answer, the job, the errors."""

from __future__ import annotations

import time
from typing import Any

import pytest

from insights_mcp.local import jobs, queries

from .api import SQL, TREND, Api, Clock, refused
from .test_refresh import Slow, breaks

SELECT = {"kind": "HogQLQuery", "query": "select event, count() from events group by event order by event"}


def finished(api: Api, query_id: str) -> Any:
    """The answer about a job once it has ended."""
    for _ in range(500):
        response = api.get(f"query/{query_id}/")
        if response.status_code != 202:
            return response
        time.sleep(0.01)
    raise AssertionError("the job never ended")


def test_a_query(api: Api) -> None:
    """Is computed even without being asked to; the key is `results`."""
    body = api.post("query/", {"query": SELECT}).json()
    assert body["results"] == [["paid", 2], ["signed_up", 4]]
    told = {name: body[name] for name in ("is_cached", "last_refresh", "query_status", "error")}
    assert told == {"is_cached": False, "last_refresh": "2026-01-10T09:00:00Z", "query_status": None, "error": None}


def test_a_wrapped_query_is_unwrapped(api: Api) -> None:
    """And shares what is kept with the bare one."""
    api.post("query/", {"query": TREND})
    assert True is api.post("query/", {"query": TREND["source"]}).json()["is_cached"]


@pytest.mark.parametrize("refresh", [None, "force_cache", "blocking"])
def test_what_is_missing_is_computed(api: Api, refresh: str | None) -> None:
    """force_cache means blocking here."""
    assert None is not api.post("query/", {"query": TREND, "refresh": refresh}).json()["results"]


def test_a_job(api: Api) -> None:
    """202 with the client's own id; then the whole response."""
    asked = api.post("query/", {"query": SELECT, "refresh": "force_async", "client_query_id": "q-1"})
    status = finished(api, "q-1")
    told = status.json()["query_status"]
    assert (202, {"query_status"}, "q-1") == (asked.status_code, set(asked.json()), asked.json()["query_status"]["id"])
    assert (status.status_code, told["complete"], told["error"]) == (200, True, False)
    assert told["results"]["results"] == [["paid", 2], ["signed_up", 4]]


def test_a_quick_job(api: Api) -> None:
    """Is complete in the first reply: nobody need ask again."""
    status = api.post("query/", {"query": SELECT, "refresh": "force_async"}).json()["query_status"]
    assert (True, [["paid", 2], ["signed_up", 4]]) == (status["complete"], status["results"]["results"])


def test_a_job_that_takes_longer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not complete, and can be asked for."""
    monkeypatch.setattr(queries, "run", Slow())
    status = api.post("query/", {"query": SELECT, "refresh": "async", "client_query_id": "q-1"}).json()["query_status"]
    assert (False, None, 202) == (status["complete"], status["results"], api.get("query/q-1/").status_code)


def test_a_job_over_nothing_kept(api: Api) -> None:
    """async names the cache key too."""
    asked = api.post("query/", {"query": SELECT, "async": True, "client_query_id": "q-1"})
    assert (202, {"query_status", "cache_key"}) == (asked.status_code, set(asked.json()))


def test_a_job_that_fails(api: Api) -> None:
    """400 with the state, not the error object."""
    bad = {"kind": "HogQLQuery", "query": "select nonsense from events"}
    api.post("query/", {"query": bad, "refresh": "force_async", "client_query_id": "q-1"})
    response = finished(api, "q-1")
    status = response.json()["query_status"]
    assert (response.status_code, status["error"], "nonsense" in status["error_message"]) == (400, True, True)


def test_a_job_that_breaks(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 with the state, and no words about the inside."""
    monkeypatch.setattr(queries, "run", breaks)
    api.post("query/", {"query": SELECT, "refresh": "force_async", "client_query_id": "q-1"})
    response = finished(api, "q-1")
    status = response.json()["query_status"]
    assert (response.status_code, status["error"], status["error_message"]) == (500, True, None)


def test_a_state_is_kept_for_twenty_minutes(api: Api, clock: Clock) -> None:
    """Then it is unknown."""
    api.post("query/", {"query": SELECT, "refresh": "force_async", "client_query_id": "q-1"})
    finished(api, "q-1")
    clock.pass_by(minutes=19)
    before = api.get("query/q-1/").status_code
    clock.pass_by(minutes=2)
    assert (before, refused(api.get("query/q-1/"))) == (200, (404, "Query q-1 not found for team 1"))


def test_deleting_a_complete_job(api: Api) -> None:
    """Says that it was, and forgets it."""
    api.post("query/", {"query": SELECT, "refresh": "force_async", "client_query_id": "q-1"})
    finished(api, "q-1")
    assert api.delete("query/q-1/").json() == {"message": "Query already complete"}
    assert api.get("query/q-1/").status_code == 404


def test_deleting_an_unknown_job(api: Api) -> None:
    """No error."""
    assert (
        (response := api.delete("query/nothing/")).status_code,
        response.json(),
    ) == (200, {"message": "Cancelled query on clickhouse"})


def test_only_dequeuing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has its own words."""
    monkeypatch.setattr(queries, "run", Slow())
    api.post("query/", {"query": SELECT, "refresh": "force_async", "client_query_id": "q-1"})
    message = "Only tried to dequeue, not cancelling query on clickhouse"
    assert {"message": message} == api.delete("query/q-1/", dequeue_only="true").json()


def test_cancel_needs_an_id(api: Api) -> None:
    """400 that names the field; with one: 201 and nothing, whatever it matches."""
    missing, unknown = api.post("insights/cancel/", {}), api.post("insights/cancel/", {"client_query_id": "nothing1"})
    assert refused(missing) == (400, "Field is required.")
    assert (missing.json()["attr"], unknown.status_code, unknown.content) == ("client_query_id", 201, b"")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": {}},
        {"query": "x"},
        {"query": {"kind": "Nope"}},
        {"query": None},
        {"query": SELECT, "client_query_id": 1},
    ],
)
def test_no_query(api: Api, body: dict[str, Any]) -> None:
    """400 parse_error in the words of this endpoint."""
    response = api.post("query/", body)
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    assert response.json()["detail"].startswith("JSON parse error - ")


@pytest.mark.parametrize("sql", ["select nonsense from events", "select from", "select * from secrets"])
def test_bad_sql(api: Api, sql: str) -> None:
    """400 validation_error."""
    response = api.post("query/", {"query": {"kind": "HogQLQuery", "query": sql}})
    assert (response.status_code, response.json()["type"]) == (400, "validation_error")


def test_a_kind_that_is_not_supported_yet(api: Api) -> None:
    """400 that says so."""
    query = {"kind": "CalendarHeatmapQuery", "series": []}
    assert api.post("query/", {"query": query}).status_code == 400


def test_filters_laid_over(api: Api) -> None:
    """A shorter range gives fewer days."""
    body = api.post("query/", {"query": TREND, "filters_override": {"date_from": "-2d"}}).json()
    assert len(body["results"][0]["days"]) == 3


def test_saved_sql_has_columns(api: Api) -> None:
    """An insight over SQL tells columns and types."""
    api.insight(query=SQL)
    insight = api.get("insights/1/", refresh="blocking").json()
    assert (insight["columns"], len(insight["types"])) == (["event", "count()"], 2)


def test_finished_jobs_have_limited_room(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest answers go first."""
    monkeypatch.setattr(jobs, "MOST_BYTES", 1000)
    for number in range(4):
        clock.pass_by(seconds=1)
        api.post("query/", {"query": TREND, "refresh": "force_async", "client_query_id": f"q-{number}"})
        finished(api, f"q-{number}")
    assert [api.get(f"query/q-{number}/").status_code for number in range(4)] == [404, 404, 404, 200]
