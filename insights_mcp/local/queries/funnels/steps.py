"""A funnel's steps: how many reached each, and how long they took from the one before."""

from __future__ import annotations

from typing import Any

from insights_mcp.local.queries import entities
from insights_mcp.local.queries.funnels import chain
from insights_mcp.local.queries.funnels.attempts import persons, valued, with_tables
from insights_mcp.local.queries.funnels.funnel import Funnel
from insights_mcp.local.queries.funnels.values import OTHER, Values


def select(funnel: Funnel) -> str:
    """SQL: for each value its people by step, then average and median times of each step after the first."""
    columns, people, values = _columns(funnel), valued(funnel, "persons"), funnel.values
    if values is None:
        return with_tables(persons(funnel, starters=not _counts_starters(funnel)), f"select {columns} from {people}")
    if not values.limited:
        return with_tables(persons(funnel), f"select {columns}, v from {people} group by v order by {_largest(funnel)}")
    value = kept(funnel, values)
    return with_tables(
        iter([*persons(funnel), ("ranked", ranked(funnel))]),
        f"select {columns}, {value} as value from {people} join ranked using (v) group by value order by min(rank)",
    )


def ranked(funnel: Funnel) -> str:
    """SQL: the values, those of which most came furthest first."""
    rank = f"row_number() over (order by {_largest(funnel)})"
    return f"select v, {rank} as rank from {valued(funnel, 'persons')} group by v"


def kept(funnel: Funnel, values: Values) -> str:
    """SQL: the value that a ranked one is shown under."""
    return f"case when rank <= {funnel.scan.bind(values.limit)} then v else ['{OTHER}'] end"


def _largest(funnel: Funnel) -> str:
    return ", ".join([*(f"{_reached(funnel, n)} desc" for n in range(funnel.count - 1, -1, -1)), "v"])


def _reached(funnel: Funnel, number: int) -> str:
    """SQL: how many took a step."""
    if _counts_starters(funnel):
        return f"count(y{number})" if number else chain.started(funnel)
    return f"count(*) filter ({funnel.took(number)})"


def _counts_starters(funnel: Funnel) -> bool:
    return funnel.values is None and chain.fits(funnel)


def _columns(funnel: Funnel) -> str:
    counts = [_reached(funnel, number) for number in range(funnel.count)]
    averages = [f"avg(y{number})" for number in funnel.later]
    return ", ".join(counts + averages + [f"median(z{number})" for number in funnel.later])


def results(funnel: Funnel, rows: list[tuple[Any, ...]]) -> list[Any]:
    """The steps; with a breakdown, a list of steps for each value."""
    if funnel.values is None:
        return _steps(funnel, rows[0])
    return [
        [
            {**step, "breakdown": funnel.values.named(row[-1], funnel), "breakdown_value": funnel.values.shown(row[-1])}
            for step in _steps(funnel, row)
        ]
        for row in rows
    ]


def _steps(funnel: Funnel, row: tuple[Any, ...]) -> list[dict[str, Any]]:
    count = funnel.count
    averages, medians = (None, *row[count : 2 * count - 1]), (None, *row[2 * count - 1 : 3 * count - 2])
    return [
        {
            **_named(funnel, number),
            "order": number,
            "people": [],
            "count": row[number],
            "average_conversion_time": averages[number],
            "median_conversion_time": medians[number],
        }
        for number in range(count)
    ]


def _named(funnel: Funnel, number: int) -> dict[str, Any]:
    step = funnel.steps[number]
    kind = "events" if step.kind == "EventsNode" else "actions"
    if funnel.order == "unordered":
        done = f"Completed {number + 1} step{'s' if number else ''}"
        return {"action_id": None, "name": done, "custom_name": None, "type": kind}
    action = entities.named(step, funnel.filters)
    identity, name = (step.id, action.name) if action else (step.event, step.event)
    return {"action_id": identity, "name": name, "custom_name": step.custom_name, "type": kind}
