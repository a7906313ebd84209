//! The meaning of a request's head, before its body.

use super::writer::WireOptions;
use crate::api::{json_string::JsonString, provider::Endpoint};
use crate::exchange::Mock;
use crate::exchange::request::{Call, FIELDS};
use crate::http::{body::Body, head::Head};

/// The parts of a request's head that still matter once it was parsed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matched {
    pub call: Call,
    /// The endpoint whose facts are read from the body, if any.
    pub asks: Option<&'static Endpoint>,
    pub body: Body,
    pub expects: bool,
    pub wire: WireOptions,
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
            expects: head.expects,
            wire: WireOptions {
                closes: !head.persistent,
                is_head: head.method == "HEAD",
                http10: head.http10,
                unread_body: false,
            },
        };
        (matched, named)
    }
}
