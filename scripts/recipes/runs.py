"""Runs the commands of a section in a separate directory, and checks the run against mocker's
report."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import time

from processes import end_all, reap, wait_for_end
from sections import Broken
from tools import WORK, need_apt, need_node, need_npm, need_pip, shim

# The time limit of a section or a job, in seconds.
LIMIT = 180

# The caller's variables for the tools or for mocker must not affect the checks.
OTHERS = ("MOCKER_", "OPENAI_", "AZURE_", "LANGCHAIN_", "LANGSMITH_", "LITELLM_", "LOCUST_",
          "GUIDELLM_", "AIPERF_", "GITHUB_")

# Responses on these paths do not count as load.
NO_LOAD = {"/", "/health", "/metrics", "/stats", "/models"}


def prepare(section, binary):
    """Returns an empty directory for a section, and an environment with its tools on the PATH."""
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
            # Node searches for packages next to the program, so link them there.
            modules = need_npm(packages, node) / "node_modules"
            (place / "node_modules").symlink_to(modules)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(OTHERS)
    }
    environment["PATH"] = ":".join(map(str, [*paths, os.environ["PATH"]]))
    # A proxy that installations need must not be used for the mock.
    environment["NO_PROXY"] = environment["no_proxy"] = "localhost,127.0.0.1,::1"
    look_at_ports(section)
    return place, environment


def look_at_ports(section):
    for port in sorted(set(re.findall(r"(?:localhost:|PORT: |port )(\d+)", section.commands()))):
        try:
            socket.create_connection(("localhost", int(port)), timeout=1).close()
        except OSError:
            continue
        raise Broken(section.line, f"another process listens on port {port}")


def read_report(file):
    """Returns mocker's report, or nothing: the file exists, but is empty until the exit."""
    return json.loads(file.read_text()) if file.exists() and file.stat().st_size else None


class Run:
    """A run of several scripts in sequence, with their output and exit status."""

    def __init__(self, section, place, environment):
        self.section, self.place = section, place
        self.environment = dict(environment)
        self.status, self.line, self.problems = 0, section.line, []
        self.answers, self.verdict = 0, None
        self.start = time.monotonic()
        stem = section.name.replace("/", "-")
        self.log = WORK / "logs" / f"{stem}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        self.at = WORK / "logs" / f"{stem}.line"

    def script(self, blocks, flags):
        """Runs blocks of lines and returns the exit status. Each line keeps its number in the
        Markdown, so that bash reports correct line numbers."""
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
            status = process.wait(max(1, self.start + LIMIT - time.monotonic()))
        except subprocess.TimeoutExpired:
            end_all()
            status = process.wait()
            self.problems.append(f"not at its end after {LIMIT} s")
        if status != 0:
            self.line = int(self.at.read_text() or 0) if self.at.exists() else 0
            self.line = self.line or self.section.line
        return status

    def end(self):
        """Stops the processes that the scripts have left running."""
        self.left = wait_for_end(5)
        end_all()
        reap()
        self.said = self.log.read_text(errors="replace")

    def judge(self, reports, wanted=0, verdict=None):
        """Checks the run against mocker's report, and against a verdict if one is expected."""
        if self.status != wanted:
            # The reason why a script failed is more useful than its consequences.
            if not self.problems:
                self.problems.append(f"ended with {self.status}, not {wanted}")
            return
        if self.left:
            names = ", ".join(name.split("\n")[0].strip()[:60] for name in self.left.values())
            self.problems.append(f"it left running: {names}")
        # `mocker -healthcheck` may print this while mocker is not ready.
        if re.search("^(?!mocker: ).*connection refused", self.said, re.IGNORECASE | re.MULTILINE):
            self.problems.append("a connection was refused: nothing waited for mocker")
        starts = len(re.findall(r"^mocker listening on ", self.said, re.MULTILINE))
        verdicts = re.findall(r"^  verdict +(ok|mock-bound|idle)\b", self.said, re.MULTILINE)
        if starts == 0 or starts != len(verdicts):
            self.problems.append(f"mocker started {starts} times, with {len(verdicts)} verdicts")
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
            self.problems.append("mocker received no API requests")
        asked, commands = {"200"}, self.section.commands()
        if "-failure-percent" in commands:
            asked.add("500")
        if "-tpm" in commands:
            asked.add("429")
        if set(report["statuses"]) != asked:
            self.problems.append(f"statuses {sorted(report['statuses'])}, not {sorted(asked)}")
        if not self.problems and verdict not in (None, self.verdict):
            self.problems.append(f"ended with {wanted}, though its verdict is {self.verdict}")
