"""Semantic versions: which are equal, later, or within what a range such as `~1.2.3` allows."""

from __future__ import annotations

import re

from insights_mcp.local.queries.errors import QueryError

PARTS = 3
VERSION = re.compile(r"^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-+.].*)?$")
WILDCARD = re.compile(r"^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.\*)+$")
# SQL: a text as a list of three numbers, which sorts as versions do; NULL for what is none.
SORTABLE = r"""case when regexp_matches({field}, '^\s*v?(0|[1-9]\d{{0,8}})(\.(0|[1-9]\d{{0,8}})){{2}}([-+]\S*)?\s*$')
  then string_split(regexp_extract({field}, '\d+\.\d+\.\d+'), '.')::bigint[] end"""


def sortable(field: str) -> str:
    """SQL: a text as something that sorts as versions do."""
    return SORTABLE.format(field=field)


def parsed(text: str) -> list[int]:
    """A version's numbers. Raises QueryError when it is none."""
    match = VERSION.match(text.strip())
    if not match:
        raise QueryError(f"'{text}' is no version. Write such as 1.2.3.", attr="properties")
    return [int(part or 0) for part in match.groups()]


def tilde(text: str) -> tuple[list[int], list[int]]:
    """`~1.2.3`: from 1.2.3 to below 1.3.0; `~1`: to below 2.0.0."""
    low = parsed(text)
    return low, [low[0], low[1] + 1, 0] if "." in text else [low[0] + 1, 0, 0]


def caret(text: str) -> tuple[list[int], list[int]]:
    """`^1.2.3`: from 1.2.3 to below 2.0.0; below the next of the first part that is not 0."""
    low = parsed(text)
    first = next((place for place, number in enumerate(low) if number), PARTS - 1)
    return low, [*low[:first], low[first] + 1, *[0] * (PARTS - first - 1)]


def wildcard(text: str) -> tuple[list[int], list[int]]:
    """`1.2.*`: from 1.2.0 to below 1.3.0."""
    match = WILDCARD.match(text.strip())
    if not match:
        raise QueryError(f"'{text}' is no range of versions. Write such as 1.2.*.", attr="properties")
    given = [int(part) for part in match.groups() if part is not None]
    rest = [0] * (PARTS - len(given))
    return [*given, *rest], [*given[:-1], given[-1] + 1, *rest]


RANGES = {"semver_tilde": tilde, "semver_caret": caret, "semver_wildcard": wildcard}
SIGNS = {
    "semver_eq": "=", "semver_neq": "<>", "semver_gt": ">", "semver_gte": ">=", "semver_lt": "<", "semver_lte": "<=",
}  # fmt: skip
