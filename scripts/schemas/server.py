"""Starts mocker with some settings, sends requests and parses the responses."""

import http.client
import json
import subprocess
import time
from typing import Any, NamedTuple

from checking import Failed, same, short, that

START_SECONDS = 10
ANSWER_SECONDS = 30


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        same("Content-Type", self.headers["Content-Type"], "application/json")
        return parsed(self.body)

    def events(self) -> list[tuple[str | None, str]]:
        """Returns the name and the data of each event of a stream."""
        kind = "text/event-stream; charset=utf-8"
        same("Content-Type", self.headers["Content-Type"], kind)
        text = self.body.decode()
        that(text.endswith("\n\n"), f"the stream ends in {text[-50:]!r}")
        return [event_of(block) for block in text[:-2].split("\n\n")]


def event_of(block: str) -> tuple[str | None, str]:
    *named, data = block.split("\n")
    that(data.startswith("data: "), f"an event has no data: {short(block)}")
    that(len(named) <= 1, f"an event has lines too many: {short(block)}")
    for line in named:
        that(line.startswith("event: "), f"an event has an odd line: {short(line)}")
    return (named[0][len("event: ") :] if named else None), data[len("data: ") :]


def parsed(text: bytes | str) -> Any:
    """Parses a JSON text strictly."""
    try:
        return json.loads(text, object_pairs_hook=without_twins, parse_constant=refused)
    except ValueError as error:
        raise Failed(f"no JSON: {error} in {short(text)}") from None


def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a duplicate key")
    return made


def refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


class Server:
    """A mocker process for one set of settings."""

    def __init__(self, binary: str, *settings: str):
        self.settings = settings
        self.name = " ".join(settings) or "no settings"
        # Earlier texts, by request.
        self.plain: dict[str, str] = {}
        command = [binary, "-port", "0", *settings]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.started = time.monotonic()
        line = self.process.stdout.readline()
        if not line.startswith("mocker listening on http://localhost:"):
            self.stop()
            raise Failed(f"it does not start: {line!r}")
        port = int(line.split("localhost:")[1].split()[0])
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)

    def value_of(self, setting: str) -> str | None:
        """Returns the value of a setting; None if it is not set."""
        if setting not in self.settings:
            return None
        return (*self.settings, "")[self.settings.index(setting) + 1]

    def has(self, setting: str) -> bool:
        return setting in self.settings

    @property
    def tokens(self) -> tuple[int, int] | None:
        """Returns the configured range of tokens per text, if set."""
        set_to = self.value_of("-tokens")
        if set_to is None:
            return None
        least, _, most = set_to.partition("-")
        return int(least), int(most or least)

    @property
    def per_chunk(self) -> int:
        return int(self.value_of("-tokens-per-chunk") or 1)

    @property
    def repeats(self) -> bool:
        """Returns whether repeated requests get the same text."""
        drawn = self.tokens is not None and self.tokens[0] < self.tokens[1]
        return self.value_of("-content") != "random" and not drawn

    def ask(
        self,
        path: str,
        body: Any = None,
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Returns the response to a body: a value to send as JSON, or bytes."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers = {"Content-Type": "application/json", **(headers or {})}
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as error:
            # The next request uses a new connection.
            self.connection.close()
            raise Failed(f"no response but {type(error).__name__}: {error}") from None

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
