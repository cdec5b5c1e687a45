"""SQL over results: each is a table, and they are asked here, in a box, not at PostHog."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import parse_qs, unquote

import anyio
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from insights_mcp.answer import FULL, SUMMARY, Answer
from insights_mcp.answer.results import readable
from insights_mcp.diagnosis import NAMES, checked
from insights_mcp.endpoints import insights, queries
from insights_mcp.errors import InvalidInput, QueryFailed, SettingsError
from insights_mcp.handles import ADDRESS, Handle, handle_of
from insights_mcp.text import clean, counted, quoted
from insights_mcp.tools.query_input import Query
from insights_mcp.tools.tool import Tool, Work
from insights_mcp.tools.whole import Found, whole_of

if TYPE_CHECKING:
    from insights_mcp.box.program import Rows

MOST_TABLES = 8
MOST_ROWS = 10_000
MOST_NAMED = 40  # columns in an error
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
SHAPE = 'results are references, as in ["abc12345"], or have names, as in {"signups":"abc12345"}'
INSTALL = "Install it with the embedded backend: pip install 'insights-mcp[local]'. All other tools work without it."


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


class QueryResult(Tool):
    """Ask results in SQL (DuckDB), without computing anew: tables r1, r2 …, a row for each value."""

    title: ClassVar[str] = "Ask results in SQL"
    tabular = True
    uses = (insights.GetInsight,)
    may_use = (queries.RunQuery, insights.ListInsights, *NAMES)

    results: Annotated[
        dict[str, Any],
        BeforeValidator(_named),
        Field(
            description="Insights, result addresses, queries.",
            json_schema_extra={"type": "array", "items": {"type": "string"}},
        ),
    ]
    sql: Annotated[str, Field(description="One SELECT; DESCRIBE r1 names columns.", max_length=20_000)]
    max_tokens: Annotated[int | None, Field(ge=500, le=FULL, description="Size at most.")] = None

    @property
    def budget(self) -> int:
        """The answer's size at most, in tokens."""
        return self.max_tokens or SUMMARY

    async def run(self, work: Work) -> Answer:
        """Fetch what is not at hand, then ask."""
        if find_spec("duckdb") is None:
            raise SettingsError("query_result needs DuckDB, which is not installed.", INSTALL)
        told = [note for item in self.results.values() for note in getattr(item, "notes", ())]
        found = {name: await _found(work, item, told) for name, item in self.results.items()}
        rows = await _asked(found, self.sql)
        result = readable([[_cell(cell) for cell in row] for row in rows.rows[:MOST_ROWS]], rows.columns)
        beyond = len(rows.rows) > MOST_ROWS
        return Answer(
            f"{counted(min(len(rows.rows), MOST_ROWS), 'row')}{' at least' if beyond else ''}.",
            {"tables": {name: _told(each) for name, each in found.items()}},
            result.whole,
            (f"rows beyond {MOST_ROWS:,}; LIMIT and OFFSET reach them",) if beyond else (),
            digest=result.digest,
            notes=(*dict.fromkeys(told), *_unfinished(found, self.sql)),
        )


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
    held = found.whole
    computed = f", computed {held.computed.last_refresh}" if held.computed.last_refresh else ""
    beyond = f"; without {held.beyond}" if held.beyond else ""
    fetched = "" if found.remembered else "; fetched for this"
    return f"{held.name}: {counted(len(held.table.rows), 'row')}{computed}{beyond}{fetched}"


def _unfinished(found: Mapping[str, Found], sql: str) -> tuple[str, ...]:
    """Which tables hold buckets that had not ended, where the SQL does not ask for that."""
    running = [name for name, each in found.items() if "partial" not in sql.lower() and each.whole.table.unfinished]
    return (
        (f"{', '.join(running)}: the rows where partial is true are of buckets that had not ended.",) if running else ()
    )


async def _asked(found: Mapping[str, Found], sql: str) -> Rows:
    """The rows; when nobody waits for them any more, the process that makes them is killed."""
    from insights_mcp.box.program import Failed, Interrupted, TooBig, TookTooLong
    from insights_mcp.box.selects import select

    cancelled = threading.Event()

    def ask() -> Rows:
        tables = {name: each.whole.table for name, each in found.items()}
        return select(tables, sql, limit=MOST_ROWS + 1, cancelled=cancelled)

    try:
        return await anyio.to_thread.run_sync(ask, abandon_on_cancel=True)
    except TookTooLong as error:
        raise QueryFailed(f"The SQL ran longer than {error.args[0]:.0f} seconds.", "Ask for less.") from None
    except TooBig:
        raise QueryFailed("The SQL needs more memory than it may have, or gives too much.", "Ask for less.") from None
    except (Failed, Interrupted) as error:
        raise InvalidInput(_reason(str(error)), f"Tables: {_columns(found)}.") from None
    finally:
        cancelled.set()


def _reason(message: str) -> str:
    """What the engine says, without its drawing of the place, and without folders of this machine."""
    told = re.split(r"\n+LINE \d+:", message)[0]
    told = re.sub(re.escape(tempfile.gettempdir()) + r"\S*", "…", told)
    return clean(re.sub(r"^(\w+ )+Error: ", "", told), 400)


def _columns(found: Mapping[str, Found]) -> str:
    told = []
    for name, each in found.items():
        table = each.whole.table
        pairs = list(zip(table.columns, table.types, strict=True))
        named = ", ".join(f"{quoted(column, 60)} {kind}" for column, kind in pairs[:MOST_NAMED])
        told.append(f"{name} ({named}{', …' if len(pairs) > MOST_NAMED else ''})")
    return "; ".join(told)


def _cell(value: Any) -> Any:
    """A value of the engine as JSON has it."""
    if isinstance(value, list | tuple):
        return [_cell(item) for item in value]
    if isinstance(value, dict):
        return {str(_cell(key)): _cell(item) for key, item in value.items()}
    return next((tell(value) for kind, tell in CELLS if isinstance(value, kind)), value)


def _decimal(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


CELLS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((bool, int, float, str, type(None)), lambda value: value),
    (datetime, lambda value: value.isoformat(" ").removesuffix(" 00:00:00")),
    (date, date.isoformat),
    (Decimal, _decimal),
    (bytes, bytes.hex),
    (object, str),
)
