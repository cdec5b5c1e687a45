"""Whatever is asked, in SQL or JSON: an answer or a clean error, and no word of paths, the engine or generated SQL."""

from __future__ import annotations

import re
import tempfile
import threading
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from insights_mcp.local.queries.hogql.calls import EVERY
from tests.local.queries.conftest import Ask

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
CALM = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
# What only the engine, its SQL or this machine would say.
LEAKS = re.compile(
    r"[Dd]uck[Dd][Bb]|Binder|Catalog|Conversion Error|Parser Error|INTERNAL|LINE \d|try_cast|::(varchar|double|bigint)"
    r"|/\* apart|\$p\d|\bpid\b|unnest\(|list_\w+\(|Traceback|VARCHAR|BIGINT|HUGEINT|\.py\b|site-packages|pydantic"
)


def asked(store: EventStore, query: Any) -> None:
    """Ask, and look at what is said if it is refused."""
    try:
        answer = queries.run(query, events=store, project=queries.Project(), now=NOW, cancelled=threading.Event())
        assert "results" in answer
    except (queries.QueryError, queries.SchemaError) as refused:
        clean(refused.detail, store, query)


def clean(said: str, store: EventStore, query: Any = "") -> None:
    """Nothing is said that the query did not say itself."""
    assert said
    assert len(said) < 5_000
    leaked = LEAKS.search(said)
    assert not leaked or leaked[0] in str(query), said
    assert str(store.path.parent) not in said
    assert tempfile.gettempdir() not in said


# -- SQL ---------------------------------------------------------------------------------------------------------------

ATOMS = st.sampled_from(
    """1 0 -1 2.5 1e400 99999999999999999999 0x1f null true false '' 'a' '%' '(' '2026-01-01' '1 day' event timestamp
    uuid distinct_id person_id properties properties.page properties.amount properties.$set properties.nowhere e.event
    person.properties.plan session.$session_duration group_0.properties.name $session_id [] [1,2] ['a'] (1,2) x *
    {filters} {nobody} now() toDate('2026-01-01')""".split()  # noqa: SIM905
)
NAMES = st.sampled_from([*EVERY, "sleep", "file", "read_csv", "getenv", "windowFunnel", "nonsense", "countIf", "sumIf"])
SIGNS = st.sampled_from(
    [
        "+",
        "-",
        "*",
        "/",
        "%",
        "=",
        "!=",
        "<",
        ">=",
        "||",
        "and",
        "or",
        "in",
        "like",
        "ilike",
        "=~",
        "??",
        "not in",
        "div",
    ]
)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions of expressions."""
    listed = st.lists(inner, max_size=3).map(", ".join)
    return st.one_of(
        st.tuples(NAMES, listed).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(NAMES, inner, listed).map(lambda t: f"{t[0]}({t[1]})({t[2]})"),
        st.tuples(NAMES, inner).map(lambda t: f"{t[0]}(x -> {t[1]}, [1, 2])"),
        st.tuples(inner, SIGNS, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"case when {t[0]} then {t[1]} else {t[2]} end"),
        st.tuples(NAMES, listed, listed).map(lambda t: f"{t[0]}({t[1]}) over (order by {t[2] or 1})"),
        st.tuples(inner, st.sampled_from(["Int64", "String", "DateTime", "UUID", "Array(Int64)", "x"])).map(
            lambda t: f"cast({t[0]} as {t[1]})"
        ),
        inner.map(lambda text: f"(select {text} from events)"),
    )


EXPRESSIONS = st.recursive(ATOMS, larger, max_leaves=6)
SOURCES = st.sampled_from(
    ["events", "events e", "persons", "sessions", "groups", "cohort_people", "numbers(5)", "raw_sessions", "secrets",
     "(select 1 as x)", "events e join persons p on e.person_id = p.id", "events a join events b on a.event < b.event",
     "events array join [1, 2] as x", "person_distinct_ids", "session_replay_events", "information_schema.tables",
     "sqlite_master"]
)  # fmt: skip
ENDS = st.sampled_from(
    ["", "where {x}", "group by {x}", "order by {x}", "limit {x}", "group by 1 having {x}", "limit 1 by {x}",
     "group by {x} with rollup", "group by grouping sets (({x}, 1), ())", "qualify {x}", "limit 1 offset 1 by {x}",
     "order by {x} with fill", "order by 1 with fill from {x} to 9 step 2 interpolate", "order by 1 with fill step {x}"]
)  # fmt: skip
SELECTS = st.tuples(st.lists(EXPRESSIONS, min_size=1, max_size=3).map(", ".join), SOURCES, ENDS, EXPRESSIONS).map(
    lambda t: f"select {t[0]} from {t[1]} {t[2].replace('{x}', t[3])}"
)
UNIONS = st.lists(SELECTS, min_size=2, max_size=3).map(" union all ".join)


@CALM
@given(st.one_of(SELECTS, UNIONS, EXPRESSIONS.map("select {}".format), st.text(max_size=80)))
def test_any_sql(store: EventStore, text: str) -> None:
    """SQL made of all functions and tables there are, and some that are not."""
    asked(store, {"kind": "HogQLQuery", "query": text})


# -- JSON --------------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    """$pageview visit buy total dau hogql avg sum person event group cohort session element exact is_not regex gt
    between is_set is_date_before day week hour month all -7d -1mStart 2026-01-01 ActionsPie WorldMap BoldNumber OR AND
    ordered strict unordered steps trends first_touch retention_first_time page plan amount ( ' '; [ 9999-99-99
    drop""".split()  # noqa: SIM905
)
SCALARS = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.integers(-3, 40), st.floats(),
    st.text(max_size=8), EXPRESSIONS,
)  # fmt: skip
FIELDS = st.sampled_from(
    """kind event math math_property math_hogql math_group_type_index properties key value operator type values id
    name interval dateRange date_from date_to explicitDate breakdownFilter breakdown breakdown_type breakdowns
    breakdown_limit property histogram_bin_count trendsFilter display formula formulas smoothingIntervals
    compareFilter compare compare_to samplingFactor filterTestAccounts funnelsFilter funnelOrderType
    funnelVizType funnelWindowInterval funnelWindowIntervalUnit exclusions funnelFromStep funnelToStep
    funnelAggregateByHogQL retentionFilter retentionType period totalIntervals targetEntity returningEntity
    pathsFilter includeEventTypes startPoint endPoint stepLimit pathGroupings localPathCleaningFilters edgeLimit
    stickinessFilter stickinessCriteria lifecycleFilter query values variables filters modifiers
    aggregation_group_type_index series source select orderBy limit offset search""".split()  # noqa: SIM905
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=4)),
    max_leaves=10,
)
NODES = st.fixed_dictionaries(
    {"kind": st.sampled_from(["EventsNode", "ActionsNode", "GroupNode", "x"])},
    optional={
        "event": st.one_of(WORDS, st.none()), "math": WORDS, "math_property": WORDS, "math_hogql": EXPRESSIONS,
        "properties": JSON,
    },
)  # fmt: skip
KINDS = st.sampled_from([*queries.KINDS, "EventsQuery", "InsightVizNode", "DataTableNode", "Nonsense"])
QUERIES = st.tuples(
    st.fixed_dictionaries(
        {"kind": KINDS, "series": st.one_of(st.lists(NODES, max_size=3), JSON)},
        optional={"interval": WORDS, "dateRange": JSON, "properties": JSON, "breakdownFilter": JSON, "query": JSON,
                  "source": JSON, "select": JSON},
    ),
    st.dictionaries(FIELDS, JSON, max_size=3),
).map(lambda parts: {**parts[1], **parts[0]})  # fmt: skip


VISIT = {"kind": "EventsNode", "event": "visit", "math": "total", "properties": [{"key": "page", "value": ["/"]}]}
BUY = {"kind": "EventsNode", "event": "buy", "math": "sum", "math_property": "amount"}
RANGE = {"date_from": "-7d", "date_to": "2026-03-10", "explicitDate": False}
PERSON = {"key": "plan", "type": "person", "operator": "is_not", "value": "pro"}
COMMON = {"dateRange": RANGE, "properties": {"type": "AND", "values": [{"type": "OR", "values": [PERSON]}]}}
# Queries that are answered; each time some of their values are replaced.
VALID: list[dict[str, Any]] = [
    {"kind": "TrendsQuery", "series": [VISIT, {**BUY, "math": "p90"}], "interval": "day", **COMMON,
     "breakdownFilter": {"breakdown": "page", "breakdown_type": "event", "breakdown_limit": 3},
     "compareFilter": {"compare": True, "compare_to": "-1w"}, "trendsFilter": {"display": "ActionsLineGraph"}},
    {"kind": "TrendsQuery", "series": [VISIT, BUY], "interval": "hour", "dateRange": RANGE, "samplingFactor": 1,
     "trendsFilter": {"formulas": ["A + B / 2"], "smoothingIntervals": 2},
     "breakdownFilter": {"breakdowns": [{"property": "amount", "type": "event", "histogram_bin_count": 3}]}},
    {"kind": "TrendsQuery", "series": [{**VISIT, "math": "hogql", "math_hogql": "count() / uniq(person_id)"}],
     "properties": [{"key": "properties.page = '/'", "type": "hogql"}], "trendsFilter": {"display": "BoldNumber"}},
    {"kind": "FunnelsQuery", "series": [VISIT, BUY], **COMMON, "funnelsFilter": {
        "funnelOrderType": "ordered", "funnelVizType": "steps", "funnelWindowInterval": 14,
        "funnelWindowIntervalUnit": "day", "exclusions": [
            {"kind": "EventsNode", "event": "x", "funnelFromStep": 0, "funnelToStep": 1}]},
     "breakdownFilter": {"breakdown": "plan", "breakdown_type": "person"}},
    {"kind": "FunnelsQuery", "series": [VISIT, BUY], "interval": "day", "funnelsFilter": {"funnelVizType": "trends"}},
    {"kind": "RetentionQuery", **COMMON, "retentionFilter": {
        "retentionType": "retention_first_time", "period": "Day", "totalIntervals": 4,
        "targetEntity": {"id": "visit", "type": "events"}, "returningEntity": {"id": "buy", "type": "events"}}},
    {"kind": "PathsQuery", **COMMON, "pathsFilter": {
        "includeEventTypes": ["custom_event", "hogql"], "pathsHogQLExpression": "event", "stepLimit": 4,
        "startPoint": "visit", "pathGroupings": ["/d*"], "edgeLimit": 5}},
    {"kind": "StickinessQuery", "series": [VISIT], "interval": "day", **COMMON,
     "stickinessFilter": {"stickinessCriteria": {"operator": "gte", "value": 1}}},
    {"kind": "LifecycleQuery", "series": [VISIT], "interval": "week", **COMMON},
    {"kind": "HogQLQuery", "query": "select event, {v} from events where {filters} limit 3", "values": {"v": 1},
     "filters": {"dateRange": RANGE, "properties": [PERSON], "filterTestAccounts": True}},
    {"kind": "EventsQuery", "select": ["*", "person", "properties.page"], "where": ["event = 'buy'"], "after": "-9d",
     "orderBy": ["timestamp DESC"], "limit": 3, "offset": 0},
    {"kind": "ActorsQuery", "select": ["person", "id"], "orderBy": ["id"], "limit": 2, "source": {
        "kind": "InsightActorsQuery", "day": "2026-03-08", "series": 0, "source": {
            "kind": "TrendsQuery", "series": [VISIT], "dateRange": RANGE}}},
    {"kind": "ActorsQuery", "select": ["person"], "search": "a", "properties": [PERSON]},
]  # fmt: skip


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a query."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above] * bool(above) + [place for key, each in inner for place in places(each, (*above, key))]


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A query that would be answered, with one to three of its values replaced."""
    query = deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places(query)))
        inside = query
        for key in way:
            inside = inside[key]
        inside[last] = draw(st.one_of(SCALARS, SCALARS, JSON))
    return query


@pytest.mark.parametrize("query", VALID, ids=range(len(VALID)))
def test_these_are_answered(ask: Ask, query: dict[str, Any]) -> None:
    """What is changed below is right as it stands."""
    assert "results" in ask(query)


@CALM
@given(st.one_of(changed(), changed(), QUERIES, JSON))
def test_any_json(store: EventStore, query: Any) -> None:
    """JSON made of the words of queries, in all wrong places."""
    try:
        queries.check(query)
    except (queries.SchemaError, queries.QueryError) as refused:
        clean(refused.detail, store)
    asked(store, query)


def test_nothing_is_written(store: EventStore) -> None:
    """After all of that the folder holds what it held."""
    assert {"events.duckdb", "events.jsonl"} == {path.name for path in Path(store.path.parent).iterdir()}
