"""Rows of chunked bodies: tiny chunks, long size lines, trailers."""

from .build import KIB, MIB, chunked, text
from .plain import CHAT_REQUEST
from .row import group, row

# The longest size line of a chunk, and the longest trailers, in bytes.
LINE_MAX = 1024
TRAILERS_MAX = 8 * KIB


def content(size):
    """Returns a body of this size, which every chunked row sends."""
    return text(b"x", size)(0).partition(b"\r\n\r\n")[2]


def in_chunks(body, size, **parts):
    """Returns a maker of a body of this many bytes, in chunks of a size."""
    return lambda _: chunked(content(body), size, **parts)


def trailers(size):
    """Returns trailers of this many bytes."""
    line = b"X-Trailer: " + b"x" * 51 + b"\r\n"
    rest = size % len(line)
    return line * (size // len(line)) + (b"X: " + b"x" * (rest - 5) + b"\r\n" if rest > 4 else b"")


def raw(*chunks):
    """Returns a chat request with these bytes as its chunks."""
    return chunked(b"", 1)[: -len(b"0\r\n\r\n")] + b"".join(chunks)


EXTENSION = b";x=" + b"y" * (LINE_MAX - 4)
QUOTED = b';x="' + b'\\"' * ((LINE_MAX - 6) // 2) + b'"'

ROWS = group(
    "framing",
    row("chunks of 1 byte, 1 MB", in_chunks(MIB, 1)),
    row("chunks of 1 byte, 3 MB", in_chunks(3 * MIB, 1)),
    row("chunks of 15 bytes, extensions of 1 KB", in_chunks(64, 15, extension=EXTENSION)),
    row("chunks of 1 byte, extensions of 1 KB", in_chunks(32 * KIB, 1, extension=EXTENSION),
        "400 invalid_chunk"),
    row("chunks of 1 byte, quoted extensions of 1 KB", in_chunks(32 * KIB, 1, extension=QUOTED),
        "400 invalid_chunk"),
    row("chunks of 1 byte, short extensions", in_chunks(MIB, 1, extension=b";a;b;c"),
        "400 invalid_chunk"),
    row("chunks of 16 KB, 50 MB", in_chunks(50 * MIB - 64, 16 * KIB)),
    row("one chunk of 50 MB", in_chunks(50 * MIB - 64, 50 * MIB)),
    row("sizes with 15 zeros before them",
        lambda _: raw(*[b"0" * 15 + b"1\r\n \r\n"] * 100_000, b"2\r\n{}\r\n0\r\n\r\n")),
    row("trailers of 8 KB", in_chunks(64, 64, trailers=trailers(TRAILERS_MAX - 2))),
    row("trailers over 8 KB", in_chunks(64, 64, trailers=trailers(TRAILERS_MAX + 64)), "431"),
    row("chunked, no content", chunked(b"", 1)),
    row("no content and extensions of 1 KB, 16 pipelined",
        raw(b"0" + EXTENSION[:-1] + b"\r\n\r\n"), depth=16),
    row("size line over 1 KB", raw(b"1" + EXTENSION + b"y\r\n"), "400 invalid_chunk"),
    row("size of 17 digits", raw(b"1" + b"0" * 16 + b"\r\n"), "400 invalid_chunk"),
    row("size of 2^64 - 1", raw(b"f" * 16 + b"\r\nx"), "400", "413", half_close=True),
    row("size that is no number", raw(b"size\r\n"), "400 invalid_chunk"),
    row("chunk without its end", raw(b"1\r\n{}\r\n"), "400 invalid_chunk"),
    row("over 50 MB in chunks", in_chunks(50 * MIB + 64, 16 * KIB), "413"),
    row("Content-Length and Transfer-Encoding",
        chunked(b"{}", 2).replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n", 1),
        "400 invalid_content_length"),
    row("body in pieces of 100 bytes", lambda _: pieces(content(MIB), 100)),
    row("a chat byte by byte", [bytes([byte]) for byte in CHAT_REQUEST]),
)


def pieces(body, size):
    """Returns a chat request whose body is sent in pieces of this many bytes."""
    head, _, _ = chunked(body, len(body)).partition(b"\r\n\r\n")
    head = head.replace(b"Transfer-Encoding: chunked", b"Content-Length: %d" % len(body))
    return [head + b"\r\n\r\n", *(body[at : at + size] for at in range(0, len(body), size))]
