"""The parts that the cases share: their options, builds, servers and load generators."""

import atexit
import contextlib
import functools
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "measure"

# The core of the servers, only one of which is under load at a time, and the core of the load
# generator.
SERVER_CORE = 0
LOAD_CORE = 1

# atexit, which stops the servers, does not run after an unhandled SIGTERM.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))


# Options


def option(name, default=None, help="", **settings):
    """Returns an option of a case. A number as its default determines its type."""
    if isinstance(default, (int, float)):
        settings["type"] = type(default)
        help += f" (default: {default:,})"
    if default is not None:
        settings["default"] = default
    return name, {"help": help, **settings}


BINARY = option("--binary", type=Path, help="measure this build instead of target/release/mocker")
AGAINST = option("--against", type=Path, metavar="OLD", help="also measure this build, as B")
ARG = option("--arg", action="append", dest="args", metavar="ARG", default=None,
             help="pass ARG to mocker; repeatable; write it as --arg=-name")
JSON = option("--json", type=Path, metavar="FILE", help="save the raw numbers")
COMMON = (BINARY, ARG, JSON)


def case(*options):
    """Makes a function a case with these options. The first line of its docstring is the summary
    that --list prints."""
    def mark(run):
        run.options = options
        return run

    return mark


# Building


@functools.cache
def cargo(kind, name, *args, root=ROOT):
    """Builds the target of this kind and name, once, and returns the path of its executable."""
    command = ["cargo", *args, "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit(f"{' '.join(command)} failed")
    for message in map(json.loads, built.stdout.splitlines()):
        target = message.get("target", {})
        if message.get("executable") and target["name"] == name and kind in target["kind"]:
            return message["executable"]
    sys.exit(f"{' '.join(command)} built no {kind} {name}")


def binary(options):
    """Returns the build to measure."""
    built = ("bin", "mocker", "build", "--locked", "--release", "--bin", "mocker")
    return options.binary or cargo(*built)


def bench(name, root=ROOT):
    """Builds a client or the floor, which are cargo benches."""
    return cargo("bench", name, "bench", "--locked", "--bench", name, "--no-run", root=root)


# Servers


class Server:
    """A server process that is ready, pinned to its core by default."""

    def __init__(self, name, command, pinned=True, pause=0.01):
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

        def wait(problem):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{' '.join(map(str, command))} {problem}; output:\n{log.read_text()}")
            time.sleep(pause)

        while not (ready := re.search(r"http://[^\s/]*:(\d+)", log.read_text(errors="replace"))):
            wait("did not become ready")
        self.port = int(ready[1])
        # Some servers print their address before they listen.
        while True:
            try:
                return self.connect().close()
            except ConnectionRefusedError:
                wait("does not listen")

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

    def memory(self, field="RssAnon"):
        """Returns a field of /proc/PID/status in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s*(\d+) kB", status, re.MULTILINE)[1]) * 1024

    def get(self, path, timeout=30, **fields):
        """Returns the content of a 200 on a new connection, or None for other statuses."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(client):
            client.request("GET", path, headers=fields)
            response = client.getresponse()
            return response.read() if response.status == 200 else None

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def mocker(build, args, threads=1):
    """Returns the command line of mocker with a free port."""
    # Absolute, because a bare file name would be searched for in PATH.
    return [str(Path(build).resolve()), "-port", "0", "-threads", str(threads), *map(str, args)]


def start(name, options, *args):
    """Starts the build to measure with these arguments and those of --arg."""
    return Server(name, mocker(binary(options), [*args, *(options.args or [])]))


def mockers(options, *args):
    """Starts A and A2, and B if there is another build."""
    servers = [start(name, options, *args) for name in ("A", "A2")]
    if getattr(options, "against", None):
        servers.append(Server("B", mocker(options.against, [*args, *(options.args or [])])))
    return servers


def floor(command, **flags):
    return Server("F", [bench("floor"), command, *as_flags(flags)])


def as_flags(flags):
    return [
        word for name, value in flags.items() if value is not None
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]


def open_files(count):
    """Raises the limit of open files for this process and the servers that it starts later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), max(hard, count)))
    except (ValueError, PermissionError) as error:
        sys.exit(f"needs {count} open files, but the limit is {hard}: {error}")


def become_client():
    """Moves this script to the core of the load generator."""
    os.sched_setaffinity(0, {LOAD_CORE})


def write(name, data):
    """Writes a file for a load generator or a floor, and returns its path."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / name
    path.write_bytes(data)
    return path


# Load generators


def load(server, command, counted="requests"):
    """Runs a load generator, whose last line of output is JSON, and returns the numbers of the run.
    Any error ends the script."""
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = server.cpu_ns()
    ran = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    time.sleep(0.05)  # until the server has seen the connections close, and sleeps
    cpu_ns = server.cpu_ns() - before
    if ran.returncode != 0:
        sys.exit(f"{server.name}: {command[0]} failed:\n{ran.stdout}")
    run = json.loads(ran.stdout.splitlines()[-1])
    if run["errors"] or run[counted] == 0:
        sys.exit(f"{server.name}: errors in a run, or no responses:\n{ran.stdout}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    client_s = used.ru_utime + used.ru_stime - own.ru_utime - own.ru_stime
    return run | {"cpu_ns": cpu_ns, "client_s": client_s}


def late(server, request, response_bytes, connections, seconds, millis, rate=None):
    """Loads a server whose responses have this length and delay; `request` is a file. With a rate,
    requests are sent at that rate regardless of the responses."""
    run = load(server, [bench("late"), *as_flags({
        "url": f"http://127.0.0.1:{server.port}", "request": request,
        "response-bytes": response_bytes, "connections": connections, "seconds": seconds,
        "millis": millis, "rate": rate,
    })])
    # The warm-up takes CPU time too.
    return run | {"cpu_us": run["cpu_ns"] / run["sent"] / 1e3}


def wrk_script(name, request, depth=1):
    """Writes a wrk script that sends these bytes, depth times in one write, and prints its
    numbers."""
    # An ASCII string in JSON is also a Lua string. The script replaces wrk.init instead of defining
    # request(), since wrk would call request() for every write.
    return write(f"{name}.lua", f"""\
local bytes = string.rep({json.dumps(request.decode("ascii"))}, {depth})
wrk.init = function() wrk.request = function() return bytes end end
done = function(summary, latency)
  local e = summary.errors
  print(string.format('{{"requests":%d,"us":%d,"p50_us":%d,"p99_us":%d,"errors":%d}}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.timeout + e.status))
end
""".encode())


def wrk(server, script, connections, seconds):
    """Loads a server as fast as it responds."""
    run = load(server, ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency",
                        "-s", script, f"http://127.0.0.1:{server.port}"])
    return run | {
        "rps": run["requests"] / run["us"] * 1e6,
        "cpu_us": run["cpu_ns"] / run["requests"] / 1e3,
        "busy": run["cpu_ns"] / run["us"] / 10,
    }


def wrk_columns(depth=1):
    """Returns the columns of the tables of wrk runs."""
    columns = [("rps", "requests/s", "{:,.0f}"), ("cpu_us", "CPU us/request", "{:.3f}")]
    if depth == 1:
        # wrk times a batch of requests as one, and then "corrects" the latencies by the interval of
        # single requests, so its percentiles of batches are wrong, and some of them are 0.
        columns += [("p50_us", "p50 us", "{:,.0f}"), ("p99_us", "p99 us", "{:,.0f}")]
    return columns


# Shows which side was the bottleneck: if the server's core is far below 100 %, it was wrk, and
# requests/s says little about the server.
BUSY = ("busy", "core busy %", "{:.0f}")
