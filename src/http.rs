//! HTTP/1.1 as RFC 9110 and RFC 9112 have it. Nothing of OpenAI, of sockets or of time.

pub mod answer;
pub mod body;
pub mod date;
pub mod head;
pub mod inbox;
pub mod line;
mod token;

/// Why a request is refused by HTTP itself. The connection ends after such an answer, and nothing
/// behind the request is read as another: where it would begin is uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status, 400 to 505.
    pub status: u16,
    /// A short name for programs.
    pub code: &'static str,
    /// What was wrong and what is allowed, for people.
    pub message: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: u16, code: &'static str, message: &'static str) -> Refusal {
        Refusal {
            status,
            code,
            message,
        }
    }

    pub(crate) const fn bad(code: &'static str, message: &'static str) -> Refusal {
        Refusal::new(400, code, message)
    }
}
