"""The demo product's people and what they did: sign-ups, plans, a campaign, an outage, a slow browser."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

SEED = 20_07
OUTAGE = (33, 32)  # days ago, first and last
CAMPAIGN = (61, 52)
CAMPAIGN_NAME = "spring-launch"
SLOW_BROWSER = "Opera"
BROWSERS = {"Chrome": 60, "Safari": 22, "Firefox": 12, SLOW_BROWSER: 6}
COUNTRIES = {"US": 38, "DE": 17, "GB": 14, "IN": 12, "BR": 11, "JP": 8}
CHANNELS = {"organic": 55, "referral": 25, "newsletter": 20}
PLANS = {"free": 72, "team": 21, "business": 7}
PRICES = {"team": 12, "business": 29}
SITE = "https://notes.example"
PATHS = {"/": 40, "/pricing": 20, "/features": 16, "/docs": 14, "/blog": 10}


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
    """The events of `days` days up to `now`, person by person.

    Everything is placed by the end of today, and everyone has chances of their own: later on the same day it is the
    same story, a little longer.
    """
    end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for number in range(users):
        chance = random.Random(f"{SEED} {number}")
        start = end - timedelta(days=days) * (1 - chance.random() ** 0.7)
        campaign = _ago(now, start, CAMPAIGN) or (chance.random() < 0.18 and CAMPAIGN[0] < days)
        if campaign and not _ago(now, start, CAMPAIGN):
            start = end - timedelta(days=chance.uniform(CAMPAIGN[1], CAMPAIGN[0]))
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
    if chance.random() > 0.74:
        return
    day, upgraded = signed_up + timedelta(minutes=chance.uniform(1, 40)), person.plan == "free"
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
            path = _pick(PATHS, self.chance)
            page = {"$current_url": f"{SITE}{path}", "$pathname": path}
            yield from self.event("$pageview", at, page | {"load_ms": took, "$session_id": session})
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
            "person_properties": {
                "email": f"{person.distinct_id}@notes.example",
                "plan": person.plan,
                "country": person.country,
                "channel": person.channel,
            },
        }

    def _id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))


def _ago(now: datetime, at: datetime, days: tuple[int, int]) -> bool:
    """Whether `at` lies in the whole days that were `days[0]` to `days[1]` days ago."""
    return days[1] <= (now.date() - at.date()).days <= days[0]


def _pick(weights: dict[str, int], chance: random.Random) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
