"""Checks the container files against rules. Called by scripts/check-containers.

These rules cover mistakes that would only become visible in a running container, which no test has.
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import yaml
from checking import check, expect, finish

BIN = Path(sys.executable).parent

# The longest shutdown of the server, and the longest duration of its health check, in seconds.
DRAIN, HEALTHCHECK = 5, 2

def tool(what, *command):
    """Runs a linter, which exits with 0 if it finds nothing."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    check(what, ended.returncode == 0, (ended.stdout + ended.stderr).strip())


# --- Dockerfile --------------------------------------------------------------------------------


def instructions(text):
    """Returns [(KEYWORD, rest)], with continued lines joined and comments removed."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\s*\n", " ", "\n".join(lines))
    found = [line.strip().split(None, 1) for line in whole.splitlines() if line.strip()]
    return [(keyword.upper(), (rest or [""])[0]) for keyword, *rest in found]


def exec_form(rest):
    """Returns the words of an exec form, or None: Docker treats anything but a JSON list as a shell
    command."""
    try:
        words = json.loads(rest)
    except ValueError:
        return None
    return words if isinstance(words, list) and all(isinstance(w, str) for w in words) else None


def seconds(text):
    number = re.fullmatch(r"(\d+)(m?s)", text or "")
    return int(number[1]) / {"s": 1, "ms": 1000}[number[2]] if number else None


def check_dockerfile(root, port):
    name = "Dockerfile"
    path = root / name
    text = path.read_text()
    tool(f"{name}: hadolint", BIN / "hadolint", "--no-color", path)

    stages = []  # (name, image, instructions)
    for keyword, rest in instructions(text):
        if keyword == "FROM":
            image, *alias = re.sub(r"--platform=\S+\s+", "", rest).split()
            stages.append((alias[1] if len(alias) == 2 else None, image, []))
        elif stages:
            stages[-1][2].append((keyword, rest))
        else:
            check(f"{name}: begins with FROM", keyword == "ARG", keyword)
    every = [step for _, _, steps in stages for step in steps]

    names = {alias for alias, _, _ in stages}
    for _, image, _ in stages:
        pinned = image == "scratch" or image in names or re.search(r":\d+\.\d+\S*$", image)
        check(f"{name}: {image} is pinned", pinned, "a tag with a version's numbers is wanted")
    check(f"{name}: no ADD", all(keyword != "ADD" for keyword, _ in every), "COPY does not unpack")
    secret = [rest for keyword, rest in every if keyword in ("ARG", "ENV") and "AUTH" in rest]
    expect(f"{name}: no secret in a layer", secret, [])
    relative = [rest for keyword, rest in every if keyword == "WORKDIR" and rest[0] != "/"]
    expect(f"{name}: WORKDIR is absolute", relative, [])
    wanted = re.search(r'^rust-version = "([\d.]+)"', (root / "Cargo.toml").read_text(), re.M)[1]
    rust = next((image for _, image, _ in stages if image.startswith("rust:")), "rust:0")
    numbers = lambda version: [int(part) for part in re.findall(r"\d+", version)]
    new = numbers(rust.partition("-")[0]) >= numbers(wanted)
    check(f"{name}: {rust} is as new as {wanted}", new)
    recipe = any(kind == "RUN" and rest.startswith("scripts/build-static") for kind, rest in every)
    check(f"{name}: builds by scripts/build-static, which is tried", recipe)
    script = (root / "scripts/build-static").read_text()
    for part in ["--locked", "--release", "+crt-static", '--target "$target"', "STRIP=symbols"]:
        check(f"scripts/build-static: {part}", part in script)

    _, image, last = stages[-1]
    only = lambda keyword: [rest for kind, rest in last if kind == keyword]
    one = lambda keyword: (only(keyword) or [""])[-1]
    expect(f"{name}: the last stage begins with nothing", image, "scratch")
    expect(f"{name}: and runs nothing, for it has no shell", only("RUN"), [])
    build = stages[0][0]
    copied = f"--from={build} /build/target/static/mocker /mocker"
    expect(f"{name}: and holds the binary alone", only("COPY"), [copied])
    user = re.fullmatch(r"(\d+):(\d+)", one("USER"))
    check(f"{name}: USER is a number and not root", user and int(user[1]) > 0 < int(user[2]))
    entry = exec_form(one("ENTRYPOINT"))
    expect(f"{name}: ENTRYPOINT is the binary, in exec form", entry, ["/mocker"])
    expect(f"{name}: no CMD, so arguments are all flags", only("CMD"), [])
    expect(f"{name}: STOPSIGNAL", one("STOPSIGNAL"), "SIGTERM")
    expect(f"{name}: EXPOSE is the default port", one("EXPOSE"), str(port))
    expect(f"{name}: ENV", only("ENV"), ["MOCKER_HOST=0.0.0.0"])
    options, _, command = one("HEALTHCHECK").partition("CMD")
    asks = ["/mocker", "-healthcheck"]
    expect(f"{name}: HEALTHCHECK asks itself, in exec form", exec_form(command), asks)
    options = dict(re.findall(r"--(\S+)=(\S+)", options))
    timeout = seconds(options.get("timeout"))
    check(f"{name}: HEALTHCHECK waits longer than -healthcheck", timeout and timeout > HEALTHCHECK)
    check(f"{name}: HEALTHCHECK gives time to start", seconds(options.get("start-period")))
    labels = dict(word.split("=", 1) for word in shlex.split(one("LABEL")) if "=" in word)
    for label in ["title", "description", "licenses"]:
        check(f"{name}: label {label}", labels.get(f"org.opencontainers.image.{label}"))
    return int(user[1]) if user else None


def check_dockerignore(root):
    name = ".dockerignore"
    lines = (root / name).read_text().splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    expect(f"{name}: leaves everything out first", lines[:1], ["*"])
    let_in = {line.removeprefix("!") for line in lines[1:] if line.startswith("!")}
    # cargo requires that every target in the manifest exists, whether it is built or not.
    wanted = {"Cargo.toml", "Cargo.lock", "src", "tests", "benches", "scripts/build-static"}
    expect(f"{name}: lets in what the build reads, and no more", let_in, wanted)
    expect(f"{name}: all of that is there", [p for p in let_in if not (root / p).exists()], [])


# --- compose -----------------------------------------------------------------------------------


def check_compose(root, port):
    name = "docker-compose.yml"
    path = root / name
    linter = [BIN / "check-jsonschema", "--color=never", "--builtin-schema", "vendor.compose-spec"]
    tool(f"{name}: the compose specification", *linter, path)
    compose = yaml.safe_load(path.read_text())
    check(f"{name}: no version, which compose ignores with a warning", "version" not in compose)
    expect(f"{name}: its services", list(compose["services"]), ["mocker"])
    service = compose["services"]["mocker"]
    expect(f"{name}: builds this checkout", service.get("build"), ".")
    expect(f"{name}: ports", service.get("ports"), [f"{port}:{port}"])
    variables = service.get("environment", {})
    expect(f"{name}: the port inside", variables.get("MOCKER_PORT"), str(port))
    # A YAML boolean would reach the container in a format chosen by compose.
    texts = all(isinstance(value, str) for value in variables.values())
    check(f"{name}: values are texts", texts, variables)
    auth = variables.get("MOCKER_AUTH", "")
    check(f"{name}: no key in the file", re.fullmatch(r"(\$\{MOCKER_AUTH:-\})?", auth), auth)
    grace = seconds(service.get("stop_grace_period", "10s"))
    check(f"{name}: time to end in order", grace and grace > DRAIN, grace)
    expect(f"{name}: nothing to write to", service.get("read_only"), True)
    expect(f"{name}: no capability", service.get("cap_drop"), ["ALL"])
    expect(f"{name}: no new privileges", service.get("security_opt"), ["no-new-privileges:true"])


# --- Kubernetes --------------------------------------------------------------------------------


def at(document, path, default=None):
    """Returns the value at a path such as `spec.containers.0.name`."""
    for step in path.split("."):
        if isinstance(document, list):
            document = document[int(step)] if int(step) < len(document) else default
        else:
            document = (document or {}).get(step)
        if document is None:
            return default
    return document


def check_kubernetes(root, port, user):
    name = "kubernetes.yaml"
    documents = list(yaml.safe_load_all((root / "scripts" / name).read_text()))
    kinds = [document.get("kind") for document in documents]
    wanted = ["Deployment", "Service", "HorizontalPodAutoscaler"]
    expect(f"{name}: its documents", kinds, wanted)
    # The oldest supported version, and the newest one with schemas here.
    newest = kubernetes_validate.latest_version()
    for version in ["1.30", ".".join(newest.split(".")[:2])]:
        for document in documents:
            why = ""
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except Exception as error:  # its kinds differ between schema and strictness
                why = next(iter(str(error).splitlines()), repr(error))
            check(f"{name}: {document.get('kind')} is one of Kubernetes {version}", not why, why)
    if kinds != wanted:
        return
    deployment, service, scaler = documents

    pod = at(deployment, "spec.template.spec", {})
    labels = at(deployment, "spec.template.metadata.labels")
    selected = at(deployment, "spec.selector.matchLabels")
    expect(f"{name}: the Deployment selects its pods", selected, labels)
    check(f"{name}: no replicas if there is an autoscaler", at(deployment, "spec.replicas") is None)
    expect(f"{name}: no variables from Services", pod.get("enableServiceLinks"), False)
    expect(f"{name}: no token of Kubernetes", pod.get("automountServiceAccountToken"), False)
    expect(f"{name}: runs as no root", at(pod, "securityContext.runAsNonRoot"), True)
    expect(f"{name}: runs as the image's user", at(pod, "securityContext.runAsUser"), user)
    seccomp = at(pod, "securityContext.seccompProfile.type")
    expect(f"{name}: seccomp", seccomp, "RuntimeDefault")
    sleep = at(pod, "containers.0.lifecycle.preStop.sleep.seconds", 0)
    grace = pod.get("terminationGracePeriodSeconds", 30)
    check(f"{name}: time to end in order", sleep > 0 and grace > sleep + DRAIN, (sleep, grace))

    expect(f"{name}: containers", len(pod.get("containers", [])), 1)
    container = at(pod, "containers.0", {})
    expect(f"{name}: image", container.get("image"), "mocker:latest")
    pull = container.get("imagePullPolicy")
    expect(f"{name}: is not pulled when it is there", pull, "IfNotPresent")
    security = container.get("securityContext", {})
    expect(f"{name}: nothing to write to", security.get("readOnlyRootFilesystem"), True)
    expect(f"{name}: no new privileges", security.get("allowPrivilegeEscalation"), False)
    expect(f"{name}: no capability", security.get("capabilities"), {"drop": ["ALL"]})
    ports = {entry.get("name"): entry.get("containerPort") for entry in container.get("ports", [])}
    expect(f"{name}: ports", ports, {"http": port})
    variables = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
    expect(f"{name}: the port inside", variables.get("MOCKER_PORT", str(port)), str(port))
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
        asked = at(container, f"{probe}.httpGet")
        expect(f"{name}: {probe}", asked, {"path": "/health", "port": "http"})
    for limit in ["requests", "limits"]:
        resources = at(container, f"resources.{limit}", {})
        expect(f"{name}: {limit}", sorted(resources), ["cpu", "memory"])

    expect(f"{name}: the Service's name", at(service, "metadata.name"), "mocker")
    expect(f"{name}: the Service selects the pods", at(service, "spec.selector"), labels)
    expect(f"{name}: the Service's port", at(service, "spec.ports.0.port"), port)
    expect(f"{name}: goes to", at(service, "spec.ports.0.targetPort"), "http")

    expect(f"{name}: the autoscaler's version", at(scaler, "apiVersion"), "autoscaling/v2")
    target = {
        "apiVersion": at(deployment, "apiVersion"),
        "kind": "Deployment",
        "name": at(deployment, "metadata.name"),
    }
    expect(f"{name}: scales the Deployment", at(scaler, "spec.scaleTargetRef"), target)
    expect(f"{name}: scales by", at(scaler, "spec.metrics.0.resource.name"), "cpu")
    least, most = at(scaler, "spec.minReplicas", 1), at(scaler, "spec.maxReplicas", 0)
    numbers = isinstance(least, int) and isinstance(most, int)
    check(f"{name}: scales between", numbers and 1 < least < most, (least, most))


# --- consistency -------------------------------------------------------------------------------


def main():
    root = Path(sys.argv[1]).resolve()
    # A test ensures that this table is up to date.
    table = (root / "docs/settings.md").read_text()
    settings = dict(re.findall(r"^\| `-[^`]*` \| `(MOCKER_\w+)` \| `([^`]*)` ", table, re.M))
    port = int(settings["MOCKER_PORT"])
    for name in ["Dockerfile", "docker-compose.yml", "scripts/kubernetes.yaml", "README.md"]:
        # This includes comments, which someone may uncomment.
        named = set(re.findall(r"\bMOCKER_[A-Z_]+", (root / name).read_text())) - {"MOCKER_BIN"}
        expect(f"{name}: settings that exist", sorted(named - set(settings)), [])
    user = check_dockerfile(root, port)
    check_dockerignore(root)
    check_compose(root, port)
    check_kubernetes(root, port, user)
    sys.exit(finish())


if __name__ == "__main__":
    main()
