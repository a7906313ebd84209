"""Rows of long, slow and malformed request heads."""

from .. import wire
from .build import AUTHORIZED, CHAT, KIB, get, post
from .plain import CHAT_REQUEST
from .row import CLOSED, group, row

# The limits of a head: fields, bytes in all, bytes of the target.
FIELDS_MAX = 100
HEAD_MAX = 16 * KIB
TARGET_MAX = 8 * KIB


def fields(count, value="x"):
    """Returns a GET request with this many fields in total."""
    return get("/health", *(f"X-Field-{at}: {value}" for at in range(count - 1)))


def long_head(size, number=0):
    """Returns a GET request whose head has this many bytes, with a number that makes it unique."""
    start = get("/health", f"X-Number: {number:08}", "X-Long: ")
    return start[:-4] + b"x" * (size - len(start)) + b"\r\n\r\n"


def in_lines(data):
    """Returns the lines of a head, each for a separate write."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]


def in_bytes(data):
    return [bytes([byte]) for byte in data]


def target(size, byte="x"):
    """Returns a GET request whose target has this many bytes."""
    return get("/health?" + byte * ((size - 8) // len(byte)))


def connection(element):
    """Returns a chat request whose Connection field is a list of many elements."""
    return post(CHAT, {}, b"Connection: " + element * 5000 + b"keep-alive\r\n")


AUTH = ("-auth", AUTHORIZED)
WRONG = CHAT_REQUEST.replace(b"Bearer sk-mock", b"Bearer sk-wrong")
EXPECTS = CHAT_REQUEST.replace(b"Accept: ", b"Expect: 100-continue\r\nAccept: ", 1)
HEAD_END = EXPECTS.index(b"\r\n\r\n") + 4

ROWS = group(
    "heads",
    row("100 fields", fields(FIELDS_MAX)),
    row("100 fields, long values", fields(FIELDS_MAX, "y" * 140)),
    row("101 fields", fields(FIELDS_MAX + 1), "431"),
    row("head of 16 KB", long_head(HEAD_MAX)),
    row("head of 16 KB, every one different", lambda number: long_head(HEAD_MAX, number),
        varies=True),
    row("head of 2 KB, every one different", lambda number: long_head(2 * KIB, number),
        varies=True),
    row("head over 16 KB", long_head(HEAD_MAX + 1), "431"),
    row("head of 16 KB, 16 pipelined", long_head(HEAD_MAX), depth=16),
    row("head of 16 KB byte by byte", in_bytes(long_head(HEAD_MAX)), count=10),
    row("100 fields byte by byte", in_bytes(fields(FIELDS_MAX, "y" * 20)), count=20),
    row("200 heads byte by byte at once", in_bytes(CHAT_REQUEST), connections=200, count=200),
    row("100 fields line by line", in_lines(fields(FIELDS_MAX, "y" * 140))),
    row("100 fields line by line, the last one wrong",
        in_lines(fields(FIELDS_MAX, "y" * 140).replace(b"X-Field-98:", b"X-Field-98 :")),
        "400 invalid_header"),
    row("target of 8 KB", target(TARGET_MAX)),
    row("target of 8 KB, escaped", target(TARGET_MAX, "%41")),
    row("target over 8 KB", target(TARGET_MAX + 8), "414"),
    row("path of 8 KB", get("/v1/" + "a/" * (4 * KIB - 4)), "404"),
    row("path of 8 KB, slashes", get("/" * (TARGET_MAX - 8)), "404"),
    row("absolute target", get("http://localhost/health")),
    row("deployment's name of 256 escaped bytes",
        wire.request("chat").replace(
            b"/v1/", b"/openai/deployments/" + b"%6d" * 256 + b"/", 1)),
    row("deployment's name of 257 bytes",
        wire.request("chat").replace(b"/v1/", b"/openai/deployments/" + b"m" * 257 + b"/", 1),
        "404"),
    row("method of 8 KB", get("/health", method="M" * 8000), "400", "405", "414", "431", "501"),
    row("Authorization of 8 KB", get("/v1/models", "Authorization: " + "x" * 8000), "403",
        args=AUTH),
    row("wrong Authorization", WRONG, "403", args=AUTH),
    row("wrong Authorization, every one different",
        lambda number: WRONG.replace(b"sk-wrong-", b"%08d-" % number), "403", varies=True,
        args=AUTH),
    row("wrong Authorization, 10 MB of body", lambda _: post(CHAT, b" " * 10_000_000), "403",
        args=AUTH),
    row("Connection with 5000 blank elements", connection(b",")),
    row("Connection with 5000 elements", connection(b"a,")),
    row("OPTIONS", get("/v1/chat/completions", method="OPTIONS"), "204"),
    row("OPTIONS, web pages allowed",
        get("/v1/chat/completions", "Origin: http://x", "Access-Control-Request-Method: POST",
            method="OPTIONS"), "204", args=("-cors",)),
    row("HEAD", get("/health", method="HEAD")),
    row("TRACE", get("/health", method="TRACE"), "405", "501"),
    row("CONNECT", get("example.com:443", method="CONNECT"), "501"),
    row("HTTP/1.0", get("/health").replace(b"HTTP/1.1", b"HTTP/1.0")),
    row("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", "505"),
    row("TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), "400"),
    row("zero bytes", bytes(4096), "400"),
    row("one endless line", b"GET /" + b"a" * (64 * KIB), "414", "431"),
    row("one endless word", b"A" * (64 * KIB), "400", "414", "431"),
    row("bare line feeds", get("/health").replace(b"\r\n", b"\n"), "400 invalid_request"),
    row("two hosts", get("/health", "Host: other"), "400 invalid_host"),
    row("Content-Length of 400 digits", get("/health", "Content-Length: " + "9" * 400),
        "400 invalid_content_length"),
    row("8 empty lines before each request", b"\r\n" * 8 + CHAT_REQUEST),
    row("9 empty lines", b"\r\n" * 9 + CHAT_REQUEST, "400 invalid_request"),
    row("64 KB of empty lines", b"\r\n" * (32 * KIB), "400 invalid_request"),
    row("Expect: 100-continue", [EXPECTS[:HEAD_END], EXPECTS[HEAD_END:]]),
    row("Expect: 100-continue, body at once", EXPECTS),
    row("Expect: 100-continue, over 50 MB",
        wire.head(CHAT, 51 << 20)[:-2] + b"Expect: 100-continue\r\n\r\n", "413"),
    row("Upgrade: h2c", get("/health", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")),
    row("chunked twice", get("/health", "Transfer-Encoding: chunked, chunked"),
        "400 invalid_transfer_encoding"),
    row("Expect: other", get("/health", "Expect: other"), "417"),
    row("nothing, then the end", b"\r\n", CLOSED, half_close=True),
    row("half a head, then the end", CHAT_REQUEST[:100], "400", half_close=True),
    row("half a body, then the end", CHAT_REQUEST[:-10], "400", half_close=True),
)
