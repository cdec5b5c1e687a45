"""The types of an answer are as exact as ClickHouse names them."""

from __future__ import annotations

import pytest

from tests.local.queries.conftest import Ask

NUMBERS = """
1 + 1 ==> UInt16
1 - 1 ==> Int16
70000 * 70000 ==> UInt64
1 / 2 ==> Float64
-7 % 3 ==> Int16
7 % 3 ==> UInt8
intDiv(300, 2) ==> UInt16
-length('a') ==> Int64
abs(-5) ==> UInt8
bitAnd(300, 2) ==> UInt16
round(2.5) ==> Float64
1 + NULL ==> Nullable(Nothing)
"""
SHAPES = """
[1, 300] ==> Array(UInt16)
[1, -1] ==> Array(Int16)
[1, NULL] ==> Array(Nullable(UInt8))
[[1], []] ==> Array(Array(UInt8))
(1, 'a', [2.5]) ==> Tuple(UInt8, String, Array(Float64))
(1, 'a').2 ==> String
map('a', 1) ==> Map(String, UInt8)
map('a', 1)['a'] ==> UInt8
if(event = 'a', 1, 300) ==> UInt16
if(event = 'a', 'b', NULL) ==> Nullable(String)
coalesce(properties.page, 'x') ==> String
properties.page ==> Nullable(String)
arrayMap(x -> x * 2, [1, 2]) ==> Array(UInt16)
arrayFilter(x -> x > 1, [1, 2]) ==> Array(UInt8)
arraySum([1, 2]) ==> UInt64
arrayZip([1], ['a'])[1].1 ==> UInt8
arrayEnumerate([1]) ==> Array(UInt32)
(SELECT 1) ==> Nullable(UInt8)
CAST([1] AS Array(String)) ==> Array(String)
nullIf(1, 2) ==> Nullable(UInt8)
"""
TIMES = """
toHour(timestamp) ==> UInt8
toYear(timestamp) ==> UInt16
toYYYYMM(timestamp) ==> UInt32
toStartOfDay(timestamp) ==> DateTime('UTC')
toStartOfDay(timestamp) + INTERVAL 1 DAY ==> DateTime('UTC')
toStartOfInterval(timestamp, INTERVAL 1 HOUR) ==> DateTime('UTC')
toStartOfMonth(timestamp) ==> Date
toStartOfMonth(timestamp) + INTERVAL 1 HOUR ==> DateTime('UTC')
toDate(timestamp) + 1 ==> Date
toDate('2026-01-01') ==> Nullable(Date)
toDateTime('2026-01-01') ==> Nullable(DateTime64(6, 'UTC'))
toHour(toDateTime('2026-01-01')) ==> Nullable(UInt8)
timestamp - INTERVAL 1 DAY ==> DateTime64(6, 'UTC')
toTimeZone(timestamp, 'Asia/Tokyo') ==> DateTime64(6, 'Asia/Tokyo')
dateDiff('day', timestamp, now()) ==> Int64
toIntervalDay(1) ==> IntervalDay
"""
AGGREGATES = """
count() ==> UInt64
sum(1) ==> UInt64
sum(-1) ==> Int64
sum(1.5) ==> Float64
avg(1) ==> Float64
max(1) ==> UInt8
max(timestamp) ==> DateTime64(6, 'UTC')
min(toHour(timestamp)) ==> UInt8
any(properties.page) ==> Nullable(String)
quantile(0.9)(1) ==> Float64
groupArray(toHour(timestamp)) ==> Array(UInt8)
groupArray((event, 1)) ==> Array(Tuple(String, UInt8))
argMax(toYear(timestamp), timestamp) ==> UInt16
sumIf(1, event = 'a') ==> UInt64
maxOrNull(1) ==> Nullable(UInt8)
uniq(event) ==> UInt64
"""


@pytest.mark.parametrize(
    "facts", [NUMBERS, SHAPES, TIMES, AGGREGATES], ids=["numbers", "shapes", "times", "aggregates"]
)
def test_types(ask: Ask, facts: str) -> None:
    """Of calls, by what is put into them."""
    known = dict(line.split(" ==> ") for line in facts.strip().splitlines())
    found = ask({"kind": "HogQLQuery", "query": f"select {', '.join(known)} from events"})["types"]
    assert known == dict(zip(known, (kind for _, kind in found), strict=True))


def test_types_through_queries(ask: Ask) -> None:
    """What is read from a query within, from a UNION, an ARRAY JOIN or a window keeps its type."""
    text = """
        with a as (select 1 as n union all select 300 as n)
        select n, x, x + n, lag(x) over (order by n), first_value(x) over (order by n) from a array join [1, 2] as x
    """
    kinds = ["UInt16", "UInt8", "UInt32", "Nullable(UInt8)", "UInt8"]
    assert kinds == [kind for _, kind in ask({"kind": "HogQLQuery", "query": text})["types"]]
