"""What a query may hold: told from the models, without a request."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer, Table
from insights_mcp.text import quoted
from insights_mcp.tools.tool import Tool, Work


class DescribeQuery(Tool):
    """All that a kind of query may hold, with examples."""

    title: ClassVar[str] = "Describe queries"
    uses = ()

    kind: Annotated[str | None, Field(max_length=100, description="Such as trends.")] = None
    part: Annotated[str | None, Field(max_length=100, description="Of it, such as series.")] = None

    async def run(self, work: Work) -> Answer:
        """The common form first: it is the one to write."""
        from insights_mcp.repair import describing

        name = describing.kind_named(self.kind) if self.kind else None
        told = describing.described(name, self.part) if name else describing.kinds()
        return Answer(
            f"{told.name}: {told.what.rstrip('.')}.{self._unknown(told)}",
            facts=_facts(told),
            table=Table(("field", "holds"), told.rows),
            digest=told.short,
            next=self._next(told),
        )

    def _unknown(self, told: Any) -> str:
        if self.kind and not told.full:
            return f" None is called {quoted(self.kind)}."
        return f" It has no part {quoted(self.part)}." if self.part and told.parts else ""

    def _next(self, told: Any) -> tuple[str, ...]:
        if not told.full:
            return ("describe_query(kind=…) tells all of one.",)
        return (f"Parts, by part=…: {', '.join(told.parts)}.",) if told.parts else ()


def _facts(told: Any) -> dict[str, Any]:
    """Examples, and words of which there are many."""
    examples = {f"example {place}": each for place, each in enumerate(told.examples, 1)}
    full = {"in full" if examples else "example": told.full} if told.full else {}
    return examples | full | (told.choices or {})
