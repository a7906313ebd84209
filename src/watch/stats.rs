//! `/stats`: all that is known, as JSON. Times are seconds, shares are parts of 1. Knows no HTTP.

use serde_json::{Map, Value, json};

use super::Watch;
use super::counters::{Counts, ROWS};
use super::histogram::Tally;
use super::history::{History, Judged};
use super::metrics::{Close, STATUSES, Totals};
use super::times::{TIMES, Time, seconds};
use super::window::{Usage, Window};
use crate::Nanos;

impl Watch {
    /// Appends all that is known as JSON. `uptime` is by the monotonic clock: what the wall clock
    /// shows can be set.
    pub fn write_stats(&self, uptime: Nanos, out: &mut Vec<u8>) {
        let totals = self.totals();
        let mut stats = head(self, round(seconds(uptime)));
        stats.extend(counted(self, &totals));
        let history = self.history();
        stats.insert(
            "verdict".into(),
            verdict(history.judged, history.headroom()),
        );
        write_with_windows(stats, &history, out);
    }
}

/// Appends an object with the windows that are kept. They are text already: a page that asks for
/// them every second must keep nobody waiting.
pub(super) fn write_with_windows(stats: Map<String, Value>, history: &History, out: &mut Vec<u8>) {
    let text = Value::from(stats).to_string();
    out.extend_from_slice(text.strip_suffix('}').expect("an object ends").as_bytes());
    out.extend_from_slice(b",\"windows\":[");
    for (at, window) in history.told.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(window.as_bytes());
    }
    out.extend_from_slice(b"]}\n");
}

/// What program told this, and for how long it ran.
pub(super) fn head(watch: &Watch, uptime: f64) -> Map<String, Value> {
    object(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": watch.started,
        "uptime_seconds": uptime,
        "cores": watch.cores.len(),
    }))
}

/// What was counted from the start on, or in some time.
pub(super) fn counted(watch: &Watch, totals: &Totals) -> Map<String, Value> {
    let mut counted = object(json!({
        "requests": watch.requests_in(totals),
        "statuses": by_status(&watch.statuses(&totals.answers)),
        "answers": answers(watch, totals),
        "core_connections": totals.connections,
    }));
    counted.extend(counters(&totals.counts));
    counted.insert("closed_connections".into(), closes(totals));
    for told in TIMES {
        let tally = totals.times_of(told.of);
        counted.insert(told.name.into(), quantiles(&tally));
    }
    counted
}

/// How the windows were judged, and what the cores could do.
pub(super) fn verdict(judged: Judged, headroom: Option<f64>) -> Value {
    let reasons = judged.by_reason();
    let reasons: Map<_, _> = reasons
        .map(|(reason, count)| (reason.name.to_owned(), Value::from(count)))
        .collect();
    json!({
        "verdict": judged.verdict().name(),
        "windows": judged.windows,
        "mock_bound_windows": judged.bound,
        "mock_bound_share": round(judged.share()),
        "reasons": reasons,
        "headroom_requests_per_second": headroom.map(f64::round),
    })
}

/// One window, as an object.
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

/// How the cores were used: shares of running, and of waiting for a CPU.
pub(super) fn shares(cores: &[Usage]) -> (Value, Value) {
    let busy: Value = cores.iter().map(|core| round(core.busy)).collect();
    let wait: Vec<_> = cores.iter().map(|core| core.wait.map(round)).collect();
    (busy, wait.into())
}

/// Answers by endpoint and status.
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

/// To four decimals.
pub(super) fn round(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it is written as one"),
    }
}
