"""Funnels against plain Python: every start is followed by hand, on random worlds."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean, median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from insights_mcp.local.load import load
from insights_mcp.local.queries.funnels import chain

START = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=40)
Event = tuple[datetime, str, str]
Attempt = tuple[datetime, int, list[float]]


def _world() -> dict[str, list[Event]]:
    """Persons with events A to D and X at different minutes of four hours, each seen in one of two browsers."""
    chance = random.Random(7)
    return {
        f"person-{number}": [
            (START + timedelta(minutes=minute), chance.choice("AABBCCDX"), chance.choice("uv"))
            for minute in sorted(chance.sample(range(240), chance.randint(1, 16)))
        ]
        for number in range(150)
    }


WORLD = _world()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    folder = tmp_path_factory.mktemp("random")
    rows = [
        {"event": name, "timestamp": moment.isoformat(), "distinct_id": who, "properties": {"browser": browser}}
        for who, events in WORLD.items()
        for moment, name, browser in events
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    load([folder / "events.jsonl"], folder)
    opened = EventStore(folder / "events.duckdb")
    yield opened
    opened.close()


BROWSER = {"breakdown": "browser", "breakdown_type": "event"}
TWICE = {"breakdown": ["properties.browser", "upper(properties.browser)"], "breakdown_type": "hogql"}


def ask(store: EventStore, steps: str, breakdown: dict[str, Any] | None = None, **given: Any) -> Any:
    query: dict[str, Any] = {
        "kind": "FunnelsQuery",
        "series": [{"kind": "EventsNode", "event": name} for name in steps],
        "interval": "hour",
        "dateRange": {"date_from": "2026-03-01", "date_to": "2026-03-02T23:59:59"},
        "funnelsFilter": {"funnelWindowInterval": 40, "funnelWindowIntervalUnit": "minute", **given},
    }
    if breakdown:
        query["breakdownFilter"] = breakdown
    now = START + timedelta(days=2)
    answer = queries.run(query, events=store, project=queries.Project(), now=now, cancelled=threading.Event())
    return answer["results"]


# -- each start, followed by hand ------------------------------------------------------------------------------------


def ordered(events: list[Event], steps: str) -> Iterator[Attempt]:
    for place, (start, name, _) in enumerate(events):
        if name != steps[0]:
            continue
        times, at = [start], place
        for step in steps[1:]:
            following = [i for i in range(at + 1, len(events)) if events[i][1] == step]
            if not following or events[following[0]][0] > start + WINDOW:
                break
            at = following[0]
            times.append(events[at][0])
        yield start, len(times), _seconds(times)


def strict(events: list[Event], steps: str) -> Iterator[Attempt]:
    for place, (start, name, _) in enumerate(events):
        if name != steps[0]:
            continue
        times = [start]
        for (moment, following, _), step in zip(events[place + 1 :], steps[1:], strict=False):
            if following != step or moment > start + WINDOW:
                break
            times.append(moment)
        yield start, len(times), _seconds(times)


def unordered(events: list[Event], steps: str) -> Iterator[Attempt]:
    for place, (start, name, _) in enumerate(events):
        if name not in steps:
            continue
        firsts = [
            next((moment for moment, other, _ in events[place + 1 :] if other == step), None)
            for step in steps
            if step != name
        ]
        times = sorted([start, *(each for each in firsts if each and each <= start + WINDOW)])
        yield start, len(times), _seconds(times)


def excluding(events: list[Event], steps: str) -> Iterator[Attempt]:
    """Ordered, where X must not come between the first step and the second, or within the window of the first."""
    for attempt in ordered(events, steps):
        start = attempt[0]
        end = next((moment for moment, name, _ in events if name == steps[1] and moment > start), start + WINDOW)
        if not any(name == "X" and start < moment < end for moment, name, _ in events):
            yield attempt


def _seconds(times: list[datetime]) -> list[float]:
    return [(later - earlier).total_seconds() for earlier, later in pairwise(times)]


Follow = Callable[[list[Event], str], Iterator[Attempt]]


def expected(follow: Follow, steps: str, world: dict[str, list[Event]] = WORLD) -> list[Any]:
    """For each step its people, and the average and median seconds to it; as one list of numbers."""
    best: list[list[Attempt]] = []
    for events in world.values():
        attempts = list(follow(events, steps))
        furthest = max((taken for _, taken, _ in attempts), default=0)
        best.append([attempt for attempt in attempts if attempt[1] == furthest])
    rows: list[Any] = []
    for number in range(len(steps)):
        reached = [attempts for attempts in best if attempts and attempts[0][1] > number]
        times = [[seconds[number - 1] for _, _, seconds in attempts] for attempts in reached if number]
        rows += (
            [len(reached), mean(map(mean, times)), median(map(median, times))] if times else [len(reached), None, None]
        )
    return rows


def told(results: list[dict[str, Any]]) -> list[Any]:
    return [step[key] for step in results for key in ("count", "average_conversion_time", "median_conversion_time")]


def counts(follow: Follow, steps: str, world: dict[str, list[Event]]) -> list[int]:
    return expected(follow, steps, world)[::3]


@pytest.mark.parametrize("steps", ["ABC", "AB", "ABCD", "ABA", "AAB", "ABB", "AAA"])
def test_ordered(store: EventStore, steps: str) -> None:
    """Each step is the next event of its kind after the one before, within the window of the first."""
    assert pytest.approx(expected(ordered, steps)) == told(ask(store, steps))


@pytest.mark.parametrize("few", [0, 4])
@pytest.mark.parametrize("steps", ["ABCD", "ABA", "AAB"])
def test_those_with_many_events(store: EventStore, steps: str, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are followed another way, to the same end."""
    monkeypatch.setattr(chain, "OFTEN", 0)
    monkeypatch.setattr(chain, "FEW", few)
    assert pytest.approx(expected(ordered, steps)) == told(ask(store, steps))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.text("ABCDX", min_size=2, max_size=6), st.sampled_from([None, 0, 2, 1000]))
def test_any_steps(store: EventStore, steps: str, few: int | None) -> None:
    """Whatever the steps, and from whatever number on events are many, the answer is that of following by hand."""
    with pytest.MonkeyPatch.context() as patched:
        if few is not None:
            patched.setattr(chain, "OFTEN", 0)
            patched.setattr(chain, "FEW", few)
        assert pytest.approx(expected(ordered, steps)) == told(ask(store, steps))


@pytest.mark.parametrize("steps", ["ABC", "AB", "CBA", "ABA"])
def test_strict(store: EventStore, steps: str) -> None:
    """Each step is the very next event."""
    assert pytest.approx(expected(strict, steps)) == told(ask(store, steps, funnelOrderType="strict"))


@pytest.mark.parametrize("steps", ["ABC", "AB", "DCBA"])
def test_unordered(store: EventStore, steps: str) -> None:
    """Any step can be the first; times are those between the steps as they came."""
    assert pytest.approx(expected(unordered, steps)) == told(ask(store, steps, funnelOrderType="unordered"))


@pytest.mark.parametrize("steps", ["AB", "ABC"])
def test_exclusion(store: EventStore, steps: str) -> None:
    """A start with an excluded event before the next step does not count; another start of the person may."""
    exclusion = {"kind": "EventsNode", "event": "X", "funnelFromStep": 0, "funnelToStep": 1}
    assert pytest.approx(expected(excluding, steps)) == told(ask(store, steps, exclusions=[exclusion]))


@pytest.mark.parametrize("breakdown", [BROWSER, TWICE])
@pytest.mark.parametrize(("order", "follow"), [("ordered", ordered), ("strict", strict), ("unordered", unordered)])
def test_each_value_is_a_funnel_of_its_own(
    store: EventStore, order: str, follow: Follow, breakdown: dict[str, Any]
) -> None:
    """Attributed to all events, a value's funnel is the funnel over the events that have it; also a value of two."""
    results = ask(store, "ABC", breakdown, funnelOrderType=order, breakdownAttributionType="all_events")
    found = {steps[0]["breakdown_value"][0]: [step["count"] for step in steps] for steps in results}
    alone = {value: {who: [e for e in events if e[2] == value] for who, events in WORLD.items()} for value in "uv"}
    assert {value: counts(follow, "ABC", alone[value]) for value in "uv"} == found


@pytest.mark.parametrize("attribution", ["first_touch", "last_touch"])
def test_a_person_counts_under_one_value(store: EventStore, attribution: str) -> None:
    """The value of the first, or the last, of their events that are steps; their attempts may mix values."""
    results = ask(store, "ABC", BROWSER, breakdownAttributionType=attribution)
    found = {steps[0]["breakdown_value"][0]: [step["count"] for step in steps] for steps in results}
    groups: dict[str, dict[str, list[Event]]] = {"u": {}, "v": {}}
    for who, events in WORLD.items():
        values = [value for _, name, value in events if name in "ABC"]
        if values:
            groups[values[0 if attribution == "first_touch" else -1]][who] = events
    assert {value: counts(ordered, "ABC", group) for value, group in groups.items()} == found


def test_trend(store: EventStore) -> None:
    """A person counts once in each hour they start, by their furthest attempt of that hour."""
    best: dict[str, dict[str, int]] = {}
    for who, events in WORLD.items():
        for start, taken, _ in ordered(events, "ABC"):
            hour = best.setdefault(f"{start:%Y-%m-%d %H}:00:00", {})
            hour[who] = max(hour.get(who, 0), taken)
    rates = {
        hour: round(sum(taken == 3 for taken in people.values()) / len(people) * 100, 2)
        for hour, people in best.items()
    }
    series = ask(store, "ABC", funnelVizType="trends")[0]
    assert rates == {day: rate for day, rate in zip(series["days"], series["data"], strict=True) if day in rates}


def test_times(store: EventStore) -> None:
    """The bins hold everyone who took the last step, and their average is that of the persons."""
    results = ask(store, "ABC", funnelVizType="time_to_convert")
    assert counts(ordered, "ABC", WORLD)[2] == sum(people for _, people in results["bins"])
