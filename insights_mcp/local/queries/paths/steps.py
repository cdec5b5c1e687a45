"""The steps of each session, numbered within what is shown of it: from a point on, up to a point, or between two.

Equal steps in a row are one, at the time of the last; an unnamed step at the end is none; a pause of half an hour ends
a session. Rows are sorted once, with a hash of 64 bits in place of names: that is most of what paths cost.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.paths import PathsFilter

MICROSECOND = timedelta(microseconds=1)
STEP_LIMIT = 5
BLANK, ELLIPSIS = "hash('')", "hash('...')"

# Names as they are; or made others by rules, which are tried on each name once. A `tick` is a time with the last bits
# of the row's number below it: events of one instant keep their order, and the sort has a narrow key.
TICK = "(epoch_us(e.timestamp) - {since}) << {bits} | (e.rowid & {mask})"
PLAIN = """with raw as {kept_once}materialized (
  select *, hash(path) as k
  from (select e.pid, {tick} as tick, e.rowid as id, {item} as path from {tables} where {where}){kept}),
paths as materialized (select k, any_value(path) as path from raw group by k{ellipsis}),
visits as (select pid, tick, id, k from raw order by pid, tick),
"""
RENAMED = """with raw as materialized (
  select e.pid, {tick} as tick, e.rowid as id, {item} as item
  from {tables} where {where}),
items as materialized (
  select item, path, hash(path) as k
  from (select item, {grouped} as path
        from (select item, {cleaned} as name from (select distinct item from raw))){kept}),
paths as materialized (select distinct k, path from items{ellipsis}),
visits as (select pid, tick, id, k from raw join items using (item) order by pid, tick),
"""
# Windows that say nothing of order or parts read row by row, in the order of `visits`, and sort no more.
# `last` is true of a session's last row, `us` are microseconds.
SEEN = """seen as (
  select pid, tick >> {bits} as us, id, k, lead(k) over () as nk,
         coalesce(lead(pid) over () <> pid
                  or (lead(tick) over () >> {bits}) - (tick >> {bits}) >= {pause}, true) as last
  from visits),
"""
# Few steps are numbered by looking back so many rows: that is faster than counting on from the start of the session.
# The steps after these have no number.
LOOK_BACK = 8
FEW = """compact as (
  select pid, us, id, k, lag(k) over () as fk, lag(us) over () as fus, last and k = {blank} as nothing,
         {lasts}
  from seen where last or k <> nk),
steps as (
  select pid, us, id, k, fk, fus, i
  from (select *, case {numbers} end as i from compact)
  where not nothing)"""
# `rn` counts all steps, `s` is where a session starts, and so its name.
SESSIONS = """compact as (
  select pid, us, id, k, last, row_number() over () as rn, lag(k) over () as fk, lag(us) over () as fus,
         coalesce(lag(last) over (), true) as is_new
  from seen where last or k <> nk),
sessions as {materialized}(
  select pid, us, id, k, fk, fus, rn, last and k = {blank} as nothing,
         max(case when is_new then rn end) over (rows unbounded preceding) as s
  from compact),
"""
WHOLE = """steps as (
  select pid, us, id, k, fk, fus, rn - s + 1 as i{length}
  from sessions where not nothing and rn - s < {limit})"""
POINTS = """points as (select s, min(rn) as t from sessions where k = {point} and not nothing group by 1),
"""
FROM = (
    POINTS
    + """steps as (
  select pid, us, id, k, fk, fus, rn - t + 1 as i{length}
  from sessions join points using (s) where rn between t and t + {limit} - 1 and not nothing)"""
)
UP_TO = (
    POINTS
    + """steps as (
  select pid, us, id, k, fk, fus, rn - greatest(s, t - {limit} + 1) + 1 as i{length}
  from sessions join points using (s) where rn between greatest(s, t - {limit} + 1) and t)"""
)
# Of a way that is too long its two ends are shown, with "..." between them.
BETWEEN = """starts as (select s, min(rn) as t from sessions where k = {start} group by 1),
points as (
  select s, t, min(rn) as u from sessions join starts using (s)
  where k = {end} and rn >= t and not nothing group by all),
ways as (
  select pid, s, us, id, rn - t + 1 as i, u - t + 1 as size,
         case when u - t + 1 > {limit} and rn - t = {half} then {ellipsis} else k end as k
  from sessions join points using (s) where rn between t and u),
shown as (
  select pid, s, us, id, k, case when size > {limit} and i > {half} + 1 then i - size + 2 * {half} + 1 else i end as i
  from ways where size <= {limit} or i <= {half} + 1 or i > size - {half}),
steps as (
  select pid, us, id, k, i, lag(k) over o as fk, lag(us) over o as fus{length}
  from shown window o as (partition by s order by i))"""
LENGTH = {
    WHOLE: ", least(count(*) over (partition by s), {limit}) as size",
    FROM: ", count(*) over (partition by s) as size",
    UP_TO: ", count(*) over (partition by s) as size",
    BETWEEN: ", count(*) over (partition by s) as size",
}


def tick(since: datetime, until: datetime) -> tuple[str, int]:
    """SQL: an event's tick, and how many bits of it are below the microseconds."""
    bits = 62 - ((until - since) // MICROSECOND).bit_length()
    start = (since - datetime(1970, 1, 1)) // MICROSECOND
    return TICK.format(since=start, bits=bits, mask=2**bits - 1), bits


def steps(given: PathsFilter, scan: Scan, *, pause: int, bits: int, sized: bool = False) -> tuple[str, str]:
    """SQL of the tables up to `steps` (pid, us, id, k, its number i; fk and fus of the one before), after `visits`; and
    what to add to `paths`. With `sized`, also how many steps are shown of the session. `pause` in microseconds."""
    form, limit = _form(given), given.stepLimit or STEP_LIMIT
    seen = SEEN.format(pause=pause, bits=bits)
    if form is WHOLE and 0 < limit <= LOOK_BACK and not sized:
        return seen + _few(limit), ""
    holes = _holes(given, limit, scan)
    holes["length"] = LENGTH[form].format_map(holes) if sized else ""
    extra = f" union select {ELLIPSIS}, '...'" if form is BETWEEN else ""
    sessions = SESSIONS.format(blank=BLANK, materialized="" if form is WHOLE else "materialized ")
    return seen + sessions + form.format_map(holes), extra


def _few(limit: int) -> str:
    numbers = range(1, limit + 1)
    lasts = ", ".join(f"lag(last, {number}, true) over () as last{number}" for number in numbers)
    cases = " ".join(f"when last{number} then {number}" for number in numbers)
    return FEW.format(blank=BLANK, lasts=lasts, numbers=cases)


def _form(given: PathsFilter) -> str:
    if given.startPoint and given.endPoint:
        return BETWEEN
    return UP_TO if given.endPoint else FROM if given.startPoint else WHOLE


def _holes(given: PathsFilter, limit: int, scan: Scan) -> dict[str, str]:
    holes = {"limit": str(limit), "half": str(limit // 2), "ellipsis": ELLIPSIS}
    if given.startPoint and given.endPoint:
        return holes | {"start": _point(given.startPoint, scan), "end": _point(given.endPoint, scan)}
    return holes | {"point": _point(given.endPoint or given.startPoint or "", scan)}


def _point(path: str, scan: Scan) -> str:
    """SQL: a step by its name, which has no slash at its end, as pages have none."""
    return f"hash({scan.bind(path[:-1] if len(path) > 1 and path.endswith('/') else path)})"
