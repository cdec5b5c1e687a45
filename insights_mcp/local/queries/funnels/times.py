"""How long a funnel takes: those who went from one step to another, in bins of time."""

from __future__ import annotations

from typing import Any

from insights_mcp.local.queries.funnels.attempts import persons, with_tables
from insights_mcp.local.queries.funnels.funnel import BINS, Funnel

MINUTE = 60
TABLES = {
    "totals": "select {total} as total from persons where y{last} is not null",
    "facts": "select coalesce(floor(min(total)), 0) as low, coalesce(ceil(max(total)), 1) as high,"
    " avg(total) as average, {bins} as bins from totals",
    "bounds": "select *, coalesce(nullif(ceil((high - low) / bins), 0), {minute}) as width from facts",
    "filled": "select floor((total - low) / width)::integer as bin, count(*) as people"
    " from totals, bounds group by bin",
}
AUTOMATIC = "least(60, greatest(1, ceil(cbrt(count(*)))))"


def select(funnel: Funnel) -> str:
    """SQL: the bins that hold people, each with the bounds that all have in common."""
    given = funnel.given.binCount
    holes = {
        "total": " + ".join(f"y{number}" for number in range(funnel.first + 1, funnel.last + 1)),
        "last": str(funnel.last),
        "bins": AUTOMATIC if given is None else funnel.scan.bind(max(1, min(BINS, given))),
        "minute": str(MINUTE),
    }
    tables = [(name, text.format_map(holes)) for name, text in TABLES.items()]
    return with_tables(
        iter([*persons(funnel, starters=False), *tables]),
        "select low, width, bins, average, bin, people from bounds left join filled on true order by bin",
    )


def results(funnel: Funnel, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Each bin by the second it starts at, with its people, also where there are none."""
    low, width, bins, average = rows[0][:4]
    people = {row[4]: row[5] for row in rows}
    return {
        "bins": [[int(low + number * width), people.get(number, 0)] for number in range(int(bins) + 1)],
        "average_conversion_time": None if average is None else round(average, 2),
    }
