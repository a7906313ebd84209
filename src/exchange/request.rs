//! The meaning of a request's head: its target, its method and its credentials.

use crate::api::methods::Methods;
use crate::api::route::{ResponseKind, View};
use crate::api::table::{UNROUTED, find};
use crate::api::{content::Content, json_string::JsonString};
use crate::api::{problem::Problem, provider::Endpoint};
use crate::settings::Settings;

/// The fields that can carry credentials, in the order in which [`Auth::call`] takes their values.
pub const FIELDS: [&str; 3] = ["authorization", "api-key", "x-api-key"];

/// The meaning of a request's head.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The endpoint, or the response if that follows from the head.
    pub route: Result<&'static Endpoint, Early>,
    /// True if the body has a content coding other than identity.
    pub encoded: bool,
    /// The index by which the request is counted.
    pub endpoint: u8,
}

/// A response that follows from a request's head.
#[derive(Clone, Copy, Debug)]
pub enum Early {
    /// The methods of the target, for OPTIONS.
    Allowed(Methods),
    /// The error of a method that is not one of these.
    Method(Methods),
    /// Another error.
    Problem(&'static Problem),
}

impl From<Early> for Content {
    fn from(early: Early) -> Content {
        match early {
            Early::Allowed(methods) => Content::Allowed(methods),
            Early::Method(methods) => Content::Problem(Problem::method(methods)),
            Early::Problem(problem) => Content::Problem(*problem),
        }
    }
}

/// The credentials that requests need.
#[derive(Debug)]
pub struct Auth {
    auth: Vec<u8>,
    /// True if the metrics need them too.
    auth_metrics: bool,
}

impl Auth {
    pub(super) fn new(settings: &Settings) -> Auth {
        Auth {
            auth: settings.auth.clone().into_bytes(),
            auth_metrics: settings.auth_metrics,
        }
    }

    /// Returns the meaning of a request's head, and the model that the path names. `fields` are the
    /// values of [`FIELDS`]; `encoded` is true if the body has a content coding.
    pub fn call(
        &self,
        method: &str,
        target: &str,
        fields: [Option<&[u8]>; FIELDS.len()],
        encoded: bool,
    ) -> (Call, Option<JsonString>) {
        let found = find(target);
        let name = found.and_then(|(_, name)| name);
        let named = name.and_then(JsonString::from_segment);
        let is_bad_name = name.is_some() && named.is_none();
        let endpoint = found.map(|(endpoint, _)| endpoint);
        let endpoint = endpoint.filter(|_| !is_bad_name);
        // `*` is the server as a whole (RFC 9112, 3.2.4): its methods are those of all targets.
        let methods = endpoint.map_or(Methods::All, |endpoint| endpoint.route.methods);
        let route = match endpoint {
            None if is_bad_name => Err(Early::Problem(&Problem::BAD_NAME)),
            None if target != "*" => Err(Early::Problem(&Problem::UNKNOWN_PATH)),
            _ if method == "OPTIONS" => Err(Early::Allowed(methods)),
            _ if !self.accepts(endpoint, fields) => Err(Early::Problem(&Problem::FORBIDDEN)),
            Some(endpoint) if methods.include(method) => Ok(endpoint),
            _ => Err(Early::Method(methods)),
        };
        let call = Call {
            route,
            encoded,
            endpoint: endpoint.map_or(UNROUTED, |endpoint| endpoint.index),
        };
        (call, named)
    }

    /// Returns true if a target needs no credentials, or one of these is right: `Authorization` as
    /// a whole, or one of the fields that carry the key of `Bearer KEY` alone.
    fn accepts(&self, endpoint: Option<&Endpoint>, fields: [Option<&[u8]>; FIELDS.len()]) -> bool {
        let is_guarded = endpoint.is_none_or(|endpoint| match endpoint.route.kind {
            ResponseKind::View(View::Metrics | View::Stats) => self.auth_metrics,
            _ => endpoint.provider.is_api,
        });
        let [authorization, keys @ ..] = fields;
        let key = self.auth.strip_prefix(b"Bearer ");
        !is_guarded
            || self.auth.is_empty()
            || authorization.is_some_and(|value| equal(value, &self.auth))
            || key.is_some_and(|key| keys.into_iter().flatten().any(|value| equal(value, key)))
    }
}

impl Call {
    /// Returns the endpoint whose facts are read from the request's body, if any.
    pub fn asks(&self) -> Option<&'static Endpoint> {
        let endpoint = self.route.ok()?;
        (endpoint.route.methods == Methods::Post && !self.encoded).then_some(endpoint)
    }
}

/// Returns true if two values are equal, in a time that reveals nothing except their lengths.
fn equal(one: &[u8], other: &[u8]) -> bool {
    let pairs = one.iter().zip(other);
    one.len() == other.len() && pairs.fold(0, |different, (a, b)| different | (a ^ b)) == 0
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
