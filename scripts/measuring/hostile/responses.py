"""Rows whose requests are small and whose responses are large or expensive to render."""

from .build import CHAT, COMPLETIONS, EMBEDDINGS, KIB, MODERATIONS, RESPONSES, chat, get, post
from .plain import CHAT_REQUEST
from .row import group, row

# The most tokens that -tokens allows.
TOKENS = ("-tokens", "100000")
RANDOM = ("-content", "random")
ECHO = ("-content", "echo")
# The most that -content echo repeats.
ECHO_MAX = 64 * KIB
# The most inputs of one request, and the most numbers of one embedding.
INPUTS = ["x"] * 2048
DIMENSIONS = 4096


def said(part, size=ECHO_MAX, **fields):
    """Returns a chat request whose message repeats a text up to a size, for the server to echo."""
    text = part * (size // len(part.encode()))
    return chat(messages=[{"role": "user", "content": text}], **fields)


def embedding(inputs, encoding):
    """Returns a maker of embedding requests, each with a different number of dimensions."""
    return lambda number: post(EMBEDDINGS, {
        "input": inputs, "encoding_format": encoding,
        # A step that is coprime to the range visits all of it before any value repeats.
        "dimensions": DIMENSIONS - number * 1021 % DIMENSIONS,
    })


def escapes(number):
    """Returns a chat request whose message consists of escapes."""
    return chat(messages=[{"role": "user", "content": "\0\u001f\n" * 3000}], n=number)


LOGPROBS = {"logprobs": True, "top_logprobs": 20}
RESPONSE_LOGPROBS = {
    "input": "x", "top_logprobs": 20, "include": ["message.output_text.logprobs"],
}
PROMPTS = {"prompt": ["x"] * 16, "n": 128}

ROWS = group(
    "responses",
    row("n: 128", chat(n=128)),
    row("n: 128, random words", chat(n=128), args=RANDOM),
    row("n: 128, 20 logprobs", chat(n=128, **LOGPROBS)),
    row("n: 128, 20 logprobs, random words", chat(n=128, **LOGPROBS), args=RANDOM),
    row("n: 128, 20 logprobs, 2380 tokens", chat(n=128, **LOGPROBS),
        args=(*RANDOM, "-tokens", "2380")),
    row("n: 128, 20 logprobs, streamed", chat(n=128, stream=True, **LOGPROBS), args=RANDOM),
    row("n: 128, 20 logprobs, 16 pipelined", chat(n=128, **LOGPROBS), args=RANDOM, depth=16),
    row("20 logprobs, too many tokens", chat(**LOGPROBS), "400 invalid_value",
        args=(*RANDOM, "-tokens", "2500")),
    row("responses: 20 logprobs, 2380 tokens", post(RESPONSES, RESPONSE_LOGPROBS),
        args=(*RANDOM, "-tokens", "2380")),
    row("responses: 20 logprobs, 2380 tokens, streamed",
        post(RESPONSES, {**RESPONSE_LOGPROBS, "stream": True}),
        args=(*RANDOM, "-tokens", "2380")),
    row("100,000 tokens", chat(), args=TOKENS),
    row("100,000 random tokens", chat(), args=(*RANDOM, *TOKENS)),
    row("100,000 tokens, streamed", chat(stream=True), args=TOKENS),
    row("100,000 random tokens, n: 128", chat(n=128), args=(*RANDOM, *TOKENS)),
    row("100,000 tokens, n: 128, streamed", chat(n=128, stream=True), args=TOKENS),
    row("100,000 tokens, limit of 1", chat(n=128, max_tokens=1), args=TOKENS),
    row("max_tokens of 10^18", chat(max_tokens=10**18)),
    row("tokens over the limit of a response", post(COMPLETIONS, PROMPTS), "400 invalid_value",
        args=TOKENS),
    row("responses: 100,000 tokens", post(RESPONSES, {"input": "x"}), args=TOKENS),
    row("2048 choices of a completion", post(COMPLETIONS, PROMPTS)),
    row("2048 choices, 5 logprobs", post(COMPLETIONS, {**PROMPTS, "logprobs": 5}), args=RANDOM),
    row("2048 choices, 10 KB each", post(COMPLETIONS, PROMPTS), args=("-big-payload",)),
    row("too many choices", post(COMPLETIONS, {"prompt": INPUTS, "n": 128}), "400 invalid_value"),
    row("n: 128, 10 KB each", chat(n=128), args=("-big-payload",)),
    row("10 KB, 64 pipelined", CHAT_REQUEST, args=("-big-payload",), depth=64),
    row("echo of 64 KB", said("word "), args=ECHO),
    row("echo of 64 KB, n: 128", said("word ", n=128), args=ECHO),
    row("echo of 64 KB of escapes, n: 128", lambda _: escapes(128), args=ECHO),
    row("echo of 64 KB of spaces, n: 128", said(" ", n=128), args=ECHO),
    row("echo of 64 KB, 4-byte characters", said("\U0001f600"), args=ECHO),
    row("echo of 64 KB, logprobs", said("w " * 8, size=4096, n=128, **LOGPROBS), args=ECHO),
    row("echo of 64 KB, streamed", said("w ", stream=True), args=ECHO),
    row("embeddings: 2048 of 4096, new dimensions, floats", embedding(INPUTS, "float"),
        varies=True),
    row("embeddings: 2048 of 4096, new dimensions, base64", embedding(INPUTS, "base64"),
        varies=True),
    row("embeddings: one, new dimensions, floats", embedding("x", "float"), varies=True),
    row("embeddings: one, new dimensions, base64", embedding("x", "base64"), varies=True),
    row("embeddings: one of 4096, 64 pipelined", post(EMBEDDINGS, {"dimensions": DIMENSIONS}),
        depth=64),
    row("moderations: 2048 texts", post(MODERATIONS, {"input": INPUTS})),
    row("models: list of 1000", get("/v1/models"),
        args=("-models", ",".join(f"model-{number:04}" for number in range(1000)))),
    row("models: name of 256 bytes", get("/v1/models/" + "m" * 256)),
    row("models: name of 256 escaped bytes", get("/v1/models/" + "%6d" * 256)),
    row("model of 256 bytes", post(CHAT, {"model": "m" * 256})),
    row("model of 256 bytes, n: 128, streamed",
        post(CHAT, {"model": "m" * 256, "n": 128, "stream": True})),
    row("model of 257 bytes", post(CHAT, {"model": "m" * 257}), "400 invalid_value"),
)
