//! The APIs as data: routes, request fields, templates, errors, and the rendering of content.

pub mod content;
pub mod embedding;
pub(crate) mod facts;
pub(crate) mod field;
pub(crate) mod held;
pub(crate) mod inputs;
pub mod name;
pub mod number;
pub mod problem;
pub(crate) mod render;
pub mod route;
pub mod template;
pub mod text;
