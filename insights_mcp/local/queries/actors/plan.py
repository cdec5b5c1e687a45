"""What is asked for a page of actors, one statement after the other, and where each answer goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries.actors import recordings
from insights_mcp.local.queries.actors.frame import Column
from insights_mcp.local.queries.actors.origins import Origin
from insights_mcp.local.queries.actors.whom import RECORDINGS
from insights_mcp.local.queries.selection import PAGE
from insights_mcp.local.queries.sql import Scan, Sql

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Plan:
    """The statement for the page, whose rows end with their actor: the person's pid, or the group's key.

    Then, of those on the page, `details` says who they are and `late` has the columns that are asked of them alone.
    """

    statements: list[Sql]
    columns: list[Column]
    origin: Origin
    limit: int
    offset: int
    scan: Scan
    zone: tzinfo | None
    details: Sql | None
    late: Sql | None

    def follow(self, answers: list[Rows]) -> list[Sql]:
        """What to ask next, by what was answered so far."""
        if not answers[0].rows:
            return []
        if len(answers) == 1 and self._beside:
            actors = [row[-1] for row in answers[0].rows[: self.limit]]
            return [Sql(each.text, each.parameters | {PAGE: actors}) for each in self._beside]
        return self._recorded(answers) if len(answers) == 1 + len(self._beside) else []

    def rows(self, answers: list[Rows]) -> list[Row]:
        """The page; what came late is in its place."""
        rows = answers[0].rows[: self.limit]
        if not (rows and self.late):
            return rows
        places = [place for place, column in enumerate(self.columns) if column.late]
        found = {actor: dict(zip(places, items, strict=True)) for actor, *items in self._answered(self.late, answers)}
        return [tuple(found.get(row[-1], {}).get(place, item) for place, item in enumerate(row)) for row in rows]

    def known(self, answers: list[Rows]) -> dict[Any, dict[str, Any]]:
        """Who the actors of the page are."""
        return self.origin.shown(self._answered(self.details, answers))

    def recorded(self, answers: list[Rows]) -> frozenset[str]:
        """The sessions of which there are recordings."""
        return frozenset(str(session) for answer in answers[1 + len(self._beside) :] for (session,) in answer.rows)

    @property
    def _beside(self) -> list[Sql]:
        return [each for each in (self.details, self.late) if each]

    def _answered(self, asked: Sql | None, answers: list[Rows]) -> list[Row]:
        return next((answer.rows for each, answer in zip(self._beside, answers[1:], strict=False) if each is asked), [])

    def _recorded(self, answers: list[Rows]) -> list[Sql]:
        place = next((n for n, column in enumerate(self.columns) if column.name == RECORDINGS), None)
        if place is None:
            return []
        asked = recordings.recorded((row[place] for row in self.rows(answers)), self.scan)
        return [asked] if asked else []
