"""Channels: by which way a session came, from its first referrer and campaign."""

from __future__ import annotations

from collections.abc import Callable

# What a channel is told from: the session's first value of each.
SOURCES = {
    "domain": "$referring_domain",
    "source": "utm_source",
    "medium": "utm_medium",
    "campaign": "utm_campaign",
    "gclid": "gclid",
    "fbclid": "fbclid",
    "gad": "gad_source",
}
# Sites by what they are for; the first that fits counts, as mail.google.com is no search.
SITES = {
    "Email": "mail outlook\\.live outlook\\.office protonmail",
    "Search": "google bing duckduckgo yahoo ecosia baidu yandex brave startpage qwant naver kagi perplexity ask aol",
    "Social": "facebook fb instagram linkedin lnkd twitter t\\.co x\\.com reddit pinterest tiktok threads mastodon bsky"
    " snapchat quora vk weibo whatsapp telegram discord news\\.ycombinator hackernews producthunt",
    "Video": "youtube youtu\\.be vimeo twitch dailymotion bilibili",
    "Shopping": "amazon ebay etsy walmart alibaba aliexpress shopify stripe",
}
SOCIAL = "social|social[- ](network|media)|sm"
DISPLAY = "banner|cpm|display|expandable|interstitial"
PAID_MEDIA = {"Display": DISPLAY, "Paid Social": SOCIAL, "Paid Video": "video"}
MEDIA = {
    "Affiliate": "affiliate|partnerships?",
    "Referral": "referral|link|app",
    "Audio": "audio",
    "Display": DISPLAY,
    "Email": "e[-_ ]?mail",
    "Push": "push|mobile|notification",
    "Organic Social": SOCIAL,
    "Organic Video": "video",
}
PAID = "({gclid} <> '' or {gad} <> '' or regexp_matches(lower({medium}), '^(cpc|cpm|cpv|cpa|ppc|retargeting|paid.*)$'))"
SHOP = "regexp_matches(lower({campaign}), '([^a-df-z]|^)shop|shopping')"
VIDEO = "lower({campaign}) like '%video%'"
DIRECT = (
    "{domain} = '$direct' and nullif({medium}, '') is null and coalesce({fbclid}, '') = ''"
    " and lower(coalesce(nullif({source}, ''), 'direct')) in ('direct', '(direct)', '$direct')"
)


def _is_site(kind: str, field: str) -> str:
    names = SITES[kind].replace(" ", "|")
    return f"regexp_matches(lower({{{field}}}), '(^|[./])({names})($|[.])')"


def _by_site(field: str, way: str) -> list[tuple[str, str]]:
    """Nobody pays for mail, and mail is of no way."""
    ways = {kind: f"{way} {kind}" if kind != "Email" else kind for kind in SITES if (kind, way) != ("Email", "Paid")}
    return [(_is_site(kind, field), name) for kind, name in ways.items()]


def _by_medium(media: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"regexp_full_match(lower({{medium}}), '{words}')", name) for name, words in media.items()]


def _case(arms: list[tuple[str, str]], other: str) -> str:
    whens = " ".join(
        f"when {condition} then {name if name.startswith('case') else repr(name)}" for condition, name in arms
    )
    return f"case {whens} else {other} end"


def _paid() -> str:
    return _case(
        [
            *_by_site("source", "Paid"),
            (SHOP, "Paid Shopping"),
            *_by_medium(PAID_MEDIA),
            *_by_site("domain", "Paid"),
            ("{gad} = '1'", "Paid Search"),
            (VIDEO, "Paid Video"),
            ("{fbclid} <> ''", "Paid Social"),
        ],
        "'Paid Unknown'",
    )


def _any() -> str:
    return _case(
        [
            ("lower({campaign}) like '%cross-network%'", "Cross Network"),
            (PAID, _paid()),
            (DIRECT, "Direct"),
            *_by_site("source", "Organic"),
            (SHOP, "Organic Shopping"),
            *_by_medium(MEDIA),
            *_by_site("domain", "Organic"),
            (VIDEO, "Organic Video"),
            ("lower({medium}) like '%push'", "Push"),
            ("{fbclid} <> ''", "Organic Social"),
            ("{domain} = '$direct'", "Direct"),
            ("{domain} is not null", "Referral"),
        ],
        "'Unknown'",
    )


CHANNEL = _any()
DOMAIN = _case([("{domain} = '$direct'", "$direct"), *((_is_site(kind, "domain"), kind) for kind in SITES)], "null")
# Properties that every person has: the channel by which they first came, and what site that was.
OF_PERSON = {"$virt_initial_channel_type": CHANNEL, "$virt_initial_referring_domain_type": DOMAIN}


def of_person(key: str, person_property: Callable[[str], str]) -> str:
    """SQL: one of these properties of a person."""
    first = {name: person_property(f"$initial_{key.removeprefix('$')}") for name, key in SOURCES.items()}
    return f"({OF_PERSON[key].format_map(first)})"
