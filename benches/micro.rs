//! The cost of each step of a request, without sockets: `cargo bench --bench micro`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

mod turn;

use std::hint::black_box;

use divan::{Bencher, counter::BytesCount};
use mocker::internals::api::provider::Endpoint;
use mocker::internals::api::table::ENDPOINTS;
use mocker::internals::api::text::Words;
use mocker::internals::conn::writer::{Clock, WireOptions, Writer};
use mocker::internals::exchange::body::{BodyReader, Reading};
use mocker::internals::exchange::planner::{Plan, Subject};
use mocker::internals::exchange::{self, Mock};
use mocker::internals::http::answer::keep_alive;
use mocker::internals::http::{date, head};
use mocker::internals::meter::{Meter, TURN};
use mocker::internals::settings::Settings;
use turn::{CHAT, Turn};

fn main() {
    divan::main();
}

fn big() -> Settings {
    Settings {
        big_payload: true,
        ..Settings::default()
    }
}

/// Returns the offset of the retry count in the request. Another digit there makes a different
/// head.
fn varying() -> usize {
    let name = "x-stainless-retry-count: ";
    CHAT.find(name).expect("SDKs send it") + name.len()
}

#[divan::bench]
fn head_parse(bencher: Bencher) {
    bencher.bench(|| {
        let head = head::parse(
            black_box(CHAT.as_bytes()),
            ["authorization", "api-key", "x"],
        );
        black_box(head.unwrap().unwrap().len)
    });
}

#[divan::bench(args = [70, 1_000, 10_000])]
fn ask_prompt(bencher: Bencher, len: usize) {
    let body = format!(
        r#"{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"{}"}}]}}"#,
        "Hello ".repeat(len / 6 - 10)
    );
    ask(bencher, &ENDPOINTS[0], &body);
}

#[divan::bench]
fn ask_messages(bencher: Bencher) {
    let body = format!(
        r#"{{"messages":[{}{{}}]}}"#,
        r#"{"role":"user","content":"Hello there"},"#.repeat(1000)
    );
    ask(bencher, &ENDPOINTS[0], &body);
}

#[divan::bench]
fn ask_tokens(bencher: Bencher) {
    let body = format!(r#"{{"input":[{}7]}}"#, "15339,1917,87,".repeat(3000));
    ask(bencher, &ENDPOINTS[3], &body);
}

fn ask(bencher: Bencher, endpoint: &'static Endpoint, body: &str) {
    let mut ask = BodyReader::new(Reading::default());
    bencher.counter(BytesCount::of_str(body)).bench_local(|| {
        ask.begin(endpoint);
        ask.feed(black_box(body.as_bytes()));
        black_box(ask.finish().unwrap().n)
    });
}

#[divan::bench]
fn decide_and_render_small(bencher: Bencher) {
    decide_and_render(bencher, &Settings::default());
}

#[divan::bench]
fn decide_and_render_big(bencher: Bencher) {
    decide_and_render(bencher, &big());
}

fn decide_and_render(bencher: Bencher, settings: &Settings) {
    let mut mock = Mock::new(
        settings,
        Words::new(settings).unwrap(),
        1,
        0,
        exchange::watch(1, 0),
    );
    let mut writer = Writer::default();
    let mut out = Vec::new();
    let clock = Clock {
        unix: 0,
        date: date::imf_fixdate(0),
        keep_alive: keep_alive(60),
    };
    let mut wire = WireOptions::default();
    let (call, _) = mock
        .auth
        .call("POST", "/v1/chat/completions", [None; 3], false);
    let mut ask = BodyReader::new(Reading::default());
    ask.begin(&ENDPOINTS[0]);
    ask.feed(br#"{"model":"gpt-4o-mini"}"#);
    bencher.bench_local(|| {
        let mut meter = Meter::new(TURN);
        let outcome = mock.decide(black_box(&call), false, 0);
        let subject = ask.finish().map(|facts| Subject {
            endpoint: &ENDPOINTS[0],
            named: None,
            facts,
        });
        let plan = mock.planner.plan(subject, &mut meter);
        let (Ok(outcome), Plan::Ready(content)) = (outcome, plan) else {
            unreachable!("the request succeeds")
        };
        let mut response = mock.response(content, outcome, call.endpoint);
        out.clear();
        writer.begin(
            &mut response,
            &mut wire,
            &mut mock,
            &clock,
            &mut meter,
            &mut out,
        );
        black_box(out.len())
    });
}

/// The turns of a connection: with a repeated request, and with a different head each time; with
/// one request in a read, and with 16; with small responses, and with large ones.
#[divan::bench]
fn turn_same(bencher: Bencher) {
    turns(bencher, &Settings::default(), 1, false);
}

#[divan::bench]
fn turn_varied(bencher: Bencher) {
    turns(bencher, &Settings::default(), 1, true);
}

#[divan::bench]
fn turn_big(bencher: Bencher) {
    turns(bencher, &big(), 1, false);
}

#[divan::bench]
fn turn_16_pipelined(bencher: Bencher) {
    turns(bencher, &Settings::default(), 16, false);
}

#[divan::bench]
fn turn_16_pipelined_varied(bencher: Bencher) {
    turns(bencher, &Settings::default(), 16, true);
}

fn turns(bencher: Bencher, settings: &Settings, depth: usize, varied: bool) {
    let mut turn = Turn::new(settings);
    let mut input = CHAT.repeat(depth).into_bytes();
    let mut round = 0;
    let at = varying();
    bencher.bench_local(|| {
        if varied {
            for request in input.chunks_mut(CHAT.len()) {
                round = (round + 1) % 10;
                request[at] = b'0' + round;
            }
        }
        black_box(turn.serve(&input))
    });
}
