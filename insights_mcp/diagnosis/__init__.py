"""Why there is nothing, and which names do not exist: asked of the data, and said with what to do next.

What asks is imported when there is something to ask: most results are not empty.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.client import Client
from insights_mcp.diagnosis.emptiness import empty_places
from insights_mcp.diagnosis.verdict import Checked
from insights_mcp.endpoints.definitions import (
    ListActions,
    ListCohorts,
    ListEventDefinitions,
    ListPropertyDefinitions,
    PropertyOwner,
)
from insights_mcp.errors import QueryFailed, Rejected

__all__ = ["CHECKS", "NAMES", "Checked", "checked", "explaining", "nobody", "numbered", "reasons", "unlisted"]

NO_ONE = "Nobody is behind that point: its number is 0, or the result does not have it. run_query shows the numbers."
NAMES = (ListEventDefinitions, ListPropertyDefinitions)
CHECKS = (*NAMES, ListActions, ListCohorts)


async def reasons(client: Client, query: dict[str, Any], asked: Asked, result: Any) -> tuple[str, ...]:
    """Why the result, or a part of it, is empty; nothing when it is not. At most three sentences, three requests."""
    if not (places := empty_places(query, result)):
        return ()
    from insights_mcp.diagnosis.why import why_empty

    return await why_empty(client, asked, places, result)


async def nobody(client: Client, asked: Asked, place: int) -> tuple[str, ...]:
    """Why nobody is behind a point of what a query counts in this place."""
    from insights_mcp.diagnosis.why import why_empty

    return await why_empty(client, asked, (place,), None, whole=False) or (NO_ONE,)


async def unlisted(
    client: Client,
    owner: PropertyOwner | None = None,
    *,
    event: str | None = None,
    name: str | None = None,
    search: str | None = None,
) -> tuple[str, ...]:
    """Why a list is empty: of events (no `owner`), of properties, or of the values of the property `name`."""
    from insights_mcp.diagnosis.lists import why_unlisted

    return await why_unlisted(client, owner, event, name, search)


async def checked(client: Client, query: dict[str, Any], before: dict[str, Any] | None = None) -> Checked:
    """The query, looked through for names that do not exist. Those that stood in `before` are not questioned."""
    from insights_mcp.diagnosis.checking import looked_through

    return await looked_through(client, query, before)


async def numbered(client: Client, query: dict[str, Any]) -> dict[str, Any]:
    """The query with the numbers of the actions and cohorts that it calls by name. Raises InvalidInput."""
    from insights_mcp.diagnosis.by_name import numbered

    return (await numbered(client, query))[0]


@asynccontextmanager
async def explaining(client: Client) -> AsyncIterator[None]:
    """Adds to the failure of a query inside it which name was meant."""
    try:
        yield
    except (QueryFailed, Rejected) as error:
        from insights_mcp.diagnosis.explained import hint

        if said := await hint(client, error.what):
            error.next_step = f"{said} {error.next_step}".strip()
        raise
