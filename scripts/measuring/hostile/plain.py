"""Rows of ordinary requests, with which the hostile ones are compared."""

from .. import wire
from .build import CHAT, EMBEDDINGS, RESPONSES, get, post
from .row import group, row

CHAT_REQUEST = wire.request("chat")


def varied(number):
    """Returns a chat request with a unique id in the head and a unique text."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Hello {number}"}]}
    return post(CHAT, body, b"X-Request-Id: %032x\r\n" % number)


ROWS = group(
    "plain",
    row("chat", CHAT_REQUEST),
    row("chat, every request different", varied, varies=True),
    row("chat, 16 pipelined", CHAT_REQUEST, depth=16, count=50_000),
    row("chat, streamed", wire.request("stream")),
    row("embedding", wire.request("embeddings")),
    row("embedding, base64", wire.request("base64")),
    row("response", post(RESPONSES, {"model": "gpt-4o-mini", "input": "Hello"})),
    row("empty body", post(CHAT, b"")),
    row("models", get("/v1/models")),
    row("health", get("/health")),
    row("unknown path", post("/v1/unknown", {}), "404"),
    row("wrong method", get(EMBEDDINGS), "405"),
    row("wrong type", post(CHAT, {"n": "many"}), "400 invalid_value"),
    row("not JSON", post(CHAT, b"hello"), "400 invalid_json"),
    row("every request fails", CHAT_REQUEST, "500", args=("-failure-percent", "100")),
)
