"""What is read for retention: whose events, which of them start a cohort or are a return, and the value to split by.

The relation `seen` has one row for each event that matters: `actor`, the breakdown's value `b`, its time
`ts`, the number `w` of its period (NULL outside the table), and whether it starts (`s`) or returns (`r`). Where cohorts
go by the first time, `first` is the time of a starting event, and `known` that of one whatever its properties.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from insights_mcp.local.queries import breakdowns, entities, presence, zones
from insights_mcp.local.queries.breakdowns import By
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.presence import Mask
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.retention.table import Table, table
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.filters import Entity
from insights_mcp.schema.retention import RetentionEntity, RetentionFilter, RetentionQuery

DEFAULT_ENTITY = RetentionEntity(id="$pageview", type="events")
KINDS = {"actions": "ActionsNode", "data_warehouse": "DataWarehouseNode"}
FIRST_TIME, FIRST_EVER = "retention_first_time", "retention_first_ever_occurrence"
SEEN = "select {actor} as actor, {value}{columns} from {tables} where {where}"
# The first ever event decides under which value someone falls, though they have others later.
SETTLED = "select * replace (arg_min(b, known) over (partition by actor) as b) from ({seen})"


@dataclass(frozen=True)
class Reading:
    """A query with the scan that reads for it."""

    query: RetentionQuery
    table: Table
    filters: Filters
    by: By | None

    @property
    def asked(self) -> RetentionFilter:
        return self.query.retentionFilter

    @property
    def scan(self) -> Scan:
        return self.filters.scan

    @property
    def is_first(self) -> bool:
        """Cohorts go by the first time, not by every time."""
        return self.asked.retentionType in (FIRST_TIME, FIRST_EVER)

    @property
    def is_first_ever(self) -> bool:
        """The first time, which must also have the properties that are asked for."""
        return self.asked.retentionType == FIRST_EVER

    @property
    def firsts(self) -> list[str]:
        """The columns of `seen` that tell the first time."""
        return (["first"] if self.is_first else []) + (["known"] if self.is_first_ever else [])

    @property
    def b(self) -> str:
        """SQL: the breakdown's value as a column among others. Without one there is none: it would cost."""
        return "b, " if self.by else ""

    @property
    def by_windows(self) -> bool:
        """Periods count from each actor's own first event."""
        return self.asked.timeWindowMode == "24_hour_windows"

    @property
    def mask(self) -> Mask:
        """The periods of one actor."""
        return Mask(max(self.table.rows, 1))

    @property
    def start(self) -> Entity:
        return _entity(self.asked.targetEntity)

    @property
    def back(self) -> Entity:
        return _entity(self.asked.returningEntity)

    @cached_property
    def starts(self) -> str:
        """SQL: whether an event starts a cohort."""
        return entities.matches(self.start, self.filters)

    @cached_property
    def returns(self) -> str:
        """SQL: whether an event is a return."""
        return entities.matches(self.back, self.filters)

    @cached_property
    def is_known(self) -> str:
        """SQL: whether an event is what starts a cohort, whatever its properties."""
        return entities.kind_of(self.start, self.filters)

    @property
    def every_event_is_both(self) -> bool:
        """Each event that is read starts, and is a return."""
        return self.starts == self.returns and not self.is_first

    def number(self, moment: str) -> str:
        """SQL: the number of the period that a time of the table falls in. Hours are counted as they pass."""
        start, end = self.table.start, self.table.end
        local = zones.local(moment, start, start if self.table.unit == "hour" else end)
        return presence.index(local, self.table.unit, self.table.start)

    def within(self, moment: str) -> str:
        """SQL: whether a time is in the table."""
        start, end = map(self.scan.bind, self.table.counted)
        return f"({moment} >= {start} and {moment} < {end})"

    def seen(self, *more: str) -> str:
        """SQL: the relation `seen`, with `more` columns."""
        columns = [f"{self.starts} as s", f"{self.returns} as r", *more]
        if self.is_first:
            columns.append(f"case when {self.starts} then e.timestamp end as first")
        if self.is_first_ever:
            columns.append(f"case when {self.is_known} then e.timestamp end as known")
        value, where = self._value(), self._where()
        actor = presence.actor(self.scan, self.query.aggregation_group_type_index, self.filters)
        joined = self.by.tables(self.filters) if self.by and self.by.cohorts else ""
        seen = SEEN.format(
            actor=actor, value=value, columns=", ".join(columns), tables=self.scan.tables + joined, where=where
        )
        settled = self.is_first_ever and self.by and not self.by.cohorts
        return SETTLED.format(seen=seen) if settled else seen

    def period(self) -> str:
        """SQL: the column `w` of `seen`."""
        number = self.number("e.timestamp")
        return f"case when {self.within('e.timestamp')} then {number} end as w" if self.is_first else f"{number} as w"

    def anchor(self) -> str:
        """SQL aggregate: when an actor's cohort began, by the first time; NULL when the first time does not count."""
        if not self.is_first_ever:
            return "min(first)"
        return "case when min(known) = min(first) then min(first) end"

    def _value(self) -> str:
        if self.by is None:
            return ""
        if self.by.cohorts:
            return f"replace({self.by.value(self.filters)}, '{breakdowns.ALL}', '0') as b, "
        # One property, as it is: PostHog neither bins nor cleans values here.
        split = replace(self.by.splits[0], normalize_url=False, clean_path=False)
        value = split.named(f"coalesce({split.text(self.filters)}, '')", self.filters, none="")
        return f"{value} as b, "

    def _where(self) -> str:
        conditions = [self._relevant(), *presence.sampled(self.scan, self.query.samplingFactor)]
        if self.query.properties:
            conditions.append(self.filters.all_of(self.query.properties))
        if self.query.filterTestAccounts:
            conditions.append(self.filters.test_accounts())
        number = self.query.aggregation_group_type_index
        if number is not None:
            conditions.append(f"{presence.actor(self.scan, number, self.filters)} <> ''")
        return " and ".join(conditions)

    def _relevant(self) -> str:
        """SQL: events that start or return. Only who may have started long ago is looked for in all of history."""
        if not self.is_first:
            both = dict.fromkeys((self.starts, self.returns))
            return f"{self.within('e.timestamp')} and ({' or '.join(both)})"
        begun = self.is_known if self.is_first_ever else self.starts
        since = self.scan.bind(presence.utc(self.table.start))
        return f"({begun} or ({self.returns} and e.timestamp >= {since}))"


def reading(query: RetentionQuery, scan: Scan, context: Context) -> Reading:
    """How a query reads. Raises QueryError for what is not supported."""
    return Reading(query, table(query, context), Filters(scan, context), breakdowns.of(query.breakdownFilter))


def _entity(given: RetentionEntity | None) -> Entity:
    given = given or DEFAULT_ENTITY
    kind = KINDS.get(given.type or "events", "EventsNode")
    if kind == "ActionsNode" and given.id is not None:
        return Entity(kind="ActionsNode", id=_number(given.id), properties=given.properties)
    name = None if given.id is None else str(given.id)
    known = "DataWarehouseNode" if kind == "DataWarehouseNode" else "EventsNode"
    return Entity(kind=known, event=name, properties=given.properties)


def _number(given: str | int | float) -> int:
    try:
        return int(given)
    except (ValueError, OverflowError):
        raise QueryError(f"'{given}' is no action: give its number as id.", attr="retentionFilter") from None
