"""The one way to PostHog: scope check, request, retry, size limit, typed reply or one of our errors.

It never sends a request the key has no scope for, never sends what must not be repeated twice, and
never sends anything to a project the user did not choose.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import anyio
import httpx2

from insights_mcp.endpoint import Endpoint, Request
from insights_mcp.endpoints.account import GetCurrentKey, GetProject
from insights_mcp.errors import (
    BadReply,
    InsightsError,
    MissingScope,
    RateLimited,
    SessionOnly,
    SettingsError,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from insights_mcp.failures import failure
from insights_mcp.replies import read
from insights_mcp.schema.account import Key, Project
from insights_mcp.scopes import Scopes
from insights_mcp.settings import CLOUDS, Settings
from insights_mcp.text import clean
from insights_mcp.transport import MAX_REPLY_BYTES, InProcess, RawReply, Transport

Reply = TypeVar("Reply")

MAX_RETRY_AFTER = 30.0
ATTEMPTS = 4
NAMED_WITHIN = 5.0
RETRIED_STATUS = (502, 503, 504)
UNSURE = "It may have been done all the same: look before you repeat it."


class Client:
    """A key, a host and a project. `transport` replaces the network (the embedded backend)."""

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx2.AsyncBaseTransport | InProcess | None = None,
        clouds: tuple[str, ...] = CLOUDS,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clouds = clouds
        self._max_reply_bytes = max_reply_bytes
        self._host = settings.host
        self._scopes = settings.scopes
        self._key: Key | None = None
        self._project: Project | None = None
        self._refused: set[type[Endpoint[Any]]] = set()
        self._introspection = asyncio.Lock()
        self._http_transport: Transport | None = None

    @property
    def host(self) -> str:
        """Where requests go, such as https://us.posthog.com; before it is known, `PostHog`."""
        return self._host or "PostHog"

    async def send(self, call: Endpoint[Reply]) -> Reply:
        """Send a call and return its reply. Every failure is an InsightsError."""
        endpoint = type(call)
        await self._check(endpoint)
        project = await self.project_id() if "{project_id}" in endpoint.route.path else 0
        request = call.request(project)

        async def sent() -> Reply:
            with _doubts(endpoint):
                return read(endpoint, await self._exchange(endpoint, request), self.host)

        return await (_persistent(sent) if endpoint.route.repeatable else sent())

    async def find_host(self) -> str:
        """Where requests go; when no setting says it, the region that knows the key."""
        await self._http()
        return self.host

    def may(self, endpoint: type[Endpoint[Any]]) -> bool:
        """Whether the key can call this endpoint, as far as is known: scope held, and not refused before."""
        scope = endpoint.route.scope
        granted = scope is None or self._scopes is None or self._scopes.grants(scope)
        return granted and endpoint not in self._refused

    async def scopes(self) -> Scopes | None:
        """The key's scopes: from the settings, else asked once. None when they cannot be known (OAuth tokens)."""
        if self._scopes is None:
            key = await self.key()
            self._scopes = Scopes(key.scopes) if key and key.scopes is not None else None
        return self._scopes

    async def key(self) -> Key | None:
        """What PostHog says of the key, asked once. None for a token it says nothing of."""
        if self._key is None and not self._settings.api_key.startswith("pha_"):
            async with self._introspection:
                self._key = self._key or await self._introspect()
        return self._key

    async def project_id(self) -> int:
        """The chosen project: the setting, or the only one the key is limited to."""
        if self._settings.project_id is not None:
            await self._check_project(self._settings.project_id)
            return self._settings.project_id
        await self.key()
        if (only := self._only_project) is not None:
            return only
        raise SettingsError(
            "POSTHOG_PROJECT_ID is not set, and no call is sent to a project that was not chosen.",
            "Set it to the project's number; `insights-mcp doctor` lists the projects the key can see.",
        )

    async def place(self) -> str:
        """The project in words, for every answer: number, name when the key may read it, and host."""
        if self._project is None:
            self._project = await self._named_project(await self.project_id())
        return self.known_place

    @property
    def known_place(self) -> str:
        """The project in words, as far as it is known without asking."""
        number = self._project.id if self._project else self._settings.project_id or self._only_project
        name = f' "{clean(self._project.name, 80)}"' if self._project and self._project.name else ""
        return f"project {number or 'not chosen yet'}{name} at {self.host.split('://')[-1]}"

    @property
    def _only_project(self) -> int | None:
        """The one project the key is limited to."""
        teams = (self._key.scoped_teams if self._key else None) or []
        return teams[0] if len(teams) == 1 else None

    async def url(self, path: str) -> str:
        """Where a page of the project is in the web app; without host where there is no web app (embedded backend)."""
        host = "" if self._transport is not None else self.host
        return f"{host}/project/{await self.project_id()}{path}"

    def shared_url(self, token: str) -> str:
        """The public page of a sharing token; on the embedded backend the path that `local-api` serves."""
        return f"{'' if self._transport is not None else self.host}/shared/{token}"

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http_transport is not None:
            await self._http_transport.aclose()

    async def _check(self, endpoint: type[Endpoint[Any]]) -> None:
        scope = endpoint.route.scope
        if scope is not None and (scopes := await self.scopes()) is not None and not scopes.grants(scope):
            raise MissingScope(scope, endpoint.__name__)

    async def _check_project(self, number: int) -> None:
        allowed = self._key.scoped_teams if self._key else None
        if allowed and number not in allowed:
            numbers = ", ".join(str(team) for team in allowed)
            raise SettingsError(
                f"The key is limited to project {numbers}, but POSTHOG_PROJECT_ID is {number}.",
                "Set POSTHOG_PROJECT_ID to one of the key's projects, or use another key.",
            )

    async def _introspect(self) -> Key | None:
        """None when this PostHog cannot say: calls are then sent and judged by their own replies."""
        endpoint = GetCurrentKey

        async def asked() -> Key:
            try:
                return read(endpoint, await self._exchange(endpoint, endpoint().request(0)), self.host)
            except (Unauthenticated, RateLimited, Unavailable, Unreachable, SettingsError):
                raise
            except InsightsError:
                return Key()

        return await _persistent(asked)

    async def _named_project(self, number: int) -> Project:
        """Its name is good to have, but no reason to fail or to wait: what was asked for is done by now."""
        if self.may(GetProject):
            with anyio.move_on_after(NAMED_WITHIN), suppress(InsightsError):
                return (await self.send(GetProject())).model_copy(update={"id": number})
        return Project(id=number)

    async def _exchange(self, endpoint: type[Endpoint[Any]], request: Request) -> bytes:
        """One request, one reply: the body of a good one; an InsightsError for any other."""
        reply = await (await self._http()).exchange(request)
        if reply.status >= 300:
            raise self._failure(endpoint, reply)
        return reply.content

    def _failure(self, endpoint: type[Endpoint[Any]], reply: RawReply) -> InsightsError:
        error = failure(endpoint, reply.status, reply.headers, reply.content, host=self.host)
        if isinstance(error, SessionOnly):
            self._refused.add(endpoint)
        return error

    async def _http(self) -> Transport:
        if self._host is None:
            self._host = await self._find_region()
        if self._http_transport is None:
            self._http_transport = self._connect(self._host)
        return self._http_transport

    def _connect(self, host: str) -> Transport:
        return Transport(host, self._settings.api_key, inner=self._transport, max_reply_bytes=self._max_reply_bytes)

    async def _find_region(self) -> str:
        """Ask every cloud region whose key it is. SettingsError when none, or none answers."""
        answers = await asyncio.gather(*(self._knows_key(host) for host in self._clouds), return_exceptions=True)
        for host, known in zip(self._clouds, answers, strict=True):
            if known is True:
                return host
        if unreachable := next((a for a in answers if isinstance(a, InsightsError)), None):
            raise unreachable
        raise SettingsError(
            "Neither the US nor the EU cloud of PostHog knows the API key.",
            "Check POSTHOG_API_KEY; for a PostHog of your own, set POSTHOG_HOST.",
        )

    async def _knows_key(self, host: str) -> bool:
        transport = self._connect(host)
        try:
            reply = await transport.exchange(GetCurrentKey().request(0))
        finally:
            await transport.aclose()
        if reply.status == 429 or reply.status >= 500:
            raise failure(GetCurrentKey, reply.status, reply.headers, reply.content, host=host)
        return reply.status != 401


async def _persistent(send: Callable[[], Awaitable[Reply]]) -> Reply:
    """What is sent, if need be again, with growing, jittered pauses."""
    try:
        return await send()
    except InsightsError as error:
        if _worth_repeating(error) is False:
            raise
        failed: InsightsError | None = error
    import stamina  # only needed once something failed

    async for attempt in stamina.retry_context(
        on=_worth_repeating, attempts=ATTEMPTS, timeout=ATTEMPTS * MAX_RETRY_AFTER,
        wait_initial=0.25, wait_max=4.0, wait_jitter=0.5,
    ):  # fmt: skip
        with attempt:
            if failed:
                first, failed = failed, None
                raise first
            return await send()
    raise AssertionError("unreachable")


@contextmanager
def _doubts(endpoint: type[Endpoint[Any]]) -> Iterator[None]:
    """Of what must not be sent twice, a failure says that it may have been done."""
    try:
        yield
    except (Unreachable, Unavailable, BadReply) as error:
        if not endpoint.route.repeatable and getattr(error, "sent", True):
            error.next_step = UNSURE
        raise


def _worth_repeating(error: Exception) -> bool | float:
    """Whether to try again; a number is the seconds PostHog asked to wait."""
    if isinstance(error, RateLimited):
        return True if error.retry_after is None else error.retry_after <= MAX_RETRY_AFTER and error.retry_after
    if isinstance(error, Unavailable):
        return error.status in RETRIED_STATUS
    return isinstance(error, Unreachable)
