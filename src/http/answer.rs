//! The head of an answer (RFC 9112, 4 and 6). Knows no content.

use super::date;

/// What an answer says of the connection (RFC 9112, 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It stays open, as HTTP/1.1 does without a word.
    Open,
    /// It stays open, said aloud: an HTTP/1.0 client waits for that word.
    KeepAlive,
    /// It ends after this answer.
    Close,
}

/// The interim answer to `Expect: 100-continue` (RFC 9110, 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Appends a status line and the fields that HTTP itself needs. `length` is that of the content in
/// bytes; None for an answer that can have none (204). The caller appends its own fields and the
/// empty line.
pub fn begin(
    out: &mut Vec<u8>,
    status: u16,
    date: &[u8; date::LEN],
    persistence: Persistence,
    length: Option<u64>,
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\nDate: ");
    out.extend_from_slice(date);
    out.extend_from_slice(match persistence {
        Persistence::Open => b"\r\n".as_slice(),
        Persistence::KeepAlive => b"\r\nConnection: keep-alive\r\n",
        Persistence::Close => b"\r\nConnection: close\r\n",
    });
    if let Some(length) = length {
        out.extend_from_slice(b"Content-Length: ");
        out.extend_from_slice(length.to_string().as_bytes());
        out.extend_from_slice(b"\r\n");
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
