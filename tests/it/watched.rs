//! Tests of the running program's own measurements: the report, exit statuses, the status line on a
//! terminal.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

use crate::server::{
    Client, Ended, HEALTH, Process, Scratch, Server, chat, mocker, post, run, wait_for,
};

/// Starts a server that prints its report and also writes it to a file.
fn reporting(report: &Scratch, args: &[&str]) -> Server {
    let path = report.path().to_str().expect("it is UTF-8");
    let args = [&["-quiet=false", "-report", path], args].concat();
    Server::start(&args)
}

fn ended(server: Server, code: i32) -> Ended {
    let ended = server.process.ended();
    assert_eq!(ended.status.code(), Some(code), "{}", ended.stderr);
    ended
}

/// Other processes may take the core away at any time, and then the report rightly says so.
fn is_stolen(report: &Value) -> bool {
    report["verdict"]["reasons"]["stolen"].as_u64() > Some(0)
}

#[test]
fn the_report_is_printed_and_written_as_json() {
    let report = Scratch::new("report");
    let server = reporting(&report, &["-latency", "5", "-threads", "2"]);
    let mut client = server.connect();
    for _ in 0..20 {
        client.ask(chat("good")).assert_chat("good");
    }
    assert_eq!(client.ask(post("/v1/nothing", "", "")).status(), 404);
    assert_eq!(client.ask(HEALTH).status(), 200);
    // Any signal for a clean exit would do.
    server.process.signal("HUP");
    let ended = ended(server, 0);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(lines[0].contains(" s, 21 requests, "), "{}", ended.stderr);
    let rows = [
        "  responses    200: 20   404: 1",
        "  lateness     p50 ",
        "  service time p50 ",
        "  longest turn ",
        "  busy         core ",
        "  headroom     ",
        "  verdict      ",
    ];
    for (at, start) in rows.iter().enumerate() {
        assert!(lines[at + 1].starts_with(start), "{}", ended.stderr);
    }
    let report = report.json();
    assert_eq!(report["requests"], 21, "of the API");
    assert_eq!(report["answers"]["/health"]["200"], 1);
    assert_eq!(report["statuses"]["404"], 1);
    assert_eq!(report["cores"], 2);
    assert_eq!(report["delay_seconds"]["count"], 20);
    let late = &report["lateness_seconds"];
    assert_eq!(late["count"], 22);
    assert!(late["p50"].as_f64() > Some(0.0) && late["p50"].as_f64() <= late["max"].as_f64());
    assert_eq!(report["busy"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["closed_connections"]["shutdown"], 1);
    assert_eq!(report["open_connections"], 0);
    let windows = report["windows"].as_array().expect("there are windows");
    let counted: u64 = windows.iter().filter_map(|w| w["requests"].as_u64()).sum();
    assert_eq!(counted, 21, "each request is in one window");
    assert!(report["verdict"]["windows"].as_u64() >= Some(1));
}

#[test]
fn a_server_exits_after_a_number_of_requests_or_a_time() {
    let report = Scratch::new("after");
    let server = reporting(&report, &["-exit-after", "10"]);
    let mut client = server.connect();
    // Requests outside of the API don't count.
    (0..15).for_each(|_| drop(client.ask(HEALTH)));
    sleep(Duration::from_millis(100));
    (0..10).for_each(|_| client.ask(chat("few")).assert_chat("few"));
    client.assert_ends();
    ended(server, 0);
    assert_eq!(report.json()["requests"], 10);
    let began = Instant::now();
    let ended = run(mocker(&["-port", "0"]).args(["-exit-after", "300ms"]));
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert!(ended.stderr.contains("idle: no requests"));
}

#[test]
fn a_run_without_requests_fails_with_not_ok() {
    for (fail, code) in [("mock-bound", 0), ("not-ok", 3)] {
        let report = Scratch::new(&format!("idle-{fail}"));
        let server = reporting(&report, &["-fail-on", fail]);
        server.assert_serves();
        server.process.signal("TERM");
        let ended = ended(server, code);
        let line = "mocker: -fail-on: there were no requests";
        assert_eq!(ended.stderr.lines().any(|l| l == line), code == 3);
    }
}

#[test]
fn a_late_run_fails_with_mock_bound() {
    for (fail, code) in [("mock-bound", 3), ("not-ok", 3), ("never", 0)] {
        let report = Scratch::new(fail);
        let server = reporting(&report, &["-latency", "100", "-fail-on", fail]);
        let mut client = server.connect();
        let sent = Instant::now();
        client.send(chat("late"));
        sleep(Duration::from_millis(20));
        // A stopped process is always late.
        server.process.signal("STOP");
        sleep(Duration::from_millis(600));
        server.process.signal("CONT");
        client.answer().assert_chat("late");
        let answered = sent.elapsed().as_secs_f64();
        server.process.signal("TERM");
        let ended = ended(server, code);
        let line = "mocker: -fail-on: the run was mock-bound";
        assert_eq!(ended.stderr.lines().any(|l| l == line), code == 3);
        assert!(
            ended.stderr.contains("responses were late"),
            "{}",
            ended.stderr
        );
        let report = report.json();
        assert_eq!(report["verdict"]["verdict"], "mock-bound");
        assert!(report["verdict"]["reasons"]["late"].as_u64() >= Some(1));
        let most = report["lateness_seconds"]["max"].as_f64().expect("a time");
        // Lateness excludes the delay, and can't exceed what the client saw, plus 2 % for buckets.
        let seen = (answered - 0.1) * 1.02;
        assert!((0.4..seen).contains(&most), "{most}, {seen}");
    }
}

#[test]
fn a_punctual_run_does_not_fail() {
    let report = Scratch::new("on-time");
    let server = reporting(&report, &["-fail-on", "mock-bound"]);
    let mut client = server.connect();
    for _ in 0..20 {
        client.ask(chat("good")).assert_chat("good");
        sleep(Duration::from_millis(20));
    }
    server.process.signal("TERM");
    let ended = server.process.ended();
    let report = report.json();
    if !is_stolen(&report) && report["verdict"]["reasons"]["late"] == 0 {
        assert_eq!(report["verdict"]["verdict"], "ok");
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    }
}

#[test]
fn an_unwritable_report_fails_at_startup() {
    let ended = run(mocker(&["-port", "0"]).args(["-report", "/nowhere/at/all"]));
    assert_eq!(ended.status.code(), Some(2));
    let line = "mocker: -report: can't write to /nowhere/at/all: ";
    assert!(ended.stderr.starts_with(line), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1);
}

/// Opens a pseudo-terminal: its master, and the end for programs.
pub fn terminal() -> (OwnedFd, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
    grantpt(&terminal)
        .and_then(|()| unlockpt(&terminal))
        .expect("it is ours");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let name = name.to_str().expect("it is ASCII");
    let mut both = File::options();
    let end = both.read(true).write(true).open(name).expect("it opens");
    (terminal, end)
}

/// Returns the output of a server on a terminal during a few seconds of requests.
fn on_a_terminal(args: &[&str], no_color: bool) -> (String, Duration) {
    let started = Instant::now();
    let (terminal, end) = terminal();
    let mut command = mocker(&["-port", "0"]);
    command.args(args).stdout(Stdio::piped()).stderr(end);
    if no_color {
        command.env("NO_COLOR", "1");
    }
    let server = Server::ready(Process::start(&mut command));
    let server = server.unwrap_or_else(|ended| panic!("{}", ended.status));
    // Otherwise the terminal would never be closed.
    drop(command);
    let reader = thread::spawn(move || {
        let (mut said, mut terminal) = (Vec::new(), File::from(terminal));
        // Linux returns EIO when the other end has been closed.
        while let Ok(1..) = terminal.read_to_end(&mut said) {}
        String::from_utf8(said).expect("it is UTF-8")
    });
    let mut client = server.connect();
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2500) {
        client.ask(chat("seen")).assert_chat("seen");
        sleep(Duration::from_millis(10));
    }
    server.process.signal("TERM");
    assert_eq!(server.process.ended().status.code(), Some(0));
    (reader.join().expect("it was read"), started.elapsed())
}

#[test]
fn a_terminal_shows_each_second() {
    let (said, time) = on_a_terminal(&[], false);
    let lines: Vec<&str> = said.split("\r\x1b[K").collect();
    // There is a line for each second before the report.
    let seconds = 2..=time.as_secs() as usize;
    assert!(seconds.contains(&(lines.len() - 2)), "{time:?}: {said:?}");
    for line in &lines[1..lines.len() - 1] {
        assert!(
            line.contains(" req/s | 0 in flight | late p99 "),
            "{line:?}"
        );
        assert!(
            line.contains("\x1b[3") && line.ends_with("\x1b[0m"),
            "{line:?}"
        );
        assert!(!line.contains('\n'), "it stays on its line: {line:?}");
    }
    let report = lines[lines.len() - 1];
    assert!(report.starts_with("mocker: ") && report.contains("verdict"));
    let (plain, _) = on_a_terminal(&[], true);
    assert!(
        plain.contains(" req/s | ") && !plain.contains("\x1b[3"),
        "{plain:?}"
    );
    assert_eq!(on_a_terminal(&["-quiet"], false).0, "");
}

#[test]
fn without_a_terminal_nothing_is_printed_before_the_end() {
    let server = Server::start(&["-quiet=false"]);
    let mut client = server.connect();
    client.ask(chat("unseen")).assert_chat("unseen");
    sleep(Duration::from_millis(1200));
    server.process.signal("TERM");
    let ended = ended(server, 0);
    assert!(ended.stderr.starts_with("mocker: "), "{}", ended.stderr);
    assert!(!ended.stderr.contains(['\r', '\x1b']));
}

/// Busy polling uses all CPU time, but only the time for requests counts as busy.
#[test]
fn busy_polling_does_not_count_as_busy() {
    let report = Scratch::new("busy");
    let server = reporting(&report, &["-busy-poll", "20000", "-threads", "1"]);
    let mut client = server.connect();
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(600) {
        client.ask(chat("busy")).assert_chat("busy");
        sleep(Duration::from_millis(5));
    }
    server.process.signal("TERM");
    ended(server, 0);
    let report = report.json();
    let busy = report["busy"][0].as_f64().expect("a share");
    assert!(busy < 0.5, "{busy}");
    assert!(report["requests"].as_u64() > Some(20));
}

/// Returns the server's `/stats`.
fn stats(client: &mut Client) -> Value {
    client.ask(HEALTH.replace("/health", "/stats")).json()
}

/// The counters of several cores add up to what clients saw, however connections are distributed.
#[test]
fn the_counters_of_all_cores_add_up() {
    let server = Server::start(&["-threads", "4"]);
    let ask = |number: usize| {
        let mut client = server.connect();
        for _ in 0..number {
            client.send(chat("many").repeat(10));
            (0..10).for_each(|_| client.answer().assert_chat("many"));
        }
    };
    thread::scope(|scope| {
        for number in 1..=20 {
            scope.spawn(move || ask(number));
        }
    });
    let stats = || stats(&mut server.connect());
    assert_eq!(stats()["statuses"]["200"], 2100);
    wait_for("all connections but the asking one to be closed", || {
        stats()["open_connections"] == 1
    });
    assert_eq!(stats()["held_back"], 0);
}

/// Whichever core accepts connections, each gets its share in the end.
#[test]
fn connections_are_distributed_evenly() {
    for (connections, most) in [(8, 4), (64, 33)] {
        let server = Server::start(&["-threads", "2"]);
        let mut clients: Vec<_> = (0..connections).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.ask(chat("even")).assert_chat("even");
        }
        let stats = stats(&mut clients[0]);
        let cores = stats["core_connections"].as_array().expect("a list");
        let cores: Vec<u64> = cores.iter().filter_map(Value::as_u64).collect();
        assert_eq!(cores.iter().sum::<u64>(), connections);
        assert!(cores.iter().all(|&core| core <= most), "{cores:?}");
    }
}
