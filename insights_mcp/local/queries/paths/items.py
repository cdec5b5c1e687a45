"""What a step of a path is called: a page, a screen, an event; cleaned by rules, grouped by wildcards."""

from __future__ import annotations

import re
from collections.abc import Callable

from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.paths import PathCleaningFilter, PathsFilter

PAGE, SCREEN, CUSTOM, HOGQL = "$pageview", "$screen", "custom_event", "hogql"
# A page goes by its address without the slash at its end, unless it is nothing but that slash.
ADDRESS = "case when ends_with({url}, '/') and length({url}) > 1 then left({url}, -1) else {url} end"

# Where the shortest match of a pattern ends; of several, the one that ends first names the step.
END = "case when regexp_matches(name, {pattern}) then length(regexp_extract(name, {pattern})) end"


def _page(scan: Scan) -> str:
    return ADDRESS.format(url=scan.event_property("$current_url"))


def _screen(scan: Scan) -> str:
    return scan.event_property("$screen_name")


# What an event of a kind is called, where it is not by its own name.
CALLED: dict[str, Callable[[Scan], str]] = {SCREEN: _screen, PAGE: _page}


def counted(given: PathsFilter, scan: Scan) -> str | None:
    """SQL that holds for events that are steps; None when all are."""
    conditions = {
        PAGE: f"e.event = {scan.bind(PAGE)}",
        SCREEN: f"e.event = {scan.bind(SCREEN)}",
        CUSTOM: "not starts_with(e.event, '$')",
    }
    chosen = [sql for kind, sql in conditions.items() if kind in (given.includeEventTypes or ())]
    return f"({' or '.join(chosen)})" if chosen else None


def item(given: PathsFilter, scan: Scan, context: Context) -> str:
    """SQL: what an event's step is called before cleaning; never NULL."""
    kinds = given.includeEventTypes or []
    if len(kinds) == 1 and kinds[0] in CALLED:
        return f"coalesce({CALLED[kinds[0]](scan)}, '')"
    name = "e.event"
    if _named_by(HOGQL, given) and given.pathsHogQLExpression:
        from insights_mcp.local.queries.hogql import text_of

        name = text_of(given.pathsHogQLExpression, scan, context)
    cases = "".join(
        f" when {scan.bind(kind)} then {called(scan)}" for kind, called in CALLED.items() if _named_by(kind, given)
    )
    return f"coalesce(case e.event{cases} else {name} end, '')" if cases else f"coalesce({name}, '')"


def _named_by(kind: str, given: PathsFilter) -> bool:
    if not given.includeEventTypes:
        return kind not in (given.excludeEvents or ())
    return kind in given.includeEventTypes


def excluded(given: PathsFilter) -> list[str]:
    """The steps that are left out; they are looked at only where event types are chosen."""
    return list(given.excludeEvents or ()) if given.includeEventTypes else []


def cleaned(given: PathsFilter, scan: Scan, context: Context) -> str:
    """SQL: `item` after the project's cleaning rules (where asked for) and the query's own, in order. A dot is any
    character, also the end of a line."""
    text = "item"
    for rule in _rules(given, context):
        text = f"regexp_replace({text}, {scan.bind(rule.regex)}, {scan.bind(rule.alias or '')}, 'gs')"
    return text


def _rules(given: PathsFilter, context: Context) -> list[PathCleaningFilter]:
    rules = [PathCleaningFilter.model_validate(each) for each in context.project.path_cleaning_filters]
    rules = sorted(rules, key=lambda rule: rule.order or 0) if given.pathReplacements else []
    return [rule for rule in (*rules, *(given.localPathCleaningFilters or ())) if rule.regex]


def as_they_are(given: PathsFilter, context: Context) -> bool:
    """Names are neither cleaned nor grouped."""
    return not (given.pathGroupings or _rules(given, context))


def grouped(given: PathsFilter, scan: Scan) -> str:
    """SQL: `name`, or the wildcard pattern whose match in it ends first."""
    groups = given.pathGroupings or []
    if not groups:
        return "name"
    patterns = [scan.bind(f"(?s)^.*?{re.escape(group).replace(re.escape('*'), '.*?')}") for group in groups]
    ends = ", ".join(END.format(pattern=each) for each in patterns)
    listed = f"({scan.bind(groups)}::varchar[])"
    return (
        f"case when {' or '.join(f'regexp_matches(name, {each})' for each in patterns)}"
        f" then {listed}[list_position([{ends}], list_min([{ends}]))] else name end"
    )
