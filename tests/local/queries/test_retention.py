"""RetentionQuery over the small world: rows, columns, and what counts as starting and coming back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.queries import QueryError, SchemaError
from tests.local.queries.conftest import NOW, Ask, asking, store_of

VISIT, BUY = {"id": "visit", "type": "events"}, {"id": "buy", "type": "events"}


def retention(asked: dict[str, Any], **more: Any) -> dict[str, Any]:
    days = {"period": "Day", "totalIntervals": 3, "targetEntity": VISIT, "returningEntity": VISIT}
    return {
        "kind": "RetentionQuery",
        "retentionFilter": days | asked,
        "dateRange": {"date_to": "2026-03-10"},
        **more,
    }


def counts(answer: dict[str, Any]) -> list[list[int]]:
    return [[value["count"] for value in row["values"]] for row in answer["results"]]


def labels(answer: dict[str, Any]) -> list[str]:
    return [value["label"] for value in answer["results"][0]["values"]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [[2, 1, 0], [1, 0, 0], [1, 0, 0]]),
        ({"returningEntity": BUY}, [[2, 1, 0], [1, 0, 0], [1, 0, 0]]),
        ({"targetEntity": BUY, "returningEntity": VISIT}, [[1, 0, 0], [1, 0, 0], [1, 0, 0]]),
        ({"targetEntity": {}, "returningEntity": {}}, [[2, 1, 0], [1, 0, 0], [1, 0, 0]]),
        ({"retentionType": "retention_first_time"}, [[2, 1, 0], [0, 0, 0], [1, 0, 0]]),
        ({"minimumOccurrences": 2}, [[2, 0, 0], [1, 0, 0], [1, 0, 0]]),
    ],
)
def test_who_comes_back(ask: Ask, asked: dict[str, Any], expected: list[list[int]]) -> None:
    """Ann and bea visit on the 8th, bea again on the 9th, cem on the 10th; each buys once, on a day of their visits."""
    assert expected == counts(ask(retention(asked)))


def test_first_ever_must_have_the_properties(ask: Ask) -> None:
    """Bea's first visit was not to '/', so she is in no cohort, though a later visit was."""
    page = [{"key": "page", "value": "/", "operator": "exact", "type": "event"}]
    asked: dict[str, Any] = {"targetEntity": {**VISIT, "properties": page}, "totalIntervals": 2}
    found = [
        [row[0] for row in counts(ask(retention(asked | {"retentionType": kind})))]
        for kind in ("retention_first_time", "retention_first_ever_occurrence")
    ]
    assert [[1, 0], [0, 0]] == found


def test_rows_begin_with_their_period(ask: Ask) -> None:
    """Each row says which period it is, and when that began in the project's zone."""
    answer = ask(retention({"period": "Week", "totalIntervals": 2}), timezone="Europe/Berlin", week_start_day=1)
    assert [("Week 0", "2026-03-02T00:00:00+01:00"), ("Week 1", "2026-03-09T00:00:00+01:00")] == [
        (row["label"], row["date"]) for row in answer["results"]
    ]


def test_a_date_range_makes_more_rows_than_columns(ask: Ask) -> None:
    """With `date_from` the rows go back to it; the columns stay as many as asked for."""
    answer = ask(retention({"totalIntervals": 2}, dateRange={"date_from": "2026-03-06", "date_to": "2026-03-10"}))
    assert [[0, 0], [0, 0], [2, 1], [1, 0], [1, 0]] == counts(answer)


def test_periods_by_default(ask: Ask) -> None:
    """Eight, as in PostHog: so many rows, and so many columns."""
    found = counts(ask(retention({"totalIntervals": None})))
    assert [8] * 8 == [len(row) for row in found]


def test_brackets(ask: Ask) -> None:
    """Periods after the first can be put together."""
    answer = ask(retention({"retentionCustomBrackets": [1, 2], "totalIntervals": 3}))
    assert (["Day 0", "Day 1", "Day 2-3"], [2, 1, 0]) == (labels(answer), counts(answer)[0])


def test_cumulative(ask: Ask) -> None:
    """Who comes back later counts in the columns before that too."""
    asked = {"targetEntity": VISIT, "returningEntity": {"id": "$identify"}, "cumulative": True}
    assert [2, 1, 0] == counts(ask(retention(asked)))[0]


def test_windows_begin_with_the_first_event(ask: Ask) -> None:
    """23:30 to 09:00 is another day, but not another window of 24 hours."""
    assert [[2, 0, 0], [0, 0, 0], [1, 0, 0]] == counts(ask(retention({"timeWindowMode": "24_hour_windows"})))


@pytest.mark.parametrize("mode", ["strict_calendar_dates", "24_hour_windows"])
def test_hours_are_those_that_pass(ask: Ask, mode: str) -> None:
    """At two the clock jumps to three: who visits at one and buys at three came back after an hour."""
    asked = {"period": "Hour", "returningEntity": BUY, "timeWindowMode": mode}
    dates = {"date_from": "2026-03-08T01:00:00", "date_to": "2026-03-08T03:00:00"}
    assert [1, 1, 0] == counts(ask(retention(asked, dateRange=dates), timezone="US/Pacific"))[0]


def test_who_comes_back_long_after_the_windows(tmp_path: Path) -> None:
    """Is in no window: two hours are asked for, and the visitor is back after nine days."""
    days = ("2026-03-01T08:10:00Z", "2026-03-01T09:20:00Z", "2026-03-10T09:00:00Z")
    store = store_of(({"event": "visit", "distinct_id": "dee", "timestamp": day} for day in days), tmp_path)
    asked = {"period": "Hour", "totalIntervals": 2, "timeWindowMode": "24_hour_windows"}
    dates = {"date_from": "2026-03-01T08:00:00", "date_to": "2026-03-01T08:30:00"}
    query = retention(asked | {"retentionType": "retention_first_time"}, dateRange=dates)
    assert [[1, 1]] == counts(asking(store)(query))
    store.close()


def test_amounts(ask: Ask) -> None:
    """What buyers paid in each period, as a sum or for each of them; yes is 1."""
    asked = {"targetEntity": VISIT, "returningEntity": BUY, "aggregationProperty": "amount", "totalIntervals": 2}
    dates = {"date_from": "2026-03-08", "date_to": "2026-03-10"}
    for kind, expected in (("sum", [10, 30.5]), ("avg", [5, 30.5])):
        answer = ask(retention(asked | {"aggregationType": kind}, dateRange=dates))
        assert expected == [value["aggregation_value"] for value in answer["results"][0]["values"]]
    answer = ask(retention(asked | {"aggregationType": "sum", "aggregationProperty": "trial"}, dateRange=dates))
    assert [0, 1] == [value["aggregation_value"] for value in answer["results"][0]["values"]]


def test_numbers_have_no_needless_decimals(tmp_path: Path) -> None:
    """However they were sent; an expression's truth is a number."""
    sizes = enumerate((3, 3.0, 10.5))
    rows = [
        {"event": "visit", "timestamp": "2026-03-08T09:00:00Z", "distinct_id": f"p{n}", "properties": {"size": size}}
        for n, size in sizes
    ]
    asked = asking(store_of(rows, tmp_path))
    for by, expected in (
        ({"breakdown": "size", "breakdown_type": "event"}, {"3", "10.5"}),
        ({"breakdown": "properties.size > 5", "breakdown_type": "hogql"}, {"0", "1"}),
    ):
        answer = asked(retention({"totalIntervals": 3}, breakdownFilter=by))
        assert {row["breakdown_value"] for row in answer["results"]} == expected


def test_breakdown(ask: Ask) -> None:
    """Each value has its own table: the largest first; what has no value is ''. Beyond the limit is "other"."""
    by = {"breakdown": "page", "breakdown_type": "event"}
    answer = ask(retention({"totalIntervals": 3}, breakdownFilter=by))
    sizes: dict[str, int] = {}
    for row in answer["results"]:
        sizes[row["breakdown_value"]] = sizes.get(row["breakdown_value"], 0) + row["values"][0]["count"]
    assert [("/", 2), ("", 1), ("/docs", 1)] == list(sizes.items())
    limited = ask(retention({"totalIntervals": 3}, breakdownFilter={**by, "breakdown_limit": 1}))
    assert ["/", "$$_posthog_breakdown_other_$$"] == [row["breakdown_value"] for row in limited["results"][::3]]


def test_whether_actors_came_back_in_one_period(ask: Ask) -> None:
    """Beside all periods that somebody appeared in, each can be asked for by itself."""
    source = {"kind": "InsightActorsQuery", "source": retention({}), "interval": 0}
    answer = ask({"kind": "ActorsQuery", "source": source, "select": ["appearances", "day_0", "day_1", "day_2"],
                  "orderBy": ["length(appearances)"]})  # fmt: skip
    assert [[[0], 1, 0, 0], [[0, 1], 1, 1, 0]] == answer["results"]


@pytest.mark.parametrize("everybody", [0, "0", "all"])
def test_everybody_as_a_cohort(ask: Ask, everybody: int | str) -> None:
    """The cohort 0 is everybody, as "all" is."""
    answer = ask(retention({}, breakdownFilter={"breakdown": [everybody], "breakdown_type": "cohort"}))
    assert [("0", [2, 1, 0]), ("0", [1, 0, 0]), ("0", [1, 0, 0])] == [
        (row["breakdown_value"], count) for row, count in zip(answer["results"], counts(answer), strict=True)
    ]


def test_by_the_channel_of_persons(tmp_path: Path) -> None:
    """By which way a person first came is told from what they first had, without its being a property."""
    hosts = {"ann": "www.google.com", "bea": "https://www.facebook.com", "cem": "$direct"}
    store = store_of(
        [
            {"event": "visit", "timestamp": "2026-03-08T09:00:00Z", "distinct_id": who,
             "properties": {"$set_once": {"$initial_referring_domain": host}}}
            for who, host in hosts.items()
        ],
        tmp_path,
    )  # fmt: skip
    by = {"breakdowns": [{"property": "$virt_initial_channel_type", "type": "person"}]}
    query, project = retention({}, breakdownFilter=by), queries.Project()
    answer = queries.run(query, events=store, project=project, now=NOW, cancelled=threading.Event())
    store.close()
    assert {"Direct", "Organic Search", "Organic Social"} == {row["breakdown_value"] for row in answer["results"]}


def test_a_share_of_the_users_stands_for_all(ask: Ask) -> None:
    """Half of the users are read, and counted twice."""
    half, all_of_them = (ask(retention({}, samplingFactor=share)) for share in (0.5, 1))
    assert {0, 2, 4, 6} >= {count for row in counts(half) for count in row}
    assert [2, 1, 0] == counts(all_of_them)[0]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"totalIntervals": -1}, "1 or more"),
        ({"totalIntervals": 10_000}, "cells"),
        ({"retentionCustomBrackets": [0]}, "1 or more"),
        ({"timeWindowMode": "24_hour_windows", "cumulative": True}, "Cumulative"),
        (
            {"timeWindowMode": "24_hour_windows", "aggregationType": "sum", "aggregationProperty": "amount"},
            "not supported for 24 hour windows",
        ),
        ({"targetEntity": {"type": "actions", "id": 7}}, "Action ID 7 does not exist"),
        ({"targetEntity": {"type": "actions", "id": "x"}}, "give its number"),
        ({"targetEntity": {"type": "data_warehouse", "id": "t"}}, "data warehouse"),
    ],
)
def test_what_cannot_be_answered(ask: Ask, asked: dict[str, Any], says: str) -> None:
    """Is refused, and what would work is named."""
    with pytest.raises(QueryError) as refused:
        ask(retention(asked))
    assert says in refused.value.detail


@pytest.mark.parametrize(("period", "end"), [("Day", "9999-12-31"), ("Month", "9999-12-31"), ("Week", "0001-01-01")])
def test_dates_beyond_the_calendar(ask: Ask, period: str, end: str) -> None:
    """A table that would reach beyond it is refused."""
    with pytest.raises(QueryError, match="beyond the years"):
        ask(retention({"period": period}, dateRange={"date_to": end}))


@pytest.mark.parametrize(
    "asked", [{"period": "Fortnight"}, {"totalIntervals": "many"}, {"retentionType": "x"}, {"minimumOccurrences": []}]
)
def test_what_is_no_retention_query(ask: Ask, asked: dict[str, Any]) -> None:
    """The schema says where."""
    with pytest.raises(SchemaError, match=f"retentionFilter.{next(iter(asked))}"):
        ask(retention(asked))
