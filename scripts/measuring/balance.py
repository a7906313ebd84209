"""The case of the distribution of connections over cores."""

import collections
import json
import random
import statistics

from . import lab, tables, wire
from .lab import option

CONNECTIONS = [8, 16, 64]
# The random runs that are simulated for each number of cores and connections.
SIMULATED = 1000


def start(name, build, balance, args=()):
    command = lab.mocker(build, ["-balance", balance, *args], threads=2)
    return lab.Server(name, command, pinned=False)


def on_cores(server, connections):
    """Returns the number of connections on each core."""
    sockets = [server.connect() for _ in range(connections)]
    for one in sockets:
        one.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    for one in sockets:
        wire.read_response(one)
    # Use one of them for the request, so that it does not add a connection.
    sockets[0].sendall(b"GET /stats HTTP/1.1\r\nHost: a\r\n\r\n")
    _, _, stats = wire.read_response(sockets[0]).partition(b"\r\n\r\n")
    for one in sockets:
        one.close()
    return json.loads(stats)["core_connections"]


def fullest(build, balance, connections, runs, args=()):
    """Returns the number of connections on the fullest of two cores, for each run."""
    most = []
    for _ in range(runs):
        server = start("A", build, balance, args)
        cores = on_cores(server, connections)
        assert sum(cores) == connections, cores
        most.append(max(cores))
        server.stop()
    return most


def simulate():
    print(f"\nthe kernel's hash, {SIMULATED} simulated runs: connections of the fullest core over "
          "the mean (median, 99 %)")
    rng = random.Random(1)
    for cores in (2, 8, 32, 128):
        for each in (4, 16, 64):
            most = [
                max(collections.Counter(rng.choices(range(cores), k=cores * each)).values()) / each
                for _ in range(SIMULATED)
            ]
            p99 = statistics.quantiles(most, n=100)[98]
            print(f"  {cores:>3} cores, {cores * each:>5} connections:"
                  f" {statistics.median(most):.2f} x, {p99:.2f} x")


@lab.case(
    lab.BINARY, lab.ARG, option("--rounds", 21, "rounds"),
    option("--seconds", 1, "length of a run"),
    option("--runs", 20, "runs for each number of connections"),
)
def balance(options):
    """Distribution of connections over cores, with `-balance on` and with the kernel's hash alone.
    Also measures the cost of balancing when connections are opened and closed, and simulates the
    hash for more cores than this machine has. Needs wrk."""
    build, args = lab.binary(options), options.args or []
    print(f"connections of the fullest of 2 cores, {options.runs} runs")
    for word in ("off", "on"):
        for connections in CONNECTIONS:
            most = fullest(build, word, connections, options.runs, args)
            even = most.count(connections // 2)
            print(f"  -balance {word:<3} {connections:>3} connections: median "
                  f"{statistics.median(most):g}, worst {max(most)}, even in {even} runs")
    simulate()
    script = lab.wrk_script("churn", wire.closing_request())
    contenders = [start(name, build, name.rstrip("2"), args) for name in ("on", "off", "off2")]
    tables.compare(
        "a connection for each request, 64 concurrent ones", contenders, options.rounds,
        lambda server: lab.wrk(server, script, 64, options.seconds), lab.wrk_columns(),
        pairs=[("on", "off"), ("off", "off2")],
        labels={"on": "balanced", "off": "hash", "off2": "hash again"},
    )
    accepted = json.loads(contenders[0].get("/stats"))["accepted"]
    print(f"  connections that the balanced server accepted: {accepted:,}")
