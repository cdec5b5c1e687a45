"""Each start of a funnel, and when each later step came after it: in order, in any order, or with nothing between.

What comes out is `entries`: one row for each event that is a first step, with `t0` its time and `t1`, `t2` … the time
of the next event of each later step (NULL where there is none, or none after the step before), not yet limited by the
window; and `b0`, `b1` … when the next excluded event came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile

from insights_mcp.local.queries.funnels.checks import apart
from insights_mcp.local.queries.funnels.funnel import Funnel
from insights_mcp.local.queries.funnels.values import same

Tables = Iterator[tuple[str, str]]


def entries(funnel: Funnel) -> Tables:
    """The tables, by name, that lead from `marks` to `entries`."""
    yield from ORDERS[funnel.order](funnel)


def _start(funnel: Funnel, number: int, more: str = "") -> str:
    kept = ", i as i0" if funnel.keeps_events else ""
    return f"select {funnel.key}, ts as t0{kept}{more} from marks where {funnel.is_step(number)}"


def _next(funnel: Funnel, table: str, mark: str, after: str, number: str, sign: str = "<") -> str:
    """SQL: a table with the time of the next event that has a mark, after (or with) one of its times."""
    kept = number.startswith("t") and funnel.keeps_events
    found, columns = (f", n.i as i{number[1:]}", ", i") if kept else ("", "")
    following = f"select {funnel.key}, ts{columns} from marks where {mark}"
    return (
        f"select c.*, n.ts as {number}{found} from {table} c"
        f" asof left join ({following}) n on {same(funnel)} and {after} {sign} n.ts"
    )


def came(funnel: Funnel, number: int) -> str:
    """SQL: when a step of an entry was taken; in any order, when the so manieth was."""
    if funnel.order != "unordered":
        return f"t{number}"
    times = ", ".join(f"t{each}" for each in range(funnel.count))
    return f"list_sort([{times}], 'ASC', 'NULLS LAST')[{number + 1}]"


def _ordered(funnel: Funnel) -> Tables:
    """One step after the other: each is looked for from the time of the one before.

    Optional steps are looked for from the required one before them; where several follow each other, the last that was
    taken counts, and of those before it the ones that came before it.
    """
    yield "c0", _start(funnel, 0)
    table = "c0"
    for number in funnel.later:
        sign = "<" if funnel.takes_another(number) else "<="
        before = f"t{funnel.before(number)[-1]}"
        yield f"c{number}", _next(funnel, table, funnel.is_step(number), before, f"t{number}", sign)
        table = f"c{number}"
    for number in reversed(funnel.optional):
        yield f"o{number}", f"select * replace ({_in_time(funnel, number)}) from {table}"
        table = f"o{number}"
    yield from _excluded(funnel, table)


def previous(funnel: Funnel, number: int) -> str:
    """SQL: when the step before was taken, or the one before that where it was left out."""
    times = [came(funnel, before) for before in funnel.before(number)]
    return times[0] if len(times) == 1 else f"coalesce({', '.join(times)})"


def _in_time(funnel: Funnel, number: int) -> str:
    """SQL: an optional step's time, if that was in time, and before the next step that was taken."""
    end = f"t0 + {funnel.window}"
    following = list(takewhile(lambda n: n - 1 == number or n - 1 in funnel.optional, funnel.later[number:]))
    times = [f"t{n}" if n in funnel.optional else f"case when t{n} <= {end} then t{n} end" for n in following]
    # One event that could be both is the step that comes later.
    sign = "<=" if all(apart(funnel.steps[number], funnel.steps[n]) for n in following) else "<"
    bound = f"coalesce(t{number} {sign} coalesce({', '.join([*times, 'null'])}), true)"
    return f"case when t{number} <= {end} and {bound} then t{number} end as t{number}"


def _excluded(funnel: Funnel, table: str) -> Tables:
    for number, exclusion in enumerate(funnel.exclusions):
        yield (
            f"d{number}",
            _next(funnel, table, funnel.is_excluded(number), f"t{exclusion.funnelFromStep}", f"b{number}"),
        )
        table = f"d{number}"
    yield "entries", f"select * from {table}"


def _unordered(funnel: Funnel) -> Tables:
    """Any step can be the start; each other step is looked for from there, for those who did more than one thing."""
    yield "movers", f"select {funnel.key} from marks group by {funnel.key} having bit_count(bit_or(m)) > 1"
    for turn in range(funnel.count):
        yield f"c{turn}_0", f"{_start(funnel, turn, f', {turn} as r')} and ({funnel.key}) in (from movers)"
        for number in funnel.later:
            other = (number + turn) % funnel.count
            # One event is not two steps; two at one instant are.
            sign = "<=" if apart(funnel.steps[turn], funnel.steps[other]) else "<"
            table, mark = f"c{turn}_{number - 1}", funnel.is_step(other)
            yield f"c{turn}_{number}", _next(funnel, table, mark, "t0", f"t{number}", sign)
    moving = [f"select * from c{turn}_{funnel.count - 1}" for turn in range(funnel.count)]
    staying = [_staying(funnel, turn) for turn in range(funnel.count)]
    yield "turns", " union all by name ".join(moving + staying)
    yield from _excluded(funnel, "turns")


def _staying(funnel: Funnel, turn: int) -> str:
    """SQL: the starts of those who did one thing only; where no one asks which, one start for each of them."""
    each = funnel.asked == "trends" or funnel.keeps_events
    start = _start(funnel, turn, f", {turn} as r") if each else f"select {funnel.key}, min(ts) as t0, {turn} as r"
    where = f"{funnel.is_step(turn)} and ({funnel.key}) not in (from movers)"
    return f"{start} and {where}" if each else f"{start} from marks where {where} group by {funnel.key}"


def _strict(funnel: Funnel) -> Tables:
    """The very next events; of those at one instant, in the order of the steps they are."""
    if funnel.optional:
        yield from _strict_with_gaps(funnel)
        return
    names = ["t", "i"] if funnel.keeps_events else ["t"]
    sources = {"t": "ts", "i": "i"}
    following = [
        f"lead(case when {funnel.is_step(number)} then {sources[name]} end, {number}) over o as {name}{number}"
        for number in funnel.later
        for name in names
    ]
    starts = ", i as i0" if funnel.keeps_events else ""
    inner = f"select {funnel.key}, m, ts as t0{starts}, {', '.join(following)} from marks"
    yield "followed", f"{inner} window o as (partition by {funnel.key} order by ts, m)"
    yield "entries", f"select * exclude (m) from followed where {funnel.is_step(0)}"


def _strict_with_gaps(funnel: Funnel) -> Tables:
    """The very next events, where an event that is not the optional step may be the one after it.

    `p0`, `p1` … say which of the events that follow was the last to be a step; NULL when none can be any more.
    """
    names = {"m": "ms", "ts": "moments", **({"i": "events"} if funnel.keeps_events else {})}
    lists = ", ".join(f"list({column}) over o as {name}" for column, name in names.items())
    frame = f"partition by {funnel.key} order by ts, m rows between current row and {funnel.count - 1} following"
    yield "followed", f"select *, {lists} from marks window o as ({frame})"
    kept = ", i as i0" if funnel.keeps_events else ""
    started = f"{funnel.key}, ts as t0{kept}, 1 as p0, {', '.join(names.values())}"
    yield "c0", f"select {started} from followed where {funnel.is_step(0)}"
    for number in funnel.later:
        yield f"c{number}", f"select *, {', '.join(_gap(funnel, number))} from c{number - 1}"
    yield "entries", f"select * from c{funnel.count - 1}"


def _gap(funnel: Funnel, number: int) -> list[str]:
    """SQL: when a step was taken, and where that leaves us."""
    place = f"p{number - 1} + 1"
    hit = f"ms[{place}] & {1 << number} > 0"
    missed = f" else p{number - 1}" if number in funnel.optional else ""
    columns = [f"case when {hit} then moments[{place}] end as t{number}"]
    if funnel.keeps_events:
        columns.append(f"case when {hit} then events[{place}] end as i{number}")
    return [*columns, f"case when {hit} then {place}{missed} end as p{number}"]


ORDERS: dict[str, Callable[[Funnel], Tables]] = {"ordered": _ordered, "unordered": _unordered, "strict": _strict}
