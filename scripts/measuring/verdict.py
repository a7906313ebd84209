"""The case that checks what mocker reports about itself."""

import json
import threading
from types import SimpleNamespace

from . import lab, tables, wire
from .lab import option

# More connections than one core of any machine can serve within a millisecond.
OVERDRIVEN = 4000


class Reporting:
    """A server that writes a report when it exits."""

    def __init__(self, build, *args):
        self.report = lab.WORK / "report.json"
        self.server = lab.Server("A", lab.mocker(build, ["-quiet", "-report", self.report, *args]))

    def end(self):
        self.server.stop()
        return json.loads(self.report.read_text())


def summary(verdict):
    reasons = ", ".join(f"{name} {count}" for name, count in verdict["reasons"].items() if count)
    return (
        f"{verdict['verdict']}: {verdict['mock_bound_windows']} of {verdict['windows']} seconds"
        f" mock-bound{f' ({reasons})' if reasons else ''}"
    )


def service_times(setup, options, rate):
    """Compares the server's service time with the latency of clients of it and of a floor, at half
    of its capacity."""
    reporting = Reporting(setup.build, "-latency", "20")
    delayed = len(wire.record(reporting.server, setup.sent, times=3))
    reporting.end()
    print(f"\nservice time and the client's latency: 20 ms, {rate:,.0f} requests/s, in ms")
    gaps = {"p50": [], "p99": []}
    for number in range(options.rounds):
        reporting = Reporting(setup.build, "-latency", "20")
        outer = lab.late(reporting.server, setup.request, delayed, 4000, options.seconds, 20, rate)
        report = reporting.end()
        server = lab.floor("serve", request_bytes=len(setup.sent), response=setup.response)
        trip = lab.late(server, setup.request, setup.length, 200, options.seconds, 0, rate)
        server.stop()
        for quantile, values in gaps.items():
            inner = report["service_time_seconds"][quantile] * 1e3
            client, floor = outer[f"{quantile}_us"] / 1e3, trip[f"{quantile}_us"] / 1e3
            values.append(client - inner - floor)
            print(f"  round {number + 1} {quantile}: client {client:.3f}, server {inner:.3f}, "
                  f"floor's round trip {floor:.3f}, gap {values[-1]:+.3f}")
    for quantile, values in gaps.items():
        print(f"  {quantile}: gap {tables.spread(values, '{:+.3f}'.format)}")


def verdicts(setup, options, capacity):
    """Prints the verdicts when the core is overloaded, and at a third of its capacity."""
    def runs(title, expected, is_right, connections, rate=None):
        print(f"\n{title}")
        right = 0
        for number in range(options.runs):
            reporting = Reporting(setup.build, "-latency", "1")
            lab.late(reporting.server, setup.request, setup.length, connections, options.seconds,
                     1, rate)
            verdict = reporting.end()["verdict"]
            right += is_right(verdict)
            print(f"  run {number + 1}: {summary(verdict)}")
        print(f"  {expected}: {right} of {options.runs}")

    runs(
        f"overload: {OVERDRIVEN} connections, 1 ms", "mock-bound",
        lambda verdict: verdict["verdict"] == "mock-bound", OVERDRIVEN,
    )
    rate = capacity / 3
    runs(
        f"a third of capacity: {rate:,.0f} requests/s in an open loop, 1 ms",
        # If another process takes the core, that is the right verdict.
        "ok, or the core was stolen",
        lambda verdict: verdict["verdict"] == "ok" or verdict["reasons"]["stolen"] > 0, 2000, rate,
    )


def headroom(setup, options):
    """Compares the reported headroom at partial loads with the load that saturates the core."""
    print("\nreported headroom at several loads without delay, over the core's capacity, which is "
          "wrk's rate divided by the core's busy share")
    for part in (0.1, 0.33, 0.6):
        shares = []
        for _ in range(options.rounds):
            reporting = Reporting(setup.build)
            run = lab.wrk(reporting.server, setup.script, 256, 2)
            most = run["rps"] / run["busy"] * 100
            reporting.end()
            reporting = Reporting(setup.build)
            lab.late(reporting.server, setup.request, setup.length, 500, options.seconds, 0,
                     most * part)
            verdict = reporting.end()["verdict"]
            shares.append(verdict["headroom_requests_per_second"] / most)
        print(f"  at {part:.0%} of it: {tables.spread(shares)}")


def scraping(setup, options):
    """Measures throughput and CPU time with and without a scraper."""
    server = Reporting(setup.build).server
    # The scraper's own time is no cost of the server.
    lab.become_client()

    def measure(contender):
        stop = threading.Event()

        def scrape():
            while not stop.wait(0.1):
                server.get("/metrics")

        scraper = threading.Thread(target=scrape)
        if contender.name == "S":
            scraper.start()
        run = lab.wrk(server, setup.script, 64, 1)
        stop.set()
        if contender.name == "S":
            scraper.join()
        return run

    contenders = [SimpleNamespace(name=name) for name in ("S", "A", "A2")]
    runs = tables.alternate(contenders, options.pairs, measure)
    print(f"\n/metrics ten times per second (S) or not, {options.pairs} rounds of 1 s")
    tables.print_ratios(runs, lab.wrk_columns()[:2], [("S", "A"), ("A", "A2")])
    before, times = server.cpu_ns(), 200
    for _ in range(times):
        server.get("/metrics")
    each = (server.cpu_ns() - before) / times / 1e3
    print(f"  CPU time of one /metrics: {each:.0f} us, so {each / 1e3:.2f} % of a core")


@lab.case(
    lab.BINARY, option("--rounds", 5, "rounds"), option("--seconds", 3.0, "length of a run"),
    option("--runs", 10, "runs for each verdict"),
    option("--pairs", 21, "rounds with and without a scraper"),
)
def verdict(options):
    """Reported service time, verdict and headroom, compared with outside measurements.
    Also measures the cost of scraping /metrics ten times per second. Takes a few minutes. Needs
    wrk."""
    # Build these now, so that no build runs between measurements.
    build = lab.binary(options)
    lab.bench("floor")
    lab.bench("late")
    lab.open_files(OVERDRIVEN + 100)
    sent = wire.request("chat")
    script = lab.wrk_script("depth-1", sent)
    reporting = Reporting(build)
    recorded = wire.record(reporting.server, sent, times=3)
    capacity = lab.wrk(reporting.server, script, 256, 3)["rps"]
    reporting.end()
    # A delayed response also costs its timer.
    reporting = Reporting(build, "-latency", "1")
    delayed = lab.wrk(reporting.server, script, 2000, 3)["rps"]
    reporting.end()
    print(f"capacity by wrk: {capacity:,.0f} requests/s, with a delay of 1 ms {delayed:,.0f}")
    # With a delay of 1 ms a response has the same length as without.
    setup = SimpleNamespace(
        build=build, sent=sent, script=script, length=len(recorded),
        request=lab.write("request", sent), response=lab.write("response", recorded),
    )
    service_times(setup, options, delayed / 2)
    verdicts(setup, options, delayed)
    headroom(setup, options)
    scraping(setup, options)
