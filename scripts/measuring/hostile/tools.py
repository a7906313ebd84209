"""Rows of large tools, choices among them, and JSON that takes more memory than its text."""

from .build import HELLO, MIB, RESPONSES, Raw, chat, filled, post, tool
from .row import group, row

# The most that one of the fields may hold.
FIELD_MAX = MIB


def called(tools, choice="required", **fields):
    """Returns a chat request that requires a tool call."""
    return chat(tools=tools, tool_choice=choice, **fields)


def functions(count, description=""):
    return [
        {"type": "function", "function": {
            "name": f"function_{at}", "description": description,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        }}
        for at in range(count)
    ]


def chosen(at):
    """Returns the choice of one function."""
    return {"type": "function", "function": {"name": f"function_{at}"}}


def allowed(names):
    """Returns the choice among functions with these numbers."""
    return {"type": "allowed_tools", "allowed_tools": {
        "mode": "required", "tools": [chosen(at) for at in names],
    }}


def amplified(part, size=FIELD_MAX - 512):
    """Returns a maker of a call whose function has a list of equal parts in its declaration."""
    def make(_):
        padding = filled(b"[", part, b"]", size).rstrip().decode()
        declared = {**tool("f", {"type": "object"}), "padding": Raw(padding)}
        return called([declared])
    return make


def formatted(part, size=FIELD_MAX - 512):
    """Returns a maker of a chat whose response_format has a list of equal parts."""
    def make(_):
        padding = filled(b"[", part, b"]", size).rstrip().decode()
        return chat(response_format={"type": "json_object", "padding": Raw(padding)})
    return make


ROWS = group(
    "tools",
    row("1000 functions, none to call", chat(tools=functions(1000))),
    row("1000 functions, the first to call", called(functions(1000))),
    row("4000 functions, the last to call",
        lambda _: called(functions(4000), chosen(3999))),
    row("4000 functions, one to call that is not there",
        lambda _: called(functions(4000), chosen(4000)), "400 invalid_value"),
    row("4000 functions, 4000 allowed, none of them there",
        lambda _: called(functions(4000), allowed(range(4000, 8000))), "400 invalid_value"),
    row("4000 functions, 8000 allowed, the last of them there",
        lambda _: called(functions(4000), allowed(range(11_999, 3998, -1)))),
    row("8000 names of 8 bytes, none of them there", lambda _: called(
        [{"type": "function", "function": {"name": f"a{at:07}"}} for at in range(8000)],
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
            {"type": "function", "function": {"name": f"b{at:07}"}} for at in range(8000)
        ]}},
    ), "400 invalid_value"),
    row("1 MB of functions", lambda _: called(functions(20, "d" * 52_000))),
    row("1 MB of descriptions of escapes", lambda _: called(functions(20, "\0" * 8600))),
    row("functions over 1 MB, to call", lambda _: called(functions(20, "d" * 60_000)),
        "400 invalid_value"),
    row("50 MB of functions, none to call", lambda _: chat(tools=functions(20, "d" * 2_600_000))),
    row("function without parameters", called([{"type": "function", "function": {"name": "f"}}])),
    row("name of a function of 64 KB", lambda _: called([tool("f" * 65_536, {})], n=128),
        "200", "400 invalid_value"),
    row("call of 2000 arguments, n: 128, streamed", lambda _: called([tool("f", {
        "type": "object", "properties": {f"p{at:04}": {"type": "string"} for at in range(2000)},
    })], n=128, stream=True), "200", "400 invalid_schema"),
    # Text whose tree takes many times its size
    row("1 MB of 1 in tools", amplified(b"1")),
    row("1 MB of [] in tools", amplified(b"[]")),
    row("1 MB of {} in tools", amplified(b"{}")),
    row('1 MB of {"a":{}} in tools', amplified(b'{"a":{}}')),
    row('1 MB of {"a":1} in tools', amplified(b'{"a":1}')),
    row('1 MB of "" in tools', amplified(b'""')),
    row('1 MB of "a" in tools', amplified(b'"a"')),
    row("1 MB of 1e300 in tools", amplified(b"1e300")),
    row("1 MB of 40 digits in tools", amplified(b"1" * 40)),
    row("1 MB of [[[[1]]]] in tools", amplified(b"[" * 60 + b"1" + b"]" * 60)),
    row('1 MB of {"a":{}} in response_format', formatted(b'{"a":{}}')),
    row("1 MB of 1 in response_format, n: 128", formatted(b"1")),
    row("1 MB of numbers that no double holds", amplified(b"1e400"), "200", "400 invalid_value"),
    row("1 MB of lone surrogates in tools", amplified(b'"\\ud800"'), "200", "400 invalid_value"),
    row("20 connections of 1 MB of {} in tools", amplified(b"{}"), connections=20, count=200),
    row("responses: 1 MB of {} in text", lambda _: post(RESPONSES, {
        "input": HELLO, "text": {"format": {
            "type": "json_object",
            "padding": Raw(filled(b"[", b"{}", b"]", FIELD_MAX - 512).rstrip().decode()),
        }},
    })),
)
