//! The stack frames of the search. They are plain data, so that the search can be suspended.

use super::{error::SchemaError, keyword::TypeSet};
/// The number of combinations that vary several parts of a value at once: any subset of the first
/// six.
pub const PRODUCT: u32 = 64;

/// The position from which the search for another value resumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The number of branches and types to skip.
    pub fill: u32,
    /// The index of the first candidate in the next one.
    pub index: u32,
}

impl Cursor {
    /// Returns the cursor of variation `number` on the simplest value: first the next value of the
    /// same type, then other branches and types.
    pub fn variation(number: u32) -> Cursor {
        Cursor {
            fill: number,
            index: u32::from(number == 0),
        }
    }
}

/// The result of a frame. On success a value was added to the tree, and the search for another one
/// would resume at this cursor.
pub type FrameResult = Result<Cursor, SchemaError>;

/// The value being generated: indexes into the stacks of the search.
#[derive(Clone, Copy, Debug, Default)]
pub struct Base {
    /// The index of its first demand.
    pub demands: u32,
    /// The index of the next choice point.
    pub choice: u32,
    /// The index of its first queued schema.
    pub queue: u32,
    /// The index of its [`Frame::Scope`].
    pub scope: u32,
    /// The types that the caller allows.
    pub types: TypeSet,
    /// The state once its schemas are known, up to and including the current branch.
    pub mark: Mark,
    /// The position to begin from.
    pub cursor: Cursor,
}

/// The lengths of the tree and the stacks, which are restored after a failure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    /// The number of nodes in the tree, which is the position of the next value.
    pub nodes: u32,
    pub text: usize,
    pub demands: usize,
    pub choices: usize,
    pub queue: usize,
    pub depth: u32,
}

/// A stack frame.
#[derive(Clone, Copy, Debug)]
pub enum Frame {
    /// Restores the stacks once the frames above are done.
    Scope {
        mark: Mark,
        /// The number of branches and types tried.
        fills: u32,
    },
    Gather(Base),
    Choose(Choose),
    Fill(Fill),
    Listed(Listed),
    Scalar(Scalar),
    Embedded(Embedded),
    Verify(Verify),
    Array(ArrayFrame),
    Object(ObjectFrame),
}

/// Tries the branches of a choice point one by one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choose {
    pub base: Base,
    /// The position of the next branch, or 0 before the first.
    pub next: u32,
    /// True if the branches without any constraint are being tried, which come last.
    pub unconstrained: bool,
    pub why: Option<SchemaError>,
}

/// Tries the types one by one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fill {
    pub base: Base,
    pub next: u32,
    /// The index of the branch and type being tried.
    pub number: u32,
    pub why: Option<SchemaError>,
}

/// Tries the values of an `enum` or a `const`.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    pub base: Base,
    pub first: u32,
    pub next: u32,
    /// The position before which values are skipped.
    pub from: u32,
    pub end: u32,
}

/// Tries candidates of a scalar type.
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    pub base: Base,
    pub ty: TypeSet,
    pub index: u32,
    pub after: u32,
    pub rejected: u32,
}

/// Generates a string that is JSON text (`contentMediaType`).
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    pub base: Base,
    /// The position of the schema of the JSON text (`contentSchema`), if any.
    pub schema: Option<u32>,
    /// The position from which the search for the next text resumes.
    pub cursor: Cursor,
    /// True if the value has been replaced by its text.
    pub is_text: bool,
    pub rejected: u32,
}

/// Validates a value against all its demands.
#[derive(Clone, Copy, Debug)]
pub struct Verify {
    pub base: Base,
    pub next: usize,
}

/// Generates an array.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArrayFrame {
    pub base: Base,
    pub variant: u32,
    pub state: ArrayState,
    /// The number of elements so far.
    pub len: u32,
    /// The least number of elements.
    pub min: u32,
    /// The intended number of elements.
    pub target: u32,
    /// The greatest number of elements.
    pub max: u32,
    /// The number of leading elements with schemas of their own.
    pub tuple: u32,
    pub unique: bool,
    pub repeated: u32,
    /// The position from which the search for the next element begins.
    pub cursor: Cursor,
    /// The number of elements generated so far to match `contains`.
    pub contained: u32,
    /// True if the next element need not match `contains`.
    pub skip_contains: bool,
    /// True if the element being generated must match `contains`.
    pub must_match: bool,
    /// The mark before the element being generated.
    pub item: Mark,
}

/// The next step of an array.
#[derive(Clone, Copy, Debug, Default)]
pub enum ArrayState {
    #[default]
    Begin,
    Next,
    Verify,
}

/// Generates an object.
#[derive(Clone, Copy, Debug, Default)]
pub struct ObjectFrame {
    pub base: Base,
    pub variant: u32,
    pub state: ObjectState,
    /// The number of members so far.
    pub len: u32,
    /// The number of optional members considered so far.
    pub optional: u32,
    /// The least number of members.
    pub min: u32,
    /// The greatest number of members.
    pub max: u32,
    /// The number of required members still to be generated.
    pub required: u32,
    /// The index of the demand whose names are being read.
    pub rule: u32,
    /// The position of the next name.
    pub next: u32,
    /// True if the member being generated is required.
    pub is_required: bool,
    /// The mark before the member being generated.
    pub member: Mark,
    /// The position from which the search for further names resumes.
    pub names: Cursor,
    /// The number of further names tried.
    pub tried: u32,
}

/// The next step of an object.
#[derive(Clone, Copy, Debug, Default)]
pub enum ObjectState {
    #[default]
    Begin,
    Declared,
    Required,
    Dependent,
    Further,
    FurtherName,
    Verify,
}
