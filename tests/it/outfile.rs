//! Tests of writing the report to special files, which must never block the start or the exit.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Ended, Process, Scratch, Server, chat, mocker, run};
use crate::watched::terminal;

/// The time that the reader of a FIFO has.
const PATIENCE: Duration = Duration::from_secs(3);

fn fifo(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    let made = Command::new("mkfifo").arg(scratch.path()).status();
    assert!(made.expect("there is a mkfifo").success());
    scratch
}

fn reporting(path: &Path) -> Server {
    let path = path.to_str().expect("it is UTF-8");
    let server = Server::start(&["-report", path]);
    server.connect().ask(chat("one")).assert_chat("one");
    server
}

/// Returns the report of a run with one request.
fn assert_report(text: &str) {
    let report: Value = serde_json::from_str(text).expect("it is JSON");
    assert_eq!(report["requests"], 1);
}

/// Stops a server that can't write its report, and returns its only line of error output.
fn fails(server: Server, path: &str, longest: Duration) -> String {
    let began = Instant::now();
    server.process.signal("TERM");
    let Ended { status, stderr, .. } = server.process.ended();
    assert_eq!(status.code(), Some(1), "{stderr}");
    let begin = format!("mocker: -report: can't write to {path}: ");
    assert!(stderr.starts_with(&begin), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    // The machine may be busy, but the exit must be bounded.
    assert!(began.elapsed() < longest * 3, "{:?}", began.elapsed());
    stderr
}

#[test]
fn a_fifo_takes_the_report_whenever_its_reader_comes() {
    for early in [true, false] {
        let fifo = fifo(if early { "fifo-early" } else { "fifo-late" });
        let path = fifo.path().to_owned();
        let read = move || fs::read_to_string(path).expect("it can be read");
        let reader = early.then(|| thread::spawn(read.clone()));
        let server = reporting(fifo.path());
        let reader = reader.unwrap_or_else(|| thread::spawn(read));
        server.process.signal("TERM");
        let ended = server.process.ended();
        assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""));
        assert_report(&reader.join().expect("it read"));
    }
}

#[test]
fn a_fifo_without_a_reader_is_abandoned() {
    let fifo = fifo("fifo-alone");
    let server = reporting(fifo.path());
    let path = fifo.path().to_str().expect("it is UTF-8");
    let began = Instant::now();
    let line = fails(server, path, PATIENCE);
    assert!(line.contains("not written within 3s"), "{line}");
    assert!(began.elapsed() >= PATIENCE);
}

#[test]
fn a_fifo_whose_reader_stops_is_abandoned() {
    let fifo = fifo("fifo-full");
    // Opens both ends, and fills the FIFO.
    let mut both = File::options();
    let mut end = both
        .read(true)
        .write(true)
        .open(fifo.path())
        .expect("it opens");
    let filler = thread::spawn({
        let mut end = end.try_clone().expect("it is open");
        move || end.write_all(&[b' '; 1 << 20])
    });
    let server = reporting(fifo.path());
    let path = fifo.path().to_str().expect("it is UTF-8");
    let line = fails(server, path, PATIENCE);
    assert!(line.contains("not written within 3s"), "{line}");
    let mut rest = vec![0; 1 << 20];
    end.read_exact(&mut rest).expect("it is there");
    filler.join().expect("it wrote").expect("it was read");
}

#[test]
fn devices_take_the_report_or_cause_an_error() {
    let server = reporting(Path::new("/dev/null"));
    server.process.signal("TERM");
    let ended = server.process.ended();
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""));
    let line = fails(reporting(Path::new("/dev/full")), "/dev/full", PATIENCE);
    assert!(line.contains("No space left"), "{line}");
}

/// Tests a terminal that was paused with Ctrl-S, or whose window hangs.
#[test]
fn a_paused_terminal_is_abandoned() {
    let (_unread, end) = terminal();
    let path = fs::read_link(format!("/proc/self/fd/{}", end.as_raw_fd()));
    let path = path.expect("it has a name");
    // Fills the terminal, and then blocks until this process exits.
    let mut filled = end.try_clone().expect("it is open");
    thread::spawn(move || filled.write_all(&[b' '; 1 << 20]));
    let server = reporting(&path);
    let path = path.to_str().expect("it is UTF-8");
    let line = fails(server, path, PATIENCE);
    assert!(line.contains("not written within 3s"), "{line}");
}

#[test]
fn an_unwritable_path_fails_at_startup() {
    let socket = Scratch::new("socket");
    let _listener = UnixListener::bind(socket.path()).expect("it can be bound");
    let socket = socket.path().to_str().expect("it is UTF-8");
    for path in ["/", "/dev", "/nowhere/at/all", socket] {
        let ended = run(mocker(&["-port", "0"]).args(["-report", path]));
        assert_eq!(ended.status.code(), Some(2), "{path}: {}", ended.stderr);
        let begin = format!("mocker: -report: can't write to {path}: ");
        assert!(ended.stderr.starts_with(&begin), "{}", ended.stderr);
        assert_eq!((ended.stderr.lines().count(), &*ended.stdout), (1, ""));
    }
}

/// Runs a server that writes its report to this path and exits on its own. Returns its output.
fn by_itself(path: &str, stdout: Stdio, stderr: Stdio) -> Ended {
    let mut command = mocker(&["-quiet", "-port", "0", "-exit-after", "100ms"]);
    command
        .args(["-report", path])
        .stdout(stdout)
        .stderr(stderr);
    let ended = Process::start(&mut command).ended();
    assert_eq!(ended.status.code(), Some(0), "{path}: {}", ended.stderr);
    ended
}

/// Splits output into the startup message and the report after it.
fn assert_line_and_report(text: &str) {
    let (line, report) = text.split_once('\n').expect("there are lines");
    assert!(line.starts_with("mocker listening on "), "{text}");
    let report: Value = serde_json::from_str(report).expect("it is JSON");
    assert_eq!(report["requests"], 0);
}

#[test]
fn the_standard_streams_take_the_report_after_other_output() {
    for path in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let ended = by_itself(path, Stdio::piped(), Stdio::piped());
        assert_line_and_report(&ended.stdout);
        assert_eq!(ended.stderr, "");
        // A file keeps its previous content.
        let file = Scratch::new("stdout");
        fs::write(file.path(), "before\n").expect("it can be written");
        let append = File::options().append(true).open(file.path());
        by_itself(path, append.expect("it opens").into(), Stdio::piped());
        let text = fs::read_to_string(file.path()).expect("it can be read");
        let rest = text.strip_prefix("before\n").expect("it is kept");
        assert_line_and_report(rest);
        let file = File::create(file.path()).expect("it can be written");
        by_itself(path, file.into(), Stdio::piped());
    }
    let ended = by_itself("/dev/stderr", Stdio::piped(), Stdio::piped());
    let report: Value = serde_json::from_str(&ended.stderr).expect("it is JSON");
    assert_eq!(report["requests"], 0);
    assert_eq!(ended.stdout.lines().count(), 1);
}

/// The file of the report may be the standard output under another name: the report must not
/// overwrite the startup message in it.
#[test]
fn a_report_on_standard_output_keeps_the_startup_message() {
    let file = Scratch::new("both");
    let stdout = File::create(file.path()).expect("it can be written");
    let path = file.path().to_str().expect("it is UTF-8");
    by_itself(path, stdout.into(), Stdio::piped());
    let text = fs::read_to_string(file.path()).expect("it can be read");
    assert_line_and_report(&text);
}
