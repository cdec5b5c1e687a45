"""A picture of a result, beside the answer that tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from insights_mcp.answer import Answer
from insights_mcp.answer.answer import Picture
from insights_mcp.errors import NoPicture
from insights_mcp.schema.insight import Insight
from insights_mcp.schema.query import QueryResponse
from insights_mcp.tools.insight_facts import asked
from insights_mcp.tools.tool import Detailed

Computed = Insight | QueryResponse


class Drawable(Detailed):
    """A tool whose result can be drawn."""

    chart: Annotated[Literal["png", "svg"] | None, Field(description="Draw it, too.")] = None

    def more(self) -> str:
        """The call that goes on; pages are read, not looked at."""
        return Detailed.more(self.model_copy(update={"chart": None}))

    async def with_picture(self, answer: Answer, computed: Computed, query: dict[str, Any] | None) -> Answer:
        """The answer, whole as it is, with the picture that was asked for; or with the reason why there is none."""
        if self.chart is None:
            return answer
        try:
            picture = await _drawn(computed, query or {}, self.chart)
        except NoPicture as error:
            return replace(answer, notes=(*answer.notes, f"No chart: {error}"))
        told = f"{self.chart.upper()}, {len(picture.data) // 1000 + 1} kB, beside this text"
        return replace(answer, facts={**answer.facts, "chart": told}, pictures=(*answer.pictures, picture))


async def _drawn(computed: Computed, query: dict[str, Any], form: Literal["png", "svg"]) -> Picture:
    from insights_mcp.charts.chart import chart_of
    from insights_mcp.charts.drawing import draw

    spec = chart_of(computed.outcome, computed.columns, asked(computed, query), _title(computed, query))
    return await draw(spec, form)


def _title(computed: Computed, query: dict[str, Any]) -> str:
    """The insight's name; of a query that has none, what it asks."""
    if isinstance(computed, Insight):
        return computed.title
    from insights_mcp.words import described

    return described(query).split(". ")[0].removesuffix(".")
