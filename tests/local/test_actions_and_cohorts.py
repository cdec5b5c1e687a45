"""Actions and cohorts: defined, listed, changed, and counted."""

from __future__ import annotations

from typing import Any

import pytest

from .api import TREND_SOURCE, Api, names, refused

STEP = {"event": "signed_up"}


def counted(api: Api, **changes: Any) -> float:
    """How many events a trend counts."""
    query = {**TREND_SOURCE, "dateRange": {"date_from": "all"}, "trendsFilter": {"display": "BoldNumber"}, **changes}
    answer = api.post("query/", {"query": query})
    assert answer.status_code == 200, answer.text
    return float(sum(series["aggregated_value"] for series in answer.json()["results"]))


def test_an_action_is_counted(api: Api) -> None:
    """A series of an action counts the events of its steps."""
    number = api.post("actions/", {"name": "Joined", "steps": [STEP]}).json()["id"]
    assert counted(api) == counted(api, series=[{"kind": "ActionsNode", "id": number}]) > 0


def test_an_action_that_changes_is_counted_anew(api: Api) -> None:
    """What was kept of an older definition is not served as fresh."""
    number = api.post("actions/", {"name": "Joined", "steps": [STEP]}).json()["id"]
    series = [{"kind": "ActionsNode", "id": number}]
    before = counted(api, series=series)
    api.backend.clock.pass_by(minutes=1)  # type: ignore[attr-defined]
    api.patch(f"actions/{number}/", {"steps": [{"event": "never"}]})
    assert (before > 0, counted(api, series=series)) == (True, 0)


def test_a_cohort_narrows(api: Api) -> None:
    """Only events of its members count; of everybody else with not_in."""
    filters = {"properties": {"type": "OR", "values": [{"type": "person", "key": "plan", "value": "is_set",
                                                        "operator": "is_set"}]}}  # fmt: skip
    number = api.post("cohorts/", {"name": "Known", "filters": filters}).json()["id"]
    inside, outside = (
        counted(api, properties=[{"type": "cohort", "key": "id", "value": number, "operator": operator}])
        for operator in ("in", "not_in")
    )
    assert counted(api) == inside + outside


@pytest.mark.parametrize("path", ["actions/", "cohorts/"])
def test_the_list(api: Api, path: str) -> None:
    """Found by a part of the name; what is deleted is not there, and comes back."""
    for name in ("One", "Two"):
        api.post(path, {"name": name})
    api.patch(f"{path}1/", {"deleted": True})
    assert (names(api.get(path)), names(api.get(path, search="tw")), names(api.get(path, search="on"))) == (
        ["Two"],
        ["Two"],
        [],
    )
    assert api.get(f"{path}1/").status_code == 404
    assert api.patch(f"{path}1/", {"deleted": False}).json()["name"] == "One"


@pytest.mark.parametrize("path", ["actions", "cohorts"])
def test_scopes(api: Api, path: str) -> None:
    """Reading and writing each need the scope of the object."""
    scope = path.removesuffix("s")
    assert api.with_key("insight:read").get(f"{path}/").status_code == 403
    reader = api.with_key(f"{scope}:read")
    assert (reader.get(f"{path}/").status_code, reader.post(f"{path}/", {"name": "x"}).status_code) == (200, 403)


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("actions/", {}, "This field is required."),
        ("actions/", {"name": "a", "steps": {}}, "Expected a list"),
        ("actions/", {"name": "a", "steps": [{"event": 3}]}, "Not a valid string."),
        ("actions/", {"name": "a", "steps": [{"url_matching": "like"}]}, '"like" is not a valid choice.'),
        ("actions/", {"name": "a", "steps": [{"properties": "x"}]}, "Input should be"),
        ("cohorts/", {"name": "c", "filters": {"values": []}}, "'properties' key"),
        ("cohorts/", {"name": "c", "is_static": True, "_create_static_person_ids": ["x"]}, "not a valid UUID"),
    ],
)
def test_refused(api: Api, path: str, body: dict[str, Any], says: str) -> None:
    """400 with the reason."""
    status, detail = refused(api.post(path, body))
    assert (status, says in detail) == (400, True), detail


def test_a_folder_of_an_older_version(api: Api) -> None:
    """The tables that came later are added to a file that has not got them."""
    from insights_mcp.local.store import Store
    from insights_mcp.local.tables import VERSION

    path = api.backend.store.path.parent / "older.sqlite3"
    older = Store(path)
    for statement in (
        "drop table actions",
        "drop table cohorts",
        "alter table projects drop column path_cleaning_filters",
        "alter table projects drop column aggregate_users_by_distinct_id",
        "pragma user_version = 1",
    ):
        older.change(statement)
    older.close()
    again = Store(path)
    assert (again.rows("select * from actions"), again.value("pragma user_version")) == ([], VERSION)
    again.close()
