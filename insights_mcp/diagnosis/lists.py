"""Why a list of names or values is empty: the name it is of does not exist, or nothing is like what was searched."""

from __future__ import annotations

from contextlib import suppress

import anyio

from insights_mcp.client import Client
from insights_mcp.diagnosis import known
from insights_mcp.diagnosis.known import offered
from insights_mcp.endpoints.definitions import PropertyOwner
from insights_mcp.errors import InsightsError
from insights_mcp.text import quoted

WITHIN = 5.0
LATELY = (
    "PostHog lists values of the last days only. All there are: run_query with SQL, "
    "select {field}, count() from events where event = … group by 1."
)


async def why_unlisted(
    client: Client, owner: PropertyOwner | None, event: str | None, name: str | None, search: str | None
) -> tuple[str, ...]:
    """What is wrong with the event, or its property, that something was listed of; or what is like the search.

    `owner`: whose properties were listed; None for events.
    """
    found: tuple[str, ...] = ()
    with anyio.move_on_after(WITHIN), suppress(InsightsError):
        found = await _unknown_event(client, event) or await _unknown_property(client, event, name)
        if not found and search and name is None:
            found = await _nothing_like(client, owner, event, search)
    return found or ((LATELY.format(field=f"properties.{name}"),) if name and not search else ())


async def _unknown_event(client: Client, event: str | None) -> tuple[str, ...]:
    there = await known.events(client) if event else None
    if there is None or not there.all or event is None or event in there.names:
        return ()
    return (f"No event {quoted(event)} has been seen.{offered(event, there.names, 'event')}",)


async def _unknown_property(client: Client, event: str | None, name: str | None) -> tuple[str, ...]:
    there = await known.properties(client, "event", event=event) if name else None
    if there is None or not there.all or name is None or name in there.names:
        return ()
    whose = f" on {quoted(event)}" if event else ""
    return (f"No property {quoted(name)} has been seen{whose}.{offered(name, there.names, 'property')}",)


async def _nothing_like(client: Client, owner: PropertyOwner | None, event: str | None, search: str) -> tuple[str, ...]:
    """The names nearest to what was searched."""
    there = await (known.properties(client, owner, event=event) if owner else known.events(client))
    near = known.near(search, there.names) if there else []
    return (f"Nothing holds {quoted(search)}; nearest: {', '.join(map(quoted, near))}.",) if near else ()
