"""Whether a query computes, found out before it is saved, so that nothing is saved that does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from insights_mcp import computation
from insights_mcp.answer import Answer
from insights_mcp.computation import Busy, StillRunning, Watch
from insights_mcp.diagnosis import explaining
from insights_mcp.endpoints.insights import GetInsight
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.errors import InsightsError, QueryFailed, Rejected
from insights_mcp.schema.insight import Insight
from insights_mcp.tools.result import Computed, result_answer
from insights_mcp.tools.tool import Work

PATIENCE = 45.0
FAULTY = (400, 422)


@dataclass(frozen=True)
class Trial:
    """What a query computed; or why that is not known, or that it `failed`."""

    computed: Computed | None = None
    note: str = ""
    failed: bool = False


async def tried(work: Work, query: dict[str, Any], lost: str = "Nothing was saved: ") -> Trial:
    """The query, computed. Raises when it cannot be, saying what is `lost`; what is not its fault is a note."""
    if not work.client.may(RunQuery):
        return Trial(note="The query was not tried: the key lacks query:read.")
    try:
        async with explaining(work.client):
            return Trial(await computation.run_query(work.client, RunQuery(query=query), _patience(work)))
    except InsightsError as error:
        if _is_faulty(error):
            does_not = f"{lost}the query does not compute."
            error.what = f"{does_not[:1].upper()}{does_not[1:]} {error.what}"
            error.next_step = error.next_step or "Correct it; run_query tries it."
            raise
        return Trial(note=_untold(error))


async def seen(work: Work, query: dict[str, Any]) -> Trial:
    """The query, computed; where it cannot be, why."""
    try:
        return await tried(work, query, lost="")
    except InsightsError as error:
        return Trial(note=error.what, failed=True)


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


async def first_numbers(
    work: Work, trial: Trial, query: dict[str, Any] | None, notes: tuple[str, ...], insight: Insight | None = None
) -> Answer:
    """What the query computed, for an answer about something else. `insight`: what it is saved as, to go on from."""
    if trial.computed is None:
        return Answer("", notes=(*filter(None, (trial.note,)), *notes))
    pages = f"get_insight(id={insight.short_id!r}" if insight else "run_query(query=…"
    return await result_answer(work, "", trial.computed, query, notes=notes, more=f"{pages}, offset={{offset}})")
