"""Whether answers keep the facts: questions of 40 kinds, asked of generated results, answered from the text alone.

The reader is fixed rules: it looks for the number where an answer has it, in the digest or in the table, and
knows nothing of the result. What is right is computed from the result here, without the code that makes answers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from insights_mcp.answer import Answer, render
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.results import readable

NOW = datetime(2026, 1, 10, 15, tzinfo=UTC)
ASKED = Asked({"interval": "day"}, NOW, "UTC", None, "2026-01-10T23:59:59Z")
RETENTION = Asked({"kind": "RetentionQuery", "retentionFilter": {"period": "Day"}}, NOW, "UTC")
Question = tuple[str, str]  # what must stand in the answer, as a pattern; and the kind of question


def kept(rounds: int) -> tuple[int, int, int]:
    """Kinds of questions, questions asked, and those the answers answer; `rounds` results of each kind of result."""
    found = [
        (kind, bool(re.search(pattern, text))) for text, questions in _asked(rounds) for pattern, kind in questions
    ]
    return len({kind for kind, _ in found}), len(found), sum(answered for _, answered in found)


def _asked(rounds: int) -> Iterator[tuple[str, list[Question]]]:
    return (make(random.Random(seed)) for seed in range(rounds) for make in MAKERS)


def _text(result: Any, asked: Asked = ASKED, columns: list[str] | None = None) -> str:
    found = readable(result, columns, asked)
    return render(Answer("Result.", table=found.picked, digest=found.digest, more="x({offset})"), "project 1").text


def _days(count: int) -> list[str]:
    return [f"{NOW - timedelta(days=count - 1 - n):%Y-%m-%d}" for n in range(count)]


def _number(value: float) -> str:
    """The number as a pattern: whole, or with six digits that matter."""
    text = str(int(value)) if float(value).is_integer() else f"{value:.6g}"
    return rf"(?<![\d.]){re.escape(text)}(?![\d])"


def _percent(part: float, whole: float) -> str:
    share = 100 * part / whole
    return re.escape(
        f"{share:.1f}".rstrip("0").rstrip(".")
        if abs(share) >= 1 or not share
        else f"{share:.2f}".rstrip("0").rstrip(".")
    )


def _signed(before: float, after: float) -> str:
    return (r"\+" if after > before else "") + _percent(after - before, before)


def _series(label: str, data: list[int], math: str = "total", **more: Any) -> dict[str, Any]:
    return {"label": label, "data": data, "days": _days(len(data)), "action": {"math": math}} | more


def _trend(dice: random.Random) -> tuple[str, list[Question]]:
    data = [dice.randint(10, 10_000) for _ in range(dice.choice([14, 60, 365]))]
    data[1] = data[2] = 0
    dates, done = _days(len(data)), data[:-1]
    high = data.index(max(data))
    return _text([_series("visit", data)]), [
        (rf"last complete {dates[-2]} {_number(done[-1])}", "the last complete value"),
        (rf"{_signed(done[-2], done[-1])}% on {dates[-3]}", "change on the day before"),
        (rf"{_signed(done[-8], done[-1])}% on {dates[-9]} \(week before\)", "change on the week before"),
        (rf"total {_number(sum(data))}", "the total"),
        (rf"high {_number(data[high])}", "the highest value"),
        (rf"high \S+ on {dates[high]}", "the day of the highest value"),
        (rf"low {_number(0)}", "the lowest value"),
        (rf"low 0 on {dates[1]}", "the day of the lowest value"),
        (rf"0 from {dates[1]} to {dates[2]}", "when nothing came"),
        (rf"{dates[-1]} \(partial\) \| {_number(data[-1])}", "today's value so far"),
        (rf"{dates[0]} \| {_number(data[0])}", "the first value"),
    ]


def _breakdowns(dice: random.Random) -> tuple[str, list[Question]]:
    rows = {f"v{n}": [dice.randint(1, 900) for _ in range(90)] for n in range(dice.randint(5, 25))}
    sums = {name: sum(row) for name, row in rows.items()}
    ranked, whole = sorted(sums, key=lambda name: -sums[name]), sum(sums.values())
    first, some = ranked[0], dice.choice(list(rows))
    return _text([_series(name, row, breakdown_value=name) for name, row in rows.items()]), [
        (rf"{len(rows)} series", "how many values"),
        (rf"total {_number(whole)}", "the sum of all values"),
        (rf'largest "{first}" {_number(sums[first])}', "the largest value"),
        (rf'"{first}" \S+ \({_percent(sums[first], whole)}%\)', "the share of the largest"),
        (rf'largest "{ranked[0]}"[^;]*"{ranked[1]}"', "the second rank"),
        (rf"(?m)^{some} \| {_number(sums[some])}", "the total of one value"),
        (rf"(?m)^{some} \| .*\| {_number(max(rows[some]))} \|", "the highest day of one value"),
        (rf"(?m)^{some} \| .*\| {_number(rows[some][-2])} \|", "the last day of one value"),
    ]


def _people(dice: random.Random) -> tuple[str, list[Question]]:
    data = [dice.randint(10, 900) for _ in range(60)]
    return _text([_series("visit", data, "dau")]), [
        (r"(?s)\A(?!.*total)", "that people are not summed"),
        (rf"average {_number(round(sum(data[:-1]) / 59, 2))}", "people on an average day"),
    ]


def _steps(dice: random.Random, count: int) -> list[dict[str, Any]]:
    people = [dice.randint(5_000, 9_000)]
    for _ in range(count - 1):
        people.append(int(people[-1] * dice.uniform(0.3, 0.95)))
    return [
        {"name": f"s{n}", "order": n, "count": c, "median_conversion_time": 60.0 * n or None}
        for n, c in enumerate(people)
    ]


def _funnel(dice: random.Random) -> tuple[str, list[Question]]:
    steps = _steps(dice, dice.randint(3, 8))
    counts = [step["count"] for step in steps]
    lost = [here - on for here, on in pairwise(counts)]
    at = lost.index(max(lost))
    return _text(steps), [
        (rf"{_number(counts[-1])} of {_number(counts[0])} people", "who converted"),
        (rf"converted \({_percent(counts[-1], counts[0])}%\)", "the conversion"),
        (rf"largest loss {at + 1} → {at + 2}", "where most were lost"),
        (rf"{_number(lost[at])} of \d+ people lost", "its drop in people"),
        (rf"longest {len(counts) - 1}m", "the longest step in time"),
    ]


def _funnels(dice: random.Random) -> tuple[str, list[Question]]:
    found = {f"v{n}": _steps(dice, 6) for n in range(8)}
    rates = {v: steps[-1]["count"] / steps[0]["count"] for v, steps in found.items()}
    best, some = max(rates, key=lambda v: rates[v]), dice.choice(list(found))
    text = _text([[step | {"breakdown_value": [v]} for step in steps] for v, steps in found.items()])
    return text, [
        (rf'best "{best}"', "the best converting value"),
        (rf"(?m)^{some} \|.* \| {_number(round(100 * rates[some], 2))}(?: \||$)", "the conversion of one value"),
        (rf"(?m)^{some} \|.*\| {_number(found[some][3]['count'])} \|", "people at a step of one value"),
    ]


def _retention(dice: random.Random) -> tuple[str, list[Question]]:
    count = dice.choice([10, 30, 90])
    cohorts = [[dice.randint(100, 900)] for _ in range(count)]
    for place, cohort in enumerate(cohorts):
        cohort += [dice.randint(0, cohort[0]) for _ in range(count - place - 1)]
    result = [
        {"values": [{"count": n} for n in c], "date": f"{d}T00:00:00Z"}
        for c, d in zip(cohorts, _days(count), strict=True)
    ]
    over = [c for place, c in enumerate(cohorts) if place < count - 2]
    largest = max(range(count - 1), key=lambda place: cohorts[place][0])  # today's may still grow
    last = next(p for p in range(count - 2, 0, -1))
    size, back = cohorts[0][:2]
    return _text(result, RETENTION), [
        (
            rf"period 1 {_percent(sum(c[1] for c in over), sum(c[0] for c in over))}%",
            "weighted return in the first period",
        ),
        (rf"period {last} {_percent(cohorts[0][last], cohorts[0][0])}%", "return in the last period"),
        (rf"largest {_days(count)[largest]} with {_number(cohorts[largest][0])}", "the largest cohort"),
        (
            rf"{_days(count)[0]} \| {_number(size)} \| {_number(round(100 * back / size, 1))} ",
            "return of one cohort",
        ),
    ]


def _lifecycle(dice: random.Random) -> tuple[str, list[Question]]:
    data = {
        s: [dice.randint(1, 90) * (-1 if s == "dormant" else 1) for _ in range(30)]
        for s in ("new", "returning", "resurrecting", "dormant")
    }
    ratio = (data["new"][-2] + data["resurrecting"][-2]) / -data["dormant"][-2]
    shown = f"{ratio:.3g}" if ratio < 1 else f"{round(ratio, 2):.6g}"
    return _text([_series(f"x - {s}", row, status=s) for s, row in data.items()]), [
        (rf"new {_number(data['new'][-2])}, ", "new people of the last day"),
        (rf"dormant {_number(data['dormant'][-2])}", "who went dormant"),
        (rf"quick ratio {re.escape(shown)} in", "the quick ratio"),
    ]


def _paths(dice: random.Random) -> tuple[str, list[Question]]:
    values = dice.sample(range(10, 900), 40)
    edges = [
        {"source": f"1_/{n % 5}", "target": f"2_/{n}", "value": v, "average_conversion_time": 5e3}
        for n, v in enumerate(values)
    ]
    heaviest = values.index(max(values))
    return _text(edges), [
        (rf'heaviest step: "/{heaviest % 5}" → "/{heaviest}"', "the heaviest edge"),
        (rf"heaviest step: [^,]*, {_number(max(values))} times?", "how often it was gone"),
    ]


def _stickiness(dice: random.Random) -> tuple[str, list[Question]]:
    data = [dice.randint(1, 90) for _ in range(7)]
    labels = [f"{n} day{'s' if n > 1 else ''}" for n in range(1, 8)]
    return _text([_series("x", data, days=list(range(1, 8)), labels=labels)]), [
        (rf"{_number(sum(data))} people", "all people"),
        (rf"{_number(data[0])} \({_percent(data[0], sum(data))}%\) on 1 day", "who came once"),
    ]


def _rows(dice: random.Random) -> tuple[str, list[Question]]:
    rows: list[list[Any]] = [[f"/p{n}", dice.randint(1, 10**6), dice.random()] for n in range(dice.choice([20, 500]))]
    high, low = max(rows, key=lambda r: r[1]), min(rows, key=lambda r: r[1])
    return _text(rows, Asked({"kind": "HogQLQuery"}), ["page", "n", "r"]), [
        (rf'high {_number(high[1])} \("{high[0]}"\)', "the row with the most"),
        (rf'low {_number(low[1])} \("{low[0]}"\)', "the row with the least"),
    ]


MAKERS: tuple[Callable[[random.Random], tuple[str, list[Question]]], ...] = (
    _trend, _breakdowns, _people, _funnel, _funnels, _retention, _lifecycle, _paths, _stickiness, _rows
)  # fmt: skip
