"""PostHog's recorded answers: every case either equals, or is refused by name as not supported yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from insights_mcp.local import queries
from tests.local.queries import worlds

# Cases that must be answered equally, per kind. What a kind refuses today is counted, so that it can only shrink.
EQUAL = {"TrendsQuery": 97, "HogQLQuery": 317}
CASES = [pytest.param(case, id=case["id"]) for kind in queries.KINDS for case in worlds.cases(kind)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[worlds.Worlds]:
    found = worlds.Worlds(tmp_path_factory.mktemp("worlds"))
    yield found
    found.close()


def _answer(case: dict[str, Any], made: worlds.Worlds) -> dict[str, Any]:
    return queries.run(
        case["query"],
        events=made.store(case["world"]),
        project=worlds.project(case["world"]),
        now=worlds.now(case),
        cancelled=threading.Event(),
    )


@pytest.mark.parametrize("case", CASES)
def test_recorded_answer(case: dict[str, Any], made: worlds.Worlds) -> None:
    """The answer is PostHog's."""
    try:
        actual = _answer(case, made)
    except queries.QueryError as refused:
        pytest.skip(refused.detail)
    assert worlds.differences(case, actual) == []


@pytest.mark.parametrize("kind", EQUAL)
def test_number_of_equal_answers(kind: str, made: worlds.Worlds) -> None:
    """As many recorded answers as before are given, not refused."""
    found = list(worlds.cases(kind))
    if not found:
        pytest.skip("the recorded cases are not here")
    answered = 0
    for case in found:
        try:
            answered += worlds.differences(case, _answer(case, made)) == []
        except queries.QueryError:
            continue
    assert answered >= EQUAL[kind]
