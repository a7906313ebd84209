//! `/stats`: all metrics as JSON. Times are in seconds, and shares are fractions of 1.

use serde_json::{Map, Value, json};

use super::Watch;
use super::counters::{Counts, ROWS};
use super::histogram::Tally;
use super::history::{History, Summary};
use super::metrics::{Close, STATUSES, Totals};
use super::times::{TIMES, Time, seconds};
use super::window::{Usage, Window};
use crate::Nanos;

impl Watch {
    /// Appends all metrics as JSON. `uptime` is that of the monotonic clock, since the wall clock
    /// can be set.
    pub fn write_stats(&self, uptime: Nanos, out: &mut Vec<u8>) {
        self.write_stats_of(&self.totals(), uptime, out);
    }

    /// The same of counters that were added up before.
    pub(super) fn write_stats_of(&self, totals: &Totals, uptime: Nanos, out: &mut Vec<u8>) {
        let mut stats = head(self, round(seconds(uptime)));
        stats.extend(counted(self, totals));
        let history = self.history();
        stats.insert(
            "verdict".into(),
            verdict(history.summary, history.headroom()),
        );
        write_with_windows(stats, &history, out);
    }
}

/// Appends an object with the windows that are kept. They are kept as text, because a page requests
/// them every second and must not delay other connections.
pub(super) fn write_with_windows(stats: Map<String, Value>, history: &History, out: &mut Vec<u8>) {
    let text = Value::from(stats).to_string();
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

/// Returns the version and the uptime.
pub(super) fn head(watch: &Watch, uptime: f64) -> Map<String, Value> {
    object(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": watch.started,
        "uptime_seconds": uptime,
        "cores": watch.cores.len(),
    }))
}

/// Returns what was counted since the start, or in some window.
pub(super) fn counted(watch: &Watch, totals: &Totals) -> Map<String, Value> {
    let mut counted = object(json!({
        "requests": watch.requests_in(totals),
        "statuses": by_status(&watch.statuses(&totals.answers)),
        "answers": answers(watch, totals),
        "core_connections": totals.connections,
    }));
    counted.extend(counters(&totals.counts));
    counted.insert("closed_connections".into(), closes(totals));
    for time in TIMES {
        let tally = totals.times_of(time.of);
        counted.insert(time.name.into(), quantiles(&tally));
    }
    counted
}

/// Returns the verdict, the counts of windows and the headroom.
pub(super) fn verdict(summary: Summary, headroom: Option<f64>) -> Value {
    let reasons = summary.by_reason();
    let reasons: Map<_, _> = reasons
        .map(|(reason, count)| (reason.name.to_owned(), Value::from(count)))
        .collect();
    json!({
        "verdict": summary.verdict().name(),
        "windows": summary.windows,
        "mock_bound_windows": summary.bound,
        "mock_bound_share": round(summary.share()),
        "reasons": reasons,
        "headroom_requests_per_second": headroom.map(f64::round),
    })
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
        "service_time_seconds": quantiles(totals.time(Time::Service)),
        "busy": busy,
        "run_queue_wait": wait,
        "longest_turn_seconds": seconds(totals.time(Time::Turn).max()),
        "verdict": window.verdict().name(),
        "mock_bound": window.reasons().names().collect::<Vec<_>>(),
    })
    .to_string()
}

/// Returns the shares of time that each core was busy, and waited for a CPU.
pub(super) fn shares(cores: &[Usage]) -> (Value, Value) {
    let busy: Value = cores.iter().map(|core| round(core.busy)).collect();
    let wait: Vec<_> = cores.iter().map(|core| core.wait.map(round)).collect();
    (busy, wait.into())
}

/// Returns the responses by endpoint and status.
fn answers(watch: &Watch, totals: &Totals) -> Value {
    let rows = watch.endpoints.iter().zip(&totals.answers);
    let given = rows.filter(|(_, row)| row.iter().any(|&count| count > 0));
    given
        .map(|(endpoint, row)| (endpoint.label.clone(), by_status(row)))
        .collect::<Map<_, _>>()
        .into()
}

fn by_status(row: &[u64; STATUSES.len()]) -> Value {
    let given = STATUSES.iter().zip(row).filter(|(_, count)| **count > 0);
    given
        .map(|(status, count)| (status.to_string(), Value::from(*count)))
        .collect::<Map<_, _>>()
        .into()
}

fn counters(counts: &Counts) -> Map<String, Value> {
    let numbers = ROWS.iter().map(|row| (row.field, (row.get)(counts)));
    numbers
        .map(|(field, number)| (field.to_owned(), Value::from(number)))
        .collect()
}

fn closes(totals: &Totals) -> Value {
    let numbers = Close::ALL.iter().zip(totals.closes);
    numbers
        .map(|((_, name), number)| ((*name).to_owned(), Value::from(number)))
        .collect::<Map<_, _>>()
        .into()
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
pub(super) fn round(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it is written as one"),
    }
}
