"""What is answered when something is wrong: PostHog's error object; and the errors of a project folder."""

from __future__ import annotations

from collections.abc import Mapping

from insights_mcp.errors import FOLDER_UNUSABLE, InsightsError


class LocalError(InsightsError):
    """The project folder cannot be used: `what` is wrong, and what to do `next_step`."""


class Problem(Exception):
    """An error answer. The body is PostHog's `{type, code, detail, attr}`, or `body` where PostHog's differs."""

    def __init__(
        self,
        status: int,
        kind: str,
        code: str,
        detail: str,
        attr: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: dict[str, str | None] | None = None,
    ) -> None:
        super().__init__(status, code, detail)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, str | None] = body or {"type": kind, "code": code, "detail": detail, "attr": attr}


def not_found(detail: str = "Not found.") -> Problem:
    """404."""
    return Problem(404, "invalid_request", "not_found", detail)


def invalid(detail: str, attr: str | None = None, code: str = "invalid_input") -> Problem:
    """400: a value was not accepted; `attr` names the field."""
    return Problem(400, "validation_error", code, detail, attr)


def parse_error(detail: str) -> Problem:
    """400: the body is no JSON object, or its `query` is no query."""
    return Problem(400, "invalid_request", "parse_error", detail)


def unauthenticated(code: str, detail: str) -> Problem:
    """401."""
    return Problem(401, "authentication_error", code, detail, headers={"WWW-Authenticate": "Bearer"})


def forbidden(detail: str) -> Problem:
    """403. PostHog's type says authentication, though the caller is known."""
    return Problem(403, "authentication_error", "permission_denied", detail)


def method_not_allowed(method: str) -> Problem:
    """405 with a body. (Deleting an insight is a 405 without one.)"""
    return Problem(405, "invalid_request", "method_not_allowed", f'Method "{method}" not allowed.')


def throttled(seconds: int) -> Problem:
    """429 with Retry-After."""
    unit = "second" if seconds == 1 else "seconds"
    detail = f"Request was throttled. Expected available in {seconds} {unit}."
    return Problem(429, "throttled_error", "throttled", detail, headers={"Retry-After": str(seconds)})


def too_large(limit: int) -> Problem:
    """413: the body is over `limit` bytes."""
    return Problem(413, "invalid_request", "request_too_large", f"Request body exceeds the limit of {limit:,} bytes.")


def unsupported_media_type(media_type: str) -> Problem:
    """415: only JSON is read."""
    detail = f'Unsupported media type "{media_type}" in request.'
    return Problem(415, "invalid_request", "unsupported_media_type", detail)


def unavailable(detail: str) -> Problem:
    """503: the project folder cannot be used now; `detail` says why, and what to do."""
    return Problem(503, "server_error", FOLDER_UNUSABLE, detail)


def bare(status: int, message: str) -> Problem:
    """The `{"error": …}` body that PostHog's sharing endpoints use."""
    return Problem(status, "", "", message, body={"error": message})


def read_only() -> Problem:
    """403: the project folder lets nothing be written."""
    return forbidden("The project folder is read-only, so nothing can be saved in it.")


def server_error() -> Problem:
    """500: something nobody foresaw. What it was stands in the log, not in the answer."""
    return Problem(500, "server_error", "error", "A server error occurred.")
