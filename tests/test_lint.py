"""What is doubtful about an insight: found where it is sure, and silent otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights_mcp.answer.asked import Asked
from insights_mcp.text import UNSAFE
from insights_mcp.words import contradicted, lint
from insights_mcp.words.sql import lengths
from tests.test_changes import FUNNEL, RETENTION, RICH, SQL, TREND, altered, event, json_values, parts

MONTH = TREND | {"dateRange": {"date_from": "-30d"}}
WEEKLY = MONTH | {"interval": "week"}
WEEK_OF_SQL = SQL | {
    "query": "select count() from events -- - interval 1 day\nwhere timestamp > now() - interval 1 week"
}
USERS = TREND | {"series": [event("open", math="dau"), event("close", math="dau")]}
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)

CONTRADICTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("Sign-ups, last 7 days", MONTH, 'says "last 7 days", the query covers last 30 days'),
    ("Sign-ups in the past 24 hours", MONTH, 'says "past 24 hours"'),
    ("Sign-ups, last 30 days", TREND | {"dateRange": {"date_from": "mStart"}}, "the query covers this month"),
    ("Sign-ups, last 90 days", TREND | {"dateRange": {"date_from": "2026-01-01"}}, "covers since 2026-01-01"),
    ("Weekly sign-ups", MONTH, "says weekly, the query counts per day"),
    ("Sign-ups per month", WEEKLY, 'says "per month", the query counts per week'),
    ("WAU", USERS, "says WAU, the query counts per day"),
    ("Weekly retention", RETENTION, "says weekly, the query counts per day"),
    ("$pageview by country", MONTH, "speaks of $pageview, which the query does not use"),
    ("sign_up by country", MONTH, "speaks of sign_up, which the query does not use"),
    ("Sign-ups (7d)", MONTH, "says 7d, the query covers last 30 days"),
    ("Sign-ups - 7 days", MONTH, 'says "7 days", the query covers last 30 days'),
    ("Conversion (30 days)", FUNNEL | {"dateRange": {"date_from": "-90d"}}, 'says "30 days"'),
    ("Sign-ups this month", WEEKLY | {"dateRange": {"date_from": "-90d"}}, 'says "this month"'),
    ("Sign-ups this month", TREND | {"dateRange": {"date_from": "wStart"}}, "the query covers this week"),
    ("Sign-ups today", MONTH, "says today, the query covers last 30 days"),
    ("Sign-ups, last 7 days", WEEK_OF_SQL | {"query": "select 1 from e where t > today() - 30"}, "looks back 30 days"),
    ("Sign-ups, last 30 days", WEEK_OF_SQL, 'says "last 30 days", the SQL looks back 1 week'),
    ("DAU", USERS | {"trendsFilter": {"display": "BoldNumber"}}, "unique users of the whole window (last 7 days)"),
]
AGREEMENTS: list[tuple[str, dict[str, Any]]] = [
    ("Sign-ups, last 30 days", MONTH),
    ("Sign-ups, last month", MONTH),
    ("Sign-ups, past 4 weeks", MONTH),
    ("Sign-ups, last 1 month", MONTH),
    ("Sign-ups, last 30 days vs last 7 days", MONTH),
    ("Sign-ups, up from the last 7 days", MONTH | {"compareFilter": {"compare": True, "compare_to": "-7d"}}),
    ("Sign-ups, last 7d", TREND | {"dateRange": {"date_from": "-7d", "date_to": "-1d"}}),
    ("Weekly sign-ups", WEEKLY),
    ("Weekly active users", TREND | {"series": [event(None, math="weekly_active")]}),
    ("Weekly digest opened", TREND | {"series": [event("weekly digest opened")]}),
    ("Monthly plan", MONTH | {"properties": [{"key": "plan", "value": "monthly"}]}),
    ("Sign-ups of last 7 days", SQL),
    ("q3_report sign-ups", MONTH),
    ("7-day retention", RETENTION),
    ("Sign-ups (30d)", MONTH),
    ("Conversion (14 days)", FUNNEL | {"dateRange": {"date_from": "-90d"}}),
    ("Active users (7d)", MONTH | {"series": [event("open", math="weekly_active")]}),
    ("Sign-ups, smoothed (7d)", MONTH | {"trendsFilter": {"smoothingIntervals": 7}}),
    ("Sign-ups this month", MONTH),
    ("Sign-ups this month", TREND | {"dateRange": {"date_from": "mStart"}}),
    ("Sign-ups this week vs last week", MONTH),
    ("Sign-ups yesterday", TREND | {"dateRange": {"date_from": "-1dStart", "date_to": "-1dEnd"}}),
    ("Sign-ups, last 7 days", WEEK_OF_SQL),
    ("Sign-ups, last 7 days", SQL | {"query": "select 1 where t > now() - interval 30 day or t > today() - 7"}),
]
FOUND: list[tuple[dict[str, Any], str]] = [
    (USERS | {"trendsFilter": {"formula": "A + B"}}, "adds unique users of A and B"),
    (
        TREND
        | {"series": [event("x", math="weekly_active")], "trendsFilter": {"display": "ActionsLineGraphCumulative"}},
        "adds up weekly active users of every day",
    ),
    (MONTH | {"compareFilter": {"compare": True}}, "the present day is not over"),
    (FUNNEL, "conversion window (14 days) is longer than the range (last 7 days)"),
    (SQL | {"query": "select sum(n) from (select count(distinct person_id) as n from events)"}, "The SQL sums n,"),
    (SQL | {"query": "select sum(a.dau) from (select uniq(person_id) dau) a"}, "sums dau,"),
    (TREND | {"samplingFactor": 0.1}, "estimated from a sample of 10%"),
    (TREND | {"series": [event(None)]}, "Series A names no event"),
    (TREND | {"series": []}, "nothing is counted"),
]
SILENT: list[dict[str, Any]] = [
    MONTH, WEEKLY, USERS, SQL, RETENTION,
    USERS | {"trendsFilter": {"formula": "A / B"}},
    USERS | {"trendsFilter": {"display": "ActionsLineGraphCumulative"}},
    MONTH | {"compareFilter": {"compare": True}, "dateRange": {"date_from": "2025-01-01", "date_to": "2025-02-01"}},
    FUNNEL | {"dateRange": {"date_from": "-14d"}},
    SQL | {"query": "select sum(n) from (select count() as n, uniq(person_id) as m from events)"},
    TREND | {"series": [event(None, math="dau")]},
]  # fmt: skip


@pytest.mark.parametrize(("name", "query", "said"), CONTRADICTIONS)
def test_a_name_that_contradicts(name: str, query: dict[str, Any], said: str) -> None:
    """It is told which words, and what the query does instead."""
    (found,) = lint(query, name=name, events={"sign_up"})
    assert said in found


@pytest.mark.parametrize(("name", "query"), AGREEMENTS)
def test_a_name_that_agrees(name: str, query: dict[str, Any]) -> None:
    """No false alarm, also where words only look as if."""
    assert [] == contradicted(query, name, "")


def test_a_description_that_contradicts() -> None:
    """Of it only the window counts: it may speak of anything else."""
    text = "Weekly numbers of the last 7 days, see also $pageview."
    assert ['The description says "last 7 days", the query covers last 30 days.'] == contradicted(MONTH, "", text)


@pytest.mark.parametrize(("query", "said"), FOUND)
def test_what_a_query_gives_away(query: dict[str, Any], said: str) -> None:
    """One finding each."""
    (found,) = lint(query)
    assert said in found


@pytest.mark.parametrize("query", SILENT)
def test_nothing_to_find(query: dict[str, Any]) -> None:
    """No false alarm."""
    assert [] == lint(query)


def test_test_accounts() -> None:
    """Told only where the project has filters that the query could use."""
    assert "2 filters" in lint(MONTH, test_account_filters=2)[0]
    assert [] == lint(MONTH | {"filterTestAccounts": True}, test_account_filters=2)
    assert [] == lint(SQL, test_account_filters=2)


# what only a result tells


def daily(*values: float, **more: Any) -> dict[str, Any]:
    """A daily series that ends today."""
    days = [(NOW - timedelta(days=back)).strftime("%Y-%m-%d") for back in range(len(values))][::-1]
    return {"label": "signup", "data": list(values), "days": days, "count": sum(values), "action": {}} | more


def found_in(query: dict[str, Any], *result: dict[str, Any], **asked: Any) -> list[str]:
    """The findings about a result computed at noon."""
    return lint(query, result=list(result), asked=Asked(query, NOW, "UTC", **asked))


def test_an_event_that_stopped() -> None:
    """It was there on every day, then never again; the last day and for how long."""
    steady = [5.0] * 20
    assert ["Signup stopped: nothing after 2025-12-31, 9 buckets to the end."] == found_in(
        MONTH, daily(*steady, *[0.0] * 10)
    )
    for quiet in ([0.0] * 2, [0.0] * 3 + [1.0] * 2, [5.0]):
        assert [] == found_in(MONTH, daily(*steady, *quiet))
    sporadic = [5.0, 0.0, 0.0, 0.0] * 5
    assert [] == found_in(MONTH, daily(*sporadic, *[0.0] * 5))


def test_the_future_is_no_silence() -> None:
    """A window that goes on beyond today has nothing there yet."""
    series = daily(*[5.0] * 10, *[0.0] * 10)
    series["days"] = [(NOW + timedelta(days=place - 9)).strftime("%Y-%m-%d") for place in range(20)]
    assert [] == found_in(MONTH, series)


def test_other_that_dominates() -> None:
    """Its share is told; of unique users there is none, so that it is held against the largest."""
    split = MONTH | {"breakdownFilter": {"breakdown": "$browser"}}
    parts_ = [
        daily(3.0, 3.0, breakdown_value="Chrome"),
        daily(7.0, 7.0, breakdown_value="$$_posthog_breakdown_other_$$"),
    ]
    assert "(other) holds 70% of all" in found_in(split, *parts_)[0]
    users = split | {"series": [event("signup", math="dau")]}
    assert "(other) is larger than any value that is named" in found_in(users, *parts_)[0]
    assert [] == found_in(users, parts_[0] | {"data": [7.0, 7.0]}, parts_[1])


def test_other_that_dominates_a_funnel() -> None:
    """By those who began; with few values it is a value of that name."""
    split = FUNNEL | {"breakdownFilter": {"breakdown": "$browser"}, "dateRange": {"date_from": "-30d"}}
    steps = [[{"breakdown_value": [f"v{n}"], "count": 1}] for n in range(9)]
    many: Any = [*steps, [{"breakdown_value": ["Other"], "count": 90}]]
    assert "(other) holds 90.9% of all" in lint(split, result=many)[0]
    assert [] == lint(split, result=many[5:])


def test_an_event_that_does_not_come_any_more() -> None:
    """By when it was last seen, of any kind of query, unless the window has ended or its pace is slow."""
    seen = {"visit": NOW - timedelta(days=20), "signup": NOW - timedelta(days=2)}
    long = FUNNEL | {"dateRange": {"date_from": "-30d"}}
    asked = Asked(long, NOW, "UTC")
    assert ["Visit has stopped or is rare: last seen 2025-12-21, 20 days ago."] == lint(
        long, asked=asked, last_seen=seen
    )
    for query in (long | {"dateRange": {"date_from": "2025-01-01", "date_to": "2025-03-01"}}, SQL,
                  TREND | {"interval": "month"}, FUNNEL | {"dateRange": {"date_from": "-90d"}}):  # fmt: skip
        assert [] == lint(query, asked=asked, last_seen=seen)


def test_the_breakdown_limit() -> None:
    """More values than are shown."""
    split = MONTH | {"breakdownFilter": {"breakdown": "$browser"}}
    assert "more breakdown values" in found_in(split, daily(1.0, 2.0, breakdown_value="x"), has_more=True)[0]


def test_a_comparison_with_what_is_not_over() -> None:
    """The number so far is told; a window that is over is compared in silence."""
    compared = TREND | {"compareFilter": {"compare": True}}
    pair = [daily(4.0, 4.0, 1.0, compare_label=label) for label in ("current", "previous")]
    assert "(1 so far on 2026-01-10)" in found_in(compared, *pair)[0]
    for series in pair:
        series["days"] = ["2026-01-05", "2026-01-06", "2026-01-07"]
    assert [] == found_in(compared, *pair)


def test_cohorts_that_are_too_young() -> None:
    """Periods that nobody has reached are counted."""
    values = [{"count": 5}] + [{"count": 0}] * 10
    row = {"date": "2026-01-07T00:00:00Z", "label": "Day 0", "values": values}
    assert "no cohort is old enough for the last 8 of 11 periods" in found_in(RETENTION, row)[0].lower()
    assert [] == found_in(RETENTION, row | {"date": "2025-12-01T00:00:00Z"})


@settings(max_examples=200)
@given(st.data())
def test_lint_takes_anything(data: st.DataObject) -> None:
    """Any query, any result: lines that are lines."""
    query = data.draw(st.sampled_from(RICH))
    odd = altered(query, data.draw(st.sampled_from(list(parts(query)))), data.draw(json_values))
    rows = data.draw(json_values | st.lists(st.fixed_dictionaries({"data": json_values, "values": json_values})))
    told = lint(odd, name=data.draw(st.text(max_size=30)), result=rows, asked=Asked(odd, NOW, "UTC"))
    assert [] == [line for line in told if UNSAFE.search(line) or not line]


def test_sql_is_read_without_its_comments() -> None:
    """Once, however many there are; one without an end goes to the end."""
    aside = "-- now() - interval 3 day\n/* now() - interval 4 day */"
    text = f"select 1 {aside} where t > now() - interval 5 day {'/* ' * 99_999} now() - interval 6 day"
    assert {(5, "day")} == lengths(text)
