"""The contenders: how each is built and started."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from .. import lab

HERE = Path(__file__).resolve().parent

# The text of all responses, so that they have about the same length.
SENTENCE = "This is a mock response. " * 12


class Contender:
    """A contender: `start` returns its command line for a latency in milliseconds and a text, or
    None if it doesn't support them. `prefix` is the prefix of its paths."""

    def __init__(self, name, start, prefix=b""):
        self.name = name
        self.start = start
        self.prefix = prefix


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def field(binary, out, note):
    """Returns all contenders that are available here."""
    all_of_them = []

    def join(make):
        try:
            made = make(out)
        except (OSError, subprocess.CalledProcessError) as error:
            note(f"left out: {make.__doc__}: {error}")
        else:
            all_of_them.extend(made)

    for name in ("A", "A2"):
        all_of_them.append(Contender(name, mocker(binary)))
    for make in (nginx, go, node, rust, vidaimock, llmsim):
        join(make)
    return all_of_them


def needs(program):
    found = shutil.which(program)
    if not found:
        raise FileNotFoundError(f"{program} is not installed")
    return found


def mocker(binary):
    def start(latency, content):
        big = [] if content == SENTENCE else ["-big-payload"]
        return lab.mocker(binary, ["-quiet", "-latency", f"{latency:g}", *big])

    return start


def nginx(out):
    """nginx, return 200 (Debian: nginx-light)"""
    program = needs("nginx")
    folder = out / "nginx"
    folder.mkdir(exist_ok=True)

    def start(latency, content):
        # It can't delay, and its configuration allows no parameter of 10 KB.
        if latency or content != SENTENCE:
            return None
        response = json.dumps({
            "id": "chatcmpl-0000000000000001", "object": "chat.completion", "created": 1700000000,
            "model": "gpt-4o-mini", "choices": [{
                "index": 0, "logprobs": None, "finish_reason": "stop",
                "message": {"role": "assistant", "content": content, "refusal": None},
            }],
            "usage": {"prompt_tokens": 123, "completion_tokens": 321, "total_tokens": 444},
        })
        port = free_port()
        settings = folder / "nginx.conf"
        settings.write_text(f"""
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600;
  client_body_temp_path {folder}/body; client_max_body_size 64m;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 200 '{response}'; }}
  }}
}}
""")
        return ["sh", "-c", f'echo http://127.0.0.1:{port}; exec "$0" "$@"',
                program, "-e", f"{folder}/error.log", "-p", str(folder), "-c", str(settings)]

    return [Contender("nginx, return 200", start)]


def go(out):
    """Go's fasthttp and net/http (Debian: golang-go, golang-github-valyala-fasthttp-dev)"""
    program = needs("go")
    made = []
    environment = dict(
        os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=str(out / "go-cache"),
        GOFLAGS="",
    )
    for name, label in (("fasthttp", "Go, fasthttp"), ("nethttp", "Go, net/http")):
        built = out / name
        subprocess.run(
            [program, "build", "-o", str(built), f"./{name}"], cwd=HERE, env=environment, check=True
        )

        def start(latency, content, built=built):
            return [str(built), "-latency", f"{latency:g}", "-content", content]

        made.append(Contender(label, start))
    return made


def node(_):
    """Node's http (Debian: nodejs)"""
    program = needs("node")

    def start(latency, content):
        return [program, str(HERE / "node.mjs"), "-latency", f"{latency:g}", "-content", content]

    return [Contender("Node, http", start)]


def rust(out):
    """hyper and axum"""
    target = out / "rust"
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--locked", "--target-dir", str(target)],
        cwd=HERE / "rust", check=True,
    )
    made = []
    for name in ("hyper", "axum"):
        def start(latency, content, name=name):
            program = str(target / "release" / name)
            return [program, "--latency", f"{latency:g}", "--content", content]

        made.append(Contender(name, start))
    return made


def installed(out, crate):
    """Installs a program with cargo."""
    program = out / "mocks" / "bin" / crate
    if not program.exists():
        print(f"installing {crate} ...", file=sys.stderr)
        subprocess.run(
            ["cargo", "install", "--quiet", "--locked", crate, "--root", str(out / "mocks")],
            check=True,
        )
    return str(program)


def vidaimock(out):
    """vidaimock (cargo install vidaimock)"""
    program = installed(out, "vidaimock")

    def start(latency, content):
        if content != SENTENCE:
            return None
        late = ["--latency", f"{latency:g}"] if latency else []
        return [program, "--host", "127.0.0.1", "--port", str(free_port()), "--workers", "1",
                "--mode", "benchmark", *late]

    return [Contender("vidaimock", start)]


def llmsim(out):
    """llmsim (cargo install llmsim)"""
    program = installed(out, "llmsim")

    def start(latency, content):
        port = free_port()
        settings = out / f"llmsim-{latency:g}.toml"
        settings.write_text(
            f"[latency]\nttft_mean_ms = {latency:.0f}\nttft_stddev_ms = 0\n"
            "tbt_mean_ms = 0\ntbt_stddev_ms = 0\n"
        )
        # By default it logs every request in detail.
        say = f'echo http://127.0.0.1:{port}; RUST_LOG=error exec "$0" "$@"'
        return ["sh", "-c", say, program, "serve", "--config", str(settings), "--host",
                "127.0.0.1", "--port", str(port), "--generator", f"fixed:{content}"]

    return [Contender("llmsim", start, prefix=b"/openai")]
