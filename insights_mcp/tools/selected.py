"""SQL over whole results: asked here, in a box, and what it gives as a result of its own, with a handle of its own."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import anyio

from insights_mcp.answer.flat import Flat
from insights_mcp.errors import InvalidInput, QueryFailed, SettingsError
from insights_mcp.handles import Handle
from insights_mcp.schema.query import QueryResponse
from insights_mcp.text import clean, quoted

if TYPE_CHECKING:
    from insights_mcp.box.program import Rows

KIND = "ResultQuery"  # of the query in a handle; PostHog has none of this name
MOST_ROWS = 10_000
MOST_NAMED = 40  # columns in an error
MOST_NESTED = 4  # results of results
INSTALL = "Install it with the embedded backend: pip install 'insights-mcp[local]'. All other tools work without it."
BROKEN = InvalidInput("The handle holds no SQL over results.", "Take it from the answer as it is.")


def query_of(handles: Mapping[str, Handle], sql: str) -> dict[str, Any]:
    """What the SQL asks, with all that is needed to ask it again."""
    return {"kind": KIND, "results": {name: _held(handle) for name, handle in handles.items()}, "sql": sql}


def _held(handle: Handle) -> dict[str, Any]:
    if handle.query is not None:
        return {"query": handle.query}
    options = {} if handle.from_dashboard is None else {"from_dashboard": handle.from_dashboard}
    return {"ref": handle.reference, **options}


def handles_of(query: dict[str, Any]) -> dict[str, Handle]:
    """The results that are asked, by the names they have in the SQL. InvalidInput for what no answer held."""
    results = query.get("results")
    if not isinstance(results, dict) or not isinstance(query.get("sql"), str) or _nested(query) > MOST_NESTED:
        raise BROKEN
    return {str(name): _handle(item) for name, item in results.items()}


def _handle(item: Any) -> Handle:
    held = item if isinstance(item, dict) else {}
    query, ref, dashboard = (held.get(name) for name in ("query", "ref", "from_dashboard"))
    if isinstance(query, dict):
        return Handle(query=query)
    if not isinstance(ref, str) or not isinstance(dashboard, int | None):
        raise BROKEN
    return Handle(ref, dashboard)


def _nested(query: dict[str, Any]) -> int:
    """How many results of results are in it; more than are allowed are not counted."""
    depth, layer = 0, [query]
    while layer and depth <= MOST_NESTED:
        depth += 1
        inner = [item for each in layer for item in _values(each.get("results")) if isinstance(item, dict)]
        layer = [q for item in inner if isinstance(q := item.get("query"), dict) and q.get("kind") == KIND]
    return depth


def _values(results: Any) -> list[Any]:
    return list(results.values()) if isinstance(results, dict) else []


async def selected(tables: Mapping[str, Flat], sql: str) -> QueryResponse:
    """What the SQL gives; `hasMore` when that is more than may be."""
    if find_spec("duckdb") is None:
        raise SettingsError("query_result needs DuckDB, which is not installed.", INSTALL)
    found = await _asked(tables, sql)
    rows = [[_cell(cell) for cell in row] for row in found.rows[:MOST_ROWS]]
    return QueryResponse(results=rows, columns=list(found.columns), hasMore=len(found.rows) > MOST_ROWS)


async def _asked(tables: Mapping[str, Flat], sql: str) -> Rows:
    """The rows; when nobody waits for them any more, the process that makes them is killed."""
    from insights_mcp.box.program import Failed, Interrupted, TooBig, TookTooLong
    from insights_mcp.box.selects import select

    cancelled = threading.Event()
    try:
        return await anyio.to_thread.run_sync(
            lambda: select(tables, sql, limit=MOST_ROWS + 1, cancelled=cancelled), abandon_on_cancel=True
        )
    except TookTooLong as error:
        raise QueryFailed(f"The SQL ran longer than {error.args[0]:.0f} seconds.", "Ask for less.") from None
    except TooBig:
        raise QueryFailed("The SQL needs more memory than it may have, or gives too much.", "Ask for less.") from None
    except (Failed, Interrupted) as error:
        raise InvalidInput(_reason(str(error)), f"Tables: {_columns(tables)}.") from None
    finally:
        cancelled.set()


def _reason(message: str) -> str:
    """What the engine says, without its drawing of the place, and without folders of this machine."""
    told = re.split(r"\n+LINE \d+:", message)[0]
    told = re.sub(re.escape(tempfile.gettempdir()) + r"\S*", "…", told)
    return clean(re.sub(r"^(\w+ )+Error: ", "", told), 400)


def _columns(tables: Mapping[str, Flat]) -> str:
    told = []
    for name, table in tables.items():
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
