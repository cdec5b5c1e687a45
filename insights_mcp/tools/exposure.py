"""Looking up how insights are shared: of one, with the dashboards it stands on; of all, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import anyio

from insights_mcp.endpoints import account, sharing
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.errors import InsightsError, RateLimited, Unavailable, Unreachable
from insights_mcp.schema.insight import Insight, Refresh
from insights_mcp.schema.sharing import SharingConfiguration
from insights_mcp.stories.sharing import Exposure
from insights_mcp.text import counted
from insights_mcp.tools.tool import Work

MOST = 200  # insights a sweep looks at: half of what PostHog allows a minute
AT_ONCE = 8
DASHBOARDS = 500
AROUND = (ListInsights, GetInsight, account.ListDashboards, account.GetCurrentUser)
STOPS = (RateLimited, Unavailable, Unreachable)


@dataclass
class Sweep:
    """What a sweep found, and what it did not look at. `rest`: insights beyond its page."""

    shared: list[Exposure] = field(default_factory=list)
    looked: int = 0
    rest: int = 0
    viewed: bool = False
    left_out: list[str] = field(default_factory=list)


async def exposure_of(work: Work, number: int, state: SharingConfiguration) -> Exposure:
    """The insight's own link, and shared dashboards it stands on where the key may know them."""
    insight = None
    if work.client.may(GetInsight) and work.client.may(account.ListDashboards):
        with suppress(InsightsError):
            insight = await work.client.send(GetInsight(id=number, refresh=Refresh.FORCE_CACHE))
    on = insight.on_dashboards if insight else []
    shared = await _shared_dashboards(work) if on else {}
    forbidden = await _forbidden(work) if state.enabled else False
    return Exposure(state, _names(on, shared or {}), forbidden, insight)


async def sweep(work: Work, offset: int) -> Sweep:
    """All shared insights among the next `MOST`, oldest first so that pages stay as they are."""
    page = await work.client.send(ListInsights(order="created_at", limit=MOST, offset=offset))
    found = Sweep(rest=max(0, (page.count or 0) - offset - len(page.results)))
    found.viewed = any(insight.last_viewed_at for insight in page.results)
    shared = await _shared_dashboards(work)
    states = await _states(work, page.results, found.left_out)
    forbidden = await _forbidden(work) if any(state.enabled for state in states.values()) else False
    found.looked = len(states)
    exposures = [
        Exposure(states[insight.id], _names(insight.on_dashboards, shared or {}), forbidden, insight)
        for insight in page.results
        if insight.id in states
    ]
    found.shared = [exposure for exposure in exposures if exposure.exposed]
    if shared is None:
        found.left_out.append("insights that only a shared dashboard shows: the key may not list dashboards")
    if not found.viewed and page.results:
        found.left_out.append("when they were viewed: this PostHog does not say")
    return found


async def _states(work: Work, insights: Sequence[Insight], left_out: list[str]) -> dict[int, SharingConfiguration]:
    """How each is shared, several asked at once. After the first refusal of service no more are asked."""
    states: dict[int, SharingConfiguration] = {}
    failed: list[InsightsError] = []
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def look(insight: Insight) -> None:
        async with limiter:
            if any(isinstance(error, STOPS) for error in failed):
                return
            try:
                states[insight.id] = await work.client.send(sharing.GetSharing(insight_id=insight.id))
            except InsightsError as error:
                failed.append(error)
            if len(states) % 20 == 0:
                await work.watch.report(work.watch.seconds, f"{len(states)} of {len(insights)} insights looked at")

    async with anyio.create_task_group() as group:
        for insight in insights:
            group.start_soon(look, insight)
    if failed and not states:
        raise failed[0]
    if failed:
        left = counted(len(insights) - len(states), "insight")
        left_out.append(f"{left} that could not be looked at: {failed[0].what}")
    return states


async def _shared_dashboards(work: Work) -> dict[int, str] | None:
    """Names of shared dashboards by number. None where the key may not ask."""
    if not work.client.may(account.ListDashboards):
        return None
    try:
        page = await work.client.send(account.ListDashboards(limit=DASHBOARDS))
    except InsightsError:
        return None
    return {d.id: d.name or f"dashboard {d.id}" for d in page.results if d.is_shared}


async def _forbidden(work: Work) -> bool:
    """Whether PostHog says that the organization allows no public sharing."""
    if not work.client.may(account.GetCurrentUser):
        return False
    with suppress(InsightsError):
        organization = (await work.client.send(account.GetCurrentUser())).organization or {}
        return organization.get("allow_publicly_shared_resources") is False
    return False


def _names(on: Sequence[int], shared: dict[int, str]) -> tuple[str, ...]:
    return tuple(shared[number] for number in on if number in shared)
