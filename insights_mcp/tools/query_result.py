"""SQL over results: each is a table, and they are asked here, in a box, not at PostHog."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qs, unquote

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from insights_mcp.answer import Answer
from insights_mcp.answer.results import readable
from insights_mcp.diagnosis import CHECKS, checked
from insights_mcp.endpoints import insights, queries
from insights_mcp.handles import ADDRESS, Handle, handle_of
from insights_mcp.schema.query import QueryResponse
from insights_mcp.text import clean, counted
from insights_mcp.tools.insight_facts import asked, source_line
from insights_mcp.tools.picture import Drawable, Subject
from insights_mcp.tools.query_input import Query
from insights_mcp.tools.selected import MOST_ROWS, query_of, selected
from insights_mcp.tools.tool import Work
from insights_mcp.tools.whole import Found, addresses, whole_links, whole_of

MOST_TABLES = 8
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
SHAPE = 'results are references, as in ["abc12345"], or have names, as in {"signups":"abc12345"}'
COMPUTED = "computed here, from the tables above"


def _named(value: Any) -> Any:
    """References by table name; those without names are r1, r2 and so on. ValueError says what is wrong."""
    if isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("kind"), str)):
        value = [value]
    if isinstance(value, list):
        value = {f"r{place}": item for place, item in enumerate(value, 1)}
    if not isinstance(value, dict) or not 1 <= len(value) <= MOST_TABLES:
        raise ValueError(f"{SHAPE}; 1 to {MOST_TABLES} of them")
    for name in value:
        if not NAME.fullmatch(str(name)):
            raise ValueError(f"'{clean(name, 60)}' is no name of a table: letters, digits and _")
    if len({name.casefold() for name in value}) < len(value):
        raise ValueError("two tables have the same name")
    return {name: _reference(item) for name, item in value.items()}


def _reference(item: Any) -> Any:
    """A query as an object or as JSON text; anything else as the reference it is."""
    if isinstance(item, dict) or (isinstance(item, str) and item.lstrip().startswith("{")):
        return _query(item)
    if isinstance(item, bool) or not isinstance(item, str | int):
        raise ValueError(SHAPE)
    return str(item)


def _query(item: Any) -> Any:
    try:
        return TypeAdapter(Query).validate_python(item)
    except ValidationError as error:
        raise ValueError(error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")) from None


class QueryResult(Drawable):
    """Ask results in SQL (DuckDB), without computing anew: tables r1, r2 …, a row for each value."""

    title: ClassVar[str] = "Ask results in SQL"
    uses = (insights.GetInsight,)
    may_use = (queries.RunQuery, insights.ListInsights, *CHECKS)

    results: Annotated[
        dict[str, Any],
        BeforeValidator(_named),
        Field(
            description="Insights, result addresses, queries.",
            json_schema_extra={"type": "array", "items": {"type": "string"}},
        ),
    ]
    sql: Annotated[str, Field(description="One SELECT; DESCRIBE r1 names columns.", max_length=20_000)]

    async def run(self, work: Work) -> Answer:
        """Fetch what is not at hand, then ask."""
        told = [note for item in self.results.values() for note in getattr(item, "notes", ())]
        found = {name: await _found(work, item, told) for name, item in self.results.items()}
        reply = await selected({name: each.whole.table for name, each in found.items()}, self.sql)
        result = readable(reply.results, reply.columns)
        asked_again = query_of({name: each.whole.handle for name, each in found.items()}, self.sql)
        links, unlinked = await whole_links(work, None, reply, asked_again, result)
        beyond = (f"rows beyond {MOST_ROWS:,}; LIMIT and OFFSET reach them",) if reply.hasMore else ()
        answer = Answer(
            f"{counted(len(reply.results), 'row')}{' at least' if reply.hasMore else ''}.",
            {"tables": {name: _told(each) for name, each in found.items()}},
            result.whole,
            (*beyond, *addresses(links), *unlinked),
            more="query_result(…, sql='… OFFSET {offset}')",
            digest=result.digest,
            provenance=COMPUTED,
            notes=(*dict.fromkeys(told), *_unfinished(found, self.sql)),
            links=links,
        )
        return await self.with_drawing(answer, _subject(reply, found))


def _subject(reply: QueryResponse, found: Mapping[str, Found]) -> Subject:
    """What is drawn: when the first table was computed decides which buckets were not over."""
    first = next(iter(found.values())).whole
    of = asked(first.computed, None)
    title = f"SQL over {', '.join(each.whole.name for each in found.values())}"
    return Subject(reply.results, reply.columns, replace(of, date_from=None, has_more=False), title)


async def _found(work: Work, item: Any, told: list[str]) -> Found:
    """The result of a reference. A query that was not run just now is looked through first; `told` gets what was."""
    asked = handle(item, await work.client.project_id())
    if asked.query is not None and isinstance(item, dict) and work.recent.get(asked.key) is None:
        looked_through = await checked(work.client, asked.query)
        told += [*looked_through.told, *looked_through.unknown]
        asked = Handle(query=looked_through.query)
    return await whole_of(work, asked)


def handle(item: Any, project: int) -> Handle:
    """What a reference leads to: a result's address, a handle, a query, or a saved insight by any name."""
    if isinstance(item, dict):
        return Handle(query=item)
    if (address := ADDRESS.fullmatch(item.strip())) is None:
        return handle_of(item.strip(), project)
    dashboard = parse_qs(address["options"] or "").get("from_dashboard", [""])[0]
    return handle_of(unquote(address["ref"]), project, int(dashboard) if dashboard.isdecimal() else None)


def _told(found: Found) -> str:
    """A table in a line: what it is of, and where its numbers come from."""
    held = found.whole
    source = source_line(held.computed, asked(held.computed, held.query), readable([]))
    beyond = f"; without {held.beyond}" if held.beyond else ""
    fetched = "" if found.remembered else "; fetched for this"
    rows = f"{held.name}: {counted(len(held.table.rows), 'row')}"
    return f"{'; '.join(filter(None, (rows, source)))}{beyond}{fetched}"


def _unfinished(found: Mapping[str, Found], sql: str) -> tuple[str, ...]:
    """Which tables hold buckets that had not ended, where the SQL does not ask for that."""
    running = [name for name, each in found.items() if "partial" not in sql.lower() and each.whole.table.unfinished]
    return (
        (f"{', '.join(running)}: the rows where partial is true are of buckets that had not ended.",) if running else ()
    )
