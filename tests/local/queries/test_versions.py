"""Filters on versions and on cleaned paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from insights_mcp.local.queries import versions
from insights_mcp.local.queries.errors import QueryError
from tests.local.queries.conftest import asking, store_of

APPS = ["1.2.3", "1.2.10", "1.3.0+7", "v2.0.0-beta.1", "2.0.0.5", "1.4", "0.2.5", "none", "", None]
Found = Callable[..., list[str | None]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """The apps whose events pass a filter."""
    rows = [
        {"event": "open", "distinct_id": str(n), "timestamp": "2026-03-01T00:00:00Z",
         "properties": {"app": app, "path": f"/user/{n}"}}
        for n, app in enumerate(APPS)
    ]  # fmt: skip
    store = store_of(rows, tmp_path_factory.mktemp("apps"))
    ask = asking(store, datetime(2026, 3, 2, tzinfo=UTC))

    def passing(**given: Any) -> list[str | None]:
        rules = [{"regex": r"\d+", "alias": "<id>"}]
        query = {
            "kind": "HogQLQuery",
            "query": "select properties.app from events where {filters} order by distinct_id",
            "filters": {"properties": [{"key": "app", "type": "event", **given}]},
        }
        answer = ask(query, path_cleaning_filters=rules)
        return [row[0] for row in answer["results"]]

    yield passing
    store.close()


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("semver_eq", "1.3.0", ["1.3.0+7"]),
        ("semver_gt", "1.2.3", ["1.2.10", "1.3.0+7", "v2.0.0-beta.1"]),
        ("semver_gte", "1.2.3", ["1.2.3", "1.2.10", "1.3.0+7", "v2.0.0-beta.1"]),
        ("semver_lt", "1.2.10", ["1.2.3", "0.2.5"]),
        ("semver_neq", "2.0.0", ["1.2.3", "1.2.10", "1.3.0+7", "0.2.5"]),
        ("semver_tilde", "1.2.4", ["1.2.10"]),
        ("semver_tilde", "1", ["1.2.3", "1.2.10", "1.3.0+7"]),
        ("semver_caret", "1.2.4", ["1.2.10", "1.3.0+7"]),
        ("semver_caret", "0.2.3", ["0.2.5"]),
        ("semver_wildcard", "1.2.*", ["1.2.3", "1.2.10"]),
        ("semver_wildcard", "1.*", ["1.2.3", "1.2.10", "1.3.0+7"]),
        ("icontains_multi", ["BETA", "non"], ["v2.0.0-beta.1", "none"]),
        ("not_icontains_multi", [".", "one"], [""]),
        ("icontains", ["1_2", "1.%"], []),
        ("not_icontains", [".", "one"], [""]),
        ("not_icontains", ["."], ["none", "", None]),
    ],
)
def test_operator(found: Found, operator: str, value: Any, expected: list[str | None]) -> None:
    """Versions of three parts are compared part by part, and nothing else passes; several texts are taken literally."""
    assert expected == found(operator=operator, value=value)


def test_a_cleaned_path(found: Found) -> None:
    """By the project's rules, and so is the value: not as it was sent."""
    for value in ("/user/<id>", "/user/77"):
        assert len(APPS) == len(found(key="path", operator="is_cleaned_path_exact", value=value))


@pytest.mark.parametrize(("operator", "value"), [("semver_gt", "one"), ("semver_wildcard", "1.2"), ("semver_eq", "")])
def test_no_version(found: Found, operator: str, value: str) -> None:
    """What is no version is refused."""
    with pytest.raises(QueryError):
        found(operator=operator, value=value)


def test_caret_of_nothing() -> None:
    """`^0.0.3` allows that alone."""
    assert ([0, 0, 3], [0, 0, 4]) == versions.caret("0.0.3")
