//! What follows from a request's head, before its body. Knows no connection.

use super::writer::Manner;
use crate::http::answer::Persistence;
use crate::http::body::Body;
use crate::http::head::Head;
use crate::mock::Mock;
use crate::mock::call::{Call, FIELDS};
use crate::mock::name::Name;
use crate::mock::route::Endpoint;

/// What a request's head says, as far as it still counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub call: Call,
    /// The endpoint whose facts the body is asked for.
    pub asks: Option<Endpoint>,
    pub body: Body,
    pub persistent: bool,
    pub old: bool,
    pub bodiless: bool,
    pub expects: bool,
}

impl Plan {
    /// The plan of a request; the second value is the model that its path names.
    pub fn of(head: &Head<'_, { FIELDS.len() }>, mock: &Mock) -> (Plan, Option<Name>) {
        let (call, named) = mock.call(head.method, head.target, head.wanted, head.encoded);
        let plan = Plan {
            call,
            asks: call.asks(),
            body: head.body,
            persistent: head.persistent,
            old: head.old,
            bodiless: head.method == "HEAD",
            expects: head.expects,
        };
        (plan, named)
    }

    /// How its answer is sent; `ending` when the connection is to end after it.
    pub fn manner(&self, ending: bool) -> Manner {
        let persistence = match self.persistent && !ending {
            true => Persistence::KeepAlive,
            false => Persistence::Close,
        };
        Manner {
            persistence,
            bodiless: self.bodiless,
            old: self.old,
            early: false,
        }
    }
}
