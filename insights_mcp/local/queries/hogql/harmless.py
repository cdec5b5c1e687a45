"""Which expressions can neither grow nor run long, so that they may run beside everything else."""

from __future__ import annotations

from insights_mcp.local.queries.hogql.tree import Alias, Call, Cast, Field, Interval, Literal, Node, walk

PARTS = (Alias, Call, Cast, Field, Interval, Literal)
CALLS = frozenset(
    """and or not equals notEquals less lessOrEquals greater greaterOrEquals in notIn like notLike ilike notILike isNull
    isNotNull plus minus multiply divide modulo negate if multiIf coalesce ifNull nullIf tuple toString toInt toFloat
    toDate toDateTime toStartOfDay toStartOfWeek toStartOfMonth toStartOfHour toHour toDayOfWeek lower upper trim length
    startsWith endsWith empty notEmpty round floor ceil abs least greatest count sum avg min max uniq median quantile
    countIf sumIf avgIf minIf maxIf uniqIf""".split()  # noqa: SIM905
)
MOST = 200


def harmless(tree: Node) -> bool:
    """Whether an expression is small and made of these parts only."""
    parts = list(walk(tree))
    return len(parts) <= MOST and all(
        isinstance(part, PARTS) and (not isinstance(part, Call) or (part.name in CALLS and not part.over))
        for part in parts
    )
