//! The meaning of a request's head: its target, its method and its credentials.

use crate::api::content::Content;
use crate::api::json_string::JsonString;
use crate::api::methods::Methods;
use crate::api::problem::Problem;
use crate::api::provider::Endpoint;
use crate::api::route::{ResponseKind, View};
use crate::api::table::{UNROUTED, find};
use crate::settings::Settings;

/// The fields that can carry credentials, in the order in which [`super::Mock::call`] takes their
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

/// A response that follows from a request's head.
#[derive(Clone, Copy, Debug)]
pub enum Early {
    /// The methods of the target.
    Allowed(Methods),
    /// An error.
    Problem(Problem),
}

impl From<Early> for Content {
    fn from(early: Early) -> Content {
        match early {
            Early::Allowed(methods) => Content::Allowed(methods),
            Early::Problem(problem) => Content::Problem(problem),
        }
    }
}

/// The target of a request.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// An endpoint.
    Endpoint(&'static Endpoint),
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
    ) -> (Call, Option<JsonString>) {
        let mut named = None;
        let target = match find(target) {
            _ if target == "*" => Target::Server,
            None => Target::Nowhere(&Problem::UNKNOWN_PATH),
            Some((endpoint, None)) => Target::Endpoint(endpoint),
            Some((endpoint, Some(segment))) => match JsonString::from_segment(segment) {
                None => Target::Nowhere(&Problem::BAD_NAME),
                name => {
                    named = name;
                    Target::Endpoint(endpoint)
                }
            },
        };
        let method = match target {
            _ if method == "OPTIONS" => Method::Options,
            Target::Endpoint(endpoint) if endpoint.route.methods.include(method) => Method::Allowed,
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
                    Target::Endpoint(endpoint) => endpoint.index,
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
            Target::Endpoint(endpoint) => match endpoint.route.kind {
                ResponseKind::View(View::Metrics | View::Stats) => self.auth_metrics,
                _ => endpoint.provider.is_api,
            },
            Target::Server | Target::Nowhere(_) => true,
        }
    }
}

impl Call {
    /// Returns the endpoint of a request, or the response if that follows from the head.
    pub fn route(&self) -> Result<&'static Endpoint, Early> {
        let (endpoint, methods) = match self.target {
            Target::Nowhere(problem) => return Err(Early::Problem(*problem)),
            Target::Server => (None, Methods::All),
            Target::Endpoint(endpoint) => (Some(endpoint), endpoint.route.methods),
        };
        if self.method == Method::Options {
            return Err(Early::Allowed(methods));
        }
        if !self.authorized {
            return Err(Early::Problem(Problem::FORBIDDEN));
        }
        endpoint
            .filter(|_| self.method == Method::Allowed)
            .ok_or_else(|| Early::Problem(Problem::method(methods)))
    }

    /// Returns the endpoint whose facts are read from the request's body, if any.
    pub fn asks(&self) -> Option<&'static Endpoint> {
        let endpoint = self.route().ok()?;
        (endpoint.route.methods == Methods::Post && !self.encoded).then_some(endpoint)
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
