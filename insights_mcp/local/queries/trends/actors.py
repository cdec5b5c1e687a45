"""Who is behind a number of a trend: a bucket of a series, or a value of a breakdown, in one of the periods."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from insights_mcp.local.queries import dates
from insights_mcp.local.queries.breakdowns import ALL_BINS, NONE, OTHER, Split
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import ALWAYS, joined
from insights_mcp.local.queries.selection import PAGE, Actors
from insights_mcp.local.queries.sql import Scan
from insights_mcp.local.queries.trends import ranking
from insights_mcp.local.queries.trends.counting import FIRSTS_ONLY, WINDOWS, Counting, window
from insights_mcp.local.queries.trends.parts import Part, current, display_of, parts
from insights_mcp.schema.actors import InsightActorsQuery
from insights_mcp.schema.trends import TrendsQuery

ONE = timedelta(microseconds=1)
SELECT = "select {actor} as actor{columns} from {tables} where {where} group by 1"
# Whose first event ever is the one that counts.
FIRSTS = """with firsts as (
  select {actor} as actor, min({at}) as first, min({at}) filter (where {matching}) as matched
  from {tables} where {events} group by 1)
"""
FIRST = "{actor} in (select actor from firsts where first = matched and first = {at})"
COLUMNS = {
    "event_count": "UInt64",
    "event_distinct_ids": "Array(String)",
    "last_seen": "DateTime",
    "matching_events": "Array(Tuple(DateTime, UUID, String, String))",
}
VALUES = {
    "event_count": "count(*)",
    "event_distinct_ids": "list(distinct {e}.distinct_id)",
    "last_seen": "max({at})",
    "matching_events": "list(distinct row({at}, {e}.uuid, {session}, {window}))[:100]",
}


def actors(query: TrendsQuery, point: InsightActorsQuery, scan: Scan, context: Context) -> Actors:
    """Who is behind a point. Raises QueryError when the query has no such point."""
    part = _part(query, point, context)
    return _Selection(Counting(part, query, context, scan), point, current(query, context, display_of(query))).actors()


def _part(query: TrendsQuery, point: InsightActorsQuery, context: Context) -> Part:
    compared = (point.compare or "current") if query.compareFilter and query.compareFilter.compare else None
    found = [part for part in parts(query, context) if part.order == (point.series or 0) and part.compared == compared]
    if not found:
        raise QueryError(f"The insight has no series {point.series}: they are numbered from 0.", attr="series")
    part = found[0]
    if part.by is None or not part.by.cohorts:
        return part
    if point.breakdown is None:
        return replace(part, by=None)
    value = point.breakdown[0] if isinstance(point.breakdown, list) and point.breakdown else point.breakdown
    return replace(part, by=replace(part.by, cohorts=(int(value) if str(value).isdigit() else value,)))


@dataclass(frozen=True)
class _Selection:
    """One point of one part, while its statement is written."""

    counting: Counting
    point: InsightActorsQuery
    current: Period

    def actors(self) -> Actors:
        columns = {name: kind for name, kind in COLUMNS.items() if not (self._grouped and name == "event_distinct_ids")}
        group = self._group() if self._grouped else None
        # Which values are the others is found out once.
        of_page = None if OTHER in self._values else lambda asked: self._select(asked, self._on_page())
        return Actors(self._select, columns, group, of_page)

    @property
    def _values(self) -> list[Any]:
        wanted = self.point.breakdown
        return wanted if isinstance(wanted, list) else [wanted]

    @property
    def _grouped(self) -> bool:
        return self.counting.actor != self.counting.scan.actor

    def _on_page(self) -> str:
        return f"{self.counting.actor} in (select unnest(${PAGE}::{'varchar' if self._grouped else 'uinteger'}[]))"

    def _select(self, columns: Collection[str], among: str = ALWAYS) -> str:
        counting, scan, by = self.counting, self.counting.scan, self.counting.part.by
        values = {
            "e": scan.events,
            "at": counting.at,
            "session": scan.event_property("$session_id"),
            "window": scan.event_property("$window_id"),
        }
        where = joined("and", [self._where(), among])
        before = self._firsts(among) if counting.math in FIRSTS_ONLY else ""
        return before + SELECT.format(
            actor=counting.actor,
            columns="".join(f", {VALUES[name].format_map(values)} as {name}" for name in VALUES if name in columns),
            tables=scan.tables + (by.tables(counting.filters) if by and by.cohorts else ""),
            where=where,
        )

    def _firsts(self, among: str) -> str:
        counting = self.counting
        is_first = counting.math.startswith("first_time")
        events = [counting.events(), among] if is_first else [counting.events(), counting.matching(), among]
        return FIRSTS.format(
            actor=counting.actor,
            at=counting.at,
            matching=counting.matching() if is_first else ALWAYS,
            tables=counting.scan.tables,
            events=joined("and", events),
        )

    def _group(self) -> int:
        return int(self.counting.part.series.math_group_type_index or 0)

    def _where(self) -> str:
        counting = self.counting
        start, end = self._during()
        conditions = [
            counting.events(),
            f"{counting.at} >= {counting.bound(start)}",
            f"{counting.at} <= {counting.bound(end)}",
            counting.matching(),
            *self._of_value(),
        ]
        if self._grouped:
            conditions.append(f"coalesce({counting.actor}, '') <> ''")
        if counting.math in FIRSTS_ONLY:
            conditions.append(FIRST.format(actor=counting.actor, at=counting.at))
        return joined("and", conditions)

    def _during(self) -> tuple[datetime, datetime]:
        """When the events behind the point happened; the end is included."""
        part, math = self.counting.part, self.counting.math
        if part.in_all and self.point.day is not None:
            raise QueryError("This chart counts its whole range at once: leave 'day' out.", attr="day")
        if part.in_all:
            return window(part, math)
        bucket, period = self._bucket(), part.period
        if math in WINDOWS:
            until = bucket + timedelta(days=1)
            return until - timedelta(days=WINDOWS[math]), until - ONE
        start, end = bucket, dates.plus(bucket, period.interval) - ONE
        given = self.counting.query.dateRange
        if given and given.explicitDate:
            start, end = max(start, period.start), min(end, period.end)
        return start, end

    def _bucket(self) -> datetime:
        """When the day's bucket starts; of the period before, the bucket at that one's place."""
        asked, period, buckets = self.point.day, self.counting.part.period, self.current.buckets()
        if asked is None:
            known = f"{dates.day(buckets[0], period.interval)} to {dates.day(buckets[-1], period.interval)}"
            raise QueryError(f"Which number is meant? Say 'day', the date of a bucket: {known}.", attr="day")
        moment, _ = dates.parsed(str(asked), period.start)
        bucket = dates.floor(moment, period.interval, period.week_start)
        if self.counting.part.compared != "previous":
            return bucket
        place = dict(zip(buckets, period.buckets(), strict=False)).get(bucket.replace(tzinfo=None))
        return place.replace(tzinfo=bucket.tzinfo) if place else bucket + (period.start - self.current.start)

    def _of_value(self) -> list[str]:
        """SQL that holds for the events under the breakdown's value."""
        by = self.counting.part.by
        if by is None or by.cohorts or self.point.breakdown is None:
            return []
        values = self._values
        if OTHER in values:
            return [self._other()]
        if len(values) != len(by.splits):
            raise QueryError(
                f"The insight is broken down by {len(by.splits)} properties; 'breakdown' has {len(values)} values.",
                attr="breakdown",
            )
        return [self._under(split, value) for split, value in zip(by.splits, values, strict=True)]

    def _under(self, split: Split, value: Any) -> str:
        filters, bind = self.counting.filters, self.counting.scan.bind
        if not split.bins:
            return f"{split.value(filters)} = {bind(_text(value))}"
        number = split.number(filters)
        if value == ALL_BINS:
            return ALWAYS
        if value == NONE:
            return f"{number} is null"
        low, high = _bounds(value)
        return f"coalesce({number} >= {bind(low)} and {number} < {bind(high)}, false)"

    def _other(self) -> str:
        """SQL that holds for the events whose value is not among those shown."""
        counting = self.counting
        by = counting.part.by
        assert by
        if any(split.bins for split in by.splits):
            return "false"
        other = counting.scan.bind(OTHER)
        kept = f"not list_contains(b, {other})" if by.is_several else f"b <> {other}"
        return f"{by.value(counting.filters)} not in (select b from ({ranking.text(counting)}) where {kept})"


def _bounds(value: Any) -> tuple[float, float]:
    try:
        low, high = json.loads(value)
        return float(low), float(high)
    except (TypeError, ValueError):
        raise QueryError(f"'{value}' is no bin: write it as the insight names it, [10,20].", attr="breakdown") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
