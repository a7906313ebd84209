//! Tests of the recognition of repeated requests, which must never confuse two requests. Also tests
//! that the wall clock affects only the fields that show it.

use std::time::Duration;

use mocker::internals::settings::Settings;

use super::client::{Client, End, HEALTH, MILLI, UNIX, chat, request};

fn guarded() -> Client {
    Client::new(&Settings {
        auth: "Bearer secret".into(),
        ..Settings::default()
    })
}

/// Sends one request, another one, and the first again: on one connection, on a new connection each
/// time, and pipelined. `tell` extracts what distinguishes the responses.
fn back_and_forth<T: PartialEq + std::fmt::Debug>(
    one: &str,
    other: &str,
    tell: impl Fn(&super::answer::Answer) -> T,
    want: [T; 2],
) {
    let order = [0, 0, 1, 1, 0, 1, 0];
    for separate in [false, true] {
        let mut client = guarded();
        for at in order {
            let answer = client.ask([one, other][at]);
            assert_eq!(tell(&answer), want[at], "{one}\n{other}");
            if separate || client.end != End::Open {
                client.reconnect();
            }
        }
    }
    let mut client = guarded();
    client.send(order.map(|at| [one, other][at]).concat());
    let answers = client.answers();
    assert_eq!(answers.len(), order.len());
    for (answer, at) in answers.iter().zip(order) {
        assert_eq!(tell(answer), want[at]);
    }
    // Head and body separately.
    let mut client = guarded();
    for at in order {
        let (head, body) =
            [one, other][at].split_at([one, other][at].find("\r\n\r\n").unwrap() + 4);
        client.send(head);
        client.send(body);
        let answer = client.answers().remove(0);
        assert_eq!(tell(&answer), want[at]);
        if client.end != End::Open {
            client.reconnect();
        }
    }
}

const KEY: &str = "Authorization: Bearer secret";

#[test]
fn a_head_that_differs_in_one_byte_is_another_head() {
    let right = request("POST", "/v1/chat/completions", &[KEY], "{\"n\":1}");
    for (from, to, status) in [
        ("secret", "secreT", 403),
        ("secret", "secre", 403),
        ("secret", "secrett", 403),
        ("/chat", "/chaT", 404),
        ("POST", "PUST", 405),
        ("/v1/", "/v1?", 404),
        ("Host: mocker", "Host: mockeR", 200),
        ("Authorization", "Authorizatiom", 403),
        ("Length: 7", "Length: 7\r\nContent-Encoding: gzip", 415),
        ("{\"n\":1}", "{\"n\":0}", 400),
        ("{\"n\":1}", "{\"n\":1]", 400),
        ("{\"n\":1}", "{\"m\":1}", 200),
    ] {
        let other = right.replacen(from, to, 1);
        assert_ne!(right, other);
        back_and_forth(&right, &other, |answer| answer.status, [200, status]);
        back_and_forth(&other, &right, |answer| answer.status, [status, 200]);
    }
}

#[test]
fn an_invalid_head_between_valid_ones_is_rejected() {
    let right = request("POST", "/v1/chat/completions", &[KEY], "{}");
    for (from, to, status) in [
        ("HTTP/1.1", "HTTP/2.0", 505),
        ("Host:", "Host :", 400),
        ("Content-Length: 2", "Content-Length: +", 400),
        ("\r\n\r\n", "\r\n \r\n\r\n", 400),
        ("Host: mocker\r\n", "Host: mocker\n", 400),
    ] {
        let mut client = guarded();
        for _ in 0..2 {
            assert_eq!(client.ask(&right).status, 200);
            assert_eq!(client.ask(right.replacen(from, to, 1)).status, status);
            client.reconnect();
        }
    }
}

#[test]
fn bodies_of_equal_length_are_distinguished() {
    let ask = |body: &str| request("POST", "/v1/chat/completions", &[KEY], body);
    let choices = |answer: &super::answer::Answer| {
        answer.json()["choices"]
            .as_array()
            .map_or(0, |choices| choices.len())
    };
    back_and_forth(&ask("{\"n\":2}"), &ask("{\"n\":3}"), choices, [2, 3]);
    let model = |answer: &super::answer::Answer| answer.json()["model"].to_string();
    let want = ["\"a\"", "\"b\""].map(str::to_owned);
    back_and_forth(
        &ask("{\"model\":\"a\"}"),
        &ask("{\"model\":\"b\"}"),
        model,
        want,
    );
}

#[test]
fn a_repeated_body_is_interpreted_by_its_endpoint() {
    let body = r#"{"n":0,"max_tokens":1,"input":["a","b"],"dimensions":1,"stream":null}"#;
    let ask = |path: &str| request("POST", path, &[KEY], body);
    let [chat, responses, embeddings] =
        ["/v1/chat/completions", "/v1/responses", "/v1/embeddings"].map(ask);
    let object = |answer: &super::answer::Answer| {
        (
            answer.status,
            answer.json()["object"].as_str().map(str::to_owned),
        )
    };
    let want = |object: &str| (200, Some(object.to_owned()));
    back_and_forth(&chat, &responses, object, [(400, None), want("response")]);
    back_and_forth(&embeddings, &chat, object, [want("list"), (400, None)]);
    back_and_forth(
        &responses,
        &embeddings,
        object,
        [want("response"), want("list")],
    );
}

#[test]
fn deployments_are_distinguished() {
    let ask = |name: &str| {
        let path = format!("/openai/deployments/{name}/chat/completions");
        request("POST", &path, &["api-key: secret"], "{}")
    };
    let model = |answer: &super::answer::Answer| answer.json()["model"].to_string();
    let want = ["\"aa\"", "\"ab\""].map(str::to_owned);
    back_and_forth(&ask("aa"), &ask("ab"), model, want);
    let plain = request("POST", "/v1/chat/completions", &[KEY], "{}");
    let want = ["\"aa\"", "\"gpt-4o-mini\""].map(str::to_owned);
    back_and_forth(&ask("aa"), &plain, model, want);
}

#[test]
fn a_changed_length_moves_the_next_request() {
    // The second head announces one byte less, so that byte begins the next request.
    let long = request("POST", "/v1/chat/completions", &[KEY], "{} ");
    let short = long.replace("Length: 3", "Length: 2");
    let mut client = guarded();
    client.send(format!("{long}{short}{HEALTH}"));
    let statuses: Vec<_> = client
        .answers()
        .iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(statuses, [200, 200, 400]);
    let exact = request("POST", "/v1/chat/completions", &[KEY], "{}");
    client.reconnect();
    client.send(format!("{long}{exact}{long}{exact}{HEALTH}"));
    assert_eq!(client.answers().len(), 5);
    assert_eq!(client.end, End::Open);
}

#[test]
fn the_wall_clock_affects_only_the_fields_that_show_it() {
    let mut client = Client::plain();
    let first = client.ask(chat("{}"));
    for (unix, date) in [
        (UNIX + 1, "Sun, 06 Nov 1994 08:49:38 GMT"),
        (UNIX, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (UNIX - 1, "Sun, 06 Nov 1994 08:49:36 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ] {
        client.tick(unix, date);
        let deadline = client.deadline();
        for _ in 0..2 {
            let answer = client.ask(chat("{}"));
            let mut json = answer.json();
            assert_eq!(json["created"], unix);
            json["created"] = UNIX.into();
            for field in ["id", "usage"] {
                json[field] = first.json()[field].clone();
            }
            assert_eq!(json, first.json());
            let names = |answer: &super::answer::Answer| {
                let fields = answer.fields.iter();
                fields.map(|(name, _)| name.clone()).collect::<Vec<_>>()
            };
            assert_eq!(names(&answer), names(&first));
        }
        assert_eq!(
            client.deadline(),
            deadline,
            "deadlines follow no wall clock"
        );
        assert_eq!(client.ask(HEALTH).content, br#"{"status":"healthy"}"#);
    }
}

/// Only `Date` and `created` show the wall clock.
#[test]
fn the_wall_clock_may_jump_during_a_delay() {
    for (unix, date) in [
        (UNIX - 86_400, "Sat, 05 Nov 1994 08:49:37 GMT"),
        (UNIX + 86_400, "Mon, 07 Nov 1994 08:49:37 GMT"),
    ] {
        let mut client = Client::new(&Settings {
            latency: Duration::from_millis(100),
            ..Settings::default()
        });
        client.send(chat("{}"));
        let due = client.deadline();
        client.tick(unix, date);
        client.pass(99 * MILLI);
        assert_eq!((client.deadline(), client.out.len()), (due, 0));
        client.pass(MILLI);
        let answer = client.answers().remove(0);
        assert_eq!(answer.json()["created"], unix);
        // The parser has compared the date with the new one; the idle timeout is unaffected.
        client.pass(59_000 * MILLI);
        assert_eq!(client.end, End::Open);
        client.pass(1_001 * MILLI);
        assert_eq!(client.end, End::Closed);
    }
}
