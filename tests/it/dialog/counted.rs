//! Tests of a core's counters on virtual time, so that every number is exact.

use std::time::Duration;

use mocker::internals::SECOND;
use mocker::internals::api::table;
use mocker::internals::settings::Settings;
use mocker::internals::watch::histogram::Tally;
use mocker::internals::watch::metrics::{Close, STATUSES, TimeKind, Totals};
use serde_json::Value;

use super::client::{Client, End, HEALTH, MILLI, chat, in_every_cut, post, request};

fn totals(client: &Client) -> Totals {
    let mut totals = Totals::default();
    client.core.metrics.read(&mut totals);
    totals
}

/// Returns the number of responses of an endpoint with a status.
fn answered(client: &Client, label: &str, status: u16) -> u64 {
    let endpoints = table::counted();
    let endpoint = endpoints.iter().position(|known| known.label == label);
    let column = STATUSES.iter().position(|known| *known == status);
    totals(client).answers[endpoint.expect(label)][column.expect("it has a column")]
}

fn closes(client: &Client) -> Vec<(&'static str, u64)> {
    let names = Close::ALL.iter().map(|(_, name)| *name);
    let all = names.zip(totals(client).closes);
    all.filter(|(_, count)| *count > 0).collect()
}

/// Returns whether a histogram has this many times, all of about this length.
fn assert_all(tally: &Tally, count: u64, time: u64) {
    assert_eq!(tally.count(), count);
    for share in [0.0, 1.0] {
        let told = tally.quantile(share);
        assert!(
            told.abs_diff(time) <= time / 60 + 16,
            "{told} and not {time}"
        );
    }
}

fn waits(millis: u64) -> Settings {
    Settings {
        latency: Duration::from_millis(millis),
        ..Settings::default()
    }
}

#[test]
fn responses_are_counted_by_endpoint_and_status() {
    let mut client = Client::plain();
    let requests = [chat("{}"), chat("{}"), chat("[]"), HEALTH.into()].concat();
    client.send(requests + &post("/v1/nothing", "") + &request("PUT", "/stats", &[], ""));
    assert_eq!(client.answers().len(), 6);
    for (label, status, count) in [
        ("/chat/completions", 200, 2),
        ("/chat/completions", 400, 1),
        ("/health", 200, 1),
        ("other", 404, 1),
        ("/stats", 405, 1),
    ] {
        assert_eq!(answered(&client, label, status), count, "{label} {status}");
    }
    let all: u64 = totals(&client).answers.iter().flatten().sum();
    assert_eq!(all, 6);
    let counts = totals(&client).counts;
    assert_eq!(
        (counts.refused, counts.streams, counts.in_flight),
        (0, 0, 0)
    );
}

#[test]
fn every_status_has_a_column() {
    for status in [
        200, 204, 400, 403, 404, 405, 408, 413, 414, 415, 417, 429, 431, 500, 501, 505,
    ] {
        assert!(STATUSES.contains(&status));
    }
    let mut client = Client::plain();
    client.send("GET / HTTP/2.0\r\n\r\n");
    assert_eq!(client.answers()[0].status, 505);
    assert_eq!(answered(&client, "other", 505), 1);
    assert_eq!(totals(&client).counts.refused, 1);
}

#[test]
fn received_and_sent_bytes_are_counted() {
    let mut client = Client::plain();
    client.send(HEALTH);
    let counts = totals(&client).counts;
    assert_eq!(counts.received_bytes, HEALTH.len() as u64);
    assert_eq!(counts.sent_bytes, client.out.len() as u64);
}

#[test]
fn the_lateness_of_a_response_is_recorded() {
    let mut client = Client::new(&waits(50));
    client.send(chat("{}"));
    assert_eq!(totals(&client).counts.in_flight, 1);
    client.oversleep(53 * MILLI);
    assert_eq!(client.answers().len(), 1);
    let totals = totals(&client);
    assert_eq!(totals.counts.in_flight, 0);
    assert_all(totals.time(TimeKind::Service), 1, 3 * MILLI);
    assert_all(totals.time(TimeKind::Delay), 1, 50 * MILLI);
    assert_eq!(totals.time(TimeKind::Chunk).count(), 0);
}

#[test]
fn a_punctual_response_is_not_late() {
    let mut client = Client::new(&waits(50));
    for _ in 0..3 {
        client.send(chat("{}"));
        client.pass(50 * MILLI);
    }
    assert_eq!(client.answers().len(), 3);
    assert_all(totals(&client).time(TimeKind::Service), 3, 0);
    // Also without a delay, pipelined or not.
    let mut client = Client::plain();
    client.send(chat("{}").repeat(16));
    assert_eq!(client.answers().len(), 16);
    assert_all(totals(&client).time(TimeKind::Service), 16, 0);
    assert_eq!(totals(&client).time(TimeKind::Delay).count(), 0);
}

#[test]
fn every_chunk_of_a_stream_is_a_frame_with_its_own_lateness() {
    let settings = Settings {
        ttft: Some(Duration::from_millis(20)),
        itl: Duration::from_millis(5),
        tokens: Some(6..=6),
        ..Settings::default()
    };
    let mut client = Client::new(&settings);
    client.send(chat(r#"{"stream":true}"#));
    assert_eq!(totals(&client).counts.in_flight, 1);
    client.pass(20 * MILLI);
    let first = totals(&client);
    assert_all(first.time(TimeKind::Service), 1, 0);
    assert_eq!(
        (first.time(TimeKind::Chunk).count(), first.counts.tokens),
        (0, 1)
    );
    assert_eq!((first.counts.streams, first.counts.in_flight), (1, 1));
    // The second and third token are on time; three more are due while the core sleeps, and form
    // one frame, which is as late as its first token.
    client.pass(10 * MILLI);
    assert_all(totals(&client).time(TimeKind::Chunk), 2, 0);
    client.oversleep(17 * MILLI);
    let last = totals(&client);
    assert_eq!(
        (last.time(TimeKind::Chunk).count(), last.counts.tokens),
        (3, 6)
    );
    let late = last.time(TimeKind::Chunk).max();
    assert!(late.abs_diff(12 * MILLI) < MILLI / 4, "{late}");
    assert_eq!(
        (last.counts.in_flight, last.time(TimeKind::Service).count()),
        (0, 1)
    );
    assert_eq!(client.end, End::Open);
}

#[test]
fn tokens_are_those_of_all_choices() {
    let settings = Settings {
        tokens: Some(7..=7),
        ..Settings::default()
    };
    for (body, tokens) in [
        (r#"{"n":3}"#, 21),
        (r#"{"n":3,"max_tokens":2}"#, 6),
        (r#"{"n":3,"stream":true}"#, 21),
    ] {
        let mut client = Client::new(&settings);
        client.send(chat(body));
        assert_eq!(totals(&client).counts.tokens, tokens, "{body}");
    }
}

#[test]
fn closed_connections_are_counted_by_reason() {
    let mut client = Client::plain();
    client.core.limits.idle = 60 * SECOND;
    let end = |client: &mut Client| {
        client.reconnect();
        client.out.clear();
    };
    // The client closes the connection.
    client.ask(HEALTH);
    client.end_sending();
    end(&mut client);
    // It was the last response.
    client.ask(HEALTH.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    end(&mut client);
    // The input is invalid.
    client.ask("nonsense\r\n\r\n");
    end(&mut client);
    // There is no input.
    client.pass(61 * SECOND);
    end(&mut client);
    // A request stays incomplete.
    client.send("GET ");
    client.pass(400 * SECOND);
    end(&mut client);
    // The client does not read.
    client.takes(0);
    client.send(HEALTH);
    client.pass(400 * SECOND);
    client.takes(usize::MAX);
    end(&mut client);
    client.ask(HEALTH);
    client.drain();
    end(&mut client);
    let want = [
        ("client", 1),
        ("answered", 1),
        ("refused", 1),
        ("idle_timeout", 1),
        ("read_timeout", 1),
        ("write_timeout", 1),
        ("shutdown", 1),
    ];
    assert_eq!(closes(&client), want);
}

#[test]
fn a_delayed_response_is_not_in_flight_after_its_connection_closed() {
    for body in ["{}", r#"{"stream":true}"#] {
        let mut client = Client::new(&waits(50));
        client.send(chat(body));
        assert_eq!(totals(&client).counts.in_flight, 1);
        client.reconnect();
        assert_eq!(totals(&client).counts.in_flight, 0);
    }
}

#[test]
fn measurements_are_reported() {
    let settings = Settings::default();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/stats", "application/json"),
    ] {
        let get = request("GET", path, &[], "");
        let outcome = in_every_cut(path, &settings, get.as_bytes());
        assert_eq!(outcome.statuses(), [200]);
        assert_eq!(outcome.answers[0].field("content-type"), Some(kind));
        let mut client = Client::plain();
        client.send(request("HEAD", path, &[], "") + &get);
        let both = client.answers_with_heads(&[0]);
        assert_eq!(both.len(), 2, "{path}");
        assert_eq!(both[0].field("content-type"), Some(kind));
        assert!(both[0].content.is_empty() && !both[1].content.is_empty());
        let head = request("POST", path, &[], "{}");
        assert_eq!(client.ask(head).status, 405);
    }
}

#[test]
fn stats_report_the_counters() {
    let mut client = Client::plain();
    client.send([chat("{}"), chat("[]"), post("/v1/embeddings", "")].concat());
    client.answers();
    let stats = client.ask(request("GET", "/stats", &[], ""));
    let stats: Value = serde_json::from_slice(&stats.content).expect("it is JSON");
    assert_eq!(stats["requests"], 3);
    assert_eq!(stats["answers"]["/chat/completions"]["200"], 1);
    assert_eq!(stats["answers"]["/embeddings"]["200"], 1);
    assert_eq!(stats["statuses"]["400"], 1);
    assert_eq!(stats["service_time_seconds"]["count"], 3);
    assert_eq!(stats["verdict"]["verdict"], "idle", "no window has ended");
    assert_eq!(stats["windows"], Value::Array(vec![]));
    let metrics = client.ask(request("GET", "/metrics", &[], ""));
    let metrics = String::from_utf8(metrics.content).expect("it is text");
    for line in [
        "mocker_requests_total{endpoint=\"/chat/completions\",status=\"400\"} 1",
        "mocker_requests_total{endpoint=\"/stats\",status=\"200\"} 1",
        "mocker_lateness_seconds_count 4",
        "mocker_lateness_seconds_bucket{le=\"+Inf\"} 4",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line}");
    }
}

#[test]
fn only_the_configured_paths_require_authorization() {
    let settings = |guarded| Settings {
        auth: "Bearer key".into(),
        auth_metrics: guarded,
        ..Settings::default()
    };
    for (path, guarded) in [
        ("/", false),
        ("/health", false),
        ("/metrics", true),
        ("/stats", true),
    ] {
        let without = request("GET", path, &[], "");
        let with = request("GET", path, &["Authorization: Bearer key"], "");
        assert_eq!(Client::new(&settings(false)).ask(&without).status, 200);
        let status = if guarded { 403 } else { 200 };
        assert_eq!(Client::new(&settings(true)).ask(&without).status, status);
        assert_eq!(Client::new(&settings(true)).ask(&with).status, 200);
    }
}

/// Neither rate limits nor failures nor delays apply to the paths that report them.
#[test]
fn measurements_are_reported_in_every_scenario() {
    let settings = Settings {
        latency: Duration::from_secs(1),
        failure_percent: 1_000_000,
        tpm: 1,
        ..Settings::default()
    };
    let mut client = Client::new(&settings);
    assert_eq!(client.ask(chat("{}")).status, 429);
    for path in ["/", "/metrics", "/stats"] {
        assert_eq!(client.ask(request("GET", path, &[], "")).status, 200);
    }
}

#[test]
fn an_unread_response_is_held_back_and_not_late() {
    let mut client = Client::plain();
    client.takes(0);
    client.send(HEALTH);
    client.reconnect();
    let totals = totals(&client);
    assert_eq!(
        (
            totals.counts.held_back,
            totals.time(TimeKind::Service).count()
        ),
        (1, 0)
    );
}
