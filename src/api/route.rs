//! The types of the route table, whose rows are in the folders of the providers.

use super::methods::Methods;
use super::{form::Form, render::script::Script};

/// A row of the route table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The path behind its prefix. If it ends in `{model}`, the name of a model takes that place.
    pub path: &'static str,
    /// The prefixes under which it is served. If one ends in `{model}`, the name of a model,
    /// without a slash, takes that place.
    pub prefixes: &'static [&'static str],
    /// The methods that it allows.
    pub methods: Methods,
    /// The kind of response to a valid request.
    pub kind: ResponseKind,
    /// The model of requests that name none.
    pub model: DefaultModel,
}

/// Makes a table from rows.
macro_rules! routes {
    ($($path:literal: $methods:ident, $prefixes:expr, $kind:ident($frames:expr),
        $model:ident $(($name:literal))?;)+) => {
        &[$($crate::api::route::Route {
            path: $path,
            prefixes: $prefixes,
            methods: $crate::api::methods::Methods::$methods,
            kind: $crate::api::route::ResponseKind::$kind($frames),
            model: $crate::api::route::DefaultModel::$model $(($name))?,
        }),+]
    };
}
pub(super) use routes;

/// The model of requests that name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultModel {
    /// This one; with `-strict`, requests must name a model.
    Required(&'static str),
    /// This one.
    Optional(&'static str),
    /// Responses have no model but one that the path names.
    None,
}

impl DefaultModel {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            DefaultModel::Required(name) | DefaultModel::Optional(name) => name,
            DefaultModel::None => "",
        }
    }
}

/// The kind of an endpoint's responses, and its frames.
#[derive(Clone, Copy, Debug)]
pub enum ResponseKind {
    /// Generated text or a function call.
    Text(&'static Form),
    /// A vector for each input.
    Embeddings(fn() -> Script),
    /// Constant content, with an item for each input.
    Document(fn() -> Script),
    /// The same with an item for each model that the server lists.
    Models(fn() -> Script),
    /// The metrics.
    View(View),
}

/// The place of a model's name in a path or a prefix.
pub const MODEL: &str = "{model}";

/// A form of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A page for a browser.
    Page,
    /// Prometheus's text format.
    Metrics,
    /// JSON.
    Stats,
}

impl Route {
    /// Returns the name of the model in a path that belongs to this route, if it has one; `None`
    /// for other paths.
    pub fn find<'a>(&self, path: &'a str) -> Option<Option<&'a str>> {
        if let Some(before) = self.path.strip_suffix(MODEL) {
            let mut names = self.prefixes.iter().filter_map(|prefix| {
                let name = path.strip_prefix(prefix)?.strip_prefix(before)?;
                (!name.is_empty()).then_some(Some(name))
            });
            return names.next();
        }
        let given = path.strip_suffix(self.path)?;
        let mut matches = self.prefixes.iter().filter_map(|prefix| {
            let Some(before) = prefix.strip_suffix(MODEL) else {
                return (*prefix == given).then_some(None);
            };
            let name = given.strip_prefix(before)?;
            (!name.is_empty() && !name.contains('/')).then_some(Some(name))
        });
        matches.next()
    }
}
