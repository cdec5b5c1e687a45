"""Where a query is asked: the project, the time, and what the store holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from insights_mcp.local.events import Catalogue
from insights_mcp.local.queries.dates import zone


@dataclass(frozen=True)
class Project:
    """What a project's settings mean to its queries. `week_start_day`: 0 Sunday, 1 Monday."""

    id: int = 1
    timezone: str = "UTC"
    week_start_day: int = 0
    test_account_filters: list[dict[str, Any]] = field(default_factory=list)
    path_cleaning_filters: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """All that compiling depends on, besides the query."""

    project: Project
    now: datetime
    catalogue: Catalogue

    @property
    def local_now(self) -> datetime:
        """Now, in the project's zone."""
        return self.now.astimezone(zone(self.project.timezone))

    def first_seen(self, names: list[str | None]) -> datetime | None:
        """When the first of these events came; of all events when one name is None."""
        rows = self.catalogue.events.values()
        wanted = [row.first_seen for row in rows if None in names or row.name in names]
        return min(wanted, default=None)
