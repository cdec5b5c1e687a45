"""Which values of a breakdown are shown, in which order, and what the others come to: the statement of a part."""

from __future__ import annotations

from insights_mcp.local.queries.breakdowns import NONE, OTHER, By
from insights_mcp.local.queries.sql import Sql
from insights_mcp.local.queries.trends import maths
from insights_mcp.local.queries.trends.counting import GROUPED, Counting
from insights_mcp.local.queries.trends.parts import is_by_value, smoothing

UNRANKED = "with {before}per as ({per})\nselect d::timestamp as d, b, n, 1 as r from per"
# Values are ranked by the sum of their buckets, those without a value last; what is beyond the limit is "other".
RANKED = """with {before}per as ({per}),
ranked as (
  select b, row_number() over () as r
  from (select b from per group by b order by {first}sum(n * {weight}) desc, b limit {limit}))
select d, case when r is null then {other} else b end as b, sum(n) as n, coalesce(min(r), {limit} + 1) as r
from per left join ranked using (b) group by 1, 2"""
# What is grouped by becomes the bucket and the value.
NAMED = "select d::timestamp as d, {shown} as b, n from ({per})"
# Each number is counted by itself, and then falls into a bin of those between the least and the greatest of them.
BINNED = """found as ({per}),
bins as (
  select {edges}
  from (select {bounds} from found)),
"""
IN_BINS = "select d::timestamp as d, {shown} as b, n from found cross join bins"
# What is drawn of each value by itself, before they are ranked and the others added up: all its buckets, their running
# sum (where that is not above 0, it is what it was before), each as the mean of the last few.
EACH = "each as ({per}),\n"
ALL = """select k.d, v.b, coalesce(sum(each.n), 0) as n
        from (select unnest({buckets}::timestamp[]) as d) k cross join (select distinct b from each) v
        left join each on each.d = k.d and each.b = v.b group by all"""
RUNNING = """select d, b, last_value(case when n > 0 or row_number = 1 then n end ignore nulls) over by_time as n
  from (select d, b, sum(n) over by_time as n, row_number() over by_time as row_number
        from ({rows}) window by_time as (partition by b order by d)) window by_time as (partition by b order by d)"""
SMOOTHED = """select d, b, floor(avg(n) over (partition by b order by d rows {back} preceding)) as n
  from ({rows})"""


def statement(counting: Counting) -> Sql:
    """The statement of a part: rows of bucket, value, number and rank."""
    return counting.scan.statement(text(counting))


def text(counting: Counting) -> str:
    """SQL: rows of bucket, value, number and rank."""
    by, (before, per, whole) = counting.part.by, _counted(counting)
    if not by:
        return UNRANKED.format(before=before, per=per)
    shown = by.shown(counting.filters, whole=whole)
    if by.binned:
        before += BINNED.format(per=per, edges=by.edges(), bounds=by.bounds())
        per = IN_BINS.format(shown=shown)
    else:
        per = NAMED.format(shown=shown, per=per)
    if is_by_value(counting.part, counting.query):
        before, per = _by_value(counting, before, per)
    return RANKED.format(before=before, per=per, **_ranking(counting, by))


def _counted(counting: Counting) -> tuple[str, str, bool]:
    """SQL: the CTEs before, and rows of bucket, value and number; whether values that are called alike are apart."""
    before, per, holes = maths.compiled(counting)
    by, part = counting.part.by, counting.part
    whole = counting.math in maths.ADDED_UP and per != maths.PER_SESSION
    named = {
        "bucket": "null::timestamp" if part.in_all else part.period.grouped(counting.at),
        "value": by.value(counting.filters, whole=whole) if by else "null::varchar",
        "actor": counting.actor,
        "at": counting.at,
    }
    where = counting.where(with_actor=counting.math in GROUPED)
    holes = {"where": where, **named, **holes}
    holes["tables"] = counting.scan.tables + (by.tables(counting.filters) if by else "")
    return before.format_map(holes), per.format_map(holes), whole


def _by_value(counting: Counting, before: str, per: str) -> tuple[str, str]:
    """SQL: the CTEs before, and the same rows as each value is drawn."""
    rows, back = ALL.format(buckets=counting.buckets()), smoothing(counting.query) - 1
    rows = RUNNING.format(rows=rows) if counting.part.cumulative else rows
    rows = SMOOTHED.format(rows=rows, back=counting.scan.bind(back)) if back else rows
    return before + EACH.format(per=per), rows


def _ranking(counting: Counting, by: By) -> dict[str, str]:
    none, other = counting.scan.bind(NONE), counting.scan.bind(OTHER)
    several = by.is_several
    is_none = f"list_contains(b, {none})" if several else f"b = {none}"
    return {
        "weight": _weight(counting),
        "first": "" if counting.part.in_all else f"{is_none}, ",
        "other": f"[{', '.join([other] * len(by.splits))}]" if several else other,
        "limit": counting.scan.bind(by.limit),
    }


def _weight(counting: Counting) -> str:
    """SQL: in how many running sums a bucket's number is."""
    if not counting.part.cumulative or is_by_value(counting.part, counting.query):
        return "1"
    return f"len(list_filter({counting.buckets()}::timestamp[], lambda x: x >= d))"
