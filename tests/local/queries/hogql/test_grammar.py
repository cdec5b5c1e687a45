"""HogQL's grammar: what binds to what, and rare words and signs, as PostHog's own parser reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.queries.hogql import printing, statements

Rows = Callable[..., list[Any]]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a ?? b between 1 and 2", "ifNull(a, b) BETWEEN 1 AND 2"),
        ("a between b ?? c and d = e", "a BETWEEN ifNull(b, c) AND equals(d, e)"),
        ("a between 1 and not c and d", "and(a BETWEEN 1 AND not(c), d)"),
        ("a between 1 and 2 between 3 and 4", "a BETWEEN 1 AND 2 BETWEEN 3 AND 4"),
        ("a or b between 1 and 2 or c", "or(a, b BETWEEN 1 AND 2, c)"),
        ("a is null + 1", "plus(equals(a, NULL), 1)"),
        ("a is null = b is null", "equals(equals(equals(a, NULL), b), NULL)"),
        ("a is distinct from b + c = d", "a IS DISTINCT FROM equals(plus(b, c), d)"),
        ("a =~* not b", "match(a, concat('(?i)', not(b)))"),
        ("a + not b = c and d", "and(plus(a, not(equals(b, c))), d)"),
        ("not a between 1 and 2", "not(a BETWEEN 1 AND 2)"),
        ("(a and b) and (c and d)", "and(a, b, c, d)"),
        ("and(a, b) and c", "and(and(a, b), c)"),
        ("a or b ? c : d and e", "if(or(a, b), c, and(d, e))"),
        ("a ? b : c ? d : e", "if(a, b, if(c, d, e))"),
        ("-(1) + - -1", "plus(minus(0, 1), minus(0, -1))"),
        ("a[2:3]", "a[2:3]"),
        ("a?.[1]", "a[1]"),
        ("(a,)", "tuple(a)"),
        ("lambda x, y: x + y", "(x, y) -> plus(x, y)"),
        ("{'a': 1}", "tuple('__hx_tag', '__hx_obj', 'a', 1)"),
        ("any(a) ignore nulls", "any(a)"),
        ("a <=> b", "a IS NOT DISTINCT FROM b"),
        ("0b101 // five", "5"),
        ("a # a", "a"),
        ("interval", "interval"),
        ("a as 'b'", "a AS b"),
    ],
)
def test_reading(text: str, read: str) -> None:
    """What binds tighter is read first."""
    assert read == printing.text(statements.parse_column(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("with x(a, b) as (select 1, 2) select b, a from x", [[2, 1]]),
        ("select b.y from (select 1 as x) a any left join (select 1 as x, 2 as y from numbers(3)) b on a.x = b.x",
         [[2]]),
        ("select number from numbers(3) a left anti join (select 1 as x) b on number = x order by 1", [[0], [2]]),
        ("select number from numbers(3) a semi join (select 1 as x) b on number = x", [[1]]),
        ("select a.number from (numbers(2) a join numbers(1) b on a.number = b.number)", [[0]]),
        ("select columns('^(ev|di)'), columns(event) from events where event = '$identify'",
         [["$identify", "bea", "$identify"]]),
        ("select p.* exclude (id, properties) from persons p where properties.plan = 'free'",
         [["2026-03-08T09:00:00Z", False]]),
        ("select number from numbers(4) prewhere number > 0 where number < 3 order by 1 collate 'de'", [[1], [2]]),
        ("select isNaN(nan), isInfinite(-inf), [1, 2, 3][2:], [1, 2, 3][:1]", [[1, 1, [2, 3], [1]]]),
        ("select 7 as a, count() from numbers(2) group by a order by 1", [[7, 2]]),
        ("select 1 as a union all select 2 as a order by a", [[1], [2]]),
        ("select 1 as not, 2 as interval, 3 as ties from numbers(1) where ties > not", [[1, 2, 3]]),
    ],
)  # fmt: skip
def test_answer(hogql: Rows, text: str, expected: list[Any]) -> None:
    """One fact of the language each."""
    assert expected == sorted(hogql(text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select 1 from events final", "column 22, near 'final': FINAL"),
        ("select top 3 event from events", "use LIMIT"),
        ("select * from (values (1)) t", "UNION ALL"),
        ("select 1 where exists (select 1)", "IN (SELECT"),
        ("select columns('(a+)+$') from events", "simple pattern"),
        ("with x(a) as (select 1, 2) select a from x", "2 columns, and 1 names"),
        ("(select 1) union all (select 2) limit 1", "goes around it"),
        ("select a.x from (select 1 as x) a right semi join (select 1 as x) b on a.x = b.x", "use LEFT SEMI JOIN"),
        ("select * from {table}", "no value can stand for it"),
        ("select count(event b) from events", "')' is expected"),
        ("select {variables.n}", "Variable n is missing"),
    ],
)
def test_refused(hogql: Rows, text: str, says: str) -> None:
    """What PostHog refuses too, with the nearest that works."""
    with pytest.raises(queries.QueryError) as refused:
        hogql(text)
    assert says in refused.value.detail
