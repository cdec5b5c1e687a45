"""Which names a SELECT can use: its sources, its own aliases, lambda arguments, and the common table expressions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.signatures import default_of
from insights_mcp.local.queries.hogql.sources import Source, Typed
from insights_mcp.local.queries.hogql.tree import Node, Window


@dataclass
class Scope:
    """The names of one SELECT, inside those of the query around it."""

    ctes: dict[str, Node] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    aliases: dict[str, Node] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)
    locals: dict[str, Typed] = field(default_factory=dict)
    expanding: set[str] = field(default_factory=set)
    joining: bool = False
    # With totals: what the columns were, and what stands for a key that a total is not grouped by.
    keys: list[str] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    def add(self, source: Source) -> None:
        if source.alias in self.sources:
            raise QueryError(f"Two tables are called `{source.alias}`; give one another alias.", attr="query")
        self.sources[source.alias] = source

    def find(self, chain: tuple[str, ...]) -> Typed:
        """The field that a chain of names leads to. Raises QueryError with the nearest name."""
        first = chain[0]
        if first in self.sources and len(chain) > 1:
            found = self.sources[first].find(chain[1:])
            if found:
                return self._filled(self.sources[first], found)
        matches = [self._filled(source, found) for source in self.sources.values() if (found := source.find(chain))]
        if not matches:
            raise self._unknown(chain)
        return matches[0]

    def _filled(self, source: Source, found: Typed) -> Typed:
        """A column of what an outer join may leave out: its type's default where it does, as ClickHouse joins."""
        if not source.optional or self.joining or found.nullable or default_of(found.type) == "null":
            return found
        return replace(found, sql=f"coalesce({found.sql}, {default_of(found.type)})")

    def _unknown(self, chain: tuple[str, ...]) -> QueryError:
        known = sorted(
            {
                *(alias for alias in self.aliases if alias != chain[-1]),
                *(name for source in self.sources.values() for name in source.known()),
            }
        )
        name = ".".join(chain)
        if chain[-1] in known:  # `person` of events
            text = f"Can't select a table when a column is expected: {name}. Take one of its fields: {name}.id."
            return QueryError(text, "unknown_field", "query")
        near = get_close_matches(chain[-1], known, 1)
        if near:
            hint = f" Did you mean `{near[0]}`?"
        elif "properties" in known:
            hint = f" For a property write properties.{chain[-1]}."
        else:
            hint = f" Known are {', '.join(known[:20])}." if known else " There is no table to take it from."
        return QueryError(f"Unable to resolve field: {name}.{hint}", "unknown_field", "query")

    @contextmanager
    def expanded(self, alias: str) -> Iterator[Node]:
        """What an alias stands for; while it is compiled, its name means the field, not itself."""
        self.expanding.add(alias)
        try:
            yield self.aliases[alias]
        finally:
            self.expanding.discard(alias)
