//! Tests of `Expect: 100-continue` (RFC 9110, section 10.1.1). Since the responses depend on the
//! bytes that have arrived, the cuts are part of each case.

use mocker::internals::settings::Settings;

use super::client::{Client, End, HEALTH};

/// A case: the pieces that arrive, and the statuses after each piece, where 100 is the interim
/// response.
struct Case {
    name: &'static str,
    pieces: &'static [(&'static str, &'static [u16])],
    end: End,
}

const fn case(
    name: &'static str,
    pieces: &'static [(&'static str, &'static [u16])],
    end: End,
) -> Case {
    Case { name, pieces, end }
}

const LENGTH: &str = "POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: k\r\n\
                      Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
const CHUNKED: &str = "POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: k\r\n\
                       Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n";
const OLD: &str = "POST /v1/responses HTTP/1.0\r\nAuthorization: k\r\nConnection: keep-alive\r\n\
                   Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";

const CODED_HEALTH: &str = "GET /health HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                            Content-Encoding: br\r\nContent-Length: 2\r\n\r\n";

const CASES: &[Case] = &[
    case(
        "the health check takes any coding",
        &[(CODED_HEALTH, &[100]), ("{}", &[200])],
        End::Open,
    ),
    case(
        "the body waits",
        &[(LENGTH, &[100]), ("{}", &[200]), (HEALTH, &[200])],
        End::Open,
    ),
    case(
        "chunks wait",
        &[
            (CHUNKED, &[100]),
            ("2\r\n{}\r\n0\r\n\r\n", &[200]),
            (HEALTH, &[200]),
        ],
        End::Open,
    ),
    case(
        "one 100 however slowly the body comes",
        &[(LENGTH, &[100]), ("{", &[]), ("}", &[200])],
        End::Open,
    ),
    case(
        "once for each request",
        &[
            (LENGTH, &[100]),
            ("{}", &[200]),
            (LENGTH, &[100]),
            ("{}", &[200]),
        ],
        End::Open,
    ),
    case(
        "1.0 knows no interim answers",
        &[(OLD, &[]), ("{}", &[200])],
        End::Open,
    ),
    case(
        "no body",
        &[(
            "POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: k\r\n\
             Expect: 100-continue\r\n\r\n",
            &[200],
        )],
        End::Open,
    ),
    case(
        "a body of no bytes",
        &[(
            "POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: k\r\n\
             Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
            &[200],
        )],
        End::Open,
    ),
    case(
        "the route refuses",
        &[
            (
                "POST /nothing HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                 Content-Length: 2\r\n\r\n",
                &[404],
            ),
            ("{}", &[]),
            (HEALTH, &[]),
        ],
        End::Lingering,
    ),
    case(
        "auth refuses",
        &[
            (
                "POST /v1/responses HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                 Transfer-Encoding: chunked\r\n\r\n",
                &[403],
            ),
            ("0\r\n\r\n", &[]),
            (HEALTH, &[]),
        ],
        End::Lingering,
    ),
    case(
        "the method is another",
        &[(
            "PUT /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: k\r\n\
             Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
            &[405],
        )],
        End::Lingering,
    ),
    case(
        "the coding is unknown",
        &[(
            "POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: k\r\n\
             Content-Encoding: gzip\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
            &[415],
        )],
        End::Lingering,
    ),
    case(
        "the body is bad",
        &[(LENGTH, &[100]), ("[]", &[400]), (HEALTH, &[200])],
        End::Open,
    ),
    case(
        "the connection ends with the answer",
        &[
            (
                "POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: k\r\n\
                 Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
                &[100],
            ),
            ("{}", &[200]),
        ],
        End::Closed,
    ),
];

fn settings() -> Settings {
    Settings {
        auth: "k".into(),
        ..Settings::default()
    }
}

#[test]
fn a_100_is_sent_if_the_body_is_outstanding_and_will_be_read() {
    for Case { name, pieces, end } in CASES {
        let mut client = Client::new(&settings());
        for (piece, want) in *pieces {
            client.send(piece);
            assert_eq!(client.came(), *want, "{name}: {piece}");
        }
        assert_eq!(client.end, *end, "{name}");
    }
}

#[test]
fn a_client_that_does_not_wait_is_served() {
    let bodies = [
        (LENGTH, "{}"),
        (CHUNKED, "2\r\n{}\r\n0\r\n\r\n"),
        (OLD, "{}"),
    ];
    for (head, body) in bodies {
        let mut client = Client::new(&settings());
        for _ in 0..3 {
            client.send(format!("{head}{body}"));
            assert_eq!(client.came(), [200], "the body is there: no 100");
        }
        // A part of the body shows that the client does not wait.
        let (some, rest) = body.split_at(1);
        client.send(format!("{head}{some}"));
        assert_eq!(client.came().len(), 0);
        client.send(rest);
        assert_eq!(client.came(), [200]);
        client.send(format!("{head}{body}{HEALTH}").repeat(3));
        assert_eq!(client.came(), [200; 6]);
        assert_eq!(client.end, End::Open);
    }
}

#[test]
fn a_rejected_request_with_its_body_keeps_the_connection() {
    let mut client = Client::new(&settings());
    client.send(LENGTH.replace("tion: k", "tion: x") + "{}" + HEALTH);
    assert_eq!(client.came(), [403, 200]);
    assert_eq!(client.end, End::Open);
}

#[test]
fn an_early_response_announces_close() {
    let mut client = Client::new(&settings());
    let answer = client.ask(LENGTH.replace("tion: k", "tion: x"));
    assert_eq!((answer.status, answer.interim), (403, 0));
    assert!(answer.closes());
    client.reconnect();
    client.send(LENGTH);
    client.send("{}");
    let answer = client.answers().remove(0);
    assert_eq!((answer.status, answer.interim), (200, 1));
    assert!(!answer.closes());
}

#[test]
fn an_unknown_expectation_is_rejected() {
    for value in [
        "100-continued",
        "x",
        "100",
        "100-continue, x",
        "x,",
        "\"100-continue\"",
    ] {
        let mut client = Client::new(&settings());
        client.send(LENGTH.replace("100-continue", value) + "{}" + HEALTH);
        assert_eq!(client.came(), [417], "{value:?}");
        assert_eq!(client.end, End::Lingering);
    }
}

/// RFC 9110, section 5.6.1: empty elements are ignored, and repeated ones are allowed.
#[test]
fn expectations_are_a_list() {
    for (value, interim) in [
        ("100-continue, ", true),
        (", 100-continue", true),
        ("100-continue,100-CONTINUE", true),
        (",,100-continue ,\t,", true),
        ("100-continue\r\nExpect: 100-continue", true),
        ("100-continue\r\nExpect:", true),
        ("\r\nExpect: , 100-continue", true),
        ("", false),
        (",", false),
        (" , \r\nExpect: ,", false),
    ] {
        for head in [LENGTH, CHUNKED] {
            let known = if head == LENGTH {
                "100-continue"
            } else {
                "100-Continue"
            };
            let body = if head == LENGTH {
                "{}"
            } else {
                "2\r\n{}\r\n0\r\n\r\n"
            };
            let mut client = Client::new(&settings());
            client.send(head.replace(known, value));
            let came: &[u16] = if interim { &[100] } else { &[] };
            assert_eq!(client.came(), came, "{value:?}");
            client.send(body);
            assert_eq!(client.came(), [200], "{value:?}");
        }
    }
}
