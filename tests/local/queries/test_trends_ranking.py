"""TrendsQuery by values: how they are called, what falls into which bin, and what is ranked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.local.queries.conftest import NOW, Ask, asking, store_of
from tests.local.queries.test_trends_counting import NONE, OTHER, by, data, shown, trend, values

VISIT = {"event": "visit"}


def visit(time: str, who: str, **properties: Any) -> dict[str, Any]:
    return {"event": "visit", "timestamp": f"2026-{time}:00Z", "distinct_id": who, "properties": properties}


def asked(folder: Path, *events: dict[str, Any], **kinds: str) -> Ask:
    """Asks a store of these events; `kinds` are types of properties."""
    store = store_of(events, folder)
    with duckdb.connect(str(store.path)) as con:
        for name, kind in kinds.items():
            con.execute("update property_catalogue set property_type = $k where name = $n", {"k": kind, "n": name})
    return asking(store, NOW)


def test_each_number_is_counted_by_itself_before_it_falls_into_a_bin(tmp_path: Path) -> None:
    """Who was there with 1 and with 2 is two in the bin of both, as in PostHog."""
    ask = asked(tmp_path, visit("03-10T09:00", "ann", n=1), visit("03-10T10:00", "ann", n=2))
    found = ask(trend({**VISIT, "math": "dau"}, **by(breakdown="n", breakdown_histogram_bin_count=1)))
    assert {"[1,2.01]": [0.0, 0.0, 2.0]} == values(found)


def test_bins_lie_between_what_is_counted(tmp_path: Path) -> None:
    """Of first times, between the numbers of the first times; one without a number is in none of them."""
    first = visit("03-09T09:00", "ann", n=10), visit("03-09T10:00", "ben", n=20), visit("03-10T08:00", "cem")
    ask = asked(tmp_path, *first, visit("03-10T10:00", "ann", n=900), visit("03-10T10:00", "cem", n=5))
    series = {**VISIT, "math": "first_time_for_user"}
    found = ask(trend(series, **by(breakdown="n", breakdown_histogram_bin_count=2)))
    assert {"[10,15]": [0.0, 1.0, 0.0], "[15,20.01]": [0.0, 1.0, 0.0], NONE: [0.0, 0.0, 1.0]} == values(found)


def test_values_are_smoothed_before_they_are_ranked(tmp_path: Path) -> None:
    """One visit in two days is a mean of none: two on one day are more than two on two; the others are smooth, too."""
    once = [visit(f"03-{day}T10:00", "ann", page=page) for page in ("a", "b") for day in ("08", "10")]
    ask = asked(tmp_path, *once, visit("03-09T10:00", "ann", page="c"), visit("03-09T11:00", "ann", page="c"))
    found = ask(trend(VISIT, **by(breakdown="page", breakdown_limit=1), trendsFilter={"smoothingIntervals": 2}))
    assert {"c": [0.0, 1.0, 1.0], OTHER: [2.0, 0.0, 0.0]} == values(found)


def test_a_running_sum_is_smoothed_by_value(tmp_path: Path) -> None:
    """It is added up first."""
    ask = asked(
        tmp_path, *(visit(f"03-{day}:00", "ann", page="a") for day in ("08T09", "08T10", "09T10", "10T09", "10T10"))
    )
    split = by(breakdown="page") | shown("ActionsLineGraphCumulative", smoothingIntervals=2)
    assert {"a": [2.0, 2.0, 4.0]} == values(ask(trend(VISIT, **split)))


@pytest.mark.parametrize(
    ("math", "expected"), [("dau", 1.0), ("avg", 10.0), ("sum", 20.0), ("total", 2.0), ("unique_session", 1.0)]
)
def test_values_that_are_called_alike_are_one(tmp_path: Path, math: str, expected: float) -> None:
    """Also where the number was sent in two ways: who sent both is one, and the mean is that of both."""
    ask = asked(tmp_path, visit("03-10T09:00", "ann", n="10"), visit("03-10T10:00", "ann", n="10.0"), n="Numeric")
    found = ask(trend({**VISIT, "math": math, "math_property": "n"}, **by(breakdown="n")))
    assert {"10": [0.0, 0.0, expected]} == values(found)


def test_a_session_counts_once_without_a_value(tmp_path: Path) -> None:
    """However many ways there are to have none: its length is added up once."""
    of = {"$session_id": "s"}
    times = [visit("03-10T09:00", "ann", n="x", **of), visit("03-10T09:01", "ann", n="", **of)]
    series = {**VISIT, "math": "sum", "math_property": "$session_duration"}
    assert {NONE: [0.0, 0.0, 60.0]} == values(asked(tmp_path, *times, n="Numeric")(trend(series, **by(breakdown="n"))))


def test_times_are_shown_in_the_projects_zone(tmp_path: Path) -> None:
    """A text that names no zone is of the project's; seconds since 1970 are a time, or ms; what is no time is none."""
    due = ("2026-01-02", "2026-01-02T03:04:05Z", "2026-07-02T03:04:05.5+00:00", "1767322000", "1767322000123", "soon")
    ask = asked(tmp_path, *(visit("03-10T09:00", "ann", due=each) for each in due), due="DateTime")
    found = values(ask(trend(VISIT, **by(breakdown="due")), timezone="Europe/Berlin"))
    wanted = ("02 00:00:00.000000", "02 03:46:40.000000", "02 03:46:40.123000", "02 04:04:05.000000")
    assert [*(f"2026-01-{each}" for each in wanted), "2026-07-02 05:04:05.500000", NONE] == list(found)


def test_who_is_active_after_the_last_bucket_is_no_value(tmp_path: Path) -> None:
    """A value that no bucket counts is not there: weeks begin on Sunday, and this one's Tuesday is not counted."""
    ask = asked(tmp_path, visit("03-08T09:00", "ann", page="a"), visit("03-10T09:00", "ben", page="b"))
    found = ask(trend({**VISIT, "math": "monthly_active"}, **by(breakdown="page"), interval="week"))
    assert ["a"] == list(values(found))


def test_a_running_sum_that_falls_to_nothing_stays(tmp_path: Path) -> None:
    """As PostHog draws it: where it is not above 0, it is what it was before."""
    ask = asked(tmp_path, *(visit(f"03-{day}T09:00", "ann", n=n) for day, n in (("08", 2), ("09", -5), ("10", 4))))
    series = {**VISIT, "math": "sum", "math_property": "n"}
    drawn = shown("ActionsLineGraphCumulative")
    assert [[2, 2, 1]] == data(ask(trend(series, **drawn)))
    assert [[2, 2, 1]] == data(ask(trend(series, **drawn, **by(breakdown="page"))))
