"""What is doubtful about an insight: lint, with what PostHog alone knows of the project."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from insights_mcp.endpoints.account import GetProject
from insights_mcp.errors import InsightsError
from insights_mcp.tools.insight_facts import asked
from insights_mcp.tools.result import Computed
from insights_mcp.tools.tool import Work
from insights_mcp.words import lint
from insights_mcp.words.meaning import meaning
from insights_mcp.words.titles import strangers

MOST = 6
REMEMBERED = 300.0


async def doubts(
    work: Work, query: dict[str, Any] | None, computed: Computed | None, name: str, description: str = ""
) -> tuple[str, ...]:
    """The findings, at most six; what cannot be asked is not found."""
    if not query:
        return ()
    found = lint(
        query,
        name=name,
        description=description,
        result=computed.outcome if computed else None,
        asked=asked(computed, query) if computed else None,
        test_account_filters=await _test_account_filters(work, meaning(query)),
        events=await _events(work, strangers(meaning(query), name)),
    )
    return tuple(found[:MOST])


async def _test_account_filters(work: Work, query: dict[str, Any]) -> int:
    if query.get("filterTestAccounts") is not True and work.client.may(GetProject):
        from insights_mcp.diagnosis import known

        with suppress(InsightsError):
            return await known.remembered(work.client, "test account filters", REMEMBERED, lambda: _count(work))
    return 0


async def _count(work: Work) -> int:
    return len((await work.client.send(GetProject())).test_account_filters)


async def _events(work: Work, words: list[str]) -> list[str]:
    """Those of the words that are events of the project; asked only if there are words to ask about."""
    if words:
        from insights_mcp.diagnosis import known  # asks, which most insights do not need

        with suppress(InsightsError):
            events = await known.events(work.client)
            return [word for word in words if events and word in events.names]
    return []
