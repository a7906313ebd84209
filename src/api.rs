//! The APIs as data: routes, request fields, templates, errors, and the rendering of content. Each
//! provider of APIs is a folder of tables and JSON files, and a row in [`table`].

pub mod content;
pub mod embedding;
pub(crate) mod facts;
pub(crate) mod field;
pub(crate) mod form;
pub(crate) mod held;
pub(crate) mod inputs;
pub mod json_string;
pub mod methods;
pub mod number;
mod openai;
mod own;
pub mod problem;
pub mod provider;
pub(crate) mod render;
pub mod route;
pub mod table;
pub mod template;
pub mod text;
