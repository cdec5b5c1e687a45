"""The activity log as a story: grouped, in words, and never broken by what stands in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights_mcp.answer import render
from insights_mcp.schema.activity import Activity, ActivityPage
from insights_mcp.stories.activity import digest, episodes, rows
from insights_mcp.stories.deeds import parts
from insights_mcp.text import UNSAFE
from insights_mcp.tools.activity import ListActivity
from tests.asking import assistant
from tests.loopback import Loopback, Received, Reply, ok

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANN = {"first_name": "Ann", "email": "ann@x.io"}
SIGNED_UP = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "signed up"}]}
BOB = {"first_name": "Bob", "email": "bob@x.io"}


def entry(minutes: Any = 0, activity: Any = "updated", item: Any = "12", user: Any = ANN, **fields: Any) -> Activity:
    """An entry so many minutes before noon; `fields` are name=(before, after)."""
    changes = [{"field": name, "before": before, "after": after} for name, (before, after) in fields.items()]
    at = (NOON - timedelta(minutes=minutes)).isoformat()
    detail = {"name": f"Insight {item}", "short_id": f"short{item}", "changes": changes or None}
    return Activity.model_validate(
        {"user": user, "activity": activity, "item_id": item, "detail": detail, "created_at": at}
    )


def told(*entries: Activity) -> str:
    """The story of one insight, line by line."""
    return "\n".join(" | ".join(row) for row in rows(episodes(entries), of_one=True))


# what one change is called


@pytest.mark.parametrize(
    ("field", "before", "after", "words"),
    [
        ("name", "X", "Y", 'renamed "X" → "Y"'),
        ("name", None, "Y", 'named "Y"'),
        ("name", "X", "", 'name "X" removed'),
        ("description", None, "why", 'described: "why"'),
        ("description", "a", "b", 'description "a" → "b"'),
        ("tags", [], ["growth"], "tag + growth"),
        ("tags", ["a", "b"], ["b", "c"], "tags + c, − a"),
        ("dashboards", [], [{"id": 3, "name": "Growth"}], 'put on dashboard "Growth"'),
        (
            "dashboards",
            [{"dashboard": {"id": 3, "name": "Old"}, "insight": {"id": 1}}],
            [],
            'taken off dashboard "Old"',
        ),
        ("dashboards", [1, 2], [2], "taken off dashboard 1"),
        ("favorited", False, True, "made a favorite"),
        ("filters", {"a": 1}, None, "filters of the older form removed"),
        ("query", None, None, "query saved"),
        ("query", SIGNED_UP, SIGNED_UP | {"dateRange": {"date_from": "-30d"}}, "window 7 d → 30 d"),
        ("query", None, SIGNED_UP, "query set: "),
        ("query", SIGNED_UP, "{'kind': 'Tre…", "query changed"),
        ("query", SIGNED_UP, {"kind": "InsightVizNode", "source": SIGNED_UP}, "query saved in another form"),
        ("colour_of_next_week", {"red": 1}, 7, 'colour of next week: {"red":1} → 7'),
        ("refresh", None, 0, "refresh: nothing → 0"),
        ("query_metadata", {"events": []}, {"events": ["x"]}, "query metadata"),
        ("derived_name", "a", "b", "derived name"),
    ],
)
def test_a_change_in_words(field: str, before: Any, after: Any, words: str) -> None:
    """Known fields have words of their own; others say before → after."""
    assert words in told(entry(**{field: (before, after)}))


@pytest.mark.parametrize(
    ("activity", "changes", "words"),
    [
        ("created", {}, "created"),
        ("deleted", {"deleted": (False, True)}, "deleted"),
        ("restored", {"deleted": (True, False)}, "restored"),
        ("sharing enabled", {"sharing": (None, True)}, "shared by a public link"),
        ("sharing disabled", {"sharing": (None, False)}, "public link switched off"),
        ("access token refreshed", {}, "public link replaced (the old one dies after five minutes)"),
        ("exported", {"export_format": (None, "image/png")}, "exported as image/png"),
        ("exported for opengraph image", {"export_format": (None, "image/png")},
         "exported for opengraph image as image/png"),
        ("moved_to_the_moon", {}, "moved to the moon"),
        ("updated", {}, "updated; the log does not say what"),
    ],
)  # fmt: skip
def test_what_was_done_is_said_once(activity: str, changes: dict[str, Any], words: str) -> None:
    """The verb says it; the field that goes with it is not told again."""
    assert (words,) == parts([entry(activity=activity, **changes)])


def test_what_is_derived_is_told_only_alone() -> None:
    """A new query changes its metadata, too: nobody needs to read that."""
    changes = {"query": ({"kind": "A"}, {"kind": "B"}), "query_metadata": ({}, {"events": 1})}
    assert "metadata" not in told(entry(**changes))


# what belongs together


def test_several_saves_in_a_row_are_one_story() -> None:
    """Each field's net change, in the order it began."""
    story = told(
        entry(0, tags=(["a"], ["a", "growth"])),
        entry(4, name=("Y", "Z")),
        entry(9, name=("X", "Y")),
        entry(12, "created"),
    )
    assert '2026-11-20 12:00 | Ann | created; renamed "X" → "Z"; tag + growth' == story


def test_what_was_undone_says_so() -> None:
    """A name that came back was not changed in the end."""
    assert "name changed and changed back" in told(entry(0, name=("Y", "X")), entry(1, name=("X", "Y")))


def test_hours_apart_are_two_stories() -> None:
    """Even by the same person."""
    assert 2 == len(episodes([entry(0, name=("Y", "Z")), entry(60, name=("X", "Y"))]))


def test_others_in_between_keep_the_order() -> None:
    """Ann's two changes are not one when Bob changed the same insight between them."""
    story = told(entry(0, name=("Z", "X")), entry(1, user=BOB, name=("Y", "Z")), entry(2, name=("X", "Y")))
    assert ["Ann", "Bob", "Ann"] == [line.split(" | ")[1] for line in story.splitlines()]


def test_the_same_done_to_several_insights_is_one_line() -> None:
    """A tag put on five of them."""
    found = episodes([entry(n, item=str(n), tags=([], ["q4"])) for n in range(5)])
    (row,) = rows(found, of_one=False)
    assert ("Insight 0 (short0), Insight 1 (short1), Insight 2 (short2) and 2 more", "tag + q4") == tuple(row[2:])


def test_visitors_are_counted() -> None:
    """Password attempts at a shared page come from nobody of the project."""
    attempts = [
        entry(n, "share_login_failed", user={"first_name": "System", "is_system": True},
              authentication_attempt=(None, {"client_ip": "203.0.113.9"})) for n in range(3)
    ]  # fmt: skip
    assert "a visitor | a visitor of the public link gave a wrong password ×3" in told(*attempts)
    assert "203.0.113.9" not in told(*attempts)


def test_two_of_the_same_name_are_told_apart() -> None:
    """By their addresses."""
    other = {"first_name": "Ann", "email": "ann@y.io"}
    assert ["Ann (ann@x.io)", "Ann (ann@y.io)"] == [e.who for e in episodes([entry(0), entry(1, user=other)])]


def test_a_long_story_takes_several_rows() -> None:
    """None of it is lost."""
    fields = {f"field_{n}": ("x" * 40, "y" * 40) for n in range(5)}
    lines = told(entry(**fields)).splitlines()
    assert (5, 5) == (len(lines), sum(f"field {n}" in line for n, line in enumerate(lines)))


# the digest


def test_the_digest() -> None:
    """How many people, since when, who most, when the last and what stands out."""
    log = [entry(0, "deleted", "1"), entry(60, "updated", "1", BOB), entry(90, "created", "2")]
    first, *rest = digest(log, 412, NOON + timedelta(days=3), of_one=False)
    assert "The newest 3 of 412: by 2 people since 2026-11-20 (most: Ann 2, Bob 1); the last 3d ago, by Ann." == first
    assert ["Among them: 1 created, 1 deleted.", '2 insights changed, most: "Insight 1 (short1)" 2.'] == rest


# through the server


def log_of(posthog: Loopback, *entries: Activity, total: int | None = None) -> None:
    """A PostHog with this log, paged as PostHog pages."""
    found = [e.model_dump(mode="json") for e in entries]

    def answer(request: Received) -> Reply:
        limit, page = int(request.query["limit"][0]), int(request.query["page"][0])
        shown = found[limit * (page - 1) : limit * page]
        following = "https://posthog/next" if limit * page < len(found) else None
        return ok({"results": shown, "next": following, "previous": None, "total_count": total or len(found)})

    posthog.on_insights("GET", r"(\d+/)?activity/", answer)


@pytest.mark.anyio
async def test_pages_follow_each_other(posthog: Loopback) -> None:
    """The first one looks further for its digest; no entry is shown twice or left out."""
    log_of(posthog, *(entry(n * 60, name=(f"n{n + 1}", f"n{n}")) for n in range(45)))
    async with assistant(posthog) as user:
        pages = [await user.call("get_insight_activity", id=12, page=page) for page in (1, 2, 3)]
    assert "By 1 person since" in pages[0].text
    assert [True, True, False] == ["Older ones: page=" in page.text for page in pages]
    renamed = [row[-1] for page in pages for row in page.structured["rows"]]
    assert [f'renamed "n{n + 1}" → "n{n}"' for n in range(45)] == renamed


@pytest.mark.anyio
async def test_all_of_an_entry_is_a_call_away(posthog: Loopback) -> None:
    """With what the story leaves out."""
    log_of(posthog, entry(0, query=({"kind": "TrendsQuery", "interval": "day"}, {"kind": "TrendsQuery"})))
    async with assistant(posthog) as user:
        full = await user.call("list_activity", detail="full")
    assert '"interval":"day"' in full.text


@pytest.mark.anyio
async def test_an_odd_entry_hides_no_other(posthog: Loopback) -> None:
    """What is not of its type is read as absent."""
    odd: list[Any] = [
        {"activity": 7, "item_id": {"a": 1}, "user": "Ann", "detail": "cut", "created_at": 3},
        {"activity": None, "detail": {"changes": [None, "x", {"field": ["tags"]}, {"field": "tags", "after": 5}]}},
        {"activity": "updated", "detail": {"name": {"x": 1}, "changes": "cut…"}, "created_at": "yesterday"},
        entry(0, name=("X", "Y")).model_dump(mode="json"),
    ]  # fmt: skip
    posthog.on_insights("GET", "activity/", ok({"results": odd, "next": None, "total_count": "many"}))
    async with assistant(posthog) as user:
        told_ = await user.call("list_activity")
    assert (False, True) == (told_.failed, 'renamed "X" → "Y"' in told_.text)


# any log

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["|", "a\nb", "\u202e", "updated", "2026-11-20T12:00:00Z", "9999-12-31T23:59:59+14:00", "tags"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
fields = st.sampled_from(
    ["name", "description", "query", "filters", "favorited", "deleted", "sharing", "tags", "dashboards", "other"]
)
verbs = st.sampled_from(["updated", "created", "deleted", "sharing enabled", "share_login_failed", "exported"])
changes = st.builds(lambda f, b, a: {"field": f, "before": b, "after": a}, fields | anything, anything, anything)
details = st.builds(lambda n, s, c: {"name": n, "short_id": s, "changes": c}, anything, anything, st.lists(changes))
entries = st.builds(
    lambda u, a, i, d, c: {"user": u, "activity": a, "item_id": i, "detail": d, "created_at": c},
    anything | st.sampled_from([ANN, BOB]), verbs | anything, anything, details | anything, anything,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(entries, max_size=12), st.booleans())
def test_no_log_breaks_a_line(log: list[Any], of_one: bool) -> None:
    """Whatever stands in it: every row stays one line of as many cells, inside the budget, and nothing unsafe."""
    page = ActivityPage.model_validate({"results": log, "total_count": len(log)})
    answer = ListActivity(limit=100).told(page, of_one=of_one)
    shown = render(answer, "project 1")
    assert max(len(shown.text), len(json.dumps(shown.structured, ensure_ascii=False))) <= 6_000 + 400
    assert UNSAFE.search(shown.text.replace("\n", "")) is None
    table = shown.text.split("\n\n")[1].splitlines() if shown.structured.get("rows") else []
    assert len(table) == len(shown.structured.get("rows", [])) + (1 if table else 0)
    wide = 3 if of_one else 4
    assert all(line.replace("\\|", "").count(" | ") == wide - 1 for line in table)
