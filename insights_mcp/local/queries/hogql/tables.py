"""Tables beside events and persons: sessions, groups, who is in a cohort, which distinct id is which person.

Each is written as a subquery of the columns that a query uses and no others.
"""

from __future__ import annotations

from dataclasses import replace

from insights_mcp.local.layout import identifier, pointer
from insights_mcp.local.queries import sessions
from insights_mcp.local.queries.cohorts import members
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.people import OLD
from insights_mcp.local.queries.hogql.sources import Clock, Source, Typed, cast, session_type
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.sql import Scan

HIDDEN = ("id", "$exit_current_url", "$exit_pathname", "$exit_hostname")


class Beside(Source):
    """A table of which only the columns used are read."""

    def __init__(self, alias: str) -> None:
        super().__init__(alias)
        self.used: dict[str, None] = {}

    def use(self, column: str, typed: Typed) -> Typed:
        """A column, remembered; its type is given."""
        self.used[column] = None
        return replace(typed, sql=f"{self.name}.{identifier(column)}")

    def tables(self) -> str:
        return f"({self.text()}) {self.name}"

    def text(self) -> str:
        """SQL: the columns that are used."""
        raise NotImplementedError


class Sessions(Beside):
    """`sessions`, and `session.` of events."""

    def __init__(self, alias: str, scan: Scan, clock: Clock) -> None:
        super().__init__(alias)
        self.scan = scan.inner("e")
        self.clock = clock
        self.bounce = sessions.BOUNCE_SECONDS

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        if len(chain) != 1:
            return None
        name = OLD.get(chain[0], chain[0])
        if name in ("session_id", "id"):
            return Typed(f"{self.name}.session_id", "String", False)
        typed = Typed("") if name == "distinct_id" else session_type(name)
        if typed is None:
            return None
        found = self.use(name, typed)
        return replace(found, sql=self.clock(found.sql)) if typed.type == "DateTime" else found

    def star(self) -> tuple[str, ...]:
        return ("session_id", "distinct_id", *(name for name in sessions.FIELDS if name not in HIDDEN))

    def text(self) -> str:
        keys = [name for name in self.used if name != "distinct_id"]
        found = sessions.table(keys, self.scan.event_property, self.bounce)
        who = ", arg_max(distinct_id, timestamp) as distinct_id" if "distinct_id" in self.used else ""
        return found.replace(" from events e ", f"{who} from events e ", 1)


class SessionScan(Scan):
    """Property filters on the table `sessions`: its own facts only."""

    source: Sessions

    def session_property(self, key: str) -> str:
        found = self.source.field((sessions.checked(key),))
        assert found
        return f"{found.sql}::varchar"

    def event_property(self, *keys: str) -> str:
        raise QueryError("On `sessions`, {filters} takes properties of type 'session' only.", attr="filters")

    def person_property(self, *keys: str) -> str:
        return self.event_property(*keys)

    def group_property(self, number: int, *keys: str) -> str:
        return self.event_property(*keys)


def session_filters(source: Sessions, context: Context) -> Filters:
    """Filters over the table `sessions`."""
    scan = SessionScan(source.scan.catalogue, source.scan.values, events=source.name)
    scan.source = source
    return Filters(scan, context)


class RawSessions(Beside):
    """`raw_sessions`: what is known of each session, and states of `uniq`."""

    STATES = {"pageview_uniq": "$pageview", "autocapture_uniq": "$autocapture", "screen_uniq": "$screen"}
    FIELDS = {
        "min_timestamp": ("$start_timestamp", "DateTime"),
        "max_timestamp": ("$end_timestamp", "DateTime"),
        "urls": ("$urls", "SimpleAggregateFunction(groupUniqArrayArray, Array(String))"),
        "distinct_id": ("distinct_id", "String"),
    }

    def __init__(self, alias: str, scan: Scan, clock: Clock) -> None:
        super().__init__(alias)
        self.sessions = Sessions(alias, scan, clock)

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        if chain == ("session_id",):
            return self.sessions.field(chain)
        if len(chain) == 1 and chain[0] in self.STATES:
            return self.use(chain[0], Typed("", "AggregateFunction(uniq, UUID)", False))
        if len(chain) != 1 or chain[0] not in self.FIELDS:
            return None
        name, kind = self.FIELDS[chain[0]]
        found = self.sessions.field((name,))
        return replace(found, type=kind, nullable=False) if found else None

    def star(self) -> tuple[str, ...]:
        return ("min_timestamp", "max_timestamp", "urls")

    def text(self) -> str:
        states = "".join(
            f", coalesce(list(distinct uuid) filter (event = '{self.STATES[name]}'), []) as {name}"
            for name in self.used
        )
        return self.sessions.text().replace(" from events e ", f"{states} from events e ", 1)


class Groups(Source):
    """`groups`: organizations, projects and other things that events belong to."""

    FIELDS = {
        "index": ("group_type_index", "UInt8"),
        "group_type_index": ("group_type_index", "UInt8"),
        "key": ("group_key", "String"),
        "group_key": ("group_key", "String"),
        "created_at": ("created_at", "DateTime"),
        "updated_at": ("properties_at", "DateTime"),
        "properties": ("properties", "String"),
    }

    def __init__(self, alias: str, scan: Scan, clock: Clock) -> None:
        super().__init__(alias)
        self.scan = scan
        self.clock = clock

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        first, *rest = chain
        if first == "properties" and rest:
            kinds = {k for (_, n), k in self.scan.catalogue.group_property_types.items() if n == rest[0]}
            kind = kinds.pop() if len(kinds) == 1 and len(rest) == 1 else None
            path = self.scan.bind("/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in rest))
            return cast(f"({self.name}.properties ->> {path})", kind, self.clock)
        if rest or first not in self.FIELDS:
            return None
        column, kind = self.FIELDS[first]
        sql = f"{self.name}.{column}"
        if first.endswith("index"):
            return Typed(f"{sql}::bigint", "Int64", False, exact=kind)
        return Typed(self.clock(sql) if kind == "DateTime" else sql, kind, kind == "DateTime")

    def star(self) -> tuple[str, ...]:
        return ("index", "key", "created_at", "updated_at", "properties")

    def tables(self) -> str:
        return f"groups {self.name}"


class GroupScan(Scan):
    """Property filters on the table `groups`: what is known of the group only."""

    def group_property(self, number: int, *keys: str) -> str:
        return f"({self.events}.properties ->> {self.bind(pointer(*keys))})"

    def event_property(self, *keys: str) -> str:
        raise QueryError("On `groups`, {filters} takes properties of type 'group' only.", attr="filters")

    def person_property(self, *keys: str) -> str:
        return self.event_property(*keys)


def group_filters(source: Groups, context: Context) -> Filters:
    """Filters over the table `groups`."""
    return Filters(GroupScan(source.scan.catalogue, source.scan.values, events=source.name), context)


class CohortPeople(Source):
    """`cohort_people` and `static_cohort_people`: who is in which cohort."""

    KINDS = {"person_id": "UUID", "cohort_id": "Int64", "version": "Int64", "sign": "Int64"}

    def __init__(self, alias: str, scan: Scan, context: Context, static: bool) -> None:
        super().__init__(alias)
        self.context = context
        self.scan = scan
        self.static = static

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        if len(chain) != 1 or chain[0] not in self.KINDS:
            return None
        return Typed(f"{self.name}.{chain[0]}", self.KINDS[chain[0]], False)

    def star(self) -> tuple[str, ...]:
        return ("person_id", "cohort_id")

    def tables(self) -> str:
        filters = Filters(self.scan.inner("e"), self.context)
        parts = [
            f"select pid, {cohort.id}::bigint as cohort_id from ({members(cohort, filters)})"
            for cohort in self.context.project.cohorts.values()
            if cohort.is_static or not self.static
        ] or ["select null::uinteger as pid, null::bigint as cohort_id where false"]
        return (
            "(select q.person_id, c.cohort_id, 0::bigint as version, 1::bigint as sign"
            f" from ({' union all '.join(parts)}) c join persons q using (pid)) {self.name}"
        )
