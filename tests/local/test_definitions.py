"""Events, properties and values, as the event store holds them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .api import Api, names, refused


def test_events(api: Api) -> None:
    """Seen last comes first; times are UTC."""
    page = api.get("event_definitions/").json()
    assert (page["count"], page["results"][0]["last_seen_at"]) == (2, "2026-01-09T09:00:00Z")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"search": "SIGN up"}, ["signed_up"]),
        ({"search": "nothing"}, []),
        ({"ordering": "-name"}, ["signed_up", "paid"]),
        ({"ordering": "nonsense"}, ["paid", "signed_up"]),
        ({"event_type": "event_posthog"}, []),
        ({"event_type": "event_custom", "limit": "1"}, ["paid"]),
        ({"limit": "1", "offset": "1"}, ["signed_up"]),
    ],
)
def test_which_events(api: Api, params: dict[str, str], expected: list[str]) -> None:
    """By words, type, order and page."""
    assert expected == names(api.get("event_definitions/", **params))


def test_a_bad_event_type(api: Api) -> None:
    """400 that names the parameter."""
    assert api.get("event_definitions/", event_type="x").json()["attr"] == "event_type"


def test_properties(api: Api) -> None:
    """With their types."""
    found = {item["name"]: item["property_type"] for item in api.get("property_definitions/").json()["results"]}
    assert found == {"$browser": "String", "plan": "String", "seats": "Numeric"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"search": "plan"}, ["plan"]),
        ({"is_numerical": "true"}, ["seats"]),
        ({"properties": "plan,seats"}, ["plan", "seats"]),
        ({"excluded_properties": '["plan"]'}, ["$browser", "seats"]),
        ({"event_names": '["nothing"]', "filter_by_event_names": "true"}, []),
        ({"type": "session", "search": "duration"}, ["$session_duration"]),
        ({"type": "group", "group_type_index": "0"}, []),
    ],
)
def test_which_properties(api: Api, params: dict[str, str], expected: list[str]) -> None:
    """By words, type and event."""
    assert expected == names(api.get("property_definitions/", **params))


def test_properties_seen_on_events(api: Api) -> None:
    """Are marked when events are named."""
    page = api.get("property_definitions/", event_names='["paid"]').json()
    assert {True} == {item["is_seen_on_filtered_events"] for item in page["results"]}


def test_properties_of_a_group_need_its_number(api: Api) -> None:
    """400."""
    assert api.get("property_definitions/", type="group").status_code == 400


def test_values(api: Api) -> None:
    """The most frequent first, with their counts."""
    response = api.get("events/values/", key="$browser", event_name="signed_up")
    expected = [{"name": "Chrome", "count": 2}, {"name": "Firefox", "count": 1}, {"name": "Safari", "count": 1}]
    assert {"results": expected, "refreshing": False} == response.json()


def test_values_containing(api: Api) -> None:
    """A part of the value."""
    assert names(api.get("events/values/", key="$browser", event_name="paid", value="saf")) == ["Safari"]


def test_names_of_custom_events(api: Api) -> None:
    """Under a special key."""
    assert names(api.get("events/values/", key="custom_event")) == ["paid", "signed_up"]


def test_values_need_a_key(api: Api) -> None:
    """400."""
    assert refused(api.get("events/values/")) == (400, "You must provide a key")


def test_values_for_a_key_need_an_event(api: Api) -> None:
    """400 for a personal key; the owner counts as logged in."""
    status, detail = refused(api.with_key("query:read").get("events/values/", key="plan"))
    assert (status, detail.startswith("The event_name parameter is required")) == (400, True)
    assert names(api.get("events/values/", key="plan")) == ["pro"]


def test_no_events_at_all(api: Api, folder: Path) -> None:
    """A project without events has no definitions."""
    (folder / "events.duckdb").unlink()
    assert names(api.get("event_definitions/")) == []


def test_a_broken_event_store(api: Api, folder: Path) -> None:
    """503 that says what to do, not 500."""
    (folder / "events.duckdb").write_bytes(b"this is no database" * 1000)
    response = api.get("event_definitions/")
    assert (response.status_code, response.json()["type"]) == (503, "server_error")
    shutil.rmtree(folder)
