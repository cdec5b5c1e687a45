"""Functions of arrays and tuples that take no lambda."""

from __future__ import annotations

from insights_mcp.local.queries.hogql.signatures import table

# Where an array starts to be taken, counted from its end when below zero.
PLACE = "(case when {1} < 0 then len({0}) + {1} + 1 when {1} = 0 then 1000000000 else coalesce({1}, 1) end)"
START = f"greatest({PLACE}, 1)"
END = f"greatest(case when {{2}} < 0 then len({{0}}) + {{2}} else {PLACE} + {{2}} - 1 end, 0)"
RESIZED = "(case when {1} >= 0 then list_resize({0}, {1}::integer, FILL)"
RESIZED += " else list_reverse(list_resize(list_reverse({0}), -({1}::integer), FILL)) end)"
SEQUENCE = "range(1, len({0}) + 1)"
# Shift by a number of places, which may be larger than the array.
SHIFT = "((({1} % nullif(len({0}), 0)) + len({0})) % nullif(len({0}), 0))"
ROTATED = f"coalesce(list_concat({{0}}[{SHIFT} + 1:], {{0}}[:{SHIFT}]), {{0}})"
# The area under a curve: the share of pairs, one of each label, that are in the right order.
PAIRS = "flatten(list_transform(list_zip({0}, {1}), lambda a: list_transform(list_filter(list_zip({0}, {1}),"
PAIRS += (
    " lambda b: a[2] > 0 and b[2] <= 0), lambda b: case when a[1] > b[1] then 1 when a[1] = b[1] then 0.5 else 0 end)))"
)
FUNCTIONS = table(
    (
        "=",
        {
            "arrayReverse": "list_reverse({0})",
            "arrayDistinct": f"list_transform(list_filter({SEQUENCE}, lambda z: {{0}}[z] is not null"
            " and list_position({0}, {0}[z]) = z), lambda z: {0}[z])",
            "arrayCompact": f"list_transform(list_filter({SEQUENCE}, lambda z: z = 1"
            " or {0}[z] is distinct from {0}[z - 1]), lambda z: {0}[z])",
            "arraySlice": "{0}[" + START + ":] ## {0}[" + START + ":" + END + "]",
            "arrayConcat": "flatten([{*}])",
            "arrayDifference": f"list_transform({SEQUENCE},"
            " lambda z: case when z = 1 then 0 else {0}[z] - {0}[z - 1] end)",
            "bitmapBuild": "list_sort(list_distinct({0}))",
            "bitmapToArray": "{0}",
            "bitmapAnd": "list_sort(list_intersect({0}, {1}))",
            "bitmapOr": "list_sort(list_distinct(list_concat({0}, {1})))",
            "bitmapTransform": "list_sort(list_distinct(list_transform({0},"
            " lambda z: coalesce({2}[nullif(list_position({1}, z), 0)], z))))",
            "bitmapXor": "list_sort(list_filter(list_distinct(list_concat({0}, {1})),"
            " lambda z: list_contains({0}, z) <> list_contains({1}, z)))",
            "bitmapAndnot": "list_filter({0}, lambda z: not list_contains({1}, z))",
            "bitmapSubsetInRange": "list_filter({0}, lambda z: z >= {1} and z < {2})",
            "bitmapSubsetLimit": "list_filter({0}, lambda z: z >= {1})[:{2}::bigint]",
            "subBitmap": "{0}[{1}::bigint + 1:{1}::bigint + {2}::bigint]",
            "arrayPushBack": "list_append({0}, {1})",
            "arrayPushFront": "list_prepend({1}, {0})",
            "arrayPopBack": "{0}[:-2]",
            "arrayPopFront": "{0}[2:]",
            "arrayRotateLeft": ROTATED,
            "arrayRotateRight": ROTATED.replace("{1}", "(-({1}))"),
        },
    ),
    (
        "UInt8",
        {
            **dict.fromkeys(("has", "bitmapContains"), "coalesce(list_contains({0}, {1}), false)"),
            "bitmapHasAny": "list_has_any({0}, {1})",
            "bitmapHasAll": "list_has_all({0}, {1})",
            "hasAny": "list_has_any({0}, {1})",
            "hasAll": "list_has_all({0}, {1})",
            "hasSubstr": "coalesce(list_bool_or(list_transform(range(1, len({0}) - len({1}) + 2),"
            " lambda z: {0}[z:z + len({1}) - 1] = {1})), false)",
        },
    ),
    (
        "UInt64",
        {
            "arrayUniq": "(len(list_distinct({0})) + (len(list_filter({0}, lambda z: z is null)) > 0)::integer)",
            "countEqual": "len(list_filter({0}, lambda z: z = {1}))",
            "indexOf": "coalesce(list_position({0}, {1}), 0)",
            "bitmapCardinality": "len({0})",
            "bitmapAndCardinality": "len(list_intersect({0}, {1}))",
            "bitmapOrCardinality": "len(list_distinct(list_concat({0}, {1})))",
            "bitmapXorCardinality": "(len(list_distinct(list_concat({0}, {1}))) - len(list_intersect({0}, {1})))",
            "bitmapAndnotCardinality": "(len({0}) - len(list_intersect({0}, {1})))",
        },
    ),
    (
        "Float64",
        {
            "arrayAUC": f"coalesce(list_avg({PAIRS}), 0)",
            "L1Norm": "list_sum(list_transform({0}, lambda z: abs(z)))",
            "L2Norm": "sqrt(list_sum(list_transform({0}, lambda z: z * z)))",
            "LinfNorm": "list_max(list_transform({0}, lambda z: abs(z)))",
            "LpNorm": "pow(list_sum(list_transform({0}, lambda z: pow(abs(z), {1}))), 1 / {1}::double)",
            "L1Distance": "list_sum(list_transform(list_zip({0}, {1}), lambda z: abs(z[1] - z[2])))",
            "L2Distance": "sqrt(list_sum(list_transform(list_zip({0}, {1}), lambda z: pow(z[1] - z[2], 2))))",
            "LpDistance": "pow(list_sum(list_transform(list_zip({0}, {1}), lambda z: pow(abs(z[1] - z[2]), {2}))),"
            " 1 / {2}::double)",
            "LinfDistance": "list_max(list_transform(list_zip({0}, {1}), lambda z: abs(z[1] - z[2])))",
            "cosineDistance": "(1 - list_sum(list_transform(list_zip({0}, {1}), lambda z: z[1] * z[2]))"
            " / (sqrt(list_sum(list_transform({0}, lambda z: z * z))) * sqrt(list_sum(list_transform({1},"
            " lambda z: z * z)))))",
            "dotProduct": "list_sum(list_transform(list_zip({0}, {1}), lambda z: z[1] * z[2]))",
        },
    ),
    (
        "String",
        {"arrayStringConcat": "left(array_to_string({0}, ''), 1000000) ## left(array_to_string({0}, {1}), 1000000)"},
    ),
    (
        "Array(UInt64)",
        {
            "arrayEnumerate": SEQUENCE,
            "arrayEnumerateUniq": f"list_transform({SEQUENCE},"
            " lambda z: len(list_filter({0}[:z], lambda y: y is not distinct from {0}[z])))",
            "arrayEnumerateDense": f"list_transform({SEQUENCE},"
            " lambda z: len(list_distinct({0}[:list_position({0}, {0}[z])])))",
        },
    ),
    ("el", {"bitmapMin": "list_min({0})", "bitmapMax": "list_max({0})"}),
    ("[]", {"arrayWithConstant": "list_transform(range(least({0}::bigint, 100000)), lambda z: {1})"}),
)
