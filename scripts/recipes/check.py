"""Runs the recipes and checks the results. Called by scripts/check-recipes; see its --help."""

import argparse
import sys
import time
from pathlib import Path

from checking import check, finish
from jobs import run_job
from processes import keep_all
from runs import Run, prepare, read_report
from sections import ROOT, Broken, read_recipes
from tools import Missing

# The settings with which the mock can't handle the load of a job.
OVERDRIVEN = {"MOCKER_LATENCY": "0", "MOCKER_THREADS": "1"}


def tell_of(name, run, ended):
    if not run.problems:
        check(f"{name} : {run.answers:,} responses, {run.verdict}, {ended}", True)
        return
    check(name, False, f"{run.section.at(run.line)}: {'; '.join(run.problems)}")
    for line in run.said.splitlines()[-20:]:
        print(f"     | {line.rstrip()[:160]}")
    print(f"     all of it: {run.log.relative_to(ROOT)}", flush=True)


def check_scripts(section, binary):
    place, environment = prepare(section, binary)
    # A recipe with its own -report writes there, since a flag overrides the variable.
    environment["MOCKER_REPORT"] = "exit-report.json"
    run = Run(section, place, environment)
    run.status = run.script(section.scripts, ["-eu"])
    run.end()
    run.judge([place / "exit-report.json", place / "report.json"])
    tell_of(section.name, run, f"{time.monotonic() - run.start:.0f} s")


def check_job(section, binary):
    # If the machine takes the cores away for a moment, the run is rightly mock-bound.
    for tries in (2, 1, 0):
        run, report = run_job(section, binary, {})
        its = read_report(report)
        if run.status != 3 or not tries or not (its and its["verdict"]["reasons"]["stolen"]):
            break
        print(f"  {section.name}: another process took the cores; trying again", flush=True)
    run.judge([report], verdict="ok")
    tell_of(section.name, run, "ended with 0")

    run, report = run_job(section, binary, OVERDRIVEN)
    run.judge([report], wanted=3, verdict="mock-bound")
    ended = f"ended with 3 as it must, at {section.at(run.line)}"
    tell_of(f"{section.name}, overdriven", run, ended)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", type=Path)
    options.add_argument("--list", action="store_true")
    options.add_argument("--allow-missing", action="store_true")
    options.add_argument("names", nargs="*")
    asked = options.parse_args()

    sections = read_recipes()
    for name in asked.names:
        if not any(section.called(name) for section in sections):
            print(f"check-recipes: no recipe is '{name}' (--list lists them)", file=sys.stderr)
            sys.exit(2)
    if asked.names:
        sections = [section for section in sections if any(map(section.called, asked.names))]
    if asked.list:
        for section in sections:
            print(section.name)
        return

    keep_all()
    skipped = 0
    for section in sections:
        try:
            if not section.scripts and not section.jobs:
                raise Broken(section.line, "nothing to run")
            if section.scripts:
                check_scripts(section, asked.binary)
            if section.jobs:
                check_job(section, asked.binary)
        except Missing as why:
            skipped += 1
            print(f"skipped: {section.name} : {' '.join(str(why).split())}", flush=True)
        except Broken as broken:
            line, why = broken.args
            check(section.name, False, f"{section.at(line)}: {why}")
    status = finish(skipped)
    sys.exit(1 if skipped and not asked.allow_missing else status)


main()
