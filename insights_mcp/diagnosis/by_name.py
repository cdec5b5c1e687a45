"""Actions and cohorts that a query calls by name: PostHog knows them by number, which takes the name's place."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from insights_mcp.client import Client
from insights_mcp.diagnosis import known
from insights_mcp.diagnosis.known import offered
from insights_mcp.endpoint import Endpoint
from insights_mcp.endpoints.definitions import ListActions, ListCohorts
from insights_mcp.errors import InvalidInput
from insights_mcp.schema.definitions import ActionDefinition, Cohort
from insights_mcp.schema.reply import Page
from insights_mcp.text import counted, quoted

PAGE = 500
COHORTS = ("cohort", "static-cohort", "precalculated-cohort")  # no set: what is looked up may be any JSON
ALL = "all"  # of a breakdown: everybody
# Where PostHog's web app keeps the name beside the number.
SHOWN = {"id": "name", "value": "cohort_name"}
LISTS: dict[str, type[ListActions] | type[ListCohorts]] = {"action": ListActions, "cohort": ListCohorts}
Definition = ActionDefinition | Cohort


@dataclass(frozen=True)
class _Called:
    """A name that stands where a number belongs: in `holder` under `key`."""

    of: str
    name: str
    holder: Any
    key: Any


async def numbered(client: Client, query: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The query with numbers for names, and what was changed. InvalidInput for a name that means none, or several."""
    if not any(True for _ in _called(query)):
        return query, ()
    query = deepcopy(query)
    changes: dict[str, None] = {}
    for each in list(_called(query)):
        found = await _found(client, each)
        each.holder[each.key] = found.id
        if each.key in SHOWN:
            each.holder.setdefault(SHOWN[each.key], found.name)
        changes[f"{each.of} {quoted(each.name)} → {found.id}"] = None
    return query, tuple(changes)


def _called(node: Any) -> Iterator[_Called]:
    if isinstance(node, list):
        for item in node:
            yield from _called(item)
    if not isinstance(node, dict):
        return
    if node.get("kind") == "ActionsNode" or node.get("type") == "actions":
        yield from _names("action", node, "id")
    if node.get("type") in COHORTS:
        yield from _names("cohort", node, "value")
        yield from _names("cohort", node, "property")
    if node.get("breakdown_type") in COHORTS:
        yield from _names("cohort", node, "breakdown")
    for item in node.values():
        yield from _called(item)


def _names(of: str, holder: Any, key: Any) -> Iterator[_Called]:
    """The name under a key, or those in the list there."""
    value = holder.get(key) if isinstance(holder, dict) else holder[key]
    if isinstance(value, list):
        for place in range(len(value)):
            yield from _names(of, value, place)
    elif isinstance(value, str) and value.strip() and not value.strip().isdigit() and value != ALL:
        yield _Called(of, value, holder, key)


async def _found(client: Client, called: _Called) -> Definition:
    found = await _listed(client, LISTS[called.of], called.name)
    same = [each for each in found if (each.name or "").strip().casefold() == called.name.strip().casefold()]
    exact = [each for each in same if each.name == called.name] or same
    if len(exact) == 1:
        return exact[0]
    lists = f"discover_data(kind='{called.of}s') lists them."
    if exact:
        numbers = ", ".join(str(each.id) for each in exact)
        raise InvalidInput(
            f"{counted(len(exact), called.of)} are called {quoted(called.name)}: {numbers}.", f"Give a number; {lists}"
        )
    names = [each.name for each in await _listed(client, LISTS[called.of], None) if each.name]
    near = offered(called.name, names, "its name") if names else f" There are no {called.of}s."
    raise InvalidInput(f"There is no {called.of} {quoted(called.name)}.{near}", f"Give a name or a number; {lists}")


async def _listed(
    client: Client, endpoint: type[ListActions] | type[ListCohorts], search: str | None
) -> list[Definition]:
    """Those that there are, a page at most. Raises InsightsError when the key may not list them."""

    async def ask() -> list[Definition]:
        call: Endpoint[Any] = endpoint(search=search and search.strip(), limit=PAGE)
        page: Page[Definition] = await client.send(call)
        return page.results

    return await known.remembered(client, (endpoint, search), known.REASONS_FOR, ask)
