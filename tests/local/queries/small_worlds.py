"""Many random small worlds in one store, and how retention, stickiness and lifecycle are asked of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from insights_mcp.local.events import EventStore
from tests.local.queries import plain
from tests.local.queries.conftest import asking, store_of
from tests.local.queries.plain import Did, Retention

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WORLDS = 150
SINCE = datetime(2026, 2, 20, tzinfo=UTC)  # both sides of the US and the European change to summer time
ZONES = ("UTC", "US/Pacific", "Europe/Berlin", "Asia/Kolkata")

Rows = list[dict[str, Any]]


def world(number: int) -> tuple[Rows, Rows]:
    """Up to four persons with a few events over six weeks, and when these persons came to be."""
    dice = random.Random(number)
    names = [f"{number}-{name}" for name in "abcd"[: dice.randint(1, 4)]]
    spread = dice.choice((30, 200, 1000))
    events = []
    for _ in range(dice.randint(1, 14)):
        properties = {
            "world": f"w{number}",
            "browser": dice.choice(("Chrome", "Safari", "", None)),
            "amount": dice.choice((1, 2.5, 10, None)),
            "$group_0": dice.choice(("acme", "hedge", None)),
        }
        event = {
            "event": dice.choice(("visit", "visit", "buy")),
            "distinct_id": dice.choice(names),
            "timestamp": (SINCE + timedelta(minutes=dice.randrange(spread) * 60 + dice.choice((0, 30)))).isoformat(),
            "properties": {key: value for key, value in properties.items() if value is not None},
        }
        events.append(event)
    persons = [
        {
            "distinct_id": name,
            "person_id": f"00000000-0000-4000-8000-{number:08d}{place:04d}",
            "person_version": 1,
            "properties": {},
            "created_at": (SINCE + timedelta(hours=dice.randrange(spread))).isoformat(),
        }
        for place, name in enumerate(names)
    ]
    return events, persons


MADE = [world(number) for number in range(WORLDS)]


def opened(folder: Path) -> Iterator[EventStore]:
    """The store of all worlds; a world's events have its name as a property."""
    store = store_of([row for made in MADE for part in made[::-1] for row in part], folder)
    yield store
    store.close()


def answered(store: EventStore, query: dict[str, Any], **settings: Any) -> Rows:
    return list(asking(store, NOW)(query, **settings)["results"])


def events_of(rows: Rows, zone: str = "UTC") -> list[Did]:
    moments = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    return [
        Did(
            row["distinct_id"],
            row["event"],
            moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None),
            moment.astimezone(UTC),
            row["properties"],
        )
        for row, moment in zip(rows, moments, strict=True)
    ]


def of_group(events: list[Did]) -> list[Did]:
    """The same events, done by groups."""
    return [
        Did(str(key), each.event, each.at, each.utc, each.properties)
        for each in events
        if (key := each.properties.get("$group_0"))
    ]


NUMBERS = st.integers(0, WORLDS - 1)
UNITS = st.sampled_from(("hour", "day", "week", "month"))
ENTITIES = st.sampled_from(
    ({"name": "All events"}, {"id": "visit", "type": "events"}, {"id": "buy", "type": "events"},
     {"id": "visit", "properties": [{"key": "browser", "value": "Chrome", "operator": "exact", "type": "event"}]})
)  # fmt: skip
SETTINGS = st.fixed_dictionaries({"timezone": st.sampled_from(ZONES), "week_start_day": st.sampled_from((0, 1))})


@st.composite
def retention_filters(draw: st.DrawFn) -> dict[str, Any]:
    """What a retention table may be asked for."""
    kinds = ("retention_recurring", "retention_first_time", "retention_first_ever_occurrence")
    asked: dict[str, Any] = {
        "period": draw(UNITS).title(),
        "totalIntervals": draw(st.one_of(st.integers(1, 9), st.just(70))),
        "retentionType": draw(st.sampled_from(kinds)),
        "targetEntity": draw(ENTITIES),
        "returningEntity": draw(ENTITIES),
    }
    mode = draw(st.sampled_from(("plain", "least", "cumulative", "brackets", "windows", "sum", "avg")))
    more: dict[str, dict[str, Any]] = {
        "plain": {},
        "least": {"minimumOccurrences": 2},
        "cumulative": {"cumulative": True},
        "brackets": {"retentionCustomBrackets": [1, 2, 3]},
        "windows": {"timeWindowMode": "24_hour_windows"},
        "sum": {"aggregationType": "sum", "aggregationProperty": "amount"},
        "avg": {"aggregationType": "avg", "aggregationProperty": "amount"},
    }
    return asked | more[mode]


def is_entity(entity: dict[str, Any], bare: bool = False) -> plain.Test:
    """Whether an event is an entity, with its properties or (`bare`) without."""
    filters = [] if bare else entity.get("properties", [])
    return lambda each: (
        entity.get("id") in (None, each.event)
        and all(each.properties.get(one["key"]) == one["value"] for one in filters)
    )


def asked_plainly(asked: dict[str, Any], end: datetime, week_start: int, split: bool, zone: str = "UTC") -> Retention:
    unit = asked["period"].lower()
    brackets = tuple(asked.get("retentionCustomBrackets", ()))
    return Retention(
        periods=plain.last_periods(end, unit, asked["totalIntervals"], week_start),
        unit=unit,
        columns=len(brackets) + 1 if brackets else asked["totalIntervals"],
        start=is_entity(asked["targetEntity"]),
        back=is_entity(asked["returningEntity"]),
        known=is_entity(asked["targetEntity"], bare=True),
        week_start=week_start,
        type=asked["retentionType"],
        least=asked.get("minimumOccurrences", 1),
        brackets=brackets,
        cumulative=asked.get("cumulative", False),
        by=(lambda each: each.properties.get("browser", "")) if split else (lambda each: ""),
        zone=ZoneInfo(zone),
    )


def cells(results: Rows, name: str = "count") -> dict[tuple[str, int, int], float]:
    """The cells of a retention answer that are not 0, by value, row and column."""
    return {
        (row.get("breakdown_value", ""), int(row["label"].split()[1]), column): cell[name]
        for row in results
        for column, cell in enumerate(row["values"])
        if cell[name]
    }


def stepped(start: datetime, end: datetime, unit: str, week_start: int) -> Iterator[datetime]:
    """The starts of the periods of a range, and of the one before it."""
    first = plain.floor(start, unit, week_start)
    number = -1
    while (period := plain.step(first, unit, number)) <= end:
        yield period
        number += 1


def statuses(results: Rows) -> Counter[tuple[datetime, str]]:
    return +Counter(
        {
            (datetime.fromisoformat(day), series["status"]): abs(int(count))
            for series in results
            for day, count in zip(series["days"], series["data"], strict=True)
        }
    )
