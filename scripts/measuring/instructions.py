"""The case that counts instructions."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from . import lab
from .lab import option

ROWS = [("different", 1), ("same", 1), ("same", 16)]
# The turns of the two runs. Both begin with 512 or more warm-up turns, so their difference consists
# of warm turns only.
TURNS = (1024, 2048)


def count(program, depth, turns, requests):
    """Returns the instructions of a run."""
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind",
             program, str(depth), str(turns), requests],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
    collected = re.search(r"Collected : (\d+)", ran.stdout)
    if ran.returncode != 0 or not collected:
        sys.exit(f"valgrind failed:\n{ran.stdout}")
    return int(collected[1])


@lab.case(option("checkout", nargs="?", type=Path, help="measure this checkout instead"))
def instructions(options):
    """Instructions of one turn of a connection, without sockets.
    Measures distinct requests, and a repeated request at depth 1 and 16. The counts of a build are
    exactly repeatable, so a change of one percent is visible. Needs valgrind."""
    program = lab.bench("count", root=options.checkout or lab.ROOT)
    for requests, depth in ROWS:
        few, many = (count(program, depth, turns, requests) for turns in TURNS)
        turn = (many - few) / (TURNS[1] - TURNS[0])
        print(f"{requests:<9} requests, depth {depth:2}: {turn:9.1f} instructions per turn, "
              f"{turn / depth:7.1f} per request", flush=True)
