"""What a key may do: PostHog's API scopes, and which scope grants which.

Mirrors PostHog's key scopes (`object:read`, `object:write`, `*`), as the API checks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

EVERYTHING = "*"


class Scope(StrEnum):
    """A scope that some endpoint of the catalogue asks for."""

    INSIGHT_READ = "insight:read"
    INSIGHT_WRITE = "insight:write"
    SHARING_READ = "sharing_configuration:read"
    SHARING_WRITE = "sharing_configuration:write"
    ALERT_READ = "alert:read"
    ALERT_WRITE = "alert:write"
    ACTIVITY_READ = "activity_log:read"
    QUERY_READ = "query:read"
    EVENT_DEFINITION_READ = "event_definition:read"
    PROPERTY_DEFINITION_READ = "property_definition:read"
    ACTION_READ = "action:read"
    COHORT_READ = "cohort:read"
    DASHBOARD_READ = "dashboard:read"
    PROJECT_READ = "project:read"
    USER_READ = "user:read"


class Scopes(frozenset[str]):
    """The scopes a key holds. `:write` implies `:read` of the same object; `*` implies all."""

    def grants(self, scope: str) -> bool:
        """Whether a key with these scopes satisfies `scope`."""
        name, _, action = scope.partition(":")
        return not self.isdisjoint({scope, EVERYTHING} | ({f"{name}:write"} if action == "read" else set()))

    def missing(self, scopes: Iterable[str]) -> list[str]:
        """Those of `scopes` that are not satisfied, in their order."""
        return [scope for scope in scopes if not self.grants(scope)]


def fewest(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """The scopes without those that another of them implies, in their order."""
    unique = dict.fromkeys(scopes)
    return tuple(s for s in unique if not (s.endswith(":read") and s.removesuffix("read") + "write" in unique))


def is_scope(text: str) -> bool:
    """Whether `text` has the form of a scope: `object:read`, `object:write` or `*`."""
    name, colon, action = text.partition(":")
    return text == EVERYTHING or (bool(name and colon) and action in ("read", "write"))
