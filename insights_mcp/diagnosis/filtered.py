"""How a filter removed everything: what was left after each, and what the data holds where the filter looked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import anyio

from insights_mcp.diagnosis import hogql, known
from insights_mcp.diagnosis.conditions import Condition
from insights_mcp.diagnosis.counted import Counted
from insights_mcp.diagnosis.known import near, same_but_for_case
from insights_mcp.diagnosis.probes import UNREADABLE, Asking, Counts, Stage, cohort_size, extent_of, tops_of, values_of
from insights_mcp.diagnosis.window import Window
from insights_mcp.errors import InsightsError
from insights_mcp.text import clean, quoted, shortened

MOST_SHOWN = 5
MOST_PARTS = 4  # of an OR that are looked up
FOLLOWED_WITHIN = 3.0
COMPARED = ("gt", "gte", "lt", "lte", "min", "max")
OWNER = {"event": "an event property", "person": "a person property"}


async def why_filtered(asking: Asking, item: Counted, counts: Counts, gone: int, window: Window) -> str:
    """The steps down to nothing, and what to use instead of the filter that took the last."""
    stages = counts.stages[: gone + 1]
    inside = "in the window" if window.known else "in all"
    chain = f"{so_many(counts.inside, item)} {inside}" + "".join(
        f"; after {stage.condition.words} {stage.left:,}" for stage in stages
    )
    because = ""
    with anyio.move_on_after(FOLLOWED_WITHIN), suppress(InsightsError, *UNREADABLE):  # what is known by now stays told
        because = await _because(asking, item, stages[gone], gone, window)
    return f"{chain}. {because}".rstrip()


def so_many(count: int, item: Counted) -> str:
    """`1,204 "purchase" events`."""
    return " ".join(f"{count:,} {item.label} {'event' if count == 1 else 'events'}".split())


async def _because(asking: Asking, item: Counted, stage: Stage, place: int, window: Window) -> str:
    condition = stage.condition
    if condition.owner == "cohort":
        return await _of_cohort(asking, condition)
    if condition.parts:
        return await _of_parts(asking, item, place, window, condition)
    if condition.field is None:
        return "Leave that filter out, or change it."
    if stage.having == 0:
        return await _missing(asking, item, stage)
    if condition.operator in ("is_not_set", "is_not", "not_icontains", "not_regex"):
        return f"All of them have what {condition.words} rules out."
    if condition.operator in COMPARED:
        return _extent(condition, *await extent_of(asking, item, place, window))
    return _of_values(condition, await values_of(asking, item, place, window))


async def _of_parts(asking: Asking, item: Counted, place: int, window: Window, condition: Condition) -> str:
    """What the properties of an OR hold, each told once."""
    named: dict[str, Condition] = {}
    for part in condition.parts:
        if part.field:
            same = named.get(part.field)
            named[part.field] = replace(part, values=same.values + part.values) if same else part
    asked = list(named.values())[:MOST_PARTS]
    if not asked:
        return "None of its parts is met: leave that filter out, or change it."
    found = await tops_of(asking, item, place, window, [str(part.field) for part in asked])
    return " ".join(_of_part(part, values) for part, values in zip(asked, found, strict=True))


def _of_part(part: Condition, values: Sequence[str]) -> str:
    if not values:
        return f"None of these events has the {part.owner} property {quoted(part.name)}."
    return _of_values(part, [(value, 0) for value in values])


async def _of_cohort(asking: Asking, condition: Condition) -> str:
    number = next((value for value in condition.values if str(value).isdigit()), None)
    size = await cohort_size(asking, number) if number is not None else None
    if size == 0:
        return f"Cohort {number} has no members: PostHog has not computed it yet, or nobody meets its definition."
    who = f"{size:,} members" if size is not None else "members"
    return f"None of the {who} of cohort {number} did it. Leave the cohort out, or widen the window."


async def _missing(asking: Asking, item: Counted, stage: Stage) -> str:
    """The property is on none of the events."""
    name, owner = stage.condition.name, stage.condition.owner
    said = f"None of these events has the {owner} property {quoted(name)}."
    if stage.elsewhere:
        other = "person" if owner == "event" else "event"
        short = f"{'person.' if other == 'person' else ''}{clean(name, 60)}"
        where = f'"type": "{other}" in the filter, or in short {short}'
        return f"{said} It is {OWNER[other]} (on {stage.elsewhere:,} of them): {where}."
    if owner == "path":
        return "None of these events has a $current_url or a $screen_name, which a path's steps are named by."
    if owner not in OWNER:
        return said
    event = item.events[0] if owner == "event" and len(item.events) == 1 else None
    there = await known.properties(asking.client, "person" if owner == "person" else "event", asking.spend, event)
    if there is None:
        return f"{said} Which there are could not be listed: discover_data(kind='properties') may."
    return f"{said}{known.offered(name, there.names, stage.condition.where)}"


def _of_values(condition: Condition, values: Sequence[tuple[str, int]]) -> str:
    """What the property holds instead, and which of it may be meant."""
    there = [value for value, _ in values]
    shown = [quoted(value, 60) + (f" ({times:,})" if times else "") for value, times in values[:MOST_SHOWN]]
    listed = ", ".join(shown)
    more = f" and {len(values) - MOST_SHOWN} more" if len(values) > MOST_SHOWN else ""
    said = f"Values of {shortened(condition.name, 60)} there: {listed}{more}."
    meant = [hit for value in condition.values for hit in [_meant(hogql.words(value), there)] if hit]
    return f"{said} Use {' or '.join(map(quoted, dict.fromkeys(meant)))}." if meant else said


def _meant(value: str, there: Sequence[str]) -> str | None:
    """The value that differs in case alone, is the same number, or is near."""
    if same := same_but_for_case(value, there):
        return same
    number = hogql.number(value)
    equal = (other for other in there if number is not None and hogql.number(other) == number)
    return next(equal, None) or next(iter(near(value, there, 1)), None)


def _extent(condition: Condition, least: float | None, most: float | None, one: str) -> str:
    """From where to where the numbers go; or that they are none."""
    if least is None or most is None:
        return f"The values of {quoted(condition.name)} are no numbers, such as {quoted(one, 40)}."
    return f"The values of {quoted(condition.name)} go from {least:.10g} to {most:.10g}."
