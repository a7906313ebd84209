"""Shared code of the measuring scripts: building, starting and stopping servers, wrk,
statistics."""

import argparse
import atexit
import functools
import json
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "load"

# The core of the servers, of which only one at a time is under load, and that of the load
# generator.
SERVER_CORE = 0
LOAD_CORE = 1

# atexit, which stops the servers, does not run after an unhandled SIGTERM.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))


# The names of the contenders. A2 is A again, so that A/A2 shows the measurement noise.
LABELS = {"A": "mocker", "A2": "mocker again", "B": "other mocker", "F": "floor"}


def parser(description, rounds=None, arg=True, numbers=True, against=False):
    """Returns a parser with the shared options that the script supports."""
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    options.add_argument(
        "--binary", type=Path, help="measure this build instead of target/release/mocker"
    )
    if arg:
        options.add_argument(
            "--arg", action="append", default=[], metavar="ARG",
            help="pass ARG to mocker; repeatable; write it as --arg=-name",
        )
    if numbers:
        options.add_argument("--json", type=Path, metavar="FILE", help="save the raw numbers")
    if rounds:
        options.add_argument("--rounds", type=int, default=rounds, help="rounds")
    if against:
        options.add_argument("--against", type=Path, help="also measure this build, as B")
    return options


# Building


@functools.cache
def cargo(kind, name, *args):
    """Builds the target of this kind and name, once, and returns the path of its executable."""
    command = ["cargo", *args, "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit(f"{' '.join(command)} failed")
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] != "compiler-artifact" or not message["executable"]:
            continue
        if message["target"]["name"] == name and kind in message["target"]["kind"]:
            return message["executable"]
    sys.exit(f"{' '.join(command)} built no {kind} {name}")


def build_mocker():
    return cargo("bin", "mocker", "build", "--locked", "--release", "--bin", "mocker")


def bench(name):
    """Builds a client or the floor, which are cargo benches."""
    return cargo("bench", name, "bench", "--locked", "--bench", name, "--no-run")


def mocker(binary, args):
    """Returns the command line of mocker with one thread and a free port."""
    # Absolute, because a bare file name would be searched for in PATH.
    return [str(Path(binary).resolve()), "-port", "0", "-threads", "1", *args]


# Servers


class Server:
    """A server process that is ready, pinned to its core by default."""

    def __init__(self, name, command, pinned=True, patience=0.01):
        self.name = name
        WORK.mkdir(parents=True, exist_ok=True)
        log = WORK / (re.sub(r"\W+", "-", name) + ".log")
        # A file, because an unread pipe would block a server that prints a lot.
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(SERVER_CORE), *command] if pinned else command,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )
        atexit.register(self.stop)
        # taskset executes the server in the same process, so the process id stays the same.
        self.pid = self.process.pid
        deadline = time.monotonic() + 10
        while not (ready := re.search(r"http://[^\s/]*:(\d+)", log.read_text(errors="replace"))):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{' '.join(command)} did not become ready; output:\n{log.read_text()}")
            time.sleep(patience)
        self.port = int(ready[1])
        # Some servers print their address before they listen.
        while True:
            try:
                self.connect().close()
                break
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{' '.join(command)} does not listen; output:\n{log.read_text()}")
                time.sleep(patience)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_ns(self):
        """Returns the CPU time of the live threads; exact only while they sleep."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks)

    def memory(self, field):
        """Returns a field of /proc/PID/status in bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0]) * 1024
        raise KeyError(field)

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def mockers(options, args=()):
    """Returns A and A2, and B if there is another build."""
    binary = options.binary or build_mocker()
    builds = {"A": binary, "A2": binary, "B": getattr(options, "against", None)}
    return [
        Server(name, mocker(build, [*args, *options.arg]))
        for name, build in builds.items() if build
    ]


def floor(command, *args):
    return Server("F", [bench("floor"), command, *map(str, args)])


def open_files(count):
    """Raises the limit of open files for this process and the servers that it starts later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), max(hard, count)))
    except (ValueError, PermissionError) as error:
        sys.exit(f"needs {count} open files, but the limit is {hard}: {error}")


# Requests

HELLO = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}'


def head(path, length):
    """Returns a request head like that of the OpenAI Python SDK. Its Host is not that of the
    server, so that all servers get identical bytes despite their different ports."""
    return (
        f"POST {path} HTTP/1.1\r\n"
        "Host: localhost:8080\r\n"
        "Accept-Encoding: gzip, deflate\r\n"
        "Connection: keep-alive\r\n"
        "Accept: application/json\r\n"
        "Content-Type: application/json\r\n"
        "User-Agent: OpenAI/Python 1.54.0\r\n"
        "X-Stainless-Lang: python\r\n"
        "X-Stainless-Package-Version: 1.54.0\r\n"
        "X-Stainless-OS: Linux\r\n"
        "X-Stainless-Arch: x64\r\n"
        "X-Stainless-Runtime: CPython\r\n"
        "X-Stainless-Runtime-Version: 3.12.7\r\n"
        "Authorization: Bearer sk-mock-0123456789abcdef0123456789abcdef\r\n"
        "X-Stainless-Async: false\r\n"
        "x-stainless-retry-count: 0\r\n"
        f"Content-Length: {length}\r\n"
        "\r\n"
    ).encode()


# The requests to measure: path and body.
BODIES = {
    "chat": ("/v1/chat/completions", HELLO),
    "embeddings": ("/v1/embeddings", b'{"model":"text-embedding-3-small","input":"Hello"}'),
    "base64": (
        "/v1/embeddings",
        b'{"model":"text-embedding-3-small","input":"Hello","encoding_format":"base64"}',
    ),
}


def request_of(endpoint):
    path, body = BODIES[endpoint]
    return head(path, len(body)) + body


def chat_request():
    return request_of("chat")


def read_answer(connection):
    """Reads one response, which must be a 200 with a Content-Length, and returns its bytes."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(65536)
        if not part:
            sys.exit(f"the connection ended within the head of a response: {answer!r}")
        answer += part
    head_length = answer.index(b"\r\n\r\n") + 4
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)\r\n", answer[:head_length])
    if not re.match(rb"HTTP/1\.1 200 ", answer) or not length:
        sys.exit(f"not a 200 with a Content-Length: {answer[:2000]!r}")
    end = head_length + int(length[1])
    while len(answer) < end:
        part = connection.recv(65536)
        if not part:
            sys.exit("the connection ended within the body of a response")
        answer += part
    if len(answer) > end:
        sys.exit(f"more than one response to one request: {answer[end:][:2000]!r}")
    return answer


# HELLO, and the answer as a stream.
STREAM = HELLO.replace(b'"messages"', b'"stream":true,"messages"')


def stream_request():
    return head("/v1/chat/completions", len(STREAM)) + STREAM


def read_stream(connection):
    """Reads one stream, which must be a chunked 200. Returns its bytes, and the content of its
    chunks."""
    stream = b""
    while not stream.endswith(b"\r\n0\r\n\r\n"):
        part = connection.recv(65536)
        if not part:
            sys.exit(f"the connection ended within a stream: {stream[-2000:]!r}")
        stream += part
        if not stream.startswith(b"HTTP/1.1 200 "[: len(stream)]):
            sys.exit(f"not a 200: {stream[:2000]!r}")
    head_length = stream.index(b"\r\n\r\n") + 4
    at = head_length
    chunks = []
    while at < len(stream):
        line = stream.index(b"\r\n", at)
        size = int(stream[at:line], 16)
        chunks.append(stream[line + 2 : line + 2 + size])
        at = line + 2 + size + 2
    if at != len(stream) or b"" in chunks[:-1]:
        sys.exit(f"the chunks are inconsistent: {stream[:2000]!r}")
    return stream, chunks[:-1]


def record_answer(server, request, times=20):
    """Returns the response to a request. Since a floor sends the same bytes each time, all
    responses of the server must have the same length, and arrive on a persistent connection."""
    with server.connect() as connection:
        answers = []
        for _ in range(times):
            connection.sendall(request)
            answers.append(read_answer(connection))
    lengths = {len(answer) for answer in answers}
    if len(lengths) != 1:
        sys.exit(f"{server.name}: responses to one request differ in length: {sorted(lengths)}")
    return answers[0]


def open_idle(server, count, request):
    """Opens connections that are idle after one response. Returns them, the server's memory before,
    and the additional memory with them."""
    with server.connect() as connection:
        for _ in range(100):
            connection.sendall(request)
            read_answer(connection)
    before = server.memory("RssAnon")
    idle = []
    for _ in range(count):
        idle.append(server.connect())
        idle[-1].sendall(request)
        read_answer(idle[-1])
    return idle, before, server.memory("RssAnon") - before


# The clients: late, which knows the due time of each response, and wrk


def late(server, request, answer_bytes, connections, seconds, millis, rate=None):
    """Loads a server with delayed responses and returns the numbers of the run. Any error ends the
    script. With a rate, requests are sent at that rate regardless of the responses."""
    command = [
        "taskset", "-c", str(LOAD_CORE), bench("late"),
        "--url", f"http://127.0.0.1:{server.port}", "--request", str(request),
        "--answer-bytes", str(answer_bytes), "--connections", str(connections),
        "--seconds", f"{seconds:g}", "--millis", f"{millis:g}",
    ]
    if rate:
        command += ["--rate", f"{rate:.1f}"]
    before = server.cpu_ns()
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(0.05)  # until the server has seen the connections close, and sleeps
    cpu_ns = server.cpu_ns() - before
    if ran.returncode != 0:
        sys.exit(f"{server.name}: late failed:\n{ran.stdout}")
    run = json.loads(ran.stdout)
    if run["errors"] or run["requests"] == 0:
        sys.exit(f"{server.name}: errors in a run, or no responses:\n{ran.stdout}")
    # The warm-up takes CPU time too.
    run["cpu_us"] = cpu_ns / run["sent"] / 1e3
    return run


def wrk_script(name, request, depth):
    """Writes a wrk script that sends these bytes, depth times in one write, and prints its numbers
    for wrk() to parse."""
    WORK.mkdir(parents=True, exist_ok=True)
    script = WORK / f"{name}.lua"
    # An ASCII string in JSON is also a Lua string. The script replaces wrk.init instead of defining
    # request(), since wrk would call request() for every write.
    script.write_text(f"""\
local bytes = string.rep({json.dumps(request.decode("ascii"))}, {depth})
wrk.init = function() wrk.request = function() return bytes end end
done = function(summary, latency)
  local e = summary.errors
  print(string.format(
    'numbers {{"requests":%d,"us":%d,"p50_us":%d,"p99_us":%d,' ..
    '"errors":{{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}}}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
""")
    return script


def wrk(server, script, connections, seconds):
    """Loads a server and returns the numbers of the run. Any error ends the script."""
    before = server.cpu_ns()
    ran = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}",
         "--latency", "-s", str(script), f"http://127.0.0.1:{server.port}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    time.sleep(0.05)  # until the server has seen the connections close, and sleeps
    cpu_ns = server.cpu_ns() - before
    numbers = re.search(r"^numbers (.*)$", ran.stdout, re.MULTILINE)
    if ran.returncode != 0 or not numbers:
        sys.exit(f"{server.name}: wrk failed:\n{ran.stdout}")
    run = json.loads(numbers[1])
    if any(run["errors"].values()) or run["requests"] == 0:
        sys.exit(f"{server.name}: errors in a run:\n{ran.stdout}")
    run["rps"] = run["requests"] / run["us"] * 1e6
    run["cpu_ns"] = cpu_ns
    run["cpu_us"] = cpu_ns / run["requests"] / 1e3
    run["busy"] = cpu_ns / run["us"] / 10
    return run


def wrk_columns(depth):
    """Returns the columns of the tables of wrk runs: key, heading, format."""
    columns = [("rps", "requests/s", "{:,.0f}"), ("cpu_us", "CPU us/request", "{:.3f}")]
    if depth == 1:
        # wrk times a batch of requests as one, and then "corrects" the latencies by the interval of
        # single requests, so its percentiles of batches are wrong, and some of them are 0.
        columns += [("p50_us", "p50 us", "{:,.0f}"), ("p99_us", "p99 us", "{:,.0f}")]
    return columns


# Shows which side was the bottleneck: if the server's core is far below 100 %, it was wrk, and
# requests/s says little about the server.
BUSY = ("busy", "core busy %", "{:.0f}")


# Numbers


def alternate(contenders, rounds, measure):
    """Measures all contenders in every round, in an order that rotates by one each round. Returns
    the runs by name."""
    runs = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            runs[contender.name].append(measure(contender))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return runs


def spread(values, show="{:.3f}".format):
    """Formats the median, with the minimum and the maximum if they differ."""
    low, median, high = (show(of(values)) for of in (min, statistics.median, max))
    return median if low == high else f"{median} ({low}..{high})"


def labelled(runs, labels=LABELS):
    """Returns the same runs by the labels of their contenders."""
    return {f"{name} {labels[name]}": its for name, its in runs.items()}


def print_table(rows, columns, spreads=False):
    """Prints the medians of each row's runs, optionally with their ranges."""
    title, width = ("median (min..max)", 28) if spreads else ("median", 18)
    print(f"  {title:<24}" + "".join(f"{heading:>{width}}" for _, heading, _ in columns))
    for name, its in rows.items():
        print(f"  {name:<24}", end="")
        for key, _, form in columns:
            values = [run[key] for run in its]
            show = form.format
            shown = spread(values, show) if spreads else show(statistics.median(values))
            print(f"{shown:>{width}}", end="")
        print()


def pairs(runs):
    """Returns the contenders in this run with which A is compared."""
    return [("A", other) for other in ("F", "B", "A2") if other in runs]


def print_ratios(runs, columns, pairs):
    """Prints the medians and the spread of the ratios within each round."""
    print(f"  {'ratio within a round':<36}{'median':>8}{'min':>10}{'quartiles':>18}{'max':>8}")
    for this, that in pairs:
        for key, heading, _ in columns:
            ratios = [
                a[key] / b[key] if b[key] else float("nan") for a, b in zip(runs[this], runs[that])
            ]
            # Quartiles need at least two values.
            low, median, high = statistics.quantiles(
                ratios if len(ratios) > 1 else ratios * 2, n=4, method="inclusive"
            )
            print(
                f"  {this + '/' + that + ' ' + heading:<36}{median:>8.3f}{min(ratios):>10.3f}"
                f"{low:>9.3f} ..{high:>6.3f}{max(ratios):>8.3f}"
            )


def save(path, numbers):
    if path:
        path.write_text(json.dumps(numbers, indent=1) + "\n")
