"""Tests the static binary in an empty root, like a container of the image.

Called by scripts/build-static with the binary. Every wait is bounded, and processes are stopped by
their ids.
"""

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

from checking import check, expect, finish

LARGEST = 3_000_000
USER = 65532  # as in the Dockerfile

# Timeouts for immediate actions and for the exit, which gives responses in flight 5 s.
PATIENCE = 10

# Bypasses any proxy of the machine.
asking = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# --- the file ----------------------------------------------------------------------------------

PT_DYNAMIC, PT_INTERP, DT_NULL, DT_NEEDED, SHT_SYMTAB = 2, 3, 0, 1, 2


def check_file(binary):
    """Reads the headers of a 64-bit little-endian ELF file."""
    data = binary.read_bytes()
    if not check("it is a 64-bit ELF file", data[:6] == b"\x7fELF\x02\x01"):
        return
    program_headers, section_headers = struct.unpack_from("<QQ", data, 32)
    header_len, headers, section_len, sections = struct.unpack_from("<HHHH", data, 54)
    segments = [
        struct.unpack_from("<IIQQQQ", data, program_headers + at * header_len)
        for at in range(headers)
    ]
    check("it needs no loader", all(kind != PT_INTERP for kind, *_ in segments))
    needed = 0
    for kind, _, offset, _, _, length in segments:
        if kind == PT_DYNAMIC:
            tags = [tag for tag, _ in struct.iter_unpack("<qQ", data[offset : offset + length])]
            needed += tags[: tags.index(DT_NULL)].count(DT_NEEDED)
    expect("it needs no library", needed, 0)
    types = [
        struct.unpack_from("<I", data, section_headers + at * section_len + 4)[0]
        for at in range(sections)
    ]
    check("it carries no symbols", SHT_SYMTAB not in types)
    check(f"it has {len(data)} bytes, under {LARGEST}", len(data) < LARGEST)


# --- the empty root ----------------------------------------------------------------------------


def ways(root):
    """Returns the ways to start a program in a root: (description, command, uid seen from
    outside)."""
    unshare, chroot = shutil.which("unshare"), shutil.which("chroot")
    alone = ["--pid", "--fork", "--kill-child", f"--root={root}"]
    if unshare and os.getuid() == 0:
        user = [f"--setgid={USER}", f"--setuid={USER}"]
        yield f"alone in a root, as process 1 and user {USER}", [unshare, *alone, *user], USER
    if chroot and os.getuid() == 0:
        command = [chroot, f"--userspec={USER}:{USER}", str(root)]
        yield f"alone in a root, as user {USER}", command, USER
    if unshare and os.getuid() != 0:
        user = ["--user", f"--map-user={USER}", f"--map-group={USER}"]
        words = f"alone in a root, as process 1 and user {USER} of a namespace"
        yield words, [unshare, *user, *alone], os.getuid()


def find_way(root):
    """Returns the first way that this machine permits, tested with a program and a root that
    certainly work. The last resort is to start it plainly, which is no failure, since a machine may
    permit none."""
    for (words, command, uid), (_, tried, _) in zip(ways(root), ways("/")):
        if run([*tried, shutil.which("true")]).returncode == 0:
            print(f"     it runs {words}", flush=True)
            return [*command, "/mocker"], uid
    print("     this machine permits no other root: it runs plainly, which shows less", flush=True)
    return [str(root / "mocker")], None


def run(command, variables=None):
    try:
        return subprocess.run(
            command, env=variables or {}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, None, "", f"it went on for {PATIENCE} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- the server --------------------------------------------------------------------------------


class Server:
    """The running program. `pid` is its own id, not that of its launcher."""

    def __init__(self, command, variables):
        self.process = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )
        self.pid = self.process.pid
        self.line = ""
        reader = threading.Thread(target=self.read, daemon=True)
        reader.start()
        reader.join(PATIENCE)
        self.pid = child_of(self.process.pid) or self.process.pid

    def read(self):
        self.line = self.process.stdout.readline()

    def uid(self):
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE)[1])

    def root(self):
        return sorted(os.listdir(f"/proc/{self.pid}/root"))

    def end(self):
        """Returns its exit status after a SIGTERM; None if it keeps running."""
        os.kill(self.pid, signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            for pid in {self.pid, self.process.pid}:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(PATIENCE)
        self.process.stdout.close()


def child_of(pid):
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue  # it has ended
        if re.search(rf"^PPid:\s+{pid}$", text, re.MULTILINE):
            return int(status.parent.name)
    return None


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with asking.open(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except (OSError, ValueError) as error:
        return 0, repr(error)


def one_line(text):
    return text.startswith("mocker: ") and text.endswith("\n") and text.count("\n") == 1


def check_server(command, uid, host, root):
    port = free_port()
    variables = {"MOCKER_HOST": host, "MOCKER_PORT": str(port)}
    url = f"http://127.0.0.1:{port}"
    shown = f"[{host}]" if ":" in host else host
    with Server(command, variables) as server:
        ready = f"mocker listening on http://{shown}:{port} ("
        if not check(f"{host}: says that it serves", server.line.startswith(ready), server.line):
            return
        if uid is not None:
            expect(f"{host}: is not root", (server.uid(), server.uid() != 0), (uid, True))
            if os.getuid() == 0:
                expect(f"{host}: is alone in its root", server.root(), sorted(os.listdir(root)))
        expect(f"{host}: /health", ask(f"{url}/health"), (200, {"status": "healthy"}))
        body = {"model": "static", "messages": [{"role": "user", "content": "Hello"}]}
        status, chat = ask(f"{url}/v1/chat/completions", body)
        good = status == 200 and chat["model"] == "static" and chat["choices"][0]["message"]
        check(f"{host}: a chat completion", good, chat)
        # Like HEALTHCHECK: the same variables and no argument.
        health = run([*command, "-healthcheck"], variables)
        got = (health.returncode, health.stdout + health.stderr)
        expect(f"{host}: -healthcheck exits with 0 and says nothing", got, (0, ""))
        expect(f"{host}: ends in order after SIGTERM", server.end(), 0)
    health = run([*command, "-healthcheck"], variables)
    expect(f"{host}: -healthcheck exits with 1 when it is gone", health.returncode, 1)
    check(f"{host}: and says so in one line", one_line(health.stderr), repr(health.stderr))


def check_arguments(command):
    """Checks that arguments work together with the variable that the image sets."""
    port = free_port()
    command_line = [*command, "-port", str(port), "-threads", "1"]
    with Server(command_line, {"MOCKER_HOST": "0.0.0.0"}) as server:
        ready = f"mocker listening on http://0.0.0.0:{port} (1 core"
        check("arguments together with MOCKER_HOST", server.line.startswith(ready), server.line)
        expect("ends in order after SIGTERM", server.end(), 0)
    # A host name is valid, but without a resolver it must cause an error and not a crash.
    ended = run([*command, "-port", "0", "-host", "no-such-host.invalid"])
    told = (ended.returncode, one_line(ended.stderr))
    expect("an unknown host is reported in one line", told, (1, True))


def main():
    binary = Path(sys.argv[1]).resolve()
    # atexit and finally do not run after an unhandled SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    check_file(binary)
    with tempfile.TemporaryDirectory(prefix="root-", dir=binary.parent) as empty:
        root = Path(empty)
        root.chmod(0o755)
        shutil.copy(binary, root / "mocker")
        command, uid = find_way(root)
        for host in ["0.0.0.0", "localhost", "::"]:
            if host == "::" and not has_ipv6():
                continue
            check_server(command, uid, host, root)
        check_arguments(command)
    sys.exit(finish())


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
