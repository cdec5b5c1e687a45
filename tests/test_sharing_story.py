"""Who can see an insight now, what a change stops, and what all that is shared risks."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights_mcp.endpoints.insights import CreateInsight
from insights_mcp.local import create_project, open_backend
from insights_mcp.schema.sharing import SharingConfiguration
from insights_mcp.scopes import Scopes
from insights_mcp.stories.sharing import Exposure, findings, locked_out, renewed, switched, undo, who_sees
from insights_mcp.text import UNSAFE
from insights_mcp.tools.exposure import AT_ONCE, MOST
from tests.asking import Assistant, assistant
from tests.loopback import Loopback, Received, Reply, error, forbidden, insight, ok, page

pytestmark = pytest.mark.anyio
NOW = datetime.now(UTC)


def ago(days: float) -> str:
    """A moment so many days ago, as the API writes it."""
    return (NOW - timedelta(days=days)).isoformat()


def shared(
    enabled: bool = True, password_required: bool = False, passwords: int = 0, days: float = 10
) -> dict[str, Any]:
    """A sharing configuration as PostHog sends it."""
    listed = [
        {"id": n, "note": f"note {n}", "created_at": ago(days - n / 10), "created_by_email": "ann@x.io"}
        for n in range(passwords, 0, -1)
    ]
    token = f"token{enabled}{password_required}{passwords}"
    return {"enabled": enabled, "access_token": token, "password_required": password_required, "settings": None,
            "created_at": ago(days), "share_passwords": listed}  # fmt: skip


# one insight


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (shared(enabled=False), "Not shared by a link of its own: only people of the project can see it."),
        (shared(), "Public: everybody who has the link can see it, without a password (link made "),
        (shared(passwords=2), "Its 2 passwords are not asked for."),
        (shared(password_required=True), "nobody can see it yet: it asks for a password and has none"),
        (shared(password_required=True, passwords=1), 'whoever has the link and its password "note 1" of '),
        (shared(password_required=True, passwords=3), "whoever has the link and one of its 3 passwords, made between "),
    ],
)
async def test_who_can_see_it(state: dict[str, Any], words: str, posthog: Loopback) -> None:
    """One sentence; the link only where it opens something."""
    posthog.on_insights("GET", "12/sharing/", ok(state))
    async with assistant(posthog) as user:
        told = await user.call("get_sharing", id=12)
    assert words in told.structured["answer"]
    assert state["enabled"] == ("/shared/token" in told.text)


async def test_a_shared_dashboard_shows_it_too(posthog: Loopback) -> None:
    """Not only the insight's own link counts."""
    posthog.on_insights("GET", "12/sharing/", ok(shared(enabled=False)))
    posthog.on_insights("GET", "12/", ok(insight()))
    dashboards = page({"id": 3, "name": "Growth", "is_shared": True}, {"id": 4, "name": "Other", "is_shared": True})
    posthog.on("GET", "/api/projects/1/dashboards/", dashboards)
    async with assistant(posthog) as user:
        told = await user.call("get_sharing", id=12)
    assert 'It also stands on shared dashboard "Growth", whose link shows it.' in told.text


async def test_an_organization_may_forbid_sharing(posthog: Loopback) -> None:
    """Then a link that is on opens nothing."""
    posthog.on_insights("GET", "12/sharing/", ok(shared()))
    posthog.on("GET", "/api/users/@me/", ok({"id": 1, "organization": {"allow_publicly_shared_resources": False}}))
    async with assistant(posthog) as user:
        told = await user.call("get_sharing", id=12)
    assert "Its link is on, but opens nothing: the organization does not allow public sharing" in told.text


async def test_more_is_asked_only_where_the_key_may(posthog: Loopback) -> None:
    """A key for sharing alone is answered with what it can know."""
    posthog.on_insights("GET", "12/sharing/", ok(shared()))
    async with assistant(posthog, scopes=Scopes(["sharing_configuration:read"])) as user:
        told = await user.call("get_sharing", id=12)
    assert (False, 1) == (told.failed, len(posthog.calls()))


# changes, on the embedded backend


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Assistant]:
    """An assistant on a local project with one insight."""
    create_project(tmp_path / "p", name="Demo")
    backend = open_backend(tmp_path / "p")
    transport = httpx2.ASGITransport(app=backend.app)
    async with assistant(None, transport=transport, api_key=backend.owner_key, host="http://local") as user:
        await user.client.send(CreateInsight(name="Sales", query={"kind": "HogQLQuery", "query": "select 1"}))
        yield user
    backend.close()


async def said(user: Assistant, name: str, *, failing: bool = False, **arguments: Any) -> str:
    """The answer's text."""
    told = await user.call(name, id="Sales", **arguments)
    assert failing == told.failed, told.text
    return told.text


async def undone(user: Assistant, text: str) -> str:
    """What the call says that an answer names as its undoing."""
    found = re.search(r"Undo: (\w+)\((.*)\)\.", text)
    assert found, text
    arguments = dict(part.split("=", 1) for part in found[2].split(", "))
    given_ = {name: json.loads(value.replace("'", '"')) for name, value in arguments.items()}
    told = await user.call(found[1], **given_)
    assert not told.failed, told.text
    return told.text


async def test_switching_off_says_what_stops_and_can_be_undone(local: Assistant) -> None:
    """The same link works again."""
    link = re.search(r"/shared/\S+", await said(local, "update_sharing", enabled=True))
    off = await said(local, "update_sharing", enabled=False)
    assert "The link and every page that embeds it have stopped working" in off
    back = await undone(local, off)
    assert link
    assert (link[0] in back, "If this link was given away before, it works again." in back) == (True, True)


async def test_asking_for_a_password_says_who_is_out(local: Assistant) -> None:
    """Everybody who has only the link; and back."""
    await said(local, "update_sharing", enabled=True)
    text = await said(local, "update_sharing", password_required=True)
    assert "Whoever has only the link is out, and embedding pages ask for a password, too." in text
    assert "gets in without a password" in await undone(local, text)


async def test_a_change_that_changes_nothing_says_so(local: Assistant) -> None:
    """And offers no undoing."""
    await said(local, "update_sharing", enabled=True)
    text = await said(local, "update_sharing", enabled=True)
    assert ("Nothing changed: it was so before." in text, "Undo" in text, "is changed" in text) == (True, False, False)


async def test_a_removed_password_is_named_with_those_left(local: Assistant) -> None:
    """Whom it locks out, and that there is no way back."""
    await said(local, "update_sharing", enabled=True, password_required=True)
    for note in ("board", "press"):
        await said(local, "add_sharing_password", note=note)
    first = await said(local, "delete_sharing_password", password_id=1)
    last = await said(local, "delete_sharing_password", password_id=2)
    assert 'Removed password 1 ("board", ' in first
    assert 'Whoever has only this one is out; 1 other password still works: 2 "press".' in first
    assert "No password is left: nobody can see the insight by its link any more." in last


async def test_an_added_password_can_be_taken_back(local: Assistant) -> None:
    """By the call that its answer names."""
    await said(local, "update_sharing", enabled=True, password_required=True)
    assert "Removed password 1" in await undone(local, await said(local, "add_sharing_password"))


async def test_an_added_password_tells_who_can_see_it_now(local: Assistant) -> None:
    """Where the link asks for none, it is told how to make it ask; where it does, whoever has the new one."""
    await said(local, "update_sharing", enabled=True)
    refused = await said(local, "add_sharing_password", failing=True)
    assert "password_required=true)." in refused.partition("Next: First update_sharing(id=")[2]
    await said(local, "update_sharing", password_required=True)
    first, second = [await said(local, "add_sharing_password", note=note) for note in ("board", "press")]
    assert 'whoever has the link and its password "board"' in first
    assert (False, True) == tuple("Older passwords go on working." in text for text in (first, second))


async def test_a_password_that_is_refused_for_something_else(posthog: Loopback) -> None:
    """Asking for passwords would not help."""
    refused = error(400, "Too common.", "invalid_input", "validation_error", attr="raw_password")
    posthog.on_insights("POST", "12/sharing/passwords/", refused)
    async with assistant(posthog) as user:
        told = await user.call("add_sharing_password", id=12, password="password")
    assert ("Too common." in told.text, "update_sharing" in told.text) == (True, False)


async def test_a_password_that_is_not_there(local: Assistant) -> None:
    """The way to those that are."""
    refused = await said(local, "delete_sharing_password", failing=True, password_id=9)
    assert "lists its passwords" in refused


async def test_a_new_link_says_until_when_the_old_one_works(local: Assistant) -> None:
    """Five minutes; there is no undoing. A link that is off hurts nobody."""
    await said(local, "update_sharing", enabled=True)
    assert re.search(r"every page that embeds it work until \d\d:\d\d UTC", await said(local, "refresh_sharing_link"))
    await said(local, "update_sharing", enabled=False)
    assert "The link is off: nobody loses access" in await said(local, "refresh_sharing_link")


async def test_a_new_link_says_which_passwords_it_lost(local: Assistant) -> None:
    """PostHog hands them on only while they are asked for."""
    await said(local, "update_sharing", enabled=True, password_required=True)
    await said(local, "add_sharing_password", note="board")
    assert "under the new numbers below" in await said(local, "refresh_sharing_link")
    await said(local, "update_sharing", password_required=False)
    lost = "Its 1 password, not asked for now, did not come along."
    assert lost in await said(local, "refresh_sharing_link")


async def test_passwords_of_one_day_are_of_that_day(posthog: Loopback) -> None:
    """Not between a day and itself."""
    state = shared(password_required=True, passwords=2)
    for password in state["share_passwords"]:
        password["created_at"] = "2026-01-10T09:00:00Z"
    posthog.on_insights("GET", "12/sharing/", ok(state))
    async with assistant(posthog) as user:
        assert "one of its 2 passwords, made on 2026-01-10, can" in (await user.call("get_sharing", id=12)).text


# all insights


def project(posthog: Loopback, *found: tuple[dict[str, Any] | Reply, dict[str, Any]], count: int | None = None) -> None:
    """A project whose insights are shared like this; each is (sharing, changes of the insight)."""
    insights = []
    for number, (state, changes) in enumerate(found, 1):
        insights.append(
            insight(number, **({"dashboards": [], "dashboard_tiles": [], "last_viewed_at": ago(1)} | changes))
        )
        posthog.on_insights("GET", f"{number}/sharing/", state if isinstance(state, Reply) else ok(state))
    posthog.on_insights("GET", "", page(*insights, count=count))
    posthog.on("GET", "/api/projects/1/dashboards/", page({"id": 3, "name": "Growth", "is_shared": True}))


async def test_the_sweep_tells_the_risks_first(posthog: Loopback) -> None:
    """Without a password and not viewed, before those with one; then what only a dashboard shows."""
    project(
        posthog,
        (shared(enabled=False), {}),
        (shared(password_required=True, passwords=2), {"name": "protected"}),
        (shared(days=400), {"name": "old and open", "last_viewed_at": None}),
        (shared(days=100), {"name": "open", "last_viewed_at": ago(95)}),
        (shared(days=1), {"name": "fresh"}),
        (shared(enabled=False), {"name": "on a dashboard", "dashboards": [3], "dashboard_tiles": None}),
        (shared(password_required=True), {"name": "locked"}),
    )
    async with assistant(posthog) as user:
        told = await user.call("get_sharing")
    assert ["old and open", "open", "fresh", "protected", "on a dashboard", "locked"] == [
        row[1] for row in told.structured["rows"]
    ]
    lines = told.structured["digest"]
    assert "By a link: 3 without a password, 1 with a password." == lines[0]
    two = "2 of 5 shared insights have no password and were not viewed for 90 days (1 of them never): "
    assert f'{two}"old and open", "open".' == lines[1]
    assert 'Asks for a password and has none, so that nobody gets in: "locked".' == lines[2]
    assert "The oldest link is 400 days old" in lines[3]
    assert '1 more can be seen through shared dashboards only: "Growth" (1).' == lines[4]
    assert "token" not in told.text


async def test_a_sweep_is_bounded(posthog: Loopback) -> None:
    """So many insights a call; it says what is left and how to go on."""
    project(posthog, *[(shared(enabled=False), {})] * 3, count=1_240)
    async with assistant(posthog) as user:
        told = await user.call("get_sharing", offset=200)
    listed = next(call.query for call in posthog.calls("GET") if call.path.endswith("/insights/"))
    assert ([str(MOST)], ["200"]) == (listed["limit"], listed["offset"])
    assert "1,037 insights not looked at: get_sharing(offset=400) goes on" in told.text


async def test_only_so_many_are_asked_at_once(posthog: Loopback) -> None:
    """PostHog has other users, too."""
    lock, now, most = threading.Lock(), [0], [0]

    def answer(request: Received) -> Reply:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return ok(shared(enabled=False))

    project(posthog, *[(shared(enabled=False), {})] * 40)
    posthog.on_insights("GET", r"\d+/sharing/", answer)
    async with assistant(posthog) as user:
        await user.call("get_sharing")
    assert 1 < most[0] <= AT_ONCE


async def test_one_that_cannot_be_read_stops_nothing(posthog: Loopback) -> None:
    """It is counted as not looked at."""
    project(posthog, (shared(), {"name": "open"}), (forbidden("You don't have access."), {}), (shared(), {}))
    async with assistant(posthog) as user:
        told = await user.call("get_sharing")
    assert (2, False) == (len(told.structured["rows"]), told.failed)
    assert "1 insight that could not be looked at" in told.text


async def test_a_limit_ends_the_sweep(posthog: Loopback) -> None:
    """No more is asked once PostHog refuses service; what was seen is told."""
    limited = error(429, "Request was throttled.", "throttled", "throttled_error", headers={"Retry-After": "600"})
    project(posthog, (shared(), {"name": "open"}), *[(limited, {})] * 60)
    async with assistant(posthog) as user:
        told = await user.call("get_sharing")
    assert len(posthog.calls("GET", "/sharing/")) <= 2 * AT_ONCE
    assert "could not be looked at" in told.text or told.failed


async def test_a_sweep_that_sees_nothing_says_why(posthog: Loopback) -> None:
    """All refused: that is the answer."""
    project(posthog, (forbidden("Sharing is not for you."), {}))
    async with assistant(posthog) as user:
        told = await user.call("get_sharing")
    assert (True, True) == (told.failed, "Sharing is not for you." in told.text)


async def test_an_old_posthog_does_not_say_when_insights_were_viewed(posthog: Loopback) -> None:
    """Then nothing is said of it but that."""
    project(posthog, (shared(days=400), {"last_viewed_at": None}))
    async with assistant(posthog) as user:
        told = await user.call("get_sharing")
    assert ("not viewed" in told.text, "when they were viewed: this PostHog does not say" in told.text) == (False, True)


# any configuration

texts = st.none() | st.text(max_size=20) | st.sampled_from(["2026-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "|\n"])
passwords = st.lists(
    st.builds(lambda n, note, at, by: {"id": n, "note": note, "created_at": at, "created_by_email": by},
              st.integers(0, 9), texts, texts, texts), max_size=4,
)  # fmt: skip
states = st.builds(
    lambda enabled, required, at, held: SharingConfiguration.model_validate(
        {"enabled": enabled, "password_required": required, "created_at": at, "share_passwords": held}
    ), st.booleans(), st.booleans(), texts, passwords | st.none(),
)  # fmt: skip


@given(states, states, st.lists(st.text(max_size=20), max_size=5), st.booleans())
def test_any_configuration_has_its_words(
    before: SharingConfiguration, after: SharingConfiguration, names: list[str], forbidden_: bool
) -> None:
    """On one line each, and a change is told exactly when there is one."""
    exposure = Exposure(after, tuple(names), forbidden_)
    lines = [who_sees(exposure), *switched(before, after), *renewed(before, after, NOW), *locked_out(before, 3)]
    lines += findings([exposure, Exposure(before)], NOW, viewed=True)
    assert not any("\n" in line or UNSAFE.search(line) for line in lines)
    assert bool(undo(before, after)) == (switched(before, after) != ["Nothing changed: it was so before."])
