"""Writing saved insights: create, update, delete, restore. What does not compute is not saved."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer
from insights_mcp.answer.pieces import dumps
from insights_mcp.diagnosis import CHECKS, checked
from insights_mcp.endpoint import Effect
from insights_mcp.endpoints import insights
from insights_mcp.endpoints.account import GetProject, ListDashboards
from insights_mcp.endpoints.activity import GetInsightActivity, ListActivity
from insights_mcp.endpoints.queries import GetQuery, RunQuery
from insights_mcp.errors import InvalidInput, NotFound
from insights_mcp.schema.insight import Insight, Refresh
from insights_mcp.schema.query import wrapped
from insights_mcp.text import counted, quoted
from insights_mcp.tools import edits
from insights_mcp.tools.description_input import Description
from insights_mcp.tools.doubts import doubts
from insights_mcp.tools.edits import in_a_sentence
from insights_mcp.tools.insight_facts import facts, named, outline
from insights_mcp.tools.picture import Drawable
from insights_mcp.tools.query_input import Query
from insights_mcp.tools.tool import Dashboards, InsightReference, Texts, Tool, Work, given
from insights_mcp.tools.unmodified import RACE, unmodified
from insights_mcp.tools.verifying import Trial, first_numbers, tried, tried_as_saved
from insights_mcp.words import changes, contradicted, described

Name = Annotated[str, Field(min_length=1, max_length=400)]
DEAD = " But its query does not compute."
DryRun = Annotated[bool, Field(description="Only tell; save nothing.")]
Tags = Annotated[Texts | None, Field(description="Tags.")]


class CreateInsight(Drawable):
    """Save a new insight, if its query computes; answers with its numbers."""

    title: ClassVar[str] = "Create an insight"
    effect = Effect.WRITE
    idempotent = False
    uses = (insights.CreateInsight,)
    may_use = (ListDashboards, GetProject, RunQuery, GetQuery, *CHECKS)

    query: Query
    name: Annotated[Name, Field(description="What it answers, in a few words.")]
    description: Annotated[Description | None, Field(description="At most 400 characters.")] = None
    tags: Tags = None
    dashboards: Annotated[Dashboards | None, Field(description="Numbers or names to put it on.")] = None
    favorited: Annotated[bool, Field(description="Mark as favorite.")] = False
    dry_run: DryRun = False

    async def run(self, work: Work) -> Answer:
        """Names are checked and the query is run first; bare queries are wrapped as PostHog's web app wraps them."""
        found = await checked(work.client, self.query)
        found.refuse()
        fields = await self._fields(found.query, work)
        trial = await tried(work, found.query)
        notes = found.told + await doubts(work, found.query, trial.computed, self.name, self.description or "")
        if self.dry_run:
            told = await first_numbers(work, trial, found.query, notes)
            told = replace(told, said=f"Nothing was saved. {quoted(self.name)} would be: {described(found.query)}")
            return await self.with_picture(told, trial.computed, found.query, self.name)
        made = await work.client.send(insights.CreateInsight(**fields))
        trial = trial if work.client.may(RunQuery) else await tried_as_saved(work, made)
        told = await first_numbers(work, trial, found.query, notes, made)
        said = f"Created insight {named(made)}: {described(found.query)}{DEAD if trial.failed else ''}"
        told = replace(told, said=said, facts=await outline(made, work.client), next=_next(made, trial))
        return await self.with_picture(told, trial.computed, found.query, self.name)

    async def _fields(self, query: dict[str, Any], work: Work) -> dict[str, Any]:
        on = [await work.references.dashboard_number(d) for d in self.dashboards or ()]
        return given(
            name=self.name,
            description=self.description,
            query=wrapped(query),
            tags=self.tags,
            dashboards=on or None,
            favorited=self.favorited or None,
        )


class UpdateInsight(Drawable):
    """Change a saved insight: only what is given. Tags and dashboards are added and removed one by one."""

    title: ClassVar[str] = "Change an insight"
    effect = Effect.DESTRUCTIVE
    uses = (insights.UpdateInsight, insights.GetInsight)
    may_use = (ListDashboards, GetProject, GetInsightActivity, RunQuery, GetQuery, *CHECKS)

    id: InsightReference
    name: Annotated[Name | None, Field(description="New name.")] = None
    description: Annotated[Description | None, Field(description="New text; empty removes it.")] = None
    query: Annotated[Query | None, Field(description="Replaces the query.")] = None
    add_tags: Annotated[Texts | None, Field(description="Tags to add.")] = None
    remove_tags: Annotated[Texts | None, Field(description="Tags to remove.")] = None
    add_dashboards: Annotated[Dashboards | None, Field(description="Numbers or names.")] = None
    remove_dashboards: Annotated[Dashboards | None, Field(description="Numbers or names.")] = None
    favorited: Annotated[bool | None, Field(description="Favorite or not.")] = None
    if_unmodified_since: Annotated[str | None, Field(description="`modified` as read: refuse if changed since.")] = None
    dry_run: DryRun = False

    async def run(self, work: Work) -> Answer:
        """Read, change, write; what would not change is not sent."""
        if not any(getattr(self, name) is not None for name in _CHANGES):
            raise InvalidInput("update_insight was given nothing to change.", f"Give one of {', '.join(_CHANGES)}.")
        before = await self._read(work)
        found = await checked(work.client, self.query or {}, before.query)
        found.refuse()
        wanted = await self._changes(before, found.query, work)
        if not wanted:
            return Answer(f"Insight {named(before)} is like that already; nothing was changed.")
        trial = await self._tried(work, found.query) if "query" in wanted else Trial()
        lines = in_a_sentence(edits.told(before, wanted))
        notes = (*found.told, *edits.warnings(before, wanted), *await self._doubts(work, before, wanted, trial))
        title = wanted.get("name", before.title)
        if self.dry_run:
            told = await first_numbers(work, trial, wanted.get("query"), notes)
            told = replace(told, said=f"Nothing was sent. Insight {named(before)} would change: {lines}.")
            return await self.with_picture(told, trial.computed, wanted.get("query"), title)
        after = await work.client.send(insights.UpdateInsight(id=before.id, **wanted))
        if "query" in wanted and not work.client.may(RunQuery):
            trial = await tried_as_saved(work, after)
        told = await first_numbers(work, trial, wanted.get("query"), notes, after)
        undo, former = edits.undo(before, wanted)
        told = replace(
            told,
            said=f"Changed insight {named(after)}: {lines}.{DEAD if trial.failed else ''}",
            facts=former | await outline(after, work.client),
            next=(undo, *_next(after, trial)),
            notes=told.notes + ((RACE,) if self.if_unmodified_since else ()),
        )
        return await self.with_picture(told, trial.computed, wanted.get("query"), title)

    async def _tried(self, work: Work, query: dict[str, Any]) -> Trial:
        """What the new query computes. That takes its time, so that the insight is looked at again."""
        trial = await tried(work, query)
        if self.if_unmodified_since:
            await self._read(work)
        return trial

    async def _read(self, work: Work) -> Insight:
        """As it is now; refused when it is not as it was read."""
        found: Insight = await work.references.on_insight(
            self.id, lambda n: work.client.send(insights.GetInsight(id=n, refresh=Refresh.FORCE_CACHE))
        )
        if self.if_unmodified_since:
            await unmodified(work, found, self.if_unmodified_since)
        return found

    async def _doubts(self, work: Work, before: Insight, wanted: dict[str, Any], trial: Trial) -> tuple[str, ...]:
        """What is doubtful of what it becomes, if it says or asks something new."""
        if not wanted.keys() & {"name", "description", "query"}:
            return ()
        name, text = wanted.get("name", before.title), wanted.get("description", before.description or "")
        if "query" in wanted:
            return await doubts(work, wanted["query"], trial.computed, name, text)
        return tuple(contradicted(before.query, name, text))

    async def _changes(self, before: Insight, query: dict[str, Any], work: Work) -> dict[str, Any]:
        wanted = given(**{name: getattr(self, name) for name in _PLAIN})
        if self.query is not None:
            wanted["query"] = wrapped(query)
        if self.add_tags or self.remove_tags:
            wanted["tags"] = _changed(before.tags, _folded(self.add_tags), _folded(self.remove_tags))
        if self.add_dashboards or self.remove_dashboards:
            add = [await work.references.dashboard_number(d) for d in self.add_dashboards or ()]
            remove = [await work.references.dashboard_number(d) for d in self.remove_dashboards or ()]
            wanted["dashboards"] = _changed(before.on_dashboards, add, remove)
        return {k: v for k, v in wanted.items() if _differs(k, v, edits.current(before, k))}


class DeleteInsight(Tool):
    """Delete an insight. restore_insight brings it back, but not its alerts nor its places on dashboards."""

    title: ClassVar[str] = "Delete an insight"
    effect = Effect.DESTRUCTIVE
    uses = (insights.UpdateInsight, insights.GetInsight)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """PATCH `deleted: true`: the API has no other way."""
        before = await work.references.on_insight(
            self.id, lambda n: work.client.send(insights.GetInsight(id=n, refresh=Refresh.FORCE_CACHE))
        )
        gone = await work.client.send(insights.UpdateInsight(id=before.id, deleted=True))
        work.references.numbers[before.short_id] = gone.id
        on = [str(number) for number in before.on_dashboards]
        again = f", then update_insight(id='{gone.id}', add_dashboards={dumps(on)})" if on else ""
        lost = f"; its {counted(len(before.alerts), 'alert')} cannot be brought back" if before.alerts else ""
        return Answer(
            f"Deleted insight {named(before)}{lost}.",
            {"id": gone.id, "short_id": before.short_id},
            next=(f"Undo: restore_insight(id='{gone.id}'){again}.",),
        )


class RestoreInsight(Tool):
    """Bring back a deleted insight: by number or short_id, or by name where the key may read the activity log."""

    title: ClassVar[str] = "Restore a deleted insight"
    effect = Effect.WRITE
    uses = (insights.UpdateInsight, insights.GetInsight)
    may_use = (ListActivity,)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """PATCH `deleted: false`: the only request that can see a deleted insight."""
        reference = await work.references.deleted_insight(self.id)
        with suppress(NotFound):
            there = await work.client.send(insights.GetInsight(id=reference, refresh=Refresh.FORCE_CACHE))
            said = f"Insight {named(there)} is not deleted; nothing was sent."
            return Answer(said, {"id": there.id, "short_id": there.short_id}, next=_see(there))
        try:
            back = await work.client.send(insights.UpdateInsight(id=reference, deleted=False))
        except NotFound as error:
            error.what = f"No insight, deleted or not, goes by {quoted(self.id)}."
            error.next_step = "list_activity shows deleted insights and their numbers."
            raise
        return Answer(f"Restored insight {named(back)}.", await facts(back, work.client), next=_see(back))


_PLAIN = ("name", "description", "favorited")
_CHANGES = (*_PLAIN, "query", "add_tags", "remove_tags", "add_dashboards", "remove_dashboards")


def _differs(field: str, value: Any, now: Any) -> bool:
    """Whether it would be another one; a query in another form asks the same."""
    return bool(changes(now, value)) if field == "query" else value != now


def _changed(current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
    return [item for item in dict.fromkeys([*current, *add]) if item not in remove]


def _folded(tags: list[str] | None) -> list[str]:
    """Tags as PostHog keeps them: trimmed, in lower case."""
    return [tag.strip().lower() for tag in tags or () if tag.strip()]


def _see(insight: Insight) -> tuple[str, ...]:
    return (f"get_insight(id='{insight.short_id}') shows its result.",)


def _next(insight: Insight, trial: Trial) -> tuple[str, ...]:
    """To what was saved: mend it, or see what the answer does not show already."""
    return _mend(insight) if trial.failed else () if trial.computed else _see(insight)


def _mend(insight: Insight) -> tuple[str, ...]:
    return (f"Correct it with update_insight(id='{insight.id}', query=…), or delete_insight(id='{insight.id}').",)
