"""Which type ClickHouse gives a call: by name, over the types in exact.py."""

from __future__ import annotations

from collections.abc import Callable

from insights_mcp.local.queries.hogql import exact


def _names(text: str) -> list[str]:
    return text.split()


# What is of one type whatever its arguments, NULL where they are.
FIXED = {
    name: kind
    for kind, names in {
        "UInt8": """toQuarter toMonth toDayOfMonth toDayOfWeek toHour toMinute toSecond toISOWeek toWeek roundAge
            isNaN isFinite isInfinite bitCount bitHammingDistance""",
        "UInt16": "toYear toDayOfYear toISOYear roundDuration width_bucket port tupleHammingDistance",
        "UInt32": """toUnixTimestamp toYearWeek toYYYYMM toYYYYMMDD""",
        "UInt64": "_toUInt64 toYYYYMMDDhhmmss intExp2 intExp10 factorial",
        "Int8": "sign _toInt8", "Int16": "_toInt16", "Int32": "ascii timeZoneOffset _toInt32",
        "seconds": """toStartOfDay toStartOfHour toStartOfMinute toStartOfFiveMinutes toStartOfTenMinutes
            toStartOfFifteenMinutes timeSlot fromUnixTimestamp to_timestamp make_timestamp""",
        "UInt128": "_toUInt128", "Int64": "_toInt64",
    }.items()
    for name in _names(names)
}  # fmt: skip
# What may be NULL whatever its arguments.
ORNULL = {
    "toInt": "Int64", "toFloat": "Float64", "toUUID": "UUID", "toNullableString": "String", "parseDateTime": "seconds",
    "parseDateTimeBestEffort": "DateTime", "toDateTimeUS": "DateTime", "toModifiedJulianDay": "Int32",
    "date_part": "UInt16", "fromModifiedJulianDay": "String", "hasTokenOrNull": "UInt8",
    "hasTokenCaseInsensitiveOrNull": "UInt8",
}  # fmt: skip
# What is never NULL.
ALWAYS = {
    **dict.fromkeys(_names("arrayCount arrayUniq arrayFirstIndex arrayLastIndex"), "UInt32"),
    **dict.fromkeys(_names("arrayEnumerate arrayEnumerateUniq arrayEnumerateDense"), "Array(UInt32)"),
    **dict.fromkeys(_names("bitmapMin bitmapMax"), "UInt64"),
}
SAME_ARRAY = frozenset(
    _names(
        """reverse arrayPopBack arrayPopFront arraySlice arrayReverse arrayDistinct arrayCompact arrayRotateLeft
        arrayRotateRight bitmapBuild bitmapToArray bitmapAnd bitmapOr bitmapXor bitmapAndnot bitmapSubsetInRange
        bitmapSubsetLimit subBitmap bitmapTransform mapExtractKeyLike arrayIntersect"""
    )
)
Rule = Callable[[exact.Kinds], str | None]
# Of what the arguments are, without NULL; the result has NULL where they have.
NUMBERS: dict[str, Rule] = {
    **dict.fromkeys(("plus", "multiply"), exact.sum_),
    "minus": lambda kinds: exact.sum_(kinds, minus=True),
    **dict.fromkeys(("intDiv", "intDivOrZero"), exact.quotient),
    **dict.fromkeys(("modulo", "moduloOrZero"), exact.rest),
    "positiveModulo": lambda kinds: exact.positive([exact.rest(kinds) or "Float64"]),
    "negate": exact.negated,
    "abs": exact.positive,
    **dict.fromkeys(("gcd", "lcm"), exact.divisor),
    **dict.fromkeys(("bitAnd", "bitOr", "bitXor", "bitNot"), exact.bits),
    **dict.fromkeys(
        _names("bitShiftLeft bitShiftRight roundToExp2 roundDown round floor ceil ceiling trunc roundBankers"),
        lambda kinds: kinds[0],
    ),
    "tupleNegate": lambda kinds: exact.of_parts(lambda pair: exact.negated(pair[:1]))([kinds[0], kinds[0]]),
    **dict.fromkeys(("tuplePlus", "tupleMultiply", "tupleMultiplyByNumber"), exact.of_parts(exact.sum_)),
    "tupleMinus": exact.of_parts(lambda pair: exact.sum_(pair, minus=True)),
    **dict.fromkeys(("least", "greatest"), exact.common),
    **dict.fromkeys(("dateAdd", "dateSub"), lambda kinds: exact.moved(*kinds) if len(kinds) == 2 else None),
    **{f"{verb}{unit}s": exact.mover(unit) for verb in ("add", "subtract") for unit in exact.UNITS},
}


def _joined(kinds: exact.Kinds) -> str | None:
    inner = exact.common([exact.of_array(kind) for kind in kinds])
    return inner and f"Array({inner})"


def _with_element(kinds: exact.Kinds) -> str | None:
    inner = exact.common([exact.of_array(kinds[0]), kinds[1]])
    return inner and f"Array({inner})"


def _element(kinds: exact.Kinds) -> str:
    if kinds[0].startswith("Map("):
        return exact.parts(kinds[0])[1]
    return exact.of_array(kinds[0])


def _listed(kinds: exact.Kinds) -> str | None:
    inner = exact.common(kinds) if kinds else "Nothing"
    return inner and f"Array({inner})"


def _mapped(kinds: exact.Kinds) -> str | None:
    keys, values = exact.common(kinds[::2]), exact.common(kinds[1::2])
    return f"Map({keys}, {values})" if kinds and keys and values else None


def _flat(kinds: exact.Kinds) -> str:
    kind = kinds[0]
    while kind.startswith("Array(Array("):
        kind = exact.of_array(kind)
    return kind


def _chosen(kinds: exact.Kinds) -> str | None:
    """What if and multiIf give: every second argument, and the last."""
    return exact.common([*kinds[1::2], kinds[-1]])


def _coalesced(kinds: exact.Kinds) -> str | None:
    """Of those up to the first that is never NULL."""
    sure = next((place for place, kind in enumerate(kinds, 1) if not kind.startswith("Nullable(")), len(kinds))
    kinds = kinds[:sure]
    found = exact.common(
        [*(exact.plain(kind) if kind != exact.NOTHING else "Nothing" for kind in kinds[:-1]), kinds[-1]]
    )
    return exact.plain(found) if found and any(not k.startswith("Nullable(") for k in kinds) else found


def _sums(kinds: exact.Kinds) -> str:
    return f"Array({exact.added_up(exact.of_array(kinds[0]))})"


# Of what the arguments are as they are.
SHAPES: dict[str, Rule] = {
    "array": _listed, "tuple": lambda kinds: f"Tuple({', '.join(kinds)})", "map": _mapped,
    "if": _chosen, "multiIf": _chosen, "coalesce": _coalesced, "ifNull": _coalesced,
    "nullIf": lambda kinds: exact.nullable(kinds[0]), "toNullable": lambda kinds: exact.nullable(kinds[0]),
    "assumeNotNull": lambda kinds: exact.plain(kinds[0]), "materialize": lambda kinds: kinds[0],
    "arrayElement": _element, "arrayJoin": lambda kinds: exact.of_array(kinds[0]), "arrayConcat": _joined,
    "arrayPushBack": _with_element, "arrayPushFront": _with_element, "arrayFlatten": _flat,
    "arrayZip": lambda kinds: f"Array(Tuple({', '.join(map(exact.of_array, kinds))}))",
    "arrayWithConstant": lambda kinds: f"Array({kinds[1]})",
    "arrayResize": lambda kinds: _with_element([kinds[0], kinds[2]]) if len(kinds) > 2 else kinds[0],
    "arrayCumSum": _sums, "arrayCumSumNonNegative": _sums,
    "arrayDifference": lambda kinds: f"Array({exact.sum_([exact.of_array(kinds[0])] * 2, minus=True) or 'Int64'})",
    "range": lambda kinds: f"Array({exact.common(kinds) or 'UInt64'})",
    "mapFromArrays": lambda kinds: f"Map({exact.of_array(kinds[0])}, {exact.of_array(kinds[1])})",
    "mapKeys": lambda kinds: f"Array({exact.parts(kinds[0])[0]})",
    "mapValues": lambda kinds: f"Array({exact.parts(kinds[0])[1]})",
    "mapUpdate": lambda kinds: kinds[0], "transform": lambda kinds: exact.common(
        [exact.of_array(kinds[2]), kinds[3] if len(kinds) > 3 else kinds[0]]),
    **dict.fromkeys(("mapAdd", "mapSubtract"), lambda kinds: _map_sum(kinds[0])),
}  # fmt: skip


def _map_sum(kind: str) -> str:
    key, value = exact.parts(kind)
    return f"Map({key}, {exact.added_up(value)})"


# Of a lambda, whose body is the first of these kinds, and of arrays.
OVER_LAMBDAS: dict[str, Rule] = {
    "arrayMap": lambda kinds: f"Array({kinds[0]})",
    **dict.fromkeys(
        ("arrayFilter", "arraySort", "arrayReverseSort", "arrayFill", "arrayReverseFill"), lambda kinds: kinds[1]
    ),
    **dict.fromkeys(("arrayFirst", "arrayLast"), lambda kinds: exact.of_array(kinds[1])),
    **dict.fromkeys(("arraySplit", "arrayReverseSplit"), lambda kinds: f"Array({kinds[1]})"),
    **dict.fromkeys(("arrayMin", "arrayMax"), lambda kinds: kinds[0]),
    "arraySum": lambda kinds: exact.added_up(kinds[0]),
    "arrayCumSum": lambda kinds: f"Array({exact.added_up(kinds[0])})",
    "mapFilter": lambda kinds: kinds[1],
    "mapApply": lambda kinds: f"Map({', '.join(exact.parts(kinds[0]))})",
}
# The same without a lambda: of the elements.
OVER_ELEMENTS = {
    **dict.fromkeys(("arrayMin", "arrayMax"), lambda kinds: exact.of_array(kinds[0])),
    "arraySum": lambda kinds: exact.added_up(exact.of_array(kinds[0])),
    **dict.fromkeys(("arraySort", "arrayReverseSort"), lambda kinds: kinds[0]),
}
# Aggregates: of the values, without NULL; the result has NULL where they have.
AGGREGATES: dict[str, Rule] = {
    "sum": lambda kinds: exact.added_up(kinds[0]), "sumWithOverflow": lambda kinds: kinds[0],
    **dict.fromkeys(
        _names("min max any anyLast anyHeavy argMin argMax first_value last_value medianExact quantileExact"),
        lambda kinds: kinds[0],
    ),
    **dict.fromkeys(_names("groupBitAnd groupBitOr groupBitXor"), lambda kinds: kinds[0]),
    **dict.fromkeys(_names("quantile median avg stddevPop stddevSamp varPop varSamp"), lambda kinds: "Float64"),
}  # fmt: skip
GATHERED = ("groupArray", "groupUniqArray", "groupArraySample", "topK", "array_agg", "groupArraySorted")


def of_call(name: str, kinds: exact.Kinds, body: str | None) -> str | None:
    """The type of a call, by its arguments' types, and by the type of its lambda's body; None where no rule says."""
    try:
        return _of_call(name, kinds, body)
    except (IndexError, ValueError):  # other arguments than the rule knows
        return None


def _of_call(name: str, kinds: exact.Kinds, body: str | None) -> str | None:
    if body is not None:
        return OVER_LAMBDAS[name]([body, *kinds]) if name in OVER_LAMBDAS else ALWAYS.get(name)
    with_null = any(kind.startswith("Nullable(") for kind in kinds)
    if (name in FIXED or name in NUMBERS) and exact.NOTHING in kinds:
        return exact.NOTHING
    if name in FIXED or name in NUMBERS:
        found = FIXED.get(name) or NUMBERS[name]([exact.plain(kind) for kind in kinds])
        return exact.nullable(found) if found and with_null else found
    if name in ORNULL:
        return f"Nullable({ORNULL[name]})"
    if name in SAME_ARRAY:
        return kinds[0] if kinds[0].startswith(("Array(", "Map(")) else None
    rule = SHAPES.get(name) or OVER_ELEMENTS.get(name)
    return rule(kinds) if rule else ALWAYS.get(name)


def of_window(name: str, kinds: exact.Kinds) -> str | None:
    """The type of a window function that gives a value of another row."""
    if not kinds or name not in ("lag", "lead", "lagInFrame", "leadInFrame", "first_value", "last_value", "nth_value"):
        return None
    return exact.nullable(kinds[0]) if name in ("lag", "lead") else kinds[0]


def of_aggregate(base: str, how: str | None, empty: str | None, kinds: exact.Kinds) -> str | None:
    """The type of an aggregate over values of these types; None where no rule says."""
    if base in GATHERED and how is None and kinds:
        return f"Array({exact.plain(kinds[0])})"
    if base not in AGGREGATES or not kinds or how not in (None, "Array", "ForEach"):
        return None
    inner = exact.of_array(kinds[0]) if how else kinds[0]
    found = AGGREGATES[base]([exact.plain(inner)])
    if found is None or (how == "ForEach"):
        return found and f"Array({found})"
    return exact.nullable(found) if inner.startswith("Nullable(") or empty == "OrNull" else found
