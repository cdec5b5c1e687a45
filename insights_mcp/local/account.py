"""The key in use, its user, and the project of the folder."""

from __future__ import annotations

import json
import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.responses import Response

from insights_mcp.endpoint import Effect, Route
from insights_mcp.endpoints.account import GetCurrentKey, GetCurrentUser, GetProject, ListProjects
from insights_mcp.local import fields
from insights_mcp.local.auth import PROJECT_ID, described, require
from insights_mcp.local.calls import Call, answers, bounds, page, reply
from insights_mcp.local.errors import invalid
from insights_mcp.local.store import Row, Store, iso

OWNER_LEVEL = 15


@answers(GetCurrentKey)
def get_current_key(call: Call) -> Response:
    """What the key may do."""
    return reply(described(call.caller.key))


@answers(GetCurrentUser)
def get_current_user(call: Call) -> Response:
    """The key's user with the project and the organization."""
    project = project_row(call.store)
    organization = {"id": project["organization"], "name": project["organization_name"], "slug": "local"}
    membership = {"logo_media_id": None, "membership_level": OWNER_LEVEL, "members_can_use_personal_api_keys": True}
    team = described_project(project) | {"project_id": project["id"]}
    around = {"team": team, "organization": organization, "organizations": [organization | membership]}
    return reply(basic_user(call.caller.user) | around)


@answers(ListProjects)
def list_projects(call: Call) -> Response:
    """The one project of the folder."""
    limit, offset = bounds(call)
    rows = [described_project(project_row(call.store))]
    return page(call, rows[offset : offset + limit], len(rows), limit, offset)


@answers(GetProject)
def get_project(call: Call) -> Response:
    """The project of the folder."""
    return reply(_whole(project_row(call.store)))


@answers(Route("PATCH", GetProject.route.path, None, Effect.WRITE))
def update_project(call: Call) -> Response:
    """Change what the project's queries mean: its time zone, first day of the week, test accounts, path rules."""
    require(call.caller, WRITE)
    given = fields.read(call.body, WRITABLE)
    columns = {name: json.dumps(value) if isinstance(value, list) else value for name, value in given.items()}
    call.store.update("projects", PROJECT_ID, **columns)
    return reply(_whole(project_row(call.store)))


def _whole(row: Row) -> dict[str, Any]:
    return described_project(row) | {
        "test_account_filters": json.loads(row["test_account_filters"]),
        "path_cleaning_filters": json.loads(row["path_cleaning_filters"]),
        "aggregate_users_by_distinct_id": bool(row["aggregate_users_by_distinct_id"]),
        "week_start_day": row["week_start_day"],
        "created_at": iso(row["created_at"]),
    }


def _zone(value: Any, name: str) -> str:
    try:
        return ZoneInfo(fields.text()(value, name)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f'"{value}" is not a valid choice.', name, "invalid_choice") from None


def _week_start(value: Any, name: str) -> int:
    if fields.integer(value, name) not in (0, 1):
        raise invalid(f'"{value}" is not a valid choice.', name, "invalid_choice")
    return int(value)


def _filters(value: Any, name: str) -> list[Any]:
    return list(fields.filters(fields.many(fields.json_object)(value, name), name))


def _path_rule(value: Any, name: str) -> dict[str, Any]:
    rule = fields.json_object(value, name)
    try:
        re.compile(fields.text()(rule.get("regex"), f"{name}__regex"))
    except re.error as error:
        raise invalid(f"Invalid regex: {error}", f"{name}__regex") from None
    return rule


# No endpoint of the catalogue asks for it, so it is no Scope and is checked here.
WRITE = "project:write"
WRITABLE: dict[str, fields.Field] = {
    "name": fields.text(200),
    "timezone": _zone,
    "week_start_day": _week_start,
    "test_account_filters": _filters,
    "path_cleaning_filters": fields.many(_path_rule),
    "aggregate_users_by_distinct_id": fields.boolean,
}


def project_row(store: Store) -> Row:
    """The project as it is stored."""
    row = store.row("select * from projects where id = ?", PROJECT_ID)
    assert row is not None, "a project folder holds its project"
    return row


def described_project(row: Row) -> dict[str, Any]:
    """A project in the form of the list."""
    return {
        "id": row["id"], "uuid": row["uuid"], "organization": row["organization"], "api_token": row["api_token"],
        "name": row["name"], "completed_snippet_onboarding": True, "has_completed_onboarding_for": None,
        "ingested_event": True, "is_demo": False, "timezone": row["timezone"], "access_control": False,
    }  # fmt: skip


def basic_user(row: Row) -> dict[str, Any]:
    """A user in PostHog's basic form."""
    return {
        "id": row["id"], "uuid": row["uuid"], "distinct_id": row["distinct_id"], "first_name": row["first_name"],
        "last_name": row["last_name"], "email": row["email"], "is_email_verified": True, "hedgehog_config": None,
        "role_at_organization": None,
    }  # fmt: skip


def people(store: Store) -> dict[int, dict[str, Any]]:
    """All users in basic form, by number. They are few."""
    return {row["id"]: basic_user(row) for row in store.rows("select * from users")}
