"""A caller's SELECT over tables of values: read by the engine's own parser first, refused or run, always in a box.

Only the tables given can be named, and no function that tells of the engine, its settings or this machine: each part of
the statement is of a kind that is known to be harmless, or the statement is refused.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from insights_mcp.box.boxes import BOXES, Request
from insights_mcp.box.program import NO_CANCEL, Failed, Rows

SECONDS = 30.0
MOST_CHARACTERS = 20_000
MOST_DEPTH = 200
TYPES = {"text": "varchar", "integer": "bigint", "number": "double", "boolean": "boolean", "date": "date",
         "time": "timestamp"}  # fmt: skip
NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
SOURCES = frozenset({"BASE_TABLE", "TABLE_FUNCTION", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "SHOW_REF"})
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
SHOWN = frozenset({"DESCRIBE", "SUMMARY"})
# Of functions that return one value: those that tell of, or change, what is around the query.
TELLING = re.compile(
    r"pg_(?!typeof$).*|duckdb_.*|pragma_.*|read_.*|current_(setting|query.*|connection_id|transaction_id)|getvariable"
    r"|getenv|write_log|sleep.*|nextval|currval|setval|setseed|txid_current|json_(de)?serialize_.*|json_execute_.*|query"
    r"|query_table|version|.*(secret|external_resource|log_message).*|in_search_path|get_block_size|to_aggregate_state"
)
SYSTEM = re.compile(r"(duckdb|pragma|pg|sqlite|information_schema)_?.*", re.IGNORECASE)


class Refused(Failed):
    """The statement is none of those that may run; the message says why."""


class Values(Protocol):
    """A table: names of columns, their types (keys of TYPES), rows. Dates and times are ISO texts."""

    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def types(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Sequence[Sequence[Any]]: ...


def select(
    tables: Mapping[str, Values],
    sql: str,
    *,
    limit: int | None = None,
    seconds: float = SECONDS,
    cancelled: threading.Event = NO_CANCEL,
) -> Rows:
    """The rows a SELECT gives. Raises Refused, Interrupted, TookTooLong, TooBig, Failed."""
    if len(sql) > MOST_CHARACTERS:
        raise Refused(f"The SQL has {len(sql):,} characters; {MOST_CHARACTERS:,} are the most.")
    asked = Request(None, "parsing", "", "select json_serialize_sql($sql)", {"sql": sql}, 1)
    check(BOXES.run(asked, cancelled=cancelled, seconds=seconds).rows[0][0], tables)
    with tempfile.TemporaryDirectory(prefix="insights-mcp-") as folder:
        script = "".join(_loading(Path(folder), place, name, tables[name]) for place, name in enumerate(tables))
        try:
            loaded = Request(None, uuid4().hex, script, sql, {}, limit)
            return BOXES.run(loaded, cancelled=cancelled, seconds=seconds)
        finally:
            BOXES.let_go(None)


def _loading(folder: Path, place: int, name: str, table: Values) -> str:
    """Writes the rows to a file, and gives the statement by which a box loads it before it is closed in."""
    columns = list(table.columns) or ["nothing"]
    types = [TYPES[kind] for kind in table.types] or ["integer"]
    keys = [f"c{n}" for n in range(len(columns))]
    named = ", ".join(
        f"{key}::{kind} as {_quoted(column)}" for key, kind, column in zip(keys, types, columns, strict=True)
    )
    if not table.rows:
        nulls = ", ".join(f"null as {key}" for key in keys)
        return f"create table {_quoted(name)} as select {named} from (select {nulls}) where false;\n"
    file = folder / f"{place}.json"
    with file.open("w", encoding="utf-8", errors="replace") as lines:
        lines.writelines(_line(keys, row) for row in table.rows)
    typed = ", ".join(f"{key}: '{kind}'" for key, kind in zip(keys, types, strict=True))
    path = str(file).replace("'", "''")
    source = f"read_json('{path}', format = 'newline_delimited', columns = {{{typed}}})"
    return f"create table {_quoted(name)} as select {named} from {source};\n"


def _line(keys: list[str], row: Sequence[Any]) -> str:
    return json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=False, separators=(",", ":")) + "\n"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# -- what may run ------------------------------------------------------------------------------------------------------


def check(parsed: str, tables: Mapping[str, Any]) -> None:
    """Refuses what is no single SELECT over these tables. `parsed`: what the engine's parser makes of it, as JSON."""
    try:
        tree = json.loads(parsed)
    except RecursionError:
        raise Refused("The SQL is nested too deeply.") from None
    if tree.get("error"):
        raise Refused(_why_not(tree))
    if len(tree["statements"]) != 1:
        raise Refused("Give one statement.")
    parts = list(_parts(tree))
    known = {name.casefold() for name in tables} | {name.casefold() for name in _own(parts)}
    for part in parts:
        _check_part(part, known, tables)


def _why_not(tree: dict[str, Any]) -> str:
    if tree.get("error_type") == "not implemented":
        return "Only a SELECT can be run (no PIVOT statement, no change of data or settings)."
    if "expression depth" in (message := str(tree.get("error_message"))):
        return "The SQL is nested too deeply."
    return f"The SQL cannot be read: {message}."


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object in it, layer by layer."""
    layer, depth = [tree], 0
    while layer:
        if (depth := depth + 1) > MOST_DEPTH * 4:
            raise Refused("The SQL is nested too deeply.")
        yield from (item for item in layer if isinstance(item, dict))
        below = (item.values() if isinstance(item, dict) else item for item in layer)
        layer = [item for items in below for item in items if isinstance(item, dict | list)]


def _own(parts: list[dict[str, Any]]) -> Iterator[str]:
    """The names that the statement itself gives to queries (WITH)."""
    for part in parts:
        named = part.get("cte_map")
        for entry in named.get("map", ()) if isinstance(named, dict) else ():
            name = str(entry.get("key"))
            if SYSTEM.fullmatch(name):
                raise Refused(f"A query cannot be named {name}.")
            yield name


def _check_part(part: dict[str, Any], known: set[str], tables: Mapping[str, Any]) -> None:
    kind = str(part.get("type", ""))
    if kind.endswith("_NODE") and kind not in NODES:
        raise Refused("Only a SELECT can be run: nothing can be changed.")
    if "sample" in part and "select_list" not in part and "alias" in part and kind not in SOURCES:
        raise Refused(f"{kind.replace('_', ' ').capitalize()} cannot be used as a table.")
    if kind == "BASE_TABLE":
        _check_table(part, known, tables)
    if kind == "TABLE_FUNCTION" and (name := str(part["function"].get("function_name")).casefold()):
        if name not in TABLE_FUNCTIONS:
            raise Refused(f"{name}() cannot be used as a table; {', '.join(sorted(TABLE_FUNCTIONS))} can.")
    elif TELLING.fullmatch(str(part.get("function_name", "")).casefold()):
        raise Refused(f"The function {part['function_name']} cannot be used.")
    if kind == "SHOW_REF" and not (part.get("query") and part.get("show_type") in SHOWN):
        raise Refused("SHOW cannot be used; DESCRIBE and SUMMARIZE of a table can.")


def _check_table(part: dict[str, Any], known: set[str], tables: Mapping[str, Any]) -> None:
    path = [name for name in (part.get("catalog_name"), part.get("schema_name"), part.get("table_name")) if name]
    if len(path) != 1 or str(path[0]).casefold() not in known:
        raise Refused(f"There is no table {'.'.join(map(str, path))}: the tables are {', '.join(tables)}.")
