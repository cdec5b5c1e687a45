"""Who was there when: the number of the interval that a time falls in, and the intervals of one actor as one mask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.sql import Scan

# Days are subtracted (cheap, and weeks may start on any day); other units count the borders crossed.
DAYS = {"day": "({local}::date - date '{first:%Y-%m-%d}')", "week": "(({local}::date - date '{first:%Y-%m-%d}') // 7)"}
BORDERS = "date_diff('{interval}', timestamp '{first:%Y-%m-%d %H:%M:%S}', {local})"
WORD = 64


def index(local: str, interval: str, first: datetime) -> str:
    """SQL: how many intervals a wall-clock time lies after the one that starts at `first`."""
    return DAYS.get(interval, BORDERS).format(local=local, interval=interval, first=first)


def actor(scan: Scan, group_type_index: int | None, filters: Filters) -> str:
    """SQL: who did the event: the person, or the group of a type. Persons are counted, whatever the project's users."""
    return f"{scan.events}.pid" if group_type_index is None else scan.group_key(filters.group_type(group_type_index))


def utc(moment: datetime) -> datetime:
    """A time as the store has it: UTC, without zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def sampled(scan: Scan, share: float | None) -> list[str]:
    """SQL that holds for the events of a share of the users."""
    if share is None or share >= 1:
        return []
    return [f"hash({scan.events}.distinct_id) % 1000000 < {scan.bind(int(share * 1_000_000))}"]


@dataclass(frozen=True)
class Mask:
    """A set of interval numbers below `size`, as one value: a word while it fits, since that is fastest."""

    size: int

    def of(self, index: str) -> str:
        """SQL aggregate: the set of the numbers seen. NULL when none is."""
        if self.size <= WORD:
            return f"bit_or(1::ubigint << ({index})::integer)"
        return f"bitstring_agg(({index})::integer, 0, {self.size - 1})"

    def has(self, mask: str, index: str) -> str:
        """SQL: whether a number is in the set; NULL when there is no set. Numbers must be 0 or more."""
        if self.size <= WORD:
            return f"(({mask} >> ({index})::integer) & 1 = 1)"
        return f"(case when {index} < {self.size} then get_bit({mask}, ({index})::integer) = 1 end)"

    def least(self, mask: str) -> str:
        """SQL: the lowest number in a set."""
        if self.size <= WORD:
            return f"(bit_count(xor({mask}, {mask} - 1)) - 1)"
        return f"(bit_position('1'::bit, {mask}) - 1)"
