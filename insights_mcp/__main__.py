"""The command line: serve, call, tools, prompts, doctor; for the embedded backend load, demo-data, local-api, demo."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from insights_mcp import __version__
from insights_mcp.arguments import argument, pair
from insights_mcp.connecting import connected, local_extra, opened
from insights_mcp.errors import InsightsError, SettingsError

local_option = click.option(
    "--local", type=click.Path(path_type=Path), help="Work on this folder (or events file) instead of PostHog."
)
strict_option = click.option(
    "--strict-keys", is_flag=True, help="With --local: refuse what PostHog refuses to API keys."
)
read_only_option = click.option("--read-only", is_flag=True, help="Leave out every tool that changes anything.")


class Foreseen(click.Group):
    """A group whose commands end with the message of a failure that was foreseen, not with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InsightsError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Foreseen, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="insights-mcp")
def main() -> None:
    """Product-analytics insights for AI assistants: on PostHog, or on local event files."""
    logging.basicConfig(level=os.environ.get("INSIGHTS_MCP_LOG", "WARNING").upper(), stream=sys.stderr)
    logging.getLogger("stamina").setLevel(logging.ERROR)  # a retry is no news


@main.command()
@local_option
@read_only_option
@strict_option
def serve(local: Path | None, read_only: bool, strict_keys: bool) -> None:
    """Serve MCP over standard input and output."""
    gc.disable()  # nothing that is imported from here on becomes garbage
    from mcp.server.stdio import stdio_server

    from insights_mcp.server import build_server

    async def run() -> None:
        async with connected(local, strict_keys) as client:
            server = build_server(client, read_only=read_only)
            gc.freeze()
            gc.enable()
            async with stdio_server() as (incoming, outgoing):
                await server.run(incoming, outgoing, server.create_initialization_options())

    asyncio.run(run())


@main.command()
@click.argument("tool")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]…")
@click.option("--json", "as_json", is_flag=True, help="Print the structured answer.")
@click.option("--chart", type=click.Path(path_type=Path), help="Draw the result into this file: .png or .svg.")
@local_option
@read_only_option
@strict_option
def call(
    tool: str,
    arguments: tuple[str, ...],
    as_json: bool,
    chart: Path | None,
    local: Path | None,
    read_only: bool,
    strict_keys: bool,
) -> None:
    """Call a tool as an assistant would. A value may be JSON, or @FILE."""
    from mcp import Client as McpClient

    from insights_mcp.chart_file import implied, picture_in, write
    from insights_mcp.server import BY_NAME, build_server
    from insights_mcp.tools.tool import input_schema

    properties = input_schema(BY_NAME[tool])["properties"] if tool in BY_NAME else {}
    given = dict(argument(text, properties) for text in arguments)
    given |= implied(chart, tool, properties) if chart else {}

    async def run() -> tuple[str, bool, bytes]:
        async with connected(local, strict_keys) as client, McpClient(build_server(client, read_only=read_only)) as mcp:
            result = await mcp.call_tool(tool, given)
        text = "".join(getattr(content, "text", "") for content in result.content)
        shown = json.dumps(result.structured_content, indent=2, ensure_ascii=False) if as_json else text
        return shown, bool(result.is_error), picture_in(result.content)

    shown, failed, picture = asyncio.run(run())
    click.echo(shown, err=failed and not as_json)
    if chart and not failed:
        write(chart, picture)
        click.echo(f"The chart is in {chart}.", err=True)
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("uri")
@local_option
@strict_option
def read(uri: str, local: Path | None, strict_keys: bool) -> None:
    """Print a resource, such as insight://ID/result?format=json; without offset or limit all of its pages."""
    from insights_mcp.reading import everything

    async def run() -> str:
        async with connected(local, strict_keys) as client:
            return await everything(client, uri)

    sys.stdout.buffer.write(asyncio.run(run()).encode("utf-8", "replace"))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print name, scopes, effect and description as JSON.")
def tools(as_json: bool) -> None:
    """List the tools, with the scopes they need and their effect."""
    from insights_mcp.tools import TOOLS

    rows = [
        {"name": t.tool_name(), "effect": t.effect.value, "scopes": list(t.scopes()), "title": t.title} for t in TOOLS
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']:<24} {row['effect']:<12} {', '.join(row['scopes']):<44} {row['title']}")


@main.command()
@click.argument("name", required=False)
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]…")
def prompts(name: str | None, arguments: tuple[str, ...]) -> None:
    """List the prompts; or print one as the model reads it."""
    from insights_mcp import prompting

    if name is not None:
        given = (pair(text) for text in arguments)
        click.echo(prompting.known(name).filled(dict(given)))
        return
    for prompt in prompting.prompts().values():
        takes = " ".join(a.name if a.required else f"[{a.name}]" for a in prompt.arguments)
        click.echo(f"{prompt.name:<22} {takes:<30} {prompt.description}")


@main.command()
@local_option
@strict_option
def doctor(local: Path | None, strict_keys: bool) -> None:
    """Check settings, host, key, scopes and project; say which tools are hidden, and why."""
    from insights_mcp.doctor import examine

    async def run() -> bool:
        async with connected(local, strict_keys) as client:
            well = True
            async for finding in examine(client):
                well = well and finding.well
                click.echo(f"{'ok  ' if finding.well else 'FAIL'} {finding.name:<9} {finding.text}")
        return well

    sys.exit(0 if asyncio.run(run()) else 1)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--into", type=click.Path(path_type=Path), required=True, help="The project folder; made when new.")
@click.option("--timezone", default="UTC", help="Time zone of a new project.")
@click.option("--event", default="event", help="Column that holds the event's name.")
@click.option("--timestamp", default="timestamp", help="Column that holds the time.")
@click.option("--distinct-id", default="distinct_id", help="Column that says who did it.")
@click.option("--uuid", default="uuid", help="Column that tells events apart.")
@click.option("--properties", default="properties", help="Column with the properties; without it all others are.")
@click.option("--person-id", default="person_id", help="Column with the person's id.")
@click.option("--person-properties", default="person_properties", help="Column with the person's properties.")
def load(files: tuple[str, ...], into: Path, timezone: str, **columns: str) -> None:
    """Load events from JSONL, CSV or Parquet files (each also gzipped) into a project folder."""
    with local_extra():
        from insights_mcp.local import create_project
        from insights_mcp.local.load import Columns
        from insights_mcp.local.load import load as load_files

        create_project(into, name=into.resolve().name, timezone=timezone)
        with click.progressbar(length=1000, label="loading", file=sys.stderr) as bar:
            loaded = load_files(
                [Path(file) for file in files], into, columns=Columns(**columns), progress=_drawn_on(bar)
            )
    click.echo(f"{loaded.loaded:,} events loaded, {loaded.known:,} already known, {loaded.refused:,} refused.")
    if loaded.refusals:
        click.echo(f"Why each was refused: {loaded.refusals}")
    span = f", {loaded.first:%Y-%m-%d} to {loaded.last:%Y-%m-%d}" if loaded.first and loaded.last else ""
    click.echo(f"{into} now holds {loaded.events:,} events{span}. Serve it: insights-mcp serve --local {into}")


@main.command(name="demo-data")
@click.option("--into", type=click.Path(path_type=Path), required=True, help="The project folder; new or empty.")
@click.option("--days", type=click.IntRange(30, 400), default=120, help="Days of history that end today.")
@click.option("--users", type=click.IntRange(50, 100_000), default=1_500, help="People who sign up.")
def demo_data(into: Path, days: int, users: int) -> None:
    """Make up a SaaS product's events, dashboards, insights, alerts and history; always the same, ending today."""
    with local_extra():
        from insights_mcp.local.demo_data import make

        with click.progressbar(length=1000, label="making", file=sys.stderr) as bar:
            made = make(into, days=days, users=users, progress=_drawn_on(bar))
    click.echo(f"{into} holds {made.events:,} events and {made.insights} insights. Serve it: "
               f"insights-mcp serve --local {into}")  # fmt: skip


@main.command(name="local-api")
@click.option("--local", type=click.Path(path_type=Path), required=True, help="The project folder (or events file).")
@click.option("--port", type=click.IntRange(1, 65535), default=8123, help="Port on 127.0.0.1.")
@strict_option
def local_api(local: Path, port: int, strict_keys: bool) -> None:
    """Serve the embedded backend's API and shared pages on 127.0.0.1, for curl and other PostHog clients."""
    with local_extra():
        import uvicorn

        backend = opened(local, strict_keys)
    if key := os.environ.get("POSTHOG_API_KEY", "").strip():
        backend.add_key(key)
    shown = "the one in POSTHOG_API_KEY" if key else backend.owner_key
    click.echo(f"http://127.0.0.1:{port}/api/projects/{backend.project_id}/insights/\nAPI key: {shown}", err=True)
    try:
        uvicorn.run(backend.app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
    finally:
        backend.close()


@main.command(name="local-key")
@click.option("--local", type=click.Path(path_type=Path), required=True, help="The project folder.")
@click.option("--scopes", required=True, help="Scopes, separated by commas; * for all.")
@click.option("--label", default="made by local-key", help="What it is for.")
def local_key(local: Path, scopes: str, label: str) -> None:
    """Make an API key for the embedded backend. It is shown this once."""
    from insights_mcp.scopes import is_scope

    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    if not wanted or not all(map(is_scope, wanted)):
        raise SettingsError("--scopes holds what is no scope.", "Give scopes like insight:read,query:read.")
    backend = opened(local, strict_keys=False)
    try:
        click.echo(backend.create_key(label, wanted))
    finally:
        backend.close()


@main.command()
@click.option("--events", type=click.Path(path_type=Path), help="Tell the story on these commits instead of demo data.")
def demo(events: Path | None) -> None:
    """An analyst's story on the embedded backend: each question, the call, and what the assistant reads."""
    from insights_mcp.demo import tell

    with local_extra():
        asyncio.run(tell(events))


def _drawn_on(bar: Any) -> Callable[[float, str], None]:
    """Progress from 0 to 1, drawn on a bar of 1,000 steps."""

    def draw(fraction: float, message: str) -> None:
        bar.label = f"{message[:30]:<30}"
        bar.update(max(0, round(fraction * 1000) - bar.pos))

    return draw


if __name__ == "__main__":
    main()
