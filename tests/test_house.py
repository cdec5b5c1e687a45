"""README, server.json and the other papers say what the code says. UPDATE_SNAPSHOTS=1 rewrites what is derived."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import click
import jsonschema
import mcp_types as types
import pytest
from click.testing import CliRunner

from insights_mcp import __version__
from insights_mcp.__main__ import main
from insights_mcp.doctor import JOBS, smallest_key
from insights_mcp.local.queries import KINDS
from insights_mcp.prompting import Prompt, prompts
from insights_mcp.server import NAME, described
from insights_mcp.settings import settings_from
from insights_mcp.tools import TOOLS
from insights_mcp.tools.tool import Tool

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SERVER = ROOT / "server.json"
UPDATE = bool(os.environ.get("UPDATE_SNAPSHOTS"))
REGISTRY_NAME = "io.github.insights-mcp/insights-mcp"
SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
SETTINGS: dict[str, dict[str, Any]] = {
    "POSTHOG_API_KEY": {"description": "A personal API key (phx_…)", "isRequired": True, "isSecret": True},
    "POSTHOG_HOST": {
        "description": "PostHog's address; without it, both clouds are asked whose key it is",
        "placeholder": "https://us.posthog.com",
    },
    "POSTHOG_PROJECT_ID": {
        "description": "The project's number; may be left out for a key limited to one project",
        "placeholder": "12345",
    },
    "POSTHOG_SCOPES": {
        "description": "The key's scopes, separated by commas; without it, PostHog is asked",
        "placeholder": "insight:read,query:read",
    },
}


def blocks(language: str) -> list[str]:
    """README's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def shell_lines() -> list[str]:
    """Every line of README's shell blocks."""
    return [line for block in blocks("sh") for line in block.splitlines()]


def command_lines() -> list[str]:
    """Every line of README that starts our program."""
    return [line for line in shell_lines() if line.startswith("insights-mcp ")]


def test_tool_table() -> None:
    """README's table has every tool with its first sentence, scopes and effect."""
    rows = [
        f"| `{tool.tool_name()}` | {first_sentence(tool)} | {scopes(tool.scopes())} | {tool.effect.value} |"
        for tool in TOOLS
    ]
    header = ["| tool | what it does | scope | effect |", "|---|---|---|---|"]
    assert_derived(README, "tools", "\n" + "\n".join(header + rows) + "\n")


def test_prompt_table() -> None:
    """README's table has every prompt with its arguments."""
    rows = [f"| `{prompt.name}` | {taken(prompt)} | {prompt.description} |" for prompt in prompts().values()]
    header = ["| prompt | arguments | what it does |", "|---|---|---|"]
    assert_derived(README, "prompts", "\n" + "\n".join(header + rows) + "\n")


def test_smallest_keys() -> None:
    """README names the same smallest keys as `doctor`."""
    rows = [f"| {job} | {scopes(smallest_key(tools))} |" for job, tools in JOBS.items()]
    assert_derived(README, "scopes", "\n" + "\n".join(["| job | scopes |", "|---|---|", *rows]) + "\n")


def test_local_kinds() -> None:
    """README names the kinds of queries that the embedded backend computes."""
    assert_derived(README, "kinds", ", ".join(f"`{kind}`" for kind in sorted(KINDS)))


@pytest.mark.parametrize("paper", ["README.md", "CONTRIBUTING.md"])
def test_price_of_the_tools(paper: str) -> None:
    """The number of tokens that all tools cost, rounded, is today's."""
    assert_derived(ROOT / paper, "tokens", f"{round(int(tokens(TOOLS)), -2):,}")


def test_price_of_each_tool() -> None:
    """CONTRIBUTING lists what each tool costs."""
    priced = sorted(((round(int(tokens([tool])), -1), tool.tool_name()) for tool in TOOLS), reverse=True)
    rows = [f"| `{name}` | {price} |" for price, name in priced]
    assert_derived(
        ROOT / "CONTRIBUTING.md", "prices", "\n" + "\n".join(["| tool | tokens |", "|---|---|", *rows]) + "\n"
    )


def test_server_json() -> None:
    """server.json says what the code says."""
    if UPDATE:
        SERVER.write_text(json.dumps(server_json(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    assert server_json() == json.loads(SERVER.read_text("utf-8"))


def test_server_json_is_valid() -> None:
    """The registry accepts it (its schema lies beside this test, without the examples)."""
    schema = json.loads((Path(__file__).parent / "server.schema.json").read_text("utf-8"))
    jsonschema.validate(json.loads(SERVER.read_text("utf-8")), schema, jsonschema.Draft7Validator)


def test_registry_name() -> None:
    """README carries the name by which the registry finds out whose package it is."""
    assert f"\n<!-- mcp-name: {REGISTRY_NAME} -->\n" in README.read_text("utf-8")


def test_one_version() -> None:
    """pyproject.toml and CHANGELOG.md know the version the code has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[0]
    assert (project["name"], project["version"], newest) == (NAME, __version__, __version__)


def test_settings_table() -> None:
    """README's settings are those that are read, and so are server.json's."""
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", README.read_text("utf-8"), re.MULTILINE))
    assert documented - {"INSIGHTS_MCP_LOG"} == settings_read() == set(SETTINGS)


def test_install_links() -> None:
    """The install links of Cursor and VS Code hold what the JSON beside them says."""
    entry = next(c for c in configurations() if "mcpServers" in c)["mcpServers"]["insights"]
    added = next(c for c in configurations() if c.get("name") == "insights")
    assert added == {"name": "insights", **entry}
    readme = README.read_text("utf-8")
    wanted = readme.replace("CURSOR_LINK", cursor_link(entry)).replace("VSCODE_LINK", vscode_link(entry))
    if UPDATE and wanted != readme:
        README.write_text(wanted, "utf-8")
    links = dict(re.findall(r"\*\*(Cursor|VS Code)\*\*: \[install\]\((\S+)\)", wanted))
    assert links == {"Cursor": cursor_link(entry), "VS Code": vscode_link(entry)}
    held = parse_qs(urlsplit(links["Cursor"]).query)["config"][0]
    assert entry == json.loads(base64.b64decode(held))


@pytest.mark.parametrize("line", command_lines())
def test_commands_parse(line: str) -> None:
    """Each command of README is one the program understands."""
    _, name, *arguments = shlex.split(line)
    context = main.commands[name].make_context(name, arguments)
    assert isinstance(context, click.Context)


def test_every_command_is_documented() -> None:
    """README shows each command at least once."""
    shown = {shlex.split(line)[1] for line in command_lines()}
    assert set(main.commands) - {"demo"} == shown
    assert "insights-mcp demo" in (ROOT / "Makefile").read_text("utf-8")


def test_commands_that_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What README does on a local project works as it stands there."""
    monkeypatch.chdir(tmp_path)
    csv = "action,at,visitor,page\nvisit,2026-01-05T10:00:00Z,ann,/\nvisit,2026-01-06T10:00:00Z,bob,/prices\n"
    (tmp_path / "visits.csv").write_text(csv, "utf-8")
    runnable = re.compile(r"tools|prompts|demo-data|load visits|call .*--local|local-key")
    lines = [line for line in command_lines() if runnable.match(line.removeprefix("insights-mcp "))]
    assert len(lines) == 8
    for line in sorted(lines, key=lambda line: " demo-data " not in line):
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert (line, 0) == (line, done.exit_code), done.output


def test_no_registry_is_named() -> None:
    """Which registry packages come from is the user's choice: the lock names none."""
    assert "://" not in (ROOT / "requirements.lock").read_text("utf-8")


def test_lock_is_complete() -> None:
    """Everything pyproject.toml asks for stands in the lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    asked = sum(extras, project["project"]["dependencies"])
    names = {re.split(r"[><=; ]", line)[0] for line in asked + project["dependency-groups"]["dev"]}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))
    assert set() == names - locked


def assert_derived(file: Path, mark: str, wanted: str) -> None:
    """What stands between the marks is `wanted`; with UPDATE_SNAPSHOTS it is put there."""
    text = file.read_text("utf-8")
    between = re.compile(rf"(?<=<!-- {mark} -->).*?(?=<!-- /{mark} -->)", re.DOTALL)
    if UPDATE:
        file.write_text(between.sub(lambda _: wanted, text), "utf-8")
        return
    assert [wanted] == between.findall(text), f"{file.name} is behind the code: make update-snapshots"


def tokens(tools: Iterable[type[Tool]]) -> float:
    """What these tools cost in `tools/list`: characters / 4."""
    listed = types.ListToolsResult(tools=[described(tool) for tool in tools])
    return len(listed.model_dump_json(by_alias=True, exclude_none=True)) / 4


def first_sentence(tool: type[Tool]) -> str:
    """What a tool does, for people: its description up to the first full stop."""
    text = " ".join((tool.__doc__ or "").split())
    return re.split(r"(?<=\.) ", text)[0].replace("|", "\\|")


def taken(prompt: Prompt) -> str:
    """A prompt's arguments as they stand in a table."""
    return ", ".join(f"`{a.name}`{' (required)' if a.required else ''}" for a in prompt.arguments)


def scopes(names: Iterable[str]) -> str:
    """Scopes as they stand in a table."""
    return ", ".join(f"`{name}`" for name in names)


def server_json() -> dict[str, Any]:
    """The registry's entry."""
    return {
        "$schema": SCHEMA,
        "name": REGISTRY_NAME,
        "title": "PostHog insights",
        "description": "Ask, create and manage product-analytics insights: on PostHog, or on local event files",
        "version": __version__,
        "packages": [
            {
                "registryType": "pypi",
                "identifier": NAME,
                "version": __version__,
                "runtimeHint": "uvx",
                "transport": {"type": "stdio"},
                "packageArguments": [{"type": "positional", "value": "serve"}],
                "environmentVariables": [{"name": name, **told} for name, told in SETTINGS.items()],
            }
        ],
    }


def settings_read() -> set[str]:
    """The names that settings are read by."""

    class Asked(dict[str, str]):
        names: set[str] = set()

        def get(self, name: str, default: Any = None) -> Any:
            self.names.add(name)
            return super().get(name, default)

    environment = Asked(POSTHOG_API_KEY="phx_any")
    settings_from(environment)
    return environment.names


def configurations() -> list[dict[str, Any]]:
    """Every client configuration in README that is JSON."""
    added = [shlex.split(line)[2] for line in shell_lines() if line.startswith("code --add-mcp")]
    return [json.loads(text) for text in blocks("json") + added]


def cursor_link(entry: dict[str, Any]) -> str:
    """Cursor's install link: the entry in base64."""
    config = base64.b64encode(json.dumps(entry, separators=(",", ":")).encode()).decode()
    return f"https://cursor.com/en/install-mcp?name=insights&config={quote(config, safe='')}"


def vscode_link(entry: dict[str, Any]) -> str:
    """VS Code's install link: it asks for what is personal."""
    inputs = [
        {"id": "key", "type": "promptString", "description": "PostHog personal API key", "password": True},
        {"id": "project", "type": "promptString", "description": "PostHog project number"},
    ]
    asked = {"POSTHOG_API_KEY": "${input:key}", "POSTHOG_PROJECT_ID": "${input:project}"}
    config = json.dumps(entry | {"env": asked}, separators=(",", ":"))
    query = f"inputs={quote(json.dumps(inputs, separators=(',', ':')), safe='')}&config={quote(config, safe='')}"
    return f"https://insiders.vscode.dev/redirect/mcp/install?name=insights&{query}"
