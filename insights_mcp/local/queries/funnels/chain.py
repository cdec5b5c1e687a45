"""The quick form of an ordered funnel: each step is looked for only where the one before was taken in time.

Of all starts, few go on; so each table `c1`, `c2` … holds only the starts that came so far, `p1`, `p2` … the persons
in it, and a person's furthest is the last table they are in. Exclusions, and who is behind a step, need every start in
one row: that is order.py.

Most persons do a step once or twice: then the first of these times, or the last, is the next one, and `n1`, `n2` … hold
these beside each other. Who did it more often has a list, of which the earliest that fits is taken. That grows with the
square of the list: where many events are of persons with many, as the catalogue tells, the longest are joined instead.

Who took the first step alone needs no row where it is enough that they are counted (`started`).
"""

from __future__ import annotations

from collections.abc import Iterator

from insights_mcp.local.queries.funnels.funnel import Funnel
from insights_mcp.local.queries.funnels.values import same

# Measured for each event: 0.01 µs for each time in a list, 0.4 µs for a join, and its part of the plan 10 ms in all.
OFTEN = 100
FEW = 200
# Of all marks: a condition would hold for each reader of `marks`, and is then tried when they are written, slowly.
STARTED = "(select count(distinct case when {is_step} then a end) from marks)"
DID = """select {key}, min(ts) as low, max(ts) as high, count(*)::uinteger as n{lists}
  from marks where {is_step}{among} group by {key}"""
LISTS = ", case when n{several} then list(ts) end as l"
# Starts are the most: those who did the second step once or twice carry no lists along.
SECOND = """select {key}, t0, {seconds} as x1, t1 from (
  select *, case when t0 {until} low then low when n = 2 and t0 {until} high then high end as t1 from starts)
where t1 <= t0 + {window} union all
select {key}, t0, {seconds}, t1 from (
  select {key}, t0, list_min(list_filter(l, lambda x: x {sign} t0)) as t1 from starts join (
    select {key}, list(ts) as l from marks semi join (select * from n1 where n{several}) using ({key})
    where {is_step} group by {key}) using ({key}) where {between})
where t1 <= t0 + {window}"""
SECOND_OF_MANY = """ union all
select c.{own}, t0, date_diff('second', t0, n.ts), n.ts from (
    select * from starts where n > greatest(2, {few}) and {between}) c"""
NEXT = """select {key}, t0, {earlier}{seconds} as x{number}, t{number} from (
  select *, case when {before} {until} low then low when {before} {after} high then null when n = 2 then high
    else list_min(list_filter(l, lambda x: x {sign} {before})) end as t{number}
  from c{last} join {not_many} using ({key}))
where t{number} <= t0 + {window}"""
NEXT_OF_MANY = """ union all
select c.{own}, t0, {earlier}date_diff('second', {before}, n.ts), n.ts from (
    select * from c{last} semi join (select * from n{number} where n > {few}) using ({key})) c"""
JOINED = """
  asof join (
    select marks.* from marks semi join (select * from n{number} where n > {few}) using ({key}) where {is_step}) n
  on {same} and n.ts {sign} c.{before} where n.ts <= t0 + {window}"""


def fits(funnel: Funnel) -> bool:
    """Whether the quick form answers this funnel."""
    return funnel.order == "ordered" and not (funnel.exclusions or funnel.keeps_events or funnel.optional)


def started(funnel: Funnel) -> str:
    """SQL: how many took the first step."""
    return STARTED.format(is_step=funnel.is_step(0))


def attempts(funnel: Funnel) -> Iterator[tuple[str, str]]:
    """The tables up to `attempts`: for each start, one row for each number of steps up to those it took."""
    yield from _chain(funnel, [])
    tables = [_starts(funnel), *(f"c{number}" for number in funnel.later)]
    rows = [f"select {funnel.key}, t0, {taken + 1} as steps from {table}" for taken, table in enumerate(tables)]
    yield "attempts", " union all ".join(rows)


def persons(funnel: Funnel, times: list[str], *, starters: bool) -> Iterator[tuple[str, str]]:
    """The tables up to `persons`: one row for each person who is in a table and not in the next.

    Those who took the first step alone are in it when `starters`.
    """
    rows: list[str] = []
    if starters:
        # Of all marks, as above.
        yield "who", f"select {funnel.key}, bit_or(m) as did from marks group by {funnel.key}"
        rows.append(f"select {funnel.key}, 1 as steps from who{_left(funnel, 0)} where did & 1 > 0")
    yield from _chain(funnel, times)
    rows += [f"select p{taken}.*, {taken + 1} as steps from p{taken}{_left(funnel, taken)}" for taken in funnel.later]
    yield "persons", " union all by name ".join(rows)


def _left(funnel: Funnel, taken: int) -> str:
    """SQL: without those who went on."""
    return f" anti join p{taken + 1} using ({funnel.key})" if taken + 1 < funnel.count else ""


def _starts(funnel: Funnel) -> str:
    return f"(select {funnel.key}, ts as t0 from marks where {funnel.is_step(0)})"


def _chain(funnel: Funnel, times: list[str]) -> Iterator[tuple[str, str]]:
    """The tables of each step; of persons what `times` makes of the seconds of their steps so far."""
    for number in funnel.later:
        yield f"n{number}", _did(funnel, number)
        if number == 1:
            yield "starts", f"select * from {_starts(funnel)} join n1 using ({funnel.key})"
        yield f"c{number}", _next(funnel, number)
        known = "".join(f", {time}" for time in times[:number])
        yield f"p{number}", f"select {funnel.key}{known} from c{number} group by all"


def _did(funnel: Funnel, number: int) -> str:
    """SQL: when they took a step, of those who came so far."""
    key, later = funnel.key, number > 1
    among = f" and ({key}) in (select {key} from p{number - 1})" if later else ""
    lists = LISTS.format(several=_several(funnel, number)) if later else ""
    return DID.format(key=key, is_step=funnel.is_step(number), among=among, lists=lists)


def _joins(funnel: Funnel, number: int) -> bool:
    """Whether those who took a step many times are joined."""
    return funnel.often(number) > OFTEN


def _several(funnel: Funnel, number: int) -> str:
    """SQL: so many times that a person has a list of them."""
    return f" between 3 and {FEW}" if _joins(funnel, number) else " > 2"


def _next(funnel: Funnel, number: int) -> str:
    sign, until, after = (">", "<", ">=") if funnel.takes_another(number) else (">=", "<=", ">")
    template, of_many = (NEXT, NEXT_OF_MANY) if number > 1 else (SECOND, SECOND_OF_MANY)
    many = _joins(funnel, number)
    return (template + (of_many + JOINED) * many).format(
        number=number,
        several=_several(funnel, number),
        not_many=f"(select * from n{number} where n <= {FEW})" if many else f"n{number}",
        last=number - 1,
        earlier="".join(f"x{n}, " for n in range(1, number)),
        seconds=f"date_diff('second', t{number - 1}, t{number})",
        before=f"t{number - 1}",
        key=funnel.key,
        own=funnel.key.replace(", ", ", c."),
        same=same(funnel),
        is_step=funnel.is_step(number),
        between=f"t0 {after} low and t0 {until} high",
        sign=sign,
        until=until,
        after=after,
        few=FEW,
        window=funnel.window,
    )
