"""The demo's story: always the same, and told by the data."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from insights_mcp.local.demo_data.events import BROWSERS, CAMPAIGN_NAME, SLOW_BROWSER, events

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    """The events of 600 people."""
    return list(events(NOON, 120, 600))


def test_the_same_day_tells_the_same_story() -> None:
    """What was told at noon is told again in the evening, word for word."""
    noon = list(events(NOON, 120, 40))
    evening = {event["uuid"]: event for event in events(NOON + timedelta(hours=8), 120, 40)}
    assert noon == [evening[event["uuid"]] for event in noon]


def test_nothing_comes_from_the_future(told: list[dict[str, Any]]) -> None:
    """The last event is not after now, and of today."""
    assert NOON.date() == datetime.fromisoformat(max(event["timestamp"] for event in told)).date()


def test_no_uuid_comes_twice(told: list[dict[str, Any]]) -> None:
    """Events can be told apart."""
    assert len(told) == len({event["uuid"] for event in told})


def test_the_outage_lasts_two_days(told: list[dict[str, Any]]) -> None:
    """Errors are shown on two days in a row, and on no other."""
    days = {event["timestamp"][:10] for event in told if event["event"] == "error shown"}
    assert [1] == [(datetime.fromisoformat(b) - datetime.fromisoformat(a)).days for a, b in [sorted(days)]]


def test_one_browser_is_slow(told: list[dict[str, Any]]) -> None:
    """Pages take longest to load in it."""
    took: dict[str, list[int]] = {browser: [] for browser in BROWSERS}
    for event in told:
        if event["event"] == "$pageview":
            took[event["properties"]["$browser"]].append(event["properties"]["load_ms"])
    assert SLOW_BROWSER == max(took, key=lambda browser: sum(took[browser]) / len(took[browser]))


def test_the_campaign_brings_a_crowd(told: list[dict[str, Any]]) -> None:
    """Most sign-ups of its days come by it."""
    channels = Counter(e["properties"]["channel"] for e in told if e["event"] == "signed up" and _in_campaign(e))
    assert [CAMPAIGN_NAME] == [channel for channel, _ in islice(channels.most_common(), 1)]


def _in_campaign(event: dict[str, Any]) -> bool:
    return 52 <= (NOON.date() - datetime.fromisoformat(event["timestamp"]).date()).days <= 61
