//! The form of generated text: everything about it that differs from one API to the next.

use std::rc::Rc;

use super::{held::Held, problem::Problem, render::script::Script};
use crate::json::Tree;

/// A form of generated text.
#[derive(Debug)]
pub struct Form {
    /// Makes the frames of a text or of a call, as a document or as a stream.
    pub script: fn(Output, stream: bool) -> Script,
    /// Returns the content that a request requires instead of the canned text, if any.
    pub demand: fn(&Held) -> Result<Option<Demand>, Problem>,
    /// Finds the function that a tool is.
    pub function: FindFunction,
    /// The form of log probabilities.
    pub logprobs: LogprobsForm,
    /// The field that requests the number of log probabilities.
    pub logprobs_field: &'static str,
}

/// Returns the name of the function that the tool at this place is, and the place of its
/// parameters; `None` for other tools.
pub type FindFunction = fn(&Tree, u32) -> Option<(&str, Option<u32>)>;

/// The kind of content that is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A text.
    Text,
    /// A call of a function.
    Call,
}

/// The form of log probabilities.
#[derive(Clone, Copy, Debug)]
pub enum LogprobsForm {
    /// A list with an object for each token, between these bytes.
    Objects {
        /// The bytes before the list and after it.
        around: [&'static str; 2],
        /// The value without log probabilities.
        none: &'static str,
    },
    /// An object of parallel lists; null without log probabilities.
    Lists,
}

/// The content that a request requires.
pub enum Demand {
    /// A call of one of these functions.
    Call {
        /// The tools of the request.
        tools: Rc<Tree>,
        /// The functions of which one must be called.
        wanted: Wanted,
    },
    /// A JSON text.
    Json {
        /// The field of the request that describes the text.
        param: &'static str,
        /// Its value.
        tree: Rc<Tree>,
        /// The place of the format that the response repeats.
        format: u32,
        /// The value that is required.
        value: JsonDemand,
    },
}

/// The functions of which one must be called.
pub enum Wanted {
    /// Any function.
    Any,
    /// The function with this name.
    Named(String),
    /// The functions in the list at this place of a tree.
    Listed(Rc<Tree>, u32),
}

/// The JSON value that is required.
pub enum JsonDemand {
    /// This text.
    Constant(&'static str),
    /// A value that satisfies the schema at this place.
    Schema(u32),
}

impl PartialEq for Form {
    fn eq(&self, other: &Form) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Form {}
