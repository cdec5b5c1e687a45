"""How rows of each format become one table of typed rows, each with the reason if it cannot be an event."""

from __future__ import annotations

import json
from collections.abc import Callable
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
TABLE = """
create table staging.staged (
    rid bigint, is_person boolean, uuid uuid, event varchar, distinct_id varchar, timestamp timestamp,
    created_at timestamp, elements_chain varchar, person_id uuid, properties varchar, person_properties varchar,
    version bigint, reason varchar)
"""
ROW_BITS = 40
NUMBER = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?$"
REASON = """case
    when not readable then 'not a JSON object'
    when properties is not null and not json_valid(properties) then 'properties are not valid JSON'
    when properties is not null and json_type(properties) not in ('OBJECT', 'NULL') then 'properties are not an object'
    when coalesce(distinct_id, '') = '' then 'no distinct_id'
    when person_version is not null then null
    when coalesce(event, '') = '' then 'no event name'
    when coalesce(timestamp, '') = '' then 'no timestamp'
    when moment is null then 'timestamp is not ISO 8601'
    when moment not between timestamp '1900-01-01' and timestamp '2200-01-01'
    then 'timestamp is not between 1900 and 2200'
end"""
STAGE = f"""
insert into staging.staged
select rid, person_version is not null and coalesce(event, '') = '',
       coalesce(try_cast(uuid as uuid), md5(identity)::uuid),
       event, distinct_id, moment, {{created_at}}, elements_chain,
       coalesce(try_cast(person_id as uuid), md5(person_id)::uuid),
       coalesce(nullif(properties, 'null'), '{{{{}}}}'), person_properties, try_cast(person_version as bigint), {REASON}
from (select * replace (nullif(uuid, '') as uuid, nullif(person_id, '') as person_id,
             nullif(properties, '') as properties,
             case when json_type(case when json_valid(person_properties) then person_properties end) = 'OBJECT'
                  then person_properties end as person_properties),
             coalesce(nullif(uuid, ''), concat_ws(chr(31), event, distinct_id, timestamp, properties)) as identity,
             case when timestamp like '____-__-__%' then try_cast(timestamp as timestamptz)::timestamp end as moment
      from ({{rows}}))
where is_deleted is null or is_deleted in ('false', '0', '')
"""


def stage(con: duckdb.DuckDBPyConnection, number: int, source: Source, columns: Columns, run: Runner) -> None:
    """Read one file into `staging.staged`. Row ids are `number` and the row's place in the file."""
    import duckdb

    try:
        text, parameters = READERS[source.format](con, source, columns)
        rows = f"select ({number}::bigint << {ROW_BITS}) + nr as rid, * exclude (nr) from ({text})"
        created = "try_cast(created_at as timestamptz)::timestamp"
        run(STAGE.format(rows=rows, created_at=created), parameters)
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise _damaged(source, error) from error


Runner = Callable[[str, dict[str, object]], None]
Read = tuple[str, dict[str, object]]


def _damaged(source: Source, error: Exception) -> LoadError:
    first = str(error).split("\n", 1)[0].removeprefix("Invalid Input Error: ").removeprefix("IO Error: ")
    return broken(source.shown, Exception(first.replace(str(source.path), source.path.name).rstrip(".")))


def _json_rows(con: duckdb.DuckDBPyConnection, source: Source, columns: Columns) -> Read:
    layout = "newline_delimited" if source.format == "jsonl" else "array"
    reader = (
        f"read_json_objects($path, format='{layout}', ignore_errors={str(source.format == 'jsonl').lower()},"
        f" compression='{'gzip' if source.gzipped else 'none'}', maximum_object_size=67108864)"
    )
    keys = f"select distinct unnest(json_keys(json)) from (select json from {reader} limit 1000)"
    names = [name for (name,) in con.execute(keys, {"path": str(source.path)}).fetchall()]
    if names:
        columns.require(sorted(names), source.shown)
    present = columns.present(names)
    fields = ["json ->> $" + word if word in present else "null::varchar" for word in FIELDS]
    parameters: dict[str, object] = {word: pointer(name) for word, name in present.items()}
    if "properties" not in present:
        fields[FIELDS.index("properties")] = "json_merge_patch(json, $known)::varchar"
        parameters["known"] = json.dumps(dict.fromkeys(present.values()))
    listed = ", ".join(f"{field} as {word}" for field, word in zip(fields, FIELDS, strict=True))
    text = (
        f"select nr, json is not null as readable, {listed} from (select row_number() over () as nr,"
        f" case when json_type(json) = 'OBJECT' then json end as json from {reader})"
    )
    return text, {**parameters, "path": str(source.path)}


def _csv_rows(con: duckdb.DuckDBPyConnection, source: Source, columns: Columns) -> Read:
    names = list(source.header)
    columns.require(names, source.shown)
    shape = "{" + ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names) + "}"
    reader = (
        f"read_csv($path, columns={shape}, delim={_literal(source.delimiter)}, quote='\"', escape='\"', header=true,"
        f" auto_detect=false, compression='{'gzip' if source.gzipped else 'none'}', max_line_size=16000000,"
        " buffer_size=32000000,"
        f" nullstr='', store_rejects=true, rejects_limit=100000)"
    )
    return _table_rows(reader, dict.fromkeys(names, "VARCHAR"), source, columns, _typed_text)


def _parquet_rows(con: duckdb.DuckDBPyConnection, source: Source, columns: Columns) -> Read:
    reader = "read_parquet($path)"
    described = con.execute(f"describe select * from {reader}", {"path": str(source.path)}).fetchall()
    types = {name: kind for name, kind, *_ in described}
    columns.require(list(types), source.shown)
    return _table_rows(reader, types, source, columns, identifier)


def _table_rows(
    reader: str, types: dict[str, str], source: Source, columns: Columns, value: Callable[[str], str]
) -> Read:
    present = columns.present(types)
    fields = {word: _as_text(present[word], types) if word in present else "null::varchar" for word in FIELDS}
    if "properties" not in present:
        rest = [name for name in types if name not in present.values()]
        packed = ", ".join(f"{_literal(name)}, {value(name)}" for name in rest)
        fields["properties"] = f"json_object({packed})::varchar"
    listed = ", ".join(f"{field} as {word}" for word, field in fields.items())
    return f"select row_number() over () as nr, true as readable, {listed} from {reader}", {"path": str(source.path)}


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


READERS: dict[str, Callable[[duckdb.DuckDBPyConnection, Source, Columns], Read]] = {
    "jsonl": _json_rows,
    "json": _json_rows,
    "csv": _csv_rows,
    "parquet": _parquet_rows,
}
