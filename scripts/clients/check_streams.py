"""Checks of streams with the Python OpenAI client: chunks and events, their order and their
times."""

import asyncio
import time

import openai
from kit import (
    BIG,
    HELLO,
    ITL,
    MODEL,
    PACED,
    TOKENS,
    TTFT,
    async_client,
    chat,
    check,
    client,
    good_chat,
    good_logprobs,
    good_response,
    good_usage,
    respond,
    run,
    same,
    that,
)

ASKED = {"model": MODEL, "messages": HELLO}
WITH_USAGE = {"stream_options": {"include_usage": True}}
RESPONSE_EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


def text_of(chunks, index=0):
    choices = (choice for chunk in chunks for choice in chunk.choices if choice.index == index)
    return "".join(choice.delta.content or "" for choice in choices)


def good_chunks(chunks, text, reason="stop"):
    """Returns the chunks of a chat with one choice, except a last one with the usage."""
    same("different ids", len({chunk.id for chunk in chunks}), 1)
    same("objects", {chunk.object for chunk in chunks}, {"chat.completion.chunk"})
    same("models", {chunk.model for chunk in chunks}, {MODEL})
    choices = [chunk.choices[0] for chunk in chunks]
    same("first role", choices[0].delta.role, "assistant")
    reasons = [choice.finish_reason for choice in choices]
    same("finish_reasons", reasons, [None] * (len(chunks) - 1) + [reason])
    same("text", text_of(chunks), text)
    # One for the role, one for each word, one for the end.
    same("chunks", len(chunks), len(text.split()) + 2)


def good_events(events, text, last="response.completed"):
    """Returns the events of a response's stream, from created to the complete response."""
    same("sequence", [event.sequence_number for event in events], list(range(len(events))))
    kinds = [event.type for event in events]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    same("deltas", len(deltas), len(text.split()))
    first = kinds.index("response.output_text.delta")
    # The deltas are adjacent, so that all of them except one can be removed.
    same("events", kinds[: first + 1] + kinds[first + len(deltas) :], RESPONSE_EVENTS[:-1] + [last])
    same("text", "".join(deltas), text)
    done = next(event for event in events if event.type == "response.output_text.done")
    same("text when done", done.text, text)
    same("id at the end", events[-1].response.id, events[0].response.id)


def chat_text(**more):
    return chat(**more).choices[0].message.content


# --- chat ------------------------------------------------------------------------------------


@check("chat stream=True")
def _():
    chunks = list(chat(stream=True))
    good_chunks(chunks, chat_text())
    same("usages", {chunk.usage for chunk in chunks}, {None})


@check("chat stream with include_usage")
def _():
    *chunks, last = chat(stream=True, **WITH_USAGE)
    good_chunks(chunks, chat_text())
    same("usages before the end", {chunk.usage for chunk in chunks}, {None})
    same("choices of the last", last.choices, [])
    good_usage(last.usage)


@check("chat stream strict validation")
def _():
    by = client(_strict_response_validation=True)
    *chunks, last = chat(by, stream=True, **WITH_USAGE)
    good_chunks(chunks, chat_text())
    good_usage(last.usage)


@check("chat stream async, 50 at once")
def _():
    async def one(by):
        stream = await by.chat.completions.create(**ASKED, stream=True)
        return [chunk async for chunk in stream]

    async def go():
        async with async_client() as by:
            return await asyncio.gather(*(one(by) for _ in range(50)))

    text = chat_text()
    streams = asyncio.run(go())
    for chunks in streams:
        good_chunks(chunks, text)
    same("different ids", len({chunks[0].id for chunks in streams}), 50)


@check("chat stream n=3")
def _():
    chunks = list(chat(stream=True, n=3))
    for index in range(3):
        same(f"text {index}", text_of(chunks, index), chat_text())
    ends = [choice.index for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    same("ends", sorted(ends), [0, 1, 2])


@check("chat stream max_tokens=3")
def _():
    for limit in ("max_tokens", "max_completion_tokens"):
        *chunks, last = chat(stream=True, **{limit: 3}, **WITH_USAGE)
        good_chunks(chunks, " ".join(chat_text().split()[:3]), reason="length")
        same(f"{limit}: completion_tokens", last.usage.completion_tokens, 3)


@check("chat stream logprobs")
def _():
    chunks = list(chat(stream=True, logprobs=True, top_logprobs=2))
    told = [chunk.choices[0].logprobs for chunk in chunks]
    entries = [entry for logprobs in told if logprobs for entry in logprobs.content]
    good_logprobs(entries, text_of(chunks), top=2)


@check("chat stream big payload")
def _():
    good_chunks(list(chat(client(BIG), stream=True)), chat_text(by=client(BIG)))


@check("chat.completions.stream()")
def _():
    with client().chat.completions.stream(**ASKED, **WITH_USAGE) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    good_chat(final)
    text = chat_text()
    same("text", final.choices[0].message.content, text)
    same("deltas", "".join(e.delta for e in events if e.type == "content.delta"), text)
    same("done", [e.content for e in events if e.type == "content.done"], [text])


@check("chat.completions.stream() async")
def _():
    async def go():
        async with async_client() as by:
            async with by.chat.completions.stream(**ASKED, **WITH_USAGE) as stream:
                return await stream.get_final_completion()

    good_chat(asyncio.run(go()))


@check("chat stream left early")
def _():
    # The client then drops the connection; its next request must not get the rest.
    with client(PACED) as by:
        for _ in range(5):
            with chat(by, stream=True) as stream:
                next(stream)
            good_chat(chat(by), tokens=TOKENS)


# --- responses -------------------------------------------------------------------------------


@check("responses stream=True")
def _():
    good_events(list(respond(stream=True)), respond().output_text)


@check("responses stream strict validation")
def _():
    by = client(_strict_response_validation=True)
    good_events(list(respond(by, stream=True)), respond().output_text)


@check("responses stream async, 50 at once")
def _():
    async def one(by):
        stream = await by.responses.create(model=MODEL, input="Hello", stream=True)
        return [event async for event in stream]

    async def go():
        async with async_client() as by:
            return await asyncio.gather(*(one(by) for _ in range(50)))

    text = respond().output_text
    for events in asyncio.run(go()):
        good_events(events, text)
        good_response(events[-1].response)


@check("responses stream max_output_tokens=3")
def _():
    events = list(respond(stream=True, max_output_tokens=3))
    text = " ".join(respond().output_text.split()[:3])
    good_events(events, text, last="response.incomplete")
    final = events[-1].response
    same("status", final.status, "incomplete")
    same("reason", final.incomplete_details.reason, "max_output_tokens")
    same("output_tokens", final.usage.output_tokens, 3)


@check("responses stream logprobs")
def _():
    asked = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    events = list(respond(stream=True, **asked))
    text = events[-1].response.output_text
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    good_logprobs([entry for delta in deltas for entry in delta.logprobs], text, top=2)
    good_logprobs(events[-1].response.output[0].content[0].logprobs, text, top=2)


@check("responses.stream()")
def _():
    with client().responses.stream(model=MODEL, input="Hello") as stream:
        events = list(stream)
        final = stream.get_final_response()
    good_response(final)
    good_events(events, final.output_text)
    same("text", final.output_text, respond().output_text)
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    same("last snapshot", deltas[-1].snapshot, final.output_text)


@check("responses.stream() async")
def _():
    async def go():
        async with async_client() as by:
            async with by.responses.stream(model=MODEL, input="Hello") as stream:
                return await stream.get_final_response()

    good_response(asyncio.run(go()))


# --- completions -----------------------------------------------------------------------------


def complete(by=None, **more):
    asked = {"model": MODEL, "prompt": "Hello", **more}
    return (by or client()).completions.create(**asked)


@check("completions stream=True")
def _():
    *chunks, last = complete(stream=True, **WITH_USAGE)
    same("objects", {chunk.object for chunk in chunks}, {"text_completion"})
    text = "".join(chunk.choices[0].text for chunk in chunks)
    same("text", text, complete().choices[0].text)
    same("finish_reason", chunks[-1].choices[0].finish_reason, "stop")
    same("choices of the last", last.choices, [])
    good_usage(last.usage)


@check("completions stream of 2 prompts, max_tokens=3")
def _():
    chunks = list(complete(stream=True, prompt=["one", "two"], max_tokens=3))
    for index in range(2):
        choices = [chunk.choices[0] for chunk in chunks if chunk.choices[0].index == index]
        same(f"words {index}", len("".join(choice.text for choice in choices).split()), 3)
        same(f"finish_reason {index}", choices[-1].finish_reason, "length")


# --- time ------------------------------------------------------------------------------------
# Lateness depends on this machine, but no token may be early.


def never_early(start, arrivals):
    same("tokens", len(arrivals), TOKENS)
    for index, arrival in enumerate(arrivals):
        due = TTFT + index * ITL
        after = arrival - start
        that(after >= due, f"token {index} arrived after {after:.4f} s, before {due:.4f} s")


def paced(open_stream, has_token):
    with client(PACED) as by:
        chat(by)  # What a first call takes would hide a token that is early.
        start = time.perf_counter()
        never_early(start, [time.perf_counter() for part in open_stream(by) if has_token(part)])


@check("chat stream is never early")
def _():
    paced(lambda by: chat(by, stream=True), lambda chunk: chunk.choices[0].delta.content)


@check("responses stream is never early")
def _():
    is_delta = lambda event: event.type == "response.output_text.delta"
    paced(lambda by: respond(by, stream=True), is_delta)


@check("completions stream is never early")
def _():
    paced(lambda by: complete(by, stream=True), lambda chunk: chunk.choices[0].text)


@check("chat stream async is never early, 50 at once")
def _():
    async def one(by):
        start = time.perf_counter()
        stream = await by.chat.completions.create(**ASKED, stream=True)
        never_early(
            start,
            [time.perf_counter() async for chunk in stream if chunk.choices[0].delta.content],
        )

    async def go():
        async with async_client(PACED) as by:
            await asyncio.gather(*(one(by) for _ in range(50)))

    asyncio.run(go())


run("python streams", f"openai {openai.__version__}")
