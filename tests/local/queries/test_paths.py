"""PathsQuery: against plain Python on a random world, and what each setting means on a small one."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from tests.local.queries.conftest import Ask, store_of

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 31, tzinfo=UTC)
MARCH = {"date_from": "2026-03-01", "date_to": "2026-03-30"}
PAUSE = timedelta(minutes=30)
Visit = tuple[datetime, str]
Edges = list[tuple[str, str, int]]


def _world() -> dict[str, list[Visit]]:
    """Persons who open pages a to e, or one without a name, some minutes apart."""
    chance = random.Random(11)
    found: dict[str, list[Visit]] = {}
    for number in range(200):
        minutes = sorted(chance.sample(range(300), chance.randint(1, 25)))
        found[f"person-{number}"] = [(START + timedelta(minutes=m), chance.choice("aabbcde ").strip()) for m in minutes]
    return found


WORLD = _world()


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    rows = [
        {"event": "$pageview", "timestamp": at.isoformat(), "distinct_id": who, "properties": {"$current_url": page}}
        for who, pages in WORLD.items()
        for at, page in pages
    ]
    opened = store_of(rows, tmp_path_factory.mktemp("visits"))
    yield opened
    opened.close()


def edges(
    store: EventStore, query: dict[str, Any] | None = None, project: queries.Project | None = None, **given: Any
) -> Edges:
    asked = {"kind": "PathsQuery", "dateRange": MARCH, "pathsFilter": {"edgeLimit": 10_000, **given}, **(query or {})}
    where = project or queries.Project()
    answer = queries.run(asked, events=store, project=where, now=NOW, cancelled=threading.Event())
    return [(edge["source"], edge["target"], edge["value"]) for edge in answer["results"]]


# -- plain Python ------------------------------------------------------------------------------------------------------


def sessions(visits: list[Visit]) -> Iterator[list[str]]:
    """Pages up to a pause; equal ones in a row are one, and one without a name at the end is none."""
    session: list[str] = []
    for (at, page), after in zip(visits, [*visits[1:], None], strict=True):
        if session[-1:] != [page]:
            session.append(page)
        if after is None or after[0] - at >= PAUSE:
            yield session[:-1] if session[-1] == "" else session
            session = []


def shown(session: list[str], start: str | None, end: str | None, limit: int) -> list[str]:
    """What is shown of a session."""
    if start:
        session = session[session.index(start) :] if start in session else []
    if end:
        session = session[: session.index(end) + 1] if end in session else []
    if start and end and len(session) > limit:
        return [*session[: limit // 2], "...", *session[len(session) - limit // 2 :]]
    return session[-limit:] if end and not start else session[:limit]


def expected(start: str | None, end: str | None, limit: int) -> Edges:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for visits in WORLD.values():
        for session in sessions(visits):
            for number, (one, two) in enumerate(pairwise(shown(session, start, end, limit)), 1):
                counts[f"{number}_{one}", f"{number + 1}_{two}"] += 1
    return sorted(((*edge, count) for edge, count in counts.items()), key=lambda edge: (-edge[2], edge[:2]))


@pytest.mark.parametrize("limit", [2, 3, 4, 5, 9])
@pytest.mark.parametrize(("start", "end"), [(None, None), ("a", None), (None, "c"), ("a", "c"), ("e", "a")])
def test_as_plain_python(visits: EventStore, start: str | None, end: str | None, limit: int) -> None:
    """Every edge, with how often it was taken."""
    assert expected(start, end, limit) == edges(visits, startPoint=start, endPoint=end, stepLimit=limit)


@pytest.mark.parametrize("key", ["2_b", "3_a", "4_"])
@pytest.mark.parametrize(("start", "end"), [(None, None), ("a", None), (None, "c"), ("a", "c")])
def test_who_stopped_as_plain_python(visits: EventStore, start: str | None, end: str | None, key: str) -> None:
    """The persons whose shown path ends at a step."""
    stopped = {
        who
        for who, pages in WORLD.items()
        for path in (shown(session, start, end, 4) for session in sessions(pages))
        if path and f"{len(path)}_{path[-1]}" == key
    }
    filters = {"startPoint": start, "endPoint": end, "stepLimit": 4, "pathDropoffKey": key}
    source = {"kind": "PathsQuery", "dateRange": MARCH, "pathsFilter": filters}
    asked = {"kind": "ActorsQuery", "source": {"kind": "InsightActorsQuery", "source": source}, "select": ["person"],
             "limit": 1000}  # fmt: skip
    answer = queries.run(asked, events=visits, project=queries.Project(), now=NOW, cancelled=threading.Event())
    assert stopped == {person["distinct_ids"][0] for (person,) in answer["results"]}


# -- one setting each --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """Two persons: both took step one of a funnel, ann also step two; bea came back after the funnel's two weeks."""
    rows = [
        {"event": event, "timestamp": f"2026-03-{time}:00Z", "distinct_id": who, "properties": properties}
        for event, time, who, properties in (
            ("$pageview", "08T08:50", "ann", {"$current_url": "/docs/1/"}),
            ("$pageview", "08T08:50", "bea", {"$current_url": "/docs/2/"}),
            ("one", "08T09:00", "ann", {"label": "first"}),
            ("one", "08T09:00", "bea", {"label": "first"}),
            ("$screen", "08T09:05", "ann", {"$screen_name": "Help"}),
            ("two", "08T09:10", "ann", {"label": "second"}),
            ("after", "08T09:20", "ann", {}),
            ("back", "28T09:30", "bea", {}),
            ("again", "28T09:31", "bea", {}),
        )
    ]
    opened = store_of(rows, tmp_path_factory.mktemp("small"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"includeEventTypes": ["custom_event"], "minEdgeWeight": 1, "excludeEvents": ["again", "after"]},
         [("1_one", "2_two", 1)]),
        ({"includeEventTypes": ["$pageview", "custom_event"], "stepLimit": 2, "pathGroupings": ["/docs/*"]},
         [("1_/docs/*", "2_one", 2), ("1_back", "2_again", 1)]),
        ({"stepLimit": 2, "minEdgeWeight": 2, "localPathCleaningFilters": [{"regex": r"\d+", "alias": "N"}]},
         [("1_/docs/N", "2_one", 2)]),
        ({"includeEventTypes": ["$screen", "custom_event"], "startPoint": "Help"},
         [("1_Help", "2_two", 1), ("2_two", "3_after", 1)]),
        ({"includeEventTypes": ["hogql"], "pathsHogQLExpression": "upper(properties.label)", "endPoint": "SECOND"},
         [("1_", "2_FIRST", 1), ("2_FIRST", "3_", 1), ("3_", "4_SECOND", 1)]),
        ({"includeEventTypes": ["hogql"], "pathsHogQLExpression": "event = 'one'", "endPoint": "1"},
         [("1_0", "2_1", 2)]),
        ({"edgeLimit": 1, "maxEdgeWeight": 1}, [("1_/docs/1", "2_one", 1)]),
    ],
)  # fmt: skip
def test_each_setting(small: EventStore, given: dict[str, Any], expected: Edges) -> None:
    """Which events are steps, what they are called, and which edges are shown."""
    assert expected == edges(small, **given)


@pytest.mark.parametrize("given", [{"startPoint": "/docs/1/"}, {"startPoint": "/docs/1/", "endPoint": "one/"}])
def test_a_point_with_a_slash_at_its_end(small: EventStore, given: dict[str, Any]) -> None:
    """Is the page without it, as pages are called; so too where paths have two ends."""
    assert ("1_/docs/1", "2_one", 1) in edges(small, **given)


def test_a_cleaning_rule_reaches_over_lines(small: EventStore) -> None:
    """A dot is any character, as ClickHouse reads it."""
    named = "if(event = 'one', concat('a', char(10), 'b'), event)"
    rules = [{"regex": "a.b", "alias": "N"}]
    given: dict[str, Any] = {"includeEventTypes": ["hogql"], "localPathCleaningFilters": rules, "endPoint": "N"}
    assert [("1_$pageview", "2_N", 2)] == edges(small, pathsHogQLExpression=named, **given)


@pytest.mark.parametrize(
    ("kind", "step", "expected"),
    [
        ("before", 2, [("1_/docs/1", "2_one", 1), ("2_one", "3_Help", 1), ("3_Help", "4_two", 1)]),
        ("between", 2, [("1_one", "2_Help", 1), ("2_Help", "3_two", 1)]),
        ("after", 2, [("1_two", "2_after", 1)]),
        ("after", -2, [("1_back", "2_again", 1)]),
        ("before", -2, [("1_/docs/2", "2_one", 1)]),
    ],
)
def test_paths_around_a_funnel(small: EventStore, kind: str, step: int, expected: Edges) -> None:
    """Before a step, since the one before it, after it; who left is followed once their two weeks are up."""
    series = [{"kind": "EventsNode", "event": name} for name in ("one", "two")]
    funnel = {"kind": "FunnelsQuery", "series": series, "dateRange": MARCH}
    names = {"before": "before_step", "between": "between_steps", "after": "after_step"}
    given = {"funnelPathType": f"funnel_path_{names[kind]}", "funnelStep": step, "funnelSource": funnel}
    assert sorted(expected) == sorted(edges(small, {"funnelPathsFilter": given}))


@pytest.mark.parametrize(
    "counted",
    [{"aggregation_group_type_index": 0}, {"funnelsFilter": {"funnelAggregateByHogQL": "properties.$group_0"}}],
)
def test_paths_of_what_a_funnel_counts(tmp_path: Path, counted: dict[str, Any]) -> None:
    """Of groups, or an expression's values: what was done for them, by each person by themselves."""
    did = (
        ("one", "ann", "acme"),
        ("two", "bea", "acme"),
        ("after", "bea", "acme"),
        ("a", "cem", "x"),
        ("b", "bea", "x"),
    )
    rows = [
        {"event": event, "timestamp": f"2026-03-08T09:0{n}:00Z", "distinct_id": who, "properties": {"$group_0": key}}
        for n, (event, who, key) in enumerate(did)
    ]
    store = store_of(rows, tmp_path)
    series = [{"kind": "EventsNode", "event": name} for name in ("one", "two")]
    funnel = {"kind": "FunnelsQuery", "series": series, "dateRange": MARCH, **counted}
    given = {"funnelPathType": "funnel_path_after_step", "funnelStep": 2, "funnelSource": funnel}
    assert [("1_two", "2_after", 1)] == edges(store, {"funnelPathsFilter": given})
    store.close()


def test_paths_around_a_funnel_in_any_order(small: EventStore) -> None:
    """After the second thing that was done of two."""
    series = [{"kind": "EventsNode", "event": name} for name in ("two", "one")]
    funnel = {"kind": "FunnelsQuery", "series": series, "dateRange": MARCH}
    funnel["funnelsFilter"] = {"funnelOrderType": "unordered"}
    given = {"funnelPathType": "funnel_path_after_step", "funnelStep": 2, "funnelSource": funnel}
    assert [("1_two", "2_after", 1)] == edges(small, {"funnelPathsFilter": given})


def test_an_exact_date_begins_with_its_day(small: EventStore) -> None:
    """From which minute paths are asked for does not matter, until which it does."""
    exactly = {"date_from": "2026-03-08T09:05:00", "date_to": "2026-03-08T09:07:00", "explicitDate": True}
    expected = [("1_/docs/1", "2_one", 1), ("1_/docs/2", "2_one", 1), ("2_one", "3_Help", 1)]
    assert expected == edges(small, {"dateRange": exactly})


def test_a_share_of_the_users_stands_for_all(visits: EventStore) -> None:
    """Half of the users are read, and counted twice."""
    found = {edge[:2]: edge[2] for edge in edges(visits, {"samplingFactor": 0.5})}
    whole = {edge[:2]: edge[2] for edge in edges(visits)}
    assert all(count % 2 == 0 for count in found.values())
    assert 0.5 < sum(found.values()) / sum(whole.values()) < 1.5


@pytest.mark.parametrize(("asked", "page"), [(None, "/docs/1"), (True, "/help"), (False, "/docs/1")])
def test_the_projects_own_cleaning_rules(small: EventStore, asked: bool | None, page: str) -> None:
    """They apply where the query asks for them, in their order."""
    rules = [{"regex": r"^/help/\d$", "alias": "/help", "order": 1}, {"regex": "docs", "alias": "help", "order": 0}]
    found = edges(small, project=queries.Project(path_cleaning_filters=rules), stepLimit=2, pathReplacements=asked)
    assert f"1_{page}" == found[0][0]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"pathsFilter": {"localPathCleaningFilters": [{"regex": "(", "alias": ""}]}}, "regular expression"),
        ({"pathsFilter": {"includeEventTypes": ["hogql"], "pathsHogQLExpression": "nope("}}, "Syntax error"),
        ({"funnelPathsFilter": {"funnelSource": {"kind": "TrendsQuery"}}}, "funnelSource"),
        ({"funnelPathsFilter": {"funnelSource": {"kind": "FunnelsQuery", "series": []}}}, "at least"),
    ],
)
def test_what_cannot_be_answered_says_why(ask: Ask, query: dict[str, Any], says: str) -> None:
    """A bad rule, a bad expression, a source that is no funnel."""
    with pytest.raises(queries.QueryError) as refused:
        ask({"kind": "PathsQuery", "dateRange": MARCH, **query})
    assert says in refused.value.detail
