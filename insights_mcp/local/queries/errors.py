"""Why a query has no answer."""

from __future__ import annotations

# What is wrong can be told in this many characters, however long a name it holds.
LONGEST = 3_000


class SchemaError(Exception):
    """The JSON is no query: `detail` says where, what was given and what is allowed."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail if len(detail) <= LONGEST else detail[:LONGEST] + "…"


class QueryError(Exception):
    """The query cannot be answered: `detail` for the reader, `code` and `attr` as in PostHog's error bodies."""

    def __init__(self, detail: str, code: str = "invalid_input", attr: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail if len(detail) <= LONGEST else detail[:LONGEST] + "…"
        self.code = code
        self.attr = attr


class QueryCancelled(Exception):
    """The query was stopped on request."""
