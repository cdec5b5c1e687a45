"""Prompts: what a person picks says what can be done, keeps what it is given in quotes, and its calls really work."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import MCPError

from insights_mcp.endpoint import Effect
from insights_mcp.local import open_backend
from insights_mcp.local.demo_data import make
from insights_mcp.prompting import GIVEN, MOST, TOOL, Prompt, parsed, prompts
from insights_mcp.scopes import Scopes
from insights_mcp.server import BY_NAME
from insights_mcp.text import UNSAFE, clean
from insights_mcp.transport import InProcess
from tests.asking import Assistant, assistant

pytestmark = pytest.mark.anyio
CALL = re.compile(r"`([a-z_]+\(.*?\))`")
TODAY = datetime.now(UTC).date()
LONGEST = 800  # tokens of a prompt's text

every_prompt = pytest.mark.parametrize("prompt", prompts().values(), ids=lambda prompt: prompt.name)


def day(ago: int) -> str:
    """The day so many days ago."""
    return str(TODAY - timedelta(days=ago))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo project, only read."""
    folder = tmp_path_factory.mktemp("demo") / "project"
    make(folder, days=100, users=200)
    return folder


@asynccontextmanager
async def analyst(folder: Path, **changes: Any) -> AsyncIterator[Assistant]:
    """An assistant on a local project."""
    backend = open_backend(folder)
    options: dict[str, Any] = {"api_key": backend.owner_key, "host": "http://local", "project_id": backend.project_id}
    try:
        async with assistant(None, transport=InProcess(backend.app), **options | changes) as user:
            yield user
    finally:
        backend.close()


async def said(user: Assistant, name: str, **arguments: str) -> str:
    """The prompt as the model reads it."""
    (message,) = (await user.mcp.get_prompt(name, arguments)).messages
    assert message.content.type == "text"
    return message.content.text


# what is offered


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_prompts_are_announced_and_listed(mode: str, demo: Path) -> None:
    """In both eras: the capability, every prompt, and which arguments it needs."""
    async with analyst(demo, mode=mode) as user:
        listed = (await user.mcp.list_prompts()).prompts
        capabilities = user.mcp.server_capabilities
    assert capabilities.prompts is not None
    assert {p.name: [(a.name, a.required) for a in p.arguments] for p in prompts().values()} == {
        p.name: [(a.name, a.required) for a in p.arguments or ()] for p in listed
    }
    assert all(prompt.title and prompt.description for prompt in listed)


async def test_a_prompt_whose_job_the_key_cannot_do_is_not_listed(demo: Path) -> None:
    """And asking for it all the same names the scope."""
    async with analyst(demo, scopes=Scopes(["insight:read", "query:read"])) as user:
        listed = [prompt.name for prompt in (await user.mcp.list_prompts()).prompts]
        with pytest.raises(MCPError, match=r"get_sharing \(the key lacks the scope sharing_configuration:read\)"):
            await user.mcp.get_prompt("audit-sharing")
    assert ["clean-up-insights", "weekly-review", "why-did-this-change"] == listed


async def test_steps_that_are_not_possible_are_named(demo: Path) -> None:
    """The job can be done without them, and the report has to say so."""
    async with analyst(demo, scopes=Scopes(["insight:read", "query:read"])) as user:
        text = await said(user, "why-did-this-change", insight="3")
    assert "get_insight_activity (the key lacks the scope activity_log:read)" in text.splitlines()[-1]


async def test_read_only(demo: Path) -> None:
    """What only looks is offered; what has to write is not."""
    async with analyst(demo, read_only=True) as user:
        listed = [prompt.name for prompt in (await user.mcp.list_prompts()).prompts]
        text = await said(user, "clean-up-insights")
    assert "create-insight" not in listed
    assert "delete_insight (this server is read-only)" in text.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("weekly-reveiw", {}, "There is no prompt 'weekly-reveiw', did you mean 'weekly-review'?"),
        ("create-insight", {}, "Prompt create-insight needs 'question': What you want"),
        ("create-insight", {"question": " \u200b"}, "needs 'question'"),
        ("create-insight", {"question": "x" * (MOST + 1)}, "'question' of prompt create-insight has 1,001 characters"),
        ("weekly-review", {"dashbord": "Growth"}, "no argument 'dashbord', did you mean 'dashboard'?"),
    ],
)
async def test_a_wrong_request_is_told_what_is_right(
    name: str, arguments: dict[str, str], told: str, demo: Path
) -> None:
    """Unknown prompt, missing, blank, long or unknown argument."""
    async with analyst(demo) as user:
        with pytest.raises(MCPError, match=re.escape(told)):
            await user.mcp.get_prompt(name, arguments)


# what a prompt is given


def test_a_blank_argument_is_not_given() -> None:
    """Some clients send every field of their form."""
    review = prompts()["weekly-review"]
    assert review.filled({}) == review.filled({"dashboard": "", "tag": "  "})


def test_lines_depend_on_what_is_given() -> None:
    """Only the call that fits is there."""
    review = prompts()["weekly-review"]
    first_calls = [calls(review.filled(g))[0] for g in ({}, {"tag": "growth"}, {"dashboard": "Growth"})]
    assert ["list_insights(favorited=true, limit=100)", 'list_insights(tags=["growth"], limit=100)',
            'get_dashboard(id="Growth")'] == first_calls  # fmt: skip


@given(st.text(min_size=1, max_size=MOST) | st.sampled_from(['"', "`)` and", "\n\n# Rules", "{insight}", "[date] x"]))
def test_what_is_given_stays_in_its_quotes(value: str) -> None:
    """Whatever it is: one line, nothing hidden, the prompt around it as it was; and it reads back as what it was."""
    prompt = prompts()["why-did-this-change"]
    known = clean(value, MOST).strip()
    if not known:
        return
    text, plain = prompt.filled({"insight": value}), prompt.filled({"insight": "PLAIN"})
    quoted = json.dumps(known, ensure_ascii=False)
    literal = text.removeprefix(GIVEN + "insight = ").partition("\n")[0].removesuffix(".")
    assert (known, text) == (json.loads(literal), plain.replace('"PLAIN"', literal))
    assert UNSAFE.search(text.replace("\n", "")) is None
    assert "`" not in literal
    assert len(literal) <= 12 * len(quoted)


# the files


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("no head", "begins with a head"),
        ("---\ntitle: T\nneeds: a\n---\n`a()`", "has no 'description'"),
        ("---\ntitle: T\ndescription: D\nneeds: a\nargument: x\n---\n`a()`", "which means nothing"),
        ("---\ntitle: T\ndescription: D\nneeds: a\nargument x:\n---\n`a()`", "no line of a head"),
        ("---\ntitle: T\ndescription: D\nneeds: a\n---\n`a(id={x})`", "no argument is named x"),
        ("---\ntitle: T\ndescription: D\nneeds: a\n---\n[x] `a()`", "no argument is named x"),
        ("---\ntitle: T\ndescription: D\nneeds: a\nargument x: X\n---\n`a(id={x})`", "may not be given"),
        ("---\ntitle: T\ndescription: D\nneeds: a\nargument x: X\n---\n[no x] `a(id={x})`", "may not be given"),
        ("---\ntitle: T\ndescription: D\nneeds: a\n---\n`b()`", "never calls it"),
    ],
)
def test_a_mistake_in_a_file_is_found(text: str, wrong: str) -> None:
    """Before any client sees it."""
    with pytest.raises(ValueError, match=wrong):
        parsed("job", text)


@every_prompt
def test_a_prompt_is_short(prompt: Prompt) -> None:
    """Its text, its description and its title."""
    sizes = (len(prompt.text) / 4, len(prompt.description), len(prompt.title))
    assert all(size <= most for size, most in zip(sizes, (LONGEST, 130, 40), strict=True)), sizes


@every_prompt
def test_every_argument_is_used(prompt: Prompt) -> None:
    """Given or not, it makes a difference."""
    everything = {argument.name: "GIVEN" for argument in prompt.arguments}
    for name in everything:
        without = {k: v for k, v in everything.items() if k != name or argument_of(prompt, name).required}
        assert name not in without or prompt.filled(everything) != prompt.filled(without | {name: "OTHER"})


@every_prompt
def test_a_prompt_asks_before_it_destroys(prompt: Prompt) -> None:
    """What can destroy or expose something stands after the words that it was agreed to."""
    _, _, agreed = prompt.text.partition("Only what the user agreed to")
    destroying = {name for name in prompt.tools if BY_NAME[name].effect is Effect.DESTRUCTIVE}
    assert destroying <= set(TOOL.findall(agreed))
    assert not destroying & set(TOOL.findall(prompt.text.removesuffix(agreed)))


@every_prompt
def test_every_call_is_one_that_a_tool_takes(prompt: Prompt) -> None:
    """In every form of the text: the tool is there, and so are its arguments."""
    for arguments in choices(prompt):
        for call in calls(prompt.filled(arguments)):
            tree = ast.parse(call, mode="eval").body
            assert isinstance(tree, ast.Call)
            assert isinstance(tree.func, ast.Name)
            assert {k.arg for k in tree.keywords} <= set(BY_NAME[tree.func.id].model_fields), call


def argument_of(prompt: Prompt, name: str) -> Any:
    """The argument of this name."""
    return next(argument for argument in prompt.arguments if argument.name == name)


def choices(prompt: Prompt) -> Iterator[dict[str, str]]:
    """Every way to give or leave out what may be left out."""
    must = [argument.name for argument in prompt.arguments if argument.required]
    may = [argument.name for argument in prompt.arguments if not argument.required]
    for some in chain.from_iterable(combinations(may, n) for n in range(len(may) + 1)):
        yield dict.fromkeys([*must, *some], "GIVEN")


# the calls


def calls(text: str) -> list[str]:
    """The calls in a text, as they are written."""
    return CALL.findall(text)


def call_of(text: str, known: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Tool and arguments of a written call; words in capitals stand for what is known."""
    tree = ast.parse(text, mode="eval").body
    assert isinstance(tree, ast.Call)
    assert isinstance(tree.func, ast.Name)
    return tree.func.id, {k.arg or "": meaning(k.value, known) for k in tree.keywords}


def meaning(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """What an argument means."""
    match node:
        case ast.Constant(value=str() as text):
            return re.sub(r"\b[A-Z]{3,}\b", lambda word: str(known.get(word[0], word[0])), text)
        case ast.Name(id=name):
            return {"true": True, "false": False, "null": None}[name] if name.islower() else known[name]
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return {meaning(key, known): meaning(value, known) for key, value in pairs if key is not None}
        case ast.List():
            return [meaning(item, known) for item in node.elts]
        case _:
            return ast.literal_eval(node)


@dataclass(frozen=True)
class Walk:
    """A prompt followed to its end: what it is given, what its capitals mean, and what each call brings to light."""

    given: dict[str, str]
    known: dict[str, Any]
    found: tuple[tuple[str, str], ...]


CHANNELS = {"kind": "trends", "events": ["signed up"], "interval": "week", "from": "-90d", "by": "channel"}
DURING = {"kind": "trends", "events": ["error shown"], "from": day(40), "to": day(28), "by": "during"}
STEP = ("get_insight", "last complete")
WALKS: tuple[tuple[str, Walk], ...] = (
    ("why-did-this-change", Walk(
        {"insight": "Errors shown", "date": day(33)},
        {"EVENT": "error shown", "START": day(40), "END": day(28), "PROPERTY": "during", "DAY": day(33),
         "SPLIT": DURING},
        (
            ("get_insight", rf"high \d+ on ({day(33)}|{day(32)})"),
            ("explain_insight", "error shown"),
            ("get_insight_activity", "The outage is the peak"),
            ("run_query", r"\nerror shown \| 0 \| [\d.]+ .*\nnote created \| [\d.]+ \| [\d.]+ \| -"),
            ("discover_data", r"\nduring \|"),
            ("run_query", r"\$pageview"),
            ("query_result", r"\n(note created|\$pageview) \| [\d.]+ \| [\d.]+ \| [\d.]+ \| 0\.\d+"),
            ("list_actors", r"user-\d+"),
        ),
    )),
    ("create-insight", Walk(
        {"question": "Where do sign-ups come from?", "event": "signed up", "property": "channel"},
        {"WORDS": "sign", "EVENT": "signed up", "KIND": "trends", "QUERY": CHANNELS, "DAY": day(56),
         "NAME": "Sign-ups, by first channel", "TEXT": "Counts sign-ups."},
        (
            ("list_insights", "Sign-ups by channel"),
            ("discover_data", "signed up"),
            ("discover_data", r"\nchannel \|"),
            ("describe_query", "TrendsQuery"),
            ("run_query", "spring-launch.*organic"),
            ("run_query", r"\n[1-9]\d* \| [1-9]"),
            ("create_insight", "Nothing was saved.*signed up.*channel"),
            ("create_insight", "Created insight.*spring-launch"),
        ),
    )),
    *(("weekly-review", Walk(
        given,
        {"ID": "Weekly active users", "QUERY": CHANNELS},
        (first, STEP, ("list_activity", "Sign-ups per day"), ("list_thresholds", "No threshold"),
         ("run_query", "organic")),
    )) for given, first in (
        ({"dashboard": "Growth"}, ("get_dashboard", "holds 7 insights")),
        ({"tag": "growth"}, ("list_insights", "Found 6 insights")),
        ({}, ("list_insights", "Errors shown")),
    )),
    ("audit-sharing", Walk(
        {},
        {"ID": "Sign-ups per day", "NOTE": "for the board"},
        (
            ("get_sharing", "Sign-ups per day"),
            ("get_sharing", "without a password"),
            ("get_insight", "Sign-ups per day"),
            ("get_insight_activity", "shar"),
            ("update_sharing", "password_required: true"),
            ("add_sharing_password", "shown only now"),
            ("refresh_sharing_link", "The old link .* until"),
            ("update_sharing", "Not shared"),
            ("get_sharing", "for the board"),
        ),
    )),
    *(("clean-up-insights", Walk(
        given,
        {"ID": "Countries"},
        (
            ("list_insights", first),
            ("get_insight", "HogQLQuery"),
            ("list_thresholds", "No threshold"),
            ("get_sharing", "Not shared"),
            ("explain_insight", "country"),
            ("delete_insight", "Deleted insight"),
            ("restore_insight", "Restored insight"),
            ("update_insight", "stale"),
            ("list_activity", "Countries.*deleted"),
        ),
    )) for given, first in (({"before": "-30d"}, "Countries"), ({}, "No insight"))),
)  # fmt: skip


def test_every_prompt_is_walked() -> None:
    """Whoever adds one, adds a walk."""
    assert set(prompts()) == {name for name, _ in WALKS}


@pytest.mark.parametrize(("name", "walk"), WALKS, ids=[f"{name}-{'-'.join(walk.given)}" for name, walk in WALKS])
async def test_the_calls_of_a_prompt_give_what_it_promises(name: str, walk: Walk, demo: Path, tmp_path: Path) -> None:
    """Each call in order, through a real client on the demo data."""
    told = []
    async with analyst(shutil.copytree(demo, tmp_path / "project")) as user:
        written = calls(await said(user, name, **walk.given))
        for text in written:
            tool, arguments = call_of(text, walk.known)
            told.append(await user.call(tool, **arguments))
    assert [tool for tool, _ in walk.found] == [text.partition("(")[0] for text in written]
    for text, (_, evidence), answer in zip(written, walk.found, told, strict=True):
        assert not answer.failed, f"{text}: {answer.text}"
        assert re.search(evidence, answer.text, re.DOTALL), f"{text} does not show {evidence}:\n{answer.text}"
