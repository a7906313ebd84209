"""Rows of long and of malformed bodies."""

from .. import wire
from .build import (
    BODY_MAX,
    CHAT,
    EMBEDDINGS,
    KIB,
    MIB,
    MODERATIONS,
    RESPONSES,
    dump,
    filled,
    listed,
    post,
    text,
)
from .row import group, row

DEPTH_MAX = 128


def nested(levels, times=1):
    """Returns a body of this many levels: an object, with nested lists in one of its fields."""
    one = "[" * (levels - 2) + "]" * (levels - 2)
    return post(CHAT, f'{{"metadata":[{",".join([one] * times)}]}}'.encode())


def keys(count, name='"key{:07}":0', path=CHAT):
    """Returns a maker of a body with this many keys."""
    return lambda _: post(path, ("{" + ",".join(map(name.format, range(count))) + "}").encode())


def broken_at_the_end(end):
    """Returns a maker of the longest body, whose last bytes are invalid."""
    return lambda _: post(CHAT, text(b"x")(0).partition(b"\r\n\r\n")[2][: -len(end)] + end)


def one(before, part, after):
    """Returns a maker of the longest body, which is one value of repeated bytes."""
    times = (BODY_MAX - len(before) - len(after)) // len(part)
    return lambda _: post(CHAT, before + part * times + after)


def messages(part, size=BODY_MAX):
    return listed(part, size, field=b"messages")


def inputs(part, path=EMBEDDINGS):
    return listed(part, field=b"input", path=path)


MESSAGE = b'{"role":"user","content":"Hello there"}'
PART = b'{"type":"text","text":"Hello"}'
STRICT = ("-strict",)
ECHO = ("-content", "echo")

ROWS = group(
    "bodies",
    # Strings
    row("50 MB: one string", text(b"The quick brown fox jumps over the lazy dog. ")),
    row("50 MB: escapes \\u0041", text(b"\\u0041")),
    row("50 MB: escapes of surrogate pairs", text(b"\\ud83d\\ude00")),
    row("50 MB: escapes of lone surrogates", text(b"\\ud83d")),
    row("50 MB: escapes \\n", text(b"\\n")),
    row("50 MB: escaped backslashes and quotes", text(b'\\\\\\"')),
    row("50 MB: 4-byte characters", text("\U0001f600".encode())),
    row("50 MB: 2-byte characters", text("é".encode())),
    row("50 MB: one string of quotes' neighbours", text(b"!#[]~")),
    row("50 MB: empty strings", listed(b'""')),
    row("50 MB: one key", one(b'{"', b"k", b'":0}')),
    row("50 MB: one model", one(b'{"model":"', b"m", b'"}'), "400 invalid_value"),
    # Values
    row("50 MB: [1]", listed(b"[1]")),
    row("50 MB: {}", listed(b"{}")),
    row("50 MB: []", listed(b"[]")),
    row('50 MB: {"a":{}}', listed(b'{"a":{}}')),
    row("50 MB: digits", listed(b"1")),
    row("50 MB: long numbers", listed(b"-12345678901234567890.123456789e-123")),
    row("50 MB: one number", one(b'{"seed":', b"1", b"}")),
    row("50 MB: one fraction", one(b'{"seed":0.', b"1", b"}")),
    row("50 MB: one exponent", one(b'{"seed":1e', b"1", b"}")),
    row("50 MB: true", listed(b"true")),
    row("50 MB: null", listed(b"null")),
    row("50 MB: blanks", one(b"{", b" ", b"}")),
    row("50 MB: line ends and tabs", one(b"{", b"\r\n\t", b"}")),
    row("50 MB: blanks between tokens", listed(b" \n1 \n")),
    row("50 MB: blanks after the object", one(b"{}", b" ", b"")),
    # Keys
    row("a million keys", keys(1_000_000)),
    row("a million keys with escapes", keys(1_000_000, '"\\u006bey{:07}":0')),
    row("a million keys in a message",
        listed(b'{"role":"user","a":1,"b":2,"c":3,"d":4}', 40 * MIB, b"messages")),
    row("a million times the key model", keys(1_000_000, '"model":"m{}"')),
    row("a million times the key model, escaped",
        keys(1_000_000, '"\\u006d\\u006f\\u0064\\u0065\\u006c":"m{}"')),
    row("a million times the key n", keys(1_000_000, '"n":1')),
    row("a million times the key stream", keys(1_000_000, '"stream":false')),
    row("a million times the key tools", keys(1_000_000, '"tools":[]')),
    row("a million times the key response_format", keys(1_000_000, '"response_format":null')),
    row("a million times the key messages", keys(1_000_000, '"messages":[]')),
    row("a million times the key input", keys(1_000_000, '"input":"x"', EMBEDDINGS)),
    # Depth
    row("127 levels", nested(DEPTH_MAX - 1)),
    row("128 levels", nested(DEPTH_MAX)),
    row("129 levels", nested(DEPTH_MAX + 1), "400 invalid_json"),
    row("50 MB: 128 levels again and again",
        lambda _: nested(DEPTH_MAX, BODY_MAX // (2 * DEPTH_MAX))),
    row("50 MB: opening brackets", one(b'{"metadata":', b"[", b""), "400 invalid_json"),
    row('50 MB: opening objects', one(b'{"a":', b'{"a":', b"1"), "400 invalid_json"),
    # Fields that are read
    row("50 MB: short messages", messages(MESSAGE)),
    row("50 MB: short messages, strict", messages(MESSAGE), args=STRICT),
    row("50 MB: short messages, echoed", messages(MESSAGE), args=ECHO),
    row("50 MB: parts of a message, echoed", listed(
        b'{"role":"user","content":[' + b",".join([PART] * 100) + b"]}", field=b"messages",
    ), args=ECHO),
    row("50 MB: one string, echoed", text(b"word "), args=ECHO),
    row("50 MB: escapes, echoed", text(b"\\u0041"), args=ECHO),
    row("50 MB: input of a response", listed(MESSAGE, field=b"input", path=RESPONSES)),
    row("50 MB: messages that are no objects", messages(b"1")),
    row("50 MB: messages that are no objects, strict", messages(b"1"), "400 invalid_type",
        args=STRICT),
    row("50 MB: token numbers", inputs(b"15339,1917,374,264,1296,13,100257,578")),
    row("50 MB: too many texts", inputs(b'"x"'), "400 invalid_value"),
    row("50 MB: too many token lists", inputs(b"[1]"), "400 invalid_value"),
    row("50 MB: texts and objects", inputs(b'{"type":"text","text":"x"}', MODERATIONS)),
    row("50 MB: long token lists", inputs(b"[" + b",".join([b"1"] * 20_000) + b"]")),
    row("50 MB: include of a response", listed(
        b'"message.output_text.logprobs"', field=b"include", path=RESPONSES,
    )),
    # Mistakes
    row("50 MB: invalid JSON at the end", broken_at_the_end(b"'}"), "400 invalid_json"),
    row("50 MB: invalid UTF-8 at the end", broken_at_the_end(b'\xff"}]}'), "400 invalid_json"),
    row("50 MB: not an object", lambda _: post(CHAT, filled(b"[", b"1", b"]", BODY_MAX)),
        "400 invalid_json"),
    row("50 MB: wrong from the first byte", one(b"", b"x", b""), "400 invalid_json"),
    row("50 MB: zero bytes", one(b"", b"\0", b""), "400 invalid_json"),
    row("64 KB: invalid JSON at the end", lambda _: post(CHAT, b'{"a":"' + b"x" * 64 * KIB + b'"'),
        "400 invalid_json"),
    row("over 50 MB announced", wire.head(CHAT, BODY_MAX + 1), "413"),
    row("over 50 MB sent", lambda _: post(CHAT, b" " * (BODY_MAX + 1)), "413"),
    row("gzip", post(CHAT, b"\x1f\x8b" + b"x" * 1000, b"Content-Encoding: gzip\r\n"), "415"),
    row("gzip, 50 MB", lambda _: post(CHAT, b"\0" * BODY_MAX, b"Content-Encoding: gzip\r\n"),
        "415"),
    row("seven codings", post(CHAT, b"{}", b"Content-Encoding: " + b"br, " * 7 + b"\r\n"), "415"),
    row("form data", post(CHAT, dump({"messages": []}).replace(":", "=").encode()),
        "400 invalid_json"),
)
