"""Saved insights: what creating, changing, deleting and restoring does, and what it leaves alone."""

from __future__ import annotations

import pytest

from .api import SIGNED_UP, SQL, TREND, Api, Clock, refused

ALERT = {
    "name": "too few",
    "insight": 1,
    "subscribed_users": [1],
    "calculation_interval": "daily",
    "config": {"type": "TrendsAlertConfig", "series_index": 0},
    "condition": {"type": "absolute_value"},
    "threshold": {"configuration": {"type": "absolute", "bounds": {"lower": 1}}},
}


def test_a_new_insight(api: Api) -> None:
    """Everything given is there; nothing was computed."""
    made = api.insight(name=" Sign-ups ", description="all", query=TREND, favorited=True)
    told = {name: made[name] for name in ("name", "description", "query", "favorited", "result", "is_cached", "saved")}
    expected = {"name": "Sign-ups", "description": "all", "query": TREND, "favorited": True, "result": None}
    assert expected | {"is_cached": False, "saved": True} == told


def test_an_empty_insight(api: Api) -> None:
    """Every field may be missing; the query then shows as an empty trend."""
    assert api.insight()["query"] == {
        "kind": "InsightVizNode",
        "source": {"kind": "TrendsQuery", "series": []},
        "full": True,
    }


def test_tags_are_normalised(api: Api) -> None:
    """Trimmed, in lower case, each once; a change replaces them all."""
    assert sorted(api.insight(tags=[" Growth", "growth", "Web"])["tags"]) == ["growth", "web"]
    assert api.patch("insights/1/", {"tags": ["B"]}).json()["tags"] == ["b"]


@pytest.mark.parametrize("path", ["", "activity/"])
def test_a_short_id_in_the_path(api: Api, path: str) -> None:
    """It works wherever the insight itself is asked for."""
    short_id = api.insight(name="one")["short_id"]
    assert api.get(f"insights/1/{path}").json() == api.get(f"insights/{short_id}/{path}").json()


def test_a_short_id_takes_changes(api: Api) -> None:
    """PATCH finds it too."""
    assert api.patch(f"insights/{api.insight(name='one')['short_id']}/", {"name": "two"}).json()["name"] == "two"


@pytest.mark.parametrize("path", ["sharing/", "thresholds/x/"])
def test_a_short_id_below_the_insight(api: Api, path: str) -> None:
    """Sharing and thresholds take the number only."""
    assert api.get(f"insights/{api.insight(name='one')['short_id']}/{path}").status_code == 404


@pytest.mark.parametrize("reference", ["99", "nosuch1", "9" * 30])
def test_an_unknown_insight(api: Api, reference: str) -> None:
    """404."""
    assert refused(api.get(f"insights/{reference}/")) == (404, "Not found.")


def test_destroy(api: Api) -> None:
    """Always 405 and empty; without the scope a 403 that explains itself."""
    owner, reader = api.delete("insights/99/"), api.with_key("insight:read").delete("insights/99/")
    assert (owner.status_code, owner.content) == (405, b"")
    assert refused(reader) == (403, "API key missing required scope 'insight:write'")


def test_delete_and_restore(api: Api) -> None:
    """Deleted: 404 and out of the list. Only `deleted: false` brings it back, without its alerts and tiles."""
    api.post("dashboards/", {"name": "d"})
    api.insight(name="one", query=TREND, dashboards=[1])
    api.post("alerts/", ALERT)
    deleted = api.patch("insights/1/", {"deleted": True}).json()
    hidden = [api.get("insights/1/").status_code, api.patch("insights/1/", {"name": "x"}).status_code]
    listed = api.get("insights/").json()["count"]
    restored = api.patch("insights/1/", {"deleted": False})
    after = api.get("insights/1/").json()
    assert (deleted["deleted"], hidden, listed, restored.status_code) == (True, [404, 404], 0, 200)
    assert (after["alerts"], after["dashboards"], after["dashboard_tiles"]) == ([], [], [])


def test_last_modified(api: Api, clock: Clock) -> None:
    """The name moves it; query, tags and favorited move only updated_at."""
    before = api.insight(name="one", query=TREND)["last_modified_at"]
    clock.pass_by(hours=1)
    quiet = [
        api.patch("insights/1/", change).json() for change in ({"query": SQL}, {"tags": ["a"]}, {"favorited": True})
    ]
    loud = api.patch("insights/1/", {"name": "two"}).json()
    assert [before] * 3 == [insight["last_modified_at"] for insight in quiet]
    assert [insight["updated_at"] for insight in [*quiet, loud]] == ["2026-01-10T10:00:00Z"] * 4
    assert loud["last_modified_at"] == "2026-01-10T10:00:00Z"


def test_a_change_makes_it_saved(api: Api) -> None:
    """Unless it says otherwise."""
    api.insight(saved=False)
    assert [api.patch("insights/1/", fields).json()["saved"] for fields in ({}, {"saved": False})] == [True, False]


def test_put_is_a_change_too(api: Api) -> None:
    """No field is required."""
    api.insight(name="one")
    assert api.request("PUT", "insights/1/", json={"name": "two"}).json()["name"] == "two"


def test_dashboards_are_replaced(api: Api) -> None:
    """The list is the whole list; a tile that comes back is the same tile."""
    for name in "ab":
        api.post("dashboards/", {"name": name})
    first = api.insight(dashboards=[1])["dashboard_tiles"]
    moved = api.patch("insights/1/", {"dashboards": [2]}).json()["dashboards"]
    back = api.patch("insights/1/", {"dashboards": [1]}).json()["dashboard_tiles"]
    assert (first, [2]) == (back, moved)


def test_a_failed_change_changes_nothing(api: Api) -> None:
    """The name is not kept when the dashboard is refused."""
    api.insight(name="one")
    api.patch("insights/1/", {"name": "two", "dashboards": [9]})
    assert api.get("insights/1/").json()["name"] == "one"


def test_a_query_that_cannot_alert_drops_the_alerts(api: Api) -> None:
    """As PostHog does."""
    api.insight(name="one", query=TREND)
    api.post("alerts/", ALERT)
    lifecycle = {"kind": "InsightVizNode", "source": {"kind": "LifecycleQuery", "series": [SIGNED_UP]}}
    assert api.patch("insights/1/", {"query": lifecycle}).json()["alerts"] == []


def test_seen_from_a_dashboard(api: Api) -> None:
    """The dashboard's filters are laid over the query, and the tile's look is told."""
    api.post("dashboards/", {"name": "d", "filters": {"date_from": "-3d"}})
    api.insight(query=TREND, dashboards=[1])
    seen = api.get("insights/1/", from_dashboard=1).json()
    assert (seen["query"]["source"]["dateRange"], seen["layouts"]) == ({"date_from": "-3d"}, {})


def test_a_dashboard_it_is_not_on(api: Api) -> None:
    """Is ignored."""
    api.insight(query=TREND)
    assert api.get("insights/1/", from_dashboard=9).json()["query"] == TREND


def test_an_override_that_is_no_json(api: Api) -> None:
    """400 that names the parameter."""
    api.insight(query=TREND)
    response = api.get("insights/1/", filters_override="{bad")
    assert (response.status_code, response.json()["attr"]) == (400, "filters_override")
