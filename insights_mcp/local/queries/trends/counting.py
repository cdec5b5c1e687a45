"""One part of a trend while its statement is written: what is counted, who counts, and which events are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from insights_mcp.local.queries import dates, entities, unsupported
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import ALWAYS, Filters, joined
from insights_mcp.local.queries.sql import Scan
from insights_mcp.local.queries.trends.parts import Part, counted_as
from insights_mcp.schema.trends import TrendsQuery

ONE = timedelta(seconds=1)
PER_ACTOR_COUNT = "_count_per_actor"
SLOPE_POINTS = 2
WINDOWS = {"weekly_active": 7, "monthly_active": 30}
USERS = ("dau", *WINDOWS)
# What counts groups where a type of group is named; events of none are left out.
GROUPED = (*USERS, "unique_group")
# Whose first time counts: the person's, whatever the project's users are; or the group's.
FIRSTS_ONLY = {
    "first_time_for_user": False,
    "first_matching_event_for_user": False,
    "first_time_for_group": True,
    "first_matching_event_for_group": True,
}


class Counting:
    """One part of a trend, while its statement is written."""

    def __init__(self, part: Part, query: TrendsQuery, context: Context, scan: Scan | None = None) -> None:
        self.part = part
        self.query = query
        self.context = context
        self.scan = scan or context.scan()
        self.filters = Filters(self.scan, context)
        self.at = f"{self.scan.events}.timestamp"
        self.math = math_of(part, query)
        self.actor = actor(self)

    def buckets(self) -> str:
        """The buckets, bound."""
        return self.scan.bind(self.part.period.buckets())

    def bound(self, moment: datetime) -> str:
        """A moment, bound as UTC."""
        return self.scan.bind(moment.astimezone(UTC).replace(tzinfo=None))

    def events(self) -> str:
        """SQL that holds for the events of the series, whatever their properties."""
        known = [f"coalesce({self.actor}, '') <> ''"] if FIRSTS_ONLY.get(self.math) else []
        return joined("and", [entities.kind_of(self.part.series, self.filters), *self._sampled(), *known])

    def matching(self) -> str:
        """SQL that holds where all filters do."""
        series, query = self.part.series, self.query
        given = [series.properties, series.fixedProperties, query.properties]
        conditions = [self.filters.test_accounts()] if query.filterTestAccounts else []
        return joined("and", [*conditions, *(self.filters.all_of(each) for each in given if each)])

    def _sampled(self) -> list[str]:
        share = self.query.samplingFactor
        if share is None or share >= 1:
            return []
        if not share > 0:
            raise QueryError("samplingFactor is a share of the users, above 0 and up to 1.", attr="samplingFactor")
        return [f"hash({self.scan.events}.distinct_id) % 1000000 < {self.scan.bind(int(share * 1_000_000))}"]

    def where(self, *, with_actor: bool = False) -> str:
        """SQL that holds for the events that count."""
        start, end = window(self.part, self.math)
        during = [f"{self.at} >= {self.bound(start)}", f"{self.at} <= {self.bound(end)}"]
        during += self._ends()
        grouped = with_actor and self.actor != self.scan.actor
        known = [f"coalesce({self.actor}, '') <> ''"] if grouped else []
        return " and ".join(each for each in [self.events(), *during, *known, self.matching()] if each != ALWAYS)

    def _ends(self) -> list[str]:
        """SQL that holds in the ends of a slope; who is active in them is seen between them, too."""
        buckets, period = self.part.period.buckets(), self.part.period
        if self.part.open_end is None or self.math in WINDOWS or len(buckets) < SLOPE_POINTS:
            return []
        first, last = (self.bound(each.replace(tzinfo=period.zone)) for each in (buckets[1], buckets[-1]))
        return [f"({self.at} < {first} or {self.at} >= {last})"]


def math_of(part: Part, query: TrendsQuery) -> str:
    """What the series counts."""
    math = counted_as(part.series, query) or "total"
    if refused := unsupported.feature(unsupported.MATHS, math, "series"):
        raise refused
    return math


def actor(counting: Counting) -> str:
    """SQL: who counts: the user, or the group where the series counts groups."""
    scan, math, number = counting.scan, counting.math, counting.part.series.math_group_type_index
    of_group = FIRSTS_ONLY.get(math)
    if of_group is False:
        return f"{scan.events}.pid"
    if not of_group and (math not in GROUPED or (math in USERS and number is None)):
        return scan.actor
    if number is None:
        raise QueryError(f"math '{math}' needs math_group_type_index, the type of group to count.", attr="series")
    return scan.group_key(counting.filters.group_type(int(number)))


def window(part: Part, math: str) -> tuple[datetime, datetime]:
    """From when to when events are read: in whole seconds, so that of a day's last second its beginning counts.

    For active users also the days before; for them and per actor, not before the range, however long its first bucket.
    """
    start, end = _window(part.period, math, in_all=part.in_all)
    return start.replace(microsecond=0), end.replace(microsecond=0)


def _window(period: Period, math: str, *, in_all: bool) -> tuple[datetime, datetime]:
    if math.endswith(PER_ACTOR_COUNT):
        return period.start, period.end
    if (days := WINDOWS.get(math)) is None:
        return period.read_from, period.end
    return _windows_in_all(period, days) if in_all else (period.start - timedelta(days=days), period.end)


def _windows_in_all(period: Period, days: int) -> tuple[datetime, datetime]:
    """From when to when the windows are that end in the period's buckets; not from longer ago than one of them."""
    first, last = (dates.floor(each, period.interval, period.week_start) for each in (period.start, period.end))
    start = max(first - timedelta(days=days - 1) + ONE, period.end - timedelta(days=days))
    return start, min(period.end, last + timedelta(days=1))
