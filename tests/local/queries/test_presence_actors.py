"""Who is behind a number of retention, stickiness and lifecycle: as many as it says, on random small worlds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from insights_mcp.local.queries import lifecycle, retention, stickiness
from insights_mcp.local.queries.project import Context
from insights_mcp.schema.actors import InsightActorsQuery
from tests.local.queries import small_worlds
from tests.local.queries.small_worlds import (
    NOW,
    NUMBERS,
    SINCE,
    UNITS,
    answered,
    cells,
    retention_filters,
    statuses,
)  # fmt: skip


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    yield from small_worlds.opened(tmp_path_factory.mktemp("worlds"))


def behind(store: EventStore, kind: Any, query: dict[str, Any], point: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of the actors at a point, by the kind's own selection."""
    context = Context(queries.Project(), NOW, store.catalogue())
    scan = context.scan()
    asked = InsightActorsQuery.model_validate({"kind": "InsightActorsQuery", "source": query} | point)
    statement = scan.statement(kind.actors(kind.MODEL.model_validate(query), asked, scan, context).sql)
    return store.fetch(statement.text, statement.parameters).rows


@settings(max_examples=60, deadline=None)
@given(NUMBERS, retention_filters(), st.integers(0, 6), st.booleans())
def test_as_many_actors_as_a_retention_row_says(
    worlds: EventStore, number: int, asked: dict[str, Any], row: int, by_group: bool
) -> None:
    """Who is behind a row appears in as many columns as the row counts."""
    asked = {key: value for key, value in asked.items() if key != "cumulative"} | {"totalIntervals": 7}
    query: dict[str, Any] = {
        "kind": "RetentionQuery",
        "retentionFilter": asked,
        "dateRange": {"date_to": "2026-03-10T20:00:00"},
        "properties": [{"key": "world", "value": f"w{number}", "operator": "exact", "type": "event"}],
    }
    if by_group:
        query["aggregation_group_type_index"] = 0
    rows = behind(worlds, retention, query, {"interval": row})
    counted = Counter(column for _, appearances, *_ in rows for column in appearances)
    expected = {column: count for (_, each, column), count in cells(answered(worlds, query)).items() if each == row}
    assert len({actor for actor, *_ in rows}) == len(rows)
    if "aggregationType" not in asked:
        assert expected == counted


@settings(max_examples=60, deadline=None)
@given(NUMBERS, UNITS, st.integers(0, 20))
def test_as_many_actors_as_lifecycle_and_stickiness_say(worlds: EventStore, number: int, unit: str, days: int) -> None:
    """Each status of a day, and each number of days, has the actors it counts."""
    end = SINCE + timedelta(days=days)
    query = {
        "interval": unit,
        "series": [{"kind": "EventsNode", "event": "visit"}],
        "dateRange": {"date_from": "2026-02-20", "date_to": f"{end:%Y-%m-%d}T23:59:59"},
        "properties": [{"key": "world", "value": f"w{number}", "operator": "exact", "type": "event"}],
    }
    life = {"kind": "LifecycleQuery"} | query
    for (day, status), count in list(statuses(answered(worlds, life)).items())[:4]:
        assert count == len(behind(worlds, lifecycle, life, {"day": day.isoformat(), "status": status}))
    stick = {"kind": "StickinessQuery"} | query
    [series] = answered(worlds, stick)
    for day, count in list(zip(series["days"], series["data"], strict=True))[:4]:
        assert count == len(behind(worlds, stickiness, stick, {"day": day}))
