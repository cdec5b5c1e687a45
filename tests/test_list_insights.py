"""Finding insights as a model asks for them: words for kinds and dates, and what an empty page means."""

from __future__ import annotations

import pytest

from tests.asking import Told, assistant
from tests.loopback import Loopback, insight, ok, page

pytestmark = pytest.mark.anyio


async def listed(posthog: Loopback, **given: object) -> Told:
    """A call of list_insights."""
    async with assistant(posthog) as user:
        return await user.call("list_insights", **given)


@pytest.mark.parametrize(
    ("said", "sent"),
    [("funnel", "FUNNELS"), ("TrendsQuery", "TRENDS"), ("retention", "RETENTION"), ("HogQLQuery", "SQL")],
)
async def test_a_kind_in_the_words_of_queries(said: str, sent: str, posthog: Loopback) -> None:
    """The list has words of its own for the same kinds."""
    posthog.on_insights("GET", "", page(insight()))
    told = await listed(posthog, kind=said)
    assert (False, [sent]) == (told.failed, posthog.calls()[0].query["insight"])


async def test_dates_in_words(posthog: Loopback) -> None:
    """PostHog would take them for now; a note says how they were read."""
    posthog.on_insights("GET", "", page(insight()))
    told = await listed(posthog, modified_after="last week", modified_before="yesterday")
    sent = posthog.calls()[0].query
    assert (["-1wStart"], ["-1dStart"]) == (sent["date_from"], sent["date_to"])
    assert 'Read "last week" as -1wStart.' in told.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"offset": 40}, "No insight after the first 40: there are 3."),
        ({"search": "signups"}, "Next: Search finds parts of words as they are written; try fewer or other words."),
        ({"tags": "x", "favorited": True}, "Next: Leave out favorited or tags."),
    ],
)
async def test_an_empty_page_says_what_to_do(given: dict[str, object], said: str, posthog: Loopback) -> None:
    """Past the end there are insights; where nothing matches, less has to be asked for."""
    posthog.on_insights("GET", "", page(count=3 if "offset" in given else 0))
    assert said in (await listed(posthog, **given)).text


@pytest.mark.parametrize(("asked", "taken"), [(0, 1), (500, 100)])
async def test_a_limit_out_of_bounds_becomes_the_nearest(asked: int, taken: int, posthog: Loopback) -> None:
    """A note says so; the call is not refused."""
    posthog.on_insights("GET", "", page(insight()))
    told = await listed(posthog, limit=asked)
    assert ([str(taken)], True) == (
        posthog.calls()[0].query["limit"],
        f"limit is 1 to 100: {taken} taken." in told.text,
    )


async def test_a_dashboard_it_is_not_on(posthog: Loopback) -> None:
    """PostHog ignores it without a word, and so its filters are in no number."""
    tiles = [{"id": 1, "dashboard_id": 3, "deleted": None}]
    posthog.on_insights("GET", "12/", ok(insight(dashboard_tiles=tiles)))
    async with assistant(posthog) as user:
        there, not_there = [(await user.call("get_insight", id=12, from_dashboard=n)).text for n in (3, 99)]
    assert (False, True) == tuple("It is not on dashboard" in text for text in (there, not_there))


async def test_one_insight_is_marked_as_viewed(posthog: Loopback) -> None:
    """One reference is a list of one."""
    posthog.on_insights("GET", "12/", ok(insight()))
    posthog.on_insights("POST", "viewed/", ok(None, status=201))
    async with assistant(posthog) as user:
        told = await user.call("mark_insights_viewed", ids=12)
    assert (False, "Recorded a view of 1 insight.") == (told.failed, told.structured["answer"])


@pytest.mark.parametrize(("said", "sent"), [(True, "force_async"), ("false", "async"), ("lazy_async", "async")])
async def test_other_words_for_refresh(said: object, sent: str, posthog: Loopback) -> None:
    """PostHog has more of them, and run_query says yes or no."""
    posthog.on_insights("GET", "12/", ok(insight()))
    async with assistant(posthog) as user:
        told = await user.call("get_insight", id=12, refresh=said)
    assert (False, [sent]) == (told.failed, posthog.calls()[0].query["refresh"])


async def test_numbers_of_a_window_that_begins_within_a_month(posthog: Loopback) -> None:
    """Where dates are taken to the second, the first bucket holds less than all of it."""
    source = {"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "-1m", "explicitDate": True}}
    series = {"label": "x", "data": [3, 9], "days": ["2026-01-01", "2026-02-01"]}
    dates = {"date_from": "2026-01-20T10:00:00Z", "date_to": "2026-02-28T23:59:59Z"}
    held = insight(query={"kind": "InsightVizNode", "source": source}, result=[series], resolved_date_range=dates)
    posthog.on_insights("GET", "12/", ok(held | {"last_refresh": "2026-03-01T00:00:00Z"}))
    async with assistant(posthog) as user:
        assert "; first bucket partial" in (await user.call("get_insight", id=12)).text
