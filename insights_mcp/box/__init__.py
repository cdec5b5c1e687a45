"""SQL that a caller wrote, run in a process of its own: limits of time, memory and rows; killed when it does not hear.

Used by the embedded backend and by what asks results in SQL. Needs DuckDB, so it is imported when it is needed.
"""
