"""Who started when, and in which periods after that they came back: the relation `starts`, and what is counted of it.

`starts` has the value `b` to split by, the row `i`, what stands for the actors (`n`: how many are alike, or who), and
the returns `r` as a mask. From a row's mask follows the list of its columns, which is then laid out.
"""

from __future__ import annotations

from collections.abc import Collection

from insights_mcp.local.queries.retention import windows
from insights_mcp.local.queries.retention.reading import Reading
from insights_mcp.local.queries.retention.table import Table

# With a minimum of occurrences, a period counts as a return by how many there were in it.
OFTEN = """select actor, {b}w, bool_or(s) as s, count(*) filter (r) >= {least} as r{firsts} from seen group by all"""
EVERY_TIME = """masks as (
  select actor, {b}{of}{if_start} as s, {of}{if_return} as r, min(w){if_start} as f from {source}
  group by {b}actor having s is not null),
alike as (select {b}s, {f} as f, r, {who} from masks group by all),
starts as (select {b}i.i, f, r, n from alike, range({rows}) i(i) where {has})"""
FIRST_TIME = """anchored as (
  select actor, {b}{anchor} as t, {of} filter (r and w is not null) as r from {source} group by {b}actor),
starts as (
  select {b}i, i as f, r, {who} from (select actor, {b}{number} as i, r from anchored where {within}) group by all)"""
COUNTS = """{starts},
cells as ({cells})
select {b}i, k, sum(n)::bigint as n from cells group by all"""
# A row's columns, each tried by itself; or taken from the list of them, which is slower, and can be worked on.
TRIED = "select {b}i, n, {column} as k from starts, range({size}) c(c) where {appears}"
LISTED = "select {b}i, n, unnest({columns}) as k from starts"
ACTORS = """{starts},
found as (
  select n as actor, list_sort(flatten(list({columns}))) as appearances from starts where {wanted} group by n)
select *{each} from found"""
IN_COLUMN = ", list_contains(appearances, {number})::utinyint as {name}"
COUNTED, NAMED = "count(*) as n", "actor as n"


def counts(reading: Reading) -> str:
    """SQL: how many actors there are by value, row and column."""
    if reading.asked.cumulative:
        cells = LISTED.format(b=reading.b, columns=f"range(list_max({_columns(reading)}) + 1)")
    elif reading.table.brackets:
        cells = LISTED.format(b=reading.b, columns=_columns(reading))
    else:
        cells = _tried(reading)
    return COUNTS.format(b=reading.b, starts=starts(reading, COUNTED), cells=cells)


def actors(reading: Reading, wanted: str, asked: Collection[str]) -> str:
    """SQL: who is in the rows that are wanted, with the columns they appear in; of `asked`, whether they do."""
    named = appearances(reading.table)
    each = "".join(IN_COLUMN.format(number=number, name=name) for name, number in named.items() if name in asked)
    return ACTORS.format(starts=starts(reading, NAMED), columns=_columns(reading), wanted=wanted, each=each)


def appearances(table: Table) -> dict[str, int]:
    """What asks of actors whether they are in one column: `day_0`, `day_1` and so on."""
    return {f"{table.unit}_{number}": number for number in range(table.columns)}


def starts(reading: Reading, who: str) -> str:
    """SQL: the relation `starts`, as the end of a WITH list."""
    return windows.starts(reading, who) if reading.by_windows else _by_calendar(reading, who)


def _by_calendar(reading: Reading, who: str) -> str:
    least, often = reading.asked.minimumOccurrences or 1, ""
    if least > 1:
        firsts = "".join(f", min({name}) as {name}" for name in reading.firsts)
        often = f"often as ({OFTEN.format(b=reading.b, least=reading.scan.bind(least), firsts=firsts)}),\n"
    seen = f"with seen as ({reading.seen(reading.period())}),\n{often}"
    return seen + (_first_time if reading.is_first else _every_time)(reading, "often" if often else "seen", who)


def _every_time(reading: Reading, source: str, who: str) -> str:
    mask = reading.mask
    same = reading.every_event_is_both and source == "seen"
    return EVERY_TIME.format(
        b=reading.b,
        of=mask.of("w"),
        if_start="" if same else " filter (s)",
        if_return="" if same else " filter (r)",
        source=source,
        who=who,
        f="f" if reading.table.brackets else "null",
        rows=reading.table.rows,
        has=mask.has("s", "i.i"),
    )


def _first_time(reading: Reading, source: str, who: str) -> str:
    return FIRST_TIME.format(
        b=reading.b,
        of=reading.mask.of("w"),
        anchor=reading.anchor(),
        source=source,
        who=who,
        number=reading.number("t"),
        within=reading.within("t"),
    )


def _tried(reading: Reading) -> str:
    """SQL: the cells of `starts` without cumulation and brackets."""
    table = reading.table
    if reading.by_windows:
        returned = windows.mask(reading).has("r", "c")
        return TRIED.format(b=reading.b, column="c", size=table.columns, appears=f"c = 0 or {returned}")
    appears = f"c >= i and c < i + {table.columns} and (c = i or {reading.mask.has('r', 'c')})"
    return TRIED.format(b=reading.b, column="c - i", size=table.rows, appears=appears)


def _columns(reading: Reading) -> str:
    """SQL: the list of the columns that a row of `starts` is in."""
    return f"list_filter(range({reading.table.columns}), lambda k: {_appears(reading)})"


def _appears(reading: Reading) -> str:
    """SQL: whether a row of `starts` is in column `k`."""
    table = reading.table
    if reading.by_windows:
        later = windows.mask(reading).has("r", "k")
    elif table.brackets:
        # Brackets count from the actor's first period, whichever row this is.
        lows, highs = ([getattr(each, end) for each in table.brackets] for end in ("low", "high"))
        low, high = f"{reading.scan.bind(lows)}::bigint[]", f"{reading.scan.bind(highs)}::bigint[]"
        span = f"range(f + ({low})[k], least(f + ({high})[k] + 1, {table.rows}))"
        later = f"len(list_filter({span}, lambda j: {reading.mask.has('r', 'j')})) > 0"
    else:
        later = f"i + k < {table.rows} and {reading.mask.has('r', 'i + k')}"
    return f"(k = 0 or coalesce({later}, false))"
