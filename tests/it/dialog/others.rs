//! Tests of the other endpoints, and of cross-origin requests.

use mocker::internals::SECOND;
use mocker::internals::settings::Settings;

use super::client::{
    Client, HEALTH, START, UNIX, chat, in_every_cut, in_every_cut_with_heads, post, request,
};

#[test]
fn models_and_moderations() {
    let mut client = Client::plain();
    let list = client.ask(request("GET", "/v1/models", &[], "")).json();
    assert_eq!(list["data"][0]["id"], "gpt-4o-mini");
    let one = client
        .ask(request("GET", "/openai/v1/models/a%2Fb", &[], ""))
        .json();
    assert_eq!(
        (&one["id"], &one["object"]),
        (&"a/b".into(), &"model".into())
    );
    for (input, results) in [
        (r#""x""#, 1),
        (r#"["x","y","z"]"#, 3),
        (r#"[{"type":"text","text":"x"},{"type":"image_url"}]"#, 1),
    ] {
        let body = format!(r#"{{"input":{input}}}"#);
        let json = client.ask(post("/v1/moderations", &body)).json();
        assert_eq!(
            json["results"].as_array().unwrap().len(),
            results,
            "{input}"
        );
        assert_eq!(json["results"][0]["flagged"], false);
    }
}

/// The announced length is exact for any number of results, so that the next response is found.
#[test]
fn the_length_of_many_results_is_exact() {
    for inputs in [1, 9, 10, 65, 66, 101, 2048] {
        let body = format!(r#"{{"input":[{}]}}"#, vec![r#""x""#; inputs].join(","));
        let mut client = Client::plain();
        for _ in 0..2 {
            let json = client.ask(post("/v1/moderations", &body)).json();
            assert_eq!(json["results"].as_array().unwrap().len(), inputs);
        }
    }
}

#[test]
fn cross_origin_reads_need_the_setting() {
    let options = request(
        "OPTIONS",
        "/v1/chat/completions",
        &["Origin: https://a.example"],
        "",
    );
    for cors in [false, true] {
        let mut client = Client::new(&Settings {
            cors,
            ..Settings::default()
        });
        for request in [&options, &chat("{}")] {
            client.send(request);
            let out = String::from_utf8(std::mem::take(&mut client.out)).unwrap();
            assert_eq!(
                out.contains("\r\nAccess-Control-Allow-Origin: *\r\n"),
                cors,
                "{out}"
            );
        }
    }
}

/// This includes long lists, which GET writes item by item.
#[test]
fn head_never_has_content() {
    for names in [1, 4000] {
        let models = (0..names).map(|at| format!("model-{at}")).collect();
        let settings = Settings {
            models,
            ..Settings::default()
        };
        let bytes = request("HEAD", "/v1/models", &[], "") + HEALTH;
        let both = in_every_cut_with_heads("HEAD", &settings, bytes.as_bytes(), &[0]).answers;
        let get = request("GET", "/v1/models", &[], "");
        let got = in_every_cut("GET", &settings, get.as_bytes()).answers;
        assert_eq!(
            both[0].field("content-length"),
            got[0].field("content-length")
        );
        assert_eq!(both.len(), 2, "{names} models");
        assert_eq!(both[1].content, br#"{"status":"healthy"}"#);
    }
}

/// The uptime uses the monotonic clock.
#[test]
fn the_uptime_does_not_depend_on_the_wall_clock() {
    let mut client = Client::plain();
    let uptime = |client: &mut Client| {
        let stats = client.ask(HEALTH.replace("/health", "/stats")).json();
        stats["uptime_seconds"].as_f64().expect("it is a number")
    };
    let began = (START / SECOND) as f64;
    assert_eq!(uptime(&mut client), began);
    for (unix, date) in [
        (UNIX + 86_400, "Mon, 07 Nov 1994 08:49:37 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ] {
        client.tick(unix, date);
        assert_eq!(uptime(&mut client), began);
    }
    client.pass(2 * SECOND + SECOND / 2);
    assert_eq!(uptime(&mut client), began + 2.5);
}

/// A browser must not guess the page's type, and must run only its own script.
#[test]
fn the_page_has_a_content_security_policy() {
    let page = HEALTH.replace("/health", "/");
    let head = page.replace("GET", "HEAD");
    let bytes = head + &page + &HEALTH.replace("/health", "/stats");
    let outcome = in_every_cut_with_heads("page", &Settings::default(), page.as_bytes(), &[]);
    assert_eq!(outcome.statuses(), [200]);
    let mut client = Client::plain();
    client.send(bytes);
    let answers = client.answers_with_heads(&[0]);
    for answer in &answers[..2] {
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
        let policy = answer.field("content-security-policy").expect("it has one");
        let directives: Vec<&str> = policy.split("; ").collect();
        for directive in [
            "default-src 'none'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(directives.contains(&directive), "{policy}");
        }
        for own in ["script-src 'sha256-", "style-src 'sha256-"] {
            let mut found = directives.iter().filter(|part| part.starts_with(own));
            let hash = found.next().expect("it has one").rsplit('-').next();
            // 32 bytes in base64.
            assert_eq!(hash.map(|hash| hash.find("='")), Some(Some(43)), "{policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
    }
    assert_eq!(answers[2].field("content-security-policy"), None);
}
