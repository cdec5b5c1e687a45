"""PostHog's recorded answers: every case either equals, or is refused by name as not supported yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from insights_mcp.local import queries
from tests.local.queries import worlds
from tests.local.queries.known_differences import KNOWN

# Cases that must be answered equally, per kind. What a kind refuses today is counted, so that it can only shrink.
EQUAL = {
    "FunnelsQuery": 111,
    "TrendsQuery": 205,
    "RetentionQuery": 27,
    "StickinessQuery": 10,
    "LifecycleQuery": 12,
    "HogQLQuery": 337,
    "PathsQuery": 39,
    "ActorsQuery": 305,
}
CASES = [pytest.param(case, id=case["id"]) for kind in queries.KINDS for case in worlds.cases(kind)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[worlds.Worlds]:
    found = worlds.Worlds(tmp_path_factory.mktemp("worlds"))
    yield found
    found.close()


def _differences(case: dict[str, Any], made: worlds.Worlds) -> list[str] | str:
    """What is not as recorded; or why the query is refused. Asked once for each case."""
    if case["id"] not in made.answers:
        made.answers[case["id"]] = _asked(case, made)
    return made.answers[case["id"]]


def _asked(case: dict[str, Any], made: worlds.Worlds) -> list[str] | str:
    store, project, now = made.store(case["world"]), worlds.project(case["world"]), worlds.now(case)
    try:
        answer = queries.run(case["query"], events=store, project=project, now=now, cancelled=threading.Event())
    except queries.QueryError as refused:
        return refused.detail
    return worlds.differences(case, answer)


@pytest.mark.parametrize("case", CASES)
def test_recorded_answer(case: dict[str, Any], made: worlds.Worlds) -> None:
    """The answer is PostHog's."""
    found = _differences(case, made)
    if isinstance(found, str):
        pytest.skip(found)
    if case["id"] in KNOWN:
        assert found
        pytest.skip(KNOWN[case["id"]])
    assert [] == found


@pytest.mark.parametrize("kind", EQUAL)
def test_number_of_equal_answers(kind: str, made: worlds.Worlds) -> None:
    """As many recorded answers as before are given, not refused."""
    found = list(worlds.cases(kind))
    if not found:
        pytest.skip("the recorded cases are not here")
    assert sum(_differences(case, made) == [] for case in found) >= EQUAL[kind]
