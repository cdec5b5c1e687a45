"""Foreign text: on one line, without what hides, disturbs or is secret."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights_mcp.text import UNSAFE, clean, escaped, nearest, quoted, shortened


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Lu"])), st.integers(1, 300))
def test_clean_text_is_one_safe_line(text: str, limit: int) -> None:
    """Nothing in it hides or breaks a line, and it is as long as allowed."""
    shown = clean(text, limit)
    assert UNSAFE.search(shown) is None
    assert "\n" not in shown
    assert len(shown) <= limit + 30


@pytest.mark.parametrize(("length", "rest"), [(101, 1), (199, 99), (250, 150), (10_000, 9_900)])
def test_a_cut_text_says_how_much_is_missing(length: int, rest: int) -> None:
    """However long it is."""
    assert f"{'x' * 100}… (+{rest} characters)" == clean("x" * length, 100)


@pytest.mark.parametrize(
    "text",
    ["phx_abcDEF0123456789", "(phx_abcDEF0123456789)", "ph\u200bx_abc\u200dDEF0123456789", "key=phs_abcDEF0123456789"],
)
def test_keys_are_hidden(text: str) -> None:
    """Also when hidden characters are in them."""
    assert "DEF0123456789" not in clean(text)


@pytest.mark.parametrize("text", ["graph_analysis", "photographs_overview", "phase one"])
def test_words_are_no_keys(text: str) -> None:
    """Names that merely look a little like it stay."""
    assert text == clean(text)


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_escaped_json_is_the_same_value(value: object) -> None:
    """Only written in another way."""
    text = escaped(json.dumps(value, ensure_ascii=False))
    assert value == json.loads(text)
    assert UNSAFE.search(text) is None


@given(st.text())
def test_a_quoted_text_stays_in_its_quotes(text: str) -> None:
    """No quote inside."""
    shown = quoted(text)
    assert ('"', '"', 2) == (shown[0], shown[-1], shown.count('"'))


def test_short_text_is_left_alone() -> None:
    """Nothing to cut."""
    assert "abc" == shortened("abc", 3)


def test_the_nearest_name_is_found() -> None:
    """Capital letters do not matter; nothing near is None; an endless name takes no time."""
    names = ["get_insight", "list_insights"]
    assert ["get_insight", None, None] == [nearest(n, names) for n in ("Get_Insigth", "zzz", "q" * 10_000_000)]
