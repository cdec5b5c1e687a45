"""What the engine could not do, in the caller's words. Its own name types, functions and SQL that nobody wrote."""

from __future__ import annotations

import re

TYPES = {
    "VARCHAR": "text", "DOUBLE": "a number", "FLOAT": "a number", "DECIMAL": "a number", "BOOLEAN": "a truth value",
    "DATE": "a date", "TIMESTAMP": "a time", "UUID": "a UUID", "INTERVAL": "an interval", "JSON": "JSON",
    "TIME": "a time of day", "STRUCT": "a tuple", "MAP": "a map", "BLOB": "text",
}  # fmt: skip
NEXT = "Check what is compared, added and passed to functions."
# How its message goes -> what is said. The first that matches counts.
TOLD: tuple[tuple[str, str], ...] = (
    (
        r'column "?(?:\w+\.)?"?(?:p\.)?([\w$ ]{1,80})"? must appear in the GROUP BY',
        "'{0}' must stand in GROUP BY, or inside an aggregate such as any(…).",
    ),
    (r"must appear in the GROUP BY", "What is selected beside an aggregate must stand in GROUP BY."),
    (r"WHERE clause cannot contain aggregates", "WHERE cannot hold aggregates; use HAVING."),
    (r"WHERE clause cannot contain window", "WHERE cannot hold window functions; filter in a query around this one."),
    (r"GROUP BY clause cannot contain (aggregates|window)", "GROUP BY cannot hold aggregates or window functions."),
    (r"aggregate function calls cannot", "Aggregates cannot stand inside one another; use a subquery."),
    (r"window functions? (calls? )?(cannot|are not allowed)", "Window functions cannot stand here; use a subquery."),
    (r"UNNEST", "arrayJoin cannot stand here; use ARRAY JOIN, or a subquery."),
    (r"[Ll]ambda", "A lambda cannot stand here, or takes other arguments."),
    (
        r"(?s)[Ii]nvalid.*regex|regex.*(invalid|missing|bad)|missing [)\]]|repetition|invalid (escape|perl|char)",
        "A regular expression in the query is not valid.",
    ),
    (r"Could not convert string '([^'\n]{0,60})' to (\w+)", "'{0}' cannot be read as {1}."),
    (r"[Mm]alformed JSON", "A text is read as JSON that is none."),
    (r"[Cc]annot compare values of type (\w+)[^ ]* and (?:values of )?type (\w+)", "{0} cannot be compared with {1}."),
    (
        r"[Cc]annot (?:mix|combine|create a list|deduce|UNION)",
        "Values of different types stand where one type is needed.",
    ),
    (r"[Oo]verflow|[Oo]ut of [Rr]ange|out of range|too large|exceeds", "A number in the query is too large."),
    (r"[Dd]ivi(?:sion|de) by zero", "The query divides by zero."),
    (r"More than one row returned by a subquery", "A subquery used as a value gives more than one row; add LIMIT 1."),
    (r"(?i)ambiguous", "A name in the query is in several tables; put the table before it."),
)


def told(message: str) -> str:
    """What to say for a message of the engine."""
    for pattern, text in TOLD:
        if match := re.search(pattern, message):
            words = [TYPES.get(word, "a number" if "INT" in word else word) for word in match.groups(default="")]
            said = text.format(*words)
            return said[0].upper() + said[1:] if text.startswith("{") else said
    return f"The query cannot be computed: its values do not fit together. {NEXT}"
