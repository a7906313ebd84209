"""The cells of the comparison: each measures all contenders that support it, alternately."""

import json
import os
import runpy
import statistics
import subprocess
import time
from functools import partial
from types import SimpleNamespace

import lab
from opponents.contenders import SENTENCE

BIG = "A longer answer says more of the same, and then some. " * 185

CPU = ("CPU a request", "us")


def loaded(name):
    """Imports one of the scripts in the parent folder."""
    return SimpleNamespace(**runpy.run_path(str(lab.ROOT / "scripts" / name)))


def claimed():
    """Measures the cells behind the README's claims."""
    return [
        ("64 connections, depth 1", partial(throughput, depth=1)),
        ("64 connections, 16 requests in one write", partial(throughput, depth=16)),
        ("beside the floor, depth 1", partial(throughput, depth=1, alone=True)),
        ("beside the floor, 10 KB answers", partial(throughput, depth=1, alone=True, content=BIG)),
        ("beside the floor, embeddings of 1536 numbers",
         partial(throughput, depth=1, alone=True, endpoint="embeddings")),
        ("delivered latency, 50 ms, 1000 in flight", partial(late, millis=50, in_flight=1000)),
        ("uploads of 50 MB", partial(uploads, size=50 << 20, each=4)),
        ("connections on 2 cores", even),
        ("at rest", at_rest),
    ]


def full():
    """Measures the whole grid."""
    yield from claimed()
    for depth in (1, 16):
        for content, size in ((SENTENCE, "small"), (BIG, "10 KB")):
            for connections in (1, 8, 64, 512, 4096):
                yield (
                    f"{connections} connections, depth {depth}, {size} answers",
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
    yield "streams without gaps", streams


def begin(field, latency=0, content=SENTENCE, only=None):
    """Starts all contenders that support it."""
    servers = []
    for contender in field:
        if only and contender.name not in only:
            continue
        command = contender.start(latency, content)
        if command:
            servers.append(lab.Server(contender.name, command))
            servers[-1].prefix = contender.prefix
    return servers


def asking(server, request):
    """Returns the request with the path that this server uses."""
    return request.replace(b" /", b" " + getattr(server, "prefix", b"") + b"/", 1)


def wrk_scripts(servers, request, depth):
    """Writes a wrk script for each server."""
    made = {}
    for server in servers:
        own = asking(server, request)
        name = f"compare-{depth}" + ("" if own == request else "-prefix")
        made[server.name] = lab.wrk_script(name, own, depth)
    return made


def labelled(servers):
    return {server.name: lab.LABELS.get(server.name, server.name) for server in servers}


def end(servers):
    for server in servers:
        server.stop()


def throughput(
    cell, field, options, results, depth, connections=64, content=SENTENCE, alone=False,
    endpoint="chat",
):
    """Measures requests/s and CPU time per request. `alone`: mocker and the floor, in more
    rounds."""
    servers = begin(field, content=content, only=("A", "A2") if alone else None)
    request = lab.request_of(endpoint)
    file = lab.WORK / "answer"
    file.write_bytes(lab.record_answer(servers[0], request))
    servers.insert(2, lab.floor("serve", "--request-bytes", len(request), "--answer", file))
    plain = wrk_scripts(servers, request, depth)
    rounds = 21 if alone else options.rounds

    def measure(server):
        run = lab.wrk(server, plain[server.name], connections, max(1, round(options.seconds)))
        return {"CPU a request": run["cpu_us"], "requests/s": run["rps"], "core busy": run["busy"]}

    runs = lab.alternate(servers, rounds, measure)
    results.add(cell, runs, [CPU, ("requests/s", ""), ("core busy", "%")], labelled(servers))
    end(servers)


def churn(cell, field, options, results):
    """Measures requests with a connection each."""
    servers = begin(field)
    request = lab.chat_request().replace(b"Connection: keep-alive", b"Connection: close")
    plain = wrk_scripts(servers, request, 1)

    def measure(server):
        run = lab.wrk(server, plain[server.name], 64, max(1, round(options.seconds)))
        return {"CPU a request": run["cpu_us"], "requests/s": run["rps"]}

    runs = lab.alternate(servers, options.rounds, measure)
    results.add(cell, runs, [CPU, ("requests/s", "")], labelled(servers))
    end(servers)


def late(cell, field, options, results, millis, in_flight):
    """Measures the lateness of delayed responses."""
    most = results.of("64 connections, depth 1", "requests/s")
    servers = []
    rate = in_flight / millis * 1e3
    for server in begin(field, latency=millis):
        name = labelled([server])[server.name]
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
    requests, answers = {}, {}
    for server in servers:
        own = asking(server, lab.chat_request())
        answers[server.name] = lab.record_answer(server, own, times=3)
        requests[server.name] = lab.WORK / f"request{server.prefix.decode().replace('/', '-')}"
        requests[server.name].write_bytes(own)
    requests["F"] = requests[servers[0].name]
    file = lab.WORK / "answer"
    file.write_bytes(next(iter(answers.values())))
    answers["F"] = file.read_bytes()
    servers.append(
        lab.floor("delay", "--request-bytes", requests["F"].stat().st_size, "--answer", file,
                  "--millis", f"{millis:g}")
    )

    def measure(server):
        run = lab.late(
            server, requests[server.name], len(answers[server.name]), in_flight,
            max(2, options.seconds), millis,
        )
        return {
            "p99": run["p99_us"] / 1e3, "p50": run["p50_us"] / 1e3, "p99.9": run["p999_us"] / 1e3,
            "earliest": run["min_us"] / 1e3, "CPU a request": run["cpu_us"],
        }

    runs = lab.alternate(servers, options.rounds, measure)
    metrics = [(key, "ms late") for key in ("p99", "p50", "p99.9", "earliest")] + [CPU]
    results.add(cell, runs, metrics, labelled(servers))
    end(servers)


def uploads(cell, field, options, results, size, each):
    """Measures the CPU time of large bodies, compared with a floor that discards them."""
    upload = loaded("upload")
    servers = begin(field, only=("A", "A2")) + [lab.floor("drop")]
    for name, (path, content) in upload.bodies(size).items():
        runs = lab.alternate(
            servers, options.rounds, lambda server: upload.cost(server, each, path, content)
        )
        for its in runs.values():
            for run in its:
                run.update({"CPU a GB": run["s_per_gb"], "GB a CPU second": run["gb_per_s"]})
        metrics = [("CPU a GB", "s"), ("GB a CPU second", "")]
        results.add(f"{cell}, {name}", runs, metrics, labelled(servers))
    end(servers)


def upload_rate(cell, field, options, results, size, each):
    """Measures bodies/s of all contenders that accept them."""
    upload = loaded("upload")
    path, content = upload.bodies(size)["one long string"]
    servers = []
    for server in begin(field):
        try:
            with server.connect() as connection:
                upload.upload(connection, server.prefix.decode() + path, content)
            servers.append(server)
        except (SystemExit, OSError) as error:
            results.note(f"{cell}: {server.name} left out: {str(error)[:80]}")
            server.stop()

    def measure(server):
        run = upload.cost(server, each, server.prefix.decode() + path, content)
        return {"CPU a GB": run["s_per_gb"], "bodies/s": each / run["took"]}

    runs = lab.alternate(servers, options.rounds, measure)
    results.add(cell, runs, [("CPU a GB", "s"), ("bodies/s", "")], labelled(servers))
    end(servers)


def streams(cell, field, options, results):
    """Measures events/s of streams without gaps; no other server sends them without sleeping."""
    file = lab.WORK / "streams.json"
    subprocess.run(
        [lab.ROOT / "scripts" / "streams", "throughput", "--binary", field[0].start(0, SENTENCE)[0],
         "--rounds", str(options.rounds), "--json", file],
        stdout=subprocess.DEVNULL, check=True,
    )
    runs = json.loads(file.read_text())["runs"]["A"]
    rate, cpu_rate = (lab.spread([run[key] for run in runs]) for key in ("rate", "cpu_rate"))
    results.note(f"{cell}: {rate} million events/s, {cpu_rate} million in a CPU second")


def even(cell, field, options, results):
    """Measures how many of 8 and 64 connections are on the fuller of two cores."""
    balance = loaded("balance")
    binary = field[0].start(0, SENTENCE)[0]
    for connections in (8, 64):
        runs = {}
        for word, label in (("on", "mocker"), ("off", "the kernel's hash")):
            runs[label] = []
            for _ in range(20):
                server = balance.start("A", binary, word, ["-quiet"])
                runs[label].append({"on the fuller core": max(balance.lying(server, connections))})
                server.stop()
        metrics = [("on the fuller core", f"of {connections}")]
        results.add(f"{connections} {cell}", runs, metrics, {name: name for name in runs})


def at_rest(cell, field, options, results):
    """Measures idle memory, the memory of idle connections, the time to the first response and the
    size of the program."""
    runs = {}
    for contender in field:
        if contender.name == "A2":
            continue
        label = "mocker" if contender.name == "A" else contender.name
        runs[label] = []
        for _ in range(options.rounds):
            began = time.monotonic()
            command = contender.start(0, SENTENCE)
            server = lab.Server(contender.name, command, patience=0.0002)
            server.prefix = contender.prefix
            lab.record_answer(server, asking(server, lab.chat_request()), times=1)
            run = {"first answer": (time.monotonic() - began) * 1e3}
            run["resident"] = server.memory("VmRSS") / (1 << 20)
            program = os.path.realpath(f"/proc/{server.pid}/exe")
            run["program"] = os.path.getsize(program) / 1e6
            server.stop()
            runs[label].append(run)
        idle = idle_connections(contender)
        for run in runs[label]:
            run["idle connection"] = idle
    metrics = [("first answer", "ms"), ("resident", "MiB"), ("idle connection", "bytes"),
               ("program", "MB")]
    results.add(cell, runs, metrics, {name: name for name in runs})


def idle_connections(contender, count=10_000):
    """Returns the server's memory per idle connection, in bytes."""
    server = lab.Server(contender.name, contender.start(0, SENTENCE))
    server.prefix = contender.prefix
    idle, _, growth = lab.open_idle(server, count, asking(server, lab.chat_request()))
    for connection in idle:
        connection.close()
    server.stop()
    return growth / count
