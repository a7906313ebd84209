//! The head of a response (RFC 9112, 4 and 6), and the framing of its content.

use std::io::Write;

use super::date;
use crate::status::reason;

/// Returns the fields of a response after which the connection stays open: it says so, since
/// HTTP/1.0 clients expect otherwise, and says for how long. The connection may idle for `seconds`,
/// but at least 1: clients take 0 for no limit at all. `Connection` has to name every field that
/// concerns only the connection (RFC 9110, 7.6.1).
pub fn keep_alive(seconds: u64) -> Vec<u8> {
    let mut fields = Vec::from(b"\r\nConnection: keep-alive\r\n");
    let seconds = seconds.max(1);
    write!(fields, "Keep-Alive: timeout={seconds}\r\n").expect("a Vec takes all");
    fields
}

/// The way in which a client finds the end of a response's content (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no content: 204 (RFC 9110, 8.6).
    Nothing,
    /// `Content-Length` gives the number of bytes.
    Length(u64),
    /// A last chunk follows.
    Chunked,
    /// The connection is closed, which is all that an HTTP/1.0 client understands.
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

/// The interim response to `Expect: 100-continue` (RFC 9110, 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Appends a status line and the fields that HTTP itself needs. Without `keep_alive`, the
/// connection is closed after the response. The caller appends its own fields and the empty line.
pub fn begin(
    out: &mut Vec<u8>,
    status: u16,
    date: &[u8; date::LEN],
    keep_alive: Option<&[u8]>,
    framing: Framing,
) {
    write!(out, "HTTP/1.1 {status} {}\r\nDate: ", reason(status)).expect("a Vec takes all");
    out.extend_from_slice(date);
    out.extend_from_slice(match keep_alive {
        Some(fields) => fields,
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
