"""Builds the bytes of requests: JSON bodies of any size, chunked bodies, heads."""

import json

from .. import wire
from ..wire import CHAT, filled

RESPONSES = "/v1/responses"
COMPLETIONS = "/v1/completions"
EMBEDDINGS = "/v1/embeddings"
MODERATIONS = "/v1/moderations"

KIB = 1 << 10
MIB = 1 << 20
# The default of -max-body.
BODY_MAX = 50 * MIB

HELLO = [{"role": "user", "content": "Hello"}]
# The head of a chat request with a chunked body.
CHUNKED = wire.head(CHAT, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
# The value of -auth in the rows that set it.
AUTHORIZED = "Bearer right"


def dump(value):
    """Returns JSON without spaces. A value that is already text is copied."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        members = (f"{json.dumps(name)}:{dump(member)}" for name, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value)


class Raw(str):
    """JSON text that dump copies instead of quoting it."""


def post(path, body, extra=b""):
    """Returns a request with the head of an SDK and further header lines."""
    if not isinstance(body, bytes):
        body = dump(body).encode()
    head = wire.head(path, len(body))
    return head[:-2] + extra + b"\r\n" + body


def chat(**fields):
    """Returns a chat request with these fields besides the model and the message."""
    return post(CHAT, {"model": "gpt-4o-mini", "messages": HELLO, **fields})


def get(path, *lines, method="GET"):
    """Returns a request without a body."""
    fields = "".join(f"{line}\r\n" for line in lines)
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode()


def listed(part, size=BODY_MAX, field=b"metadata", path=CHAT):
    """Returns a maker of a request whose body is a list of equal parts in a field."""
    before = b'{"model":"m","' + field + b'":['
    return lambda _: post(path, filled(before, part, b"]}", size))


def text(part, size=BODY_MAX):
    """Returns a maker of a chat request whose message repeats these bytes up to a size."""
    before, after = b'{"messages":[{"role":"user","content":"', b'"}]}'
    count = (size - len(before) - len(after)) // len(part)
    return lambda _: post(CHAT, before + part * count + after)


def chunked(body, size, extension=b"", trailers=b""):
    """Returns a request whose body is sent in chunks of this many bytes."""
    chunks = []
    for at in range(0, len(body), size):
        chunk = body[at : at + size]
        chunks.append(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk))
    return CHUNKED + b"".join(chunks) + b"0\r\n" + trailers + b"\r\n"


def schema_format(schema):
    """Returns the response_format of a chat that requires a schema."""
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def structured(schema, **fields):
    """Returns a chat request whose response must satisfy a schema."""
    return chat(response_format=schema_format(schema), **fields)


def tool(name, parameters):
    """Returns a function as chats declare it."""
    return {"type": "function", "function": {"name": name, "parameters": parameters}}
