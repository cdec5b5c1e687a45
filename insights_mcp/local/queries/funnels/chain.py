"""The quick form of an ordered funnel: each step is looked for only where the one before was taken in time.

Of all starts, few go on; so each table `c1`, `c2` … holds only the starts that came so far, and a person's furthest
is the last table they are in. Exclusions, and who is behind a step, need every start in one row: that is order.py.

The next event is found in a list of a person's events of that step. That takes a fifth of an ASOF join's time, but
grows with the square of the list: those with many events are joined.
"""

from __future__ import annotations

from collections.abc import Iterator

from insights_mcp.local.queries.funnels.funnel import Funnel

# More marked events than these are many.
FEW = 1000
NEXT = """select * from (
  select c.*, list_min(list_filter(n.l, lambda x: x {sign} c.{before})) as t{number} from c{table} c
  join (select {key}, list(ts) as l from marks where {is_step} and ({key}) in ({takers}) group by {key}) n
  using ({key}))
where t{number} <= t0 + {window} union all
select c.*, n.ts as t{number} from (select * from c{table} where many) c
  asof join (select {key}, ts from marks where {is_step} and ({key}) in (select {key} from who where many)) n
  on {same} and n.ts {sign} c.{before} where n.ts <= t0 + {window}"""


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
    rows = [f"select {key}, 1 as steps{nothing} from who anti join c1 using ({key}) where {_did(0)}"]
    for taken in funnel.later:
        left = f" anti join c{taken + 1} using ({key})" if taken + 1 < funnel.count else ""
        seconds = f"select {key}{_times(funnel, taken)} from c{taken}{left}"
        rows.append(f"select {key}, {taken + 1} as steps, {', '.join(times)} from ({seconds}) group by {key}")
    yield "persons", " union all ".join(rows)


def _chain(funnel: Funnel) -> Iterator[tuple[str, str]]:
    key = funnel.key
    yield "who", f"select {key}, bit_or(m) as did, count(*) > {FEW} as many from marks group by {key}"
    takers = f"select {key}, many from who where {_did(0)} and {_did(1)}"
    yield "c0", f"select {key}, ts as t0, many from marks join ({takers}) using ({key}) where {funnel.is_step(0)}"
    for number in funnel.later:
        yield f"c{number}", _next(funnel, number)


def _did(step: int) -> str:
    """SQL that holds for those who ever took a step."""
    return f"did & {1 << step} > 0"


def _next(funnel: Funnel, number: int) -> str:
    before = number - 1
    takers = f"c{before} where not many" if before else f"who where {_did(0)} and {_did(1)} and not many"
    return NEXT.format(
        number=number,
        table=before,
        before=f"t{before}",
        key=funnel.key,
        same=" and ".join(f"c.{name} = n.{name}" for name in funnel.key.split(", ")),
        takers=f"select {funnel.key} from {takers}",
        is_step=funnel.is_step(number),
        sign=">" if funnel.repeats(number) else ">=",
        window=funnel.window,
    )


def _times(funnel: Funnel, taken: int) -> str:
    """SQL: the seconds of each step so far, NULL for the others."""
    times = [
        f"date_diff('second', t{n - 1}, t{n}) as x{n}" if n <= taken else f"null::bigint as x{n}" for n in funnel.later
    ]
    return ", " + ", ".join(times)
