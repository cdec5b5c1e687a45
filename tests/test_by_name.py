"""Actions and cohorts are called by name as people do, and listed with the numbers that PostHog knows them by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from insights_mcp.local import Backend
from tests.asking import assistant
from tests.loopback import Loopback, ok
from tests.notebook import WEEK, opened, reader, trend

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A project with an action (1, saving or signing up), two of one name (2, 3), and cohorts 1 and 2."""
    with opened(tmp_path_factory.mktemp("notebook")) as backend:
        yield backend


def action(name: Any) -> dict[str, Any]:
    """A trend of an action."""
    return {"kind": "TrendsQuery", "series": [{"kind": "ActionsNode", "id": name}], "dateRange": WEEK}


def member(name: Any) -> dict[str, Any]:
    """A trend of the members of a cohort."""
    return trend({"type": "cohort", "key": "id", "value": name})


def split(name: Any) -> dict[str, Any]:
    """A trend by cohort."""
    return trend(breakdownFilter={"breakdown_type": "cohort", "breakdown": [name, "all"]})


def retention(name: Any) -> dict[str, Any]:
    """Who came back for an action."""
    entity = {"id": name, "type": "actions"}
    given = {"targetEntity": entity, "returningEntity": entity, "period": "Day", "totalIntervals": 3}
    return {"kind": "RetentionQuery", "retentionFilter": given}


@pytest.mark.parametrize(
    ("by", "name", "number"),
    [(action, "saved or JOINED ", 1), (retention, "Saved or joined", 1), (member, "paid", 2), (member, ["Paid"], [2]),
     (split, "paid", 2)],
    ids=["action", "retention", "member", "members", "split"],
)  # fmt: skip
async def test_a_name_is_as_good_as_a_number(backend: Backend, by: Any, name: Any, number: Any) -> None:
    """The answer is the same, and says which number the name means."""
    async with reader(backend) as (user, _):
        named, numbered = await user.call("run_query", query=by(name)), await user.call("run_query", query=by(number))
    assert (False, False) == (named.failed, numbered.failed), named.text
    assert named.structured["rows"] == numbered.structured["rows"]
    assert f"→ {number[0] if isinstance(number, list) else number}" in named.text


@pytest.mark.parametrize(
    ("query", "facts"),
    [
        (action("Saved or jioned"), ("There is no action", 'Use "Saved or joined"', "kind='actions'")),
        (action("Twice"), ('2 actions are called "Twice": 2, 3', "Give a number")),
        (member("payed"), ("There is no cohort", '"paid"', "kind='cohorts'")),
    ],
)
async def test_a_name_that_means_none_or_several_is_refused(
    backend: Backend, query: dict[str, Any], facts: tuple[str, ...]
) -> None:
    """With what there is; and nothing is computed."""
    async with reader(backend) as (user, sent):
        told = await user.call("run_query", query=query)
    assert (True, []) == (told.failed, sent.of("/query/"))
    assert [] == [fact for fact in facts if fact not in told.text], told.text


async def test_a_saved_insight_holds_the_number_and_the_name(backend: Backend) -> None:
    """As the web app saves it."""
    async with reader(backend) as (user, _):
        await user.call("create_insight", name="Activity", query=action("Saved or joined"))
        told = await user.call("get_insight", id="Activity", detail="full")
    assert '"id":1' in told.text.replace(" ", "")
    assert "Saved or joined" in told.text


async def test_what_the_caller_calls_it_stays(backend: Backend) -> None:
    """A name given beside is not overwritten."""
    query = action("Saved or joined")
    query["series"][0]["name"] = "Busy"
    async with reader(backend) as (user, _):
        told = await user.call("run_query", query=query)
    assert "action Busy" in told.text


async def test_the_people_behind_a_named_action(backend: Backend) -> None:
    """Are those behind its number."""
    async with reader(backend) as (user, _):
        told = [await user.call("list_actors", query=action(name), day="2026-01-05") for name in ("Saved or joined", 1)]
    assert told[0].structured["rows"] == told[1].structured["rows"] != []


async def test_without_the_scope_names_cannot_be_looked_up(backend: Backend) -> None:
    """The refusal names the scope; a number needs none."""
    async with reader(backend, "query:read", "event_definition:read") as (user, _):
        named, numbered = [await user.call("run_query", query=action(name)) for name in ("Saved or joined", 1)]
    assert (True, False) == (named.failed, numbered.failed)
    assert "action:read" in named.text


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ({"kind": "actions", "search": "JOIN"}, [[1, "Saved or joined", "note saved, signed up"]]),
        ({"kind": "actions", "limit": 1, "offset": 2}, [[3, "Twice", "any event"]]),
        ({"kind": "cohorts", "search": "pai"}, [[2, "paid", None]]),
    ],
)
async def test_they_are_listed(backend: Backend, asked: dict[str, Any], rows: list[list[Any]]) -> None:
    """With their numbers, and the events of an action."""
    async with reader(backend) as (user, _):
        told = await user.call("discover_data", **asked)
    assert rows == told.structured["rows"], told.text


async def test_posthog_gives_all_actions_at_once() -> None:
    """Whatever was asked; then the page is cut out here."""
    actions = [{"id": number, "name": f"Action {number}", "steps": [{"event": "a"}]} for number in range(1, 8)]
    with Loopback() as posthog:
        posthog.on("GET", r"/api/projects/1/actions/.*", ok({"results": actions}))
        async with assistant(posthog) as user:
            told = await user.call("discover_data", kind="actions", search="action", limit=2, offset=3)
    assert [[4, "Action 4", "a"], [5, "Action 5", "a"]] == told.structured["rows"]
    assert "7 actions" in told.text
