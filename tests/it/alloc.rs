//! Tests that the hot path allocates nothing once it is warm, and that buffers stay small.

use allocation_counter::measure;
use mocker::internals::conn::outbox::OUTBOX_FULL;
use mocker::internals::settings::{ContentMode, Settings};

use crate::dialog::client::{Client, HEALTH, chat, chunked, embeddings, post, request};

/// Returns whether the client has received the expected number of responses. Does not allocate.
fn count(client: &mut Client) -> usize {
    let found = client
        .out
        .windows(9)
        .filter(|bytes| bytes == b"HTTP/1.1 ")
        .count();
    client.out.clear();
    found
}

/// Sends the pieces in turn, and asserts the number of responses in each round.
fn rounds(client: &mut Client, rounds: &[Vec<String>], answers: usize) {
    for pieces in rounds {
        pieces.iter().for_each(|piece| client.send(piece));
        assert_eq!(count(client), answers);
    }
}

/// Returns the same bytes in one piece, and with heads and bodies in separate pieces, as SDKs send
/// them.
fn cuts(requests: &[String]) -> [Vec<String>; 2] {
    let apart = requests.iter().flat_map(|request| {
        let (head, body) = request.split_at(request.find("\r\n\r\n").unwrap() + 4);
        [head.to_owned(), body.to_owned()]
    });
    [vec![requests.concat()], apart.collect()]
}

const BODY: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"héllo \"you\""}]}"#;

const DEPLOYMENT: &str = "/openai/deployments/my-gpt/chat/completions";

/// Returns the test cases: a name, and requests that are sent together.
fn cases() -> Vec<(&'static str, Vec<String>)> {
    let embeddings = r#"{"input":["a","b"],"model":"text-embedding-3-small","dimensions":256}"#;
    let long = format!(
        r#"{{"input":[{}],"dimensions":2048}}"#,
        vec!["\"x\""; 20].join(",")
    );
    let base64 = r#"{"input":"a","encoding_format":"base64"}"#;
    let chunk = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    vec![
        ("chat", vec![chat(BODY)]),
        ("chat, empty", vec![chat("")]),
        (
            "chat, three choices",
            vec![chat(r#"{"n":3,"max_tokens":2}"#)],
        ),
        ("chat, chunked", vec![chunked(&chunk)]),
        ("responses", vec![post("/v1/responses", BODY)]),
        ("embeddings", vec![post("/v1/embeddings", embeddings)]),
        ("embeddings, base64", vec![post("/v1/embeddings", base64)]),
        (
            "chat, streamed",
            vec![chat(r#"{"stream":true,"n":2,"max_tokens":9}"#)],
        ),
        (
            "responses, streamed",
            vec![post("/v1/responses", r#"{"stream":true}"#)],
        ),
        ("chat, deployment", vec![post(DEPLOYMENT, BODY)]),
        (
            "a model by its name",
            vec![request("GET", "/v1/models/gpt-4o", &[], "")],
        ),
        ("embeddings, long", vec![post("/v1/embeddings", &long)]),
        ("health", vec![HEALTH.into()]),
        ("16 chats", vec![chat(BODY); 16]),
        ("16 responses", vec![post("/v1/responses", BODY); 16]),
        (
            "all in turn",
            vec![chat(BODY), post("/v1/responses", BODY), HEALTH.into()],
        ),
        ("a refused body", vec![chat("[]")]),
        ("an unknown path", vec![post("/nothing", BODY)]),
    ]
}

#[test]
fn a_warm_server_allocates_nothing() {
    for (name, requests) in cases() {
        for pieces in cuts(&requests) {
            let mut client = Client::plain();
            let pieces = vec![pieces; 10];
            rounds(&mut client, &pieces, requests.len());
            let info = measure(|| rounds(&mut client, &pieces, requests.len()));
            assert_eq!(info.count_total, 0, "{name}, {} pieces", pieces[0].len());
        }
    }
}

/// Each head differs from the previous one, so none is recognised.
#[test]
fn new_heads_and_bodies_allocate_nothing() {
    let mut client = Client::new(&Settings {
        auth: "Bearer secret".into(),
        ..Settings::default()
    });
    let request = |at: usize| {
        let trace = format!("X-Trace: {at:08}");
        let fields = ["Authorization: Bearer secret", &trace, "Accept: */*"];
        let body = format!(r#"{{"model":"gpt-4o","n":1,"seed":{at:08}}}"#);
        request("POST", "/v1/chat/completions", &fields, &body)
    };
    for cut in [0, 1] {
        let fresh = |from: usize| -> Vec<Vec<String>> {
            (from..from + 20)
                .map(|at| cuts(&[request(at)])[cut].clone())
                .collect()
        };
        rounds(&mut client, &fresh(0), 1);
        let other = fresh(100);
        let info = measure(|| rounds(&mut client, &other, 1));
        assert_eq!(info.count_total, 0, "cut {cut}");
    }
}

/// Opens and closes thousands of connections.
#[test]
fn connections_allocate_nothing() {
    let mut client = Client::plain();
    let pieces = cuts(&[chat(BODY)]);
    let mut life = || {
        for pieces in &pieces {
            client.reconnect();
            rounds(&mut client, std::slice::from_ref(pieces), 1);
        }
    };
    life();
    let info = measure(|| (0..100).for_each(|_| life()));
    assert_eq!((info.count_total, info.count_current), (0, 0));
}

/// Sends a long response to a slow reader: the parts that have been sent must be freed.
#[test]
fn a_long_response_takes_no_more_memory_than_the_outbox() {
    for sip in [1_000, 20_000, 60_000] {
        let mut client = Client::plain();
        client.send(embeddings(4));
        client.out.clear();
        let long = embeddings(300);
        client.takes(0);
        let mut came = 0;
        let info = measure(|| {
            client.send(&long);
            while client.waiting() > 0 {
                client.take(sip);
                came += client.out.len();
                client.out.clear();
            }
        });
        assert!(came > 10_000_000, "{came}");
        let most = 8 * OUTBOX_FULL as u64;
        assert!(
            info.bytes_max < most,
            "{} bytes, {sip} at a time",
            info.bytes_max
        );
    }
}

/// The stored parts of a body are within the limit, and are freed with its response.
#[test]
fn stored_fields_are_limited_to_a_megabyte() {
    let long = "x".repeat(5_000_000);
    let tools = format!(r#"{{"tool_choice":"auto","tools":["{long}"]}}"#);
    let said = format!(r#"{{"messages":[{{"role":"user","content":"{long}"}}]}}"#);
    let echoing = Settings {
        content: ContentMode::Echo,
        ..Settings::default()
    };
    for (settings, body, most) in [
        (Settings::default(), tools, 3 << 20),
        (echoing, said, 1 << 20),
    ] {
        let mut client = Client::new(&settings);
        // The buffer of the response is kept for the next one.
        rounds(&mut client, &[vec![chat(&body)]], 1);
        let request = chat(&body);
        let info = measure(|| {
            for piece in request.as_bytes().chunks(10_000) {
                client.send(piece);
            }
            assert_eq!(count(&mut client), 1);
        });
        assert!(info.bytes_max < most, "{} bytes", info.bytes_max);
        assert!(
            info.bytes_current < 100_000,
            "{} bytes stay",
            info.bytes_current
        );
    }
}
