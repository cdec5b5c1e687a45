"""SQL text and the values bound to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from insights_mcp.local.events import Catalogue
from insights_mcp.local.layout import column_of, identifier, pointer
from insights_mcp.local.queries import channels, sessions

# A property that no event carries: the catalogue is complete, so nothing need be read.
NOWHERE = "null::varchar"
NAMED = re.compile(r"\$(p\d+)")
NUMBER = "try_cast({0} as double)"
TRUTH = "(case {0} when 'true' then 1.0 when 'false' then 0.0 end)::double"


@dataclass(frozen=True)
class Sql:
    """A statement: text with `$p1`, `$p2` … and their values."""

    text: str
    parameters: dict[str, Any]


@dataclass
class Scan:
    """A pass over events: turns columns and properties into SQL, binds values, knows which tables it needs.

    The one place that says how a property is reached: a column for frequent keys, JSON for others, a join for persons,
    groups and sessions. `actor` is who counts as one user.
    """

    catalogue: Catalogue
    values: dict[tuple[type, Any], tuple[str, Any]] = field(default_factory=dict)
    with_persons: bool = False
    events: str = "e"
    persons: str = "p"
    persons_on_events: bool = False
    by_distinct_id: bool = False
    groups: set[int] = field(default_factory=set)
    session_fields: set[str] = field(default_factory=set)

    @property
    def actor(self) -> str:
        """SQL: who did the event, as one user is counted in the project."""
        return f"{self.events}.{'distinct_id' if self.by_distinct_id else 'pid'}"

    def inner(self, name: str) -> Scan:
        """Another pass over events, inside this statement; `name` is its own."""
        return replace(
            self, with_persons=False, events=name, persons=name + "_p", groups=set(), session_fields=set()
        )  # fmt: skip

    def bind(self, value: Any) -> str:
        """Give a value to the statement; returns the name that stands for it. Equal values share one, so that equal
        expressions have equal text."""
        key = (type(value), repr(value) if isinstance(value, list) else value)
        name, _ = self.values.setdefault(key, (f"p{len(self.values) + 1}", value))
        return f"${name}"

    def event_property(self, *keys: str) -> str:
        """The text of an event's property (or of a key within it), or NULL."""
        if keys[0] not in self.catalogue.event_types:
            return NOWHERE
        if len(keys) == 1 and keys[0] in self.catalogue.columns:
            return f"{self.events}.{column_of(keys[0])}"
        return f"({self.events}.properties ->> {self.bind(pointer(*keys))})"

    def person_property(self, *keys: str) -> str:
        """The text of a property of the person, as it is now (or was then, where the project says so), or NULL."""
        if len(keys) == 1 and keys[0] in channels.OF_PERSON:
            return channels.of_person(keys[0], self.person_property)
        if self.persons_on_events:
            return f"({self.events}.person_properties ->> {self.bind(pointer(*keys))})"
        if keys[0] not in self.catalogue.person_types:
            return NOWHERE
        self.with_persons = True
        return f"({self.persons}.properties ->> {self.bind(pointer(*keys))})"

    def group_key(self, number: int) -> str:
        """The key of the event's group of a type, or NULL."""
        if f"$group_{number}" in self.catalogue.event_types:
            return self.event_property(f"$group_{number}")
        name = self.catalogue.group_types.get(number)
        return self.event_property("$groups", name) if name else NOWHERE

    def group_property(self, number: int, *keys: str) -> str:
        """The text of a property of the event's group of a type, or NULL."""
        if (number, keys[0]) not in self.catalogue.group_property_types:
            return NOWHERE
        self.groups.add(number)
        return f"({self._beside(f'g{number}')}.properties ->> {self.bind(pointer(*keys))})"

    def session_property(self, key: str) -> str:
        """The text of a fact about the event's session (see sessions.FIELDS), or NULL. No session is one of nothing."""
        self.session_fields.add(key)
        field = f"{self._beside('s')}.{identifier(key)}"
        return f"coalesce({field}, 0)::varchar" if key in sessions.COUNTED else f"{field}::varchar"

    def number(self, owner: Literal["event", "person", "session"], key: str) -> str:
        """SQL: a property as a number, or NULL; yes is 1, and no is 0."""
        if owner == "session":
            text, kind = self.session_property(key), sessions.FIELDS[key][2] if key in sessions.FIELDS else None
        elif owner == "person":
            text, kind = self.person_property(key), self.catalogue.person_types.get(key)
        else:
            text, kind = self.event_property(key), self.catalogue.event_types.get(key)
        return (TRUTH if kind == "Boolean" else NUMBER).format(text)

    def _beside(self, name: str) -> str:
        """The name of a table that is joined to events."""
        return name if self.events == "e" else identifier(f"{self.events.strip(chr(34))}.{name}")

    @property
    def tables(self) -> str:
        """What to read FROM. Ask last, when it is known what is needed."""
        e, p = self.events, self.persons
        joins = [f" join persons {p} on {p}.pid = {e}.pid"] if self.with_persons else []
        for number in sorted(self.groups):
            g = self._beside(f"g{number}")
            joins.append(
                f" left join groups {g} on {g}.group_type_index = {number} and {g}.group_key = {self.group_key(number)}"
            )
        if self.session_fields:
            s, inner = self._beside("s"), self.inner("e")
            table = sessions.table(sorted(self.session_fields), inner.event_property)
            joins.append(f" left join ({table}) {s} on {s}.session_id = {self.event_property('$session_id')}")
        return f"events {e}" + "".join(joins)

    def statement(self, text: str) -> Sql:
        """The text with what it names of all that was bound."""
        named = set(NAMED.findall(text))
        return Sql(text, {name: value for name, value in self.values.values() if name in named})
