"""Who is who: which distinct ids are one person, and what is known about that person.

A person's id is the exported one (the latest a distinct id came with), else made from the distinct id. `$identify`,
`$create_alias` and `$merge_dangerously` then join persons, by PostHog's rules, whenever they arrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from insights_mcp.local.loading.judging import seen

if TYPE_CHECKING:
    import duckdb

# Ids that broken tracking code sends for everybody: PostHog merges nobody on their account.
NOBODY = frozenset(
    ("anonymous", "guest", "distinctid", "distinct_id", "id", "not_authenticated", "email", "undefined", "true",
     "false", "null", "none", "nan", "0", "[object object]", "")
)  # fmt: skip
OTHER_ID = {"$identify": "/$anon_distinct_id", "$create_alias": "/alias", "$merge_dangerously": "/alias"}

SETTERS = "name in ('$set', '$set_once')"
LINKING = f"event in ({', '.join(map(repr, OTHER_ID))})"

BASES = """
create temp table bases as
select distinct_id, coalesce(exported, known, md5('distinct_id:' || distinct_id)::uuid) as person_id, first_seen, place
from (select distinct_id, min(timestamp) as first_seen, min(rid) as place,
             coalesce(arg_max(person_id, version) filter (is_person), arg_max(person_id, timestamp)) as exported
      from staging.kept group by 1)
left join (select distinct_id, person_id as known from person_distinct_ids join persons using (pid)) using (distinct_id)
"""
LINKS = """
select timestamp, event, distinct_id, json_extract_string(properties, case event {other} end) as other_id
from staging.kept where {happened} and event in ({events}) and other_id is not null order by timestamp, rid
"""
NEW_BASES = """
insert into bases
select distinct other_id, md5('distinct_id:' || other_id)::uuid, null::timestamp, null::bigint from links
where other_id not in (select distinct_id from bases) and other_id not in (select distinct_id from person_distinct_ids)
"""
LINKED_PERSONS = """
select links.event, coalesce(a.person_id, x.person_id), coalesce(b.person_id, y.person_id), links.distinct_id, other_id
from links
left join bases a on a.distinct_id = links.distinct_id left join bases b on b.distinct_id = other_id
left join (select distinct_id, person_id from person_distinct_ids join persons using (pid)) x
       on x.distinct_id = links.distinct_id
left join (select distinct_id, person_id from person_distinct_ids join persons using (pid)) y
       on y.distinct_id = other_id
order by links.timestamp
"""
# A distinct id that now comes with another person takes its older person along only if nobody else is that person.
PERSONS = """
create temp table now_persons as
select person_id, min(first_seen) as first_seen from (
    select coalesce(m.winner, b.person_id) as person_id, b.first_seen
    from bases b left join merged m on m.loser = b.person_id) group by 1
"""
NEW_PERSONS = """
insert into persons
select coalesce((select max(pid) from persons), 0) + row_number() over (order by first_seen, person_id),
       person_id, first_seen, false, '{}', null
from now_persons where person_id not in (select person_id from persons)
"""
ASSIGN = """
create temp table assigned as
select distinct_id, p.pid, place from bases b left join merged m on m.loser = b.person_id
join persons p on p.person_id = coalesce(m.winner, b.person_id)
"""
MOVED = """
create temp table moved as
select o.distinct_id, o.pid as old, coalesce(a.pid, w.pid) as pid
from person_distinct_ids o join persons p using (pid)
left join assigned a using (distinct_id)
left join merged m on m.loser = p.person_id left join persons w on w.person_id = m.winner
where coalesce(a.pid, w.pid, o.pid) <> o.pid
"""
APPLY = (
    "update events set pid = moved.pid from moved where events.distinct_id = moved.distinct_id",
    "update person_distinct_ids d set pid = moved.pid from moved where moved.distinct_id = d.distinct_id",
    "insert into person_distinct_ids select distinct_id, pid from assigned"
    " where distinct_id not in (select distinct_id from person_distinct_ids) order by place",
    "update persons set created_at = e.first_seen from (select pid, min(first_seen) as"
    " first_seen from bases join person_distinct_ids using (distinct_id) group by 1) e where e.pid = persons.pid"
    " and (persons.created_at is null or e.first_seen < persons.created_at)",
    "update persons set created_at = least(persons.created_at, e.created_at) from (select m.winner, min(p.created_at)"
    " as created_at from merged m join persons p on p.person_id = m.loser group by 1) e where e.winner = person_id",
    "delete from persons where pid in (select old from moved) and pid not in (select pid from person_distinct_ids)",
)
# What is known: the newest exported snapshot; else $set (the newest value stays) and $set_once (the first one does).
SNAPSHOTS = """
create temp table snapshots as
with told as (
    select distinct_id, true as is_person, created_at, properties,
           timestamp '2200-01-01' + to_microseconds(coalesce(version, 0)) as moment
    from staging.kept where is_person
    union all select distinct_id, false, null, person_properties, timestamp from staging.kept where not is_person)
select d.pid, arg_max(properties, moment) as properties, max(moment) as moment,
       arg_max(created_at, moment) filter (is_person) as created_at
from told join person_distinct_ids d using (distinct_id) where properties is not null group by 1
"""
APPLY_SNAPSHOTS = """
update persons set properties = s.properties, properties_at = s.moment,
       created_at = coalesce(s.created_at, persons.created_at)
from snapshots s where s.pid = persons.pid and (persons.properties_at is null or s.moment >= persons.properties_at)
"""
SET = """
create temp table set_values as
with set_rows as (
    select d.pid, e.timestamp as moment, json_extract(e.properties, '/$set') as s,
           json_extract(e.properties, '/$set_once') as o
    from staging.kept e join person_distinct_ids d using (distinct_id)
    where {set} and e.properties like '%"$set%' and d.pid not in (select pid from snapshots)),
named as (
    select pid, moment, true as always, unnest(json_keys(s)) as k, s as j from set_rows where json_type(s) = 'OBJECT'
    union all select pid, moment, false, unnest(json_keys(o)), o from set_rows where json_type(o) = 'OBJECT'),
read as (
    select pid, moment, always, k, json_extract(j, '/' || replace(replace(k, '~', '~0'), '/', '~1')) as v from named)
select pid, k, max(moment) as moment, arg_max(v, moment) filter (always) as latest,
       arg_min(v, moment) filter (not always) as first
from read group by 1, 2
"""
APPLY_SET = """
update persons set properties = n.properties, properties_at = n.moment from (
    select pid, json_group_object(k, v) as properties, max(moment) as moment from (
        select coalesce(n.pid, o.pid) as pid, coalesce(n.k, o.k) as k, n.moment, coalesce(n.latest, o.v, n.first) as v
        from set_values n full join (
            select pid, k, json_extract(properties, '/' || replace(replace(k, '~', '~0'), '/', '~1')) as v
            from (select pid, properties, unnest(json_keys(properties)) as k from persons
                  where pid in (select pid from set_values))) o on o.pid = n.pid and o.k = n.k)
    group by pid) n where n.pid = persons.pid
"""


def merge(con: duckdb.DuckDBPyConnection) -> None:
    """Bring persons up to date with the rows in `staging.kept`, inside the caller's transaction."""
    con.execute(BASES)
    merged = _links(con)
    con.execute("create temp table merged (loser uuid, winner uuid)")
    if merged:
        con.execute(
            "insert into merged select unnest($l::uuid[]), unnest($w::uuid[])",
            {"l": [str(x) for x in merged], "w": [str(x) for x in merged.values()]},
        )
    for statement in (
        PERSONS,
        NEW_PERSONS,
        ASSIGN,
        MOVED,
        *APPLY,
        SNAPSHOTS,
        APPLY_SNAPSHOTS,
        SET.format(set=seen(con, SETTERS)),
        APPLY_SET,
    ):
        con.execute(statement)


def _links(con: duckdb.DuckDBPyConnection) -> dict[UUID, UUID]:
    other = " ".join(f"when '{event}' then '{path}'" for event, path in OTHER_ID.items())
    events = ", ".join(f"'{event}'" for event in OTHER_ID)
    con.execute("create temp table links as " + LINKS.format(other=other, events=events, happened=seen(con, LINKING)))
    con.execute(NEW_BASES)
    known = con.execute("select person_id from persons where is_identified").fetchall()
    rows = con.execute(LINKED_PERSONS).fetchall()
    identified = {person for (person,) in known}
    merged = joined(rows, identified)
    con.execute(
        "create temp table identified as select unnest($p::uuid[]) as person_id", {"p": [str(x) for x in identified]}
    )
    return merged


def joined(links: Iterable[tuple[str, UUID, UUID, str, str]], identified: set[UUID]) -> dict[UUID, UUID]:
    """Loser -> winner, by links (event, person, other person, distinct id, other id) in order of time.

    The person named by the distinct id stays. An already identified other person is only merged by
    `$merge_dangerously`. `identified` grows by whom these links identify.
    """
    parent: dict[UUID, UUID] = {}

    def root(person: UUID) -> UUID:
        while person in parent:
            parent[person] = person = parent.get(parent[person], parent[person])
        return person

    for event, person, other, distinct_id, other_id in links:
        winner, loser = root(person), root(other)
        nobody = distinct_id.lower() in NOBODY or other_id.lower() in NOBODY
        if winner != loser and not nobody and (event == "$merge_dangerously" or loser not in identified):
            parent[loser] = winner
        identified.add(winner)
    return {person: root(person) for person in parent}
