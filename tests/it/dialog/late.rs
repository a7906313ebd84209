//! Tests of latency on virtual time: a response is sent when it is due, not a nanosecond before,
//! and later requests wait.

use std::time::Duration;

use fastrand::Rng;
use mocker::internals::conn::Want;
use mocker::internals::settings::Settings;
use mocker::internals::{Nanos, SECOND};

use super::client::{
    Client, Cut, End, HEALTH, MILLI, START, chat, chunked, embeddings, post, request,
};
use super::script;

/// A latency that is not a whole number of milliseconds, so that rounding is detected.
const LATENCY: Nanos = 70 * MILLI + 123_000;

fn settings() -> Settings {
    Settings {
        latency: Duration::from_nanos(LATENCY),
        ..script::settings()
    }
}

fn client() -> Client {
    Client::new(&settings())
}

/// Asserts that the delayed response is sent after exactly this time, and nothing before it.
fn assert_due_in(client: &mut Client, delay: Nanos, name: &str) {
    assert_eq!(client.want(), Want::Wait, "{name}: nothing is read");
    assert_eq!(client.deadline(), client.core.now - START + delay, "{name}");
    client.pass(delay - 1);
    client.resume();
    assert_eq!((client.out.len(), client.waiting()), (0, 0), "{name}");
    client.pass(1);
    assert!(!client.out.is_empty(), "{name}: it is due");
}

/// Returns delayed requests of each endpoint and each kind of framing.
fn late() -> [(&'static str, String); 7] {
    let old =
        "POST /v1/responses HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}";
    [
        ("chat", chat(r#"{"messages":[]}"#)),
        ("responses", post("/v1/responses", "{}")),
        ("embeddings", post("/v1/embeddings", r#"{"input":"x"}"#)),
        ("no body", post("/v1/responses", "")),
        ("chunks", chunked("1\r\n{\r\n1\r\n}\r\n0\r\nA: b\r\n\r\n")),
        (
            "Azure",
            post("/openai/deployments/a/chat/completions", "{}"),
        ),
        ("HTTP/1.0", old.into()),
    ]
}

#[test]
fn a_response_is_sent_the_latency_after_the_last_byte() {
    for (name, request) in late() {
        let cuts = [
            Cut::Whole,
            Cut::Bytes,
            Cut::Random(Rng::with_seed(1)),
            Cut::Random(Rng::with_seed(2)),
        ];
        let mut client = client();
        for mut cut in cuts {
            client.pass(SECOND + 1);
            client.send_cut(request.as_bytes(), &mut cut);
            assert_due_in(&mut client, LATENCY, name);
            let answers = client.answers();
            assert_eq!((answers.len(), answers[0].status), (1, 200), "{name}");
            assert_eq!(
                answers[0].field("openai-processing-ms"),
                Some("70"),
                "{name}"
            );
            assert_eq!(client.want(), Want::Read, "{name}");
        }
    }
}

#[test]
fn a_request_in_two_pieces_counts_from_the_second() {
    for (name, request) in late() {
        for at in 1..request.len() {
            let mut client = client();
            client.send(&request[..at]);
            client.pass(3 * SECOND + 7);
            assert_eq!(
                (client.want(), client.out.len()),
                (Want::Read, 0),
                "{name} {at}"
            );
            client.send(&request[at..]);
            assert_due_in(&mut client, LATENCY, name);
            assert_eq!(client.answers()[0].status, 200, "{name} cut at {at}");
        }
    }
}

#[test]
fn errors_and_interim_responses_are_not_delayed() {
    let cases = [
        (404, post("/nothing", "{}")),
        (
            405,
            request("GET", "/v1/responses", &["Authorization: k"], ""),
        ),
        (204, request("OPTIONS", "/v1/responses", &[], "")),
        (403, post("/v1/responses", "{}")),
        (
            400,
            request("POST", "/v1/responses", &["Authorization: k"], "[]"),
        ),
        (400, "nonsense\r\n\r\n".into()),
        (
            415,
            request(
                "POST",
                "/v1/responses",
                &["Authorization: k", "Content-Encoding: br"],
                "x",
            ),
        ),
        (
            413,
            request(
                "POST",
                "/v1/responses",
                &["Authorization: k"],
                &"x".repeat(101),
            ),
        ),
        (200, HEALTH.into()),
    ];
    let settings = Settings {
        auth: "k".into(),
        max_body: 100,
        jitter: Duration::from_nanos(LATENCY),
        ..settings()
    };
    for (status, request) in cases {
        let answer = Client::new(&settings).ask(&request);
        assert_eq!(answer.status, status, "{request}");
        assert_eq!(answer.field("openai-processing-ms"), None, "{request}");
    }
    let failing = Settings {
        failure_percent: 1_000_000,
        ..self::settings()
    };
    assert_eq!(Client::new(&failing).ask(chat("{}")).status, 500);
    let limited = Settings {
        tpm: 1,
        ..self::settings()
    };
    assert_eq!(Client::new(&limited).ask(chat("{}")).status, 429);
}

#[test]
fn health_is_not_delayed_after_a_delayed_response() {
    let mut client = client();
    client.send(HEALTH.to_owned() + &chat("{}") + HEALTH + HEALTH);
    assert_eq!(client.came(), [200]);
    client.pass(LATENCY - 1);
    assert!(client.came().is_empty());
    client.pass(1);
    assert_eq!(client.came(), [200, 200, 200]);
    assert_eq!(client.want(), Want::Read);
}

#[test]
fn the_latency_of_a_pipelined_request_starts_after_the_previous_response() {
    for cut in [Cut::Whole, Cut::Bytes, Cut::Random(Rng::with_seed(3))] {
        let mut client = client();
        client.send_cut(chat("{}").repeat(3).as_bytes(), &mut cut.clone());
        for left in (0..3).rev() {
            assert_due_in(&mut client, LATENCY, "the next");
            assert_eq!(client.came(), [200]);
            let want = if left > 0 { Want::Wait } else { Want::Read };
            assert_eq!(client.want(), want, "{cut:?}");
        }
    }
}

#[test]
fn this_holds_if_the_previous_response_is_sent_slowly() {
    let mut client = client();
    client.takes(0);
    client.send(chat("{}").repeat(2));
    client.pass(LATENCY);
    let length = client.waiting();
    assert!(length > 100);
    for _ in 1..length {
        client.pass(MILLI);
        client.take(1);
        assert_eq!(
            client.deadline(),
            LATENCY + 20 * SECOND,
            "the first is being written"
        );
    }
    client.pass(SECOND);
    client.take(1);
    assert_eq!(client.came(), [200]);
    client.takes(usize::MAX);
    assert_due_in(&mut client, LATENCY, "the second");
    assert_eq!(client.came(), [200]);
}

#[test]
fn large_responses_are_delayed_as_a_whole() {
    let big = embeddings(20);
    let mut client = client();
    client.send(big.clone() + &big);
    for _ in 0..2 {
        assert_due_in(&mut client, LATENCY, "a big one");
        let answers = client.answers();
        assert_eq!(answers.len(), 1, "all of it, and no more");
        assert!(answers[0].content.len() > 500_000);
        assert_eq!(answers[0].field("openai-processing-ms"), Some("70"));
    }
    // With a slow reader, the second starts when the last item of the first has been sent.
    client.takes(0);
    client.send(big.clone() + &big);
    client.pass(LATENCY);
    let mut last = client.core.now;
    while client.want() != Want::Wait {
        client.pass(MILLI);
        last = client.core.now;
        client.take(30_000);
    }
    assert_eq!(client.answers().len(), 1);
    assert_eq!(client.deadline(), last - START + LATENCY);
}

#[test]
fn a_half_closed_client_gets_its_delayed_responses() {
    let mut client = client();
    client.send(chat("{}").repeat(2));
    client.end_sending();
    for end in [End::Open, End::Closed] {
        assert_due_in(&mut client, LATENCY, "half-closed");
        assert_eq!((client.came(), client.end), (vec![200], end));
    }
}

#[test]
fn a_draining_server_sends_its_delayed_responses() {
    let mut client = client();
    client.send(chat("{}").repeat(2));
    client.pass(MILLI);
    client.drain();
    assert_eq!(client.end, End::Open);
    assert_due_in(&mut client, LATENCY - MILLI, "draining");
    let answers = client.answers();
    assert_eq!(answers.len(), 1, "what is said to be the last is the last");
    assert!(answers[0].closes());
    assert_ne!(client.end, End::Open);
    client.pass(SECOND);
    assert_eq!((client.end, client.out.len()), (End::Closed, 0));
}

#[test]
fn a_connection_is_not_idle_while_it_waits() {
    let slow = Settings {
        latency: Duration::from_secs(600),
        ..settings()
    };
    let mut client = Client::new(&slow);
    client.pass(SECOND);
    client.send("POST /v1/responses HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{");
    assert_eq!(client.deadline(), 11 * SECOND, "reading");
    client.pass(SECOND);
    client.send("}");
    assert_due_in(&mut client, 600 * SECOND, "ten minutes");
    assert_eq!(
        client.answers()[0].field("openai-processing-ms"),
        Some("600000")
    );
    assert_eq!(
        client.deadline(),
        (602 + 60) * SECOND,
        "idle since the answer left"
    );
    client.pass(60 * SECOND - 1);
    assert_eq!(client.end, End::Open);
    client.pass(1);
    assert_eq!(client.end, End::Closed);
}

#[test]
fn the_read_timeout_of_a_waiting_request_starts_after_the_response() {
    let mut client = client();
    client.send(chat("{}") + "POST /v1/responses HTTP/1.1\r\n");
    client.pass(LATENCY);
    assert_eq!(client.came(), [200]);
    assert_eq!(client.deadline(), LATENCY + 10 * SECOND);
    client.pass(10 * SECOND);
    assert_eq!(client.came(), [408]);
}

#[test]
fn a_client_that_reads_no_delayed_response_hits_the_write_timeout() {
    let mut client = client();
    client.takes(0);
    client.send(chat("{}"));
    client.pass(LATENCY);
    assert_eq!(client.deadline(), LATENCY + 20 * SECOND);
    client.pass(20 * SECOND - 1);
    assert_eq!(client.end, End::Open);
    client.pass(1);
    client.takes(usize::MAX);
    assert_eq!((client.end, client.out.len()), (End::Closed, 0));
}

const EXPECTS: &str = "POST /v1/responses HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                       Content-Length: 2\r\n\r\n";

#[test]
fn after_a_100_the_delay_counts_from_the_body() {
    let mut client = client();
    client.send(EXPECTS);
    assert_eq!((client.came(), client.want()), (vec![100], Want::Read));
    client.pass(SECOND);
    client.send("{");
    client.pass(SECOND);
    client.send("}");
    assert_due_in(&mut client, LATENCY, "expected");
    assert_eq!(client.answers()[0].status, 200);
}

/// With the same seed, a request gets the same verdict whether it is decided before its body or
/// not.
#[test]
fn the_verdict_is_drawn_only_once() {
    let settings = Settings {
        failure_percent: 500_000,
        jitter: Duration::from_millis(50),
        ..settings()
    };
    let (mut plain, mut asking) = (Client::new(&settings), Client::new(&settings));
    let (head, body) = (EXPECTS.replace("Expect: 100-continue\r\n", ""), "{}");
    let mut failed = 0;
    for _ in 0..300 {
        plain.send(head.clone() + body);
        asking.send(EXPECTS);
        assert_eq!(asking.came(), [100]);
        asking.send(body);
        if plain.came() == [500] {
            failed += 1;
            assert_eq!(asking.came(), [500], "at the last byte");
            continue;
        }
        assert_eq!(asking.deadline(), plain.deadline(), "the same delay");
        for client in [&mut plain, &mut asking] {
            client.pass(SECOND);
            assert_eq!(client.came(), [200]);
        }
    }
    assert!((90..210).contains(&failed), "{failed} of 300 failed");
}
