"""ORDER BY … WITH FILL: rows for what is missing between two values, as DuckDB SQL."""

from __future__ import annotations

from dataclasses import dataclass

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.signatures import default_of
from insights_mcp.local.queries.hogql.sources import TWIN, Typed

MOST = 100_000
TIMES = ("Date", "DateTime")
UNITS = {"Date": "day", "DateTime": "second"}
CARRIED = (
    "(last_value(case when not is_gap then {{'v': {0}}} end ignore nulls)"
    " over (order by spot{1} rows unbounded preceding)).v"
)


@dataclass(frozen=True)
class Gaps:
    """The column whose gaps are filled, its type and direction; from where, to where (as SQL), and by which step."""

    column: str
    type: str
    descending: bool
    start: str | None
    end: str | None
    step: Typed | None
    carried: tuple[str, ...] | None


def filled(sql: str, gaps: Gaps, columns: dict[str, Typed]) -> str:
    """A query's rows in order, with a row for each gap: the other columns have the defaults of their types."""
    own = identifier(gaps.column)
    missing = [
        f"spot::{'date' if gaps.type == 'Date' else 'timestamp'}" if name == gaps.column and gaps.type in TIMES
        else "spot" if name == gaps.column else "null" if typed.nullable else default_of(typed.type)
        for name, typed in columns.items()
    ]  # fmt: skip
    rows = f"select *, {own} as spot, false as is_gap from found"
    new = f"select {', '.join(missing)}, spot, true from (select unnest({_grid(own, gaps)}) as spot)"
    new += f" where spot not in (select {own} from found where {own} is not null)"
    shown = [f"{_shown(name, gaps)} as {identifier(name)}" for name in columns]
    way = " desc" if gaps.descending else ""
    return (
        f"with found as materialized ({sql}), every as ({rows} union all {new})"
        f" select {', '.join(shown)} from every order by spot{way} nulls last"
    )


def _shown(name: str, gaps: Gaps) -> str:
    """A column, or what was last in it where it is carried on."""
    own = identifier(name)
    if gaps.carried is None or name == gaps.column or (gaps.carried and name.split(TWIN)[0] not in gaps.carried):
        return own
    last = CARRIED.format(own, " desc" if gaps.descending else "")
    return f"case when is_gap then coalesce({last}, {own}) else {own} end"


def _grid(own: str, gaps: Gaps) -> str:
    """SQL: the values that should be there, as a list."""
    step, sign = _step(gaps), "<" if gaps.descending else ">"
    first, last = ("max", "min") if gaps.descending else ("min", "max")
    start = gaps.start or f"(select {first}({own}) from found)"
    end = gaps.end or f"(select {last}({own}) from found)"
    if gaps.type in TIMES:
        start, end = f"{start}::timestamp", f"{end}::timestamp"
    elif gaps.type == "Float64":
        count = f"greatest(0, least({MOST}, ceil(({end} - {start}) / {step})))::bigint"
        return f"(select list(({start} + i * {step})::double) from (select unnest(range({count})) as i))"
    limit = f"{start} + {step} * {MOST}"
    return f"range({start}, case when {end} {sign} {limit} then {limit} else {end} end, {step})"


def _step(gaps: Gaps) -> str:
    if gaps.type not in (*TIMES, "Int64", "UInt64", "Float64"):
        raise QueryError(f"WITH FILL goes over numbers and times, not {gaps.type}.", attr="query")
    if gaps.step and gaps.step.type == "Interval" and gaps.type in TIMES:
        return gaps.step.sql
    step = f"({gaps.step.sql})" if gaps.step else "-1" if gaps.descending else "1"
    if gaps.type in TIMES:
        return f"to_{UNITS[gaps.type]}s({step}::integer)"
    return step if gaps.type == "Float64" else f"{step}::bigint"
