"""The specification of each kind of chart: one fact each, on the shapes PostHog sends; and that no text breaks one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
import vl_convert
from hypothesis import example, given, settings
from hypothesis import strategies as st

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.results import SHAPES
from insights_mcp.charts import look
from insights_mcp.charts.calendar import ticks
from insights_mcp.charts.chart import BUILDERS, chart_of
from insights_mcp.charts.folding import MOST, POINTS, thinned
from insights_mcp.charts.lines import LABEL_HEIGHT, apart
from insights_mcp.charts.look import BACKGROUND, INK, OTHERS, PALETTE, SOFT, distinct, literal
from insights_mcp.charts.units import Unit, scale_of
from insights_mcp.errors import NoPicture

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
WINDOW = ("2026-01-01T00:00:00Z", "2026-01-10T23:59:59.999999Z")


def asked(**source: Any) -> Asked:
    """A query whose window ends on the tenth of January, asked at noon of it."""
    return Asked({"interval": "day"} | source, NOON, "UTC", *WINDOW)


def days(count: int) -> list[str]:
    """The days up to the tenth of January 2026."""
    return [f"{datetime(2026, 1, 10) - timedelta(days=count - 1 - n):%Y-%m-%d}" for n in range(count)]


def series(data: list[Any], label: str = "visit", math: str = "total", **more: Any) -> dict[str, Any]:
    """A series of a trend whose last day is the tenth of January."""
    return {"label": label, "data": data, "days": days(len(data)), "action": {"math": math}} | more


def total(label: str, value: float, math: str = "total", **more: Any) -> dict[str, Any]:
    """A series with one value."""
    return {"label": label, "data": [], "aggregated_value": value, "action": {"math": math}} | more


def drawn(result: Any, columns: list[str] | None = None, title: str = "Visits", **source: Any) -> dict[str, Any]:
    """The specification."""
    return chart_of(result, columns, asked(**source), title)


def layers(spec: dict[str, Any], mark: str, **look_: Any) -> list[dict[str, Any]]:
    """The layers with this mark, and with what it looks like."""
    found = [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]
    return [layer for layer in found if all(layer["mark"].get(name) == value for name, value in look_.items())]


def rows(spec: dict[str, Any], *found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of layers."""
    return [row for layer in found for row in (layer.get("data") or spec["data"])["values"]]


def texts(spec: dict[str, Any]) -> list[str]:
    """Everything that is written among the marks."""
    return list(dict.fromkeys(str(row["t"]) for row in rows(spec, *layers(spec, "text")) if "t" in row))


def notes(spec: dict[str, Any]) -> str:
    """What stands under the title."""
    return " ".join(spec["title"]["subtitle"])


# series over time

DASHED = {"strokeDash": look.DASH}
TEN = [5, 7, 0, 0, 0, 8, 9, 10, 12, 3]


def test_what_is_not_over_is_dashed() -> None:
    """From the last complete day into the one that runs."""
    spec = drawn([series(TEN)])
    assert [(8, 12), (9, 3)] == [(row["x"], row["y"]) for row in rows(spec, *layers(spec, "line", **DASHED))]
    assert "dashed: not over yet" in notes(spec)


def test_what_is_over_is_not_dashed() -> None:
    """A window that has ended has no running day."""
    spec = chart_of([series(TEN)], None, Asked({"interval": "day"}, NOON + timedelta(days=1), "UTC", *WINDOW), "x")
    assert "dashed" not in notes(spec)
    assert [] == rows(spec, *layers(spec, "line", **DASHED))


def test_the_window_stands_under_the_title() -> None:
    """With its zone."""
    spec = drawn([series(TEN)], title="Visits per day")
    assert ["Visits per day"] == spec["title"]["text"]
    assert notes(spec).startswith("2026-01-01 to 2026-01-10 (UTC)")


def test_the_period_before_is_lighter_and_on_the_same_days() -> None:
    """Place by place."""
    now, then = series([4, 5, 1], compare_label="current"), series([2, 3, 9], compare_label="previous")
    spec = drawn([now, then])
    (before,) = (layer for layer in layers(spec, "line") if "opacity" in layer["mark"])
    assert [(0, 2), (1, 3), (2, 9)] == [(row["x"], row["y"]) for row in rows(spec, before)]
    assert "lighter: the period before" in notes(spec)


def test_many_series_that_add_up_are_folded() -> None:
    """The largest by name, the sum of the others last and grey."""
    spec = drawn([series([n**4, n**4, 0], f"s{n:02}") for n in range(1, 31)])
    others = [row["y"] for row in rows(spec, *layers(spec, "line")) if row["s"] == "24 others"]
    assert MOST == len(texts(spec))
    assert sum(n**4 for n in range(1, 25)) == others[-1] == max(others)
    assert OTHERS == layers(spec, "line")[0]["encoding"]["color"]["scale"]["range"][-1]


def test_a_sum_that_would_flatten_every_line_is_not_drawn() -> None:
    """It is said instead; bars on each other need it."""
    alike = [series([n, n, 0], f"s{n:02}") for n in range(1, 31)]
    assert "24 smaller series not drawn" in notes(drawn(alike))
    stacked = drawn(alike, trendsFilter={"display": "ActionsAreaGraph"})
    assert "24 others" in stacked["layer"][0]["encoding"]["color"]["scale"]["domain"]


def test_a_very_long_name_keeps_its_begin_and_its_end() -> None:
    """And not what is said of its length."""
    spec = drawn([series([3, 4], "a" * 5_000 + "z"), series([1, 2], "b")])
    assert f"{'a' * 18}…{'a' * 8}z" in texts(spec)


def test_many_series_that_do_not_add_up_are_not_summed() -> None:
    """The same person may be in several."""
    spec = drawn([series([n, n, 0], f"s{n:02}", "dau") for n in range(1, 31)])
    assert "24 smaller series not drawn" in notes(spec)
    assert not any("others" in text for text in texts(spec))


def test_posthogs_own_rest_is_grey_and_last() -> None:
    """However large it is."""
    rest = series([9, 9, 9], "$$_posthog_breakdown_other_$$")
    scale = layers(drawn([rest, series([1, 1, 1], "a")]), "line")[0]["encoding"]["color"]["scale"]
    assert (["a", "(other)"], OTHERS) == (scale["domain"], scale["range"][-1])


def test_a_long_series_is_thinned_and_keeps_its_extremes() -> None:
    """Of thousands of days a few hundred points, the peak among them."""
    data = [100 + n % 7 for n in range(5_000)]
    data[1234], data[4321] = 9_000, 1
    values = {row["y"] for row in rows(drawn([series(data)]), *layers(drawn([series(data)]), "line"))}
    assert {9_000, 1} <= values
    assert len(thinned([*map(float, data)])) <= POINTS + 4


def test_bars_stand_on_each_other() -> None:
    """The running day has a dashed outline."""
    spec = drawn([series(TEN, "a"), series(TEN, "b")], trendsFilter={"display": "ActionsBar"})
    assert 18 == len(rows(spec, *layers(spec, "bar", strokeDash=None)))
    assert [9, 9] == [row["x"] for row in rows(spec, *layers(spec, "bar", **DASHED))]
    assert "zero" == layers(spec, "bar")[0]["encoding"]["y"]["stack"]


def test_bars_stand_side_by_side() -> None:
    """Where the display says so."""
    spec = drawn([series(TEN, "a"), series(TEN, "b")], trendsFilter={"display": "ActionsUnstackedBar"})
    encoding = layers(spec, "bar")[0]["encoding"]
    assert (None, True) == (encoding["y"]["stack"], "xOffset" in encoding)


def test_areas_are_stacked() -> None:
    """The axis reaches to the sum."""
    spec = drawn([series([30, 50, 0], "a"), series([30, 40, 0], "b")], trendsFilter={"display": "ActionsAreaGraph"})
    assert 90 <= layers(spec, "area")[0]["encoding"]["y"]["scale"]["domain"][1] <= 120
    assert 1 == len([layer for layer in layers(spec, "area") if layer["mark"].get("line", {}).get("strokeDash")])


def test_dormant_people_are_below_zero() -> None:
    """The others above it, each status in a colour that is always its own."""
    data = {"new": [4, 2], "returning": [5, 6], "resurrecting": [1, 1], "dormant": [-2, -4]}
    spec = drawn([series(values, f"visit - {status}", status=status) for status, values in data.items()])
    encoding = layers(spec, "bar")[0]["encoding"]
    assert [*data] == encoding["color"]["scale"]["domain"]
    assert {-2} == {row["y"] for row in rows(spec, *layers(spec, "bar", strokeDash=None)) if row["s"] == "dormant"}
    assert encoding["y"]["scale"]["domain"][0] <= -4


@pytest.mark.parametrize(
    ("drawn_with", "value", "told"),
    [
        ({}, 1234.0, "1,234"),
        ({}, 12_345_678, "12.3M"),
        ({}, 0.0001234, "0.000123"),
        ({"aggregationAxisFormat": "percentage"}, 12.34, "12.3%"),
        ({"aggregationAxisFormat": "percentage_scaled"}, 0.1234, "12.3%"),
        ({"aggregationAxisFormat": "duration"}, 5_400, "1h 30m"),
        ({"aggregationAxisFormat": "duration_ms"}, 90_000, "1m 30s"),
        ({"aggregationAxisPrefix": "€"}, -12, "-€12"),
        ({"aggregationAxisPostfix": " kg", "decimalPlaces": 2}, 3, "3.00 kg"),
    ],
)
def test_units(drawn_with: dict[str, Any], value: float, told: str) -> None:
    """As the insight asks for them."""
    assert [told] == texts(drawn([series([value, value, 0])], trendsFilter=drawn_with))


def test_durations_are_labelled_as_clocks_show_them() -> None:
    """Not every 20,000 seconds."""
    assert ["0s", "2h", "4h", "6h", "8h"][:3] == scale_of([0, 28_000], Unit("duration")).labels[:3]


@given(
    st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=20), st.sampled_from(["numeric", "duration", "percentage"])
)
def test_an_axis_holds_all_values_and_zero(values: list[float], form: str) -> None:
    """With a handful of ticks in order."""
    scale = scale_of(values, Unit(form))
    dust = 1e-9 * max(map(abs, values))
    assert scale.domain[0] <= min(0, *values) + dust
    assert scale.domain[1] >= max(0, *values) - dust
    assert sorted(scale.ticks) == scale.ticks
    assert 2 <= len(scale.ticks) <= 15


@pytest.mark.parametrize(
    ("buckets", "labels"),
    [
        (days(5), ["Jan 6\n2026", "Jan 7", "Jan 8", "Jan 9", "Jan 10"]),
        (days(40), ["Dec 2\n2025", "Dec 8", "Dec 15", "Dec 22", "Dec 29", "Jan 5\n2026"]),
        ([f"2026-01-10 {hour:02}:00:00" for hour in range(24)],
         ["00:00\nJan 10", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]),
        ([f"{2015 + n // 12}-{n % 12 + 1:02}-01" for n in range(120)],
         ["2016", "2018", "2020", "2022", "2024"]),
        (["1 day", "2 days", "3 days"], ["1 day", "2 days", "3 days"]),
    ],
)  # fmt: skip
def test_time_is_labelled_where_days_weeks_and_years_begin(buckets: list[str], labels: list[str]) -> None:
    """What stands below changes where the year does."""
    assert labels == ticks(buckets)[1]


@given(st.lists(st.floats(0, 300), min_size=1, max_size=MOST))
def test_names_never_cover_each_other(wanted: list[float]) -> None:
    """Nor leave the picture."""
    heights = sorted(apart(wanted, 300))
    assert all(below - above >= LABEL_HEIGHT - 1e-6 for above, below in pairwise(heights))
    assert heights[-1] <= 300


# totals


def test_totals_are_bars_with_values_the_largest_first() -> None:
    """A pie, too, with shares."""
    spec = drawn([total("x", 1), total("y", 3)], trendsFilter={"display": "ActionsPie"})
    assert ["3  (75%)", "1  (25%)"] == texts(spec)


def test_people_have_no_shares() -> None:
    """The same person may be in both."""
    spec = drawn([total("x", 1, "dau"), total("y", 3, "dau")], trendsFilter={"display": "ActionsPie"})
    assert ["3", "1"] == texts(spec)


def test_many_totals_are_folded() -> None:
    """The others together, last."""
    spec = drawn([total(f"t{n:02}", n) for n in range(1, 61)])
    assert 20 == len(rows(spec, spec["layer"][0]))
    last = spec["data"]["values"][-1]
    assert ("41 others", "861") == (last["s"], last["t"])


def test_others_do_not_dwarf_what_is_named() -> None:
    """A bar that is cut off says so."""
    spec = drawn([total("a", 5), total("$$_posthog_breakdown_other_$$", 9_000)])
    assert "(other): not to scale" in notes(spec)
    assert 5 == max(row["x"] for row in spec["data"]["values"])


def test_one_value_is_a_number() -> None:
    """With what became of it."""
    spec = drawn([total("x", 30, compare_label="current"), total("x", 20, compare_label="previous")])
    assert ["30", "x", "20 in the period before (+50%)"] == texts(spec)


# funnels

STEPS = [{"name": name, "order": n, "count": count, "median_conversion_time": 90.0 if n else None}
         for n, (name, count) in enumerate((("open", 100), ("sign up", 40), ("pay", 30)))]  # fmt: skip


def test_funnel_steps() -> None:
    """People, of the first, of the step before."""
    spec = drawn(STEPS)
    assert ["100", "40  ·  40%", "30  ·  30%  (75% of step before)"] == texts(spec)
    assert [100, 100, 40] == [row["b"] for row in spec["data"]["values"]]


def test_funnels_of_values_are_grouped_and_folded() -> None:
    """Shares of those who entered; the smallest together."""
    result = [
        [
            {**step, "count": count * n, "breakdown_value": [f"v{n}"]}
            for step, count in zip(STEPS, (100, 40, 30), strict=True)
        ]
        for n in range(1, 11)
    ]
    found = drawn(result)["data"]["values"]
    assert MOST == len({row["v"] for row in found})
    assert {100.0, 40.0, 30.0} == {row["x"] for row in found}
    assert "4 others" == found[-1]["v"]


def test_time_to_convert() -> None:
    """A bar for each span, a line at the average."""
    spec = drawn({"bins": [[60, 2], [120, 5]], "average_conversion_time": 100.0})
    assert [(60, 120, 2), (120, 180, 5)] == [(r["x"], r["e"], r["y"]) for r in rows(spec, *layers(spec, "rect"))]
    assert ["average 1m 40s"] == texts(spec)


def test_odds_are_drawn_to_either_side() -> None:
    """By powers of two: twice the odds is as long as half of them."""
    odds = {"demo": 2, "film": 8, "help": 0.5, "nothing": 0, "unknown": None}
    events = [{"event": {"event": name}, "odds_ratio": ratio} for name, ratio in odds.items()]
    spec = drawn({"events": events}, funnelCorrelationType="events")
    found = [(bar["s"], bar["x"], bar["t"], bar["c"] == OTHERS) for bar in spec["data"]["values"]]
    assert found == [("film", 3, "×8", False), ("demo", 1, "×2", False), ("help", -1, "×0.5", True)]


def test_a_funnel_over_time_is_in_per_cent() -> None:
    """Conversion, not people."""
    spec = drawn([{"count": 3, "data": [100.0, 50.0, 25.0], "days": days(3)}])
    assert ["50%"] == texts(spec)


# retention

RETENTION: dict[str, Any] = {"kind": "RetentionQuery", "retentionFilter": {"period": "Day"}}


def cohort(day: int, *counts: int, **more: Any) -> dict[str, Any]:
    """People who started on a day of January 2026."""
    return {"values": [{"count": n} for n in counts], "label": "", "date": f"2026-01-{day:02}T00:00:00Z"} | more


def test_retention_is_in_per_cent_of_each_cohort() -> None:
    """And weighted over all; an empty cohort has no cell."""
    spec = drawn([cohort(1, 90, 9), cohort(2, 10, 10), cohort(3, 0, 0)], **RETENTION)
    cells = {(row["s"], row["x"]): row["y"] for row in rows(spec, *layers(spec, "rect"))}
    assert (0.1, 1.0) == (cells["2026-01-01 · 90", 1], cells["2026-01-02 · 10", 1])
    assert 0.19 == cells["all, weighted", 1]
    assert not any(name.startswith("2026-01-03") for name, _ in cells)


def test_a_running_period_has_a_dashed_edge() -> None:
    """The ninth's first period is the tenth, and it is noon."""
    spec = drawn([cohort(8, 10, 5), cohort(9, 10, 1)], **RETENTION)
    assert [("2026-01-09 · 10", 1)] == [(r["s"], r["x"]) for r in rows(spec, *layers(spec, "rect", **DASHED))]


def test_retention_of_values_is_a_line_each() -> None:
    """Weighted over the cohorts."""
    result = [cohort(1, 10, 5, 2, breakdown_value="a"), cohort(1, 20, 5, 1, breakdown_value="b")]
    spec = drawn(result, **RETENTION)
    assert ["a", "b"] == sorted(texts(spec))
    assert 50 in {row["y"] for row in rows(spec, *layers(spec, "line")) if row["s"] == "a"}


def test_a_large_matrix_is_bounded() -> None:
    """The latest cohorts, the first periods."""
    result = [cohort(1, *([9] * 90), date=f"{datetime(2025, 9, 1) + timedelta(days=n):%Y-%m-%d}") for n in range(90)]
    spec = drawn(result, **RETENTION)
    assert "58 older cohorts not drawn" in notes(spec)
    assert 33 == len({row["s"] for row in rows(spec, *layers(spec, "rect"))})


# the rest


def test_stickiness_has_a_bar_for_each_number_of_days() -> None:
    """None of them can be unfinished."""
    spec = drawn([{"label": "visit", "data": [3, 2, 1], "days": [1, 2, 3], "labels": ["1 day", "2 days", "3 days"]}])
    assert [3, 2, 1] == [row["y"] for row in rows(spec, *layers(spec, "bar", strokeDash=None))]


def test_paths_flow() -> None:
    """A band for each edge, as broad as people went that way; a name for each node."""
    edges = [("1_/", "2_/about", 3), ("1_/", "2_/price", 7), ("2_/price", "3_/buy", 2)]
    spec = drawn([{"source": s, "target": t, "value": v} for s, t, v in edges])
    bands = rows(spec, *layers(spec, "area"))
    broad = {row["k"]: row["b"] - row["a"] for row in bands}
    assert 3 == len(broad)
    assert math.isclose(max(broad.values()) / min(broad.values()), 3.5, rel_tol=0.05)
    assert {"/  10", "/about  3", "/price  7", "/buy  2"} == set(texts(spec))


def test_boxes() -> None:
    """A box, a median and whiskers for each bucket with values."""
    box = {"min": 1, "p25": 2, "median": 3, "p75": 4, "max": 9, "mean": 3, "series_index": 0, "series_label": "ms"}
    empty = dict.fromkeys(("min", "p25", "median", "p75", "max"), 0) | {"series_index": 0}
    spec = drawn([box | {"day": "2026-01-09"}, empty | {"day": "2026-01-10"}])
    assert ([0], 3) == ([row["x"] for row in spec["data"]["values"]], len(spec["layer"]))


def test_whiskers_far_outside_are_left_out() -> None:
    """They would flatten every box."""
    box = {
        "min": 1,
        "p25": 2,
        "median": 3,
        "p75": 4,
        "max": 9_000_000,
        "mean": 3,
        "series_index": 0,
        "day": "2026-01-09",
    }
    spec = drawn([box])
    assert "extremes, far outside, not drawn" in notes(spec)
    assert 4 <= spec["layer"][0]["encoding"]["y"]["scale"]["domain"][1] < 10


def test_a_calendar_has_a_cell_for_each_hour_of_the_week() -> None:
    """Also for those in which nothing happened."""
    grid = {"data": [{"row": 1, "column": 0, "value": 5}], "allAggregations": 5}
    spec = drawn([{"label": "visit", "calendar_heatmap_data": grid}])
    cells = rows(spec, *layers(spec, "rect"))
    assert (168, 5) == (len(cells), sum(row["y"] for row in cells))
    assert (0, 0) == next((row["s"], row["x"]) for row in cells if row["y"])


def test_calendars_of_several_series_stand_below_each_other() -> None:
    """Each under its name, all on one scale; the fourth is named as left out."""
    grids = [{"label": f"visit {n}", "calendar_heatmap_data": {"data": [{"row": 7, "column": 23, "value": n + 1}]}}
             for n in range(4)]  # fmt: skip
    spec = drawn(grids)
    assert [(7, 1), (15, 2), (23, 3)] == [(r["s"], r["y"]) for r in rows(spec, *layers(spec, "rect")) if r["y"]]
    assert (["visit 0", "visit 1", "visit 2"], True) == (texts(spec), "1 more series not drawn" in notes(spec))


def test_boxes_of_several_series_stand_side_by_side() -> None:
    """With a legend; what is left out is said, and what is not over is dashed."""
    box = {"min": 1, "p25": 2, "median": 3, "p75": 4, "max": 9}
    result = [box | {"day": f"2026-01-{day:02}", "series_index": n, "series_label": f"ms {n}"}
              for n in range(4) for day in range(8, 11)]  # fmt: skip
    spec = drawn(result)
    assert ["ms 0", "ms 1", "ms 2"] == spec["encoding"]["xOffset"]["scale"]["domain"]
    assert {2} == {row["x"] for row in spec["data"]["values"] if row["p"]}
    assert {"1 more series not drawn", "dashed: not over yet"} <= set(notes(spec).split(" · "))


@pytest.mark.parametrize(("display", "told"), [("ActionsPie", "instead of a pie"), ("WorldMap", "instead of a map")])
def test_what_is_drawn_instead_is_said(display: str, told: str) -> None:
    """So that nobody looks for a pie."""
    result = [{"label": str(n), "breakdown_value": str(n), "data": [], "aggregated_value": n + 1,
               "action": {"math": "total"}} for n in range(3)]  # fmt: skip
    spec = drawn(result, trendsFilter={"display": display})
    assert told in notes(spec)
    assert "3  (50%)" in texts(spec)


@pytest.mark.parametrize(
    ("result", "columns", "mark"),
    [
        ([["2026-01-01", 3], ["2026-01-02", 5], ["2026-01-05", 4]], ["day", "n"], "line"),
        ([["a", 3], ["b", 5]], ["name", "n"], "bar"),
        ([["2026-01-01", "a", 3], ["2026-01-01", "b", 5], ["2026-01-02", "a", 4]], ["day", "name", "n"], "line"),
        ([[0, 3], [1, 5], [2, 4]], ["hour", "n"], "bar"),
        ([[42]], ["n"], "text"),
        ([[42, 17]], ["a", "b"], "bar"),
    ],
)
def test_rows_of_sql(result: list[list[Any]], columns: list[str], mark: str) -> None:
    """What the columns allow."""
    assert layers(drawn(result, columns, kind="HogQLQuery"), mark)


@pytest.mark.parametrize(
    ("result", "columns"),
    [
        ([["a", "b"], ["c", "d"]], ["x", "y"]),
        ([[3, 4], [1, 2], [2, 2]], ["x", "y"]),
        ([["2026-01-01", 3], ["2026-01-01", 4]], ["day", "n"]),
        ([], ["x", "y"]),
        ([], None),
        (None, None),
        ([{"some": "object"}], None),
        ("text", None),
    ],
)
def test_what_has_no_chart_is_refused(result: Any, columns: list[str] | None) -> None:
    """And says why."""
    with pytest.raises(NoPicture, match=r"\w{5}"):
        drawn(result, columns)


def test_days_that_no_row_has_take_their_place() -> None:
    """The axis of rows is as true as that of a trend."""
    spec = drawn([["2026-01-01", 3], ["2026-01-02", 5], ["2026-01-05", 4]], ["day", "n"], kind="HogQLQuery")
    assert {0: 3, 1: 5, 4: 4} == {row["x"]: row["y"] for row in rows(spec, *layers(spec, "line"))}


def test_columns_of_another_size_are_left_out() -> None:
    """A ratio beside millions is a line on the ground."""
    result = [[f"2026-01-0{n}", n * 1_000_000, n / 10] for n in range(1, 6)]
    assert "not drawn: ratio" in notes(drawn(result, ["day", "n", "ratio"], kind="HogQLQuery"))


def test_every_shape_of_result_has_a_chart() -> None:
    """But objects of unknown kind."""
    assert set(SHAPES) - set(BUILDERS) == {"objects"}


# looks


def luminance(colour: str) -> float:
    """How bright a colour is, as eyes see it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio that accessibility guidelines ask about."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("colour", "least"), [*((c, 3.0) for c in (*PALETTE, OTHERS)), (INK, 7.0), (SOFT, 4.5)])
def test_colours_stand_out_from_the_background(colour: str, least: float) -> None:
    """A chart brings its own background, so it is read in dark and in light."""
    assert contrast(colour, BACKGROUND) >= least


def test_long_names_keep_what_tells_them_apart() -> None:
    """Not the host that all share."""
    names = distinct(f"https://app.example.com/en/{word}/a/long/way?from=letter" for word in ("docs", "blog"))
    assert [True, True] == ["docs" in names[0], "blog" in names[1]]


@given(st.lists(st.text(max_size=80), max_size=12))
def test_names_are_short_and_distinct(names: list[str]) -> None:
    """Two marks never fall together."""
    found = distinct(names)
    assert len(names) == len(set(found))
    assert all(0 < len(name) <= look.LABEL + 4 for name in found)


@given(st.text())
def test_a_literal_ends_where_it_ends(text: str) -> None:
    """Nothing in a label becomes part of an expression."""
    assert not set('"\\') & set(literal(text)[1:-1].replace("\\u", ""))


HOSTILE = '</text><script href="http://evil.example">alert(1)</script> | ${x} \u202e\x00 &amp; "] + [datum'
SAFE_TAGS = {"svg", "g", "path", "text", "tspan", "rect", "line", "circle", "defs", "clipPath", "title"}


def shown(text: str) -> Iterator[dict[str, Any]]:
    """A text everywhere a text of the project's can stand."""
    yield drawn([series(TEN, text), series(TEN, "b", breakdown_value=text)], title=text,
                trendsFilter={"aggregationAxisPrefix": text, "aggregationAxisPostfix": text})  # fmt: skip
    yield drawn([total(text, 3), total(text, 4)], title=text)
    yield drawn([{**step, "name": text} for step in STEPS], title=text)
    yield drawn([{"source": f"1_{text}", "target": f"2_{text}", "value": 3}])
    yield drawn([[text, 3], ["b", 4]], [text, text], kind="HogQLQuery")
    yield drawn([cohort(1, 10, 5, breakdown_value=text), cohort(1, 9, 5, breakdown_value="b")], **RETENTION)


@settings(max_examples=12, deadline=None)
@example(HOSTILE)
@given(st.text(max_size=60))
def test_no_text_breaks_a_picture(text: str) -> None:
    """It is well-formed, has no scripts and leads nowhere."""
    for spec in shown(text):
        assert json.loads(json.dumps(spec)) == spec
        picture = ElementTree.fromstring(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
        for element in picture.iter():
            assert element.tag.rpartition("}")[2] in SAFE_TAGS
            assert not any("href" in name or name.startswith("on") for name in element.attrib)
