"""TrendsQuery: from when to when is counted, who counts over it, and the period before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local.queries.project import Action, Cohort
from tests.local.queries.conftest import NOW, Ask, asked_of, asking, store_of
from tests.local.queries.test_trends_counting import shown


def visit(time: str, who: str, **properties: Any) -> dict[str, Any]:
    return {"event": "visit", "timestamp": f"2026-{time}:00Z", "distinct_id": who, "properties": properties}


# It is noon of 10 March. Ann came from two devices; ben was last here a week ago this afternoon, cem before that.
EVENTS = [
    visit("03-08T09:00", "anon"),
    {"event": "$identify", "timestamp": "2026-03-09T08:00:00Z", "distinct_id": "ann",
     "properties": {"$anon_distinct_id": "anon"}},
    visit("03-10T09:00", "ann", seats=1),
    visit("03-03T13:00", "ben"),
    visit("03-03T11:00", "cem"),
    visit("02-24T13:00", "cem"),
]  # fmt: skip
BEFORE: dict[str, Any] = {"compareFilter": {"compare": True}}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask a store of EVENTS."""
    yield from asked_of(EVENTS, tmp_path_factory.mktemp("site"), NOW)


def trend(date_from: str | None, date_to: str | None = None, **more: Any) -> dict[str, Any]:
    """A trend of visits; `series` says how they are counted."""
    series = {"kind": "EventsNode", "event": "visit", **more.pop("series", {})}
    return {
        "kind": "TrendsQuery",
        "series": [series],
        "dateRange": {"date_from": date_from, "date_to": date_to},
        **more,
    }


def numbers(answer: dict[str, Any]) -> list[Any]:
    return [series["aggregated_value"] for series in answer["results"]]


def test_active_users_of_a_wide_interval_are_those_of_the_range(site: Ask) -> None:
    """Where weeks are asked for, whoever was there in the range counts, also as one number; and it is called so."""
    asked = trend("-14d", series={"math": "weekly_active"}, interval="week", **shown("ActionsTable"))
    answer = site(asked)
    assert ([3], "dau") == (numbers(answer), answer["results"][0]["action"]["math"])


@pytest.mark.parametrize(("display", "expected"), [("BoldNumber", 2), ("ActionsTable", 1)])
def test_active_users_up_to_this_moment(site: Ask, display: str, expected: int) -> None:
    """A single number looks back a week from now; others from the end of today, which leaves the 3rd out."""
    assert [expected] == numbers(site(trend("-14d", series={"math": "weekly_active"}, **shown(display))))


def test_of_the_last_second_its_beginning_counts(tmp_path: Path) -> None:
    """PostHog writes the end in whole seconds: what happens half a second later is of the day, but not of the range."""
    times = ("08T23:59:59.5", "09T23:59:59", "09T23:59:59.5")
    store = store_of([visit("", "ann") | {"timestamp": f"2026-03-{time}Z"} for time in times], tmp_path)
    assert [1, 1] == asking(store, NOW)(trend("2026-03-08", "2026-03-09"))["results"][0]["data"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-08", {"00": [0], "01": [1], "03": [2]}),
        ("2026-11-01", {"00": [0], "01": [1, 2], "02": [1], "03": [0]}),
    ],
)
def test_hours_are_those_that_pass(tmp_path: Path, day: str, expected: dict[str, list[int]]) -> None:
    """Where the clocks of New York jump, an hour is not there, or there twice."""
    times = ("03-08T06:30", "03-08T07:00", "03-08T07:59", "11-01T05:30", "11-01T06:30", "11-01T06:40", "11-01T07:30")
    store = store_of([visit(time, "ann") for time in times], tmp_path)
    asked = trend(f"{day}T00:00:00", f"{day}T03:59:59", interval="hour")
    [found] = asking(store, NOW)(asked, timezone="America/New_York")["results"]
    seen: dict[str, list[int]] = {}
    for hour, number in zip(found["days"], found["data"], strict=True):
        seen.setdefault(hour[11:13], []).append(number)
    assert expected == seen


def test_the_hours_before(site: Ask) -> None:
    """Beside all of today stands the time before it as long as today is so far, where hours are asked for."""
    asked = trend("-7d", interval="hour", **shown("ActionsBarValue"), **BEFORE)
    days = trend("-7d", **shown("ActionsBarValue"), **BEFORE)
    assert [[4, 1], [4, 3]] == [numbers(site(asked)), numbers(site(days))]


def test_the_week_before_one_that_ends_now(site: Ask) -> None:
    """It is shifted by a day, as those of whole days are: from noon of 25 February to noon of 4 March."""
    assert [2, 2] == numbers(site(trend("-7d", series={"math": "dau"}, **shown("BoldNumber"), **BEFORE)))


def test_active_users_are_looked_for_from_the_first_day(site: Ask) -> None:
    """A month back from the day that is asked for, not from the week that it is in."""
    asked = trend("2026-04-03", "2026-04-03", series={"math": "monthly_active"}, interval="week")
    assert [[1]] == [each["data"] for each in site(asked)["results"]]


def test_labels_of_the_weeks_before(site: Ask) -> None:
    """They are cut at the start of the weeks that are asked about, as in PostHog; the days tell them apart."""
    _, before = site(trend("2026-03-08", "2026-03-10", interval="week", **BEFORE))["results"]
    assert (["2026-03-01"], ["8-Mar-2026"]) == (before["days"], before["labels"])


def test_first_times_are_persons(site: Ask) -> None:
    """Also where each id is a user: ann was there on the 8th, as nobody known."""
    asked = trend("-2d", series={"math": "first_time_for_user"})
    answer = site(asked, aggregate_users_by_distinct_id=True)
    assert [1, 0, 0] == answer["results"][0]["data"]


def test_added_up_all_ids_of_a_person_count_with_the_first(site: Ask) -> None:
    """Where each id is a user."""
    asked = trend("-2d", series={"math": "dau"}, **shown("ActionsLineGraphCumulative"))
    answer = site(asked, aggregate_users_by_distinct_id=True)
    assert [2, 2, 2] == answer["results"][0]["data"]


@pytest.mark.parametrize(("display", "count"), [("BoxPlot", 2), ("CalendarHeatmap", 1)])
def test_drawn_alone(site: Ask, display: str, count: int) -> None:
    """Box plots and calendars have no values and no period before; the calendar is of the first series."""
    asked = trend("dStart", series={"math_property": "seats"}, breakdownFilter={"breakdown": "seats"}, **shown(display))
    asked["series"] *= 2
    assert count == len(site({**asked, **BEFORE})["results"])


STEPS = [{"event": "visit", "properties": [{"key": "seats", "type": "event", "operator": "is_set", "value": "is_set"}]}]


@pytest.mark.parametrize(("steps", "first"), [(STEPS, "2026-03-10"), ([{"event": "visit"}], "2026-02-24")])
def test_all_time_of_an_action_begins_with_it(site: Ask, steps: list[dict[str, Any]], first: str) -> None:
    """With the first event that is one of its steps, not with any of that name."""
    asked = trend("all") | {"series": [{"kind": "ActionsNode", "id": 1}], **BEFORE}
    found = site(asked, actions={1: Action(1, "seated", steps)})
    assert [first] == [each["days"][0] for each in found["results"] if each["compare_label"] == "current"]


def test_boxes_are_of_a_cohort(site: Ask) -> None:
    """Asked for by cohorts, they are of the members alone."""
    asked = trend("dStart", series={"math_property": "seats"}, **shown("BoxPlot"))
    asked |= {"breakdownFilter": {"breakdown_type": "cohort", "breakdown": [1]}}
    [box] = site(asked, cohorts={1: Cohort(1, "nobody", is_static=True)})["results"]
    assert (0, 1) == (box["max"], site({**asked, "breakdownFilter": {}})["results"][0]["max"])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"kind": "StickinessQuery", "series": [{"kind": "EventsNode", "event": "left"}]}, [1, 0]),
        ({"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["custom_event"]}}, ["2_note"]),
    ],
)
def test_other_kinds_read_to_the_same_second(tmp_path: Path, asked: dict[str, Any], expected: list[Any]) -> None:
    """What happens half a second later is not of the range."""
    times = {"08T10:00:00": "left", "09T23:59:58": "visit", "09T23:59:59": "note", "09T23:59:59.5": "left"}
    events = [visit("", "ann") | {"event": what, "timestamp": f"2026-03-{time}Z"} for time, what in times.items()]
    ask = asking(store_of(events, tmp_path), NOW)
    results = ask(asked | {"dateRange": {"date_from": "2026-03-08", "date_to": "2026-03-09"}})["results"]
    assert expected == (results[0]["data"] if "series" in asked else [edge["target"] for edge in results])
