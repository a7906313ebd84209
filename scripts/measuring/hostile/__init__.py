"""The table of hostile traffic that the case `cost` sends: modules of rows, and the code that runs
one."""

from . import bodies, connections, framing, heads, logs, plain, responses, schemas, tools

# The row that all others are compared with.
BASELINE = plain.ROWS[0]

ROWS = [
    row
    for module in (plain, responses, bodies, framing, heads, connections, tools, schemas, logs)
    for row in module.ROWS
]

assert len({row.name for row in ROWS}) == len(ROWS), "two rows have the same name"
