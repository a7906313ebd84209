"""The checks of scripts/check-watch."""

import argparse
import atexit
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from checking import check, expect, finish
from playwright.sync_api import expect as eventually, sync_playwright
from prometheus_client.parser import text_string_to_metric_families

BODY = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}'

# The browser's own network requests fail here, which it logs at length.
BROWSER = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


class Server:
    """A mocker process on a free port."""

    def __init__(self, binary, *args, before=()):
        self.process = subprocess.Popen(
            [*before, binary, "-port", "0", "-quiet", *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )
        atexit.register(self.stop)
        self.url = re.search(r"http://\S+", self.process.stdout.readline())[0]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)

    def ask(self, path, method="GET", headers={}):
        """Returns the status, type and content of a response."""
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        try:
            answer = urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.headers["content-type"], answer.read()

    def stats(self):
        return json.loads(self.ask("/stats")[2])

    def families(self):
        return {
            family.name: family
            for family in text_string_to_metric_families(self.ask("/metrics")[2].decode())
        }


def h2load(server, folder, *args):
    """Returns the responses that h2load counted, by the first digit of their status."""
    body = folder / "body"
    body.write_text(BODY)
    command = [
        "h2load", "--h1", "-t", "2", "-d", str(body), "-H", "content-type: application/json",
        *args, f"{server.url}/v1/chat/completions",
    ]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    counted = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", ran.stdout)
    if ran.returncode != 0 or not counted:
        sys.exit(f"h2load failed:\n{ran.stdout}")
    return {digit: int(count) for digit, count in zip("2345", counted.groups()) if int(count)}


def by_digit(statuses):
    sums = Counter()
    for status, count in statuses.items():
        sums[status[0]] += count
    return sums


def counters(binary, folder, requests):
    """Checks that the counters of all cores together are exact, for every status."""
    for name, args in [
        ("plain", []), ("failing", ["-failure-percent", "20"]), ("late", ["-latency", "5"]),
    ]:
        server = Server(binary, *args)
        count = requests if name != "late" else requests // 10
        counted = h2load(server, folder, "-n", str(count), "-c", "64")
        stats = server.stats()
        expect(f"{name}: /stats counts what h2load did", by_digit(stats["statuses"]), counted)
        expect(f"{name}: all of them", stats["requests"], count)
        samples = server.families()["mocker_requests"].samples
        of_chat = {
            sample.labels["status"]: int(sample.value) for sample in samples
            if sample.labels["endpoint"] == "/chat/completions"
        }
        expect(f"{name}: /metrics counts the same", by_digit(of_chat), counted)
        expect(f"{name}: each was timed", stats["service_time_seconds"]["count"] >= count, True)
        server.stop()


def conventions(server):
    """Checks /metrics against the conventions of Prometheus:
    https://prometheus.io/docs/practices/naming"""
    status, kind, text = server.ask("/metrics")
    expect("/metrics is 200", status, 200)
    expect("/metrics has its type", kind, "text/plain; version=0.0.4; charset=utf-8")
    status, kind, content = server.ask("/metrics", "HEAD")
    expect("HEAD /metrics is 200 without content", (status, content), (200, b""))
    lines = text.decode().splitlines()
    series = [line.split(" ")[0] for line in lines if not line.startswith("#")]
    expect("no series is duplicated", len(series), len(set(series)))
    families = server.families()
    check("there are many metrics", len(families) > 20, f"only {len(families)}")
    for name, family in families.items():
        problems = []
        if not re.fullmatch(r"mocker_[a-z_]+[a-z]", name):
            problems.append("its name is no name of ours")
        if not family.documentation.endswith("."):
            problems.append("its HELP is no sentence")
        if family.type not in ("counter", "gauge", "histogram"):
            problems.append(f"its type is {family.type}")
        if family.type == "counter" and not any(line.startswith(f"# TYPE {name}_total counter")
                                                for line in lines):
            problems.append("a counter ends in _total")
        if re.search(r"(milli|micro|nano|kilo|mega|_ms|_us|_kb)", name):
            problems.append("its unit is no base unit")
        if not family.samples:
            problems.append("it has no sample")
        if family.type == "histogram":
            problems += histogram(family)
        check(f"{name} follows the conventions", not problems, ", ".join(problems))


def histogram(family):
    buckets = [(sample.labels["le"], sample.value) for sample in family.samples
               if sample.name.endswith("_bucket")]
    count = next(sample.value for sample in family.samples if sample.name.endswith("_count"))
    ends = [float(end) for end, _ in buckets]
    values = [value for _, value in buckets]
    if ends != sorted(set(ends)) or ends[-1] != float("inf"):
        yield "its buckets are in no order"
    if values != sorted(values) or values[-1] != count:
        yield "its buckets are not cumulative"


def page(browser, binary, folder):
    """Checks the page in a browser: it has no errors, and shows the load."""
    server = Server(binary, "-latency", "20")
    # Longer than a slow machine takes for both pages; it is stopped when they are done.
    load = subprocess.Popen(
        ["h2load", "--h1", "-t", "1", "-c", "50", "-D", "60", f"{server.url}/v1/models"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    for scheme, width in [("light", 1100), ("dark", 375)]:
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}
        )
        tab = context.new_page()
        wrong = []
        tab.on("console", lambda message: wrong.append(message.text)
               if message.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("requestfailed", lambda request: wrong.append(request.url))
        others = []
        tab.on("request", lambda request: others.append(request.url)
               if not request.url.startswith((server.url, "data:")) else None)
        tab.goto(server.url)
        # The page's policy forbids evaluating expressions, so poll instead.
        eventually(tab.locator("#rate")).not_to_have_text("-", timeout=5000)
        first = tab.inner_text("#requests")
        tab.wait_for_timeout(2200)
        number = lambda text: int(re.sub(r"\D", "", text) or 0)
        expect(f"{scheme}: no errors", wrong, [])
        expect(f"{scheme}: sends no requests to other hosts", others, [])
        rise = number(tab.inner_text("#requests")) > number(first) > 0
        check(f"{scheme}: the requests rise", rise, first)
        rate = number(tab.inner_text("#rate"))
        check(f"{scheme}: the rate is shown", rate > 500, rate)
        expect(f"{scheme}: in flight", number(tab.inner_text("#flight")) > 0, True)
        verdict = tab.inner_text("#verdict")
        check(f"{scheme}: a verdict", re.match(r"ok|mock-bound: ", verdict), verdict)
        for chart in ("statuses", "lateness", "cores", "flights"):
            lines = tab.locator(f"#{chart} path").count()
            check(f"{scheme}: {chart} are drawn", lines, "no line")
        expect(f"{scheme}: asks for no key", tab.is_visible("#key"), False)
        expect(f"{scheme}: fits its width", tab.evaluate(
            "document.scrollingElement.scrollWidth <= innerWidth"), True)
        back = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(map(int, re.findall(r"\d+", back)[:3])) > 380
        expect(f"{scheme}: its colors", light, scheme == "light")
        shown = tab.inner_text("#python")
        told = f'base_url="{server.url}/v1"' in shown
        check(f"{scheme}: shows how to configure a client", told, shown)
        context.close()
    policy(browser, server)
    load.terminate()
    load.wait()
    server.stop()
    guarded(browser, binary)


def policy(browser, server):
    """Checks that the page neither runs nor loads foreign content."""
    tab = browser.new_page()
    headers = tab.goto(server.url).headers
    expect("policy: nosniff", headers.get("x-content-type-options"), "nosniff")
    check("policy: it is sent", "content-security-policy" in headers, headers)
    blocked = []
    tab.on("console", lambda message: blocked.append(message.text))
    ran = tab.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.injected = true";
        document.body.append(script);
        const style = document.createElement("style");
        style.textContent = "body { margin-left: 77px }";
        document.head.append(style);
        const image = document.createElement("img");
        image.src = "/health";
        document.body.append(image);
        return [window.injected === true, getComputedStyle(document.body).marginLeft === "77px"];
    }""")
    tab.wait_for_timeout(500)
    expect("policy: no other script or style", ran, [False, False])
    for directive in ("script-src", "style-src", "img-src"):
        told = any(directive in text for text in blocked)
        check(f"policy: the browser names {directive}", told, blocked)
    tab.close()


def guarded(browser, binary):
    """Checks that the page prompts for authorization if its data require it."""
    server = Server(binary, "-auth", "Bearer key", "-auth-metrics")
    expect("guarded: /stats is 403", server.ask("/stats")[0], 403)
    key = {"Authorization": "Bearer key"}
    expect("guarded: /stats with the key", server.ask("/stats", headers=key)[0], 200)
    tab = browser.new_page()
    tab.goto(server.url)
    tab.wait_for_selector("#key:not([hidden])", timeout=5000)
    tab.fill("#authorization", "Bearer key")
    tab.click("#key button")
    tab.wait_for_selector("#key", state="hidden", timeout=5000)
    expect("guarded: the page shows with the key", "version" in tab.inner_text("#about"), True)
    tab.close()
    server.stop()


def screenshot(browser, binary, file):
    """Takes a screenshot of the page under a load that rises, falls and has a few failures. The
    server has a core of its own; everything else runs on another."""
    server = Server(
        binary, "-latency", "30", "-jitter", "10", "-failure-percent", "2",
        before=["taskset", "-c", "0"],
    )
    for seconds, connections in [(15, 100), (20, 400), (15, 50), (25, 800), (20, 200), (5, 300)]:
        load = subprocess.Popen(
            ["h2load", "--h1", "-t", "1", "-c", str(connections), "-D", str(seconds),
             f"{server.url}/v1/models"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds - 2)
        if seconds == 5:
            tab = browser.new_page(
                color_scheme="light", viewport={"width": 1100, "height": 690},
            )
            tab.goto(server.url)
            tab.wait_for_timeout(1500)
            tab.screenshot(path=file)
        load.wait()
    server.stop()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("binary")
    options.add_argument("chromium")
    options.add_argument("--requests", type=int, default=100_000)
    options.add_argument("--screenshot")
    options = options.parse_args()
    if options.screenshot:
        os.sched_setaffinity(0, {1})
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=BROWSER)
        if options.screenshot:
            screenshot(browser, options.binary, options.screenshot)
            browser.close()
            return
        counters(options.binary, Path(folder), options.requests)
        server = Server(options.binary)
        h2load(server, Path(folder), "-n", "1000", "-c", "8")
        conventions(server)
        server.stop()
        page(browser, options.binary, Path(folder))
        browser.close()
    sys.exit(finish())


if __name__ == "__main__":
    main()
