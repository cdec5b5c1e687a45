"""SQL text and the values bound to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from insights_mcp.local.events import Catalogue
from insights_mcp.local.layout import column_of, pointer


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
    values: list[Any] = field(default_factory=list)
    with_persons: bool = False

    def bind(self, value: Any) -> str:
        """Give a value to the statement; returns the name that stands for it."""
        self.values.append(value)
        return f"$p{len(self.values)}"

    def event_property(self, key: str) -> str:
        """The text of an event's property, or NULL."""
        return f"e.{column_of(key)}" if key in self.catalogue.columns else f"(e.properties ->> {self.bind(pointer(key))})"

    def person_property(self, key: str) -> str:
        """The text of a property of the person, as it is now, or NULL."""
        self.with_persons = True
        return f"(p.properties ->> {self.bind(pointer(key))})"

    @property
    def tables(self) -> str:
        """What to read FROM. Ask last, when it is known what is needed."""
        return "events e" + (" join persons p on p.pid = e.pid" if self.with_persons else "")

    def statement(self, text: str) -> Sql:
        """The text with all that was bound."""
        return Sql(text, {f"p{number}": value for number, value in enumerate(self.values, start=1)})
