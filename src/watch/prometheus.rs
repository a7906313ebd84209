//! `/metrics`: all metrics in Prometheus's text format, version 0.0.4. Counters end in `_total`,
//! times are in seconds, sizes in bytes.

use std::{fmt::Display, io::Write};

use super::metrics::{Close, STATUSES, TIMES, Totals, seconds};
use super::{Watch, counters::ROWS, histogram::Tally, history::Summary, window::Schedule};

impl Watch {
    /// Appends part number `part` of all metrics in Prometheus's text format, version 0.0.4.
    /// Returns true if there are more parts.
    pub(super) fn write_metrics_part(
        &self,
        part: usize,
        totals: &Totals,
        out: &mut Vec<u8>,
    ) -> bool {
        let mut text = Exposition { out };
        match part {
            0 => start(self, &mut text),
            1 => requests(self, totals, &mut text),
            2 => counters(totals, &mut text),
            part if part - 3 < TIMES.len() => {
                let time = &TIMES[part - 3];
                let name = format!("mocker_{}", time.name);
                text.histogram(&name, time.help, &totals.times_of(time.of));
            }
            _ => {
                // The lock is not held while this is written.
                let (last, summary, headroom) = {
                    let history = self.history();
                    (history.last.clone(), history.summary, history.headroom())
                };
                cores(totals, &last.schedules, &mut text);
                verdict(summary, headroom, &mut text);
                return false;
            }
        }
        true
    }
}

fn start(watch: &Watch, text: &mut Exposition<'_>) {
    let version = [(env!("CARGO_PKG_VERSION"), 1)];
    let help = "The version that runs.";
    text.family("mocker_build_info", help, "version", version);
    let help = "When it started, in Unix time.";
    text.number("mocker_start_time_seconds", help, watch.started);
}

fn requests(watch: &Watch, totals: &Totals, text: &mut Exposition<'_>) {
    let name = "mocker_requests_total";
    text.begin(name, "Requests that received a response.");
    for (endpoint, row) in watch.endpoints.iter().zip(&totals.answers) {
        for (status, count) in STATUSES.iter().zip(row) {
            // Prometheus sees the first increase only of a series that was there before.
            if *count > 0 || *status == STATUSES[0] {
                let label = &endpoint.label;
                text.line(format_args!(
                    "{name}{{endpoint=\"{label}\",status=\"{status}\"}} {count}"
                ));
            }
        }
    }
}

fn counters(totals: &Totals, text: &mut Exposition<'_>) {
    for row in ROWS {
        text.number(row.name, row.help, (row.get)(&totals.counts));
    }
    let closes = Close::ALL.iter().zip(totals.closes);
    text.family(
        "mocker_closed_connections_total",
        "Connections that ended, by the reason.",
        "reason",
        closes.map(|((_, reason), count)| (reason, count)),
    );
}

fn cores(totals: &Totals, schedules: &[Option<Schedule>], text: &mut Exposition<'_>) {
    text.family(
        "mocker_core_open_connections",
        "Connections that each core has open now.",
        "core",
        totals.connections.iter().enumerate(),
    );
    text.family(
        "mocker_core_turn_seconds_total",
        "Time that each core spent in event loop turns.",
        "core",
        totals.busy.iter().map(|&busy| seconds(busy)).enumerate(),
    );
    // A family must have samples.
    if schedules.iter().all(Option::is_none) {
        return;
    }
    let known = schedules.iter().enumerate();
    let known = known.filter_map(|(core, schedule)| Some((core, schedule.as_ref()?)));
    text.family(
        "mocker_core_cpu_seconds_total",
        "How long each core's thread ran, by the kernel's account.",
        "core",
        known.clone().map(|(core, one)| (core, seconds(one.cpu))),
    );
    text.family(
        "mocker_core_run_queue_wait_seconds_total",
        "How long each core's thread was ready to run and waited for a CPU.",
        "core",
        known.map(|(core, one)| (core, seconds(one.wait))),
    );
}

fn verdict(summary: Summary, headroom: Option<f64>, text: &mut Exposition<'_>) {
    let ok = summary.windows - summary.bound;
    text.family(
        "mocker_windows_total",
        "Seconds with activity, by verdict.",
        "verdict",
        [("ok", ok), ("mock_bound", summary.bound)],
    );
    let reasons = summary.by_reason();
    text.family(
        "mocker_mock_bound_reasons_total",
        "Reasons for which seconds were mock-bound; one may have several.",
        "reason",
        reasons.map(|((name, _), count)| (name, count)),
    );
    if let Some(headroom) = headroom {
        let name = "mocker_headroom_requests_per_second";
        let help = "Requests per second at which the cores would saturate, from recent cost.";
        text.number(name, help, headroom.round());
    }
}

/// A text in Prometheus's format. No label's value may hold a quote, a backslash or a line end.
struct Exposition<'a> {
    out: &'a mut Vec<u8>,
}

impl Exposition<'_> {
    fn line(&mut self, text: impl Display) {
        writeln!(self.out, "{text}").expect("a Vec takes all");
    }

    /// Begins a counter or a gauge: the name of a counter ends in `_total`.
    fn begin(&mut self, name: &str, help: &str) {
        let counts = name.ends_with("_total");
        self.header(name, if counts { "counter" } else { "gauge" }, help);
    }

    fn header(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// Appends a metric of one sample.
    fn number(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, help);
        self.line(format_args!("{name} {value}"));
    }

    /// Appends a metric whose samples differ in a label.
    fn family<T: Display, N: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        samples: impl IntoIterator<Item = (T, N)>,
    ) {
        self.begin(name, help);
        for (text, value) in samples {
            self.line(format_args!("{name}{{{label}=\"{text}\"}} {value}"));
        }
    }

    fn histogram(&mut self, name: &str, help: &str, tally: &Tally) {
        self.header(name, "histogram", help);
        for (end, count) in tally.cumulative() {
            let end = seconds(end);
            self.line(format_args!("{name}_bucket{{le=\"{end}\"}} {count}"));
        }
        let (sum, count) = (seconds(tally.sum()), tally.count());
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("{name}_sum {sum}\n{name}_count {count}"));
    }
}
