//! Tests of content codings (RFC 9110, section 8.4): only identity is supported, in any valid
//! spelling of the list.

use mocker::internals::settings::Settings;

use super::client::{HEALTH, in_every_cut, request};

/// Values of Content-Encoding (`+` separates field lines), and whether they are accepted.
const CODINGS: &[(&str, bool)] = &[
    ("identity", true),
    ("IDENTITY", true),
    ("identity, identity", true),
    ("identity,identity", true),
    (", identity", true),
    ("identity,", true),
    (",, identity ,\t, Identity ,", true),
    ("identity+identity", true),
    ("identity+", true),
    ("+identity", true),
    (",+ , +identity+,", true),
    ("", true),
    (",", true),
    ("gzip", false),
    ("br", false),
    ("zstd", false),
    ("gzip, identity", false),
    ("identity, gzip", false),
    (", gzip", false),
    ("gzip,", false),
    ("identity+gzip", false),
    ("gzip+identity", false),
    ("+gzip+", false),
    ("identity;q=1", false),
    ("identity identity", false),
    ("\"identity\"", false),
    ("identit", false),
    ("identityx", false),
    ("x-identity", false),
    ("*", false),
];

#[test]
fn only_the_identity_coding_is_accepted() {
    for (codings, accepted) in CODINGS {
        let lines: Vec<_> = codings
            .split('+')
            .map(|coding| format!("Content-Encoding: {coding}"))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        for path in ["/v1/chat/completions", "/v1/moderations"] {
            let bytes = request("POST", path, &lines, "{}") + HEALTH;
            let outcome = in_every_cut(codings, &Settings::default(), bytes.as_bytes());
            let status = if *accepted { 200 } else { 415 };
            assert_eq!(outcome.statuses(), [status, 200], "{codings}");
            // RFC 9110, section 12.5.3: the codings that would have been accepted.
            let told = outcome.answers[0].field("accept-encoding");
            assert_eq!(told, (!accepted).then_some("identity"), "{codings}");
        }
    }
}

#[test]
fn a_request_without_a_body_has_no_coding() {
    for (method, path, status) in [
        ("GET", "/health", 200),
        ("GET", "/v1/models", 415),
        ("POST", "/v1/nothing", 404),
        ("OPTIONS", "/v1/chat/completions", 204),
    ] {
        let bytes = request(method, path, &["Content-Encoding: gzip"], "");
        let outcome = in_every_cut(path, &Settings::default(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), [status], "{method} {path}");
        let told = outcome.answers[0].field("accept-encoding");
        assert_eq!(told, (status == 415).then_some("identity"));
    }
}
