//! The settings. Each is declared once, with field, type, allowed values, default and help; the
//! flag, the environment variable, the help text and the table of `docs/settings.md` follow from
//! that.
//!
//! This module only parses text. Whether a host name resolves or a CPU exists is checked where the
//! setting is used.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use parser::{
    Allowed, Values, auto, bytes, choice, content_source, cores, file_name, flag, host, int_range,
    integer, micros, millis, model_list, percent, seconds, secret, stop_after,
};

mod command_line;
mod parser;
mod start;
mod value;

pub use command_line::{Action, CommandLine, Origin};
pub use start::{GENERATE, OTHERS, misspelt, start};
pub use value::{ContentMode, ExitAfter, FailOn, Millionths, Pin};

/// Defines `Settings`, its defaults and `SETTINGS` from groups of settings. Each is its help,
/// followed by `field: type = parser, default, metavar;`. An empty metavar makes a boolean flag,
/// which means true without a value and never takes the next argument as its value.
macro_rules! settings {
    ($($group:literal: $(
        $(#[doc = $help:literal])+
        $field:ident: $type:ty = $parser:expr, $default:literal, $metavar:literal;
    )+)+) => {
        /// The value of every setting. Does not implement `Debug`, which would print `auth`.
        #[derive(Clone, PartialEq)]
        pub struct Settings {$($(
            $(#[doc = $help])+
            #[doc = concat!("\n\nAllowed: `", stringify!($parser), "`; default: `", $default, "`.")]
            pub $field: $type,
        )+)+}

        impl Default for Settings {
            fn default() -> Self {
                Settings {$($(
                    $field: $parser.parse($default).expect("defaults are valid"),
                )+)+}
            }
        }

        /// Every setting, in the order of the help text.
        pub const SETTINGS: &[Setting] = &[$($(Setting {
            group: $group,
            field: stringify!($field),
            default: $default,
            metavar: $metavar,
            help: &[$($help.trim_ascii()),+],
            allowed: || {
                let values: Values<$type> = $parser;
                values.allowed
            },
            set: |settings, text| {
                settings.$field = $parser.parse(text)?;
                Some(())
            },
        }),+),+];
    };
}

settings! {
    "Server":
    /// Host name or address to listen on. localhost accepts local clients only, 0.0.0.0 all.
    host: String = host(), "localhost", "HOST";
    /// Port to listen on; 0 picks a free one.
    port: u16 = integer(0, 65_535), "8000", "PORT";
    /// Number of serving threads. auto starts one per CPU that the process may use, according to
    /// its affinity mask and its cgroup quota.
    threads: Option<usize> = auto(integer(1, 1024)), "auto", "N";
    /// Pin each thread to a CPU. auto does so if -cores is set, or if there are as many threads as
    /// CPUs in the process's affinity mask.
    pin: Pin = choice([("auto", Pin::Auto), ("on", Pin::On), ("off", Pin::Off)]), "auto", "WORD";
    /// CPUs to serve on, with one thread on each; empty leaves the choice to mocker.
    cores: Vec<usize> = cores(), "", "LIST";
    /// Spread connections evenly over the threads; off leaves it to the kernel's hash.
    balance: bool = choice([("on", true), ("off", false)]), "on", "WORD";
    /// Busy-poll for this many microseconds before sleeping: lower latency at low load, at the
    /// price of an always-busy CPU.
    busy_poll: Duration = micros(1_000_000), "0", "US";
    /// Maximum number of open connections; further ones wait until one closes. auto uses what the
    /// process's limit of file descriptors allows.
    max_connections: Option<usize> = auto(integer(1, 10_000_000)), "auto", "N";

    "Responses":
    /// Return large responses: texts of about 10 KB, embeddings of 4096 numbers.
    big_payload: bool = flag(), "false", "";
    /// Text of responses: a fixed sentence, the last user message (up to 64 KiB of it), random
    /// words, or the text of a file.
    content: ContentMode = content_source(), "fixed", "SOURCE";
    /// Number of tokens in a response, or a range such as 50-200 to draw it from uniformly.
    /// auto uses the length of the text.
    tokens: Option<RangeInclusive<u32>> = auto(int_range(1, 100_000)), "auto", "N";
    /// Models listed by /v1/models; requests for any other model are accepted too.
    models: Vec<String> = model_list(), "gpt-4o-mini,text-embedding-ada-002", "LIST";
    /// Also reject what OpenAI rejects: requests without model, messages or input, and values of
    /// the wrong type.
    strict: bool = flag(), "false", "";
    /// Allow web pages of any origin to read responses (CORS).
    cors: bool = flag(), "false", "";
    /// Seed of all random choices, which makes a run repeatable; 0 picks a different one each time.
    seed: u64 = integer(0, u64::MAX), "0", "NUMBER";

    "Timing":
    /// Milliseconds from the last byte of a request to the response.
    latency: Duration = millis(3_600_000), "0", "MS";
    /// Vary -latency uniformly by up to this many milliseconds up or down, never below 0.
    jitter: Duration = millis(3_600_000), "0", "MS";
    /// Time to first token of a stream: milliseconds from the last byte of the request.
    /// auto uses the latency drawn for the request.
    ttft: Option<Duration> = auto(millis(3_600_000)), "auto", "MS";
    /// Vary -ttft uniformly by up to this many milliseconds up or down, never below 0. Requires
    /// -ttft.
    ttft_jitter: Duration = millis(3_600_000), "0", "MS";
    /// Inter-token latency: milliseconds from each token of a stream to the next.
    itl: Duration = millis(3_600_000), "0", "MS";
    /// Vary -itl per token, uniformly by up to this many milliseconds up or down, never below 0.
    itl_jitter: Duration = millis(3_600_000), "0", "MS";
    /// Number of tokens in each chunk of a stream, which is sent when the first of them is due.
    tokens_per_chunk: u32 = integer(1, 1000), "1", "N";

    "Rejections and failures":
    /// Exact Authorization value that requests must have; empty accepts every request. The KEY of
    /// Bearer KEY may be sent as api-key or x-api-key instead.
    auth: String = secret(), "", "VALUE";
    /// Percentage of requests that fail with a 500.
    failure_percent: Millionths = percent(), "0", "PERCENT";
    /// Vary -failure-percent by up to this many percentage points up or down, drawn for every 100
    /// requests.
    failure_jitter: Millionths = percent(), "0", "POINTS";
    /// Seconds from the start until every request is rejected with a 429; 0 disables this.
    tpm: u32 = integer(0, 31_536_000), "0", "SECONDS";
    /// Duration of the rate limit of -tpm in seconds; 0 means that it never ends.
    tpm_duration: u32 = integer(0, 31_536_000), "0", "SECONDS";
    /// Retry-After in seconds when the rate limit has no set end; 0 omits it.
    retry_after: u32 = integer(0, 86_400), "1", "SECONDS";

    "Output":
    /// Print neither the live status on a terminal nor the final report; -log-raw implies it.
    quiet: bool = flag(), "false", "";
    /// Exit after this many API requests, or after a time such as 30s.
    exit_after: ExitAfter = stop_after(), "never", "WHEN";
    /// Write the final report to this file as JSON. A FIFO or a device must accept it within three
    /// seconds.
    report: PathBuf = file_name(), "", "FILE";
    /// Exit with status 3 if mocker was the bottleneck, which makes the results unreliable. not-ok
    /// does so for a run without requests as well.
    fail_on: FailOn = choice([
        ("never", FailOn::Never), ("mock-bound", FailOn::MockBound), ("not-ok", FailOn::NotOk),
    ]), "never", "WORD";
    /// Require the authorization for /metrics and /stats as well. Requires -auth.
    auth_metrics: bool = flag(), "false", "";
    /// Log requests and responses verbatim on standard error, with complete bodies.
    log_raw: bool = flag(), "false", "";

    "Limits":
    /// Close a connection after this many seconds without a request; responses announce it as
    /// Keep-Alive: timeout=SECONDS.
    idle_timeout: Duration = seconds(0.001, 86_400.0), "60", "SECONDS";
    /// Close a connection if a request takes more than this many seconds to arrive.
    read_timeout: Duration = seconds(0.001, 86_400.0), "300", "SECONDS";
    /// Close a connection if its client takes more than this many seconds to read a response.
    write_timeout: Duration = seconds(0.001, 86_400.0), "300", "SECONDS";
    /// Largest request body in bytes; larger ones are rejected.
    max_body: u64 = bytes(), "50m", "BYTES";
    /// Memory in bytes for the tools and formats of all requests together; beyond it, the server
    /// reads such requests one after the other.
    max_held: u64 = bytes(), "64m", "BYTES";
}

/// A setting as the user sees it.
pub struct Setting {
    /// The heading of its group.
    pub group: &'static str,
    /// The name of the field in `Settings`, from which the names of flag and variable follow.
    pub field: &'static str,
    /// The default, as a user would write it.
    pub default: &'static str,
    /// The placeholder for the value in the help text; empty for a boolean flag.
    pub metavar: &'static str,
    /// The help, in lines that fit the help text.
    pub help: &'static [&'static str],
    /// Describes the allowed values.
    pub allowed: fn() -> Allowed,
    /// Parses the text into its field. Returns `None` if the text is invalid.
    set: fn(&mut Settings, &str) -> Option<()>,
}

impl Setting {
    /// Returns the groups of settings, in order.
    pub fn groups() -> impl Iterator<Item = &'static [Setting]> {
        SETTINGS.chunk_by(|one, other| one.group == other.group)
    }

    /// Returns the flag: `-big-payload` for the field `big_payload`.
    pub fn flag(&self) -> String {
        format!("-{}", self.field.replace('_', "-"))
    }

    /// Returns the environment variable: `MOCKER_BIG_PAYLOAD` for the field `big_payload`.
    pub fn variable(&self) -> String {
        format!("MOCKER_{}", self.field.to_uppercase())
    }

    /// Returns the flag with the placeholder for its value.
    pub fn usage(&self) -> String {
        let usage = format!("{} {}", self.flag(), self.metavar);
        usage.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests;
