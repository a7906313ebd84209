//! `/stats`: all metrics as JSON. Times are in seconds, and shares are fractions of 1.

use serde_json::{Value, json};

use super::metrics::{Close, STATUSES, TIMES, TimeKind, Totals, seconds};
use super::window::{Usage, Window};
use super::{Watch, counters::ROWS, histogram::Tally, history::History};
use crate::Nanos;

impl Watch {
    /// Appends all metrics as JSON. `uptime` is that of the monotonic clock, since the wall clock
    /// can be set.
    pub fn write_stats(&self, totals: &Totals, uptime: Nanos, out: &mut Vec<u8>) {
        let numbers = numbers(self, totals, round(seconds(uptime)), None);
        let history = self.history();
        write(numbers, &history, history.headroom(), out);
    }
}

/// Returns what was counted since the start. For a run that has ended and its requests per second,
/// this includes the rate and the shares of the cores.
pub(super) fn numbers(
    watch: &Watch,
    totals: &Totals,
    uptime: f64,
    run: Option<(&Window, f64)>,
) -> Value {
    let mut numbers = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": watch.started,
        "uptime_seconds": uptime,
        "cores": watch.cores.len(),
    });
    if let Some((_, rate)) = run {
        numbers["requests_per_second"] = round(rate).into();
    }
    numbers["requests"] = watch.requests_in(totals).into();
    numbers["statuses"] = by_status(&watch.statuses(&totals.answers));
    let rows = watch.endpoints.iter().zip(&totals.answers);
    let given = rows.filter(|(_, row)| row.iter().any(|&count| count > 0));
    let answers = given.map(|(endpoint, row)| (endpoint.label.as_str(), by_status(row)));
    numbers["answers"] = answers.collect();
    numbers["core_connections"] = json!(totals.connections);
    for row in ROWS {
        numbers[row.field] = (row.get)(&totals.counts).into();
    }
    let closes = Close::ALL.iter().zip(totals.closes);
    numbers["closed_connections"] = closes.map(|((_, name), count)| (*name, count)).collect();
    for time in TIMES {
        numbers[time.name] = quantiles(&totals.times_of(time.of));
    }
    if let Some((run, _)) = run {
        let (busy, wait) = shares(&run.cores);
        numbers["busy"] = busy;
        numbers["run_queue_wait"] = wait;
    }
    numbers
}

/// Appends an object of the numbers, the verdict and the windows that are kept. The windows are
/// kept as text, because a page requests them every second and must not delay other connections.
pub(super) fn write(
    mut numbers: Value,
    history: &History,
    headroom: Option<f64>,
    out: &mut Vec<u8>,
) {
    let summary = history.summary;
    let reasons = summary.by_reason();
    numbers["verdict"] = json!({
        "verdict": summary.verdict().name(),
        "windows": summary.windows,
        "mock_bound_windows": summary.bound,
        "mock_bound_share": round(summary.share()),
        "reasons": reasons.map(|((name, _), count)| (name, count)).collect::<Value>(),
        "headroom_requests_per_second": headroom.map(f64::round),
    });
    let text = numbers.to_string();
    out.extend_from_slice(text.strip_suffix('}').expect("an object ends").as_bytes());
    out.extend_from_slice(b",\"windows\":[");
    for (at, window) in history.exported.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(window.as_bytes());
    }
    out.extend_from_slice(b"]}\n");
}

/// Returns one window, as an object.
pub(super) fn window(watch: &Watch, window: &Window) -> String {
    let totals = &window.totals;
    let requests = window.requests;
    let (busy, wait) = shares(&window.cores);
    json!({
        "at_seconds": seconds(window.ends),
        "length_seconds": seconds(window.length),
        "requests": requests,
        "requests_per_second": round(window.per_second(requests)),
        "statuses": by_status(&watch.statuses(&totals.answers)),
        "open_connections": totals.counts.open_connections,
        "in_flight": totals.counts.in_flight,
        "received_bytes": totals.counts.received_bytes,
        "sent_bytes": totals.counts.sent_bytes,
        "tokens": totals.counts.tokens,
        "lateness_seconds": quantiles(&window.lateness),
        "service_time_seconds": quantiles(totals.time(TimeKind::Service)),
        "busy": busy,
        "run_queue_wait": wait,
        "longest_turn_seconds": seconds(totals.time(TimeKind::Turn).max()),
        "verdict": window.verdict().name(),
        "mock_bound": window.reason_names(),
    })
    .to_string()
}

/// Returns the shares of time that each core was busy, and waited for a CPU.
fn shares(cores: &[Usage]) -> (Value, Value) {
    let busy: Value = cores.iter().map(|core| round(core.busy)).collect();
    let wait: Vec<_> = cores.iter().map(|core| core.wait.map(round)).collect();
    (busy, wait.into())
}

fn by_status(row: &[u64; STATUSES.len()]) -> Value {
    let given = STATUSES.iter().zip(row).filter(|(_, count)| **count > 0);
    given
        .map(|(status, count)| (status.to_string(), *count))
        .collect()
}

fn quantiles(tally: &Tally) -> Value {
    json!({
        "count": tally.count(),
        "p50": seconds(tally.quantile(0.5)),
        "p90": seconds(tally.quantile(0.9)),
        "p99": seconds(tally.quantile(0.99)),
        "p99.9": seconds(tally.quantile(0.999)),
        "max": seconds(tally.max()),
    })
}

/// Rounds to four decimals.
fn round(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}
