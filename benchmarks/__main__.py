"""Measures what is named, or everything, and prints it as a table; fails when a limit is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from benchmarks import answers, bad_queries, calls, engine, large, listing, memory, start
from benchmarks.measure import Measurement, table

# Memory first: what ran before it would still be in the process.
MEASURES: dict[str, Callable[[bool, int], list[Measurement]]] = {
    "memory": lambda quick, _: memory.measure(200 if quick else 1_000),
    "start": lambda quick, _: start.measure(3 if quick else 15),
    "answers": lambda quick, _: answers.measure(10 if quick else 100),
    "large": lambda quick, _: large.measure(1 if quick else 5),
    "bad_queries": lambda _, __: bad_queries.measure(),
    "listing": lambda quick, _: listing.measure(),
    "calls": lambda quick, _: calls.measure(5 if quick else 30),
    "engine": lambda quick, events: engine.measure(min(events, 50_000) if quick else events, 1 if quick else 7),
}


def main() -> int:
    """0 when every limit is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}; all without one")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it runs, not to judge by")
    parser.add_argument("--events", type=int, default=1_000_000, help="how many the engine is measured on")
    asked = parser.parse_args()
    if odd := set(asked.names) - set(MEASURES):
        parser.error(f"there is no {', '.join(sorted(odd))}")
    named = [measure for name, measure in MEASURES.items() if not asked.names or name in asked.names]
    measured = [m for measure in named for m in measure(asked.quick, asked.events)]
    print(table(measured))
    return 0 if all(m.ok for m in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
