"""An analyst's story, told live: a real client talks over stdio to a real server on the embedded backend."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from insights_mcp.local import create_project
from insights_mcp.local.demo_data import make
from insights_mcp.local.load import load

SERVE = (sys.executable, "-m", "insights_mcp", "serve", "--local")


@dataclass
class Story:
    """What differs between the data sets: the event that matters and how to slice it."""

    event: str
    breakdown: str
    since: str
    name: str
    renamed: str
    interval: str = "week"
    known: dict[str, Any] = field(default_factory=dict)

    def query(self) -> dict[str, Any]:
        """The trend the story turns on."""
        series = {"event": self.event, "math": "dau"}
        asked = {"by": self.breakdown, "limit": 5, "interval": self.interval, "from": self.since}
        return {"kind": "trends", "events": [series], **asked}


COMMITS = Story("commit authored", "repo", "-1y", "Active authors by repository", "Authors per month", "month")
PRODUCT = Story("note created", "$browser", "-60d", "Active users by browser", "Weekly active users by browser")

CONFIGURATIONS = """
Paste one of these (with your own folder after --local, or your PostHog key instead):

Claude Code
  claude mcp add insights -- {command} serve --local {folder}
  claude mcp add insights -e POSTHOG_API_KEY=phx_… -e POSTHOG_PROJECT_ID=12345 -- {command} serve

Cursor, in .cursor/mcp.json
  {cursor}

VS Code
  code --add-mcp '{vscode}'
"""


async def tell(events: Path | None) -> None:
    """Make the data, start the server, tell the story, and show how to go on."""
    with tempfile.TemporaryDirectory(prefix="insights-demo-") as folder:
        project = Path(folder) / "project"
        story = await _data(project, events)
        server = StdioServerParameters(command=SERVE[0], args=[*SERVE[1:], str(project)])
        async with Client(stdio_client(server)) as client:
            for question, tool, arguments in _scenes(story):
                await _scene(client, story, question, tool, arguments)
    command = _command()
    entry = {"command": command, "args": ["serve", "--local", "./insights-demo"]}
    click.echo(f"\nTo keep such a project: {command} demo-data --into ./insights-demo")
    click.echo(CONFIGURATIONS.format(
        command=command,
        folder="./insights-demo",
        cursor=json.dumps({"mcpServers": {"insights": entry}}),
        vscode=json.dumps({"name": "insights"} | entry),
    ))  # fmt: skip


def _command() -> str:
    """The command as it must be written here: by its path, unless a shell finds it."""
    return "insights-mcp" if shutil.which("insights-mcp") else str(Path(sys.executable).with_name("insights-mcp"))


async def _data(project: Path, events: Path | None) -> Story:
    if events is not None:
        create_project(project, name="open-source commits")
        loaded = await asyncio.to_thread(load, [events], project)
        click.echo(f"Loaded {loaded.loaded:,} events ({loaded.known:,} came twice, {loaded.refused:,} refused).")
        return COMMITS
    made = await asyncio.to_thread(make, project)
    click.echo(f"Made {made.events:,} events of a product that does not exist.")
    return PRODUCT


def _scenes(story: Story) -> list[tuple[str, str, dict[str, Any]]]:
    """Question, tool, arguments. Texts `$ID` and `$NUMBER` stand for the insight the story makes."""
    return [
        ("What data is there?", "discover_data", {}),
        (f"What is known of “{story.event}”?", "discover_data", {"kind": "properties", "event": story.event}),
        ("And which values?", "discover_data", {"kind": "values", "event": story.event, "property": story.breakdown}),
        (f"How many people a {story.interval}, by {story.breakdown}?", "run_query", {"query": story.query()}),
        ("Save that.", "create_insight", {"name": story.name, "query": story.query(), "tags": ["demo"]}),
        ("Where was it again?", "list_insights", {"search": story.name.split()[1]}),
        ("Show me.", "get_insight", {"id": "$ID"}),
        ("A better name, and one more tag.", "update_insight",
         {"id": "$ID", "name": story.renamed, "add_tags": ["weekly review"]}),
        ("Share it with the board.", "update_sharing", {"id": story.renamed, "enabled": True}),
        ("Who changed what?", "get_insight_activity", {"id": "$ID"}),
        ("We no longer need it.", "delete_insight", {"id": "$ID"}),
        ("Oh, we do!", "restore_insight", {"id": "$NUMBER"}),
    ]  # fmt: skip


async def _scene(client: Client, story: Story, question: str, tool: str, arguments: dict[str, Any]) -> None:
    given = {
        name: story.known.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()
    }
    click.secho(f"\n» {question}", bold=True)
    click.echo(f"  {tool}({json.dumps(given, ensure_ascii=False)})")
    result = await client.call_tool(tool, given)
    text = "".join(getattr(content, "text", "") for content in result.content)
    click.echo(textwrap.indent(text, "  │ ", lambda line: True))
    if result.is_error:
        raise SystemExit(f"The story ends here: {tool} failed.")
    answer = result.structured_content or {}
    if "short_id" in answer:
        story.known = {"$ID": answer["short_id"], "$NUMBER": str(answer["id"])}
