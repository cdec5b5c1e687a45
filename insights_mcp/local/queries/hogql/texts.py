"""Functions of text that need more than a template: patterns and their groups, format, versions."""

from __future__ import annotations

import re
from dataclasses import replace

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import spelling, strings
from insights_mcp.local.queries.hogql.compiling import Compiler
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.tree import Call, Literal


def substring(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """A part of a text, by bytes or (UTF8) by letters. From the end below zero, a length too; nothing from 0."""
    args = compiler.args(node, scope)
    what, nullable = spelling.text(args[0]), any(arg.nullable for arg in args)
    start, *size = (f"{arg.sql}::integer" for arg in args[1:])
    plain = all(isinstance(arg, Literal) and isinstance(arg.value, int) and arg.value > 0 for arg in node.args[1:])
    if plain and node.name.endswith("UTF8"):
        return Typed(f"substring({', '.join((what, start, *size))})", "String", nullable)
    if plain:
        end = f"{start} + {size[0]} - 1" if size else "1000000000"
        cut = f"substring({', '.join((what, start, *size))})"
        return Typed(_by_bytes(what, cut, strings.part(what, start, end)), "String", nullable)
    first = f"(case when {start} > 0 then {start} when {start} < 0 then length(s) + {start} + 1 else 1000000000 end)"
    last = (
        f"(case when {size[0]} < 0 then length(s) + {size[0]} else {first} + {size[0]} - 1 end)"
        if size
        else "length(s)"
    )
    begin, end = f"greatest({first}, 1)", f"greatest({last}, 0)"
    cut = f"s[{begin}:{end}]"
    if not node.name.endswith("UTF8"):
        parts = strings.part("s", begin.replace("length(", "strlen("), end.replace("length(", "strlen("))
        cut = _by_bytes("s", cut, parts)
    sql = f"list_transform([{what}], lambda s: {cut})[1]"
    if missing := " or ".join(f"{arg.sql} is null" for arg in args[1:] if arg.nullable):
        sql = f"case when {missing} then null else {sql} end"
    return Typed(sql, "String", nullable)


def _by_bytes(what: str, of_ascii: str, of_others: str) -> str:
    """SQL: what is done to the bytes of a text; where they are its letters it is done to those, which is faster."""
    return f"case when strlen({what}) = length({what}) then {of_ascii} else {of_others} end"


def locate(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """locate(what, text): position the other way round, where the text may also come first."""
    return compiler.expression(replace(node, name="position", args=(node.args[1], node.args[0], *node.args[2:])), scope)


GROUP = r"(?<!\\)\((?!\?)|\(\?P<"
GROUPS = ("extractGroups", "extractAllGroups", "extractAllGroupsHorizontal", "extractAllGroupsVertical")


def extract(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """The first group of a pattern, or the whole match when it has none; extractAll gives every match."""
    found, bound, groups = _pattern(compiler, node, scope)
    group = min(groups, 1)
    if node.name == "extractAll":
        sql = f"regexp_extract_all({spelling.text(found)}, {bound}, {group})"
        return Typed(f"coalesce(list_filter({sql}, lambda z: z <> ''), [])", "Array(String)", False)
    return Typed(f"regexp_extract({spelling.text(found)}, {bound}, {group})", "String", found.nullable)


def _pattern(compiler: Compiler, node: Call, scope: Scope) -> tuple[Typed, str, int]:
    """What to search, the pattern as a parameter, and how many groups it has."""
    what, pattern = node.args[:2]
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        raise QueryError(f"{node.name} takes a constant pattern.", attr="query")
    groups = len(re.findall(GROUP, pattern.value))
    return compiler.expression(what, scope), compiler.scan.bind(f"(?s){pattern.value}"), min(groups, 50)


def groups(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """extractGroups: of the first match; extractAllGroups: of each match, or (horizontally) each group of all."""
    found, bound, count = _pattern(compiler, node, scope)
    if not count:
        raise QueryError(f"{node.name} takes a pattern with groups, such as '(\\w+)@(\\w+)'.", attr="query")
    name = "regexp_extract" if node.name == "extractGroups" else "regexp_extract_all"
    parts = [f"{name}({spelling.text(found)}, {bound}, {place})" for place in range(1, count + 1)]
    if node.name == "extractGroups":
        sql = f"case when regexp_matches({spelling.text(found)}, {bound}) then [{', '.join(parts)}] else [] end"
        return Typed(sql, "Array(String)", found.nullable)
    if node.name == "extractAllGroupsHorizontal":
        listed = ", ".join(f"list_transform({part}, lambda z: coalesce(z, ''))" for part in parts)
        return Typed(f"[{listed}]", "Array(Array(String))", found.nullable)
    across = ", ".join(f"coalesce(z[{place}], '')" for place in range(1, count + 1))
    sql = f"list_transform(list_zip({', '.join(parts)}), lambda z: [{across}])"
    return Typed(sql, "Array(Array(String))", found.nullable)


def regexp_extract(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """A group of a pattern's first match, the first one when none is named."""
    found, bound, count = _pattern(compiler, node, scope)
    place = node.args[2] if len(node.args) > 2 else Literal(min(count, 1))
    if not isinstance(place, Literal) or not isinstance(place.value, int) or not 0 <= place.value <= 50:
        raise QueryError("regexpExtract takes the number of a group, such as 1.", attr="query")
    return Typed(f"regexp_extract({spelling.text(found)}, {bound}, {place.value})", "String", found.nullable)


def formatted(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """format('{} of {}', a, b), format('{1}, {0}', a, b)."""
    pattern, values = node.args[0], [spelling.text(arg) for arg in compiler.args(node, scope)[1:]]
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        raise QueryError("format takes a constant pattern, such as '{} of {}'.", attr="query")
    pieces = re.split(r"\{(\d*)\}", pattern.value)
    numbers = [int(text) if text else place for place, text in enumerate(pieces[1::2])]
    if any(number >= len(values) for number in numbers):
        raise QueryError(f"format has {len(values)} values, and its pattern asks for more.", attr="query")
    parts = [compiler.scan.bind(pieces[0]) + "::varchar"]
    for number, piece in zip(numbers, pieces[2::2], strict=True):
        parts += [values[number], compiler.scan.bind(piece) + "::varchar"]
    return Typed(f"left({' || '.join(parts)}, 1000000)", "String", False)


UNITS = {"year": 31_536_000, "month": 2_635_200, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


def duration(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """formatReadableTimeDelta(seconds, 'hours'): "2 hours and 1 minute"; the largest unit may be given."""
    seconds = compiler.expression(node.args[0], scope)
    largest = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], Literal) else "years"
    units = list(UNITS)
    if not isinstance(largest, str) or largest.removesuffix("s") not in units:
        raise QueryError(f"{node.name} takes a unit: {', '.join(f'{unit}s' for unit in units)}.", attr="query")
    rest, parts = "t", []
    for unit in units[units.index(largest.removesuffix("s")) :]:
        count = f"({rest}) // {UNITS[unit]}"
        parts.append(f"case when {count} > 0 then ({count})::varchar || ' {unit}' || left('s', ({count} > 1)::int) end")
        rest = f"({rest}) % {UNITS[unit]}"
    listed = f"list_filter([{', '.join(parts)}], lambda z: z is not null)"
    joined = "case len(l) when 0 then '0 seconds' when 1 then l[1]"
    joined += " else array_to_string(l[:-2], ', ') || ' and ' || l[-1] end"
    found = f"list_transform([abs(trunc({seconds.sql}))::bigint], lambda t: {listed})"
    text = f"list_transform({found}, lambda l: {joined})[1]"
    return Typed(f"case when {seconds.sql} < 0 then '-' || {text} else {text} end", "String", seconds.nullable)


VERSION = r"(\d+(\.\d+)+)"


def version(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """sortableSemVer('1.10.0'): the numbers of a version, which compare as versions do."""
    text = spelling.text(compiler.expression(node.args[0], scope))
    numbers = f"string_split(regexp_extract({text}, {compiler.scan.bind(VERSION)}, 1), '.')"
    return Typed(f"list_transform({numbers}, lambda z: coalesce(try_cast(z as bigint), 0))", "Array(Int64)", False)
