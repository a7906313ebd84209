"""Checks of responses with the Python OpenAI client: chat, responses, embeddings, keys, errors."""

import asyncio
import socket
import sys
import threading

import httpx
import openai
from kit import (
    AUTH,
    BIG,
    EMBEDDING_MODEL,
    HELLO,
    MODEL,
    PLAIN,
    SETTINGS,
    Failed,
    async_client,
    chat,
    check,
    client,
    embed,
    good_chat,
    good_embeddings,
    good_logprobs,
    good_response,
    good_usage,
    raises,
    respond,
    run,
    same,
    that,
)
from openai import AzureOpenAI, Omit

MAX_BODY = 50 * 1024 * 1024  # mocker's default for a request body
TRIES = 5


def azure(key="test-key", deployment="dep-1"):
    return AzureOpenAI(
        api_key=key,
        azure_endpoint=AUTH,
        api_version="2024-10-21",
        azure_deployment=deployment,
        **SETTINGS,
    )


class CountingRelay:
    """Passes bytes to a server and counts connections, whatever HTTP library a client uses."""

    def __init__(self, base):
        host, port = base.removeprefix("http://").rsplit(":", 1)
        self.target = (host.strip("[]"), int(port))
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            self.connections += 1
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self.pass_on, args=ends, daemon=True).start()

    @staticmethod
    def pass_on(source, sink):
        # Ends when either side hangs up; the client then sees that its connection is gone.
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()


# --- chat ------------------------------------------------------------------------------------


@check("chat sync")
def _():
    good_chat(chat())


@check("chat async")
def _():
    async def go():
        async with async_client() as by:
            good_chat(await by.chat.completions.create(model=MODEL, messages=HELLO))

    asyncio.run(go())


@check("chat 50 at once, 4 rounds")
def _():
    async def go():
        ids = set()
        async with async_client() as by:
            for _ in range(4):
                calls = (
                    by.chat.completions.create(model=MODEL, messages=HELLO) for _ in range(50)
                )
                for answer in await asyncio.gather(*calls):
                    good_chat(answer)
                    ids.add(answer.id)
        same("different ids", len(ids), 200)

    asyncio.run(go())


@check("chat through a client of httpx's own")
def _():
    with httpx.Client() as http:
        good_chat(chat(client(http_client=http)))


@check("chat n=3")
def _():
    good_chat(chat(n=3), choices=3)


@check("chat echoes an odd model")
def _():
    good_chat(chat(model="my/model:v1"), model="my/model:v1")


@check("chat max_tokens=3")
def _():
    for limit in ("max_tokens", "max_completion_tokens"):
        answer = chat(**{limit: 3})
        same(f"{limit}: finish_reason", answer.choices[0].finish_reason, "length")
        same(f"{limit}: completion_tokens", answer.usage.completion_tokens, 3)
        same(f"{limit}: words", len(answer.choices[0].message.content.split()), 3)


@check("chat request id")
def _():
    raw = client().chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    sent = raw.headers.get("x-request-id")
    that(sent, "no x-request-id")
    same("request_id", raw.request_id, sent)
    same("_request_id", raw.parse()._request_id, sent)


@check("chat strict validation")
def _():
    good_chat(chat(client(_strict_response_validation=True)))


@check("chat big payload")
def _():
    answer = chat(client(BIG))
    good_chat(answer)
    length = len(answer.choices[0].message.content)
    that(length >= 9000, f"content has {length} characters, wanted 9000 or more")


@check("chat logprobs")
def _():
    choice = chat(logprobs=True, top_logprobs=2).choices[0]
    good_logprobs(choice.logprobs.content, choice.message.content, top=2)


@check("responses")
def _():
    good_response(respond())


@check("responses strict validation")
def _():
    by = client(_strict_response_validation=True)
    good_response(by.responses.create(model=MODEL, input="Hello"))


@check("responses max_output_tokens=3")
def _():
    answer = respond(max_output_tokens=3)
    same("status", answer.status, "incomplete")
    that(answer.incomplete_details, "no incomplete_details")
    same("reason", answer.incomplete_details.reason, "max_output_tokens")


@check("responses logprobs")
def _():
    answer = respond(include=["message.output_text.logprobs"], top_logprobs=2)
    good_logprobs(answer.output[0].content[0].logprobs, answer.output_text, top=2)


# --- completions, moderations, models --------------------------------------------------------


@check("completions")
def _():
    for settings in ({}, {"_strict_response_validation": True}):
        answer = client(**settings).completions.create(model=MODEL, prompt="Hello")
        same("object", answer.object, "text_completion")
        same("model", answer.model, MODEL)
        that(answer.choices[0].text, "text is empty")
        same("finish_reason", answer.choices[0].finish_reason, "stop")
        good_usage(answer.usage)


@check("completions of 2 prompts, n=2, max_tokens=3, logprobs=2")
def _():
    asked = {"prompt": ["one", "two"], "n": 2, "max_tokens": 3, "logprobs": 2}
    answer = client().completions.create(model=MODEL, **asked)
    same("indexes", [choice.index for choice in answer.choices], [0, 1, 2, 3])
    for choice in answer.choices:
        same("finish_reason", choice.finish_reason, "length")
        same("words", len(choice.text.split()), 3)
        same("tokens", "".join(choice.logprobs.tokens), choice.text)
        same("top_logprobs", [len(top) for top in choice.logprobs.top_logprobs], [2, 2, 2])


@check("moderations")
def _():
    for settings in ({}, {"_strict_response_validation": True}):
        by = client(**settings)
        for texts, results in (("Hello", 1), (["one", "two", "three"], 3)):
            answer = by.moderations.create(model="omni-moderation-latest", input=texts)
            same("model", answer.model, "omni-moderation-latest")
            same("flagged", [result.flagged for result in answer.results], [False] * results)
            for result in answer.results:
                that(0 <= result.category_scores.violence < 0.5, "a score is no low one")


@check("models")
def _():
    by = client(_strict_response_validation=True)
    names = [model.id for model in by.models.list()]
    that(MODEL in names, f"{MODEL} is not among {names}")
    for name in (*names, "my-own:v1"):
        same("id", by.models.retrieve(name).id, name)


# --- embeddings ------------------------------------------------------------------------------


def encoding_sent(**more):
    """Returns the type of a vector on the wire: a string for base64, a list for numbers."""
    raw = client().embeddings.with_raw_response.create(
        model=EMBEDDING_MODEL, input="Hello", **more
    )
    return type(raw.http_response.json()["data"][0]["embedding"])


@check("embeddings as base64, the client's default")
def _():
    same("vector", encoding_sent(), str)
    good_embeddings(embed())


@check("embeddings as float")
def _():
    same("vector", encoding_sent(encoding_format="float"), list)
    good_embeddings(embed(encoding_format="float"))


@check("embeddings base64 and float agree")
def _():
    one, other = (answer.data[0].embedding for answer in (embed(), embed(encoding_format="float")))
    same("numbers", len(one), len(other))
    apart = max(abs(a - b) for a, b in zip(one, other))
    that(apart <= 1e-6, f"they are {apart} apart")


@check("embeddings of 3 texts")
def _():
    for encoding in ({}, {"encoding_format": "float"}):
        answer = embed(["one", "two", "three"], **encoding)
        good_embeddings(answer, inputs=3)
        same("different vectors", len({tuple(item.embedding) for item in answer.data}), 3)


@check("embeddings of tokens")
def _():
    good_embeddings(embed([1, 2, 3]))
    good_embeddings(embed([[1, 2, 3], [4, 5]]), inputs=2)


@check("embeddings dimensions=256")
def _():
    good_embeddings(embed(dimensions=256), size=256)
    good_embeddings(embed(dimensions=256, encoding_format="float"), size=256)


@check("embeddings strict validation")
def _():
    # As float, because a strict client rejects the base64 that it requests by default: it validates
    # a response before it decodes the vectors.
    by = client(_strict_response_validation=True)
    good_embeddings(embed(by=by, encoding_format="float"))


@check("embeddings big payload")
def _():
    good_embeddings(embed(by=client(BIG)), size=4096)
    good_embeddings(embed(by=client(BIG), encoding_format="float"), size=4096)


# --- keys and Azure --------------------------------------------------------------------------


@check("auth right key")
def _():
    good_chat(chat(client(AUTH)))


@check("auth wrong key")
def _():
    raises(openai.PermissionDeniedError, 403, lambda: chat(client(AUTH, key="wrong")))


@check("auth no key")
def _():
    call = lambda: chat(client(AUTH), extra_headers={"Authorization": Omit()})
    raises(openai.PermissionDeniedError, 403, call)


@check("azure chat")
def _():
    good_chat(chat(azure()), model="dep-1")


@check("azure embeddings")
def _():
    good_embeddings(embed(by=azure()), model="dep-1")


@check("azure deployment is the model, whatever the body says")
def _():
    # The client's own method requires a model, so use its general one.
    body = {"messages": HELLO}
    answer = azure().post("/chat/completions", cast_to=openai.types.chat.ChatCompletion, body=body)
    good_chat(answer, model="dep-1")
    # Without a deployment the client puts the model of the body into the path.
    good_chat(chat(azure(deployment=None), model="dep-2"), model="dep-2")


@check("azure wrong key")
def _():
    raises(openai.PermissionDeniedError, 403, lambda: chat(azure(key="wrong")))


# --- errors and sizes ------------------------------------------------------------------------


@check("unknown path")
def _():
    call = lambda: client().post("/no-such-thing", cast_to=object, body={})
    raises(openai.NotFoundError, 404, call)


@check("malformed requests")
def _():
    calls = {
        "n=0": lambda: chat(extra_body={"n": 0}),
        "stream='yes'": lambda: chat(extra_body={"stream": "yes"}),
        "an empty input": lambda: embed(""),
        "2049 inputs": lambda: embed(["a"] * 2049),
    }
    for what, call in calls.items():
        try:
            raises(openai.BadRequestError, 400, call)
        except Failed as why:
            raise Failed(f"{what}: {why}") from None


@check("chat with a prompt of 10 MB")
def _():
    good_chat(chat(messages=[{"role": "user", "content": "x" * 10_000_000}]))


@check("chat with a prompt over 50 MB")
def _():
    # mocker responds before it has read everything, and the client must still see the response. If
    # the server closed too early, this would fail only sometimes, hence several tries.
    messages = [{"role": "user", "content": "x" * (MAX_BODY + 1)}]
    for _ in range(TRIES):
        raises(openai.APIStatusError, 413, lambda: chat(messages=messages))


@check("200 calls on one connection")
def _():
    relay = CountingRelay(PLAIN)
    with client(relay.base) as by:
        for _ in range(200):
            chat(by)
    same("connections", relay.connections, 1)


run("python", f"python {sys.version.split()[0]}, openai {openai.__version__}")
