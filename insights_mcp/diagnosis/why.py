"""Why a result is empty: found out with a few questions to the data, most certain first, and said with what to do.

It never turns an answer into an error: what cannot be found out is said to be so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import anyio

from insights_mcp.answer.asked import Asked
from insights_mcp.client import Client
from insights_mcp.diagnosis import filtered, known, steps
from insights_mcp.diagnosis.counted import Counted, counted_in
from insights_mcp.diagnosis.emptiness import Places
from insights_mcp.diagnosis.probes import UNREADABLE, Asking, Counts, Spent, counts_of, events_seen, span_of, uncounted
from insights_mcp.diagnosis.window import Window, window_of
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.errors import InsightsError, MissingScope
from insights_mcp.text import clean, shortened

WITHIN = 8.0
MOST = 3
LONGEST_WORDS = 200
UNKNOWN = "Why it is empty could not be checked: "


@dataclass(frozen=True)
class Case:
    """What is empty: the question, which of its parts, in which window; all of these, or a point of them."""

    asked: Asked
    places: Places
    window: Window
    whole: bool


async def why_empty(
    client: Client, asked: Asked, places: Places, result: Any, *, whole: bool = True
) -> tuple[str, ...]:
    """Why these parts of a result are empty. Not `whole`: only a point of them is known to be."""
    window = window_of(asked, result)
    if certain := _without_asking(window, asked):
        return (certain,)
    key = ("why", json.dumps(asked.source, sort_keys=True, default=str), str(window), places, whole)
    case = Case(asked, places, window, whole)
    return await known.remembered(client, key, known.REASONS_FOR, lambda: _found(client, case))


def _without_asking(window: Window, asked: Asked) -> str:
    """What the dates alone tell."""
    if window.start and asked.now and window.start > asked.now:
        return (
            f"The window begins in the future ({_minute(window.start)}). Use a past one, such as dateRange "
            '{"date_from": "-30d"}.'
        )
    if window.inverted:
        dates = asked.part("dateRange")
        turned = json.dumps({"date_from": dates.get("date_to"), "date_to": dates.get("date_from")})
        ends = f"{_minute(window.start)} to {_minute(window.end)}"
        return f"The window ends before it begins ({ends}). Turn it round: dateRange {clean(turned)}."
    return ""


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "?"


async def _found(client: Client, case: Case) -> tuple[str, ...]:
    """All that could be found out in time."""
    found: list[str] = []
    try:
        with anyio.fail_after(WITHIN):
            await _tell(Asking(client), case, found)
    except TimeoutError:
        found += [] if found else [f"{UNKNOWN}PostHog did not answer within {WITHIN:.0f} seconds."]
    except Spent:
        pass
    except MissingScope as error:
        found += [] if found else [f"{UNKNOWN}the API key lacks the scope '{error.scope}'."]
    except InsightsError as error:
        found += [] if found else [f"{UNKNOWN}{clean(error.what, 200)}"]
    except UNREADABLE:
        found += [] if found else [f"{UNKNOWN}PostHog's reply was not understood."]
    return tuple(found[:MOST])


async def _tell(asking: Asking, case: Case, found: list[str]) -> None:
    asked, window, everything = case.asked, case.window, counted_in(case.asked.source)
    named = [item for place, item in enumerate(everything) if place in case.places and (item.holds or item.any)]
    counted = named[:MOST]
    if not counted:
        return await _of_nothing_named(asking, asked, found)
    if not asking.client.may(RunQuery) and await _by_names(asking, counted, found):
        return None
    test_accounts = asked.source.get("filterTestAccounts") is True
    counts = await counts_of(asking, counted, window, asked.zone, test_accounts)
    for item, each in zip(counted, counts, strict=True):
        said = await _of_one(asking, item, each, window, asked)
        found += [reason for reason in said if reason not in found]
    if not found:
        found += [said for item, each in zip(counted, counts, strict=True) for said in _uncounted(item, each)]
    if not found and case.whole:
        if asked.source.get("kind") == "HogQLQuery":
            found.append(_of_sql(counted[0], counts[0]))
        else:
            found += await steps.why_nobody(asking, asked, everything, case.places, window)
    return None


async def _of_nothing_named(asking: Asking, asked: Asked, found: list[str]) -> None:
    """A query that names no event, such as SQL on persons: only whether there is anything at all."""
    if (names := await known.events(asking.client, asking.spend)) is not None and not names.names:
        found.append(await _no_events(asking))
    elif asked.source.get("kind") == "HogQLQuery":
        found.append("The SQL ran, and no row met it: leave its conditions out one by one to see which removes all.")


async def _by_names(asking: Asking, counted: Sequence[Counted], found: list[str]) -> bool:
    """What the list of events alone tells, where the key may not ask the data."""
    names = await known.events(asking.client, asking.spend)
    if names is not None and names.all:
        unseen = [item for item in counted if item.events and not any(event in names.names for event in item.events)]
        found += [await _never(asking, item) for item in unseen]
    return bool(found)


async def _of_one(asking: Asking, item: Counted, counts: Counts, window: Window, asked: Asked) -> list[str]:
    """Why one thing that is counted comes to nothing."""
    if not counts.ever and (item.holds or not window.known):
        return [await _never(asking, item)]
    if not counts.inside:
        return [await _outside(asking, item, counts, window, asked)]
    gone = next((place for place, stage in enumerate(counts.stages) if not stage.left), None)
    if gone is not None:
        return [await filtered.why_filtered(asking, item, counts, gone, window)]
    if counts.real == 0:
        return [
            f"{filtered.so_many(counts.rest, item)} pass all but the test-account filter, which removes them all. "
            'Set "filterTestAccounts": false, or look at the filter in the project\'s settings.'
        ]
    return []


def _uncounted(item: Counted, counts: Counts) -> list[str]:
    """That what is left is removed by filters which cannot be counted one by one."""
    words = [condition.words for condition in uncounted(item)]
    if not words:
        return []
    left = counts.rest if counts.real is None else counts.real
    return [
        f"{filtered.so_many(left, item)} pass all filters that can be counted one by one. Not counted: "
        f"{shortened(', '.join(words), LONGEST_WORDS)}. Leave that out to see whether it removes them."
    ]


async def _never(asking: Asking, item: Counted) -> str:
    """That it has never happened, and what may be meant."""
    where = await asking.client.place()
    said = f"No {item.label} event has ever been seen in {where}."
    if not item.events:
        return said
    names = await known.events(asking.client, asking.spend)
    there = names.names if names else await _seen(asking)
    if names and not there:
        return await _no_events(asking)
    meant = next((event for event in item.events if known.near(event, there)), item.events[0])
    return f"{said}{known.offered(meant, there, item.where)}"


async def _seen(asking: Asking) -> list[str]:
    """The names that the data themselves tell, where they cannot be listed."""
    if asking.client.may(RunQuery):
        with suppress(InsightsError, *UNREADABLE):
            return await events_seen(asking)
    return []


async def _no_events(asking: Asking) -> str:
    return (
        f"P{(await asking.client.place())[1:]} holds no events at all. If it is the wrong project, set "
        "POSTHOG_PROJECT_ID; `insights-mcp doctor` lists those the key can see."
    )


async def _outside(asking: Asking, item: Counted, counts: Counts, window: Window, asked: Asked) -> str:
    """That it happened at other times only."""
    first, last = counts.first, counts.last
    if not item.holds:
        first, last = await span_of(asking, asked.zone)
        if first is None:
            return await _no_events(asking)
    if first is None or last is None:
        return f"{item.name} never happened in the window ({window})."
    if window.start and last < window.start:
        said = f"{item.name} was last seen {_day(last)}, before the window ({window})."
    elif window.end and first > window.end:
        said = f"{item.name} was first seen {_day(first)}, after the window ({window})."
    else:
        said = f"{item.name} was seen from {_day(first)} to {_day(last)}, but never in the window ({window})."
    return f"{said} A window that holds some: {_range(first, last, asked.source)}."


def _of_sql(item: Counted, counts: Counts) -> str:
    seen = f"{filtered.so_many(counts.ever, item)} from {_day(counts.first)} to {_day(counts.last)}"
    return f"There are {seen}: the SQL's other conditions remove them all; leave them out one by one."


def _range(first: datetime, last: datetime, source: dict[str, Any]) -> str:
    """The month that ends with the last event, as a query says it."""
    start = max(first, last - timedelta(days=30))
    if source.get("kind") == "EventsQuery":
        return f'"after": "{_day(start)}", "before": "{_day(last + timedelta(days=1))}"'
    return f'dateRange {{"date_from": "{_day(start)}", "date_to": "{_day(last)}"}}'


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "?"
