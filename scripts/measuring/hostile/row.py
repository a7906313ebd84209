"""A row of the table of hostile traffic, and the marks that rows can carry."""

import dataclasses
from collections.abc import Callable

# Marks: reasons why a row costs more than it should until the server is changed.
RAW = "the raw log sets room aside for bodies that are only announced"
LOG_READER = "responses wait for the reader of the raw log"

# The status of connections that have no response: they only wait, or send nothing.
NOTHING = "nothing"
# The server closed the connection without a response.
CLOSED = "closed"
# A response ended before its announced length, and the connection stayed open.
STOPPED = "stopped"

# By default a row ends after this many requests or seconds, whichever comes first. The time limits
# the whole table to minutes; the count keeps cheap rows from running longer than necessary.
COUNT = 5000
SECONDS = 0.3


@dataclasses.dataclass(frozen=True)
class Row:
    """One kind of hostile traffic: the bytes, how they are sent, and the expected responses."""

    name: str
    # Returns the bytes of request number i. A list is written one element at a time.
    make: Callable[[int], bytes | list[bytes]]
    # The allowed statuses, each alone ("400") or with the code of the error ("400 invalid_json").
    expect: tuple[str, ...] = ("200",)
    group: str = ""
    count: int = COUNT
    seconds: float = SECONDS
    connections: int = 1
    # Requests in one write.
    depth: int = 1
    # Every request differs: make is called for each one, not only once.
    varies: bool = False
    # Every request has a connection of its own.
    fresh: bool = False
    # Nothing is read: the connections send their bytes and stay open while memory is
    # measured and another connection sends a request.
    hold: bool = False
    # Responses are read slowly: 4 KB of each connection every 10 ms.
    slow: bool = False
    # The connection is reset once the head of the response has arrived.
    abandon: bool = False
    # The client closes its sending side after the request.
    half_close: bool = False
    # Flags of the server.
    args: tuple[str, ...] = ()
    # The server's standard error is not read.
    unread_log: bool = False
    # The reason why the row is known to cost too much or to fail, or nothing.
    mark: str = ""


def row(name, make, *expect, **fields):
    """Returns a row. Instead of a function that makes the bytes, the bytes themselves are
    allowed."""
    maker = make if callable(make) else lambda _: make
    return Row(name, maker, expect or ("200",), **fields)


def group(name, *rows):
    """Returns the rows as members of a group."""
    return [dataclasses.replace(row, group=name) for row in rows]
