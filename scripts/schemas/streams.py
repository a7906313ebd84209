"""Assembles the events of a stream into the response that the same request gets without `stream`,
and checks that each event conforms to OpenAI's description and is in the right place."""

from typing import Any, Callable

from description import conforms, events, reference_of
from checking import same, that
from server import Answer, parsed

Json = dict[str, Any]

# The fields that all chunks of a stream share.
SHARED = ("id", "object", "created", "model", "system_fingerprint")


def chunks_of(answer: Answer) -> list[Json]:
    told = answer.events()
    same("the last event", told[-1], (None, "[DONE]"))
    same("names of events", {name for name, _ in told}, {None})
    return [parsed(data) for _, data in told[:-1]]


def assembled(chunks: list[Json], include_usage: bool, add: Callable[[Json, Json], None]) -> Json:
    """Assembles a response from chunks; `add` appends a choice of a chunk to the accumulated
    one."""
    first = chunks[0]
    whole = {key: value for key, value in first.items() if key not in ("choices", "usage")}
    choices: dict[int, Json] = {}
    if include_usage:
        *chunks, last = chunks
        same("choices with the usage", last["choices"], [])
        whole["usage"] = last["usage"]
        shared_by(first, last)
    for chunk in chunks:
        shared_by(first, chunk)
        same("usage of a chunk", chunk.get("usage", "absent"), None if include_usage else "absent")
        same("choices of a chunk", len(chunk["choices"]), 1)
        part = chunk["choices"][0]
        choice = choices.setdefault(part["index"], {"index": part["index"], "finish_reason": None})
        that(choice["finish_reason"] is None, "a choice goes on after its finish_reason")
        add(choice, part)
        choice["finish_reason"] = part["finish_reason"]
    for choice in choices.values():
        that(choice["finish_reason"] is not None, "a choice has no finish_reason")
    whole["choices"] = [choices[index] for index in sorted(choices)]
    return whole


def shared_by(first: Json, chunk: Json) -> None:
    for key in SHARED:
        same(f"{key} of a chunk", chunk[key], first[key])


# --- chat ------------------------------------------------------------------------------------


def chat(answer: Answer, include_usage: bool) -> tuple[Json, list[str]]:
    """Returns the response, and the pieces of its first choice."""
    chunks = chunks_of(answer)
    reference = reference_of("/chat/completions", "post", "text/event-stream")
    for chunk in chunks:
        conforms(chunk, reference)
    pieces: list[str] = []

    def add(choice: Json, part: Json) -> None:
        if "message" not in choice:
            begin_message(choice, part)
            return
        delta = part["delta"]
        if part["finish_reason"] is not None:
            same("the last delta", delta, {})
            same("logprobs of the last delta", part["logprobs"], None)
            return
        called = choice["message"].get("tool_calls")
        same("fields of a delta", set(delta), {"tool_calls" if called else "content"})
        if called:
            piece = arguments_in(delta)
            called[0]["function"]["arguments"] += piece
        else:
            piece = delta["content"]
            choice["message"]["content"] += piece
        join_logprobs(choice, part["logprobs"])
        if choice["index"] == 0:
            pieces.append(piece)

    whole = assembled(chunks, include_usage, add)
    whole["object"] = "chat.completion"
    return whole, pieces


def begin_message(choice: Json, part: Json) -> None:
    """Checks the first delta: the role, and the function if one is called."""
    delta = dict(part["delta"])
    same("role", delta.get("role"), "assistant")
    same("finish_reason of the first delta", part["finish_reason"], None)
    if "tool_calls" in delta:
        (call,) = delta["tool_calls"]
        call = {**call, "function": dict(call["function"])}
        same("index of the call", call.pop("index"), 0)
        same("the first arguments", call["function"]["arguments"], "")
        same("content with a call", delta["content"], None)
        delta["tool_calls"] = [call]
    else:
        same("content of the first delta", delta["content"], "")
    choice["message"] = {"refusal": None, **delta}
    choice["logprobs"] = part["logprobs"]


def arguments_in(delta: Json) -> str:
    (call,) = delta["tool_calls"]
    same("index of the call", call["index"], 0)
    same("fields of a later piece of a call", set(call), {"index", "function"})
    same("fields of its function", set(call["function"]), {"arguments"})
    return call["function"]["arguments"]


def join_logprobs(choice: Json, more: Json | None) -> None:
    if more is None:
        return
    if choice["logprobs"] is None:
        choice["logprobs"] = {key: None for key in more}
    for key, values in more.items():
        if values is not None:
            choice["logprobs"][key] = (choice["logprobs"][key] or []) + values


# --- legacy completions ----------------------------------------------------------------------


def completions(answer: Answer, include_usage: bool) -> tuple[Json, list[str]]:
    chunks = chunks_of(answer)
    reference = reference_of("/completions", "post", "application/json")
    for chunk in chunks:
        conforms(chunk, reference, deviations_of(chunk))
    pieces: list[str] = []

    def add(choice: Json, part: Json) -> None:
        choice.setdefault("text", "")
        choice.setdefault("logprobs", None)
        choice["text"] += part["text"]
        join_logprobs(choice, part["logprobs"])
        if choice["index"] == 0 and part["text"]:
            pieces.append(part["text"])

    return assembled(chunks, include_usage, add), pieces


def deviations_of(chunk: Json) -> frozenset[str]:
    """Returns the deviations that are accepted for this chunk."""
    found = set()
    if any(choice["finish_reason"] is None for choice in chunk["choices"]):
        found.add("no reason yet")
    if "usage" in chunk and chunk["usage"] is None:
        found.add("no usage yet")
    return frozenset(found)


# --- responses -------------------------------------------------------------------------------


class Sequence:
    """The events of a response, consumed one by one in the required order."""

    def __init__(self, answer: Answer):
        self.events = []
        for number, (name, data) in enumerate(answer.events()):
            event = parsed(data)
            same("name of an event", name, event["type"])
            that(name in events(), f"OpenAI describes no event {name}")
            conforms(event, events()[name])
            same(f"sequence_number of {name}", event["sequence_number"], number)
            self.events.append(event)
        self.at = 0

    def next(self, kind: str, **fields: Any) -> Json:
        that(self.at < len(self.events), f"the stream ends before {kind}")
        event = self.events[self.at]
        same("the next event", event["type"], kind)
        for name, value in fields.items():
            same(f"{name} of {kind}", event[name], value)
        self.at += 1
        return event

    def all(self, kind: str, **fields: Any) -> list[Json]:
        found = []
        while self.at < len(self.events) and self.events[self.at]["type"] == kind:
            found.append(self.next(kind, **fields))
        return found


def responses(answer: Answer) -> tuple[Json, list[str]]:
    sequence = Sequence(answer)
    begun = sequence.next("response.created")["response"]
    same("status when created", begun["status"], "in_progress")
    same("output when created", begun["output"], [])
    same("usage when created", begun.get("usage"), None)
    sequence.next("response.in_progress", response=begun)

    added = sequence.next("response.output_item.added", output_index=0)["item"]
    same("status of the item when added", added["status"], "in_progress")
    place = {"item_id": added["id"], "output_index": 0}
    item_of = {"message": message, "function_call": function_call}
    that(added["type"] in item_of, f"an item of type {added['type']}")
    item, pieces = item_of[added["type"]](sequence, added, place)

    status = item["status"]
    sequence.next("response.output_item.done", output_index=0, item=item)
    whole = sequence.next(f"response.{status}")["response"]
    same("events after the last", len(sequence.events) - sequence.at, 0)
    same("output in the end", whole["output"], [item])
    changing = ("status", "output", "usage", "incomplete_details")
    for key in set(begun) - set(changing):
        same(f"{key} in the end", whole[key], begun[key])
    return whole, pieces


def message(sequence: Sequence, added: Json, place: Json) -> tuple[Json, list[str]]:
    same("content when added", added["content"], [])
    place = {**place, "content_index": 0}
    part = sequence.next("response.content_part.added", **place)["part"]
    same("text when added", part["text"], "")
    deltas = sequence.all("response.output_text.delta", **place)
    pieces = [delta["delta"] for delta in deltas]
    part = {
        **part,
        "text": "".join(pieces),
        "logprobs": [entry for delta in deltas for entry in delta["logprobs"]],
    }
    told = {"text": part["text"], "logprobs": part["logprobs"]}
    sequence.next("response.output_text.done", **place, **told)
    sequence.next("response.content_part.done", **place, part=part)
    item = {**ended(sequence, added), "content": [part]}
    # The reference server also nests the same message in a field of that name.
    item["message"] = {"role": "assistant", "content": [part]}
    return item, pieces


def function_call(sequence: Sequence, added: Json, place: Json) -> tuple[Json, list[str]]:
    same("arguments when added", added["arguments"], "")
    deltas = sequence.all("response.function_call_arguments.delta", **place)
    pieces = [delta["delta"] for delta in deltas]
    told = {"arguments": "".join(pieces), "name": added["name"]}
    sequence.next("response.function_call_arguments.done", **place, **told)
    return {**ended(sequence, added), "arguments": told["arguments"]}, pieces


def ended(sequence: Sequence, added: Json) -> Json:
    """Returns the item with the final status according to the stream."""
    that(sequence.at < len(sequence.events), "the stream ends before its item does")
    done = sequence.events[sequence.at].get("item", {})
    that(done.get("status") in ("completed", "incomplete"), f"the item ends as {done}")
    return {**added, "status": done["status"]}
