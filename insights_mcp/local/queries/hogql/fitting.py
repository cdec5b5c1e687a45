"""Whether a function's first argument is what it takes: text, a number, an array, a map or a time."""

from __future__ import annotations

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import (
    addresses,
    aggregations,
    arithmetic,
    exact,
    functions,
    lists,
    strings,
    times,
)
from insights_mcp.local.queries.hogql.sources import Typed

# What of a subject takes anything, or something else.
OTHERS = frozenset(
    """hex char greatest least ifNotFinite format_bytes arrayWithConstant fromModifiedJulianDay toModifiedJulianDay
    bitTestAll bitTestAny""".split()  # noqa: SIM905
)
ARRAYS = """arraySort arrayReverseSort arrayFill arrayReverseFill arraySplit arrayReverseSplit arrayFirstIndex
    arrayLastIndex arrayFlatten arrayIntersect arrayResize arrayZip arrayJoin arrayReduce arrayFold mapFromArrays"""
MAPS = "mapKeys mapValues mapAdd mapSubtract mapUpdate mapContains mapFilter mapApply"
NUMBERS = """ceil ceiling floor round trunc range fromUnixTimestamp fromUnixTimestamp64Milli to_timestamp
    make_date make_interval make_timestamp make_timestamptz bar"""
TIMES = "monthName dayName"
TEXTS = """substring substringUTF8 extract extractAll extractGroups extractAllGroups regexpExtract parseDateTime
    JSONExtract JSONExtractString JSONExtractInt JSONExtractUInt JSONExtractFloat JSONExtractBool JSONExtractRaw JSONHas
    JSONLength JSONExtractKeys JSONExtractArrayRaw JSONType JSON_VALUE JSONExtractKeysAndValues"""
VECTORS = """L1Norm L2Norm LinfNorm LpNorm L1Distance L2Distance LinfDistance LpDistance cosineDistance dotProduct
    L1Normalize L2Normalize LinfNormalize LpNormalize"""
# Which take a second text.
TWO_TEXTS = frozenset(
    """position positionUTF8 positionCaseInsensitive positionCaseInsensitiveUTF8 startsWith endsWith replace replaceAll
    replaceOne replaceRegexpAll replaceRegexpOne splitByChar splitByString splitByRegexp countSubstrings translate
    countSubstringsCaseInsensitive countSubstringsCaseInsensitiveUTF8 countMatches countMatchesCaseInsensitive hasToken
    hasTokenCaseInsensitive hasSubsequence hasSubsequenceUTF8 extractURLParameter cutURLParameter split_part levenshtein
    appendTrailingCharIfAbsent""".split()  # noqa: SIM905
)
# What is added or is true: no arrays and no maps.
SUMS = "plus minus multiply"
TRUTHS = "and or xor not"
# What each takes first, how that is called, and what makes it of something else.
A_TEXT = (("String",), "text", "toString")
A_NUMBER = (("number",), "a number", "toFloat")
AN_ARRAY = (("Array",), "an array", "JSONExtract(…, 'Array(String)')")
A_TIME = (("time",), "a time", "toDateTime")
HELD = (("String", "Array", "Map", "UUID"), "text or an array", "toString")
KINDS = {
    **dict.fromkeys((*strings.FUNCTIONS, *addresses.FUNCTIONS, *TEXTS.split()), A_TEXT),
    **dict.fromkeys((*arithmetic.FUNCTIONS, *NUMBERS.split()), A_NUMBER),
    **dict.fromkeys((*lists.FUNCTIONS, *functions.OF_ELEMENTS, *functions.LAMBDAS, *ARRAYS.split()), AN_ARRAY),
    **dict.fromkeys((*times.FUNCTIONS, *TIMES.split()), A_TIME),
    **dict.fromkeys(VECTORS.split(), (("Array", "Tuple"), "an array or a tuple", "[…]")),
    **dict.fromkeys(SUMS.split(), (("number", "String", "time", "Interval", "Tuple"), "a number or a time", "toFloat")),
    **dict.fromkeys(TRUTHS.split(), (("number", "String"), "a condition", "=")),
    **dict.fromkeys(("length", "empty", "notEmpty"), HELD),
    **dict.fromkeys(MAPS.split(), (("Map",), "a map", "map(…)")),
    **{name: (("number", "String"), "a number", "toInt") for name in times.FUNCTIONS if name.startswith("toInterval")},
    "make_date": A_NUMBER, "make_interval": A_NUMBER, "negate": (("number", "Interval"), "a number", "toFloat"),
}  # fmt: skip


def checked(name: str, kinds: list[str]) -> None:
    """Refuse arguments that no row could answer with. Raises QueryError."""
    if name not in KINDS or name in OTHERS:
        return
    for kind, place in zip(kinds, ("first", "second") if name in TWO_TEXTS else ("first",), strict=False):
        wanted, called, how = KINDS[name]
        if family(kind) not in (None, *wanted):
            text = f"Function '{name}' takes {called} {place}, not {exact.plain(kind)}; convert it with {how}."
            raise QueryError(text, attr="query")


def gathered(name: str, value: Typed) -> None:
    """Refuse an aggregate of numbers, or of arrays, over what holds none. Raises QueryError."""
    found = family(value.type)
    numbers = name in aggregations.QUANTILES or name in aggregations.NUMERIC or name.startswith("groupArrayMoving")
    if numbers and found not in (None, "number", "String"):
        raise QueryError(f"Aggregate '{name}' takes numbers, not {value.type}.", attr="query")
    if name in ("groupArrayArray", "groupUniqArrayArray") and found not in (None, "Array"):
        raise QueryError(f"Aggregate '{name}' takes arrays, not {value.type}.", attr="query")


def comparable(left: Typed, right: Typed) -> None:
    """Refuse a comparison of what is never equal. Raises QueryError."""
    families = {family(each.type) for each in (left, right)} - {None, "String", "UUID"}
    if len(families) > 1:
        raise QueryError(f"{left.type} cannot be compared with {right.type}.", attr="query")


def family(kind: str) -> str | None:
    """What a type belongs to; None where it is not known."""
    bare = exact.plain(kind).partition("(")[0]
    if exact.WHOLE.match(bare) or bare in ("Float64", "Bool"):
        return "number"
    if bare in ("Array", "Map", "Tuple", "String", "UUID"):
        return bare
    if bare.startswith("Interval"):
        return "Interval"
    return "time" if bare in ("DateTime", "DateTime64", "seconds", "Date") else None
