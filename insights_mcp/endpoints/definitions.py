"""What data the project holds: events, properties, values, actions, cohorts.

Mirrors `/event_definitions/`, `/property_definitions/`, `/events/values/`, `/actions/` and `/cohorts/` of a project.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from insights_mcp.endpoint import Endpoint, JsonText, Route
from insights_mcp.schema.definitions import (
    ActionDefinition,
    Cohort,
    EventDefinition,
    PropertyDefinition,
    PropertyValue,
)
from insights_mcp.schema.reply import Page
from insights_mcp.scopes import Scope

PROJECT = "/api/projects/{project_id}/"

PropertyOwner = Literal["event", "person", "group", "session"]
Limit = Annotated[int, Field(ge=1, le=500)]
Offset = Annotated[int, Field(ge=0)]


class ListEventDefinitions(Endpoint[Page[EventDefinition]]):
    """The events that have been seen, most recently seen first."""

    route: ClassVar[Route] = Route("GET", PROJECT + "event_definitions/", Scope.EVENT_DEFINITION_READ)

    search: str | None = None
    event_type: Literal["event", "event_custom", "event_posthog"] | None = None
    ordering: str | None = None
    exclude_hidden: bool | None = None
    limit: Limit = 100
    offset: Offset = 0


class ListPropertyDefinitions(Endpoint[Page[PropertyDefinition]]):
    """The properties that have been seen, of events, persons, groups or sessions."""

    route: ClassVar[Route] = Route("GET", PROJECT + "property_definitions/", Scope.PROPERTY_DEFINITION_READ)

    type: PropertyOwner = "event"
    group_type_index: Annotated[int | None, Field(ge=0, le=4)] = None
    search: str | None = None
    event_names: Annotated[list[str] | None, JsonText()] = None
    filter_by_event_names: bool | None = None
    is_numerical: bool | None = None
    exclude_hidden: bool | None = None
    limit: Limit = 100
    offset: Offset = 0


class ListPropertyValues(Endpoint[Page[PropertyValue]]):
    """Values an event property took lately, at most ten. A personal API key must name the event."""

    route: ClassVar[Route] = Route("GET", PROJECT + "events/values/", Scope.QUERY_READ)

    key: str
    event_name: list[str] | None = None
    value: str | None = None


class ListActions(Endpoint[Page[ActionDefinition]]):
    """The actions. PostHog gives all of them at once, by name."""

    route: ClassVar[Route] = Route("GET", PROJECT + "actions/", Scope.ACTION_READ)

    search: str | None = None
    limit: Limit = 100
    offset: Offset = 0


class ListCohorts(Endpoint[Page[Cohort]]):
    """The cohorts, the newest first."""

    route: ClassVar[Route] = Route("GET", PROJECT + "cohorts/", Scope.COHORT_READ)

    search: str | None = None
    limit: Limit = 100
    offset: Offset = 0
