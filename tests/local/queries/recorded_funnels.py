"""Recorded funnels made comparable: values in one order, and trends as series where PostHog's tests took raw rows."""

from __future__ import annotations

import json
from typing import Any


def comparable(expected: Any, actual: Any) -> tuple[Any, Any]:
    """Both answers in one form. PostHog does not say in which order the values of a breakdown come."""
    if isinstance(expected, list) and expected and "conversion_rate" in expected[0]:
        return _series(expected), [{key: series.get(key) for key in ("breakdown_value", "data")} for series in actual]
    return _ordered(expected), _ordered(actual)


def _series(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of one interval and value each, as the series that the API makes of them."""
    data: dict[str, list[float]] = {}
    for row in rows:
        data.setdefault(json.dumps(row.get("breakdown_value")), []).append(row["conversion_rate"])
    return [{"breakdown_value": json.loads(value), "data": data[value]} for value in sorted(data)]


def _ordered(results: Any) -> Any:
    if not isinstance(results, list) or not results or not isinstance(results[0], list):
        return results
    return sorted(results, key=lambda steps: json.dumps(steps[0]["breakdown_value"]))
