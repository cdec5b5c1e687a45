"""What is doubtful about an insight: lint, with what PostHog alone knows of the project."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from insights_mcp.answer.asked import Asked, instant
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
        asked=asked(computed, query) if computed else Asked(at=datetime.now(UTC)),
        test_account_filters=await _test_account_filters(work, meaning(query)),
        events=await _events(work, strangers(meaning(query), name)),
        last_seen=await _last_seen(work, query),
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


async def _last_seen(work: Work, query: dict[str, Any]) -> dict[str, datetime]:
    """When the events that are counted came last, as far as the project's list of them says it."""
    from insights_mcp.diagnosis import known
    from insights_mcp.repair import names_in

    counted = list(dict.fromkeys(name.name for name in names_in(query) if name.of == "event"))
    events = await known.events(work.client) if counted else None
    seen = {name: instant(events.seen.get(name)) for name in counted} if events else {}
    return {name: at for name, at in seen.items() if at}
