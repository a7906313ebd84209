//! Tests of the running program's raw log.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::server::{Client, Process, Scratch, Server, chat, mocker, post, wait_for};

/// A record of the log.
struct Record {
    is_request: bool,
    head: String,
    body: Vec<u8>,
}

/// Parses a log, which must consist of nothing but records.
fn records(mut log: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while !log.is_empty() {
        let is_request = log.starts_with(b"--- Raw Request ---\n");
        let kind = if is_request { "Request" } else { "Response" };
        let begin = format!("--- Raw {kind} ---\n");
        let rest = log.strip_prefix(begin.as_bytes());
        let rest = rest.unwrap_or_else(|| panic!("no record begins {:?}", show(log)));
        let (head, rest) = split(rest, "--- Body ---\n");
        let (body, rest) = split(rest, &format!("\n--- End {kind} ---\n"));
        records.push(Record {
            is_request,
            head: String::from_utf8(head.to_vec()).expect("heads here are ASCII"),
            body: body.to_vec(),
        });
        log = rest;
    }
    records
}

fn split<'a>(bytes: &'a [u8], at: &str) -> (&'a [u8], &'a [u8]) {
    // Megabytes of body contain few line ends, so searching for those is fast.
    let anchor = at.as_bytes()[0];
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|&byte| byte == anchor) {
        from += found;
        if let Some(rest) = bytes[from..].strip_prefix(at.as_bytes()) {
            return (&bytes[..from], rest);
        }
        from += 1;
    }
    panic!("{at:?} is missing in {:?}", show(bytes));
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

/// A server that logs to a file.
fn logging(name: &str, args: &[&str]) -> (Server, Scratch) {
    let log = Scratch::new(name);
    let file = File::create(log.path()).expect("there is room");
    let mut command = mocker(&["-port", "0", "-log-raw"]);
    command.args(args).stdout(Stdio::piped()).stderr(file);
    let process = Process::start(&mut command);
    let Ok(server) = Server::ready(process) else {
        panic!("it did not start")
    };
    (server, log)
}

fn stopped(server: Server, log: Scratch) -> Vec<Record> {
    server.process.signal("TERM");
    assert!(server.process.ended().status.success());
    records(&log.read())
}

/// Returns the client and its round, from the model in a record's body.
fn model(record: &Record) -> (usize, usize) {
    let json: serde_json::Value = serde_json::from_slice(&record.body)
        .unwrap_or_else(|error| panic!("{error}: {}", show(&record.body)));
    let (client, round) = json["model"].as_str().unwrap().split_once('-').unwrap();
    (client.parse().unwrap(), round.parse().unwrap())
}

#[test]
fn records_are_complete_and_in_order_for_each_connection() {
    const THREADS: usize = 4;
    const CLIENTS: usize = 16;
    const ROUNDS: usize = 313;
    let (server, log) = logging("raw-log-many", &["-threads", "2"]);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let server = &server;
            scope.spawn(move || {
                let mut clients: Vec<Client> = (0..CLIENTS).map(|_| server.connect()).collect();
                for round in 0..ROUNDS {
                    for (at, client) in clients.iter_mut().enumerate() {
                        let model = format!("{}-{round}", thread * CLIENTS + at);
                        client.send(request(&model, round));
                    }
                    clients.iter_mut().for_each(|client| drop(client.answer()));
                }
            });
        }
    });
    let mut next = vec![0; THREADS * CLIENTS];
    let records = stopped(server, log);
    assert_eq!(records.len(), 2 * THREADS * CLIENTS * ROUNDS);
    for record in records {
        let (client, round) = model(&record);
        // Requests and responses alternate on each connection.
        assert_eq!(
            (round, !record.is_request),
            (next[client] / 2, next[client] % 2 == 1)
        );
        next[client] += 1;
        let line = if record.is_request {
            "POST /v1/chat/completions"
        } else {
            "HTTP/1.1 200 OK"
        };
        assert!(
            record.head.starts_with(line) && record.head.ends_with('\n'),
            "{}",
            record.head
        );
    }
}

/// Every third body is chunked, which must not be visible in the log.
fn request(model: &str, round: usize) -> String {
    let body = format!(r#"{{"model":"{model}"}}"#);
    if !round.is_multiple_of(3) {
        return post("/v1/chat/completions", "", &body);
    }
    let (one, two) = body.split_at(5);
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         5\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        two.len()
    )
}

#[test]
fn rejected_requests_are_logged_too() {
    let (server, log) = logging("raw-log-refused", &["-auth", "Bearer k"]);
    server.connect().ask("GARBAGE\r\n\r\n");
    server.connect().ask(post("/v1/responses", "", "{}"));
    let records = stopped(server, log);
    let heads: Vec<&str> = records
        .iter()
        .map(|r| r.head.lines().next().unwrap())
        .collect();
    let want = [
        "GARBAGE",
        "HTTP/1.1 400 Bad Request",
        "POST /v1/responses HTTP/1.1",
    ];
    assert_eq!(heads[..3], want);
    assert_eq!((heads.len(), heads[3]), (4, "HTTP/1.1 403 Forbidden"));
}

/// Sends more bytes than the log may buffer while nothing reads it.
#[test]
fn a_slow_reader_of_the_log_delays_responses() {
    const UPLOADS: usize = 14;
    const SIZE: usize = 25_000_000;
    let mut command = mocker(&["-port", "0", "-log-raw"]);
    let mut server = Server::spawn(&mut command);
    let mut log = server.process.0.stderr.take().expect("it is a pipe");
    // A path without an endpoint: its body is read and logged, but not parsed.
    let request = post("/nothing", "", &"x".repeat(SIZE));
    let read = thread::scope(|scope| {
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|_| {
                let mut client = server.connect();
                let request = &request;
                scope.spawn(move || {
                    client.send(request);
                    client.answer().status()
                })
            })
            .collect();
        // Don't read for a while: some uploads must wait, and memory must not grow.
        thread::sleep(Duration::from_secs(1));
        assert!(uploads.iter().any(|upload| !upload.is_finished()));
        let reader = scope.spawn(move || {
            let mut bytes = Vec::new();
            log.read_to_end(&mut bytes).map(|_| bytes)
        });
        for upload in uploads {
            assert_eq!(upload.join().unwrap(), 404);
        }
        let peak = server.process.memory("VmHWM");
        assert!(peak < 270 << 10, "{peak} KiB resident");
        server.process.signal("TERM");
        wait_for("the log's end", || reader.is_finished());
        reader.join().unwrap().unwrap()
    });
    assert!(server.process.ended().status.success());
    let records = records(&read);
    assert_eq!(records.len(), 2 * UPLOADS);
    let whole = records
        .iter()
        .filter(|record| record.is_request && record.body.len() == SIZE);
    assert_eq!(whole.count(), UPLOADS);
}

/// The log shows the order in which responses were sent.
#[test]
fn paused_connections_catch_up_in_order() {
    let args = ["-latency", "400", "-threads", "1"];
    let (server, log) = logging("raw-log-stopped", &args);
    let mut clients: Vec<Client> = (0..40).map(|_| server.connect()).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(chat(&format!("{at}-0")));
        thread::sleep(Duration::from_millis(3));
    }
    server.process.signal("STOP");
    thread::sleep(Duration::from_secs(1));
    server.process.signal("CONT");
    for (at, client) in clients.iter_mut().enumerate() {
        client.answer().assert_chat(&format!("{at}-0"));
    }
    drop(clients);
    let records = stopped(server, log);
    let answers = records.iter().filter(|record| !record.is_request);
    let models: Vec<usize> = answers.map(|answer| model(answer).0).collect();
    assert_eq!(models, (0..40).collect::<Vec<_>>());
}

/// Concurrent streams have more bytes than the log may buffer, and must not deadlock.
#[test]
fn long_streams_share_the_log_and_are_complete() {
    const STREAMS: usize = 30;
    let (server, log) = logging("raw-log-streams", &["-threads", "1", "-tokens", "100000"]);
    let ask = post(
        "/v1/responses",
        "Connection: close\r\n",
        r#"{"stream":true}"#,
    );
    let mut clients: Vec<Client> = (0..STREAMS).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(&ask));
    thread::scope(|scope| {
        let read = |mut client: Client| scope.spawn(move || client.rest());
        let readers: Vec<_> = clients.into_iter().map(read).collect();
        for reader in readers {
            assert!(reader.join().unwrap().expect("it ends in order") > 20_000_000);
        }
    });
    let records = stopped(server, log);
    let answers = records.iter().filter(|record| !record.is_request);
    assert_eq!(answers.clone().count(), STREAMS);
    for answer in answers {
        let text = String::from_utf8_lossy(&answer.body);
        let deltas = text.matches("event: response.output_text.delta\n");
        assert_eq!(deltas.count(), 100_000);
        assert!(text.contains("event: response.completed\n"));
    }
}

/// Such a response would wait for space forever.
#[test]
fn a_response_longer_than_the_log_is_rejected() {
    let (server, log) = logging("raw-log-long", &["-threads", "1", "-tokens", "100000"]);
    let body = r#"{"n":30,"stream":true}"#;
    let answer = server.connect().ask(post("/v1/chat/completions", "", body));
    assert_eq!(answer.status(), 400);
    assert!(String::from_utf8_lossy(&answer.body).contains("-log-raw"));
    assert_eq!(stopped(server, log).len(), 2);
}
