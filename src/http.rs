//! HTTP/1.1 as RFC 9110 and RFC 9112 define it, as bytes: without sockets, clocks or any API.

pub mod answer;
pub mod body;
pub mod date;
pub mod head;
pub mod inbox;
pub mod line;

use crate::status::listed;

/// The reason why a request is refused as HTTP. The connection is closed after the response, and
/// nothing behind the request is read as another one: where it would begin is uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status, from 400 to 505.
    pub status: u16,
    /// A short name for programs.
    pub code: &'static str,
    /// A sentence that says what is wrong and what is allowed.
    pub message: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: u16, code: &'static str, message: &'static str) -> Refusal {
        Refusal {
            status: listed(status),
            code,
            message,
        }
    }

    pub(crate) const fn bad(code: &'static str, message: &'static str) -> Refusal {
        Refusal::new(400, code, message)
    }
}

/// Returns true if these bytes are a token (RFC 9110, 5.6.2).
fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

/// Returns true if a token can contain this byte.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
