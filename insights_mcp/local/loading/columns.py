"""Which column of a file means what: PostHog's batch-export names, or the names the user gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from insights_mcp.local.loading.errors import LoadError

EXPORT_ONLY = ("created_at", "elements_chain", "person_version", "is_deleted")
NEEDED = ("event", "timestamp", "distinct_id")


@dataclass(frozen=True)
class Columns:
    """Names of the columns in the files. None or "" where a file has none; without `properties`, every
    column that means nothing else becomes a property."""

    event: str = "event"
    timestamp: str = "timestamp"
    distinct_id: str = "distinct_id"
    uuid: str | None = "uuid"
    properties: str | None = "properties"
    person_id: str | None = "person_id"
    person_properties: str | None = "person_properties"

    def present(self, names: Iterable[str]) -> dict[str, str]:
        """Our word for a column -> its name in the file, for those of `names` that mean something."""
        there = set(names)
        meant = {field.name: getattr(self, field.name) for field in fields(self)}
        meant.update({name: name for name in EXPORT_ONLY})
        return {word: name for word, name in meant.items() if name and name in there}

    def require(self, names: list[str], shown: object) -> None:
        """Raise when an event cannot be told from these columns. Persons exports have no event."""
        missing = [getattr(self, word) for word in NEEDED if getattr(self, word) not in names]
        if not missing or {"person_version", self.distinct_id, self.person_id} <= set(names):
            return
        given = ", ".join(names[:20]) or "none"
        raise LoadError(
            f"{shown} has no column '{missing[0]}'; its columns are: {given}.",
            f"Say which column holds it, e.g. --{missing[0].replace('_', '-')}-column NAME.",
        )
