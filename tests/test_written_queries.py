"""Queries through the tools: repairs reach the notes, mistakes come at once, and every example we show works."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import open_backend
from insights_mcp.local.demo_data import make
from insights_mcp.repair import describing
from insights_mcp.repair.kinds import MODELS
from insights_mcp.repair.shapes import fields
from insights_mcp.server import described, instructions
from insights_mcp.tools import TOOLS
from insights_mcp.tools.description_input import shortened
from insights_mcp.tools.query_input import told
from insights_mcp.transport import InProcess
from tests.asking import ALL, Assistant, assistant
from tests.loopback import Loopback

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parent.parent
MEANT = {"PROPERTY": ["$browser"], "VALUE": ["Chrome"], "EVENT": ["signed up", "note created"]}
KINDS = list(describing.WHAT)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo project."""
    folder = tmp_path_factory.mktemp("demo") / "project"
    make(folder, days=100, users=150)
    return folder


@pytest.fixture
async def analyst(demo: Path) -> AsyncIterator[Assistant]:
    """An assistant on the demo project."""
    backend = open_backend(demo)
    options: dict[str, Any] = {"api_key": backend.owner_key, "host": "http://local", "project_id": backend.project_id}
    try:
        async with assistant(None, transport=InProcess(backend.app), **options) as user:
            yield user
    finally:
        backend.close()


def objects(text: str) -> Iterator[Any]:
    """Every JSON object in a text that is no part of another."""
    place = 0
    while (place := text.find("{", place)) >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(text, place)
        except ValueError:
            place += 1
            continue
        yield value
        place = end


def shown() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every query that a model or a user reads as an example, and where."""
    texts: dict[str, str] = {}
    for tool in TOOLS:
        schema = json.loads(described(tool).model_dump_json(by_alias=True))["inputSchema"]["properties"].values()
        texts[tool.tool_name()] = " ".join(str(each.get("description", "")) for each in schema)
        texts[tool.tool_name()] += " ".join((tool.__doc__ or "").split())
    texts |= {file: (ROOT / file).read_text("utf-8") for file in ("README.md", "CHANGELOG.md")}
    texts["instructions.md"] = instructions()  # the other prompts are played where they are tested
    for where, text in texts.items():
        names = {word: cycle(meant) for word, meant in MEANT.items()}
        filled = re.sub(r"\b(EVENT|PROPERTY|VALUE)\b", lambda found: next(names[found[0]]), text)  # noqa: B023
        yield from ((where, each) for each in objects(filled) if {"kind", "sql"} & each.keys())
    for kind in KINDS:
        whole = describing.described(kind)
        yield from ((f"describe_query {kind}", each) for each in (*whole.examples, whole.full) if each)


EXAMPLES = list(shown())


def test_there_are_examples() -> None:
    """In the tools, in the instructions and in describe_query."""
    assert {"run_query", "instructions.md", "describe_query TrendsQuery"} <= {where for where, _ in EXAMPLES}


@pytest.mark.parametrize(("where", "query"), EXAMPLES, ids=[f"{where}-{n}" for n, (where, _) in enumerate(EXAMPLES)])
async def test_every_example_is_answered(where: str, query: dict[str, Any], analyst: Assistant) -> None:
    """On the demo data, without a repair, and with numbers in it."""
    answer = await analyst.call("run_query", query=query)
    assert (False, []) == (answer.failed, answer.structured.get("notes", [])), answer.text
    assert answer.structured["rows"], answer.text


# notes and mistakes


async def test_repairs_are_told_with_the_answer(analyst: Assistant) -> None:
    """What was run is the repaired query."""
    query = {"kind": "TrendsQuery", "series": ["$pageview"], "breakdown": "$browser", "date_from": "last 30 days"}
    answer = await analyst.call("run_query", query=query)
    assert [
        'Repaired: breakdown → breakdownFilter.breakdowns[0]; date_from → dateRange.date_from; series[0]: "$pageview" '
        '→ {"kind": "EventsNode", "event": "$pageview"}; dateRange.date_from: "last 30 days" → "-30d".'
    ] == answer.structured["notes"]


async def test_repairs_are_told_when_it_is_saved(analyst: Assistant) -> None:
    """And PostHog's own form is what is saved."""
    query = {"kind": "TrendsQuery", "series": [{"event": "$pageview", "math": "unique"}]}
    made = await analyst.call("create_insight", name="Visitors", query=query, description="Once more. " * 60)
    changed = await analyst.call("update_insight", id="Visitors", query=query | {"interval": "weekly"})
    notes = made.structured["notes"], changed.structured["notes"]
    assert (True, True) == ("Repaired: series[0].kind" in notes[0][0], 'interval: "weekly" → "week"' in notes[1][0])
    assert any(note.startswith("Description: 660 characters, shortened to 395;") for note in notes[0])


async def test_repairs_are_told_with_actors(analyst: Assistant) -> None:
    """Who is behind a step of a funnel in the common form."""
    query = {"kind": "funnels", "steps": ["$pageview", "signed up"], "windowDays": "7"}
    answer = await analyst.call("list_actors", query=query, step=2)
    assert (False, True) == (answer.failed, "windowDays → funnelsFilter.funnelWindowInterval" in answer.text)


@pytest.mark.parametrize("name", ["run_query", "create_insight", "list_actors"])
async def test_all_mistakes_come_in_one_answer(name: str, posthog: Loopback) -> None:
    """A line for each, and nothing is sent."""
    query = {"kind": "trends", "events": [{"event": "a", "math": "bogus"}, {"event": "b", "math": "sum"}], "from": "?"}
    async with assistant(posthog) as user:
        answer = await user.call(name, query=query, **({"name": "x"} if name == "create_insight" else {}))
    assert (f"Nothing was done. {name}: 3 mistakes in the query.", 3, []) == (
        answer.structured["answer"], len(answer.structured["digest"]), posthog.received
    )  # fmt: skip


async def test_a_hundred_mistakes_fit(posthog: Loopback) -> None:
    """As many as there is room for are told."""
    query = {"kind": "trends", "events": [{"event": "a", "math": "x" * 300}] * 100}
    async with assistant(posthog) as user:
        answer = await user.call("run_query", query=query)
    assert (True, True) == ("100 mistakes" in answer.text, len(answer.text) < 6_000)


def test_repairs_alike_are_told_once() -> None:
    """Twenty series without a kind are one note."""
    repairs = tuple(f'series[{n}].kind: missing → "EventsNode"' for n in range(20))
    assert ('Repaired: series[0].kind: missing → "EventsNode" (and 19 more like it); b.',) == told(
        (*repairs, "b"), "Repaired"
    )


def test_many_repairs_are_one_note() -> None:
    """It says how many it leaves out."""
    (note,) = told(tuple(f"{letter * 30} → {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), "Repaired")
    assert (True, True) == (len(note) < 420, note.endswith("; and 16 more."))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("One. " * 79 + "Two is the last one that fits.", "One. " * 78 + "One."),
        ("word " * 100, "word " * 78 + "word…"),
        ("x" * 500, "x" * 399 + "…"),
    ],
)
def test_a_long_description_ends_at_a_sentence(text: str, wanted: str) -> None:
    """Or at a word; at 400 characters at most."""
    assert (wanted, True) == (shortened(text), len(shortened(text)) <= 400)


# describe_query


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kind_is_described_whole(kind: str, posthog: Loopback) -> None:
    """Every field of it and of its parts is in one of the answers, none is cut, and PostHog is not asked."""
    parts = dict(describing.parts_of(MODELS[kind]))
    async with assistant(posthog, scopes=ALL) as user:
        answers = {part: await user.call("describe_query", kind=kind, part=part) for part in parts}
        answers[""] = await user.call("describe_query", kind=kind)
    for name, model in {"": MODELS[kind], **parts}.items():
        rows = [str(row[0]).removesuffix(" (needed)") for row in answers[name].structured["rows"]]
        assert (name, list(fields(model)), False) == (name, rows, "characters)" in answers[name].text)
    assert [] == posthog.received


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Queries: of these kinds."),
        ({"kind": "TRENDS"}, "TrendsQuery: how often"),
        ({"kind": "nonsense"}, 'Queries: of these kinds. None is called "nonsense".'),
        ({"kind": "funnel", "part": "nonsense"}, 'It has no part "nonsense".'),
        ({"kind": "funnel", "part": "funnels_filter"}, "funnelsFilter of FunnelsQuery: "),
        ({"kind": "trends", "part": "breakdowns"}, "breakdownFilter.breakdowns of TrendsQuery: "),
    ],
)
async def test_any_name_of_a_kind_is_understood(asked: dict[str, str], said: str, posthog: Loopback) -> None:
    """And a name that is none leads to those there are."""
    async with assistant(posthog) as user:
        answer = await user.call("describe_query", **asked)
    assert said in answer.structured["answer"]
