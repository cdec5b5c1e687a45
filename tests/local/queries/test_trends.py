"""TrendsQuery over the small world: what each math counts, and how the result is laid out."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.local.queries import QueryError
from tests.local.queries.conftest import Ask

DAYS = {"date_from": "2026-03-08", "date_to": "2026-03-10"}


def trend(*series: dict[str, Any], **more: Any) -> dict[str, Any]:
    nodes = [{"kind": "EventsNode", **each} for each in series]
    return {"kind": "TrendsQuery", "series": nodes, "dateRange": DAYS, **more}


def data(answer: dict[str, Any]) -> list[Any]:
    return [series["data"] for series in answer["results"]]


def values(answer: dict[str, Any]) -> dict[str, Any]:
    return {series["breakdown_value"]: series["data"] for series in answer["results"]}


@pytest.mark.parametrize(
    ("math", "expected"),
    [
        ({"event": "visit"}, [2, 1, 1]),
        ({"event": None}, [3, 3, 2]),
        ({"event": "visit", "math": "dau"}, [2, 1, 1]),
        ({"event": "visit", "math": "unique_session"}, [2, 1, 1]),
        ({"event": "visit", "math": "weekly_active"}, [2, 2, 3]),
        ({"event": "buy", "math": "sum", "math_property": "amount"}, [10, 30.5, 0]),
        ({"event": "buy", "math": "avg", "math_property": "amount"}, [10, 30.5, 0]),
        ({"event": None, "math": "max_count_per_actor"}, [2, 3, 2]),
    ],
)
def test_math(ask: Ask, math: dict[str, Any], expected: list[float]) -> None:
    """Each math counts its own thing, per day; a person is one, under all their ids."""
    assert [expected] == data(ask(trend(math)))


def test_zone_moves_events_between_days(ask: Ask) -> None:
    """23:30 UTC is the next day in Berlin."""
    assert [[1, 2, 1]] == data(ask(trend({"event": "visit"}), timezone="Europe/Berlin"))


def test_summer_time(ask: Ask) -> None:
    """The offset changes inside the range (US, 8 March 2026)."""
    answer = ask(
        trend({"event": "visit"}, dateRange={"date_from": "2026-03-07", "date_to": "2026-03-10"}), timezone="US/Eastern"
    )
    assert [[0, 2, 1, 1]] == data(answer)


def test_breakdown_by_event_property(ask: Ask) -> None:
    """Empty and missing values are one group, which comes last."""
    answer = ask(trend({"event": "visit"}, breakdownFilter={"breakdown": "page", "breakdown_type": "event"}))
    assert ["/", "/docs", "$$_posthog_breakdown_null_$$"] == list(values(answer))


def test_breakdown_by_person_property_is_current(ask: Ask) -> None:
    """The anonymous visit counts for the plan set later."""
    answer = ask(trend({"event": "visit"}, breakdownFilter={"breakdown": "plan", "breakdown_type": "person"}))
    assert [1.0, 1.0, 0.0] == values(answer)["pro"]


def test_values_beyond_the_limit_are_other(ask: Ask) -> None:
    """With a limit of one, the rest is summed, and more is said to be there."""
    answer = ask(trend({"event": "visit"}, breakdownFilter={"breakdown": "page", "breakdown_limit": 1}))
    assert (True, [1.0, 0.0, 1.0]) == (answer["hasMore"], values(answer)["$$_posthog_breakdown_other_$$"])


def test_single_number(ask: Ask) -> None:
    """A total-value display counts persons once over the range."""
    answer = ask(trend({"event": "visit", "math": "dau"}, trendsFilter={"display": "BoldNumber"}))
    assert (3, []) == (answer["results"][0]["aggregated_value"], answer["results"][0]["data"])


def test_compare(ask: Ask) -> None:
    """The period before comes after, with its own label."""
    answer = ask(trend({"event": "visit"}, compareFilter={"compare": True}))
    assert ["current", "previous"] == [series["compare_label"] for series in answer["results"]]


def test_all_starts_with_the_first_event(ask: Ask) -> None:
    """`all` goes back to the first event of the series."""
    answer = ask(trend({"event": "buy"}, dateRange={"date_from": "all"}))
    assert "2026-03-08T10:00:00Z" == answer["resolved_date_range"]["date_from"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"key": "page", "value": "/"}, 2),
        ({"key": "page", "value": ["/", "/docs"]}, 3),
        ({"key": "page", "operator": "is_not", "value": "/"}, 2),
        ({"key": "page", "operator": "icontains", "value": "DOC"}, 1),
        ({"key": "page", "operator": "not_icontains", "value": "doc"}, 3),
        ({"key": "page", "operator": "regex", "value": "^/d"}, 1),
        ({"key": "page", "operator": "regex", "value": ["^/d", "^/$"]}, 3),
        ({"key": "page", "operator": "not_regex", "value": ["^/d", "^/$"]}, 1),
        ({"key": "page", "value": []}, 4),
        ({"key": "page", "operator": "gt", "value": "/a"}, 1),
        ({"key": "age", "type": "person", "operator": "not_between", "value": [50, 60]}, 1),
        ({"key": "timestamp", "type": "event_metadata", "operator": "is_date_after", "value": "2026-03-09"}, 2),
        ({"key": "nowhere", "operator": "is_set", "value": None}, 0),
        ({"key": "nowhere", "operator": "is_not", "value": "x"}, 4),
        ({"key": "plan", "type": "person", "value": "pro"}, 2),
        ({"key": "age", "type": "person", "operator": "gt", "value": 40}, 1),
        ({"key": "age", "type": "person", "operator": "between", "value": [40, 42]}, 1),
        ({"key": "timestamp", "type": "event_metadata", "operator": "is_not", "value": "x"}, 4),
        ({"key": "properties.page = '/docs'", "type": "hogql"}, 1),
    ],
)
def test_filters(ask: Ask, condition: dict[str, Any], expected: int) -> None:
    """Each operator and type of filter, over four visits."""
    answer = ask(trend({"event": "visit", "properties": [{"operator": "exact", "type": "event", **condition}]}))
    assert expected == answer["results"][0]["count"]


def test_a_filter_that_says_nothing(ask: Ask) -> None:
    """Is as if it were not there; so is one whose value was not chosen yet when it was saved."""
    begun = [{"key": "plan", "type": "event", "operator": name} for name in ("exact", "is_not", "icontains", "gt")]
    begun += [{"type": "cohort", "key": "id"}, {"type": "element", "key": "text"}, {"key": "plan"}]
    assert 4 == ask(trend({"event": "visit"}, properties=[{}, {"type": "empty"}, *begun]))["results"][0]["count"]


def test_nested_groups(ask: Ask) -> None:
    """OR inside AND."""
    either = {"type": "OR", "values": [{"key": "page", "value": "/"}, {"key": "page", "value": "/docs"}]}
    group = {"type": "AND", "values": [either, {"key": "plan", "type": "person", "value": "pro"}]}
    assert 2 == ask(trend({"event": "visit"}, properties=group))["results"][0]["count"]


def test_test_accounts(ask: Ask) -> None:
    """The project's own filters apply when asked for."""
    filters = [{"key": "plan", "type": "person", "operator": "is_not", "value": "pro"}]
    answer = ask(trend({"event": "visit"}, filterTestAccounts=True), test_account_filters=filters)
    assert 2 == answer["results"][0]["count"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (trend({"event": "visit", "math": "hogql"}), "math_hogql"),
        (trend({"event": "visit"}, trendsFilter={"formula": "A*B"}), "'B' in the formula"),
        (trend({"event": "visit"}, trendsFilter={"formula": "A.x"}), "brackets only"),
        (trend({"kind": "DataWarehouseNode", "id": "stripe"}), "DataWarehouseNode"),
        (trend({"event": "visit", "math": "sum"}), "math_property"),
        (trend({"event": "visit", "properties": [{"key": "id", "type": "cohort", "value": 1}]}), "cohort"),
        (trend({"event": "visit"}, dateRange={"date_from": "soon"}), "'soon' is no date"),
        (trend({"event": "visit"}, dateRange={"daysOfWeek": [1, 2]}), "'daysOfWeek' is not supported"),
        (trend({"event": "visit"}, dateRange={"date_from": "1900-01-01"}, interval="minute"), "larger interval"),
        (
            trend({"event": "visit", "properties": [{"key": "page", "operator": "regex", "value": "("}]}),
            "regular expression",
        ),
    ],
)
def test_refusals_say_why(ask: Ask, query: dict[str, Any], says: str) -> None:
    """What cannot be answered is refused with a reason."""
    with pytest.raises(QueryError) as refused:
        ask(query)
    assert says in refused.value.detail
