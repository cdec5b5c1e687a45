"""The answer of whatever was computed: a saved insight's result, or a query's."""

from __future__ import annotations

from typing import Any

from insights_mcp.answer import Answer
from insights_mcp.answer.results import readable
from insights_mcp.diagnosis import reasons
from insights_mcp.schema.insight import Insight
from insights_mcp.schema.query import QueryResponse
from insights_mcp.tools.insight_facts import asked, source_line
from insights_mcp.tools.tool import Detailed, Work
from insights_mcp.tools.whole import addresses, whole_links

MORE_ROWS = "rows beyond the query's LIMIT (raise it, or add OFFSET)"
MORE_VALUES = "breakdown values beyond the limit, together as 'other' (raise breakdownFilter.breakdown_limit)"
Computed = Insight | QueryResponse


async def result_answer(
    work: Work,
    said: str,
    computed: Computed,
    query: dict[str, Any] | None,
    *,
    page: Detailed | None = None,
    more: str = "",
    facts: dict[str, Any] | None = None,
    notes: tuple[str, ...] = (),
    doubts: tuple[str, ...] = (),
    path: str = "",
) -> Answer:
    """The answer that tells a result: digest, table, where it comes from, what was left out.

    `query` is what was asked, bare or wrapped. `page`: the tool that can go on paging, with its own arguments;
    `more`: the call of another one that can.
    `doubts`: sentences on names in the query that do not exist. `path`: where the result is in the web app.
    """
    of = asked(computed, query)
    link = await work.client.url(path) if path else ""
    result = readable(computed.outcome, computed.columns, of)
    table = page.table(result) if page else result.picked
    # SQL says little of itself: a name in it that does not exist is the best reason there is.
    known = bool(doubts) and of.source.get("kind") == "HogQLQuery"
    why = () if known else await reasons(work.client, query or {}, of, computed.outcome)
    first_page = table is result.picked
    links, unlinked = await whole_links(work, page, computed, query, result) if first_page else ((), ())
    return Answer(
        said,
        facts or {},
        table,
        result.left_out + _beyond(computed) + addresses(links) + unlinked,
        more=page.more() if page else more,
        digest=result.digest,
        provenance=source_line(computed, of, result, link),
        notes=notes + why + _untold(doubts, why),
        links=links,
    )


def _untold(doubts: tuple[str, ...], why: tuple[str, ...]) -> tuple[str, ...]:
    """The doubts about names that the reasons do not name."""
    reasons_told = " ".join(why)
    return tuple(doubt for doubt in doubts if doubt.partition('"')[2].partition('"')[0] not in reasons_told)


def _beyond(computed: Computed) -> tuple[str, ...]:
    if not computed.hasMore:
        return ()
    return (MORE_ROWS if computed.columns else MORE_VALUES,)
