"""What a reference leads to, asked through real tools."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.scopes import Scopes
from tests.asking import Told, assistant
from tests.loopback import Loopback, Received, Reply, error, insight, ok, page

pytestmark = pytest.mark.anyio

SIGNUPS = insight(12, short_id="AaVQ8Ijw", name="Sign-ups")
HELD = [
    SIGNUPS,
    insight(2024, short_id="00000007", name="Seven"),
    insight(30, short_id="12345678", name="Digits"),
    insight(31, short_id="Twin0001", name="Twin"),
    insight(32, short_id="Twin0002", name="Twin"),
    insight(33, short_id="Path0001", name="/pricing visits"),
    insight(34, short_id="Year0001", name="1999"),
    insight(35, short_id="Bars0001", name='a|b "c" {0}'),
    insight(36, short_id="Long0001", name="n" * 400),
    insight(37, short_id="Case0001", name="REVENUE"),
    insight(38, short_id="Urls0001", name="funnel://checkout"),
    insight(39, short_id="Deri0001", name=None, derived_name="Pageviews by browser"),
]


def listed(request: Received) -> Reply:
    """The list, filtered as PostHog does."""
    wanted, words = request.query.get("short_id", [None])[0], request.query.get("search", [""])[0].lower()
    names = [(i, str(i["name"] or i["derived_name"]).lower()) for i in HELD]
    return page(*(i for i, name in names if i["short_id"] == wanted or (wanted is None and words in name)))


def one(request: Received) -> Reply:
    """One of them by number."""
    number = int(request.path.split("/")[5])
    found = next((i for i in HELD if i["id"] == number), None)
    return ok(found) if found else error(404, "Not found.", "not_found", "invalid_request")


@pytest.fixture
def held(posthog: Loopback) -> Loopback:
    """A PostHog with some insights."""
    posthog.on_insights("GET", "", listed)
    posthog.on_insights("GET", r"\d+/", one)
    return posthog


async def asked(held: Loopback, reference: Any, **changes: Any) -> Told:
    """get_insight by this reference."""
    async with assistant(held, **changes) as user:
        return await user.call("get_insight", id=reference)


@pytest.mark.parametrize(
    ("reference", "number"),
    [
        (12, 12),
        ("12", 12),
        (" 12 ", 12),
        ("AaVQ8Ijw", 12),
        ("Sign-ups", 12),
        ("sign-ups", 12),
        ("/project/1/insights/AaVQ8Ijw", 12),
        ("/insights/AaVQ8Ijw", 12),
        ("12345678", 30),  # digits: no such number, but a short_id
        ("00000007", 2024),  # no number: a zero in front
        ("2024", 2024),
        ("1999", 34),  # digits: neither number nor short_id, but a name
        ("/pricing visits", 33),
        ('a|b "c" {0}', 35),
        ("n" * 400, 36),
        ("revenue", 37),
        ("funnel://checkout", 38),
        ("Pageviews by browser", 39),
    ],
)
async def test_a_reference_leads_to_its_insight(reference: Any, number: int, held: Loopback) -> None:
    """Number, short_id, path or exact name; also where one looks like another."""
    told = await asked(held, reference)
    assert number == told.structured.get("id"), told.text


@pytest.mark.parametrize("rest", ["", "/edit", "?from=x#y"])
async def test_a_url_leads_to_its_insight(rest: str, held: Loopback) -> None:
    """As copied from the address bar."""
    told = await asked(held, f"{held.url.upper().replace('HTTP', 'http')}/project/1/insights/AaVQ8Ijw{rest}")
    assert 12 == told.structured.get("id"), told.text


@pytest.mark.parametrize(
    "url",
    [
        "https://us.posthog.com/project/1/insights/AaVQ8Ijw",
        "http://user:pass@127.0.0.1/project/1/insights/AaVQ8Ijw",
        "HOST/project/2/insights/AaVQ8Ijw",
        "HOST/project/1/dashboard/3",
        "HOST/nothing",
    ],
)
async def test_a_url_of_another_place_is_refused(url: str, held: Loopback) -> None:
    """Another host, project or page: nothing is asked."""
    told = await asked(held, url.replace("HOST", held.url))
    assert (True, []) == (told.failed, held.calls())


async def test_a_url_is_understood_before_the_region_is_known(held: Loopback) -> None:
    """With scopes from the settings, nothing was asked so far."""
    url = f"{held.url}/project/1/insights/AaVQ8Ijw"
    async with assistant(None, clouds=(held.url,), scopes=Scopes(["*"])) as user:
        assert 12 == (await user.call("get_insight", id=url)).structured.get("id")


async def test_a_name_of_two_is_told_with_both_ids(held: Loopback) -> None:
    """The user says which."""
    told = await asked(held, "Twin")
    assert (True, True, True) == (told.failed, "Twin0001" in told.text, "Twin0002" in told.text)


async def test_an_unknown_name_is_told_with_the_nearest(held: Loopback) -> None:
    """And with the tool that finds it."""
    held.on_insights("GET", "", page(SIGNUPS))
    told = await asked(held, "Sign-up")
    assert (True, True, True) == (told.failed, 'did you mean "Sign-ups"?\n' in told.text, "list_insights" in told.text)


@pytest.mark.parametrize(
    "reference", ["..", "../../x", "%2e%2e", "a\x00b", "http://[", "/", "💥", "'; drop", "x" * 2000]
)
async def test_nonsense_is_told_readably(reference: str, held: Loopback) -> None:
    """It leads nowhere, and to no unforeseen error."""
    held.on_insights("GET", "", page())
    told = await asked(held, reference)
    assert (True, False) == (told.failed, "made a mistake" in told.text)


async def test_a_server_that_ignores_the_filter_misleads_nobody(held: Loopback) -> None:
    """The short_id of what comes back is looked at."""
    held.on_insights("GET", "", page(insight(1, short_id="Other001"), SIGNUPS))
    assert 12 == (await asked(held, "AaVQ8Ijw")).structured.get("id")


async def test_a_short_id_is_looked_up_once(held: Loopback) -> None:
    """It never changes hands."""
    async with assistant(held) as user:
        for _ in range(3):
            await user.call("get_insight", id="AaVQ8Ijw")
    assert 1 == len([r for r in held.calls() if "short_id" in r.query])


async def test_a_number_needs_no_look_up_scope() -> None:
    """A key for sharing alone is told the insight is not there, not that it lacks a scope."""
    with Loopback(scopes=["sharing_configuration:read"]) as posthog:
        async with assistant(posthog) as user:
            told = await user.call("get_sharing", id="999")
    assert (True, False) == (told.failed, "scope" in told.text)


@pytest.mark.parametrize("reference", ["Gone", "Gone0001", "55"])
async def test_a_deleted_insight_is_restored(reference: str, held: Loopback) -> None:
    """By name and short_id from the activity log, or by number."""
    detail = {"name": "Gone", "short_id": "Gone0001"}
    entry = {"activity": "deleted", "item_id": 55, "detail": detail, "created_at": "2026-01-01T00:00:00Z"}
    held.on_insights("GET", "activity/", ok({"results": [entry], "next": None, "total_count": 1}))
    held.on_insights("PATCH", "55/", ok(insight(55)))
    async with assistant(held) as user:
        told = await user.call("restore_insight", id=reference)
    assert (False, {"deleted": False}) == (told.failed, held.calls("PATCH")[0].json)


async def test_a_dashboard_is_found_by_name(held: Loopback) -> None:
    """Exactly, as insights are."""
    held.on("GET", "/api/projects/1/dashboards/", page({"id": 3, "name": "Growth"}, {"id": 4, "name": "Growth 2"}))
    held.on("GET", "/api/projects/1/dashboards/3/", ok({"id": 3, "name": "Growth", "tiles": []}))
    async with assistant(held) as user:
        assert "(3) holds 0 insights" in (await user.call("get_dashboard", id="growth")).text


async def test_an_exact_name_is_found_behind_many_that_contain_it(held: Loopback) -> None:
    """A search finds parts of names; the exact one may be on a later page."""
    many = [insight(n, short_id=f"Many{n:04d}", name=f"Trend {n}") for n in range(1, 201)]
    first = page(*many, count=201, next="http://x/?offset=200")
    last = page(insight(500, short_id="Last0001", name="Trend"), count=201)
    held.on_insights("GET", "", lambda request: last if request.query["offset"] == ["200"] else first)
    held.on_insights("GET", "500/", ok(insight(500)))
    assert 500 == (await asked(held, "Trend")).structured.get("id")


async def test_a_name_that_no_search_finds_is_told_with_the_nearest(held: Loopback) -> None:
    """A search for a misspelt name finds nothing: the names there are say what was meant, safely."""
    evil = insight(50, short_id="Evil0001", name="Re\nvenue' per week\u202e")
    held.on_insights("GET", "", lambda request: page() if request.query.get("search") else page(SIGNUPS, evil))
    near = [(await asked(held, name)).text.split("\n")[0] for name in ("Signups", "revenue per week")]
    assert near == [
        'There is no insight "Signups", did you mean "Sign-ups"?',
        'There is no insight "revenue per week", did you mean "Re venue\' per week"?',
    ]


async def test_a_dashboard_that_no_search_finds_is_told_with_the_nearest(held: Loopback) -> None:
    """As for insights."""
    all_of_them = page({"id": 3, "name": "Quality"})
    held.on("GET", "/api/projects/1/dashboards/", lambda r: page() if r.query.get("search") else all_of_them)
    async with assistant(held) as user:
        assert 'did you mean "Quality"?' in (await user.call("get_dashboard", id="Qualty")).text


def logged(activity: str, number: int, name: str) -> dict[str, Any]:
    """An entry of the activity log."""
    detail = {"name": name, "short_id": f"Gone{number:04d}"}
    return {"activity": activity, "item_id": str(number), "detail": detail, "created_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([logged("restored", 55, "Gone away"), logged("deleted", 55, "Gone away")], "No deleted insight named"),
        ([logged("deleted", 56, "Gone away"), logged("deleted", 55, "Gone away")], "Say which by its number: 56, 55"),
    ],
)
async def test_a_deleted_name_that_is_no_more_or_of_two(entries: list[Any], said: str, held: Loopback) -> None:
    """What was restored since is not deleted; of two of a name the user says which."""
    held.on_insights("GET", "activity/", ok({"results": entries, "next": None, "total_count": 2}))
    async with assistant(held) as user:
        told = await user.call("restore_insight", id="Gone away")
    assert (True, True, []) == (told.failed, said in told.text, held.calls("PATCH")), told.text


async def test_what_is_not_deleted_is_not_restored(held: Loopback) -> None:
    """It is said so, and nothing is sent."""
    async with assistant(held) as user:
        told = await user.call("restore_insight", id=12)
    said = 'Insight "Sign-ups" (AaVQ8Ijw) is not deleted; nothing was sent.'
    assert (False, True, []) == (told.failed, told.text.startswith(said), held.calls("PATCH")), told.text
