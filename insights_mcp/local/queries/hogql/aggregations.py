"""What is computed over several rows, and how DuckDB computes it. One call can be filtered and windowed."""

from __future__ import annotations

from insights_mcp.local.queries.hogql.signatures import table

LAST = "last({0}) filter (where {0} is not null)"
PRESENT = "list({0}) filter (where {0} is not null)"
RISES = "coalesce(list_sum(list_transform(range(2, len(l) + 1), lambda z: greatest(l[z] - l[z - 1], 0))), 0)"


def _held(values: str, body: str) -> str:
    """SQL: `body` over a list called `l`, which is gathered once."""
    return f"list_transform([coalesce({values}, [])], lambda l: {body})[1]"


def _exact(level: str, rounded: str = "floor({p} * len(l))") -> str:
    place = rounded.format(p=level)
    return _held(PRESENT, f"list_sort(l)[greatest(least({place}, len(l) - 1), 0)::bigint + 1]")


def _moment(power: int, spread: str) -> str:
    """A central moment, by the standard deviation."""
    return _held(
        PRESENT,
        f"list_avg(list_transform(l, lambda z: pow(z - list_avg(l), {power})))"
        f" / nullif(pow(list_aggregate(l, '{spread}'), {power}), 0)",
    )


APPROXIMATE = ("", "Timing", "TDigest", "BFloat16", "Deterministic")
AGGREGATES = table(
    (
        "UInt64!",
        {
            "uniq": "count(distinct {0})",
            "uniqExact": "count(distinct {0})",
            "uniqCombined": "count(distinct {0})",
            "uniqTheta": "count(distinct {0})",
            "uniqHLL12": "approx_count_distinct({0})",
            "countDistinct": "count(distinct {0})",
            "groupBitmap": "count(distinct {0})",
        },
    ),
    ("sum", {"sum": "sum({0})", "sumWithOverflow": "sum({0})"}),
    (
        "Float64",
        {
            "avg": "avg({0})",
            **{f"median{kind}": "quantile_cont({0}, 0.5)" for kind in APPROXIMATE},
            "stddevPop": "stddev_pop({0})",
            "stddevSamp": "stddev_samp({0})",
            "varPop": "var_pop({0})",
            "varSamp": "var_samp({0})",
            "corr": "corr({0}, {1})",
            "avgWeighted": "(sum({0} * {1}) / nullif(sum({1}), 0))",
            "covarPop": "covar_pop({0}, {1})",
            "covarSamp": "covar_samp({0}, {1})",
            "skewPop": _moment(3, "stddev_pop"),
            "skewSamp": _moment(3, "stddev_samp"),
            "kurtPop": _moment(4, "stddev_pop"),
            "kurtSamp": _moment(4, "stddev_samp"),
            "entropy": "entropy({0})",
        },
    ),
    (
        "=",
        {
            "min": "min({0})",
            "max": "max({0})",
            "any": "any_value({0})",
            "anyLast": LAST,
            "argMin": "arg_min({0}, {1})",
            "argMax": "arg_max({0}, {1})",
            "first_value": "any_value({0})",
            "last_value": LAST,
            "mode": "mode({0})",
            "anyHeavy": "mode({0})",
            "any_respect_nulls": "first({0})",
            "medianExact": _exact("0.5"),
            "medianExactHigh": _exact("0.5"),
            "medianExactLow": _exact("0.5", "ceil({p} * len(l)) - 1"),
            "deltaSum": _held(PRESENT, RISES),
            "groupUniqArrayArray": f"list_distinct(flatten({PRESENT}))",
            "groupArrayArray": f"flatten({PRESENT})",
        },
    ),
    (
        "String",
        {
            "groupConcat": "left(string_agg({0}, {d}), 1000000)",
            "string_agg": "left(string_agg({0}, {1}), 1000000)",
            "json_agg": "nullif(to_json(list({0}) filter (where {0} is not null))::varchar, 'null')",
        },
    ),
    ("[]", {"array_agg": "list({0}) filter (where {0} is not null)"}),
    ("Bool", {"every": "bool_and(({0})::boolean)"}),
    (
        "[]!",
        {
            "groupArray": "list({0})",
            "groupArraySample": "list({0})",
            "groupUniqArray": "list(distinct {0})",
            "groupArrayDistinct": "list(distinct {0})",
            "groupArraySorted": "list({0} order by {0})",
            "topK": "approx_top_k({0}, 10)",
        },
    ),
    (
        "[]",
        {
            "groupArrayMovingSum": _held(
                PRESENT, "list_transform(range(1, len(l) + 1), lambda z: list_sum(l[greatest(z - {p} + 1, 1):z]))"
            ),
        },
    ),
    (
        "Array(Float64)",
        {
            "groupArrayMovingAvg": _held(
                PRESENT,
                "list_transform(range(1, len(l) + 1),"
                " lambda z: list_sum(l[greatest(z - {p} + 1, 1):z]) / least({p}, len(l)))",
            ),
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
    ("Tuple(Float64, Float64)!", {"simpleLinearRegression": "row(regr_slope({1}, {0}), regr_intercept({1}, {0}))"}),
)
# Over text these take what is a number in it.
NUMERIC = frozenset(
    """sum avg median stddevPop stddevSamp varPop varSamp corr avgWeighted covarPop covarSamp skewPop skewSamp kurtPop
    kurtSamp sumWithOverflow deltaSum medianExact medianTDigest medianTiming simpleLinearRegression""".split()  # noqa: SIM905
)
LISTS = (
    "groupArray", "groupArraySample", "groupUniqArray", "groupArrayDistinct", "groupArraySorted", "topK",
)  # fmt: skip
QUANTILES = {
    **{f"quantile{kind}": "quantile_cont" for kind in APPROXIMATE},
    "quantiles": "quantile_cont",
    "quantileExact": _exact("{p}"),
    "quantileExactHigh": _exact("{p}"),
    "quantileExactLow": _exact("{p}", "ceil({p} * len(l)) - 1"),
    "percentile_cont": "quantile_cont",
    "percentile_disc": "quantile_disc",
}
# Aggregates over a list: what of -Array, -ForEach, -Map, -Merge, and arrayReduce.
OVER_LISTS = table(
    ("el", {"min": "list_min({0})", "max": "list_max({0})", "any": "{0}[1]", "anyLast": "{0}[-1]"}),
    ("el!", {"sum": "coalesce(list_sum({0}), 0)", "sumWithOverflow": "coalesce(list_sum({0}), 0)"}),
    (
        "UInt64!",
        {
            "count": "len(list_filter({0}, lambda z: z is not null))",
            **dict.fromkeys(
                ("uniq", "uniqExact", "uniqTheta", "uniqHLL12", "countDistinct"), "len(list_distinct({0}))"
            ),
        },
    ),
    (
        "Float64",
        {
            "avg": "list_avg({0})",
            "median": "list_aggregate({0}, 'quantile_cont', 0.5)",
            "stddevPop": "list_aggregate({0}, 'stddev_pop')",
            "stddevSamp": "list_aggregate({0}, 'stddev_samp')",
            "varPop": "list_aggregate({0}, 'var_pop')",
            "varSamp": "list_aggregate({0}, 'var_samp')",
            "quantile": "list_aggregate({0}, 'quantile_cont', {p})",
        },
    ),
    ("=", {"groupArray": "{0}", "groupUniqArray": "list_distinct({0})"}),
)
