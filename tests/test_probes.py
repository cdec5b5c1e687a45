"""A probe counts what the query counts: after the last filter, as many events are left as a trend shows."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights_mcp.answer.asked import Asked
from insights_mcp.diagnosis import checked, reasons
from insights_mcp.diagnosis.counted import counted_in
from insights_mcp.diagnosis.emptiness import empty_places
from insights_mcp.diagnosis.probes import Asking, counts_of
from insights_mcp.diagnosis.window import window_of
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.local import Backend
from insights_mcp.tools.insight_facts import asked
from tests.notebook import NOW, WEEK, opened, reader
from tests.test_diagnosis import CAUSES

pytestmark = pytest.mark.anyio
PLAN = {"key": "plan", "type": "person"}
PLANS = st.sampled_from([["paid"], ["free", "paid"], ["x"], "Paid"])
FILTERS = st.one_of(
    st.builds(lambda v, o: PLAN | {"value": v, "operator": o}, PLANS,
              st.sampled_from(["exact", "is_not", "icontains", "not_icontains"])),
    st.builds(lambda v, o: {"key": "words", "value": v, "operator": o}, st.sampled_from([0, 20, "20", 20.0, 75]),
              st.sampled_from(["exact", "is_not", "gt", "gte", "lt", "lte"])),
    st.builds(lambda o: {"key": "country", "value": None, "operator": o}, st.sampled_from(["is_set", "is_not_set"])),
    st.builds(lambda v, o: {"key": "size", "value": v, "operator": o}, st.sampled_from(["l.*e", "^x", "it's"]),
              st.sampled_from(["exact", "regex", "not_regex"])),
    st.builds(lambda v, o: {"key": "id", "type": "cohort", "value": v, "operator": o}, st.sampled_from([1, 2]),
              st.sampled_from(["in", "not_in"])),
    st.builds(lambda v, o: {"key": "words", "value": v, "operator": o}, st.sampled_from([[10, 30], [20, 20]]),
              st.sampled_from(["between", "not_between"])),
    st.builds(lambda o: {"key": "size", "type": "feature", "value": ["large"], "operator": o}, st.sampled_from(
              ["exact", "is_not"])),
    st.builds(lambda k, o: {"key": k, "type": "element", "value": "b", "operator": o}, st.sampled_from(
              ["text", "href", "tag_name"]), st.just("exact")),
    st.just({"key": "toInt(properties.words) > 30", "type": "hogql", "value": None}),
)  # fmt: skip
GROUPS = st.one_of(
    FILTERS, st.builds(lambda values: {"type": "OR", "values": values}, st.lists(FILTERS, min_size=1, max_size=3))
)
WINDOWS = st.sampled_from([WEEK, {"date_from": "-3d"}, {"date_from": "all"}, {"date_from": "2026-01-05T12:00:00"}])


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A project on New York's clocks, with test accounts and cohorts."""
    with opened(tmp_path_factory.mktemp("notebook")) as backend:
        yield backend


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(filters=st.lists(GROUPS, max_size=3), window=WINDOWS, event=st.sampled_from(["note saved", "$pageview", None]),
       out=st.booleans())  # fmt: skip
async def test_the_probe_counts_as_the_query_does(
    filters: list[Any], window: dict[str, str], event: str | None, out: bool, backend: Backend
) -> None:
    """After the last filter, so many events are left as the trend counts; on clocks that are not UTC."""
    query = {
        "kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": event}], "properties": filters,
        "dateRange": window, "filterTestAccounts": out, "trendsFilter": {"display": "BoldNumber"},
    }  # fmt: skip
    async with reader(backend) as (user, _):
        reply = await user.client.send(RunQuery(query=query))
        of = asked(reply, query)
        (counts,) = await counts_of(Asking(user.client), counted_in(query), window_of(of), of.zone, out)
    assert (reply.results[0]["aggregated_value"] or 0) == (counts.real if out else counts.rest)


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, -1, 1e400, "", "x'\\`", [], {}, [[]], {"a": {"b": []}}, True, "2026-99-99", ["\u202e|"]]
)


def with_junk(value: Any, junk: Any, chance: Random) -> Any:
    """The same with some of its parts replaced."""
    if chance.random() < 0.15:
        return junk
    if isinstance(value, dict):
        return {key: part if key == "kind" else with_junk(part, junk, chance) for key, part in value.items()}
    return [with_junk(part, junk, chance) for part in value] if isinstance(value, list) else value


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    query=st.sampled_from([query for query, _ in CAUSES.values()]),
    junk=JUNK,
    seed=st.integers(0, 10**6),
    result=st.sampled_from([[], [[]], [{"data": [0]}], [{"count": 0}, {"count": 0}], {"bins": []}]),
)
async def test_no_query_breaks_it(query: Any, junk: Any, seed: int, result: Any, backend: Backend) -> None:
    """Whatever stands in a query, there are at most three reasons, each one line."""
    broken = with_junk(query, junk, Random(seed))
    if isinstance(broken, dict):
        async with reader(backend) as (user, _):
            await checked(user.client, broken)
            found = await reasons(user.client, broken, Asked(broken, NOW), result)
        assert (True, True) == (len(found) <= 3, all("\n" not in reason for reason in found))


PARTS = st.sampled_from(["data", "count", "values", "bins", "action"])
RESULTS = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=3),
)


@pytest.mark.parametrize("kind", ["TrendsQuery", "FunnelsQuery", "RetentionQuery", "PathsQuery", "HogQLQuery"])
@given(result=RESULTS)
def test_no_shape_of_a_result_breaks_it(kind: str, result: Any) -> None:
    """Of a result of no known shape nothing is claimed."""
    query = {"kind": kind, "series": [{"kind": "EventsNode", "event": "x"}]}
    assert isinstance(empty_places(query, result), tuple)
