//! Scripts for tests of timing: the actions of a client, their times, and the expected results.

use std::time::Duration;

use mocker::internals::settings::Settings;

use super::client::{Client, End, MILLI};

/// Timeouts that are all different, unlike the defaults.
pub fn settings() -> Settings {
    Settings {
        idle_timeout: Duration::from_secs(60),
        read_timeout: Duration::from_secs(10),
        write_timeout: Duration::from_secs(20),
        ..Settings::default()
    }
}

/// A head with an outstanding body of four bytes.
pub const POST: &str = "POST /v1/responses HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";

/// A line of a script. Times are in milliseconds.
pub enum Step {
    /// The client sends.
    Send(&'static str),
    /// Time passes.
    Pass(u64),
    /// The connection's deadline is this long after its start.
    Due(u64),
    /// These statuses were received since the last check.
    Came(&'static [u16]),
    /// The connection is in this state.
    Is(End),
    /// From now on, the client takes this many bytes at a time.
    Takes(usize),
    /// The client takes this many bytes once.
    Take(usize),
    /// The client closes its sending side.
    EndSending,
    /// The server begins its shutdown.
    Drain,
    /// A new connection is opened.
    Reconnect,
}

/// Runs each script on a connection of its own.
pub fn play_all(scripts: &[(&str, &[Step])]) {
    for (name, steps) in scripts {
        let mut client = Client::new(&settings());
        for (at, step) in steps.iter().enumerate() {
            let name = format!("{name}, step {at}");
            match step {
                Step::Send(bytes) => client.send(bytes),
                Step::Pass(time) => client.pass(time * MILLI),
                Step::Due(time) => assert_eq!(client.deadline(), time * MILLI, "{name}"),
                Step::Came(statuses) => assert_eq!(client.came(), *statuses, "{name}"),
                Step::Is(end) => assert_eq!(client.end, *end, "{name}"),
                Step::Takes(bytes) => client.takes(*bytes),
                Step::Take(bytes) => client.take(*bytes),
                Step::EndSending => client.end_sending(),
                Step::Drain => client.drain(),
                Step::Reconnect => client.reconnect(),
            }
        }
    }
}
