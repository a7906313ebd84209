//! Whether a request is answered as asked, and if not, why: one function, one verdict. Knows no
//! bytes, neither of the request nor of the answer.

use super::problem::Problem;
use super::route::{Endpoint, Methods, Reach, Route};

/// What the head of a request says, as far as it decides.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Where the path leads.
    pub place: Place,
    /// Whether that place answers the request's method.
    pub method: Method,
    /// Whether the request carries the `Authorization` that was set, or none was.
    pub authorized: bool,
    /// Whether the body is in a coding other than identity.
    pub encoded: bool,
}

/// Where a path leads.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// To a row of the route table.
    Route(&'static Route),
    /// To the server as a whole: the target `*` (RFC 9112, 3.2.4).
    Server,
    /// Nowhere, and why.
    Nowhere(&'static Problem),
}

/// What a method means where the path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// What the place is for.
    Answered,
    /// OPTIONS, which every place answers.
    Options,
    /// None of both.
    Other,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// It is answered.
    Answer(Endpoint),
    /// It asked for the methods, and gets them.
    Allowed(Methods),
    /// It is refused.
    Refuse(Problem),
}

/// Route, OPTIONS, auth, method, body: the first that has something to say decides. `body` is what
/// reading the request body gave, or `Ok` when the verdict is wanted before it was read.
pub fn decide(call: &Call, body: Result<(), Problem>) -> Verdict {
    let (route, methods) = match call.place {
        Place::Nowhere(problem) => return Verdict::Refuse(*problem),
        Place::Server => (None, Methods::All),
        Place::Route(route) => (Some(route), route.methods),
    };
    if call.method == Method::Options {
        return Verdict::Allowed(methods);
    }
    if !call.authorized && route.is_none_or(|route| route.reach != Reach::Bare) {
        return Verdict::Refuse(Problem::FORBIDDEN);
    }
    let Some(route) = route.filter(|_| call.method == Method::Answered) else {
        return Verdict::Refuse(Problem::method(methods));
    };
    if call.encoded && route.reach != Reach::Bare {
        return Verdict::Refuse(Problem::ENCODED);
    }
    match body {
        Ok(()) => Verdict::Answer(route.endpoint),
        Err(problem) => Verdict::Refuse(problem),
    }
}
