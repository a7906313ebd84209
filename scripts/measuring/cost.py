"""The case that measures the cost of hostile requests."""

import dataclasses
import math
import sys

from . import hostile, lab, tables
from .hostile.measure import measure
from .lab import option

# The longest stretch between two polls that is allowed, in seconds: any other connection may have
# to wait for as long. The table shows longer ones with an exclamation mark.
TURN_MAX = 0.5e-3
# A turn is wall time: it is longer if the machine takes the core away for a moment. A row with a
# turn that is too long is therefore measured again, and the shorter turn counts. If the server's
# threads waited for a CPU for more than DOUBT of that turn, the row is measured a third time. Rows
# that take more than AGAIN_MAX seconds are measured once.
DOUBT = 0.2
AGAIN_MAX = 1.2
# The seconds without a byte in either direction after which a row fails, without and with --quick.
PATIENCE = {False: 8, True: 3}
# With --quick, rows have this part of their time.
QUICK = 0.2

MIB = 1 << 20
COLUMNS = f"{'requests':>9}{'us/request':>13}{'x chat':>10}{'ms/MB':>8}" \
    f"{'peak MiB':>10}{'kept MiB':>10}{'turn ms':>10}"


def chosen(only):
    """Returns the rows whose name or group contains one of these words; without words, all."""
    rows = [
        row for row in hostile.ROWS
        if not only or any(word in row.name or word in row.group for word in only)
    ]
    return rows or sys.exit(f"no row is named like {' or '.join(only)}; --list prints all")


def length(result):
    """Returns the length of the longest turn in seconds; infinite if it is unknown."""
    return math.inf if result.turn is None else result.turn


def is_long(result):
    return TURN_MAX < length(result) < math.inf and result.took < AGAIN_MAX


def measured(binary, row, patience):
    """Measures a row, again if the turn was too long; returns the result with the shortest turn."""
    results = [measure(binary, row, patience)]
    if is_long(results[0]):
        results.append(measure(binary, row, patience))
    best = min(results, key=length)
    if is_long(best) and best.wait_ns / 1e9 > DOUBT * best.turn:
        results.append(measure(binary, row, patience))
    # A failure counts even if it did not repeat.
    wrong = [result for result in results if result.problem]
    return min(wrong or results, key=length)


def shown(value, form):
    return "" if value is None else form.format(value)


def turn(result):
    """Formats the longest turn in milliseconds, with an exclamation mark if it is too long."""
    if result.turn is None:
        return "?"
    return f"{result.turn * 1e3:.3f}{'!' if result.turn > TURN_MAX else ' '}"


def print_result(label, result, chat):
    cpu = result.cpu_per_request()
    print(
        f"{label:<58}{result.requests:>9,}{shown(cpu, '{:,.1f}'):>13}"
        f"{shown(cpu and cpu / chat, '{:,.1f}'):>10}"
        f"{shown(result.cpu_per_mb(), '{:.2f}'):>8}{result.peak / MIB:>10.1f}"
        f"{result.kept / MIB:>10.1f}{turn(result):>10}",
        end="",
    )


def print_row(row, results, chat):
    """Prints the result of a row, and below it that of the other build."""
    result = results["A"]
    print_result("  " + row.name, result, chat["A"])
    statuses = ", ".join(sorted(result.statuses))
    notes = [statuses] if statuses else []
    if result.cut:
        notes.append(f"{result.cut} cut off")
    if row.mark:
        notes.append(f"known: {row.mark}")
    if result.problem:
        notes.append(result.problem)
    print(" ", "; ".join(notes), flush=True)
    if "B" in results:
        other = results["B"]
        print_result("    the other build", other, chat["B"])
        mine, its = result.cpu_per_request(), other.cpu_per_request()
        ratio = f"A/B {mine / its:.3f}" if mine and its else ""
        print(" ", "; ".join(filter(None, [ratio, other.problem])), flush=True)


def summary(rows, measurements):
    """Prints the rows that failed or had too long a turn; returns the exit status."""
    failed = [name for name, results in measurements.items() if results["A"].problem]
    long = [
        row for row in rows
        if (measurements[row.name]["A"].turn or 0) > TURN_MAX
    ]
    unmarked = [row.name for row in long if not row.mark]
    print(
        f"\n{len(rows)} rows, {sum(bool(row.mark) for row in rows)} of them with a mark; "
        f"{len(long)} had a turn over {TURN_MAX * 1e3:g} ms, {len(unmarked)} of them without a "
        f"mark; {len(failed)} failed"
    )
    for title, names in [("over, without a mark", unmarked), ("failed", failed)]:
        for name in names:
            print(f"  {title}: {name}: {measurements[name]['A'].problem or 'turn'}")
    return 1 if failed else 0


@lab.case(
    lab.BINARY, lab.JSON, lab.AGAINST,
    option("--only", action="append", default=[], metavar="WORD",
           help="measure the rows with this word in their name or group; repeatable"),
    option("--quick", action="store_true", help="spend less time on each row"),
    option("--list", action="store_true", help="print the rows and measure nothing"),
)
def cost(options):
    """Cost of hostile requests: CPU time, memory, the longest time between two polls, statuses.
    CPU time is per request and per MB sent, memory is resident memory above that of an idle server.
    Each row of the table in scripts/measuring/hostile gets a fresh server and states the statuses
    that it expects. The exit status is 1 if another status was seen, or if a server died or did not
    respond. Needs prlimit, and chrt for turns without the time slices of other processes. Takes
    some minutes."""
    rows = chosen(options.only)
    if options.list:
        for row in rows:
            print(f"{row.group:<12} {row.name:<60} {' or '.join(row.expect):<30} {row.mark}")
        return 0

    builds = {"A": lab.binary(options)}
    if options.against:
        builds["B"] = options.against
    lab.open_files(5000)
    lab.become_client()
    patience = PATIENCE[options.quick]

    def both(row, turned):
        if options.quick:
            row = dataclasses.replace(row, seconds=row.seconds * QUICK)
        order = sorted(builds, reverse=turned)
        return {name: measured(builds[name], row, patience) for name in order}

    baseline = both(hostile.BASELINE, False)
    chat = {name: result.cpu_per_request() for name, result in baseline.items()}
    if None in chat.values():
        sys.exit(f"{hostile.BASELINE.name}: {baseline['A'].problem}")
    measurements = {}
    group = None
    for number, row in enumerate(rows):
        if row.group != group:
            group = row.group
            print(f"{group:<58}{COLUMNS}")
        measurements[row.name] = both(row, number % 2 == 1)
        print_row(row, measurements[row.name], chat)
    tables.save(options.json, [
        {
            "name": row.name, "group": row.group, "expect": row.expect, "mark": row.mark,
            "results": {
                name: dataclasses.asdict(result)
                for name, result in measurements[row.name].items()
            },
        }
        for row in rows
    ])
    return summary(rows, measurements)
