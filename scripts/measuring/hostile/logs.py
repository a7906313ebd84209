"""Rows about the server's own reports: metrics, statistics, the raw log."""

from .. import wire
from .build import AUTHORIZED, CHAT, MIB, chat, get, listed, post, text
from .plain import CHAT_REQUEST
from .responses import RANDOM
from .row import LOG_READER, NOTHING, RAW, group, row

LOGGED = ("-log-raw",)
# Lengths of bodies that add up to the 240 MiB that the raw log may buffer. The last ones are so
# small that no space is left.
FILLING = [50 * MIB] * 4 + [32 * MIB, *(4 * MIB >> shift for shift in range(18))]


def announced(number):
    """Returns a short head that announces a body."""
    return f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {FILLING[number]}\r\n\r\n".encode()


VIEWS = group(
    "views",
    row("GET /metrics", get("/metrics")),
    row("HEAD /metrics", get("/metrics", method="HEAD")),
    row("GET /metrics, 64 pipelined", get("/metrics"), depth=64),
    row("GET /stats", get("/stats")),
    row("GET /stats, 64 pipelined", get("/stats"), depth=64),
    row("GET /", get("/")),
    row("GET /metrics, a connection each", get("/metrics"), fresh=True, connections=50),
    row("GET /metrics, compressed", get("/metrics", "Accept-Encoding: gzip")),
    row("wrong Authorization for /metrics", get("/metrics", "Authorization: Bearer x"), "403",
        args=("-auth", AUTHORIZED, "-auth-metrics")),
)

RAW_LOG = group(
    "raw log",
    row("logged: chat", CHAT_REQUEST, args=LOGGED),
    row("logged: chat, 64 pipelined", CHAT_REQUEST, args=LOGGED, depth=64),
    row("logged: 50 MB", text(b"The quick brown fox jumps over the lazy dog. "), args=LOGGED,
        count=4),
    row("logged: 50 MB of [1]", listed(b"[1]"), args=LOGGED, count=4),
    row("logged: n: 128, 20 logprobs", chat(n=128, logprobs=True, top_logprobs=20),
        args=(*LOGGED, *RANDOM)),
    row("logged: a stream of 100,000 tokens", chat(stream=True),
        args=(*LOGGED, "-tokens", "100000")),
    row("logged: no HTTP", b"\0" * 4096, "400", args=LOGGED),
    row("logged: 4 announced bodies of 50 MB", wire.head(CHAT, 50 << 20), NOTHING,
        connections=4, count=4, hold=True, args=LOGGED),
    row("logged: 5 announced bodies of 50 MB", wire.head(CHAT, 50 << 20), NOTHING,
        connections=5, count=5, hold=True, args=LOGGED, mark=RAW),
    row("logged: announced bodies that fill the log", announced, NOTHING, varies=True,
        connections=len(FILLING), count=len(FILLING), hold=True, args=LOGGED, mark=RAW),
    row("logged: 1000 announced bodies of 1 MB", wire.head(CHAT, 1 << 20), NOTHING,
        connections=1000, count=1000, hold=True, args=LOGGED, mark=RAW),
    row("logged: 8 half-sent bodies of 40 MB",
        lambda _: post(CHAT, b" " * (40 << 20))[:-1], NOTHING,
        connections=8, count=8, hold=True, args=LOGGED, mark=RAW),
    row("logged, nobody reads: chat", CHAT_REQUEST, args=LOGGED, unread_log=True),
    row("logged, nobody reads: 64 pipelined", CHAT_REQUEST, args=LOGGED, unread_log=True,
        depth=64),
    row("logged, nobody reads: 10 bodies of 40 MB", text(b"word ", 40 * MIB), args=LOGGED,
        unread_log=True, count=10, seconds=3, mark=LOG_READER),
)

ROWS = VIEWS + RAW_LOG
