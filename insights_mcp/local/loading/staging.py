"""How each file becomes rows of one shape: a Parquet export as it is, any other file as Parquet in the workshop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from insights_mcp.local.layout import identifier, pointer
from insights_mcp.local.loading.columns import Columns
from insights_mcp.local.loading.errors import LoadError
from insights_mcp.local.loading.files import Source, broken

if TYPE_CHECKING:
    import duckdb

FIELDS = (
    "uuid",
    "event",
    "distinct_id",
    "timestamp",
    "created_at",
    "elements_chain",
    "person_id",
    "properties",
    "person_properties",
    "person_version",
    "is_deleted",
)
ROW_BITS = 40
NUMBER = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?$"
TYPED = """
select person_version is not null and coalesce(event, '') = '' as is_person,
       coalesce(is_deleted not in ('false', '0', ''), false) as is_gone,
       coalesce(try_cast(uuid as uuid), md5(identity)::uuid) as uuid, event, distinct_id, moment as timestamp,
       try_cast(created_at as timestamptz)::timestamp as created_at, elements_chain,
       coalesce(try_cast(person_id as uuid), md5(person_id)::uuid) as person_id, properties, person_properties,
       try_cast(person_version as bigint) as version,
       case when not readable then 'not a JSON object'
            when coalesce(distinct_id, '') = '' then 'no distinct_id'
            when person_version is not null then null
            when coalesce(event, '') = '' then 'no event name'
            when coalesce(timestamp, '') = '' then 'no timestamp'
            when moment is null then 'timestamp is not ISO 8601' end as fault
from (select * replace (nullif(uuid, '') as uuid, nullif(person_id, '') as person_id,
             nullif(properties, '') as properties),
             coalesce(nullif(uuid, ''), concat_ws(chr(31), event, distinct_id, timestamp, properties)) as identity,
             case when timestamp like '____-__-__%' then try_cast(timestamp as timestamptz)::timestamp end as moment
      from ({rows}))
"""
# Small row groups: a row group is what a thread holds in memory.
COPY = "copy ({typed}) to {file} (format parquet, row_group_size 40960)"
STAGED = """
select ({number}::bigint << {bits}) + file_row_number + 1 as rid, * exclude (file_row_number, is_gone)
from read_parquet({file}, file_row_number = true) where not is_gone
"""
# An export is read where it is: its columns are taken when a statement needs them, and not before.
EXPORT = """
select ({number}::bigint << {bits}) + file_row_number + 1 as rid, false as is_person, "uuid"::uuid as uuid, "event",
       "distinct_id", {timestamp} as timestamp, {created_at} as created_at, {elements_chain} as elements_chain,
       {person_id} as person_id, {properties} as properties, {person_properties} as person_properties,
       null::bigint as version, case
            when coalesce("distinct_id", '') = '' then 'no distinct_id'
            when coalesce("event", '') = '' then 'no event name'
            when {timestamp} is null then 'no timestamp' end as fault
from read_parquet({file}, file_row_number = true)
"""
ALL_UUIDS = "select not exists (from read_parquet($path) where try_cast(uuid as uuid) is null)"
MOMENTS = {
    "TIMESTAMP": "{0}",
    "TIMESTAMP WITH TIME ZONE": "make_timestamp(epoch_us({0}))",
    **dict.fromkeys(("TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"), "{0}::timestamp"),
}

Runner = Callable[[str], None]


def stage(
    con: duckdb.DuckDBPyConnection, number: int, source: Source, columns: Columns, run: Runner, workshop: Path
) -> str:
    """A SELECT of one file's rows. Row ids are `number` and the row's place in the file."""
    import duckdb

    try:
        if source.format == "parquet" and (text := _export(con, number, source, columns)):
            return text
        file = workshop / f"{number}.rows.parquet"
        run(COPY.format(typed=TYPED.format(rows=READERS[source.format](con, source, columns)), file=_path(file)))
        return STAGED.format(number=number, bits=ROW_BITS, file=_path(file))
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise _damaged(source, error) from error


def _damaged(source: Source, error: Exception) -> LoadError:
    first = str(error).split("\n", 1)[0].removeprefix("Invalid Input Error: ").removeprefix("IO Error: ")
    return broken(source.shown, Exception(first.replace(str(source.path), source.path.name).rstrip(".")))


def _export(con: duckdb.DuckDBPyConnection, number: int, source: Source, columns: Columns) -> str | None:
    """The rows of an export with PostHog's columns and types; None when they must be made first."""
    types = _types(con, source)
    if columns != Columns() or not is_export(types) or "is_deleted" in types:
        return None
    if con.execute(ALL_UUIDS, {"path": str(source.path)}).fetchall() != [(True,)]:
        return None
    return EXPORT.format(number=number, bits=ROW_BITS, file=_path(source.path), **export_columns(types))


def is_export(types: dict[str, str]) -> bool:
    """Whether these columns are those of PostHog's batch export, typed so that nothing has to be made of them."""
    texts = ("uuid", "event", "distinct_id", "properties")
    return all(types.get(name) in ("VARCHAR", "JSON", "UUID") for name in texts) and types.get("timestamp") in MOMENTS


def export_columns(types: dict[str, str]) -> dict[str, str]:
    """Expressions of the columns whose type differs from export to export, or that may be missing."""
    given = {name: identifier(name) if name in types else "null::varchar" for name in FIELDS}
    created = MOMENTS.get(types.get("created_at", ""), "try_cast({0}::varchar as timestamptz)::timestamp")
    person = f"nullif({given['person_id']}::varchar, '')"
    return {
        "timestamp": MOMENTS[types["timestamp"]].format(given["timestamp"]),
        "created_at": created.format(given["created_at"]),
        "elements_chain": f"{given['elements_chain']}::varchar",
        "person_id": f"coalesce(try_cast({person} as uuid), md5({person})::uuid)",
        "properties": f"nullif({given['properties']}::varchar, '')",
        "person_properties": _as_text("person_properties", types) if "person_properties" in types else "null::varchar",
    }


def _types(con: duckdb.DuckDBPyConnection, source: Source) -> dict[str, str]:
    described = con.execute("describe select * from read_parquet($path)", {"path": str(source.path)}).fetchall()
    return {name: kind for name, kind, *_ in described}


def _json_rows(con: duckdb.DuckDBPyConnection, source: Source, columns: Columns) -> str:
    layout = "newline_delimited" if source.format == "jsonl" else "array"
    reader = (
        f"read_json_objects({_path(source.path)}, format='{layout}', ignore_errors={source.format == 'jsonl'},"
        f" compression='{'gzip' if source.gzipped else 'none'}', maximum_object_size=67108864)"
    )
    keys = f"select distinct unnest(json_keys(json)) from (select json from {reader} limit 1000)"
    names = [name for (name,) in con.execute(keys).fetchall()]
    if names:
        columns.require(sorted(names), source.shown)
    present = columns.present(names)
    places = {word: place for place, word in enumerate(present, start=1)}
    fields = {word: f"found[{places[word]}]" if word in places else "null::varchar" for word in FIELDS}
    if "properties" not in present:
        known = json.dumps(dict.fromkeys(present.values()))
        fields["properties"] = f"json_merge_patch(json, {_literal(known)})::varchar"
    listed = ", ".join(f"{field} as {word}" for word, field in fields.items())
    paths = ", ".join(_literal(pointer(name)) for name in present.values()) or "''"
    # All keys at once: each look into the text costs as much as reading all of it.
    return (
        f"select json is not null as readable, {listed} from (select json, json_extract_string(json, [{paths}]) as"
        rf" found from (select case when ltrim(json, e' \t\r\n') like '{{%' then json end as json from {reader}))"
    )


def _csv_rows(con: duckdb.DuckDBPyConnection, source: Source, columns: Columns) -> str:
    names = list(source.header)
    columns.require(names, source.shown)
    shape = "{" + ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names) + "}"
    reader = (
        f"read_csv({_path(source.path)}, columns={shape}, delim={_literal(source.delimiter)}, quote='\"', escape='\"',"
        f" header=true, auto_detect=false, compression='{'gzip' if source.gzipped else 'none'}',"
        " max_line_size=16000000, buffer_size=32000000, nullstr='', store_rejects=true, rejects_limit=100000)"
    )
    return _table_rows(reader, dict.fromkeys(names, "VARCHAR"), columns, _typed_text)


def _parquet_rows(con: duckdb.DuckDBPyConnection, source: Source, columns: Columns) -> str:
    types = _types(con, source)
    columns.require(list(types), source.shown)
    return _table_rows(f"read_parquet({_path(source.path)})", types, columns, identifier)


def _table_rows(reader: str, types: dict[str, str], columns: Columns, value: Callable[[str], str]) -> str:
    present = columns.present(types)
    fields = {word: _as_text(present[word], types) if word in present else "null::varchar" for word in FIELDS}
    if "properties" not in present:
        rest = [name for name in types if name not in present.values()]
        packed = ", ".join(f"{_literal(name)}, {value(name)}" for name in rest)
        fields["properties"] = f"json_object({packed})::varchar"
    listed = ", ".join(f"{field} as {word}" for word, field in fields.items())
    return f"select true as readable, {listed} from {reader}"


def _as_text(name: str, types: dict[str, str]) -> str:
    nested = types[name].startswith(("STRUCT", "MAP")) or types[name].endswith("]")
    return f"to_json({identifier(name)})::varchar" if nested else f"{identifier(name)}::varchar"


def _typed_text(name: str) -> str:
    """A CSV value as JSON: numbers and booleans as what they look like, all else as text."""
    column = identifier(name)
    return (
        f"case when regexp_matches({column}, '{NUMBER}') or {column} in ('true', 'false') then {column}::json"
        f" else to_json({column}) end"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _path(path: Path) -> str:
    return _literal(str(path))


READERS: dict[str, Callable[[duckdb.DuckDBPyConnection, Source, Columns], str]] = {
    "jsonl": _json_rows,
    "json": _json_rows,
    "csv": _csv_rows,
    "parquet": _parquet_rows,
}
