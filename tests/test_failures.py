"""Refusals in every shape become errors that say what happened and what to do next."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights_mcp.endpoints.insights import CreateInsight, GetInsight
from insights_mcp.errors import (
    FOLDER_UNUSABLE,
    Forbidden,
    InsightsError,
    MissingScope,
    NotFound,
    QueryFailed,
    RateLimited,
    Rejected,
    SessionOnly,
    Unauthenticated,
    Unavailable,
)
from insights_mcp.failures import failure, read_error
from insights_mcp.text import UNSAFE


def of(status: int, body: Any, **headers: str) -> InsightsError:
    """The error of a reply."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure(GetInsight, status, headers, content)


def said(detail: str, **more: Any) -> dict[str, Any]:
    """A body in PostHog's usual shape."""
    return {"type": "x", "code": "c", "detail": detail, "attr": None} | more


FORBIDDEN = {
    "API key missing required scope 'insight:write'": (MissingScope, "Add 'insight:write'"),
    "This action does not support personal API key access": (SessionOnly, "web app"),
    "This action does not support Personal API Key access": (SessionOnly, "web app"),
    "API key does not have access to the requested project: ID 123.": (Forbidden, "POSTHOG_PROJECT_ID"),
    "You don't have access to the project.": (Forbidden, "POSTHOG_PROJECT_ID"),
    "API keys with scoped projects are only supported on project-based endpoints.": (Forbidden, ""),
    "API key does not have access to the requested organization: ID u.": (Forbidden, ""),
    "Organization 'x' does not allow using personal API keys. Contact an admin.": (Forbidden, "Contact an admin"),
    "You do not have editor access to this resource.": (Forbidden, ""),
    "This insight is on a dashboard that can only be edited by its owner.": (Forbidden, ""),
}


@pytest.mark.parametrize("detail", FORBIDDEN)
def test_every_403_is_told_apart(detail: str) -> None:
    """A scope to add, a session to use, a project to set, or PostHog's own words."""
    kind, step = FORBIDDEN[detail]
    error = of(403, said(detail, type="authentication_error", code="permission_denied"))
    assert (kind, True) == (type(error), step in str(error))
    assert kind is not Forbidden or detail in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, Rejected), (400, Rejected), (401, Unauthenticated), (402, Rejected), (404, NotFound), (405, Rejected),
     (409, Rejected), (413, Rejected), (415, Rejected), (429, RateLimited), (500, Unavailable), (502, Unavailable),
     (504, Unavailable), (512, Unavailable), (599, Unavailable)],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'"text"', b"{", b"[" * 9000, b"\xff", {"error": "no"}]
)
def test_every_status_and_shape_has_its_error(status: int, kind: type, body: Any) -> None:
    """Whatever the body is."""
    assert kind is type(of(status, body))


def test_the_field_is_named() -> None:
    """A validation error says which."""
    error = of(400, said("Ensure this field has no more than 400 characters.", attr="name"))
    assert "(field name): Ensure" in str(error)


def test_a_hand_made_body_is_read() -> None:
    """Sharing answers with `error`."""
    assert "must be enabled" in str(of(400, {"error": "Password protection must be enabled before creating passwords"}))


def test_an_endless_detail_is_cut() -> None:
    """The parser's messages have thousands of characters."""
    assert len(str(of(400, said("1 validation error for QuerySchemaRoot\n" + "x " * 9000)))) < 800


@pytest.mark.parametrize("status", [400, 500])
def test_a_query_status_is_a_failed_query(status: int) -> None:
    """Not an unavailable PostHog."""
    error = of(status, {"query_status": {"error": True, "error_message": "Unknown column"}})
    assert (QueryFailed, True) == (type(error), "Unknown column" in str(error))


@pytest.mark.parametrize(("header", "seconds"), [("42", 42.0), ("", None), ("soon", None), ("-3", None), ("²", None)])
def test_retry_after_is_seconds(header: str, seconds: float | None) -> None:
    """Or not known."""
    error = of(429, said("Throttled."), **{"retry-after": header})
    assert isinstance(error, RateLimited)
    assert seconds == error.retry_after


@pytest.mark.parametrize("status", [401, 404, 405, 429, 500, 503])
def test_a_next_step_is_named(status: int) -> None:
    """Where the user can do something."""
    assert status == 405 or of(status, b"").next_step


def test_the_call_is_named() -> None:
    """What was refused."""
    assert "CreateInsight" in str(failure(CreateInsight, 403, {}, b"{}"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["detail", "error", "code", "attr", "query_status", "error_message"]), inner
            )
        ),
        max_leaves=8,
    ),
    st.integers(300, 599),
)
def test_no_body_is_unforeseen(body: Any, status: int) -> None:
    """Any JSON becomes a clean error."""
    error = of(status, body)
    assert UNSAFE.search(str(error)) is None
    assert len(read_error(json.dumps(body).encode()).detail) < 700


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://key@eu.posthog.com/login?next=x", ' to "https://eu.posthog.com"'),
        ("http://10.0.0.1:8000/", ' to "http://10.0.0.1:8000"'),
        ("http://x:y/", ""),
        ("/login", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_a_redirect_says_where_to(location: str, where: str) -> None:
    """The host; not the rest, which may hold anything."""
    error = failure(GetInsight, 302, {"location": location}, b"", host="https://x.example")
    assert f"https://x.example redirects the API elsewhere{where}." == error.what


def test_a_refusal_without_a_reason() -> None:
    """Who may have refused it."""
    assert "doctor" in of(403, b"Forbidden").next_step


def test_a_folder_that_cannot_be_used() -> None:
    """On the embedded backend nobody is sent to PostHog's status page: the detail says what to do."""
    error = of(503, said("events.duckdb is damaged. Move it away.", code=FOLDER_UNUSABLE))
    assert (Unavailable, "events.duckdb is damaged. Move it away.") == (type(error), str(error))


def test_a_dashboard_that_is_not_there() -> None:
    """A refused field of which there is a list says which call has it."""
    error = of(400, said('Invalid pk "99" - object does not exist.', attr="dashboards"))
    assert error.next_step == "list_dashboards has their numbers."
