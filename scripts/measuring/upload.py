"""The case of large uploads."""

import sys
import threading
import time

from . import lab, tables, wire
from .lab import COMMON, option
from .wire import CHAT, filled

COLUMNS = [("s_per_gb", "CPU s/GB", "{:.3f}"), ("gb_per_s", "GB/CPU s", "{:.2f}")]


def bodies(size):
    """Returns the path and the body of each upload, by name."""
    user = b'{"role":"user","content":"Hello there"}'
    assistant = b'{"role":"assistant","content":"Hi, how can I help?"}'
    return {
        "one long string": (CHAT, filled(
            b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"',
            b"The quick brown fox jumps over the lazy dog", b'"}]}', size,
        )),
        "token ids": ("/v1/embeddings", filled(
            b'{"model":"text-embedding-3-small","input":[',
            b"15339,1917,374,264,1296,13,100257,578", b"]}", size,
        )),
        "short messages": (CHAT, filled(
            b'{"model":"gpt-4o-mini","messages":[', user + b"," + assistant, b"]}", size,
        )),
    }


def send(connection, path, content):
    connection.sendall(wire.head(path, len(content)))
    connection.sendall(content)
    wire.read_response(connection)


def at_once(server, count, path, content):
    """Uploads to a server on concurrent connections. Returns the growth of its resident memory at
    the peak, as sampled and by the kernel's own high-water mark."""
    with server.connect() as connection:
        send(connection, *wire.BODIES["chat"])
    before = server.memory("VmRSS")
    done = []

    def one():
        with server.connect() as connection:
            send(connection, path, content)
        done.append(True)

    uploads = [threading.Thread(target=one) for _ in range(count)]
    for thread in uploads:
        thread.start()
    peak = before
    while any(thread.is_alive() for thread in uploads):
        peak = max(peak, server.memory("VmRSS"))
        time.sleep(0.005)
    if len(done) != count:
        sys.exit(f"{len(done)} of {count} uploads had a 200")
    return {"before": before, "growth": peak - before, "mark": server.memory("VmHWM") - before}


def cost(server, uploads, path, content):
    """Uploads one after another on one connection. Returns the CPU time per GB, and how long the
    uploads took."""
    began = time.monotonic()
    before = server.cpu_ns()
    with server.connect() as connection:
        for _ in range(uploads):
            send(connection, path, content)
    took = time.monotonic() - began
    time.sleep(0.05)  # until the server has seen the connection close, and sleeps
    seconds = (server.cpu_ns() - before) / 1e9
    gigabytes = uploads * len(content) / 1e9
    return {"s_per_gb": seconds / gigabytes, "gb_per_s": gigabytes / seconds, "took": took}


@lab.case(
    *COMMON, option("--rounds", 7, "rounds"), option("--size", 50 << 20, "bytes per body"),
    option("--at-once", 20, "concurrent uploads, for memory"),
    option("--uploads", 4, "uploads per run, for CPU time"),
)
def upload(options):
    """Memory of concurrent large bodies, and CPU time per GB (10^9 bytes) of body.
    Compares with a floor that discards bodies."""
    a, a2 = lab.mockers(options)
    floor = lab.floor("drop")
    lab.become_client()
    contents = bodies(options.size)
    memory = at_once(a, options.at_once, *contents["one long string"])
    before, growth, mark = (value / (1 << 20) for value in memory.values())
    print(
        f"{options.at_once} concurrent uploads of {options.size:,} bytes, all with a 200: VmRSS "
        f"{before:.1f} MiB before, {growth:.1f} MiB more at the sampled peak, {mark:.1f} MiB more "
        "by the high-water mark"
    )
    results = {"memory": memory}
    for name, (path, content) in contents.items():
        results[name] = tables.compare(
            f"{name}, {options.uploads} uploads of {options.size:,} bytes", [a, a2, floor],
            options.rounds, lambda server: cost(server, options.uploads, path, content), COLUMNS,
        )
    tables.save(options.json, results)
