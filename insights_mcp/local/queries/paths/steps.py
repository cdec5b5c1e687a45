"""The steps of each session, numbered within what is shown of it: from a point on, up to a point, or between two.

Equal steps in a row are one, at the time of the last; an unnamed step at the end is none; a pause of half an hour ends
a session. Rows are sorted once, with small numbers in place of names: that is most of what paths cost.
"""

from __future__ import annotations

from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.paths import PathsFilter

STEP_LIMIT = 5
BLANK, ELLIPSIS = 0, 4_294_967_295

NAMED = """with raw as materialized (
  select e.pid, e.timestamp as ts, e.rowid as id, {item} as item
  from {tables} where {where}),
items as materialized (
  select item, path, case when path = '' then 0 else dense_rank() over (order by path) end::uinteger as k
  from (select item, {grouped} as path
        from (select item, {cleaned} as name from (select distinct item from raw))){kept}),
paths as materialized (select distinct k, path from items{ellipsis}),
"""
# Sorted once; windows that say nothing of order or parts then read row by row, in this order, and sort no more.
# `last` is true of a session's last row. `rn` counts all steps, `s` is where a session starts, and so its name.
SESSIONS = """visits as (select pid, ts, id, k from raw join items using (item) order by pid, ts, id),
seen as (
  select pid, ts, id, k, lead(k) over () as nk,
         coalesce(lead(pid) over () <> pid or epoch_us(lead(ts) over ()) - epoch_us(ts) >= {pause}, true) as last
  from visits),
compact as (
  select pid, ts, id, k, last, row_number() over () as rn, lag(k) over () as fk, lag(ts) over () as fts,
         coalesce(lag(last) over (), true) as is_new
  from seen where last or k <> nk),
sessions as {materialized}(
  select pid, ts, id, k, fk, fts, rn, last and k = {blank} as nothing,
         max(case when is_new then rn end) over (rows unbounded preceding) as s
  from compact),
"""
WHOLE = """steps as (
  select pid, ts, id, k, fk, fts, rn - s + 1 as i{length}
  from sessions where not nothing and rn - s < {limit})"""
POINTS = """points as (select s, min(rn) as t from sessions where k = {point} and not nothing group by 1),
"""
FROM = (
    POINTS
    + """steps as (
  select pid, ts, id, k, fk, fts, rn - t + 1 as i{length}
  from sessions join points using (s) where rn between t and t + {limit} - 1 and not nothing)"""
)
UP_TO = (
    POINTS
    + """steps as (
  select pid, ts, id, k, fk, fts, rn - greatest(s, t - {limit} + 1) + 1 as i{length}
  from sessions join points using (s) where rn between greatest(s, t - {limit} + 1) and t)"""
)
# Of a way that is too long its two ends are shown, with "..." between them.
BETWEEN = """starts as (select s, min(rn) as t from sessions where k = {start} group by 1),
points as (
  select s, t, min(rn) as u from sessions join starts using (s)
  where k = {end} and rn >= t and not nothing group by all),
ways as (
  select pid, s, ts, id, rn - t + 1 as i, u - t + 1 as size,
         case when u - t + 1 > {limit} and rn - t = {half} then {ellipsis} else k end as k
  from sessions join points using (s) where rn between t and u),
shown as (
  select pid, s, ts, id, k, case when size > {limit} and i > {half} + 1 then i - size + 2 * {half} + 1 else i end as i
  from ways where size <= {limit} or i <= {half} + 1 or i > size - {half}),
steps as (
  select pid, ts, id, k, i, lag(k) over o as fk, lag(ts) over o as fts{length}
  from shown window o as (partition by s order by i))"""
LENGTH = {
    WHOLE: ", least(count(*) over (partition by s), {limit}) as size",
    FROM: ", count(*) over (partition by s) as size",
    UP_TO: ", count(*) over (partition by s) as size",
    BETWEEN: ", count(*) over (partition by s) as size",
}


def steps(given: PathsFilter, scan: Scan, *, pause: int, sized: bool = False) -> tuple[str, str]:
    """SQL of the tables up to `steps` (pid, ts, id, k, its number i; fk and fts of the one before), after `NAMED`; and
    what to add to its `paths`. With `sized`, also how many steps are shown of the session. `pause` in microseconds."""
    form = _form(given)
    holes = _holes(given, scan)
    holes["length"] = LENGTH[form].format_map(holes) if sized else ""
    extra = f" union all select {ELLIPSIS}::uinteger, '...'" if form is BETWEEN else ""
    sessions = SESSIONS.format(pause=pause, blank=BLANK, materialized="" if form is WHOLE else "materialized ")
    return sessions + form.format_map(holes), extra


def _form(given: PathsFilter) -> str:
    if given.startPoint and given.endPoint:
        return BETWEEN
    return UP_TO if given.endPoint else FROM if given.startPoint else WHOLE


def _holes(given: PathsFilter, scan: Scan) -> dict[str, str]:
    limit = given.stepLimit or STEP_LIMIT
    holes = {"limit": str(limit), "half": str(limit // 2), "ellipsis": str(ELLIPSIS)}
    if given.startPoint and given.endPoint:
        return holes | {"start": _number(given.startPoint, scan), "end": _number(given.endPoint, scan)}
    point = given.endPoint or given.startPoint or ""
    return holes | {"point": _number(point[:-1] if len(point) > 1 and point.endswith("/") else point, scan)}


def _number(path: str, scan: Scan) -> str:
    return f"(select min(k) from paths where path = {scan.bind(path)})"
