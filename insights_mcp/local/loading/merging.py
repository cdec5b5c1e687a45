"""How staged rows enter the store: what is new is kept, persons are joined, events added in order of time."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from insights_mcp.local.layout import COLUMN_LIMIT, COLUMN_SHARE, column_of, identifier, pointer
from insights_mcp.local.loading import catalogue, groups, persons

if TYPE_CHECKING:
    import duckdb

# Two row groups: slices that end with a row group leave nothing to be packed again.
SLICE = 245_760
SPAN = """
select count(*), min(timestamp), max(timestamp) + interval 1 microsecond from staging.kept where not is_person
"""
BOUNDS = """
select quantile_disc(timestamp, list_transform(range(1, $slices), lambda i: (i * $slice + 0.5) / $count::double))
from staging.kept where not is_person
"""
INSERT = """
insert into events ({names})
select uuid, event, distinct_id, pid, timestamp, created_at, elements_chain, properties, {person}{values}
from (select *{shape} from (
    select k.*, d.pid from staging.kept k join person_distinct_ids d using (distinct_id)
    where not is_person and timestamp >= $low and timestamp < $high order by timestamp, uuid))
"""
BASE_COLUMNS = "uuid, event, distinct_id, pid, timestamp, created_at, elements_chain, properties, person_properties"


def merge(con: duckdb.DuckDBPyConnection, progress: Callable[[float, str], None], *, persons_on_events: bool) -> int:
    """Add what is kept of the staged rows to the store, all of it or nothing. Returns the number of new events.

    With `persons_on_events`, each event keeps what was known of its person then.
    """
    con.execute("begin")
    try:
        return _merged(con, progress, "person_properties" if persons_on_events else "null")
    except BaseException:
        con.execute("rollback")
        raise


def _merged(con: duckdb.DuckDBPyConnection, progress: Callable[[float, str], None], person: str) -> int:
    progress(0.4, "joining persons")
    persons.merge(con)
    con.execute("update persons set is_identified = true where person_id in (select person_id from identified)")
    _new_columns(con)
    added = _insert(con, progress, person)
    groups.merge(con)
    progress(0.97, "listing events and properties")
    catalogue.update(con)
    con.execute("commit")
    con.execute("checkpoint")
    return added


def _new_columns(con: duckdb.DuckDBPyConnection) -> None:
    """Columns for keys that come often. Rows already in the store get theirs from the JSON text."""
    known = {name for (name,) in con.execute("select name from property_catalogue where owner = 'event'").fetchall()}
    for key in wanted(con, columns(con)):
        column = column_of(key)
        con.execute(f"alter table events add column {column} varchar")
        if key in known:
            con.execute(f"update events set {column} = properties ->> $key", {"key": pointer(key)})


def columns(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The keys that have a column."""
    rows = con.execute(
        "select column_name from duckdb_columns() where table_name = 'events' and column_name like 'p.%'"
    )
    return [name.removeprefix("p.") for (name,) in rows.fetchall()]


def wanted(con: duckdb.DuckDBPyConnection, there: list[str]) -> list[str]:
    """The keys that should get one: often enough, and (column names ignore case) with no twin."""
    often = con.execute(
        "select name from staging.census group by 1 having sum(count) >= $share *"
        " (select sum(count) from staging.kept_keysets) order by sum(count) desc, name",
        {"share": COLUMN_SHARE},
    ).fetchall()
    taken = {key.lower() for key in there}
    chosen: list[str] = []
    for (key,) in often:
        if key and key.lower() not in taken and "\0" not in key and len(there) + len(chosen) < COLUMN_LIMIT:
            taken.add(key.lower())
            chosen.append(key)
    return chosen


def _insert(con: duckdb.DuckDBPyConnection, progress: Callable[[float, str], None], person: str) -> int:
    [(count, low, high)] = con.execute(SPAN).fetchall()
    if not count:
        return 0
    slices = -(-count // SLICE)
    parts = {"slices": slices, "slice": SLICE, "count": count}
    inner = con.execute(BOUNDS, parts).fetchall()[0][0] if slices > 1 else []
    edges = sorted({low, *inner, high})
    statement, parameters = _insertion(columns(con), person)
    for number, (start, end) in enumerate(pairwise(edges)):
        progress(0.5 + 0.45 * number / slices, f"adding {count:,} events")
        con.execute(statement, {**parameters, "low": start, "high": end})
    return int(count)


def _insertion(keys: list[str], person: str) -> tuple[str, dict[str, object]]:
    names = BASE_COLUMNS + "".join(f", {column_of(key)}" for key in keys)
    values = "".join(f", x.{identifier(key)}" for key in keys)
    shape = ", from_json(properties, $shape) as x" if keys else ""
    parameters: dict[str, object] = {"shape": json.dumps(dict.fromkeys(keys, "VARCHAR"))} if keys else {}
    return INSERT.format(names=names, values=values, shape=shape, person=person), parameters
