"""Retention by 24-hour windows: periods count from each actor's own first event, not from midnight."""

from __future__ import annotations

from datetime import timedelta

from insights_mcp.local.queries import zones
from insights_mcp.local.queries.presence import Mask
from insights_mcp.local.queries.retention.reading import Reading

# How a period is measured: so many borders of a unit that were crossed.
SPANS = {"hour": ("hour", 1), "day": ("hour", 24), "week": ("day", 7), "month": ("day", 30)}
STARTS = """with seen as ({seen}),
begun as (select actor, {b}ts, r, t from (select *, {anchor} as t from seen) where ts >= t and {within}),
masks as (
  select actor, {b}i, {returns} filter (r) as r
  from (select actor, {b}r, {since} // {count} as k, {row} // {count} as i from begun) where i < {rows} group by all),
starts as (select {b}i, r, {who} from masks group by all)"""


def starts(reading: Reading, who: str) -> str:
    """SQL: the relation `starts`, with the columns themselves in its mask."""
    table = reading.table
    unit, count = SPANS[table.unit]
    # Hours are counted as they pass. Whoever started in the table may come back long after its end.
    end = table.start if unit == "hour" else table.end + timedelta(days=400)
    local = {name: zones.local(name, table.start, end) for name in ("ts", "t")}
    first = f"timestamp '{table.start:%Y-%m-%d %H:%M:%S}'"
    return STARTS.format(
        b=reading.b,
        seen=reading.seen("e.timestamp as ts"),
        anchor=_anchor(reading),
        within=reading.within("t"),
        # A filter comes too late: what no mask holds must not be put into one.
        returns=mask(reading).of(f"case when k < {table.columns} then k end"),
        since=f"date_diff('{unit}', {local['t']}, {local['ts']})",
        row=f"date_diff('{unit}', {first}, {local['t']})",
        count=count,
        rows=table.rows,
        who=who,
    )


def mask(reading: Reading) -> Mask:
    """The columns of one actor."""
    return Mask(reading.table.columns)


def _anchor(reading: Reading) -> str:
    """SQL: when an actor's first period began."""
    over = "over (partition by actor)"
    if not reading.is_first:
        return f"min(case when s then ts end) {over}"
    if not reading.is_first_ever:
        return f"min(first) {over}"
    return f"case when min(known) {over} = min(first) {over} then min(first) {over} end"
