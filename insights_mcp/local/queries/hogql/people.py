"""Events, persons and their distinct ids as tables of HogQL: which fields each has."""

from __future__ import annotations

from dataclasses import replace

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries import channels
from insights_mcp.local.queries.hogql.sources import MILLISECONDS, Clock, Source, Typed, cast, session_type
from insights_mcp.local.queries.sql import Scan

EVENT_FIELDS = {
    "uuid": ("uuid", "UUID"),
    "event": ("event", "String"),
    "properties": ("properties", "String"),
    "timestamp": ("timestamp", "DateTime"),
    "distinct_id": ("distinct_id", "String"),
    "elements_chain": ("elements_chain", "String"),
    "created_at": ("created_at", "DateTime"),
}
MAYBE = frozenset({"elements_chain"})
SHORT = ("$session_id", "$window_id", *(f"$group_{number}" for number in range(5)))
# What is read out of the chain of elements: the pattern of each, and whether there are several.
CHAINED = {
    "elements_chain_href": ('(?::|")href="(.*?)"', False),
    "elements_chain_texts": ('(?::|")text="(.*?)"', True),
    "elements_chain_ids": ('(?::|")attr_id="(.*?)"', True),
    "elements_chain_elements": ("(?:^|;)(a|button|form|input|select|textarea|label)(?:\\.|$|:)", True),
}
EVENT_STAR = (*EVENT_FIELDS, *SHORT[:2], "person_mode", *SHORT[2:], *CHAINED, "person_id")
DISTINCT_FIELDS = ("distinct_id", "person_id", "version", "is_deleted")
# What columns of sessions were called before.
OLD = {"duration": "$session_duration"}
# What ClickHouse says of the session of an event that has none.
MISSING = {
    "String": "''", "UInt64": "0", "Int64": "0", "UInt8": "false", "DateTime": "timestamp '1970-01-01'",
    "Array(String)": "[]",
}  # fmt: skip
PERSON_FIELDS = {
    "id": ("person_id", "UUID"),
    "created_at": ("created_at", "DateTime"),
    "is_identified": ("is_identified", "Bool"),
}


class Events(Source):
    """The table `events`."""

    computed = ("person_id", "issue_id")

    def __init__(self, alias: str, scan: Scan, clock: Clock, kept: list[str] | None = None) -> None:
        super().__init__(alias)
        self.scan = scan
        self.clock = clock
        self.kept = kept or []

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        first, *rest = chain
        if not rest:
            return self._column(first)
        if first == "properties":
            return self.property(tuple(rest))
        if first == "poe" and rest[0] != "id":
            return self._person_then(tuple(rest))
        if first in ("person", "poe"):
            return self._person(tuple(rest))
        if first == "session":
            return self._session(rest[0]) if len(rest) == 1 else None
        if first in self._group_names():
            return self._group(self._group_names()[first], rest)
        return self._identity(rest) if first == "pdi" else None

    def _column(self, name: str) -> Typed | None:
        if name in SHORT:  # columns of their own, which are never NULL
            return Typed(f"coalesce({self.scan.event_property(name)}, '')", "String", False)
        if name in CHAINED:
            return self._chained(*CHAINED[name])
        if name == "person_id":
            return self._person(("id",))
        if name == "issue_id":
            return Typed(f"try_cast({self.scan.event_property('$exception_issue_id')} as uuid)", "UUID")
        if name == "person_mode":
            without = f"{self.scan.event_property('$process_person_profile')} = 'false'"
            return Typed(f"case when {without} then 'propertyless' else 'full' end", "String", False)
        if name not in EVENT_FIELDS:
            return None
        column, kind = EVENT_FIELDS[name]
        sql = f"{self.scan.events}.{column}"
        if kind == "DateTime":
            return Typed(self.clock(sql), kind, name == "created_at")
        return Typed(f"coalesce({sql}, '')" if name in MAYBE else sql, kind, False)

    def _chained(self, pattern: str, several: bool) -> Typed:
        """What a pattern finds in the chain of elements."""
        chain, bound = f"coalesce({self.scan.events}.elements_chain, '')", self.scan.bind(pattern)
        if not several:
            return Typed(f"regexp_extract({chain}, {bound}, 1)", "String", False)
        every = f"regexp_extract_all({chain}, {bound}, 1)"
        kept = f"list_filter({every}, lambda z, i: list_position({every}, z) = i)"
        return Typed(kept, "Array(String)", False)

    def _session(self, name: str) -> Typed | None:
        if name in ("id", "session_id"):
            return Typed(f"coalesce({self.property(('$session_id',)).sql}, '')", "String", False)
        name = OLD.get(name, name)
        typed = session_type(name)
        if typed is None:
            return None
        sql = self.scan.session_property(name).removesuffix("::varchar")
        found = self.clock(sql) if typed.type == "DateTime" else sql
        return replace(typed, sql=found if typed.nullable else f"coalesce({found}, {MISSING[typed.type]})")

    def _group_names(self) -> dict[str, int]:
        named = {name: number for number, name in self.scan.catalogue.group_types.items()}
        return {**{f"group_{number}": number for number in range(5)}, **named}

    def _group(self, number: int, rest: list[str]) -> Typed | None:
        if rest == ["key"]:
            return Typed(self.scan.group_key(number))
        if rest[0] != "properties" or len(rest) < 2:
            return None
        kind = self.scan.catalogue.group_property_types.get((number, rest[1])) if len(rest) == 2 else None
        return cast(self.scan.group_property(number, *rest[1:]), kind, self.clock)

    def _identity(self, rest: list[str]) -> Typed | None:
        if rest[0] == "distinct_id":
            return self._column("distinct_id")
        return self._person(tuple(rest[1:]) or ("id",)) if rest[0] in ("person", "person_id") else None

    def property(self, keys: tuple[str, ...]) -> Typed:
        """A property, by its detected type."""
        kind = self.scan.catalogue.event_types.get(keys[0]) if len(keys) == 1 else None
        return cast(self.scan.event_property(*keys), kind, self.clock)

    def _person(self, rest: tuple[str, ...]) -> Typed | None:
        found = person_field(self.scan, self.clock, rest)
        if found:
            self.scan.with_persons = True
        return found

    def _person_then(self, rest: tuple[str, ...]) -> Typed | None:
        """What was known of the person at the event; the person as it is now, where events do not hold that."""
        own, known = replace(self.scan, persons_on_events=True), f"{self.scan.events}.person_properties"
        found, now = (person_field(scan, self.clock, rest) for scan in (own, replace(own, persons_on_events=False)))
        if found is None or now is None:
            return None
        self.scan.with_persons = True
        if rest == ("properties",):
            return replace(now, sql=f"coalesce({known}::varchar, {now.sql})")
        return replace(found, sql=f"(case when {known} is not null then {found.sql} else {now.sql} end)")

    def star(self) -> tuple[str, ...]:
        return EVENT_STAR

    def known(self) -> tuple[str, ...]:
        return (*EVENT_STAR, "person", "session")

    def tables(self) -> str:
        return self.scan.tables


class Persons(Source):
    """The table `persons`; `pdi` are the distinct ids of each."""

    def __init__(self, alias: str, scan: Scan, clock: Clock) -> None:
        super().__init__(alias)
        self.scan = scan
        self.clock = clock
        self.with_ids = False

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        if chain == ("pdi", "distinct_id"):
            self.with_ids = True
            return Typed(f"{identifier(self.alias + '.pdi')}.distinct_id", "String", False)
        if chain == ("pdi", "person_id"):
            return person_field(self.scan, self.clock, ("id",))
        return person_field(self.scan, self.clock, chain)

    def star(self) -> tuple[str, ...]:
        return ("id", "created_at", "properties", "is_identified")

    def tables(self) -> str:
        ids = identifier(self.alias + ".pdi")
        joined = f" join person_distinct_ids {ids} on {ids}.pid = {self.name}.pid" if self.with_ids else ""
        return f"persons {self.name}{joined}"


class DistinctIds(Source):
    """The tables `person_distinct_ids` and `raw_person_distinct_ids`: which distinct id is which person."""

    def __init__(self, alias: str, scan: Scan, clock: Clock, *, raw: bool = False) -> None:
        super().__init__(alias)
        self.scan = replace(scan, persons_on_events=False)
        self.clock = clock
        self.with_person = False
        self.raw = raw

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        if chain[0] == "person":
            found = person_field(self.scan, self.clock, chain[1:] or ("id",))
            self.with_person |= found is not None
            return found
        if len(chain) != 1 or chain[0] not in DISTINCT_FIELDS:
            return None
        kinds = {"person_id": "UUID", "distinct_id": "String"}
        return Typed(f"{self.name}.{chain[0]}", kinds.get(chain[0], "Int64"), False)

    def star(self) -> tuple[str, ...]:
        return (*DISTINCT_FIELDS[:2], "is_deleted", "version") if self.raw else DISTINCT_FIELDS[:2]

    def tables(self) -> str:
        person = f" join persons {self.scan.persons} on {self.scan.persons}.pid = {self.name}.pid"
        return (
            "(select d.distinct_id, q.pid, q.person_id, 0::bigint as version, 0::bigint as is_deleted"
            f" from person_distinct_ids d join persons q using (pid)) {self.name}{person if self.with_person else ''}"
        )


def person_field(scan: Scan, clock: Clock, chain: tuple[str, ...]) -> Typed | None:
    """A field of the persons that the scan joins."""
    first, *rest = chain
    if first == "properties" and rest:
        kind = scan.catalogue.person_types.get(rest[0]) if len(rest) == 1 else None
        return cast(scan.person_property(*rest), kind, clock)
    if rest:
        return None
    if first in channels.OF_PERSON:
        return Typed(scan.person_property(first), "String")
    if first == "properties":
        return Typed(f"{scan.persons}.properties", "String", False)
    if first not in PERSON_FIELDS:
        return None
    column, kind = PERSON_FIELDS[first]
    sql = f"{scan.persons}.{column}"
    return Typed(MILLISECONDS.format(clock(sql)) if kind == "DateTime" else sql, kind, False)
