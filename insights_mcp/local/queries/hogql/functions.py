"""The functions a HogQL query may call, and what each is on DuckDB. What is not here is refused by name.

Functions of one subject are in the module of that subject (strings, lists, arithmetic, addresses, times); here is what
is left, and what is computed over several rows. Those that need more than a template are in calls.py.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import addresses, aggregations, arithmetic, lists, strings, times
from insights_mcp.local.queries.hogql.aggregations import AGGREGATES as AGGREGATES
from insights_mcp.local.queries.hogql.aggregations import QUANTILES as QUANTILES
from insights_mcp.local.queries.hogql.signatures import table
from insights_mcp.local.queries.hogql.sources import Typed

PLAIN = {
    **strings.FUNCTIONS,
    **lists.FUNCTIONS,
    **arithmetic.FUNCTIONS,
    **addresses.FUNCTIONS,
    **times.FUNCTIONS,
    **table(
        (
            "=",
            {
                "nullIf": "nullif({0}, {1})",
                "assumeNotNull": "{0}",
                "toNullable": "{0}",
                "materialize": "{0}",
                "identity": "{0}",
            },
        ),
        ("UInt8!", {"isNull": "({0} is null)", "isNotNull": "({0} is not null)"}),
        ("UInt8", {"isValidJSON": "json_valid({0})", "indexHint": "({0} is not null or true)"}),
        ("UUID", {"toUUID": "try_cast({0} as uuid)", "generateUUIDv4": "uuid()"}),
    ),
}
# These give NULL for NULL, though what they are written as would not.
STRICT = frozenset(
    """repeat leftPad leftPadUTF8 rightPad rightPadUTF8 position positionUTF8 positionCaseInsensitive
    positionCaseInsensitiveUTF8 ascii countSubstrings countSubstringsCaseInsensitive countSubstringsCaseInsensitiveUTF8
    multiSearchFirstPosition multiSearchFirstIndex multiMatchAnyIndex concatWithSeparator intDivOrZero moduloOrZero min2
    max2 roundAge roundDuration factorial port isValidUTF8""".split()  # noqa: SIM905
)
FAMILIAR_WITH_NULL = frozenset({"greatest", "least", "splitByChar", "splitByString", "splitByRegexp"})
OF_NULL = (
    frozenset((*strings.FUNCTIONS, *arithmetic.FUNCTIONS, *addresses.FUNCTIONS, *times.FUNCTIONS)) - FAMILIAR_WITH_NULL
)
# Of an array, or of what a lambda makes of its elements.
OF_ELEMENTS = table(
    ("el", {"arrayMin": "list_min({0})", "arrayMax": "list_max({0})", "arraySum": "coalesce(list_sum({0}), 0)"}),
    (
        "Float64",
        {"arrayAvg": "list_avg(list_transform({0}, lambda z: z::double))", "arrayProduct": "list_product({0})"},
    ),
    (
        "=",
        {
            "arrayCumSum": "list_transform(range(1, len({0}) + 1), lambda z: list_sum({0}[1:z]))",
            "arrayCumSumNonNegative": "coalesce(list_reduce(list_transform({0}, lambda z: [greatest(z, 0)]),"
            " lambda a, z, i: list_append(a, greatest(a[-1] + {0}[i], 0))), [])",
        },
    ),
    (
        "UInt8",
        {
            "arrayExists": "coalesce(list_bool_or(list_transform({0}, lambda z: z::boolean)), false)",
            "arrayAll": "coalesce(list_bool_and(list_transform({0}, lambda z: z::boolean)), true)",
        },
    ),
    ("UInt64", {"arrayCount": "len(list_filter({0}, lambda z: z::boolean))"}),
)
WINDOWS = {
    "row_number": ("row_number()", "UInt64", 0),
    "rank": ("rank()", "UInt64", 0),
    "dense_rank": ("dense_rank()", "UInt64", 0),
    "percent_rank": ("percent_rank()", "Float64", 0),
    "ntile": ("ntile({0})", "UInt64", 1),
    "lag": ("lag({*})", "=", 1),
    "lead": ("lead({*})", "=", 1),
    "lagInFrame": ("lag({*})", "=", 1),
    "leadInFrame": ("lead({*})", "=", 1),
    "first_value": ("first_value({0} ignore nulls)", "=", 1),
    "last_value": ("last_value({0} ignore nulls)", "=", 1),
    "nth_value": ("nth_value({0}, {1})", "=", 2),
}
# Functions of a lambda and of arrays, and what each gives: an array, the first array's type (`=1`) or its element.
LAMBDAS = {
    "arrayMap": ("list_transform({1}, {0})", "Array(Any)"),
    "arrayFilter": ("list_filter({1}, {0})", "=1"),
    "arrayFirst": ("list_filter({1}, {0})[1]", "Any"),
    "arrayLast": ("list_filter({1}, {0})[-1]", "Any"),
}
ELSEWHERE = {
    "windowFunnel": "use a FunnelsQuery",
    "retention": "use a RetentionQuery",
    "sequenceMatch": "use a FunnelsQuery",
    "sequenceCount": "use a FunnelsQuery",
    "file": "only events and persons can be read",
    "url": "only events and persons can be read",
    "exists": "use IN (SELECT …), or compare (SELECT count() …) with 0",
    "sleep": "a query cannot wait",
    "convertCurrency": "rates of currencies are not loaded",
    "generateSeries": "use range, or numbers(…) as a table",
    "isIPAddressInRange": "compare the text: ip LIKE '10.0.%'",
    "embedText": "there is no model here; use match or ilike",
    "deltaSumTimestamp": "use deltaSum over a subquery in order",
    "rowNumberInBlock": "use row_number() OVER ()",
    "rowNumberInAllBlocks": "use row_number() OVER ()",
    "nowInBlock": "use now()",
    "cityHash64": "use md5, or the text itself",
    "sipHash64": "use md5, or the text itself",
    "erf": "use exp",
    "erfc": "use exp",
    "multiplyDecimal": "use multiply and round",
    "divideDecimal": "use divide and round",
    "convertCharset": "text is UTF-8",
    "extractTextFromHTML": "use replaceRegexpAll(html, '<[^>]*>', '')",
    "mapPopulateSeries": "use ORDER BY … WITH FILL",
    "untuple": "name the elements: pair.1, pair.2",
    "tupleToNameValuePairs": "name the elements: pair.1, pair.2",
    "timeSlots": "use arrayMap over range",
    "bitSlice": "use substring",
    "maxIntersections": "use window functions",
    "maxIntersectionsPosition": "use window functions",
    "groupArrayInsertAt": "use groupArray over a subquery in order",
    "recordingButton": "select $session_id, and open the recording in PostHog",
    "explainCSPReport": "select the properties of the report",
    "getSurveyResponse": "use properties.$survey_response",
    "uniqueSurveySubmissionsFilter": "use uniq",
}
# Of families of functions that are not supported, by how the name begins: why, and what is near.
FAMILIES = {
    "greatCircle": "maps are not supported; group by $geoip_country_code",
    "pointIn": "maps are not supported; group by $geoip_country_code",
    "stringToH3": "maps are not supported; group by $geoip_country_code",
    "bitRotate": "use bitShiftLeft, bitShiftRight and bitOr", "base58": "use base64Encode",
    "tryBase58": "use tryBase64Decode", "aggregate_funnel": "use a FunnelsQuery",
    "__preview_": "user agents are not classified; match properties.$user_agent yourself",
    "_lookup": "use $geoip_city_name", "_default": "use session.$channel_type", "_domain": "use session.$channel_type",
    **dict.fromkeys(("cramersV", "theilsU", "contingency"), "use corr, or count() by both"),
    "h3": "maps are not supported; group by $geoip_country_code",
    "geo": "maps are not supported; group by $geoip_country_code",
    "reinterpretAs": "bytes are not read as numbers; use toInt or toFloat",
    "ngramDistance": "use levenshtein", "ngramSearch": "use position or match", "multiFuzzy": "use multiMatchAny",
    "getTraffic": "user agents are not classified; match properties.$user_agent yourself",
    "getBot": "user agents are not classified; match properties.$user_agent yourself",
    "isLikelyBot": "user agents are not classified; match properties.$user_agent yourself",
    "lookup": "use session.$channel_type",
}  # fmt: skip


def strict(name: str, found: Typed, args: list[Typed]) -> Typed:
    """A call, which gives NULL where an argument is NULL."""
    if name in OF_NULL and any(arg.type == "Nothing" for arg in args):
        return replace(found, sql="null", nullable=True)
    given = [f"{arg.sql} is not null" for arg in args if arg.nullable]
    if name not in STRICT or not given:
        return found
    return replace(found, sql=f"case when {' and '.join(given)} then {found.sql} end", nullable=True)


def unknown(name: str, special: list[str]) -> QueryError:
    """The error for a function that is not in the tables."""
    base = name.removesuffix("If")
    if base in ELSEWHERE:
        return QueryError(f"Function '{name}' is not supported; {ELSEWHERE[base]}.", "unsupported_function", "query")
    family = next((why for start, why in FAMILIES.items() if name.startswith(start)), None)
    if family:
        return QueryError(f"Function '{name}' is not supported; {family}.", "unsupported_function", "query")
    known = [*PLAIN, *aggregations.AGGREGATES, *aggregations.QUANTILES, *WINDOWS, *LAMBDAS, *special]
    if base.endswith(("State", "Merge")):
        text = f"Function '{name}' is not supported; its states are not kept: aggregate the rows themselves."
        return QueryError(text, "unsupported_function", "query")
    near = get_close_matches(name, known, 1) or get_close_matches(name.lower(), known, 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return QueryError(f"Unsupported function call '{name}(...)'.{hint}", "unsupported_function", "query")
