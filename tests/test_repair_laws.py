"""Laws of repair: what is valid is not altered, what is repaired stays so, and whatever is given has an answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import bad_queries
from insights_mcp.repair import BadQuery, names_in, repaired
from insights_mcp.repair.also import shorts
from insights_mcp.repair.common import EASY
from insights_mcp.repair.examples import COMMON, PARTS, example_of, example_with
from insights_mcp.repair.kinds import MODELS
from insights_mcp.repair.shapes import Many, Part, fields
from insights_mcp.repair.words import EASY_KINDS
from tests.valid_queries import VALID

RECORDED = Path(__file__).parents[2] / "shared" / "data" / "conformance"


def recorded() -> Iterator[dict[str, Any]]:
    """The queries that PostHog answered."""
    for file in sorted(RECORDED.glob("*.gz")):
        with gzip.open(file, "rt") as lines:
            yield from (json.loads(line)["query"] for line in lines)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded cases are not here")
def test_what_posthog_answered_is_not_altered() -> None:
    """Not a byte, and nothing is said of it."""
    altered = []
    for query in recorded():
        before, read = json.dumps(query), repaired(query)
        if json.dumps(read.query) != before or read.repairs or read.unknown:
            altered.append((read.repairs, read.unknown))
    assert [] == altered


@pytest.mark.parametrize("query", VALID, ids=lambda query: query["kind"])
def test_a_valid_query_is_not_altered(query: dict[str, Any]) -> None:
    """Whatever PostHog has in it."""
    before, read = json.dumps(query), repaired(query)
    assert (before, (), ()) == (json.dumps(read.query), read.repairs, read.unknown)


def test_bad_queries_of_users_and_mutations_are_handled() -> None:
    """Repaired, or told with the place and what is right: as many as are measured."""
    bad = [*bad_queries.REFUSED, *bad_queries.WRITTEN, *bad_queries.mutations()]
    ends = [(bad_queries.handled(query), query) for query in bad]
    wrong = [each for each in ends if each[0] not in ("repaired", "told")]
    assert [] == wrong


@pytest.mark.parametrize("kind", MODELS)
def test_examples_are_valid(kind: str) -> None:
    """The smallest of each kind, and with each of its fields: as PostHog wants it."""
    model = MODELS[kind]
    for query in [example_of(model), *(example_with(model, name) for name in fields(model))]:
        if "source" in fields(model):
            continue  # what is inside has its own
        model.model_validate(query)
        assert (query, ()) == (repaired(query).query, repaired(query).repairs)


def test_examples_of_parts_are_valid() -> None:
    """Each fits its own model."""
    parts = {part.__name__: part for model in MODELS.values() for part in inside(model)}
    for name in PARTS.keys() & parts.keys():
        parts[name].model_validate(PARTS[name])


def inside(model: Any) -> Iterator[Any]:
    """The models inside a model."""
    for field in fields(model).values():
        shape = field.shape.of if isinstance(field.shape, Many) else field.shape
        if isinstance(shape, Part) and shape.model is not model:
            yield shape.model
            yield from inside(shape.model)


@pytest.mark.parametrize("kind", COMMON)
def test_examples_of_the_common_form_need_no_repair(kind: str) -> None:
    """And lead to the kind they stand for."""
    for query in COMMON[kind]:
        read = repaired(query)
        assert (kind, (), ()) == (read.query["kind"], read.repairs, read.unknown)


KEYS = sorted(
    {name for model in MODELS.values() for name in fields(model)}
    | {name for kind in EASY for name in shorts(kind)}
    | {"key", "value", "operator", "type", "values", "nodes", "action", "or", "person.plan", "actions", "insight"}
)
WORDS = ("$pageview", "-30d", "last 30 days", "", "or", "dau", "sum", "sum(x)", "weekly", "bar", "true", "5", "*",
         "select 1", '{"a":1}', "[1]", ">", "person", "hogql", "cohort", "EventsNode", "ActionsNode", "GroupNode",
         *MODELS, *EASY_KINDS)  # fmt: skip
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=5))
JSON = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=4)), inner, max_size=6),
    ),
    max_leaves=20,
)
QUERIES = st.builds(
    lambda kind, rest: rest | {"kind": kind},
    st.sampled_from([*MODELS, *EASY_KINDS]),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(JSON, QUERIES, QUERIES))
def test_whatever_is_given(written: Any) -> None:
    """It is repaired or its mistakes are told; never altered itself; and what comes out goes in unchanged."""
    before = json.dumps(written)
    try:
        read = repaired(written)
    except BadQuery as error:
        useful = [m.path != "" and (m.example is not None or m.near is not None) for m in error.mistakes]
        assert set(useful) == {True}
        return
    finally:
        assert before == json.dumps(written)
    again = repaired(read.query)
    assert (json.dumps(read.query), ()) == (json.dumps(again.query), again.repairs)
    names_in(read.query)


MANY = 300_000
TRENDS: dict[str, Any] = {"kind": "trends", "events": ["a"]}


@pytest.mark.parametrize(
    "written",
    [TRENDS | {"range": "a" + " " * MANY + "b"}, TRENDS | {"where": " " * MANY + "x"}, TRENDS | {"math": "a" * MANY},
     TRENDS | {"where": {"_" * MANY + "!": 1}}, TRENDS | {"where": {"x": "!=" + " " * MANY}},
     TRENDS | {"by": " " * MANY},
     "```" + " \n" * MANY + "```", "{'a': " * MANY, "/**/" * MANY, "/* " * MANY],
    ids=["range", "where", "math", "name", "value", "by", "fence", "JSON", "comments", "open comments"],
)  # fmt: skip
def test_long_texts_are_read_to_their_end(written: Any) -> None:
    """Once, not once for each of their characters: else this would not end."""
    with suppress(BadQuery):
        repaired(written)


def test_long_sql_is_read_to_its_end() -> None:
    """Also where a text in it has no end."""
    query = {"kind": "HogQLQuery", "query": "select properties.a, '" + "\\'" * MANY}
    assert ["a"] == [name.name for name in names_in(query)]
