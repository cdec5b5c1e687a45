"""The event store's file: its tables, how a property becomes a column, which engine may read it.

One DuckDB file. `events` in time order, with a dense person number `pid`, the properties as JSON text, and a text
column `p.KEY` for each key that comes often (JSON text costs 20 times a column to search). `persons` and
`person_distinct_ids` beside it, `groups` (organizations, projects, …) by the number of their type, and catalogues, so
that what there is can be told without reading events. `person_properties` of an event is what was known of the person
then; it is kept only where a project asks for it.
"""

from __future__ import annotations

LAYOUT = 3
FILE = "events.duckdb"
COLUMN_LIMIT = 200
COLUMN_SHARE = 0.001

TABLES = """
create table if not exists store_facts (name varchar, value varchar);
create table if not exists events (
    uuid uuid, event varchar, distinct_id varchar, pid uinteger, timestamp timestamp, created_at timestamp,
    elements_chain varchar, properties json using compression zstd,
    person_properties json using compression zstd);
create table if not exists persons (
    pid uinteger, person_id uuid, created_at timestamp, is_identified boolean,
    properties json, properties_at timestamp);
create table if not exists person_distinct_ids (distinct_id varchar, pid uinteger);
create table if not exists group_types (group_type_index integer, name varchar);
create table if not exists groups (
    group_type_index integer, group_key varchar, properties json, created_at timestamp, properties_at timestamp);
create table if not exists event_catalogue (
    name varchar, first_seen timestamp, last_seen timestamp, count bigint, repeats double);
create table if not exists property_catalogue (
    owner varchar, name varchar, property_type varchar, has_column boolean, count bigint);
create table if not exists event_properties (event varchar, name varchar, count bigint);
"""


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def column_of(key: str) -> str:
    """The column that holds property `key` of each event, quoted."""
    return identifier("p." + key)


def pointer(*keys: str) -> str:
    """The JSON pointer to a (nested) key. A bare key would be read as a path, where `$` and `*` mean something."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
