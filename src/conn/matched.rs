//! The meaning of a request's head, before its body.

use super::writer::WireOptions;
use crate::api::json_string::JsonString;
use crate::api::provider::Endpoint;
use crate::exchange::Mock;
use crate::exchange::request::{Call, FIELDS};
use crate::http::answer::Persistence;
use crate::http::body::Body;
use crate::http::head::Head;

/// The parts of a request's head that still matter once it was parsed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matched {
    pub call: Call,
    /// The endpoint whose facts are read from the body, if any.
    pub asks: Option<&'static Endpoint>,
    pub body: Body,
    pub persistent: bool,
    pub http10: bool,
    pub is_head: bool,
    pub expects: bool,
}

impl Matched {
    /// Returns the meaning of a head, and the model that its path names.
    pub fn of(head: &Head<'_, { FIELDS.len() }>, mock: &Mock) -> (Matched, Option<JsonString>) {
        let (call, named) = mock
            .auth
            .call(head.method, head.target, head.wanted, head.encoded);
        let matched = Matched {
            call,
            asks: call.asks(),
            body: head.body,
            persistent: head.persistent,
            http10: head.http10,
            is_head: head.method == "HEAD",
            expects: head.expects,
        };
        (matched, named)
    }

    /// Returns the options for its response; the connection ends after it if `closes` is set.
    pub fn wire_options(&self, closes: bool) -> WireOptions {
        let persistence = match self.persistent && !closes {
            true => Persistence::KeepAlive,
            false => Persistence::Close,
        };
        WireOptions {
            persistence,
            is_head: self.is_head,
            http10: self.http10,
            unread_body: false,
        }
    }
}
