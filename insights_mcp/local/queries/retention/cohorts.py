"""Who started when, and in which periods after that they came back: the relation `starts`, and what is counted of it.

`starts` has the value `b` to split by, the row `i`, what stands for the actors (`n`: how many are alike, or who), and
the returns `r` as a mask. From a row's mask follows the list of its columns, which is then laid out.
"""

from __future__ import annotations

from insights_mcp.local.queries.retention import windows
from insights_mcp.local.queries.retention.reading import Reading

# With a minimum of occurrences, a period counts as a return by how many there were in it.
OFTEN = """select actor, b, w, bool_or(s) as s, count(*) filter (r) >= {least} as r{firsts} from seen group by all"""
EVERY_TIME = """masks as (
  select actor, b, {starts} filter (s) as s, {returns} filter (r) as r, min(w) filter (s) as f from {source}
  group by actor, b having s is not null),
alike as (select b, s, {f} as f, r, {who} from masks group by all),
starts as (select b, i.i, f, r, n from alike, range({rows}) i(i) where {has})"""
FIRST_TIME = """anchored as (
  select actor, b, {anchor} as t, {returns} filter (r and w is not null) as r from {source} group by actor, b),
starts as (
  select b, i, i as f, r, {who} from (select actor, b, {number} as i, r from anchored where {within}) group by all)"""
COUNTS = """{starts},
cells as (select b, i, n, unnest({columns}) as k from starts)
select b, i, k, sum(n)::bigint as n from cells group by all"""
ACTORS = """{starts}
select n as actor, list_sort(flatten(list({columns}))) as appearances from starts where {wanted} group by n"""
COUNTED, NAMED = "count(*) as n", "actor as n"


def counts(reading: Reading) -> str:
    """SQL: how many actors there are by value, row and column."""
    columns = _columns(reading)
    if reading.asked.cumulative:
        columns = f"range(list_max({columns}) + 1)"
    return COUNTS.format(starts=starts(reading, COUNTED), columns=columns)


def actors(reading: Reading, wanted: str) -> str:
    """SQL: who is in the rows that are wanted, with the columns they appear in."""
    return ACTORS.format(starts=starts(reading, NAMED), columns=_columns(reading), wanted=wanted)


def starts(reading: Reading, who: str) -> str:
    """SQL: the relation `starts`, as the end of a WITH list."""
    return windows.starts(reading, who) if reading.by_windows else _by_calendar(reading, who)


def _by_calendar(reading: Reading, who: str) -> str:
    asked, mask = reading.asked, reading.mask
    least, source, often = asked.minimumOccurrences or 1, "seen", ""
    if least > 1:
        firsts = "".join(f", min({name}) as {name}" for name in _firsts(reading))
        often = f"often as ({OFTEN.format(least=reading.scan.bind(least), firsts=firsts)}),\n"
        source = "often"
    holes = {
        "starts": mask.of("w"),
        "returns": mask.of("w"),
        "source": source,
        "who": who,
        "f": "f" if reading.table.brackets else "null",
        "rows": reading.table.rows,
        "has": mask.has("s", "i.i"),
        "anchor": reading.anchor() if reading.is_first else "",
        "number": reading.number("t"),
        "within": reading.within("t"),
    }
    form = FIRST_TIME if reading.is_first else EVERY_TIME
    return f"with seen as ({reading.seen(reading.period())}),\n{often}{form.format_map(holes)}"


def _firsts(reading: Reading) -> list[str]:
    return (["first"] if reading.is_first else []) + (["known"] if reading.is_first_ever else [])


def _columns(reading: Reading) -> str:
    """SQL: the list of the columns that a row of `starts` is in."""
    table = reading.table
    if reading.by_windows:
        return windows.columns(reading)
    if table.brackets:
        # Brackets count from the actor's first period, whichever row this is.
        lows, highs = ([getattr(each, end) for each in table.brackets] for end in ("low", "high"))
        low, high = f"{reading.scan.bind(lows)}::bigint[]", f"{reading.scan.bind(highs)}::bigint[]"
        span = f"range(f + ({low})[k], least(f + ({high})[k] + 1, {table.rows}))"
        later = f"len(list_filter({span}, lambda j: {reading.mask.has('r', 'j')})) > 0"
    else:
        later = f"i + k < {table.rows} and {reading.mask.has('r', 'i + k')}"
    return f"list_filter(range({table.columns}), lambda k: k = 0 or coalesce({later}, false))"
