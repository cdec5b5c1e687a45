"""FunnelCorrelationQuery: what speaks for converting, what against it, and who is behind that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local.queries import QueryError
from tests.local.queries.conftest import Ask, asked_of

DAYS = {"date_from": "2026-03-01", "date_to": "2026-03-14"}
CLICKED = 'button.buy:text="Buy"nth-child="1"'


def _events() -> Iterator[dict[str, Any]]:
    """Ten who sign up and pay, every second of whom watches the film between, and ten who do not pay, half of whom ask
    for help. Who pays has the blue page and clicks; of both, some do the other thing when it is too late to count."""
    for number in range(20):
        pays, is_even = number < 10, number % 2 == 0
        who = {"distinct_id": f"user-{number}"}
        plan = "team" if pays != (number in (0, 10)) else "solo"
        yield {**who, "event": "sign up", "timestamp": "2026-03-02T14:00:00Z", "properties": {"$set": {"plan": plan}}}
        if is_even:
            told = {"page": "blue" if pays else "red", "length": 90, "rare": number if number < 2 else None}
            event = {**who, "event": "film" if pays else "help", "timestamp": "2026-03-03T14:00:00Z"}
            yield {**event, "properties": {"$event_type": "click", **told, "$group_0": f"firm-{number}"}}
        if pays:
            yield {**who, "event": "pay", "timestamp": "2026-03-04T14:00:00Z"}
            yield {**who, "event": "help", "timestamp": "2026-03-05T14:00:00Z"}
        elif number < 13:
            yield {**who, "event": "$autocapture", "timestamp": "2026-03-03T15:00:00Z", "elements_chain": CLICKED} | {
                "properties": {"$event_type": "click"}
            }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    yield from asked_of(_events(), tmp_path_factory.mktemp("signed"))


def correlation(kind: str, **asked: Any) -> dict[str, Any]:
    series = [{"kind": "EventsNode", "event": event} for event in ("sign up", "pay")]
    funnel = {"kind": "FunnelsQuery", "series": series, "dateRange": DAYS}
    source = {"kind": "FunnelsActorsQuery", "source": funnel}
    return {"kind": "FunnelCorrelationQuery", "source": source, "funnelCorrelationType": kind, **asked}


def found(answer: dict[str, Any]) -> list[tuple[str, int, int, Any]]:
    return [
        (each["event"]["event"], each["success_count"], each["failure_count"], pytest.approx(each["odds_ratio"]))
        for each in answer["results"]["events"]
    ]


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        ("events", {}, [("film", 5, 0, 11), ("help", 0, 5, 1 / 11), ("$autocapture", 0, 3, 2 / 11)]),
        ("events", {"funnelCorrelationExcludeEventNames": ["help"]},
         [("film", 5, 0, 11), ("$autocapture", 0, 3, 2 / 11)]),
        ("properties", {"funnelCorrelationNames": ["plan"]}, [("plan::team", 9, 1, 25), ("plan::solo", 1, 9, 1 / 25)]),
        ("properties", {"funnelCorrelationNames": ["$all"]}, [("plan::team", 9, 1, 25), ("plan::solo", 1, 9, 1 / 25)]),
        ("properties", {"funnelCorrelationNames": ["$all"], "funnelCorrelationExcludeNames": ["plan"]}, []),
        ("event_with_properties", {"funnelCorrelationEventNames": ["film", "pay"],
                                   "funnelCorrelationEventExcludePropertyNames": ["$event_type"]},
         [("film::length::90", 5, 0, 11), ("film::page::blue", 5, 0, 11)]),
    ],
)  # fmt: skip
def test_what_goes_along(told: Ask, kind: str, asked: dict[str, Any], expected: list[Any]) -> None:
    """The odds of who did it, or has it, against those of the others; between the first step and the last alone."""
    answer = told(correlation(kind, **asked))
    assert expected == found(answer)
    assert not answer["results"]["skewed"]


def test_what_was_clicked(told: Ask) -> None:
    """Is told by how, and by its elements."""
    [clicked] = told(correlation("event_with_properties", funnelCorrelationEventNames=["$autocapture"]))["results"][
        "events"
    ]
    assert (0, 3, "failure") == tuple(clicked[key] for key in ("success_count", "failure_count", "correlation_type"))
    assert f"$autocapture::elements_chain::click__~~__{CLICKED}" == clicked["event"]["event"]
    assert {"$event_type": "click"} == clicked["event"]["properties"]
    assert [("button", ["buy"], "Buy")] == [
        (each["tag_name"], each["attr_class"], each["text"]) for each in clicked["event"]["elements"]
    ]


def test_where_all_convert(told: Ask) -> None:
    """There is nothing to compare with."""
    query = correlation("events")
    query["source"]["source"]["series"][0] = {"kind": "EventsNode", "event": "film"}
    assert {"events": [], "skewed": True} == told(query)["results"]


def test_the_first_way_counts(tmp_path: Path) -> None:
    """What somebody did on their second way to the end is not asked for: they had converted before."""
    days = [("sign up", 1), ("pay", 3), ("sign up", 5), ("film", 6), ("pay", 7)]
    did = [("ann", event, day) for event, day in days] + [("bea", "sign up", 1), ("bea", "film", 2)]
    rows = [{"event": event, "timestamp": f"2026-03-{day:02}T09:00:00Z", "distinct_id": who} for who, event, day in did]
    for asking in asked_of(rows, tmp_path):
        assert [("film", 0, 1)] == [each[:3] for each in found(asking(correlation("events")))]


@pytest.mark.parametrize("event", ["film", "help", "$autocapture"])
def test_who_is_behind_a_correlation(told: Ask, event: str) -> None:
    """As many converted, and as many did not, as it says."""
    query = correlation("events")
    counts = {name: (did, did_not) for name, did, did_not, _ in found(told(query))}
    point = {"kind": "FunnelCorrelationActorsQuery", "source": query,
             "funnelCorrelationPersonEntity": {"kind": "EventsNode", "event": event}}  # fmt: skip
    listed = [
        len(told({"kind": "ActorsQuery", "source": {**point, "funnelCorrelationPersonConverted": won}})["results"])
        for won in (True, False)
    ]
    assert counts[event] == tuple(listed)


@pytest.mark.parametrize(
    ("kind", "says"),
    [("properties", "funnelCorrelationNames"), ("event_with_properties", "funnelCorrelationEventNames")],
)
def test_what_is_missing(told: Ask, kind: str, says: str) -> None:
    """Is named."""
    with pytest.raises(QueryError) as refused:
        told(correlation(kind))
    assert says in refused.value.detail
