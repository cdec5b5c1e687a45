"""Saving with care: what does not compute is not saved, what others changed is not overwritten, all can be undone."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from insights_mcp.local import Backend, open_backend
from insights_mcp.words import changes
from tests.asking import Told, assistant
from tests.local.api import PROJECT, Clock
from tests.loopback import Loopback, error, insight, ok, status
from tests.notebook import NOW, Counting, notebook, reader

pytestmark = pytest.mark.anyio

WRITES = ("POST /api/projects/1/insights/", "PATCH")
ALL_BUT_QUERY = ("insight:write", "activity_log:read", "project:read", "dashboard:read")


def trend(event: str = "signed up", **more: Any) -> dict[str, Any]:
    """A trend of one event."""
    return {
        "kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": event}], "dateRange": {"date_from": "-30d"},
    } | more  # fmt: skip


FUNNEL = {
    "kind": "FunnelsQuery",
    "series": [{"kind": "EventsNode", "event": event} for event in ("signed up", "note saved")],
    "dateRange": {"date_from": "-30d"},
}
RETENTION = {"kind": "RetentionQuery", "retentionFilter": {"targetEntity": {"id": "signed up", "type": "events"}}}
BROKEN = {"kind": "HogQLQuery", "query": "select no_such_function(event) from events"}


@pytest.fixture(scope="module")
def clock() -> Clock:
    """Stands at the end of the data."""
    clock = Clock()
    clock.now = NOW
    return clock


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Backend]:
    """A small product's project."""
    backend = open_backend(notebook(tmp_path_factory.mktemp("editing")), clock=clock)
    yield backend
    backend.close()


async def sent(backend: Backend, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """A request of somebody else."""
    way = httpx2.ASGITransport(app=backend.app)
    headers = {"Authorization": f"Bearer {backend.owner_key}"}
    async with httpx2.AsyncClient(transport=way, base_url="http://local", headers=headers) as client:
        return dict((await client.request(method, PROJECT + path, json=body)).json())


async def saved(backend: Backend, **given: Any) -> dict[str, Any]:
    """An insight that is there already."""
    return await sent(backend, "POST", "insights/", {"name": "Sign-ups", "query": trend()} | given)


async def read(backend: Backend, number: int) -> dict[str, Any]:
    """The insight as it is now."""
    return await sent(backend, "GET", f"insights/{number}/")


async def tell(
    backend: Backend, tool: str, *, scopes: tuple[str, ...] = (), **arguments: Any
) -> tuple[Told, list[str]]:
    """The answer of a tool, and the writes that were sent for it."""
    async with reader(backend, *scopes) as (user, transport):
        told = await user.call(tool, **arguments)
    return told, [sent for sent in transport.sent if sent.startswith(WRITES) and "query" not in sent]


def arguments_of(undo: str) -> dict[str, Any]:
    """The arguments in `Undo: tool(name=value, …)`."""
    call = ast.parse(undo.removeprefix("Undo: ").removesuffix("."), mode="eval").body
    assert isinstance(call, ast.Call)
    return {str(k.arg): json.loads(ast.unparse(k.value).replace("'", '"')) for k in call.keywords}


# create


async def test_a_dry_run_saves_nothing(backend: Backend) -> None:
    """It says in words what would be, with its first numbers and what is doubtful."""
    told, writes = await tell(backend, "create_insight", query=trend(), name="Last 7 days", dry_run=True)
    assert (False, []) == (told.failed, writes)
    assert 'Nothing was saved. "Last 7 days" would be: Count of "signed up" per day, last 30 days.' in told.text
    assert 'The name says "Last 7 days", the query covers last 30 days.' in told.structured["notes"]
    assert "total 12" in told.text


async def test_what_is_created_shows_its_first_numbers(backend: Backend) -> None:
    """The query was run before."""
    told, writes = await tell(backend, "create_insight", query=FUNNEL, name="Notes")
    assert (False, 1) == (told.failed, len(writes))
    assert "12 of 12 people converted" in told.text
    assert 'How many people go "signed up" → "note saved"' in told.structured["answer"]


async def test_rows_are_first_numbers_too(backend: Backend) -> None:
    """SQL has no digest if it has one row: the table tells it."""
    query = {"kind": "HogQLQuery", "query": "select count() as n, 7 as m from events where event = 'signed up'"}
    told, _ = await tell(backend, "create_insight", query=query, name="All", dry_run=True)
    assert (["n", "m"], [[12, 7]]) == (told.structured["columns"], told.structured["rows"])


async def test_what_is_created_says_how_to_see_the_rest(backend: Backend) -> None:
    """By the insight, when it is saved; by its query, when nothing is."""
    query = {"kind": "HogQLQuery", "query": "select number from numbers(400)"}
    told, _ = await tell(backend, "create_insight", query=query, name="Many", max_tokens=800)
    assert f"get_insight(id='{told.structured['short_id']}', offset=0)" in told.text
    told, _ = await tell(backend, "create_insight", query=query, name="Many", dry_run=True)
    assert "run_query(query=…, offset=0)" in told.text


async def test_what_does_not_compute_is_not_created(backend: Backend) -> None:
    """It says why, and what to do."""
    told, writes = await tell(backend, "create_insight", query=BROKEN, name="Broken")
    assert (True, []) == (told.failed, writes)
    assert "Nothing was saved: the query does not compute." in told.text
    assert "no_such_function" in told.text


async def test_a_key_that_may_not_query_tries_what_it_saved(backend: Backend) -> None:
    """The failure names the insight, and how to correct or delete it."""
    told, writes = await tell(backend, "create_insight", scopes=ALL_BUT_QUERY, query=BROKEN, name="Broken")
    assert 1 == len(writes)
    assert "But its query does not compute." in told.structured["answer"]
    number = told.structured["id"]
    assert f"update_insight(id='{number}', query=…), or delete_insight(id='{number}')" in told.text
    told, _ = await tell(backend, "create_insight", scopes=ALL_BUT_QUERY, query=trend(), name="Fine")
    assert "total 12" in told.text


@pytest.mark.parametrize("trouble", [error(500, "x"), error(429, "x"), error(503, "x")])
async def test_a_bad_moment_does_not_stop_a_save(trouble: Any, posthog: Loopback) -> None:
    """The query is not to blame; the answer says that it was not tried."""
    posthog.on("POST", r"/api/projects/\d+/query/", trouble)
    posthog.on_insights("POST", "", ok(insight(), 201))
    async with assistant(posthog) as user:
        told = await user.call("create_insight", query=trend(), name="x")
    assert (False, True) == (told.failed, "could not be tried now" in told.text)
    assert 1 == len(posthog.calls("POST", "/insights/"))


async def test_a_slow_query_is_saved_with_patience(posthog: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the insight is saved, and the answer says that its numbers are not known."""
    monkeypatch.setattr("insights_mcp.tools.verifying.PATIENCE", 0.05)
    running = ok({"query_status": status("q", complete=False)})
    posthog.on("POST", r"/api/projects/\d+/query/", running)
    posthog.on("GET", r"/api/projects/\d+/query/.*", running)
    posthog.on_insights("POST", "", ok(insight(), 201))
    async with assistant(posthog) as user:
        told = await user.call("create_insight", query=trend(), name="x")
    assert (False, True) == (told.failed, "get_insight waits for them" in told.text)


# update


async def test_a_dry_update_sends_nothing(backend: Backend) -> None:
    """It says the change in words."""
    one = await saved(backend)
    query = trend(dateRange={"date_from": "-90d"}, breakdownFilter={"breakdown": "plan", "breakdown_type": "person"})
    told, writes = await tell(backend, "update_insight", id=one["id"], query=query, add_tags=["Growth"], dry_run=True)
    assert (False, []) == (told.failed, writes)
    said = 'would change: window 30 d → 90 d; breakdown + plan (person); tag + "growth".'
    assert said in told.structured["answer"]
    assert "query" not in told.structured


async def test_an_update_that_does_not_compute_is_not_sent(backend: Backend) -> None:
    """The insight stays as it was."""
    one = await saved(backend)
    told, writes = await tell(backend, "update_insight", id=one["id"], query=BROKEN)
    assert (True, [], one["query"]) == (told.failed, writes, (await read(backend, one["id"]))["query"])


async def test_the_same_query_in_another_form_changes_nothing(backend: Backend) -> None:
    """Wrapped, with defaults spelled out: it asks the same."""
    one = await saved(backend)
    query = {"kind": "InsightVizNode", "source": trend(interval="day", filterTestAccounts=False)}
    told, writes = await tell(backend, "update_insight", id=one["id"], query=query)
    assert ([], True) == (writes, "nothing was changed" in told.text)


UPDATES: dict[str, dict[str, Any]] = {
    "words": {"name": 'Say "so"', "description": "New words."},
    "tags": {"add_tags": ["b", "c"], "remove_tags": ["a"], "favorited": True},
    "a query": {"query": FUNNEL, "name": "Funnel"},
    "a long query": {"query": trend(), "name": "n" * 390},
}
LONG = trend(properties=[{"key": "plan", "type": "person", "operator": "is_not", "value": "x" * n} for n in range(9)])


@pytest.mark.parametrize("change", UPDATES)
async def test_an_update_says_how_to_undo_it(change: str, backend: Backend) -> None:
    """The call brings back what was there."""
    one = await saved(backend, tags=["a"], query=LONG if change == "a long query" else trend())
    arguments = UPDATES[change] | ({"query": UPDATES[change]["query"]} if "query" in UPDATES[change] else {})
    told, writes = await tell(backend, "update_insight", id=one["id"], **arguments)
    assert (False, 1) == (told.failed, len(writes)), told.text
    given = told.structured.get("undo") or arguments_of(told.structured["next"][0])
    assert ("undo" in told.structured) == (change == "a long query")
    undone, _ = await tell(backend, "update_insight", **given)
    after = await read(backend, one["id"])
    assert (False, []) == (undone.failed, changes(one["query"], after["query"]))
    kept = ("name", "tags", "favorited")
    assert [one[field] for field in kept] == [after[field] for field in kept]
    assert (one["description"] or "") == (after["description"] or "")


async def test_alerts_are_not_lost_in_silence(backend: Backend) -> None:
    """Before the change it is said that another kind of query deletes them."""
    one = await saved(backend)
    alert = {
        "name": "few", "insight": one["id"], "subscribed_users": [1], "calculation_interval": "daily",
        "config": {"type": "TrendsAlertConfig", "series_index": 0}, "condition": {"type": "absolute_value"},
        "threshold": {"configuration": {"type": "absolute", "bounds": {"lower": 1}}},
    }  # fmt: skip
    await sent(backend, "POST", "alerts/", alert)
    told, _ = await tell(backend, "update_insight", id=one["id"], query=RETENTION, dry_run=True)
    assert "PostHog deletes the insight's 1 alert for good" in told.text
    told, _ = await tell(backend, "update_insight", id=one["id"], query=FUNNEL, dry_run=True)
    assert "1 alert on it will watch the new query's values" in told.text


async def test_a_name_is_checked_against_the_query_it_gets(backend: Backend) -> None:
    """Also when only one of the two is new."""
    one = await saved(backend)
    told, _ = await tell(backend, "update_insight", id=one["id"], name="Sign-ups, last 7 days", dry_run=True)
    assert "the query covers last 30 days" in told.text


# conditional


async def test_what_others_changed_is_not_overwritten(backend: Backend, clock: Clock) -> None:
    """Who, when and what is told; nothing is sent. PostHog's last_modified_at would not show a new query."""
    one = await saved(backend)
    told, _ = await tell(backend, "get_insight", id=one["id"])
    read_at = told.structured["modified"]
    clock.pass_by(minutes=5)
    await sent(backend, "PATCH", f"insights/{one['id']}/", {"query": trend(dateRange={"date_from": "-90d"})})
    change = {"id": one["id"], "favorited": True, "if_unmodified_since": read_at}
    told, writes = await tell(backend, "update_insight", **change)
    assert (True, []) == (told.failed, writes)
    assert "Local, 2026-01-10 17:35: window 30 d → 90 d" in told.text
    told, writes = await tell(backend, "update_insight", scopes=("insight:write",), **change)
    assert (True, []) == (told.failed, writes)
    clock.now = NOW


async def test_what_nobody_changed_is_changed(backend: Backend) -> None:
    """With or without a part of a second; and the race that is left is told."""
    one = await saved(backend)
    for name, moment in enumerate((one["updated_at"], f"{one['updated_at'][:19]}Z", f"{one['updated_at']} by Ann")):
        told, writes = await tell(
            backend, "update_insight", id=one["id"], name=f"Name {name}", if_unmodified_since=moment
        )
        assert (False, 1) == (told.failed, len(writes)), told.text
        assert "PostHog has no compare-and-set" in told.text


async def test_a_change_while_computing_is_noticed(backend: Backend, clock: Clock) -> None:
    """The insight is looked at again right before the change is sent."""
    one = await saved(backend)

    class Meanwhile(Counting):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "POST" and request.url.path.endswith("/query/"):
                clock.pass_by(minutes=1)
                await sent(backend, "PATCH", f"insights/{one['id']}/", {"description": "Mine"})
            return await super().handle_async_request(request)

    transport = Meanwhile(backend)
    async with assistant(None, transport=transport, api_key=backend.owner_key, host="http://local") as user:
        told = await user.call("update_insight", id=one["id"], query=FUNNEL, if_unmodified_since=one["updated_at"])
    clock.now = NOW
    assert (True, "Mine") == (told.failed, (await read(backend, one["id"]))["description"]), told.text
    assert "Nothing was sent" in told.text


async def test_a_moment_that_is_none(backend: Backend) -> None:
    """Refused, with what to give."""
    one = await saved(backend)
    told, writes = await tell(backend, "update_insight", id=one["id"], name="x", if_unmodified_since="yesterday")
    assert (True, [], True) == (told.failed, writes, "as get_insight told it" in told.text)


# delete, explain


async def test_a_deletion_says_how_to_undo_it(backend: Backend) -> None:
    """With the dashboards that it was on."""
    board = await sent(backend, "POST", "dashboards/", {"name": "Board"})
    one = await saved(backend, dashboards=[board["id"]])
    told, _ = await tell(backend, "delete_insight", id=one["id"])
    assert f"restore_insight(id='{one['id']}'), then update_insight(id='{one['id']}', add_dashboards=" in told.text
    await tell(backend, "restore_insight", id=one["id"])
    await tell(backend, "update_insight", id=one["id"], add_dashboards=[str(board["id"])])
    assert [board["id"]] == (await read(backend, one["id"]))["dashboards"]


async def test_an_insight_is_explained(backend: Backend) -> None:
    """The sentence, and what is doubtful: of the words, of the query, of the project's filters and of its numbers."""
    one = await saved(backend, name="Weekly refund_asked", query=trend("refund asked", dateRange={"date_from": "-90d"}))
    await sent(backend, "PATCH", "", {"test_account_filters": [{"key": "role", "type": "person", "value": "staff"}]})
    told, writes = await tell(backend, "explain_insight", id=one["id"])
    assert (False, []) == (told.failed, writes)
    assert 'Count of "refund asked" per day, last 90 days.' in told.text
    assert "the query counts per day" in told.text
    assert "1 filter against them" in told.text
    assert ("computed" in told.structured["provenance"], "left_out" in told.structured) == (True, False)


async def test_a_query_is_explained(backend: Backend) -> None:
    """With its numbers, without saving it; what does not compute is told; nothing to explain is refused."""
    told, writes = await tell(backend, "explain_insight", query=FUNNEL)
    assert (True, []) == ("computed" in told.structured["provenance"], writes)
    assert 'How many people go "signed up" → "note saved" in this order within 14 days, last 30 days.' in told.text
    told, _ = await tell(backend, "explain_insight", query={"sql": "select nothing from events"})
    assert (False, True) == (told.failed, "The query does not compute." in told.text)
    told, _ = await tell(backend, "explain_insight")
    assert (True, True) == (told.failed, "Give id or query" in told.text)


async def test_one_tag_is_a_list_of_one(backend: Backend) -> None:
    """Also as the JSON text of a list, and a dashboard by its number."""
    one = await saved(backend, tags=["a", "b"])
    told, _ = await tell(backend, "update_insight", id=one["id"], add_tags="c", remove_tags='["a", "b"]')
    assert (False, True) == (told.failed, 'tags: ["c"]' in told.text)
    told, _ = await tell(backend, "list_insights", tags="c")
    assert "Found 1 insight." in told.text
    refused, _ = await tell(backend, "update_insight", id=one["id"], add_tags={"c": 1})
    assert "'add_tags': input should be a valid list" in refused.text
