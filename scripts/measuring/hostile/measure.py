"""Measures one row on a fresh server: CPU time, memory, the longest turn, the statuses."""

import collections
import dataclasses
import functools
import http.client
import json
import re
import subprocess
import time
from pathlib import Path

from .. import lab
from .build import AUTHORIZED
from .client import Client

# The address space of a server: a row that makes it allocate endlessly must kill the server, not
# the machine.
MEMORY_MAX = 6 << 30
# A server is quiet if it uses less than this CPU time, in nanoseconds, within a pause of this
# length, in seconds. Its once-a-second work takes less.
QUIET_NS = 100_000
QUIET = 0.02
# The mean length of requests, in bytes, from which CPU time is also reported per MB.
LONG = 4096
# A shell script that runs a server whose standard error is not read. Only the first line, which
# has the port, goes to the log; the rest stays in the pipe. The server replaces the shell, so tail
# ends with it.
UNREAD = 'exec "$@" 2> >(head -n 1; exec tail --pid=$$ -f /dev/null)'


@dataclasses.dataclass
class Result:
    """The measurements of one row."""

    statuses: dict
    requests: int = 0
    cut: int = 0
    sent: int = 0
    received: int = 0
    cpu_ns: int = 0
    # The time that the server's threads were runnable but had no CPU, because of other processes.
    wait_ns: int = 0
    # Resident memory above that when idle, in bytes: at the peak, and after all connections closed.
    peak: int = 0
    kept: int = 0
    # The longest time between two polls, in seconds; None if the server did not report it.
    turn: float | None = None
    took: float = 0.0
    problem: str = ""

    def cpu_per_request(self):
        """Returns the cost in microseconds; None without requests, and for a server that died."""
        return self.cpu_ns / self.requests / 1e3 if self.requests and self.cpu_ns else None

    def cpu_per_mb(self):
        """Returns the cost in milliseconds per 10^6 bytes sent; None for small requests, whose cost
        does not depend on their bytes."""
        long = self.sent >= LONG * max(self.requests, 1)
        return self.cpu_ns / self.sent if long and self.cpu_ns else None


def start(binary, row):
    """Starts a server for this row, under a limit on its memory."""
    command = lab.mocker(binary, row.args)
    if row.unread_log:
        command = ["bash", "-c", UNREAD, "bash", *command]
    limits = ["prlimit", f"--as={MEMORY_MAX}", "--core=0"]
    return lab.Server("hostile", [*priority(), *limits, *command])


@functools.cache
def priority():
    """Returns the prefix of a command that gives it real-time priority, if that is permitted.
    Without it, turns include time slices of other processes, of some milliseconds each."""
    words = ["chrt", "--fifo", "1"]
    try:
        tried = subprocess.run([*words, "true"], stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return []
    return words if tried.returncode == 0 else []


class Watched:
    """A server, with the figures that the kernel and the server report."""

    def __init__(self, binary, row, patience):
        self.server = start(binary, row)
        self.patience = patience
        self.peak = 0
        self.peaked()

    def is_alive(self):
        return self.server.process.poll() is None

    def usage(self):
        """Returns CPU time and time waiting for a CPU, in nanoseconds; zeros for a dead server."""
        total = [0, 0]
        for task in Path(f"/proc/{self.server.pid}/task").glob("*/schedstat"):
            try:
                run, wait, _ = map(int, task.read_text().split())
            except OSError:
                continue
            total = [total[0] + run, total[1] + wait]
        return total

    def resident(self, field="VmRSS"):
        """Returns resident memory in bytes; 0 for a dead server."""
        try:
            return self.server.memory(field)
        except (TypeError, OSError):
            return 0

    def peaked(self):
        self.peak = max(self.peak, self.resident("VmHWM"))

    def settle(self):
        """Waits until the server is quiet; returns whether it became quiet in time."""
        deadline = time.monotonic() + self.patience
        before = self.usage()[0]
        while time.monotonic() < deadline:
            time.sleep(QUIET)
            self.peaked()
            now = self.usage()[0]
            if now - before < QUIET_NS:
                return True
            before = now
        return False

    def get(self, path):
        """Returns the content of a response, or None if none arrived in time."""
        try:
            return self.server.get(path, self.patience, Authorization=AUTHORIZED)
        except (OSError, http.client.HTTPException):
            return None

    def longest_turn(self):
        stats = self.get("/stats")
        return json.loads(stats)["turn_seconds"]["max"] if stats else None

    def last_words(self):
        """Returns the line of the log that says why the server died, or the last one."""
        log = lab.WORK / "hostile.log"
        lines = [line for line in log.read_text(errors="replace").split("\n") if line.strip()]
        why = [line for line in lines if re.search("allocation|overflow|panicked", line)]
        return (why or lines or [""])[-1].strip()[:100]

    def end(self):
        # A server that hangs, or waits for the reader of its log, ignores SIGTERM.
        self.server.process.kill()
        self.server.stop()


def measure(binary, row, patience):
    """Sends the traffic of a row to a fresh server and returns the measurements."""
    began = time.monotonic()
    watched = Watched(binary, row, patience)
    client = Client(watched.server.port, row, patience, watched.peaked)
    try:
        result = observe(watched, client, row)
    finally:
        client.close()
        watched.end()
    result.took = time.monotonic() - began
    return result


def observe(watched, client, row):
    watched.get("/health")
    watched.settle()
    rest, before = watched.resident(), watched.usage()
    client.run()
    quiet = client.stalled or watched.settle()
    alive = watched.is_alive()
    after = watched.usage()
    watched.peaked()
    result = Result(
        statuses=dict(client.statuses), requests=client.statuses.total(), cut=client.cut,
        sent=client.sent, received=client.received, peak=watched.peak - rest,
    )
    if alive:
        result.cpu_ns, result.wait_ns = (now - then for now, then in zip(after, before))
    result.problem = problem(watched, client, row, alive, quiet)
    client.close()
    if watched.is_alive() and not client.stalled:
        result.turn = watched.longest_turn()
        watched.settle()
        result.kept = watched.resident() - rest
    return result


def problem(watched, client, row, alive, quiet):
    """Describes what went wrong; empty if everything was as the row expects."""
    if not alive or client.refused:
        return f"DIED: {watched.last_words()}"
    if client.stalled:
        return f"NO RESPONSE within {watched.patience:g} s"
    wrong = unexpected(client.statuses, row.expect)
    if wrong:
        return f"EXPECTED {' or '.join(row.expect)}, saw {wrong}"
    if not quiet:
        return f"BUSY {watched.patience:g} s after the last request"
    if watched.get("/health") is None:
        return f"BLOCKED: another connection got no response within {watched.patience:g} s"
    return ""


def unexpected(statuses, expect):
    """Describes the statuses that are not allowed; empty if there are none."""
    wrong = collections.Counter({
        status: count for status, count in statuses.items()
        if status not in expect and status.partition(" ")[0] not in expect
    })
    if wrong or statuses:
        return ", ".join(f"{status} ({count} x)" for status, count in wrong.most_common())
    return "no response"
