"""Addresses of pages made comparable: without what trails at their end, and by the project's rules."""

from __future__ import annotations

import re
from functools import reduce
from typing import Any

from insights_mcp.local.queries.sql import Scan

NORMALIZED = "case when rtrim({value}, '/?#') = '' then '/' else rtrim({value}, '/?#') end"


def normalized(field: str) -> str:
    """SQL: an address without slashes, `?` and `#` at its end; of nothing else, a slash."""
    return NORMALIZED.format(value=field)


def cleaned(field: str, rules: list[dict[str, Any]], scan: Scan) -> str:
    """SQL: a path by the rules for cleaning paths (each a pattern and what to put in its place), in their order."""
    ordered = sorted(rules, key=lambda rule: rule.get("order") or 0)
    return reduce(lambda text, rule: _replaced(text, rule, scan), ordered, field)


def _replaced(text: str, rule: dict[str, Any], scan: Scan) -> str:
    if not rule.get("regex"):
        return text
    # A backslash in an alias means itself, unless it names a group.
    alias = re.sub(r"\\(?!\d)", r"\\\\", str(rule.get("alias") or ""))
    return f"regexp_replace({text}, {scan.bind(rule['regex'])}, {scan.bind(alias)}, 'g')"
