"""What is told of an insight: the same facts in every answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from insights_mcp.answer import Table
from insights_mcp.answer.asked import PARTIAL, Asked, instant, local, moment
from insights_mcp.answer.provenance import provenance
from insights_mcp.answer.results import Readable
from insights_mcp.client import Client
from insights_mcp.diagnosis.window import window_of
from insights_mcp.schema.insight import Insight, User
from insights_mcp.schema.query import QueryResponse, slim, source_of
from insights_mcp.text import clean, quoted

OF_QUERY = ("query", "created", "name", "derived_name")


def named(insight: Insight) -> str:
    """The insight inside a sentence."""
    return f"{quoted(insight.title)} ({insight.short_id or insight.id})"


def who(user: User | None) -> str | None:
    """A person in a few letters."""
    if user is None:
        return None
    return user.first_name or user.email or (f"user {user.id}" if user.id else None)


def kind_of(insight: Insight) -> str:
    """The kind of its query, such as TrendsQuery."""
    return clean(source_of(insight.query or {}).get("kind") or "no query", 60)


def asked(reply: Insight | QueryResponse, query: dict[str, Any] | None) -> Asked:
    """The circumstances of a result. When it was computed decides which buckets were not over."""
    dates = reply.resolved_date_range
    return Asked(
        source_of(query or {}),
        instant(reply.last_refresh) or datetime.now(UTC),
        reply.timezone,
        dates.date_from if dates else None,
        dates.date_to if dates else None,
        bool(reply.hasMore),
    )


def source_line(reply: Insight | QueryResponse, of: Asked, found: Readable, link: str = "") -> str:
    """Where the numbers come from."""
    if found.whole is None:
        return link
    return provenance(
        of if of.date_from else dated(of, reply.outcome),
        computed=reply.last_refresh,
        cached=bool(reply.is_cached),
        now=datetime.now(UTC),
        unfinished=found.unfinished,
        begun=_is_cut(of, found),
        link=link,
    )


def _is_cut(of: Asked, found: Readable) -> bool:
    """Whether the window begins within the first bucket: where its dates are taken to the second."""
    if of.part("dateRange").get("explicitDate") is not True or found.whole is None or not found.whole.rows:
        return False
    first, begins = moment(str(found.whole.rows[0][0]).removesuffix(PARTIAL)), local(of.date_from, of.zone)
    return first is not None and begins is not None and first < begins


def dated(of: Asked, outcome: Any) -> Asked:
    """With the dates that the query means, where the reply does not tell them; as it is, where they are not known."""
    found = window_of(of, outcome)
    end = min(found.end or datetime.max, of.now or datetime.max)
    if found.start is None or end == datetime.max:
        return of
    return replace(of, date_from=found.start.isoformat(), date_to=end.isoformat(timespec="seconds"))


async def facts(insight: Insight, client: Client, *, linked: bool = False) -> dict[str, Any]:
    """Its facts, the query without nulls and defaults. `linked`: the address is told elsewhere."""
    return {
        "id": insight.id,
        "short_id": insight.short_id,
        "name": insight.name,
        "derived_name": None if insight.name else insight.derived_name,
        "description": insight.description,
        "tags": insight.tags,
        "dashboards": insight.on_dashboards,
        "favorited": insight.favorited or None,
        "created": _when(insight.created_at, insight.created_by),
        "modified": _when(modified(insight), _modifier(insight)),
        "url": None if linked else await client.url(f"/insights/{insight.short_id}"),
        "query": slim(insight.query) if insight.query else None,
    }


async def outline(insight: Insight, client: Client) -> dict[str, Any]:
    """Its facts, without the query, for those who have just given it."""
    return {k: v for k, v in (await facts(insight, client)).items() if k not in OF_QUERY}


def modified(insight: Insight) -> str | None:
    """When anything of it was changed last. PostHog's `last_modified_at` knows of names and descriptions only."""
    moments = [text for text in (insight.last_modified_at, insight.updated_at) if instant(text)]
    return max(moments, key=lambda text: instant(text) or datetime.min.replace(tzinfo=UTC), default=None)


def _modifier(insight: Insight) -> User | None:
    """Who did that, where the reply tells."""
    last, by = instant(modified(insight)), instant(insight.last_modified_at)
    return insight.last_modified_by if last and by and (last - by).total_seconds() < 1 else None


def freshness(insight: Insight) -> dict[str, Any]:
    """When the result was computed, and which dates it covers."""
    dates = insight.resolved_date_range
    return {
        "computed": f"{insight.last_refresh}{' (cached)' if insight.is_cached else ''}"
        if insight.last_refresh
        else None,
        "dates": f"{dates.date_from} to {dates.date_to}" if dates and dates.date_from else None,
        "timezone": insight.timezone,
    }


def insights_table(insights: list[Insight], first: int = 0, held: int | None = None, *, viewed: bool = False) -> Table:
    """A list of insights, one a row. `viewed`: with the last view by anyone, which only lists know."""
    columns = ("short_id", "id", "name", "kind", "tags", "favorited", "modified", "created by")
    rows = [[*_told(i), *([_day(i.last_viewed_at)] if viewed else [])] for i in insights]
    return Table((*columns, "viewed") if viewed else columns, rows, first, held)


def _told(insight: Insight) -> list[Any]:
    return [
        insight.short_id,
        insight.id,
        insight.title,
        kind_of(insight),
        ", ".join(insight.tags),
        insight.favorited,
        _day(insight.last_modified_at),
        who(insight.created_by),
    ]


def _when(moment: str | None, user: User | None) -> str | None:
    name = who(user)
    return f"{moment} by {name}" if moment and name else moment


def _day(moment: str | None) -> str | None:
    return moment[:10] if moment else None
