//! Socket tests of the running program: the course of a connection.

use std::net::{Ipv6Addr, TcpListener};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::server::{Client, HEALTH, PATIENCE, Server, chat, embeddings, wait_for};

/// A pause after which bytes sent before it have certainly arrived separately.
const PAUSE: Duration = Duration::from_millis(50);

#[test]
fn a_connection_is_persistent() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for model in ["one", "two", "three"] {
        let answer = client.ask(chat(model));
        answer.assert_chat(model);
        assert_eq!(answer.field("connection"), Some("keep-alive"));
        assert_eq!(answer.field("keep-alive"), Some("timeout=60"));
    }
    client.finish();
    client.assert_ends();
}

#[test]
fn a_hundred_requests_in_one_write_get_responses_in_order() {
    let server = Server::start(&[]);
    // True if the client closes its side before the responses, false if after them.
    for (requests, early) in [(1, true), (100, true), (100, false)] {
        let models: Vec<String> = (0..requests).map(|at| format!("model-{at}")).collect();
        let mut client = server.connect();
        client.send(models.iter().map(|model| chat(model)).collect::<String>());
        if early {
            client.finish();
        }
        for model in &models {
            client.answer().assert_chat(model);
        }
        if !early {
            client.finish();
        }
        client.assert_ends();
    }
}

#[test]
fn a_request_may_arrive_in_two_writes() {
    let server = Server::start(&[]);
    let request = chat("halves");
    let body = request.find("\r\n\r\n").expect("it has a head") + 4;
    for (at, where_) in [
        (1, "in the method"),
        (body - 3, "in the empty line"),
        (body, "between head and body"),
        (request.len() - 1, "before the last byte"),
    ] {
        let mut client = server.connect();
        client.send(&request[..at]);
        sleep(PAUSE);
        let answer = client.ask(&request[at..]);
        assert_eq!(answer.status(), 200, "split {where_}");
        answer.assert_chat("halves");
    }
}

#[test]
fn http_1_0_is_answered_and_kept_only_when_asked() {
    let server = Server::start(&[]);
    for (fields, kept) in [
        ("", None),
        ("Connection: keep-alive\r\n", Some("keep-alive")),
    ] {
        let request = format!("GET /health HTTP/1.0\r\n{fields}\r\n");
        let mut client = server.connect();
        for _ in 0..2 {
            let answer = client.ask(&request);
            assert_eq!(answer.status(), 200);
            assert!(answer.text().contains("healthy"));
            assert_eq!(answer.field("connection"), kept.or(Some("close")));
            if kept.is_none() {
                client.assert_ends();
                client = server.connect();
            }
        }
    }
}

#[test]
fn localhost_is_both_address_families_on_one_port() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return; // This machine has no IPv6, and the server must do without it too.
    }
    let server = Server::start(&[]);
    server.connect().ask(chat("four")).assert_chat("four");
    let mut client = Client::to((Ipv6Addr::LOCALHOST, server.port).into());
    client.ask(chat("six")).assert_chat("six");
}

#[test]
fn a_body_may_wait_for_100_continue() {
    let server = Server::start(&["-max-body", "1k", "-auth", "Bearer right"]);
    let body = r#"{"model":"patient"}"#;
    let asks = |length: usize, key: &str| {
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: mocker\r\nExpect: 100-continue\r\n\
             Authorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(asks(body.len(), "right"));
        assert_eq!(client.head().head, "HTTP/1.1 100 Continue\r\n\r\n");
        client.ask(body).assert_chat("patient");
    }
    for (length, key, status) in [(1025, "right", 413), (body.len(), "wrong", 403)] {
        let mut client = server.connect();
        let answer = client.ask(asks(length, key));
        assert_eq!(answer.status(), status, "the verdict, without the body");
        assert_eq!(answer.field("connection"), Some("close"));
        client.assert_ends();
    }
}

#[test]
fn a_reset_affects_no_other_client() {
    let server = Server::start(&[]);
    let request = chat("gone");
    let mut other = server.connect();
    other.ask(HEALTH);
    let baseline = server.process.descriptors();
    for at in [0, 1, 30, request.len() - 1, request.len()] {
        let mut client = server.connect();
        client.send(&request[..at]);
        sleep(PAUSE / 10);
        client.reset();
        assert_eq!(other.ask(HEALTH).status(), 200, "after a reset at {at}");
    }
    for read in [0, 1, 100_000] {
        let mut client = server.connect();
        client.send(embeddings("", 500, 4096));
        client.head();
        let _ = client.some(&mut vec![0; read]);
        client.reset();
        assert_eq!(
            other.ask(HEALTH).status(),
            200,
            "after a reset in an answer"
        );
    }
    wait_for("the connections that were reset to be closed", || {
        server.process.descriptors() == baseline
    });
}

#[test]
fn an_idle_connection_is_closed_but_not_too_early() {
    let server = Server::start(&["-idle-timeout", "0.2"]);
    for answers in 0..2 {
        let mut client = server.connect();
        let mut began = Instant::now();
        for _ in 0..answers {
            began = Instant::now();
            client.ask(HEALTH);
        }
        client.assert_ends();
        assert_takes(0.2, began, "idling");
    }
}

#[test]
fn a_request_that_does_not_end_is_answered_408() {
    let server = Server::start(&["-read-timeout", "0.2"]);
    let request = chat("slow");
    for at in [1, 30, request.len() - 1] {
        let mut client = server.connect();
        let began = Instant::now();
        let answer = client.ask(&request[..at]);
        assert_takes(0.2, began, "reading");
        assert_eq!(answer.status(), 408, "stopped at {at}");
        assert_eq!(answer.field("connection"), Some("close"));
        client.assert_ends();
    }
    // Only the time of the request itself counts, not the idle time before it.
    let mut client = server.connect();
    sleep(Duration::from_millis(300));
    client.ask(request).assert_chat("slow");
}

#[test]
fn an_unread_response_is_abandoned() {
    let server = Server::start(&["-write-timeout", "0.2"]);
    let baseline = server.process.descriptors();
    let mut client = server.connect();
    let began = Instant::now();
    client.send(embeddings("", 2000, 4096));
    let length = client.head().length();
    wait_for("the connection to be closed", || {
        server.process.descriptors() == baseline
    });
    assert_takes(0.2, began, "writing");
    let arrived = client.rest().unwrap_or(0);
    assert!(arrived < length, "a torn answer must not look whole");
    server.assert_serves();
}

/// Asserts that it took at least these seconds, but less than the defaults.
fn assert_takes(seconds: f64, began: Instant, what: &str) {
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs_f64(seconds) && took < PATIENCE / 2,
        "{what} took {took:?}"
    );
}
