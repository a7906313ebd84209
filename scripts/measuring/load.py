"""Cases of full load and of delayed responses."""

import os
import subprocess
import sys
import time

from . import lab, tables, wire
from .lab import AGAINST, COMMON, option

# The connections and delays, in milliseconds, that `delay` measures by default.
DELAYS = [(1000, 50.0), (10, 1.0)]
DELAY_COLUMNS = [
    ("p50_ms", "p50 ms", "{:.3f}"), ("p99_ms", "p99 ms", "{:.3f}"),
    ("min_ms", "smallest ms", "{:.3f}"), ("cpu_us", "CPU us/request", "{:.3f}"),
    ("rps", "requests/s", "{:,.0f}"),
]
# The limit on the growth of resident memory from the second minute of a soak to the last, in bytes.
GROWTH_MAX = 1 << 20


@lab.case(
    *COMMON, AGAINST, option("--rounds", 21, "rounds"),
    option("--seconds", 2, "length of a run"), option("--connections", 64, "connections"),
    option("--depth", choices=["1", "16", "both"], default="both",
           help="requests sent in one write (default: both)"),
    option("--endpoint", choices=["chat", "embeddings", "base64"], default="chat",
           help="the endpoint to request (default: chat)"),
    option("--floor", action="store_true", help="also measure the floor with --against"),
)
def load(options):
    """Throughput, latency and CPU time per request, compared with a floor that parses nothing.
    With --against, compares with another build instead. Needs wrk."""
    request = wire.request(options.endpoint)
    contenders = lab.mockers(options)
    responses = {server.name: wire.record(server, request) for server in contenders}
    if options.floor or not options.against:
        response = lab.write("response", responses["A"])
        contenders.append(lab.floor("serve", request_bytes=len(request), response=response))

    sizes = ", ".join(f"{len(response)} ({name})" for name, response in responses.items())
    print(f"requests of {len(request)} bytes; responses of {sizes} bytes")
    results = {}
    for depth in [1, 16] if options.depth == "both" else [int(options.depth)]:
        script = lab.wrk_script(f"depth-{depth}", request, depth)
        columns = lab.wrk_columns(depth)
        results[f"depth {depth}"] = tables.compare(
            f"depth {depth}, {options.connections} connections, runs of {options.seconds} s",
            contenders, options.rounds,
            lambda server: lab.wrk(server, script, options.connections, options.seconds),
            columns + [lab.BUSY], ratios=columns,
        )
    tables.save(options.json, results)


@lab.case(
    *COMMON, AGAINST, option("--rounds", 7, "rounds"),
    option("--seconds", 3.0, "length of a run, after its warm-up"),
    option("--connections", type=int, help="connections; needs --millis"),
    option("--millis", type=float,
           help="delay, with at most 3 decimals; needs --connections (default: "
           + " and ".join(f"{connections} at {millis:g} ms" for connections, millis in DELAYS)
           + ")"),
)
def delay(options):
    """Lateness of delayed responses as seen by a client, and their CPU time.
    Compares with a floor that parses nothing. Fails if a response is early."""
    if (options.connections is None) != (options.millis is None):
        sys.exit("--connections and --millis go together")
    cells = DELAYS if options.millis is None else [(options.connections, options.millis)]
    # Build these now, so that no build runs between measurements.
    lab.bench("floor")
    lab.bench("late")
    lab.open_files(max(connections for connections, _ in cells) + 100)
    sent = wire.request("chat")
    request = lab.write("request", sent)
    results, early = {}, []
    for connections, millis in cells:
        contenders = lab.mockers(options, "-latency", f"{millis:g}")
        recorded = wire.record(contenders[0], sent, times=3)
        response = lab.write("response", recorded)
        contenders.append(
            lab.floor("delay", request_bytes=len(sent), response=response, millis=millis)
        )

        def measure(server):
            run = lab.late(server, request, len(recorded), connections, options.seconds, millis)
            return run | {f"{name}_ms": run[f"{name}_us"] / 1e3 for name in ("min", "p50", "p99")}

        cell = f"{connections} connections, {millis:g} ms"
        runs = results[cell] = tables.compare(
            f"{cell}; lateness in ms, runs of {options.seconds:g} s", contenders, options.rounds,
            measure, DELAY_COLUMNS, spreads=True,
            ratios=[("p99_us", "p99", ""), ("cpu_us", "CPU us/request", "")],
        )
        for server in contenders:
            server.stop()
        early += tables.early(runs, cell)
    tables.save(options.json, results)
    if early:
        sys.exit("\n".join(early))


@lab.case(
    *COMMON, option("--minutes", 10, "duration; at least 3"),
    option("--connections", 64, "connections"),
)
def soak(options):
    """Minutes of full load with new connections, resets, malformed requests and streams.
    Checks every response, and that memory and file descriptors do not grow."""
    if options.minutes < 3:
        sys.exit("--minutes must be at least 3, to compare the second with the last")
    client = lab.bench("soak")
    lab.open_files(options.connections + 100)
    server = lab.start("soak", options)
    folder = f"/proc/{server.pid}/fd"
    descriptors = len(os.listdir(folder))
    command = ["taskset", "-c", lab.LOAD_CORE, client, f"127.0.0.1:{server.port}",
               options.minutes * 60, options.connections]
    began = time.monotonic()
    traffic = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    memory = [[] for _ in range(options.minutes + 1)]
    busy = server.cpu_ns()
    while traffic.poll() is None:
        minute = int((time.monotonic() - began) / 60)
        memory[min(minute, options.minutes)].append(server.memory("VmRSS"))
        time.sleep(1)
    busy = (server.cpu_ns() - busy) / 1e9 / (time.monotonic() - began)
    print(traffic.stdout.read().strip())
    time.sleep(1)
    second, last = (max(memory[minute]) for minute in (1, options.minutes - 1))
    still_open = len(os.listdir(folder))
    print(f"{options.minutes} minutes, the server's core {busy:.0%} busy; resident memory "
          f"{second / 1024:,.0f} KiB in the second minute, {last / 1024:,.0f} KiB in the last; "
          f"{descriptors} descriptors before, {still_open} after")
    tables.save(options.json, {"memory": memory, "busy": busy})
    if traffic.returncode != 0:
        sys.exit("some responses were wrong")
    if last > second + GROWTH_MAX or still_open > descriptors:
        sys.exit("memory or descriptors leak")
