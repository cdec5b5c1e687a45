"""SQL text and the values bound to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from insights_mcp.local.events import Catalogue
from insights_mcp.local.layout import column_of, pointer

# A property that no event carries: the catalogue is complete, so nothing need be read.
NOWHERE = "null::varchar"
NAMED = re.compile(r"\$(p\d+)")


@dataclass(frozen=True)
class Sql:
    """A statement: text with `$p1`, `$p2` … and their values."""

    text: str
    parameters: dict[str, Any]


@dataclass
class Scan:
    """A pass over events: turns columns and properties into SQL, binds values, knows which tables it needs.

    The one place that says how a property is reached: a column for frequent keys, JSON for others, a join for persons.
    """

    catalogue: Catalogue
    values: dict[tuple[type, Any], tuple[str, Any]] = field(default_factory=dict)
    with_persons: bool = False
    events: str = "e"
    persons: str = "p"

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
        """The text of a property of the person, as it is now, or NULL."""
        if keys[0] not in self.catalogue.person_types:
            return NOWHERE
        self.with_persons = True
        return f"({self.persons}.properties ->> {self.bind(pointer(*keys))})"

    @property
    def tables(self) -> str:
        """What to read FROM. Ask last, when it is known what is needed."""
        e, p = self.events, self.persons
        return f"events {e}" + (f" join persons {p} on {p}.pid = {e}.pid" if self.with_persons else "")

    def statement(self, text: str) -> Sql:
        """The text with what it names of all that was bound."""
        named = set(NAMED.findall(text))
        return Sql(text, {name: value for name, value in self.values.values() if name in named})
