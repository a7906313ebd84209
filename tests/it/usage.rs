//! Tests of typical command lines, each with a running program. Only the port differs: it is a free
//! one.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::server::{Answer, Client, HEALTH, Server, post};

const PATHS: [&str; 3] = ["/v1/chat/completions", "/responses", "/v1/embeddings"];

fn request(path: &str, key: &str) -> String {
    let fields = match key {
        "" => String::new(),
        key => format!("Authorization: {key}\r\n"),
    };
    post(path, &fields, r#"{"input":"x","messages":[]}"#)
}

/// A response, with a lower bound of the time it took by the client's clock.
fn timed(client: &mut Client, path: &str, key: &str) -> (Answer, Duration) {
    let began = Instant::now();
    let answer = client.ask(request(path, key));
    (answer, began.elapsed())
}

/// Returns the intended delay that a response reports, in milliseconds.
fn delay(answer: &Answer) -> u64 {
    let delay = answer.field("openai-processing-ms").expect("it says so");
    delay.parse().expect("it is a number")
}

/// Asserts that the reported delays are within a range, that responses were not early, and that
/// delays vary unless the range is a single number.
fn assert_delays(server: &Server, key: &str, least: u64, most: u64) {
    let mut client = server.connect();
    let mut said = Vec::new();
    for at in 0..8 {
        let (answer, took) = timed(&mut client, PATHS[at % 3], key);
        // With the complete setup some requests fail, and failures are not delayed.
        if answer.status() != 500 {
            assert_eq!(answer.status(), 200, "{}", answer.text());
            let delay = delay(&answer);
            assert!((least..=most).contains(&delay), "{delay} ms");
            assert!(
                took >= Duration::from_millis(delay),
                "{took:?} for {delay} ms"
            );
            said.push(delay);
        }
    }
    assert!(said.len() > 2);
    let differ = said.iter().any(|delay| *delay != said[0]);
    assert_eq!(differ, least < most, "{said:?}");
    let health = client.ask(HEALTH);
    assert_eq!(
        (health.status(), health.field("openai-processing-ms")),
        (200, None)
    );
}

/// Asserts that texts have about 10 KB, and embeddings 4096 numbers.
fn assert_big(server: &Server, key: &str) {
    let mut client = server.connect();
    for path in PATHS {
        // If one in 20 fails, this many don't.
        let answer = (0..20)
            .map(|_| client.ask(request(path, key)))
            .find(|answer| answer.status() == 200)
            .expect("one of them succeeds");
        let json = answer.json();
        let text = match path {
            "/v1/chat/completions" => &json["choices"][0]["message"]["content"],
            "/responses" => &json["output"][0]["content"][0]["text"],
            _ => {
                let vector = json["data"][0]["embedding"].as_array();
                assert_eq!(vector.expect("a list").len(), 4096);
                continue;
            }
        };
        let length = text.as_str().expect("a text").len();
        assert!((9_000..=12_000).contains(&length), "{length} bytes");
    }
}

/// Asserts that the number of failures among a few hundred requests is in a range, that failures
/// are not delayed, and that health checks never fail.
fn assert_fails(server: &Server, key: &str, requests: usize, least: usize, most: usize) {
    let mut client = server.connect();
    // Use many connections, so that their delays overlap.
    let mut clients: Vec<Client> = (0..requests / 20).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(request(PATHS[0], key).repeat(20));
    }
    let mut failed = 0;
    for client in &mut clients {
        for _ in 0..20 {
            let answer = client.answer();
            failed += usize::from(answer.status() == 500);
            assert!(matches!(answer.status(), 200 | 500), "{}", answer.text());
        }
        assert_eq!(client.ask(HEALTH).status(), 200);
    }
    assert!(
        (least..=most).contains(&failed),
        "{failed} of {requests} failed"
    );
    assert_eq!(client.ask(HEALTH).status(), 200);
}

fn assert_key(server: &Server, key: &str) {
    let mut client = server.connect();
    for wrong in ["", "Bearer wrong", &key[..key.len() - 1]] {
        let answer = client.ask(request(PATHS[0], wrong));
        assert_eq!(answer.status(), 403, "{wrong:?}");
        assert!(answer.text().contains(r#""code":"invalid_api_key""#));
    }
    assert_eq!(client.ask(HEALTH).status(), 200);
}

#[test]
fn basic_latency() {
    let server = Server::start(&["-latency", "100"]);
    assert_delays(&server, "", 100, 100);
}

#[test]
fn latency_with_jitter() {
    let server = Server::start(&["-latency", "50", "-jitter", "20"]);
    assert_delays(&server, "", 30, 70);
}

#[test]
fn big_payload() {
    assert_big(&Server::start(&["-big-payload"]), "");
}

#[test]
fn full_simulation() {
    let server = Server::start(&["-latency", "75", "-jitter", "25", "-big-payload"]);
    assert_delays(&server, "", 50, 100);
    assert_big(&server, "");
}

#[test]
fn authentication() {
    let key = "Bearer my-secret-key";
    let server = Server::start(&["-auth", key]);
    assert_key(&server, key);
    for path in PATHS {
        assert_eq!(
            server.connect().ask(request(path, key)).status(),
            200,
            "{path}"
        );
    }
}

/// With the lowest possible rate, 20 of 400 requests fail, with a standard deviation of 4; with the
/// highest, 60 with a standard deviation of 7. The bounds are more than three deviations away.
#[test]
fn failure_rate() {
    let server = Server::start(&["-failure-percent", "10", "-failure-jitter", "5"]);
    assert_fails(&server, "", 400, 4, 100);
}

/// The limit only begins after half a minute; `paced` tests one that does begin.
#[test]
fn rate_limit() {
    let server = Server::start(&["-tpm", "30"]);
    for path in PATHS {
        assert_eq!(
            server.connect().ask(request(path, "")).status(),
            200,
            "{path}"
        );
    }
    // Variables have the same effect.
    let mut command = crate::server::mocker(&[]);
    command.envs([("MOCKER_PORT", "0"), ("MOCKER_TPM", "1")]);
    let server = Server::spawn(&mut command);
    let mut client = server.connect();
    std::thread::sleep(Duration::from_secs(1));
    let answer = client.ask(request(PATHS[0], ""));
    assert_eq!(
        (answer.status(), answer.field("retry-after")),
        (429, Some("1"))
    );
    assert!(
        answer
            .text()
            .contains("Rate limit exceeded. Please retry after some time.")
    );
    assert_eq!(client.ask(HEALTH).status(), 200);
}

#[test]
fn complete_setup() {
    let key = "Bearer test-key";
    #[rustfmt::skip]
    let server = Server::start(&[
        "-latency", "50", "-jitter", "20", "-auth", key,
        "-failure-percent", "5", "-failure-jitter", "2", "-tpm", "60", "-big-payload",
    ]);
    assert_key(&server, key);
    assert_delays(&server, key, 30, 70);
    assert_big(&server, key);
    assert_fails(&server, key, 400, 1, 60);
    server.process.signal("TERM");
    let ended = server.process.ended();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
}

/// Returns the completions that an interactive shell offers for the last of these words.
#[test]
fn bash_completes() {
    for (typed, want) in [
        (&["-lat"][..], "-latency"),
        (&["--lat"], "-latency"),
        (&["-fail-on", "m"], "mock-bound"),
        (&["-pin", "o"], "on off"),
        (&["-port", ""], ""),
    ] {
        let words = typed.join("' '");
        let script = format!(
            "eval \"$({} -generate bash)\"; COMP_WORDS=(mocker '{words}'); \
             COMP_CWORD={}; _mocker; echo \"${{COMPREPLY[*]}}\"",
            env!("CARGO_BIN_EXE_mocker"),
            typed.len()
        );
        let out = Command::new("bash").args(["-c", &script]).output();
        let out = out.expect("there is a bash");
        assert_eq!(
            String::from_utf8_lossy(&out.stdout).trim(),
            want,
            "{typed:?}"
        );
    }
}
