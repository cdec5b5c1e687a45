"""What a series counts, as a condition over events: an event, an action by its steps, or several of these together."""

from __future__ import annotations

from typing import Any

from insights_mcp.local.queries import elements, unsupported
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Action, Context
from insights_mcp.local.queries.properties import ALWAYS, Filters, joined
from insights_mcp.schema.filters import Entity, PropertyFilter

AUTOCAPTURE = "$autocapture"
MATCHINGS = {"contains": "icontains", "regex": "regex"}


def matches(entity: Entity, filters: Filters) -> str:
    """SQL that holds for the events an entity means, with its own property filters."""
    return joined("and", [each for each in (kind_of(entity, filters), *_given(entity, filters)) if each != ALWAYS])


def narrows(entity: Entity, filters: Filters) -> str:
    """SQL that holds for those events of an entity's kind that have the properties it asks for."""
    return joined("and", _given(entity, filters))


def _given(entity: Entity, filters: Filters) -> list[str]:
    return [filters.all_of(each) for each in (entity.properties, entity.fixedProperties) if each]


def kind_of(entity: Entity, filters: Filters) -> str:
    """SQL that holds for the events an entity means, whatever their properties."""
    refused = unsupported.feature(unsupported.SERIES, entity.kind, "series")
    if refused:
        raise refused
    if entity.kind == "ActionsNode":
        return action(entity.id, filters)
    if entity.kind == "GroupNode":
        return joined("or", [matches(node, filters) for node in entity.nodes or []])
    return ALWAYS if entity.event is None else f"{filters.scan.events}.event = {filters.scan.bind(entity.event)}"


def named(entity: Entity, filters: Filters) -> Action | None:
    """The action of an entity that is one."""
    return found(entity.id, filters) if entity.kind == "ActionsNode" else None


def events_of(entity: Entity, filters: Filters) -> list[str | None]:
    """The names of the events that an entity can be; None stands for any."""
    if entity.kind == "GroupNode":
        return [name for node in entity.nodes or [] for name in events_of(node, filters)]
    of = named(entity, filters)
    return [step.get("event") for step in of.steps] if of else [entity.event]


def exists(entity: Entity, context: Context) -> bool:
    """Whether it is no action, or one that there is: a series of one that is gone is left out of a result."""
    return entity.kind != "ActionsNode" or (str(entity.id).isdigit() and int(str(entity.id)) in context.project.actions)


def found(number: Any, filters: Filters) -> Action:
    """The action with this number. Raises QueryError when there is none."""
    actions = filters.context.project.actions
    known = actions.get(int(number)) if str(number).isdigit() else None
    if known:
        return known
    listed = ", ".join(f"{each.id} ({each.name})" for each in list(actions.values())[:10]) or "none"
    raise QueryError(f"Action ID {number} does not exist. Known actions: {listed}.", attr="series")


def action(number: Any, filters: Filters) -> str:
    """SQL that holds for the events that match one of an action's steps; all do where it has none."""
    steps = found(number, filters).steps
    return joined("or", [_step(step, filters) for step in steps])


def _step(step: dict[str, Any], filters: Filters) -> str:
    scan = filters.scan
    conditions = [f"{scan.events}.event = {scan.bind(step['event'])}"] if step.get("event") else []
    if step.get("event") == AUTOCAPTURE:
        conditions += _clicked(step, filters)
    if step.get("url"):
        conditions.append(_url(step, filters))
    # Older actions hold a mapping, where newer ones hold a list of filters.
    listed = step.get("properties") or []
    if isinstance(listed, list) and listed:
        conditions += [filters.one(PropertyFilter.model_validate(each)) for each in listed]
    return joined("and", conditions)


def _clicked(step: dict[str, Any], filters: Filters) -> list[str]:
    """SQL: what an autocaptured event must be of; other events have no elements to compare."""
    conditions = [elements.selected(step["selector"], filters.scan)] if step.get("selector") else []
    for key in ("tag_name", "text", "href"):
        if step.get(key) is not None:
            wanted = {"key": key, "type": "element", "value": step[key]}
            operator = MATCHINGS.get(str(step.get(f"{key}_matching")), "exact") if key != "tag_name" else "exact"
            conditions.append(filters.one(PropertyFilter.model_validate({**wanted, "operator": operator})))
    return conditions


def _url(step: dict[str, Any], filters: Filters) -> str:
    """SQL: where the event was. What an address contains is compared letter by letter, with % and _ for any."""
    url, matching = step["url"], step.get("url_matching")
    if matching in ("exact", "regex"):
        wanted = {"key": "$current_url", "type": "event", "value": url, "operator": matching}
        return filters.one(PropertyFilter.model_validate(wanted))
    return f"coalesce({filters.scan.event_property('$current_url')} like {filters.scan.bind(f'%{url}%')}, false)"
