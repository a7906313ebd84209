//! Tests of the running program's delays and rate limits, by the client's clock.

use std::io::{BufRead, BufReader, Read};
use std::thread;
use std::time::{Duration, Instant};

use crate::server::{Client, HEALTH, Server, chat};

/// Sleeps until a given time after a moment.
fn sleep_until(moment: Instant, after: Duration) {
    thread::sleep(after.saturating_sub(moment.elapsed()));
}

/// Returns the time from before the last write until the first byte of the response. Since the
/// delay counts from the last byte, this is never shorter than the delay, however busy the machine
/// is.
fn first_byte_after(client: &mut Client, pieces: &[&str]) -> Duration {
    let mut sent = Instant::now();
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 {
            thread::sleep(Duration::from_millis(5));
        }
        sent = Instant::now();
        client.send(piece);
    }
    let answer = client.head();
    let took = sent.elapsed();
    client.body(answer).assert_chat("late");
    took
}

#[test]
fn no_response_is_early() {
    let latency = Duration::from_millis(20);
    let server = Server::start(&["-latency", "20"]);
    let request = chat("late");
    let body = request.find("\r\n\r\n").expect("it has a head") + 4;
    // Complete requests between the cut ones keep the server ready.
    let cuts = [0, 1, body - 2, body, request.len() - 1];
    thread::scope(|scope| {
        for number in 0..20 {
            let (server, request) = (&server, request.as_str());
            scope.spawn(move || {
                let mut client = server.connect();
                for turn in 0..10 {
                    let (first, second) = request.split_at(cuts[(number + turn) % cuts.len()]);
                    let pieces = [first, second];
                    let pieces = if first.is_empty() {
                        &pieces[1..]
                    } else {
                        &pieces
                    };
                    let took = first_byte_after(&mut client, pieces);
                    assert!(took >= latency, "{took:?} after its last byte");
                }
            });
        }
    });
    let began = Instant::now();
    let mut client = server.connect();
    client.send(chat("late").repeat(10));
    for _ in 0..10 {
        client.answer().assert_chat("late");
    }
    assert!(
        began.elapsed() >= latency * 10,
        "each starts after the one before"
    );
}

const LINE: &str = "TPM (429) scenario triggered after 1 seconds\n";

/// The start of the process's clock is only known to be between two moments. Requests whose result
/// depends on where exactly are skipped, so a busy machine makes the test weaker but never wrong.
#[test]
fn the_rate_limit_begins_and_ends() {
    let before = Instant::now();
    let mut server = Server::start(&["-tpm", "1", "-tpm-duration", "1", "-threads", "2"]);
    let ready = Instant::now();
    let stderr = server.process.0.stderr.take().expect("it is a pipe");
    let said = thread::spawn(move || {
        let (mut stderr, mut said) = (BufReader::new(stderr), String::new());
        stderr.read_line(&mut said).expect("it says UTF-8");
        let came = before.elapsed();
        stderr.read_to_string(&mut said).expect("it says UTF-8");
        (came, said)
    });
    let mut clients: Vec<Client> = (0..8).map(|_| server.connect()).collect();
    let (mut free, mut limited, mut again) = (0, 0, 0);
    for at in [0, 100, 300, 1_150, 1_400, 1_650, 2_150, 2_300] {
        sleep_until(ready, Duration::from_millis(at));
        for client in &mut clients {
            let after = ready.elapsed();
            let answer = client.ask(chat("limit"));
            let within = before.elapsed();
            let status = answer.status();
            let second = Duration::from_secs(1);
            if within < second {
                assert_eq!(status, 200, "within {within:?}");
                free += 1;
            } else if after >= second && within < 2 * second {
                assert_eq!(status, 429, "after {after:?}, within {within:?}");
                assert_eq!(answer.field("retry-after"), Some("1"));
                limited += 1;
            } else if after >= 2 * second {
                assert_eq!(status, 200, "after {after:?}");
                again += 1;
            }
            assert_eq!(client.ask(HEALTH).status(), 200);
        }
    }
    assert!(
        again >= 8,
        "the last look is certain: {free}, {limited}, {again}"
    );
    if ready - before < Duration::from_millis(200) && before.elapsed() < Duration::from_secs(3) {
        assert!(free > 0 && limited >= 8, "{free}, {limited}, {again}");
    }
    server.process.signal("TERM");
    assert_eq!(server.process.ended().status.code(), Some(0));
    let (came, said) = said.join().expect("it ends with the server");
    assert_eq!(said, LINE);
    assert!(came >= Duration::from_secs(1), "told after {came:?}");
}

#[test]
fn the_shutdown_does_not_wait_for_the_rate_limit() {
    let server = Server::start(&["-tpm", "3600"]);
    server.connect().ask(chat("early")).assert_chat("early");
    let began = Instant::now();
    server.process.signal("TERM");
    let ended = server.process.ended();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
    assert!(began.elapsed() < Duration::from_secs(5));
}
