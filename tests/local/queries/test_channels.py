"""By which way a person first came, told from the first referrer and campaign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.queries.conftest import Ask, asked_of

# The channel, and what is known of a person's first visit.
FIRST: list[tuple[str, dict[str, Any]]] = [
    ("Direct", {"referring_domain": "$direct"}),
    ("Cross Network", {"referring_domain": "$direct", "utm_campaign": "cross-network"}),
    ("Paid Shopping", {"referring_domain": "www.ebay.co.uk", "utm_medium": "ppc"}),
    ("Paid Shopping", {"utm_campaign": "shopping", "utm_medium": "ppc"}),
    ("Paid Search", {"utm_source": "yahoo", "utm_medium": "ppc"}),
    ("Paid Search", {"gad_source": "1"}),
    ("Paid Social", {"utm_medium": "paid", "fbclid": "x"}),
    ("Paid Unknown", {"referring_domain": "2bb5.safeframe.googlesyndication.com", "gclid": "x"}),
    ("Display", {"utm_medium": "banner"}),
    ("Organic Search", {"referring_domain": "duckduckgo.com"}),
    ("Organic Social", {"referring_domain": "$direct", "fbclid": "x"}),
    ("Organic Video", {"referring_domain": "youtube.com"}),
    ("Email", {"utm_medium": "e-mail"}),
    ("Email", {"referring_domain": "mail.google.com"}),
    ("Push", {"utm_medium": "web_push"}),
    ("Affiliate", {"utm_medium": "partnership"}),
    ("Referral", {"referring_domain": "example.com", "utm_source": 123, "utm_medium": 123}),
    ("Unknown", {}),
]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    yield from asked_of(
        (
            {"event": "visit", "timestamp": "2026-03-08T09:00:00Z", "distinct_id": f"{number:02}",
             "properties": {"$set": {f"$initial_{key}": value for key, value in first.items()}}}
            for number, (_, first) in enumerate(FIRST)
        ),
        tmp_path_factory.mktemp("channels"),
    )  # fmt: skip


def test_channels(ask: Ask) -> None:
    """What was paid for comes first, then the source, the medium and the referrer."""
    query = "select $virt_initial_channel_type from persons order by pdi.distinct_id"
    found = ask({"kind": "HogQLQuery", "query": query})["results"]
    assert FIRST == [(channel, first) for [channel], (_, first) in zip(found, FIRST, strict=True)]


def test_kinds_of_sites(ask: Ask) -> None:
    """What kind of site somebody first came from."""
    query = "select distinct $virt_initial_referring_domain_type as kind from persons where kind is not null order by 1"
    found = ask({"kind": "HogQLQuery", "query": query})["results"]
    assert [["$direct"], ["Email"], ["Search"], ["Shopping"], ["Video"]] == found
