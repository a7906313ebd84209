"""Rows of many connections: half-sent requests, slow readers, resets, short-lived connections,
pipelined requests."""

from .. import wire
from ..wire import filled
from .build import BODY_MAX, CHAT, CHUNKED, EMBEDDINGS, KIB, MIB, chat, get, post, structured
from .heads import AUTH, EXPECTS, HEAD_END, HEAD_MAX, WRONG, long_head
from .plain import CHAT_REQUEST
from .responses import INPUTS
from .row import NOTHING, group, row

# The number of connections that a single client machine may open.
MANY = 1000


def waiting(name, count, make, **fields):
    """Returns a row of connections that each send a part of a request and wait."""
    return row(name, make, NOTHING, connections=count, count=count, hold=True, **fields)


def half_sent(field, part, size=3 * MIB):
    """Returns a maker of the first half of a body of this many bytes, with a list in a field."""
    def make(_):
        body = filled(b'{"' + field + b'":[', part, b"]}", size)
        return wire.head(CHAT, 2 * size) + body[:-2] + b","
    return make


def listed(size, **fields):
    """Returns a maker of chats whose responses are lists of this many texts; every schema
    differs."""
    items = {"type": "array", "minItems": size, "items": {"type": "string"}}
    return lambda number: structured({**items, "title": f"number {number}"}, **fields)


FUNCTION = b'{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}'
EMBEDDED = post(EMBEDDINGS, {"input": INPUTS, "dimensions": 4096})
EVERY_TOKEN = ("-tokens", "100000")
UNHURRIED = ("-latency", "3600000")

ROWS = group(
    "connections",
    # Short-lived connections
    row("connections without a byte", b"", NOTHING),
    row("connections of one request", CHAT_REQUEST, fresh=True),
    row("connections of one request, 100 at once", CHAT_REQUEST, fresh=True, connections=100),
    row("connections of one wrong Authorization", WRONG, "403", fresh=True, args=AUTH),
    row("connections of one wrong byte", b"\0", "400", fresh=True),
    row("connections closed after the request", CHAT_REQUEST, half_close=True),
    row("connections reset in a response", chat(n=128), abandon=True, args=EVERY_TOKEN),
    row("connections reset in a stream", wire.request("stream"), abandon=True, args=EVERY_TOKEN),
    row("connections reset in 100 MB of embeddings", EMBEDDED, abandon=True),
    # Connections that wait
    waiting("1000 silent connections", MANY, b""),
    waiting("1000 connections of one byte", MANY, b"P"),
    waiting("1000 half-sent heads of 8 KB", MANY, long_head(HEAD_MAX)[: 8 * KIB]),
    waiting("1000 half-sent heads of 16 KB", MANY, long_head(HEAD_MAX)[:-1]),
    waiting("1000 heads of announced bodies", MANY, wire.head(CHAT, BODY_MAX)),
    waiting("1000 expected 100-continue", MANY, EXPECTS[:HEAD_END]),
    waiting("1000 half-sent small bodies", MANY, CHAT_REQUEST[:-1]),
    waiting("1000 half-sent names of models", MANY,
            wire.head(CHAT, 1000) + b'{"model":"' + b"m" * 256),
    waiting("1000 half-sent small tools", MANY, half_sent(b"tools", FUNCTION, 4 * KIB)),
    waiting("60 half-sent bodies of 3 MB of messages", 60,
            half_sent(b"messages", b'{"role":"user","content":"Hello there"}')),
    waiting("60 half-sent bodies of 3 MB of messages, echoed", 60,
            half_sent(b"messages", b'{"role":"user","content":"Hello there"}'),
            args=("-content", "echo")),
    waiting("60 half-sent bodies of 3 MB of tools", 60, half_sent(b"tools", FUNCTION)),
    waiting("500 half-sent bodies of 1 MB of tools", 500, half_sent(b"tools", FUNCTION, MIB)),
    waiting("60 half-sent bodies of four held fields", 60, lambda _: wire.head(CHAT, 16 * MIB) + (
        b'{"tools":[' + b"1," * (MIB // 2) + b'1],"tool_choice":[' + b"1," * (MIB // 2)
        + b'1],"response_format":[' + b"1," * (MIB // 2)
    )),
    waiting("60 half-sent chunked bodies of 3 MB of tools", 60, lambda _: CHUNKED
            + b"400000\r\n" + half_sent(b"tools", FUNCTION)(0).partition(b"\r\n\r\n")[2]),
    waiting("1000 responses that wait", MANY, CHAT_REQUEST, args=UNHURRIED),
    waiting("100 connections of 1000 pipelined requests that wait", 100, CHAT_REQUEST * 1000,
            args=UNHURRIED),
    waiting("100 responses of 10 KB echoes that wait", 100,
            lambda number: chat(messages=[{"role": "user", "content": f"{number:04} " * 2000}]),
            varies=True, args=("-content", "echo", *UNHURRIED)),
    # Readers of responses
    waiting("100 readers of nothing, large responses", 100, chat(n=128), args=EVERY_TOKEN),
    waiting("100 readers of nothing, embeddings", 100, EMBEDDED),
    waiting("100 readers of nothing, 1000 pipelined", 100, CHAT_REQUEST * 1000),
    waiting("60 readers of nothing, JSON of 10 KB each", 60, listed(1000, n=128), varies=True),
    row("20 slow readers of embeddings", EMBEDDED, connections=20, count=20, slow=True),
    row("20 slow readers of streams", chat(stream=True), connections=20, count=20, slow=True,
        args=EVERY_TOKEN),
    row("20 slow readers of 64 KB responses", chat(n=128), connections=20, count=200, slow=True),
    row("200 streams at once", chat(stream=True), connections=200, count=200, args=EVERY_TOKEN),
    row("1000 chats at once", CHAT_REQUEST, connections=MANY),
    # Pipelined requests
    row("chat, 64 pipelined", CHAT_REQUEST, depth=64, count=100_000),
    row("chat, 1000 pipelined", CHAT_REQUEST, depth=1000, count=100_000),
    row("streams, 64 pipelined", wire.request("stream"), depth=64),
    row("GET /health, 64 pipelined", get("/health"), depth=64, count=100_000),
    row("schema of 1000 items, 16 pipelined", listed(1000), depth=16),
    row("schema of 1000 items, every one different, 64 pipelined", listed(1000), depth=64,
        varies=True),
    row("n: 128, 64 pipelined", chat(n=128), depth=64),
    row("20 connections of 16 pipelined schemas", listed(500), depth=16, varies=True,
        connections=20),
)
