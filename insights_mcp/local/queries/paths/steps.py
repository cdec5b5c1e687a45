"""The steps of each session, numbered within what is shown of it: from a point on, up to a point, or between two.

Equal steps in a row are one, at the time of the last; an unnamed step at the end is none; a pause of half an hour ends
a session. Names stand as small numbers while rows are sorted, which is faster than texts.
"""

from __future__ import annotations

from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.paths import PathsFilter

STEP_LIMIT = 5
ELLIPSIS = "..."

NAMED = """with raw as materialized (
  select e.pid, e.timestamp as ts, e.rowid as id, {item} as item
  from {tables} where {where}),
items as materialized (
  select item, path, dense_rank() over (order by path)::uinteger as k
  from (select item, {grouped} as path from (select item, {cleaned} as name from (select distinct item from raw)))
  {kept}),
paths as materialized (select distinct k, path from items {ellipsis}),
"""
# `last`: of its session. `rn` counts a person's steps, `s` is where the session starts.
SESSIONS = """seen as (
  select pid, ts, id, k, row_number() over o as n, lead(k) over o as nk,
         coalesce(epoch_us(lead(ts) over o) - epoch_us(ts) >= {pause}, true) as last
  from (select pid, ts, id, k from raw join items using (item)) window o as (partition by pid order by ts, id)),
compact as (
  select pid, ts, id, k, last, row_number() over o as rn, lag(k) over o as fk, lag(ts) over o as fts,
         coalesce(lag(last) over o, true) as is_new
  from seen where last or k <> nk window o as (partition by pid order by n)),
sessions as (
  select pid, ts, id, k, fk, fts, rn,
         max(case when is_new then rn end) over (partition by pid order by rn rows unbounded preceding) as s,
         last and k = (select k from paths where path = '') is true as nothing
  from compact),
"""
WHOLE = """steps as (
  select pid, ts, id, k, fk, fts, rn - s + 1 as i {length}
  from sessions where not nothing and rn - s < {limit})
"""
FROM = """points as (
  select *, min(case when k = {point} then rn end) over (partition by pid, s) as t from sessions where not nothing),
steps as (
  select pid, ts, id, k, fk, fts, rn - t + 1 as i {length}
  from points where rn between t and t + {limit} - 1)
"""
UP_TO = """points as (
  select *, min(case when k = {point} then rn end) over (partition by pid, s) as t from sessions where not nothing),
steps as (
  select pid, ts, id, k, fk, fts, rn - greatest(s, t - {limit} + 1) + 1 as i {length}
  from points where rn between greatest(s, t - {limit} + 1) and t)
"""
# Of a way that is too long its two ends are shown, with "..." between them.
BETWEEN = """starts as (
  select *, min(case when k = {start} then rn end) over (partition by pid, s) as t from sessions where not nothing),
points as (
  select *, min(case when k = {end} and rn >= t then rn end) over (partition by pid, s) as u from starts),
ways as (
  select pid, s, ts, id, rn - t + 1 as i, u - t + 1 as size, {half} as half,
         case when size > {limit} and rn - t = half then {ellipsis} else k end as k
  from points where rn between t and u),
shown as (
  select pid, s, ts, id, k, case when size > {limit} and i > half + 1 then i - size + 2 * half + 1 else i end as i
  from ways where size <= {limit} or i <= half + 1 or i > size - half),
steps as (
  select pid, ts, id, k, i, lag(k) over o as fk, lag(ts) over o as fts {length}
  from shown window o as (partition by pid, s order by i))
"""
LENGTH = {
    WHOLE: ", least(count(*) over (partition by pid, s), {limit}) as size",
    FROM: ", count(*) over (partition by pid, s) as size",
    UP_TO: ", count(*) over (partition by pid, s) as size",
    BETWEEN: ", count(*) over (partition by pid, s) as size",
}


def steps(given: PathsFilter, scan: Scan, *, pause: int, sized: bool = False) -> tuple[str, str]:
    """SQL of the tables up to `steps` (pid, ts, id, k, its number i; fk and fts of the one before), after `NAMED`; and
    what to add to its `paths`. With `sized`, also how many steps are shown of the session. `pause` in microseconds."""
    form = _form(given)
    holes = _holes(given, scan)
    holes["length"] = LENGTH[form].format_map(holes) if sized else ""
    extra = "union all select 0::uinteger, '...'" if form is BETWEEN else ""
    return SESSIONS.format(pause=pause) + form.format_map(holes), extra


def _form(given: PathsFilter) -> str:
    if given.startPoint and given.endPoint:
        return BETWEEN
    return UP_TO if given.endPoint else FROM if given.startPoint else WHOLE


def _holes(given: PathsFilter, scan: Scan) -> dict[str, str]:
    limit = given.stepLimit or STEP_LIMIT
    holes = {"limit": str(limit), "half": str(limit // 2), "ellipsis": "0"}
    if given.startPoint and given.endPoint:
        return holes | {"start": _number(given.startPoint, scan), "end": _number(given.endPoint, scan)}
    point = given.endPoint or given.startPoint or ""
    return holes | {"point": _number(point[:-1] if len(point) > 1 and point.endswith("/") else point, scan)}


def _number(path: str, scan: Scan) -> str:
    return f"(select k from paths where path = {scan.bind(path)})"
