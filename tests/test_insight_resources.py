"""Saved insights as resources: the list, and the page of each."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from mcp import MCPError

from insights_mcp.answer import SUMMARY
from insights_mcp.insight_resources import LONGEST_QUERY, MOST, PAGE
from insights_mcp.schema.query import slim
from insights_mcp.scopes import Scopes
from insights_mcp.text import KEY, UNSAFE
from tests.asking import Assistant, assistant
from tests.loopback import NOT_FOUND, Loopback, Received, Reply, insight, ok, page
from tests.samples import HOSTILE

pytestmark = pytest.mark.anyio


def project(posthog: Loopback, favorites: int, others: int) -> None:
    """A project with so many insights, of which so many are favorites."""
    every = [insight(n + 1, favorited=n < favorites) for n in range(favorites + others)]

    def answer(request: Received) -> Reply:
        asked = every[:favorites] if "favorited" in request.query else every
        offset, limit = (int(request.query[name][0]) for name in ("offset", "limit"))
        more = "http://next" if len(asked) > offset + limit else None
        return page(*asked[offset : offset + limit], count=len(asked), next=more)

    posthog.on_insights("GET", "", answer)


async def listed(user: Assistant) -> list[list[str]]:
    """Every page of the list, by the numbers of the insights."""
    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor is not None:
        found = await user.mcp.list_resources(cursor=cursor)
        pages.append([resource.uri.removeprefix("insight://AaVQ").lstrip("0") for resource in found.resources])
        cursor = found.next_cursor
    return pages


async def read(user: Assistant, uri: str) -> str:
    """The text of a resource."""
    (content,) = (await user.mcp.read_resource(uri)).contents
    text: str = getattr(content, "text", "")
    return text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_favorites_come_first(mode: str, posthog: Loopback) -> None:
    """Then what was viewed last; each once."""
    project(posthog, favorites=2, others=3)
    async with assistant(posthog, mode=mode) as user:
        assert [["1", "2", "3", "4", "5"]] == await listed(user)
        assert user.mcp.server_capabilities.resources is not None
    assert ["-last_viewed_at"] == posthog.calls()[0].query["order"]


async def test_the_list_is_paged(posthog: Loopback) -> None:
    """A cursor leads on; nothing comes twice."""
    project(posthog, favorites=3, others=PAGE + 7)
    async with assistant(posthog) as user:
        pages = await listed(user)
    numbers = [number for found in pages for number in found]
    assert (2, PAGE + 10, PAGE + 10) == (len(pages), len(numbers), len(set(numbers)))


async def test_the_list_ends(posthog: Loopback) -> None:
    """However many insights there are: some clients fetch all of it at once."""
    project(posthog, favorites=0, others=5_000)
    async with assistant(posthog) as user:
        assert sum(map(len, await listed(user))) == MOST


@pytest.mark.parametrize("cursor", ["", "7", "recent", "recent.-1", "recent.9999999", "other.1", "recent.²"])
async def test_an_unknown_page_is_refused(cursor: str, posthog: Loopback) -> None:
    """It says how to begin."""
    project(posthog, favorites=0, others=1)
    async with assistant(posthog) as user:
        with pytest.raises(MCPError, match=re.escape("Begin without a cursor.")):
            await user.mcp.list_resources(cursor=cursor)


async def test_without_the_scope_the_list_is_empty(posthog: Loopback) -> None:
    """And nothing is asked for; nor is there a template."""
    async with assistant(posthog, scopes=Scopes(["project:read"])) as user:
        assert ([[]], []) == (await listed(user), (await user.mcp.list_resource_templates()).resource_templates)
    assert [] == posthog.calls()


async def test_hostile_names_are_listed_safely(posthog: Loopback) -> None:
    """Names come from whoever may write to the project."""
    posthog.on_insights("GET", "", page(insight(name=HOSTILE, description=HOSTILE)))
    async with assistant(posthog) as user:
        (resource, *_) = (await user.mcp.list_resources()).resources
    told = f"{resource.name}{resource.title}{resource.description}"
    assert (None, False) == (UNSAFE.search(told), "SomebodyElsesKey" in told)


@pytest.mark.parametrize(
    "uri", ["insight://12", "insight://AaVQ0012", "insight://Insight%2012", "insight://Insight 12"]
)
async def test_an_insight_is_read_by_any_reference(uri: str, posthog: Loopback) -> None:
    """What it last said, then what it asks; nothing is computed."""
    posthog.on_insights("GET", "", page(insight()))
    posthog.on_insights("GET", "12/", ok(insight()))
    async with assistant(posthog) as user:
        text = await read(user, uri)
    assert {"force_cache"} == {r.query["refresh"][0] for r in posthog.calls(part="/12/")}
    assert 'Insight "Insight 12" (AaVQ0012)' in text
    assert "2026-01-03 | 3.5" in text
    assert slim(insight()["query"]) == block(text)


@pytest.mark.parametrize("size", [1, LONGEST_QUERY])
async def test_a_page_is_bounded_and_cannot_be_broken_out_of(size: int, posthog: Loopback) -> None:
    """Whatever stands in names, results and the query."""
    evil = f"``` {HOSTILE}" + "x" * size
    query = {"kind": "HogQLQuery", "query": evil}
    posthog.on_insights("GET", "12/", ok(insight(name=evil, description=evil, query=query, columns=[evil] * 9)))
    async with assistant(posthog) as user:
        text = await read(user, "insight://12")
    assert len(text) <= SUMMARY * 4 + LONGEST_QUERY + 400
    assert UNSAFE.search(text.replace("\n", "")) is None
    if size == 1:
        assert {"kind": "HogQLQuery", "query": KEY.sub("ph*_…", evil)} == block(text)
    else:
        assert "get_insight(id='12', detail='full') shows it." in text


@pytest.mark.parametrize(
    "uri", ["insight://nosuch", "insight://", "insight://a/b", "other://12", f"insight://{'x' * 3000}"]
)
async def test_what_is_not_there_is_an_error_with_its_address(uri: str, posthog: Loopback) -> None:
    """As the protocol wants it: -32602, and which address it was."""
    posthog.on_insights("GET", "", page())
    posthog.on_insights("GET", "12/", NOT_FOUND)
    async with assistant(posthog) as user:
        with pytest.raises(MCPError) as error:
            await user.mcp.read_resource(uri)
    assert (-32602, {"uri": uri}) == (error.value.code, error.value.data)


def block(text: str) -> Any:
    """The JSON in the one block of a page."""
    (found,) = re.findall(r"^```json\n(.*)\n```$", text, re.MULTILINE)
    return json.loads(found)
