//! The line that tells a terminal how the last second was. Knows no terminal.

use super::report::{grouped, millis, percent};
use super::window::{Verdict, Window};

/// Puts the cursor to the line's beginning and clears it, so that the next one stands in its place.
pub const AGAIN: &str = "\r\x1b[K";

/// The line of a window. Without `color` it has no escape codes.
pub fn line(window: &Window, color: bool) -> String {
    let (verdict, code) = match window.verdict() {
        verdict @ Verdict::Idle => (verdict.name().to_owned(), "2"),
        verdict @ Verdict::Ok => (verdict.name().to_owned(), "32"),
        verdict @ Verdict::MockBound => {
            let reasons: Vec<&str> = window.reasons().names().collect();
            (format!("{} ({})", verdict.name(), reasons.join(", ")), "31")
        }
    };
    let verdict = match color {
        true => format!("\x1b[{code}m{verdict}\x1b[0m"),
        false => verdict,
    };
    format!(
        "{} req/s | {} in flight | late p99 {} | busiest core {} | {verdict}",
        grouped(window.per_second(window.requests).round() as u64),
        grouped(window.totals.counts.in_flight),
        millis(window.lateness.quantile(0.99)),
        percent(window.busiest()),
    )
}
