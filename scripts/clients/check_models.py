"""Fills every Pydantic model of the tables through each way in which the Python OpenAI client
requests one. Pydantic validates the content."""

from collections.abc import Callable
from functools import partial
from typing import Any

import openai
import pydantic
from kit import HELLO, MODEL, chat, check, client, every, is_a, rejected, respond, run
from models_shapes import MODELS as SHAPES
from models_values import MODELS as VALUES
from openai import pydantic_function_tool
from pydantic import BaseModel

MODELS = {**VALUES, **SHAPES}
# Models that reject some values that fit the schema of what they serialize to.
ONE_WAY = {"Aliases", "Decimals", "JsonTexts"}
# Models that mocker rejects, and a word of its reason.
REJECTED = {"Lookarounds": "look-around"}

Model = type[BaseModel]
CALLED = {"tool_choice": "required"}


# --- with the client's own conversion to a strict schema -------------------------------------


def chat_parse(model: Model):
    asked = {"model": MODEL, "messages": HELLO, "response_format": model}
    return client().chat.completions.parse(**asked).choices[0].message.parsed


def responses_parse(model: Model):
    asked = {"model": MODEL, "input": "Hello", "text_format": model}
    return client().responses.parse(**asked).output_parsed


def chat_tool(model: Model):
    tools = [pydantic_function_tool(model, name="fill")]
    asked = {"model": MODEL, "messages": HELLO, "tools": tools, **CALLED}
    message = client().chat.completions.parse(**asked).choices[0].message
    return message.tool_calls[0].function.parsed_arguments


def responses_tool(model: Model):
    tools = [pydantic_function_tool(model, name="fill")]
    asked = {"model": MODEL, "input": "Hello", "tools": tools, **CALLED}
    return client().responses.parse(**asked).output[0].parsed_arguments


# --- with Pydantic's own schema, which need not be strict ------------------------------------


def read(model: Model, text: str):
    """Parses `text` strictly: by default, Pydantic would accept "1" for 1."""
    return model.model_validate_json(text, strict=True)


def plain_chat(model: Model):
    format = {"name": "it", "schema": model.model_json_schema()}
    answer = chat(response_format={"type": "json_schema", "json_schema": format})
    return read(model, answer.choices[0].message.content)


def plain_responses(model: Model):
    mode = "validation" if model.__name__ in ONE_WAY else "serialization"
    format = {"name": "it", "schema": model.model_json_schema(mode=mode), "strict": False}
    answer = respond(text={"format": {"type": "json_schema", **format}})
    return read(model, answer.output_text)


def plain_tool(model: Model):
    function = {"name": "fill", "parameters": model.model_json_schema()}
    answer = chat(tools=[{"type": "function", "function": function}], **CALLED)
    return read(model, answer.choices[0].message.tool_calls[0].function.arguments)


WAYS: dict[str, Callable[[Model], Any]] = {
    "chat parse()": chat_parse,
    "responses parse()": responses_parse,
    "chat tool": chat_tool,
    "responses tool": responses_tool,
    "plain chat": plain_chat,
    "plain responses": plain_responses,
    "plain tool": plain_tool,
}


def fill(model: Model, way: Callable[[Model], Any]):
    is_a("the parsed value", way(model), model)


for name, model in MODELS.items():
    ways = {way: partial(fill, model, WAYS[way]) for way in WAYS}
    if word := REJECTED.get(name):
        ways = {way: partial(rejected, fill, word) for way, fill in ways.items()}
    check(name)(partial(every, ways))

run("python models", f"openai {openai.__version__}, pydantic {pydantic.__version__}")
