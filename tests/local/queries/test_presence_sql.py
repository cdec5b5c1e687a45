"""The statements of retention, stickiness and lifecycle, to be read."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local.events import Catalogue
from insights_mcp.local.queries import Project, lifecycle, retention, stickiness
from insights_mcp.local.queries.project import Context

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SNAPSHOTS = Path(__file__).parent / "snapshots"
BACK = {"targetEntity": {"id": "visit"}, "returningEntity": {"id": "buy"}, "period": "Week", "totalIntervals": 8}
RETENTION = {"kind": "RetentionQuery", "dateRange": {"date_to": "2026-05-31"}}
PICTURED: dict[str, dict[str, Any]] = {
    "retention": RETENTION | {"retentionFilter": BACK},
    "retention_first_time": RETENTION | {"retentionFilter": BACK | {"retentionType": "retention_first_time"}},
    "retention_windows": RETENTION | {"retentionFilter": BACK | {"timeWindowMode": "24_hour_windows"}},
    "retention_amounts": RETENTION
    | {"retentionFilter": BACK | {"aggregationType": "sum", "aggregationProperty": "amount"}},
    "stickiness": {"kind": "StickinessQuery", "series": [{"kind": "EventsNode", "event": "visit"}]},
    "lifecycle": {"kind": "LifecycleQuery", "series": [{"kind": "EventsNode", "event": "visit"}]},
}


@pytest.mark.parametrize("name", PICTURED)
def test_sql(name: str) -> None:
    """The statement, to be read. UPDATE_SNAPSHOTS=1 rewrites it."""
    query, kinds = PICTURED[name], {"RetentionQuery": retention, "StickinessQuery": stickiness}
    kind: Any = kinds.get(query["kind"], lifecycle)
    catalogue = Catalogue(event_types={"amount": "Numeric"}, columns=frozenset({"amount"}))
    plan = kind.compile(kind.MODEL.model_validate(query), Context(Project(), NOW, catalogue))
    text, file = plan.statements[0].text + "\n", SNAPSHOTS / f"{name}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(text)
    assert file.read_text() == text
