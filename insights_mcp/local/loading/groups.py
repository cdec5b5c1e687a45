"""Groups: organizations, projects and the like, told by `$groupidentify` events; which number each type has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from insights_mcp.local.loading import catalogue
from insights_mcp.local.loading.judging import seen

if TYPE_CHECKING:
    import duckdb

LIMIT = 5
TOLD = """
create temp table groups_told as
select properties ->> '/$group_type' as type, properties ->> '/$group_key' as key, timestamp as moment,
       json_extract(properties, '/$group_set') as told, properties
from (select timestamp, properties::json as properties from staging.kept where {told} and event = '$groupidentify')
where type is not null and key is not null
"""
# An exported event says the number of a type: `$groups` names the type and the key, `$group_N` has the same key.
NUMBERED = """
select distinct on (type) type, number from (
    select unnest(json_keys(g)) as type, g, properties from (
        select json_extract(properties::json, '/$groups') as g, properties::json as properties
        from staging.kept where {grouped} and properties like '%"$groups"%' limit 10000) where json_type(g) = 'OBJECT')
cross join range({limit}) numbers(number)
where (g ->> ('/' || replace(replace(type, '~', '~0'), '/', '~1'))) = (properties ->> ('/$group_' || number))
order by type, number
"""
NAMED = """
select type from (
    select type, min(moment) as first from groups_told group by 1
    union all
    select unnest(json_keys(g)), moment from (
        select json_extract(properties::json, '/$groups') as g, timestamp as moment
        from staging.kept where {grouped} and properties like '%"$groups"%') where json_type(g) = 'OBJECT')
group by 1 order by min(first), 1
"""
# The newest value of each property stays, whatever the order in which files are loaded.
MERGED = """
create temp table groups_merged as
with read as (
    select t.group_type_index, key, moment, unnest(json_keys(told)) as k, told
    from groups_told join group_types t on t.name = type where json_type(told) = 'OBJECT'
    union all
    select group_type_index, group_key, coalesce(properties_at, created_at), unnest(json_keys(properties)), properties
    from groups),
valued as (
    select group_type_index, key, k,
           arg_max(json_extract(told, '/' || replace(replace(k, '~', '~0'), '/', '~1')), moment) as v
    from read group by all),
seen as (
    select t.group_type_index, key, min(moment) as first, max(moment) as last
    from groups_told join group_types t on t.name = type group by all
    union all select group_type_index, group_key, created_at, properties_at from groups)
select s.group_type_index, s.key as group_key, coalesce(any_value(p.properties), '{}'::json) as properties,
       min(first) as created_at, max(last) as properties_at
from seen s
left join (select group_type_index, key, json_group_object(k, v) as properties from valued group by all) p
     on p.group_type_index = s.group_type_index and p.key = s.key
group by all
"""
APPLY = ("delete from groups", "insert into groups select * from groups_merged")


def merge(con: duckdb.DuckDBPyConnection) -> None:
    """Bring groups up to date with the rows in `staging.kept`, inside the caller's transaction."""
    con.execute(TOLD.format(told=seen(con, "event = '$groupidentify'")))
    _number(con)
    con.execute(MERGED)
    for statement in APPLY:
        con.execute(statement)
    catalogue.groups(con)


def _number(con: duckdb.DuckDBPyConnection) -> None:
    """Give each new type of group its number: the one that events say, else the next that is free."""
    grouped = seen(con, "name = '$groups'")
    known = {name: number for number, name in con.execute("from group_types").fetchall()}
    said = dict(con.execute(NUMBERED.format(limit=LIMIT, grouped=grouped)).fetchall())
    for (name,) in con.execute(NAMED.format(grouped=grouped)).fetchall():
        free = [number for number in range(LIMIT) if number not in known.values() and number not in said.values()]
        number = said.get(name, free[0] if free else None)
        if name not in known and number is not None and number not in known.values():
            known[name] = number
            con.execute("insert into group_types values ($number, $name)", {"number": number, "name": name})
