"""The laws that hold for every endpoint and every tool. A new one is tested here without anyone writing a test."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import mcp_types
import pytest

import insights_mcp
from insights_mcp.answer import FULL, SUMMARY
from insights_mcp.endpoint import Effect, Endpoint
from insights_mcp.endpoints import CATALOGUE, PUBLISHED
from insights_mcp.errors import ApiError, BadReply, InvalidInput, MissingScope
from insights_mcp.scopes import Scope, Scopes
from insights_mcp.server import described
from insights_mcp.text import UNSAFE
from insights_mcp.tools import TOOLS
from insights_mcp.tools.tool import Detailed, Tool
from tests.asking import assistant, connection
from tests.loopback import Loopback
from tests.samples import arguments_of, call_of, parts_of, pattern, play

SNAPSHOTS = Path(__file__).parent / "snapshots"
MOST_CHARACTERS = 16_000
MOST_TOKENS = 6_000
# The one published endpoint without a tool of its own: it always answers 405; delete_insight does what it is for.
NOT_CALLED = {"DestroyInsight"}

every_tool = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.tool_name())
every_endpoint = pytest.mark.parametrize("endpoint", CATALOGUE, ids=lambda endpoint: endpoint.__name__)


def listed(tool: type[Tool]) -> dict[str, Any]:
    """The tool as tools/list sends it."""
    found: dict[str, Any] = described(tool).model_dump(by_alias=True, exclude_none=True, mode="json")
    return found


# 1: what is published changes only where a review sees it


@every_tool
def test_a_tool_is_as_its_snapshot_says(tool: type[Tool]) -> None:
    """Name, description, schemas, hints and scopes. UPDATE_SNAPSHOTS=1 rewrites them; then read the diff."""
    file = SNAPSHOTS / f"{tool.tool_name()}.json"
    now = json.dumps({"scopes": tool.scopes(), **listed(tool)}, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(now, "utf-8")
    assert file.read_text("utf-8") == now


def test_every_snapshot_has_its_tool() -> None:
    """No snapshot outlives its tool."""
    if os.environ.get("UPDATE_SNAPSHOTS"):
        for file in SNAPSHOTS.glob("*.json"):
            if file.stem not in {t.tool_name() for t in TOOLS}:
                file.unlink()
    assert {tool.tool_name() for tool in TOOLS} == {file.stem for file in SNAPSHOTS.glob("*.json")}


# 2: schemas every client understands


@every_tool
def test_the_input_schema_is_a_plain_object(tool: type[Tool]) -> None:
    """Its root is an object without alternatives."""
    schema = listed(tool)["inputSchema"]
    assert ("object", set[str]()) == (schema["type"], set(schema) & {"anyOf", "oneOf", "allOf"})


@every_tool
def test_every_property_is_described(tool: type[Tool]) -> None:
    """A model learns from the description what to give."""
    properties = listed(tool)["inputSchema"]["properties"]
    assert [] == [name for name, schema in properties.items() if not schema.get("description")]


@every_tool
def test_every_array_says_what_is_in_it(tool: type[Tool]) -> None:
    """Some clients refuse an array without items."""
    parts = [p for key in ("inputSchema", "outputSchema") for p in parts_of(listed(tool)[key])]
    assert [] == [part for part in parts if part.get("type") == "array" and "items" not in part]


@every_tool
def test_schemas_hold_no_noise(tool: type[Tool]) -> None:
    """No titles, references or null alternatives: they cost tokens and trouble clients."""
    parts = list(parts_of(listed(tool)["inputSchema"]))
    nulls = [p for p in parts if {"type": "null"} in p.get("anyOf", ()) or p.get("type") == "null"]
    noise = [key for part in parts for key in part if key in ("title", "$ref", "$defs", "allOf")]
    assert ([], []) == (nulls, noise)


@every_tool
def test_schemas_are_valid(tool: type[Tool]) -> None:
    """Both are JSON Schema."""
    for key in ("inputSchema", "outputSchema"):
        jsonschema.Draft202012Validator.check_schema(listed(tool)[key])


@every_tool
def test_a_tool_is_small(tool: type[Tool]) -> None:
    """Its name has at most 64 characters, all of it fewer than 16,000."""
    size = len(json.dumps(listed(tool)))
    assert len(tool.tool_name()) <= 64
    assert size < MOST_CHARACTERS, f"{tool.tool_name()} has {size} characters"


def test_names_are_given_once() -> None:
    """No two tools share a name."""
    names = [tool.tool_name() for tool in TOOLS]
    assert sorted(set(names)) == sorted(names)


# 3: hints


@every_tool
def test_hints_are_all_set(tool: type[Tool]) -> None:
    """Clients assume the worst of what is not said."""
    hints = described(tool).annotations or mcp_types.ToolAnnotations()
    assert None not in (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)


@every_tool
def test_nothing_is_read_only_and_destructive(tool: type[Tool]) -> None:
    """A tool that reads destroys nothing."""
    hints = described(tool).annotations or mcp_types.ToolAnnotations()
    assert not (hints.read_only_hint and hints.destructive_hint)


@every_tool
def test_a_tool_does_no_more_than_it_declares(tool: type[Tool]) -> None:
    """A read-only tool uses endpoints that read; cancelling what it started itself apart."""
    worse = [e.__name__ for e in (*tool.uses, *tool.may_use) if e.route.effect is not Effect.READ]
    assert tool.effect is not Effect.READ or [] == worse


# 4: scopes


def without(scope: Scope) -> Scopes:
    """Every scope but this one and those that imply it."""
    name, _, action = scope.partition(":")
    gone = {scope} | ({f"{name}:write"} if action == "read" else set())
    return Scopes({*Scope} - gone)


@pytest.mark.anyio
@every_endpoint
async def test_no_request_leaves_without_the_scope(endpoint: type[Endpoint[Any]], posthog: Loopback) -> None:
    """The scope is checked before any byte is sent."""
    if endpoint.route.scope is None:
        pytest.skip("any key may call it")
    async with connection(posthog, scopes=without(endpoint.route.scope)) as client:
        with pytest.raises(MissingScope, match=endpoint.route.scope):
            await client.send(call_of(endpoint))
    assert [] == posthog.received


@pytest.mark.anyio
@every_tool
async def test_a_tool_without_its_scope_is_hidden(tool: type[Tool], posthog: Loopback) -> None:
    """It is not listed; called all the same, it names the scope and sends nothing."""
    for scope in tool.scopes():
        async with assistant(posthog, scopes=without(scope)) as user:
            assert tool.tool_name() not in await user.tools()
            told = await user.call(tool.tool_name(), **arguments_of(tool))
            assert (True, True) == (told.failed, scope in told.text)
    assert [] == posthog.received


@pytest.mark.anyio
@every_tool
async def test_the_scopes_of_a_tool_are_enough(tool: type[Tool], posthog: Loopback) -> None:
    """What it says it needs is all it needs, when the insight is given by number."""
    play(posthog)
    async with assistant(posthog, scopes=Scopes(tool.scopes())) as user:
        assert tool.tool_name() in await user.tools()
        told = await user.call(tool.tool_name(), **arguments_of(tool))
    assert "scope" not in told.text


# 5: what is put into a path stays in its segment

EVIL = ["..", ".", "", "a/b", "../../x", "%2e%2e", "%2F", "a\x00b", "a\nb", "a\r\nHost: evil", "ü/💥", "a?b=c",
        "a#b", " ", "..;/x", "\\..\\x", "\ud800", "@current", "a" * 3000]  # fmt: skip


def path_texts() -> Iterator[tuple[type[Endpoint[Any]], str]]:
    """Every path field that takes text."""
    for endpoint in CATALOGUE:
        for name in endpoint.route.path_fields:
            if "str" in str(endpoint.model_fields[name].annotation):
                yield endpoint, name


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("endpoint", "name"), list(path_texts()), ids=lambda v: v if isinstance(v, str) else v.__name__
)
async def test_a_path_field_stays_in_its_segment(endpoint: type[Endpoint[Any]], name: str, posthog: Loopback) -> None:
    """The server gets the very text, in the one segment meant for it; or nothing gets out."""
    place = endpoint.route.path.split("/").index(f"{{{name}}}")
    async with connection(posthog, scopes=Scopes(["*"])) as client:
        for evil in EVIL:
            posthog.received.clear()
            try:
                await client.send(call_of(endpoint, **{name: evil}))
            except InvalidInput:
                assert [] == posthog.received
                continue
            except (ApiError, BadReply):
                pass
            (got,) = posthog.received
            assert (evil, len(endpoint.route.path.split("/"))) == (
                unquote(got.path.split("/")[place]),
                len(got.path.split("/")),
            )


@every_endpoint
def test_numbers_in_paths_are_numbers(endpoint: type[Endpoint[Any]]) -> None:
    """A path field that takes no text takes only numbers."""
    with_text = {name for e, name in path_texts() if e is endpoint}
    for name in set(endpoint.route.path_fields) - with_text:
        with pytest.raises(ValueError, match=name):
            call_of(endpoint, **{name: "../x"})


@every_endpoint
def test_a_call_fills_its_path(endpoint: type[Endpoint[Any]]) -> None:
    """Every name in the path is a field or the project."""
    assert set(endpoint.route.path_fields) <= set(endpoint.model_fields)
    assert "{" not in call_of(endpoint).request(1).path


# 7: answers


@pytest.mark.anyio
@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
@pytest.mark.parametrize("all_of_them", [False, True], ids=["few", "all"])
@every_tool
async def test_answers_keep_schema_and_budget(
    tool: type[Tool], all_of_them: bool, hostile: bool, posthog: Loopback
) -> None:
    """Whatever PostHog sends: the schema holds, both forms fit, and nothing unsafe or secret passes through."""
    play(posthog, hostile=hostile)
    details = ["summary", "full"] if issubclass(tool, Detailed) else [None]
    async with assistant(posthog) as user:
        for detail in details:
            given = arguments_of(tool, all_of_them=all_of_them) | ({"detail": detail} if detail else {})
            told = await user.call(tool.tool_name(), **given)
            jsonschema.validate(told.structured, listed(tool)["outputSchema"])
            size = max(len(told.text), len(json.dumps(told.structured, separators=(",", ":"), ensure_ascii=False)))
            budget = 4 * (FULL if detail == "full" else SUMMARY)
            assert size <= budget, f"{size} characters, {budget} at most"
            assert UNSAFE.search(told.text.replace("\n", "")) is None
            assert detail == "full" or "SomebodyElsesKey" not in told.text
            assert hostile or not told.failed or "discover_data" in told.text, told.text


# 9: the price everybody pays


def test_the_listing_is_small() -> None:
    """All tools together, as every client sends them with every request."""
    size = len(json.dumps([listed(tool) for tool in TOOLS], separators=(",", ":"), ensure_ascii=False)) / 4
    assert size <= MOST_TOKENS, (
        f"tools/list has {size:,.0f} tokens (characters / 4); at most {MOST_TOKENS:,} are allowed"
    )


# completeness and order


@pytest.mark.parametrize("endpoint", PUBLISHED, ids=lambda endpoint: endpoint.__name__)
def test_every_published_endpoint_has_a_tool(endpoint: type[Endpoint[Any]]) -> None:
    """Each of PostHog's 19 is used by a tool."""
    users = [tool.tool_name() for tool in TOOLS if endpoint in (*tool.uses, *tool.may_use)]
    assert users or endpoint.__name__ in NOT_CALLED


def test_nineteen_endpoints_are_published() -> None:
    """As many as PostHog's page has, each once."""
    assert (19, 19) == (len(PUBLISHED), len(set(PUBLISHED)))


def test_paths_do_not_meet() -> None:
    """No two endpoints share method and path."""
    routes = [(endpoint.route.method, pattern(endpoint)) for endpoint in CATALOGUE]
    assert len(routes) == len(set(routes))


LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"", "scopes", "errors", "text"}),
    frozenset({"settings", "schema", "box"}),
    frozenset({"endpoint", "answer", "repair", "words"}),
    frozenset(
        {"endpoints", "failures", "transport", "replies", "analysis", "follow_ups", "charts", "stories", "watching"}
    ),
    frozenset({"client"}),
    frozenset({"computation", "references", "handles", "recent"}),
    frozenset({"diagnosis"}),
    frozenset({"tools"}),
    frozenset({"prompting", "completion", "resources", "insight_resources"}),
    frozenset({"server", "doctor", "chart_file"}),
    frozenset({"arguments", "connecting", "demo", "reading", "__main__"}),
)
LOCAL_IMPORTS = {
    "local", "box", "schema", "endpoint", "endpoints", "scopes", "errors", "analysis", "follow_ups", "watching"
}  # fmt: skip
ROOT = Path(insights_mcp.__file__).parent


def imports(file: Path) -> Iterator[str]:
    """The parts of insights_mcp that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names = [node.module or ""]
            if node.module == "insights_mcp":
                names = [f"insights_mcp.{a.name}" if a.name in PARTS else "insights_mcp" for a in node.names]
        yield from (name.split(".")[1] if "." in name else "" for name in names if name.split(".")[0] == "insights_mcp")


PARTS = {path.stem if path.suffix == ".py" else path.name for path in ROOT.iterdir()}
FILES = sorted(path for path in ROOT.rglob("*.py"))


def part_of(file: Path) -> str:
    """The part of insights_mcp a file belongs to."""
    first = file.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_go_one_way(file: Path) -> None:
    """Import order is reading order; `local` stands apart, and only the command line knows it."""
    part, found = part_of(file), set(imports(file))
    if part == "local":
        assert found <= LOCAL_IMPORTS
    else:
        below = frozenset[str]().union(*LAYERS[: 1 + next(n for n, layer in enumerate(LAYERS) if part in layer)])
        assert found <= below | ({"local"} if part in ("__main__", "connecting", "demo") else set())
