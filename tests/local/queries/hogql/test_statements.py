"""What HogQL becomes, where it matters how: nothing is read that the answer does not need."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from insights_mcp.local.events import Catalogue
from insights_mcp.local.queries import hogql
from insights_mcp.local.queries.project import Context, Project

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("counted", ["uniq(person_id)", "uniqIf(person.id, event = 'buy')", "count()"])
def test_persons_are_counted_without_a_join(counted: str) -> None:
    """By the number that each event has of its person."""
    query = hogql.MODEL.model_validate({"kind": "HogQLQuery", "query": f"select {counted} from events"})
    (statement,) = hogql.compile(query, Context(Project(), NOW, Catalogue())).statements
    assert "join" not in statement.text
