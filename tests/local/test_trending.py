"""Views and trending: viewers are counted, not views."""

from __future__ import annotations

from typing import Any

import pytest

from .api import Api, Clock, refused


def trending(api: Api, **params: Any) -> list[tuple[str, int]]:
    """Names and counts of the trending list."""
    return [(item["name"], item["view_count"]) for item in api.get("insights/trending/", **params).json()["results"]]


def test_a_new_insight_trends_with_its_maker(api: Api) -> None:
    """And reading it changes nothing."""
    api.insight(name="one")
    before = trending(api)
    api.with_key("*", user="bob@localhost").get("insights/1/")
    assert [("one", 1)] == before == trending(api)


def test_viewers_are_counted_once(api: Api) -> None:
    """Twice by one person is one; a second person makes two."""
    api.insight(name="one")
    for _ in range(2):
        api.post("insights/viewed/", {"insight_ids": [1]})
    once = trending(api)
    api.with_key("insight:read", user="bob@localhost").post("insights/viewed/", {"insight_ids": [1]})
    assert (once, trending(api)) == ([("one", 1)], [("one", 2)])


def test_at_most_three_viewers_newest_first(api: Api, clock: Clock) -> None:
    """Of four viewers, the last three."""
    api.insight(name="one")
    for name in ("b", "c", "d"):
        clock.pass_by(minutes=1)
        api.with_key("insight:read", user=f"{name}@localhost").post("insights/viewed/", {"insight_ids": [1]})
    item = api.get("insights/trending/").json()["results"][0]
    assert (item["view_count"], [user["first_name"] for user in item["viewers"]]) == (4, ["d", "c", "b"])


def test_the_order_and_the_window(api: Api, clock: Clock) -> None:
    """Most viewers first; views that are too old do not count."""
    for name in ("old", "new"):
        api.insight(name=name)
    clock.pass_by(days=3)
    api.post("insights/viewed/", {"insight_ids": [2]})
    api.with_key("*", user="bob@localhost").post("insights/viewed/", {"insight_ids": [2]})
    assert trending(api) == [("new", 2), ("old", 1)]
    assert [("new", 2)] == trending(api, days=1) == trending(api, limit=1)


def test_deleted_insights_do_not_trend(api: Api) -> None:
    """Whoever looked at them."""
    api.insight(name="one")
    api.patch("insights/1/", {"deleted": True})
    assert trending(api) == []


def test_days_that_are_no_number(api: Api) -> None:
    """400 in PostHog's words."""
    assert refused(api.get("insights/trending/", days="x")) == (400, "days and limit must be valid integers")


def test_viewed_answers_with_nothing(api: Api) -> None:
    """201 and an empty body, also when no number names an insight."""
    response = api.post("insights/viewed/", {"insight_ids": [99, 2**62, 2**63]})
    assert (response.status_code, response.content) == (201, b"")


@pytest.mark.parametrize("body", [{}, {"insight_ids": []}, {"insight_ids": 1}])
def test_viewed_needs_numbers(api: Api, body: dict[str, Any]) -> None:
    """400 that names the field."""
    response = api.post("insights/viewed/", body)
    told = response.json()
    assert (
        response.status_code,
        told["attr"],
        told["detail"],
    ) == (400, "insight_ids", "Must be a non-empty list of insight IDs")


def test_my_last_viewed(api: Api, clock: Clock) -> None:
    """The caller's own, newest first."""
    for name in ("one", "two"):
        api.insight(name=name)
        clock.pass_by(minutes=1)
    api.post("insights/viewed/", {"insight_ids": [1]})
    assert [item["name"] for item in api.get("insights/my_last_viewed/").json()] == ["one", "two"]
