"""Which staged rows are kept: refused are those that cannot be events, known those that are there already.

The text of the properties is read once here, which says of each row whether it is valid, and of all which keys they
have. What is asked for later is a view: of a file, a statement then reads the columns that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

JUDGED = """
create view staging.judged as
select rid, event, is_person, keys, case
    when fault = 'not a JSON object' then fault
    when properties is not null and keys is null then 'properties are not valid JSON'
    when properties is not null and keys = [] and json_type(properties) not in ('OBJECT', 'NULL')
    then 'properties are not an object'
    when fault is not null then fault
    when not is_person and timestamp not between timestamp '1900-01-01' and timestamp '2200-01-01'
    then 'timestamp is not between 1900 and 2200' end as reason
from (select *, try(json_keys(properties)) as keys from staging.staged)
"""
KEYSETS = """
create table staging.keysets as
select event, is_person, keys, reason, count(*) as count, min(rid) as rid from staging.judged group by all
"""
REFUSED = "create table staging.refused as select rid, reason from staging.judged where reason is not null"
NONE_REFUSED = "create table staging.refused (rid bigint, reason varchar)"
DROPPED = "create table staging.dropped as select rid from staging.refused"
GOOD = "create view staging.good as from staging.staged"
REPEATED = """
insert into staging.dropped
select rid from (select rid, row_number() over (partition by uuid order by rid) as place from staging.good
                 where not is_person and uuid in (select uuid from staging.good where not is_person
                                                  group by 1 having count(*) > 1))
where place > 1
"""
KNOWN = """
insert into staging.dropped
select rid from staging.good where not is_person and uuid in (select uuid from events)
"""
KEPT = """
create view staging.kept as
select * replace (coalesce(nullif(properties, 'null'), '{}') as properties,
       case when try(json_type(person_properties)) = 'OBJECT' then person_properties end as person_properties)
from staging.staged
"""
WITHOUT = " anti join staging.{} using (rid)"
# Keys of events that are kept, and of each set of keys a row that has it.
CENSUS = """
create table staging.census as
select event, name, sum(count)::bigint as count from (
    select event, unnest(list_distinct(keys)) as name, count from staging.{}) group by all
"""
KEPT_KEYSETS = """
create table staging.kept_keysets as
select event, keys, count(*) as count, min(rid) as rid
from (select rid, event, json_keys(properties) as keys from staging.kept where not is_person) group by all
"""
SAME_KEYSETS = """
create table staging.kept_keysets as
select event, keys, count, rid from staging.keysets where reason is null and not is_person
"""


def judge(con: duckdb.DuckDBPyConnection, staged: Iterable[str], run: Callable[[str], object]) -> None:
    """Make `staging.kept`, `staging.census` and `staging.refused` of the rows that were staged."""
    con.execute("create view staging.staged as " + (" union all ".join(staged) or _nothing()))
    con.execute(JUDGED)
    run(KEYSETS)
    bad = con.execute("select 1 from staging.keysets where reason is not null limit 1").fetchall()
    con.execute(REFUSED if bad else NONE_REFUSED)
    con.execute(DROPPED)
    con.execute(GOOD + (WITHOUT.format("refused") if bad else ""))
    con.execute(REPEATED)
    if con.execute("select 1 from events limit 1").fetchall():
        con.execute(KNOWN)
    _keep(con)


def _keep(con: duckdb.DuckDBPyConnection) -> None:
    [(dropped, refused)] = con.execute(
        "select (select count(*) from staging.dropped), (select count(*) from staging.refused)"
    ).fetchall()
    con.execute(KEPT + (WITHOUT.format("dropped") if dropped else ""))
    con.execute(SAME_KEYSETS if dropped == refused else KEPT_KEYSETS)
    con.execute(CENSUS.format("kept_keysets"))


def seen(con: duckdb.DuckDBPyConnection, question: str) -> str:
    """A condition that spares a statement the reading of all rows when the census knows of none it could want."""
    [(found,)] = con.execute(f"select exists (from staging.census where {question})").fetchall()
    return "true" if found else "false"


def _nothing() -> str:
    types = {"rid": "bigint", "is_person": "boolean", "uuid": "uuid", "timestamp": "timestamp",
             "created_at": "timestamp", "person_id": "uuid", "version": "bigint"}  # fmt: skip
    names = ("rid", "is_person", "uuid", "event", "distinct_id", "timestamp", "created_at", "elements_chain",
             "person_id", "properties", "person_properties", "version", "fault")  # fmt: skip
    return "select " + ", ".join(f"null::{types.get(name, 'varchar')} as {name}" for name in names) + " limit 0"
