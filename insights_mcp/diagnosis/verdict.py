"""What came of looking through a query: its names as they are in the project, and those that do not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from insights_mcp.errors import InvalidInput

UNSEEN = "unseen"  # a query that says `"unseen": true` may name what has not been seen yet; PostHog is not told
ANYWAY = f'Use names that exist; discover_data lists them. To save it all the same, say "{UNSEEN}": true in the query.'


@dataclass(frozen=True)
class Checked:
    """The query with names as they are written in the project; which were changed; which do not exist."""

    query: dict[str, Any]
    repairs: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """The repairs, as a note."""
        return (f"Names as they are in the project: {', '.join(self.repairs)}.",) if self.repairs else ()

    def refuse(self) -> None:
        """InvalidInput when it names what does not exist."""
        if self.unknown:
            raise InvalidInput(f"Nothing was saved. {' '.join(self.unknown)}", ANYWAY)
