"""Types as exact as ClickHouse names them, `UInt16` for 1 + 1: what they hold, what two have in common, arithmetic.

Nothing is computed by these names. `DateTime` is a time by the microsecond, `seconds` one by the second.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from insights_mcp.local.queries.hogql.signatures import split_types

Kinds = list[str]
WHOLE = re.compile(r"^(U?)Int(\d+)$")
NOTHING = "Nullable(Nothing)"
NEVER_NULL = ("Array(", "Tuple(", "Map(", "Nullable(", "AggregateFunction(", "Nothing")
DAYS = ("IntervalDay", "IntervalWeek", "IntervalMonth", "IntervalQuarter", "IntervalYear")
UNITS = ("Second", "Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year")
TIMES = ("Date", "seconds", "DateTime")


def plain(kind: str) -> str:
    """A type without Nullable."""
    return kind[9:-1] if kind.startswith("Nullable(") else kind


def nullable(kind: str) -> str:
    """A type with NULL, where there can be such."""
    return kind if kind.startswith(NEVER_NULL) else f"Nullable({kind})"


def of_array(kind: str) -> str:
    """What an array holds."""
    return kind[6:-1] if kind.startswith("Array(") else "Nothing"


def parts(kind: str) -> Kinds:
    """What a tuple or a map holds."""
    return split_types(kind.partition("(")[2][:-1]) if kind.startswith(("Tuple(", "Map(")) else []


def common(kinds: Kinds) -> str | None:
    """The type that holds values of all these; None where there is none."""
    bare = list(dict.fromkeys(plain(kind) for kind in kinds if kind not in (NOTHING, "Nothing")))
    found: str | None = bare[0] if bare else "Nothing"
    for kind in bare[1:]:
        found = found and _both(found, kind)
    with_null = any(kind.startswith("Nullable(") for kind in kinds)
    return nullable(found) if found and with_null and found != "Nothing" else NOTHING if with_null else found


def _both(one: str, other: str) -> str | None:
    if one == other:
        return one
    if one.startswith("Array(") and other.startswith("Array("):
        inner = common([of_array(one), of_array(other)])
        return inner and f"Array({inner})"
    if one in TIMES and other in TIMES:
        return max(one, other, key=TIMES.index)
    numbers = [_number(each) for each in (one, other)]
    if None in numbers:
        return None
    if "Float64" in (one, other):
        return "Float64"
    (one_signed, one_bits), (other_signed, other_bits) = (_whole(each) for each in (one, other))
    if one_signed == other_signed:
        return _int(one_signed, max(one_bits, other_bits))
    signed, unsigned = (one_bits, other_bits) if one_signed else (other_bits, one_bits)
    return f"Int{max(signed, 2 * unsigned)}" if unsigned < 64 else None


def _number(kind: str) -> str | None:
    return kind if kind in ("Float64", "Bool") or WHOLE.match(kind) else None


def _whole(kind: str) -> tuple[bool, int]:
    """Whether a whole number has a sign, and its bits."""
    match = WHOLE.match("UInt8" if kind == "Bool" else kind)
    return (not match[1], int(match[2])) if match else (True, 64)


def _int(signed: bool, bits: int) -> str:
    return f"{'' if signed else 'U'}Int{bits}"


# -- arithmetic --------------------------------------------------------------------------------------------------------


def sum_(kinds: Kinds, *, minus: bool = False) -> str | None:
    left, right = kinds
    time = moved(left, right)
    if time or left in TIMES or right in TIMES or left.startswith(("Tuple(", "Interval")):
        return time
    if not (_number(left) and _number(right)):
        return None
    if "Float64" in (left, right):
        return "Float64"
    (one, bits), (other, more) = _whole(left), _whole(right)
    wide = max(bits, more)
    return _int(one or other or minus, wide if wide >= 64 else 2 * wide)


def moved(left: str, right: str) -> str | None:
    """A time, and what it is moved by."""
    time, step = (left, right) if left in TIMES else (right, left)
    if step.startswith("Interval"):
        return "seconds" if time == "Date" and step not in DAYS else time
    return time if WHOLE.match(step) and time in TIMES else None


def mover(unit: str) -> Callable[[Kinds], str | None]:
    """addDays and the like."""
    return lambda kinds: moved(kinds[0], f"Interval{unit}")


def quotient(kinds: Kinds) -> str | None:
    if not all(WHOLE.match(kind) for kind in kinds):
        return "Int64"
    (one, bits), (other, _) = (_whole(kind) for kind in kinds)
    return _int(one or other, bits)


def rest(kinds: Kinds) -> str | None:
    if not all(WHOLE.match(kind) for kind in kinds):
        return "Float64"
    (signed, _), (_, bits) = (_whole(kind) for kind in kinds)
    return _int(signed, min(2 * bits, 64) if signed else bits)


def bits(kinds: Kinds) -> str | None:
    found = [_whole(kind) for kind in kinds]
    return _int(any(signed for signed, _ in found), max(bits for _, bits in found))


def divisor(kinds: Kinds) -> str | None:
    found = [_whole(kind) for kind in kinds]
    return _int(any(signed for signed, _ in found), min(64, 2 * max(bits for _, bits in found)))


def negated(kinds: Kinds) -> str | None:
    signed, bits = _whole(kinds[0])
    return kinds[0] if kinds[0] == "Float64" else _int(True, bits if signed else min(64, 2 * bits))


def positive(kinds: Kinds) -> str | None:
    return _int(False, _whole(kinds[0])[1]) if WHOLE.match(kinds[0]) else kinds[0]


def added_up(kind: str) -> str:
    """What sum() gives."""
    return _int(_whole(kind)[0], 64) if WHOLE.match(kind) or kind == "Bool" else "Float64"


def of_parts(one: Callable[[Kinds], str | None]) -> Callable[[Kinds], str | None]:
    """The same for each element of tuples, or for each with one number."""

    def each(kinds: Kinds) -> str | None:
        lefts, rights = parts(kinds[0]), parts(kinds[1]) or [kinds[1]] * len(parts(kinds[0]))
        made = [one([a, b]) for a, b in zip(lefts, rights, strict=False)]
        return f"Tuple({', '.join(each for each in made if each)})" if all(made) else None

    return each
