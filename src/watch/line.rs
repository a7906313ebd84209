//! The line that shows the last second on a terminal.

use super::report::{grouped, millis, percent};
use super::window::{Verdict, Window};

/// The escape code that moves the cursor to the start of the line and clears it for the next one.
pub const AGAIN: &str = "\r\x1b[K";

/// Returns the line of a window. Without `color` it has no escape codes.
pub fn line(window: &Window, color: bool) -> String {
    let code = match window.verdict() {
        Verdict::Idle => "2",
        Verdict::Ok => "32",
        Verdict::MockBound => "31",
    };
    let mut verdict = window.verdict().name().to_owned();
    let reasons = window.reason_names();
    if !reasons.is_empty() {
        verdict += &format!(" ({})", reasons.join(", "));
    }
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
