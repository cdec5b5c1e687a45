"""A caller's own SQL, boxed in: whatever it does, it ends within its limits and the store stays usable."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from insights_mcp.box import boxes
from insights_mcp.box.boxes import BOXES, Boxes, Request
from insights_mcp.local.events import APART, EventStore, Failed, Interrupted, TooBig, TookTooLong

NESTED = "len(list_transform(range(100000), lambda x: list_sum(list_transform(range({n}), lambda y: x * y))))"
BOMBS = {
    "repeat": "select length(repeat('x', 2000000000))",
    "range": "select len(range(200000000))",
    "list": "select " + NESTED.format(n=100_000),
    "lists": f"select sum({NESTED.format(n='10 + i % 2')}) from range(100000000) t(i)",
    "list_reduce": "select list_reduce(range(100000000), lambda a, b: a + b)",
    "inequality": "select count(*) from range(300000) a(i) join range(300000) b(j) on a.i < b.j and a.i % 11 < b.j % 5",
    "cross": "select count(*) from range(100000000000) a, range(1000) b",
    "recursion": "with recursive t(n) as (select 1 union all select n + 1 from t) select max(n) from t",
    "doubling": "with recursive t(x) as (select 'a' union all select x || x from t) select count(*) from t",
    "sort": "select max(r) from (select row_number() over (order by hash(i)) r from range(300000000) t(i))",
    "groups": "select count(*) from (select list(i) from range(1000000000) t(i) group by i // 2)",
    "long rows": "select repeat('x', 1000000) from range(50000)",
    "many rows": "select i from range(100000000) t(i)",
}
FOREVER = APART + BOMBS["cross"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """An empty store."""
    opened = EventStore(tmp_path_factory.mktemp("empty") / "events.duckdb")
    opened.fetch(APART + "select 1")
    yield opened
    opened.close()


def usable(store: EventStore) -> bool:
    return [(0,)] == store.fetch(APART + "select count(*) from events").rows


@pytest.mark.parametrize("sql", BOMBS.values(), ids=BOMBS)
def test_ended_within_its_limits(store: EventStore, sql: str) -> None:
    """Time or memory runs out, soon after it should; then the store answers."""
    start = time.monotonic()
    with pytest.raises((TookTooLong, TooBig)):
        store.fetch(APART + sql, seconds=1)
    assert time.monotonic() - start < 4
    assert usable(store)


@pytest.mark.parametrize("sql", BOMBS.values(), ids=BOMBS)
def test_cancelled(store: EventStore, sql: str) -> None:
    """A cancelled query ends within a second or so, whatever it is doing."""
    cancelled = threading.Event()
    timer = threading.Timer(0.3, cancelled.set)
    timer.start()
    start = time.monotonic()
    with pytest.raises((Interrupted, TooBig)):
        store.fetch(APART + sql, cancelled=cancelled)
    assert time.monotonic() - start < 3
    timer.cancel()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no way to see another process's memory")
def test_memory_is_limited() -> None:
    """A function that takes 14 GB where settings rule is ended near one; this process takes nothing."""
    peak = [0]
    box = boxes.Box()
    request = Request(None, None, "", BOMBS["range"], {}, None)

    def watch() -> None:
        while peak[0] >= 0 and box.process is None:
            time.sleep(0.001)
        while box.process:
            peak[0] = max(peak[0], resident(box.process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with pytest.raises(TooBig):
        box.run(request, threading.Event(), 60)
    box.end()
    watcher.join()
    assert 100_000_000 < peak[0] < 2_500_000_000


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def test_hostile_queries_do_not_starve_a_small_one(store: EventStore) -> None:
    """Four that never end and take all they get: a small one is answered at once."""
    cancelled = threading.Event()

    def hostile() -> None:
        with pytest.raises(Interrupted):
            store.fetch(FOREVER, cancelled=cancelled)

    threads = [threading.Thread(target=hostile) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    start = time.monotonic()
    assert usable(store)
    assert [(1,)] == store.fetch("select 1").rows
    assert time.monotonic() - start < 3
    cancelled.set()
    for thread in threads:
        thread.join()


def test_the_longest_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all turns are taken and another waits, who has run longest is ended."""
    monkeypatch.setattr(boxes, "AT_ONCE", 1)
    monkeypatch.setattr(boxes, "FAIR", 0.5)
    own, ended = Boxes(), []

    def hostile() -> None:
        try:
            own.run(Request(None, None, "", BOMBS["cross"], {}, None), cancelled=threading.Event(), seconds=60)
        except TookTooLong as error:
            ended.append(error)

    thread = threading.Thread(target=hostile)
    thread.start()
    time.sleep(0.2)
    small = Request(None, None, "", "select 1", {}, None)
    assert [(1,)] == own.run(small, cancelled=threading.Event(), seconds=60).rows
    thread.join()
    own.close()
    assert 1 == len(ended)


def test_killed_from_outside(store: EventStore) -> None:
    """A process that dies takes its query with it, and nothing else."""

    def kill() -> None:
        time.sleep(0.5)
        process = next(each for each in BOXES._busy if each.process).process
        assert process
        process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(Failed, match="restarted"):
        store.fetch(FOREVER)
    killer.join()
    assert usable(store)


SERVER = """
import sys, threading, time
from pathlib import Path
from insights_mcp.box.boxes import BOXES
from insights_mcp.local.events import EventStore

store = EventStore(Path(sys.argv[1]))
threading.Thread(target=lambda: store.fetch(sys.argv[2]), daemon=True).start()
while not any(box.process for box in BOXES._busy):
    time.sleep(0.01)
print(next(box.process.pid for box in BOXES._busy if box.process), flush=True)
time.sleep(0.5)
input()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("how", ["killed", "exits"])
@pytest.mark.parametrize("bomb", ["cross", "lists"])
def test_no_orphans(tmp_path: Path, how: str, bomb: str) -> None:
    """A process ends with its server, however that ends and whatever the query does."""
    arguments = [sys.executable, "-c", SERVER, str(tmp_path / "events.duckdb"), APART + BOMBS[bomb]]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout
        assert server.stdin
        pid = int(server.stdout.readline())
        assert alive(pid)
        if how == "killed":
            server.send_signal(signal.SIGKILL)
        else:
            server.stdin.write(b"\n")
            server.stdin.flush()
        server.wait(10)
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(pid)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z"
    except OSError:
        pass
    if Path("/proc").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_secrets_stay_here(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes do not inherit what the environment says."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phx_secret")
    box = boxes.Box()
    process = box._started()
    environment = Path(f"/proc/{process.pid}/environ")
    if not environment.exists():
        pytest.skip("no way to see another process's environment")
    time.sleep(0.1)
    assert "phx_secret" not in environment.read_text()
    box.end()


def test_only_values_are_read() -> None:
    """What comes back can hold values, not instructions."""
    import io
    import pickle

    with pytest.raises(pickle.UnpicklingError):
        boxes._Values(io.BytesIO(pickle.dumps(os.system))).load()


def test_values_come_back_whole(store: EventStore) -> None:
    """The same as from this process: every type a column can have."""
    sql = """select 1, 2.5::double, 'ä', true, null, timestamp '2026-01-01 10:00:00.000001', date '2026-01-01',
             [1, 2], {'a': 1}, row(1, 'b'), uuid '00000000-0000-4000-8000-000000000000', 1.25::decimal(9, 2),
             interval 3 day, 12345678901234567890::hugeint, 'x'::blob, time '10:00:00'"""
    assert store.fetch(sql) == store.fetch(APART + sql)
