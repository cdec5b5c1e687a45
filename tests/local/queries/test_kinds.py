"""The door: kinds, wrappers, the schema, cancelling."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from insights_mcp.local.queries import unsupported
from tests.local.queries.conftest import Ask

TREND = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "visit"}]}


def test_wrappers_are_opened(ask: Ask) -> None:
    """InsightVizNode runs its source."""
    assert ask(TREND)["results"] == ask({"kind": "InsightVizNode", "source": TREND})["results"]


@pytest.mark.parametrize("kind", unsupported.KINDS)
def test_other_kinds_are_valid_but_refused(ask: Ask, kind: str) -> None:
    """A kind that is not supported yet can be saved; running it names the nearest that works."""
    queries.check({"kind": kind})
    with pytest.raises(queries.QueryError, match="not supported yet by the embedded backend"):
        ask({"kind": kind})


@pytest.mark.parametrize("math", unsupported.MATHS)
def test_other_maths_are_valid_but_refused(ask: Ask, math: str) -> None:
    """A math that is not supported yet is refused by name, with one that works."""
    with pytest.raises(queries.QueryError, match=f"'{math}' is not supported yet by the embedded backend: use 'first"):
        ask({"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "visit", "math": math}]})


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ([], "JSON object"),
        ({}, "no query kind"),
        ({"kind": "TrendQuery"}, "Did you mean 'TrendsQuery'?"),
        ({"kind": "InsightVizNode"}, "needs a 'source'"),
        ({"kind": "TrendsQuery"}, "series: Field required"),
        ({"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "math": "mode"}]}, "series.0.math"),
        ({"kind": "TrendsQuery", "series": [], "interval": "fortnight"}, "'day'"),
        ({"kind": "HogQLQuery", "query": 5}, "query: Input should be a valid string (given: 5)"),
    ],
)
def test_schema_errors_say_where_and_what(query: Any, says: str) -> None:
    """The place, what was given and what is allowed."""
    with pytest.raises(queries.SchemaError) as refused:
        queries.check(query)
    assert says in refused.value.detail


def test_unknown_fields_are_kept(ask: Ask) -> None:
    """PostHog adds fields weekly."""
    queries.check({**TREND, "newField": {"a": 1}})


def test_interval_of() -> None:
    """The interval of a query in its wrapper; a day when none is given; none for SQL."""
    wrapped = {"kind": "InsightVizNode", "source": {**TREND, "interval": "week"}}
    assert ["week", "day", None, None] == [
        queries.interval_of(query) for query in (wrapped, TREND, {"kind": "HogQLQuery", "query": "select 1"}, {})
    ]


def test_cancelled(store: EventStore) -> None:
    """A running query stops when asked to."""
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    crossed = ", ".join(f"numbers(100000) n{number}" for number in range(4))
    with pytest.raises(queries.QueryCancelled):
        queries.run(
            {"kind": "HogQLQuery", "query": f"select count() from {crossed}"},
            events=store,
            project=queries.Project(),
            now=datetime.now(UTC),
            cancelled=cancelled,
        )


def test_empty_project(tmp_path: Path) -> None:
    """A store that is not there answers with nothing, not with an error."""
    answer = queries.run(
        TREND,
        events=EventStore(tmp_path / "events.duckdb"),
        project=queries.Project(),
        now=datetime(2026, 3, 10, tzinfo=UTC),
        cancelled=threading.Event(),
    )
    assert [0] * 8 == answer["results"][0]["data"]


def test_import_is_light() -> None:
    """Importing the queries imports no engine."""
    code = "import sys, insights_mcp.local.queries; print('duckdb' in sys.modules, 'sqlglot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "False False" == done.stdout.strip()


def test_too_many_conditions_are_refused(ask: Ask) -> None:
    """Thousands of filters would keep DuckDB planning for minutes: many values belong into one filter's list."""
    filters = [{"key": "page", "type": "event", "operator": "is_not", "value": [f"/{n}"]} for n in range(1_100)]
    with pytest.raises(queries.QueryError, match="into one filter's list"):
        ask(TREND | {"properties": filters})
    one = {"key": "page", "type": "event", "operator": "is_not", "value": [f"/{n}" for n in range(5_000)]}
    assert [2] == [
        sum(series["data"])
        for series in ask(TREND | {"properties": [one], "dateRange": {"date_from": "-1d"}})["results"]
    ]
