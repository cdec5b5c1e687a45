"""Dashboards: made, listed, read with their insights, changed."""

from __future__ import annotations

import pytest

from .api import TREND, Api, names


def test_the_list(api: Api) -> None:
    """Pinned ones first, then by name."""
    for fields in ({"name": "b"}, {"name": "a"}, {"name": "c", "pinned": True}):
        api.post("dashboards/", fields)
    assert names(api.get("dashboards/")) == ["c", "a", "b"]
    assert names(api.get("dashboards/", search="A")) == ["a"]


def test_its_tiles(api: Api) -> None:
    """Each with its whole insight, seen through the dashboard's filters."""
    api.post("dashboards/", {"name": "d", "filters": {"date_from": "-2d"}})
    api.insight(name="one", query=TREND, dashboards=[1])
    tiles = api.get("dashboards/1/", refresh="blocking").json()["tiles"]
    insight = tiles[0]["insight"]
    assert (len(tiles), insight["name"], len(insight["result"][0]["days"])) == (1, "one", 3)


def test_it_is_changed(api: Api) -> None:
    """Field by field."""
    api.post("dashboards/", {"name": "d", "tags": ["A "]})
    changed = api.patch("dashboards/1/", {"description": "about"}).json()
    assert (changed["name"], changed["description"], changed["tags"]) == ("d", "about", ["a"])


@pytest.mark.parametrize(("with_insights", "left"), [(False, ["one"]), (True, [])])
def test_it_is_deleted(api: Api, with_insights: bool, left: list[str]) -> None:
    """Gone from the list and from its insights; its insights go along only when asked."""
    api.post("dashboards/", {"name": "d"})
    api.insight(name="one", dashboards=[1])
    api.patch("dashboards/1/", {"deleted": True, "delete_insights": with_insights})
    assert (names(api.get("dashboards/")), api.get("dashboards/1/").status_code) == ([], 404)
    listed = api.get("insights/").json()["results"]
    assert (left, [[]] * len(left)) == ([i["name"] for i in listed], [i["dashboards"] for i in listed])


def test_it_comes_back(api: Api) -> None:
    """`deleted: false`."""
    api.post("dashboards/", {"name": "d"})
    api.patch("dashboards/1/", {"deleted": True})
    api.patch("dashboards/1/", {"deleted": False})
    assert names(api.get("dashboards/")) == ["d"]


def test_destroy(api: Api) -> None:
    """405, empty."""
    response = api.delete("dashboards/1/")
    assert (response.status_code, response.content) == (405, b"")


@pytest.mark.parametrize("number", ["9", "x"])
def test_an_unknown_dashboard(api: Api, number: str) -> None:
    """404."""
    assert api.get(f"dashboards/{number}/").status_code == 404
