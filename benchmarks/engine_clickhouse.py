"""ClickHouse in a process of its own: loads the events into a table with materialised columns, then answers SQL.

As a program: python -m benchmarks.engine_clickhouse EVENTS.parquet FOLDER; each line in is a statement as JSON, each
line out [CPU seconds, wall seconds, rows]; the first one tells of the load.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEYS = ("$browser", "$browser_version", "$os", "$device_type", "$current_url", "$pathname", "$host",
        "$referring_domain", "$session_id", "$lib", "$lib_version", "$screen_width", "$screen_height",
        "$geoip_country_code", "$geoip_city_name", "$insert_id", "plan", "$active_feature_flags", "utm_source",
        "utm_medium", "utm_campaign", "amount", "currency", "items")  # fmt: skip
EVENTS = """
create table events (uuid UUID, event LowCardinality(String), distinct_id String, person_id UUID,
  timestamp DateTime64(6, 'UTC'), created_at DateTime64(6, 'UTC'), properties String codec(ZSTD(1)), {columns})
engine = MergeTree order by (toDate(timestamp), event, cityHash64(distinct_id))
"""
# As PostHog does it: a number is kept as its text, null and '' are none.
COLUMN = (
    "{name} Nullable(String) materialized nullIf(nullIf(replaceRegexpAll("
    "JSONExtractRaw(properties, '{key}'), '^\"|\"$', ''), ''), 'null')"
)
LOADS = (
    "insert into events (uuid, event, distinct_id, person_id, timestamp, created_at, properties)"
    " select toUUID(uuid), event, distinct_id, toUUID(person_id), timestamp, created_at, properties"
    " from file('{file}', Parquet)",
    "create table persons (person_id UUID, first_seen DateTime64(6, 'UTC'), properties String)"
    " engine = MergeTree order by person_id",
    "insert into persons select toUUID(person_id), min(timestamp), argMax(person_properties, timestamp)"
    " from file('{file}', Parquet) group by person_id",
    "optimize table events final",
)


class ClickHouse:
    """The process; `loaded` is the load's CPU and wall seconds, `peak` the megabytes it took."""

    def __init__(self, file: Path, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.engine_clickhouse", str(file), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.cpu, self.wall, [[self.peak]] = self._answer()

    def ask(self, statement: str) -> tuple[float, float, list[list[Any]]]:
        """CPU and wall seconds, and the rows."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(statement) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> tuple[float, float, list[list[Any]]]:
        assert self._process.stdout is not None
        cpu, wall, rows = json.loads(self._process.stdout.readline())
        return cpu, wall, rows


def timed(run: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU and wall seconds of this process, and what came out."""
    cpu, wall = time.process_time(), time.perf_counter()
    out = run()
    return time.process_time() - cpu, time.perf_counter() - wall, out


def peak() -> float:
    """The most megabytes this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(file: str, folder: str) -> None:
    """Load, then answer until there is nothing more to read."""
    from chdb.session import Session  # type: ignore[import-not-found,unused-ignore]

    session = Session(folder)
    session.query("create database d")
    session.query("use d")
    columns = ", ".join(COLUMN.format(name=key.strip("$"), key=key) for key in KEYS)
    statements = [EVENTS.format(columns=columns), *(text.format(file=file) for text in LOADS)]
    cpu, wall, _ = timed(lambda: [session.query(text) for text in statements])
    print(json.dumps([cpu, wall, [[peak()]]]), flush=True)
    settings = "output_format_json_quote_64bit_integers = 0"
    for line in sys.stdin:
        text = f"{json.loads(line)} settings {settings}"
        cpu, wall, out = timed(lambda text=text: str(session.query(text, "JSONCompact")))  # type: ignore[misc]
        print(json.dumps([cpu, wall, json.loads(out)["data"]]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
