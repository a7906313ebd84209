"""Shared code of the Python checks. Each `check*.py` is a program that scripts/check-clients starts
as `check*.py PLAIN AUTH BIG PACED`: the addresses of a server without flags, of one with `-auth
"Bearer test-key"`, of one with `-big-payload` and of one with paced streams.

A program prints `ok   LABEL: NAME` or `FAIL LABEL: NAME : why` for each check and exits with 0 if
all ran, whatever the results; check-clients counts the lines."""

import math
import sys
import time
from collections.abc import Callable
from typing import Any

import openai
from checking import Failed, same, short, that
from checking import check as told
from openai import AsyncOpenAI, OpenAI

PLAIN, AUTH, BIG, PACED = sys.argv[1:5]
# How check-clients starts PACED: `-ttft 200 -itl 20 -tokens 10`.
TTFT, ITL, TOKENS = 0.2, 0.02, 10
MODEL = "gpt-4o-mini"
EMBEDDING_MODEL = "text-embedding-3-small"
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]

# No retries: a second attempt would hide an error of the first.
SETTINGS: dict[str, Any] = {"max_retries": 0, "timeout": 30}

checks: list[tuple[str, Callable[[], None]]] = []


def check(name: str):
    return lambda function: checks.append((name, function)) or function


def said(error: BaseException) -> str:
    """Describes an error with its causes, in which the clients hide the details."""
    if isinstance(error, Failed):
        return str(error)
    cause = f", caused by {said(error.__cause__)}" if error.__cause__ else ""
    return f"{type(error).__name__}: {error}{cause}"


def is_a(what: str, value, kind: type):
    that(isinstance(value, kind), f"{what} is {short(value)}, wanted {kind.__name__}")


def every(ways: dict[str, Callable[[], Any]]):
    """Tries every way before it fails, and names those that failed."""
    failures: dict[str, list[str]] = {}
    for name, way in ways.items():
        try:
            way()
        except Exception as error:  # Whatever a way ends with, the next ones are tried.
            failures.setdefault(said(error), []).append(name)
    if failures:
        raise Failed("; ".join(f"{', '.join(names)}: {why}" for why, names in failures.items()))


def rejected(way: Callable[[], Any], word: str):
    """Checks that the server rejects a request, and that its message has this word."""
    try:
        way()
    except Exception as error:  # The clients wrap the server's error in their own.
        that(word in str(error), f"the error is {error}")
        return
    raise Failed("it was not rejected")


# --- clients and their requests --------------------------------------------------------------


def client(base=PLAIN, key="test-key", **more) -> OpenAI:
    return OpenAI(base_url=base + "/v1", api_key=key, **SETTINGS, **more)


def async_client(base=PLAIN, **more) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=base + "/v1", api_key="test-key", **SETTINGS, **more)


def chat(by=None, **more):
    asked = {"model": MODEL, "messages": HELLO, **more}
    return (by or client()).chat.completions.create(**asked)


def respond(by=None, **more):
    asked = {"model": MODEL, "input": "Hello", **more}
    return (by or client()).responses.create(**asked)


def embed(texts="Hello", by=None, **more):
    return (by or client()).embeddings.create(model=EMBEDDING_MODEL, input=texts, **more)


def raises(kind, status, call):
    """Returns the error of `call`, which must be of `kind` and in OpenAI's format."""
    try:
        answer = call()
    except openai.APIConnectionError as error:
        raise Failed(f"no response but {said(error)}") from None
    except openai.APIStatusError as error:
        that(isinstance(error, kind), f"raised {error!r}, wanted {kind.__name__}")
        same("status", error.status_code, status)
        that(isinstance(error.body, dict), f"the body is not OpenAI's: {short(error.body)}")
        that(error.code, "the error has no code")
        that(error.body.get("message"), "the error has no message")
        that(error.request_id, "the error has no x-request-id")
        return error
    raise Failed(f"got {short(answer)}, expected {kind.__name__}")


# --- successful responses --------------------------------------------------------------------


def good_usage(usage):
    same("total_tokens", usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)


def good_logprobs(entries, text: str, top: int):
    """Checks the probabilities of each token: those of `text`, each the most probable of `top`."""
    same("tokens of the logprobs", "".join(entry.token for entry in entries), text)
    for entry in entries:
        that(entry.logprob <= 0, f"the logprob of {entry.token!r} is {entry.logprob}")
        same("bytes", bytes(entry.bytes).decode(), entry.token)
        same("top_logprobs", len(entry.top_logprobs), top)
        best = max(entry.top_logprobs, key=lambda other: other.logprob)
        same("the most probable", (best.token, best.logprob), (entry.token, entry.logprob))


def good_chat(answer, model=MODEL, choices=1, tokens=None):
    that(answer.id.startswith("cmpl-mock"), f"id is {answer.id}")
    same("object", answer.object, "chat.completion")
    same("model", answer.model, model)
    that(abs(answer.created - time.time()) <= 5, f"created is {answer.created}, not now")
    same("indexes", [choice.index for choice in answer.choices], list(range(choices)))
    for choice in answer.choices:
        same("finish_reason", choice.finish_reason, "stop")
        same("role", choice.message.role, "assistant")
        that(choice.message.content, "content is empty")
    good_usage(answer.usage)
    if tokens is not None:
        same("completion_tokens", answer.usage.completion_tokens, tokens)


def good_response(answer, model=MODEL):
    that(answer.id.startswith("resp-mock"), f"id is {answer.id}")
    same("object", answer.object, "response")
    same("model", answer.model, model)
    same("status", answer.status, "completed")
    that(abs(answer.created_at - time.time()) <= 5, f"created_at is {answer.created_at}, not now")
    that(answer.output_text, "output_text is empty")
    usage = answer.usage
    same("total_tokens", usage.total_tokens, usage.input_tokens + usage.output_tokens)


def good_vector(vector, size=1536):
    same("numbers", len(vector), size)
    length = math.hypot(*vector)
    that(abs(length - 1) <= 1e-3, f"length of the vector is {length}")


def good_embeddings(answer, inputs=1, size=1536, model=EMBEDDING_MODEL):
    same("model", answer.model, model)
    same("indexes", [item.index for item in answer.data], list(range(inputs)))
    for item in answer.data:
        good_vector(item.embedding, size)
    same("total_tokens", answer.usage.total_tokens, answer.usage.prompt_tokens)


# --- the end of each program -----------------------------------------------------------------


def run(label: str, versions: str):
    print(f"{label}: {versions}", flush=True)
    for name, function in checks:
        try:
            function()
        except Exception as error:  # Whatever a check ends with, the next ones run.
            told(f"{label}: {name}", False, " ".join(said(error).split()))
        else:
            told(f"{label}: {name}", True)
