"""What data there is to ask about: events, their properties, the values those take; actions and cohorts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from insights_mcp.answer import Answer, Table
from insights_mcp.answer.asked import instant
from insights_mcp.diagnosis import unlisted
from insights_mcp.endpoints import definitions
from insights_mcp.errors import InvalidInput
from insights_mcp.schema.definitions import ActionDefinition
from insights_mcp.stories.activity import moment
from insights_mcp.text import counted, quoted
from insights_mcp.tools.tool import Tool, Within, Work

MORE = "discover_data(…, offset={offset})"
SEARCH_LESS = ("Without search, all are listed.",)


class DiscoverData(Tool):
    """Names for queries: events, actions, cohorts; properties of events or persons; values of an event property."""

    title: ClassVar[str] = "Discover data"
    tabular = True
    uses = (definitions.ListEventDefinitions,)
    may_use = (
        definitions.ListPropertyDefinitions,
        definitions.ListPropertyValues,
        definitions.ListActions,
        definitions.ListCohorts,
    )

    kind: Annotated[
        Literal["events", "properties", "values", "actions", "cohorts"], Field(description="What to list.")
    ] = "events"
    event: Annotated[str | None, Field(description="For properties and values: of this event.")] = None
    property: Annotated[str | None, Field(description="For values: of this property.")] = None
    of: Annotated[Literal["event", "person", "session"], Field(description="Whose properties.")] = "event"
    search: Annotated[str | None, Field(max_length=200, description="Part of the name or value.")] = None
    limit: Annotated[int, Within(1, 200), Field(description="Rows per page.")] = 50
    offset: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0

    async def run(self, work: Work) -> Answer:
        """One page of what was asked for."""
        listed = {
            "events": self._events,
            "properties": self._properties,
            "values": self._values,
            "actions": self._actions,
            "cohorts": self._cohorts,
        }
        return await listed[self.kind](work)

    async def _events(self, work: Work) -> Answer:
        call = definitions.ListEventDefinitions(search=self.search, limit=self.limit, offset=self.offset)
        page = await work.client.send(call)
        rows = [[e.name, _minute(e.last_seen_at), e.description] for e in page.results]
        table = _listed(("event", "last seen (UTC)", "description"), rows, self.offset, page.count)
        return Answer(
            f"{counted(table.size, 'event')}.",
            table=table,
            more=MORE,
            next=("kind='properties' with event=… goes on.",) if rows else SEARCH_LESS if self.search else (),
            notes=() if rows or self.offset else await unlisted(work.client, search=self.search),
        )

    async def _properties(self, work: Work) -> Answer:
        of_event = self.event is not None and self.of == "event"
        call = definitions.ListPropertyDefinitions(
            type=self.of,
            search=self.search,
            event_names=[self.event] if of_event and self.event else None,
            filter_by_event_names=True if of_event else None,
            limit=self.limit,
            offset=self.offset,
        )
        page = await work.client.send(call)
        rows = [[p.name, p.property_type, p.description] for p in page.results]
        table = _listed(("property", "type", "description"), rows, self.offset, page.count)
        whose = f"event {quoted(self.event)}" if of_event else f"{self.of}s"
        event = self.event if of_event else None
        why = () if rows or self.offset else await unlisted(work.client, self.of, event=event, search=self.search)
        found = f"{table.size} {'property' if table.size == 1 else 'properties'} of {whose}."
        return Answer(found, table=table, more=MORE, notes=why)

    async def _values(self, work: Work) -> Answer:
        if not self.property or not self.event:
            raise InvalidInput("Values are those of an event's property.", "Give property and event.")
        if self.of != "event":
            raise InvalidInput(
                f"Values of {self.of} properties cannot be listed.",
                f"Use run_query: select properties.{self.property}, count() from {self.of}s group by 1.",
            )
        call = definitions.ListPropertyValues(key=self.property, event_name=[self.event], value=self.search)
        page = await work.client.send(call)
        counted = any(value.count is not None for value in page.results)
        rows = [[v.name, v.count] if counted else [v.name] for v in page.results]
        said = f"Values of {quoted(self.property)} on {quoted(self.event)}, the ten most frequent at most: {len(rows)}."
        table = Table(("value", "count") if counted else ("value",), rows)
        of = {"event": self.event, "name": self.property, "search": self.search}
        return Answer(said, table=table, notes=() if rows else await unlisted(work.client, "event", **of))

    async def _actions(self, work: Work) -> Answer:
        call = definitions.ListActions(search=self.search, limit=self.limit, offset=self.offset)
        page = await work.client.send(call)
        found, size = page.results, page.count
        if size is None:  # all of them, whatever was asked
            named = [each for each in found if (self.search or "").casefold() in (each.name or "").casefold()]
            found, size = named[self.offset : self.offset + self.limit], len(named)
        rows = [[each.id, each.name, _events_of(each), each.description] for each in found]
        return Answer(
            f"{counted(size, 'action')}.",
            table=_listed(("id", "action", "events", "description"), rows, self.offset, size),
            more=MORE,
            next=('{"kind":"ActionsNode","id":…} counts one.',) if rows else (),
        )

    async def _cohorts(self, work: Work) -> Answer:
        page = await work.client.send(definitions.ListCohorts(search=self.search, limit=self.limit, offset=self.offset))
        rows = [[each.id, each.name, each.count, each.description] for each in page.results]
        table = _listed(("id", "cohort", "people", "description"), rows, self.offset, page.count)
        return Answer(
            f"{counted(table.size, 'cohort')}.",
            table=table,
            more=MORE,
            next=('{"key":"id","type":"cohort","value":…} is a filter by one.',) if rows else (),
        )


def _listed(columns: tuple[str, ...], rows: list[list[Any]], offset: int, held: int | None) -> Table:
    """A page; without the descriptions, the last column, where nothing has one."""
    if any(row[-1] for row in rows):
        return Table(columns, rows, offset, held)
    return Table(columns[:-1], [row[:-1] for row in rows], offset, held)


def _minute(text: str | None) -> str | None:
    """A moment of the API to the minute, in UTC."""
    return moment(instant(text)) or text


def _events_of(action: ActionDefinition) -> str:
    """The names of the events that its steps are about."""
    names = [str(step.get("event") or "any event") for step in action.steps or ()]
    return ", ".join(dict.fromkeys(names))
