"""Whether a query computes, found out before it is saved, so that nothing is saved that does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from insights_mcp import computation
from insights_mcp.answer import Answer, Table
from insights_mcp.computation import Busy, StillRunning, Watch
from insights_mcp.diagnosis import explaining
from insights_mcp.endpoints.insights import GetInsight
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.errors import InsightsError, QueryFailed, Rejected
from insights_mcp.schema.insight import Insight
from insights_mcp.text import counted
from insights_mcp.tools.result import Computed, result_answer
from insights_mcp.tools.tool import Work

PATIENCE = 45.0
FEW = 3
FAULTY = (400, 422)


@dataclass(frozen=True)
class Trial:
    """What a query computed; or why that is not known, or that it `failed`."""

    computed: Computed | None = None
    note: str = ""
    failed: bool = False


async def tried(work: Work, query: dict[str, Any]) -> Trial:
    """The query, computed. Raises when it cannot be; what is not the query's fault is a note."""
    if not work.client.may(RunQuery):
        return Trial(note="The query was not tried: the key lacks query:read.")
    try:
        async with explaining(work.client):
            return Trial(await computation.run_query(work.client, RunQuery(query=query), _patience(work)))
    except InsightsError as error:
        if _is_faulty(error):
            error.what = f"Nothing was saved: the query does not compute. {error.what}"
            error.next_step = error.next_step or "Correct it; run_query tries it."
            raise
        return Trial(note=_untold(error))


async def tried_as_saved(work: Work, insight: Insight) -> Trial:
    """The saved insight, computed: the way for keys that may not run queries."""
    try:
        return Trial(await computation.get_insight(work.client, GetInsight(id=insight.id), _patience(work)))
    except InsightsError as error:
        return Trial(note=str(error) if _is_faulty(error) else _untold(error), failed=_is_faulty(error))


def _patience(work: Work) -> Watch:
    return Watch(patience=PATIENCE, report=work.watch.report)


def _is_faulty(error: InsightsError) -> bool:
    """Whether it is the query that is wrong, and not the moment."""
    if isinstance(error, Rejected):
        return error.status in FAULTY
    return isinstance(error, QueryFailed) and not isinstance(error, Busy | StillRunning)


def _untold(error: InsightsError) -> str:
    if isinstance(error, StillRunning):
        return f"Its numbers are not known yet: it still computes after {PATIENCE:.0f} s; get_insight waits for them."
    return f"The query could not be tried now: {error.what}"


async def first_numbers(work: Work, trial: Trial, query: dict[str, Any] | None, notes: tuple[str, ...]) -> Answer:
    """What the query computed, for an answer about something else: the digest of the result, or its first rows."""
    if trial.computed is None:
        return Answer("", notes=(*filter(None, (trial.note,)), *notes))
    told = await result_answer(work, "", trial.computed, query, notes=notes)
    return replace(told, digest=told.digest or _rows(told.table), table=None, left_out=(), links=())


def _rows(table: Table | None) -> tuple[str, ...]:
    """The first rows, for results that have no digest."""
    if table is None:
        return ()
    rows = [", ".join(f"{c}: {v}" for c, v in zip(table.columns, row, strict=False)) for row in table.rows[:FEW]]
    return (*rows, f"… {counted(table.size - FEW, 'row')} more") if table.size > FEW else tuple(rows)
