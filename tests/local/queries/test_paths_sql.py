"""The statements of paths and of who is on them, to be read."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local.events import Catalogue
from insights_mcp.local.queries import Project, actors, paths
from insights_mcp.local.queries.project import Context

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SNAPSHOTS = Path(__file__).parent / "snapshots"
CATALOGUE = Catalogue(event_types={"$current_url": "String"}, columns=frozenset({"$current_url"}))
PAGES = {"includeEventTypes": ["$pageview"]}
CLEAN = {"localPathCleaningFilters": [{"regex": r"\d+", "alias": "N"}], "pathGroupings": ["/docs/*"]}
PICTURED: dict[str, dict[str, Any]] = {
    "paths": PAGES,
    "paths_cleaned": PAGES | CLEAN | {"excludeEvents": ["/"], "minEdgeWeight": 2},
    "paths_between": PAGES | {"startPoint": "/", "endPoint": "/buy"},
    "paths_up_to": PAGES | {"endPoint": "/buy"},
}


def _written(name: str, text: str) -> str:
    """The text as it was last; UPDATE_SNAPSHOTS=1 rewrites it."""
    file = SNAPSHOTS / f"{name}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(text + "\n")
    return file.read_text().rstrip("\n")


@pytest.mark.parametrize("name", PICTURED)
def test_paths(name: str) -> None:
    """One sort, then rows are read in its order."""
    query = paths.MODEL.model_validate({"kind": "PathsQuery", "pathsFilter": PICTURED[name]})
    text = paths.compile(query, Context(Project(), NOW, CATALOGUE)).statements[0].text
    assert _written(name, text) == text


def test_actors_of_an_edge() -> None:
    """The same steps, then who took the edge, and the page that was asked for."""
    source = {"kind": "PathsQuery", "pathsFilter": PAGES | {"pathStartKey": "1_/", "pathEndKey": "2_/buy"}}
    asked = {"kind": "ActorsQuery", "source": {"kind": "InsightActorsQuery", "source": source},
             "select": ["person", "event_count"], "orderBy": ["event_count DESC"]}  # fmt: skip
    [page] = actors.compile(actors.MODEL.model_validate(asked), Context(Project(), NOW, CATALOGUE)).statements
    assert _written("actors_of_paths", page.text) == page.text
