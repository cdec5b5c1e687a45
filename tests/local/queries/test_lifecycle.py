"""LifecycleQuery over the small world: who is new, returning, resurrecting and dormant."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.local.queries import QueryError
from tests.local.queries.conftest import Ask

DAYS = {"date_from": "2026-03-08", "date_to": "2026-03-11"}
STATUSES = ["new", "returning", "resurrecting", "dormant"]


def lifecycle(event: str | None = "visit", **more: Any) -> dict[str, Any]:
    return {"kind": "LifecycleQuery", "series": [{"kind": "EventsNode", "event": event}], "dateRange": DAYS, **more}


def data(answer: dict[str, Any]) -> dict[str, list[float]]:
    return {series["status"]: series["data"] for series in answer["results"]}


def test_statuses(ask: Ask) -> None:
    """Ann and bea are new on the 8th; bea returns on the 9th, when ann is gone; those who are gone count below 0."""
    answer = ask(lifecycle())
    assert STATUSES == [series["status"] for series in answer["results"]]
    assert {
        "new": [2, 0, 1, 0],
        "returning": [0, 1, 0, 0],
        "resurrecting": [0, 0, 0, 0],
        "dormant": [0, -1, -1, -1],
    } == data(answer)


def test_new_is_who_came_to_be_then(ask: Ask) -> None:
    """Bea buys on the 9th for the first time, but was known before: she is back, not new."""
    found = data(ask(lifecycle("buy")))
    assert ([1, 0, 1, 0], [0, 1, 0, 0]) == (found["new"], found["resurrecting"])


def test_history_begins_with_the_range(ask: Ask) -> None:
    """Bea, who was there the day before, is new on the 9th where nothing before that is looked at; others as ever."""
    asked = lifecycle(dateRange={"date_from": "2026-03-09", "date_to": "2026-03-10"})
    assert ([0, 1], [1, 0]) == (data(ask(asked))["new"], data(ask(asked))["returning"])
    found = data(ask({**asked, "lifecycleFilter": {"onlyUseInsightDates": True}}))
    assert {"new": [1, 1], "returning": [0, 0], "resurrecting": [0, 0], "dormant": [0, -1]} == found


def test_weeks_of_the_project(ask: Ask) -> None:
    """The 8th of March 2026 is a Sunday: with weeks from Monday, it belongs to the week before."""
    labels = {start: ask(lifecycle(interval="week"), week_start_day=start)["results"][0]["days"] for start in (0, 1)}
    assert {0: ["2026-03-08"], 1: ["2026-03-02", "2026-03-09"]} == labels


def test_the_zone_moves_events_between_days(ask: Ask) -> None:
    """In Berlin bea's first visit is on the 9th already."""
    assert [1, 1, 1, 0] == data(ask(lifecycle(), timezone="Europe/Berlin"))["new"]


def test_each_status_names_the_series(ask: Ask) -> None:
    """The label says both, and the action is the one that is followed."""
    answer = ask(lifecycle())
    assert ("visit - new", 3.0) == (answer["results"][0]["label"], answer["results"][0]["count"])
    assert {"id": "visit", "name": "visit", "type": "events", "order": 0, "math": "total"} == (
        answer["results"][0]["action"]
    )


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({**lifecycle(), "series": []}, "no series"),
        (lifecycle(aggregation_group_type_index=7), "group_type_index"),
        (lifecycle(dateRange={"date_from": "soon"}), "'soon' is no date"),
    ],
)
def test_what_cannot_be_answered(ask: Ask, query: dict[str, Any], says: str) -> None:
    """Is refused with the reason."""
    with pytest.raises(QueryError) as refused:
        ask(query)
    assert says in refused.value.detail
