"""Completion: names the project holds, soon, within the key's scopes, and never an error."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import MCPError
from mcp_types import Completion, PromptReference, ResourceTemplateReference

from insights_mcp import completion
from insights_mcp.completion import MOST, Names, matching
from insights_mcp.scopes import Scopes
from tests.asking import Assistant, assistant
from tests.loopback import DROPPED, NOT_FOUND, SESSION_ONLY, Loopback, Reply, error, insight, ok, page

pytestmark = pytest.mark.anyio
OF_PROMPT = PromptReference(name="create-insight")
OF_TEMPLATE = ResourceTemplateReference(uri="insight://{ref}")
EVENTS = r"/api/projects/1/event_definitions/"
PROPERTIES = r"/api/projects/1/property_definitions/"
DASHBOARDS = r"/api/projects/1/dashboards/"


def named(*names: str) -> list[dict[str, Any]]:
    """Definitions, or dashboards, of these names."""
    return [{"id": number, "name": name} for number, name in enumerate(names, 1)]


async def completed(user: Assistant, argument: str, value: str = "", ref: Any = OF_PROMPT, **chosen: str) -> Completion:
    """What the client is offered for an argument."""
    return (await user.mcp.complete(ref, {"name": argument, "value": value}, chosen or None)).completion


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_completion_is_announced(mode: str, posthog: Loopback) -> None:
    """In both eras."""
    async with assistant(posthog, mode=mode) as user:
        assert user.mcp.server_capabilities.completions is not None


async def test_what_begins_so_comes_first(posthog: Loopback) -> None:
    """Then what holds it; letters' case does not matter."""
    posthog.on("GET", EVENTS, page(*named("note created", "Created", "signed up", "recreated", "CREATED again")))
    async with assistant(posthog) as user:
        found = await completed(user, "event", "creat")
    assert (["Created", "CREATED again", "note created", "recreated"], 4, False) == (
        found.values, found.total, found.has_more,
    )  # fmt: skip


@pytest.mark.parametrize(("ref", "argument"), [(OF_PROMPT, "insight"), (OF_TEMPLATE, "ref")])
async def test_insights_complete_by_name_and_short_id(ref: Any, argument: str, posthog: Loopback) -> None:
    """A short_id by how it begins, for who has a part of it."""
    posthog.on_insights("GET", "", page(insight(12, name="Sign-ups"), insight(13, name="AaVa")))
    async with assistant(posthog) as user:
        offered = [(await completed(user, argument, value, ref)).values for value in ("", "sign", "aav", "0012")]
    assert [["Sign-ups", "AaVa"], ["Sign-ups"], ["AaVa", "AaVQ0012", "AaVQ0013"], []] == offered


async def test_tags_are_those_of_insights(posthog: Loopback) -> None:
    """Each once."""
    posthog.on_insights("GET", "", page(insight(12, tags=["growth", "money"]), insight(13, tags=["growth"])))
    async with assistant(posthog) as user:
        assert ["growth", "money"] == (await completed(user, "tag")).values


async def test_tags_are_of_all_insights(posthog: Loopback) -> None:
    """Page after page, the most used first."""
    first = page(insight(12, tags=["rare"]), insight(13, tags=["growth"]), next="http://x/?offset=100")
    pages = {"0": first, "100": page(insight(14, tags=["growth", "last"]))}
    posthog.on_insights("GET", "", lambda request: pages[request.query.get("offset", ["0"])[0]])
    async with assistant(posthog) as user:
        found = await completed(user, "tag")
        assert (["growth", "rare", "last"], False) == (found.values, found.has_more)
        assert ["last"] == (await completed(user, "tag", "la")).values
    assert 2 == len(posthog.calls())


async def test_properties_are_those_of_the_chosen_event(posthog: Loopback) -> None:
    """What was chosen before narrows what is asked for."""
    posthog.on("GET", PROPERTIES, page(*named("channel")))
    async with assistant(posthog) as user:
        assert ["channel"] == (await completed(user, "property", "ch", event="signed up")).values
    assert ["signed up"] == json.loads(posthog.calls()[0].query["event_names"][0])


async def test_a_list_that_is_whole_is_asked_for_once(posthog: Loopback) -> None:
    """While somebody types, nobody is asked again."""
    posthog.on("GET", DASHBOARDS, page(*named("Growth", "Quality")))
    async with assistant(posthog) as user:
        offered = [(await completed(user, "dashboard", value)).values for value in ("", "g", "gr", "q")]
    assert ([["Growth", "Quality"], ["Growth"], ["Growth"], ["Quality"]], 1) == (offered, len(posthog.calls()))


async def test_a_long_list_is_searched(posthog: Loopback) -> None:
    """There are more than a page: PostHog looks for them, and how many there are is not claimed."""
    first = page(*named(*(f"event {n}" for n in range(150))), next="http://next")
    posthog.on("GET", EVENTS, first, page(*named("signed up")))
    async with assistant(posthog) as user:
        every, some = await completed(user, "event"), await completed(user, "event", "sig")
    assert (MOST, None, True) == (len(every.values), every.total, every.has_more)
    assert (["signed up"], ["sig"]) == (some.values, posthog.calls()[1].query["search"])


async def test_without_the_scope_nothing_is_offered(posthog: Loopback) -> None:
    """And nothing is asked for."""
    async with assistant(posthog, scopes=Scopes(["query:read"])) as user:
        assert ([], 0) == ((found := await completed(user, "event")).values, found.total)
    assert [] == posthog.calls()


@pytest.mark.parametrize("reply", [NOT_FOUND, SESSION_ONLY, error(500, "no"), ok({"odd": 1}), DROPPED, Reply(b"<")])
async def test_a_failing_posthog_offers_nothing(reply: Reply, posthog: Loopback) -> None:
    """Whatever it answers."""
    posthog.on("GET", EVENTS, reply)
    async with assistant(posthog) as user:
        assert [] == (await completed(user, "event")).values


async def test_a_slow_posthog_is_not_waited_for(posthog: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is typing."""
    monkeypatch.setattr(completion, "WITHIN", 0.05)
    posthog.on("GET", EVENTS, replace(page(*named("signed up")), delay=0.5))
    async with assistant(posthog) as user:
        assert [] == (await completed(user, "event")).values


async def test_other_arguments_complete_to_nothing(posthog: Loopback) -> None:
    """A question is nobody's to complete."""
    async with assistant(posthog) as user:
        assert [] == (await completed(user, "question", "how")).values


async def test_an_unknown_prompt_is_told_the_nearest(posthog: Loopback) -> None:
    """That is a mistake of the client."""
    async with assistant(posthog) as user:
        with pytest.raises(MCPError, match=re.escape("did you mean 'create-insight'?")):
            await completed(user, "event", ref=PromptReference(name="create-insigth"))


@given(st.lists(st.text()), st.text())
def test_every_match_holds_the_value_once(names: list[str], value: str) -> None:
    """Whatever names there are: each match is a name as it is written, once, and holds what was typed."""
    found = matching(Names(tuple(names), True), value)
    assert len(found) == len(set(found))
    assert set(found) <= set(names)
    assert all(value.strip().casefold() in name.casefold() for name in found)
