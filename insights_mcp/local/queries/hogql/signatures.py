"""How a function of HogQL is written in SQL: a template for each number of arguments, and the type of its value."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST = 50


@dataclass(frozen=True)
class Function:
    """How a call is written in SQL, the type of its value, and how many arguments it takes.

    `forms` are the templates where they differ by the number of arguments.
    """

    template: str
    type: str
    fewest: int
    most: int
    nullable: bool | None = None
    forms: dict[int, str] = field(default_factory=dict)


def table(*groups: tuple[str, dict[str, str]]) -> dict[str, Function]:
    """Functions by type. `##` stands between the templates for fewer and for more arguments.

    `{0}`, `{1}` … are the arguments, `{*}` all of them. A type is ClickHouse's word; `=` is the type of the first
    argument, `[]` an array of it, `el` what an array holds; `!` says that the value is never NULL.
    """
    return {name: _function(kind, template) for kind, group in groups for name, template in group.items()}


def _function(kind: str, text: str) -> Function:
    forms = {_holes(form): form for form in text.split(" ## ")}
    last = text.split(" ## ")[-1]
    open_ended = "{*}" in last
    most = MOST if open_ended else max(forms)
    by_count = {} if open_ended and len(forms) == 1 else forms
    return Function(last, kind.removesuffix("!"), min(forms), most, False if kind.endswith("!") else None, by_count)


def _holes(template: str) -> int:
    numbered = max((n + 1 for n in range(7) if f"{{{n}}}" in template), default=0)
    return max(numbered, 1) if "{*}" in template else numbered


# What ClickHouse gives where there is no value of a type.
DEFAULTS = {
    "String": "''", "Bool": "false", "UInt8": "false", "DateTime": "timestamp '1970-01-01'",
    "Date": "date '1970-01-01'", "UUID": "'00000000-0000-0000-0000-000000000000'::uuid",
    "Int64": "0", "UInt64": "0", "Float64": "0",
}  # fmt: skip
# What CAST writes, by the type; and what types are called beside that.
CASTS = {
    "int": ("try_cast({0} as bigint)", "Int64"), "float": ("try_cast({0} as double)", "Float64"),
    "string": ("{0}::varchar", "String"), "bool": ("try_cast({0} as boolean)", "Bool"),
    "uuid": ("try_cast({0} as uuid)", "UUID"), "date": ("try_cast({0} as date)", "Date"),
}  # fmt: skip
CAST_NAMES = {
    "integer": "int", "bigint": "int", "int8": "int", "int16": "int", "int32": "int", "int64": "int", "uint8": "int",
    "uint16": "int", "uint32": "int", "uint64": "int", "float32": "float", "float64": "float", "double": "float",
    "decimal": "float", "real": "float", "text": "string", "varchar": "string", "boolean": "bool",
    "datetime64": "datetime", "timestamp": "datetime", "fixedstring": "string", "date32": "date",
    "decimal64": "float", "decimal128": "float",
}  # fmt: skip


def default_of(kind: str) -> str:
    """SQL: what ClickHouse gives where there is no value of a type."""
    return "[]" if kind.startswith("Array(") else DEFAULTS.get(kind, "null")


def split_types(text: str) -> list[str]:
    """The types that stand between commas, each whole."""
    depth, parts = 0, [""]
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]
