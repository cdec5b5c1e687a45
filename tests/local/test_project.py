"""The project's settings: read, changed, and what they do to its queries."""

from __future__ import annotations

from typing import Any

import pytest

from .api import TREND_SOURCE, Api, refused

PROJECT = "/api/projects/1/"


def total(api: Api, **changes: Any) -> float:
    """How many events a trend counts."""
    query = {**TREND_SOURCE, "dateRange": {"date_from": "all"}, "filterTestAccounts": True, **changes}
    return float(sum(series["count"] for series in api.post("query/", {"query": query}).json()["results"]))


def test_settings_are_kept(api: Api) -> None:
    """What is written is read."""
    given = {"timezone": "Europe/Berlin", "week_start_day": 1, "path_cleaning_filters": [{"regex": "/1", "alias": ""}]}
    assert api.patch(PROJECT, given).status_code == 200
    found = api.get(PROJECT).json()
    assert {name: found[name] for name in given} == given


def test_test_accounts_are_left_out(api: Api) -> None:
    """A query that says so does not count them; an answer from before is not served."""
    before = total(api)
    api.patch(PROJECT, {"test_account_filters": [{"key": "plan", "type": "person", "operator": "is_set"}]})
    inside = total(api)
    api.patch(PROJECT, {"test_account_filters": [{"key": "plan", "type": "person", "operator": "is_not_set"}]})
    assert before == inside + total(api)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"timezone": "Mars"}, '"Mars" is not a valid choice.'),
        ({"timezone": "../etc/passwd"}, '"../etc/passwd" is not a valid choice.'),
        ({"week_start_day": 2}, '"2" is not a valid choice.'),
        ({"test_account_filters": {}}, "Expected a list"),
        ({"path_cleaning_filters": [{"regex": "("}]}, "Invalid regex"),
    ],
)
def test_refused(api: Api, body: dict[str, Any], says: str) -> None:
    """400 with the reason."""
    status, detail = refused(api.patch(PROJECT, body))
    assert (status, says in detail) == (400, True), detail


def test_scope(api: Api) -> None:
    """Reading is not writing."""
    assert api.with_key("project:read").patch(PROJECT, {"name": "x"}).status_code == 403
