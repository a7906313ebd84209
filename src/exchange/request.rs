//! The meaning of a request's head: its target, its method and its credentials.

use crate::api::content::Content;
use crate::api::name::Name;
use crate::api::problem::Problem;
use crate::api::route::{self, Endpoint, Methods, Prefixes, Route, UNROUTED};
use crate::settings::Settings;

/// The fields that can carry credentials, in the order in which [`crate::exchange::Mock::call`] takes their
/// values.
pub const FIELDS: [&str; 3] = ["authorization", "api-key", "x-api-key"];

/// The meaning of a request's head.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The target of the request.
    pub target: Target,
    /// The meaning of the method for this target.
    pub method: Method,
    /// True if the request has the configured credentials, or needs none.
    pub authorized: bool,
    /// True if the body has a content coding other than identity.
    pub encoded: bool,
    /// The index by which the request is counted.
    pub endpoint: u8,
}

/// The target of a request.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// A row of the route table.
    Route(&'static Route),
    /// The server as a whole: `*` (RFC 9112, 3.2.4).
    Server,
    /// A path that leads nowhere, and the error that says why.
    Nowhere(&'static Problem),
}

/// The meaning of a method for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A method of the target.
    Allowed,
    /// OPTIONS, which every target has.
    Options,
    /// Any other method.
    Other,
}

/// The credentials that requests need.
#[derive(Debug)]
pub(super) struct Auth {
    auth: Vec<u8>,
    /// True if the metrics need them too.
    auth_metrics: bool,
}

impl Auth {
    pub fn new(settings: &Settings) -> Auth {
        Auth {
            auth: settings.auth.clone().into_bytes(),
            auth_metrics: settings.auth_metrics,
        }
    }

    /// Returns the meaning of a request's head, and the model that the path names. `fields` are the
    /// values of [`FIELDS`].
    pub fn call(
        &self,
        method: &str,
        target: &str,
        fields: [Option<&[u8]>; FIELDS.len()],
        encoded: bool,
    ) -> (Call, Option<Name>) {
        let mut named = None;
        let target = match route::find(target) {
            _ if target == "*" => Target::Server,
            None => Target::Nowhere(&Problem::UNKNOWN_PATH),
            Some((route, None)) => Target::Route(route),
            Some((route, Some(segment))) => match Name::from_segment(segment) {
                None => Target::Nowhere(&Problem::BAD_NAME),
                name => {
                    named = name;
                    Target::Route(route)
                }
            },
        };
        let method = match target {
            _ if method == "OPTIONS" => Method::Options,
            Target::Route(route) if route.methods.include(method) => Method::Allowed,
            _ => Method::Other,
        };
        let authorized = !self.guards(&target) || self.auth.is_empty() || self.accepts(fields);
        (
            Call {
                target,
                method,
                authorized,
                encoded,
                endpoint: match target {
                    Target::Route(route) => route.endpoint as u8,
                    Target::Server | Target::Nowhere(_) => UNROUTED,
                },
            },
            named,
        )
    }

    /// Returns true if one of these credentials is right: `Authorization` as a whole, or one of the
    /// fields that carry the key of `Bearer KEY` alone.
    fn accepts(&self, fields: [Option<&[u8]>; FIELDS.len()]) -> bool {
        let [authorization, keys @ ..] = fields;
        let key = self.auth.strip_prefix(b"Bearer ");
        authorization.is_some_and(|value| equal(value, &self.auth))
            || key.is_some_and(|key| keys.into_iter().flatten().any(|value| equal(value, key)))
    }

    /// Returns true if a target needs credentials, provided that some are configured.
    fn guards(&self, target: &Target) -> bool {
        match target {
            Target::Route(route) => match route.endpoint {
                Endpoint::Metrics | Endpoint::Stats => self.auth_metrics,
                _ => route.prefixes != Prefixes::Bare,
            },
            Target::Server | Target::Nowhere(_) => true,
        }
    }
}

impl Call {
    /// Returns the route of a request, or the response if that follows from the head.
    pub fn route(&self) -> Result<&'static Route, Content> {
        let (route, methods) = match self.target {
            Target::Nowhere(problem) => return Err(Content::Problem(*problem)),
            Target::Server => (None, Methods::All),
            Target::Route(route) => (Some(route), route.methods),
        };
        if self.method == Method::Options {
            return Err(Content::Allowed(methods));
        }
        if !self.authorized {
            return Err(Content::Problem(Problem::FORBIDDEN));
        }
        route
            .filter(|_| self.method == Method::Allowed)
            .ok_or_else(|| Content::Problem(Problem::method(methods)))
    }

    /// Returns the endpoint whose facts are read from the request's body, if any.
    pub fn asks(&self) -> Option<Endpoint> {
        let route = self.route().ok()?;
        (route.methods == Methods::Post && !self.encoded).then_some(route.endpoint)
    }
}

/// Returns true if two values are equal, in a time that reveals nothing except their lengths.
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
