"""What users install: the wheel and the sdist hold what they must, and the installed server works."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from insights_mcp.prompting import prompts
from insights_mcp.server import instructions
from insights_mcp.tools import TOOLS

ROOT = Path(__file__).parent.parent
PROMPTS = {f"insights_mcp/prompts/{file.name}" for file in (ROOT / "prompts").iterdir()}
NOWHERE = {
    "POSTHOG_API_KEY": "phx_test",
    "POSTHOG_HOST": "http://127.0.0.1:9",
    "POSTHOG_PROJECT_ID": "1",
    "POSTHOG_SCOPES": "*",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, both built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    hatch(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel in it; dependencies are this environment's."""
    environment = tmp_path_factory.mktemp("installed")
    venv.create(environment, with_pip=True)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel(built)], environment)
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run([python, "-c", asked], environment).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return programs


def test_wheel_holds_prompts_types_and_licence(built: Path) -> None:
    """The words for the model, the mark of a typed package and the licence are inside; tests are not."""
    names = zipfile.ZipFile(wheel(built)).namelist()
    assert PROMPTS | {"insights_mcp/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {"insights_mcp"} == {name.split("/")[0] for name in names if ".dist-info" not in name}


def test_sdist_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    """Whoever builds from the sdist gets the wheel that we built from the tree."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        sdist.extractall(tmp_path, filter="data")
    hatch(next(tmp_path.iterdir()), tmp_path / "dist", "--target", "wheel")
    assert contents(wheel(built)) == contents(wheel(tmp_path / "dist"))


def test_installed_program_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    """The environment runs what the wheel brought, not this tree."""
    found = run([installed / "python", "-c", "import insights_mcp; print(insights_mcp.__file__)"], tmp_path)
    assert Path(found).is_relative_to(installed.parent)


def test_installed_commands(installed: Path, tmp_path: Path) -> None:
    """The script is there and knows every tool."""
    listed = run([installed / "insights-mcp", "tools"], tmp_path)
    assert [tool.tool_name() for tool in TOOLS] == [line.split()[0] for line in listed.splitlines()]


def test_installed_server_lists_tools_and_prompts(installed: Path, tmp_path: Path) -> None:
    """A client that starts the installed server reads our instructions and lists every tool and prompt."""
    server = StdioServerParameters(
        command=str(installed / "insights-mcp"), args=["serve"], env=clean_environment() | NOWHERE, cwd=tmp_path
    )

    async def ask() -> tuple[str | None, list[str], list[str]]:
        async with Client(stdio_client(server)) as client:
            offered = [prompt.name for prompt in (await client.list_prompts()).prompts]
            return client.instructions, [tool.name for tool in (await client.list_tools()).tools], offered

    assert (instructions(), [tool.tool_name() for tool in TOOLS], list(prompts())) == asyncio.run(ask())


def hatch(tree: Path, into: Path, *options: str) -> None:
    """Build what lies in a tree, with the build backend of this environment."""
    run([sys.executable, "-m", "hatchling", "build", "--directory", str(into), *options], tree)


def run(command: list[str | Path], folder: Path) -> str:
    """What a program prints; a failure shows what it said."""
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def clean_environment() -> dict[str, str]:
    """This process's environment without what leads Python or the server elsewhere."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "POSTHOG_", "PIP_", "VIRTUAL_ENV"))}


def wheel(folder: Path) -> Path:
    """The one wheel in a folder."""
    return next(folder.glob("*.whl"))


def contents(file: Path) -> dict[str, int]:
    """The files in a wheel with their checksums."""
    return {entry.filename: entry.CRC for entry in zipfile.ZipFile(file).infolist()}
