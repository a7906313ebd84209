//! Every setting once: a row declares field, type, allowed values, default and help, and the flag,
//! the variable, the help text and the table of `docs/settings.md` are made from it.
//!
//! Knows texts only. It does not know the process (arguments and variables are handed in, the
//! texts to print and the exit code are `main`'s), nor the machine: whether a host resolves or a
//! core exists is found out where it is used.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use kind::{
    Auto, Bytes, Choice, Cores, Host, Kind, Micros, Millis, Name, Names, Percent, Seconds, Secret,
    Source, Span, Switch, Until, Whole,
};

mod generate;
mod given;
mod kind;
mod start;
mod texts;
mod value;

pub use start::{Run, Start, misspelt, start};
pub use texts::markdown;
pub use value::{After, Content, FailOn, Millionths, Pin};

/// Makes `Settings`, its defaults and `ROWS` from groups of rows, each its help and then
/// `field: type = kind, default, metavar;`. The kind says which texts are allowed. An empty metavar
/// makes a switch, which alone means true and never takes the next argument.
macro_rules! settings {
    ($($group:literal: $(
        $(#[doc = $help:literal])+
        $field:ident: $type:ty = $kind:expr, $default:literal, $metavar:literal;
    )+)+) => {
        /// What the operator asked for. It has no `Debug`, since that would print `auth`.
        #[derive(Clone, PartialEq)]
        pub struct Settings {$($(
            $(#[doc = $help])+
            #[doc = concat!("\n\nAllowed: `", stringify!($kind), "`; default: `", $default, "`.")]
            pub $field: $type,
        )+)+}

        impl Default for Settings {
            fn default() -> Self {
                Settings {$($(
                    $field: Kind::<$type>::parse(&$kind, $default).expect("defaults are tested"),
                )+)+}
            }
        }

        /// The table of all settings, in the order of the help text.
        pub const ROWS: &[Row] = &[$($(Row {
            group: $group,
            field: stringify!($field),
            default: $default,
            metavar: $metavar,
            help: &[$($help.trim_ascii()),+],
            allowed: || Kind::<$type>::allowed(&$kind),
            secret: || Kind::<$type>::secret(&$kind),
            words: || Kind::<$type>::words(&$kind),
            set: |settings, text| {
                settings.$field = Kind::<$type>::parse(&$kind, text)?;
                Some(())
            },
        }),+),+];
    };
}

settings! {
    "Where to serve":
    /// Where to listen. localhost serves this machine only; 0.0.0.0 serves others too.
    host: String = Host, "localhost", "HOST";
    /// Port to listen on; 0 takes a free one.
    port: u16 = Whole(0, 65_535), "8000", "PORT";
    /// Threads that serve, one a core. auto takes as many as the process may use CPUs
    /// (by its affinity mask and its cgroup quota).
    threads: Option<usize> = Auto(Whole(1, 1024)), "auto", "N";
    /// Keep each thread on one CPU. auto does so when -cores is given or when there are as many
    /// threads as CPUs in the process's affinity mask.
    pin: Pin = Choice(&[("auto", Pin::Auto), ("on", Pin::On), ("off", Pin::Off)]), "auto", "WORD";
    /// CPUs to serve on, a thread on each; empty leaves the choice to mocker.
    cores: Vec<usize> = Cores, "", "LIST";
    /// Give every core its fair share of the connections; off leaves it to the kernel's hash.
    balance: bool = Choice(&[("on", true), ("off", false)]), "on", "WORD";
    /// Look for events for so many microseconds before a core sleeps: less late where little is
    /// asked, for a CPU that is never idle.
    busy_poll: Duration = Micros(1_000_000), "0", "US";
    /// How many connections there may be; more wait until one ends. auto takes as many as the
    /// process may have descriptors for.
    max_connections: Option<usize> = Auto(Whole(1, 10_000_000)), "auto", "N";

    "What to answer":
    /// Give large answers: texts of about 10 KB, embeddings of 4096 numbers.
    big_payload: bool = Switch, "false", "";
    /// What answers say: one fixed sentence, what the user said last (up to 64 KiB of it),
    /// random words, or the text of a file.
    content: Content = Source, "fixed", "WHAT";
    /// How many tokens an answer has; a range such as 50-200 is drawn from evenly.
    /// auto takes what its text has.
    tokens: Option<RangeInclusive<u32>> = Auto(Span(1, 100_000)), "auto", "N";
    /// The models that /v1/models lists; any other is answered too.
    models: Vec<String> = Names, "gpt-4o-mini,text-embedding-ada-002", "LIST";
    /// Refuse what OpenAI refuses and this server else lets through: requests without model,
    /// messages or input, values of the wrong type.
    strict: bool = Switch, "false", "";
    /// Let web pages of every origin read the answers.
    cors: bool = Switch, "false", "";
    /// Where random choices begin, so that a run repeats; 0: somewhere else each time.
    seed: u64 = Whole(0, u64::MAX), "0", "NUMBER";

    "When to answer":
    /// Answer so many milliseconds after the last byte of the request.
    latency: Duration = Millis(3_600_000), "0", "MS";
    /// Vary the latency by up to so many milliseconds up or down, evenly; never below 0.
    jitter: Duration = Millis(3_600_000), "0", "MS";
    /// When a stream's first token leaves, after the last byte of the request.
    /// auto takes the latency that is drawn for the request.
    ttft: Option<Duration> = Auto(Millis(3_600_000)), "auto", "MS";
    /// Vary that by up to so many milliseconds up or down, evenly; never below 0. Needs -ttft.
    ttft_jitter: Duration = Millis(3_600_000), "0", "MS";
    /// The time from each token of a stream to the next.
    itl: Duration = Millis(3_600_000), "0", "MS";
    /// Vary each of these by up to so many milliseconds up or down, evenly; never below 0.
    itl_jitter: Duration = Millis(3_600_000), "0", "MS";
    /// How many tokens each chunk of a stream carries; it leaves when the first of them is due.
    tokens_per_chunk: u32 = Whole(1, 1000), "1", "N";

    "When to refuse or fail":
    /// The Authorization value that requests must carry exactly; empty lets every request in. The
    /// KEY of Bearer KEY may come as api-key or x-api-key instead.
    auth: String = Secret, "", "VALUE";
    /// Let so many percent of the requests fail with a 500.
    failure_percent: Millionths = Percent, "0", "PERCENT";
    /// Vary that by up to so many percentage points up or down, drawn for each 100 requests.
    failure_jitter: Millionths = Percent, "0", "POINTS";
    /// Refuse every request with a 429 from so many seconds after the start; 0: never.
    tpm: u32 = Whole(0, 31_536_000), "0", "SECONDS";
    /// End that after so many seconds; 0: never.
    tpm_duration: u32 = Whole(0, 31_536_000), "0", "SECONDS";
    /// What Retry-After says where a 429 has no known end, which clients sleep; 0: not sent.
    retry_after: u32 = Whole(0, 86_400), "1", "SECONDS";

    "What to tell":
    /// Print neither the line that tells a terminal how the last second was, nor the report at
    /// the end; -log-raw implies it.
    quiet: bool = Switch, "false", "";
    /// End after so many requests to the API, or after a time such as 30s.
    exit_after: After = Until, "never", "WHEN";
    /// Write the report of the run to this file as JSON, at the end; a FIFO or a device gets three
    /// seconds to take it.
    report: PathBuf = Name, "", "FILE";
    /// Exit with 3 when the mock was the bottleneck, so that the run can't be trusted; not-ok also
    /// when nothing was asked.
    fail_on: FailOn = Choice(&[
        ("never", FailOn::Never), ("mock-bound", FailOn::MockBound), ("not-ok", FailOn::NotOk),
    ]), "never", "WORD";
    /// Ask for the authorization for /metrics and /stats as well. Needs -auth.
    auth_metrics: bool = Switch, "false", "";
    /// Log requests and answers as they are on standard error, bodies in full.
    log_raw: bool = Switch, "false", "";

    "Limits":
    /// Close a connection that has waited this many seconds for a next request; responses announce
    /// it as Keep-Alive: timeout=SECONDS.
    idle_timeout: Duration = Seconds(0.001, 86_400.0), "60", "SECONDS";
    /// Close a connection whose request takes more than this many seconds to arrive.
    read_timeout: Duration = Seconds(0.001, 86_400.0), "300", "SECONDS";
    /// Close a connection whose client takes more than this many seconds to read an answer.
    write_timeout: Duration = Seconds(0.001, 86_400.0), "300", "SECONDS";
    /// Largest request body in bytes; a larger one is refused.
    max_body: u64 = Bytes, "50m", "BYTES";
}

/// One setting as the operator sees it.
pub struct Row {
    /// What it is for, together with others.
    group: &'static str,
    /// Name of the field in `Settings`; the names of flag and variable follow from it.
    field: &'static str,
    /// The default, as an operator would write it.
    default: &'static str,
    /// What stands for the value in the help text; empty for a switch.
    metavar: &'static str,
    /// What it does; its lines fit the help text.
    help: &'static [&'static str],
    /// What is allowed, as the end of a sentence.
    allowed: fn() -> String,
    /// Whether the value must not be shown.
    secret: fn() -> bool,
    /// The values that it can have, where those are a few words.
    words: fn() -> Vec<&'static str>,
    /// Puts the parsed text into its field; `None` where the text is not allowed.
    set: fn(&mut Settings, &str) -> Option<()>,
}

impl Row {
    /// The flag: `-big-payload` for the field `big_payload`.
    fn flag(&self) -> String {
        format!("-{}", self.field.replace('_', "-"))
    }

    /// The environment variable: `MOCKER_BIG_PAYLOAD` for the field `big_payload`.
    pub fn variable(&self) -> String {
        format!("MOCKER_{}", self.field.to_uppercase())
    }

    fn usage(&self) -> String {
        let usage = format!("{} {}", self.flag(), self.metavar);
        usage.trim_end().to_owned()
    }

    fn default_shown(&self) -> &str {
        if self.default.is_empty() {
            "\"\""
        } else {
            self.default
        }
    }
}

#[cfg(test)]
mod tests;
