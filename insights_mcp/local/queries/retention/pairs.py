"""Retention by pairs of an actor's periods: what a property adds up to in each cell; and tables too long for masks."""

from __future__ import annotations

from typing import Literal

from insights_mcp.local.queries.presence import WORD
from insights_mcp.local.queries.retention.reading import Reading

PAIRS = """with seen as ({seen}),
daily as (
  select actor, {b}w, {started} as s, {returned} as r, {own} as own, {amount} as v{firsts} from {source}
  group by actor, {b}w),
starts as ({starts}),
cells as (
  select {b}i, 0 as k, own as v from starts
  union all select {b}i, d.w - i as k, d.v from starts join daily d using ({b}actor)
  where d.r and d.w > i and d.w < i + {columns})
select {b}i, k, count(*) as n, {total} as v from cells group by {b}i, k"""
# In the first column are the starting events' own amounts; but where returns are another thing than starts, only those
# that came after the actor's first start of that period.
TIMED = "(select *, min(case when s then ts end) over (partition by actor, {b}w) as t0 from seen)"
OWN = {True: "sum(v) filter (s)", False: "coalesce(sum(v) filter (r and ts > t0), 0)"}
EVERY_TIME = "select actor, {b}w as i, own from daily where s and w is not null"
FIRST_TIME = """select actor, {b}i, own from daily join (
    select actor, {b}{number} as i from (select actor, {b}{anchor} as t from daily group by {b}actor) where {within})
  using ({b}actor) where w = i and s"""
TOTALS = {"sum": "sum(v)", "avg": "sum(v) / count(*)"}


def has_amounts(reading: Reading) -> bool:
    """The query asks what a property adds up to, not for actors alone."""
    return reading.asked.aggregationType in TOTALS and bool(reading.asked.aggregationProperty)


def is_wide(reading: Reading) -> bool:
    """The table has more rows than a mask is fast for, and columns that are single periods."""
    plain = not (reading.by_windows or reading.table.brackets or reading.asked.cumulative)
    return plain and reading.table.rows > WORD


def counts(reading: Reading) -> str:
    """SQL: how many actors there are by value, row and column; with amounts also what their events add up to."""
    holes = {"b": reading.b, "number": reading.number("t"), "within": reading.within("t")}
    starts = (FIRST_TIME if reading.is_first else EVERY_TIME).format(anchor=reading.anchor(), **holes)
    parts = _amounts(reading) if has_amounts(reading) else _plain(reading)
    firsts = "".join(f", min({name}) as {name}" for name in reading.firsts)
    return PAIRS.format(b=reading.b, firsts=firsts, starts=starts, columns=reading.table.columns, **parts)


def _plain(reading: Reading) -> dict[str, str]:
    least = reading.asked.minimumOccurrences or 1
    returned = f"count(*) filter (r) >= {reading.scan.bind(least)}" if least > 1 else "bool_or(r)"
    if reading.every_event_is_both and least == 1:
        returned = "true"
    nothing = {"own": "0", "amount": "0", "total": "0"}
    return nothing | {
        "seen": reading.seen(reading.period()),
        "started": _started(reading),
        "returned": returned,
        "source": "seen",
    }


def _started(reading: Reading) -> str:
    return "true" if reading.every_event_is_both else "bool_or(s)"


def _amounts(reading: Reading) -> dict[str, str]:
    same = reading.start == reading.back
    return {
        "seen": reading.seen(reading.period(), "e.timestamp as ts", f"{_amount(reading)} as v"),
        "started": _started(reading),
        "returned": "bool_or(r)",
        "own": OWN[same],
        "amount": "sum(v) filter (r)",
        "source": "seen" if same else TIMED.format(b=reading.b),
        "total": TOTALS[reading.asked.aggregationType or "sum"],
    }


def _amount(reading: Reading) -> str:
    owner: Literal["event", "person"] = "person" if reading.asked.aggregationPropertyType == "person" else "event"
    return f"coalesce({reading.scan.number(owner, str(reading.asked.aggregationProperty))}, 0)"
