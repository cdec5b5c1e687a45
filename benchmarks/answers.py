"""Size of answers in tokens (characters / 4), text or structured, whichever is larger, against what else could be sent.

Against the reply as PostHog sends it, and against a plain pipe table of the whole, as its own server writes one.
A short reply cannot become fifty times shorter and still say something: the ratio to the reply holds for the four
together, and for each alone where the reply is large.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.facts import kept
from benchmarks.measure import Measurement
from insights_mcp.answer import Answer, Rendered, render
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.provenance import provenance
from insights_mcp.answer.results import readable

NOW = datetime(2026, 1, 10, 15, tzinfo=UTC)
PLACE = 'project 1 "Benchmark" at us.posthog.com'
OF_REPLY, OF_TABLE, FACTS = 0.02, 0.25, 0.95
LARGE = 10_000  # tokens of a reply
# What stands around every result, but for its SQL and timings; PostHog writes JSON without spaces.
ENVELOPE = {"is_cached": True, "last_refresh": NOW.isoformat(), "timezone": "UTC", "error": None, "query_status": None,
            "resolved_date_range": {"date_from": "2025-01-11T00:00:00Z", "date_to": "2026-01-10T23:59:59.999999Z"},
            "next_allowed_client_refresh": NOW.isoformat(), "cache_target_age": NOW.isoformat(), "hasMore": False,
            "cache_key": "cache_1_0123456789abcdef0123456789abcdef", "modifiers": None}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A result, and the whole of it as a pipe table."""

    what: str
    kind: str
    result: Any
    plain: Sequence[Sequence[Any]]
    columns: Sequence[str] | None = None


def measure(rounds: int) -> list[Measurement]:
    """Each answer, all of them together, and how many questions they answer."""
    sizes = [(case, *_sizes(case)) for case in (trend(), retention(), funnel(), sql())]
    alone = [m for case, ours, reply, plain in sizes for m in _measured(case.what, ours, reply, plain)]
    ours, reply, plain = (sum(parts) for parts in zip(*(size[1:] for size in sizes), strict=True))
    together = [
        Measurement("answers: all four, against the replies", ours, reply, OF_REPLY, "tokens"),
        Measurement("answers: all four, against whole tables", ours, plain, OF_TABLE, "tokens"),
    ]
    kinds, asked, found = kept(rounds)
    # A ratio that must be large, told as one that must be small: questions without an answer.
    lost = Measurement(
        f"answers: facts missing of {asked:,} questions of {kinds} kinds", asked - found, asked, 1 - FACTS, "facts"
    )
    return [*alone, *together, lost]


def _measured(what: str, ours: float, reply: float, plain: float) -> list[Measurement]:
    """Against a large reply, and against the whole table."""
    of_reply = [Measurement(f"{what}, against the reply", ours, reply, OF_REPLY, "tokens")] if reply >= LARGE else []
    return [*of_reply, Measurement(f"{what}, against a whole table", ours, plain, OF_TABLE, "tokens")]


def _sizes(case: Case) -> tuple[float, float, float]:
    answer, reply = (
        structured(case),
        json.dumps(ENVELOPE | {"results": case.result, "columns": case.columns}, separators=(",", ":")),
    )
    return answer, len(reply) / 4, len("\n".join("|".join(map(str, row)) for row in case.plain)) / 4


def structured(case: Case) -> float:
    """Tokens of the larger form of the answer, with its provenance."""
    both = rendered(case, case.result)
    return max(len(both.text), len(json.dumps(both.structured, separators=(",", ":"), ensure_ascii=False))) / 4


def rendered(case: Case, result: Any) -> Rendered:
    """The answer of a case's result."""
    asked = Asked({"kind": case.kind, "interval": "day"}, NOW, "UTC", "2025-01-11T00:00:00Z", "2026-01-10T23:59:59Z")
    found = readable(result, case.columns, asked)
    line = provenance(asked, computed=NOW.isoformat(), cached=True, now=NOW, unfinished=found.unfinished)
    answer = Answer(
        f"{case.kind}.",
        table=found.picked,
        digest=found.digest,
        provenance=line,
        more="run_query(query=…, offset={offset})",
    )
    return render(answer, PLACE)


def days(count: int) -> list[str]:
    """The days up to now."""
    return [f"{NOW - timedelta(days=count - 1 - n):%Y-%m-%d}" for n in range(count)]


def trend(count: int = 365, values: int = 25) -> Case:
    """A year, day by day, of the most frequent values."""
    dice, dates = random.Random(1), days(count)
    data = [
        [round(900 / (v + 1) * dice.uniform(0.8, 1.2) * (1 if n % 7 < 5 else 0.5)) for n in range(count)]
        for v in range(values)
    ]
    action = {"days": [f"{day}T00:00:00Z" for day in dates], "id": "$pageview", "type": "events", "order": 0,
              "name": "$pageview", "custom_name": None, "math": "total", "properties": {}}  # fmt: skip
    result = [{"action": action, "data": row, "labels": dates, "days": dates, "count": sum(row),
               "label": f"Browser {v}", "breakdown_value": f"Browser {v}"} for v, row in enumerate(data)]  # fmt: skip
    head = ["Date", *(f"$pageview breakdown for the value `Browser {v}`" for v in range(values))]
    return Case(
        f"365 days of {values} breakdowns",
        "TrendsQuery",
        result,
        [head, *([day, *(row[n] for row in data)] for n, day in enumerate(dates))],
    )


def retention(count: int = 90) -> Case:
    """Ninety daily cohorts."""
    dice = random.Random(2)
    cohorts = [[dice.randint(300, 900)] for _ in range(count)]
    for place, cohort in enumerate(cohorts):
        cohort += [round(cohort[0] * dice.uniform(0.8, 1.2) * 0.4 / (p + 1) ** 0.5) for p in range(count - place - 1)]
    dates = days(count)
    result = [{"values": [{"count": n, "label": f"Day {p}"} for p, n in enumerate(cohort)], "label": f"Day {place}",
               "date": f"{dates[place]}T00:00:00Z"} for place, cohort in enumerate(cohorts)]  # fmt: skip
    plain = [
        [f"{dates[place]} 00:00", cohort[0], *(f"{100 * n / cohort[0]:.2f}%" for n in cohort)]
        for place, cohort in enumerate(cohorts)
    ]
    return Case("retention of 90 days", "RetentionQuery", result, plain)


def funnel(steps: int = 8, values: int = 10) -> Case:
    """Eight steps of the ten most frequent values."""
    dice = random.Random(3)
    counts = [[round(90_000 / (v + 10) * 0.7**s * dice.uniform(0.9, 1)) for s in range(steps)] for v in range(values)]
    result = [[{"action_id": f"event number {s}", "name": f"event number {s}", "custom_name": None, "order": s,
                "people": [], "count": n, "type": "events", "average_conversion_time": 61.7 * s or None,
                "median_conversion_time": 42.1 * s or None, "breakdown": [f"Browser {v}"],
                "breakdown_value": [f"Browser {v}"]}
               for s, n in enumerate(row)] for v, row in enumerate(counts)]  # fmt: skip
    plain: list[list[Any]] = [["Date range: 2025-01-11 00:00:00 to 2026-01-10 23:59:59 (UTC)"], []]
    for v, row in enumerate(counts):
        plain += [
            [f"---Browser {v}"],
            ["Metric", *(f"event number {s}" for s in range(steps))],
            ["Total person count", *row],
        ]
        plain += [[name, *(f"{100 * n / row[0]:.2f}%" for n in row)] for name in ("Conversion rate", "Dropoff rate")]
        plain += [
            [name, "-", *(f"{s}m 30s" for s in range(1, steps))]
            for name in ("Average conversion time", "Median conversion time")
        ]
        plain.append([])
    return Case("funnel of 8 steps, 10 breakdowns", "FunnelsQuery", result, plain)


def sql(count: int = 500) -> Case:
    """Rows of addresses, numbers and texts."""
    dice = random.Random(4)
    columns = ["timestamp", "url", "visits", "seconds", "title"]
    rows = [[f"2026-01-{n % 28 + 1:02}T12:{n % 60:02}:00Z", f"https://example.com/articles/{n}/a-page-of-some-length",
             dice.randint(1, 9_000), dice.random() * 90, f"Page {n} with a title"] for n in range(count)]  # fmt: skip
    return Case(f"{count} rows of SQL", "HogQLQuery", rows, [columns, *rows], columns)
