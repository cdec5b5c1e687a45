"""What is counted, as models write it: an event's name, an event with a few words, an action, old filters."""

from __future__ import annotations

import re
from typing import Any, get_args

from insights_mcp.repair.comparisons import unprefixed, whose
from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.values import from_json
from insights_mcp.repair.words import ENTITIES, VALUES, word
from insights_mcp.schema.filters import Math

LONGEST = 300  # characters of a math with its property
EVERY = "*"
EVERY_SAID = frozenset({EVERY, "all events", "any event", "every event"})
OVER = re.compile(r"\s*([\w ]+?)\s*\(\s*(?:properties\.)?([^()]*?)\s*\)\s*")
SUM_OF = re.compile(r"\s*(\w+) of (?:the )?(?:property |properties\.)?(\S.*?)\s*", re.IGNORECASE)
DISTINCT = re.compile(r"\s*(?:count\s*\(\s*distinct\s|uniq(?:exact)?\s*\()\s*([^()`\s]+)\s*\)\s*", re.IGNORECASE)
PLAIN = re.compile(r"[A-Za-z_$][\w$]*")
OF_VALUES = frozenset({"distinct", "countdistinct", "distinctcount", "unique", "uniques", "uniq", "countunique",
                       "uniquecount", "cardinality"})  # fmt: skip
OF_WHAT = {**dict.fromkeys(("person_id", "person.id", "distinct_id", "user_id", "person", "user"), "dau"),
           **dict.fromkeys(("$session_id", "session_id", "session.id"), "unique_session")}  # fmt: skip
PLACE = frozenset({"order", "uuid", "step", "index"})  # of old filters: the list has an order of its own
OVER_PROPERTY = ("sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99")
EXAMPLE = {"kind": "EventsNode", "event": "$pageview", "math": "dau"}
RETENTION_EXAMPLE = {"id": "$pageview", "type": "events"}
# Other names of fields -> PostHog's. `where` and `property` are those of the common form.
NAMES = {
    "where": "properties", "filters": "properties", "filter": "properties", "propertyfilters": "properties",
    "property": "math_property", "of": "math_property", "on": "math_property", "mathon": "math_property",
    "aggregation": "math", "aggregate": "math", "measure": "math", "metric": "math", "countby": "math",
    "label": "custom_name", "title": "custom_name", "alias": "custom_name", "optional": "optionalInFunnel",
    "eventname": "event", "eventid": "event", "fromstep": "funnelFromStep", "tostep": "funnelToStep",
    "expression": "math_hogql", "actionid": "action",
}  # fmt: skip
EASY = frozenset({"where", "property", "label", "optional"})
MATHS = get_args(Math)
PLURAL = {"events": "EventsNode", "actions": "ActionsNode"}


def entity(value: Any, at: Path, found: Findings) -> Any:
    """A series: an EventsNode, an ActionsNode or a GroupNode. What cannot be one is given back."""
    value = from_json(value, at, found)
    if isinstance(value, str):
        return found.expanded(at, value, _event(value))
    if isinstance(value, list) and value and all(isinstance(each, str | dict) for each in value):
        return found.expanded(at, value, _either(value, at, found))
    if isinstance(value, int) and not isinstance(value, bool):
        return found.repaired(at, value, {"kind": "ActionsNode", "id": value})
    if not isinstance(value, dict):
        found.wrong(at, f"{shown(value)} is no event, action or group of them", example=EXAMPLE)
        return value
    return _math(_kinded(_renamed(value, at, found), at, found), at, found)


def retained(value: Any, at: Path, found: Findings) -> Any:
    """What starts a retention's cohort, or counts as coming back: its event or action stands in `id`."""
    value = from_json(value, at, found)
    if isinstance(value, str):
        return found.expanded(at, value, _kept(_event(value)))
    if isinstance(value, int) and not isinstance(value, bool):
        return found.repaired(at, value, {"id": value, "type": "actions"})
    if not isinstance(value, dict):
        found.wrong(at, f"{shown(value)} is no event or action", example=RETENTION_EXAMPLE)
        return value
    value = _renamed(value, at, found)
    if not {"event", "action"} & value.keys():
        if "id" not in value and value.get("type") in (None, "events") and _is_event(value.get("name")):
            return value | {"id": _missing((*at, "id"), value["name"], found)}
        return value  # one without an event's name is of every event
    node = _kinded(value, at, found)
    if node.get("kind") in ("EventsNode", "ActionsNode") and ("event" in node or "id" in node):
        return found.expanded(at, value, _kept(node))
    return node


def _event(name: str) -> dict[str, Any]:
    return {"kind": "EventsNode", "event": None if name.strip().lower() in EVERY_SAID else name}


def _kept(node: dict[str, Any]) -> dict[str, Any]:
    """A node as a retention holds it."""
    name, of = (node.get("event"), "events") if node["kind"] == "EventsNode" else (node.get("id"), "actions")
    rest = {key: item for key, item in node.items() if key not in ("kind", "event", "id", "name")}
    shown_as = node.get("name") or (name if of == "events" else None) or ("All events" if of == "events" else None)
    return {"id": name, **({"name": shown_as} if shown_as else {}), "type": of, **rest}


def _either(items: Any, at: Path, found: Findings) -> dict[str, Any]:
    """Several of which each counts."""
    nodes = [entity(each, (*at, place), found) for place, each in enumerate(items)]
    return {"kind": "GroupNode", "operator": "OR", "nodes": nodes}


def _renamed(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, item in value.items():
        name = NAMES.get(word(key), key)
        if name != key and (name in value or name in read):
            name = key
        if name != key and not (found.easy and key in EASY):
            found.moved((*at, key), (*at, name))
        read[name] = item
    return read


def _kinded(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """With the kind of node it is."""
    kind = value.get("kind")
    if isinstance(kind, str) and (kind in ENTITIES.values() or kind.endswith("DataWarehouseNode")):
        return _numbered(_without_place(value, at, found), at, found)
    meant = ENTITIES.get(word(kind)) if isinstance(kind, str) else None
    if meant:
        found.repaired((*at, "kind"), kind, meant)
        return _numbered(value | {"kind": meant}, at, found)
    if kind is not None:
        return value
    node = _inferred(value, at, found)
    if node is None:
        found.wrong(at, f"{shown(value)} names no event and no action", example=EXAMPLE)
        return value
    if not found.easy:
        found.said((*at, "kind"), f'missing → "{node["kind"]}"')
    return _numbered(node, at, found)


def _without_place(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """A node without what only entries of old filters have."""
    old = [key for key in value if key in PLACE or (key == "type" and value[key] in PLURAL)]
    for key in old if value["kind"] in PLURAL.values() else ():
        found.said((*at, key), "left out: PostHog's queries have no such field")
        value = {name: item for name, item in value.items() if name != key}
    return value


def _inferred(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any] | None:
    """What kind of node it is by what it holds; old filters have their event's name in `id`."""
    rest = {key: item for key, item in value.items() if key != "type" and key not in PLACE}
    if isinstance(value.get("nodes"), list):
        return {"kind": "GroupNode", **value}
    if isinstance(value.get("event"), list):
        nodes = _either(rest.pop("event"), (*at, "event"), found)
        return nodes | rest
    if len(value) == 1 and isinstance(either := value.get("or", value.get("any")), list):
        return _either(either, at, found)
    if "event" in value:
        event = None if value["event"] == EVERY else value["event"]
        return {"kind": "EventsNode", **rest, "event": event}
    if "action" in rest:
        return {"kind": "ActionsNode", "id": rest.pop("action"), **rest}
    kind = PLURAL.get(str(value.get("type"))) or ("EventsNode" if isinstance(value.get("id"), str) else "ActionsNode")
    if "id" in rest:
        number = rest.pop("id")
        return {"kind": kind, "event" if kind == "EventsNode" else "id": number, **rest}
    if isinstance(rest.get("name"), str):
        return {"kind": "EventsNode", "event": rest["name"], **rest}
    return None


def _numbered(node: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """An event by its name, an action by its number; a group with its operator."""
    if node["kind"] == "EventsNode" and "event" not in node and isinstance(node.get("id"), str):
        found.moved((*at, "id"), (*at, "event"))
        return {"event" if key == "id" else key: item for key, item in node.items()}
    if node["kind"] == "EventsNode" and "event" not in node and _is_event(node.get("name")):
        return node | {"event": _missing((*at, "event"), node["name"], found)}
    if node["kind"] == "EventsNode" and isinstance(events := node.get("event"), list):
        with found.reading(easy=True):
            group = _either(events, (*at, "event"), found)
        found.said((*at, "event"), "several events → a GroupNode of them")
        return group | {key: item for key, item in node.items() if key not in ("kind", "event", "name")}
    if node["kind"] == "GroupNode" and node.get("operator") is None:
        return node | {"operator": found.expanded((*at, "operator"), None, "OR")}
    number = node.get("id")
    if node["kind"] != "ActionsNode" or (isinstance(number, int | float) and not isinstance(number, bool)):
        return node
    if isinstance(number, str) and number.strip().isdigit():
        return node | {"id": found.repaired((*at, "id"), number, int(number))}
    if not (isinstance(number, str) and number.strip()):  # a name is looked up
        found.wrong((*at, "id"), f"{shown(number)} is no action's number", example={"kind": "ActionsNode", "id": 12})
    return node


def _is_event(name: Any) -> bool:
    """Whether a node's name is the event's: those of all events are called so."""
    return isinstance(name, str) and name != "" and name.lower() not in EVERY_SAID


def _missing(at: Path, value: Any, found: Findings) -> Any:
    found.said(at, f"missing → {shown(value)}")
    return value


def _distinct(node: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """`count(distinct x)`, or a word for it with a property; for persons and sessions PostHog has a math."""
    math = node.get("math")
    if not isinstance(math, str) or len(math) > LONGEST:
        return node
    text = DISTINCT.fullmatch(math)
    of = text[1] if text else node.get("math_property") if word(math) in OF_VALUES else None
    if not isinstance(of, str):
        return node
    name = of.removeprefix("properties.").strip("`")
    meant: dict[str, Any] = {"math": OF_WHAT[name]} if name in OF_WHAT else {"math": "hogql"}
    if name not in OF_WHAT:
        meant["math_hogql"] = f"uniq(properties.{name if PLAIN.fullmatch(name) else f'`{name}`'})"
    found.repaired((*at, "math"), math if text else {"math": math, "math_property": of}, meant)
    return {key: item for key, item in node.items() if key != "math_property"} | meant


def _math(node: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """`sum(amount)` is math and property; `person.age` says whose property it is."""
    node = _distinct(node, at, found)
    math = node.get("math")
    odd = math if isinstance(math, str) and len(math) <= LONGEST and math not in MATHS else ""
    if odd and (over := OVER.fullmatch(odd) or SUM_OF.fullmatch(odd)):
        name = next((m for m in MATHS if word(m) == word(over[1])), None) or VALUES["math"].get(word(over[1]), over[1])
        of = {"math_property": over[2]} if over[2] and name != "total" else {}
        more = {"math": name, **of}
        node = node | found.repaired((*at, "math"), math, more)
    over_what = node.get("math_property")
    if isinstance(over_what, str) and (bare := unprefixed(over_what, {})):
        node = node | {"math_property": found.repaired((*at, "math_property"), over_what, bare)}
    owner, key = whose(node["math_property"]) if isinstance(node.get("math_property"), str) else ({}, "")
    if found.easy and owner.get("type") in ("person", "session") and "math_property_type" not in node:
        return node | {"math_property": key, "math_property_type": f"{owner['type']}_properties"}
    return node
