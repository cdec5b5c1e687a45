"""Thresholds are read, alerts written; an alert's state follows the computed result."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from insights_mcp.local.alarms import evaluated

from .api import NOW, TREND, TREND_SOURCE, Api, Clock

ALERT: dict[str, Any] = {
    "name": "too few",
    "insight": 1,
    "subscribed_users": [1],
    "calculation_interval": "daily",
    "config": {"type": "TrendsAlertConfig", "series_index": 0},
    "condition": {"type": "absolute_value"},
    "threshold": {"configuration": {"type": "absolute", "bounds": {"lower": 10}}},
}


@pytest.fixture
def watched(api: Api) -> Api:
    """One insight with an alert."""
    api.insight(name="one", query=TREND)
    response = api.post("alerts/", ALERT)
    assert response.status_code == 201, response.text
    return api


def test_a_threshold(watched: Api) -> None:
    """Its bounds, and the alerts with the whole insight and the whole users."""
    threshold = watched.get("insights/1/thresholds/").json()["results"][0]
    alert = threshold["alerts"][0]
    assert ALERT["threshold"]["configuration"] == threshold["configuration"]
    assert (
        alert["insight"]["name"],
        alert["subscribed_users"][0]["email"],
        alert["state"],
    ) == ("one", "local@localhost", "Not firing")
    assert threshold == watched.get(f"insights/1/thresholds/{threshold['id'].upper()}/").json()


def test_thresholds_of_an_unknown_insight(api: Api) -> None:
    """An empty page."""
    assert api.get("insights/99/thresholds/").json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_a_threshold_of_another_insight(watched: Api) -> None:
    """404."""
    watched.insight(name="two")
    number = watched.get("insights/1/thresholds/").json()["results"][0]["id"]
    assert watched.get(f"insights/2/thresholds/{number}/").status_code == 404


def test_an_alert_fires(watched: Api) -> None:
    """When the result is computed and its value is out of bounds; the check is recorded."""
    watched.get("insights/1/", refresh="blocking")
    alert_id = watched.get("insights/1/").json()["alerts"][0]["id"]
    alert = watched.get(f"alerts/{alert_id}/").json()
    told = (alert["state"], alert["last_value"], alert["last_checked_at"], alert["next_check_at"])
    assert told == ("Firing", 1.0, "2026-01-10T09:00:00Z", "2026-01-11T09:00:00Z")
    assert [(check["state"], check["calculated_value"]) for check in alert["checks"]] == [("Firing", 1.0)]


def test_an_alert_calms_down(watched: Api) -> None:
    """With wider bounds it no longer fires at the next computation."""
    watched.get("insights/1/", refresh="blocking")
    alert_id = watched.get("insights/1/").json()["alerts"][0]["id"]
    bounds = {"configuration": {"type": "absolute", "bounds": {"lower": 0, "upper": 5}}}
    watched.patch(f"alerts/{alert_id}/", {"threshold": bounds})
    watched.get("insights/1/", refresh="force_blocking")
    assert watched.get(f"alerts/{alert_id}/").json()["state"] == "Not firing"


def test_a_snoozed_alert(watched: Api, clock: Clock) -> None:
    """Sleeps for the time given, and is not checked meanwhile."""
    alert_id = watched.get("insights/1/").json()["alerts"][0]["id"]
    asleep = watched.patch(f"alerts/{alert_id}/", {"snoozed_until": "2h"}).json()
    watched.get("insights/1/", refresh="blocking")
    still = watched.get(f"alerts/{alert_id}/").json()
    clock.pass_by(hours=3)
    watched.get("insights/1/", refresh="force_blocking")
    awake = watched.get(f"alerts/{alert_id}/").json()
    assert (asleep["snoozed_until"], still["state"], still["checks"]) == ("2026-01-10T11:00:00Z", "Snoozed", [])
    assert (awake["state"], awake["snoozed_until"]) == ("Firing", None)


def test_an_alert_is_deleted(watched: Api) -> None:
    """With its threshold."""
    alert_id = watched.get("insights/1/").json()["alerts"][0]["id"]
    assert watched.delete(f"alerts/{alert_id}/").status_code == 204
    assert (watched.get(f"alerts/{alert_id}/").status_code, watched.get("insights/1/thresholds/").json()["count"]) == (
        404,
        0,
    )


def test_somebody_elses_filters_set_off_nothing(watched: Api) -> None:
    """Only the insight's own result is held against the bounds."""
    watched.get("insights/1/", refresh="blocking", filters_override='{"date_from": "-3d"}')
    assert watched.get("insights/1/").json()["alerts"][0]["last_checked_at"] is None


@pytest.mark.parametrize(("params", "count"), [({}, 1), ({"insight_id": "1"}, 1), ({"insight_id": "2"}, 0),
                                               ({"search": "few"}, 1), ({"search": "many"}, 0)])  # fmt: skip
def test_the_list_of_alerts(watched: Api, params: dict[str, str], count: int) -> None:
    """By insight and by name."""
    assert count == watched.get("alerts/", **params).json()["count"]


@pytest.mark.parametrize(
    ("fields", "code", "attr"),
    [
        ({"insight": 9}, "does_not_exist", "insight"),
        ({"subscribed_users": [9]}, "does_not_exist", "subscribed_users"),
        ({"calculation_interval": "never"}, "invalid_choice", "calculation_interval"),
        ({"condition": {"type": "odd"}}, "invalid_choice", "condition"),
        ({"config": {"series_index": -1}}, "invalid_input", "config"),
        ({"threshold": {}}, "required", "threshold__configuration"),
        ({"threshold": {"configuration": {"type": "odd"}}}, "invalid_choice", "threshold__configuration"),
        (
            {"threshold": {"configuration": {"type": "absolute", "bounds": {"lower": "x"}}}},
            "invalid_input",
            "threshold__configuration",
        ),
    ],
)
def test_a_bad_alert(watched: Api, fields: dict[str, Any], code: str, attr: str) -> None:
    """400 that names the field."""
    response = watched.post("alerts/", ALERT | fields)
    assert (400, code, attr) == (response.status_code, response.json()["code"], response.json()["attr"])


def test_an_alert_without_a_threshold(watched: Api) -> None:
    """400 required."""
    response = watched.post("alerts/", {k: v for k, v in ALERT.items() if k != "threshold"})
    assert (response.status_code, response.json()["code"], response.json()["attr"]) == (400, "required", "threshold")


def test_an_insight_that_cannot_alert(api: Api) -> None:
    """400: it has no query to watch."""
    api.insight(name="one")
    assert api.post("alerts/", ALERT).status_code == 400


DAYS = ["2026-01-08", "2026-01-09", "2026-01-10"]


def value_of(data: list[int], source: dict[str, Any] = TREND_SOURCE, **alert: Any) -> tuple[float | None, str]:
    """What a check of these days says, of which the last is today."""
    answer = {"results": [{"label": "x", "data": data, "days": DAYS[-len(data) :]}], "timezone": "UTC"}
    given = {"config": {}, "condition": {"type": "absolute_value"}, "configuration": {}} | alert
    return evaluated({name: json.dumps(part) for name, part in given.items()}, answer, source, NOW)


@pytest.mark.parametrize(
    ("condition", "kind", "bounds", "data", "expected"),
    [
        ("absolute_value", "absolute", {"upper": 5}, [9, 6, 1], (6.0, "Firing")),
        ("absolute_value", "absolute", {"upper": 6}, [9, 6, 1], (6.0, "Not firing")),
        ("relative_increase", "absolute", {"upper": 1}, [2, 4, 0], (2.0, "Firing")),
        ("relative_increase", "percentage", {"upper": 1.5}, [2, 4, 0], (1.0, "Not firing")),
        ("relative_decrease", "percentage", {"upper": 0.4}, [4, 2, 0], (0.5, "Firing")),
        ("relative_increase", "percentage", {"upper": 1}, [0, 4, 0], (math.inf, "Firing")),
        ("relative_increase", "absolute", {"upper": 1}, [4, 1], (None, "Errored")),
    ],
)
def test_the_value_of_an_alert(
    condition: str, kind: str, bounds: dict[str, float], data: list[int], expected: tuple[float | None, str]
) -> None:
    """The last whole interval's value, or its growth; no number is an error, not silence."""
    configuration = {"type": kind, "bounds": bounds}
    assert expected == value_of(data, condition={"type": condition}, configuration=configuration)


def test_a_window_that_is_over() -> None:
    """Its last interval is whole, and counts."""
    ended = {"results": [{"data": [9, 6, 1], "days": ["2026-01-01", "2026-01-02", "2026-01-03"]}]}
    alert = {"config": "{}", "condition": "{}", "configuration": "{}"}
    assert (1.0, "Not firing") == evaluated(alert, ended, TREND_SOURCE, NOW)


def test_any_value_of_a_breakdown_fires() -> None:
    """Not only the first series."""
    by_browser = TREND_SOURCE | {"breakdownFilter": {"breakdown": "$browser", "breakdown_type": "event"}}
    results = [{"breakdown_value": name, "data": [value, 0], "days": DAYS[1:]} for name, value in (("a", 9), ("b", 3))]
    alert = {"config": "{}", "condition": "{}", "configuration": '{"bounds": {"lower": 5}}'}
    assert (3.0, "Firing") == evaluated(alert, {"results": results}, by_browser, NOW)


def test_a_series_that_is_not_there() -> None:
    """Errored."""
    assert value_of([1], config={"series_index": 3}) == (None, "Errored")
