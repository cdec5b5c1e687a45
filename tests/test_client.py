"""The client against a PostHog that misbehaves: what is sent, how often, and what is told of the failure."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from typing import Any

import pytest

from insights_mcp.client import Client
from insights_mcp.endpoint import Endpoint
from insights_mcp.endpoints.account import GetCurrentKey, ListProjects
from insights_mcp.endpoints.insights import (
    CreateInsight,
    GetInsight,
    ListInsights,
    ListTrendingInsights,
    MarkInsightsViewed,
    UpdateInsight,
)
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.endpoints.sharing import AddSharingPassword, RefreshSharingLink
from insights_mcp.errors import (
    BadReply,
    Forbidden,
    InsightsError,
    InvalidInput,
    MissingScope,
    RateLimited,
    Rejected,
    SessionOnly,
    SettingsError,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from insights_mcp.scopes import Scopes
from insights_mcp.settings import Settings
from tests.asking import assistant, connection
from tests.loopback import (
    DROPPED,
    HTML,
    KEY,
    SESSION_ONLY,
    Loopback,
    Reply,
    error,
    forbidden,
    insight,
    ok,
    page,
)

pytestmark = pytest.mark.anyio

BUSY = error(429, "Request was throttled. Expected available in 1 second.", "throttled", "throttled_error")
ONCE: tuple[Endpoint[Any], ...] = (
    CreateInsight(name="x"),
    AddSharingPassword(insight_id=12),
    RefreshSharingLink(insight_id=12),
)
INSIGHTS = "/api/projects/1/insights/"


def throttled(seconds: str) -> Reply:
    """A 429 that says how long to wait."""
    return Reply(BUSY.body, 429, headers={"Retry-After": seconds})


async def failing(client: Client, call: Endpoint[Any]) -> InsightsError:
    """The error a call ends with."""
    with pytest.raises(InsightsError) as caught:
        await client.send(call)
    return caught.value


# scopes


async def test_scopes_are_asked_once(posthog: Loopback) -> None:
    """However many calls, also at once: one introspection."""
    posthog.on("GET", INSIGHTS, page())
    async with connection(posthog) as client:
        await asyncio.gather(*(client.send(ListInsights()) for _ in range(8)))
    assert 1 == len([r for r in posthog.received if "personal_api_keys" in r.path])


async def test_scopes_of_the_settings_are_not_asked(posthog: Loopback) -> None:
    """POSTHOG_SCOPES says them."""
    posthog.on("GET", INSIGHTS, page())
    async with connection(posthog, scopes=Scopes(["insight:read"])) as client:
        await client.send(ListInsights())
    assert [INSIGHTS] == [r.path for r in posthog.received]


@pytest.mark.parametrize("held", ["insight:read", "insight:write", "*"])
async def test_write_implies_read_and_star_all(held: str) -> None:
    """As PostHog checks them."""
    with Loopback(scopes=[held]) as posthog:
        posthog.on("GET", INSIGHTS, page())
        async with connection(posthog) as client:
            assert [] == (await client.send(ListInsights())).results


async def test_without_the_scope_nothing_leaves() -> None:
    """Only the introspection is sent."""
    with Loopback(scopes=["insight:read", "query:write"]) as posthog:
        async with connection(posthog) as client:
            failed = await failing(client, CreateInsight(name="x"))
        assert (MissingScope, []) == (type(failed), posthog.calls())
        assert "insight:write" in str(failed)


async def test_a_cancelled_first_call_does_not_spoil_the_next() -> None:
    """The lock around the introspection is given back."""
    with Loopback() as posthog:
        posthog.on("GET", r"/api/personal_api_keys/@current/", ok({"scopes": ["*"]}, delay=0.3), ok({"scopes": ["*"]}))
        posthog.on("GET", INSIGHTS, page())
        async with connection(posthog) as client:
            first = asyncio.create_task(client.send(ListInsights()))
            await asyncio.sleep(0.1)
            first.cancel()
            assert [] == (await client.send(ListInsights())).results


async def test_an_introspection_nobody_knows_lets_posthog_judge(posthog: Loopback) -> None:
    """A PostHog that cannot say the scopes still works."""
    posthog.on("GET", r"/api/personal_api_keys/@current/", error(404, "Endpoint not found."))
    posthog.on("GET", INSIGHTS, page())
    async with connection(posthog) as client:
        assert (None, []) == (await client.scopes(), (await client.send(ListInsights())).results)


async def test_an_oauth_token_is_not_introspected() -> None:
    """The endpoint is for personal keys."""
    with Loopback(key="pha_oauth_token_0123456789") as posthog:
        posthog.on("GET", INSIGHTS, page())
        async with connection(posthog, api_key=posthog.key) as client:
            await client.send(ListInsights())
        assert [INSIGHTS] == [r.path for r in posthog.received]


# repeating


@pytest.mark.parametrize("trouble", [DROPPED, error(502, "x"), error(503, "x"), error(504, "x"), BUSY, throttled("0")])
async def test_what_is_safe_is_repeated(trouble: Reply, posthog: Loopback) -> None:
    """Trouble that passes is not told."""
    posthog.on_insights("GET", "12/", trouble, trouble, ok(insight()))
    async with connection(posthog) as client:
        assert 12 == (await client.send(GetInsight(id=12))).id
    assert 3 == len(posthog.calls())


@pytest.mark.parametrize("call", ONCE, ids=lambda call: type(call).__name__)
@pytest.mark.parametrize("trouble", [DROPPED, error(500, "x"), error(502, "x"), error(504, "x"), BUSY, throttled("1")])
async def test_what_is_not_safe_is_sent_once(call: Endpoint[Any], trouble: Reply, posthog: Loopback) -> None:
    """A create is never sent twice."""
    posthog.on("POST", ".*", trouble)
    async with connection(posthog) as client:
        failed = await failing(client, call)
    assert 1 == len(posthog.calls())
    assert isinstance(failed, RateLimited) or "look before you repeat" in failed.next_step


@pytest.mark.parametrize("reply", [Reply(b'{"id": 12, "na'), Reply(HTML, content_type="text/html"), ok({"no": "id"})])
async def test_a_create_with_a_broken_reply_may_be_done(reply: Reply, posthog: Loopback) -> None:
    """The insight may be there: repeating would make a second."""
    posthog.on("POST", INSIGHTS, reply)
    async with connection(posthog) as client:
        assert "look before you repeat" in (await failing(client, CreateInsight(name="x"))).next_step


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 500])
async def test_what_will_not_pass_is_not_repeated(status: int, posthog: Loopback) -> None:
    """Asking again would get the same answer."""
    posthog.on_insights("GET", "12/", error(status, "No."))
    async with connection(posthog) as client:
        await failing(client, GetInsight(id=12))
    assert 1 == len(posthog.calls())


async def test_attempts_come_to_an_end(posthog: Loopback) -> None:
    """After four, the error is told."""
    posthog.on_insights("GET", "12/", error(503, "At capacity."))
    async with connection(posthog) as client:
        failed = await failing(client, GetInsight(id=12))
    assert (Unavailable, 4) == (type(failed), len(posthog.calls()))
    assert "At capacity." in failed.what


async def test_retry_after_is_honoured(posthog: Loopback) -> None:
    """As long as PostHog asks, not shorter."""
    import stamina

    posthog.on_insights("GET", "12/", throttled("1"), ok(insight()))
    with stamina.set_testing(False):
        async with connection(posthog) as client:
            began = time.monotonic()
            await client.send(GetInsight(id=12))
    assert 1 <= time.monotonic() - began < 3


@pytest.mark.parametrize("seconds", ["31", "3600", "9" * 400])
async def test_a_long_retry_after_is_not_waited_for(seconds: str, posthog: Loopback) -> None:
    """Over 30 seconds the user decides."""
    posthog.on_insights("GET", "12/", throttled(seconds))
    async with connection(posthog) as client:
        failed = await failing(client, GetInsight(id=12))
    assert (RateLimited, 1) == (type(failed), len(posthog.calls()))
    assert "try again in" in failed.next_step


@pytest.mark.parametrize("seconds", ["Fri, 31 Dec 1999 23:59:59 GMT", "-1", "soon", "1.5", "²"])
async def test_a_retry_after_that_is_no_number_is_as_none(seconds: str, posthog: Loopback) -> None:
    """It never breaks the call."""
    headers = {"Retry-After": seconds.encode().decode("latin-1")}
    posthog.on_insights("GET", "12/", Reply(BUSY.body, 429, headers=headers), ok(insight()))
    async with connection(posthog) as client:
        assert 12 == (await client.send(GetInsight(id=12))).id


# replies


async def test_unknown_fields_are_kept_out_of_the_way(posthog: Loopback) -> None:
    """PostHog adds fields weekly."""
    strange = insight(new={"a": [1]}, tags=None, created_by={"id": 1, "x": None}, dashboard_tiles=[{"y": 1}])
    posthog.on_insights("GET", "12/", ok(strange))
    async with connection(posthog) as client:
        assert [] == (await client.send(GetInsight(id=12))).tags


async def test_trending_is_read_as_list_and_as_page(posthog: Loopback) -> None:
    """Versions differ."""
    one = insight(view_count=4, viewers=[])
    posthog.on_insights("GET", "trending/", ok([one]), page(one))
    async with connection(posthog) as client:
        found = [(await client.send(ListTrendingInsights())).results[0].view_count for _ in range(2)]
    assert [4, 4] == found


async def test_half_characters_do_not_spoil_a_reply(posthog: Loopback) -> None:
    """A text cut inside an emoji, as browsers make them, is shown with a mark."""
    posthog.on_insights("GET", "12/", Reply(json.dumps(insight(name="cut \ud83d")).encode()))
    async with connection(posthog) as client:
        assert "cut ?" == (await client.send(GetInsight(id=12))).name


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[]", b'"ok"'])
async def test_a_reply_that_says_nothing_needs_no_body(body: bytes, posthog: Loopback) -> None:
    """201 and 204 come empty, or with whatever."""
    posthog.on("POST", INSIGHTS + "viewed/", Reply(body, 201))
    async with connection(posthog) as client:
        await client.send(MarkInsightsViewed(insight_ids=[12]))


async def test_a_login_page_is_no_success(posthog: Loopback) -> None:
    """Not even where no body is expected."""
    posthog.on("POST", INSIGHTS + "viewed/", Reply(HTML, content_type="text/html"))
    async with connection(posthog) as client:
        assert BadReply is type(await failing(client, MarkInsightsViewed(insight_ids=[12])))


BAD_REPLIES = {
    "truncated": (Reply(b'{"id": 12, "name": "x', 200), "cut off"),
    "empty": (Reply(b"", 200), "is empty"),
    "web page": (Reply(HTML, content_type="text/html"), "web page"),
    "wrong shape": (ok({"id": "twelve"}), "unknown shape at id"),
    "list": (ok([1, 2]), "unknown shape"),
    "deep": (Reply(b"[" * 5000 + b"]" * 5000), "JSON"),
    "not gzip": (Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), "compressed"),
    "not text": (Reply(b'{"id": 12, "name": "\xff\xfe"}'), "JSON"),
}


@pytest.mark.parametrize("name", BAD_REPLIES)
async def test_a_bad_reply_says_what_is_bad(name: str, posthog: Loopback) -> None:
    """And where to look; it is told, not repeated."""
    reply, said = BAD_REPLIES[name]
    posthog.on_insights("GET", "12/", reply)
    async with connection(posthog) as client:
        failed = await failing(client, GetInsight(id=12))
    assert (BadReply, 1) == (type(failed), len(posthog.calls()))
    assert said in failed.what
    assert failed.next_step


async def test_a_wrong_content_type_with_json_is_read(posthog: Loopback) -> None:
    """Only the content counts."""
    posthog.on_insights("GET", "12/", ok(insight(), content_type="text/plain"))
    async with connection(posthog) as client:
        assert 12 == (await client.send(GetInsight(id=12))).id


async def test_a_reply_dropped_in_the_middle_is_asked_for_again(posthog: Loopback) -> None:
    """Half a reply is none."""
    whole = ok(insight())
    posthog.on_insights("GET", "12/", Reply(whole.body, drop_after=100), whole)
    async with connection(posthog) as client:
        assert 12 == (await client.send(GetInsight(id=12))).id


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "bomb"])
async def test_a_huge_reply_is_not_read(packed: bool, posthog: Loopback) -> None:
    """Neither 50 MB, nor 50 MB packed into 50 kB."""
    part = b" " * (1 << 20)
    bomb = Reply(gzip.compress(part * 50), headers={"Content-Encoding": "gzip"})
    posthog.on_insights("GET", "12/", bomb if packed else Reply(part, repeat=50))
    async with connection(posthog, max_reply_bytes=1 << 20) as client:
        failed = await failing(client, GetInsight(id=12))
    assert (BadReply, 1) == (type(failed), len(posthog.calls()))
    assert "larger than 1 MB" in failed.what


async def test_a_large_reply_is_read(posthog: Loopback) -> None:
    """Dashboards are megabytes."""
    posthog.on_insights("GET", "12/", ok(insight(result=[["x" * 1000]] * 5000)))
    async with connection(posthog) as client:
        assert 5000 == len((await client.send(GetInsight(id=12))).result)


async def test_redirects_are_not_followed(posthog: Loopback) -> None:
    """The key goes to no other host."""
    posthog.on_insights("GET", "12/", Reply(status=302, headers={"Location": "http://evil.example/"}))
    async with connection(posthog) as client:
        failed = await failing(client, GetInsight(id=12))
    assert (Rejected, 1) == (type(failed), len(posthog.calls()))


async def test_a_proxy_page_with_502_is_short(posthog: Loopback) -> None:
    """Its HTML is nobody's business."""
    posthog.on_insights("GET", "12/", Reply(HTML, 502, content_type="text/html"))
    async with connection(posthog) as client:
        failed = await failing(client, GetInsight(id=12))
    assert (Unavailable, False) == (type(failed), "Sign in" in str(failed))


async def test_a_slow_reply_is_waited_for(posthog: Loopback) -> None:
    """Slow is no failure."""
    posthog.on_insights("GET", "12/", ok(insight(), delay=0.5))
    async with connection(posthog) as client:
        assert 12 == (await client.send(GetInsight(id=12))).id


# requests


@pytest.mark.parametrize(
    "query", [{"q": "x" * 30_000_000}, {"q": float("nan")}, {"q": "\ud800"}], ids=["30 MB", "NaN", "half a character"]
)
async def test_what_cannot_be_sent_is_refused(query: dict[str, Any], posthog: Loopback) -> None:
    """Before anything is sent."""
    async with connection(posthog) as client:
        assert InvalidInput is type(await failing(client, RunQuery(query=query)))
    assert [] == posthog.calls()


@pytest.mark.parametrize("search", ["\ud800", "a\ud83d"])
async def test_half_characters_are_refused(search: str, posthog: Loopback) -> None:
    """No URL can hold them; pydantic or we refuse, before anything is sent."""
    async with connection(posthog) as client:
        with pytest.raises((InvalidInput, ValueError)):
            await client.send(ListInsights(search=search))
    assert [] == posthog.calls()


async def test_an_update_sends_what_was_given(posthog: Loopback) -> None:
    """And nothing else."""
    posthog.on_insights("PATCH", "12/", ok(insight()))
    async with connection(posthog) as client:
        await client.send(UpdateInsight(id=12, name="ü💥", deleted=False))
    assert {"name": "ü💥", "deleted": False} == posthog.calls("PATCH")[0].json


# projects


async def test_no_project_no_call(posthog: Loopback) -> None:
    """A project is never guessed."""
    async with connection(posthog, project_id=None) as client:
        assert SettingsError is type(await failing(client, ListInsights()))
    assert [] == posthog.calls()


async def test_the_only_project_of_a_key_is_it() -> None:
    """A key limited to one project has chosen it."""
    with Loopback(teams=[7]) as posthog:
        posthog.on("GET", "/api/projects/7/insights/", page())
        async with connection(posthog, project_id=None) as client:
            await client.send(ListInsights())
            assert "project 7" in await client.place()


async def test_a_project_that_is_not_the_keys_gets_no_call() -> None:
    """The settings contradict each other."""
    with Loopback(teams=[7, 8]) as posthog:
        async with connection(posthog) as client:
            failed = await failing(client, ListInsights())
        assert (SettingsError, []) == (type(failed), posthog.calls())
        assert "7, 8" in failed.what


async def test_several_projects_need_a_choice() -> None:
    """None of them is taken."""
    with Loopback(teams=[7, 8]) as posthog:
        async with connection(posthog, project_id=None) as client:
            assert SettingsError is type(await failing(client, ListInsights()))


@pytest.mark.parametrize("trouble", [BUSY, DROPPED, error(500, "x"), error(404, "x"), forbidden("x"), Reply(HTML)])
async def test_a_nameless_project_is_a_number(trouble: Reply) -> None:
    """Its name is good to have, and never a reason to fail."""
    with Loopback(project=False) as posthog:
        posthog.on("GET", r"/api/projects/\d+/", trouble)
        async with connection(posthog) as client:
            assert f"project 1 at {posthog.url[7:]}" == await client.place()


async def test_a_slow_name_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for is done by then."""
    monkeypatch.setattr("insights_mcp.client.NAMED_WITHIN", 0.2)
    with Loopback(project=False) as posthog:
        posthog.on("GET", r"/api/projects/\d+/", ok({"id": 1, "name": "Late"}, delay=1))
        async with connection(posthog) as client:
            assert "Late" not in await client.place()


async def test_the_place_is_the_project_that_was_chosen(posthog: Loopback) -> None:
    """Also where PostHog calls it by another number (environments)."""
    posthog.on("GET", r"/api/projects/\d+/", ok({"id": 99, "name": "Parent"}))
    async with connection(posthog) as client:
        assert (await client.place()).startswith('project 1 "Parent"')


# host and key


async def test_the_region_is_found_by_asking_both() -> None:
    """The key is known in one."""
    with Loopback(key="phx_another_key_0123456789") as us, Loopback() as eu:
        eu.on("GET", INSIGHTS, page())
        async with connection(None, clouds=(us.url, eu.url)) as client:
            await client.send(ListInsights())
            assert eu.url == client.host
        assert 1 == len(us.received)


async def test_a_key_no_region_knows_is_told() -> None:
    """And what to check."""
    with Loopback(key="phx_another_key_0123456789") as us, Loopback(key="phx_another_key_0123456789") as eu:
        async with connection(None, clouds=(us.url, eu.url)) as client:
            failed = await failing(client, ListInsights())
    assert SettingsError is type(failed)
    assert "POSTHOG_API_KEY" in failed.next_step


async def test_a_region_that_does_not_answer_is_no_no() -> None:
    """The key may be its."""
    with Loopback(key="phx_another_key_0123456789") as eu:
        async with connection(None, clouds=("http://127.0.0.1:1", eu.url)) as client:
            assert Unreachable is type(await failing(client, ListInsights()))


async def test_a_wrong_key_is_told(posthog: Loopback) -> None:
    """401 names the setting."""
    async with connection(posthog, api_key="phx_wrong_key_0123456789") as client:
        failed = await failing(client, ListInsights())
    assert Unauthenticated is type(failed)
    assert "POSTHOG_API_KEY" in failed.next_step


async def test_a_host_that_is_not_there_is_told() -> None:
    """Name and port that nobody serves."""
    async with connection(None, host="http://127.0.0.1:1") as client:
        failed = await failing(client, ListInsights())
    assert Unreachable is type(failed)
    assert "refuses connections" in failed.what


async def test_a_refused_session_endpoint_is_remembered(posthog: Loopback) -> None:
    """It is not asked again and again."""
    posthog.on_insights("GET", "trending/", SESSION_ONLY)
    async with connection(posthog) as client:
        failed = await failing(client, ListTrendingInsights())
        assert (SessionOnly, False) == (type(failed), client.may(ListTrendingInsights))


async def test_a_key_of_scoped_projects_cannot_list_them(posthog: Loopback) -> None:
    """PostHog's own words reach the user."""
    said = "API keys with scoped projects are only supported on project-based endpoints."
    posthog.on("GET", "/api/projects/", forbidden(said))
    async with connection(posthog) as client:
        failed = await failing(client, ListProjects())
    assert (Forbidden, True) == (type(failed), said in failed.what)


# secrets


SECRET = "no-prefix-legacy-key-0123456789"


@pytest.mark.parametrize("key", [KEY, SECRET])
@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500])
async def test_the_key_is_nowhere(status: int, key: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a log record, an error, a repr or an answer, even when PostHog repeats it."""
    caplog.set_level(logging.DEBUG)
    with Loopback(key=key) as posthog:
        echoed = insight(name=f"key {key}", description=key) if status == 200 else json.loads(error(status, key).body)
        posthog.on_insights("GET", "12/", ok(echoed, status))
        async with assistant(posthog, api_key=key) as user:
            told = [await user.call("get_insight", id=12, detail=detail) for detail in ("summary", "full")]
            shown = repr(told) + repr(user.client) + repr(vars(user.client)["_settings"])
    logged = "\n".join(f"{r.getMessage()} {r.exc_info}" for r in caplog.records)
    assert (False, False) == (key in shown, key in logged)


async def test_a_password_is_in_no_log(posthog: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    """It is shown once, in the answer that made it, and nowhere else."""
    caplog.set_level(logging.DEBUG)
    posthog.on_insights("POST", "12/sharing/passwords/", ok({"id": 7, "password": "hunter2hunter2", "note": ""}, 201))
    async with assistant(posthog) as user:
        told = await user.call("add_sharing_password", id=12, password="hunter2hunter2")
        short = await user.call("add_sharing_password", id=12, password="secret7")
    logged = "\n".join(r.getMessage() for r in caplog.records)
    assert (True, False, False) == ("hunter2hunter2" in told.text, "secret7" in short.text, "hunter2" in logged)


async def test_a_client_serves_one_loop_after_another(posthog: Loopback) -> None:
    """Calls one after another share the connections; closing twice is fine."""
    posthog.on("GET", INSIGHTS, page())
    client = Client(Settings(KEY, posthog.url, 1))
    await client.send(ListInsights())
    await client.send(GetCurrentKey())
    await client.aclose()
    await client.aclose()
