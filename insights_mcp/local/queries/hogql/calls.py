"""Functions that need more than a template, by name: who compiles each, and how many arguments it takes."""

from __future__ import annotations

from insights_mcp.local.queries.hogql import aggregations, functions, lambdas, moments, operators, values
from insights_mcp.local.queries.hogql.compiling import (
    ARITHMETIC,
    CALLS,
    CANONICAL,
    COUNTS,
    LIKES,
    NOT_LIKES,
    SIGNS,
    Compiler,
    Handler,
)
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.tree import Call


def _count(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    return compiler.aggregate(node.name, node, scope)


TABLE: dict[str, tuple[Handler, int, int]] = {
    "and": (operators.and_or, 1, 500),
    "or": (operators.and_or, 1, 500),
    "not": (operators.not_, 1, 1),
    "equals": (operators.equals, 2, 2),
    "notEquals": (operators.not_equals, 2, 2),
    **dict.fromkeys(SIGNS, (operators.ordered, 2, 2)),
    **dict.fromkeys((*LIKES, *NOT_LIKES), (operators.like, 2, 2)),
    "match": (operators.match, 2, 2),
    "in": (operators.in_, 2, 2),
    "notIn": (operators.in_, 2, 2),
    "matchesAction": (operators.matches_action, 1, 1),
    "inCohort": (operators.in_cohort, 2, 2),
    "notInCohort": (operators.in_cohort, 2, 2),
    **dict.fromkeys(ARITHMETIC, (operators.arithmetic, 2, 2)),
    "concat": (operators.concat, 1, 50),
    "reverse": (values.reverse, 1, 1),
    "if": (operators.if_, 3, 3),
    "multiIf": (operators.if_, 3, 501),
    "coalesce": (operators.coalesce, 1, 50),
    "ifNull": (operators.coalesce, 2, 2),
    "array": (values.array, 0, 1000),
    **dict.fromkeys(functions.LAMBDAS, (lambdas.over_elements, 2, 6)),
    **dict.fromkeys(functions.OF_ELEMENTS, (lambdas.mapped_first, 1, 6)),
    **dict.fromkeys(lambdas.SORTS, (lambdas.sorted_, 1, 6)),
    **dict.fromkeys(("arrayFirstIndex", "arrayLastIndex"), (lambdas.first_index, 2, 6)),
    **dict.fromkeys(lambdas.FILLS, (lambdas.filled, 2, 2)),
    "length": (values.length, 1, 1),
    **dict.fromkeys(("empty", "notEmpty", "isEmpty", "isNotEmpty"), (values.empty, 1, 1)),
    "arrayFlatten": (values.flatten, 1, 1),
    "arrayIntersect": (values.intersection, 1, 50),
    "arrayResize": (values.resized, 2, 3),
    "xor": (values.xor, 2, 50),
    "arrayFold": (lambdas.fold, 3, 3),
    "arrayReduce": (lambdas.reduced, 2, 2),
    "arrayZip": (values.array_zip, 2, 10),
    "map": (values.map_, 2, 200),
    "mapKeys": (values.map_part, 1, 1),
    "mapValues": (values.map_part, 1, 1),
    "transform": (values.transform, 3, 4),
    "toTypeName": (values.type_of, 1, 1),
    "sumMap": (values.sum_map, 1, 2),
    "tuple": (values.tuple_, 1, 100),
    "arrayElement": (values.array_element, 2, 2),
    "tupleElement": (values.member, 2, 2),
    "range": (values.range_, 1, 3),
    "arrayJoin": (values.array_join, 1, 1),
    "toDateTime": (moments.to_time, 1, 2),
    "toDateTime64": (moments.to_time, 1, 3),
    "parseDateTimeBestEffort": (moments.to_time, 1, 2),
    "parseDateTime64BestEffort": (moments.to_time, 1, 3),
    "parseDateTimeBestEffortOrNull": (moments.to_time, 1, 2),
    "toDateTimeOrNull": (moments.to_time, 1, 2),
    "toDate": (moments.to_date, 1, 2),
    "toDateOrNull": (moments.to_date, 1, 1),
    **{
        name: (values.cast("int"), 1, 1)
        for name in ("toInt", "toInt64", "toInteger", "toIntOrNull", "_toInt64", "toInt32", "toUInt64")
    },
    **{
        name: (values.cast("float"), 1, 1)
        for name in ("toFloat", "toFloat64", "toFloatOrNull", "toFloat32", "accurateCastOrNull")
    },
    **{name: (values.cast("float"), 1, 2) for name in ("toDecimal", "toDecimal32", "toDecimal64", "toDecimal128")},
    "toIntOrZero": (values.or_default("int", "0"), 1, 1),
    "toFloatOrZero": (values.or_default("float", "0"), 1, 1),
    "toFloatOrDefault": (values.or_default("float", "0"), 1, 1),
    "toString": (values.cast("string"), 1, 2),
    "toBool": (values.cast("bool"), 1, 1),
    "now": (moments.now, 0, 1),
    "now64": (moments.now, 0, 2),
    "today": (moments.now, 0, 0),
    "yesterday": (moments.now, 0, 0),
    "dateDiff": (moments.date_diff, 3, 4),
    "dateTrunc": (moments.date_trunc, 2, 3),
    "datePart": (moments.date_part, 2, 2),
    "dateAdd": (moments.date_add, 2, 3),
    "dateSub": (moments.date_add, 2, 3),
    "toStartOfWeek": (moments.week, 1, 3),
    "toStartOfInterval": (moments.start_of_interval, 2, 3),
    "toTimeZone": (moments.zoned, 2, 2),
    "toUnixTimestamp": (moments.unix, 1, 2),
    "toUnixTimestamp64Milli": (moments.unix, 1, 2),
    "fromUnixTimestamp": (moments.from_unix, 1, 2),
    "formatDateTime": (moments.format_, 2, 3),
    **dict.fromkeys(values.JSON, (values.json_value, 1, 10)),
    "count": (_count, 0, 10),
    **dict.fromkeys(("extract", "extractAll"), (values.extract, 2, 2)),
    **dict.fromkeys(values.GROUPS, (values.groups, 2, 2)),
    "regexpExtract": (values.regexp_extract, 2, 3),
    "format": (values.formatted, 2, 50),
    "substring": (values.substring, 2, 3),
    "substringUTF8": (values.substring, 2, 3),
    **dict.fromkeys(values.ROUNDING, (values.rounded, 1, 2)),
}
CALLS.update({name: handler for name, (handler, _, _) in TABLE.items()})
COUNTS.update({name: (fewest, most) for name, (_, fewest, most) in TABLE.items()})
SPELLINGS = {
    "date_trunc": "dateTrunc",
    "date_diff": "dateDiff",
    "date_add": "dateAdd",
    "date_sub": "dateSub",
    "timestampdiff": "dateDiff",
    "substr": "substring",
    "ifnull": "ifNull",
    "nullif": "nullIf",
    "mid": "substring",
    "array_agg": "array_agg",
    "lpad": "leftPad",
    "rpad": "rightPad",
    "concat_ws": "concatWithSeparator",
    "trimboth": "trim",
    "mod": "modulo",
    "from_unixtime": "fromUnixTimestamp",
    "current_timestamp": "now",
    "length_utf8": "lengthUTF8",
    "char_length": "lengthUTF8",
    "to_date": "toDate",
    "pow": "pow",
    "std": "stddevPop",
    "stddev_pop": "stddevPop",
    "stddev_samp": "stddevSamp",
    "var_pop": "varPop",
    "var_samp": "varSamp",
    "any_value": "any",
}
EVERY = (
    *functions.PLAIN, *aggregations.AGGREGATES, *functions.WINDOWS, *functions.LAMBDAS, *aggregations.QUANTILES, *TABLE,
)  # fmt: skip
CANONICAL.update({**{name.lower(): name for name in EVERY}, **SPELLINGS})
