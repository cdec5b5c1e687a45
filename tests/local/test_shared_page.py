"""The public page: who may see it, what it shows, and that what users wrote stays text."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.local import shared_page
from insights_mcp.local.tabulate import tabulated

from .api import TREND, Api, Clock

PASSWORD = "hunter2hunter2"


def share(api: Api, **settings: bool) -> str:
    """Share insight 1: the link's path."""
    token = api.patch("insights/1/sharing/", {"enabled": True, **settings}).json()["access_token"]
    return f"/shared/{token}"


@pytest.fixture
def protected(api: Api) -> str:
    """The path of an insight that has a password."""
    api.insight(name="Sign-ups", query=TREND)
    path = share(api, password_required=True)
    api.post("insights/1/sharing/passwords/", {"raw_password": PASSWORD, "note": "board"})
    return path


def test_the_page(api: Api) -> None:
    """Anybody with the link sees name, description and result."""
    api.insight(name="Sign-ups", description="Each day", query=TREND)
    page = api.anonymous().get(share(api))
    assert page.status_code == 200
    assert [part in page.text for part in ("<h1>Sign-ups</h1>", "Each day", "signed_up", "<td>1</td>")] == [True] * 4


def test_what_users_wrote_is_text(api: Api) -> None:
    """No tag of theirs is a tag of the page."""
    api.insight(name="<script>alert(1)</script>", description='"><img src=x>')
    page = api.anonymous().get(share(api)).text
    assert [part in page for part in ("<script", "<img")] == [False, False]


def test_the_policy(api: Api) -> None:
    """No script, nothing loaded, no frame; the embedded form may be framed."""
    api.insight(name="one")
    path = share(api)
    plain, embedded = (api.anonymous().get(p).headers for p in (path, path.replace("/shared", "/embedded")))
    assert [h["content-security-policy"].startswith("default-src 'none'") for h in (plain, embedded)] == [True, True]
    ends = [h["content-security-policy"].rsplit(" ", 1)[1] for h in (plain, embedded)]
    assert ends == ["'none'", "*"]
    assert (plain["x-content-type-options"], plain["cache-control"]) == ("nosniff", "no-store")


def test_an_unknown_token(api: Api) -> None:
    """404."""
    assert api.anonymous().get("/shared/nothing").status_code == 404


@pytest.mark.parametrize("change", [{"enabled": False}, None])
def test_no_longer_shared(api: Api, change: Any) -> None:
    """Switched off, or the insight deleted: 404."""
    api.insight(name="one")
    path = share(api)
    api.patch("insights/1/sharing/", change) if change else api.patch("insights/1/", {"deleted": True})
    assert api.anonymous().get(path).status_code == 404


def test_the_grace_of_an_old_link(api: Api, clock: Clock) -> None:
    """Replaced, it opens for five minutes more."""
    api.insight(name="one")
    old = share(api)
    new = f"/shared/{api.post('insights/1/sharing/refresh/').json()['access_token']}"
    clock.pass_by(minutes=4)
    assert [api.anonymous().get(path).status_code for path in (old, new)] == [200, 200]
    clock.pass_by(minutes=2)
    assert [api.anonymous().get(path).status_code for path in (old, new)] == [404, 200]


def test_switching_off_ends_the_grace(api: Api) -> None:
    """An old link does not outlive the switch."""
    api.insight(name="one")
    old = share(api)
    api.post("insights/1/sharing/refresh/")
    api.patch("insights/1/sharing/", {"enabled": False})
    assert api.anonymous().get(old).status_code == 404


def test_the_password_is_asked_for(api: Api, protected: str) -> None:
    """And nothing is shown before."""
    page = api.anonymous().get(protected)
    assert (page.status_code, 'type="password"' in page.text, "Sign-ups" in page.text) == (200, True, False)


@pytest.mark.parametrize(("given", "status"), [(PASSWORD, 200), ("wrong", 401), ("", 401)])
def test_the_password(api: Api, protected: str, given: str, status: int) -> None:
    """The right one opens the page."""
    page = api.anonymous().request("POST", protected, data={"password": given})
    assert (status, status == 200) == (page.status_code, "Sign-ups" in page.text)


def test_logins_are_logged(api: Api, protected: str) -> None:
    """By nobody, with the outcome and without the password."""
    for given in ("wrong-password", PASSWORD):
        api.anonymous().request("POST", protected, data={"password": given})
    log = api.get("insights/1/activity/")
    right, wrong = log.json()["results"][:2]
    assert [right["activity"], wrong["activity"]] == ["share_login_success", "share_login_failed"]
    system = {"first_name": "System", "email": None, "is_system": True}
    attempt = right["detail"]["changes"][0]["after"]
    assert (system, "board", 6) == (right["user"], attempt["password_note"], len(attempt["access_token_suffix"]))
    assert [text in log.text for text in ("wrong-password", PASSWORD)] == [False, False]


def test_guessing_is_slowed_down(api: Api, protected: str) -> None:
    """Twenty attempts a minute."""
    api.backend.limits._calls.clear()
    statuses = [api.anonymous().request("POST", protected, data={"password": ""}).status_code for _ in range(21)]
    assert (statuses[:20], statuses[20]) == ([401] * 20, 429)


def test_visitors_count_as_one_viewer(api: Api) -> None:
    """And are named to nobody."""
    api.insight(name="one")
    path = share(api)
    for _ in range(3):
        api.anonymous().get(path)
    item = api.get("insights/trending/").json()["results"][0]
    assert (item["view_count"], [user["id"] for user in item["viewers"]]) == (2, [1])


def test_a_page_that_breaks(api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """500 that says nothing; the log does not hold the token."""
    api.insight(name="one", query=TREND)
    path = share(api)
    monkeypatch.setattr(shared_page, "drawn", lambda outcome: 1 / 0)
    page = api.anonymous().get(path)
    assert (page.status_code, page.json()["code"]) == (500, "error")
    assert ("ZeroDivisionError" in caplog.text, path.removeprefix("/shared/") in caplog.text) == (True, False)


COHORT = {"date": "2026-01-01", "values": [{"count": 3.0}, {"count": 1.0}]}


@pytest.mark.parametrize(
    ("result", "table"),
    [
        ([COHORT], (["cohort", "0", "1"], [["2026-01-01", "3", "1"]])),
        (
            [COHORT | {"breakdown_value": "Chrome"}, COHORT | {"breakdown_value": "$$_posthog_breakdown_null_$$"}],
            (
                ["breakdown", "cohort", "0", "1"],
                [["Chrome", "2026-01-01", "3", "1"], ["(none)", "2026-01-01", "3", "1"]],
            ),
        ),
        ({"bins": [[60, 2], [120, 0]]}, (["from second", "people"], [["60", "2"], ["120", "0"]])),
    ],
)
def test_visitors_read_each_row_for_what_it_is(result: Any, table: Any) -> None:
    """Cohorts of two values are told apart, times stand in rows, and PostHog's marks are words."""
    assert table == tabulated(result, None)
