"""Is everything set up? Settings, host, key, scopes, project; which tools are hidden and why; the smallest keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from insights_mcp.client import Client
from insights_mcp.endpoint import Endpoint
from insights_mcp.endpoints import account, definitions
from insights_mcp.errors import InsightsError
from insights_mcp.scopes import Scope, Scopes, fewest
from insights_mcp.text import clean
from insights_mcp.tools import TOOLS
from insights_mcp.tools.data import DiscoverData
from insights_mcp.tools.editing import CreateInsight, DeleteInsight, RestoreInsight, UpdateInsight
from insights_mcp.tools.insights import GetInsight, ListInsights, ListTrendingInsights
from insights_mcp.tools.queries import RunQuery
from insights_mcp.tools.sharing import AddSharingPassword, DeleteSharingPassword, GetSharing, UpdateSharing
from insights_mcp.tools.tool import Tool

READING: tuple[type[Tool], ...] = (DiscoverData, RunQuery, ListInsights, GetInsight, ListTrendingInsights)
AUTHORING: tuple[type[Tool], ...] = (*READING, CreateInsight, UpdateInsight, DeleteInsight, RestoreInsight)
SHARING: tuple[type[Tool], ...] = (
    ListInsights,
    GetInsight,
    GetSharing,
    UpdateSharing,
    AddSharingPassword,
    DeleteSharingPassword,
)
JOBS: dict[str, tuple[type[Tool], ...]] = {"reading": READING, "authoring": AUTHORING, "sharing": SHARING}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, whether it is well, and what was found."""

    name: str
    well: bool
    text: str


async def examine(client: Client) -> AsyncIterator[Finding]:
    """Look at one thing after the other; what follows from something broken is left out."""
    try:
        key = await client.key()
    except InsightsError as error:
        yield Finding("key", False, str(error))
        return
    yield Finding("host", True, f"{client.host} answers")
    label = f'"{clean(key.label, 60)}"' if key and key.label else "accepted"
    limited = f", limited to project {', '.join(map(str, key.scoped_teams))}" if key and key.scoped_teams else ""
    yield Finding("key", True, label + limited)
    scopes = await client.scopes()
    yield Finding("scopes", True, ", ".join(sorted(scopes)) if scopes else "not known: PostHog does not say")
    yield await _project(client)
    for finding in _tools(scopes):
        yield finding
    for job, tools in JOBS.items():
        yield Finding(job, True, f"smallest key: {', '.join(smallest_key(tools))}")


def smallest_key(tools: Iterable[type[Tool]]) -> list[str]:
    """The fewest scopes with which all of these tools work whole (`:write` stands for `:read` too)."""
    endpoints = [e for tool in tools for e in (*tool.uses, *_needed(tool))]
    return sorted(fewest(e.route.scope for e in endpoints if e.route.scope))


def _needed(tool: type[Tool]) -> tuple[type[Endpoint[Any]], ...]:
    """What a tool may use and is half a tool without."""
    return (definitions.ListPropertyDefinitions, definitions.ListPropertyValues) if tool is DiscoverData else ()


async def _project(client: Client) -> Finding:
    try:
        number = await client.project_id()
        if client.may(account.GetProject):
            await client.send(account.GetProject())
        return Finding("project", True, await client.place() if number else "")
    except InsightsError as error:
        return Finding("project", False, f"{error} {await _projects(client)}".strip())


async def _projects(client: Client) -> str:
    """The projects the key can see, where it may list them."""
    try:
        key = await client.key()
        if key and key.scoped_teams:
            return f"The key's projects: {', '.join(map(str, key.scoped_teams))}."
        if not client.may(account.ListProjects):
            return f"(With the scope {Scope.PROJECT_READ} this would list the projects.)"
        page = await client.send(account.ListProjects())
    except InsightsError:
        return ""
    return "Projects: " + ", ".join(f"{p.id} {clean(p.name or '', 60)}" for p in page.results[:30]) + "."


def _tools(scopes: Scopes | None) -> list[Finding]:
    hidden: dict[str, list[str]] = {}
    for tool in TOOLS:
        for scope in scopes.missing(tool.scopes()) if scopes is not None else ():
            hidden.setdefault(scope, []).append(tool.tool_name())
    if not hidden:
        return [Finding("tools", True, f"all {len(TOOLS)} can be used")]
    return [Finding("hidden", True, f"{', '.join(names)}: add the scope {scope}") for scope, names in hidden.items()]
