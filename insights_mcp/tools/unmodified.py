"""Whether an insight is still as it was when it was read; if not, who changed what."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from insights_mcp.answer.asked import instant
from insights_mcp.endpoints.activity import GetInsightActivity
from insights_mcp.errors import ChangedMeanwhile, InsightsError, InvalidInput
from insights_mcp.schema.insight import Insight
from insights_mcp.stories.activity import episodes, moment
from insights_mcp.text import clean
from insights_mcp.tools.edits import in_a_sentence
from insights_mcp.tools.insight_facts import modified, named, who
from insights_mcp.tools.tool import Work

ENTRIES = 20
MOST = 3
RACE = (
    "It was as read when checked, right before the change was sent; PostHog has no compare-and-set, so somebody else's "
    "change in that very moment would be overwritten."
)


async def unmodified(work: Work, insight: Insight, since: str) -> None:
    """ChangedMeanwhile when it was changed after `since`, which is `modified` as an answer told it."""
    read_at = instant(since.split(" by ")[0].strip())
    if read_at is None:
        raise InvalidInput(
            f"if_unmodified_since is no moment: {clean(since, 60)}.", "Give `modified` as get_insight told it."
        )
    changed_at = instant(modified(insight))
    if changed_at is None or _as_exact(changed_at, read_at) <= read_at:
        return
    story = await _story(work, insight, read_at) or _last(insight)
    raise ChangedMeanwhile(
        f"Nothing was sent: insight {named(insight)} was changed after {clean(since, 40)}. {story}",
        f"Read it again, then repeat the call with if_unmodified_since='{modified(insight)}' if it still makes sense.",
    )


def _as_exact(changed: datetime, read: datetime) -> datetime:
    """Without the part of a second, where what was read has none."""
    return changed if read.microsecond else changed.replace(microsecond=0)


async def _story(work: Work, insight: Insight, since: datetime) -> str:
    """Who did what since then, latest first; '' where the key may not read the log, or it has nothing."""
    if not work.client.may(GetInsightActivity):
        return ""
    with suppress(InsightsError):
        log = await work.client.send(GetInsightActivity(id=insight.id, limit=ENTRIES))
        later = [e for e in log.results if (at := instant(e.created_at)) and _as_exact(at, since) > since]
        found = [f"{e.who}, {moment(e.when)}: {in_a_sentence(list(e.told))}" for e in episodes(later)[:MOST]]
        return f"{'. '.join(found)}." if found else ""
    return ""


def _last(insight: Insight) -> str:
    by = who(insight.last_modified_by)
    return f"Last change of name or description: {insight.last_modified_at}{f' by {clean(by, 60)}' if by else ''}."
