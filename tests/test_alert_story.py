"""Thresholds and alerts: what an alert sees in a result, how far that is from its bounds, and what would fire it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights_mcp.answer.asked import Asked
from insights_mcp.schema.alert import Threshold
from insights_mcp.stories.alerts import Result, bounds_told, distance, sentence, watches
from insights_mcp.text import UNSAFE
from insights_mcp.watching import Rule, closest, readings, rule_of
from tests.asking import Told, assistant
from tests.loopback import NOT_FOUND, Loopback, error, insight, ok, page

DAYS = ["2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09", "2026-01-10"]
TREND = {"kind": "TrendsQuery", "interval": "day", "series": [{"kind": "EventsNode", "event": "signed up"}]}
FUNNEL = {"kind": "FunnelsQuery", "series": []}
SQL = {"kind": "HogQLQuery", "query": "select 1"}
LINES = [{"label": "signed up", "data": [100, 120, 138, 143, 4], "days": DAYS, "action": {"math": "total"}}]
CHANNELS = [
    {"label": name, "breakdown_value": name, "data": [9, 9, 9, value, 0], "days": DAYS}
    for name, value in (("organic", 40), ("paid", 8), ("mail", 22))
]
STEPS = [
    {"name": "visit", "order": 0, "count": 200, "action_id": "visit"},
    {"name": "sign up", "order": 1, "count": 50, "action_id": "sign up"},
    {"name": "pay", "order": 2, "count": 20, "action_id": "pay"},
]
ROWS = [["2026-01-08", 5], ["2026-01-09", 9]]


def threshold(bounds: dict[str, Any], kind: str = "absolute", condition: str = "absolute_value", **alert: Any) -> Any:
    """A threshold with one alert, as PostHog sends it."""
    config = {"type": "TrendsAlertConfig", "series_index": 0} | alert.pop("config", {})
    one = {
        "id": "a-1", "name": "Watch", "state": "Not firing", "enabled": True, "condition": {"type": condition},
        "config": config, "calculation_interval": "daily", "checks": [], "insight": insight(), "last_notified_at": None,
        "last_checked_at": "2026-01-10T08:00:00Z", "next_check_at": "2026-01-11T08:00:00Z", "snoozed_until": None,
        "subscribed_users": [{"id": 1, "email": "ann@x.io"}], "skip_weekend": None,
    }  # fmt: skip
    configuration = {"type": kind, "bounds": bounds}
    return {"id": "t-1", "name": "", "configuration": configuration, "alerts": [one | alert]}


async def told(posthog: Loopback, *found: Any, source: Any = TREND, result: Any = LINES, **changes: Any) -> Told:
    """What list_thresholds says of them, beside this result computed at noon of the tenth."""
    query = {"kind": "InsightVizNode", "source": source}
    held = insight(query=query, result=result, last_refresh="2026-01-10T12:00:00Z", **changes)
    held["resolved_date_range"] = {
        "date_from": "2026-01-06T00:00:00Z", "date_to": f"{changes.get('until') or '2026-01-10'}T23:59:59Z"
    }  # fmt: skip
    posthog.on_insights("GET", "12/", ok(held))
    posthog.on_insights("GET", "12/thresholds/", page(*found))
    async with assistant(posthog) as user:
        return await user.call("list_thresholds", id=12)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("found", "words"),
    [
        (threshold({"lower": 120}),
         'fires when daily "signed up" falls below 120; 2026-01-09: 143, 23 (19.2%) above the bound.'),
        (threshold({"upper": 500}), 'rises above 500; 2026-01-09: 143, 357 (71.4%) below the bound.'),
        (threshold({"lower": 120, "upper": 150}),
         "falls below 120 or rises above 150; 2026-01-09: 143, 7 (4.7%) below the upper bound"),
        (threshold({"lower": 150}),
         "143, 7 (4.7%) below the bound; outside: the next check (2026-01-11 08:00) fires."),
        (threshold({"lower": 150}, state="Firing"), "below the bound; still outside."),
        (threshold({"lower": 120}, state="Firing"), "inside again: the next check (2026-01-11 08:00) ends it."),
        (threshold({"upper": 3}, config={"check_ongoing_interval": True}), "2026-01-10: 4, 1 (33.3%) above the bound"),
        (threshold({"upper": 0.2}, "percentage", "relative_increase"),
         'grows by more than 20% against the day before; 2026-01-09: 143 after 138, grew by 3.62%, 16.38 points below '
         "the bound; the next day fires above 171.6."),
        (threshold({"upper": 10}, "absolute", "relative_decrease"),
         "drops by more than 10 against the day before; 2026-01-09: 143 after 138, grew by 5, 15 below the bound; the "
         "next day fires below 133."),
        (threshold({"lower": 0.1}, "percentage", "relative_increase"), "grows by less than 10%"),
        (threshold({}), "never fires, for it has no bound"),
        (threshold({"lower": 1}, enabled=False), '"Watch" (disabled): fires when'),
        (threshold({"lower": 1}, state="Snoozed", snoozed_until="2026-01-12T10:00:00Z"),
         "(snoozed until 2026-01-12 10:00"),
        (threshold({"lower": 1}, state="Errored"), '"Watch" (Errored, checked daily)'),
        (threshold({"lower": 1}, detector_config={"type": "zscore", "threshold": 0.9, "window": 30}),
         'a detector (zscore: probability above 0.9, window 30) finds daily "signed up" unusual, not by its bounds '
         "alone; 2026-01-09: 143."),
        (threshold({}, detector_config={"type": "ensemble", "operator": "or", "detectors": [
            {"type": "mad"}, {"type": "isolation_forest", "window": 9}]}), "(mad or isolation forest: window 9)"),
        (threshold({"lower": 1}, config={"series_index": 7}, last_value=4.5), "at its last check 4.5"),
    ],
)  # fmt: skip
async def test_an_alert_in_a_sentence(found: Any, words: str, posthog: Loopback) -> None:
    """Its state, what would fire it, the last complete value, and how far it is from the bound."""
    assert words in (await told(posthog, found)).text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("source", "result", "config", "words"),
    [
        (TREND | {"breakdownFilter": {"breakdown": "channel", "breakdown_type": "event"}}, CHANNELS, {},
         'any of 3 values of daily "signed up" falls below 10; 2026-01-09 ("paid"): 8, 2 (20%) below the bound'),
        (TREND, [{"label": "signed up", "data": [], "aggregated_value": 30}], {},
         '"signed up" falls below 10; now: 30, 20 (200%)'),
        (TREND | {"series": [{"event": "signed up", "math": "dau"}]}, LINES, {},
         'daily unique users of "signed up" falls'),
        (FUNNEL, STEPS, {}, 'the share converted to "pay" falls below 10; now: 10%, at the bound'),
        (FUNNEL, STEPS, {"funnel_step": 1}, '"sign up" falls below 10; now: 25%, 15% (150%) above'),
        (FUNNEL, STEPS, {"metric": "conversion_from_previous"}, '"pay" falls below 10; now: 40%'),
        (FUNNEL, [{"data": [10, 20, 30, 40, 5], "days": DAYS, "count": 5}], {}, "2026-01-09: 40%"),
        (SQL, ROWS, {}, 'column "n" falls below 10; 2026-01-09: 9, 1 (10%) below'),
        (SQL, ROWS, {"evaluation": "first_row", "column": "n"}, "2026-01-08: 5, 5 (50%) below"),
        (SQL, ROWS, {"evaluation": "any_row"}, 'column "n 2026-01-08" falls below 10; now: 5'),
        (TREND, [], {}, '"signed up" falls below 10; now: 0, 10 (100%) below the bound; outside'),
    ],
)  # fmt: skip
async def test_every_kind_has_its_value(source: Any, result: Any, config: Any, words: str, posthog: Loopback) -> None:
    """Breakdowns, totals, funnels and SQL are read as PostHog's checks read them."""
    columns = ["day", "n"] if source is SQL else None
    found = threshold({"lower": 10}, config=config)
    assert words in (await told(posthog, found, source=source, result=result, columns=columns)).text


@pytest.mark.anyio
async def test_where_alerts_are_made_is_told_where_there_is_none(posthog: Loopback) -> None:
    """Whoever asks wants one, and would look for a tool in vain."""
    text = (await told(posthog)).text
    assert "No thresholds: no alert watches this insight." in text
    assert "Next: Alerts are made in PostHog's web app" in text


@pytest.mark.anyio
async def test_what_a_detector_judges_has_no_distance(posthog: Loopback) -> None:
    """The bounds beside it say nothing of when it fires, and do not sort it."""
    found = [threshold({"lower": 900}, name="judged", detector_config={"type": "mad"}), threshold({"lower": 150})]
    rows = (await told(posthog, *found)).structured["rows"]
    assert ["7 (4.7%) below the bound", "a detector judges"] == [row[6] for row in rows]


@pytest.mark.anyio
async def test_what_fires_stands_first(posthog: Loopback) -> None:
    """Then what is nearest to its bound; what is switched off stands last."""
    found = [
        threshold({"lower": 1}, name="far"), threshold({"lower": 140}, name="near"),
        threshold({"lower": 150}, name="off", enabled=False), threshold({"lower": 150}, name="fires", state="Firing"),
    ]  # fmt: skip
    answer = await told(posthog, *found)
    assert ["fires", "near", "far", "off"] == [row[1] for row in answer.structured["rows"]]
    assert "4 thresholds with 4 alerts, 1 firing." in answer.text


@pytest.mark.anyio
@pytest.mark.parametrize("trouble", [error(500, "broken"), NOT_FOUND])
async def test_alerts_are_told_without_values(trouble: Any, posthog: Loopback) -> None:
    """A result that cannot be computed hides no alert."""
    posthog.on_insights("GET", "12/thresholds/", page(threshold({"lower": 120}, last_value=143)))
    posthog.on_insights("GET", "12/", ok(insight()), trouble)
    async with assistant(posthog) as user:
        answer = await user.call("list_thresholds", id=12)
    assert (False, True) == (answer.failed, "falls below 120; at its last check 143." in answer.text)
    assert "Left out: the values now:" in answer.text


@pytest.mark.anyio
async def test_one_threshold(posthog: Loopback) -> None:
    """The same sentence, and whom the alert tells."""
    await told(posthog)
    posthog.on_insights("GET", "12/thresholds/t-1/", ok(threshold({"lower": 120})))
    async with assistant(posthog) as user:
        answer = await user.call("get_threshold", id=12, threshold_id="t-1")
    assert "143, 23 (19.2%) above the bound" in answer.structured["digest"][0]
    assert ["ann@x.io"] == answer.structured["alerts"][0]["notifies"]


@pytest.mark.anyio
async def test_nothing_is_computed_where_nothing_watches(posthog: Loopback) -> None:
    """A threshold without alerts fires nothing."""
    answer = await told(posthog, threshold({"lower": 1}) | {"alerts": None})
    assert "1 threshold with no alert, so that nothing fires." in answer.text
    assert {"force_cache"} == {r for call in posthog.calls("GET") for r in call.query.get("refresh", ())}


@pytest.mark.anyio
async def test_odd_alerts_hide_no_other(posthog: Loopback) -> None:
    """What is not of its type is read as absent; what is unknown is left alone."""
    odd: dict[str, Any] = {"id": 7, "name": ["x"], "config": "cut…", "condition": [], "subscribed_users": 3}
    found = threshold({"lower": 120})
    found["alerts"] += [odd, {}, odd | {"snoozed_until": {"at": 1}, "last_value": "many", "enabled": "perhaps"}]
    other: dict[str, Any] = {"id": None, "configuration": {"type": 1, "bounds": {"lower": "x"}}, "alerts": [{}]}
    answer = await told(posthog, found, other)
    assert (False, 5) == (answer.failed, len(answer.structured["rows"]))
    assert "143, 23 (19.2%) above the bound" in answer.text


# the rule

amounts = st.none() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6)
rules = st.builds(
    Rule, st.sampled_from(["absolute_value", "relative_increase", "relative_decrease"]), st.booleans(), amounts, amounts
)
NAMES = ["data", "label", "days", "count", "name", "aggregated_value", "breakdown_value"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(rules, amounts, amounts)
def test_a_value_is_outside_exactly_when_it_passes_a_bound(rule: Rule, before: float | None, now: float | None) -> None:
    """The margin has the sign that a check would have."""
    value = rule.held(now, before)
    if value is None:
        assert now is None or before is None
        return
    passed = (rule.lower is not None and value < rule.lower) or (rule.upper is not None and value > rule.upper)
    assert passed == (rule.margin(value) < 0)


@given(anything, anything, st.sampled_from([TREND, FUNNEL, SQL, {"kind": "PathsQuery"}]), anything, rules)
def test_any_result_can_be_read(result: Any, columns: Any, source: Any, config: Any, rule: Rule) -> None:
    """Whatever the shape: readings, or none."""
    found = readings(result, columns, Asked(source), config, rule)
    nearest = closest(found, rule)
    assert nearest is None or (nearest in found and nearest.value is not None)


def test_a_share_of_nothing() -> None:
    """From 0 every growth is beyond all bounds, and no growth is none."""
    rule = rule_of({"type": "percentage", "bounds": {"upper": 5}}, {"type": "relative_increase"}, None)
    assert (math.inf, 0.0, 2.0) == (rule.held(3, 0), rule.held(0, 0), rule.held(9, 3))


names = st.none() | st.text(max_size=30) | st.sampled_from(["a\nb", "|", "\u202e", "Snoozed", "2026-01-09T00:00:00Z"])
alerts = st.builds(
    lambda name, state, until, last: {"name": name, "state": state, "snoozed_until": until, "last_value": last,
                                      "next_check_at": name, "calculation_interval": state},
    names, names, names, amounts,
)  # fmt: skip
cells = amounts | st.sampled_from([math.inf, -math.inf, math.nan, 1e308])


@given(st.lists(alerts, min_size=1, max_size=4), rules, st.lists(cells, max_size=5), names)
def test_any_alert_has_its_sentence(alerts_: list[Any], rule: Rule, data: list[Any], label: str | None) -> None:
    """On one line, whatever stands in it; and rows that go with it."""
    bounds = {"lower": rule.lower, "upper": rule.upper}
    configuration = {"type": "percentage" if rule.shares else "absolute", "bounds": bounds}
    given_ = [alert | {"condition": {"type": rule.condition}} for alert in alerts_]
    found = Threshold.model_validate({"id": "t", "configuration": configuration, "alerts": given_})
    result = [{"label": label, "data": data, "days": DAYS[: len(data)]}]
    for watch in watches([found], Result(Asked(TREND), result)):
        lines = [sentence(watch), distance(watch), *map(str, bounds_told(watch.rule))]
        assert not any("\n" in line or UNSAFE.search(line) for line in lines)


@pytest.mark.anyio
@pytest.mark.parametrize(("until", "said"), [("2025-11-30", True), (None, False)])
async def test_a_window_that_has_ended_is_not_what_is_watched(until: Any, said: bool, posthog: Loopback) -> None:
    """The last value of an old window is not the one that a check would see."""
    source = TREND | {"dateRange": {"date_from": "2025-11-01", "date_to": until}}
    result = [LINES[0] | {"days": ["2025-11-26", "2025-11-27", "2025-11-28", "2025-11-29", "2025-11-30"]}]
    answer = await told(posthog, threshold({"lower": 1}), source=source, result=result, until=until)
    assert said == ("the insight's window ended 2025-11-30, and an alert looks at what came since" in answer.text)


@pytest.mark.anyio
async def test_an_unknown_threshold(posthog: Loopback) -> None:
    """The answer says where to find the known ones."""
    posthog.on_insights("GET", "12/", ok(insight()))
    async with assistant(posthog) as user:
        answer = await user.call("get_threshold", id=12, threshold_id="t-9")
    assert (True, True) == (answer.failed, "list_thresholds has their ids" in answer.text)
