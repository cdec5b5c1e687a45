"""Pictures as an assistant gets them: each kind drawn over the embedded backend, beside an answer that is whole."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import anyio
import mcp_types as types
import pytest
from click.testing import CliRunner

from insights_mcp.__main__ import main
from insights_mcp.charts import drawing
from insights_mcp.charts.look import WIDTH
from insights_mcp.errors import NoPicture
from insights_mcp.local import Backend, open_backend
from insights_mcp.local.load import load
from tests.notebook import NOW, notebook, reader

pytestmark = pytest.mark.anyio
VIEW, SAVED = ({"kind": "EventsNode", "event": name} for name in ("$pageview", "note saved"))
WEEK = {"date_from": "2026-01-02", "date_to": "2026-01-10"}


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A project with events, some of them one soon after the other, as paths need them."""
    folder = notebook(tmp_path_factory.mktemp("notebook") / "project")
    load([_walks(folder / "walks.jsonl")], folder)
    backend = open_backend(folder, clock=lambda: NOW)
    yield backend
    backend.close()


def _walks(file: Path) -> Path:
    lines = [
        {"event": event, "distinct_id": f"p{person}", "timestamp": f"2026-01-07T12:{10 * person + minute:02}:00Z"}
        for person in range(5)
        for minute, event in enumerate(("$pageview", "note saved", "note shared")[: 2 + person % 2])
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


def trend(display: str = "ActionsLineGraph", **more: Any) -> dict[str, Any]:
    """A trend of page views, drawn in this way."""
    return {"kind": "TrendsQuery", "series": [VIEW], "dateRange": WEEK, "trendsFilter": {"display": display}} | more


def funnel(**drawn: Any) -> dict[str, Any]:
    """A funnel of two steps, drawn in this way."""
    return {"kind": "FunnelsQuery", "series": [VIEW, SAVED], "dateRange": WEEK, "funnelsFilter": drawn}


def sql(text: str) -> dict[str, Any]:
    """A question in SQL."""
    return {"kind": "HogQLQuery", "query": text}


BY_COUNTRY: dict[str, Any] = {"breakdownFilter": {"breakdown": "country", "breakdown_type": "event"}}
RETENTION = {"period": "Day", "totalIntervals": 6, "targetEntity": {"id": "$pageview", "type": "events"},
             "returningEntity": {"id": "note saved", "type": "events"}}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "lines": trend(**BY_COUNTRY),
    "comparison": trend(compareFilter={"compare": True}),
    "areas": trend("ActionsAreaGraph", **BY_COUNTRY),
    "stacked bars": trend("ActionsBar", series=[VIEW, SAVED]),
    "grouped bars": trend("ActionsUnstackedBar", series=[VIEW, SAVED]),
    "number": trend("BoldNumber"),
    "totals": trend("ActionsBarValue", **BY_COUNTRY),
    "pie": trend("ActionsPie", **BY_COUNTRY),
    "table": trend("ActionsTable", series=[VIEW, SAVED]),
    "world map": trend("WorldMap", **BY_COUNTRY),
    "boxes": trend("BoxPlot", series=[VIEW | {"math_property": "seats"}]),
    "calendar": trend("CalendarHeatmap"),
    "funnel": funnel(),
    "funnel by value": funnel() | BY_COUNTRY,
    "time to convert": funnel(funnelVizType="time_to_convert"),
    "funnel over time": funnel(funnelVizType="trends"),
    "retention": {"kind": "RetentionQuery", "retentionFilter": RETENTION, "dateRange": WEEK},
    "stickiness": {"kind": "StickinessQuery", "series": [VIEW, SAVED], "dateRange": WEEK},
    "lifecycle": {"kind": "LifecycleQuery", "series": [VIEW], "dateRange": WEEK, "interval": "day"},
    "paths": {"kind": "PathsQuery", "pathsFilter": {"stepLimit": 4}, "dateRange": WEEK},
    "rows by day": sql("select toDate(timestamp) as day, count() as n from events group by day order by day"),
    "rows by name": sql("select properties.country as country, count() as n from events group by country"),
}


async def called(backend: Backend, tool: str, **arguments: Any) -> types.CallToolResult:
    """What the client gets."""
    async with reader(backend) as (user, _):
        result = await user.mcp.call_tool(tool, arguments)
    assert not result.is_error
    return result


def pixels(result: types.CallToolResult) -> tuple[int, int]:
    """Width and height of the PNG beside the text."""
    image = next(content for content in result.content if isinstance(content, types.ImageContent))
    assert image.mime_type == "image/png"
    data = base64.b64decode(image.data)
    assert data.startswith(b"\x89PNG")
    assert len(data) <= drawing.LARGEST["png"]
    return struct.unpack(">II", data[16:24])


def text(result: types.CallToolResult) -> str:
    """The answer itself."""
    return next(content.text for content in result.content if isinstance(content, types.TextContent))


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_drawn(backend: Backend, kind: str) -> None:
    """As a PNG that a screen shows sharply."""
    width, height = pixels(await called(backend, "run_query", query=KINDS[kind], chart="png"))
    assert WIDTH * 1.8 <= width <= WIDTH * 2
    assert 200 <= height <= 2_400


async def test_the_answer_is_whole_beside_its_picture(backend: Backend) -> None:
    """The same as without one, in both forms, but for the line that tells of it."""
    alone = await called(backend, "run_query", query=KINDS["lines"])
    beside = await called(backend, "run_query", query=KINDS["lines"], chart="png")
    assert "chart: PNG, " in text(beside)
    assert {"chart"} == set(beside.structured_content or {}) - set(alone.structured_content or {})
    same = ("rows", "digest", "columns")
    assert [(alone.structured_content or {})[k] for k in same] == [(beside.structured_content or {})[k] for k in same]


async def test_an_svg_is_a_resource_of_text(backend: Backend) -> None:
    """Models take no SVG as an image: clients that hand it on end the conversation."""
    result = await called(backend, "run_query", query=KINDS["funnel"], chart="svg")
    contents = next(c.resource for c in result.content if isinstance(c, types.EmbeddedResource))
    assert isinstance(contents, types.TextResourceContents)
    assert "image/svg+xml" == contents.mime_type
    assert str(WIDTH) == ElementTree.fromstring(contents.text).get("width")
    assert not any(isinstance(content, types.ImageContent) for content in result.content)


async def test_a_saved_insight_is_drawn_under_its_name(backend: Backend) -> None:
    """With its window."""
    await called(backend, "create_insight", name="Views <per> country", query=KINDS["lines"])
    result = await called(backend, "get_insight", id="Views <per> country", chart="svg")
    drawn = next(c.resource for c in result.content if isinstance(c, types.EmbeddedResource))
    assert isinstance(drawn, types.TextResourceContents)
    written = " ".join(ElementTree.fromstring(drawn.text).itertext())
    assert "Views <per> country" in written
    assert "2026-01-02 to 2026-01-10 (America/New_York)" in written


async def test_what_is_saved_is_drawn_at_once(backend: Backend) -> None:
    """Created, only tried, and changed: under the name it has then."""
    for tried in (True, False):
        made = await called(
            backend, "create_insight", name="Drawn", query=KINDS["totals"], chart="png", dry_run=tried, max_tokens=800
        )
        assert WIDTH * 1.8 <= pixels(made)[0] <= WIDTH * 2
    number = (made.structured_content or {})["short_id"]
    changed = await called(backend, "update_insight", id=number, query=KINDS["funnel"], name="Funnel", chart="svg")
    drawn = next(c.resource for c in changed.content if isinstance(c, types.EmbeddedResource))
    assert "Funnel" in getattr(drawn, "text", "")
    renamed = await called(backend, "update_insight", id=number, name="Another", chart="png")
    assert "No chart: nothing was computed here; get_insight draws what is saved." in text(renamed)


async def test_who_is_behind_a_number_is_drawn(backend: Backend) -> None:
    """Whoever did it most is the longest bar."""
    pixels(await called(backend, "list_actors", query=KINDS["number"], chart="png"))


async def test_what_cannot_be_drawn_is_told_and_the_answer_stays(backend: Backend) -> None:
    """Why, and what to ask for."""
    result = await called(backend, "run_query", query=sql("select distinct event from events"), chart="png")
    assert "No chart: No column of these rows holds numbers." in text(result)
    assert "note saved" in text(result)


async def test_without_the_extra_the_answer_stays(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the command that installs it is told."""
    monkeypatch.setattr(drawing, "LIBRARY", "no_such_library")
    result = await called(backend, "run_query", query=KINDS["lines"], chart="png")
    assert "pip install 'insights-mcp[charts]'" in text(result)
    assert "2026-01-09 | 12" in text(result)


async def test_a_page_is_asked_for_without_its_picture(backend: Backend) -> None:
    """The call that goes on does not draw again."""
    result = await called(backend, "run_query", query=KINDS["lines"], detail="full", max_tokens=500, chart="png")
    assert "offset=" in text(result)
    assert "chart=" not in text(result)


async def test_drawing_takes_no_longer_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then its process is ended."""
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(drawing, "PROGRAM", slow)
    monkeypatch.setattr(drawing, "SECONDS", 1.0)
    with pytest.raises(NoPicture, match="took more than"):
        await drawing.draw({}, "png")


async def test_a_failure_to_draw_is_told() -> None:
    """With what the library says."""
    with pytest.raises(NoPicture, match="Drawing failed"):
        await drawing.draw({"mark": {"type": "nonsense"}}, "png")


async def test_the_server_goes_on_while_it_draws() -> None:
    """Drawing is in a process of its own."""
    waits = 0

    async def wait() -> None:
        nonlocal waits
        while True:
            await anyio.sleep(0.01)
            waits += 1

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await drawing.draw({"data": {"values": [{"a": 1}]}, "mark": "bar"}, "svg")
        group.cancel_scope.cancel()
    assert waits > 5


# the command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on disk."""
    return notebook(tmp_path_factory.mktemp("command") / "project")


def command(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run `call` on it: exit code, and all it says."""
    done = CliRunner().invoke(main, ["call", "--local", str(folder), *arguments])
    return done.exit_code, done.output


QUERY = f"query={json.dumps(KINDS['rows by name'])}"


@pytest.mark.parametrize(("name", "begin"), [("c.png", b"\x89PNG"), ("c.SVG", b"<svg ")])
def test_call_writes_the_picture(folder: Path, tmp_path: Path, name: str, begin: bytes) -> None:
    """By its suffix; the answer is printed as ever."""
    code, said = command(folder, "run_query", QUERY, "--chart", str(tmp_path / name))
    assert (0, True) == (code, "rows." in said)
    assert (tmp_path / name).read_bytes().startswith(begin)


@pytest.mark.parametrize(
    ("tool", "file", "said"),
    [
        ("run_query", "c.pdf", "is neither"),
        ("run_query", "c", "is neither"),
        ("run_query", "nowhere/c.png", "cannot write"),
        ("list_insights", "c.png", "has no result to draw"),
    ],
)
def test_a_file_that_cannot_be_is_refused_before_anything_is_asked(
    folder: Path, tmp_path: Path, tool: str, file: str, said: str
) -> None:
    """And why."""
    code, output = command(folder, tool, "--chart", str(tmp_path / file))
    assert (1, True, False) == (code, said in output, (tmp_path / file).exists())


def test_no_picture_no_file(folder: Path, tmp_path: Path) -> None:
    """The answer is printed, and says why."""
    nothing = f"query={json.dumps(sql('select event from events limit 1'))}"
    code, said = command(folder, "run_query", nothing, "--chart", str(tmp_path / "c.png"))
    assert (1, False) == (code, (tmp_path / "c.png").exists())
    assert "No chart: " in said
    assert "There is no chart, so" in said
