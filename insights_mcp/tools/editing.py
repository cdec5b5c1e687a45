"""Writing saved insights: create, update, delete, restore."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer
from insights_mcp.diagnosis import NAMES, checked
from insights_mcp.endpoint import Effect
from insights_mcp.endpoints import insights
from insights_mcp.endpoints.account import ListDashboards
from insights_mcp.endpoints.activity import ListActivity
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.errors import InvalidInput, NotFound
from insights_mcp.schema.insight import Insight, Refresh
from insights_mcp.schema.query import wrapped
from insights_mcp.text import quoted
from insights_mcp.tools.insight_facts import facts, named
from insights_mcp.tools.query_input import Query
from insights_mcp.tools.tool import DashboardReference, InsightReference, Tool, Work, given

Name = Annotated[str, Field(min_length=1, max_length=400)]
Text = Annotated[str, Field(max_length=400)]
Tags = Annotated[list[str] | None, Field(description="Tags.")]


class CreateInsight(Tool):
    """Save a new insight. Try its query with run_query first."""

    title: ClassVar[str] = "Create an insight"
    effect = Effect.WRITE
    idempotent = False
    uses = (insights.CreateInsight,)
    may_use = (ListDashboards, RunQuery, *NAMES)

    query: Query
    name: Annotated[Name, Field(description="What it answers, in a few words.")]
    description: Annotated[Text | None, Field(description="At most 400 characters.")] = None
    tags: Tags = None
    dashboards: Annotated[list[DashboardReference] | None, Field(description="Numbers or names to put it on.")] = None
    favorited: Annotated[bool, Field(description="Mark as favorite.")] = False

    async def run(self, work: Work) -> Answer:
        """Bare queries are wrapped as PostHog's web app wraps them."""
        found = await checked(work.client, self.query)
        found.refuse()
        on = [await work.references.dashboard_number(d) for d in self.dashboards or ()]
        fields = given(
            name=self.name,
            description=self.description,
            query=wrapped(found.query),
            tags=self.tags,
            dashboards=on or None,
            favorited=self.favorited or None,
        )
        made = await work.client.send(insights.CreateInsight(**fields))
        told = await facts(made, work.client)
        return Answer(f"Created insight {named(made)}.", told, next=_see(made), notes=found.told)


class UpdateInsight(Tool):
    """Change a saved insight: only what is given. Tags and dashboards are added and removed one by one."""

    title: ClassVar[str] = "Change an insight"
    effect = Effect.DESTRUCTIVE
    uses = (insights.UpdateInsight, insights.GetInsight)
    may_use = (ListDashboards, RunQuery, *NAMES)

    id: InsightReference
    name: Annotated[Name | None, Field(description="New name.")] = None
    description: Annotated[Text | None, Field(description="New text; empty removes it.")] = None
    query: Annotated[Query | None, Field(description="Replaces the query.")] = None
    add_tags: Annotated[list[str] | None, Field(description="Tags to add.")] = None
    remove_tags: Annotated[list[str] | None, Field(description="Tags to remove.")] = None
    add_dashboards: Annotated[list[DashboardReference] | None, Field(description="Numbers or names.")] = None
    remove_dashboards: Annotated[list[DashboardReference] | None, Field(description="Numbers or names.")] = None
    favorited: Annotated[bool | None, Field(description="Favorite or not.")] = None

    async def run(self, work: Work) -> Answer:
        """Read, change, write; what would not change is not sent."""
        if not self.model_fields_set - {"id"}:
            raise InvalidInput("update_insight was given nothing to change.", f"Give one of {', '.join(_CHANGES)}.")
        before = await work.references.on_insight(
            self.id, lambda n: work.client.send(insights.GetInsight(id=n, refresh=Refresh.FORCE_CACHE))
        )
        found = await checked(work.client, self.query or {}, before.query)
        found.refuse()
        changes = await self._changes(before, found.query, work)
        if not changes:
            return Answer(f"Insight {named(before)} is like that already; nothing was changed.")
        after = await work.client.send(insights.UpdateInsight(id=before.id, **changes))
        said = f"Changed {', '.join(changes)} of insight {named(after)}."
        told = {"before": _before(before, changes)} | await facts(after, work.client)
        return Answer(said, told, next=_see(after), notes=found.told)

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
        return {k: v for k, v in wanted.items() if v != _current(before, k)}


class DeleteInsight(Tool):
    """Delete an insight. restore_insight brings it back, but not its alerts nor its places on dashboards."""

    title: ClassVar[str] = "Delete an insight"
    effect = Effect.DESTRUCTIVE
    uses = (insights.UpdateInsight, insights.GetInsight)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """PATCH `deleted: true`: the API has no other way."""
        gone = await work.references.on_insight(
            self.id, lambda n: work.client.send(insights.UpdateInsight(id=n, deleted=True))
        )
        work.references.numbers[gone.short_id] = gone.id
        return Answer(
            f"Deleted insight {named(gone)}; its alerts are gone for good.",
            {"id": gone.id, "short_id": gone.short_id},
            next=(f"Bring it back with restore_insight(id='{gone.id}').",),
        )


class RestoreInsight(Tool):
    """Bring back a deleted insight: by number or short_id, or by name where the key may read the activity log."""

    title: ClassVar[str] = "Restore a deleted insight"
    effect = Effect.WRITE
    uses = (insights.UpdateInsight,)
    may_use = (ListActivity,)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """PATCH `deleted: false`: the only request that can see a deleted insight."""
        reference = await work.references.deleted_insight(self.id)
        try:
            back = await work.client.send(insights.UpdateInsight(id=reference, deleted=False))
        except NotFound as error:
            error.what = f"No insight, deleted or not, goes by {quoted(self.id)}."
            error.next_step = "list_activity shows deleted insights and their numbers."
            raise
        return Answer(f"Restored insight {named(back)}.", await facts(back, work.client), next=_see(back))


_PLAIN = ("name", "description", "favorited")
_CHANGES = tuple(name for name in UpdateInsight.model_fields if name != "id")


def _current(insight: Insight, field: str) -> Any:
    if field == "dashboards":
        return insight.on_dashboards
    if field == "description":
        return insight.description or ""
    return bool(insight.favorited) if field == "favorited" else getattr(insight, field)


def _before(insight: Insight, changes: dict[str, Any]) -> dict[str, Any]:
    """What the changed fields held before; a query is told by its kind, the activity log keeps it whole."""
    return {k: "see get_insight_activity" if k == "query" else _current(insight, k) for k in changes}


def _changed(current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
    return [item for item in dict.fromkeys([*current, *add]) if item not in remove]


def _folded(tags: list[str] | None) -> list[str]:
    """Tags as PostHog keeps them: trimmed, in lower case."""
    return [tag.strip().lower() for tag in tags or () if tag.strip()]


def _see(insight: Insight) -> tuple[str, ...]:
    return (f"get_insight(id='{insight.short_id}') shows its result.",)
