"""Everything that can go wrong, as one tree. A message says what happened, then what to do next.

InsightsError
├── SettingsError         a setting is missing or wrong
├── InvalidInput          an argument was refused before any request was sent
│   └── UnknownReference  no insight, dashboard … goes by that name; or several do
├── MissingScope          the key may not do this (found before sending, or PostHog's 403)
├── ApiError              PostHog answered with an error
│   ├── Unauthenticated     401: the key is wrong or gone
│   ├── Forbidden           403: scopes apart
│   │   └── SessionOnly       403: no personal key may call this endpoint
│   ├── NotFound            404
│   ├── Rejected            any other 4xx: PostHog did not accept the request
│   ├── RateLimited         429
│   └── Unavailable         5xx
├── QueryFailed           the request was fine, the computation was not (also inside a 200)
├── ChangedMeanwhile      somebody changed the insight since it was read; nothing was sent
├── BadReply              what came back is no JSON, not complete or too large
├── Unreachable           no answer at all: name, network, TLS, time-out
├── NoPicture             the result cannot be drawn; its answer stands without
└── of the embedded backend: LocalError (folder), LoadError (files), StoreError (events)
"""

from __future__ import annotations

FOLDER_UNUSABLE = "project_folder_unusable"  # code of the embedded backend's 503, whose detail says what to do


class InsightsError(Exception):
    """A failure that was foreseen: `what` happened, what to do `next_step`; `details`: one line for each of many."""

    details: tuple[str, ...] = ()

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what, next_step)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} {self.next_step}".strip()


class SettingsError(InsightsError):
    """A setting (environment variable, option, file) is missing or wrong."""


class InvalidInput(InsightsError):
    """An argument was refused before any request was sent."""


class UnknownReference(InvalidInput):
    """A name, number, short_id or URL leads to nothing, or to more than one thing."""


class MissingScope(InsightsError):
    """The key lacks a scope."""

    def __init__(self, scope: str, action: str) -> None:
        super().__init__(
            f"{action} needs the scope '{scope}', which the API key does not have.",
            f"Add '{scope}' to the key in PostHog under Settings > Personal API keys, then restart this server.",
        )
        self.scope = scope


class ApiError(InsightsError):
    """PostHog answered with an error. `code`, `attr` and `detail` are as in its body."""

    def __init__(
        self, what: str, next_step: str = "", *, status: int, code: str = "", attr: str | None = None, detail: str = ""
    ) -> None:
        super().__init__(what, next_step)
        self.status = status
        self.code = code
        self.attr = attr
        self.detail = detail


class Unauthenticated(ApiError):
    """401: no key, or one that PostHog does not know."""


class Forbidden(ApiError):
    """403 for another reason than a missing scope."""


class SessionOnly(Forbidden):
    """403: the endpoint refuses every personal API key, whatever its scopes."""


class NotFound(ApiError):
    """404."""


class Rejected(ApiError):
    """400, 405, 409, 413, 415, 422 …: PostHog did not accept the request."""


class RateLimited(ApiError):
    """429. `retry_after` is in seconds, None when PostHog did not say."""

    retry_after: float | None = None


class Unavailable(ApiError):
    """5xx: PostHog, or something before it, cannot answer now."""


class QueryFailed(InsightsError):
    """The query itself failed: bad SQL, a time-out, a limit, a cancellation."""


class ChangedMeanwhile(InsightsError):
    """What was to be changed is not any more as it was read."""


class BadReply(InsightsError):
    """The reply is no JSON, is cut off, has a shape no version has, or is over the size limit."""


class Unreachable(InsightsError):
    """No answer at all. `sent` says whether the request may have reached the server."""

    def __init__(self, what: str, next_step: str = "", *, sent: bool = False) -> None:
        super().__init__(what, next_step)
        self.sent = sent


class NoPicture(InsightsError):
    """A result cannot be drawn: it has no shape for it, there is nothing in it, or what draws is not installed."""
