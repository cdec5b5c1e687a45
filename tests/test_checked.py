"""Names that do not exist are caught before a query is saved or run, with the nearest that do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from insights_mcp.local import Backend
from tests.asking import assistant
from tests.loopback import Loopback, Received, error, insight, ok, page
from tests.notebook import opened, reader

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A project with events."""
    with opened(tmp_path_factory.mktemp("notebook")) as backend:
        yield backend


def trend(event: str, *filters: Any, **more: Any) -> dict[str, Any]:
    """A trend of one event."""
    series = {"kind": "EventsNode", "event": event}
    return {"kind": "TrendsQuery", "series": [series], "properties": list(filters)} | more


UNKNOWN: dict[str, tuple[dict[str, Any], str]] = {
    "event": (trend("note svaed"), 'No event "note svaed" has been seen. Use "note saved" as series[0].event.'),
    "event like none": (trend("checkout"), 'There are: "$pageview", "note saved", "signed up", "refund asked".'),
    "event property": (
        trend("note saved", {"key": "word", "value": 1}),
        'No event property "word" has been seen. Use "words" as properties[0].key.',
    ),
    "person property": (
        trend("note saved", {"key": "plans", "type": "person", "value": "x"}), 'Use "plan" as properties[0].key.',
    ),
    "breakdown": (
        trend("note saved", breakdownFilter={"breakdown": "contry"}), 'Use "country" as breakdownFilter.breakdown.',
    ),
    "an event's": (
        trend("note saved", {"key": "words", "type": "person", "value": 1}), '"type": "event" beside properties[0].key',
    ),
    "math": (
        {"kind": "TrendsQuery",
         "series": [{"kind": "EventsNode", "event": "note saved", "math": "sum", "math_property": "wrds"}]},
        'Use "words" as series[0].math_property.',
    ),
    "retention": (
        {"kind": "RetentionQuery", "retentionFilter": {"targetEntity": {"id": "sign up", "type": "events"},
                                                       "returningEntity": {"id": "note saved", "type": "events"}}},
        'Use "signed up" as retentionFilter.targetEntity.id.',
    ),
    "SQL": (
        {"kind": "HogQLQuery", "query": "select count() from events where event = 'signd up'"},
        'Use "signed up" as the name in the SQL.',
    ),
    "a person's": (
        trend("note saved", {"key": "plan", "value": "x"}),
        'but persons have it: write "type": "person" beside properties[0].key',
    ),
    "a person's in SQL": (
        {"kind": "HogQLQuery", "query": "select count() from events where properties.plan = 'x'"},
        "but persons have it: write person.properties.plan.",
    ),
    "several": (trend("note svaed", {"key": "word", "value": 1}), 'Use "words" as properties[0].key.'),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
async def test_a_name_that_does_not_exist_is_not_saved(name: str, backend: Backend) -> None:
    """It is said which is near, where it goes, and how to save it all the same."""
    query, fact = UNKNOWN[name]
    async with reader(backend) as (user, sent):
        told = await user.call("create_insight", name="x", query=query)
    assert (True, True, []) == (told.failed, fact in told.text, sent.of("/insights/")), told.text
    assert 'To save it all the same, say "unseen": true in the query' in told.text


async def test_what_will_come_is_saved_when_it_is_said_so(backend: Backend) -> None:
    """The mark itself does not reach PostHog."""
    async with reader(backend) as (user, _):
        told = await user.call("create_insight", name="soon", query=trend("checkout") | {"unseen": True})
        read = await user.call("get_insight", id="soon")
    assert (False, False) == (told.failed, "unseen" in read.text)


async def test_other_case_is_repaired_and_said(backend: Backend) -> None:
    """In series, filters and SQL, when only one name is meant."""
    query = trend("Note Saved", {"key": "Words", "value": 10, "operator": "exact"}, dateRange={"date_from": "-30d"})
    text = "select count() from events where event = 'NOTE SAVED' and properties.Size = 'large'"
    async with reader(backend) as (user, _):
        drawn = await user.call("run_query", query=query)
        counted = await user.call("run_query", query={"kind": "HogQLQuery", "query": text})
        saved = await user.call("create_insight", name="cased", query=query)
    assert 'event "Note Saved" → "note saved", property "Words" → "words"' in drawn.text
    assert 'property "Size" → "size"' in counted.text
    assert "\n84\n" in counted.text
    assert (False, True) == (saved.failed, 'event "Note Saved" → "note saved"' in saved.text), saved.text


async def test_an_update_questions_only_what_is_new(backend: Backend) -> None:
    """What the insight named before may stay; a new name that does not exist may not come."""
    async with reader(backend) as (user, _):
        await user.call("create_insight", name="old", query=trend("checkout") | {"unseen": True})
        stays = await user.call("update_insight", id="old", query=trend("checkout", dateRange={"date_from": "-90d"}))
        comes = await user.call("update_insight", id="old", query=trend("checkuot"))
    assert (False, True) == (stays.failed, comes.failed), stays.text + comes.text


@pytest.mark.parametrize("scopes", [("insight:write",), ("insight:write", "query:read")])
async def test_without_the_lists_everything_is_saved(scopes: tuple[str, ...], backend: Backend) -> None:
    """A key that may not read definitions is not held up."""
    async with reader(backend, *scopes) as (user, sent):
        told = await user.call("create_insight", name="unread", query=trend("note svaed"))
    assert (False, []) == (told.failed, sent.of("_definitions/"))


async def test_names_are_asked_for_once(backend: Backend) -> None:
    """Further queries cost no list."""
    async with reader(backend) as (user, sent):
        for days in range(3):
            await user.call("run_query", query=trend("note saved", dateRange={"date_from": f"-{days + 1}d"}))
    assert 1 == len(sent.of("_definitions/"))


# as PostHog is


def _definitions(*names: str, count: int | None = None) -> Any:
    return page(*({"name": name, "last_seen_at": None} for name in names), count=count)


async def test_an_event_newer_than_its_definition_is_saved(posthog: Loopback) -> None:
    """Definitions come a little after the events: the events are looked at before a name is refused."""
    posthog.on("GET", r"/api/projects/1/event_definitions/", _definitions("signup"))
    posthog.on("POST", r"/api/projects/1/query/", ok({"results": [[3]], "columns": ["a"]}))
    posthog.on_insights("POST", "", ok(insight(), 201))
    async with assistant(posthog) as user:
        told = await user.call("create_insight", name="x", query=trend("signup_v2"))
    assert (False, 1) == (told.failed, len(posthog.calls("POST", "/insights/")))


@pytest.mark.parametrize("exists", [True, False])
async def test_a_list_that_is_cut_off_is_searched(exists: bool, posthog: Loopback) -> None:
    """Of thousands of events, those that are not on the first page are looked for by name."""
    by_search = {"signup_v2": _definitions("signup_v2") if exists else _definitions()}
    whole = _definitions("signup", count=4000)
    posthog.on(
        "GET", r"/api/projects/1/event_definitions/",
        lambda request: by_search.get(request.query.get("search", [""])[0], whole),
    )  # fmt: skip
    posthog.on_insights("POST", "", ok(insight(), 201))
    async with assistant(posthog) as user:
        told = await user.call("create_insight", name="x", query=trend("signup_v2"))
    assert (not exists, 2) == (told.failed, len(posthog.calls("GET", "event_definitions")))


async def test_lists_that_fail_hold_nothing_up(posthog: Loopback) -> None:
    """They are asked once, and the query is saved as it is."""
    posthog.on("GET", r"/api/projects/1/event_definitions/", error(503, "Down."))
    posthog.on_insights("POST", "", ok(insight(), 201))
    async with assistant(posthog) as user:
        told = await user.call("create_insight", name="x", query=trend("signup"))
    assert (False, 1) == (told.failed, len(posthog.calls("GET", "event_definitions")))


async def test_two_names_that_differ_in_case_are_not_guessed(posthog: Loopback) -> None:
    """With several, none is taken."""
    posthog.on("GET", r"/api/projects/1/event_definitions/", _definitions("Signup", "signup"))
    posthog.on("POST", r"/api/projects/1/query/", ok({"results": [[0]], "columns": ["a"]}))
    async with assistant(posthog) as user:
        told = await user.call("create_insight", name="x", query=trend("SIGNUP"))
    assert (True, True) == (told.failed, 'Nearest for series[0].event: "Signup", "signup"' in told.text), told.text


@pytest.mark.parametrize(("said", "hint"), [
    ("Unable to resolve field: plan", "write properties.plan or person.properties.plan"),
    ("Unable to resolve field: browser", "write properties.$browser"),
    ("Unable to resolve field: timestmp", 'Nearest fields: "timestamp"'),
    ("Unknown table `event`.", 'Nearest tables: "events"'),
    ("Syntax error at position 7", ""),
])  # fmt: skip
async def test_a_failed_query_names_what_was_meant(said: str, hint: str, posthog: Loopback) -> None:
    """PostHog's message stays; the nearest name is added."""
    posthog.on("GET", r"/api/projects/1/property_definitions/", page({"name": "$browser"}, {"name": "plan"}))
    posthog.on("POST", r"/api/projects/1/query/", error(400, said, "invalid_input", "validation_error"))
    async with assistant(posthog) as user:
        told = await user.call("run_query", query={"kind": "HogQLQuery", "query": "select 1"})
    assert (True, True, True) == (told.failed, said in told.text, hint in told.text), told.text


async def test_names_in_sql_cannot_leave_their_quotes(posthog: Loopback) -> None:
    """A name is looked for as a text, whatever it holds."""
    evil = "x' or 1=1 --\\"
    posthog.on("GET", r"/api/projects/1/event_definitions/", _definitions("signup"))
    posthog.on("POST", r"/api/projects/1/query/", ok({"results": [[0]], "columns": ["a"]}))
    async with assistant(posthog) as user:
        await user.call("create_insight", name="x", query=trend(evil))
    (sent,) = posthog.calls("POST", "/query/")
    assert "countIf(event = 'x\\' or 1=1 --\\\\')" in _sql(sent)


def _sql(sent: Received) -> str:
    return str(json.loads(sent.body)["query"]["query"])
