"""The quick form of an ordered funnel: each step is looked for only where the one before was taken in time.

Of all starts, few go on; so each table `c1`, `c2` … holds only the starts that came so far, and a person's furthest
is the last table they are in. Exclusions, and who is behind a step, need every start in one row: that is order.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from insights_mcp.local.queries.funnels.funnel import Funnel


def fits(funnel: Funnel) -> bool:
    """Whether the quick form answers this funnel."""
    return funnel.order == "ordered" and not (funnel.exclusions or funnel.keeps_events or funnel.optional)


def attempts(funnel: Funnel) -> Iterator[tuple[str, str]]:
    """The tables up to `attempts`: for each start, one row for each number of steps up to those it took."""
    yield from _chain(funnel)
    starts = f"(select {funnel.key}, ts as t0 from marks where {funnel.is_step(0)})"
    tables = [starts, *(f"c{number}" for number in funnel.later)]
    rows = [f"select {funnel.key}, t0, {taken + 1} as steps from {table}" for taken, table in enumerate(tables)]
    yield "attempts", " union all ".join(rows)


def persons(funnel: Funnel, times: list[str]) -> Iterator[tuple[str, str]]:
    """The tables up to `persons`: one row for each person who is in a table and not in the next."""
    yield from _chain(funnel)
    key = funnel.key
    nothing = "".join(f", null::double as y{n}, null::double as z{n}" for n in funnel.later)
    rows = [
        f"select distinct {key}, 1 as steps{nothing} from marks anti join c1 using ({key}) where {funnel.is_step(0)}"
    ]
    for taken in funnel.later:
        left = f" anti join c{taken + 1} using ({key})" if taken + 1 < funnel.count else ""
        seconds = f"select {key}{_times(funnel, taken)} from c{taken}{left}"
        rows.append(f"select {key}, {taken + 1} as steps, {', '.join(times)} from ({seconds}) group by {key}")
    yield "persons", " union all ".join(rows)


def _chain(funnel: Funnel) -> Iterator[tuple[str, str]]:
    key = funnel.key
    yield "c0", f"select {key}, ts as t0 from marks where {funnel.is_step(0)} and a in ({_takers(funnel, 1)})"
    for number in funnel.later:
        yield f"c{number}", _next(funnel, number)


def _takers(funnel: Funnel, number: int) -> str:
    return f"select a from marks where {funnel.is_step(number)}"


def _next(funnel: Funnel, number: int) -> str:
    before, sign = f"t{number - 1}", "<" if funnel.repeats(number) else "<="
    same = " and ".join(f"c.{name} = n.{name}" for name in funnel.key.split(", "))
    return (
        f"select c.*, n.ts as t{number} from c{number - 1} c"
        f" asof join (select {funnel.key}, ts from marks where {funnel.is_step(number)}) n"
        f" on {same} and c.{before} {sign} n.ts where n.ts <= t0 + {funnel.window}"
    )


def _times(funnel: Funnel, taken: int) -> str:
    """SQL: the seconds of each step so far, NULL for the others."""
    times = [
        f"date_diff('second', t{n - 1}, t{n}) as x{n}" if n <= taken else f"null::bigint as x{n}" for n in funnel.later
    ]
    return ", " + ", ".join(times)
