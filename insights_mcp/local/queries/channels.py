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
    "gad": "gad_source",
}
SITES = {
    "Search": "google bing duckduckgo yahoo ecosia baidu yandex brave startpage qwant naver kagi perplexity ask aol",
    "Social": "facebook fb instagram linkedin lnkd twitter t\\.co x\\.com reddit pinterest tiktok threads mastodon bsky"
    " snapchat quora vk weibo whatsapp telegram discord news\\.ycombinator hackernews producthunt",
    "Video": "youtube youtu\\.be vimeo twitch dailymotion",
    "Shopping": "amazon ebay etsy walmart alibaba aliexpress shopify",
}
MEDIA = {
    "Email": "e-?_?mail|newsletter",
    "Push": "push|mobile|notification",
    "SMS": "sms",
    "Audio": "audio|podcast",
    "Affiliate": "affiliates?|partner",
    "Referral": "referral|link|app",
    "Organic Social": "social|social-?_? ?(network|media)|sm",
    "Organic Video": "(.*video.*)",
    "Organic Search": "organic",
}
FROM = "lower(coalesce({source}, '') || ' ' || coalesce({domain}, ''))"
PAID = (
    "({gclid} is not null or {gad} is not null"
    " or regexp_matches(lower(coalesce({medium}, '')), '^(.*cp.*|ppc|retargeting|paid.*)$'))"
)
SHOP = "regexp_matches(lower(coalesce({campaign}, '')), '(^|[^a-df-z])shop')"
DIRECT = "{domain} = '$direct' and {medium} is null and lower(coalesce({source}, 'direct')) in ('direct', '(direct)')"


def _from(kind: str) -> str:
    names = SITES[kind].replace(" ", "|")
    return f"regexp_matches({FROM}, '(^|[ ./])({names})($|[ .])')"


def _arms() -> list[tuple[str, str]]:
    return [
        ("lower({campaign}) like '%cross-network%'", "Cross Network"),
        (f"{PAID} and ({_from('Shopping')} or {SHOP})", "Paid Shopping"),
        (f"{PAID} and {_from('Social')}", "Paid Social"),
        (f"{PAID} and {_from('Video')}", "Paid Video"),
        (f"{PAID} and ({{gclid}} is not null or {{gad}} = '1' or {_from('Search')})", "Paid Search"),
        (PAID, "Paid Unknown"),
        (DIRECT, "Direct"),
        (f"{_from('Shopping')} or {SHOP}", "Organic Shopping"),
        *((f"regexp_full_match(lower({{medium}}), '{words}')", name) for name, words in MEDIA.items()),
        *((_from(kind), f"Organic {kind}") for kind in ("Search", "Social", "Video")),
        ("{domain} is not null and {domain} <> '$direct'", "Referral"),
    ]


CHANNEL = "case " + " ".join(f"when {condition} then '{name}'" for condition, name in _arms()) + " else 'Unknown' end"
# A property that every person has: the channel by which they first came.
OF_PERSON = "$virt_initial_channel_type"


def of_person(person_property: Callable[[str], str]) -> str:
    """SQL: the channel by which a person first came."""
    first = {name: person_property(f"$initial_{key.removeprefix('$')}") for name, key in SOURCES.items()}
    return f"({CHANNEL.format_map(first)})"
