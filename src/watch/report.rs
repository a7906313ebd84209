//! The report of a run that has ended: a table for people and JSON for programs.

use super::history::{BOUND_MAX, Summary};
use super::metrics::{STATUSES, TimeKind, seconds};
use super::window::{Usage, Verdict, Window};
use super::{Watch, histogram::Tally, stats};
use crate::Nanos;

/// The report of a run.
#[derive(Debug)]
pub struct Report {
    /// The table for people.
    pub table: String,
    /// The same as a JSON object; `docs/verdict.md` lists its members.
    pub json: String,
    /// The verdict: after `MockBound`, what was measured is the mock.
    pub verdict: Verdict,
}

impl Report {
    /// Creates the report of a run whose last window has ended.
    pub fn new(watch: &Watch) -> Report {
        let history = watch.history();
        let run = Window::between(&history.first, &history.last);
        let summary = history.summary;
        let headroom = summary.headroom(watch.cores.len());
        let of_run = Some((&run, summary.rate()));
        let numbers = stats::numbers(watch, &run.totals, seconds(run.length), of_run);
        let mut json = Vec::new();
        stats::write(numbers, &history, headroom, &mut json);
        Report {
            table: table(watch, &run, summary, headroom),
            json: String::from_utf8(json).expect("JSON is text"),
            verdict: summary.verdict(),
        }
    }
}

fn table(watch: &Watch, run: &Window, summary: Summary, headroom: Option<f64>) -> String {
    let mut table = format!(
        "mocker: {:.1} s, {} requests, {} requests/s while active\n",
        seconds(run.length),
        grouped(watch.requests_in(&run.totals)),
        grouped(summary.rate().round() as u64),
    );
    let mut row = |name: &str, text: String| {
        table += &format!("  {name:<13}{text}\n");
    };
    row("responses", statuses(watch, run));
    row("lateness", quantiles(&run.lateness));
    let times = |kind| run.totals.time(kind);
    row("service time", quantiles(times(TimeKind::Service)));
    row("longest turn", millis(times(TimeKind::Turn).max()));
    row("busy", busy(&run.cores));
    row("headroom", could_answer(headroom));
    row("verdict", verdict(summary));
    table
}

fn statuses(watch: &Watch, run: &Window) -> String {
    let counts = watch.statuses(&run.totals.answers);
    let given = STATUSES.iter().zip(counts).filter(|(_, count)| *count > 0);
    let texts: Vec<String> = given
        .map(|(status, count)| format!("{status}: {}", grouped(count)))
        .collect();
    match texts.is_empty() {
        true => "none".into(),
        false => texts.join("   "),
    }
}

fn quantiles(tally: &Tally) -> String {
    if tally.count() == 0 {
        return "no response was sent".into();
    }
    format!(
        "p50 {}   p99 {}   p99.9 {}   max {}",
        millis(tally.quantile(0.5)),
        millis(tally.quantile(0.99)),
        millis(tally.quantile(0.999)),
        millis(tally.max()),
    )
}

/// Returns the shares of the busiest cores, in one line.
fn busy(cores: &[Usage]) -> String {
    // Their names and shares take about 100 columns.
    const SHOWN: usize = 4;
    let mut busiest: Vec<(usize, &Usage)> = cores.iter().enumerate().collect();
    busiest.sort_by(|(_, one), (_, other)| other.busy.total_cmp(&one.busy));
    let shown = busiest.iter().take(SHOWN).map(|(core, usage)| {
        let waited = usage.wait.map_or("wait for a CPU unknown".into(), |wait| {
            format!("waited {}", percent(wait))
        });
        format!("core {core}: {} ({waited})", percent(usage.busy))
    });
    let more = cores.len().saturating_sub(SHOWN);
    let rest = (more > 0).then(|| format!("{more} more below"));
    shown.chain(rest).collect::<Vec<_>>().join("   ")
}

fn verdict(summary: Summary) -> String {
    if summary.windows == 0 {
        return "idle: no requests".into();
    }
    let mut text = format!(
        "{}: {} of {} seconds were mock-bound",
        summary.verdict().name(),
        summary.bound,
        summary.windows
    );
    let given = summary.by_reason().filter(|(_, count)| *count > 0);
    let given: Vec<String> = given
        .map(|((_, text), count)| format!("in {count} {text}"))
        .collect();
    if !given.is_empty() {
        text += &format!(" ({})", given.join(", "));
    }
    if summary.verdict() == Verdict::MockBound {
        let (gap, most) = (" ".repeat(15), percent(BOUND_MAX));
        text += &format!("\n{gap}more than {most} of them: the mock limited the measurement");
    }
    text
}

fn could_answer(headroom: Option<f64>) -> String {
    let Some(rate) = headroom else {
        return "too few requests for an estimate".into();
    };
    // Two digits: more would suggest a precision that the estimate does not have.
    let unit = 10_f64.powf((rate.log10() - 1.0).floor());
    let rate = grouped(((rate / unit).round() * unit) as u64);
    format!("about {rate} requests/s")
}

/// Formats a time in milliseconds with three decimals.
pub(super) fn millis(time: Nanos) -> String {
    format!("{:.3} ms", time as f64 / 1e6)
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Formats a number with commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
