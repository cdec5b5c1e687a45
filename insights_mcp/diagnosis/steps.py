"""Why nothing is left although all of it happened: a funnel's order and time, who came back, what maths leave out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.diagnosis.conditions import Condition
from insights_mcp.diagnosis.counted import Counted
from insights_mcp.diagnosis.emptiness import has_formula
from insights_mcp.diagnosis.probes import Asking, checkable, followed
from insights_mcp.diagnosis.window import Window
from insights_mcp.text import counted, quoted

OLD = timedelta(minutes=10)
TRY_LONGER = ". Try a longer period, or more of them (retentionFilter.totalIntervals)."
FIRST_TIME = {
    "retention_first_time": "retentionType retention_first_time counts only those who did it for the first time in "
    "the window; retention_recurring counts everyone",
    "retention_first_ever_occurrence": "retentionType retention_first_ever_occurrence counts only those who did it for "
    "the first time ever in the window; retention_recurring counts everyone",
}


async def why_nobody(
    asking: Asking, asked: Asked, everything: Sequence[Counted], places: Sequence[int], window: Window
) -> list[str]:
    """What is left to say when the events are there, in the window, and pass the filters."""
    if asked.source.get("kind") == "FunnelsQuery" and (pair := _pair(places, everything)):
        return [await _of_funnel(asking, asked, *pair, window)]
    if asked.source.get("kind") == "RetentionQuery" and places == (1,):
        there = f"{everything[1].name} events are there, but nobody did one in a period after {everything[0].label}"
        return [f"{there}{_alike(asked) or TRY_LONGER}"]
    item = everything[places[0]]
    hints = [*_hints(asked), *([item.own] if item.own else []), *_unchecked(item)]
    said = f"{item.name} events in the window pass every filter that could be checked"
    return [f"{said}; {'; '.join(hints)}." if hints else f"{said}: compute it anew."]


def _alike(asked: Asked) -> str:
    """That of a retention split by events, whoever comes back must do so under the value they began with."""
    given = asked.part("breakdownFilter")
    several = [item for item in given.get("breakdowns") or () if isinstance(item, dict)]
    splits = [(item.get("property"), item.get("type")) for item in several] or [
        (given.get("breakdown"), given.get("breakdown_type"))
    ]
    names = " and ".join(quoted(name, 60) for name, kind in splits if name and kind in (None, "event"))
    return (
        f" with the same {names}: split by what an event holds, a return counts only where it holds the same. "
        "Split by a property of the person (type person), or not at all."
        if names else ""
    )  # fmt: skip


def _pair(places: Sequence[int], everything: Sequence[Counted]) -> tuple[int, Counted, Counted] | None:
    """The step nobody reached and the one before it; the last two, when no step is known."""
    place = places[0] if len(places) == 1 else len(everything) - 1
    return (place, everything[place - 1], everything[place]) if 0 < place < len(everything) else None


async def _of_funnel(
    asking: Asking, asked: Asked, place: int, before: Counted, step: Counted, window: Window
) -> str:  # fmt: skip
    given = asked.part("funnelsFilter")
    by = str(given.get("funnelAggregateByHogQL") or "person_id")
    number = asked.source.get("aggregation_group_type_index")
    by = f"`$group_{number}`" if number in range(5) else by
    went = await followed(asking, before, step, window, by)
    who = "group" if number in range(5) else "person"
    step_words = f"step {place + 1} ({step.label})"
    if not went.before:
        return f"No {who} did step {place} ({before.label}) in the window."
    if not went.both:
        only = f"{counted(went.before, who)} did step {place} ({before.label}) in the window"
        return f"{only}, and none of them did {step_words} as well, at any time in it."
    if not went.in_order:
        return (
            f"{counted(went.both, who)} did step {place} and {step_words}, but none did step {place + 1} after it. "
            'Swap the steps, or set funnelsFilter {"funnelOrderType": "unordered"}.'
        )
    return f"{counted(went.in_order, who)} did {step_words} after step {place}, but {_too_strict(given)}."


def _too_strict(given: dict[str, Any]) -> str:
    """What else a funnel asks of those who did one step after the other."""
    count, unit = given.get("funnelWindowInterval") or 14, given.get("funnelWindowIntervalUnit") or "day"
    parts = [
        f"not in time after all steps before it: the conversion window is {count} {unit}{'' if count == 1 else 's'}, "
        f'a longer one is funnelsFilter {{"funnelWindowInterval": {count * 2 if isinstance(count, int) else 30}}}'
    ]
    if given.get("funnelOrderType") == "strict":
        parts.append('with other events in between, which "funnelOrderType": "strict" does not allow')
    if given.get("exclusions"):
        parts.append("or with an excluded event in between (funnelsFilter.exclusions)")
    return ", ".join(parts)


def _hints(asked: Asked) -> list[str]:
    """What in the query itself can leave nothing."""
    given = asked.source
    retained = str(asked.part("retentionFilter").get("retentionType"))
    sampling = given.get("samplingFactor")
    computed_long_ago = asked.at is not None and _age(asked) > OLD
    found = [
        FIRST_TIME.get(retained, ""),
        f"samplingFactor {sampling} looks at a part of them only" if isinstance(sampling, float) else "",
        "stickinessFilter.stickinessCriteria asks for more of them in an interval than anybody has"
        if asked.part("stickinessFilter").get("stickinessCriteria") else "",
        "the formula makes nothing of them" if has_formula(given) else "",
        "a path needs two steps in one session, at least" if given.get("kind") == "PathsQuery" else "",
        "what they are split by may be missing on them, or hold nobody" if asked.part("breakdownFilter") else "",
        "groups are counted, and these events may have none" if given.get("aggregation_group_type_index") in range(5)
        else "",
        "the result is older than that: compute it anew" if computed_long_ago else "",
    ]  # fmt: skip
    return [hint for hint in found if hint]


def _age(asked: Asked) -> timedelta:
    from datetime import UTC, datetime

    return datetime.now(UTC) - asked.at if asked.at else timedelta(0)


def _unchecked(item: Counted) -> list[str]:
    checked: list[Condition] = checkable(item)
    rest = [condition.words for condition in item.conditions if condition not in checked]
    return [f"{' and '.join(rest[:3])} could not be checked"] if rest else []
