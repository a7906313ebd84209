"""Draws the charts of the case `compare`: charts.py RESULTS.CSV FOLDER"""

import csv
import statistics
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

# Background and foreground colors of a light and a dark page.
SCHEMES = {
    "light": {"text": "#1c1c1a", "soft": "#63635e", "grid": "#e2e2de", "ours": "#2a6fdb",
              "others": "#9a9a94"},
    "dark": {"text": "#ededeb", "soft": "#a0a09a", "grid": "#383835", "ours": "#6ea8fe",
             "others": "#7c7c77"},
}

CHARTS = [
    ("depth-1", "64 connections, depth 1", "CPU per request",
     "CPU time per request, microseconds (lower is better)", False),
    ("depth-16", "64 connections, 16 requests in one write", "CPU per request",
     "CPU time per request, 16 in one write, microseconds (lower is better)", False),
    ("lateness", "delivered latency, 50 ms, 1000 in flight", "p99",
     "lateness of responses, p99, delay of 50 ms, 1000 in flight, milliseconds (lower is better)",
     True),
]


def values(rows, cell, metric):
    found = {}
    for row in rows:
        if (row["cell"], row["metric"]) == (cell, metric) and row["contender"] != "mocker again":
            found.setdefault(row["contender"], []).append(float(row["value"]))
    return found


def draw(path, found, title, log, scheme):
    order = sorted(found, key=lambda name: -statistics.median(found[name]))
    medians = [statistics.median(found[name]) for name in order]
    low = [median - min(found[name]) for name, median in zip(order, medians)]
    high = [max(found[name]) - median for name, median in zip(order, medians)]
    colors = [scheme["ours"] if name == "mocker" else scheme["others"] for name in order]
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(order) + 1.1))
    axes.barh(order, medians, xerr=(low, high), color=colors, ecolor=scheme["soft"], capsize=2,
              height=0.62, error_kw={"elinewidth": 1})
    if log:
        axes.set_xscale("log")
    most = max(median + above for median, above in zip(medians, high))
    for at, (median, above) in enumerate(zip(medians, high)):
        axes.annotate(f"{median:.3g}", (median + above, at), xytext=(5, 0), va="center",
                      textcoords="offset points", color=scheme["text"], fontsize=9)
    axes.set_xlim(right=most * (3 if log else 1.12))
    axes.set_title(title, color=scheme["text"], fontsize=10, loc="left")
    axes.tick_params(colors=scheme["soft"], labelsize=9, length=0)
    for label in axes.get_yticklabels():
        label.set_color(scheme["text"])
    axes.xaxis.grid(True, color=scheme["grid"], linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def main():
    table, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    # The same numbers yield the same file.
    plt.rcParams.update({"svg.hashsalt": "mocker", "svg.fonttype": "none",
                         "font.family": "sans-serif"})
    for name, cell, metric, title, log in CHARTS:
        found = values(rows, cell, metric)
        for scheme, colors in SCHEMES.items() if found else ():
            draw(folder / f"{name}-{scheme}.svg", found, title, log, colors)


if __name__ == "__main__":
    main()
