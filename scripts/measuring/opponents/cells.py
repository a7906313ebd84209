"""The cells of the comparison: each measures all contenders that support it, alternately."""

import os
import statistics
import time
from functools import partial

from .. import balance, lab, memory, streams, tables, upload, wire
from .contenders import SENTENCE

BIG = "A longer response says more of the same, and then some. " * 178

CPU = ("CPU per request", "us")


def claimed():
    """Returns the cells behind the README's claims."""
    return [
        ("64 connections, depth 1", partial(throughput, depth=1)),
        ("64 connections, 16 requests in one write", partial(throughput, depth=16)),
        ("mocker and floor, depth 1", partial(throughput, depth=1, alone=True)),
        ("mocker and floor, 10 KB responses",
         partial(throughput, depth=1, alone=True, content=BIG)),
        ("mocker and floor, embeddings of 1536 numbers",
         partial(throughput, depth=1, alone=True, endpoint="embeddings")),
        ("delivered latency, 50 ms, 1000 in flight", partial(late, millis=50, in_flight=1000)),
        ("uploads of 50 MB", partial(uploads, size=50 << 20, each=4)),
        ("connections on 2 cores", even),
        ("at rest", at_rest),
    ]


def full():
    """Returns the cells of the whole grid."""
    yield from claimed()
    for depth in (1, 16):
        for content, size in ((SENTENCE, "small"), (BIG, "10 KB")):
            for connections in (1, 8, 64, 512, 4096):
                yield (
                    f"{connections} connections, depth {depth}, {size} responses",
                    partial(throughput, depth=depth, content=content, connections=connections),
                )
    yield "a connection for each request", churn
    for millis in (1, 10, 50, 200):
        for in_flight in (10, 100, 1000, 9000):
            yield (
                f"delivered latency, {millis} ms, {in_flight} in flight",
                partial(late, millis=millis, in_flight=in_flight),
            )
    yield "uploads of 200 KB", partial(upload_rate, size=200_000, each=500)
    yield "uploads of 10 MB", partial(upload_rate, size=10_000_000, each=20)
    yield "streams without gaps", gapless


def label(name):
    return tables.LABELS.get(name, name)


def start(contender, command, **how):
    server = lab.Server(contender.name, command, **how)
    server.prefix = contender.prefix
    return server


def begin(field, latency=0, content=SENTENCE, only=None):
    """Starts all contenders that support this latency and content."""
    commands = [
        (contender, contender.start(latency, content)) for contender in field
        if not only or contender.name in only
    ]
    return [start(contender, command) for contender, command in commands if command]


def finish(cell, servers, rounds, measure, metrics, results):
    """Measures the servers alternately, adds the runs to the results, and stops the servers."""
    runs = tables.alternate(servers, rounds, measure)
    results.add(cell, runs, metrics, {server.name: label(server.name) for server in servers})
    for server in servers:
        server.stop()


def adapted(server, request):
    """Returns the request with the path that this server uses."""
    return request.replace(b" /", b" " + getattr(server, "prefix", b"") + b"/", 1)


def wrk_cell(cell, servers, rounds, options, results, request, depth=1, connections=64):
    """Measures requests/s and CPU time per request."""
    scripts = {}
    for server in servers:
        own = adapted(server, request)
        name = f"compare-{depth}" + ("" if own == request else "-prefix")
        scripts[server.name] = lab.wrk_script(name, own, depth)
    seconds = max(1, round(options.seconds))

    def measure(server):
        run = lab.wrk(server, scripts[server.name], connections, seconds)
        return {CPU[0]: run["cpu_us"], "requests/s": run["rps"], "core busy": run["busy"]}

    metrics = [CPU, ("requests/s", ""), ("core busy", "%")]
    finish(cell, servers, rounds, measure, metrics, results)


def throughput(
    cell, field, options, results, depth, connections=64, content=SENTENCE, alone=False,
    endpoint="chat",
):
    """Measures full load. `alone`: only mocker and the floor, in more rounds."""
    servers = begin(field, content=content, only=("A", "A2") if alone else None)
    request = wire.request(endpoint)
    response = lab.write("response", wire.record(servers[0], request))
    servers.insert(2, lab.floor("serve", request_bytes=len(request), response=response))
    rounds = 21 if alone else options.rounds
    wrk_cell(cell, servers, rounds, options, results, request, depth, connections)


def churn(cell, field, options, results):
    """Measures requests that each have their own connection."""
    wrk_cell(cell, begin(field), options.rounds, options, results, wire.closing_request())


def late(cell, field, options, results, millis, in_flight):
    """Measures the lateness of delayed responses."""
    most = results.of("64 connections, depth 1", "requests/s")
    servers = []
    rate = in_flight / millis * 1e3
    for server in begin(field, latency=millis):
        name = label(server.name)
        capacity = statistics.median(most[name]) if name in most else float("inf")
        if rate > capacity / 2:
            results.note(
                f"{cell}: {name} left out, {rate:,.0f}/s is over half of its {capacity:,.0f}/s"
            )
            server.stop()
        else:
            servers.append(server)
    if not servers:
        return
    requests, lengths = {}, {}
    for server in servers:
        own = adapted(server, wire.request("chat"))
        recorded = wire.record(server, own, times=3)
        lengths[server.name] = len(recorded)
        name = f"request{server.prefix.decode().replace('/', '-')}"
        requests[server.name] = lab.write(name, own)
        if server is servers[0]:
            response = lab.write("response", recorded)
    first = servers[0].name
    requests["F"], lengths["F"] = requests[first], lengths[first]
    servers.append(lab.floor(
        "delay", request_bytes=requests["F"].stat().st_size, response=response, millis=millis
    ))

    def measure(server):
        run = lab.late(server, requests[server.name], lengths[server.name], in_flight,
                       max(2, options.seconds), millis)
        keys = {"p99": "p99", "p50": "p50", "p99.9": "p999", "earliest": "min"}
        times = {key: run[f"{name}_us"] / 1e3 for key, name in keys.items()}
        return times | {CPU[0]: run["cpu_us"]}

    metrics = [(key, "ms late") for key in ("p99", "p50", "p99.9", "earliest")] + [CPU]
    finish(cell, servers, options.rounds, measure, metrics, results)


def uploads(cell, field, options, results, size, each):
    """Measures the CPU time of large bodies, compared with a floor that discards them."""
    for name, (path, content) in upload.bodies(size).items():
        def measure(server):
            run = upload.cost(server, each, path, content)
            return {"CPU per GB": run["s_per_gb"], "GB per CPU second": run["gb_per_s"]}

        servers = begin(field, only=("A", "A2")) + [lab.floor("drop")]
        metrics = [("CPU per GB", "s"), ("GB per CPU second", "")]
        finish(f"{cell}, {name}", servers, options.rounds, measure, metrics, results)


def upload_rate(cell, field, options, results, size, each):
    """Measures bodies/s of all contenders that accept them."""
    path, content = upload.bodies(size)["one long string"]
    servers = []
    for server in begin(field):
        try:
            with server.connect() as connection:
                upload.send(connection, server.prefix.decode() + path, content)
            servers.append(server)
        except (SystemExit, OSError) as error:
            results.note(f"{cell}: {server.name} left out: {str(error)[:80]}")
            server.stop()

    def measure(server):
        run = upload.cost(server, each, server.prefix.decode() + path, content)
        return {"CPU per GB": run["s_per_gb"], "bodies/s": each / run["took"]}

    metrics = [("CPU per GB", "s"), ("bodies/s", "")]
    finish(cell, servers, options.rounds, measure, metrics, results)


def gapless(cell, field, options, results):
    """Measures events/s of streams without gaps; no other server sends them without sleeping."""
    tokens = 2000
    command = [*field[0].start(0, SENTENCE), "-tokens", str(tokens)]
    servers = [lab.Server(name, command) for name in ("A", "A2")]
    _, runs = streams.drain(servers, 16, tokens, 3.0, options.rounds)
    for server in servers:
        server.stop()
    rate, cpu_rate = (
        tables.spread([run[key] for run in runs["A"]]) for key in ("rate", "cpu_rate")
    )
    results.note(f"{cell}: {rate} million events/s, {cpu_rate} million in a CPU second")


def even(cell, field, options, results):
    """Measures the connections on the fuller of two cores, of 8 and 64."""
    build = field[0].start(0, SENTENCE)[0]
    key = "on the fuller core"
    for connections in (8, 64):
        runs = {
            name: [{key: most} for most in balance.fullest(build, word, connections, 20)]
            for word, name in (("on", "mocker"), ("off", "the kernel's hash"))
        }
        metrics = [(key, f"of {connections}")]
        results.add(f"{connections} {cell}", runs, metrics, {name: name for name in runs})


def at_rest(cell, field, options, results):
    """Measures idle memory, the memory of idle connections, the time to the first response and the
    size of the program."""
    runs = {}
    for contender in field:
        if contender.name == "A2":
            continue
        its = runs[label(contender.name)] = []
        for _ in range(options.rounds):
            began = time.monotonic()
            server = start(contender, contender.start(0, SENTENCE), pause=0.0002)
            wire.record(server, adapted(server, wire.request("chat")), times=1)
            first = (time.monotonic() - began) * 1e3
            program = os.path.realpath(f"/proc/{server.pid}/exe")
            its.append({
                "first response": first, "resident": server.memory("VmRSS") / (1 << 20),
                "program": os.path.getsize(program) / 1e6,
            })
            server.stop()
        per_connection = idle_connections(contender)
        for run in its:
            run["idle connection"] = per_connection
    metrics = [("first response", "ms"), ("resident", "MiB"), ("idle connection", "bytes"),
               ("program", "MB")]
    results.add(cell, runs, metrics, {name: name for name in runs})


def idle_connections(contender, count=10_000):
    """Returns the server's memory per idle connection, in bytes."""
    server = start(contender, contender.start(0, SENTENCE))
    idle, _, growth = memory.open_idle(server, count, adapted(server, wire.request("chat")))
    for connection in idle:
        connection.close()
    server.stop()
    return growth / count
