"""Recordings of sessions as a table of HogQL, with the session, the person and the events of each."""

from __future__ import annotations

from dataclasses import replace

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries.hogql.people import DistinctIds, Events
from insights_mcp.local.queries.hogql.sources import Clock, Source, Typed
from insights_mcp.local.queries.hogql.tables import Beside, Sessions
from insights_mcp.local.queries.sql import Scan


class Recordings(Beside):
    """`session_replay_events`: what the snapshots among the events say of each recorded session."""

    SNAPSHOTS = ("$snapshot", "$snapshot_items")
    FIELDS = {
        "session_id": ("", "String"),
        "distinct_id": ("arg_min(distinct_id, timestamp)", "String"),
        **dict.fromkeys(("start_time", "min_first_timestamp"), ("min(timestamp)", "DateTime")),
        **dict.fromkeys(("end_time", "max_last_timestamp"), ("max(timestamp)", "DateTime")),
    }

    def __init__(self, alias: str, scan: Scan, clock: Clock) -> None:
        super().__init__(alias)
        self.scan = scan.inner("e")
        self.clock = clock
        inner = replace(scan.inner(identifier(f"{alias}.events")), persons=identifier(f"{alias}.person"))
        self.beside = {
            "session": Sessions(f"{alias}.session", scan, clock),
            "pdi": DistinctIds(f"{alias}.pdi", inner, clock),
            "events": Events(f"{alias}.events", replace(inner, persons=identifier(f"{alias}.events.person")), clock),
        }
        self.joined: dict[str, Source] = {}

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        if len(chain) > 1:
            return self._beside(("pdi", *chain) if chain[0] == "person" else chain)
        if chain[0] not in self.FIELDS:
            return None
        kind = self.FIELDS[chain[0]][1]
        found = self.use(chain[0], Typed("", kind, False))
        return replace(found, sql=self.clock(found.sql)) if kind == "DateTime" else found

    def _beside(self, chain: tuple[str, ...]) -> Typed | None:
        """A field of the recording's session, of its person, or of the events of its session."""
        source = self.beside.get(chain[0])
        found = source.field(chain[1:]) if source else None
        if source is None or found is None:
            return None
        self.joined[chain[0]] = source
        if chain[0] == "pdi":
            self.use("distinct_id", Typed(""))
        return replace(found, nullable=True)

    def tables(self) -> str:
        if not self.joined:
            return super().tables()
        joins = "".join(
            f" {'left ' if name == 'session' else ''}join {_bracketed(source.tables())} on {self._on(name)}"
            for name, source in self.joined.items()
        )
        return f"({super().tables()}{joins})"

    def _on(self, name: str) -> str:
        own = self.beside[name].name
        if name == "pdi":
            return f"{own}.distinct_id = {self.name}.distinct_id"
        if name == "session":
            return f"{own}.session_id = {self.name}.session_id"
        events = self.beside["events"]
        assert isinstance(events, Events)
        shown = self.scan.bind(list(self.SNAPSHOTS))
        session = events.scan.event_property("$session_id")
        return f"{session} = {self.name}.session_id and {own}.event not in (select unnest({shown}::varchar[]))"

    def star(self) -> tuple[str, ...]:
        return ("session_id", "distinct_id", "start_time", "end_time")

    def text(self) -> str:
        session = self.scan.event_property("$session_id")
        facts = "".join(f", {self.FIELDS[n][0]} as {identifier(n)}" for n in self.used if n != "session_id")
        shown = self.scan.bind(list(self.SNAPSHOTS))
        return (
            f"select {session} as session_id{facts} from events e where e.event in"
            f" (select unnest({shown}::varchar[])) and {session} is not null group by 1"
        )


def _bracketed(tables: str) -> str:
    return f"({tables})" if " join " in tables else tables
