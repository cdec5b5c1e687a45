"""How far each start came within the window, how long each step took, and how far each person came at best."""

from __future__ import annotations

from collections.abc import Iterator

from insights_mcp.local.queries.funnels.funnel import Funnel
from insights_mcp.local.queries.funnels.marks import marks
from insights_mcp.local.queries.funnels.order import entries


def person(funnel: Funnel) -> str:
    """SQL: the columns that make one line of the result: who, and under which value."""
    return "a, v" if funnel.values else "a"


def attempts(funnel: Funnel) -> Iterator[tuple[str, str]]:
    """The tables, by name, up to `attempts`: one row for each start, with `steps` taken and `x1`, `x2` … seconds."""
    yield "marks", marks(funnel)
    yield from entries(funnel)
    source = "entries"
    if funnel.values and not funnel.split:
        yield "attributed", funnel.values.attributed(funnel)
        turned = ", r" if funnel.order == "unordered" and funnel.values.attribution == "step" else ""
        source = f"entries join (select a, v{turned} from attributed) using (a{turned})"
    columns = [person(funnel), "t0", f"{_steps(funnel)} as steps", *_times(funnel)]
    if funnel.keeps_events:
        columns += [f"i{number}" for number in range(funnel.count)]
    yield "attempts", f"select {', '.join(columns)} from {source} where {_undisturbed(funnel)}"


def _within(funnel: Funnel, later: str, earlier: str) -> str:
    return f"{later} <= {earlier} + {funnel.window}"


def _steps(funnel: Funnel) -> str:
    """SQL: how many steps were taken within the window."""
    reached = [_within(funnel, f"t{number}", "t0") for number in funnel.later]
    if funnel.order == "unordered":
        return " + ".join(["1", *(f"({condition} is true)::integer" for condition in reached)])
    text = "0"
    for condition in reversed(reached):
        text = f"case when {condition} then 1 + {text} else 0 end"
    return f"1 + {text}"


def _times(funnel: Funnel) -> list[str]:
    """SQL: the seconds from each step to the next; any order of steps counts in the order they came."""
    times = [f"t{number}" for number in range(funnel.count)]
    if funnel.order == "unordered":
        came = f"list_sort([{', '.join(times)}], 'ASC', 'NULLS LAST')"
        times = [f"{came}[{number + 1}]" for number in range(funnel.count)]
    return [
        f"case when {_within(funnel, times[n], times[n - 1])}"
        f" then date_diff('second', {times[n - 1]}, {times[n]}) end as x{n}"
        for n in funnel.later
    ]


def _undisturbed(funnel: Funnel) -> str:
    """SQL that holds for attempts with no excluded event between the steps it must not come between."""
    if not funnel.exclusions:
        return "true"
    ends = [
        f"coalesce({_end(funnel, each.funnelToStep)}, t{each.funnelFromStep} + {funnel.window})"
        for each in funnel.exclusions
    ]
    return " and ".join(f"(b{number} < {end}) is not true" for number, end in enumerate(ends))


def _end(funnel: Funnel, number: int) -> str:
    if funnel.order != "unordered":
        return f"t{number}"
    times = ", ".join(f"t{each}" for each in range(funnel.count))
    return f"list_sort([{times}], 'ASC', 'NULLS LAST')[{number + 1}]"


def furthest(funnel: Funnel, condition: str = "true") -> Iterator[tuple[str, str]]:
    """The tables up to `furthest`: of the attempts that a condition holds for, each person's that came furthest."""
    yield from attempts(funnel)
    key = person(funnel)
    yield "most", f"select {key}, max(steps) as steps from attempts where {condition} group by {key}"
    yield "furthest", f"select attempts.* from attempts join most using ({key}, steps) where {condition}"


def persons(funnel: Funnel) -> Iterator[tuple[str, str]]:
    """The tables up to `persons`: one row for each person and value, with their furthest attempts' times."""
    yield from furthest(funnel)
    key = person(funnel)
    shortest = funnel.values is not None and funnel.values.limited and funnel.asked != "time_to_convert"
    times = [
        f"min(x{n}) as y{n}, min(x{n}) as z{n}" if shortest else f"avg(x{n}) as y{n}, median(x{n}) as z{n}"
        for n in funnel.later
    ]
    columns = ", ".join([key, "steps", *times])
    yield "persons", f"select {columns} from furthest group by {key}, steps"


MATERIALIZED = frozenset({"marks", "attempts", "persons", "turns"})


def with_tables(tables: Iterator[tuple[str, str]], select: str) -> str:
    """SQL: a SELECT over named tables."""
    named = [f"{name} as {'materialized ' * (name in MATERIALIZED)}({text})" for name, text in tables]
    return "with " + ",\n".join(named) + "\n" + select
