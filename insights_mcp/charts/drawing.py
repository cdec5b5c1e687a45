"""Drawing a specification: in a process of its own, within a time, to a picture of bounded size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import anyio

from insights_mcp.answer.answer import Picture
from insights_mcp.errors import NoPicture
from insights_mcp.text import clean

Form = Literal["png", "svg"]
MIME: dict[str, str] = {"png": "image/png", "svg": "image/svg+xml"}
LIBRARY = "vl_convert"
SECONDS = 30.0
LARGEST = {"png": 300_000, "svg": 100_000}  # bytes; an SVG is text, which a model may have to read
PROGRAM = Path(__file__).with_name("program.py")
KEPT = ("HOME", "LANG", "SYSTEMROOT", "WINDIR", "TEMP", "TMP", "TMPDIR")  # of the environment: no key goes along
INSTALL = "Install what draws: pip install 'insights-mcp[charts]'; then start the server again."


async def draw(spec: dict[str, Any], form: Form) -> Picture:
    """The picture. NoPicture says why there is none."""
    if find_spec(LIBRARY) is None:
        raise NoPicture("Drawing is not installed.", INSTALL)
    try:
        with anyio.fail_after(SECONDS):
            done = await anyio.run_process(
                [sys.executable, "-P", str(PROGRAM), form, str(LARGEST["png"])],
                input=json.dumps(spec).encode(), check=False, env=_environment(), cwd=tempfile.gettempdir(),
                stderr=subprocess.PIPE,
            )  # fmt: skip
    except TimeoutError:
        raise NoPicture(f"Drawing took more than {SECONDS:.0f} seconds.", "Ask for fewer series or buckets.") from None
    except OSError as error:
        raise NoPicture(f"Drawing did not start: {clean(error, 200)}.") from None
    if done.returncode or not done.stdout:
        raise NoPicture(f"Drawing failed: {clean(done.stderr.decode(errors='replace')[-200:]) or 'no reason given'}.")
    return _bounded(done.stdout, form)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _bounded(data: bytes, form: Form) -> Picture:
    if len(data) > LARGEST[form]:
        raise NoPicture(f"The picture has {len(data):,} bytes, more than {LARGEST[form]:,}.",
                        "Ask for chart='png'." if form == "svg" else "Ask for fewer series or buckets.")  # fmt: skip
    return Picture(data, MIME[form])
