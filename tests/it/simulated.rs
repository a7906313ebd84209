//! Simulation of one core: sockets with short reads and writes, full buffers, errors and
//! interruptions, and a clock that only the test advances. Whatever happens, every request of every
//! connection gets one response, in order and identical to that of a lone request, unless the
//! simulation knows a reason why the connection ended.
//!
//! `SIMULATION_SEED=N` replays one simulation.

mod world;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use mocker::internals::api::text::Words;
use mocker::internals::conn::core::Core;
use mocker::internals::exchange;
use mocker::internals::net::machine::Machine;
use mocker::internals::net::turn::System;
use mocker::internals::scenario::Scenario;
use mocker::internals::settings::{ContentMode, Settings};
use mocker::internals::watch::metrics::{CoreMetrics, TimeKind, Totals};
use mocker::internals::{Nanos, SECOND};

use self::world::{Client, Socket, Wire, World};
use crate::dialog::client::{Cut, START, UNIX, chat, chunked, post, request};
use crate::fuzzed::{answers, dialog, whole_answers};

/// The number of simulations, and of connections in each: 20,000 sessions.
const WORLDS: u64 = 400;
const SESSIONS: usize = 50;

/// Returns the possible inputs of connections.
fn scripts() -> Vec<Vec<u8>> {
    let words = |n: usize| format!(r#"{{"n":{n},"messages":[{{"role":"user","content":"a b"}}]}}"#);
    let health = request("GET", "/health", &[], "");
    let models = request("HEAD", "/v1/models", &[], "");
    let stream = chat(r#"{"stream":true,"n":2,"stream_options":{"include_usage":true}}"#);
    let response = post("/v1/responses", r#"{"stream":true,"input":"x"}"#);
    let big = post(
        "/v1/embeddings",
        r#"{"input":["a","b","c","d"],"dimensions":4096}"#,
    );
    let closing = request(
        "POST",
        "/v1/chat/completions",
        &["Connection: close"],
        &words(1),
    );
    let broken = "GET /health HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n".to_owned();
    let long = format!(r#"{{"model":"m","input":"{}"}}"#, "x".repeat(60_000));
    let chunks = chunked("5\r\n{\"n\":\r\n3\r\n 2}\r\n0\r\n\r\n");
    [
        vec![chat(&words(1)); 3],
        vec![chat(&words(40)), health.clone(), chat("[]"), chat("")],
        vec![stream.clone(), health.clone(), response.clone()],
        vec![
            response.clone(),
            stream.clone(),
            models.clone(),
            health.clone(),
        ],
        vec![big.clone(), big.clone(), health.clone()],
        vec![post("/v1/responses", &long), chunks.clone(), models.clone()],
        vec![health.clone(), closing, health.clone()],
        vec![chunks, broken, health.clone()],
        vec![health.clone(); 70],
        vec![
            request("OPTIONS", "*", &[], ""),
            post("/nothing", "{}"),
            chat(&words(2)),
        ],
        vec![
            chat(&words(1)),
            "POST /v1/responses HTTP/1.1\r\nHo".to_owned(),
        ],
        vec![post("/v1/responses", "{}").replace("1.1", "1.0"), health],
        vec![response.replace("1.1", "1.0"), stream],
        vec![],
    ]
    .into_iter()
    .map(|requests| requests.concat().into_bytes())
    .collect()
}

fn settings(rng: &mut Rng) -> Settings {
    let millis = |most: u64, rng: &mut Rng| Duration::from_micros(rng.u64(0..=most * 1000));
    let paced = rng.bool();
    let most = if paced { 20 } else { 0 };
    Settings {
        latency: millis(most, rng),
        ttft: rng.bool().then(|| millis(most, rng)),
        itl: millis(most / 4, rng),
        tokens: rng.bool().then_some(7..=7),
        tokens_per_chunk: rng.u32(1..4),
        content: if rng.bool() {
            ContentMode::Echo
        } else {
            ContentMode::Fixed
        },
        big_payload: rng.u8(0..16) == 0,
        ..Settings::default()
    }
}

#[test]
fn every_request_gets_one_response_in_order_whatever_happens() {
    let seeds = match std::env::var("SIMULATION_SEED") {
        Ok(seed) => {
            let seed: u64 = seed.parse().expect("SIMULATION_SEED is a number");
            seed..seed + 1
        }
        Err(_) => 0..WORLDS,
    };
    let mut ends = [0; 3];
    for seed in seeds {
        let lived = std::panic::catch_unwind(|| live(seed));
        let counts = lived.unwrap_or_else(|_| panic!("SIMULATION_SEED={seed}"));
        ends.iter_mut()
            .zip(counts)
            .for_each(|(sum, count)| *sum += count);
    }
    let [whole, given_up, idled] = ends;
    println!("{whole} sessions whole, {given_up} given up by the client, {idled} too slow");
    if ends.iter().sum::<usize>() > SESSIONS {
        assert!(whole > 10_000 && given_up > 500 && idled > 50, "{ends:?}");
    }
}

/// Runs one simulation. Returns the numbers of sessions that finished, were abandoned, and were too
/// slow.
fn live(seed: u64) -> [usize; 3] {
    let mut rng = Rng::with_seed(seed);
    let settings = settings(&mut rng);
    let scripts = scripts();
    let now = Rc::new(Cell::new(START));
    let world = World {
        now: now.clone(),
        rng: rng.fork(),
    };
    let mut core = Core::new(
        Scenario::first(&settings),
        Words::new(&settings).unwrap(),
        7,
        0,
        &exchange::watch(1, 0),
    );
    core.tick(UNIX);
    let mut machine = Machine::new(world, core);
    machine.begin_turn(START);
    let (mut clients, mut to_come) = (Vec::<Client>::new(), SESSIONS);
    let patience = match rng.u8(0..8) {
        0 => 30 * SECOND,
        1..5 => SECOND / 10,
        _ => SECOND / 1000,
    };
    // A simulation that never ends would not print its seed.
    let mut steps = 0..1_000_000;
    while to_come > 0 || !clients.iter().all(Client::is_done) {
        assert!(steps.next().is_some(), "it goes on without end");
        if to_come > 0 && rng.u8(0..4) == 0 {
            to_come -= 1;
            clients.push(connect(&mut machine, &scripts, &mut rng));
        }
        for client in clients.iter_mut().filter(|client| !client.is_done()) {
            (0..rng.u8(0..4)).for_each(|_| client.act(&mut rng));
        }
        pass(&mut machine, &now, &mut clients, patience, &mut rng);
        look_and_serve(&mut machine, &clients, &mut rng);
    }
    // Let the server see the last closed connections.
    for _ in 0..100 {
        look_and_serve(&mut machine, &clients, &mut rng);
    }
    assert_eq!(machine.open, 0, "nothing stays open");
    conserved(&machine.core.metrics);
    assert_eq!((machine.timer.next(), machine.ready.len()), (None, 0));
    let mut alone = HashMap::new();
    let mut ends = [0; 3];
    for client in &clients {
        let wanted = alone
            .entry(client.script)
            .or_insert_with(|| answers(&dialog(&settings, &scripts[client.script], Cut::Whole).0));
        ends[judge(client, wanted)] += 1;
    }
    ends
}

/// Asserts that the counters of a core are consistent: every connection opened was closed, and
/// every response was sent or held back.
fn conserved(core: &CoreMetrics) {
    let mut totals = Totals::default();
    core.read(&mut totals);
    let counts = &totals.counts;
    assert_eq!((counts.open_connections, counts.in_flight), (0, 0));
    assert_eq!(counts.accepted, SESSIONS as u64);
    assert_eq!(totals.closes.iter().sum::<u64>(), counts.accepted);
    let answers: u64 = totals.answers.iter().flatten().sum();
    let left = totals.time(TimeKind::Service).count();
    assert!(left <= answers && answers <= left + counts.held_back);
}

fn connect(machine: &mut Machine<World>, scripts: &[Vec<u8>], rng: &mut Rng) -> Client {
    let wire = Rc::new(RefCell::new(Wire::default()));
    let token = machine.place();
    machine.admit(Socket(wire.clone()));
    let script = rng.usize(..scripts.len());
    Client {
        wire,
        token,
        script,
        unsent: scripts[script].clone(),
        got: Vec::new(),
        gave_up: false,
        idled: false,
    }
}

/// Advances the clock: to the next deadline, or by a random time, which is sometimes long.
fn pass(
    machine: &mut Machine<World>,
    now: &Cell<Nanos>,
    clients: &mut [Client],
    patience: Nanos,
    rng: &mut Rng,
) {
    let time = match rng.u16(..) {
        0..5 => 400 * SECOND,
        5..40_000 => rng.u64(0..=patience),
        _ => {
            let next = machine.timer.next().unwrap_or(0);
            next.saturating_sub(now.get()).min(patience)
        }
    };
    now.set(now.get() + time);
    // A few such steps in a row exceed the shortest timeout.
    if time > SECOND {
        clients.iter_mut().for_each(|client| client.idled = true);
    }
}

/// Runs one turn of the core's loop.
fn look_and_serve(machine: &mut Machine<World>, clients: &[Client], rng: &mut Rng) {
    machine.begin_turn(machine.system.now());
    let first = rng.usize(..=clients.len());
    for client in clients[first..].iter().chain(&clients[..first]) {
        let news = std::mem::take(&mut client.wire.borrow_mut().news);
        if news.readable || news.writable || news.failed {
            machine.note(client.token, news);
        }
    }
    while machine.may_go_on() {
        let fired = machine.fire();
        match machine.ready.pop_front() {
            Some(token) => machine.serve(token),
            None if !fired => return,
            None => {}
        }
    }
}

/// Compares the output for a client with that of a lone client. Returns how its session ended.
fn judge(client: &Client, wanted: &[String]) -> usize {
    if !client.gave_up && !client.idled {
        assert_eq!(answers(&client.got), wanted, "script {}", client.script);
        return 0;
    }
    // The output may end anywhere, but must be a prefix of the expected one.
    let (got, _) = whole_answers(&client.got);
    for (at, answer) in got.iter().enumerate() {
        let last = at + 1 == got.len();
        let timed_out = last && client.idled && answer.contains("request_timeout");
        // The last response may have only a head, or be a stream that ends with the connection.
        let wanted = wanted.get(at).map_or("", String::as_str);
        let same = wanted == answer || last && wanted.starts_with(answer);
        assert!(timed_out || same, "script {}: {answer}", client.script);
    }
    if client.gave_up { 1 } else { 2 }
}
