"""TrendsQuery where it is PostHog's own: orders and ties, none and other, bins, quiet corners of dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from insights_mcp.local.queries.project import Cohort
from tests.local.queries.conftest import Ask, asked_of, asking, store_of
from tests.local.queries.test_trends_counting import NONE, OTHER, by, data, shown, trend, values

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
VISIT = {"event": "visit"}
BUY = {"event": "buy"}


def event(name: str, time: str, who: str, **properties: Any) -> dict[str, Any]:
    return {"event": name, "timestamp": f"2026-{time}:00Z", "distinct_id": who, "properties": properties}


# Three visits by no page, then pages p2 and p10 once each; sizes 0, 1 and 10; one purchase of what nobody visited.
EVENTS = [
    event("visit", "03-08T09:00", "ann", size=0, at="https://x.example/a/?#", old=1),
    event("visit", "03-08T10:00", "ann", size=1, at="/", old=1),
    event("visit", "03-09T09:00", "ben", size=10.0),
    event("visit", "03-09T10:00", "ben", page="p10", at="https://x.example/a", due="2026-03-09 22:30:00"),
    event("visit", "03-10T10:00", "ben", page="p2", due="2026-03-09T22:30:00Z", **{"$session_id": "s"}),
    event("buy", "03-10T10:00", "ben", page="p3"),
    event("visit", "03-03T11:00", "cem", page="p2"),
    event("visit", "03-03T13:00", "cem", page="p2"),
    event("visit", "02-01T10:00", "dan", page="p2"),
    event("visit", "02-27T10:00", "dan", page="p2"),
    event("$exception", "03-09T10:00", "eve", **{"$exception_types": ["TypeError", "ValueError"]}),
    event("$exception", "03-09T11:00", "fay", **{"$exception_types": ["KeyError"]}),
    event("$exception", "03-09T12:00", "gil", **{"$exception_types": "KeyError"}),
    event("$identify", "03-10T09:00", "eve@x.example", **{"$anon_distinct_id": "eve"}),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask a store of EVENTS."""
    yield from asked_of(EVENTS, tmp_path_factory.mktemp("site"), NOW)


def named(answer: dict[str, Any], number: str = "count") -> list[tuple[Any, Any]]:
    return [(series["breakdown_value"], series[number]) for series in answer["results"]]


def ranged(date_from: str | None, date_to: str | None = None, **more: Any) -> dict[str, Any]:
    return {"dateRange": {"date_from": date_from, "date_to": date_to, **more}}


def test_without_a_value_is_ranked_in_all_but_shown_last(site: Ask) -> None:
    """Over time it gives way to every value; as a number in all it takes its place under the limit."""
    split = by(breakdown="page", breakdown_limit=1)
    over_time = site(trend(VISIT, **split))
    in_all = site(trend(VISIT, **split, **shown("ActionsTable")))
    assert [("p10", 1), (OTHER, 4)] == named(over_time)
    assert [(NONE, 3), (OTHER, 2)] == named(in_all, "aggregated_value")


def test_a_world_map_has_room_for_every_country(site: Ask) -> None:
    """Its limit is its own."""
    answer = site(trend(VISIT, **by(breakdown="page", breakdown_limit=1), **shown("WorldMap")))
    assert not answer["hasMore"]


@pytest.mark.parametrize(("count", "names"), [(3, ["[0,3.3333333333333335]", "[6.666666666666667,10.01]", NONE]),
                                              (1, ["[0,10.01]", NONE])])  # fmt: skip
def test_bins_are_named_by_their_bounds(site: Ask, count: int, names: list[str]) -> None:
    """In full, as a float is written; what has no number is none of them."""
    alone = site(trend(VISIT, **by(breakdown="size", breakdown_histogram_bin_count=count)))
    listed = site(trend(VISIT, **by(breakdowns=[{"property": "size", "histogram_bin_count": count}])))
    assert names == [name for name, _ in named(alone)]
    assert [[name] for name in names] == [name for name, _ in named(listed)]


TYPED: list[dict[str, Any]] = [
    {"n": "10.50", "b": "true"}, {"n": "10.5", "b": "false"}, {"n": "10.0", "b": True}, {"n": 10, "b": "yes"},
    {"n": "1e3", "b": "1"}, {"n": "12345678901234567", "b": ""}, {"n": "-0.25"}, {"n": "ten"}, {"n": ""},
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("n", "Numeric", {"10.5": 2, "10": 2, "1000": 1, "12345678901234568": 1, "-0.25": 1, NONE: 2}),
        ("b", "Boolean", {"true": 2, "false": 1, NONE: 6}),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_values_are_of_the_type(
    tmp_path: Path, name: str, kind: str, expected: dict[str, int], *, several: bool
) -> None:
    """Texts of a property that holds numbers, or yes and no, are read as such; those that cannot be are none."""
    store = store_of([event("visit", "03-10T10:00", "ann", **each) for each in TYPED], tmp_path)
    with duckdb.connect(str(store.path)) as con:
        con.execute(
            "update property_catalogue set property_type = $kind where name = $name", {"kind": kind, "name": name}
        )
    names = [{"property": each} for each in ([name, "none"] if several else [name])]
    found = values(asking(store, NOW)(trend(VISIT, **by(breakdowns=names))))
    shown = {str([value, NONE] if several else [value]): [0.0, 0.0, float(count)] for value, count in expected.items()}
    assert found == shown


# Sessions a and c bounced; of two in b one was a trial.
BOUNCED = [
    event("visit", "03-10T10:00", "ann", **{"$session_id": "a"}),
    event("$pageview", "03-10T10:00", "ann", **{"$session_id": "a"}, trial=True),
    event("$pageview", "03-10T10:00", "ben", **{"$session_id": "b"}, trial=True),
    event("$pageview", "03-10T10:01", "ben", **{"$session_id": "b"}, trial=False),
    event("$pageview", "03-10T10:00", "cem", **{"$session_id": "c"}),
]


@pytest.mark.parametrize(
    ("owner", "name", "total", "mean"),
    [("session_properties", "$is_bounce", 2, 2 / 3), ("event_properties", "trial", 2, 2 / 3)],
)
def test_yes_is_one_and_no_is_nothing(tmp_path: Path, owner: str, name: str, total: float, mean: float) -> None:
    """Added up, it is how many were so; its mean is their share of those that tell."""
    ask = asking(store_of(BOUNCED, tmp_path), NOW)
    series = {"event": "$pageview", "math_property": name, "math_property_type": owner}
    assert data(ask(trend(*({**series, "math": math} for math in ("sum", "avg"))))) == [[0, 0, total], [0, 0, mean]]


def test_bounces_are_told_apart_as_numbers(tmp_path: Path) -> None:
    """As ClickHouse writes a truth."""
    ask = asking(store_of(BOUNCED, tmp_path), NOW)
    split = by(breakdown="$is_bounce", breakdown_type="session")
    assert values(ask(trend({"event": "$pageview"}, **split))) == {"1": [0, 0, 2], "0": [0, 0, 2]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("toFloat(properties.size) * 2", {"0", "2", "20", NONE}),
        ("properties.size > 1", {"1", "0"}),
        ("properties.size = 1 or event = 'visit'", {"1"}),
        ("[event, properties.page]", {"['visit',NULL]", "['visit','p10']", "['visit','p2']"}),
        ("toStartOfDay(timestamp)", {f"2026-03-{day} 00:00:00" for day in ("08", "09", "10")}),
    ],
)
def test_an_expression_is_called_as_clickhouse_writes_it(site: Ask, expression: str, expected: set[str]) -> None:
    """Whole numbers without a point, truths as numbers, text in lists in quotes."""
    assert set(values(site(trend(VISIT, **by(breakdown=expression, breakdown_type="hogql"))))) == expected


def test_a_whole_number_has_no_decimals(site: Ask) -> None:
    """However it was sent; so it is called, and so those behind it are found."""
    for split in (by(breakdown="size"), by(breakdowns=[{"property": "size"}, {"property": "page"}])):
        names = [series["breakdown_value"] for series in site(trend(VISIT, **split))["results"]]
        assert "10" in [name if isinstance(name, str) else name[0] for name in names]
    point = {
        "kind": "InsightActorsQuery",
        "source": trend(VISIT, **by(breakdown="size")),
        "breakdown": "10",
        "day": "2026-03-09",
    }
    assert 1 == len(site({"kind": "ActorsQuery", "select": ["actor"], "source": point})["results"])


def test_no_number_at_all(site: Ask) -> None:
    """Where no event of the range has one, all are without."""
    asked = {**by(breakdown="old", breakdown_histogram_bin_count=4), **ranged("2026-03-09", "2026-03-10")}
    assert {NONE: [2, 1]} == values(site(trend(VISIT, **asked)))


def test_addresses_lose_what_trails(site: Ask) -> None:
    """Slashes, question marks and hashes at the end; of a slash alone, a slash is left."""
    answer = site(trend(VISIT, **by(breakdown="at", breakdown_normalize_url=True)))
    assert {"https://x.example/a": 2, "/": 1, NONE: 2} == dict(named(answer))


def test_events_of_no_session_are_one(site: Ask) -> None:
    """Sessions are counted by id, and no id is one."""
    assert [[1, 1, 1]] == data(site(trend({**VISIT, "math": "unique_session"})))


def test_formulas_of_equal_size(site: Ask) -> None:
    """The earlier first, what the first series has not after the others; none and other last."""
    split, formula = by(breakdown="page"), {"trendsFilter": {"formula": "A + B"}}
    assert [("p10", 1), ("p2", 1), ("p3", 1), (NONE, 3)] == named(site(trend(VISIT, BUY, **split, **formula)))


def test_formulas_of_two_periods(site: Ask) -> None:
    """Beside another period, equal numbers come in natural order."""
    more = {**by(breakdown="page"), "compareFilter": {"compare": True}, "trendsFilter": {"formula": "A + B"}}
    answer = site(trend(VISIT, BUY, **more))
    assert [NONE, "p2", "p3", "p10"] == [
        series["breakdown_value"] for series in answer["results"] if series["compare_label"] == "current"
    ]


def test_a_formula_of_what_the_first_series_has_not(site: Ask) -> None:
    """There is nothing to take a filter from, but the value and the days."""
    answer = site(trend(VISIT, BUY, **by(breakdown="page"), trendsFilter={"formula": "B"}))
    [bought] = [series for series in answer["results"] if series["breakdown_value"] == "p3"]
    assert ([0, 0, 1], 3, None) == (bought["data"], len(bought["days"]), bought.get("filter"))


def test_each_cohort_of_every_series(site: Ask) -> None:
    """Beside everybody, one cohort after the other, and in each one series after the other."""
    anyone = {"type": "AND", "values": [{"type": "person", "key": "id", "operator": "is_set", "value": "is_set"}]}
    answer = site(
        trend(VISIT, BUY, **by(breakdown_type="cohort", breakdown=["all", 7])),
        cohorts={7: Cohort(7, "C", False, [], anyone)},
    )
    assert [("all", "visit"), ("all", "buy"), (7, "visit"), (7, "buy")] == [
        (series["breakdown_value"], series["action"]["name"]) for series in answer["results"]
    ]


def test_an_action_that_is_gone(site: Ask) -> None:
    """Its series is left out; the others are there."""
    gone = {"kind": "ActionsNode", "id": 9}
    assert [] == site(trend(gone))["results"]
    assert [1] == [series["order"] for series in site(trend(gone, VISIT))["results"]]


def test_smoothing_comes_after_adding_up(site: Ask) -> None:
    """The mean of running sums, not the running sum of means."""
    assert [[2, 3, 4]] == data(site(trend(VISIT, **shown("ActionsLineGraphCumulative", smoothingIntervals=2))))


def test_a_single_number_is_up_to_this_moment(site: Ask) -> None:
    """The last seven days are those to the minute, whether or not they are compared."""
    answer = site(trend(VISIT, **ranged("-7d"), **shown("BoldNumber")))
    said = answer["resolved_date_range"]
    assert ("2026-03-03T12:00:00Z", "2026-03-10T12:00:00Z") == (said["date_from"], said["date_to"])
    assert 6 == answer["results"][0]["aggregated_value"]


def test_other_displays_are_of_whole_days(site: Ask) -> None:
    """Also where they are compared."""
    answer = site(trend(VISIT, **ranged("-7d"), **shown("ActionsTable"), compareFilter={"compare": True}))
    assert "2026-03-03T00:00:00Z" == answer["resolved_date_range"]["date_from"]
    assert 7 == answer["results"][0]["aggregated_value"]


def test_counts_of_each_person_begin_with_the_range(site: Ask) -> None:
    """Also in a month that began before it."""
    per_person = {**VISIT, "math": "max_count_per_actor"}
    asked = {"interval": "month", **ranged("2026-02-15", "2026-02-28")}
    assert [[1]] == data(site(trend(per_person, **asked)))
    assert [[2]] == data(site(trend(VISIT, **asked)))


@pytest.mark.parametrize(
    ("given", "interval", "days"),
    [
        (ranged("mStart"), "day", ["2026-02-01", "2026-02-28"]),
        (ranged("-48h"), "day", ["2026-03-06", "2026-03-08"]),
        (ranged("-7d"), "day", ["2026-02-24", "2026-03-03"]),
        (ranged("-7d", "2026-03-10"), "day", ["2026-02-24", "2026-03-03"]),
        (ranged("-7d", "-1d"), "day", ["2026-02-24", "2026-03-02"]),
        (ranged("2026-03-09T06:00:00", "2026-03-09T09:00:00", explicitDate=True), "hour",
         ["2026-03-09 03:00:00", "2026-03-09 06:00:00"]),
        (ranged("-2h"), "minute", ["2026-03-10 07:59:00", "2026-03-10 10:00:00"]),
    ],
)  # fmt: skip
def test_the_period_before(site: Ask, given: dict[str, Any], interval: str, days: list[str]) -> None:
    """A whole month before this one; as many days; from the same time of day to the same time of day."""
    answer = site(trend(VISIT, interval=interval, compareFilter={"compare": True}, **given))
    before = answer["results"][1]["days"]
    assert days == [before[0], before[-1]]


def test_a_month_ago_is_as_long(site: Ask) -> None:
    """The other period is as long as this one, though that month is shorter."""
    compared = {"compareFilter": {"compare": True, "compare_to": "-1m"}, **ranged("2026-03-01", "2026-03-31")}
    assert 31 == len(site(trend(VISIT, **compared))["results"][1]["days"])


@pytest.mark.parametrize(
    ("until", "more", "found"),
    [
        ("2026-03-10", {}, ([[2.0, 1.0]], ["2026-03-08", "2026-03-10"], 3.0, True)),
        ("2026-03-09", {}, ([[2.0, 2.0]], ["2026-03-08", "2026-03-09"], 4.0, False)),
        ("2026-03-08", {}, ([[2.0]], ["2026-03-08"], 2.0, False)),
        ("2026-03-10", {"math": "weekly_active"}, ([[2, 2]], ["2026-03-08", "2026-03-10"], 7.0, True)),
    ],
)
def test_a_slope_is_of_both_ends(site: Ask, until: str, more: dict[str, Any], found: tuple[Any, ...]) -> None:
    """The first bucket and the last, of which it says whether it is over; nothing to compare or to smooth."""
    filters = {"trendsFilter": {"display": "SlopeGraph", "smoothingIntervals": 3}, "compareFilter": {"compare": True}}
    answer = site(trend({**VISIT, **more}, **filters, **ranged("2026-03-08", until)))
    [series] = answer["results"]
    assert found == (data(answer), series["days"], series["count"], series["incomplete_end"])


@pytest.mark.parametrize(
    ("zone", "after", "before"), [("UTC", 2, 2), ("America/New_York", 1, 2), ("Asia/Kolkata", 2, 1)]
)
def test_a_time_of_no_zone_is_the_projects(site: Ask, zone: str, after: int, before: int) -> None:
    """In properties as in filters: of two times, one says that it is UTC and one does not."""

    def count(operator: str, value: str) -> int:
        filters = {"properties": [{"key": "due", "type": "event", "operator": operator, "value": value}]}
        return int(site(trend(VISIT, **filters), timezone=zone)["results"][0]["count"])

    assert (after, before) == (
        count("is_date_after", "2026-03-09 22:00:00"),
        count("is_date_before", "2026-03-09 23:00:00"),
    )


def _failures(site: Ask, kind: str, key: str, operator: str, value: Any) -> int:
    filters = {"properties": [{"key": key, "type": kind, "operator": operator, "value": value}]}
    return int(site(trend({"event": "$exception"}, **filters))["results"][0]["count"])


@pytest.mark.parametrize(
    ("operator", "value", "count"),
    [
        ("exact", "TypeError", 1),
        ("exact", ["TypeError", "KeyError"], 2),
        ("is_not", "TypeError", 2),
        ("is_not", ["TypeError", "ValueError"], 1),
        ("icontains", "value", 1),
        ("regex", "^Key", 1),
        ("exact", [], 3),
        ("is_set", None, 3),
    ],
)
def test_types_of_exceptions_are_lists(site: Ask, operator: str, value: Any, count: int) -> None:
    """One of those in the list is as the filter says; what is no list has none."""
    assert count == _failures(site, "event", "$exception_types", operator, value)


@pytest.mark.parametrize(
    ("operator", "value", "count"),
    [
        ("exact", "eve", 1),
        ("exact", "eve@x.example", 1),
        ("is_not", "eve", 2),
        ("icontains", ["X.EX", "fay"], 2),
        ("is_set", None, 3),
        ("is_not_set", None, 0),
    ],
)
def test_persons_by_any_of_their_ids(site: Ask, operator: str, value: Any, count: int) -> None:
    """Whichever id the event itself has."""
    assert count == _failures(site, "person", "distinct_id", operator, value)
