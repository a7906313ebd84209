"""Requests as clients send them, and readers of the responses."""

import math
import re
import sys

CHAT = "/v1/chat/completions"
HELLO = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}'

# The requests that cases measure: path and body.
BODIES = {
    "chat": (CHAT, HELLO),
    "stream": (CHAT, HELLO.replace(b'"messages"', b'"stream":true,"messages"')),
    "embeddings": ("/v1/embeddings", b'{"model":"text-embedding-3-small","input":"Hello"}'),
    "base64": (
        "/v1/embeddings",
        b'{"model":"text-embedding-3-small","input":"Hello","encoding_format":"base64"}',
    ),
}
# The bytes at the end of a chunked response.
LAST_CHUNK = b"\r\n0\r\n\r\n"


def head(path, length):
    """Returns a request head like that of the OpenAI Python SDK. Its Host does not name the port of
    the server, so all servers receive identical bytes."""
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


def request(endpoint):
    path, body = BODIES[endpoint]
    return head(path, len(body)) + body


def closing_request():
    """Returns a chat request that ends its connection."""
    return request("chat").replace(b"Connection: keep-alive", b"Connection: close")


def filled(before, part, after, size):
    """Returns a JSON body of this size: all parts that fit, separated by commas, then spaces."""
    count = (size - len(before) - len(after) + 1) // (len(part) + 1)
    parts = ((part + b",") * count)[:-1]
    return before + parts + b" " * (size - len(before) - len(parts) - len(after)) + after


def receive(connection, is_complete):
    """Reads one response, which must be a 200 that fills its last read, and returns its bytes."""
    data = b""
    while not is_complete(data):
        part = connection.recv(65536)
        if not part:
            sys.exit(f"the connection ended within a response: {data[-2000:]!r}")
        data += part
        if not data.startswith(b"HTTP/1.1 200 "[: len(data)]):
            sys.exit(f"not a 200: {data[:2000]!r}")
    return data


def length(data):
    """Returns the length of the response that begins with these bytes; infinite if its head is
    incomplete."""
    fields, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return math.inf
    content = re.search(rb"(?i)\r\ncontent-length: *(\d+)", fields)
    if not content:
        sys.exit(f"a response without a Content-Length: {data[:2000]!r}")
    return len(fields) + len(end) + int(content[1])


def read_response(connection):
    """Reads one response, which must be a 200 with a Content-Length, and returns its bytes."""
    data = receive(connection, lambda data: len(data) >= length(data))
    if len(data) > length(data):
        sys.exit(f"more than one response to one request: {data[:2000]!r}")
    return data


def read_stream(connection):
    """Reads one stream, which must be a chunked 200. Returns its bytes, and the content of its
    chunks."""
    stream = receive(connection, lambda data: data.endswith(LAST_CHUNK))
    at = stream.index(b"\r\n\r\n") + 4
    chunks = []
    while at < len(stream):
        line = stream.index(b"\r\n", at)
        size = int(stream[at:line], 16)
        chunks.append(stream[line + 2 : line + 2 + size])
        at = line + 2 + size + 2
    if at != len(stream) or b"" in chunks[:-1]:
        sys.exit(f"the chunks are inconsistent: {stream[:2000]!r}")
    return stream, chunks[:-1]


def record(server, sent, times=20):
    """Returns the response to a request. Since a floor sends the same bytes each time, all
    responses of the server must have the same length, and arrive on a persistent connection."""
    responses = []
    with server.connect() as connection:
        for _ in range(times):
            connection.sendall(sent)
            responses.append(read_response(connection))
    lengths = {len(response) for response in responses}
    if len(lengths) != 1:
        sys.exit(f"{server.name}: responses to one request differ in length: {sorted(lengths)}")
    return responses[0]
