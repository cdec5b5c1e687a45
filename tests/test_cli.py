"""The command line, used as a person would: in a process of its own, on demo data, with bad input."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from insights_mcp.local.demo_data import make
from insights_mcp.prompting import prompts
from insights_mcp.tools import TOOLS

COMMAND = [sys.executable, "-W", "error", "-m", "insights_mcp"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("POSTHOG_")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo project."""
    folder = tmp_path_factory.mktemp("demo") / "project"
    make(folder, days=100, users=120)
    return folder


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command; its result with output as text."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=CLEAN | environment,
        check=False,
    )


def failed(*arguments: str | Path, **environment: str) -> str:
    """Run a command that must fail without a traceback: what it said."""
    done = run(*arguments, **environment)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr + done.stdout


def test_tools_lists_every_tool() -> None:
    """`tools` names all tools."""
    assert [t.tool_name() for t in TOOLS] == [line.split()[0] for line in run("tools").stdout.splitlines()]


def test_read_prints_a_whole_result(project: Path) -> None:
    """`read` prints every page of a resource, one header; what cannot be read is explained."""
    address = "insight://Weekly%20active%20users/result"
    lines = run("read", address, "--local", project).stdout.splitlines()
    rows = json.loads(run("read", f"{address}?format=json", "--local", project).stdout)["rows"]
    assert ("series,date,value,partial", len(rows)) == (lines[0], len(lines) - 1)
    assert 2 == len(run("read", f"{address}?limit=1", "--local", project).stdout.splitlines())
    assert "list_insights" in failed("read", "insight://nobody/result", "--local", project)


def test_prompts_lists_every_prompt() -> None:
    """`prompts` names all prompts."""
    assert list(prompts()) == [line.split()[0] for line in run("prompts").stdout.splitlines()]


def test_prompts_prints_one_as_the_model_reads_it() -> None:
    """With what it is given; what is wrong with that is said."""
    assert 'get_dashboard(id="Growth")' in run("prompts", "weekly-review", "dashboard=Growth").stdout
    assert "did you mean 'weekly-review'?" in failed("prompts", "weekly-reviev")


def test_call_prints_what_the_assistant_reads(project: Path) -> None:
    """`call` prints the text of the answer."""
    assert "Weekly active users" in run("call", "--local", project, "get_insight", "id=3").stdout


def test_call_json_prints_the_structured_answer(project: Path) -> None:
    """`call --json` prints the structured answer."""
    answer = json.loads(run("call", "--local", project, "--json", "list_insights", "limit=2").stdout)
    assert 2 == len(answer["rows"])


def test_call_reads_an_argument_from_a_file(project: Path, tmp_path: Path) -> None:
    """`name=@FILE` is the file's text."""
    file = tmp_path / "query.json"
    file.write_text('{"kind": "HogQLQuery", "query": "select count() from events where event = \'signed up\'"}')
    assert "count()" in run("call", "--local", project, "run_query", f"query=@{file}").stdout


def test_an_argument_that_is_text_stays_text(project: Path) -> None:
    """A short_id of digits, or one like 1e5, is not read as a number."""
    assert '"1e5"' in failed("call", "--local", project, "get_insight", "id=1e5")


def test_a_failed_call_exits_with_1(project: Path) -> None:
    """A call that fails ends with status 1 and says why."""
    said = failed("call", "--local", project, "get_insight", "id=nosuch")
    assert 'There is no insight "nosuch"' in said


def test_an_unknown_tool_is_named_with_the_nearest(project: Path) -> None:
    """A misspelt tool gets the right name."""
    assert "did you mean 'get_insight'?" in failed("call", "--local", project, "get_insigth", "id=1")


def test_read_only_has_no_writes(project: Path) -> None:
    """With --read-only a write is refused, and says so."""
    assert "read-only" in failed("call", "--local", project, "--read-only", "delete_insight", "id=1")


def test_strict_keys_fall_back(project: Path) -> None:
    """Where PostHog refuses keys, the tool does its job another way and says which."""
    said = run("call", "--local", project, "--strict-keys", "list_trending_insights").stdout
    assert "this is the list by last view" in said


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "POSTHOG_API_KEY is not set"),
        ({"POSTHOG_API_KEY": "phc_project"}, "project key"),
        ({"POSTHOG_API_KEY": "phx_x", "POSTHOG_HOST": "https://us.posthog.com/project/1"}, "more than a host name"),
        ({"POSTHOG_API_KEY": "phx_x", "POSTHOG_HOST": "ftp://x.example"}, "not the address of a server"),
        ({"POSTHOG_API_KEY": "phx_x", "POSTHOG_PROJECT_ID": "@current"}, "not a project's number"),
        ({"POSTHOG_API_KEY": "phx_x", "POSTHOG_SCOPES": "read everything"}, "which is no scope"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], expected: str) -> None:
    """Each setting that makes no sense is said to be so, and how to mend it."""
    assert expected in failed("call", "list_insights", **environment)


def test_doctor_is_content_with_a_local_project(project: Path) -> None:
    """On a local project everything is well, and the smallest keys are named."""
    said = run("doctor", "--local", project).stdout
    assert "FAIL" not in said
    assert "smallest key: event_definition:read, insight:write" in said


def test_doctor_names_hidden_tools_and_the_scope_they_lack(project: Path) -> None:
    """A key without a scope: which tools are hidden, and by what."""
    key = run("local-key", "--local", project, "--scopes", "insight:read").stdout.strip()
    with served(project) as host:
        said = run("doctor", POSTHOG_API_KEY=key, POSTHOG_HOST=host, POSTHOG_PROJECT_ID="1").stdout
    assert re.search(r"hidden +run_query, .*cancel_query: add the scope query:read", said)


def test_doctor_fails_when_the_key_is_wrong(project: Path) -> None:
    """A wrong key is the finding, with what to do."""
    with served(project) as host:
        said = failed("doctor", POSTHOG_API_KEY="phx_wrong_key_12345", POSTHOG_HOST=host, POSTHOG_PROJECT_ID="1")
    assert "does not accept the API key" in said


def test_load_tells_loaded_known_and_refused(tmp_path: Path) -> None:
    """`load` counts, and lists what it refused in a file."""
    file = tmp_path / "events.jsonl"
    good = {"uuid": "92f572f8-4890-36f4-43fb-e8a080868353", "event": "x", "timestamp": "2026-01-01T00:00:00Z"}
    rows = [good | {"distinct_id": "a"}, good | {"distinct_id": "a"}, {"event": "no time", "distinct_id": "a"}]
    file.write_text("\n".join(map(json.dumps, rows)))
    said = run("load", file, "--into", tmp_path / "project").stdout
    assert "1 events loaded, 1 already known, 1 refused." in said
    assert "Why each was refused: " in said


@pytest.mark.parametrize("name", ["nosuch.jsonl", "broken.jsonl.gz", "broken.parquet", "noise.bin"])
def test_load_says_what_is_wrong_with_a_file(tmp_path: Path, name: str) -> None:
    """A file that is not there, or broken, is named."""
    if not name.startswith("nosuch"):
        (tmp_path / name).write_bytes(b"\x1f\x8b\x08\x00broken\x00\xff" * 9)
    assert name in failed("load", tmp_path / name, "--into", tmp_path / "project")


def test_a_local_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """`--local` on nothing says how to make something."""
    assert "insights-mcp load FILE --into PATH" in failed("call", "--local", tmp_path / "no", "list_insights")


def test_an_events_file_is_served_as_it_is(tmp_path: Path) -> None:
    """`--local FILE` loads the file into a folder beside it, once."""
    file = tmp_path / "events.csv"
    file.write_text("event,timestamp,distinct_id,plan\nsigned up,2026-01-01,a,free\n")
    assert "signed up" in run("call", "--local", file, "discover_data").stdout
    assert "signed up" in run("call", "--local", file, "discover_data").stdout


def test_demo_data_overwrites_nothing(project: Path) -> None:
    """`demo-data` refuses a folder that holds something."""
    assert "is not empty" in failed("demo-data", "--into", project)


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_serve_speaks_both_protocol_eras(project: Path, mode: str) -> None:
    """A real client over real stdio lists and calls, in either era."""
    parameters = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "serve", "--local", str(project)])
    async with Client(stdio_client(parameters), mode=mode) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("get_insight", {"id": "Weekly active users"})
    assert [t.tool_name() for t in TOOLS] == [tool.name for tool in tools]
    assert not result.is_error


@pytest.mark.anyio
async def test_two_servers_work_on_one_project(project: Path) -> None:
    """Two servers on one local path at once both read and write."""
    parameters = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "serve", "--local", str(project)])
    async with Client(stdio_client(parameters)) as one, Client(stdio_client(parameters)) as other:
        await one.call_tool("get_insight", {"id": "1"})
        query = {"kind": "HogQLQuery", "query": "select count() from events"}
        await one.call_tool("create_insight", {"name": "Made by one", "query": query})
        result = await other.call_tool("get_insight", {"id": "Made by one"})
    assert not result.is_error


def test_local_api_answers_and_shows_a_shared_page(project: Path) -> None:
    """Over a real port: the API for its key, and a shared insight's page for anybody."""
    shared = run("call", "--local", project, "--json", "update_sharing", "id=3", "enabled=true")
    with served(project, POSTHOG_API_KEY="phx_of_this_test_0") as host:
        headers = {"Authorization": "Bearer phx_of_this_test_0"}
        listed = httpx2.get(f"{host}/api/projects/1/insights/?basic=true", headers=headers)
        page = httpx2.get(host + json.loads(shared.stdout)["link"])
    assert (200, 200) == (listed.status_code, page.status_code)
    assert "Weekly active users" in page.text


def test_the_demo_tells_its_story_to_the_end() -> None:
    """`demo` runs every scene and ends with the lines to paste."""
    said = run("demo").stdout
    assert ["» Oh, we do!", "claude mcp add", "code --add-mcp"] == [
        line for line in ("» Oh, we do!", "claude mcp add", "code --add-mcp") if line in said
    ]


class served:  # noqa: N801
    """`local-api` on a free port, while the block runs: its host."""

    def __init__(self, project: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = [*COMMAND, "local-api", "--local", str(project), "--port", str(self.port)]
        self.environment = CLEAN | environment

    def __enter__(self) -> str:
        self.process = subprocess.Popen(self.command, env=self.environment, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return f"http://127.0.0.1:{self.port}"
            time.sleep(0.1)
        raise AssertionError("local-api did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
