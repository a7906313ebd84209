"""Checks of responses beyond their schema: the requested length, number and form, and consistent
numbers."""

import base64
import json
import math
import struct
from typing import Any, Callable, NamedTuple

from jsonschema import Draft202012Validator

import streams
from description import conforms, first_error, reference_of
from checking import Failed, same, that
from server import Answer, Server, parsed

Json = dict[str, Any]

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
# A limit that truncates every text, and one that truncates none.
NARROW, WIDE = 3, 100_000
AUTO_TOKENS = range(100, 500)
INCLUDE_LOGPROBS = "message.output_text.logprobs"


class Ask(NamedTuple):
    """A request, with the expectations for its response that do not follow from its body."""

    endpoint: str
    body: Json
    calls: str | None = None  # the function that must be called
    schema: Any = None  # what the arguments, or the text, must satisfy
    says: str | None = None  # the exact text, if it is known
    model: str | None = None  # the model, if the path names it

    @property
    def stream(self) -> bool:
        return self.body.get("stream", False)

    @property
    def include_usage(self) -> bool:
        return (self.body.get("stream_options") or {}).get("include_usage", False)

    @property
    def limit(self) -> int | None:
        return min((self.body[name] for name in LIMITS if name in self.body), default=None)

    @property
    def cut(self) -> bool:
        return self.limit is not None and self.limit <= NARROW

    @property
    def json(self) -> bool:
        return self.schema is not None

    @property
    def choices(self) -> int:
        inputs = count_of(self.body.get("prompt")) if self.endpoint == "completions" else 1
        return inputs * self.body.get("n", 1)

    @property
    def logprobs(self) -> int | None:
        """Returns the number of alternatives per token; None if no probabilities are requested."""
        if self.endpoint == "completions":
            return self.body.get("logprobs")
        asked = self.body.get("logprobs") or INCLUDE_LOGPROBS in self.body.get("include", [])
        return self.body.get("top_logprobs", 0) if asked else None


def count_of(value: Any) -> int:
    """Returns the number of inputs in a value. A list of token numbers is one, and so is a mix of
    texts and images in a moderation."""
    many = isinstance(value, list) and not isinstance(value[0], (int, dict))
    return len(value) if many else 1


class Choice(NamedTuple):
    text: str
    reason: str
    called: str | None
    tokens: list[str] | None  # the tokens in the logprobs, if there are any


# --- generated responses ---------------------------------------------------------------------


def generated(server: Server, ask: Ask, answer: Answer) -> None:
    """Checks a chat completion, a completion or a response, streamed or not."""
    if ask.stream:
        whole, pieces = streamed(ask, answer)
    else:
        whole, pieces = answer.json(), None
    conforms(whole, reference_of(PATHS[ask.endpoint], "post", "application/json"))
    wanted = ask.model or ask.body.get("model")
    that(wanted in (None, whole["model"]), f"model is {whole['model']}, wanted {wanted}")
    choices = {"chat": chat, "completions": completion, "responses": response}[ask.endpoint](
        ask, whole
    )
    same("choices", len(choices), ask.choices)
    for choice in choices:
        judge(server, ask, choice)
    if not ask.stream or ask.endpoint == "responses" or ask.include_usage:
        judge_usage(server, ask, whole["usage"], choices, pieces)
    if pieces is not None:
        judge_pieces(server, ask, choices[0], pieces)


def streamed(ask: Ask, answer: Answer) -> tuple[Json, list[str]]:
    if ask.endpoint == "responses":
        return streams.responses(answer)
    read = streams.chat if ask.endpoint == "chat" else streams.completions
    return read(answer, ask.include_usage)


def chat(ask: Ask, whole: Json) -> list[Choice]:
    same("indexes", [choice["index"] for choice in whole["choices"]], list(range(ask.choices)))
    return [chat_choice(ask, choice) for choice in whole["choices"]]


def chat_choice(ask: Ask, choice: Json) -> Choice:
    message, told = choice["message"], choice["logprobs"]
    tokens = None if told is None else chat_tokens(told["content"], ask.logprobs)
    if "tool_calls" not in message:
        that(isinstance(message["content"], str), "there is neither a text nor a call")
        return Choice(message["content"], choice["finish_reason"], None, tokens)
    same("content with a call", message["content"], None)
    same("calls", len(message["tool_calls"]), 1)
    call = message["tool_calls"][0]
    that(call["id"].startswith("call_mock"), f"the call's id is {call['id']}")
    function = call["function"]
    return Choice(function["arguments"], choice["finish_reason"], function["name"], tokens)


def completion(ask: Ask, whole: Json) -> list[Choice]:
    same("indexes", [choice["index"] for choice in whole["choices"]], list(range(ask.choices)))
    return [
        Choice(
            choice["text"],
            choice["finish_reason"],
            None,
            None if choice["logprobs"] is None else legacy_tokens(choice["logprobs"], ask.logprobs),
        )
        for choice in whole["choices"]
    ]


REASONS = {("completed", None): "stop", ("incomplete", "max_output_tokens"): "length"}


def response(ask: Ask, whole: Json) -> list[Choice]:
    why = (whole["incomplete_details"] or {}).get("reason")
    that((whole["status"], why) in REASONS, f"status is {whole['status']} because of {why}")
    reason = REASONS[whole["status"], why]
    (item,) = whole["output"]
    same("status of the item", item["status"], whole["status"])
    if item["type"] == "function_call":
        that(item["call_id"].startswith("call_mock"), f"call_id is {item['call_id']}")
        # Chats indicate it by the finish reason, responses by the type of item.
        reason = "tool_calls" if reason == "stop" else reason
        return [Choice(item["arguments"], reason, item["name"], None)]
    same("the message within", item["message"]["content"], item["content"])
    (part,) = item["content"]
    tokens = chat_tokens(part["logprobs"], ask.logprobs) if part["logprobs"] else None
    return [Choice(part["text"], reason, None, tokens)]


def judge(server: Server, ask: Ask, choice: Choice) -> None:
    """Checks the text of one choice and its length."""
    same("the function", choice.called, ask.calls)
    done = "tool_calls" if ask.calls else "stop"
    same("reason of the end", choice.reason, "length" if ask.cut else done)
    that(choice.text, "the text is empty")
    if ask.logprobs is None or ask.calls:
        same("logprobs", choice.tokens, None)
    else:
        that(choice.tokens, "logprobs are missing")
        same("the tokens of the logprobs", "".join(choice.tokens), choice.text)
    if ask.json and not ask.cut:
        satisfies(choice.text, ask.schema)
    elif not ask.json and ask.says is None:
        judge_words(server, ask, len(choice.text.split(" ")))
    if ask.says is not None:
        same("the text", choice.text, ask.says)
    elif server.repeats and (ask.stream or ask.limit):
        judge_against(choice.text, plain_text(server, ask), ask.cut)


def satisfies(text: str, schema: Any) -> None:
    wrong = first_error(parsed(text), Draft202012Validator(schema))
    that(wrong is None, f"{text[:200]} does not satisfy the requested schema: {wrong}")


def judge_words(server: Server, ask: Ask, words: int) -> None:
    least, most = server.tokens or (1, WIDE)
    if ask.limit is not None:
        least, most = min(least, ask.limit), min(most, ask.limit)
    if ask.cut:
        least = most
    that(least <= words <= most, f"the text has {words} words, wanted {least} to {most}")


def plain_text(server: Server, ask: Ask) -> str:
    """Returns the response to the same request without `stream` and limits."""
    dropped = ("stream", "stream_options", *LIMITS)
    body = {key: value for key, value in ask.body.items() if key not in dropped}
    plain = ask._replace(body=body)
    key = json.dumps([ask.endpoint, body])
    if key not in server.plain:
        whole = server.ask("/v1" + PATHS[ask.endpoint], body).json()
        read = {"chat": chat, "completions": completion, "responses": response}[ask.endpoint]
        server.plain[key] = read(plain, whole)[0].text
    return server.plain[key]


def judge_against(text: str, whole: str, cut: bool) -> None:
    if cut:
        that(whole.startswith(text) and text != whole, f"{text!r} does not begin {whole!r}")
    else:
        same("the text", text, whole)


def judge_usage(
    server: Server, ask: Ask, usage: Json, choices: list[Choice], pieces: list[str] | None
) -> None:
    prompt, completion = usage["prompt_tokens"], usage["completion_tokens"]
    same("total_tokens", usage["total_tokens"], prompt + completion)
    if ask.endpoint == "responses":
        same("input_tokens", usage["input_tokens"], prompt)
        same("output_tokens", usage["output_tokens"], completion)
    if not server.tokens and ask.limit is None:
        for name in ("prompt_tokens", "completion_tokens"):
            that(usage[name] in AUTO_TOKENS, f"{name} is {usage[name]}, not from 100 to 499")
        return
    subject = ask.body.get({"chat": "messages", "responses": "input"}.get(ask.endpoint, "prompt"))
    size = 0 if subject is None else len(json.dumps(subject))
    if isinstance(subject, str):
        size -= 2  # The quotes are not part of the text.
    same(f"prompt_tokens of {size} bytes", prompt, max(1, math.ceil(size / 4)))
    if not ask.json:
        words = sum(len(choice.text.split(" ")) for choice in choices)
        same("completion_tokens", completion, words)
    elif ask.cut:
        same("completion_tokens", completion, ask.limit * len(choices))
    elif pieces is not None and server.per_chunk == 1:
        same("completion_tokens", completion, len(pieces) * len(choices))


def judge_pieces(server: Server, ask: Ask, choice: Choice, pieces: list[str]) -> None:
    same("the pieces", "".join(pieces), choice.text)
    if ask.json:
        that(all(pieces), "a piece is empty")
        return
    words = choice.text.split(" ")
    size = server.per_chunk
    tokens = [word if at == 0 else " " + word for at, word in enumerate(words)]
    wanted = ["".join(tokens[at : at + size]) for at in range(0, len(tokens), size)]
    same("the pieces", pieces, wanted)


# --- probabilities ---------------------------------------------------------------------------


def chat_tokens(told: list[Json], others: int | None) -> list[str]:
    for entry in told:
        for one in (entry, *entry["top_logprobs"]):
            same("bytes", one["bytes"], list(one["token"].encode()))
            that(one["logprob"] <= 0, f"a logprob is {one['logprob']}")
        same("top_logprobs", len(entry["top_logprobs"]), others)
        ranked = [one["logprob"] for one in entry["top_logprobs"]]
        same("the order of top_logprobs", ranked, sorted(ranked, reverse=True))
        same("different tokens", len({one["token"] for one in entry["top_logprobs"]}), others)
    return [entry["token"] for entry in told]


def legacy_tokens(told: Json, others: int | None) -> list[str]:
    tokens = told["tokens"]
    offsets = [len("".join(tokens[:at])) for at in range(len(tokens))]
    same("text_offset", told["text_offset"], offsets)
    same("token_logprobs", len(told["token_logprobs"]), len(tokens))
    same("top_logprobs", [len(ranked) for ranked in told["top_logprobs"]], [others] * len(tokens))
    that(all(chance <= 0 for chance in told["token_logprobs"]), "a logprob is above 0")
    return tokens


# --- the other responses ---------------------------------------------------------------------


def embeddings(server: Server, ask: Ask, answer: Answer) -> None:
    whole = answer.json()
    encoded = ask.body.get("encoding_format") == "base64"
    deviations = frozenset(["base64"] if encoded else [])
    conforms(whole, reference_of("/embeddings", "post", "application/json"), deviations)
    inputs = count_of(ask.body.get("input"))
    same("indexes", [item["index"] for item in whole["data"]], list(range(inputs)))
    vectors = [vector_of(item["embedding"], encoded) for item in whole["data"]]
    size = ask.body.get("dimensions", 4096 if server.has("-big-payload") else 1536)
    for vector in vectors:
        same("numbers", len(vector), size)
        length = math.hypot(*vector)
        that(abs(length - 1) <= 1e-3, f"the length of a vector is {length}")
    # There are only two unit vectors with one number.
    if size > 1:
        same("different vectors", len(set(vectors)), inputs)
    same("total_tokens", whole["usage"]["total_tokens"], whole["usage"]["prompt_tokens"])
    if encoded:
        agrees(server, ask, vectors)


def vector_of(sent: Any, encoded: bool) -> tuple[float, ...]:
    """Returns the numbers of an embedding; in base64 they are little-endian floats of four
    bytes."""
    if not encoded:
        return tuple(sent)
    data = base64.b64decode(sent, validate=True)
    same("bytes beyond whole numbers", len(data) % 4, 0)
    return struct.unpack(f"<{len(data) // 4}f", data)


def agrees(server: Server, ask: Ask, vectors: list[tuple[float, ...]]) -> None:
    body = {**ask.body, "encoding_format": "float"}
    for item, vector in zip(server.ask("/v1/embeddings", body).json()["data"], vectors):
        apart = max(abs(a - b) for a, b in zip(item["embedding"], vector))
        that(apart <= 1e-6, f"as floats the numbers are {apart} apart")


def moderations(server: Server, ask: Ask, answer: Answer) -> None:
    whole = answer.json()
    conforms(whole, reference_of("/moderations", "post", "application/json"))
    same("results", len(whole["results"]), count_of(ask.body.get("input")))
    for result in whole["results"]:
        same("flagged", result["flagged"], False)
        same("categories that hold", [name for name, on in result["categories"].items() if on], [])


PATHS = {
    "chat": "/chat/completions",
    "responses": "/responses",
    "completions": "/completions",
    "embeddings": "/embeddings",
    "moderations": "/moderations",
}

JUDGES: dict[str, Callable[[Server, Ask, Answer], None]] = {
    "chat": generated,
    "responses": generated,
    "completions": generated,
    "embeddings": embeddings,
    "moderations": moderations,
}


def check(server: Server, ask: Ask, path: str | None = None, **headers: str) -> None:
    """Sends a request and checks the response; `path` overrides the usual one."""
    answer = server.ask(path or "/v1" + PATHS[ask.endpoint], ask.body, headers=headers)
    if answer.status != 200:
        raise Failed(f"status {answer.status}: {answer.body[:300]!r}")
    that(answer.headers["x-request-id"], "there is no x-request-id")
    JUDGES[ask.endpoint](server, ask, answer)


def refused(answer: Answer, status: int, **error: Any) -> str:
    """Returns the message of a response, which must be an error with this status and these
    fields."""
    same("status", answer.status, status)
    whole = answer.json()
    conforms(whole, "#/components/schemas/ErrorResponse")
    for name, value in error.items():
        same(f"{name} of the error", whole["error"][name], value)
    return whole["error"]["message"]
