"""The activity log: what is written, what is not, and its two feeds."""

from __future__ import annotations

import pytest

from .api import TREND, Api, refused


def entries(api: Api, path: str = "insights/activity/") -> list[str]:
    """What happened, newest first."""
    return [item["activity"] for item in api.get(path).json()["results"]]


def test_a_life(api: Api) -> None:
    """Created, updated, deleted, restored: each leaves an entry."""
    api.insight(name="one")
    for change in ({"name": "two"}, {"deleted": True}, {"deleted": False}):
        api.patch("insights/1/", change)
    assert entries(api, "insights/1/activity/") == ["restored", "deleted", "updated", "created"]


def test_an_entry(api: Api) -> None:
    """Says who, what, and every change."""
    api.insight(name="one")
    api.patch("insights/1/", {"name": "two"})
    entry = api.get("insights/activity/").json()["results"][0]
    changes = [{"type": "Insight", "action": "changed", "field": "name", "before": "one", "after": "two"}]
    short_id = api.get("insights/1/").json()["short_id"]
    detail = {"changes": changes, "trigger": None, "type": None, "name": "two", "short_id": short_id}
    assert {
        "user": {"first_name": "Local", "email": "local@localhost"},
        "activity": "updated",
        "scope": "Insight",
        "item_id": "1",
        "detail": detail,
        "created_at": "2026-01-10T09:00:00Z",
    } == entry


def test_an_insight_without_a_name_leaves_no_trace(api: Api) -> None:
    """Until it is named."""
    api.insight(query=TREND)
    silent = entries(api)
    api.patch("insights/1/", {"name": "one"})
    assert (silent, entries(api)) == ([], ["updated"])


def test_a_change_that_changes_nothing(api: Api) -> None:
    """Is not logged."""
    api.insight(name="one", tags=["a"])
    api.patch("insights/1/", {"name": "one", "tags": ["A"]})
    assert entries(api) == ["created"]


@pytest.mark.parametrize(
    ("fields", "action", "before", "after"),
    [
        ({"description": "d"}, "created", None, "d"),
        ({"tags": ["b"]}, "created", [], ["b"]),
        ({"favorited": True}, "changed", False, True),
        ({"name": None, "derived_name": "x"}, "deleted", "one", None),
        ({"dashboards": [1]}, "created", [], [{"id": 1, "name": "d"}]),
        ({"query": TREND}, "created", None, TREND),
    ],
)
def test_the_kind_of_a_change(api: Api, fields: dict[str, object], action: str, before: object, after: object) -> None:
    """Created from nothing, deleted to nothing, else changed; false is something."""
    api.post("dashboards/", {"name": "d"})
    api.insight(name="one")
    api.patch("insights/1/", fields)
    change = api.get("insights/activity/").json()["results"][0]["detail"]["changes"][0]
    assert (action, before, after) == (change["action"], change["before"], change["after"])


def test_pages(api: Api) -> None:
    """Ten entries by default, the whole size, links by page."""
    for number in range(12):
        api.insight(name=str(number))
    first = api.get("insights/activity/").json()
    link = "http://local/api/projects/1/insights/activity/?page=2&limit=10"
    assert (10, 12, link, None) == (len(first["results"]), first["total_count"], first["next"], first["previous"])
    second = api.get("insights/activity/", page=2).json()
    assert (len(second["results"]), second["next"]) == (2, None)


@pytest.mark.parametrize("params", [{"page": "0"}, {"limit": "x"}])
def test_a_bad_page(api: Api, params: dict[str, str]) -> None:
    """400."""
    assert api.get("insights/activity/", **params).status_code == 400


def test_the_feed_of_a_deleted_insight(api: Api) -> None:
    """Is gone with it; the project's feed keeps the entries."""
    api.insight(name="one")
    api.patch("insights/1/", {"deleted": True})
    assert refused(api.get("insights/1/activity/")) == (404, "Not found.")
    assert entries(api) == ["deleted", "created"]
