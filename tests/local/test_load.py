"""Loading event files: every format, what is refused and why, nothing twice, persons, real data."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from insights_mcp.local.events import EventStore
from insights_mcp.local.load import Columns, Loaded, LoadError, load

COMMITS = Path(__file__).parents[3] / "shared" / "data" / "oss-commits.jsonl.gz"
ROW = {
    "event": "visit",
    "timestamp": "2026-03-08T09:00:00+02:00",
    "distinct_id": "ann",
    "properties": {"n": 1, "s": "x"},
}


def lines(*rows: Any) -> bytes:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()


def table(*rows: dict[str, Any], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(path: Path, select: str) -> bytes:
    with duckdb.connect() as con:
        con.execute(f"copy ({select}) to '{path}' (format parquet)")
    return path.read_bytes()


PARQUET = """select 'visit' as event, timestamptz '2026-03-08 07:00:00+00' as timestamp, 'ann' as distinct_id,
             {'n': 1, 's': 'x'} as properties"""
Load = Callable[..., Loaded]


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "project"


@pytest.fixture
def load_bytes(tmp_path: Path, into: Path) -> Load:
    """Load one file of this name and content."""

    def loaded(name: str, content: bytes, **options: Any) -> Loaded:
        path = tmp_path / name
        path.write_bytes(content)
        return load([path], into, **options)

    return loaded


def rows(into: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(into / "events.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def reasons(result: Loaded) -> list[str]:
    assert result.refusals is not None
    return [json.loads(line)["reason"] for line in result.refusals.read_text().splitlines()]


def formats(tmp_path: Path) -> dict[str, bytes]:
    text: dict[str, Any] = {**ROW, "properties": json.dumps(ROW["properties"])}
    return {
        "a.jsonl": lines(ROW),
        "text.jsonl": lines(text),
        "list.json": json.dumps([ROW]).encode(),
        "a.csv": table(text),
        "a.tsv": table(text, delimiter="\t"),
        "flat.jsonl": lines({**{k: v for k, v in ROW.items() if k != "properties"}, "n": 1, "s": "x"}),
        "flat.csv": table({**{k: str(v) for k, v in ROW.items() if k != "properties"}, "n": "1", "s": "x"}),
        "a.parquet": parquet(tmp_path / "made.parquet", PARQUET),
    }


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "name", ["a.jsonl", "text.jsonl", "list.json", "a.csv", "a.tsv", "flat.jsonl", "flat.csv", "a.parquet"]
)
def test_formats(tmp_path: Path, into: Path, load_bytes: Load, name: str, packed: bool) -> None:
    """Every format, gzipped or not, ends as the same event."""
    content = formats(tmp_path)[name]
    load_bytes(name + (".gz" if packed else ""), gzip.compress(content) if packed else content)
    found = rows(into, 'select event, timestamp, distinct_id, "p.n", "p.s", properties ->> \'/n\' from events')
    assert [("visit", datetime(2026, 3, 8, 7), "ann", "1", "x", "1")] == found


def test_folder_and_pattern(tmp_path: Path, into: Path) -> None:
    """A folder means the event files in it; a pattern those that match."""
    for name in ("one.jsonl", "two.jsonl", "notes.txt"):
        (tmp_path / name).write_bytes(lines({**ROW, "distinct_id": name}))
    assert (2, 1) == (load([tmp_path], into).loaded, load([tmp_path / "o*.jsonl"], tmp_path / "other").loaded)


def test_own_column_names(into: Path, load_bytes: Load) -> None:
    """Other names are mapped; what is left becomes properties."""
    columns = Columns(event="what", timestamp="when", distinct_id="who", properties=None)
    load_bytes("a.csv", table({"what": "visit", "when": "2026-03-08", "who": "ann", "size": "3"}), columns=columns)
    assert [("visit", "3")] == rows(into, 'select event, "p.size" from events')


def test_nothing_twice(load_bytes: Load) -> None:
    """The same rows again, with or without uuid, are known."""
    content = lines(ROW, {**ROW, "uuid": "0188a7e0-0000-0000-0000-000000000001"}, {**ROW, "uuid": "own-id"})
    first, again = load_bytes("a.jsonl", content), load_bytes("b.jsonl", content + lines(ROW))
    assert ((3, 0), (0, 4), 3) == ((first.loaded, first.known), (again.loaded, again.known), again.events)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("not json", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ({**ROW, "event": None}, "no event name"),
        ({**ROW, "event": ""}, "no event name"),
        ({**ROW, "timestamp": None}, "no timestamp"),
        ({**ROW, "timestamp": "yesterday"}, "timestamp is not ISO 8601"),
        ({**ROW, "timestamp": "2026-02-30T00:00:00Z"}, "timestamp is not ISO 8601"),
        ({**ROW, "timestamp": "9999-01-01T00:00:00Z"}, "timestamp is not between 1900 and 2200"),
        ({**ROW, "distinct_id": None}, "no distinct_id"),
        ({**ROW, "properties": [1]}, "properties are not an object"),
        ({**ROW, "properties": "{broken"}, "properties are not valid JSON"),
        ('{"event": "a", "timestamp": "2026-01-01", "distinct_id": "\\ud800"', "not a JSON object"),
    ],
)
def test_refused_rows(load_bytes: Load, row: Any, reason: str) -> None:
    """A bad row is refused with its reason; the good one beside it is loaded."""
    result = load_bytes("a.jsonl", lines(ROW, row))
    assert (1, [reason]) == (result.loaded, reasons(result))


def test_refused_rows_have_their_line(load_bytes: Load) -> None:
    """Blank lines count, as in an editor."""
    result = load_bytes("a.jsonl", lines(ROW, "", "  ", "nope"))
    assert result.refusals is not None
    assert 4 == json.loads(result.refusals.read_text())["line"]


def test_csv_line_with_too_many_columns(load_bytes: Load) -> None:
    """A line that is no row is refused, not the file."""
    content = b"event,timestamp,distinct_id\na,2026-01-01,x\nb,2026-01-01,x,too,many\nc,2026-01-01,x\n"
    result = load_bytes("a.csv", content)
    assert (2, 1) == (result.loaded, result.refused)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl.gz", gzip.compress(lines(*[ROW] * 1000))[:-20], "damaged"),
        ("a.jsonl.gz", b"\x1f\x8b" + b"junk" * 100, "damaged"),
        ("a.parquet", b"PAR1" + b"\0" * 100 + b"PAR1", "damaged"),
        ("a.bin", bytes(range(256)) * 10, "none of the formats"),
        ("a.txt", b"just words\n", "none of the formats"),
        ("a.jsonl", lines({"name": "x"}), "has no column 'event'"),
        ("a.csv", b"event,when\na,b\n", "has no column 'timestamp'"),
        ("a.csv", b"event,event\na,b\n", "names a column twice"),
    ],
)
def test_unreadable_files(load_bytes: Load, name: str, content: bytes, says: str) -> None:
    """A file that cannot be read is named, with what is wrong and what to do."""
    with pytest.raises(LoadError) as refused:
        load_bytes(name, content)
    assert says in refused.value.what
    assert refused.value.next_step


def test_a_store_of_another_version(into: Path, load_bytes: Load) -> None:
    """Nothing is loaded into it, and it is said what to do."""
    load_bytes("a.jsonl", lines(ROW))
    with duckdb.connect(str(into / "events.duckdb")) as con:
        con.execute("update store_facts set value = '2' where name = 'layout'")
    with pytest.raises(LoadError, match="no event store of this version") as refused:
        load_bytes("b.jsonl", lines({**ROW, "distinct_id": "new"}))
    assert "Move it away" in refused.value.next_step
    assert [(1,)] == rows(into, "select count(*) from events")


def test_missing_file(tmp_path: Path, into: Path) -> None:
    """A path that is not there."""
    with pytest.raises(LoadError, match="is not there"):
        load([tmp_path / "nope.jsonl"], into)


def test_empty_files(load_bytes: Load) -> None:
    """An empty file holds no events, and that is no error."""
    assert 0 == load_bytes("a.jsonl", b"").events


def test_failed_load_changes_nothing(tmp_path: Path, into: Path, load_bytes: Load) -> None:
    """When one file is broken, the others are not loaded either."""
    load_bytes("a.jsonl", lines(ROW))
    good, broken = tmp_path / "b.jsonl", tmp_path / "c.parquet"
    good.write_bytes(lines({**ROW, "distinct_id": "new"}))
    broken.write_bytes(b"PAR1junkPAR1")
    with pytest.raises(LoadError):
        load([good, broken], into)
    assert [(1,)] == rows(into, "select count(*) from events")
    assert ["events.duckdb"] == [path.name for path in into.iterdir()]


def test_store_in_use(into: Path, load_bytes: Load) -> None:
    """Another process that holds the store is named."""
    load_bytes("a.jsonl", lines(ROW))
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print(1, flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(into / "events.duckdb")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LoadError, match=f"in use by process {holder.pid}"):
            load_bytes("b.jsonl", lines(ROW))
        holder.communicate()


def test_unusual_values(into: Path, load_bytes: Load) -> None:
    """A megabyte of text, NUL, giant numbers, odd keys and keys that differ by case are kept as they are."""
    odd = {
        "big": "x" * 1_000_000,
        "nul": "a\0b",
        "n": 10**30,
        'k"e y~/': 1,
        "Case": 1,
        "case": 2,
        "": 3,
        "list": [1, {"a": 2}],
    }
    load_bytes("a.jsonl", lines({**ROW, "properties": odd}))
    [(text,)] = rows(into, "select properties from events")
    assert odd == json.loads(text)


def test_later_keys(into: Path, load_bytes: Load) -> None:
    """A key that comes with a later load is found in old rows and new ones."""
    load_bytes("a.jsonl", lines(*[{**ROW, "distinct_id": str(n), "properties": {"n": n}} for n in range(2000)]))
    load_bytes("b.jsonl", lines(*[{**ROW, "distinct_id": str(n), "properties": {"later": n}} for n in range(2000)]))
    assert [(2000, 2000)] == rows(into, 'select count("p.n"), count("p.later") from events')


def event(name: str, who: str, day: int, **properties: Any) -> dict[str, Any]:
    return {"event": name, "timestamp": f"2026-03-{day:02}T00:00:00Z", "distinct_id": who, "properties": properties}


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([event("a", "x", 1), event("a", "y", 2)], 2),
        ([event("a", "x", 1), event("$identify", "y", 2, **{"$anon_distinct_id": "x"})], 1),
        ([event("a", "x", 1), event("$create_alias", "y", 2, alias="x"), event("a", "y", 3)], 1),
        ([event("a", "x", 1), event("$identify", "y", 2, **{"$anon_distinct_id": "null"}),
          event("$identify", "x", 3, **{"$anon_distinct_id": "null"})], 2),
        ([event("$identify", "x", 1, **{"$anon_distinct_id": "b"}),
          event("$identify", "y", 2, **{"$anon_distinct_id": "x"})], 2),
        ([event("$identify", "x", 1, **{"$anon_distinct_id": "b"}), event("$merge_dangerously", "y", 2, alias="x")], 1),
        ([{**event("a", "x", 1), "person_id": "p"}, {**event("a", "y", 2), "person_id": "p"}], 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("at_once", [True, False])
def test_persons(into: Path, load_bytes: Load, history: list[dict[str, Any]], expected: int, at_once: bool) -> None:
    """Who is one person, whether the events come in one load or one by one."""
    for number, part in enumerate([history] if at_once else [[row] for row in history]):
        load_bytes(f"{number}.jsonl", lines(*part))
    used = "select count(distinct pid) from events"
    assert [(expected,)] == rows(into, used)


def test_person_properties(into: Path, load_bytes: Load) -> None:
    """$set keeps the newest value, $set_once the first."""
    first = event("a", "x", 1, **{"$set": {"plan": "free", "age": 1}, "$set_once": {"from": "ad"}})
    second = event("a", "x", 2, **{"$set": {"plan": "pro"}, "$set_once": {"from": "mail"}})
    load_bytes("a.jsonl", lines(second))
    load_bytes("b.jsonl", lines(first, event("a", "x", 3, **{"$set": {"age": 2}})))
    [(text,)] = rows(into, "select properties from persons")
    assert {"from", "plan", "age"} == set(json.loads(text))
    assert 2 == json.loads(text)["age"]


def test_exported_person_properties(into: Path, load_bytes: Load) -> None:
    """Of exported person properties the latest hold."""
    load_bytes("a.jsonl", lines({**event("a", "x", 2), "person_properties": {"plan": "pro"}},
                                {**event("a", "x", 1), "person_properties": {"plan": "free"}}))  # fmt: skip
    assert [("pro",)] == rows(into, "select properties ->> '/plan' from persons")


def test_progress_only_grows(load_bytes: Load) -> None:
    """Progress goes from start to one, never back."""
    seen: list[float] = []
    load_bytes("a.jsonl", lines(ROW), progress=lambda fraction, message: seen.append(fraction))
    assert (sorted(seen), 1.0) == (seen, seen[-1])


@pytest.fixture(scope="module")
def commits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not COMMITS.exists():
        pytest.skip("the commits are not here")
    folder = tmp_path_factory.mktemp("commits")
    load([COMMITS], folder)
    return folder


def raw() -> list[dict[str, Any]]:
    with gzip.open(COMMITS, "rt") as file:
        return [json.loads(line) for line in file]


def test_commits_are_all_loaded(commits: Path) -> None:
    """Each uuid once, with first and last time."""
    store = EventStore(commits / "events.duckdb")
    expected = Counter(row["event"] for row in {row["uuid"]: row for row in raw()}.values())
    assert expected == {row.name: row.count for row in store.event_definitions()}
    store.close()


def test_commits_by_repo_and_week(commits: Path) -> None:
    """A weekly trend by repository equals counting the raw lines."""
    import threading

    from insights_mcp.local import queries

    store = EventStore(commits / "events.duckdb")
    query = {
        "kind": "TrendsQuery",
        "interval": "week",
        "dateRange": {"date_from": "2020-01-01", "date_to": "2021-12-31"},
        "series": [{"kind": "EventsNode", "event": "commit authored"}],
        "breakdownFilter": {"breakdown": "repo", "breakdown_type": "event"},
    }
    answer = queries.run(
        query,
        events=store,
        project=queries.Project(),
        now=datetime(2026, 1, 1, tzinfo=UTC),
        cancelled=threading.Event(),
    )
    actual = {
        (series["breakdown_value"], day): count
        for series in answer["results"]
        for day, count in zip(series["days"], series["data"], strict=True)
        if count
    }
    assert _weekly({row["uuid"]: row for row in raw()}) == actual
    store.close()


def _weekly(rows: dict[str, dict[str, Any]]) -> dict[tuple[str, str], float]:
    expected: Counter[tuple[str, str]] = Counter()
    for row in rows.values():
        moment = datetime.fromisoformat(row["timestamp"]).astimezone(UTC)
        sunday = moment.date() - timedelta(days=(moment.weekday() + 1) % 7)
        if row["event"] == "commit authored" and "2019-12-29" <= str(moment.date()) <= "2021-12-31":
            expected[row["properties"]["repo"], str(sunday)] += 1
    return {key: float(count) for key, count in expected.items()}
