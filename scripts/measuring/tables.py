"""Alternating runs of contenders, and the tables of their numbers."""

import json
import statistics
import sys

# The names of contenders. A2 is A again, so that A/A2 shows the measurement noise.
LABELS = {"A": "mocker", "A2": "mocker again", "B": "other mocker", "F": "floor"}
PAIRS = [("A", "F"), ("A", "B"), ("A", "A2")]


def alternate(contenders, rounds, measure):
    """Measures all contenders in every round, in an order that rotates by one each round. Returns
    the runs by name."""
    runs = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            runs[contender.name].append(measure(contender))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return runs


def compare(title, contenders, rounds, measure, columns, ratios=None, **how):
    """Measures contenders alternately, prints their runs, and returns them."""
    runs = alternate(contenders, rounds, measure)
    print(f"\n{title}, {rounds} rounds")
    print_runs(runs, columns, ratios, **how)
    return runs


def print_runs(runs, columns, ratios=None, pairs=PAIRS, labels=LABELS, spreads=False):
    """Prints the medians of the runs, and the ratios of pairs for the columns in `ratios`, which
    are all by default. A column is a key, a heading and a format."""
    print_table(labelled(runs, labels), columns, spreads)
    print_ratios(runs, ratios or columns, pairs)


def labelled(runs, labels=LABELS):
    """Returns the same runs by the labels of their contenders."""
    return {f"{name} {labels[name]}": its for name, its in runs.items()}


def spread(values, show="{:.3f}".format):
    """Formats the median, with the minimum and the maximum if they differ."""
    low, median, high = (show(of(values)) for of in (min, statistics.median, max))
    return median if low == high else f"{median} ({low}..{high})"


def print_table(rows, columns, spreads=False):
    """Prints the medians of each row's runs, optionally with their ranges."""
    title, width = ("median (min..max)", 28) if spreads else ("median", 18)
    print(f"  {title:<24}" + "".join(f"{heading:>{width}}" for _, heading, _ in columns))
    for name, its in rows.items():
        print(f"  {name:<24}", end="")
        for key, _, form in columns:
            values = [run[key] for run in its]
            shown = spread(values, form.format) if spreads else form.format(
                statistics.median(values)
            )
            print(f"{shown:>{width}}", end="")
        print()


def quartiles(ones, others):
    """Returns the ratios of values within each round, and their quartiles."""
    ratios = [one / other if other else float("nan") for one, other in zip(ones, others)]
    # Quartiles need at least two values.
    values = ratios if len(ratios) > 1 else ratios * 2
    return ratios, statistics.quantiles(values, n=4, method="inclusive")


def print_ratios(runs, columns, pairs=PAIRS):
    """Prints the medians and the spread of the ratios within each round."""
    print(f"  {'ratio within a round':<36}{'median':>8}{'min':>10}{'quartiles':>18}{'max':>8}")
    for this, that in pairs:
        if this not in runs or that not in runs:
            continue
        for key, heading, _ in columns:
            ratios, (low, median, high) = quartiles(
                *([run[key] for run in runs[name]] for name in (this, that))
            )
            print(
                f"  {this + '/' + that + ' ' + heading:<36}{median:>8.3f}{min(ratios):>10.3f}"
                f"{low:>9.3f} ..{high:>6.3f}{max(ratios):>8.3f}"
            )


def early(runs, cell):
    """Describes the runs in which mocker was early."""
    return [
        f"early: {name} by {-run['min_us']:.3f} us, {cell}"
        for name in runs if name != "F" for run in runs[name] if run["min_us"] < 0
    ]


def print_states(title, states, count, base):
    """Prints the server's memory in bytes in each state of its connections, per connection without
    that of the first state, and without that of the state `base`."""
    print(f"{title}\n  {'':<24}{'RssAnon KiB':>14}{'bytes each':>14}{'above ' + base:>14}")
    first = next(iter(states.values()))
    for state, rss in states.items():
        each, above = (rss - first) / count, (rss - states[base]) / count
        print(f"  {state:<24}{rss / 1024:>14,.0f}{each:>14,.0f}{above:>14,.0f}")


def save(path, numbers):
    if path:
        path.write_text(json.dumps(numbers, indent=1) + "\n")
