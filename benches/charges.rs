//! Holds each row of the table of charges to the real clock: the CPU time of a unit must be between
//! half a nanosecond and two. Each workload consists mostly of the work of one row. Prints a table,
//! and exits with 1 if a row is off. Needs a core of its own; times are the best of several runs.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

mod turn;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use mocker::internals::meter;
use mocker::internals::settings::{ContentMode, Settings};
use rustix::time::{ClockId, clock_gettime};
use turn::{CHAT, Turn};

/// The CPU nanoseconds that a unit may take.
const ALLOWED: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// The number of runs of each row.
const RUNS: usize = 7;

/// The rounds of a workload in a run.
const ROUNDS: usize = 40;

/// Work that was measured.
#[derive(Clone, Copy, Default)]
struct Work {
    units: i64,
    nanos: i64,
}

impl Work {
    fn per_unit(self) -> f64 {
        self.nanos as f64 / self.units as f64
    }
}

/// Returns the CPU time of this thread in nanoseconds.
fn cpu() -> i64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    format!("POST /v1{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\n\r\n{body}").into()
}

fn chat(fields: &str) -> Vec<u8> {
    post("/chat/completions", &format!(r#"{{"model":"m",{fields}}}"#))
}

/// Returns a body whose chunks have a byte each.
fn chunked(len: usize) -> Vec<u8> {
    let head =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = format!(r#"{{"x":"{}"}}"#, "x".repeat(len));
    let chunks = body.chars().map(|char| format!("1\r\n{char}\r\n"));
    (head.to_owned() + &chunks.collect::<String>() + "0\r\n\r\n").into()
}

/// Serves requests, which are made anew for each round, on one connection.
fn serve(settings: &Settings, mut request: impl FnMut(usize) -> Vec<u8>) -> Work {
    let mut turn = Turn::new(settings);
    let mut work = Work::default();
    for round in 0..ROUNDS {
        let input = request(round);
        let start = cpu();
        let units = turn.serve_all(&input);
        // The first rounds fill caches and pools.
        if round >= ROUNDS / 4 {
            work.units += units;
            work.nanos += cpu() - start;
        }
    }
    work
}

fn random() -> Settings {
    Settings {
        content: ContentMode::Random,
        ..Settings::default()
    }
}

fn tokens(count: u32) -> Settings {
    Settings {
        tokens: Some(count..=count),
        ..random()
    }
}

fn same_requests(_: usize) -> Vec<u8> {
    CHAT.repeat(16).into()
}

fn other_heads(round: usize) -> Vec<u8> {
    let request = |at: usize| CHAT.replace("retry-count: 0", &format!("retry-count: {at}"));
    (0..16)
        .map(|at| request(round * 16 + at))
        .collect::<String>()
        .into()
}

fn kept_values(_: usize) -> Vec<u8> {
    chat(&format!(r#""tools":[{}0]"#, "0,".repeat(4000)))
}

fn schema(_: usize) -> Vec<u8> {
    let member = |at: usize| format!(r#""m{at}":{{"type":"string","minLength":3}}"#);
    let members: Vec<String> = (0..60).map(member).collect();
    let names: Vec<String> = (0..60).map(|at| format!("\"m{at}\"")).collect();
    let schema = format!(
        r#"{{"type":"object","properties":{{{}}},"required":[{}],"additionalProperties":false}}"#,
        members.join(","),
        names.join(",")
    );
    let format = format!(r#"{{"name":"a","schema":{schema}}}"#);
    chat(&format!(
        r#""response_format":{{"type":"json_schema","json_schema":{format}}}"#
    ))
}

/// Pairs of connected sockets: the end that is measured, and the other one.
fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let other = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, _) = listener.accept().unwrap();
    (socket, other)
}

/// Measures what a socket does for a charge per call and the bytes of each.
fn sockets(charge: i64, bytes: usize, mut call: impl FnMut(&TcpListener) -> i64) -> Work {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut work = Work::default();
    for round in 0..500 {
        let nanos = call(&listener);
        if round >= 100 {
            work.nanos += nanos;
            work.units += charge + (bytes / meter::MOVED) as i64;
        }
    }
    work
}

fn received(bytes: usize) -> Work {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut socket, mut other) = pair(&listener);
    let mut buffer = vec![0; bytes];
    sockets(meter::RECV, bytes, |_| {
        other.write_all(&buffer).unwrap();
        let start = cpu();
        socket.read_exact(&mut buffer).unwrap();
        cpu() - start
    })
}

fn sent(bytes: usize) -> Work {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut socket, mut other) = pair(&listener);
    let mut buffer = vec![0; bytes];
    sockets(meter::SEND, bytes, |_| {
        let start = cpu();
        socket.write_all(&buffer).unwrap();
        let nanos = cpu() - start;
        other.read_exact(&mut buffer).unwrap();
        nanos
    })
}

fn accepted() -> Work {
    sockets(meter::ACCEPT, 0, |listener| {
        let other = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let start = cpu();
        let (socket, _) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.set_nodelay(true).unwrap();
        let nanos = cpu() - start;
        drop((socket, other));
        nanos
    })
}

fn closed() -> Work {
    sockets(meter::CLOSE, 0, |listener| {
        let (socket, other) = pair(listener);
        let start = cpu();
        drop(socket);
        let nanos = cpu() - start;
        drop(other);
        nanos
    })
}

/// A row of the table of charges, and work that consists mostly of it.
type Row = (&'static str, fn() -> Work);

const ROWS: &[Row] = &[
    ("RECV", || received(500)),
    ("SEND", || sent(500)),
    ("ACCEPT", accepted),
    ("CLOSE", closed),
    ("RESPONSE", || serve(&Settings::default(), same_requests)),
    ("NEW_HEAD", || serve(&Settings::default(), other_heads)),
    ("MOVED, received", || received(16 * 1024)),
    ("MOVED, sent", || sent(64 * 1024)),
    ("SCANNED", || {
        let text = "a word ".repeat(20_000);
        serve(&Settings::default(), move |_| {
            chat(&format!(r#""x":"{text}""#))
        })
    }),
    ("COPIED", || {
        serve(
            &Settings {
                tokens: None,
                big_payload: true,
                ..Settings::default()
            },
            |_| post("/embeddings", r#"{"model":"m","input":["a","b","c","d"]}"#),
        )
    }),
    ("FRAMING", || serve(&Settings::default(), |_| chunked(4000))),
    ("SCAN", || {
        let lists = "[[]],".repeat(4000);
        serve(&Settings::default(), move |_| {
            chat(&format!(r#""x":[{lists}0]"#))
        })
    }),
    ("SCAN, members", || {
        let members = r#"{"role":"user","n":1},"#.repeat(2000);
        serve(&Settings::default(), move |_| {
            chat(&format!(r#""x":[{members}0]"#))
        })
    }),
    ("HELD", || serve(&Settings::default(), kept_values)),
    ("FRAME", || {
        serve(&Settings::default(), |_| chat(r#""stream":true"#))
    }),
    ("WORD", || serve(&tokens(5000), |_| chat(r#""n":1"#))),
    ("LOGPROB", || {
        serve(&random(), |_| {
            chat(r#""n":8,"logprobs":true,"top_logprobs":20"#)
        })
    }),
    ("CUT", || {
        let settings = Settings {
            content: ContentMode::Echo,
            ..Settings::default()
        };
        let text = "word ".repeat(5000);
        serve(&settings, move |_| {
            chat(&format!(
                r#""messages":[{{"role":"user","content":"{text}"}}]"#
            ))
        })
    }),
    ("TOOL", || {
        let tool = r#"{"type":"function","function":{"name":"f"}},"#.repeat(1000);
        let last = r#"{"type":"function","function":{"name":"g"}}"#;
        let choice = r#"{"type":"function","function":{"name":"g"}}"#;
        serve(&Settings::default(), move |_| {
            chat(&format!(r#""tools":[{tool}{last}],"tool_choice":{choice}"#))
        })
    }),
    ("EMBEDDED", || {
        serve(&Settings::default(), |round| {
            let dimensions = 1000 + round;
            post(
                "/embeddings",
                &format!(r#"{{"model":"m","input":"a","dimensions":{dimensions}}}"#),
            )
        })
    }),
    ("SCHEMA_STEP", || serve(&Settings::default(), schema)),
    ("JSON_BYTE", || {
        let text = "a text to repeat ".repeat(8000);
        let format = format!(r#"{{"type":"json_object","x":"{text}"}}"#);
        serve(&Settings::default(), move |_| {
            let body = format!(r#"{{"model":"m","input":"a","text":{{"format":{format}}}}}"#);
            post("/responses", &body)
        })
    }),
    ("VIEW", || {
        serve(&Settings::default(), |_| {
            b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()
        })
    }),
];

fn main() -> ExitCode {
    println!("{:20} {:>9} {:>12}", "charge", "ns/unit", "units/round");
    let mut code = ExitCode::SUCCESS;
    for (name, measure) in ROWS {
        let runs = (0..RUNS).map(|_| measure());
        let best = runs
            .min_by(|a, b| a.per_unit().total_cmp(&b.per_unit()))
            .expect("there are runs");
        let is_off = !ALLOWED.contains(&best.per_unit());
        println!(
            "{name:20} {:>9.2} {:>12}{}",
            best.per_unit(),
            best.units / ROUNDS as i64,
            if is_off { "  off" } else { "" }
        );
        if is_off {
            code = ExitCode::FAILURE;
        }
    }
    code
}
