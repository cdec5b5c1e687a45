"""Turning a refusal into one of our errors: what happened, what to do next.

PostHog's error bodies come in several shapes: `{type, code, detail, attr}`, `{error}`, `{query_status}`,
`{detail}`, nothing at all, and whatever a proxy in between sends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from insights_mcp.endpoint import Endpoint
from insights_mcp.errors import (
    FOLDER_UNUSABLE,
    ApiError,
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
from insights_mcp.text import clean, quoted

SCOPE_MISSING = re.compile(r"missing required scope '([^']+)'")
NO_KEYS_HERE = re.compile(r"does not support personal api key", re.IGNORECASE)
WRONG_PROJECT = re.compile(r"access to the requested project|access to the project", re.IGNORECASE)
DETAIL_LIMIT = 600

NEXT_BY_STATUS = {
    402: "The organization's quota is used up; wait for the next period or raise it in billing.",
    409: "Somebody changed it meanwhile: read it again, then repeat.",
    413: "Send less: a smaller query.",
    504: "Ask for less: a shorter date range, more filters, fewer breakdowns.",
    512: "PostHog expects this query to take too long: a shorter date range, more filters, fewer breakdowns.",
}
NEXT_BY_FIELD = {"dashboards": "list_dashboards has their numbers."}


@dataclass(frozen=True)
class ErrorBody:
    """What could be read from an error's body. `detail` is clean and short."""

    detail: str = ""
    code: str = ""
    attr: str | None = None
    query_failed: bool = False


def failure(
    endpoint: type[Endpoint[Any]], status: int, headers: Mapping[str, str], body: bytes, *, host: str = "PostHog"
) -> InsightsError:
    """The error that a reply with `status` ≥ 300 means for the caller of `endpoint`."""
    said = read_error(body)
    if said.query_failed and status in (400, 500):
        return QueryFailed(f"The query failed: {said.detail or 'PostHog gave no reason.'}")
    action = endpoint.__name__
    facts: dict[str, Any] = {"status": status, "code": said.code, "attr": said.attr, "detail": said.detail}
    if 300 <= status < 400:
        return Rejected(
            f"{host} redirects the API elsewhere{_where(headers)}.",
            "If that is your PostHog, set POSTHOG_HOST to it.",
            **facts,
        )
    if status == 401:
        return Unauthenticated(
            f"{host} does not accept the API key.",
            "Check POSTHOG_API_KEY (a personal key, phx_…) and that POSTHOG_HOST is the region it was made in.",
            **facts,
        )
    if status == 403:
        return _forbidden(action, said, facts)
    if status == 404:
        return _not_found(said, facts)
    if status == 429:
        return _limited(headers, said, facts)
    if status >= 500:
        return _unavailable(host, status, said, facts)
    return _rejected(status, said, facts)


def read_error(body: bytes) -> ErrorBody:
    """What an error body says, in whichever shape it has. A proxy's HTML says nothing."""
    try:
        value = json.loads(body[:1_000_000])
    except (ValueError, RecursionError):
        return ErrorBody()
    if not isinstance(value, dict):
        return ErrorBody(clean(value, DETAIL_LIMIT)) if isinstance(value, str | list) else ErrorBody()
    if isinstance(status := value.get("query_status"), dict):
        return ErrorBody(clean(status.get("error_message") or "", DETAIL_LIMIT), query_failed=True)
    detail = value.get("detail") or value.get("error") or value.get("message") or ""
    attr = value.get("attr")
    return ErrorBody(
        detail=clean(detail, DETAIL_LIMIT),
        code=clean(value.get("code") or "", 80),
        attr=clean(attr, 80) if isinstance(attr, str) else None,
    )


def _where(headers: Mapping[str, str]) -> str:
    """The place of a redirect, without the rest of its address: ` to "https://eu.posthog.com"`."""
    try:
        url = urlsplit(headers.get("location", ""))
        port = f":{url.port}" if url.port else ""
        return f" to {quoted(f'{url.scheme}://{url.hostname}{port}', 100)}" if url.scheme and url.hostname else ""
    except ValueError:
        return ""


def _forbidden(action: str, said: ErrorBody, facts: dict[str, Any]) -> InsightsError:
    if scope := SCOPE_MISSING.search(said.detail):
        return MissingScope(scope.group(1), action)
    if NO_KEYS_HERE.search(said.detail):
        return SessionOnly(
            f"PostHog lets no personal API key call {action}; it needs a logged-in session.",
            "Do it in PostHog's web app.",
            **facts,
        )
    if WRONG_PROJECT.search(said.detail):
        return Forbidden(
            f"The key may not use this project. PostHog says: {said.detail}",
            "Set POSTHOG_PROJECT_ID to a project of the key; `insights-mcp doctor` lists them.",
            **facts,
        )
    if not said.detail:
        step = "`insights-mcp doctor` checks key and scopes; a proxy or firewall in between may refuse, too."
        return Forbidden(f"PostHog refuses {action}: it gave no reason.", step, **facts)
    return Forbidden(f"PostHog refuses {action}: {said.detail}", **facts)


def _not_found(said: ErrorBody, facts: dict[str, Any]) -> InsightsError:
    if said.detail.startswith("Project not found"):
        return NotFound(
            "There is no such project.", "Check POSTHOG_PROJECT_ID; `insights-mcp doctor` lists projects.", **facts
        )
    if said.detail.startswith("Endpoint not found") or not said.detail:
        return NotFound(
            "This PostHog does not know the endpoint.", "Check POSTHOG_HOST; an older self-hosted version lacks it.",
            **facts,
        )  # fmt: skip
    return NotFound(f"PostHog does not find it: {said.detail}", "Look it up with list_insights.", **facts)


def _limited(headers: Mapping[str, str], said: ErrorBody, facts: dict[str, Any]) -> RateLimited:
    seconds = retry_after(headers)
    when = f"in {seconds:.0f} seconds" if seconds is not None else "in a minute"
    error = RateLimited(
        f"PostHog's rate limit is reached. {said.detail}".strip(), f"Nothing was done; try again {when}.", **facts
    )
    error.retry_after = seconds
    return error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, when the reply says so in seconds (PostHog never sends a date)."""
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() else None


def _unavailable(host: str, status: int, said: ErrorBody, facts: dict[str, Any]) -> Unavailable:
    if said.code == FOLDER_UNUSABLE:
        return Unavailable(said.detail, **facts)
    step = NEXT_BY_STATUS.get(status, "Try again in a minute; if it stays, look at PostHog's status page.")
    return Unavailable(f"{host} failed with status {status}. {said.detail}".strip(), step, **facts)


def _rejected(status: int, said: ErrorBody, facts: dict[str, Any]) -> ApiError:
    field = f" (field {said.attr})" if said.attr else ""
    what = f"PostHog did not accept the request{field}: {said.detail or f'status {status}, no reason given.'}"
    return Rejected(what, NEXT_BY_FIELD.get(said.attr or "") or NEXT_BY_STATUS.get(status, ""), **facts)
