//! What a request's head asks for, and what can become of it. Knows no body.

use super::decision::Decision;
use super::name::Name;
use super::problem::Problem;
use super::route::{self, Endpoint, Methods, Prefixes, Route, UNROUTED};
use crate::settings::Settings;

/// The fields that can carry credentials, in the order in which [`super::Mock::call`] takes their
/// values.
pub const FIELDS: [&str; 3] = ["authorization", "api-key", "x-api-key"];

/// What the head of a request says, as far as it decides.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Where the path leads.
    pub place: Place,
    /// Whether that place answers the request's method.
    pub method: Method,
    /// Whether the request carries the credentials that were set, or needs none.
    pub authorized: bool,
    /// Whether the body is in a coding other than identity.
    pub encoded: bool,
    /// What the request is counted by.
    pub endpoint: u8,
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

/// Who is let in.
#[derive(Debug)]
pub(super) struct Gate {
    auth: Vec<u8>,
    /// Whether what tells how the server fares asks for authorization too.
    auth_metrics: bool,
}

impl Gate {
    pub fn new(settings: &Settings) -> Gate {
        Gate {
            auth: settings.auth.clone().into_bytes(),
            auth_metrics: settings.auth_metrics,
        }
    }

    /// What a request's head asks for; the second value is the model that the path names.
    /// `fields` are the values of [`FIELDS`].
    pub fn call(
        &self,
        method: &str,
        target: &str,
        fields: [Option<&[u8]>; FIELDS.len()],
        encoded: bool,
    ) -> (Call, Option<Name>) {
        let mut named = None;
        let place = match route::find(target) {
            _ if target == "*" => Place::Server,
            None => Place::Nowhere(&Problem::UNKNOWN_PATH),
            Some((route, None)) => Place::Route(route),
            Some((route, Some(segment))) => match Name::from_segment(segment) {
                None => Place::Nowhere(&Problem::BAD_NAME),
                name => {
                    named = name;
                    Place::Route(route)
                }
            },
        };
        let method = match place {
            _ if method == "OPTIONS" => Method::Options,
            Place::Route(route) if route.methods.include(method) => Method::Answered,
            _ => Method::Other,
        };
        let authorized = !self.guards(&place) || self.auth.is_empty() || self.accepts(fields);
        (
            Call {
                place,
                method,
                authorized,
                encoded,
                endpoint: match place {
                    Place::Route(route) => route.endpoint as u8,
                    Place::Server | Place::Nowhere(_) => UNROUTED,
                },
            },
            named,
        )
    }

    /// Returns whether one of these credentials is right: `Authorization` as a whole, or one of the
    /// fields that carry the key of `Bearer KEY` alone.
    fn accepts(&self, fields: [Option<&[u8]>; FIELDS.len()]) -> bool {
        let [authorization, keys @ ..] = fields;
        let key = self.auth.strip_prefix(b"Bearer ");
        authorization.is_some_and(|value| equal(value, &self.auth))
            || key.is_some_and(|key| keys.into_iter().flatten().any(|value| equal(value, key)))
    }

    /// Whether a place asks for authorization where it is set.
    fn guards(&self, place: &Place) -> bool {
        match place {
            Place::Route(route) => match route.endpoint {
                Endpoint::Metrics | Endpoint::Stats => self.auth_metrics,
                _ => route.prefixes != Prefixes::Bare,
            },
            Place::Server | Place::Nowhere(_) => true,
        }
    }
}

impl Call {
    /// The route of a request that is right as far as its head says, or what becomes of it.
    pub fn route(&self) -> Result<&'static Route, Decision> {
        let (route, methods) = match self.place {
            Place::Nowhere(problem) => return Err(Decision::Refuse(*problem)),
            Place::Server => (None, Methods::All),
            Place::Route(route) => (Some(route), route.methods),
        };
        if self.method == Method::Options {
            return Err(Decision::Allowed(methods));
        }
        if !self.authorized {
            return Err(Decision::Refuse(Problem::FORBIDDEN));
        }
        route
            .filter(|_| self.method == Method::Answered)
            .ok_or_else(|| Decision::Refuse(Problem::method(methods)))
    }

    /// The endpoint whose facts the request body must be asked for, if any.
    pub fn asks(&self) -> Option<Endpoint> {
        let route = self.route().ok()?;
        (route.methods == Methods::Post && !self.encoded).then_some(route.endpoint)
    }
}

/// Whether two values are equal, in a time that tells only whether their lengths are.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0, |different, (a, b)| different | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_is_equality() {
        for (one, other) in [("", ""), ("a", "a"), ("a", "b"), ("a", "ab"), ("ab", "aB")] {
            assert_eq!(equal(one.as_bytes(), other.as_bytes()), one == other);
        }
    }
}
