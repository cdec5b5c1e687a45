"""When two queries mean the same: wrappers, defaults, forms and orders that change nothing are taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from insights_mcp.answer.pieces import dumps
from insights_mcp.schema.query import OWN_NAMES, PRODUCT_ANALYTICS, slim, source_of
from insights_mcp.words.terms import breakdowns, items

Path = tuple[str, ...]

FURTHER_DEFAULTS: dict[Path, Any] = {
    ("compareFilter", "compare"): False,
    ("trendsFilter", "smoothingIntervals"): 1,
    ("trendsFilter", "resultCustomizationBy"): "value",
    ("trendsFilter", "yAxisScaleType"): "linear",
    ("funnelsFilter", "funnelWindowInterval"): 14,
    ("funnelsFilter", "funnelWindowIntervalUnit"): "day",
    ("funnelsFilter", "funnelStepReference"): "total",
    ("funnelsFilter", "breakdownAttributionType"): "first_touch",
    ("funnelsFilter", "layout"): "vertical",
    ("retentionFilter", "period"): "Day",
    ("retentionFilter", "retentionType"): "retention_recurring",
    ("stickinessFilter", "computedAs"): "non_cumulative",
    ("pathsFilter", "stepLimit"): 5,
    ("pathsFilter", "edgeLimit"): 50,
}
WITH_OPTIONS = ("compareFilter", "trendsFilter", "funnelsFilter", "retentionFilter", "stickinessFilter", "pathsFilter",
                "lifecycleFilter", "breakdownFilter")  # fmt: skip
WITH_WINDOW = ("TrendsQuery", "FunnelsQuery", "PathsQuery", "StickinessQuery", "LifecycleQuery")
DEFAULT_WINDOW = {"date_from": "-7d"}
CONDITIONS = ("properties", "fixedProperties")
ONE_OF = (None, "exact", "is_not")


def meaning(query: Any) -> dict[str, Any]:
    """What a query asks, in one form for all that ask the same."""
    if not isinstance(query, dict):
        return {} if query is None else {"value": query}
    around = {k: v for k, v in query.items() if k not in ("kind", "source")} if source_of(query) is not query else {}
    found: dict[str, Any] = _in_one_form(slim(source_of(query)))
    drawn = slim(around)
    if found.get("kind") in PRODUCT_ANALYTICS:
        _without_defaults(found)
    if found.get("kind") in WITH_WINDOW and isinstance(found.get("dateRange", {}), dict):
        found["dateRange"] = DEFAULT_WINDOW | found.get("dateRange", {})
    if isinstance(found.get("source"), dict):  # persons behind a point of another query
        found["source"] = meaning(found["source"])
    return found | ({"drawn": drawn} if drawn and "drawn" not in found else {})


def _in_one_form(value: Any) -> Any:
    """Conditions as a list, names that only repeat the event's left out; what has names of its own stays."""
    if isinstance(value, list):
        return [_in_one_form(item) for item in value]
    if not isinstance(value, dict):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    event = value.get("event", value.get("id"))
    known = {k: v for k, v in value.items() if event is None or (k, v) not in (("name", event), ("type", "events"))}
    found = {k: v if k in OWN_NAMES and isinstance(v, dict) else _in_one_form(v) for k, v in known.items()}
    listed = {k: in_order(conditions(found.pop(k))) for k in CONDITIONS if isinstance(found.get(k), list | dict)}
    return found | {k: conditions for k, conditions in listed.items() if conditions}


def _without_defaults(found: dict[str, Any]) -> None:
    for (name, key), value in FURTHER_DEFAULTS.items():
        options = found.get(name)
        if isinstance(options, dict) and same(options.get(key), value):
            del options[key]
    for name in WITH_OPTIONS:
        options = found.get(name)
        if isinstance(options, dict):
            found[name] = {k: v for k, v in options.items() if v is not False}
            if not found[name]:
                del found[name]
    if isinstance(found.get("trendsFilter"), dict):
        _with_one_formula(found["trendsFilter"])
    if isinstance(found.get("breakdownFilter"), dict):
        _in_newer_form(found, found["breakdownFilter"])


def _with_one_formula(drawn: dict[str, Any]) -> None:
    """Formulas as a list, from the newest of the forms that is there: PostHog looks at that one only."""
    nodes, older, oldest = (drawn.pop(name, None) for name in ("formulaNodes", "formulas", "formula"))
    found = nodes or older or ([oldest] if oldest else [])
    if found:
        drawn["formulas"] = [_formula(node) for node in found] if isinstance(found, list) else found


def _formula(node: Any) -> Any:
    return node["formula"] if isinstance(node, dict) and set(node) == {"formula"} else node


def _in_newer_form(found: dict[str, Any], by: dict[str, Any]) -> None:
    """Breakdowns as a list, and none if nothing is split."""
    if set(by) == {"breakdown_type"}:
        del found["breakdownFilter"]
    elif "breakdowns" not in by and (listed := breakdowns(by)):
        kept = {k: v for k, v in by.items() if k not in ("breakdown", "breakdown_type")}
        found["breakdownFilter"] = kept | {"breakdowns": listed}
    for item in items(found.get("breakdownFilter", {}).get("breakdowns")):
        if isinstance(item, dict) and item.get("type") == "event":
            del item["type"]


def conditions(properties: Any) -> list[Any]:
    """Property filters that must all hold, each in one form; groups are opened where that changes nothing."""
    if isinstance(properties, list):
        return [condition for item in properties for condition in conditions(item)]
    if not isinstance(properties, dict):
        return [] if properties is None else [properties]
    if "values" not in properties or not isinstance(properties["values"], list):
        return [_condition(properties)]
    if set(properties) - {"type", "values"} or properties.get("type") not in (None, "AND", "OR"):
        return [properties]
    return _either(properties["values"]) if properties.get("type") == "OR" else conditions(properties["values"])


def _either(values: list[Any]) -> list[Any]:
    branches = [found for found in map(conditions, values) if found]
    if len(branches) < 2:
        return [condition for branch in branches for condition in branch]
    one = [branch[0] if len(branch) == 1 else {"type": "AND", "values": in_order(branch)} for branch in branches]
    return [{"type": "OR", "values": in_order(one)}]


def _condition(given: dict[str, Any]) -> dict[str, Any]:
    """A condition without what goes without saying."""
    found = {k: v for k, v in given.items() if (k, v) not in (("operator", "exact"), ("type", "event"))}
    value = found.get("value")
    if isinstance(value, list) and found.get("operator") in ONE_OF:
        found["value"] = value[0] if len(value) == 1 else in_order(value)
    return found


def in_order(values: list[Any]) -> list[Any]:
    """The values in an order that depends on them alone."""
    return sorted(values, key=identity)


def identity(value: Any) -> str:
    """A text that two values share if they are the same JSON: 1 and 1.0 are, 1 and true are not."""
    return dumps(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(value[k]) for k in sorted(value, key=str)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON."""
    return identity(one) == identity(other)


def gone_and_new(before: Sequence[Any], after: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What only the one list has, and what only the other has, whatever the order."""
    old, new = Counter(map(identity, before)), Counter(map(identity, after))
    return _only(before, old - new), _only(after, new - old)


def _only(values: Sequence[Any], left: Counter[str]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if left[identity(value)] > 0:
            left[identity(value)] -= 1
            found.append(value)
    return found
