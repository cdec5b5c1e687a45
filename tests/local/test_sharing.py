"""Sharing: the link's life, its passwords, its replacement."""

from __future__ import annotations

from typing import Any

import pytest

from .api import Api, Clock, refused

PASSWORD = "hunter2hunter2"


@pytest.fixture
def shared(api: Api) -> Api:
    """One insight, shared, with one password."""
    api.insight(name="one")
    api.patch("insights/1/sharing/", {"enabled": True, "password_required": True})
    api.post("insights/1/sharing/passwords/", {"raw_password": PASSWORD, "note": "board"})
    return api


def sharing(api: Api) -> dict[str, Any]:
    """The sharing configuration."""
    return dict(api.get("insights/1/sharing/").json())


def test_never_shared(api: Api) -> None:
    """Nothing is stored, and every answer has another token."""
    api.insight(name="one")
    first, second = sharing(api), sharing(api)
    assert tuple(first[name] for name in ("created_at", "enabled", "share_passwords", "settings")) == (
        None,
        False,
        [],
        None,
    )
    assert first["access_token"] != second["access_token"]


def test_switched_on(api: Api) -> None:
    """The token stays, and the log says so."""
    api.insight(name="one")
    token = api.patch("insights/1/sharing/", {"enabled": True}).json()["access_token"]
    entry = api.get("insights/1/activity/").json()["results"][0]
    assert (token, True) == (sharing(api)["access_token"], sharing(api)["enabled"])
    change = {"type": "Insight", "action": "changed", "field": "sharing", "before": None, "after": True}
    assert ("sharing enabled", [change]) == (entry["activity"], entry["detail"]["changes"])


def test_switched_on_twice(api: Api) -> None:
    """Is logged once."""
    api.insight(name="one")
    for _ in range(2):
        api.patch("insights/1/sharing/", {"enabled": True})
    log = [item["activity"] for item in api.get("insights/1/activity/").json()["results"]]
    assert log == ["sharing enabled", "created"]


def test_settings(api: Api) -> None:
    """Known ones are kept, unknown ones dropped, bad ones refused."""
    api.insight(name="one")
    kept = api.patch("insights/1/sharing/", {"settings": {"theme": "dark", "nonsense": 1}}).json()["settings"]
    bad = api.patch("insights/1/sharing/", {"settings": {"theme": 1}})
    assert (kept, refused(bad)) == ({"theme": "dark"}, (400, "Invalid settings format"))


def test_an_unknown_insight(api: Api) -> None:
    """404 in its own words."""
    assert refused(api.get("insights/9/sharing/")) == (404, "Insight not found.")


def test_a_new_password(api: Api) -> None:
    """Its text is in this one answer and nowhere else."""
    api.insight(name="one")
    api.patch("insights/1/sharing/", {"password_required": True})
    made = api.post("insights/1/sharing/passwords/", {"raw_password": PASSWORD, "note": "board"})
    expected = {"id": 1, "password": PASSWORD, "note": "board", "created_at": "2026-01-10T09:00:00Z"}
    assert (201, expected | {"created_by_email": "local@localhost"}) == (made.status_code, made.json())
    assert PASSWORD not in api.get("insights/1/sharing/").text


def test_the_list_of_passwords(shared: Api) -> None:
    """Who made them and when."""
    row = {"id": 1, "created_at": "2026-01-10T09:00:00Z", "note": "board", "created_by_email": "local@localhost"}
    assert [row | {"is_active": True}] == sharing(shared)["share_passwords"]


@pytest.mark.parametrize("body", [None, {}, {"raw_password": ""}, {"raw_password": None}])
def test_a_password_made_up(shared: Api, body: Any) -> None:
    """When none is given."""
    assert len(shared.post("insights/1/sharing/passwords/", body).json()["password"]) >= 16


def test_a_short_password(shared: Api) -> None:
    """400 that names the field."""
    response = shared.post("insights/1/sharing/passwords/", {"raw_password": "1234567"})
    assert refused(response) == (400, "Password must be at least 8 characters long.")
    assert response.json()["attr"] == "raw_password"


def test_a_note_that_is_too_long(shared: Api) -> None:
    """400 max_length."""
    response = shared.post("insights/1/sharing/passwords/", {"note": "x" * 101})
    assert (response.status_code, response.json()["code"], response.json()["attr"]) == (400, "max_length", "note")


def test_a_password_without_protection(api: Api) -> None:
    """400 in the body these endpoints have; it comes before the look at the password."""
    api.insight(name="one")
    response = api.post("insights/1/sharing/passwords/", {"raw_password": "x"})
    expected = {"error": "Password protection must be enabled before creating passwords"}
    assert (400, expected) == (response.status_code, response.json())


def test_a_password_is_deleted_once(shared: Api) -> None:
    """204, then 404."""
    first, second = (shared.delete("insights/1/sharing/passwords/1/") for _ in range(2))
    assert (first.status_code, first.content, refused(second)) == (204, b"", (404, "Password not found"))


def test_a_password_number_that_is_none(shared: Api) -> None:
    """404."""
    assert refused(shared.delete("insights/1/sharing/passwords/x/")) == (404, "Password not found")


def test_a_new_link(shared: Api, clock: Clock) -> None:
    """Another token and another password number; the old number belongs to the old link."""
    old = sharing(shared)["access_token"]
    clock.pass_by(hours=1)
    new = shared.post("insights/1/sharing/refresh/").json()
    assert (new["enabled"], new["password_required"], new["created_at"]) == (True, True, "2026-01-10T10:00:00Z")
    assert ([row["id"] for row in new["share_passwords"]], old == new["access_token"]) == ([2], False)
    assert [shared.delete(f"insights/1/sharing/passwords/{n}/").status_code for n in (1, 2)] == [404, 204]


def test_a_new_link_is_logged(shared: Api) -> None:
    """Without changes."""
    shared.post("insights/1/sharing/refresh/")
    entry = shared.get("insights/1/activity/").json()["results"][0]
    assert (entry["activity"], entry["detail"]["changes"]) == ("access token refreshed", None)
