"""Checks every response of mocker against OpenAI's API description. Called by scripts/check-schemas
as `check.py BINARY`; starts that binary with several sets of settings, one after the other.

Prints `ok   NAME` or `FAIL NAME : why` for each check and `N passed, N failed`. Exits with 0 if all
passed, and with 1 otherwise."""

import sys
import time
from typing import Callable

import answers
import combinations
import description
import odd
from combinations import Named
from checking import Failed, finish, that
from checking import check as told
from server import Server

Check = tuple[str, Callable[[], None]]


def run(where: str, name: str, check: Callable[[], None]) -> None:
    try:
        check()
    except Exception as error:  # No error in a check prevents the next ones.
        why = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        told(f"{where}: {name}", False, " ".join(why.split()))
    else:
        told(f"{where}: {name}", True)


def asked(server: Server, *many: Named) -> None:
    for some in many:
        for name, ask in some:
            run(server.name, name, lambda: answers.check(server, ask))


def checked(server: Server, checks: list[Check]) -> None:
    for name, check in checks:
        run(server.name, name, check)


# --- one function for each set of settings ---------------------------------------------------


def of_defaults(server: Server) -> None:
    asked(server, combinations.chats(), combinations.responses(), combinations.completions())
    asked(server, combinations.embeddings(), combinations.moderations())
    asked(server, combinations.calls(), combinations.more_calls(), combinations.no_calls())
    asked(server, combinations.formats())
    for name, ask, path in combinations.routes():
        run(server.name, name, lambda: answers.check(server, ask, path))
    checked(server, odd.models(server, ["gpt-4o-mini", "text-embedding-ada-002"]))
    checked(server, odd.wrong_fields(server))
    checked(server, odd.wrong_requests(server))
    checked(server, odd.large_and_endless(server))


def of_texts(server: Server) -> None:
    asked(server, combinations.tour(), combinations.tour_of_json())


def of_echo(server: Server) -> None:
    for name, ask in combinations.tour("gpt-4o"):
        if ask.endpoint in ("chat", "responses", "completions") and not ask.cut:
            ask = ask._replace(says=combinations.SAID)
        run(server.name, name, lambda: answers.check(server, ask))
    asked(server, combinations.tour_of_json())


def of_models(server: Server) -> None:
    asked(server, combinations.tour(), combinations.tour("a"))
    checked(server, odd.models(server, ["a", "b"]))


def of_cors(server: Server) -> None:
    asked(server, combinations.tour())
    checked(server, odd.cors(server))


def of_strict(server: Server) -> None:
    asked(server, combinations.tour("gpt-4o"), combinations.tour_of_json("gpt-4o"))
    checked(server, odd.strict(server))


SETTINGS: list[tuple[list[str], Callable[[Server], None]]] = [
    ([], of_defaults),
    (["-big-payload"], of_texts),
    (["-tokens", "50-200"], of_texts),
    (["-tokens", "20", "-tokens-per-chunk", "7"], of_texts),
    (["-tokens-per-chunk", "7"], of_texts),
    (["-content", "random"], of_texts),
    (["-content", "echo"], of_echo),
    (["-models", "a,b"], of_models),
    (["-cors"], of_cors),
    (["-strict"], of_strict),
    (["-auth", "Bearer test-key"], lambda server: checked(server, odd.auth(server))),
    (["-max-body", "1k"], lambda server: checked(server, odd.too_long(server))),
    (["-failure-percent", "100"], lambda server: checked(server, odd.failures(server))),
    (["-tpm", "1"], lambda server: checked(server, odd.limited(server))),
]


def with_server(binary: str, settings: list[str], checks: Callable[[Server], None]) -> None:
    started: list[Server] = []
    # An unknown setting must not silently reduce the checks.
    where = " ".join(settings) or "no settings"
    run(where, "the server starts", lambda: started.append(Server(binary, *settings)))
    for server in started:
        try:
            checks(server)
            run(where, "the server runs", lambda: that(server.alive(), "it has exited"))
        finally:
            server.stop()


def main() -> int:
    began = time.monotonic()
    print(description.version(), flush=True)
    for settings, checks in SETTINGS:
        with_server(sys.argv[1], settings, checks)
    for name, row in description.DEVIATIONS.items():
        run("deviation", row.why, lambda: description.still_deviates(name))
    for name, row in description.DEVIATIONS.items():
        print(f"excused {description.deviated[name]} times: {row.why}")
    for name, count in sorted(description.validated.items()):
        print(f"validated against {name}: {count}")
    print(f"{time.monotonic() - began:.0f} s")
    return finish()


sys.exit(main())
