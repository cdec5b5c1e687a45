"""Functions of times that are a template each; the others are in moments.py. Times are the project's wall clock."""

from __future__ import annotations

from insights_mcp.local.queries.hogql.signatures import table

EXACT = ("Hour", "Minute", "Second")
EPOCH = "timestamp '1970-01-01'"
FUNCTIONS = table(
    (
        "Int64",
        {
            "toHour": "hour({0})",
            "toMinute": "minute({0})",
            "toSecond": "second({0})",
            "toDayOfMonth": "day({0})",
            "toDayOfYear": "dayofyear({0})",
            "toMonth": "month({0})",
            "toQuarter": "quarter({0})",
            "toYear": "year({0})",
            "toISOWeek": "weekofyear({0})",
            "toISOYear": "isoyear({0})",
            "toYYYYMM": "(year({0}) * 100 + month({0}))",
            "toYYYYMMDD": "(year({0}) * 10000 + month({0}) * 100 + day({0}))",
            "toYYYYMMDDhhmmss": "strftime({0}, '%Y%m%d%H%M%S')::bigint",
            "toModifiedJulianDay": "date_diff('day', date '1858-11-17', try_cast({0} as date))",
        },
    ),
    (
        "DateTime",
        {
            "toStartOfSecond": "date_trunc('second', {0}::timestamp)::timestamp",
            "toStartOfMinute": "date_trunc('minute', {0}::timestamp)::timestamp",
            "toStartOfHour": "date_trunc('hour', {0}::timestamp)::timestamp",
            "toStartOfDay": "date_trunc('day', {0}::timestamp)::timestamp",
            "toStartOfFiveMinutes": f"time_bucket(interval 5 minute, {{0}}::timestamp, {EPOCH})",
            "toStartOfTenMinutes": f"time_bucket(interval 10 minute, {{0}}::timestamp, {EPOCH})",
            "toStartOfFifteenMinutes": f"time_bucket(interval 15 minute, {{0}}::timestamp, {EPOCH})",
            "timeSlot": f"time_bucket(interval 30 minute, {{0}}::timestamp, {EPOCH})",
            "toTime": "(timestamp '1970-01-02' + ({0}::timestamp - date_trunc('day', {0}::timestamp)))",
            **{
                f"{verb}{unit}s": f"({{0}}::timestamp {sign} to_{unit.lower()}s({{1}}))"
                for verb, sign in (("add", "+"), ("subtract", "-"))
                for unit in EXACT
            },
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
            "make_date": "try(make_date({0}::bigint, {1}::bigint, {2}::bigint))",
        },
    ),
    ("String", {"fromModifiedJulianDay": "(date '1858-11-17' + {0}::integer)::varchar"}),
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
            **{
                f"toInterval{unit}": f"to_{unit.lower()}s({{0}}::{'bigint' if unit in EXACT else 'integer'})"
                for unit in (*EXACT, "Day", "Week", "Month", "Quarter", "Year")
            },
            "make_interval": "(to_years({0}::integer) + to_months({1}::integer) + to_days({2}::integer)"
            " + to_hours({3}::bigint) + to_minutes({4}::bigint) + to_seconds({5}::bigint))",
        },
    ),
)
