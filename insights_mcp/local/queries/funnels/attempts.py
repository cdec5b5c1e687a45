"""How far each start came within the window, how long each step took, and how far each person came at best."""

from __future__ import annotations

from collections.abc import Iterator

from insights_mcp.local.queries.funnels import chain
from insights_mcp.local.queries.funnels.funnel import Funnel
from insights_mcp.local.queries.funnels.marks import marks
from insights_mcp.local.queries.funnels.order import came, entries, previous

STEPS = (f"{table}{number}" for table in "cnp" for number in range(64))
MATERIALIZED = frozenset({"marks", "who", "starts", "turns", "attempts", "persons", *STEPS})


def attempts(funnel: Funnel) -> Iterator[tuple[str, str]]:
    """The tables, by name, up to `attempts`: one row for each start, with `steps` taken and `x1`, `x2` … seconds."""
    yield from _scanned(funnel)
    if chain.fits(funnel):
        yield from chain.attempts(funnel)
        return
    yield from entries(funnel)
    source = "entries join attributed using (a, r)" if funnel.turned else "entries"
    columns = [funnel.person, "t0", f"{_steps(funnel)} as steps"]
    columns += [f"i{number}" for number in range(funnel.count)] if funnel.keeps_events else _times(funnel)
    columns += [f"({_within(funnel, number)}) is true as w{number}" for number in funnel.optional]
    columns += [f"{_end(funnel)} as e"] if funnel.optional else []
    yield "attempts", f"select {', '.join(columns)} from {source}{_undisturbed(funnel)}"


def _scanned(funnel: Funnel) -> Iterator[tuple[str, str]]:
    yield "marks", marks(funnel)
    if funnel.values and not funnel.split:
        yield "attributed", funnel.values.attributed(funnel)


def _within(funnel: Funnel, number: int) -> str:
    """SQL that holds where a step was taken in time; the very next events count only if all before them did."""
    earlier = [n for n in funnel.later if n < number and n not in funnel.optional] if funnel.order == "strict" else []
    numbers = [*earlier, number]
    return " and ".join(f"t{each} <= t0 + {funnel.window}" for each in numbers)


def _steps(funnel: Funnel) -> str:
    """SQL: how many steps were taken within the window; in order, the number of the furthest."""
    if funnel.order == "unordered":
        return " + ".join(["1", *(f"({_within(funnel, number)} is true)::integer" for number in funnel.later)])
    arms = " ".join(f"when {_within(funnel, number)} then {number + 1}" for number in reversed(funnel.later))
    return f"case {arms} else 1 end"


def _end(funnel: Funnel) -> str:
    """SQL: when the furthest step was taken."""
    taken = [f"case when {_within(funnel, number)} then t{number} end" for number in funnel.later]
    return f"greatest(t0, {', '.join(taken)})"


def _times(funnel: Funnel) -> list[str]:
    """SQL: the seconds to each step that was taken in time from the one before it."""
    unordered = funnel.order == "unordered"
    return [
        f"case when {f'{came(funnel, n)} <= t0 + {funnel.window}' if unordered else _within(funnel, n)}"
        f" then date_diff('second', {previous(funnel, n)}, {came(funnel, n)}) end as x{n}"
        for n in funnel.later
    ]


def _undisturbed(funnel: Funnel) -> str:
    """SQL that keeps attempts with no excluded event between the steps it must not come between.

    Where the later step was never taken it is the window that ends the time; where it was, however late, it is that.
    """
    if not funnel.exclusions:
        return ""
    ends = [
        f"coalesce({came(funnel, each.funnelToStep)}, t{each.funnelFromStep} + {funnel.window})"
        for each in funnel.exclusions
    ]
    return " where " + " and ".join(f"(b{number} < {end}) is not true" for number, end in enumerate(ends))


def furthest(funnel: Funnel, where: str = "") -> Iterator[tuple[str, str]]:
    """The tables up to `furthest`: of the attempts (all, or those `where` keeps) each person's that came furthest.

    Where steps are optional, it is those that came there first: they say which of these were taken.
    """
    yield from attempts(funnel)
    if not funnel.optional:
        yield "most", f"select {funnel.person}, max(steps) as steps from attempts{where} group by all"
        yield "furthest", f"select attempts.* from attempts join most using ({funnel.person}, steps){where}"
        return
    own = f"over (partition by {funnel.person}"
    first = f"select * from attempts{where} qualify dense_rank() {own} order by steps desc, e) = 1"
    taken = ", ".join(f"bool_or(w{number}) {own}) as w{number}" for number in funnel.optional)
    yield "furthest", f"select * replace ({taken}) from ({first})"


def persons(funnel: Funnel, *, starters: bool = True) -> Iterator[tuple[str, str]]:
    """The tables up to `persons`: one row for each person and value, with their furthest attempts' times.

    Without `starters`, those who took no more than the first step may be left out.
    """
    shortest = funnel.values is not None and funnel.values.limited and funnel.asked != "time_to_convert"
    times = [
        f"min(x{n}) as y{n}, min(x{n}) as z{n}" if shortest else f"avg(x{n}) as y{n}, median(x{n}) as z{n}"
        for n in funnel.later
    ]
    if chain.fits(funnel):
        yield from _scanned(funnel)
        yield from chain.persons(funnel, times, starters=starters)
        return
    yield from furthest(funnel)
    taken = [f"bool_or(w{number}) as w{number}" for number in funnel.optional]
    columns = ", ".join([funnel.person, "steps", *times, *taken])
    yield "persons", f"select {columns} from furthest group by {funnel.person}, steps"


def valued(funnel: Funnel, table: str) -> str:
    """SQL: a table of persons with the value `v` that each counts under (several rows where under several)."""
    known = funnel.values is None or "v" in funnel.person
    return table if known else f"{table} join (select distinct a, v from attributed) using (a)"


def with_tables(tables: Iterator[tuple[str, str]], select: str) -> str:
    """SQL: a SELECT over named tables."""
    named = [f"{name} as {'materialized ' * (name in MATERIALIZED)}({text})" for name, text in tables]
    return "with " + ",\n".join(named) + "\n" + select
