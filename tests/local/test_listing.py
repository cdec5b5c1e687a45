"""The list of insights: every filter, the order, the pages."""

from __future__ import annotations

import json

import pytest

from .api import SQL, TREND, Api, Clock, names, refused


@pytest.fixture
def three(api: Api, clock: Clock) -> Api:
    """Three insights, made an hour apart: `a` by the owner, `b` and `c` by Bob."""
    for name in ("d1", "d2"):
        api.post("dashboards/", {"name": name})
    bob = api.with_key("*", user="bob@localhost")
    api.insight(name="a", description="Ärger", tags=["web"], query=TREND, dashboards=[1, 2])
    clock.pass_by(hours=1)
    bob.insight(name="b", tags=["growth", "web"], query=SQL, favorited=True, dashboards=[1])
    clock.pass_by(hours=1)
    bob.insight(name="c", derived_name="Sign-ups", tags=["growth"], saved=False)
    return api


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"favorited": "false"}, ["b"]),
        ({"user": "false"}, ["a"]),
        ({"search": "ÄRG"}, ["a"]),
        ({"search": "growth"}, ["b", "c"]),
        ({"search": "sign-"}, ["c"]),
        ({"search": "100%"}, []),
        ({"tags": '["web", "growth"]'}, ["a", "b", "c"]),
        ({"tags": '["Web"]'}, ["a", "b"]),
        ({"tags": "[]"}, []),
        ({"dashboards": "[1]"}, ["a", "b"]),
        ({"dashboards": "[1, 2]"}, ["a"]),
        ({"created_by": "[1]"}, ["a"]),
        ({"created_by": "[1, 2]"}, ["a", "b", "c"]),
        ({"saved": "true"}, ["a", "b"]),
        ({"saved": "false"}, ["c"]),
        ({"insight": "TRENDS"}, ["a"]),
        ({"insight": "SQL"}, ["b"]),
        ({"insight": "FUNNELS"}, []),
        ({"insight": "JSON"}, []),
        ({"events": '["signed_up"]'}, ["a"]),
        ({"events": '["signed_up", "paid"]'}, []),
        ({"created_date_from": "2026-01-10T09:30:00Z"}, ["b", "c"]),
        ({"date_to": "2026-01-10T10:30:00"}, ["a", "b"]),
        ({"date_from": "-1d"}, ["a", "b", "c"]),
        ({"created_date_to": "-1m"}, []),
        ({"last_viewed_date_from": "2026-01-10T10:30:00Z"}, ["c"]),
        ({"short_id": "nosuch11"}, []),
        ({"feature_flag": "beta"}, []),
        ({"hide_feature_flag_insights": "true"}, ["a", "b", "c"]),
        ({"favorited": "1", "user": "1"}, []),
    ],
)
def test_a_filter(three: Api, params: dict[str, str], expected: list[str]) -> None:
    """What each filter lets through."""
    assert expected == sorted(names(three.get("insights/", basic="true", **params)))


@pytest.mark.parametrize(
    "params",
    [
        {"tags": "web"},
        {"dashboards": "1"},
        {"dashboards": "[1e9]"},
        {"created_by": '["x"]'},
        {"order": "secret"},
        {"date_from": "soon"},
        {"date_from": "9999-12-31T23:59:59-12:00"},
        {"search": "x" * 201},
    ],
)
def test_a_bad_filter(three: Api, params: dict[str, str]) -> None:
    """400 that names the parameter."""
    response = three.get("insights/", **params)
    assert (400, next(iter(params))) == (response.status_code, response.json()["attr"])


@pytest.mark.parametrize(("order", "expected"), [("name", "abc"), ("-name", "cba"), ("created_at", "abc"),
                                                 ("-last_modified_at", "cba"), ("-last_viewed_at", "cba")])  # fmt: skip
def test_the_order(three: Api, order: str, expected: str) -> None:
    """By field, descending with a minus."""
    assert list(expected) == names(three.get("insights/", order=order))


def test_never_viewed_comes_last(api: Api) -> None:
    """In descending order too."""
    for name in "ab":
        api.insight(name=name)
    api.backend.store.change("delete from views where insight_id = 2")
    assert names(api.get("insights/", order="-last_viewed_at")) == ["a", "b"]


def test_pages(three: Api) -> None:
    """Links are absolute, keep the other parameters, and end."""
    page = three.get("insights/", order="name", limit=2, tags=json.dumps(["web", "growth"])).json()
    assert page["count"] == 3
    following = three.request("GET", page["next"].removeprefix("http://local")).json()
    assert ([item["name"] for item in following["results"]], following["next"]) == (["c"], None)
    back = three.request("GET", following["previous"].removeprefix("http://local")).json()
    assert [item["name"] for item in back["results"]] == ["a", "b"]


@pytest.mark.parametrize(
    "params", [{"limit": "-1"}, {"limit": "x"}, {"limit": "0"}, {"offset": "-5"}, {"limit": "9" * 40}]
)
def test_a_bad_limit_is_the_default(three: Api, params: dict[str, str]) -> None:
    """Not an error."""
    assert len(three.get("insights/", **params).json()["results"]) == 3


def test_past_the_end(three: Api) -> None:
    """Empty, not an error."""
    assert (three.get("insights/", offset=50).status_code, names(three.get("insights/", offset=50))) == (200, [])


def test_the_basic_form(three: Api) -> None:
    """Has no result, no alerts, no last modifier; but the time of the last view."""
    row = three.get("insights/", basic="true", order="name").json()["results"][0]
    assert set() == {"result", "alerts", "last_modified_by", "is_cached", "deleted"} & set(row)
    assert row["last_viewed_at"] == "2026-01-10T09:00:00Z"


def test_the_full_form_in_a_list(three: Api) -> None:
    """Has the result that is kept, and the time of the last view."""
    row = three.get("insights/", order="name").json()["results"][0]
    assert (row["result"], row["is_cached"], row["last_viewed_at"]) == (None, False, "2026-01-10T09:00:00Z")


def test_a_search_that_is_too_long(api: Api) -> None:
    """In PostHog's words."""
    assert refused(api.get("insights/", search="x" * 201)) == (400, "Search query must be 200 characters or fewer.")
