"""What a person may mean while typing: names of insights, dashboards, events, properties and tags.

A completion is a help, so it is never an error and never long in coming: without the scope, the answer or the time
for it there are no names.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

import anyio
import mcp_types as types

from insights_mcp.client import Client
from insights_mcp.endpoints.account import ListDashboards
from insights_mcp.endpoints.definitions import ListEventDefinitions, ListPropertyDefinitions
from insights_mcp.endpoints.insights import ListInsights
from insights_mcp.errors import InsightsError
from insights_mcp.prompting import known
from insights_mcp.text import clean

logger = logging.getLogger("insights_mcp")

MOST = 100  # values, as MCP allows
WITHIN = 3.0  # seconds
FRESH = 30.0  # seconds that names are kept
KEPT = 64  # lists of names
PAGE = 100
PAGES = 10  # that are looked at for tags
LOOKING = 2.0  # seconds, of those within which there must be an answer
LONGEST_SEARCH = 200
LONGEST_NAME = 400


@dataclass(frozen=True)
class Names:
    """Names in the order they matter. `ids`: found by how they begin. `whole`: nobody needs to be asked for more."""

    names: tuple[str, ...]
    whole: bool
    ids: tuple[str, ...] = ()


Source = Callable[[Client, str, Mapping[str, str]], Awaitable[Names]]


async def _insights(client: Client, search: str, _: Mapping[str, str]) -> Names:
    page = await client.send(ListInsights(search=search or None, limit=PAGE))
    names = tuple(insight.name or insight.derived_name or "" for insight in page.results)
    return Names(names, page.next is None, tuple(insight.short_id for insight in page.results))


async def _tags(client: Client, search: str, _: Mapping[str, str]) -> Names:
    """PostHog has no list of tags for keys: they are those of all insights, page by page, the most used first."""
    used: Counter[str] = Counter()
    until = time.monotonic() + LOOKING
    for at in range(PAGES):
        page = await client.send(ListInsights(search=search or None, limit=PAGE, offset=at * PAGE))
        used.update(tag for insight in page.results for tag in insight.tags)
        if page.next is None or time.monotonic() > until:
            break
    return Names(tuple(tag for tag, _ in used.most_common()), page.next is None)


async def _dashboards(client: Client, search: str, _: Mapping[str, str]) -> Names:
    page = await client.send(ListDashboards(search=search or None, limit=PAGE))
    return Names(tuple(dashboard.name or "" for dashboard in page.results), page.next is None)


async def _events(client: Client, search: str, _: Mapping[str, str]) -> Names:
    page = await client.send(ListEventDefinitions(search=search or None, limit=PAGE))
    return Names(tuple(event.name for event in page.results), page.next is None)


async def _properties(client: Client, search: str, chosen: Mapping[str, str]) -> Names:
    event = chosen.get("event")
    call = ListPropertyDefinitions(
        search=search or None,
        event_names=[event] if event else None,
        filter_by_event_names=True if event else None,
        limit=PAGE,
    )
    page = await client.send(call)
    return Names(tuple(found.name for found in page.results), page.next is None)


async def _formats(_: Client, __: str, ___: Mapping[str, str]) -> Names:
    return Names(("csv", "json"), True)


# arguments of prompts and of resource templates; others complete to nothing
SOURCES: dict[str, Source] = {
    "insight": _insights,
    "ref": _insights,
    "dashboard": _dashboards,
    "tag": _tags,
    "event": _events,
    "property": _properties,
    "format": _formats,
}


@dataclass(frozen=True)
class Completions:
    """Completes arguments by what the project holds, and remembers it for a moment."""

    client: Client
    kept: dict[tuple[Source, str, str], tuple[float, Names]] = field(default_factory=dict)

    async def complete(self, asked: types.CompleteRequestParams) -> types.CompleteResult:
        """What begins with the value, then what holds it; at most a hundred. InvalidInput for an unknown prompt."""
        if isinstance(asked.ref, types.PromptReference):
            known(asked.ref.name)
        value = asked.argument.value[:LONGEST_SEARCH]
        chosen = (asked.context.arguments if asked.context else None) or {}
        names = Names((), True)
        if (source := SOURCES.get(asked.argument.name)) is not None:
            with anyio.move_on_after(WITHIN):
                names = await self._names(source, clean(value).strip(), chosen)
        found = matching(names, value)
        total = len(found) if names.whole else None
        more = len(found) > MOST or not names.whole
        return types.CompleteResult(completion=types.Completion(values=found[:MOST], total=total, has_more=more))

    async def _names(self, source: Source, value: str, chosen: Mapping[str, str]) -> Names:
        """All names where they fit on one page, for then nobody is asked again; else those that a search finds."""
        try:
            every = await self._kept(source, "", chosen)
            return every if every.whole or not value else await self._kept(source, value, chosen)
        except InsightsError as error:
            logger.info("no completions: %s", clean(error))
        return Names((), True)

    async def _kept(self, source: Source, search: str, chosen: Mapping[str, str]) -> Names:
        key, now = (source, search, chosen.get("event", "")), time.monotonic()
        known = self.kept.get(key)
        if known is not None and now < known[0] + FRESH:
            return known[1]
        names = await source(self.client, search, chosen)
        self.kept[key] = (now, names)
        while len(self.kept) > KEPT:
            self.kept.pop(next(iter(self.kept)))
        return names


def matching(names: Names, value: str) -> list[str]:
    """The names that hold the value, those that begin with it first; ids that begin with it last."""
    part = value.strip().casefold()
    held = [name for name in _showable(names.names) if part in name.casefold()]
    ids = [found for found in names.ids if part and found.casefold().startswith(part)]
    return list(dict.fromkeys([*sorted(held, key=lambda name: not name.casefold().startswith(part)), *ids]))


def _showable(names: Iterable[str]) -> Iterable[str]:
    """Each once; not what may only be shown changed, for then it is no name any more."""
    return (name for name in dict.fromkeys(names) if name and clean(name, LONGEST_NAME) == name)
