"""Bodies: what is not JSON, too large, or no query, and in which words it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.local import listing

from .api import TREND, Api, refused


def error(response: Any) -> tuple[int, str, str, str | None]:
    """Status, type, code and field of an error."""
    body = response.json()
    return response.status_code, body["type"], body["code"], body["attr"]


def test_a_form_is_not_read(api: Api) -> None:
    """Only JSON: 415."""
    response = api.request("POST", "insights/", data={"name": "x"})
    assert error(response) == (415, "invalid_request", "unsupported_media_type", None)


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b'{"name": "\\ud800"}', b'{"query": {"kind": "Nope"}}',
                                  b'{"query": "text"}', b'{"query": [1]}'])  # fmt: skip
def test_what_cannot_be_parsed(api: Api, body: bytes) -> None:
    """Broken JSON, no object, and a query that is none: 400 parse_error, never a validation error."""
    response = api.request("POST", "insights/", content=body, headers={"Content-Type": "application/json"})
    assert error(response) == (400, "invalid_request", "parse_error", None)


@pytest.mark.parametrize("query", [None, {}])
def test_an_empty_query_is_no_query(api: Api, query: Any) -> None:
    """It is not looked at."""
    assert api.post("insights/", {"query": query}).status_code == 201


def test_a_body_over_the_limit(api: Api) -> None:
    """More than 20 MB: 413."""
    huge = b'{"name": "' + b"x" * 21_000_000 + b'"}'
    response = api.request("POST", "insights/", content=huge, headers={"Content-Type": "application/json"})
    assert error(response) == (413, "invalid_request", "request_too_large", None)


def test_unknown_fields_are_ignored(api: Api) -> None:
    """And so are those that may only be read."""
    made = api.insight(name="one", nonsense=1, id=99, short_id="x")
    assert (made["name"], made["id"], len(made["short_id"])) == ("one", 1, 8)


def test_a_name_of_401_characters(api: Api) -> None:
    """400 with the limit."""
    response = api.post("insights/", {"name": "x" * 401, "query": TREND})
    assert error(response) == (400, "validation_error", "max_length", "name")
    assert response.json()["detail"] == "Ensure this field has no more than 400 characters."


@pytest.mark.parametrize(
    ("fields", "code", "attr"),
    [
        ({"name": True}, "invalid_input", "name"),
        ({"name": "a\x00b"}, "null_characters_not_allowed", "name"),
        ({"tags": "growth"}, "not_a_list", "tags"),
        ({"tags": [None]}, "null", "tags"),
        ({"favorited": "maybe"}, "invalid_input", "favorited"),
        ({"deleted": None}, "null", "deleted"),
        ({"order": 2**31}, "max_value", "order"),
        ({"dashboards": ["x"]}, "incorrect_type", "dashboards"),
        ({"dashboards": [999]}, "does_not_exist", "dashboards"),
        ({"dashboards": [2**63]}, "does_not_exist", "dashboards"),
        ({"filters": []}, "invalid_input", "filters"),
    ],
)
def test_a_bad_field_is_named(api: Api, fields: dict[str, Any], code: str, attr: str) -> None:
    """400 with code and field."""
    assert (400, "validation_error", code, attr) == error(api.post("insights/", fields))


def test_a_dashboard_that_is_not_there(api: Api) -> None:
    """The words name the number."""
    assert refused(api.post("insights/", {"dashboards": [999]})) == (400, 'Invalid pk "999" - object does not exist.')


def test_what_nobody_foresaw(api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """500 with a body that says nothing; the log says all."""
    monkeypatch.setitem(listing.FILTERS, "search", lambda call, name: 1 / 0)
    response = api.get("insights/", search="x")
    assert error(response) == (500, "server_error", "error", None)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("depth", [300, 5000])
@pytest.mark.parametrize("path", ["insights/", "query/", "dashboards/"])
def test_json_nested_too_deeply(api: Api, path: str, depth: int) -> None:
    """400, whoever reads it first."""
    nest = b'{"a": ' * depth + b"1" + b"}" * depth
    body = b'{"filters": %s, "query": {"kind": "FunnelsQuery", "series": [], "a": %s}}' % (nest, nest)
    response = api.request("POST", path, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


def test_numbers_and_yes_as_text(api: Api) -> None:
    """PostHog's framework reads them; a yes is no number, though."""
    api.post("dashboards/", {"name": "d"})
    made = api.post("insights/", {"favorited": "yes", "dashboards": ["1"], "order": "3.0"}).json()
    assert (True, [1], 3) == (made["favorited"], made["dashboards"], made["order"])
    assert 201 == api.post("insights/viewed/", {"insight_ids": ["1"]}).status_code
    assert (400, "validation_error", "invalid_input", "order") == error(api.post("insights/", {"order": "yes"}))


def test_an_empty_short_id_is_no_filter(api: Api) -> None:
    """As an empty value of any of these filters."""
    api.insight(name="one")
    assert 1 == api.get("insights/", short_id="").json()["count"]
