"""What there is in the store: events, properties and the types their values have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from insights_mcp.local.layout import pointer

if TYPE_CHECKING:
    import duckdb

SAMPLE = 10_000
TYPES = {"BOOLEAN": "Boolean", "NULL": None, **dict.fromkeys(("DOUBLE", "BIGINT", "UBIGINT", "HUGEINT"), "Numeric")}
DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
EVENTS = (
    "delete from event_catalogue",
    # `repeats`: how many of them the person behind one of them has, on average.
    "insert into event_catalogue select event, min(low), max(high), sum(n)::bigint, sum(n * n) / sum(n) from ("
    "select event, min(timestamp) as low, max(timestamp) as high, count(*) as n from events group by event, pid)"
    " group by 1",
    "create temp table seen as select event, name, sum(count)::bigint as count from (select * from event_properties"
    " union all select * from staging.census) group by all",
    "delete from event_properties",
    "insert into event_properties select * from seen",
)
# Rows from the start of each fifth of the time, and for a rare key a row that has it.
INSTANTS = "select unnest(quantile_disc(timestamp, [0, .2, .4, .6, .8])) from staging.kept where not is_person"
FROM_INSTANT = f"""
(select properties from staging.kept where not is_person and timestamp >= timestamp '{{}}' limit {SAMPLE // 5})
"""
RARE = f"""
select min(rid) as rid from (select rid, unnest(keys) as name from staging.kept_keysets)
where name in (select name from staging.census group by 1 having sum(count) < {SAMPLE // 10}) group by name
"""
RARE_ROWS = "select properties from staging.kept semi join rare using (rid)"
PERSON_SAMPLE = f"select properties from persons using sample {SAMPLE} rows (reservoir, 1)"
COUNTS = {
    "event": "select name, sum(count)::bigint from event_properties group by 1",
    "person": "select name, count(*) from (select unnest(json_keys(properties)) as name from persons) group by 1",
}


def update(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the catalogues up to date with the rows in `staging.kept`, inside the caller's transaction."""
    for statement in EVENTS:
        con.execute(statement)
    _properties(con, "event", COUNTS["event"], _event_sample(con))
    _properties(con, "person", COUNTS["person"], PERSON_SAMPLE)


def _event_sample(con: duckdb.DuckDBPyConnection) -> str:
    instants = [moment for (moment,) in con.execute(INSTANTS).fetchall() if moment]
    con.execute(f"create temp table rare as {RARE}")
    parts = [FROM_INSTANT.format(moment) for moment in instants]
    if con.execute("select 1 from rare limit 1").fetchall() or not parts:
        parts.append(RARE_ROWS)
    return " union all ".join(parts)


def groups(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the properties of groups up to date with the table `groups`; their owner is `group_N`."""
    for (number,) in con.execute("select group_type_index from group_types").fetchall():
        rows = f"(select properties from groups where group_type_index = {int(number)})"
        keys = f"select name, count(*) from (select unnest(json_keys(properties)) as name from {rows}) group by 1"
        _properties(con, f"group_{number}", keys, f"select properties from {rows} using sample {SAMPLE} rows")


def _properties(con: duckdb.DuckDBPyConnection, owner: str, counted: str, sample: str) -> None:
    counts = dict(con.execute(counted).fetchall())
    rows = con.execute("select name, property_type from property_catalogue where owner = $o", {"o": owner}).fetchall()
    types = merged_types(dict(rows), _types(con, sample))
    con.execute("delete from property_catalogue where owner = $o", {"o": owner})
    con.execute(
        "insert into property_catalogue select $o, name, type, $o = 'event' and ('p.' || name) in"
        " (select column_name from duckdb_columns() where table_name = 'events'), count"
        " from (select unnest($names::varchar[]) as name, unnest($types::varchar[]) as type, unnest($counts::bigint[])"
        " as count)",
        {"o": owner, "names": list(counts), "types": [types.get(n) for n in counts], "counts": list(counts.values())},
    )


def merged_types(known: dict[str, str | None], found: dict[str, str | None]) -> dict[str, str | None]:
    """A key that had one type and now has another is text; one of unknown type takes the new one."""
    both = {key: kind if known.get(key) in (None, kind) else "String" for key, kind in found.items() if kind}
    return {**known, **both}


def _types(con: duckdb.DuckDBPyConnection, sample: str) -> dict[str, str | None]:
    con.execute(f"create or replace temp table sampled as {sample}")
    [(structure,)] = con.execute("select json_group_structure(properties::json) from sampled").fetchall()
    shapes = json.loads(structure) if structure else {}
    shapes = shapes if isinstance(shapes, dict) else {}
    texts = [key for key, shape in shapes.items() if shape == "VARCHAR"]
    dates = _dates(con, texts)
    return {key: property_type(shape, key in dates) for key, shape in shapes.items()}


def _dates(con: duckdb.DuckDBPyConnection, keys: list[str]) -> set[str]:
    if not keys:
        return set()
    rows = con.execute(
        "select list_transform($paths::varchar[], lambda p: properties ->> p) from sampled limit 500",
        {"paths": [pointer(key) for key in keys]},
    ).fetchall()
    return {key for index, key in enumerate(keys) if _all_dates([row[0][index] for row in rows])}


def _all_dates(values: list[str | None]) -> bool:
    import re

    given = [value for value in values if value]
    return bool(given) and all(re.match(DATE, value) for value in given)


def property_type(shape: Any, is_date: bool) -> str | None:
    """PostHog's word for the type of a JSON shape: String, Numeric, Boolean, DateTime; None when never set."""
    if is_date:
        return "DateTime"
    return TYPES.get(shape, "String") if isinstance(shape, str) else "String"
