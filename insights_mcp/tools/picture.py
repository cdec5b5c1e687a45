"""A picture of a result, beside the answer that tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from insights_mcp.answer import Answer
from insights_mcp.answer.answer import Picture
from insights_mcp.answer.asked import Asked
from insights_mcp.errors import NoPicture
from insights_mcp.schema.insight import Insight
from insights_mcp.schema.query import QueryResponse
from insights_mcp.tools.insight_facts import asked
from insights_mcp.tools.tool import Sized

Computed = Insight | QueryResponse
Form = Literal["png", "svg"]
UNCOMPUTED = "nothing was computed here; get_insight draws what is saved."


@dataclass(frozen=True)
class Subject:
    """What is drawn: a result, the circumstances of it, and what stands above it."""

    outcome: Any
    columns: Sequence[Any] | None
    asked: Asked
    title: str


class Drawable(Sized):
    """A tool whose result can be drawn."""

    chart: Annotated[Form | None, Field(description="Draw it.")] = None

    async def with_picture(
        self, answer: Answer, computed: Computed | None, query: dict[str, Any] | None, title: str = ""
    ) -> Answer:
        """The answer with the picture of what was computed, if one was asked for; `title`: its name, if it has one."""
        if self.chart is None:
            return answer
        if computed is None:
            return _without(answer, UNCOMPUTED)
        of = asked(computed, query)
        told = title or _title(computed, query or {})
        return await self.with_drawing(answer, Subject(computed.outcome, computed.columns, of, told))

    async def with_drawing(self, answer: Answer, subject: Subject) -> Answer:
        """The answer, whole as it is, with the picture that was asked for; or with the reason why there is none."""
        if self.chart is None:
            return answer
        try:
            picture = await _drawn(subject, self.chart)
        except NoPicture as error:
            return _without(answer, str(error))
        told = f"{self.chart.upper()}, {len(picture.data) // 1000 + 1} kB, beside this text"
        return replace(answer, facts={**answer.facts, "chart": told}, pictures=(*answer.pictures, picture))


def _without(answer: Answer, why: str) -> Answer:
    return replace(answer, notes=(*answer.notes, f"No chart: {why}"))


async def _drawn(subject: Subject, form: Form) -> Picture:
    from insights_mcp.charts.chart import chart_of
    from insights_mcp.charts.drawing import draw

    return await draw(chart_of(subject.outcome, subject.columns, subject.asked, subject.title), form)


def _title(computed: Computed, query: dict[str, Any]) -> str:
    """The insight's name; of a query that has none, what it asks."""
    if isinstance(computed, Insight):
        return computed.title
    from insights_mcp.words import described

    return described(query).split(". ")[0].removesuffix(".")
