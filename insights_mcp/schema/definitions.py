"""What data there is: events, properties and the values properties take; actions and cohorts defined over them."""

from __future__ import annotations

from typing import Any

from insights_mcp.schema.reply import ReplyShape


class EventDefinition(ReplyShape):
    """An event that has been seen; `last_seen_at` is ISO 8601."""

    name: str
    description: str | None = None
    last_seen_at: str | None = None
    tags: list[str] = []
    verified: bool | None = None
    hidden: bool | None = None


class PropertyDefinition(ReplyShape):
    """A property that has been seen. `property_type` is String, Numeric, Boolean, DateTime, Duration or null."""

    name: str
    description: str | None = None
    property_type: str | None = None
    is_numerical: bool | None = None
    is_seen_on_filtered_events: bool | None = None


class PropertyValue(ReplyShape):
    """A value a property has taken."""

    name: Any = None
    count: int | None = None


class ActionDefinition(ReplyShape):
    """Events under one name: those that match one of the `steps`."""

    id: int
    name: str | None = None
    description: str | None = None
    steps: list[dict[str, Any]] | None = None


class Cohort(ReplyShape):
    """A set of persons, `count` of them when last counted; a static one is a list that does not change by itself."""

    id: int
    name: str | None = None
    description: str | None = None
    is_static: bool | None = None
    count: int | None = None
