"""Functions of text. What could make text grow is capped."""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase

from insights_mcp.local.queries.hogql.signatures import table

# lower and upper know no letters beyond ASCII; those whose names end in UTF8 do. Most text is ASCII, which is faster.
IN_ASCII = "case when strlen({{0}}) = length({{0}}) then {}({{0}}) else translate({{0}}, '{}', '{}') end"
LOWER = IN_ASCII.format("lower", ascii_uppercase, ascii_lowercase)
LOWER_Z = LOWER.replace("{0}", "z")
UPPER = IN_ASCII.format("upper", ascii_lowercase, ascii_uppercase)
HOLES = re.compile(r"\{[01]\}")
PLACES = "list_transform({1}, lambda z: strpos({0}, z))"
ANY_CASE = "list_transform({1}, lambda z: strpos(lower({0}), lower(z)))"
FIRST_PLACE = "coalesce(list_min(list_filter({0}, lambda z: z > 0)), 0)"
FIRST_INDEX = "coalesce(list_position(list_transform({0}, lambda z: z > 0), true), 0)"
FOUND = "list_bool_or(list_transform({0}, lambda z: z > 0))"
MATCHED = "list_transform({1}, lambda z: regexp_matches({0}, z, 's'))"
INDICES = f"list_filter(range(1, len({{1}}) + 1), lambda z: {MATCHED}[z])"
TOKENS = "regexp_split_to_array({0}, '[^a-zA-Z0-9\\x{80}-\\x{10FFFF}]+')"
AS_STEPS = "list_aggregate(list_transform(string_split({0}, ''), lambda z: regexp_escape(z)), 'string_agg', '.*')"
COUNTED = "coalesce((strlen({0}) - strlen(replace({0}, {1}, ''))) // nullif(strlen({1}), 0), 0)"
MATCHES = "regexp_extract_all({0}, '(?s)' || {1})"
NOT_EMPTY = "list_filter({0}, lambda z: z <> '')"
SPLIT = "coalesce({1}, '')"  # an array is never NULL
FEWEST = "coalesce(nullif({2}::integer, 0), 1000000)"
UNPADDED = "least({1}::integer, 100000)"
FILLED = "coalesce(nullif({2}, ''), ' ')"
# What is between the letters and figures of English, as a word of its own.
WORDS = f"regexp_extract_all({LOWER}, '[a-z0-9]+|[^a-z0-9]+')"


def _of(template: str, inner: str) -> str:
    """A template around another."""
    return template.replace("{0}", inner)


# How a run of bytes that may begin and end within letters becomes text: without as few as can be at both ends.
TRIED = sorted(((before, after) for before in range(4) for after in range(4)), key=sum)
DECODED = ", ".join(f"try(decode(b[{1 + before}:octet_length(b) - {after}]))" for before, after in TRIED)


def part(text: str, start: str, end: str) -> str:
    """SQL: the bytes of a text from one place to another, both counted from 1, as text."""
    return f"list_transform([encode({text})[{start}:{end}]], lambda b: coalesce({DECODED}, ''))[1]"


def _in_bytes(text: str, place: str) -> str:
    """SQL: where something is in a text, in bytes instead of letters."""
    return f"case when {place} = 0 then 0 else strlen(left({text}, ({place} - 1)::integer)) + 1 end"


def _lower(template: str, lower: str = LOWER) -> str:
    """The same without regard to case."""
    return HOLES.sub(lambda hole: f"({_of(lower, hole[0])})", template)


def _both(name: str, template: str) -> dict[str, str]:
    """A function without regard to case, of ASCII and of all letters."""
    return {name: _lower(template), f"{name}UTF8": _lower(template, "lower({0})")}


def _from(template: str, *, letters: bool, lower: bool = False) -> str:
    """The same from a place on, which is the third argument; it counts letters or bytes."""
    start = "greatest({2}, 1)"
    if letters:
        there = template.replace("{0}", f"substr({{0}}, {start})")
        return f"{template} ## coalesce(nullif({there}, 0) + {start} - 1, 0)"
    before = part("{0}", "1", f"{start} - 1")  # a letter that began before is left out, and none begins within it
    first = f"length({before}) + 1 + (strlen({before}) < {start} - 1)::integer"
    place = PLACE.replace("{0}", "substr({0}, c)")
    counted = "case when f > 0 then strlen(left({0}, (c + f - 2)::integer)) + 1 else 0 end"
    later = f"list_transform([{first}], lambda c: list_transform([{place}], lambda f: {counted})[1])[1]"
    return f"{template} ## {_lower(later) if lower else later}"


def _padded(name: str, joined: str) -> str:
    """Padded to a number of bytes; what is too long is cut."""
    fill = f"repeat({FILLED}, {UNPADDED})"
    missing = f"{UNPADDED} - strlen({{0}})"
    bytes_ = f"case when {missing} <= 0 then {part('{0}', '1', UNPADDED)} else {joined} end"
    bytes_ = bytes_.replace("{fill}", part(fill, "1", f"({missing})::bigint"))
    plain = "strlen({0}) = length({0}) and strlen({2}) = length({2})"
    short = f"case when strlen({{0}}) = length({{0}}) then {name}({{0}}, {UNPADDED}, ' ')"
    short += f" else {bytes_.replace(FILLED, repr(' '))} end"
    return f"{short} ## case when {plain} then {name}({{0}}, {UNPADDED}, {FILLED}) else {bytes_} end"


XML = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("''", "&apos;"))


def _escaped(pairs: tuple[tuple[str, str], ...], source: int) -> str:
    text = "{0}"
    for pair in pairs:
        text = f"replace({text}, '{pair[source]}', '{pair[1 - source]}')"
    return f"left({text}, 1000000)"


PLACE = "strpos({0}, {1})"
BYTE_PLACE = _in_bytes("{0}", PLACE)
LATER = part("{0}", "greatest({2}, 1)", "1000000000")
PLACES_IN_BYTES = f"list_transform({{1}}, lambda z: {_in_bytes('{0}', 'strpos({0}, z)')})"
# The smaller letters of ASCII have as many bytes.
ANY_CASE_IN_BYTES = (
    PLACES_IN_BYTES.replace("{0}", f"({LOWER})").replace("strpos(", "strpos(").replace(", z)", f", {LOWER_Z})")
)
FIRST_BYTE = "coalesce(try_cast('0x' || left(hex({0}), 2) as integer), 0)"
FUNCTIONS = table(
    (
        "String",
        {
            "lower": LOWER,
            "upper": UPPER,
            "lowerUTF8": "lower({0})",
            "upperUTF8": "upper({0})",
            **dict.fromkeys(("trim", "btrim"), "trim({0}) ## trim({0}, {1})"),
            **dict.fromkeys(("trimLeft", "ltrim"), "ltrim({0}) ## ltrim({0}, {1})"),
            **dict.fromkeys(("trimRight", "rtrim"), "rtrim({0}) ## rtrim({0}, {1})"),
            "left": "left({0}, {1})",
            "right": "right({0}, {1})",
            "replaceAll": "left(replace({0}, {1}, {2}), 1000000)",
            "replace": "left(replace({0}, {1}, {2}), 1000000)",
            "replaceOne": "case when {1} = '' then {0} else"
            " left(regexp_replace({0}, regexp_escape({1}), replace({2}, '\\', '\\\\')), 1000000) end",
            "replaceRegexpAll": "case when {1} = '' then {0} else"
            " left(regexp_replace({0}, {1}, {2}, 'gs'), 1000000) end",
            "replaceRegexpOne": "case when {1} = '' then {0} else"
            " left(regexp_replace({0}, {1}, {2}, 's'), 1000000) end",
            "repeat": "repeat({0}, greatest(0, least({1}::bigint, 100000 // greatest(length({0}), 1))))",
            "leftPad": _padded("lpad", "{fill} || {0}"),
            "rightPad": _padded("rpad", "{0} || {fill}"),
            "leftPadUTF8": f"lpad({{0}}, {UNPADDED}, ' ') ## lpad({{0}}, {UNPADDED}, {FILLED})",
            "rightPadUTF8": f"rpad({{0}}, {UNPADDED}, ' ') ## rpad({{0}}, {UNPADDED}, {FILLED})",
            "concatWithSeparator": "left(concat_ws({*}), 1000000)",
            "base64Encode": "to_base64(encode({0}))",
            "base64Decode": "try(decode(from_base64({0})))",
            "tryBase64Decode": "coalesce(try(decode(from_base64({0}))), '')",
            "hex": "list_transform([hex({0})], lambda h: case when len(h) % 2 = 1 then '0' || h else h end)[1]",
            "unhex": "try(decode(unhex({0})))",
            "monthName": "monthname({0})",
            "dayName": "dayname({0})",
            "initcap": f"array_to_string(list_transform({WORDS},"
            " lambda z: case when z[1] between 'a' and 'z' then upper(z[1]) || z[2:] else z end), '')",
            "char": "chr({0}::integer)",
            "toValidUTF8": "{0}",
            "reverseUTF8": "reverse({0})",
            "appendTrailingCharIfAbsent": "case when {0} = '' or ends_with({0}, {1}) then {0} else {0} || {1} end",
            "encodeXMLComponent": _escaped(XML, 0),
            "decodeXMLComponent": _escaped(XML[::-1], 1),
            "regexpQuoteMeta": "regexp_replace({0}, '([\\\\|()^$.\\[?*+{:-])', '\\\\\\1', 'g')",
            **dict.fromkeys(("translate", "translateUTF8"), "translate({0}, {1}, {2})"),
            "split_part": "coalesce(list_extract(string_split({0}, {1}), {2}::integer), '')",
            "md5": "upper(md5({0}))",
        },
    ),
    (
        "UInt64",
        {
            "lengthUTF8": "length({0})",
            "position": _from(BYTE_PLACE, letters=False),
            "positionUTF8": _from(PLACE, letters=True),
            "positionCaseInsensitive": _from(_lower(BYTE_PLACE), letters=False, lower=True),
            "positionCaseInsensitiveUTF8": _from(_lower(PLACE, "lower({0})"), letters=True),
            "countSubstrings": f"{COUNTED} ## {COUNTED.replace('{0}', LATER)}",
            **_both("countSubstringsCaseInsensitive", f"{COUNTED} ## {COUNTED.replace('{0}', LATER)}"),
            "countMatches": f"len({_of(NOT_EMPTY, MATCHES)})",
            "countMatchesCaseInsensitive": _of(f"len({NOT_EMPTY})", "regexp_extract_all({0}, '(?is)' || {1})"),
            "multiSearchFirstPosition": _of(FIRST_PLACE, PLACES_IN_BYTES),
            "multiSearchFirstPositionUTF8": _of(FIRST_PLACE, PLACES),
            **dict.fromkeys(("multiSearchFirstIndex", "multiSearchFirstIndexUTF8"), _of(FIRST_INDEX, PLACES)),
            "multiSearchFirstPositionCaseInsensitive": _of(FIRST_PLACE, ANY_CASE_IN_BYTES),
            "multiSearchFirstPositionCaseInsensitiveUTF8": _of(FIRST_PLACE, ANY_CASE),
            **dict.fromkeys(
                ("multiSearchFirstIndexCaseInsensitive", "multiSearchFirstIndexCaseInsensitiveUTF8"),
                _of(FIRST_INDEX, ANY_CASE),
            ),
            "multiMatchAnyIndex": f"coalesce(list_position({MATCHED}, true), 0)",
        },
    ),
    ("Int64", {"ascii": FIRST_BYTE, "levenshtein": "levenshtein({0}, {1})"}),
    (
        "UInt8",
        {
            "startsWith": "starts_with({0}, {1})",
            "endsWith": "ends_with({0}, {1})",
            "isValidUTF8": "({0} is not null)",
            **dict.fromkeys(("multiSearchAny", "multiSearchAnyUTF8"), _of(FOUND, PLACES)),
            **dict.fromkeys(
                ("multiSearchAnyCaseInsensitive", "multiSearchAnyCaseInsensitiveUTF8"), _of(FOUND, ANY_CASE)
            ),
            "multiMatchAny": f"list_bool_or({MATCHED})",
            **dict.fromkeys(("hasToken", "hasTokenOrNull"), f"list_contains({TOKENS}, {{1}})"),
            **dict.fromkeys(
                ("hasTokenCaseInsensitive", "hasTokenCaseInsensitiveOrNull"),
                _lower(f"list_contains({TOKENS}, {{1}})"),
            ),
            "hasAllTokens": f"list_has_all({TOKENS}, regexp_extract_all({{1}}, '[a-zA-Z0-9]+'))",
            "hasAnyTokens": f"list_has_any({TOKENS}, regexp_extract_all({{1}}, '[a-zA-Z0-9]+'))",
            **dict.fromkeys(
                ("hasSubsequence", "hasSubsequenceUTF8"),
                f"regexp_matches({{0}}, '(?s)' || {_of(AS_STEPS, '{1}')})",
            ),
            **dict.fromkeys(
                ("hasSubsequenceCaseInsensitive", "hasSubsequenceCaseInsensitiveUTF8"),
                f"regexp_matches({{0}}, '(?is)' || {_of(AS_STEPS, '{1}')})",
            ),
            "isURL": "regexp_matches({0}, '^https?://')",
        },
    ),
    (
        "Array(String)",
        {
            **dict.fromkeys(
                ("splitByChar", "splitByString"),
                f"string_split({SPLIT}, {{0}}) ## string_split({SPLIT}, {{0}})[:{FEWEST}]",
            ),
            "splitByRegexp": f"regexp_split_to_array({SPLIT}, {{0}})"
            f" ## regexp_split_to_array({SPLIT}, {{0}})[:{FEWEST}]",
            "splitByWhitespace": _of(NOT_EMPTY, "regexp_split_to_array({0}, '\\s+')"),
            "splitByNonAlpha": _of(NOT_EMPTY, "regexp_split_to_array({0}, '[\\s[:punct:]]+')"),
            "alphaTokens": "regexp_extract_all({0}, '[a-zA-Z]+')"
            " ## regexp_extract_all({0}, '[a-zA-Z]+')[:{1}::integer]",
            "tokens": "regexp_extract_all({0}, '[a-zA-Z0-9\\x{80}-\\x{10FFFF}]+')",
            "ngrams": "list_transform(range(1, length({0}) - least({1}::integer, 100) + 2),"
            " lambda z: substr({0}, z, least({1}::integer, 100)))",
            "extractIPv4Substrings": "regexp_extract_all({0}, '(?:\\d{1,3}\\.){3}\\d{1,3}')",
        },
    ),
    (
        "Array(UInt64)",
        {
            "multiSearchAllPositions": PLACES_IN_BYTES,
            "multiSearchAllPositionsUTF8": PLACES,
            "multiSearchAllPositionsCaseInsensitive": ANY_CASE_IN_BYTES,
            "multiSearchAllPositionsCaseInsensitiveUTF8": ANY_CASE,
            "multiMatchAllIndices": INDICES,
        },
    ),
)
