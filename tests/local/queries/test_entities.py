"""What a series or a filter means: actions, elements, cohorts by behaviour, groups and sessions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from insights_mcp.local.queries.elements import pattern_of
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Action, Cohort
from tests.local.queries.conftest import asking, store_of

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
LINK = 'a.btn.main:attr__data-x="1"attr_id="go"href="/buy"nth-child="2"text="Buy; now";div.box:nth-child="1"'
BUTTON = 'button.btn:nth-child="1"nth-of-type="1"text="Pay";form.pay:attr_id="f";body:nth-child="1"'


def event(name: str, day: int, who: str, chain: str = "", /, **properties: Any) -> dict[str, Any]:
    return {
        "event": name, "timestamp": f"2026-03-{day:02}T10:00:00Z", "distinct_id": who, "elements_chain": chain,
        "properties": properties,
    }  # fmt: skip


# ann runs each week, ben stopped, cem came back, dan began this month and runs, then rests.
EVENTS = [
    *(event("run", day, "ann", **{"$session_id": f"a{day}", "$groups": {"club": "red"}}) for day in (2, 9, 16, 23, 30)),
    event("run", 3, "ben", km=5),
    event("run", 4, "ben", km=12),
    event("run", 1, "cem"),
    event("run", 29, "cem"),
    event("run", 28, "dan"),
    event("rest", 29, "dan"),
    event("$autocapture", 30, "ann", LINK, **{"$current_url": "https://run.example/buy?x=1"}),
    event("$autocapture", 30, "ben", BUTTON, **{"$session_id": "b30"}),
    {**event("$autocapture", 30, "ben", **{"$session_id": "b30"}), "timestamp": "2026-03-30T10:05:00Z"},
    event("$groupidentify", 1, "ann", **{"$group_type": "club", "$group_key": "red", "$group_set": {"size": 40}}),
]
Count = Callable[..., dict[str, int]]


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Count]:
    """How many events of a series each distinct id has; settings of the project by name."""
    store = store_of(EVENTS, tmp_path_factory.mktemp("runners"))
    ask = asking(store, NOW)

    def counted(*properties: dict[str, Any], series: dict[str, Any] | None = None, **settings: Any) -> dict[str, int]:
        query = {
            "kind": "TrendsQuery",
            "series": [series or {"kind": "EventsNode", "event": "run"}],
            "dateRange": {"date_from": "2026-03-01", "date_to": "2026-03-31"},
            "properties": list(properties),
            "trendsFilter": {"display": "ActionsTable"},
            "breakdownFilter": {"breakdown": "distinct_id", "breakdown_type": "event_metadata"},
        }
        answer = ask(query, **settings)
        return {series["breakdown_value"]: series["aggregated_value"] for series in answer["results"]}

    yield counted
    store.close()


def did(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "behavioral", "value": value, "key": "run", "event_type": "events", **more}


WEEK = {"time_value": 1, "time_interval": "week"}
MONTH = {"time_value": 29, "time_interval": "day"}


@pytest.mark.parametrize(
    ("behaviour", "members"),
    [
        (did("performed_event", **WEEK), "ann cem dan"),
        (did("performed_event", **WEEK, negation=True), "ben"),
        (did("performed_event", explicit_datetime="-28d", explicit_datetime_to="-21d"), "ann ben"),
        (did("performed_event", **MONTH, event_filters=[{"key": "km", "value": 10, "operator": "gt"}]), "ben"),
        (did("performed_event_multiple", **MONTH, operator="gte", operator_value=2), "ann ben"),
        (did("performed_event_multiple", **MONTH, operator="lt", operator_value=2), "cem dan"),
        (did("performed_event_first_time", **WEEK), "dan"),
        (did("performed_event_first_time", **MONTH, event_filters=[{"key": "km", "value": 10, "operator": "gt"}]), ""),
        (did("performed_event_regularly", **WEEK, total_periods=4, min_periods=4, operator="gte"), "ann"),
        (did("stopped_performing_event", **MONTH, seq_time_value=2, seq_time_interval="week"), "ben"),
        (did("restarted_performing_event", **MONTH, seq_time_value=1, seq_time_interval="week"), "cem"),
        (did("restarted_performing_event", **MONTH, seq_time_value=2, seq_time_interval="day"), ""),
        (did("performed_event_sequence", **WEEK, seq_event="rest", seq_event_type="events", seq_time_value=2,
             seq_time_interval="day"), "dan"),
    ],
)  # fmt: skip
def test_a_cohort_by_what_was_done(count: Count, behaviour: dict[str, Any], members: str) -> None:
    """Done, done often, for the first time, regularly, no more, again, or one thing after another."""
    cohort = Cohort(1, "c", definition={"type": "OR", "values": [{"type": "AND", "values": [behaviour]}]})
    found = count({"type": "cohort", "key": "id", "value": 1}, cohorts={1: cohort})
    assert members.split() == sorted(found)


def test_a_cohort_within_a_cohort(count: Count) -> None:
    """Members of one that are not of another."""
    week = Cohort(1, "w", definition={"type": "AND", "values": [did("performed_event", **WEEK)]})
    others = {"type": "cohort", "key": "id", "value": 1, "negation": True}
    cohorts = {1: week, 2: Cohort(2, "o", definition={"type": "AND", "values": [others]})}
    assert {"ben": 2} == count({"type": "cohort", "key": "id", "value": 2}, cohorts=cohorts)


def test_a_cohort_of_itself(count: Count) -> None:
    """A definition that goes round is refused, not followed for ever."""
    itself = {"type": "AND", "values": [{"type": "cohort", "key": "id", "value": 1}]}
    with pytest.raises(QueryError):
        count({"type": "cohort", "key": "id", "value": 1}, cohorts={1: Cohort(1, "c", definition=itself)})


def test_a_cohort_in_the_older_form(count: Count) -> None:
    """Groups of persons' properties, of an event that was done, or done exactly so often: one of them must hold."""
    from insights_mcp.local.queries.cohorts import definition_of

    often = {"event_id": "run", "days": 30, "count": 5, "count_operator": "eq"}
    named = {"properties": [{"key": "distinct_id", "value": "cem"}]}
    stored = {"groups": [{"event_id": "rest", "days": 7}, often, named]}
    cohort = Cohort(1, "c", definition=definition_of(stored))
    assert ["ann", "cem", "dan"] == sorted(count({"type": "cohort", "key": "id", "value": 1}, cohorts={1: cohort}))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"type": "group", "group_type_index": 0, "key": "size", "value": 30, "operator": "gt"}, {"ann": 5}),
        ({"type": "group", "group_type_index": 0, "key": "$group_key", "value": "red"}, {"ann": 5}),
        ({"type": "event_metadata", "key": "$group_0", "value": "x", "operator": "is_not"},
         {"ann": 5, "ben": 2, "cem": 2, "dan": 1}),
        ({"type": "session", "key": "$session_duration", "value": 0, "operator": "gt"}, {}),
    ],
)  # fmt: skip
def test_filters_on_groups_and_sessions(
    count: Count, properties: dict[str, Any], expected: dict[str, int]
) -> None:  # fmt: skip
    """A group's key may stand in `$groups` alone; a session is what its events say."""
    assert expected == count(properties)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "event_metadata", "key": "timestamp", "operator": "is_date_after", "value": "2026-03-29"}, "ann cem"),
        ({"type": "event_metadata", "key": "timestamp", "operator": "lt", "value": "2026-03-02"}, "cem"),
        ({"type": "event_metadata", "key": "timestamp", "value": "2026-03-02 23:00:00"}, "ann"),
        ({"type": "person_metadata", "key": "created_at", "operator": "lt", "value": "2026-03-02"}, "ann cem"),
    ],
)
def test_times_of_events_and_persons(count: Count, given: dict[str, Any], expected: str) -> None:
    """A time without a zone is the project's: in Auckland, events at ten in the morning are of eleven at night."""
    assert expected.split() == sorted(count(given, timezone="Pacific/Auckland"))


CLICK = {"kind": "EventsNode", "event": "$autocapture"}


@pytest.mark.parametrize(
    ("properties", "who"),
    [
        ({"key": "text", "value": "Buy; now"}, "ann"),
        ({"key": "text", "value": "pa", "operator": "icontains"}, "ben"),
        ({"key": "href", "value": "/buy"}, "ann"),
        ({"key": "tag_name", "value": "form"}, "ben"),
        ({"key": "tag_name", "value": ["a", "body"]}, "ann ben"),
        ({"key": "tag_name", "value": "div", "operator": "is_not"}, "ben"),
        ({"key": "$elements_chain", "type": "event", "value": "form.pay", "operator": "icontains"}, "ben"),
        ({"key": "text", "value": "Pay", "operator": "is_not"}, "ann"),
        ({"key": "href", "operator": "is_set"}, "ann"),
        ({"key": "selector", "value": "form > button"}, "ben"),
        ({"key": "selector", "value": "body button.btn"}, "ben"),
        ({"key": "selector", "value": "body > button"}, ""),
        ({"key": "selector", "value": "#go"}, "ann"),
        ({"key": "selector", "value": ".box > a.main[data-x='1']"}, "ann"),
        ({"key": "selector", "value": "a:nth-child(2)"}, "ann"),
        ({"key": "selector", "value": ["a:nth-child(3)", "form.pay"]}, "ben"),
        ({"key": "selector", "value": "a", "operator": "is_not"}, "ben"),
    ],
)
def test_filters_on_elements(count: Count, properties: dict[str, Any], who: str) -> None:
    """What was clicked, or what it stands in."""
    assert who.split() == sorted(count({"type": "element", **properties}, series=CLICK))


@pytest.mark.parametrize(
    ("step", "who"),
    [
        ({"event": "run"}, "ann ben cem dan"),
        ({}, "ann ben cem dan"),
        ({"event": "$autocapture", "text": "Pay"}, "ben"),
        ({"event": "$autocapture", "text": "^P.y$", "text_matching": "regex"}, "ben"),
        ({"event": "$autocapture", "href": "bu", "href_matching": "contains", "tag_name": "a"}, "ann"),
        ({"event": "$autocapture", "selector": "form button"}, "ben"),
        ({"event": "$pageview", "text": "Pay"}, ""),
        ({"text": "Pay"}, "ann ben cem dan"),
        ({"url": "example/buy"}, "ann"),
        ({"url": "Example/Buy"}, ""),
        ({"url": "example%x"}, "ann"),
        ({"url": "example/buy", "url_matching": "exact"}, ""),
        ({"event": "run", "properties": [{"key": "km", "value": [12], "type": "event"}]}, "ben"),
    ],
)
def test_a_step_of_an_action(count: Count, step: dict[str, Any], who: str) -> None:
    """All that a step says must hold; an empty step is any event."""
    action = Action(1, "a", [step])
    assert who.split() == sorted(count(series={"kind": "ActionsNode", "id": 1}, actions={1: action}))


def test_an_action_without_steps(count: Count) -> None:
    """Is any event."""
    everything = count(series={"kind": "ActionsNode", "id": 1}, actions={1: Action(1, "a", [])})
    assert count(series={"kind": "EventsNode", "event": None}) == everything


@pytest.mark.parametrize("selector", ["", ">", "a >", "a[", "a:hover", "!"])
def test_no_selector(selector: str) -> None:
    """What is no selector, or more than is known here, is refused by name."""
    with pytest.raises(QueryError):
        pattern_of(selector)


def test_a_selector_is_quoted() -> None:
    """What means something in patterns is only itself in a selector."""
    assert re.search(pattern_of("a.x\\+y"), 'a.x+y:nth-child="1"')
    assert not re.search(pattern_of("a.x\\+y"), 'a.xxy:nth-child="1"')
