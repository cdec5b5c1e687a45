"""The HTTP side: each path with its methods, and what every call passes through before it is answered.

The order is PostHog's: who is calling (401), which project (404), may they (403), how often (429), what they
sent (413, 415, 400), the answer.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Receive, Scope, Send

from insights_mcp.endpoint import Route
from insights_mcp.endpoints.insights import INSIGHTS
from insights_mcp.endpoints.sharing import SHARING
from insights_mcp.endpoints.thresholds import THRESHOLDS
from insights_mcp.local import (
    account,
    actions,
    activity,
    alerts,
    cohorts,
    dashboards,
    definitions,
    insights,
    query_calls,
    shared_page,
    sharing,
    suggestions,
    thresholds,
    trending,
)
from insights_mcp.local.auth import Caller, Credentials, permit, project_of
from insights_mcp.local.calls import ANSWERS, Call, Handler, finished, reply
from insights_mcp.local.computing import check_query
from insights_mcp.local.errors import (
    Problem,
    method_not_allowed,
    not_found,
    parse_error,
    server_error,
    too_large,
    unauthenticated,
    unsupported_media_type,
)
from insights_mcp.local.limits import bucket_of

if TYPE_CHECKING:
    from insights_mcp.local.backend import Backend

log = logging.getLogger(__name__)

LARGEST_BODY = 20_971_520
WITH_BODY = ("POST", "PATCH", "PUT")
ALIAS = "/api/environments/"
# Importing a subject registers its answers.
SUBJECTS = (
    account, actions, activity, alerts, cohorts, dashboards, definitions,
    insights, query_calls, sharing, suggestions, thresholds, trending,
)  # fmt: skip


def build(backend: Backend) -> ASGIApp:
    """The ASGI app of a project folder."""
    paths: dict[str, dict[str, tuple[Route, Handler]]] = defaultdict(dict)
    for route, handler in ANSWERS.items():
        paths[route.path.rstrip("/")][route.method] = (route, handler)
    # `insights/trending` must be looked at before `insights/{id}`.
    ordered = sorted(paths, key=lambda path: (path.count("{"), path))
    doors = [Path(path, Door(backend, paths[path])) for path in ordered]
    pages = [Path(path, Page(path, answer)) for path, answer in shared_page.paths(backend).items()]
    app = Starlette(routes=doors + pages)
    app.router.redirect_slashes = False
    app.router.default = _no_endpoint
    return OnePrefix(app)


class OnePrefix:
    """Both prefixes lead to the same place, and a trailing slash makes no difference."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            plain = path.removesuffix("/") or "/"
            if plain.startswith(ALIAS):
                plain = "/api/projects/" + plain.removeprefix(ALIAS)
            scope = {**scope, "path": plain, "asked_path": path}
        await self._app(scope, receive, send)


class Door:
    """One path of the API with what each method does there."""

    def __init__(self, backend: Backend, methods: dict[str, tuple[Route, Handler]]) -> None:
        self._backend = backend
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await answered(lambda: self._answer(request), scope["path"])
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = Body(request)
        caller = self._backend.keys.find(await _credentials(request, body))
        if request.method not in self._methods:
            raise method_not_allowed(request.method)
        route, handler = self._methods[request.method]
        self._admit(caller, route, request.path_params)
        content = await body.content(checked=_is_insights(route.path)) if request.method in WITH_BODY else {}
        return await finished(handler, self._call(request, caller, content))

    def _admit(self, caller: Caller, route: Route, path: dict[str, str]) -> None:
        project = project_of(path)
        permit(caller, route, project, strict=self._backend.strict_keys)
        if not caller.owner:
            self._backend.limits.count(caller.key["id"], bucket_of(route), self._backend.clock())

    def _call(self, request: Request, caller: Caller, content: dict[str, Any]) -> Call:
        url = f"{request.scope['scheme']}://{_host(request)}{request.scope['asked_path']}"
        now = self._backend.clock()
        return Call(self._backend, caller, request.path_params, request.query_params, content, url, now, _gone(request))


class Page:
    """A page for people. Its path is logged without the token."""

    def __init__(self, path: str, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._path = path
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await answered(lambda: self._answer(request), self._path)
        await response(scope, receive, send)


class Body:
    """A request's body: read once, no more than the limit, as a JSON object."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._bytes: bytes | None = None

    async def key(self) -> str | None:
        """A key text in the body, if the body can be read at all."""
        try:
            content = orjson.loads(await self._read() or b"{}")
        except orjson.JSONDecodeError:
            return None
        key = content.get("personal_api_key") if isinstance(content, dict) else None
        return key if isinstance(key, str) else None

    async def content(self, *, checked: bool) -> dict[str, Any]:
        """The JSON object; `checked`: a `query` in it must be a query. Problems 413, 415, 400."""
        raw = await self._read()
        if not raw:
            return {}
        media_type = self._request.headers.get("content-type", "application/json").partition(";")[0].strip()
        if media_type.lower() != "application/json":
            raise unsupported_media_type(media_type)
        content = _object(raw)
        if checked and content.get("query"):
            check_query(content["query"])
        return content

    async def _read(self) -> bytes:
        if self._bytes is None:
            received = bytearray()
            async for chunk in self._request.stream():
                received += chunk
                if len(received) > LARGEST_BODY:
                    raise too_large(LARGEST_BODY)
            self._bytes = bytes(received)
        return self._bytes


async def answered(answer: Callable[[], Awaitable[Response]], path: str) -> Response:
    """The answer, or the error it ended in. What nobody foresaw is logged and says nothing to the client."""
    try:
        return await answer()
    except Problem as problem:
        return problem_reply(problem)
    except Exception:
        log.exception("Unexpected error while answering %s", path)
        return problem_reply(server_error())


def problem_reply(problem: Problem) -> Response:
    """An error as a response."""
    return reply(problem.body, problem.status, problem.headers)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise parse_error(f"JSON parse error - {error}") from None
    if not isinstance(content, dict):
        raise parse_error("JSON parse error - the body must be an object")
    return content


async def _credentials(request: Request, body: Body) -> Credentials:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return Credentials(text.strip(), "Authorization header")
    if request.method in WITH_BODY and (text := await body.key() or ""):
        return Credentials(text, "body")
    if text := request.query_params.get("personal_api_key", ""):
        return Credentials(text, "query string")
    raise unauthenticated("not_authenticated", "Authentication credentials were not provided.")


def _host(request: Request) -> str:
    """As the client wrote it; the whole address is taken apart only where it says none."""
    return request.headers.get("host") or request.url.netloc


def _is_insights(path: str) -> bool:
    return path.startswith(INSIGHTS) and not path.startswith((SHARING, THRESHOLDS))


def _gone(request: Request) -> Callable[[], Awaitable[None]]:
    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return gone


async def _no_endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await problem_reply(not_found("Endpoint not found."))(scope, receive, send)
