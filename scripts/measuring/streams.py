"""Cases of chat streams."""

import sys

from . import lab, tables, wire
from .lab import AGAINST, COMMON, option

# The ways to send the requests. The tokens of a stream are due relative to its request.
REQUESTS = {
    "burst": "all at once, to a stopped server",
    "row": "one after another",
    "spread": "spread over the time between two tokens",
}
# Besides the tokens, a stream has events for the role, the finish reason and the end.
OTHER_EVENTS = 3
QUANTILES = ("min", "p50", "p99", "max")
BUSY = [("busy", "core busy %", "{:.1f}"), ("client_busy", "client busy %", "{:.1f}")]
DRAIN_COLUMNS = [
    ("rate", "million events/s", "{:.3f}"), ("cpu_rate", "million/CPU second", "{:.3f}"),
    ("event_bytes", "bytes/event", "{:.1f}"), *BUSY,
]


def run_client(server, command, **flags):
    """Runs the client of streams, and returns the numbers of the run."""
    request = lab.write("stream-request", wire.request("stream"))
    flags |= {"url": f"http://127.0.0.1:{server.port}", "request": request}
    run = lab.load(server, [lab.bench("stream"), command, *lab.as_flags(flags)], "streams")
    return run | {
        "busy": run["cpu_ns"] / run["seconds"] / 1e7,
        "client_busy": run["client_s"] / run["seconds"] * 100,
    }


def record_stream(server, tokens):
    """Returns one stream of the server with each of its tokens in its own chunk, as they are if the
    server wakes in time for each."""
    for _ in range(5):
        with server.connect() as connection:
            connection.sendall(wire.request("stream"))
            stream, chunks = wire.read_stream(connection)
        if len(chunks) == tokens:
            return stream
    sys.exit(f"{server.name}: a stream of {tokens} tokens arrived in {len(chunks)} chunks")


def by_token(runs):
    """Returns the lateness of some tokens in each contender's runs, and that of all tokens."""
    def in_ms(times):
        return {key: times[f"{key}_us"] / 1e3 for key in QUANTILES}

    rows = {}
    for name, its in tables.labelled(runs).items():
        for at, mark in enumerate(its[0]["marks"]):
            rows[f"{name}, token {mark['token']}"] = [in_ms(run["marks"][at]) for run in its]
        rows[f"{name}, all"] = [in_ms(run) for run in its]
    return rows


@lab.case(
    *COMMON, AGAINST, option("--rounds", 5, "rounds"), option("--connections", 1000, "connections"),
    option("--tokens", 100, "tokens per stream"), option("--ttft", 200.0, "ms to the first token"),
    option("--itl", 20.0, "ms between tokens"),
    option("--requests", choices=REQUESTS, help="; ".join(
        f"{name}: {how}" for name, how in REQUESTS.items()
    ) + " (default: each)"),
)
def pacing(options):
    """Lateness of the tokens of concurrent streams as seen by a client, and their CPU time.
    Compares with a floor that replays a recorded stream. Fails if a token is early."""
    pace = {"ttft": options.ttft, "itl": options.itl}
    contenders = lab.mockers(
        options, "-ttft", options.ttft, "-itl", options.itl, "-tokens", options.tokens
    )
    lab.bench("stream")
    contenders.append(lab.floor(
        "stream", request_bytes=len(wire.request("stream")), millis=options.ttft, itl=options.itl,
        response=lab.write("stream", record_stream(contenders[0], options.tokens)),
    ))

    def measure(server, requests):
        how = {"burst": {"burst": server.pid}, "row": {}, "spread": {"spread": options.itl}}
        run = run_client(server, "pace", connections=options.connections, tokens=options.tokens,
                         **pace, **how[requests])
        return run | {
            "cpu_us": run["cpu_ns"] / run["tokens"] / 1e3, "drift_ms": run["drift_us"] / 1e3,
        }

    results, early = {}, []
    for requests in [options.requests] if options.requests else REQUESTS:
        cell = f"{options.connections} streams, requests {REQUESTS[requests]}"
        runs = results[cell] = tables.alternate(
            contenders, options.rounds, lambda server: measure(server, requests)
        )
        print(f"\n{cell}; {options.tokens} tokens, the first at {options.ttft:g} ms, then every "
              f"{options.itl:g} ms; {options.rounds} rounds")
        tables.print_table(
            by_token(runs), [(key, f"{key} ms", "{:.3f}") for key in QUANTILES], spreads=True
        )
        tables.print_runs(
            runs, [("drift_ms", "drift ms", "{:.3f}"), ("cpu_us", "CPU us/token", "{:.3f}"), *BUSY],
            ratios=[("cpu_us", "CPU us/token", "")], spreads=True,
        )
        early += tables.early(runs, cell)
    tables.save(options.json, results)
    if early:
        sys.exit("\n".join(early))


def drain(contenders, connections, tokens, seconds, rounds):
    """Measures contenders whose streams have no gaps. Returns the events of a stream and the
    runs."""
    # The client does not parse events: every stream has the number of events of this one.
    with contenders[0].connect() as connection:
        connection.sendall(wire.request("stream"))
        _, chunks = wire.read_stream(connection)
    events = b"".join(chunks).count(b"\n\n")
    if events != tokens + OTHER_EVENTS:
        sys.exit(f"a stream of {tokens} tokens has {events} events")

    def measure(server):
        run = run_client(server, "drain", connections=connections, seconds=seconds)
        return run | {
            "rate": run["streams"] * events / run["counted"] / 1e6,
            # The warm-up takes CPU time as well.
            "cpu_rate": run["all_streams"] * events / run["cpu_ns"] * 1e3,
            "event_bytes": run["all_bytes"] / run["all_streams"] / events,
        }

    return events, tables.alternate(contenders, rounds, measure)


@lab.case(
    *COMMON, AGAINST, option("--rounds", 7, "rounds"), option("--connections", 16, "connections"),
    option("--tokens", 2000, "tokens per stream"),
    option("--seconds", 3.0, "length of a run, after its warm-up"),
)
def throughput(options):
    """Rate of events of streams without gaps between tokens."""
    contenders = lab.mockers(options, "-tokens", options.tokens)
    events, runs = drain(
        contenders, options.connections, options.tokens, options.seconds, options.rounds
    )
    print(f"\n{options.connections} connections, streams of {options.tokens} tokens without gaps, "
          f"{options.rounds} rounds of {options.seconds:g} s")
    tables.print_runs(
        runs, DRAIN_COLUMNS, spreads=True,
        ratios=[("rate", "events/s", ""), ("cpu_rate", "events/CPU second", "")],
    )
    tables.save(options.json, {"events": events, "runs": runs})
