"""A funnel as it is asked for: its steps, order, window and range, whom it counts, by what it splits them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

from insights_mcp.local.queries import dates, entities
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.funnels.checks import check, covers
from insights_mcp.local.queries.funnels.values import Values
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.filters import DateRange
from insights_mcp.schema.funnels import Exclusion, FunnelsFilter, FunnelsQuery, Step

WINDOW = 14
BINS = 90


@dataclass(frozen=True)
class Funnel:
    """What the statements are written from. `keeps_events`: the matching events are wanted, not only their times.
    `among`: SQL, the list of those who alone are asked about."""

    query: FunnelsQuery
    given: FunnelsFilter
    context: Context
    scan: Scan
    period: Period
    values: Values | None
    keeps_events: bool = False
    among: str | None = None

    @classmethod
    def of(cls, query: FunnelsQuery, context: Context, scan: Scan | None = None, keeps_events: bool = False) -> Funnel:
        """The funnel that a query asks for. Raises QueryError."""
        check(query)
        given = query.funnelsFilter or FunnelsFilter()
        values = Values.of(query.breakdownFilter, given)
        # PostHog's funnels count persons also where the project counts each distinct id as one user.
        scan = scan or replace(context.scan(), by_distinct_id=False)
        return cls(query, given, context, scan, _period(query, context), values, keeps_events)

    @property
    def asked(self) -> str:
        return self.given.funnelVizType or "steps"

    @property
    def order(self) -> str:
        return self.given.funnelOrderType or "ordered"

    @property
    def steps(self) -> list[Step]:
        return self.query.series

    @property
    def count(self) -> int:
        return len(self.query.series)

    @property
    def later(self) -> range:
        """The numbers of the steps after the first."""
        return range(1, self.count)

    @property
    def exclusions(self) -> list[Exclusion]:
        """What must not come between; strict funnels have no room for it."""
        return [] if self.order == "strict" else self.given.exclusions or []

    @property
    def first(self) -> int:
        return self.given.funnelFromStep or 0

    @property
    def last(self) -> int:
        return self.given.funnelToStep or self.count - 1

    @cached_property
    def filters(self) -> Filters:
        return Filters(self.scan, self.context)

    @cached_property
    def window(self) -> str:
        """SQL: how long after its start an attempt may go on."""
        width, unit = self.given.funnelWindowInterval or 0, self.given.funnelWindowIntervalUnit or "day"
        return f"to_{unit}s({self.scan.bind(width if width > 0 else WINDOW)})"

    @property
    def split(self) -> bool:
        """Whether an attempt must stay within one value."""
        return self.values is not None and self.values.splits_events

    @property
    def key(self) -> str:
        """SQL: the columns within which an attempt stays."""
        return "a, v" if self.split else "a"

    @cached_property
    def optional(self) -> list[int]:
        """The steps that may be left out."""
        return [number for number, step in enumerate(self.steps) if step.optionalInFunnel]

    @property
    def turned(self) -> bool:
        """Whether the value depends on which step an attempt starts with: the step of the attribution turns too."""
        return self.order == "unordered" and self.values is not None and self.values.by_step

    @property
    def person(self) -> str:
        """SQL: the columns that make one line of `attempts`: who, and the value where attempts are told apart by it."""
        return "a, v" if self.split or self.turned else "a"

    def is_step(self, number: int) -> str:
        """SQL that holds for the marked events that are a step."""
        return f"m & {1 << number} > 0"

    def is_excluded(self, number: int) -> str:
        """SQL that holds for the marked events that an exclusion means."""
        return self.is_step(self.count + number)

    def took(self, number: int) -> str:
        """SQL that holds for who took a step; one that is not optional was taken by all who came further."""
        return f"w{number}" if number in self.optional else f"steps > {number}"

    def often(self, number: int) -> float:
        """How often whoever took a step did so, on average over the times it was taken, or less."""
        if self.query.aggregation_group_type_index is not None or self.given.funnelAggregateByHogQL:
            return inf
        return self.context.repeats(entities.events_of(self.steps[number], self.filters))

    def before(self, number: int) -> list[int]:
        """The steps that may come right before one: the one before, and further back while that is optional."""
        found = [number - 1]
        while found[-1] in self.optional:
            found.append(found[-1] - 1)
        return found

    def takes_another(self, number: int) -> bool:
        """Whether an event that is the step before is this one too, so that it takes another event."""
        return any(covers(self.steps[number], self.steps[before]) for before in self.before(number))


def _period(query: FunnelsQuery, context: Context) -> Period:
    given = query.dateRange or DateRange()
    names = [None if step.kind != "EventsNode" else step.event for step in query.series]
    return dates.period(
        given.date_from,
        given.date_to,
        interval=query.interval or "day",
        now=context.local_now,
        week_start=context.project.week_start_day,
        exact=bool(given.explicitDate),
        first=context.first_seen(names),
    )


def actor(funnel: Funnel, scan: Scan) -> str:
    """SQL: who an event of a scan counts for; NULL when for no one."""
    number, text = funnel.query.aggregation_group_type_index, funnel.given.funnelAggregateByHogQL
    if number is not None:
        return f"nullif({scan.group_key(funnel.filters.group_type(number))}, '')"
    if text and text != "person_id":
        from insights_mcp.local.queries.hogql import expression

        return f"nullif(({expression(text, scan, funnel.context).sql})::varchar, '')"
    return scan.actor
