"""Shared code of the checks in Python: failing and reporting."""

from typing import Any

counts = {"ok": 0, "FAIL": 0}


class Failed(Exception):
    """A failed check, with the reason."""


def that(holds: Any, why: str) -> None:
    if not holds:
        raise Failed(why)


def same(what: str, got: Any, wanted: Any) -> None:
    if got != wanted:
        raise Failed(f"{what} is {short(got)}, expected {short(wanted)}")


def short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."


def check(what: str, good: Any, why: Any = "") -> bool:
    """Counts a check and prints its result: `ok   WHAT`, or `FAIL WHAT : WHY`."""
    word = "ok" if good else "FAIL"
    counts[word] += 1
    reason = "" if good or why == "" else f" : {why}"
    print(f"{word:4} {what}{reason}", flush=True)
    return bool(good)


def expect(what: str, value: Any, wanted: Any) -> bool:
    return check(what, value == wanted, f"{value!r}, expected {wanted!r}")


def finish(skipped: int | None = None) -> int:
    """Prints the numbers of passed, failed and optionally skipped checks. Returns the exit
    status."""
    rest = "" if skipped is None else f", {skipped} skipped"
    print(f"{counts['ok']} passed, {counts['FAIL']} failed{rest}", flush=True)
    return int(counts["FAIL"] > 0 or counts["ok"] == 0)
