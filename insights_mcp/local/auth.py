"""Who is calling and what they may do: keys, their scopes, PostHog's refusals word for word."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from uuid import uuid4

from insights_mcp.endpoint import Route
from insights_mcp.endpoints.account import GetCurrentKey, GetCurrentUser
from insights_mcp.endpoints.insights import ListTrendingInsights
from insights_mcp.local.errors import Problem, forbidden, not_found, unauthenticated
from insights_mcp.local.store import Row, Store, iso
from insights_mcp.scopes import EVERYTHING, Scopes

PROJECT_ID = 1
OWNER_ID = 1
OPEN_TO_SCOPED_KEYS = (GetCurrentKey.route, GetCurrentUser.route)
SESSION_ONLY_IN_OLD_VERSIONS = (ListTrendingInsights.route,)


@dataclass(frozen=True)
class Caller:
    """A key and its user. The `owner` counts as logged in, and no rate limit holds for them."""

    key: Row
    user: Row
    scopes: Scopes
    teams: frozenset[int] = frozenset()
    owner: bool = False


@dataclass(frozen=True)
class Credentials:
    """A key text and where it was found, in PostHog's words for it."""

    text: str = field(repr=False)
    place: str

    def refused(self) -> Problem:
        """401: no such key."""
        return unauthenticated("authentication_failed", f"Personal API key found in request {self.place} is invalid.")


class Keys:
    """The keys of a project: stored ones (as hashes only), and those of this process, which are the owner's."""

    def __init__(self, store: Store, created_at: str) -> None:
        self._store = store
        self._created_at = created_at
        self._owners: dict[str, Row] = {}

    def add_owner(self, text: str) -> None:
        """Accept this text as the owner's key, for as long as the process lives."""
        row = {"id": f"local-{len(self._owners)}", "label": "Local owner", "scopes": f'["{EVERYTHING}"]'}
        times = {"created_at": self._created_at, "user_id": OWNER_ID, "scoped_teams": "[]", "mask": masked(text)}
        self._owners[hashed(text)] = row | times

    def create(self, label: str, scopes: list[str], scoped_teams: list[int], user_id: int, created_at: str) -> str:
        """Make and store a key: its text, which is never to be had again."""
        text = new_key()
        self._store.insert(
            "keys", id=str(uuid4()), user_id=user_id, label=label, hash=hashed(text), mask=masked(text),
            scopes=json.dumps(scopes), scoped_teams=json.dumps(scoped_teams), created_at=created_at,
        )  # fmt: skip
        return text

    def find(self, credentials: Credentials) -> Caller:
        """Whose key this is. Problem 401 when nobody's."""
        digest, known = hashed(credentials.text), self._store.remembered(_callers)
        if digest not in known:
            known[digest] = self._found(digest, credentials)
        return known[digest]

    def _found(self, digest: str, credentials: Credentials) -> Caller:
        owner = self._owners.get(digest)
        row = owner or self._store.row("select * from keys where hash = ?", digest)
        if row is None:
            raise credentials.refused()
        user = self._store.row("select * from users where id = ?", row["user_id"])
        if user is None:
            raise credentials.refused()
        teams = frozenset(json.loads(row["scoped_teams"]))
        return Caller(row, user, Scopes(json.loads(row["scopes"])), teams, owner is not None)


def _callers(_: Store) -> dict[str, Caller]:
    """By their digest: who has called since anything was changed."""
    return {}


def new_key() -> str:
    """A new key's text, in the form of PostHog's personal keys."""
    return f"phx_{secrets.token_urlsafe(32)}"


def hashed(text: str) -> str:
    """What is stored of a key: keys are long and random, so a plain digest is enough."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def masked(text: str) -> str:
    """A key as it may be shown."""
    return f"{text[:4]}…{text[-4:]}" if len(text) > 16 else "…"


def project_of(path: dict[str, str]) -> int | None:
    """The project a path names; None when it names none. Problem 404 for one that is not here."""
    named = path.get("project_id")
    if named is not None and named not in ("@current", str(PROJECT_ID)):
        raise not_found("Project not found.")
    return None if named is None else PROJECT_ID


def permit(caller: Caller, route: Route, project: int | None, *, strict: bool) -> None:
    """Problem 403 when the caller may not use this route: project first, then session, then scope."""
    if caller.teams:
        _permit_project(caller, route, project)
    if refuses_keys(caller, route, strict):
        raise forbidden("This action does not support personal API key access")
    if route.scope:
        require(caller, route.scope)


def require(caller: Caller, scope: str) -> None:
    """Problem 403 when the key does not have the scope."""
    if not caller.scopes.grants(scope):
        raise forbidden(f"API key missing required scope '{scope}'")


def refuses_keys(caller: Caller, route: Route, strict: bool) -> bool:
    """Whether the route is for logged-in people only. `strict`: as PostHog's older versions have it, for all keys."""
    return route.session_only and (strict or (not caller.owner and route not in SESSION_ONLY_IN_OLD_VERSIONS))


def _permit_project(caller: Caller, route: Route, project: int | None) -> None:
    if project is None and route not in OPEN_TO_SCOPED_KEYS:
        raise forbidden("API keys with scoped projects are only supported on project-based endpoints.")
    if project is not None and project not in caller.teams:
        raise forbidden(f"API key does not have access to the requested project: ID {project}.")


def described(row: Row) -> dict[str, object]:
    """A key as `/api/personal_api_keys/@current/` shows it: never its text."""
    return {
        "id": row["id"], "label": row["label"], "value": None, "mask_value": row["mask"],
        "created_at": iso(row["created_at"]), "last_used_at": None, "last_rolled_at": None, "user_id": row["user_id"],
        "scopes": json.loads(row["scopes"]), "scoped_teams": json.loads(row["scoped_teams"]),
        "scoped_organizations": [],
    }  # fmt: skip
