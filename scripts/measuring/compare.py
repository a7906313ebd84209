"""The case that compares mocker with its alternatives."""

import csv
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from . import lab, tables
from .lab import option
from .opponents import cells, contenders

OUT = lab.ROOT / "target" / "compare"


class Results:
    """The numbers of all runs, as rows of a table."""

    def __init__(self):
        self.rows = []
        self.notes = []

    def add(self, cell, runs, metrics, labels):
        """Adds the runs of a cell by contender; `metrics` are keys and units."""
        for name, its in runs.items():
            for number, run in enumerate(its):
                for key, unit in metrics:
                    self.rows.append((cell, labels[name], number + 1, key, unit, run[key]))

    def note(self, text):
        print(text)
        self.notes.append(text)

    def of(self, cell, key):
        """Returns the values by contender, in the order in which they were measured."""
        values = {}
        for of_cell, name, _, of_key, _, value in self.rows:
            if (of_cell, of_key) == (cell, key):
                values.setdefault(name, []).append(value)
        return values

    def write(self):
        with open(OUT / "results.csv", "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(("cell", "contender", "round", "metric", "unit", "value"))
            table.writerows(self.rows)
        (OUT / "results.md").write_text(self.markdown())

    def markdown(self):
        text = ["# mocker compared with its alternatives", "", machine(), ""]
        seen = dict.fromkeys((cell, key, unit) for cell, _, _, key, unit, _ in self.rows)
        for cell in dict.fromkeys(cell for cell, _, _ in seen):
            text += [f"## {cell}", ""]
            keys = [(key, unit) for of, key, unit in seen if of == cell]
            heads = [f"{key}, {unit}" if unit else key for key, unit in keys]
            ratio = keys[0][0]
            text.append(f"| | {' | '.join(heads)} | mocker's {ratio} over this one's |")
            text.append("|---" * (len(keys) + 2) + "|")
            columns = [self.of(cell, key) for key, _ in keys]
            ours = columns[0].get("mocker")
            for name in columns[0]:
                row = [tables.spread(column[name], number) for column in columns]
                row += [ratios(ours, columns[0][name], name)]
                text.append(f"| {name} | {' | '.join(row)} |")
            text.append("")
        if self.notes:
            text += ["## Notes", "", *(f"- {note}" for note in self.notes), ""]
        return "\n".join(text)


def number(value):
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratios(ours, theirs, name):
    """Formats the median of the ratios within each round, and the quartiles."""
    if ours is None or name == "mocker" or len(ours) != len(theirs) or not all(theirs):
        return ""
    values, (low, median, high) = tables.quartiles(ours, theirs)
    return f"{median:.3f}" + (f" ({low:.3f}..{high:.3f})" if len(values) > 1 else "")


def machine():
    """Describes the processor and the kernel, and how to read the tables."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return (
        f"{model[1] if model else 'an unknown processor'}, {os.cpu_count()} CPUs, Linux "
        f"{os.uname().release}; medians, with the minimum and the maximum of all rounds; ratios "
        "are medians of those within a round, with quartiles."
    )


def charts():
    """Draws the charts in a separate Python environment."""
    venv = OUT / "venv"
    python = venv / "bin" / "python"
    ready = python.exists() and subprocess.run(
        [python, "-c", "import matplotlib"], stderr=subprocess.DEVNULL
    ).returncode == 0
    if not ready:
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "matplotlib"], check=True)
    script = contenders.HERE / "charts.py"
    subprocess.run([python, "-B", script, OUT / "results.csv", OUT], check=True)


@lab.case(
    lab.BINARY, option("--rounds", 7, "rounds"), option("--seconds", 1.0, "length of a run"),
    option("--full", action="store_true", help="measure a grid; takes hours"),
    option("--only", action="append", metavar="WORD",
           help="measure only cells with this in their name; repeatable"),
)
def compare(options):
    """Comparison with nginx, Go, Node, hyper, axum, other mocks, and a floor that parses nothing.
    Each returns a chat completion on one core. Writes a table (results.md), the raw numbers
    (results.csv) and charts (*.svg) to target/compare. Builds what it compares; what can't be built
    is reported and skipped. Needs wrk and python3-venv, and for the other servers Debian's
    nginx-light, golang-go, golang-github-valyala-fasthttp-dev and nodejs. By default it measures
    what the README claims, in about 10 minutes after building. Regardless of --rounds, it compares
    mocker with the floor in 21 rounds, and starts it 20 times to measure the distribution of
    connections over its cores."""
    OUT.mkdir(parents=True, exist_ok=True)
    build = lab.binary(options)
    # Build these now, so that no build runs between measurements.
    lab.bench("floor")
    lab.bench("late")
    lab.open_files(10_500)
    results = Results()
    field = contenders.field(build, OUT, results.note)
    began = time.monotonic()
    for name, measure in cells.full() if options.full else cells.claimed():
        if options.only and not any(word in name for word in options.only):
            continue
        print(f"\n{name}", file=sys.stderr)
        measure(name, field, options, results)
        # Write the results so far, in case a later cell fails.
        results.write()
    print(results.markdown())
    charts()
    minutes = (time.monotonic() - began) / 60
    print(f"measured in {minutes:.0f} minutes; see {OUT.relative_to(lab.ROOT)}")
