"""Finding what a reference means: a number, a short_id, a URL or an exact name.

The look-up is always the API's own; nothing is guessed from a reference's length.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from insights_mcp.client import Client
from insights_mcp.endpoints.account import ListDashboards
from insights_mcp.endpoints.activity import ListActivity
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.errors import Forbidden, MissingScope, NotFound, UnknownReference
from insights_mcp.schema.activity import Activity
from insights_mcp.schema.insight import Insight, Refresh
from insights_mcp.settings import SHORT_HOSTS
from insights_mcp.text import nearest, quoted

Reply = TypeVar("Reply")

SHORT_ID = re.compile(r"[A-Za-z0-9]{1,12}")
IN_URL = re.compile(r"^(?:/project/(?P<project>[0-9]{1,18}))?/insights/(?P<ref>[^/]+)")
DASHBOARD_URL = re.compile(r"^(?:/project/(?P<project>[0-9]{1,18}))?/dashboard/(?P<ref>[0-9]+)")
PAGE = 200
NAMES_SEARCHED = 1_000
MAX_NUMBER = 2**31 - 1
FEW_LETTERS = 4  # fewer are in too many names
Entry = tuple[int, str, str]  # number, title, and what it is called by where several have the title


@dataclass(frozen=True)
class References:
    """Resolves references within the client's project, and remembers what never changes."""

    client: Client
    numbers: dict[str, int]

    async def on_insight(self, reference: str, use: Callable[[int], Awaitable[Reply]]) -> Reply:
        """Await `use(number)` for the insight meant; a number is tried as such before it is looked up."""
        name = await self._plain(reference, IN_URL)
        if (number := _number(name)) is not None:
            try:
                return await use(number)
            except NotFound:
                if not self.client.may(ListInsights):
                    raise
                return await use((await self._look_up(name)).id)
        return await use(await self._number_of(name))

    async def insight_number(self, reference: str) -> int:
        """The number of an insight that exists. UnknownReference otherwise."""
        name = await self._plain(reference, IN_URL)
        if _number(name) is None:
            return await self._number_of(name)
        found = await self.on_insight(name, lambda n: self.client.send(GetInsight(id=n, refresh=Refresh.FORCE_CACHE)))
        return found.id

    async def deleted_insight(self, reference: str) -> int | str:
        """What restores a deleted insight: its number, or where only PostHog can tell, the short_id itself."""
        name = await self._plain(reference, IN_URL)
        if (number := _number(name) or self.numbers.get(name)) is not None:
            return number
        if (number := await self._deleted_lately(name)) is not None:
            return number
        if SHORT_ID.fullmatch(name):
            return name
        raise UnknownReference(
            f"No deleted insight named {quoted(name)} is in the activity log.", "Give its number or short_id."
        )

    async def _deleted_lately(self, name: str) -> int | None:
        """The number of the one so called that was deleted and not restored since. UnknownReference for several."""
        if not self.client.may(ListActivity):
            return None
        with suppress(MissingScope, Forbidden):
            log = (await self.client.send(ListActivity(limit=100))).results
            last: dict[str, Activity] = {}  # of each insight, what was done to it last
            for entry in log:
                if entry.activity in ("deleted", "restored"):
                    last.setdefault(entry.item_id or "", entry)
            gone = [number for number, entry in last.items() if entry.activity == "deleted" and name in _names(entry)]
            if len(gone) > 1:
                raise UnknownReference(
                    f"{len(gone)} deleted insights are named {quoted(name)}.",
                    f"Say which by its number: {', '.join(gone[:10])}; list_activity says when each was deleted.",
                )
            return _number(gone[0]) if gone else None
        return None

    async def dashboard_number(self, reference: str) -> int:
        """The number of a dashboard, from its number, URL or exact name."""
        name = await self._plain(reference, DASHBOARD_URL)
        if (number := _number(name)) is not None:
            return number
        found = await self._dashboards(name[:200])
        return _only(found or await self._dashboards(None), name, "dashboard", "list_dashboards")

    async def _dashboards(self, search: str | None) -> list[Entry]:
        page = await self.client.send(ListDashboards(search=search, limit=PAGE))
        return [(d.id, d.name or "", str(d.id)) for d in page.results]

    async def _number_of(self, name: str) -> int:
        if name not in self.numbers:
            insight = await self._look_up(name)
            if insight.short_id != name:
                return insight.id
            self.numbers[name] = insight.id  # a short_id never changes hands; a name may
        return self.numbers[name]

    async def _look_up(self, name: str) -> Insight:
        if SHORT_ID.fullmatch(name):
            same = (await self.client.send(ListInsights(short_id=name, limit=2))).results
            if by_id := next((i for i in same if i.short_id == name), None):
                return by_id
        found = await self._named(name) or (await self.client.send(ListInsights(limit=PAGE))).results
        number = _only([(i.id, i.title, i.short_id) for i in found], name, "insight", "list_insights")
        return next(i for i in found if i.id == number)

    async def _named(self, name: str) -> list[Insight]:
        """Insights whose names may be it. Searching finds parts, too, so that a short name needs several pages."""
        found: list[Insight] = []
        while len(found) < NAMES_SEARCHED:
            call = ListInsights(search=name[:200], limit=PAGE, offset=len(found))
            page = await self.client.send(call)
            found += page.results
            if page.next is None or not page.results:
                break
        return found

    async def _plain(self, reference: str, pattern: re.Pattern[str]) -> str:
        """The reference without its URL. UnknownReference for another host's or another project's URL."""
        given = reference.strip()
        if not given:
            raise UnknownReference("The reference is empty.", "Give a number, short_id, URL or exact name.")
        url, found = _as_url(given, pattern)
        if url is None or (found is None and not url.netloc):
            return given  # names may contain and begin with slashes
        if found is None:
            raise UnknownReference(
                f"The URL {quoted(given)} does not lead to what is asked for.",
                "Give a URL like https://HOST/project/1/insights/SHORT_ID, or the short_id.",
            )
        await self._check_place(f"{url.scheme}://{url.netloc}" if url.netloc else "", found["project"])
        return unquote(found["ref"])

    async def _check_place(self, host: str, project: str | None) -> None:
        here = await self.client.project_id()
        there = SHORT_HOSTS.get(host.lower(), host.lower())
        if (there and there != await self.client.find_host()) or (project is not None and int(project) != here):
            at = quoted(host) if host else "this host"
            raise UnknownReference(
                f"The URL leads to project {project or '?'} at {at}; this server works in {await self.client.place()}.",
                "Only what is in that project can be used.",
            )


def _as_url(given: str, pattern: re.Pattern[str]) -> tuple[SplitResult | None, re.Match[str] | None]:
    """The reference as a URL or a path of the web app, and what in it leads on."""
    if not given.startswith(("https://", "http://", "/")):
        return None, None
    try:
        url = urlsplit(given)
    except ValueError:
        return None, None
    return url, pattern.match(url.path)


def _number(name: str) -> int | None:
    """The name as a number. With a zero in front it is none, but may well be a short_id."""
    return int(name) if re.fullmatch("[1-9][0-9]{0,9}", name) and int(name) <= MAX_NUMBER else None


def _names(entry: Activity) -> tuple[str | None, ...]:
    return (entry.detail.short_id, entry.detail.name) if entry.detail else ()


def _only(found: list[Entry], name: str, what: str, tool: str) -> int:
    """The number of the one whose name is exactly `name`. UnknownReference when none or several are."""
    exact = [entry for entry in found if entry[1] == name] or [e for e in found if e[1].casefold() == name.casefold()]
    if len(exact) == 1:
        return exact[0][0]
    if exact:
        ids = ", ".join(short for _, _, short in exact[:10])
        raise UnknownReference(f"{len(exact)} {what}s are named {quoted(name)}.", f"Say which by its id: {ids}.")
    near = _near(name, [title for _, title, _ in found])
    raise UnknownReference(
        f"There is no {what} {quoted(name)}{f', did you mean {quoted(near)}?' if near else '.'}",
        f"Find it with {tool}; a number, short_id, URL or exact name is understood.",
    )


def _near(name: str, titles: list[str]) -> str | None:
    """The title that was probably meant: one that holds the letters in a row, else one that looks alike."""
    wanted = _letters(name)
    holding = [title for title in titles if len(wanted) >= FEW_LETTERS and wanted in _letters(title)]
    return min(holding, key=len) if holding else nearest(name, titles)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
