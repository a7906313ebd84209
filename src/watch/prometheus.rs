//! `/metrics`: all metrics in Prometheus's text format, version 0.0.4. Counters end in `_total`,
//! times are in seconds, sizes in bytes.

use std::fmt::Display;
use std::io::Write;

use super::Watch;
use super::counters::{CounterKind, ROWS};
use super::histogram::Tally;
use super::history::Summary;
use super::metrics::{Close, STATUSES, Totals};
use super::times::{TIMES, seconds};
use super::window::Schedule;
use crate::Nanos;

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
            0 => self.write_start(&mut text),
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

    fn write_start(&self, text: &mut Exposition<'_>) {
        text.family("mocker_build_info", "gauge", "The version that runs.");
        let version = env!("CARGO_PKG_VERSION");
        text.sample("mocker_build_info", &[("version", &version)], 1);
        text.family(
            "mocker_start_time_seconds",
            "gauge",
            "When it started, in Unix time.",
        );
        text.sample("mocker_start_time_seconds", &[], self.started);
    }
}

fn counters(totals: &Totals, text: &mut Exposition<'_>) {
    for row in ROWS {
        let kind = match row.kind {
            CounterKind::Counter => "counter",
            CounterKind::Gauge => "gauge",
        };
        text.family(row.name, kind, row.help);
        text.sample(row.name, &[], (row.get)(&totals.counts));
    }
    let name = "mocker_closed_connections_total";
    text.family(name, "counter", "Connections that ended, by the reason.");
    for ((_, reason), count) in Close::ALL.iter().zip(totals.closes) {
        text.sample(name, &[("reason", reason)], count);
    }
}

fn requests(watch: &Watch, totals: &Totals, text: &mut Exposition<'_>) {
    let name = "mocker_requests_total";
    text.family(name, "counter", "Requests that were answered.");
    for (endpoint, row) in watch.endpoints.iter().zip(&totals.answers) {
        for (status, count) in STATUSES.iter().zip(row) {
            // Prometheus sees the first increase only of a series that was there before.
            if *count > 0 || *status == STATUSES[0] {
                let labels: [(&str, &dyn Display); 2] =
                    [("endpoint", &endpoint.label), ("status", status)];
                text.sample(name, &labels, count);
            }
        }
    }
}

fn cores(totals: &Totals, schedules: &[Option<Schedule>], text: &mut Exposition<'_>) {
    let name = "mocker_core_open_connections";
    text.family(name, "gauge", "Connections that each core has open now.");
    for (core, connections) in totals.connections.iter().enumerate() {
        text.sample(name, &[("core", &core)], connections);
    }
    let name = "mocker_core_turn_seconds_total";
    text.family(name, "counter", "How long each core was in its turns.");
    for (core, busy) in totals.busy.iter().enumerate() {
        text.sample(name, &[("core", &core)], seconds(*busy));
    }
    // A family must have samples.
    if schedules.iter().all(Option::is_none) {
        return;
    }
    let mut family = |name, help, time: fn(&Schedule) -> Nanos| {
        text.family(name, "counter", help);
        for (core, schedule) in schedules.iter().enumerate() {
            if let Some(schedule) = schedule {
                text.sample(name, &[("core", &core)], seconds(time(schedule)));
            }
        }
    };
    family(
        "mocker_core_cpu_seconds_total",
        "How long each core's thread ran, by the kernel's account.",
        |schedule| schedule.cpu,
    );
    family(
        "mocker_core_run_queue_wait_seconds_total",
        "How long each core's thread was ready to run and waited for a CPU.",
        |schedule| schedule.wait,
    );
}

fn verdict(summary: Summary, headroom: Option<f64>, text: &mut Exposition<'_>) {
    let name = "mocker_windows_total";
    text.family(
        name,
        "counter",
        "Seconds in which something was asked, by the verdict.",
    );
    text.sample(name, &[("verdict", &"ok")], summary.windows - summary.bound);
    text.sample(name, &[("verdict", &"mock_bound")], summary.bound);
    let name = "mocker_mock_bound_reasons_total";
    text.family(
        name,
        "counter",
        "Reasons for which seconds were mock-bound; one may have several.",
    );
    for (reason, count) in summary.by_reason() {
        text.sample(name, &[("reason", &reason.name)], count);
    }
    if let Some(headroom) = headroom {
        let name = "mocker_headroom_requests_per_second";
        let help = "Requests per second at which the cores would saturate, at the last ones' cost.";
        text.family(name, "gauge", help);
        text.sample(name, &[], headroom.round());
    }
}

/// A text in Prometheus's format.
struct Exposition<'a> {
    out: &'a mut Vec<u8>,
}

impl Exposition<'_> {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        write!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("a Vec takes all");
    }

    /// Appends a sample. No label's value may hold a quote, a backslash or a line end.
    fn sample(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        self.out.extend_from_slice(name.as_bytes());
        for (at, (label, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            write!(self.out, "{before}{label}=\"{text}\"").expect("a Vec takes all");
        }
        let after = if labels.is_empty() { "" } else { "}" };
        writeln!(self.out, "{after} {value}").expect("a Vec takes all");
    }

    fn histogram(&mut self, name: &str, help: &str, tally: &Tally) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (end, count) in tally.cumulative() {
            self.sample(&bucket, &[("le", &seconds(end))], count);
        }
        self.sample(&bucket, &[("le", &"+Inf")], tally.count());
        self.sample(&format!("{name}_sum"), &[], seconds(tally.sum()));
        self.sample(&format!("{name}_count"), &[], tally.count());
    }
}
