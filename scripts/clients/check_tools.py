"""Checks of tool calls and structured outputs with the Python OpenAI client."""

import asyncio
import json

import openai
from kit import (
    HELLO,
    MODEL,
    async_client,
    chat,
    check,
    client,
    good_chat,
    good_response,
    good_usage,
    is_a,
    raises,
    respond,
    run,
    same,
    that,
)
from openai import pydantic_function_tool
from order import LOOKUP_SCHEMA, Comment, Fitted, Order, good_lookup, good_order

LOOKUP = {"name": "look-up_2", "description": "Looks up.", "parameters": LOOKUP_SCHEMA}
CHAT_LOOKUP = {"type": "function", "function": LOOKUP}
CHAT_ORDER = pydantic_function_tool(Order)
CHAT_TOOLS = [CHAT_LOOKUP, CHAT_ORDER]
# Responses have no "function" object around a function.
LOOKUP_TOOL = {"type": "function", "strict": True, **LOOKUP}
ORDER_TOOL = {"type": "function", **CHAT_ORDER["function"]}
TOOLS = [LOOKUP_TOOL, ORDER_TOOL]

CHAT_CHOICES = {
    "required": ("required", LOOKUP["name"]),
    "named": ({"type": "function", "function": {"name": "Order"}}, "Order"),
    "allowed_tools": (
        {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "Order"}}],
            },
        },
        "Order",
    ),
}
CHOICES = {
    "required": ("required", LOOKUP["name"]),
    "named": ({"type": "function", "name": "Order"}, "Order"),
    "allowed_tools": (
        {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "Order"}],
        },
        "Order",
    ),
}
FITS = {LOOKUP["name"]: good_lookup, "Order": good_order}
ASKED = {"model": MODEL, "messages": HELLO}
STRICTLY = {"_strict_response_validation": True}


# --- calls in chat ---------------------------------------------------------------------------


def good_call(answer, name):
    """Checks that a chat calls only `name`, with valid arguments."""
    choice = answer.choices[0]
    same("finish_reason", choice.finish_reason, "tool_calls")
    same("content", choice.message.content, None)
    same("calls", len(choice.message.tool_calls), 1)
    call = choice.message.tool_calls[0]
    that(call.id.startswith("call_mock"), f"id is {call.id}")
    same("type", call.type, "function")
    same("name", call.function.name, name)
    FITS[name](call.function.arguments)
    good_usage(answer.usage)
    return call


def chat_calls(choice, name):
    for by in (client(), client(**STRICTLY)):
        good_call(chat(by, tools=CHAT_TOOLS, tool_choice=choice), name)


def chat_calls_streamed(choice, name):
    usage = {"stream_options": {"include_usage": True}}
    asked = {"tools": CHAT_TOOLS, "tool_choice": choice, "stream": True, **usage}
    *chunks, last = chat(client(**STRICTLY), **asked)
    choices = [chunk.choices[0] for chunk in chunks]
    same("first role", choices[0].delta.role, "assistant")
    reasons = [choice.finish_reason for choice in choices]
    same("finish_reasons", reasons, [None] * (len(chunks) - 1) + ["tool_calls"])
    same("contents", {choice.delta.content for choice in choices}, {None})
    first, *pieces = [call for choice in choices for call in choice.delta.tool_calls or []]
    that(first.id.startswith("call_mock"), f"id is {first.id}")
    same("first piece", (first.type, first.function.name), ("function", name))
    same("arguments of the first piece", first.function.arguments, "")
    same("indexes", {piece.index for piece in (first, *pieces)}, {0})
    same("later ids and names", {(p.id, p.function.name) for p in pieces}, {(None, None)})
    that(len(pieces) > 1, "the arguments arrived in one piece")
    FITS[name]("".join(piece.function.arguments for piece in pieces))
    good_usage(last.usage)


for what, (choice, name) in CHAT_CHOICES.items():
    check(f"chat tool_choice {what}")(lambda c=choice, n=name: chat_calls(c, n))
    check(f"chat tool_choice {what}, streamed")(lambda c=choice, n=name: chat_calls_streamed(c, n))


@check("chat tools without a call: auto, none, absent")
def _():
    for more in ({"tool_choice": "auto"}, {"tool_choice": "none"}, {}):
        good_chat(chat(tools=CHAT_TOOLS, **more))


@check("chat with a tool's result")
def _():
    called = chat(tools=CHAT_TOOLS, tool_choice="required").choices[0].message
    result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "found"}
    good_chat(chat(tools=CHAT_TOOLS, messages=[*HELLO, called, result]))


@check("chat parse() of a Pydantic function")
def _():
    asked = {**ASKED, "tools": [CHAT_ORDER], "tool_choice": "required"}
    call = good_call(client().chat.completions.parse(**asked), "Order")
    is_a("parsed_arguments", call.function.parsed_arguments, Order)


@check("chat.completions.stream() of a Pydantic function")
def _():
    asked = {**ASKED, "tools": [CHAT_ORDER], "tool_choice": "required"}
    with client().chat.completions.stream(**asked) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        final = stream.get_final_completion()
    same("done", [event.name for event in done], ["Order"])
    is_a("parsed_arguments", done[0].parsed_arguments, Order)
    arguments = final.choices[0].message.tool_calls[0].function.parsed_arguments
    same("arguments at the end", arguments, done[0].parsed_arguments)


# --- calls in responses ----------------------------------------------------------------------


def good_function_call(answer, name):
    same("status", answer.status, "completed")
    same("output", [item.type for item in answer.output], ["function_call"])
    call = answer.output[0]
    that(call.call_id.startswith("call_mock"), f"call_id is {call.call_id}")
    that(call.id and call.id != call.call_id, f"id is {call.id}")
    same("name", call.name, name)
    same("status of the call", call.status, "completed")
    same("output_text", answer.output_text, "")
    FITS[name](call.arguments)
    return call


def responses_call(choice, name):
    for by in (client(), client(**STRICTLY)):
        good_function_call(respond(by, tools=TOOLS, tool_choice=choice), name)


def responses_call_streamed(choice, name):
    by = client(**STRICTLY)
    events = list(respond(by, tools=TOOLS, tool_choice=choice, stream=True))
    same("sequence", [event.sequence_number for event in events], list(range(len(events))))
    deltas = [e.delta for e in events if e.type == "response.function_call_arguments.delta"]
    that(len(deltas) > 1, "the arguments arrived in one piece")
    kinds = [event.type for event in events]
    # The deltas are adjacent from the fourth event on, so all of them except one can be removed.
    same(
        "events",
        kinds[:4] + kinds[3 + len(deltas) :],
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ],
    )
    call = good_function_call(events[-1].response, name)
    added, done = events[2].item, events[-2].item
    same("item added", (added.id, added.call_id, added.name), (call.id, call.call_id, name))
    same("arguments added", added.arguments, "")
    same("item done", done, call)
    same("deltas", "".join(deltas), call.arguments)
    same("arguments done", (events[-3].item_id, events[-3].arguments), (call.id, call.arguments))


for what, (choice, name) in CHOICES.items():
    check(f"responses tool_choice {what}")(lambda c=choice, n=name: responses_call(c, n))
    check(f"responses tool_choice {what}, streamed")(
        lambda c=choice, n=name: responses_call_streamed(c, n)
    )


@check("responses tools without a call: auto, none, absent")
def _():
    for more in ({"tool_choice": "auto"}, {"tool_choice": "none"}, {}):
        good_response(respond(tools=TOOLS, **more))


@check("responses with a tool's result")
def _():
    call = respond(tools=TOOLS, tool_choice="required").output[0]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "found"}
    good_response(respond(tools=TOOLS, input=[*HELLO, call, result]))


@check("responses parse() of a Pydantic function")
def _():
    asked = {"model": MODEL, "input": "Hello", "tools": [CHAT_ORDER], "tool_choice": "required"}
    call = good_function_call(client().responses.parse(**asked), "Order")
    is_a("parsed_arguments", call.parsed_arguments, Order)


@check("responses.stream() of a Pydantic function")
def _():
    asked = {"model": MODEL, "input": "Hello", "tools": [CHAT_ORDER], "tool_choice": "required"}
    with client().responses.stream(**asked) as stream:
        call = good_function_call(stream.get_final_response(), "Order")
    is_a("parsed_arguments", call.parsed_arguments, Order)


# --- structured outputs ----------------------------------------------------------------------


def good_parsed_chat(answer):
    good_chat(answer)
    good_order(answer.choices[0].message.content)
    is_a("parsed", answer.choices[0].message.parsed, Order)


def good_parsed_response(answer):
    good_response(answer)
    good_order(answer.output_text)
    is_a("output_parsed", answer.output_parsed, Order)


@check("chat parse() of a Pydantic model")
def _():
    for by in (client(), client(**STRICTLY)):
        good_parsed_chat(by.chat.completions.parse(**ASKED, response_format=Order))


@check("chat parse() of a Pydantic model, 20 at once")
def _():
    async def go():
        async with async_client() as by:
            calls = (by.chat.completions.parse(**ASKED, response_format=Order) for _ in range(20))
            for answer in await asyncio.gather(*calls):
                good_parsed_chat(answer)

    asyncio.run(go())


@check("chat.completions.stream() of a Pydantic model")
def _():
    usage = {"stream_options": {"include_usage": True}}
    with client().chat.completions.stream(**ASKED, response_format=Order, **usage) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    good_parsed_chat(final)
    that(len(deltas) > 1, "the content arrived in one piece")


@check("parse() of a Pydantic model that holds itself")
def _():
    answer = client().chat.completions.parse(**ASKED, response_format=Comment)
    is_a("parsed", answer.choices[0].message.parsed, Comment)
    answer = client().responses.parse(model=MODEL, input="Hello", text_format=Comment)
    is_a("output_parsed", answer.output_parsed, Comment)


@check("responses parse() of a Pydantic model")
def _():
    asked = {"model": MODEL, "input": "Hello"}
    for by in (client(), client(**STRICTLY)):
        good_parsed_response(by.responses.parse(**asked, text_format=Order))


@check("responses.stream() of a Pydantic model")
def _():
    asked = {"model": MODEL, "input": "Hello"}
    with client().responses.stream(**asked, text_format=Order) as stream:
        deltas = [event for event in stream if event.type == "response.output_text.delta"]
        good_parsed_response(stream.get_final_response())
    that(len(deltas) > 1, "the text arrived in one piece")


@check("json_object")
def _():
    answer = chat(response_format={"type": "json_object"})
    is_a("content", json.loads(answer.choices[0].message.content), dict)
    answer = respond(text={"format": {"type": "json_object"}})
    is_a("output_text", json.loads(answer.output_text), dict)


# --- impossible requests ---------------------------------------------------------------------


class Endless(Fitted):
    child: "Endless"


def json_schema(schema):
    return {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}


def refused(param, call):
    error = raises(openai.BadRequestError, 400, call)
    same("type", error.type, "invalid_request_error")
    that((error.param or "").startswith(param), f"param is {error.param}, wanted {param}...")


@check("chat refuses a call of an unknown function, and of none")
def _():
    named = {"type": "function", "function": {"name": "unknown"}}
    refused("tool_choice", lambda: chat(tools=CHAT_TOOLS, tool_choice=named))
    refused("tool", lambda: chat(tools=[], tool_choice="required"))
    refused("tool", lambda: chat(tool_choice="required"))


@check("responses refuse a call of an unknown function, and of none")
def _():
    named = {"type": "function", "name": "unknown"}
    refused("tool_choice", lambda: respond(tools=TOOLS, tool_choice=named))
    refused("tool", lambda: respond(tools=[], tool_choice="required"))
    refused("tool", lambda: respond(tool_choice="required"))


@check("chat refuses a schema that nothing fits, and one it cannot honour")
def _():
    parse = client().chat.completions.parse
    refused("response_format", lambda: parse(**ASKED, response_format=Endless))
    look_ahead = {"type": "string", "pattern": "^(?=a)"}
    for schema in (look_ahead, {"type": "object", "unevaluatedProperties": False}):
        format = json_schema({"type": "object", "properties": {"a": schema}, "required": ["a"]})
        refused("response_format", lambda: chat(response_format=format))


@check("responses refuse a schema that nothing fits")
def _():
    asked = {"model": MODEL, "input": "Hello", "text_format": Endless}
    refused("text", lambda: client().responses.parse(**asked))


run("python tools", f"openai {openai.__version__}")
