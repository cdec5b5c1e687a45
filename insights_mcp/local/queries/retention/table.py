"""A retention table: which periods its rows are, how many columns it has, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from insights_mcp.local.queries import dates, presence
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.schema.filters import DateRange
from insights_mcp.schema.retention import RetentionFilter, RetentionQuery

DEFAULT_PERIOD = "Day"
DEFAULT_INTERVALS = 8
CELL_LIMIT = 250_000


@dataclass(frozen=True)
class Bracket:
    """Periods after the first that are one column: from `low` to `high`, both included."""

    low: int
    high: int

    @property
    def name(self) -> str:
        return f"{self.low}" if self.low == self.high else f"{self.low}-{self.high}"


@dataclass(frozen=True)
class Table:
    """Rows are the periods from `start` until before `end`. `brackets` are the columns after the first, if given."""

    start: datetime
    end: datetime
    unit: str
    rows: int
    columns: int
    brackets: tuple[Bracket, ...]

    @property
    def period(self) -> str:
        """The period as PostHog writes it: Day."""
        return self.unit.title()

    @property
    def counted(self) -> tuple[datetime, datetime]:
        """From when until before when events count, in UTC. Rows of hours are hours that pass."""
        start, end = presence.utc(self.start), presence.utc(self.end)
        return start, min(end, start + timedelta(hours=self.rows)) if self.unit == "hour" else end

    def labels(self) -> list[str]:
        """What each column is called: `Day 0`, `Day 1`, or with brackets `Day 2-4`."""
        names = [each.name for each in self.brackets] or [str(number) for number in range(1, self.columns)]
        return [f"{self.period} {name}" for name in ("0", *names)][: self.columns]

    def date(self, row: int) -> str:
        """When a row begins."""
        return dates.iso(dates.plus(self.start, self.unit, row))


def table(query: RetentionQuery, context: Context) -> Table:
    """The table of a query: it ends with the period that `date_to` is in, and goes back as far as there are columns."""
    given, asked = query.dateRange or DateRange(), query.retentionFilter
    unit, week_start = (asked.period or DEFAULT_PERIOD).lower(), context.project.week_start_day
    period = dates.period(
        given.date_from,
        given.date_to,
        interval=unit,
        now=context.local_now,
        week_start=week_start,
        exact=bool(given.explicitDate),
        first=context.first_seen([None]),
    )
    intervals, brackets = _intervals(asked), _brackets(asked)
    end = dates.floor(dates.plus(period.end, unit), unit, week_start)
    start = dates.floor(period.start if given.date_from else dates.plus(end, unit, -intervals), unit, week_start)
    rows = len(dates.Period(start, end, unit, week_start).buckets()) - 1
    columns = len(brackets) + 1 if brackets else intervals
    return _checked(Table(start, end, unit, max(rows, 0), columns, brackets))


def _checked(table: Table) -> Table:
    if table.rows * table.columns > CELL_LIMIT:
        raise QueryError(
            f"The table has {table.rows * table.columns:,} cells, more than {CELL_LIMIT:,}."
            " Use a larger period, a shorter date range or fewer totalIntervals.",
            attr="retentionFilter",
        )
    return table


def _intervals(asked: RetentionFilter) -> int:
    intervals = asked.totalIntervals or DEFAULT_INTERVALS
    if not 0 < intervals <= CELL_LIMIT:
        raise QueryError(f"totalIntervals is {intervals}: use 1 or more, such as 8.", attr="retentionFilter")
    return intervals


def _brackets(asked: RetentionFilter) -> tuple[Bracket, ...]:
    sizes = [int(size) for size in asked.retentionCustomBrackets or []]
    if any(not 0 < size <= CELL_LIMIT for size in sizes):
        raise QueryError("A bracket is a number of periods: 1 or more.", attr="retentionFilter")
    return tuple(Bracket(last - size + 1, last) for size, last in zip(sizes, accumulate(sizes), strict=True))
