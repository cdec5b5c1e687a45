"""ActorsQuery over the small world: whom it lists, what it says of them, in which order, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.local.queries import QueryError, SchemaError
from tests.local.queries.conftest import Ask

DAYS = {"date_from": "2026-03-08", "date_to": "2026-03-10"}
NAME = "properties.plan"
VISITS = [{"kind": "EventsNode", "event": "visit"}]
BOUGHT = [*VISITS, {"kind": "EventsNode", "event": "buy"}]
COHORTS = {"breakdown": ["plan"], "breakdown_type": "cohort"}
BY_NO_COHORT = {"kind": "FunnelsQuery", "series": BOUGHT, "dateRange": DAYS, "breakdownFilter": COHORTS}


def source(kind: str, **point: Any) -> dict[str, Any]:
    """A point of an insight of visits (and purchases)."""
    query: dict[str, Any] = {"kind": kind, "series": VISITS, "dateRange": DAYS}
    if kind == "FunnelsQuery":
        return {"kind": "FunnelsActorsQuery", "source": query | {"series": BOUGHT}, **point}
    if kind == "StickinessQuery":
        return {"kind": "StickinessActorsQuery", "source": query, **point}
    return {"kind": "InsightActorsQuery", "source": query, **point}


def who(ask: Ask, asked: dict[str, Any] | None = None, **more: Any) -> list[str]:
    """The persons, by one of their ids."""
    query = {"kind": "ActorsQuery", "select": ["person"], **more, **({"source": asked} if asked else {})}
    return sorted(max(row[0]["distinct_ids"]) for row in ask(query)["results"])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (source("TrendsQuery", day="2026-03-08", series=0), ["ann", "bea"]),
        (source("TrendsQuery", day="2026-03-10", series=0), ["cem"]),
        (source("StickinessQuery", day=2, series=0), ["bea"]),
        (source("LifecycleQuery", day="2026-03-09", status="returning"), ["bea"]),
        (source("LifecycleQuery", day="2026-03-09", status="dormant"), ["ann"]),
        (source("FunnelsQuery", funnelStep=2), ["ann", "bea", "cem"]),
        (source("FunnelsQuery", funnelStep=-2), []),
        ({"kind": "HogQLQuery", "query": "select distinct person_id from events where event = 'buy'"},
         ["ann", "bea", "cem"]),
        ({"kind": "InsightActorsQuery", "source": {"kind": "InsightVizNode", "source": {
            "kind": "TrendsQuery", "series": VISITS, "dateRange": DAYS}}, "day": "2026-03-10"}, ["cem"]),
        (None, ["ann", "bea", "cem"]),
    ],
)  # fmt: skip
def test_who_is_behind_a_point(ask: Ask, asked: dict[str, Any] | None, expected: list[str]) -> None:
    """Each kind of source; a person is one, under all their ids."""
    assert expected == who(ask, asked)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"search": "BEA"}, ["bea"]),
        ({"search": "anon"}, ["bea"]),
        ({"properties": [{"key": "plan", "type": "person", "operator": "exact", "value": "free"}]}, ["ann"]),
        ({"fixedProperties": [{"key": "plan", "operator": "is_set", "value": None}]}, ["ann", "bea"]),
        ({"properties": [{"key": "properties.age > 40", "type": "hogql"}]}, ["ann"]),
        ({"properties": [{"key": "plan", "value": "free"}], "search": "bea"}, []),
    ],
)
def test_whom_it_is_narrowed_to(ask: Ask, more: dict[str, Any], expected: list[str]) -> None:
    """Searching looks into mail, name and every id; any property is the person's."""
    assert expected == who(ask, **more)


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (["properties.plan"], ["free", "pro", None]),
        (["upper(properties.plan) as big"], ["FREE", "PRO", None]),
        (["person.properties.plan"], ["free", "pro", None]),
        (["properties.age"], [41, None, None]),
    ],
)
def test_what_is_said_of_each(ask: Ask, select: list[str], expected: list[Any]) -> None:
    """Properties, and expressions over them."""
    answer = ask({"kind": "ActorsQuery", "select": select, "orderBy": [f"{select[0].split(' as ')[0]} ASC"]})
    assert (select, expected) == (answer["columns"], [row[0] for row in answer["results"]])


def test_the_columns_of_a_trends_actors(ask: Ask) -> None:
    """How often each did it, which recordings show it, and, unasked, by which ids they came."""
    asked = source("TrendsQuery", day="2026-03-08", series=0) | {"includeRecordings": True}
    answer = ask({"kind": "ActorsQuery", "source": asked, "select": [NAME, "event_count", "matched_recordings"],
                  "orderBy": [NAME]})  # fmt: skip
    assert [NAME, "event_count", "matched_recordings", "event_distinct_ids"] == answer["columns"]
    assert [["free", 1, [], ["ann"]], ["pro", 1, [], ["anon-1"]]] == answer["results"]


def test_what_is_asked_of_a_page_alone_is_what_all_have(ask: Ask) -> None:
    """Columns beside that nothing is sorted by come with a statement of their own; in an expression, with all."""
    asked = source("TrendsQuery", day="2026-03-08", series=0)
    alone, of_all = (
        ask({"kind": "ActorsQuery", "source": asked, "select": ["id", ids, count], "orderBy": ["id"]})["results"]
        for ids, count in (
            ("event_distinct_ids", "event_count"),
            ("arraySort(event_distinct_ids) as ids", "event_count + 0 as n"),
        )
    )
    assert [[row[0], sorted(row[1]), row[2]] for row in alone] == [row[:3] for row in of_all]
    assert {"ann", "anon-1"} == {each for row in alone for each in row[1]}


def test_actors_inside_sql(ask: Ask) -> None:
    """A tag of HogQL has the columns asked for, distinct ids too, and none beside them."""
    point = "<InsightActorsQuery day='2026-03-08'><TrendsQuery dateRange={<DateRange date_from='2026-03-08' />} "
    point += "series={[<EventsNode event='visit' />]} /></InsightActorsQuery>"
    select = f"select * from (<ActorsQuery select={{['{NAME}', 'event_distinct_ids']}}>{point}</ActorsQuery>)"
    assert [["free", ["ann"]], ["pro", ["anon-1"]]] == ask({"kind": "HogQLQuery", "query": select})["results"]


def test_a_day_of_the_period_before_is_said_as_the_current_one(ask: Ask) -> None:
    """The second of two days stands beside the second of the two before."""
    asked = source("TrendsQuery", day="2026-03-11", series=0, compare="previous")
    asked["source"] |= {"dateRange": {"date_from": "2026-03-10", "date_to": "2026-03-11"},
                        "compareFilter": {"compare": True}}  # fmt: skip
    assert ["bea"] == who(ask, asked)


def test_when_each_was_last_seen(ask: Ask) -> None:
    """The time of the last event behind the point."""
    asked = source("TrendsQuery", day="2026-03-08", series=0)
    answer = ask({"kind": "ActorsQuery", "source": asked, "select": ["id", "last_seen"], "orderBy": ["last_seen"]})
    assert "2026-03-08" == str(answer["results"][0][1])[:10]


def test_nobody_on_a_page_is_asked_about_no_further(ask: Ask) -> None:
    """An empty page has its columns, and nobody is missing."""
    asked = source("TrendsQuery", day="2026-03-10", series=0)
    asked["source"] |= {"series": [{"kind": "EventsNode", "event": "nothing"}]}
    answer = ask({"kind": "ActorsQuery", "source": asked, "select": ["person", "event_count", "matched_recordings"]})
    assert ([], 0, False) == (answer["results"], answer["missing_actors_count"], answer["hasMore"])


def test_a_count_groups_by_the_other_columns(ask: Ask) -> None:
    """As many persons have each plan; the largest group comes first."""
    answer = ask({"kind": "ActorsQuery", "select": [f"{NAME} is not null as known", "count()"]})
    assert [[1, 2], [0, 1]] == answer["results"]


def test_a_count_over_actors_has_one_number(ask: Ask) -> None:
    """By which ids they came is not told of several at once."""
    asked = source("TrendsQuery", day="2026-03-08", series=0)
    answer = ask({"kind": "ActorsQuery", "source": asked, "select": ["count()", "sum(event_count)"]})
    assert ([[2, 2]], ["count()", "sum(event_count)"]) == (answer["results"], answer["columns"])


def test_what_is_selected_when_nothing_is(ask: Ask) -> None:
    """The person, the id, and a column that PostHog's own page needs."""
    answer = ask({"kind": "ActorsQuery"})
    assert (["person", "id", "person.$delete"], 0) == (answer["columns"], answer["missing_actors_count"])
    assert {"id", "properties", "is_identified", "created_at", "distinct_ids"} == set(answer["results"][0][0])


def test_pages_fit_together(ask: Ask) -> None:
    """Every person is on one page, whatever they are sorted by."""
    pages = [
        ask({"kind": "ActorsQuery", "select": ["id"], "orderBy": ["1"], "limit": 1, "offset": n}) for n in range(4)
    ]
    assert [True, True, False, False] == [page["hasMore"] for page in pages]
    assert 3 == len({row[0] for page in pages for row in page["results"]})


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"source": source("TrendsQuery", series=4)}, "no series 4"),
        ({"source": source("TrendsQuery")}, "Say 'day', the date of a bucket: 2026-03-08 to 2026-03-10"),
        (
            {
                "source": {
                    "kind": "InsightActorsQuery",
                    "day": "2026-03-08",
                    "source": {"kind": "TrendsQuery", "series": VISITS, "trendsFilter": {"display": "BoldNumber"}},
                }
            },
            "leave 'day' out",
        ),
        ({"source": source("FunnelsQuery")}, "Say which step"),
        ({"source": source("FunnelsQuery", funnelStep=9)}, "funnelStep is a step, 1 to 2"),
        ({"source": source("StickinessQuery", day="soon")}, "is no number of intervals"),
        ({"source": {"kind": "InsightActorsQuery", "source": {"kind": "EventsQuery"}}}, "EventsQuery are not known"),
        ({"source": source("TrendsQuery", day="2026-03-08") | {"kind": "FunnelsActorsQuery"}}, "about a FunnelsQuery"),
        ({"source": source("FunnelsQuery", source=BY_NO_COHORT, funnelStep=1, funnelStepBreakdown=6)}, "is no cohort"),
        ({"source": {"kind": "HogQLQuery", "query": "select event from events"}}, "needs a column of ids"),
        ({"properties": [{"key": "$session_duration", "type": "session", "value": 1}]}, "have no 'session' properties"),
        ({"select": ["nothing"]}, "Unable to resolve field: nothing"),
        ({"select": ["id)"]}, "should end here"),
        ({"select": ["event_count"]}, "Unable to resolve field"),
        ({"orderBy": ["properties.plan +"]}, "Syntax error"),
    ],
)
def test_refusals_say_why(ask: Ask, query: dict[str, Any], says: str) -> None:
    """What is no point, no source, or no column."""
    with pytest.raises(QueryError) as refused:
        ask({"kind": "ActorsQuery", **query})
    assert says in refused.value.detail


@pytest.mark.parametrize(
    "query",
    [
        {"source": {"kind": "TrendsQuery", "series": []}},
        {"source": {"kind": "InsightActorsQuery"}},
        {"source": {"kind": "InsightActorsQuery", "source": {"kind": "TrendsQuery"}}},
        {"select": "id"},
        {"limit": "many"},
        {"offset": -1},
    ],
)
def test_no_actors_query(ask: Ask, query: dict[str, Any]) -> None:
    """A source that is not of actors, a query without its parts, fields of another type."""
    with pytest.raises(SchemaError):
        ask({"kind": "ActorsQuery", **query})
