"""Checks of responses with LangChain's ChatOpenAI and OpenAIEmbeddings, over both of OpenAI's
APIs."""

import asyncio
import functools
import operator
import time
import warnings

import langchain_core
import openai
from kit import (
    AUTH,
    EMBEDDING_MODEL,
    ITL,
    MODEL,
    PACED,
    PLAIN,
    SETTINGS,
    TOKENS,
    TTFT,
    Failed,
    chat,
    check,
    good_vector,
    is_a,
    run,
    same,
    that,
)
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from order import Order, PlainOrder

# LangChain uses the Responses API if it is configured to, and otherwise chat completions.
APIS = {"chat": False, "responses": True}
# A single event loop, since the models share connections, which don't outlive their loop.
LOOP = asyncio.new_event_loop()
# It copies parsed responses in a way that Pydantic warns about, with any server.
warnings.filterwarnings("ignore", "Pydantic serializer warnings", UserWarning)


@tool
def multiply(first: int, second: float) -> float:
    """Multiplies."""
    return first * second


@tool
def greet(name: str, politely: bool) -> str:
    """Greets."""
    return f"Dear {name}" if politely else name


def model(responses=False, base=PLAIN, key="test-key", **more) -> ChatOpenAI:
    settings = {**SETTINGS, "use_responses_api": responses, **more}
    return ChatOpenAI(model=MODEL, base_url=base + "/v1", api_key=key, **settings)


def embeddings(**more) -> OpenAIEmbeddings:
    # With the check of a text's length tiktoken would cut it into tokens, and for that fetch its
    # vocabulary from a server elsewhere; these checks call no server but mocker.
    settings = {**SETTINGS, "check_embedding_ctx_length": False, **more}
    asked = {"model": EMBEDDING_MODEL, "base_url": PLAIN + "/v1", "api_key": "test-key"}
    return OpenAIEmbeddings(**asked, **settings)


def wanted_text() -> str:
    return chat().choices[0].message.content


def good_message(message):
    same("text", message.text, wanted_text())
    same("model_name", message.response_metadata["model_name"], MODEL)
    usage = message.usage_metadata
    same("total_tokens", usage["total_tokens"], usage["input_tokens"] + usage["output_tokens"])


def joined(chunks):
    return functools.reduce(operator.add, chunks)


def good_calls(message, name):
    """Checks that only `name` is called, with valid arguments."""
    same("invalid calls", message.invalid_tool_calls, [])
    same("calls", [call["name"] for call in message.tool_calls], [name])
    call = message.tool_calls[0]
    that(call["id"].startswith("call_mock"), f"id is {call['id']}")
    function = {"multiply": multiply, "greet": greet}[name]
    function.args_schema.model_validate(call["args"], strict=True)
    result = function.invoke(call)
    is_a("result", result, ToolMessage)
    return result


def for_both(name):
    """Defines a check for each API: the function's argument is true for the Responses API."""

    def add(function):
        for api, responses in APIS.items():
            check(f"{api} {name}")(lambda responses=responses: function(responses))

    return add


# --- messages --------------------------------------------------------------------------------


@for_both("invoke")
def _(responses):
    good_message(model(responses).invoke("Hello"))


@for_both("ainvoke, 20 at once")
def _(responses):
    async def go():
        by = model(responses)
        return await asyncio.gather(*(by.ainvoke("Hello") for _ in range(20)))

    for message in LOOP.run_until_complete(go()):
        good_message(message)


@for_both("stream")
def _(responses):
    chunks = list(model(responses, stream_usage=True).stream("Hello"))
    good_message(joined(chunks))
    pieces = [chunk.text for chunk in chunks if chunk.text]
    same("pieces", len(pieces), len(wanted_text().split()))


@for_both("astream")
def _(responses):
    async def go():
        return [chunk async for chunk in model(responses, stream_usage=True).astream("Hello")]

    good_message(joined(LOOP.run_until_complete(go())))


@for_both("stream is never early")
def _(responses):
    by = model(responses, base=PACED)
    by.invoke("Hello")  # What a first call takes would hide a token that is early.
    start = time.perf_counter()
    arrivals = [time.perf_counter() for chunk in by.stream("Hello") if chunk.text]
    same("pieces", len(arrivals), TOKENS)
    for index, arrival in enumerate(arrivals):
        that(arrival - start >= TTFT + index * ITL, f"token {index} was early")


@for_both("max_tokens=3")
def _(responses):
    message = model(responses, max_tokens=3).invoke("Hello")
    same("words", len(message.text.split()), 3)
    same("output_tokens", message.usage_metadata["output_tokens"], 3)
    metadata = message.response_metadata
    if responses:
        same("status", metadata["status"], "incomplete")
    else:
        same("finish_reason", metadata["finish_reason"], "length")


@check("chat logprobs")
def _():
    message = model(logprobs=True, top_logprobs=2).invoke("Hello")
    tokens = [entry["token"] for entry in message.response_metadata["logprobs"]["content"]]
    same("tokens", "".join(tokens), message.text)


@for_both("wrong key")
def _(responses):
    try:
        message = model(responses, base=AUTH, key="wrong").invoke("Hello")
    except openai.PermissionDeniedError:
        return
    raise Failed(f"got {message.text}, expected PermissionDeniedError")


# --- tools and structured outputs ------------------------------------------------------------


@for_both("bind_tools, tool_choice required")
def _(responses):
    by = model(responses).bind_tools([multiply, greet], tool_choice="required")
    good_calls(by.invoke("Hello"), "multiply")


@for_both("bind_tools, tool_choice named, strict")
def _(responses):
    by = model(responses).bind_tools([multiply, greet], tool_choice="greet", strict=True)
    good_calls(by.invoke("Hello"), "greet")


@for_both("bind_tools, streamed")
def _(responses):
    by = model(responses).bind_tools([multiply, greet], tool_choice="greet")
    chunks = list(by.stream("Hello"))
    good_calls(joined(chunks), "greet")
    pieces = [piece for chunk in chunks for piece in chunk.tool_call_chunks]
    that(len(pieces) > 2, "the arguments arrived in one piece")


@for_both("a tool's result")
def _(responses):
    by = model(responses)
    called = by.bind_tools([greet], tool_choice="required").invoke("Hello")
    result = good_calls(called, "greet")
    is_a("message", called, AIMessage)
    good_message(by.bind_tools([greet]).invoke([HumanMessage("Hello"), called, result]))


@for_both("with_structured_output, json_schema")
def _(responses):
    by = model(responses).with_structured_output(Order, method="json_schema")
    is_a("answer", by.invoke("Hello"), Order)


@for_both("with_structured_output, function_calling")
def _(responses):
    # For a function, LangChain replaces a recursive model with {}, which anything satisfies.
    by = model(responses).with_structured_output(PlainOrder, method="function_calling")
    is_a("answer", by.invoke("Hello"), PlainOrder)


@for_both("with_structured_output, streamed")
def _(responses):
    by = model(responses).with_structured_output(Order)
    is_a("answer", list(by.stream("Hello"))[-1], Order)


# --- embeddings ------------------------------------------------------------------------------


@check("embed_query")
def _():
    good_vector(embeddings().embed_query("Hello"))
    good_vector(embeddings(dimensions=256).embed_query("Hello"), size=256)


@check("embed_documents")
def _():
    vectors = embeddings(chunk_size=2).embed_documents(["one", "two", "three"])
    same("vectors", len(vectors), 3)
    for vector in vectors:
        good_vector(vector)


@check("aembed_documents")
def _():
    vectors = LOOP.run_until_complete(embeddings().aembed_documents(["one", "two"]))
    same("vectors", len(vectors), 2)
    for vector in vectors:
        good_vector(vector)


run("langchain", f"langchain-core {langchain_core.__version__}, openai {openai.__version__}")
