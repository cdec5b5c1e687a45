"""Asking the data why: one query counts what is left after each condition, others look at the values there are.

A probe is asked once and never waited for longer than it is worth; what it costs is bounded by `Asking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from insights_mcp.answer.asked import local
from insights_mcp.client import Client
from insights_mcp.computation import new_query_id, stopped_when_cancelled
from insights_mcp.diagnosis import hogql
from insights_mcp.diagnosis.conditions import Condition
from insights_mcp.diagnosis.counted import Counted
from insights_mcp.diagnosis.window import Window
from insights_mcp.endpoint import Route
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.errors import BadReply, InsightsError

MOST_CONDITIONS = 6
MOST_VALUES = 100
MOST_TOPS = 20  # of each of several properties
TEST_ACCOUNTS = {"filterTestAccounts": True}


# What a reply of a shape that no version has leads to.
UNREADABLE = (TypeError, ValueError, LookupError, AttributeError, StopIteration, RuntimeError)


class Probe(RunQuery):
    """A query for a reason: not repeated when it fails."""

    route: ClassVar[Route] = replace(RunQuery.route, repeatable=False)


class Spent(InsightsError):
    """No further request is worth the answer."""


@dataclass
class Asking:
    """The client, and how many requests are left."""

    client: Client
    left: int = 3

    def spend(self) -> None:
        """One request. Spent when there is none left."""
        if not self.left:
            raise Spent("Nothing more was asked.")
        self.left -= 1

    async def rows(self, sql: str, filters: dict[str, Any] | None = None) -> list[list[Any]]:
        """The rows of a question in SQL."""
        self.spend()
        query_id = new_query_id()
        query = {"kind": "HogQLQuery", "query": sql} | ({"filters": filters} if filters else {})
        async with stopped_when_cancelled(self.client, query_id):
            reply = await self.client.send(Probe(query=query, client_query_id=query_id))
        if reply.error or not isinstance(reply.results, list):
            raise BadReply("The question was not answered.")
        return reply.results


@dataclass(frozen=True)
class Stage:
    """What is left after a condition; how many in the window have its property; how many have it elsewhere."""

    condition: Condition
    left: int
    having: int | None = None
    elsewhere: int | None = None


@dataclass(frozen=True)
class Counts:
    """How often something happened: ever (with the first and the last time), inside the window, after each condition.

    `real`: what of the rest is not of test accounts; None where they are not left out.
    """

    ever: int
    first: datetime | None
    last: datetime | None
    inside: int
    stages: tuple[Stage, ...] = ()
    real: int | None = None

    @property
    def rest(self) -> int:
        """What passes every condition that could be checked."""
        return self.stages[-1].left if self.stages else self.inside


async def counts_of(
    asking: Asking, counted: Iterable[Counted], window: Window, zone: str | None, test_accounts: bool
) -> list[Counts]:
    """Everything that is counted, in one question."""
    columns: list[str] = []
    shapes = [(item, _columns(item, window, test_accounts, columns)) for item in counted]
    # The whole of time is only looked through for what is named; for every event, there is too much of it.
    named = [item.holds for item, _ in shapes]
    where = " or ".join(f"({holds})" for holds in named) if all(named) else window.holds()
    sql = f"select {', '.join(columns)} from events where {where}"
    row = (await asking.rows(sql, TEST_ACCOUNTS if test_accounts else None))[0]
    cells = iter(row)
    return [_counts(cells, item, zone, test_accounts) for item, _ in shapes]


def _columns(item: Counted, window: Window, test_accounts: bool, columns: list[str]) -> int:
    """The columns of one counted thing are added; how many there are of them."""
    start, base, inside = len(columns), hogql.every([item.holds]), hogql.every([item.holds, window.holds()])
    columns += [f"countIf({base})", f"minIf(timestamp, {base})", f"maxIf(timestamp, {base})", f"countIf({inside})"]
    passed = [inside]
    for condition in checkable(item):
        passed.append(str(condition.holds))
        columns.append(f"countIf({hogql.every(passed)})")
        columns += [f"countIf({hogql.every([inside, f'{f} is not null'])})" for f in _fields(condition)]
    if test_accounts:
        columns.append(f"(select count() from events where {hogql.every(passed)} and {{filters}})")
    return len(columns) - start


def checkable(item: Counted) -> list[Condition]:
    """The conditions that SQL can say, as many as are asked at once."""
    return [condition for condition in item.conditions if condition.holds][:MOST_CONDITIONS]


def uncounted(item: Counted) -> list[Condition]:
    """The other conditions."""
    counted = checkable(item)
    return [condition for condition in item.conditions if condition not in counted]


def _fields(condition: Condition) -> list[str]:
    return [field for field in (condition.field, condition.elsewhere) if field]


def _counts(cells: Any, item: Counted, zone: str | None, test_accounts: bool) -> Counts:
    ever, first, last, inside = (next(cells) for _ in range(4))
    stages = []
    for condition in checkable(item):
        left, *seen = (next(cells) for _ in range(1 + len(_fields(condition))))
        stages.append(Stage(condition, int(left), *map(int, seen)))
    real = int(next(cells)) if test_accounts else None
    when = (local(first, zone), local(last, zone)) if ever else (None, None)
    return Counts(int(ever), *when, int(inside), tuple(stages), real)


async def values_of(asking: Asking, item: Counted, stage: int, window: Window) -> list[tuple[str, int]]:
    """The values that the property of a condition takes where everything before it holds, most frequent first."""
    field, where = _before(item, stage, window)
    sql = (
        f"select toString({field}) as value, count() as times from events where {where} "
        f"group by value order by times desc, value limit {MOST_VALUES}"
    )
    return [(str(value), int(times)) for value, times in await asking.rows(sql)]


async def tops_of(asking: Asking, item: Counted, stage: int, window: Window, fields: Sequence[str]) -> list[list[str]]:
    """Of several properties, the values that each takes where everything before a condition holds."""
    columns = ", ".join(f"topK({MOST_TOPS})(toString({field}))" for field in fields)
    row = (await asking.rows(f"select {columns} from events where {hogql.every(_earlier(item, stage, window))}"))[0]
    return [[str(value) for value in values or ()] for values in row]


async def extent_of(
    asking: Asking, item: Counted, stage: int, window: Window
) -> tuple[float | None, float | None, str]:
    """The least and the largest number a property holds where everything before its condition does; and a value."""
    field, where = _before(item, stage, window)
    sql = f"select min(toFloat({field})), max(toFloat({field})), any(toString({field})) from events where {where}"
    least, most, one = (await asking.rows(sql))[0]
    return hogql.number(least), hogql.number(most), str(one)


def _before(item: Counted, stage: int, window: Window) -> tuple[str | None, str]:
    """A condition's property, and SQL for what is left before that condition and has the property."""
    field = checkable(item)[stage].field
    return field, hogql.every([*_earlier(item, stage, window), f"{field} is not null"])


def _earlier(item: Counted, stage: int, window: Window) -> list[str]:
    return [item.holds, window.holds(), *(str(c.holds) for c in checkable(item)[:stage])]


async def span_of(asking: Asking, zone: str | None) -> tuple[datetime | None, datetime | None]:
    """From when to when there are events at all."""
    first, last, count = (await asking.rows("select min(timestamp), max(timestamp), count() from events"))[0]
    return (local(first, zone), local(last, zone)) if count else (None, None)


async def events_seen(asking: Asking) -> list[str]:
    """The events of the last half year, the most frequent first: for keys that may not list them."""
    since = "timestamp >= now() - interval 180 day"
    sql = f"select event, count() as times from events where {since} group by event order by times desc limit 500"
    return [str(event) for event, _ in await asking.rows(sql)]


async def cohort_size(asking: Asking, number: Any) -> int:
    """How many people are in a cohort."""
    rows = await asking.rows(f"select uniq(person_id) from cohort_people where cohort_id = {int(number)}")
    return int(rows[0][0])


@dataclass(frozen=True)
class Followed:
    """Of the people who did a funnel's step: how many did it, the next one too, and the next one after it."""

    before: int
    both: int
    in_order: int


async def followed(asking: Asking, before: Counted, step: Counted, window: Window, by: str) -> Followed:
    """Whether anybody went on from one step to the next at all, in whichever time."""
    first, second = (hogql.every([c.holds, *(str(p.holds) for p in checkable(c))]) for c in (before, step))
    sql = (
        "select countIf(done > 0), countIf(done > 0 and next > 0), countIf(done > 0 and next > 0 and began < ended) "
        f"from (select {by} as actor, countIf({first}) as done, countIf({second}) as next, "
        f"minIf(timestamp, {first}) as began, maxIf(timestamp, {second}) as ended "
        f"from events where {window.holds()} and ({first} or {second}) group by actor)"
    )
    return Followed(*(int(cell) for cell in (await asking.rows(sql))[0]))
