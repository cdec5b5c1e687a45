"""Recorded cases: their worlds as event stores, and how answers are compared."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from insights_mcp.local.events import EventStore
from insights_mcp.local.load import load
from insights_mcp.local.loading import catalogue
from insights_mcp.local.queries import Project
from insights_mcp.local.queries.cohorts import definition_of
from insights_mcp.local.queries.project import Action, Cohort
from tests.local.queries import recorded_actors, recorded_funnels

CASES = Path(__file__).parents[4] / "shared" / "data" / "conformance"
TABLES = (
    "events", "persons", "property_definitions", "person_distinct_id_overrides", "groups", "group_types",
    "session_replays",
)  # fmt: skip
TIME = "%Y-%m-%dT%H:%M:%S"
COMPARABLE: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "FunnelsQuery": recorded_funnels.comparable,
    "ActorsQuery": recorded_actors.comparable,
}


def cases(kind: str) -> Iterator[dict[str, Any]]:
    """The cases of a query kind; none where the folder is absent."""
    path = CASES / f"{kind}.jsonl.gz"
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


class Worlds:
    """A store for each world, made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, EventStore] = {}
        self.answers: dict[str, list[str] | str] = {}

    def store(self, world: dict[str, Any]) -> EventStore:
        """The store that holds the world's events, persons and property types."""
        text = json.dumps(
            [world.get(k) for k in TABLES],
            sort_keys=True,
        )
        name = hashlib.sha1(text.encode()).hexdigest()
        if name not in self.made:
            self.made[name] = self._make(self.folder / name, world)
        return self.made[name]

    def _make(self, folder: Path, world: dict[str, Any]) -> EventStore:
        folder.mkdir()
        source = folder / "world.jsonl"
        rows = [*_persons(world), *world["events"]]
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        load([source], folder, persons_on_events=True)
        _group(folder / "events.duckdb", world)
        _identify(folder / "events.duckdb", world)
        _record(folder / "events.duckdb", world)
        _define(folder / "events.duckdb", world.get("property_definitions") or [])
        return EventStore(folder / "events.duckdb")

    def close(self) -> None:
        for store in self.made.values():
            store.close()


def _persons(world: dict[str, Any]) -> Iterator[dict[str, Any]]:
    known = {person["id"]: person for person in world.get("persons") or []}
    for override in world.get("person_distinct_id_overrides") or []:
        owner = known.get(override["person_id"], {})
        told = {"properties": owner.get("properties") or {}, "created_at": owner.get("created_at")}
        yield {**override, "person_version": 2, **told}
    for person in world.get("persons") or []:
        for distinct_id in person["distinct_ids"]:
            yield {
                "distinct_id": distinct_id,
                "person_id": person["id"],
                "person_version": 1,
                "properties": person.get("properties") or {},
                "created_at": person.get("created_at"),
            }


def _identify(path: Path, world: dict[str, Any]) -> None:
    """Exports do not say who was identified; the store knows from `$identify`, which the worlds do not hold."""
    identified = [person["id"] for person in world.get("persons") or [] if person.get("is_identified")]
    with duckdb.connect(str(path)) as con:
        con.execute(
            "update persons set is_identified = person_id in (select unnest($ids::uuid[]))", {"ids": identified}
        )


def _record(path: Path, world: dict[str, Any]) -> None:
    """The sessions that were recorded, each by one snapshot, at a time that no query asks about."""
    rows = [
        (json.dumps({"$session_id": each["session_id"]}), each.get("distinct_id"))
        for each in world.get("session_replays") or []
    ]
    with duckdb.connect(str(path)) as con:
        names = {name for (name,) in con.execute("select column_name from duckdb_columns()").fetchall()}
        for text, who in rows:
            con.execute(
                "insert into events by name select uuid() as uuid, '$snapshot_items' as event, 0 as pid,"
                " timestamp '1970-01-01' as timestamp, $t::json as properties, $who as distinct_id",
                {"t": text, "who": who},
            )
        if rows and "p.$session_id" in names:
            con.execute("""update events set "p.$session_id" = properties ->> '/$session_id'""")


def _define(path: Path, definitions: list[dict[str, Any]]) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("update property_catalogue set property_type = 'String'")
        for each in definitions:
            con.execute(
                "update property_catalogue set property_type = $t where name = $n and owner = $o",
                {"t": each["property_type"], "n": each["name"], "o": _owner(each)},
            )


def _owner(definition: dict[str, Any]) -> str:
    owners = {"event": "event", "person": "person", 1: "event", 2: "person"}
    return owners.get(definition["type"], f"group_{definition.get('group_type_index')}")


def _group(path: Path, world: dict[str, Any]) -> None:
    with duckdb.connect(str(path)) as con:
        for each in world.get("group_types") or []:
            con.execute("insert into group_types values (?, ?)", [each["group_type_index"], each["group_type"]])
        for each in world.get("groups") or []:
            number, created = each["group_type_index"], each["created_at"]
            row = [number, each["group_key"], json.dumps(each["properties"]), created, created]
            con.execute("insert into groups values (?, ?, ?, ?::timestamptz, ?::timestamptz)", row)
        catalogue.groups(con)


def project(world: dict[str, Any]) -> Project:
    """The project of a case."""
    team = world["team"]
    return Project(
        team["id"],
        team["timezone"],
        team["week_start_day"] or 0,
        team["test_account_filters"] or [],
        path_cleaning_filters=team.get("path_cleaning_filters") or [],
        actions={
            each["id"]: Action(each["id"], each["name"], each["steps_json"]) for each in world.get("actions") or []
        },
        cohorts={each["id"]: _cohort(each) for each in world.get("cohorts") or []},
        persons_on_events=team["persons_on_events_mode"].endswith("on_events"),
        aggregate_users_by_distinct_id=bool(team.get("aggregate_users_by_distinct_id")),
    )


def _cohort(row: dict[str, Any]) -> Cohort:
    # Who is in a cohort is found out when it is calculated; before that, nobody.
    definition = definition_of(row) if row["calculated"] else {}
    return Cohort(row["id"], row["name"], row["is_static"], row["static_person_uuids"], definition)


def now(case: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(case["now"])


def same(expected: Any, actual: Any) -> bool:
    """Equal, numbers within 1e-6 relative."""
    if isinstance(expected, (int, float)) and isinstance(actual, (int, float)):
        return math.isclose(expected, actual, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same(expected[k], actual[k]) for k in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    return bool(expected == actual)


def bag(rows: list[Any]) -> list[str]:
    """Rows as a multiset, for answers without an order."""
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


def differences(case: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """The parts of an answer that are not as recorded. Without ORDER BY, HogQL's rows have no order."""
    expected = case["expected"]
    parts = [key for key in ("hasMore", "resolved_date_range", "columns") if key in expected]
    wrong = [key for key in parts if not same(expected[key], actual.get(key))]
    unordered = case["query"]["kind"] == "HogQLQuery" and "order by" not in case["query"]["query"].lower()
    comparable = COMPARABLE.get(case["query"]["kind"], lambda expected, actual: (expected, actual))
    equal = same(*comparable(expected["results"], actual["results"]))
    if not equal and not (unordered and bag(expected["results"]) == bag(actual["results"])):
        wrong.append("results")
    return wrong
