"""Where in a query's text something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from insights_mcp.local.queries.errors import QueryError


class PlacedError(QueryError):
    """An error of a part of the query that stands at a place in its text."""

    at = -1


def placed(error: QueryError, at: int) -> QueryError:
    """The error with a place, if it has none and there is one."""
    if at < 0 or isinstance(error, PlacedError) or error.code == "syntax_error":
        return error
    found = PlacedError(error.detail, error.code, error.attr)
    found.at = at
    return found


@contextmanager
def told(text: str) -> Iterator[None]:
    """What has a place in this text says so, by line and column."""
    try:
        yield
    except PlacedError as error:
        line, column = line_and_column(text, error.at)
        raise QueryError(f"{error.detail} (line {line}, column {column})", error.code, error.attr) from None


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """A place in a text, both counted from 1."""
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
