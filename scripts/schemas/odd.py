"""Checks of unusual requests: those that are rejected, and those that look as if they should be but
are not."""

import gzip
import json
import time
from functools import partial
from typing import Any, Callable

from answers import PATHS, Ask, check, refused
from combinations import (
    MESSAGES,
    SCHEMAS,
    TEXT,
    an_object,
    asking,
    format_of,
    function,
    plain_format,
)
from description import conforms, reference_of
from checking import same, that
from server import Server

Checks = list[tuple[str, Callable[[], None]]]
Json = dict[str, Any]

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


def post(server: Server, endpoint: str, body: Any, **headers: str) -> Any:
    return server.ask("/v1" + PATHS[endpoint], body, headers=headers)


def invalid(server: Server, endpoint: str, body: Any, field: str) -> None:
    """Checks that a body is rejected with a message that names the field, and that the next one is
    served."""
    message = refused(
        post(server, endpoint, body), 400, type="invalid_request_error", param=field
    )
    that(f"'{field}'" in message, f"the message does not name {field}: {message}")
    check(server, Ask("chat", HELLO))


def answered(server: Server, ask: Ask) -> None:
    """Checks that a body is served as expected, and the next one too."""
    check(server, ask)
    check(server, Ask("chat", HELLO))


# --- fields ----------------------------------------------------------------------------------

GENERATED = ("chat", "responses", "completions")
WRONG: list[tuple[tuple[str, ...], str, list[Any]]] = [
    (GENERATED, "stream", ["yes", 1, [], {}]),
    (("chat", "completions"), "n", [0, -1, 129, 1000, 10**30, 1.5, "2", [], True]),
    (("chat", "completions"), "max_tokens", [0, -1, 1.5, "3", {}, False]),
    (("chat",), "max_completion_tokens", [0, -1, "3"]),
    (("responses",), "max_output_tokens", [0, -1, "3"]),
    (("chat",), "logprobs", [5, "true"]),
    (("completions",), "logprobs", [6, -1, True]),
    (("chat", "responses"), "top_logprobs", [21, -1, "5"]),
    (("responses",), "include", ["message.output_text.logprobs", {}, [1]]),
    (("chat", "completions"), "stream_options", ["x", [], True, {"include_usage": "yes"}]),
    ((*PATHS,), "model", [5, [], "x" * 257]),
    (("embeddings",), "dimensions", [0, -1, 4097, "256", 1.5]),
    (("embeddings",), "encoding_format", ["hex", 1, []]),
    (("embeddings", "moderations"), "input", ["", [], [""], 5, {}, ["a"] * 2049, [[]]]),
    (("completions",), "prompt", [5, {}, ["a"] * 2049]),
    (("chat", "responses"), "tools", [5, "x", {}]),
    (("chat", "responses"), "tool_choice", [5, True, []]),
    (("chat",), "response_format", ["json_object", 5, []]),
    (("responses",), "text", ["json_object", 5, []]),
]


def wrong_fields(server: Server) -> Checks:
    return [
        (
            f"{endpoint} {field}={json.dumps(value)[:40]}",
            partial(invalid, server, endpoint, {field: value}, field),
        )
        for endpoints, field, values in WRONG
        for endpoint in endpoints
        for value in values
    ]


# --- requests --------------------------------------------------------------------------------


def wrong_requests(server: Server) -> Checks:
    bodies = {
        "a list": b"[]",
        "half an object": b'{"model": "a"',
        "two objects": b"{}{}",
        "no JSON at the end": b'{"messages": [], "n": 1,}',
        "a control character": b'{"model": "a\nb"}',
        "nested 129 deep": b'{"x": ' + b"[" * 128 + b"]" * 128 + b"}",
    }

    def wrong_body(endpoint: str, body: bytes) -> None:
        refused(post(server, endpoint, body), 400, type="invalid_request_error")
        check(server, Ask("chat", HELLO))

    def no_path(path: str) -> None:
        refused(server.ask(path, {}), 404, type="invalid_request_error")

    def no_method(path: str, method: str, allow: str) -> None:
        answer = server.ask(path, method=method)
        refused(answer, 405, type="invalid_request_error")
        that(allow in answer.headers["Allow"], f"Allow is {answer.headers['Allow']}")

    def coded() -> None:
        answer = post(server, "chat", gzip.compress(b"{}"), **{"Content-Encoding": "gzip"})
        refused(answer, 415, type="invalid_request_error")
        check(server, Ask("chat", HELLO))

    return [
        *(
            (f"{endpoint} with {what}", partial(wrong_body, endpoint, body))
            for endpoint in PATHS
            for what, body in bodies.items()
        ),
        *(
            (f"there is no {path}", partial(no_path, path))
            for path in ("/nothing", "/v2/chat/completions", "/v1/chat", "/v1/responses/resp_1")
        ),
        *(
            (f"{path} is not for {method}", partial(no_method, path, method, allow))
            for method, allow, paths in (
                ("GET", "POST", ["/v1" + path for path in PATHS.values()]),
                ("DELETE", "GET", ["/v1/models", "/v1/models/a"]),
            )
            for path in paths
        ),
        ("a body in gzip", coded),
    ]


def too_long(server: Server) -> Checks:
    def longer() -> None:
        body = {**HELLO, "padding": "x" * 2000}
        refused(post(server, "chat", body), 413, type="invalid_request_error")
        check(server, Ask("chat", HELLO))

    return [("a body over the limit", longer)]


# --- tools and formats -----------------------------------------------------------------------


def nested(depth: int) -> Json:
    schema: Json = TEXT
    for _ in range(depth):
        schema = an_object(of=schema)
    return schema


def chained(length: int) -> Json:
    """Returns definitions that each refer to the next one, and so are deeper than a body may
    nest."""
    links = {f"a{at}": an_object(of={"$ref": f"#/$defs/a{at + 1}"}) for at in range(length)}
    return {"$ref": "#/$defs/a0", "$defs": {**links, f"a{length}": TEXT}}


UNSATISFIABLE = {
    "requires itself": an_object(next={"$ref": "#"}),
    "requires one that requires it": {
        **an_object(a={"$ref": "#/$defs/a"}),
        "$defs": {"a": an_object(b={"$ref": "#/$defs/b"}), "b": an_object(a={"$ref": "#/$defs/a"})},
    },
    "is itself": {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "refers to what is not there": an_object(a={"$ref": "#/$defs/missing"}),
    "looks ahead": an_object(a={"type": "string", "pattern": "^(?=x)"}),
    "has a pattern that is none": an_object(a={"type": "string", "pattern": "("}),
    "depends on what is left over": {**an_object(a=TEXT), "unevaluatedProperties": False},
    "has bounds that cross": an_object(a={"type": "integer", "minimum": 2, "maximum": 1}),
    "has fields that are no object": {"type": "object", "properties": 5},
    "has required fields that are no list": {"type": "object", "required": "a"},
    "has a type that there is not": an_object(a={"type": "text"}),
    "has an empty enum": an_object(a={"enum": []}),
    "is a list": [an_object(a=TEXT)],
    "refers on and on": chained(200),
}

ODD_NAMES = ('a "b"\n', "\u00e9\U0001f600", "", "a/b", "~0", "$ref", "type")

# Unusual ones that are served.
ODD_SCHEMAS = {
    "has a pattern": an_object(a={"type": "string", "pattern": "^x+y$"}),
    "has a not": an_object(a={"not": {"type": "string"}}),
    "has an if": {**an_object(a=TEXT), "if": {"required": ["b"]}, "then": {"required": ["c"]}},
    "has a set": an_object(a={"type": "array", "minItems": 3, "uniqueItems": True}),
    "has an integer of 64 bits": an_object(a={"type": "integer", "minimum": 2**53 + 1}),
    "is lists of types": {"allOf": [{"type": ["object", "string", "null"] * 6}] * 7},
    "has a way out by null": an_object(next={"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
    "has a way out by an empty list": an_object(nodes={"type": "array", "items": {"$ref": "#"}}),
    "has a way out by what it need not have": {
        "type": "object",
        "properties": {"name": TEXT, "next": {"$ref": "#"}},
        "required": ["name"],
    },
    "is nested deeply": nested(40),
    "has odd names": an_object(**{name: TEXT for name in ODD_NAMES}),
    "has a hundred fields": an_object(**{f"field_{at}": TEXT for at in range(100)}),
}


def function_forms(endpoint: str) -> list[tuple[str, Json, str]]:
    """Requests for impossible calls, with the field at fault."""
    first = function(endpoint, "first", SCHEMAS["flat"])
    missing = function(endpoint, "missing", None)
    search = {"type": "web_search"}
    return [
        ("an unknown function", {"tools": [first], "tool_choice": missing}, "tool_choice"),
        ("a required call of nothing", {"tool_choice": "required"}, "tools"),
        ("a required call, no tools", {"tools": [], "tool_choice": "required"}, "tools"),
        ("no function among tools", {"tools": [search], "tool_choice": "required"}, "tools"),
        ("an unknown choice", {"tools": [first], "tool_choice": "sometimes"}, "tool_choice"),
    ]


def large_and_endless(server: Server) -> Checks:
    checks: Checks = []
    for endpoint in ("chat", "responses"):
        param = {"chat": "response_format", "responses": "text"}[endpoint]
        for what, schema in UNSATISFIABLE.items():
            asks = {
                "parameters": (called(endpoint, schema), "tools"),
                "a format": (asking(endpoint, **format_of(endpoint, schema)), param),
            }
            for where, (body, field) in asks.items():
                name = f"{endpoint}: the schema of {where} {what}"
                checks.append((name, partial(invalid, server, endpoint, body, field)))
        for what, schema in ODD_SCHEMAS.items():
            ask = Ask(endpoint, called(endpoint, schema), "first", schema)
            name = f"{endpoint}: the schema of parameters {what}"
            checks.append((name, partial(answered, server, ask)))
            ask = Ask(endpoint, asking(endpoint, **format_of(endpoint, schema)), schema=schema)
            name = f"{endpoint}: the schema of a format {what}"
            checks.append((name, partial(answered, server, ask)))
        for what, more, field in function_forms(endpoint):
            body = asking(endpoint, **more)
            checks.append((f"{endpoint}: {what}", partial(invalid, server, endpoint, body, field)))
        odd = asking(endpoint, **plain_format(endpoint, "xml"))
        name = f"{endpoint}: an unknown format"
        checks.append((name, partial(invalid, server, endpoint, odd, param)))
        checks += of_5_mb(server, endpoint)
    return checks


def called(endpoint: str, schema: Json) -> Json:
    tools = [function(endpoint, "first", schema)]
    return asking(endpoint, tools=tools, tool_choice="required")


def of_5_mb(server: Server, endpoint: str) -> Checks:
    """Checks that tools that are too large to store are ignored if none is called, and otherwise
    rejected."""
    one = {**function(endpoint, "first", SCHEMAS["flat"]), "note": "x" * 1000}
    tools = [one] * 5000
    auto = Ask(endpoint, asking(endpoint, tools=tools, tool_choice="auto"))
    body = asking(endpoint, tools=tools, tool_choice="required")
    # The order of the tools and the choice must not matter.
    turned = asking(endpoint, tool_choice="required", tools=tools)
    return [
        (f"{endpoint}: 5 MB of tools, none called", partial(answered, server, auto)),
        (f"{endpoint}: 5 MB of tools", partial(invalid, server, endpoint, body, "tools")),
        (
            f"{endpoint}: 5 MB of tools after the choice",
            partial(invalid, server, endpoint, turned, "tools"),
        ),
    ]


# --- settings --------------------------------------------------------------------------------


def models(server: Server, names: list[str]) -> Checks:
    def listed(path: str) -> None:
        whole = server.ask(path, method="GET").json()
        conforms(whole, reference_of("/models", "get", "application/json"))
        same("models", [model["id"] for model in whole["data"]], names)

    def one(path: str, name: str) -> None:
        whole = server.ask(path, method="GET").json()
        conforms(whole, reference_of("/models/{model}", "get", "application/json"))
        same("id", whole["id"], name)

    prefixes = ("", "/v1", "/openai", "/openai/v1")
    asked = {names[0]: names[0], "other": "other", "a%2Fb": "a/b", "ft:x:y::z": "ft:x:y::z"}
    return [
        *((f"{prefix}/models", partial(listed, f"{prefix}/models")) for prefix in prefixes),
        *(
            (f"{prefix}/models/{path}", partial(one, f"{prefix}/models/{path}", name))
            for prefix in prefixes
            for path, name in asked.items()
        ),
    ]


def cors(server: Server) -> Checks:
    origin = {"Origin": "https://example.com"}

    def allows(method: str, body: Any, status: int) -> None:
        answer = server.ask("/v1/chat/completions", body, method, origin)
        same("status", answer.status, status)
        same("Access-Control-Allow-Origin", answer.headers["Access-Control-Allow-Origin"], "*")

    return [
        ("a response may be read", partial(allows, "POST", HELLO, 200)),
        ("a stream may be read", partial(allows, "POST", {**HELLO, "stream": True}, 200)),
        ("an error may be read", partial(allows, "POST", b"[]", 400)),
        ("the question before", partial(allows, "OPTIONS", None, 204)),
    ]


def everywhere(server: Server, status: int, headers: Json | None = None, **error: Any) -> Checks:
    """Checks for the same error on each endpoint, streamed or not."""

    def fails(method: str, path: str, body: Any) -> None:
        message = refused(server.ask(path, body, method, headers), status, **error)
        that(message, "the message is empty")

    asks = [("POST", "/v1" + path, {}) for path in PATHS.values()]
    asks += [("POST", "/v1" + PATHS[endpoint], {"stream": True}) for endpoint in GENERATED]
    asks += [("POST", "/openai/deployments/a/embeddings", {}), ("GET", "/v1/models", None)]
    sent = ", ".join(headers or ["no headers"])
    return [
        (f"{method} {path} {body} with {sent}: {status}", partial(fails, method, path, body))
        for method, path, body in asks
    ]


def auth(server: Server) -> Checks:
    forbidden = {"type": "permission_error", "code": "invalid_api_key"}
    right = {"Authorization": "Bearer test-key"}

    def let_in(endpoint: str) -> None:
        check(server, Ask(endpoint, {}), **right)

    def let_in_by_key() -> None:
        path = "/openai/deployments/dep-1/chat/completions"
        check(server, Ask("chat", {}, model="dep-1"), path, **{"api-key": "test-key"})

    return [
        *everywhere(server, 403, **forbidden),
        *everywhere(server, 403, {"Authorization": "Bearer wrong"}, **forbidden),
        *((f"{endpoint} with the key", partial(let_in, endpoint)) for endpoint in PATHS),
        ("Azure's header", let_in_by_key),
    ]


def failures(server: Server) -> Checks:
    return everywhere(server, 500, type="server_error", code="internal_server_error", param=None)


def limited(server: Server) -> Checks:
    """The limit begins a second after the start."""
    time.sleep(max(0, server.started + 1.1 - time.monotonic()))

    def says_when() -> None:
        same("Retry-After", post(server, "chat", HELLO).headers["Retry-After"], "1")

    error = {"type": "server_error", "code": "internal_server_error", "param": None}
    return [*everywhere(server, 429, **error), ("Retry-After", says_when)]


def strict(server: Server) -> Checks:
    model = {"model": "gpt-4o"}
    no_model = "you must provide a model parameter"
    subjects = {"chat": "messages", "embeddings": "input", "moderations": "input"}

    def says(endpoint: str, body: Any, message: str, **error: Any) -> None:
        told = refused(post(server, endpoint, body), 400, type="invalid_request_error", **error)
        same("message", told, message)

    checks: Checks = []
    for endpoint in ("chat", "embeddings"):
        body = {subjects[endpoint]: MESSAGES if endpoint == "chat" else "Hello"}
        checks.append((f"{endpoint} without a model", partial(says, endpoint, body, no_model)))
    for endpoint, field in subjects.items():
        missing = partial(
            says,
            endpoint,
            model,
            f"Missing required parameter: '{field}'.",
            code="missing_required_parameter",
            param=field,
        )
        checks.append((f"{endpoint} without {field}", missing))
    for value, got in (("2", "a string"), (True, "a boolean")):
        body = {**model, **HELLO, "n": value}
        message = f"Invalid type for 'n': expected an integer, but got {got} instead."
        wrong = partial(says, "chat", body, message, code="invalid_type", param="n")
        checks.append((f"chat n={value!r}", wrong))
    return checks
