"""Analysis and suggestions: made by rule from what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.local import queries

from .api import RETENTION, SQL, TREND, Api


def titles(api: Api) -> list[str]:
    """The suggestions' titles."""
    return [item["title"] for item in api.get("insights/1/suggestions/").json()]


def test_an_analysis(api: Api) -> None:
    """Says what the kept result says, with numbers."""
    api.insight(name="Sign-ups", query=TREND)
    api.get("insights/1/", refresh="blocking")
    lines = api.get("insights/1/analyze/").json()["result"].splitlines()
    assert lines[0].startswith('"Sign-ups": "signed_up" is ')
    assert lines[0].endswith("over 8 intervals and adds up to 4.")
    assert [line.startswith("- ") for line in lines[1:3]] == [True, True]


def test_an_analysis_of_nothing(api: Api) -> None:
    """Nothing is computed for it."""
    api.insight(name="Sign-ups", query=TREND)
    assert "no result to analyze" in api.get("insights/1/analyze/").json()["result"]
    assert None is api.get("insights/1/").json()["result"]


@pytest.mark.parametrize("query", [SQL, TREND["source"], None])
def test_only_product_analytics_is_analysed(api: Api, query: Any) -> None:
    """Anything else has no analysis and no suggestions."""
    api.insight(name="one", query=query)
    assert (api.get("insights/1/analyze/").json(), api.get("insights/1/suggestions/").json()) == ({"result": ""}, [])


def test_suggestions_for_a_trend(api: Api) -> None:
    """Split, unique users, the next event, lifecycle, retention."""
    api.insight(name="one", query=TREND)
    before = titles(api)
    api.get("insights/1/", refresh="blocking")
    assert before == []
    assert titles(api) == [
        "signed_up by $browser",
        "Unique users of signed_up",
        "Conversion from signed_up to paid",
        "Lifecycle of users who perform signed_up",
        "Weekly retention of signed_up",
    ]


def test_suggestions_for_retention(api: Api) -> None:
    """Need nothing computed; stickiness and lifecycle come first."""
    api.insight(name="one", query=RETENTION)
    assert titles(api)[:2] == ["Stickiness of signed_up", "Lifecycle of users who perform signed_up"]


def test_suggestions_are_valid_queries(api: Api) -> None:
    """Each could be saved as it is."""
    for query in (TREND, RETENTION):
        api.insight(query=query)
    api.get("insights/1/", refresh="blocking")
    found = [item["targetQuery"] for number in (1, 2) for item in api.get(f"insights/{number}/suggestions/").json()]
    for query in found:
        queries.check(query)
    assert len(found) == 9


def test_suggestions_with_a_context(api: Api) -> None:
    """POST answers as GET does."""
    api.insight(name="one", query=RETENTION)
    posted = api.post("insights/1/suggestions/", {"context": "It rises."})
    assert api.get("insights/1/suggestions/").json() == posted.json()
