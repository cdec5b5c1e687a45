"""Functions of numbers: arithmetic, bits, rounding, geometry."""

from __future__ import annotations

from insights_mcp.local.queries.hogql.signatures import table

AGES = (
    "case when {0} < 1 then 0 when {0} < 18 then 17 when {0} < 25 then 18 when {0} < 35 then 25 when {0} < 45 then 35"
    " when {0} < 55 then 45 else 55 end"
)
DURATIONS = (0, 1, 10, 30, 60, 120, 180, 240, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000)
BITS = "list_transform([{*}][2:], lambda z: (({0}::bigint >> z::integer) & 1) = 1)"
SIZES = "KMGTPEZY"
SATURATED = (
    "case when {{0}} < 0 then 0 when {{0}} > {most} then 18446744073709551615 else pow({base}, {{0}})::uhugeint end"
)
FUNCTIONS = table(
    (
        "Int64",
        {
            "intDiv": "({0} // nullif({1}, 0))::bigint",
            "intDivOrZero": "coalesce({0}::bigint // nullif({1}::bigint, 0), 0)",
            "gcd": "gcd({0}::bigint, {1}::bigint)",
            "lcm": "lcm({0}::bigint, {1}::bigint)",
            "sign": "sign({0})::bigint",
            "bitAnd": "({0}::bigint & {1}::bigint)",
            "bitOr": "({0}::bigint | {1}::bigint)",
            "bitXor": "xor({0}::bigint, {1}::bigint)",
            "bitShiftLeft": "({0}::bigint << {1}::integer)",
            "bitShiftRight": "({0}::bigint >> {1}::integer)",
            "bitNot": "(~ {0}::bigint)",
            "bitCount": "bit_count({0}::bigint)",
            "bitHammingDistance": "bit_count(xor({0}::bigint, {1}::bigint))",
            "factorial": "factorial(greatest(least({0}::integer, 20), 0))::bigint",
            "intExp2": SATURATED.format(base=2, most=63),
            "intExp10": SATURATED.format(base=10, most=19),
            "roundToExp2": "case when {0} < 1 then 0 else pow(2, floor(log2({0})))::bigint end",
            "roundAge": AGES,
            "roundDuration": f"list_max(list_filter({list(DURATIONS)}, lambda z: z <= {{0}} or z = 0))",
            "width_bucket": "case when {0} < {1} then 0 when {0} >= {2} then {3}::bigint + 1"
            " else floor(({0} - {1}) / (({2} - {1}) / {3}::double))::bigint + 1 end",
        },
    ),
    (
        "UInt8",
        {
            "bitTest": "((({0}::bigint >> {1}::integer) & 1) = 1)",
            "bitTestAll": f"list_bool_and({BITS})",
            "bitTestAny": f"list_bool_or({BITS})",
            "isInfinite": "isinf({0}::double)",
            "isFinite": "isfinite({0}::double)",
            "isNaN": "isnan({0}::double)",
        },
    ),
    (
        "Float64",
        {
            "divide": "({0}::double / {1}::double)",
            "sqrt": "sqrt(case when {0} >= 0 then {0} end)",
            "exp": "exp({0})",
            "ln": "ln(nullif(greatest({0}, 0), 0))",
            "log": "ln(nullif(greatest({0}, 0), 0))",
            "log1p": "ln(nullif(greatest({0} + 1, 0), 0))",
            "log2": "log2(nullif(greatest({0}, 0), 0))",
            "log10": "log10(nullif(greatest({0}, 0), 0))",
            "pow": "pow({0}, {1})",
            "power": "pow({0}, {1})",
            "pi": "pi()",
            "e": "exp(1)",
            "exp2": "pow(2, {0})",
            "exp10": "pow(10, {0})",
            "cbrt": "cbrt({0})",
            "asin": "asin(case when abs({0}) <= 1 then {0} end)",
            "acos": "acos(case when abs({0}) <= 1 then {0} end)",
            "atan": "atan({0})",
            "atan2": "atan2({0}, {1})",
            "degrees": "degrees({0})",
            "radians": "radians({0})",
            "sin": "sin({0})",
            "cos": "cos({0})",
            "tan": "tan({0})",
            "sinh": "sinh({0})",
            "cosh": "cosh({0})",
            "asinh": "asinh({0})",
            "acosh": "acosh(case when {0} >= 1 then {0} end)",
            "atanh": "atanh(case when abs({0}) < 1 then {0} end)",
            "tgamma": "gamma(case when {0} > 0 then {0} end)",
            "lgamma": "lgamma(case when {0} > 0 then {0} end)",
            "hypot": "sqrt({0} * {0} + {1} * {1})",
            "max2": "greatest({0}, {1})::double",
            "min2": "least({0}, {1})::double",
            "ifNotFinite": "case when isfinite({0}::double) then {0} else {1} end",
        },
    ),
    ("Float64!", {"rand": "floor(random() * 4294967296)::bigint", "randCanonical": "random()"}),
    (
        "=",
        {
            "abs": "abs({0})",
            "negate": "(- {0})",
            "modulo": "({0} % nullif({1}, 0))",
            "moduloOrZero": "coalesce({0} % nullif({1}, 0), 0)",
            "positiveModulo": "((({0} % nullif({1}, 0)) + abs({1})) % nullif(abs({1}), 0))",
            "greatest": "greatest({*})",
            "least": "least({*})",
            "roundBankers": "round_even({0}, 0) ## round_even({0}, {1}::integer)",
            "roundDown": "coalesce(list_max(list_filter({1}, lambda z: z <= {0})), list_min({1}))",
        },
    ),
    (
        "String",
        {
            "formatReadableSize": "case when abs({0}) < 1024 then printf('%.2f B', {0}::double)"
            f" else list_transform([least(floor(ln(abs({{0}})) / ln(1024)), 8)::integer], lambda z:"
            f" printf('%.2f ', {{0}} / pow(1024, z)) || substr('{SIZES}', z, 1) || 'iB')[1] end",
            "formatReadableDecimalSize": "case when abs({0}) < 1000 then printf('%.2f B', {0}::double)"
            f" else list_transform([least(floor(log10(abs({{0}})) / 3), 8)::integer], lambda z:"
            f" printf('%.2f ', {{0}} / pow(1000, z)) || substr('{SIZES}', z, 1) || 'B')[1] end",
            "formatReadableQuantity": "case when abs({0}) < 1000 then printf('%.2f', {0}::double)"
            " else list_transform([least(floor(log10(abs({0})) / 3), 6)::integer], lambda z: printf('%.2f ', {0} /"
            " pow(1000, z)) || ['thousand', 'million', 'billion', 'trillion', 'quadrillion', 'quintillion'][z])[1] end",
            "format_bytes": "format_bytes({0}::bigint)",
        },
    ),
)
