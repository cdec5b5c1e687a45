"""Operators over odd values, by the type that the catalogue has. The expected were found with ClickHouse itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from insights_mcp.local.events import Catalogue
from insights_mcp.local.queries.comparing import Field, compared
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context, Project
from insights_mcp.schema.filters import PropertyFilter

VALUES = (
    "Chrome", "", "5", "5.0", "05", "true", "True", "2026-03-02", "2026-03-02T01:00:00+02:00", "a_b", "two\nlines",
    None,
)  # fmt: skip


def passing(operator: str, value: Any, kind: str | None = "String", zone: str = "UTC") -> list[str | None]:
    context = Context(Project(timezone=zone), datetime(2026, 3, 10, tzinfo=UTC), Catalogue())
    scan = context.scan()
    item = PropertyFilter.model_validate({"key": "x", "operator": operator, "value": value})
    statement = scan.statement(f"select x from v where {compared(Field('x', kind, scan, context), item)}")
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        con.execute("create table v as select unnest($values) as x", {"values": list(VALUES)})
        return [x for (x,) in con.execute(statement.text, statement.parameters).fetchall()]


@pytest.mark.parametrize(
    ("operator", "value", "kind", "expected"),
    [
        ("exact", "5", "String", ["5"]),
        ("exact", "5", "Numeric", ["5", "5.0", "05"]),
        ("exact", [5, 7], "Numeric", ["5", "5.0", "05"]),
        ("exact", True, "Boolean", ["true"]),
        ("exact", "2026-03-01T23:00:00Z", "DateTime", ["2026-03-02T01:00:00+02:00"]),
        ("is_not", "2026-03-02", "DateTime", [x for x in VALUES if x != "2026-03-02"]),
        ("is_set", None, "String", [x for x in VALUES if x is not None]),
        ("is_set", None, "Numeric", ["5", "5.0", "05"]),
        ("is_set", None, "Boolean", ["true"]),
        ("is_not_set", None, "Numeric", [x for x in VALUES if x not in ("5", "5.0", "05")]),
        ("icontains", "5", "Numeric", ["5", "5.0", "05"]),
        ("icontains", "a_", "String", ["a_b"]),
        ("icontains", ["O_E", "A_B"], "String", ["a_b"]),
        ("not_icontains", ["e", "_", "5", "0:0X"], "String", ["", "2026-03-02", "2026-03-02T01:00:00+02:00"]),
        ("regex", "two.lines", "String", ["two\nlines"]),
        ("not_regex", "[a-z0-9]", "String", ["", None]),
        ("gt", "5", "String", ["Chrome", "5.0", "true", "True", "a_b", "two\nlines"]),
        ("gt", "4.5", "Numeric", ["5", "5.0", "05"]),
        ("between", [1, 5], "Numeric", ["5", "5.0", "05"]),
        ("not_between", [6, 9], "Numeric", ["5", "5.0", "05"]),
        ("is_date_after", "2026-03-01", "String", ["2026-03-02", "2026-03-02T01:00:00+02:00"]),
    ],
)
def test_operator(operator: str, value: Any, kind: str, expected: list[str | None]) -> None:
    """What is no value of the property's type is as if it were not set."""
    assert expected == passing(operator, value, kind)


def test_a_time_without_a_zone_is_the_projects() -> None:
    """The second of March in Auckland is eleven in the morning of the first in UTC; so it is in the property."""
    assert ["2026-03-02", "2026-03-02T01:00:00+02:00"] == passing("gte", "2026-03-02", "DateTime", "Pacific/Auckland")


@pytest.mark.parametrize("value", [[5, 1], [1], 3, None])
def test_no_bounds(value: Any) -> None:
    """Bounds are two, the lower first."""
    with pytest.raises(QueryError):
        passing("between", value)
