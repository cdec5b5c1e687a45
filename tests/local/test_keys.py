"""Keys: where they are looked for, what they may do, how they are refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from .api import SQL, TREND, Api, refused

SESSION_ONLY = "This action does not support personal API key access"

READS = {
    "insight:read": ["insights/", "insights/1/", "insights/trending/"],
    "sharing_configuration:read": ["insights/1/sharing/"],
    "alert:read": ["insights/1/thresholds/", "alerts/"],
    "activity_log:read": ["insights/activity/", "insights/1/activity/"],
    "event_definition:read": ["event_definitions/"],
    "property_definition:read": ["property_definitions/"],
    "action:read": ["actions/", "actions/1/"],
    "cohort:read": ["cohorts/", "cohorts/1/"],
    "dashboard:read": ["dashboards/"],
    "query:read": ["events/values/?key=plan&event_name=paid"],
    "user:read": ["/api/users/@me/"],
    "project:read": ["/api/projects/", "/api/projects/1/"],
}
WRITES = {
    "insight:write": ["POST insights/", "PATCH insights/1/", "DELETE insights/1/"],
    "sharing_configuration:write": [
        "PATCH insights/1/sharing/",
        "POST insights/1/sharing/passwords/",
        "DELETE insights/1/sharing/passwords/1/",
        "POST insights/1/sharing/refresh/",
    ],
    "alert:write": ["POST alerts/"],
    "dashboard:write": ["POST dashboards/"],
}
MATRIX = [(scope, f"GET {path}") for scope, paths in READS.items() for path in paths] + [
    (scope, call) for scope, calls in WRITES.items() for call in calls
]


@pytest.mark.parametrize(("scope", "call"), MATRIX)
def test_the_permission_matrix(api: Api, scope: str, call: str) -> None:
    """Without its scope a call is refused by name, before its body is looked at; with it the call passes the door."""
    api.insight(name="one", query=TREND)
    method, path = call.split()
    other = "insight:write" if not scope.startswith("insight") else "query:read"
    kept_out, let_in = (api.with_key(held).request(method, path) for held in (other, scope))
    assert (403, f"API key missing required scope '{scope}'") == refused(kept_out)
    assert let_in.status_code != 403


def test_write_implies_read(api: Api) -> None:
    """A key with insight:write reads insights, and nothing of another object."""
    api.insight(name="one")
    key = api.with_key("insight:write")
    paths = ["insights/", "insights/1/activity/", "insights/1/thresholds/", "insights/1/sharing/"]
    answers = [key.get(path).status_code for path in paths] + [key.post("query/", {"query": SQL}).status_code]
    assert answers == [200, 403, 403, 403, 403]


def test_no_key(api: Api) -> None:
    """401 with the text of the framework, and a challenge."""
    response = api.anonymous().get("insights/")
    body = {
        "type": "authentication_error",
        "code": "not_authenticated",
        "detail": "Authentication credentials were not provided.",
        "attr": None,
    }
    assert (401, body, "Bearer") == (response.status_code, response.json(), response.headers["www-authenticate"])


def test_a_wrong_key_is_named_by_its_place(api: Api) -> None:
    """Header first, then body, then query string; only the first found is tried."""
    stranger = api.anonymous()
    body, query = {"personal_api_key": "phx_no"}, "insights/?personal_api_key=phx_no"
    answers = [
        stranger.request("POST", query, json=body, headers={"Authorization": "Bearer phx_no"}),
        stranger.post(query, body),
        stranger.get(query),
    ]
    places = ["Authorization header", "body", "query string"]
    assert [(401, f"Personal API key found in request {p} is invalid.") for p in places] == [
        refused(a) for a in answers
    ]


def test_a_key_in_the_body_and_in_the_query_string(api: Api) -> None:
    """Both work; the key does not come back in links."""
    key = api.backend.create_key("k", ["insight:write"])
    for name in "ab":
        assert api.anonymous().post("insights/", {"personal_api_key": key, "name": name}).status_code == 201
    page = api.anonymous().get("insights/", personal_api_key=key, limit=1, basic="true").json()
    assert page["next"] == "http://local/api/projects/1/insights/?basic=true&limit=1&offset=1"


@pytest.mark.parametrize(
    "call",
    [
        "GET insights/1/analyze/",
        "GET insights/1/suggestions/",
        "POST insights/1/suggestions/",
        "POST insights/cancel/",
        "GET insights/my_last_viewed/",
    ],
)
def test_a_key_is_refused_where_only_a_session_may(api: Api, call: str) -> None:
    """Even a key with every scope."""
    assert refused(api.with_key("*").request(*call.split())) == (403, SESSION_ONLY)


@pytest.mark.parametrize("call", ["GET insights/1/analyze/", "POST insights/cancel/", "GET insights/trending/"])
def test_strict_keys_refuse_the_owner_too(strict: Api, call: str) -> None:
    """As older versions of PostHog do, trending with them."""
    assert refused(strict.request(*call.split())) == (403, SESSION_ONLY)


def test_the_current_key(api: Api) -> None:
    """Any key may look at itself; its text is never shown."""
    key = api.with_key("insight:read", teams=[1])
    described = key.get("/api/personal_api_keys/@current/").json()
    assert (described["scopes"], described["scoped_teams"], described["value"]) == (["insight:read"], [1], None)


def test_a_key_of_another_project(api: Api) -> None:
    """It is refused in this project, and wherever no project is named, apart from asking about itself."""
    key = api.with_key("*", teams=[123])
    nowhere = "API keys with scoped projects are only supported on project-based endpoints."
    assert refused(key.get("insights/")) == (403, "API key does not have access to the requested project: ID 1.")
    assert (403, nowhere) == refused(key.get("/api/projects/"))
    assert key.get("/api/users/@me/").status_code == 200


def test_keys_are_stored_as_hashes(api: Api, folder: Path) -> None:
    """Neither the owner's key nor a made one stands in any file of the folder."""
    made = api.backend.create_key("k", ["*"])
    with sqlite3.connect(folder / "project.sqlite3") as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert [made in dump, api.backend.owner_key in dump] == [False, False]


def test_a_given_owner_key(api: Api) -> None:
    """A key text handed to the backend opens everything."""
    api.backend.add_key("phx_chosen-by-the-owner-himself")
    headers = {"Authorization": "Bearer phx_chosen-by-the-owner-himself"}
    api.insight(name="one")
    assert api.anonymous().request("GET", "insights/1/analyze/", headers=headers).status_code == 200
