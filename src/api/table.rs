//! The table of providers and their endpoints, and the search for the endpoint of a path.

use super::provider::{Endpoint, Provider};
use super::{methods::Methods, route::MODEL};
use super::{openai, own};
use crate::watch;

/// The providers. The first one's form is that of errors about paths that lead nowhere.
const PROVIDERS: [&Provider; 2] = [&openai::PROVIDER, &own::PROVIDER];

/// The number of endpoints.
const COUNT: usize = {
    let (mut count, mut at) = (0, 0);
    while at < PROVIDERS.len() {
        count += PROVIDERS[at].routes.len();
        at += 1;
    }
    count
};

/// The endpoints, in the order of their numbers.
pub static ENDPOINTS: [Endpoint; COUNT] = {
    let mut endpoints = [const { Endpoint::new(PROVIDERS[0], 0, 0) }; COUNT];
    let (mut index, mut provider, mut row) = (0, 0, 0);
    while index < COUNT {
        if row == PROVIDERS[provider].routes.len() {
            (provider, row) = (provider + 1, 0);
        }
        endpoints[index] = Endpoint::new(PROVIDERS[provider], row, index);
        (index, row) = (index + 1, row + 1);
    }
    endpoints
};

/// The number behind those of the endpoints, which counts requests to none of them.
pub const UNROUTED: u8 = COUNT as u8;

/// The number of kinds of responses: one for each endpoint, and one for each provider's errors.
pub const KINDS: usize = COUNT + PROVIDERS.len();

/// Returns the number of the kind of errors of an endpoint's provider.
pub fn kind_of_errors(index: u8) -> usize {
    let provider = provider(index);
    let at = PROVIDERS
        .iter()
        .position(|known| std::ptr::eq(*known, provider));
    COUNT + at.unwrap_or(0)
}

/// Returns the provider of the endpoint with this number, or the one for requests without a route.
pub fn provider(index: u8) -> &'static Provider {
    let endpoint = ENDPOINTS.get(usize::from(index));
    endpoint.map_or(PROVIDERS[0], |endpoint| endpoint.provider)
}

/// Finds the endpoint of a request target in origin-form. The query is ignored. The second value is
/// the name of the model as written in the path, if it has one.
pub fn find(target: &str) -> Option<(&'static Endpoint, Option<&str>)> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    ENDPOINTS
        .iter()
        .find_map(|endpoint| Some((endpoint, endpoint.route.find(path)?)))
}

/// Returns the paths that allow these methods, as a list for errors.
pub fn list_paths(methods: Methods) -> String {
    let path = |endpoint: &Endpoint| {
        let path = endpoint.route.path.replace(MODEL, "MODEL");
        match endpoint.provider.is_api {
            true => format!("/v1{path}"),
            false => path,
        }
    };
    let rows = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.route.methods == methods);
    rows.map(path).collect::<Vec<_>>().join(", ")
}

/// Returns the labels by which requests are counted: the endpoints in their order, and
/// [`UNROUTED`].
pub fn counted() -> Vec<watch::CountedEndpoint> {
    let counted = |label: &str, api| watch::CountedEndpoint {
        label: label.into(),
        api,
    };
    let endpoints = ENDPOINTS.iter();
    let endpoints = endpoints.map(|one| counted(one.route.path, one.provider.is_api));
    endpoints.chain([counted("other", true)]).collect()
}

#[cfg(test)]
mod tests;
