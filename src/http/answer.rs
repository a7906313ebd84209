//! The head of an answer (RFC 9112, 4 and 6). Knows no content.

use std::io::Write;

use super::date;

/// Whether the connection stays open after a response (RFC 9112, 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It does. An HTTP/1.0 client has to be told; an HTTP/1.1 client is told for how long.
    KeepAlive,
    /// It ends after this response.
    Close,
}

/// The fields of a response after which the connection stays open, rendered once.
#[derive(Debug)]
pub struct KeepAlive(Vec<u8>);

impl KeepAlive {
    /// Renders the fields for connections that may idle for `seconds`. They say at least 1: clients
    /// take 0 for no limit at all. `Connection` has to name a field that is about the connection
    /// (RFC 9110, 7.6.1).
    pub fn new(seconds: u64) -> KeepAlive {
        let mut fields = Vec::from(b"\r\nConnection: keep-alive\r\n");
        let seconds = seconds.max(1);
        write!(fields, "Keep-Alive: timeout={seconds}\r\n").expect("a Vec takes all");
        KeepAlive(fields)
    }
}

/// How the end of an answer's content is known (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none: 204 (RFC 9110, 8.6).
    Nothing,
    /// It has so many bytes.
    Length(u64),
    /// Its last chunk comes.
    Chunked,
    /// The connection ends: what a HTTP/1.0 client understands.
    UntilClose,
}

/// The end of chunked content (RFC 9112, 7.1).
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends content as one chunk (RFC 9112, 7.1); it must not be empty.
pub fn chunk(out: &mut Vec<u8>, content: &[u8]) {
    write!(out, "{:x}\r\n", content.len()).expect("a Vec takes all");
    out.extend_from_slice(content);
    out.extend_from_slice(b"\r\n");
}

/// The interim answer to `Expect: 100-continue` (RFC 9110, 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Appends a status line and the fields that HTTP itself needs; without `keep_alive`, the
/// connection ends after the response. The caller appends its own fields and the empty line. A
/// status that this server never gives has an empty reason.
pub fn begin(
    out: &mut Vec<u8>,
    status: u16,
    date: &[u8; date::LEN],
    keep_alive: Option<&KeepAlive>,
    framing: Framing,
) {
    write!(out, "HTTP/1.1 {status} {}\r\nDate: ", reason(status)).expect("a Vec takes all");
    out.extend_from_slice(date);
    out.extend_from_slice(match keep_alive {
        Some(fields) => &fields.0,
        None => b"\r\nConnection: close\r\n",
    });
    match framing {
        Framing::Length(length) => {
            write!(out, "Content-Length: {length}\r\n").expect("a Vec takes all");
        }
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Framing::Nothing | Framing::UntilClose => {}
    }
}

/// The reason phrase of a status (RFC 9110, 15; RFC 6585 for 429 and 431).
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
