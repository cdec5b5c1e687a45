"""Retention of amounts: what a property adds up to in each cell, beside how many actors there are."""

from __future__ import annotations

from insights_mcp.local.queries.retention.reading import Reading

# In the first column are the starting events' own amounts; but where returns are another thing than starts, only those
# that came after the actor's first start of that period.
AMOUNTS = """with seen as ({seen}),
timed as (select *, min(case when s then ts end) over (partition by actor, b, w) as t0 from seen),
daily as (
  select actor, b, w, bool_or(s) as s, bool_or(r) as r, {own} as own, sum(v) filter (r) as v{firsts} from timed
  group by actor, b, w),
starts as ({starts}),
cells as (
  select b, i, 0 as k, own as v from starts
  union all select b, i, d.w - i as k, d.v from starts join daily d using (actor, b)
  where d.r and d.w > i and d.w < i + {columns})
select b, i, k, count(*) as n, {total} as v from cells group by b, i, k"""
OWN = {True: "sum(v) filter (s)", False: "coalesce(sum(v) filter (r and ts > t0), 0)"}
EVERY_TIME = "select actor, b, w as i, own from daily where s and w is not null"
FIRST_TIME = """select actor, b, i, own from daily join (
    select actor, b, {number} as i from (select actor, b, {anchor} as t from daily group by actor, b) where {within})
  using (actor, b) where w = i and s"""
TOTALS = {"sum": "sum(v)", "avg": "sum(v) / count(*)"}


def is_wanted(reading: Reading) -> bool:
    """The query asks for amounts, not for actors alone."""
    return reading.asked.aggregationType in TOTALS and bool(reading.asked.aggregationProperty)


def counts(reading: Reading) -> str:
    """SQL: how many actors there are by value, row and column, and what their events add up to."""
    names = (["first"] if reading.is_first else []) + (["known"] if reading.is_first_ever else [])
    starts = EVERY_TIME
    if reading.is_first:
        starts = FIRST_TIME.format(number=reading.number("t"), anchor=reading.anchor(), within=reading.within("t"))
    return AMOUNTS.format(
        seen=reading.seen(reading.period(), "e.timestamp as ts", f"{_amount(reading)} as v"),
        own=OWN[_same(reading)],
        firsts="".join(f", min({name}) as {name}" for name in names),
        starts=starts,
        columns=reading.table.columns,
        total=TOTALS[reading.asked.aggregationType or "sum"],
    )


def _amount(reading: Reading) -> str:
    key, scan = str(reading.asked.aggregationProperty), reading.scan
    text = scan.person_property(key) if reading.asked.aggregationPropertyType == "person" else scan.event_property(key)
    return f"coalesce(try_cast({text} as double), 0)"


def _same(reading: Reading) -> bool:
    """Starting and returning are the same thing."""
    return reading.start == reading.back
