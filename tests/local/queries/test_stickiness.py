"""StickinessQuery over the small world: on how many days people did something."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.local.queries import QueryError, SchemaError
from tests.local.queries.conftest import Ask

DAYS = {"date_from": "2026-03-08", "date_to": "2026-03-10"}


def stickiness(*series: dict[str, Any], **more: Any) -> dict[str, Any]:
    nodes = [{"kind": "EventsNode", **each} for each in series]
    return {"kind": "StickinessQuery", "series": nodes, "dateRange": DAYS, **more}


def data(answer: dict[str, Any]) -> list[Any]:
    return [series["data"] for series in answer["results"]]


def test_days_of_visits(ask: Ask) -> None:
    """Bea visits on two days, ann and cem on one."""
    answer = ask(stickiness({"event": "visit"}))
    [series] = answer["results"]
    assert ([2, 1, 0], [1, 2, 3], 3) == (series["data"], series["days"], series["count"])
    assert ["1 day", "2 days", "3 days"] == series["labels"]


def test_cumulative(ask: Ask) -> None:
    """On so many days or more."""
    [series] = ask(stickiness({"event": "visit"}, stickinessFilter={"computedAs": "cumulative"}))["results"]
    assert ([3, 1, 0], "2 days or more") == (series["data"], series["labels"][1])


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [("gte", 2, [3, 0, 0]), ("gte", 3, [1, 0, 0]), ("lte", 2, [3, 0, 0]), ("exact", 1, [1, 0, 0])],
)
def test_criteria(ask: Ask, operator: str, value: int, expected: list[int]) -> None:
    """A day counts by its events: ann and cem had two on theirs, bea one on the 8th and three on the 9th."""
    criteria = {"stickinessCriteria": {"operator": operator, "value": value}}
    answer = ask(stickiness({"event": None}, stickinessFilter=criteria))
    assert [expected] == data(answer)


def test_several_series_and_the_period_before(ask: Ask) -> None:
    """Each series has its own numbers, and beside them those of the period before."""
    answer = ask(stickiness({"event": "visit"}, {"event": "buy"}, compareFilter={"compare": True}))
    assert [[2, 1, 0], [0, 0, 0], [3, 0, 0], [0, 0, 0]] == data(answer)
    assert ["current", "previous"] * 2 == [series["compare_label"] for series in answer["results"]]
    assert [0, 0, 1, 1] == [series["action"]["order"] for series in answer["results"]]


def test_intervals_together(ask: Ask) -> None:
    """Two days as one interval, counted back from the end."""
    assert [[3, 0]] == data(ask(stickiness({"event": "buy"}, intervalCount=2)))


def test_hogql_says_who_counts(ask: Ask) -> None:
    """Pages instead of persons: '/' was seen on two days."""
    series = {"event": "visit", "math": "hogql", "math_hogql": "e.properties.page"}
    [found] = data(ask(stickiness(series)))
    assert found[1] == 1


@pytest.mark.parametrize(("named", "expected"), [("person_id", 1), ("e.properties.page", 0)])
def test_who_an_expression_names(ask: Ask, named: str, expected: int) -> None:
    """Is listed where it names persons by their id: bea, who came on two days."""
    query = stickiness({"event": "visit", "math": "hogql", "math_hogql": named})
    point = {"kind": "StickinessActorsQuery", "source": query, "day": 2, "series": 0}
    assert expected == len(ask({"kind": "ActorsQuery", "source": point})["results"])


def test_an_action_that_is_gone(ask: Ask) -> None:
    """Its series is left out; the others are there."""
    answer = ask(stickiness({"kind": "ActionsNode", "id": 5}, {"event": "visit"}))
    assert [1] == [series["action"]["order"] for series in answer["results"]]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (stickiness(), "no series"),
        (stickiness({"math": "unique_group", "math_group_type_index": 9}), "group_type_index"),
    ],
)
def test_what_cannot_be_answered(ask: Ask, query: dict[str, Any], says: str) -> None:
    """Is refused with the reason."""
    with pytest.raises(QueryError) as refused:
        ask(query)
    assert says in refused.value.detail


@pytest.mark.parametrize("more", [{"intervalCount": 0}, {"stickinessFilter": {"computedAs": "x"}}, {"interval": "eon"}])
def test_what_is_no_stickiness_query(ask: Ask, more: dict[str, Any]) -> None:
    """The schema says where."""
    with pytest.raises(SchemaError, match=next(iter(more))):
        ask(stickiness({"event": "visit"}, **more))
