"""Finds, awaits, stops and reaps the processes started by the recipes, and no others."""

import atexit
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def keep_all():
    """Keeps all processes started from now on below this one, even if their parents exit, and stops
    them when it exits."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    atexit.register(reap)
    atexit.register(end_all)  # runs before reap
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def running():
    """Returns the processes below this one: {pid: command line}."""
    parents, names = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            words = (stat.parent / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it has ended
        pid = int(stat.parent.name)
        parents[pid] = int(parent)
        if state != "Z":
            names[pid] = " ".join(words)
    found, layer = {}, {os.getpid()}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer}
        found.update({pid: names[pid] for pid in layer if pid in names})
    return found


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def wait_for_end(seconds):
    """Returns the processes that still run after this many seconds."""
    until = time.monotonic() + seconds
    while (left := running()) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def end_all():
    """Stops everything that was started. Kills twice, since a process may just have started
    another."""
    for sign in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        for pid in running():
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                pass
        if not wait_for_end(5):
            break
