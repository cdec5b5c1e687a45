"""The functions a HogQL query may call, and what each is on DuckDB. What is not here is refused by name.

`{0}`, `{1}` … are the arguments, `{*}` all of them. A type is ClickHouse's word; `=` is the type of the first
argument, `=1` of the second, `[]` an array of the first's, `el` the element of the first's.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from insights_mcp.local.queries.errors import QueryError


@dataclass(frozen=True)
class Function:
    """How a call is written in SQL, the type of its value, and how many arguments it takes."""

    template: str
    type: str
    fewest: int
    most: int
    nullable: bool | None = None


def _table(*groups: tuple[str, dict[str, str]]) -> dict[str, Function]:
    """Functions by type; how many arguments, from the template (`{1?…}` is left out when not given)."""
    return {name: _function(kind, template) for kind, group in groups for name, template in group.items()}


def _function(kind: str, template: str) -> Function:
    text, _, most = template.partition(" @")
    fewest = 1 if "{*}" in text else max((n + 1 for n in range(5) if f"{{{n}}}" in text), default=0)
    sure = kind.endswith("!")
    top = int(most) if most else (50 if "{*}" in text else fewest)
    return Function(text, kind.removesuffix("!"), fewest, top, False if sure else None)


EXACT = ("Hour", "Minute", "Second")
PLAIN = _table(
    (
        "String",
        {
            "lower": "lower({0})",
            "upper": "upper({0})",
            "lowerUTF8": "lower({0})",
            "upperUTF8": "upper({0})",
            "trim": "trim({0})",
            "trimLeft": "ltrim({0})",
            "trimRight": "rtrim({0})",
            "ltrim": "ltrim({0})",
            "rtrim": "rtrim({0})",
            "left": "left({0}, {1})",
            "right": "right({0}, {1})",
            "replaceAll": "left(replace({0}, {1}, {2}), 1000000)",
            "replace": "left(replace({0}, {1}, {2}), 1000000)",
            "replaceOne": "left(regexp_replace({0}, regexp_escape({1}), {2}), 1000000)",
            "replaceRegexpAll": "left(regexp_replace({0}, {1}, {2}, 'g'), 1000000)",
            "replaceRegexpOne": "left(regexp_replace({0}, {1}, {2}), 1000000)",
            "repeat": "repeat({0}, greatest(0, least({1}::bigint, 100000 // greatest(length({0}), 1))))",
            "leftPad": "lpad({0}, least({1}::integer, 100000), {2})",
            "rightPad": "rpad({0}, least({1}::integer, 100000), {2})",
            "arrayStringConcat": "left(array_to_string({0}, {1}), 1000000)",
            "concatWithSeparator": "left(concat_ws({*}), 1000000)",
            "domain": "regexp_extract({0}, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//([^/?#:]+)', 1)",
            "domainWithoutWWW": "regexp_extract({0}, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//(?:www\\.)?([^/?#:]+)', 1)",
            "protocol": "regexp_extract({0}, '^([a-zA-Z][a-zA-Z0-9+.-]*)://', 1)",
            "path": "regexp_extract({0}, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*([^?#]*)', 1)",
            "queryString": "regexp_extract({0}, '\\?([^#]*)', 1)",
            "fragment": "regexp_extract({0}, '#(.*)', 1)",
            "cutQueryString": "regexp_replace({0}, '\\?[^#]*', '')",
            "cutFragment": "regexp_replace({0}, '#.*', '')",
            "base64Encode": "to_base64({0}::blob)",
            "hex": "hex({0})",
            "monthName": "monthname({0})",
            "dayName": "dayname({0})",
            "toJSONString": "to_json({0})::varchar",
            "encodeURLComponent": "url_encode({0})",
            "decodeURLComponent": "url_decode({0})",
            "extractURLParameter": "regexp_extract({0}, '[?&]' || regexp_escape({1}) || '=([^&#]*)', 1)",
            "topLevelDomain": "regexp_extract({0}, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#:]*\\.([^./?#:]+)', 1)",
            "cutToFirstSignificantSubdomain": "regexp_extract({0}, '//(?:[^/?#:]*\\.)?([^./?#:]+\\.[^./?#:]+)', 1)",
            "initcap": "list_aggregate(list_transform(string_split(lower({0}), ' '),"
            " lambda z: upper(z[1]) || z[2:]), 'string_agg', ' ')",
            "char": "chr({0}::integer)",
            "toValidUTF8": "{0}",
            "base64Decode": "try(decode(from_base64({0})))",
            "MD5": "md5({0})",
            "format_bytes": "format_bytes({0}::bigint)",
        },
    ),
    (
        "Int64",
        {
            "toHour": "hour({0})",
            "toMinute": "minute({0})",
            "toSecond": "second({0})",
            "toDayOfWeek": "isodow({0})",
            "toDayOfMonth": "day({0})",
            "toDayOfYear": "dayofyear({0})",
            "toMonth": "month({0})",
            "toQuarter": "quarter({0})",
            "toYear": "year({0})",
            "toISOWeek": "weekofyear({0})",
            "toISOYear": "isoyear({0})",
            "toWeek": "weekofyear({0})",
            "toYYYYMM": "(year({0}) * 100 + month({0}))",
            "toYYYYMMDD": "(year({0}) * 10000 + month({0}) * 100 + day({0}))",
            "intDiv": "({0}::bigint // nullif({1}::bigint, 0))",
            "sign": "sign({0})::bigint",
            "bitAnd": "({0}::bigint & {1}::bigint)",
            "bitOr": "({0}::bigint | {1}::bigint)",
            "bitXor": "xor({0}::bigint, {1}::bigint)",
            "bitShiftLeft": "({0}::bigint << {1}::integer)",
            "bitShiftRight": "({0}::bigint >> {1}::integer)",
            "bitNot": "(~ {0}::bigint)",
            "bitCount": "bit_count({0}::bigint)",
            "ascii": "ascii({0})",
            "toYearWeek": "(isoyear({0}) * 100 + weekofyear({0}))",
            "toYYYYMMDDhhmmss": "strftime({0}, '%Y%m%d%H%M%S')::bigint",
            "intDivOrZero": "coalesce({0}::bigint // nullif({1}::bigint, 0), 0)",
            "indexOf": "coalesce(list_position({0}, {1}), 0)",
            "levenshtein": "levenshtein({0}, {1})",
        },
    ),
    (
        "UInt64",
        {
            "length": "len({0})",
            "lengthUTF8": "length({0})",
            "position": "strpos({0}, {1})",
            "positionCaseInsensitive": "strpos(lower({0}), lower({1}))",
            "arrayUniq": "len(list_distinct({0}))",
            "countEqual": "len(list_filter({0}, lambda z: z = {1}))",
            "cityHash64": "(hash({*}) >> 1)::bigint",
            "sipHash64": "(hash({*}) >> 1)::bigint",
        },
    ),
    (
        "Float64",
        {
            "divide": "({0} / nullif({1}::double, 0))",
            "sqrt": "sqrt({0})",
            "exp": "exp({0})",
            "ln": "ln(nullif(greatest({0}, 0), 0))",
            "log": "ln(nullif(greatest({0}, 0), 0))",
            "log2": "log2(nullif(greatest({0}, 0), 0))",
            "log10": "log10(nullif(greatest({0}, 0), 0))",
            "pow": "pow({0}, {1})",
            "power": "pow({0}, {1})",
            "arrayAvg": "list_avg({0})",
            "pi": "pi()",
            "e": "exp(1)",
            "exp2": "pow(2, {0})",
            "exp10": "pow(10, {0})",
            "cbrt": "cbrt({0})",
            "asin": "asin({0})",
            "acos": "acos({0})",
            "atan": "atan({0})",
            "atan2": "atan2({0}, {1})",
            "degrees": "degrees({0})",
            "radians": "radians({0})",
            "arrayProduct": "list_product({0})",
            "sin": "sin({0})",
            "cos": "cos({0})",
            "tan": "tan({0})",
        },
    ),
    (
        "=",
        {
            "abs": "abs({0})",
            "negate": "(- {0})",
            "modulo": "({0} % nullif({1}, 0))",
            "nullIf": "nullif({0}, {1})",
            "assumeNotNull": "{0}",
            "toNullable": "{0}",
            "arraySort": "list_sort({0})",
            "arrayReverse": "list_reverse({0})",
            "arrayReverseSort": "list_reverse_sort({0})",
            "arrayDistinct": "list_distinct({0})",
            "arrayCompact": "list_distinct({0})",
            "arraySlice": "{0}[{1}:{1} + {2} - 1]",
            "arrayConcat": "flatten([{*}])",
            "arrayIntersect": "list_intersect({0}, {1})",
            "arrayCumSum": "list_transform(range(1, len({0}) + 1), lambda z: list_sum({0}[1:z]))",
            "arrayDifference": "list_transform(range(1, len({0}) + 1),"
            " lambda z: case when z = 1 then 0 else {0}[z] - {0}[z - 1] end)",
            "arrayPushBack": "list_append({0}, {1})",
            "arrayPushFront": "list_prepend({1}, {0})",
            "arrayPopBack": "{0}[:-2]",
            "arrayPopFront": "{0}[2:]",
            "greatest": "greatest({*})",
            "least": "least({*})",
            "tumbleStart": "{0}",
            "materialize": "{0}",
            "identity": "{0}",
        },
    ),
    ("el", {"arrayFlatten": "flatten({0})"}),
    ("el", {"arrayMin": "list_min({0})", "arrayMax": "list_max({0})", "arraySum": "coalesce(list_sum({0}), 0)"}),
    (
        "UInt8",
        {
            "startsWith": "starts_with({0}, {1})",
            "endsWith": "ends_with({0}, {1})",
            "has": "list_contains({0}, {1})",
            "hasAny": "list_has_any({0}, {1})",
            "hasAll": "list_has_all({0}, {1})",
            "xor": "({0} <> {1})",
            "hasToken": "list_contains(regexp_split_to_array({0}, '[^a-zA-Z0-9]+'), {1})",
            "multiSearchAny": "(len(list_filter({1}, lambda z: contains({0}, z))) > 0)",
            "multiSearchAnyCaseInsensitive": "(len(list_filter({1}, lambda z: contains(lower({0}), lower(z)))) > 0)",
            "multiMatchAny": "(len(list_filter({1}, lambda z: regexp_matches({0}, z))) > 0)",
            "isInfinite": "isinf({0}::double)",
            "isURL": "regexp_matches({0}, '^https?://')",
            "isFinite": "isfinite({0}::double)",
            "isNaN": "isnan({0}::double)",
        },
    ),
    (
        "UInt8!",
        {
            "isNull": "({0} is null)",
            "isNotNull": "({0} is not null)",
            "empty": "(coalesce(len({0}), 0) = 0)",
            "notEmpty": "(coalesce(len({0}), 0) > 0)",
        },
    ),
    (
        "Array(String)",
        {
            "splitByChar": "string_split({1}, {0})",
            "splitByString": "string_split({1}, {0})",
            "alphaTokens": "regexp_extract_all({0}, '[a-zA-Z]+')",
            "extractAll": "regexp_extract_all({0}, {1})",
        },
    ),
    ("Array(UInt64)", {"arrayEnumerate": "range(1, len({0}) + 1)"}),
    ("[]", {"arrayWithConstant": "list_transform(range(least({0}::bigint, 100000)), lambda z: {1})"}),
    ("Float64!", {"rand": "floor(random() * 4294967296)::bigint", "randCanonical": "random()"}),
    ("UUID", {"toUUID": "try_cast({0} as uuid)", "generateUUIDv4": "uuid()"}),
    (
        "DateTime",
        {
            "toStartOfSecond": "date_trunc('second', {0}::timestamp)::timestamp",
            "toStartOfMinute": "date_trunc('minute', {0}::timestamp)::timestamp",
            "toStartOfHour": "date_trunc('hour', {0}::timestamp)::timestamp",
            "toStartOfDay": "date_trunc('day', {0}::timestamp)::timestamp",
            "toStartOfFiveMinutes": "time_bucket(interval 5 minute, {0}::timestamp, timestamp '1970-01-01')",
            "toStartOfTenMinutes": "time_bucket(interval 10 minute, {0}::timestamp, timestamp '1970-01-01')",
            "toStartOfFifteenMinutes": "time_bucket(interval 15 minute, {0}::timestamp, timestamp '1970-01-01')",
            "addSeconds": "({0}::timestamp + to_seconds({1}))",
            "addMinutes": "({0}::timestamp + to_minutes({1}))",
            "addHours": "({0}::timestamp + to_hours({1}))",
            "subtractSeconds": "({0}::timestamp - to_seconds({1}))",
            "subtractMinutes": "({0}::timestamp - to_minutes({1}))",
            "subtractHours": "({0}::timestamp - to_hours({1}))",
        },
    ),
    (
        "Date",
        {
            "toStartOfMonth": "date_trunc('month', {0}::timestamp)::date",
            "toStartOfQuarter": "date_trunc('quarter', {0}::timestamp)::date",
            "toStartOfYear": "date_trunc('year', {0}::timestamp)::date",
            "toMonday": "date_trunc('week', {0}::timestamp)::date",
            "toStartOfISOYear": "date_trunc('isoyear', {0}::timestamp)::date",
            "toLastDayOfMonth": "last_day({0}::date)",
        },
    ),
    (
        "time",
        {
            f"{verb}{unit}s": f"({{0}} {sign} to_{unit.lower()}s({{1}}::integer))"
            for verb, sign in (("add", "+"), ("subtract", "-"))
            for unit in ("Day", "Week", "Month", "Quarter", "Year")
        },
    ),
    (
        "Interval",
        {
            f"toInterval{unit}": f"to_{unit.lower()}s({{0}}::{'bigint' if unit in EXACT else 'integer'})"
            for unit in ("Second", "Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year")
        },
    ),
)
AGGREGATES = _table(
    (
        "UInt64!",
        {
            "uniq": "count(distinct {0}) @20",
            "uniqExact": "count(distinct {0})",
            "uniqCombined": "count(distinct {0})",
            "uniqHLL12": "approx_count_distinct({0})",
            "countDistinct": "count(distinct {0})",
        },
    ),
    ("sum", {"sum": "sum({0})"}),
    (
        "Float64",
        {
            "avg": "avg({0})",
            "median": "quantile_cont({0}, 0.5)",
            "stddevPop": "stddev_pop({0})",
            "stddevSamp": "stddev_samp({0})",
            "varPop": "var_pop({0})",
            "varSamp": "var_samp({0})",
            "corr": "corr({0}, {1})",
            "avgWeighted": "(sum({0} * {1}) / nullif(sum({1}), 0))",
            "covarPop": "covar_pop({0}, {1})",
            "skewPop": "skewness({0})",
            "kurtPop": "kurtosis_pop({0})",
            "covarSamp": "covar_samp({0}, {1})",
            "entropy": "entropy({0})",
        },
    ),
    (
        "=",
        {
            "min": "min({0})",
            "max": "max({0})",
            "any": "any_value({0})",
            "anyLast": "last({0})",
            "argMin": "arg_min({0}, {1})",
            "argMax": "arg_max({0}, {1})",
            "first_value": "first({0})",
            "last_value": "last({0})",
            "mode": "mode({0})",
            "anyHeavy": "mode({0})",
            "any_respect_nulls": "first({0})",
            "groupConcat": "left(string_agg({0}, ','), 1000000)",
        },
    ),
    (
        "[]!",
        {
            "groupArray": "list({0})",
            "groupUniqArray": "list(distinct {0})",
            "groupArrayDistinct": "list(distinct {0})",
            "groupArraySorted": "list({0} order by {0})",
            "topK": "approx_top_k({0}, 10)",
        },
    ),
    (
        "UInt64",
        {
            "groupBitAnd": "bit_and({0}::bigint)",
            "groupBitOr": "bit_or({0}::bigint)",
            "groupBitXor": "bit_xor({0}::bigint)",
        },
    ),
)
# Over text these take what is a number in it.
NUMERIC = frozenset({"sum", "avg", "median", "stddevPop", "stddevSamp", "varPop", "varSamp", "corr", "avgWeighted"})
QUANTILES = {
    "quantile": "quantile_cont",
    "quantileExact": "quantile_disc",
    "quantileTiming": "quantile_cont",
    "quantileTDigest": "quantile_cont",
    "quantileBFloat16": "quantile_cont",
    "quantileDeterministic": "quantile_cont",
    "quantiles": "quantile_cont",
}
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
    "first_value": ("first_value({0})", "=", 1),
    "last_value": ("last_value({0})", "=", 1),
    "nth_value": ("nth_value({0}, {1})", "=", 2),
}
LAMBDAS = {
    "arrayMap": ("list_transform({1}, {0})", "Array(Any)"),
    "arrayFilter": ("list_filter({1}, {0})", "=1"),
    "arrayExists": ("coalesce(list_bool_or(list_transform({1}, {0})), false)", "UInt8"),
    "arrayAll": ("coalesce(list_bool_and(list_transform({1}, {0})), true)", "UInt8"),
    "arrayCount": ("len(list_filter({1}, {0}))", "UInt64"),
    "arrayFirst": ("list_filter({1}, {0})[1]", "Any"),
    "arrayLast": ("list_filter({1}, {0})[-1]", "Any"),
    "arrayFirstIndex": ("coalesce(list_position(list_transform({1}, {0}), true), 0)", "UInt64"),
}
ELSEWHERE = {
    "windowFunnel": "use a FunnelsQuery",
    "retention": "use a RetentionQuery",
    "sequenceMatch": "use a FunnelsQuery",
    "sequenceCount": "use a FunnelsQuery",
    "file": "only events and persons can be read",
    "url": "only events and persons can be read",
    "sleep": "a query cannot wait",
}


def unknown(name: str, special: list[str]) -> QueryError:
    """The error for a function that is not in the tables."""
    base = name.removesuffix("If")
    if base in ELSEWHERE:
        return QueryError(f"Function '{name}' is not supported; {ELSEWHERE[base]}.", "unsupported_function", "query")
    known = [*PLAIN, *AGGREGATES, *QUANTILES, *WINDOWS, *LAMBDAS, *special]
    near = get_close_matches(name, known, 1) or get_close_matches(name.lower(), known, 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return QueryError(f"Unsupported function call '{name}(...)'.{hint}", "unsupported_function", "query")
