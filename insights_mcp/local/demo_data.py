"""A made-up SaaS product: its events, and the dashboards, insights, alerts and history its team left behind.

The same arguments on the same day always make the same story, told back from today: sign-ups grow, a campaign
brings a crowd, the product is down for two days, and pages load slowly in one browser.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from insights_mcp.local import Backend, LocalError, create_project, open_backend
from insights_mcp.local.load import load

SEED = 20_07
NAME = "Demo: a notes app"
OUTAGE = (33, 32)  # days ago, first and last
CAMPAIGN = (61, 52)
CAMPAIGN_NAME = "spring-launch"
SLOW_BROWSER = "Opera"
BROWSERS = {"Chrome": 60, "Safari": 22, "Firefox": 12, SLOW_BROWSER: 6}
COUNTRIES = {"US": 38, "DE": 17, "GB": 14, "IN": 12, "BR": 11, "JP": 8}
CHANNELS = {"organic": 55, "referral": 25, "newsletter": 20}
PLANS = {"free": 72, "team": 21, "business": 7}
PRICES = {"team": 12, "business": 29}
PATHS = {"/": 40, "/pricing": 20, "/features": 16, "/docs": 14, "/blog": 10}

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Made:
    """How many events and insights there are now."""

    events: int
    insights: int


def make(
    into: Path,
    *,
    days: int = 120,
    users: int = 1_500,
    progress: Progress = lambda fraction, message: None,
) -> Made:
    """Make the project in the folder `into`. LocalError when something is there already."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise LocalError(f"{into} is not empty.", "Give a new folder: the demo overwrites nothing.")
    now = datetime.now(UTC).replace(microsecond=0)
    create_project(into, name=NAME)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            for event in events(now, days, users):
                lines.write(json.dumps(event, separators=(",", ":")) + "\n")
        progress(0.2, "events")
        loaded = load([file], into, progress=lambda fraction, message: progress(0.2 + fraction * 0.6, message))
    insights = asyncio.run(_history(into, now))
    progress(1.0, "done")
    return Made(loaded.events, insights)


# The events


@dataclass(frozen=True)
class Person:
    """Somebody who comes to the product."""

    distinct_id: str
    browser: str
    country: str
    channel: str
    plan: str
    keenness: float


def events(now: datetime, days: int, users: int) -> Iterator[dict[str, Any]]:
    """The events of `days` days up to `now`, person by person."""
    chance = random.Random(SEED)
    for number in range(users):
        start = now - timedelta(days=days) * (1 - chance.random() ** 0.7)
        campaign = _ago(now, start, CAMPAIGN) or (chance.random() < 0.18 and CAMPAIGN[0] < days)
        if campaign and not _ago(now, start, CAMPAIGN):
            start = now - timedelta(days=chance.uniform(CAMPAIGN[1], CAMPAIGN[0]))
        yield from _life(_person(number, bool(campaign), chance), start, now, chance)


def _person(number: int, campaign: bool, chance: random.Random) -> Person:
    return Person(
        distinct_id=f"user-{number:05d}",
        browser=_pick(BROWSERS, chance),
        country=_pick(COUNTRIES, chance),
        channel=CAMPAIGN_NAME if campaign else _pick(CHANNELS, chance),
        plan=_pick(PLANS, chance),
        keenness=chance.betavariate(1.2, 3) * (0.6 if campaign else 1.0),
    )


def _life(person: Person, start: datetime, now: datetime, chance: random.Random) -> Iterator[dict[str, Any]]:
    """First visit, perhaps a sign-up, then active days until the interest is gone."""
    tell = _Teller(person, now, chance)
    yield from tell.visit(start, chance.randint(1, 4))
    if chance.random() > 0.55:
        return
    signed_up = start + timedelta(minutes=chance.uniform(2, 30))
    yield from tell.event("signed up", signed_up, {"plan": "free", "channel": person.channel})
    day, upgraded = signed_up, person.plan == "free"
    while day < now:
        yield from tell.work(day)
        if not upgraded and (day - signed_up).days > 6:
            price = PRICES[person.plan]
            yield from tell.event("subscription started", day, {"plan": person.plan, "price": price, "currency": "USD"})
            upgraded = True
        if chance.random() < 0.02 + 0.06 * (1 - person.keenness):
            return
        day += timedelta(days=1 + chance.expovariate(0.35 + person.keenness), minutes=chance.uniform(-90, 90))


class _Teller:
    """Makes one person's events, as the product would send them."""

    def __init__(self, person: Person, now: datetime, chance: random.Random) -> None:
        self.person, self.now, self.chance = person, now, chance

    def visit(self, at: datetime, pages: int) -> Iterator[dict[str, Any]]:
        session = self._id()
        for _ in range(pages):
            slow = 3.4 if self.person.browser == SLOW_BROWSER else 1.0
            took = round(self.chance.lognormvariate(6.4, 0.35) * slow)
            properties = {"$pathname": _pick(PATHS, self.chance), "load_ms": took, "$session_id": session}
            yield from self.event("$pageview", at, properties)
            at += timedelta(seconds=self.chance.uniform(5, 120))

    def work(self, at: datetime) -> Iterator[dict[str, Any]]:
        yield from self.visit(at, self.chance.randint(1, 2))
        for _ in range(self.chance.randint(1, 4)):
            at += timedelta(minutes=self.chance.uniform(1, 15))
            yield from self.event("note created", at, {"words": self.chance.randint(5, 400)})
        if self.chance.random() < 0.15:
            yield from self.event("note shared", at, {"with": self.chance.randint(1, 6)})

    def event(self, name: str, at: datetime, properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The event; in the outage mostly an error instead; nothing from the future."""
        if at > self.now:
            return
        if _ago(self.now, at, OUTAGE) and self.chance.random() < 0.85:
            name, properties = "error shown", {"status": 503, "during": name}
        person = self.person
        yield {
            "uuid": self._id(),
            "event": name,
            "timestamp": at.isoformat(),
            "distinct_id": person.distinct_id,
            "properties": {"$browser": person.browser, "$geoip_country_code": person.country} | properties,
            "person_properties": {"plan": person.plan, "country": person.country, "channel": person.channel},
        }

    def _id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))


def _ago(now: datetime, at: datetime, days: tuple[int, int]) -> bool:
    """Whether `at` lies in the whole days that were `days[0]` to `days[1]` days ago."""
    return days[1] <= (now.date() - at.date()).days <= days[0]


def _pick(weights: dict[str, int], chance: random.Random) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


# What the team left behind, made through the API as the team would have made it


def _trend(event: str, days: int, **more: Any) -> dict[str, Any]:
    math = more.pop("math", {})
    series = [{"kind": "EventsNode", "event": event, "name": event} | math]
    source = {"kind": "TrendsQuery", "series": series, "dateRange": {"date_from": f"-{days}d"}} | more
    return {"kind": "InsightVizNode", "source": source}


def _sql(query: str) -> dict[str, Any]:
    return {"kind": "DataVisualizationNode", "source": {"kind": "HogQLQuery", "query": query}}


def _by(property_name: str) -> dict[str, Any]:
    return {"breakdownFilter": {"breakdown": property_name, "breakdown_type": "event"}}


DAU = {"math": "dau"}
P90 = {"math": "p90", "math_property": "load_ms"}
REVENUE = {"math": "sum", "math_property": "price"}
COUNTRY_SQL = (
    "select properties.$geoip_country_code as country, count() as events "
    "from events group by country order by events desc"
)
# name, tags, query
INSIGHTS: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("Sign-ups", ("growth",), _trend("signed up", 60)),
    ("Sign-ups by channel", ("growth", "campaign"), _trend("signed up", 90, interval="week", **_by("channel"))),
    ("Weekly active users", ("growth",), _trend("note created", 90, interval="week", math=DAU)),
    ("Page load time, p90, by browser", ("quality",), _trend("$pageview", 30, math=P90, **_by("$browser"))),
    ("Errors shown", ("quality",), _trend("error shown", 45)),
    ("Revenue started, per week", ("money",), _trend("subscription started", 90, interval="week", math=REVENUE)),
    ("Countries", (), _sql(COUNTRY_SQL)),
)
DASHBOARDS = {"Growth": ("growth", "money"), "Quality": ("quality",)}


class _Clock:
    """The time the backend sees."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def days_ago(self, days: float, today: datetime) -> None:
        self.now = today - timedelta(days=days)


async def _history(into: Path, now: datetime) -> int:
    clock = _Clock(now)
    backend = open_backend(into, clock=clock)
    try:
        async with _as(backend, "analyst@example.com") as analyst, _as(backend, "product@example.com") as product:
            clock.days_ago(80, now)
            dashboards = {name: (await analyst("POST", "dashboards/", {"name": name}))["id"] for name in DASHBOARDS}
            made: dict[str, dict[str, Any]] = {}
            for number, (name, tags, query) in enumerate(INSIGHTS):
                clock.days_ago(80 - number * 6, now)
                on = [dashboards[title] for title, of in DASHBOARDS.items() if set(of) & set(tags)]
                body = {"name": name, "tags": list(tags), "query": query, "dashboards": on}
                made[name] = await analyst("POST", "insights/", body)
            await _later(made, clock, now, analyst, product)
        clock.now = now
    finally:
        backend.close()
    return len(INSIGHTS)


Call = Callable[[str, str, dict[str, Any] | None], Any]


async def _later(made: dict[str, dict[str, Any]], clock: _Clock, now: datetime, analyst: Call, product: Call) -> None:
    """Changes, a share, an alert, views; and one insight deleted."""
    signups, errors = made["Sign-ups"]["id"], made["Errors shown"]["id"]
    clock.days_ago(30, now)
    await product("PATCH", f"insights/{errors}/", {"description": "The outage is the peak.", "favorited": True})
    await product("POST", "alerts/", _alert("Errors are back", errors, {"upper": 50}))
    await product("POST", "alerts/", _alert("Sign-ups dry up", signups, {"lower": 1}))
    clock.days_ago(20, now)
    await analyst("PATCH", f"insights/{signups}/", {"name": "Sign-ups per day"})
    await analyst("PATCH", f"insights/{signups}/sharing/", {"enabled": True})
    old = await analyst("POST", "insights/", {"name": "Old experiment", "query": _trend("note shared", 14)})
    clock.days_ago(9, now)
    await analyst("PATCH", f"insights/{old['id']}/", {"deleted": True})
    clock.days_ago(1, now)
    await product("POST", "insights/viewed/", {"insight_ids": [signups, errors]})
    await analyst("POST", "insights/viewed/", {"insight_ids": [signups]})


def _alert(name: str, insight: int, bounds: dict[str, int]) -> dict[str, Any]:
    return {
        "name": name,
        "insight": insight,
        "subscribed_users": [],
        "calculation_interval": "daily",
        "config": {"type": "TrendsAlertConfig", "series_index": 0},
        "condition": {"type": "absolute_value"},
        "threshold": {"configuration": {"type": "absolute", "bounds": bounds}},
    }


@asynccontextmanager
async def _as(backend: Backend, email: str) -> AsyncIterator[Call]:
    """Calls of the project's API as the user with this address."""
    key = backend.create_key("demo history", ["*"], user=email)
    transport = httpx2.ASGITransport(app=backend.app)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://local", headers=headers) as http:

        async def call(method: str, path: str, body: dict[str, Any] | None) -> Any:
            response = await http.request(method, f"/api/projects/{backend.project_id}/{path}", json=body)
            response.raise_for_status()
            return response.json() if response.content else None

        yield call
