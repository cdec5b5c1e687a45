"""FunnelsQuery over the small world: what counts as a step, under which value, and how each answer is laid out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local.events import Catalogue
from insights_mcp.local.queries import QueryError, funnels
from insights_mcp.local.queries.funnels.checks import apart
from insights_mcp.local.queries.project import Context, Project
from insights_mcp.schema.funnels import FunnelsQuery, Step
from tests.local.queries.conftest import NOW, Ask, asked_of
from tests.local.queries.small_funnels import HOUR, PAGE, counts, funnel, times

SNAPSHOTS = Path(__file__).parent / "snapshots"


def test_a_step(ask: Ask) -> None:
    """A step says what it is, how many took it, and how long after the one before."""
    answer = ask(funnel("visit", {"event": "buy", "custom_name": "Paid"}))
    assert {
        "action_id": "buy",
        "name": "buy",
        "custom_name": "Paid",
        "type": "events",
        "order": 1,
        "people": [],
        "count": 3,
        "average_conversion_time": pytest.approx((1 + (10.5 + 1) / 2 + 1) / 3 * HOUR),
        "median_conversion_time": pytest.approx(HOUR),
    } == answer["results"][1]


def test_order_matters(ask: Ask) -> None:
    """Nobody visits after they buy."""
    assert [3, 0] == counts(ask(funnel("buy", "visit")))


def test_any_order(ask: Ask) -> None:
    """In any order, the steps are numbered as they came."""
    answer = ask(funnel("buy", "visit", funnelOrderType="unordered"))
    assert (["Completed 1 step", "Completed 2 steps"], [3, 3]) == (
        [step["name"] for step in answer["results"]],
        counts(answer),
    )


def test_strict_order(ask: Ask) -> None:
    """Bea's visit before she was known is followed by $identify, so only her later visit leads to the purchase."""
    answer = ask(funnel("visit", "buy", funnelOrderType="strict"))
    assert (counts(answer), times(answer)) == ([3, 3], [None, HOUR])


def test_steps_at_one_instant_come_in_their_order(tmp_path: Path) -> None:
    """In whichever order a file has them; in any order, they are both."""
    rows = [
        {"event": event, "timestamp": "2026-03-08T09:00:00Z", "distinct_id": f"person-{number}"}
        for number in range(20)
        for event in ("visit", "buy")[:: 1 if number % 2 else -1]
    ]
    for ask in asked_of(rows, tmp_path):
        for order in ("ordered", "strict", "unordered"):
            assert [20, 20] == counts(ask(funnel("visit", "buy", funnelOrderType=order)))


def test_window(ask: Ask) -> None:
    """Within two hours, Bea's purchase counts from her second visit only."""
    answer = ask(funnel("visit", "buy", funnelWindowInterval=2, funnelWindowIntervalUnit="hour"))
    assert ([3, 3], [None, HOUR]) == (counts(answer), times(answer))


@pytest.mark.parametrize(
    ("unit", "width", "reached"), [("second", 3599, 0), ("second", 3600, 3), ("minute", 59, 0), ("week", 1, 3)]
)
def test_units_of_the_window(ask: Ask, unit: str, width: int, reached: int) -> None:
    """The window ends with its last moment."""
    answer = ask(funnel("visit", "buy", funnelWindowInterval=width, funnelWindowIntervalUnit=unit))
    assert [3, reached] == counts(answer)


@pytest.mark.parametrize("width", [0, -1])
def test_no_window_is_the_default_one(ask: Ask, width: int) -> None:
    """As in PostHog, a width that is none is 14, of whatever unit: Bea's purchase came 10.5 hours after, and 1."""
    window: dict[str, Any] = {"funnelWindowInterval": width, "funnelWindowIntervalUnit": "hour"}
    assert times(ask(funnel("visit", "buy", funnelWindowInterval=14, funnelWindowIntervalUnit="hour"))) == times(
        ask(funnel("visit", "buy", **window))
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("a", None), ("b", None), True),
        (("a", None), ("a", None), False),
        ((None, None), ("b", None), False),
        (("a", ["/", "/docs"]), ("a", "/blog"), True),
        (("a", ["/", "/docs"]), ("a", ["/docs"]), False),
        (("a", "1"), ("a", "1.0"), False),
        (("a", "true"), ("a", "True"), False),
    ],
)
def test_steps_apart(one: tuple[Any, Any], other: tuple[Any, Any], expected: bool) -> None:
    """Steps are apart where no event can be both; numbers can be written in two ways."""

    def step(event: str | None, value: Any) -> Step:
        properties = [{"key": "page", "value": value, "type": "event"}] if value else []
        return Step.model_validate({"kind": "EventsNode", "event": event, "properties": properties})

    assert expected == apart(step(*one), step(*other))


def test_the_same_step_twice_takes_two_events(ask: Ask) -> None:
    """Only Bea visited twice."""
    assert [3, 1] == counts(ask(funnel("visit", "visit")))


def test_persons_are_counted(ask: Ask) -> None:
    """Bea's visits are hers, also in a project that counts each distinct id as one user."""
    assert [3, 1] == counts(ask(funnel("visit", "visit"), aggregate_users_by_distinct_id=True))


def test_one_event_can_be_two_different_steps(ask: Ask) -> None:
    """A visit to the start page is a visit, and also the narrower step."""
    start = {"event": "visit", "properties": [{"key": "page", "value": "/", "type": "event"}]}
    assert [3, 2] == counts(ask(funnel("visit", start)))


def test_optional_step(ask: Ask) -> None:
    """Who leaves an optional step out goes on; it counts those who took it."""
    answer = ask(funnel("visit", {"event": "$identify", "optionalInFunnel": True}, "buy"))
    assert [3, 1, 3] == counts(answer)


def test_one_event_is_not_both_an_optional_step_and_the_next(ask: Ask) -> None:
    """Bea's second visit, to the start page, is the required step: there was no other for the optional one."""
    start = {"event": "visit", "properties": [{"key": "page", "value": "/", "type": "event"}]}
    answer = ask(funnel("visit", {"event": "visit", "optionalInFunnel": True}, start))
    assert [3, 0, 2] == counts(answer)


def test_several_optional_steps(ask: Ask) -> None:
    """The last that was taken counts, and those before it that came before: Bea was identified before she bought."""
    known, bought = ({"event": event, "optionalInFunnel": True} for event in ("$identify", "buy"))
    assert [3, 1, 3] == counts(ask(funnel("visit", known, bought)))
    assert [3, 2, 1] == counts(ask(funnel("visit", bought, known)))


def test_the_first_time_says_which_optional_steps_were_taken(tmp_path: Path) -> None:
    """Who went through the funnel without an optional step, and later with it, left it out."""
    rows = [
        {"event": event, "timestamp": f"2026-03-08T0{hour}:00:00Z", "distinct_id": "ann"}
        for hour, event in enumerate(("visit", "buy", "visit", "ask", "buy"))
    ]
    for ask in asked_of(rows, tmp_path):
        assert [1, 0, 1] == counts(ask(funnel("visit", {"event": "ask", "optionalInFunnel": True}, "buy")))


def test_optional_step_in_strict_order(ask: Ask) -> None:
    """Bea's $identify came between her first visit and her second; the others went straight on."""
    steps = ("visit", {"event": "$identify", "optionalInFunnel": True}, "visit")
    assert [3, 1, 1] == counts(ask(funnel(*steps, funnelOrderType="strict")))
    steps = ("visit", {"event": "$identify", "optionalInFunnel": True}, "buy")
    assert [3, 0, 3] == counts(ask(funnel(*steps, funnelOrderType="strict")))


def test_exclusion(ask: Ask) -> None:
    """Bea's first attempt holds an $identify; her second does not."""
    exclusion = {"kind": "EventsNode", "event": "$identify", "funnelFromStep": 0, "funnelToStep": 1}
    answer = ask(funnel("visit", "buy", exclusions=[exclusion]))
    assert ([3, 3], [None, HOUR]) == (counts(answer), times(answer))


def test_first_time_for_user(ask: Ask) -> None:
    """The first visit ever must itself be the one asked for: Bea's and Cem's were to other pages."""
    first = {
        "event": "visit",
        "math": "first_time_for_user",
        "properties": [{"key": "page", "value": "/", "type": "event"}],
    }
    assert [1, 1] == counts(ask(funnel(first, "buy")))


def test_counting_an_expression(ask: Ask) -> None:
    """By session, nobody buys: purchases have none."""
    assert [4, 0] == counts(ask(funnel("visit", "buy", funnelAggregateByHogQL="properties.$session_id")))


def test_trend(ask: Ask) -> None:
    """Each day's share of those who started on it."""
    answer = ask(
        funnel("visit", "buy", funnelVizType="trends", funnelWindowInterval=2, funnelWindowIntervalUnit="hour")
    )  # fmt: skip
    assert [
        {
            "count": 3,
            "data": [50.0, 100.0, 100.0],
            "days": ["2026-03-08", "2026-03-09", "2026-03-10"],
            "labels": ["8-Mar-2026", "9-Mar-2026", "10-Mar-2026"],
        }
    ] == answer["results"]


def test_trend_in_another_zone(ask: Ask) -> None:
    """In Berlin, Bea's first visit was on the 9th."""
    query = funnel("visit", "buy", funnelVizType="trends", funnelWindowInterval=2, funnelWindowIntervalUnit="hour")
    assert [100.0, 100.0, 100.0] == ask(query, timezone="Europe/Berlin")["results"][0]["data"]


def test_time_to_convert(ask: Ask) -> None:
    """Bins from the shortest time to the longest, and one more that holds the longest."""
    results = ask(funnel("visit", "buy", funnelVizType="time_to_convert", binCount=2))["results"]
    longest = 5.75 * HOUR
    assert ([[3600, 2], [12150, 0], [20700, 1]], pytest.approx((2 * HOUR + longest) / 3, abs=0.01)) == (
        results["bins"],
        results["average_conversion_time"],
    )


def test_nobody(ask: Ask) -> None:
    """Without people, steps are zero and bins empty."""
    assert [0, 0] == counts(ask(funnel("nothing", "buy")))
    bins = ask(funnel("nothing", "buy", funnelVizType="time_to_convert"))["results"]
    assert {"bins": [[0, 0], [1, 0]], "average_conversion_time": None} == bins


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (funnel("visit"), "at least two steps"),
        (funnel("visit", "buy", funnelFromStep=1), "funnelFromStep must be between 0 and 0"),
        (funnel("visit", "buy", funnelToStep=2), "funnelToStep must be between 1 and 1"),
        (funnel("visit", "buy", funnelWindowInterval=10**9, funnelWindowIntervalUnit="month"), "a hundred years"),
        (funnel({"event": "visit", "optionalInFunnel": True}, "buy"), "first step of a funnel cannot be optional"),
        (funnel("visit", {"event": "buy", "optionalInFunnel": True}, "buy"), "same as the required step after"),
        (funnel("visit", {"event": "a", "optionalInFunnel": True}, "buy", funnelVizType="trends"), "Optional steps"),
        (funnel("visit", "buy", breakdown={"breakdown": "x", "breakdown_type": "nope"}), "cannot be split by 'nope'"),
        (
            funnel("visit", "buy", breakdown={"breakdown": "x", "breakdown_type": "event_metadata"}),
            "no field of events",
        ),
        (funnel("visit", "buy", breakdownAttributionType="step", breakdownAttributionValue=2), "0 to 1"),
        (funnel(*(f"event {number}" for number in range(61))), "at most 60"),
        (funnel("visit", {"kind": "ActionsNode", "id": 9}), "Action ID 9 does not exist"),
        (funnel("visit", "buy") | {"samplingFactor": 0.1}, "Sampling"),
        (funnel("visit", "buy") | {"compareFilter": {"compare": True}}, "compareFilter"),
        *(
            (
                funnel("visit", "a", "buy", funnelOrderType=order, exclusions=[{"kind": "EventsNode", **exclusion}]),
                said,
            )
            for order, exclusion, said in (
                ("ordered", {"event": "x", "funnelFromStep": 1, "funnelToStep": 1}, "to a later one"),
                ("ordered", {"event": "x", "funnelFromStep": 0, "funnelToStep": 3}, "of 0 to 2"),
                ("ordered", {"event": "a", "funnelFromStep": 0, "funnelToStep": 1}, "that is a step of the funnel"),
                ("unordered", {"event": "x", "funnelFromStep": 0, "funnelToStep": 1}, "must span all steps"),
            )
        ),
    ],
)
def test_what_means_nothing_is_refused(ask: Ask, query: dict[str, Any], said: str) -> None:
    """A refusal names what is wrong."""
    with pytest.raises(QueryError, match=said):
        ask(query)


PICTURED = {
    "funnel_ordered": funnel("visit", "buy"),
    "funnel_strict_by_value": funnel("visit", "buy", breakdown=PAGE, funnelOrderType="strict"),
    "funnel_unordered_trend": funnel("visit", "buy", funnelOrderType="unordered", funnelVizType="trends"),
}


@pytest.mark.parametrize("name", PICTURED)
def test_sql(name: str) -> None:
    """The statement, to be read. UPDATE_SNAPSHOTS=1 rewrites it."""
    catalogue = Catalogue(event_types={"page": "String"}, columns=frozenset({"page"}))
    plan = funnels.compile(FunnelsQuery.model_validate(PICTURED[name]), Context(Project(), NOW, catalogue))
    file = SNAPSHOTS / f"{name}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(plan.statements[0].text + "\n")
    assert file.read_text() == plan.statements[0].text + "\n"
