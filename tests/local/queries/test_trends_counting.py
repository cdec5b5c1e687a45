"""TrendsQuery: maths beyond plain counts, breakdowns of every kind, formulas, displays, and who is behind a number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from insights_mcp.local.queries.errors import QueryError, SchemaError
from insights_mcp.local.queries.project import Action, Cohort
from tests.local.queries.conftest import Ask, asked_of

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
RANGE = {"date_from": "2026-03-08", "date_to": "2026-03-10"}


def event(name: str, time: str, who: str, **properties: Any) -> dict[str, Any]:
    return {"event": name, "timestamp": f"2026-03-{time}:00Z", "distinct_id": who, "properties": properties}


# Two companies; session s1 lasts ten minutes, s2 one; `paid` is 10, 20, 30 and 40; cem paid before these days.
EVENTS = [
    event("$groupidentify", "01T09:00", "ann", **{
        "$group_type": "company", "$group_key": "acme", "$group_set": {"size": 5, "field": "steel"}}),
    event("$groupidentify", "01T09:01", "ben", **{
        "$group_type": "company", "$group_key": "beta", "$group_set": {"size": 50}}),
    event("pay", "02T10:00", "cem", paid=1),
    event("visit", "08T10:00", "ann", **{"$session_id": "s1", "$group_0": "acme", "$current_url": "/shop/17?x=1"}),
    event("pay", "08T10:10", "ann", **{"$session_id": "s1", "$group_0": "acme", "paid": 10, "how": "card"}),
    event("pay", "08T11:00", "ben", **{"$session_id": "s2", "$group_0": "beta", "paid": 20, "how": "cash"}),
    event("visit", "08T11:01", "ben", **{"$session_id": "s2", "$group_0": "beta", "$current_url": "/shop/18/"}),
    event("pay", "09T10:00", "ann", **{"$group_0": "acme", "paid": 30, "how": "card", "$set": {"plan": "pro"}}),
    event("pay", "10T10:00", "cem", paid=40),
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask a store of EVENTS."""
    yield from asked_of(EVENTS, tmp_path_factory.mktemp("shop"), NOW)


def trend(*series: dict[str, Any], **more: Any) -> dict[str, Any]:
    nodes = [{"kind": "EventsNode", **each} for each in series]
    return {"kind": "TrendsQuery", "series": nodes, "dateRange": RANGE, **more}


def by(**breakdown: Any) -> dict[str, Any]:
    return {"breakdownFilter": breakdown}


def shown(display: str, **more: Any) -> dict[str, Any]:
    return {"trendsFilter": {"display": display, **more}}


def data(answer: dict[str, Any]) -> list[Any]:
    return [series["data"] for series in answer["results"]]


def values(answer: dict[str, Any]) -> dict[str, Any]:
    return {str(series["breakdown_value"]): series["data"] for series in answer["results"]}


PAY = {"event": "pay"}
NONE = "$$_posthog_breakdown_null_$$"
OTHER = "$$_posthog_breakdown_other_$$"


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ({"event": "pay", "math": "first_time_for_user"}, [2, 0, 0]),
        ({"event": "pay", "math": "first_time_for_user", "properties": [{"key": "paid", "value": 20}]}, [1, 0, 0]),
        (
            {
                "event": "pay",
                "math": "first_matching_event_for_user",
                "properties": [{"key": "paid", "value": 25, "operator": "gt"}],
            },
            [0, 1, 1],
        ),
        ({"event": None, "math": "unique_group", "math_group_type_index": 0}, [2, 1, 0]),
        ({"event": "pay", "math": "dau", "math_group_type_index": 0}, [2, 1, 0]),
        ({"event": "pay", "math": "first_time_for_group", "math_group_type_index": 0}, [2, 0, 0]),
        (
            {
                "event": "pay",
                "math": "first_matching_event_for_group",
                "math_group_type_index": 0,
                "properties": [{"key": "paid", "value": 25, "operator": "gt"}],
            },
            [0, 1, 0],
        ),
        ({"event": None, "math": "sum", "math_property": "$session_duration"}, [660, 0, 0]),
        ({"event": "pay", "math": "hogql", "math_hogql": "sum(properties.paid) / 10"}, [3, 3, 4]),
        ({"event": "pay", "math": "sum", "math_property": "paid", "math_multiplier": 2}, [60, 60, 80]),
    ],
)
def test_math(shop: Ask, series: dict[str, Any], expected: list[float]) -> None:
    """First times look at all of history; groups and sessions count once however many events they have."""
    assert [expected] == data(shop(trend(series)))


@pytest.mark.parametrize(
    ("breakdown", "expected"),
    [
        (
            {"breakdown_type": "group", "breakdown": "field", "breakdown_group_type_index": 0},
            {"steel": [1, 1, 0], NONE: [1, 0, 1]},
        ),
        ({"breakdown_type": "hogql", "breakdown": "upper(properties.how)"},
         {"CARD": [1, 1, 0], "CASH": [1, 0, 0], NONE: [0, 0, 1]}),
        ({"breakdown_type": "session", "breakdown": "$session_duration"},
         {"0": [0, 1, 1], "60": [1, 0, 0], "600": [1, 0, 0]}),
        ({"breakdown": "paid", "breakdown_histogram_bin_count": 3},
         {"[10,20]": [1, 0, 0], "[20,30]": [1, 0, 0], "[30,40.01]": [0, 1, 1]}),
        ({"breakdown": "how", "breakdown_limit": 1}, {"card": [1, 1, 0], OTHER: [1, 0, 1]}),
        ({"breakdowns": [{"property": "how"}, {"property": "plan", "type": "person"}]},
         {"['card', 'pro']": [1, 1, 0], f"['cash', '{NONE}']": [1, 0, 0], f"['{NONE}', '{NONE}']": [0, 0, 1]}),
    ],
)  # fmt: skip
def test_breakdown(shop: Ask, breakdown: dict[str, Any], expected: dict[str, Any]) -> None:
    """By what the group, the session or an expression says; in bins of equal width; by several at once."""
    assert expected == values(shop(trend(PAY, **by(**breakdown))))


@pytest.mark.parametrize("name", ["How", '"paid how"', "`how`", 'inner AS "Outer"', "breakdown_value"])
def test_an_expression_may_have_a_name(shop: Ask, name: str) -> None:
    """It says nothing: neither of the values nor of the persons behind them."""
    query = trend(PAY, **by(breakdown_type="hogql", breakdown=f"properties.how AS {name}"))
    assert values(shop(query)) == {"card": [1, 1, 0], "cash": [1, 0, 0], NONE: [0, 0, 1]}
    source = {"kind": "InsightActorsQuery", "source": query, "day": "2026-03-08", "breakdown": "cash"}
    assert len(shop({"kind": "ActorsQuery", "source": source, "select": ["id"]})["results"]) == 1


def test_urls_and_paths_are_cleaned(shop: Ask) -> None:
    """What trails goes; the project's rules say what else is one."""
    rules = [{"regex": r"/\d+(\?.*)?", "alias": "/<id>"}]
    given = {"breakdown": "$current_url", "breakdown_normalize_url": True}
    assert values(shop(trend({"event": "visit"}, **by(**given)))).keys() == {"/shop/17?x=1", "/shop/18"}
    cleaned = by(**given, breakdown_path_cleaning=True)
    assert values(shop(trend({"event": "visit"}, **cleaned), path_cleaning_filters=rules)) == {"/shop/<id>": [2, 0, 0]}


def test_cohorts_and_everybody(shop: Ask) -> None:
    """Each cohort is counted by itself, and everybody beside them."""
    pro = {"type": "OR", "values": [{"type": "person", "key": "plan", "value": "pro"}]}
    cohorts = {7: Cohort(7, "Pros", definition=pro)}
    answer = shop(trend(PAY, **by(breakdown_type="cohort", breakdown=[7, "all"])), cohorts=cohorts)
    assert values(answer) == {"7": [1, 1, 0], "all": [2, 1, 1]}
    assert [series["label"] for series in answer["results"]] == ["pay - Pros", "pay - all users"]


def test_an_action_is_called_by_its_name(shop: Ask) -> None:
    """Its series counts the events of any step."""
    action = Action(3, "Shopped", [{"event": "pay"}, {"event": "visit", "url": "shop/18", "url_matching": "contains"}])
    answer = shop(trend({"kind": "ActionsNode", "id": 3, "event": None}), actions={3: action})
    assert [("Shopped", [3, 1, 1])] == [(series["label"], series["data"]) for series in answer["results"]]


def test_several_events_together(shop: Ask) -> None:
    """A group node counts what one of its nodes means."""
    nodes = [{"kind": "EventsNode", "event": "visit"}, {"kind": "EventsNode", **PAY}]
    assert [[4, 1, 1]] == data(shop(trend({"kind": "GroupNode", "nodes": nodes})))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("A / B", [1, 0, 0]), ("(A - b) * 10", [0, 10, 10]), ("-A ** 2 % 3", [2, 2, 2]), ("A", [2, 1, 1])],
)
def test_formula(shop: Ask, formula: str, expected: list[float]) -> None:
    """Bucket by bucket; what is divided by nothing is 0."""
    assert [expected] == data(shop(trend(PAY, {"event": "visit"}, trendsFilter={"formula": formula})))


def test_formulas_by_value(shop: Ask) -> None:
    """A value that one series has not counts as 0 there; the largest comes first, what has no value last."""
    query = trend(PAY, {"event": "visit"}, trendsFilter={"formulas": ["A + B"]}, **by(breakdown="how"))
    assert list(values(shop(query)).items()) == [("card", [1, 1, 0]), ("cash", [1, 0, 0]), (NONE, [2, 0, 1])]


@pytest.mark.parametrize(
    "formula", ["A + C", "__import__('os')", "A if B else 1", "A +", "A.real", "'x' * 9", "A" * 2000, "-" * 900 + "A"]
)
def test_no_formula(shop: Ask, formula: str) -> None:
    """Only series, numbers and arithmetic."""
    with pytest.raises(QueryError) as refused:
        shop(trend(PAY, {"event": "visit"}, trendsFilter={"formula": formula}))
    assert refused.value.attr == "trendsFilter"


@pytest.mark.parametrize("formula", ["9 ** 9999 + 0 * A", "1" + "0" * 400, "*".join(["99999999999999"] * 60)])
def test_a_formula_that_explodes_is_nothing(shop: Ask, formula: str) -> None:
    """Numbers that nothing can draw are 0, and cost nothing."""
    [numbers] = data(shop(trend(PAY, trendsFilter={"formula": formula})))
    assert all(abs(number) < 1e300 for number in numbers)


def test_smoothing(shop: Ask) -> None:
    """The mean of the last days, in whole numbers."""
    paid = {**PAY, "math": "sum", "math_property": "paid"}
    assert [[30, 30, 33]] == data(shop(trend(paid, trendsFilter={"smoothingIntervals": 3})))


def test_box_plot(shop: Ask) -> None:
    """The spread of a property's values in each bucket."""
    paid = {**PAY, "math_property": "paid"}
    first, *rest = shop(trend(paid, **shown("BoxPlot")))["results"]
    assert [first[name] for name in ("day", "min", "p25", "median", "p75", "max", "mean")] == [
        "2026-03-08", 10, 12.5, 15, 17.5, 20, 15,
    ]  # fmt: skip
    assert [30, 40] == [box["median"] for box in rest]
    assert "pay - paid" == first["series_label"]


def test_box_plot_of_sessions(shop: Ask) -> None:
    """A session's length counts once: of two sessions, and of those without one."""
    length = {"math_property": "$session_duration", "math_property_type": "session_properties"}
    found = shop(trend(length, **shown("BoxPlot")))["results"]
    assert [(60, 330, 600), (0, 0, 0), (0, 0, 0)] == [(box["min"], box["median"], box["max"]) for box in found]


def test_calendar_heatmap(shop: Ask) -> None:
    """Weekdays by hours, with the numbers of each weekday, each hour, and all."""
    [found] = shop(trend({**PAY, "math": "dau"}, **shown("CalendarHeatmap")))["results"]
    heat = found["calendar_heatmap_data"]
    assert (found["label"], found["count"], found["aggregated_value"]) == ("pay", 3, 3)
    assert heat["rowAggregations"] == [{"row": 1, "value": 1}, {"row": 2, "value": 1}, {"row": 7, "value": 2}]
    assert heat["columnAggregations"] == [{"column": 10, "value": 2}, {"column": 11, "value": 1}]
    assert (len(heat["data"]), heat["allAggregations"]) == (4, 3)


def test_sampling_counts_up(shop: Ask) -> None:
    """A tenth of the users stands for all: what they did is counted tenfold, or not at all."""
    [numbers] = data(shop(trend(PAY, samplingFactor=0.1)))
    assert all(number % 10 == 0 for number in numbers)


@pytest.mark.parametrize(
    ("more", "expected"),
    [({}, [5, 2, 0]), (shown("ActionsLineGraphCumulative"), [5, 8, 8]), (shown("BoldNumber"), [])],
)
@pytest.mark.parametrize("math", [{}, {"math": "hogql", "math_hogql": "count()"}])
def test_sampling_scales_what_was_added_up(
    shop: Ask, math: dict[str, Any], more: dict[str, Any], expected: list[int]
) -> None:
    """Four tenths of the users did 2, 1 and 0, so 3 in all, which stands for 8, not for 5 + 2."""
    [found] = shop(trend({**PAY, **math}, samplingFactor=0.4, **more))["results"]
    assert (found["data"], found.get("aggregated_value") or found["count"]) == (expected, 8)


def test_a_group_counts_once_over_time(shop: Ask) -> None:
    """Added up, a group counts when first seen; events of no group are not there at all."""
    groups = {**PAY, "math": "unique_group", "math_group_type_index": 0}
    assert data(shop(trend(groups, **shown("ActionsLineGraphCumulative")))) == [[2, 2, 2]]
    assert values(shop(trend(groups, **by(breakdown="how")))) == {"card": [1, 1, 0], "cash": [1, 0, 0]}


@pytest.mark.parametrize(
    ("query", "point", "expected"),
    [
        (trend(PAY), {"day": "2026-03-08"}, {"ann": 1, "ben": 1}),
        (trend(PAY), {"day": "2026-03-10"}, {"cem": 1}),
        (trend({"event": None, "math": "weekly_active"}), {"day": "2026-03-10"}, {"ann": 3, "ben": 2, "cem": 1}),
        (trend({**PAY, "math": "first_time_for_user"}), {"day": "2026-03-10"}, {}),
        (trend(PAY, **shown("ActionsLineGraphCumulative")), {"day": "2026-03-09"}, {"ann": 1}),
        (trend(PAY, **by(breakdown="how")), {"day": "2026-03-08", "breakdown": "cash"}, {"ben": 1}),
        (trend(PAY, **by(breakdown="how")), {"day": "2026-03-10", "breakdown": NONE}, {"cem": 1}),
        (trend(PAY, **by(breakdown="how", breakdown_limit=1)), {"day": "2026-03-08", "breakdown": OTHER}, {"ben": 1}),
        (trend(PAY, **by(breakdown="paid", breakdown_histogram_bin_count=3)),
         {"day": "2026-03-08", "breakdown": "[10,20]"}, {"ann": 1}),
        (trend(PAY, **shown("BoldNumber")), {}, {"ann": 2, "ben": 1, "cem": 1}),
        (trend(PAY, compareFilter={"compare": True, "compare_to": "-1w"}),
         {"day": "2026-03-09", "compare": "previous"}, {"cem": 1}),
    ],
)  # fmt: skip
def test_who_is_behind(shop: Ask, query: dict[str, Any], point: dict[str, Any], expected: dict[str, int]) -> None:
    """The persons of a bucket, a value or a whole period, with their events."""
    source = {"kind": "InsightActorsQuery", "source": query, **point}
    answer = shop({"kind": "ActorsQuery", "source": source, "select": ["id", "event_count"]})
    who = {row[0]: row[1] for row in answer["results"]}
    ids = shop({"kind": "HogQLQuery", "query": "select distinct_id, person_id from person_distinct_ids"})["results"]
    assert {name: who[person] for name, person in ids if person in who} == expected


@pytest.mark.parametrize("math", ["unique_group", "first_time_for_group", "first_matching_event_for_group"])
def test_groups_behind_a_number(shop: Ask, math: str) -> None:
    """Where groups are counted, groups are behind it."""
    query = trend({"event": "pay", "math": math, "math_group_type_index": 0})
    source = {"kind": "InsightActorsQuery", "source": query, "day": "2026-03-08"}
    answer = shop({"kind": "ActorsQuery", "source": source, "select": ["id", "event_count"], "orderBy": ["id"]})
    assert [row[:2] for row in answer["results"]] == [["acme", 1], ["beta", 1]]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (trend({"event": "pay", "math": "unique_group"}), "math_group_type_index"),
        (trend({"event": "pay", "math": "sum", "math_property": "x", "math_property_type": "stars"}), "stars"),
        (trend(PAY, **by(breakdown="x", breakdown_type="group")), "0 (company)"),
        (trend(PAY, **by(breakdown=[99], breakdown_type="cohort")), "Cohort 99 does not exist"),
        (trend(PAY, **by(breakdown=["x"], breakdown_type="cohort")), "'x' is no cohort"),
        (trend(PAY, **by(breakdown="x", breakdown_type="session")), "$session_duration"),
        (trend(PAY, **by(breakdown="paid", breakdown_histogram_bin_count=-2)), "at least 1"),
        (trend(PAY, samplingFactor=-0.5), "above 0"),
        (trend(PAY, **shown("WorldMap")), "breakdown"),
        (trend(PAY, **shown("BoxPlot")), "math_property"),
        (trend(PAY, **shown("TwoDimensionalHeatmap")), "ActionsTable"),
    ],
)
def test_refusals(shop: Ask, query: dict[str, Any], says: str) -> None:
    """What cannot be answered is refused with what would be."""
    with pytest.raises(QueryError) as refused:
        shop(query)
    assert says in refused.value.detail


def test_three_breakdowns_at_most(shop: Ask) -> None:
    """A fourth is refused, as PostHog does."""
    with pytest.raises(SchemaError, match=r"breakdowns: .* at most 3"):
        shop(trend(PAY, **by(breakdowns=[{"property": name} for name in "wxyz"])))
