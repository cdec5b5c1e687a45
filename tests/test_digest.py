"""What is said of each kind of result: one fact each, on the shapes PostHog sends; and what must never be said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from insights_mcp.answer import Answer, render
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.flat import flat
from insights_mcp.answer.numbers import change, duration, percent, sparkline
from insights_mcp.answer.results import Readable, readable
from insights_mcp.answer.series import level_shift

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
ASKED = Asked({"interval": "day"}, NOON, "UTC", "2026-01-01T00:00:00Z", "2026-01-10T23:59:59.999999Z")


def days(count: int) -> list[str]:
    """The days up to the tenth of January 2026."""
    return [f"{datetime(2026, 1, 10) - timedelta(days=count - 1 - n):%Y-%m-%d}" for n in range(count)]


def series(data: list[Any], label: str = "visit", math: str | None = "total", **more: Any) -> dict[str, Any]:
    """A series of a trend whose last day is the tenth of January."""
    return {"label": label, "data": data, "days": days(len(data)), "count": 0, "action": {"math": math}} | more


def said(result: Any, asked: Asked = ASKED, columns: list[str] | None = None) -> str:
    """The digest, as one text."""
    return "\n".join(readable(result, columns, asked).digest)


def rows(found: Readable) -> list[list[Any]]:
    """The rows that are shown."""
    assert found.picked is not None
    shown = render(Answer("R.", table=found.picked), "p").structured
    return [[*row] for row in shown["rows"]]


# trends

TEN = [5, 7, 0, 0, 0, 8, 9, 10, 12, 3]


@pytest.mark.parametrize(
    "fact",
    [
        "last complete 2026-01-09 12",
        "+20% on 2026-01-08",
        "+71.4% on 2026-01-02 (week before)",
        "total 54",
        "low 0 on 2026-01-03",
        "high 12 on 2026-01-09",
        "0 from 2026-01-03 to 2026-01-05 (3 buckets)",
        "▄▅▁▁▁▆▆▇█▃",
    ],
)
def test_a_trend(fact: str) -> None:
    """Each fact of a daily series with an unfinished last day."""
    assert fact in said([series(TEN)])


@pytest.mark.parametrize(
    "math", ["dau", "weekly_active", "monthly_active", "unique_session", "unique_group", "avg", "p90"]
)
def test_people_and_averages_are_never_summed(math: str) -> None:
    """The same person counts again on another day."""
    assert "total" not in said([series(TEN, math=math), series(TEN, "other", math=math)])


def test_shares_are_told_only_of_what_adds_up() -> None:
    """Unique people of two breakdown values may be the same."""
    assert "%)" not in said([series([3, 3, 3], math="dau"), series([1, 1, 1], "b", math="dau")]).split("\n")[0]


def test_a_formula_has_no_total() -> None:
    """Nobody knows whether it adds up."""
    assert "total" not in said([series(TEN, action=None)])


def test_a_cumulated_series_has_no_total() -> None:
    """Its last value is the total already."""
    asked = Asked({"trendsFilter": {"display": "ActionsLineGraphCumulative"}})
    assert "total" not in said([series(TEN)], asked)


def test_shares_of_breakdowns() -> None:
    """The largest first, of the sum of all."""
    found = said([series([1, 1, 1], "a"), series([3, 3, 3], "b")])
    assert '2 series: total 12; largest "b" 9 (75%), "a" 3 (25%)' in found


def test_movers_among_breakdowns() -> None:
    """Who gained and who lost most."""
    found = said([series([1, 1, 5, 5, 0], "a"), series([9, 9, 2, 2, 0], "b")])
    assert 'up "a" 1 → 5 (+400%), down "b" 9 → 2 (-77.8%)' in found


def test_an_unfinished_bucket_is_marked() -> None:
    """In the table, with the word for it."""
    assert ["2026-01-10 (partial)", 3] == rows(readable([series(TEN)], None, ASKED))[-1]


def test_an_unfinished_bucket_is_not_compared() -> None:
    """Half a day against a whole one says nothing."""
    assert "2026-01-10" not in said([series(TEN)])


def test_a_finished_bucket_is_not_marked() -> None:
    """The window ended before the result was computed."""
    later = Asked({"interval": "day"}, NOON + timedelta(days=1), "UTC", None, "2026-01-10T23:59:59Z")
    assert ["2026-01-10", 3] == rows(readable([series(TEN)], None, later))[-1]


@pytest.mark.parametrize(
    ("interval", "bucket", "unfinished"),
    [
        ("hour", "2026-01-10 12:00:00", 1),
        ("hour", "2026-01-10 11:00:00", 0),
        ("week", "2026-01-04", 1),
        ("month", "2026-01-01", 1),
        ("month", "2025-12-01", 0),
        ("quarter", "2025-10-01", 0),
        ("year", "2026-01-01", 1),
    ],
)
def test_when_a_bucket_ends(interval: str, bucket: str, unfinished: int) -> None:
    """By the interval, seen from noon of the tenth."""
    assert unfinished == Asked({"interval": interval}, NOON, "UTC").unfinished([bucket])


def test_a_bucket_ends_by_the_clocks_of_the_project() -> None:
    """In Auckland the tenth is over when UTC still has noon of it."""
    asked = Asked({"interval": "day"}, NOON, "Pacific/Auckland")
    assert (0, 1) == (asked.unfinished(["2026-01-10"]), asked.unfinished(["2026-01-11"]))


def test_a_level_shift() -> None:
    """One level gives way to another."""
    assert (5, 10.0, 20.0) == level_shift([10.0] * 5 + [20.0] * 5)


def test_a_steady_rise_is_no_level_shift() -> None:
    """A line tells it better than two levels."""
    assert None is level_shift([float(n) for n in range(20)])


def test_both_periods_of_a_comparison() -> None:
    """Up to where the current one is complete."""
    now, then = series([4, 4, 1], compare_label="current"), series([2, 2, 2], compare_label="previous")
    assert "2 buckets of each: total 8 against 4 (+100%)" in said([now, then])


def test_values_in_all() -> None:
    """Rank and shares of totals."""
    result = [
        {"label": v, "data": [], "aggregated_value": n, "action": {"math": "total"}} for v, n in (("x", 3), ("y", 1))
    ]
    assert '2 values: largest "x" 3 (75%), "y" 1 (25%); total 4; least "y" 1' == said(result)


def test_many_series_are_a_line_each() -> None:
    """With total, share, extremes and course."""
    found = rows(readable([series([n] * 60, f"s{n}") for n in range(1, 21)], None, ASKED))
    assert ["s1", 60, 0.5, 1, 0, 1, "2025-11-12", 1, "2025-11-12", "▁" * 16] == found[0]


def test_chosen_buckets_keep_the_extremes() -> None:
    """Of a long series: first, last, lowest and highest."""
    data = [100 + n % 7 for n in range(365)]
    data[77], data[200] = 900, 2
    values = [value for _, value in rows(readable([series(data)], None, ASKED))]
    assert {data[0], data[-1], 900, 2} <= set(values)


@pytest.mark.parametrize(("values", "compared"), [("ab", True), ("ac", False)])
def test_what_is_left_over_is_compared_only_with_its_like(values: str, compared: bool) -> None:
    """The others are others where another value has a series of its own."""
    periods = zip(("current", "previous"), ("ab", values), strict=True)
    result = [series([4, 4], value, breakdown_value=value, compare_label=period)
              for period, own in periods for value in (*own, "$$_posthog_breakdown_other_$$")]  # fmt: skip
    assert compared == ('"(other)" against the previous period' in said(result))


@pytest.mark.parametrize(
    ("label", "value", "told"),
    [("all users", "all", "all users"), ("Power users", 7, "Power users (cohort 7)"), ("7", 7, "7"),
     ("$pageview - all users", "all", "$pageview - all users"), ("visit", "Chrome", "visit Chrome")],
)  # fmt: skip
def test_a_cohort_is_named_once(label: str, value: Any, told: str) -> None:
    """Its name is in the label already; its number is what other calls take."""
    assert f'"{told}"' in said([series([4, 4], label, breakdown_value=value), series([1, 1], "b")])


def test_a_period_that_begins_with_nothing_says_so() -> None:
    """Against days before there was any data everything grows."""
    now, then = ([series(data, compare_label=p) for data, p in ((d, "current"), (e, "previous"))]
                 for d, e in (([5, 6, 7, 8], [0, 0, 3, 4]), ([5, 6, 7, 8], [3, 4, 0, 0])))  # fmt: skip
    found = [said(result) for result in (now, then)]
    assert [True, False] == ["; the previous one is 0 before 2026-01-09" in each for each in found]


def test_a_part_of_a_week_is_no_week_before() -> None:
    """The period before ends where this one begins, which may be within a week."""
    asked = Asked({"interval": "week", "compareFilter": {"compare": True}}, NOON, "UTC", "2025-12-17T00:00:00Z")
    now = series([70, 70, 70], days=["2025-12-14", "2025-12-21", "2025-12-28"], compare_label="current")
    then = series([70, 70, 30], days=["2025-11-30", "2025-12-07", "2025-12-14"], compare_label="previous")
    assert "2 buckets of each: total 140 against 140 (0%)" in said([now, then], asked)


def test_one_bucket_that_goes_on_is_no_whole_day() -> None:
    """A query that says no interval counts by days."""
    today = Asked({"kind": "TrendsQuery"}, NOON, "UTC", "2026-01-10T00:00:00Z", "2026-01-10T23:59:59Z")
    assert "no complete bucket" in said([series([7])], today)


def test_a_share_changes_by_points() -> None:
    """From 68 % to 74 % are six points, not nine per cent."""
    result = [{"data": [68.0, 74.0], "days": days(2), "count": 2}]
    assert "74% (+6 points on 2026-01-09)" in said(result, Asked())


def test_totals_of_two_periods_are_compared() -> None:
    """Each with itself, not ranked among each other."""
    both = [{"label": name, "aggregated_value": value, "compare_label": period, "action": {"math": "total"}}
            for period, values in (("current", (30, 10)), ("previous", (40, 8)))
            for name, value in zip("ab", values, strict=True)]  # fmt: skip
    found = said(both)
    assert '2 values: largest "a" 30 (75%), "b" 10 (25%); total 40; least "b" 10' in found
    assert 'the period before: "a" 40 (-25%), "b" 8 (+25%)' in found
    assert '"a" 30; the period before 40 (-25%)' == said([both[0], both[2]])


def test_every_value_is_in_the_whole_table() -> None:
    """Also of more series than there are columns."""
    found = readable([series([n, n], f"s{n}") for n in range(40)], None, ASKED).whole
    assert found is not None
    assert 80 == len(found.rows)


# funnels

STEPS: list[dict[str, Any]] = [
    {"name": "open", "order": 0, "count": 100, "median_conversion_time": None},
    {"name": "sign up", "order": 1, "count": 40, "median_conversion_time": 90.0},
    {"name": "pay", "order": 2, "count": 30, "median_conversion_time": 7_200.0},
]  # fmt: skip


@pytest.mark.parametrize(
    "fact",
    [
        "30 of 100 people converted (30%) in 3 steps",
        'largest loss 1 → 2: "open" → "sign up", 60 of 100 people lost (60%)',
        "longest 2h (2 → 3)",
    ],
)
def test_a_funnel(fact: str) -> None:
    """Conversion, where most were lost, time."""
    assert fact in said(STEPS)


def test_a_funnel_of_two_steps_tells_the_median_time() -> None:
    """It is the time to convert."""
    assert "median time to convert 1m 30s" in said(STEPS[:2])


def test_the_largest_loss_is_not_the_smallest_share() -> None:
    """Most are lost where most are; the step that fewest pass is told beside it."""
    late = [*STEPS[:2], STEPS[2] | {"count": 4}]
    assert "60 of 100 people lost (60%); smallest share going on 2 → 3: 10%" in said(late)


@pytest.mark.parametrize(
    ("source", "whom"),
    [
        ({"aggregation_group_type_index": 0}, "groups"),
        ({"funnelsFilter": {"funnelAggregateByHogQL": "properties.$session_id"}}, "sessions"),
        ({"funnelsFilter": {"funnelAggregateByHogQL": "person_id"}}, "people"),
        ({"funnelsFilter": {"funnelAggregateByHogQL": "properties.plan"}}, "values"),
    ],
)
def test_a_funnel_counts_not_always_people(source: dict[str, Any], whom: str) -> None:
    """Groups, or the values of an expression; the column says so, too."""
    found = readable(STEPS, None, Asked(source))
    assert found.picked
    assert (f"30 of 100 {whom} converted", whom) == (found.digest[0][: 20 + len(whom)], found.picked.columns[2])


def test_funnels_that_convert_alike_have_no_best() -> None:
    """Nothing is best where all are the same."""
    found = said([[s | {"breakdown_value": [v]} for s in STEPS] for v in "ab"])
    assert "2 values: conversion 30% in each" in found


def test_an_empty_funnel_has_no_percentage() -> None:
    """Nobody entered."""
    assert "nobody entered the funnel of 3 steps" == said([step | {"count": 0} for step in STEPS])


def test_a_funnel_by_value() -> None:
    """The best and the worst."""
    worse = [step | {"count": step["count"] // 10 if place else 50} for place, step in enumerate(STEPS)]
    found = said([[s | {"breakdown_value": [v]} for s in each] for v, each in (("a", STEPS), ("b", worse))])
    assert '2 values: conversion best "a" 30%, worst "b" 6%' in found
    assert 'largest "a": 30 of 100 converted (30%); largest loss 1 → 2 in each' in found


def test_time_to_convert() -> None:
    """Median and average, as PostHog sends them."""
    result = {"bins": [[60, 2], [120, 0]], "average_conversion_time": 29_540.0, "median_conversion_time": 2_340.0}
    assert "time to convert: median 39m, average 8h 12m" in said(result)


def test_the_median_time_to_convert_is_in_a_bin() -> None:
    """Where the reply has no median."""
    result = {"bins": [[60, 2], [120, 3], [180, 1]], "average_conversion_time": 130.0}
    assert "6 people converted; most, 3, in the bin from 2m; the median in that from 2m" in said(result)


def test_a_funnel_over_time_is_in_per_cent() -> None:
    """Conversion, not people."""
    assert '"conversion, %": last 2021-06-08 50%' in said(
        [{"count": 2, "data": [100.0, 50.0], "days": ["2021-06-07", "2021-06-08"]}]
    )


# retention


def cohort(day: int, *counts: int | None) -> dict[str, Any]:
    """People who started on a day of January 2026."""
    values = [{"count": count, "label": f"Day {n}"} for n, count in enumerate(counts)]
    return {"values": values, "label": f"Day {day}", "date": f"2026-01-{day:02}T00:00:00Z"}


RETENTION = Asked({"kind": "RetentionQuery", "retentionFilter": {"period": "Day"}}, NOON, "UTC")


def test_retention_is_weighted() -> None:
    """A cohort of 90 counts nine times one of 10."""
    assert "period 1 19% (19 of 100 in 2 cohorts)" in said([cohort(1, 90, 9), cohort(2, 10, 10)], RETENTION)


def test_a_cohort_that_still_grows_is_not_the_least() -> None:
    """It is marked, and not compared."""
    found = [cohort(8, 10, 5), cohort(9, 20, 1), cohort(10, 3, 0)]
    assert "3 cohorts, 1 not over yet: largest 2026-01-09 with 20, least 2026-01-08 with 10" in said(found, RETENTION)


def test_brackets_are_named_by_their_periods() -> None:
    """Not by their place."""
    asked = Asked(
        {"kind": "RetentionQuery", "retentionFilter": {"period": "Day", "retentionCustomBrackets": [1, 3]}}, NOON
    )
    found = readable([cohort(1, 10, 5, 4)], None, asked)
    assert found.picked is not None
    assert ["cohort", "size", "1, %", "2-4, %"] == list(found.picked.columns)
    assert "period 2-4 40%" in said([cohort(1, 10, 5, 4)], asked)
    table = flat([cohort(1, 10, 5, 4)], None, None, asked)
    assert ["0", "1", "2-4"] == [row[table.columns.index("period")] for row in table.rows]


def test_cumulative_shares_may_still_grow() -> None:
    """Whoever comes back later is counted in every period before."""
    asked = Asked({"kind": "RetentionQuery", "retentionFilter": {"period": "Day", "cumulative": True}}, NOON, "UTC")
    assert "each of its shares may still grow" in said([cohort(8, 10, 5, 5, 5)], asked)
    assert "may still grow" not in said([cohort(1, 10, 5)], asked)


def test_empty_cohorts_have_no_percentage() -> None:
    """They count for nothing."""
    found = readable([cohort(1, 0, 0), cohort(2, 10, 5)], None, RETENTION)
    assert (["2026-01-01", 0, None], ["2026-01-02", 10, 50]) == tuple(rows(found))


def test_a_running_period_is_left_out_of_the_average() -> None:
    """The ninth's first period is the tenth, and it is noon."""
    assert "period 1 50% (5 of 10 in 1 cohort)" in said([cohort(8, 10, 5), cohort(9, 10, 1)], RETENTION)


def test_a_running_period_is_marked() -> None:
    """In the table."""
    assert ["2026-01-09", 10, "10 (partial)"] == rows(readable([cohort(9, 10, 1)], None, RETENTION))[0]


def test_a_period_to_come_is_no_zero() -> None:
    """Whatever the reply has in its place."""
    assert ["2026-01-10 (partial)", 10, None] == rows(readable([cohort(10, 10, 0)], None, RETENTION))[0]


# lifecycle, paths, stickiness

STATUSES = {"new": [4, 2, 9], "returning": [5, 6, 9], "resurrecting": [0, 1, 9], "dormant": [-2, -4, 0]}
LIFECYCLE = [series(data, f"visit - {status}", status=status) for status, data in STATUSES.items()]


@pytest.mark.parametrize(
    "fact",
    [
        "last complete 2026-01-09: new 2, returning 6, resurrecting 1, dormant -4",
        "quick ratio 0.75 in the last complete bucket, 1.17 over all 2",
    ],
)
def test_a_lifecycle(fact: str) -> None:
    """Who came and who went, without the day that is not over."""
    assert fact in said(LIFECYCLE)


def test_nobody_dormant_has_no_quick_ratio() -> None:
    """Nothing can be divided by nobody."""
    assert "quick ratio" not in said(
        [s | {"data": [1, 1, 1] if s["status"] != "dormant" else [0, 0, 0]} for s in LIFECYCLE]
    )


EDGES = [
    {"source": "1_/", "target": "2_/about", "value": 3, "average_conversion_time": 60_000.0},
    {"source": "1_/", "target": "2_/price", "value": 7, "average_conversion_time": 1_500.0},
    {"source": "2_/price", "target": "3_/buy", "value": 2, "average_conversion_time": None},
]


@pytest.mark.parametrize(
    "fact",
    [
        'heaviest step: "/" → "/price", 7 times, 2s on average',
        'heaviest path: "/" → "/price" → "/buy" (7, 2 times)',
    ],
)
def test_paths(fact: str) -> None:
    """The heaviest step and way."""
    assert fact in said(EDGES)


def test_stickiness() -> None:
    """How many came once, how many always."""
    result = [series([3, 2, 1], days=[1, 2, 3], labels=["1 day", "2 days", "3 days"])]
    assert '"visit": 6 people; 3 (50%) on 1 day; all: 1 (16.7%) on 3 days' == said(result)


# rows of SQL

SQL = [["/a", 5, None, "US"], ["/b", 9, 1.5, "US"], ["/c", 2, 2.5, "US"], ["/d", 4, None, "US"]]
NAMES = ["page", "n", "score", "country"]


@pytest.mark.parametrize(
    "fact",
    ['n: low 2 ("/c"), high 9 ("/b")', 'the same in every row: country = "US"', "nulls: score 2"],
)
def test_rows(fact: str) -> None:
    """Ranges, constants, nulls."""
    assert fact in said(SQL, columns=NAMES)


def test_rows_that_do_not_fit_keep_their_ends() -> None:
    """The highest and the lowest, wherever they stand."""
    many = [[f"/{n}", 500 + n % 90] for n in range(2_000)]
    many[1_234][1], many[777][1] = 99_999, 1
    shown = rows(readable(many, ["page", "n"]))
    assert {("/1234", 99_999), ("/777", 1), ("/0", 500), ("/1999", 519)} <= {(page, n) for page, n in shown}


def test_null_is_not_the_word_null() -> None:
    """Nor is a text of digits a number."""
    shown = render(Answer("R.", table=readable([[None, "null", "7"]], ["a", "b", "c"]).whole), "p").text
    assert 'null | "null" | "7"' == shown.split("\n")[-1]


# numbers in words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.45, "450ms"), (45, "45s"), (150, "2m 30s"), (97_300, "1d 3h"), (3_600, "1h"), (-90, "-1m 30s")],
)
def test_durations(seconds: float, words: str) -> None:
    """The two largest units."""
    assert words == duration(seconds)


@pytest.mark.parametrize(
    ("part", "whole", "words"), [(1, 3, "33.3%"), (1, 1000, "0.1%"), (0, 5, "0%"), (5, 5, "100%"), (1, 0, "no %")]
)
def test_percentages(part: float, whole: float, words: str) -> None:
    """Of nothing there is none."""
    assert words == percent(part, whole)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [(4, 5, "+25%"), (4, 4, "0%"), (0, 3, "from 0 to 3"), (0, 0, "unchanged at 0"), (None, 1, "unknown")],
)
def test_changes(before: float | None, after: float | None, words: str) -> None:
    """From nothing there is no percentage."""
    assert words == change(before, after)


@pytest.mark.parametrize(
    ("values", "bars"),
    [([1, 2, 3], "▁▅█"), ([5, 5], "▁▁"), ([None, 1, 2], "·▁█"), ([None], ""), ([0] * 99 + [9], "▁" * 23 + "█")],
)
def test_sparklines(values: list[float | None], bars: str) -> None:
    """From least to greatest, at most 24 bars."""
    assert bars == sparkline(values)


# other displays


BOXES = [
    {"day": day, "series_index": 0, "series_label": "load_ms"}
    | dict(zip(("min", "p25", "median", "p75", "max", "mean"), spread, strict=True))
    for day, spread in zip(days(3), [(1, 2, 3, 4, 9, 3.5), (1, 5, 8, 9, 40, 7.25), (1, 2, 2, 2, 3, 2)], strict=True)
]


@pytest.mark.parametrize(
    "fact",
    [
        '"load_ms", median: last complete 2026-01-09 8 (+166.7% on 2026-01-08)',
        "high 8 on 2026-01-09",
        "in 2026-01-09 half are from 5 to 9, all from 1 to 40; mean 7.25",
    ],
)
def test_a_box_plot(fact: str) -> None:
    """Where the median is and was, and how wide its bucket is; the running bucket is not compared."""
    assert fact in said(BOXES)


HEATMAP = [
    {
        "label": "visit",
        "calendar_heatmap_data": {
            "data": [{"row": 1, "column": 9, "value": 7}, {"row": 7, "column": 23, "value": 3}],
            "rowAggregations": [{"row": 1, "value": 7}, {"row": 7, "value": 3}],
            "columnAggregations": [{"column": 9, "value": 7}, {"column": 23, "value": 3}],
            "allAggregations": 10,
        },
    }
]


@pytest.mark.parametrize(
    "fact",
    [
        "10 in all; most, 7, on Monday from 09:00",
        "weekdays: busiest Monday 7 (70%), quietest Sunday 3",
        "hours: busiest 09:00 7 (70%), quietest 23:00 3",
    ],
)
def test_a_calendar_heatmap(fact: str) -> None:
    """The hours and weekdays it happens in."""
    assert fact in said(HEATMAP)


def test_weekdays_and_hours_of_a_calendar_heatmap_are_reachable() -> None:
    """Each with what it has in all, which cannot be summed where people are counted."""
    found = readable(HEATMAP, None, ASKED)
    assert found.whole is not None
    assert [["Monday", "all", 7], ["Sunday", "all", 3], ["all", "09:00", 7]] == [
        [*row] for row in found.whole.rows[2:5]
    ]


def test_weekdays_that_are_more_often_in_the_window_are_named() -> None:
    """From Thursday the first to Saturday the tenth: three of them twice."""
    assert "of Thursday, Friday, Saturday there are 2 in the window, of others 1" in said(HEATMAP)


def test_a_bucket_without_values_has_no_median() -> None:
    """PostHog sends zeros for it."""
    empty = dict.fromkeys(("min", "p25", "median", "p75", "max", "mean"), 0)
    box = {"min": 1, "p25": 2, "median": 3, "p75": 4, "max": 9, "mean": 3}
    found = said([part | {"day": day, "series_index": 0} for part, day in zip((box, empty, box), days(3), strict=True)])
    assert ("low 0" in found, "always 3" in found or "average 3" in found) == (False, True)


def correlation(name: Any, converted: int, others: int, odds: Any) -> dict[str, Any]:
    """What goes along with converting, as PostHog sends it."""
    way = "success" if isinstance(odds, int) else "failure"
    counts = {"success_count": converted, "failure_count": others}
    return {"event": {"event": name}, "odds_ratio": odds, "correlation_type": way, **counts}


def test_what_goes_along_with_converting() -> None:
    """The strongest of either way, by how far its odds are from even."""
    found = [correlation("film", 5, 3, 2), correlation("demo", 9, 1, 8), correlation("ask", 1, 9, 0.1)]
    assert said({"events": found, "skewed": True}).splitlines() == [
        'goes along with converting: "demo" (odds ×8: 9 converted, 1 did not); '
        '"film" (odds ×2: 5 converted, 3 did not)',
        'goes along with not converting: "ask" (odds ×0.1: 1 converted, 9 did not)',
        "one outcome is more than ten times as frequent as the other, so odds are unsure",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "told", "row"),
    [
        ("events", "a::b", '"a::b"', ["a::b", 5, 3, 2]),
        ("properties", "plan::a::b", '"plan" is "a::b"', ["plan", "a::b", 5, 3, 2]),
        ("event_with_properties", "film::page::", '"film", "page" is ""', ["film", "page", "", 5, 3, 2]),
        ("event_with_properties", None, '"None", "" is ""', ["None", "", "", 5, 3, 2]),
    ],
)
def test_what_correlates_is_told_by_its_parts(kind: str, name: Any, told: str, row: list[Any]) -> None:
    """An event, a property and its value; whatever PostHog sends."""
    asked = Asked({"funnelCorrelationType": kind})
    found = readable({"events": [correlation(name, 5, 3, 2)]}, None, asked)
    assert found.digest == (f"goes along with converting: {told} (odds ×2: 5 converted, 3 did not)",)
    assert rows(found) == [row]


def test_nothing_correlates() -> None:
    """Is said."""
    assert said({"events": [], "skewed": False}) == "nothing goes along with converting, or with not converting"
