"""Cases of the memory that connections take: idle, waiting for a response, within a stream."""

import selectors
import statistics
import sys
import time

from . import lab, tables, wire
from .lab import COMMON, option

# The seconds until the server has handled what was sent to it, and sleeps.
SETTLED = 0.5
# The seconds by which responses may be late before a case gives up.
GRACE = 10


def open_idle(server, count, request):
    """Opens connections that are idle after one response. Returns them, the server's memory before,
    and the additional memory with them."""
    with server.connect() as connection:
        for _ in range(100):
            connection.sendall(request)
            wire.read_response(connection)
    before = server.memory()
    idle = []
    for _ in range(count):
        idle.append(server.connect())
        idle[-1].sendall(request)
        wire.read_response(idle[-1])
    return idle, before, server.memory() - before


def open_silent(server, count):
    """Opens connections that send nothing. Returns them, and the server's memory without and with
    them."""
    before = server.memory()
    connections = [server.connect() for _ in range(count)]
    time.sleep(SETTLED)
    return connections, {"none": before, "idle": server.memory()}


def read_all(connections, read, deadline):
    """Calls `read` for connections with data until it has returned true for each. Returns when that
    data was seen, by connection."""
    selector = selectors.DefaultSelector()
    for connection in connections:
        selector.register(connection, selectors.EVENT_READ)
    finished = {}
    while len(finished) < len(connections) and time.monotonic() < deadline:
        ready = selector.select(timeout=1)
        # One clock reading before the reads: the time that they take is not the server's lateness.
        seen = time.monotonic()
        for key, _ in ready:
            if read(key.fileobj):
                selector.unregister(key.fileobj)
                finished[key.fileobj] = seen
    if len(finished) < len(connections):
        sys.exit(f"{len(connections) - len(finished)} responses did not arrive")
    return finished


@lab.case(
    *COMMON, option("--rounds", 7, "rounds"), option("--seconds", 2, "length of a run"),
    option("--connections", 64, "active connections"), option("--idle", 10_000, "idle connections"),
)
def idle(options):
    """Memory of idle connections, and their effect on active ones.
    X has the idle connections, Y and Y2 have none; Y/Y2 shows the measurement noise. Needs wrk."""
    lab.open_files(options.idle + options.connections + 100)
    request = wire.request("chat")
    # Otherwise mocker would close the idle connections after a minute.
    x, y, y2 = (lab.start(name, options, "-idle-timeout", "3600") for name in ("X", "Y", "Y2"))
    connections, before, growth = open_idle(x, options.idle, request)
    tables.print_states(
        f"{options.idle} idle connections", {"none": before, "idle": before + growth},
        options.idle, "none",
    )
    script = lab.wrk_script("depth-1", request)
    columns = lab.wrk_columns()
    runs = tables.compare(
        f"{options.connections} active connections, runs of {options.seconds} s",
        [x, y, y2], options.rounds,
        lambda server: lab.wrk(server, script, options.connections, options.seconds),
        columns + [lab.BUSY], ratios=columns, pairs=[("X", "Y"), ("Y", "Y2")],
        labels={"X": f"{options.idle} idle", "Y": "none idle", "Y2": "none idle, again"},
    )
    # If the server had closed them meanwhile, it would have been measured without any.
    for connection in connections:
        connection.sendall(request)
        wire.read_response(connection)
    tables.save(
        options.json, {"idle": options.idle, "before": before, "growth": growth, "runs": runs}
    )


@lab.case(
    *COMMON, option("--connections", 9000, "connections"), option("--millis", 20_000, "delay"),
)
def waiting(options):
    """Memory of delayed responses, and their lateness.
    Measures connections that each wait for a response, and the same connections when idle. Fails if
    a response is early."""
    lab.open_files(options.connections + 100)
    request = wire.request("chat")
    server = lab.start("waiting", options, "-latency", options.millis)
    lab.become_client()
    connections, states = open_silent(server, options.connections)
    sent = {}
    began = time.monotonic()
    for connection in connections:
        sent[connection] = time.monotonic()
        connection.sendall(request)
    time.sleep(SETTLED)
    states["waiting"] = server.memory()
    took = time.monotonic() - began
    if took > options.millis / 1e3:
        sys.exit(f"sending took {took:.1f} s, so some responses had arrived; raise --millis")

    def read(connection):
        return wire.read_response(connection)

    finished = read_all(connections, read, time.monotonic() + options.millis / 1e3 + GRACE)
    tables.print_states(
        f"{options.connections} connections; all responses arrived", states, options.connections,
        "idle",
    )
    late = sorted(
        (seen - sent[connection]) * 1e3 - options.millis for connection, seen in finished.items()
    )
    print(f"lateness in ms: smallest {late[0]:.3f}, median {statistics.median(late):.3f}, "
          f"largest {late[-1]:.3f}")
    tables.save(
        options.json, {"connections": options.connections, **states, "late_ms": late}
    )
    if late[0] < 0:
        sys.exit(f"early by {-late[0]:.3f} ms")


@lab.case(
    *COMMON, option("--connections", 10_000, "connections"),
    option("--ttft", 3000.0, "ms to the first token"),
    option("--itl", 10_000.0, "ms to the second token"),
)
def stream_memory(options):
    """Memory of open streams before their first token and between tokens."""
    lab.open_files(options.connections + 100)
    # Two tokens: one that arrives, and one that the streams wait for.
    server = lab.start("streams", options, "-ttft", options.ttft, "-itl", options.itl,
                       "-tokens", "2")
    lab.become_client()
    request = wire.request("stream")
    connections, states = open_silent(server, options.connections)
    began = time.monotonic()
    for connection in connections:
        connection.sendall(request)
    sending = time.monotonic() - began
    time.sleep(max(0, options.ttft / 2e3 - sending))
    states["before the first token"] = server.memory()
    if time.monotonic() - began > options.ttft / 1e3:
        sys.exit(f"sending took {sending:.1f} s, so some streams had begun; raise --ttft")
    tails = dict.fromkeys(connections, b"")

    def read_to(end):
        def read(connection):
            part = connection.recv(65536)
            if not part:
                sys.exit(f"a connection ended in its stream, after {tails[connection]!r}")
            tails[connection] = (tails[connection] + part)[-2000:]
            return tails[connection].endswith(end)
        return read

    second = began + (options.ttft + options.itl) / 1e3
    read_all(connections, read_to(b"\n\n\r\n"), second)
    time.sleep(SETTLED)
    states["between tokens"] = server.memory()
    if time.monotonic() > second:
        sys.exit("reading the first tokens took too long; raise --itl")
    read_all(connections, read_to(wire.LAST_CHUNK), second + sending + GRACE)
    tables.print_states(
        f"{options.connections} connections; all streams ended", states, options.connections,
        "idle",
    )
    tables.save(options.json, {"connections": options.connections, **states})
