//! Tests of every row in the route table with every kind of request: each gets exactly one
//! response.

use mocker::internals::api::provider::Endpoint;
use mocker::internals::api::table::ENDPOINTS;
use mocker::internals::settings::{ContentMode, Settings};

use super::client::{Client, request};

/// Returns a path that leads to an endpoint.
fn path(endpoint: &Endpoint) -> String {
    let path = endpoint.route.path.replace("{model}", "m");
    match endpoint.provider.is_api {
        true => format!("/v1{path}"),
        false => path,
    }
}

#[test]
fn every_endpoint_handles_every_request() {
    let bodies = [
        "",
        "{}",
        "[]",
        r#"{"model":"m","input":["a","b","c"],"prompt":["a","b"],"n":2}"#,
        r#"{"stream":true,"stream_options":{"include_usage":true},"logprobs":true}"#,
    ];
    let strict = Settings {
        strict: true,
        content: ContentMode::Echo,
        ..Settings::default()
    };
    for settings in [Settings::default(), strict] {
        let mut client = Client::new(&settings);
        for endpoint in &ENDPOINTS {
            for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT"] {
                for fields in [&[][..], &["Content-Encoding: gzip"]] {
                    for body in bodies {
                        client.send(request(method, &path(endpoint), fields, body));
                        let out = String::from_utf8_lossy(&client.out).into_owned();
                        let path = endpoint.route.path;
                        let name = format!("{method} {path} {fields:?} {body}");
                        assert!(out.starts_with("HTTP/1.1 "), "{name}: {out}");
                        let methods = endpoint.route.methods;
                        let right = method == "OPTIONS" || methods.include(method);
                        assert_eq!(out.starts_with("HTTP/1.1 405 "), !right, "{name}: {out}");
                        client.out.clear();
                    }
                }
            }
        }
    }
}
