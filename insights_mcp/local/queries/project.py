"""Where a query is asked: the project, the time, and what the store holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from insights_mcp.local.events import Catalogue
from insights_mcp.local.queries.sql import Scan
from insights_mcp.local.queries.zones import zone


@dataclass(frozen=True)
class Action:
    """Events under one name: those that match one of the steps (PostHog's `steps_json`)."""

    id: int
    name: str
    steps: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Cohort:
    """A set of persons: listed in `persons` by their uuid when static, else those whom `definition` describes.

    `definition` is a group of filters, as PostHog stores it; see cohorts.py for the older form.
    """

    id: int
    name: str
    is_static: bool = False
    persons: list[str] = field(default_factory=list)
    definition: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """What a project's settings mean to its queries. `week_start_day`: 0 Sunday, 1 Monday."""

    id: int = 1
    timezone: str = "UTC"
    week_start_day: int = 0
    test_account_filters: list[dict[str, Any]] = field(default_factory=list)
    path_cleaning_filters: list[dict[str, Any]] = field(default_factory=list)
    actions: Mapping[int, Action] = field(default_factory=dict)
    cohorts: Mapping[int, Cohort] = field(default_factory=dict)
    persons_on_events: bool = False
    aggregate_users_by_distinct_id: bool = False


@dataclass(frozen=True)
class Context:
    """All that compiling depends on, besides the query. `begins`: when its data do, where that was asked."""

    project: Project
    now: datetime
    catalogue: Catalogue
    begins: datetime | None = None

    def scan(self) -> Scan:
        """A pass over events, as the project counts users and knows persons."""
        project = self.project
        return Scan(
            self.catalogue,
            persons_on_events=project.persons_on_events,
            by_distinct_id=project.aggregate_users_by_distinct_id,
        )

    @property
    def local_now(self) -> datetime:
        """Now, in the project's zone."""
        return self.now.astimezone(zone(self.project.timezone))

    def first_seen(self, names: list[str | None]) -> datetime | None:
        """When the first of these events came; of all events when one name is None."""
        if self.begins:
            return self.begins
        rows = self.catalogue.events.values()
        wanted = [row.first_seen for row in rows if None in names or row.name in names]
        return min(wanted, default=None)

    def repeats(self, names: Collection[str | None]) -> float:
        """How many of these events the person behind one of them has, on average, or less; None is any event."""
        rows = self.catalogue.events.values()
        found = [row.repeats for row in rows if not names or None in names or row.name in names]
        return len(found) * max(found, default=0.0)
