"""The requests whose successful responses are checked: combinations of the values of fields."""

from itertools import product
from typing import Any, Iterator

from answers import INCLUDE_LOGPROBS, NARROW, PATHS, WIDE, Ask

Named = Iterator[tuple[str, Ask]]

SAID = "Say \"hello\" to the w\u00f6rld, please: it's \U0001f600 today."
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": SAID}]
STREAMS = (False, True)
JSON_OBJECT = {"type": "object"}


def an_object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT, NUMBER = {"type": "string"}, {"type": "number"}

SCHEMAS = {
    "flat": an_object(city=TEXT, celsius=NUMBER, rains={"type": "boolean"}),
    "nested": an_object(of=an_object(deeper=an_object(still=TEXT, count={"type": "integer"}))),
    "arrays": an_object(
        few={"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 3},
        rows={"type": "array", "items": an_object(name=TEXT), "minItems": 1},
    ),
    "enum": an_object(unit={"enum": ["celsius", "kelvin"]}, mode={"type": "string", "const": "x"}),
    "bounds": an_object(
        age={"type": "integer", "minimum": 18, "maximum": 18},
        share={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        even={"type": "integer", "multipleOf": 7, "minimum": 50},
        word={"type": "string", "minLength": 30, "maxLength": 40},
    ),
    "or null": an_object(
        maybe={"anyOf": [TEXT, {"type": "null"}]}, also={"type": ["integer", "null"]}
    ),
    "references": {
        **an_object(start={"$ref": "#/$defs/point"}, end={"$ref": "#/$defs/point"}),
        "$defs": {"point": an_object(x=NUMBER, y=NUMBER)},
    },
    "formats": an_object(
        when={"type": "string", "format": "date-time"}, who={"type": "string", "format": "email"}
    ),
    "a list that holds its like": {
        **an_object(root={"$ref": "#/$defs/node"}),
        "$defs": {
            "node": an_object(
                value=TEXT, nodes={"type": "array", "items": {"$ref": "#/$defs/node"}}
            )
        },
    },
    "a value that may hold its like": {
        **an_object(next={"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
    },
    "no properties": {"type": "object", "properties": {}, "additionalProperties": False},
}


def named(endpoint: str, more: dict[str, Any]) -> str:
    told = [f"{name}={value}" for name, value in more.items() if name != "stream_options"]
    return " ".join([endpoint, *told, *["include_usage"] * ("stream_options" in more)])


def body(stream: bool, include_usage: bool = False, **more: Any) -> dict[str, Any]:
    """Returns only the fields that are set: an absent field is a different case from a false
    one."""
    made = {name: value for name, value in more.items() if value is not None}
    if include_usage:
        made["stream_options"] = {"include_usage": True}
    return {**made, "stream": True} if stream else made


def chats() -> Named:
    limits = ({}, {"max_tokens": NARROW}, {"max_completion_tokens": NARROW}, {"max_tokens": WIDE})
    forms = ((False, False), (True, False), (True, True))
    for form, n, limit, others in product(forms, (1, 2, 3), limits, (None, 0, 5, 20)):
        # Twenty probabilities for each word of three complete choices take long to check.
        if others == 20 and n > 1 and limit.get("max_tokens") != NARROW:
            continue
        told = {} if others is None else {"logprobs": True, "top_logprobs": others}
        made = body(*form, n=n, **limit, **told)
        yield named("chat", made), Ask("chat", {"messages": MESSAGES, **made})


def responses() -> Named:
    include = [INCLUDE_LOGPROBS]
    limits = (None, NARROW, WIDE)
    inputs = {"text": SAID, "messages": MESSAGES}
    for stream, limit, others, what in product(STREAMS, limits, (None, 0, 5, 20), inputs):
        told = {} if others is None else {"include": include, "top_logprobs": others}
        made = body(stream, max_output_tokens=limit, **told)
        name = named(f"responses input={what}", made)
        yield name, Ask("responses", {"input": inputs[what], **made})


def completions() -> Named:
    forms = ((False, False), (True, False), (True, True))
    prompts = ("Hello", ["one", "two"], [1, 2, 3], [[1], [2, 3]])
    for form, prompt, n, limit, others in product(
        forms, prompts, (1, 2, 3), (None, NARROW), (None, 0, 5)
    ):
        made = body(*form, prompt=prompt, n=n, max_tokens=limit, logprobs=others)
        yield named("completions", made), Ask("completions", made)


def embeddings() -> Named:
    inputs = ("Hello", ["one", "two", "three"], [1, 2, 3], [[1], [2, 3]])
    for value, encoding, size in product(inputs, (None, "float", "base64"), (None, 1, 256, 4096)):
        made = body(False, input=value, encoding_format=encoding, dimensions=size)
        yield named("embeddings", made), Ask("embeddings", made)


def moderations() -> Named:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    inputs = {
        "text": "Hello",
        "texts": ["one", "two"],
        "an object": [{"type": "text", "text": "Hello"}],
        "objects": [{"type": "text", "text": "Hello"}, image],
    }
    for what, model in product(inputs, (None, "omni-moderation-latest", "text-moderation-stable")):
        made = body(False, input=inputs[what], model=model)
        yield f"moderations input={what} model={model}", Ask("moderations", made)


# --- functions and formats -------------------------------------------------------------------


def function(endpoint: str, name: str, parameters: Any) -> dict[str, Any]:
    """Returns a tool in the format of an endpoint: in chats it is one level deeper."""
    made = {"name": name} if parameters is None else {"name": name, "parameters": parameters}
    if endpoint == "chat":
        return {"type": "function", "function": made}
    return {"type": "function", **made}


def allowed(endpoint: str, mode: str, name: str) -> dict[str, Any]:
    choice = {"mode": mode, "tools": [function(endpoint, name, None)]}
    if endpoint == "chat":
        return {"type": "allowed_tools", "allowed_tools": choice}
    return {"type": "allowed_tools", **choice}


def asking(endpoint: str, **more: Any) -> dict[str, Any]:
    return {**({"messages": MESSAGES} if endpoint == "chat" else {"input": MESSAGES}), **more}


def choices_of(endpoint: str, name: str) -> dict[str, Any]:
    """Returns each form of `tool_choice` that requires a call of the function `name`."""
    return {
        "named": function(endpoint, name, None),
        "allowed": allowed(endpoint, "required", name),
    }


def calls() -> Named:
    for endpoint, stream, what in product(("chat", "responses"), STREAMS, SCHEMAS):
        other = {"other": an_object(unlike=TEXT)}
        tools = [function(endpoint, "first", SCHEMAS[what])]
        tools += [function(endpoint, name, schema) for name, schema in other.items()]
        forms = {"required": "required", **choices_of(endpoint, "first")}
        for form, choice in forms.items():
            made = body(stream, tools=tools, tool_choice=choice)
            ask = Ask(endpoint, asking(endpoint, **made), "first", SCHEMAS[what])
            yield f"{endpoint} stream={stream} calls {what}, tool_choice={form}", ask
        for form, choice in choices_of(endpoint, "other").items():
            made = body(stream, tools=tools, tool_choice=choice)
            ask = Ask(endpoint, asking(endpoint, **made), "other", other["other"])
            yield f"{endpoint} stream={stream} calls the second with {what}, {form}", ask


def more_calls() -> Named:
    """Returns fields that can be combined with a call."""
    for endpoint, stream in product(("chat", "responses"), STREAMS):
        limit = {"chat": "max_completion_tokens", "responses": "max_output_tokens"}[endpoint]
        tools = {"tools": [function(endpoint, "first", SCHEMAS["flat"])], "tool_choice": "required"}
        told = {"logprobs": True} if endpoint == "chat" else {"include": [INCLUDE_LOGPROBS]}
        extras: list[dict[str, Any]] = [{limit: 1}, {limit: WIDE}, told]
        if endpoint == "chat":
            extras += [{"n": 3}, {"n": 2, "max_tokens": 1}]
        for extra in extras:
            made = body(stream, include_usage=stream and endpoint == "chat", **tools, **extra)
            ask = Ask(endpoint, asking(endpoint, **made), "first", SCHEMAS["flat"])
            yield f"{named(endpoint, {'stream': stream, **extra})} with a call", ask
        bare = body(stream, tools=[function(endpoint, "bare", None)], tool_choice="required")
        yield (
            f"{endpoint} stream={stream} calls a function without parameters",
            Ask(endpoint, asking(endpoint, **bare), "bare", JSON_OBJECT),
        )


def no_calls() -> Named:
    for endpoint, stream in product(("chat", "responses"), STREAMS):
        tools = [function(endpoint, "first", SCHEMAS["flat"])]
        choices = {
            "absent": None,
            "auto": "auto",
            "none": "none",
            "allowed auto": allowed(endpoint, "auto", "first"),
        }
        for form, choice in choices.items():
            made = body(stream, tools=tools, tool_choice=choice)
            yield (
                f"{endpoint} stream={stream} calls nothing, tool_choice={form}",
                Ask(endpoint, asking(endpoint, **made)),
            )


def format_of(endpoint: str, schema: Any) -> dict[str, Any]:
    """Returns the field that requires a text that satisfies a schema."""
    named = {"name": "answer", "strict": True, "schema": schema}
    if endpoint == "chat":
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    return {"text": {"format": {"type": "json_schema", **named}}}


def plain_format(endpoint: str, kind: str) -> dict[str, Any]:
    made = {"type": kind}
    return {"response_format": made} if endpoint == "chat" else {"text": {"format": made}}


def formats() -> Named:
    for endpoint, stream in product(("chat", "responses"), STREAMS):
        extras: list[dict[str, Any]] = [{}]
        if endpoint == "chat":
            extras += [{"n": 3}, {"max_tokens": 1}, {"logprobs": True, "top_logprobs": 5}]
        else:
            extras += [{"max_output_tokens": 1}, {"include": [INCLUDE_LOGPROBS]}]
        for what, extra in product(SCHEMAS, extras):
            # A text of one token can't be truncated.
            if what == "no properties" and {"max_tokens", "max_output_tokens"} & set(extra):
                continue
            made = body(stream, **format_of(endpoint, SCHEMAS[what]), **extra)
            name = f"{named(endpoint, {'stream': stream, **extra})} format={what}"
            yield name, Ask(endpoint, asking(endpoint, **made), schema=SCHEMAS[what])
        made = body(stream, **plain_format(endpoint, "json_object"))
        name = f"{endpoint} stream={stream} format=json_object"
        yield name, Ask(endpoint, asking(endpoint, **made), schema=JSON_OBJECT)
        made = body(stream, **plain_format(endpoint, "text"))
        yield f"{endpoint} stream={stream} format=text", Ask(endpoint, asking(endpoint, **made))


# --- all endpoints, briefly ------------------------------------------------------------------


def tour(model: str | None = None) -> Named:
    """Returns a few requests of each kind, for settings that affect all responses."""
    for stream, limit in product(STREAMS, (None, NARROW)):
        for endpoint in ("chat", "responses", "completions"):
            prompt = {"chat": "messages", "responses": "input", "completions": "prompt"}[endpoint]
            asked = {prompt: SAID if endpoint == "completions" else MESSAGES, "model": model}
            if limit:
                field = "max_output_tokens" if endpoint == "responses" else "max_tokens"
                asked[field] = limit
            if endpoint != "responses":
                asked["n"] = 2
            usage = stream and endpoint != "responses"
            yield (
                f"{endpoint} stream={stream} limit={limit}",
                Ask(endpoint, body(stream, usage, **asked)),
            )
    for encoding in ("float", "base64"):
        made = body(False, input=["one", "two"], encoding_format=encoding, model=model)
        yield f"embeddings {encoding}", Ask("embeddings", made)
    yield "moderations", Ask("moderations", body(False, input="Hello", model=model))


def tour_of_json(model: str | None = None) -> Named:
    """Returns a call and a structured text in each form, which settings for texts must not
    affect."""
    schema = SCHEMAS["references"]
    for endpoint, stream in product(("chat", "responses"), STREAMS):
        tools = [function(endpoint, "first", schema)]
        made = body(stream, model=model, tools=tools, tool_choice="required")
        ask = Ask(endpoint, asking(endpoint, **made), "first", schema)
        yield f"{endpoint} stream={stream} with a call", ask
        made = body(stream, model=model, **format_of(endpoint, schema))
        ask = Ask(endpoint, asking(endpoint, **made), schema=schema)
        yield f"{endpoint} stream={stream} with a format", ask


def routes() -> Iterator[tuple[str, Ask, str]]:
    """Returns requests of each endpoint on each of its paths, streamed or not."""
    for prefix, endpoint in product(("", "/v1", "/openai", "/openai/v1"), PATHS):
        for stream in STREAMS if endpoint in ("chat", "responses", "completions") else (False,):
            path = prefix + PATHS[endpoint]
            yield f"{path} stream={stream}", Ask(endpoint, body(stream)), path
    for endpoint in ("chat", "completions", "embeddings"):
        for stream in STREAMS if endpoint != "embeddings" else (False,):
            path = f"/openai/deployments/dep-1{PATHS[endpoint]}"
            ask = Ask(endpoint, body(stream, model="another"), model="dep-1")
            yield f"{path} stream={stream}", ask, path + "?api-version=2024-10-21"
