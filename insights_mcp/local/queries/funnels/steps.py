"""A funnel's steps: how many reached each, and how long they took from the one before."""

from __future__ import annotations

from typing import Any

from insights_mcp.local.queries import entities
from insights_mcp.local.queries.funnels.attempts import persons, with_tables
from insights_mcp.local.queries.funnels.funnel import Funnel
from insights_mcp.local.queries.funnels.values import OTHER


def select(funnel: Funnel) -> str:
    """SQL: for each value its people by step, then average and median times of each step after the first."""
    columns = _columns(funnel)
    values = funnel.values
    if values is None:
        return with_tables(persons(funnel), f"select {columns} from persons")
    full = [f"count(*) filter (steps >= {number}) desc" for number in range(funnel.count, 0, -1)]
    if not values.limited:
        return with_tables(
            persons(funnel), f"select {columns}, v from persons group by v order by {', '.join([*full, 'v'])}"
        )
    kept = f"case when rank <= {funnel.scan.bind(values.limit)} then v else ['{OTHER}'] end"
    ranked = f"select v, row_number() over (order by {', '.join([*full, 'v'])}) as rank from persons group by v"
    return with_tables(
        iter([*persons(funnel), ("ranked", ranked)]),
        f"select {columns}, {kept} as value from persons join ranked using (v) group by value order by min(rank)",
    )


def _columns(funnel: Funnel) -> str:
    counts = [f"count(*) filter (steps >= {number + 1})" for number in range(funnel.count)]
    return ", ".join(
        counts + [f"avg(y{number})" for number in funnel.later] + [f"median(z{number})" for number in funnel.later]
    )


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
