"""Rate limits: per key and bucket, with the time to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from insights_mcp.local.calls import ANSWERS
from insights_mcp.local.errors import Problem
from insights_mcp.local.limits import RATES, Limits, bucket_of

from .api import NOW, Api, Clock


def test_the_insights_bucket(api: Api, clock: Clock) -> None:
    """After 240 calls in a minute 429 with Retry-After; sharing has its own, larger bucket."""
    api.insight(name="one")
    key = api.with_key("insight:read", "sharing_configuration:read")
    statuses = [key.get("insights/1/").status_code for _ in range(240)]
    clock.pass_by(seconds=18)
    late = key.get("insights/1/")
    assert ({200}, 429, "42") == (set(statuses), late.status_code, late.headers["retry-after"])
    detail = "Request was throttled. Expected available in 42 seconds."
    assert {"type": "throttled_error", "code": "throttled", "detail": detail, "attr": None} == late.json()
    assert key.get("insights/1/sharing/").status_code == 200
    clock.pass_by(seconds=42)
    assert key.get("insights/1/").status_code == 200


def test_a_key_without_the_scope_is_not_counted(api: Api) -> None:
    """403 comes before 429."""
    key = api.with_key("query:read")
    assert {403} == {key.get("insights/").status_code for _ in range(250)}


def test_the_owner_is_not_limited(api: Api) -> None:
    """However often they call."""
    assert {200} == {api.get("/api/users/@me/").status_code for _ in range(490)}


@pytest.mark.parametrize("bucket", RATES)
def test_each_rate(bucket: str) -> None:
    """So many calls are let through, and not one more, within the first window."""
    limits = Limits()
    most, seconds = RATES[bucket][0]
    for _ in range(most):
        limits.count("key", bucket, NOW)
    with pytest.raises(Problem) as refusal:
        limits.count("key", bucket, NOW)
    assert str(seconds) == refusal.value.headers["Retry-After"]
    limits.count("another", bucket, NOW)
    limits.count("key", bucket, NOW + timedelta(seconds=seconds))


def test_the_hour() -> None:
    """A slow stream of calls ends at the hourly limit."""
    limits = Limits()
    for call in range(1200):
        limits.count("key", "clickhouse", NOW + timedelta(seconds=call))
    with pytest.raises(Problem) as refusal:
        limits.count("key", "clickhouse", NOW + timedelta(seconds=1200))
    assert refusal.value.headers["Retry-After"] == "2400"


def test_which_bucket() -> None:
    """Insights and queries compute; sharing, thresholds and the rest do not; analysis has its own."""
    buckets = {route.path.removeprefix("/api/projects/{project_id}/"): bucket_of(route) for route in ANSWERS}
    names = ("insights/", "insights/{id}/", "query/", "insights/{id}/analyze/", "insights/{insight_id}/sharing/",
             "insights/{insight_id}/thresholds/", "alerts/", "dashboards/")  # fmt: skip
    expected = ["clickhouse", "clickhouse", "clickhouse", "llm", "default", "default", "default", "default"]
    assert expected == [buckets[name] for name in names]
