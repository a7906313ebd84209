//! The stack frames of the search, as plain data so that it can be suspended.

use super::keyword::Kinds;
use super::unfit::Unfit;

/// The ways to vary several parts of a value at once: each of the first six or not.
pub const PRODUCT: u32 = 64;

/// The point at which the search for another value resumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The number of branches and types that are passed over.
    pub fill: u32,
    /// The number of the candidate to begin with there.
    pub index: u32,
}

impl Cursor {
    /// Where the search for another value than the plainest begins: with the next value of the same
    /// type, then with other branches and types.
    pub fn variation(number: u32) -> Cursor {
        Cursor {
            fill: number,
            index: u32::from(number == 0),
        }
    }
}

/// What came of a frame: a value was added to the tree, and another one would begin at this cursor.
pub type Outcome = Result<Cursor, Unfit>;

/// The value being made, and the positions of its rules in the stacks.
#[derive(Clone, Copy, Debug)]
pub struct Base {
    /// Where its demands begin.
    pub demands: u32,
    /// The choice that is decided next.
    pub choice: u32,
    /// Where its schemas that are still to be read begin.
    pub queue: u32,
    /// The frame that counts what was tried for it.
    pub scope: u32,
    /// Where to begin.
    pub cursor: Cursor,
}

/// The state of the tree and the stacks that a failure returns to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// The nodes of the tree: the place of the value that is added next.
    pub nodes: u32,
    pub text: usize,
    pub demands: usize,
    pub choices: usize,
    pub queue: usize,
    pub depth: u32,
}

impl Mark {
    /// This state, with the schemas still to be read of another.
    pub fn with_queue_of(self, other: Mark) -> Mark {
        Mark {
            queue: other.queue,
            ..self
        }
    }
}

/// A stack frame.
#[derive(Clone, Copy, Debug)]
pub enum Frame {
    /// Pops what the frames above pushed, once they are done.
    Scope {
        mark: Mark,
        kinds: Kinds,
        fills: u32,
    },
    Gather(Base),
    Choose(Choose),
    Fill(Fill),
    Listed(Listed),
    Scalar(Scalar),
    Embedded(Embedded),
    Verify(Verify),
    List(ListFrame),
    Object(ObjectFrame),
}

/// Picks a branch.
#[derive(Clone, Copy, Debug)]
pub struct Choose {
    pub base: Base,
    pub mark: Mark,
    /// The next branch, or 0 before the first.
    pub next: u32,
    /// Branches that demand nothing come last.
    pub vague: bool,
    pub why: Option<Unfit>,
}

/// Tries one type after the other.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    pub base: Base,
    pub mark: Mark,
    pub next: u32,
    /// The number of what is being tried.
    pub number: u32,
    pub why: Option<Unfit>,
}

/// Tries the values of an `enum` or a `const`.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    pub base: Base,
    pub mark: Mark,
    pub first: u32,
    pub next: u32,
    /// The values before this place are passed over.
    pub from: u32,
    pub end: u32,
}

/// Tries values of a type that has no parts.
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    pub base: Base,
    pub mark: Mark,
    pub kind: Kinds,
    pub index: u32,
    pub after: u32,
    pub rejected: u32,
}

/// Makes a string that is a JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    pub base: Base,
    pub mark: Mark,
    /// The schema of the text's value, if there is one.
    pub schema: Option<u32>,
    /// Where the search for the next one begins.
    pub cursor: Cursor,
    pub state: EmbeddedState,
    pub rejected: u32,
}

/// What comes next for a string that is a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddedState {
    Begin,
    Value,
    Verify,
}

/// Validates a value against all its rules.
#[derive(Clone, Copy, Debug)]
pub struct Verify {
    pub base: Base,
    pub value: u32,
    pub next: usize,
}

impl Fill {
    pub fn new(base: Base, mark: Mark) -> Fill {
        Fill {
            base,
            mark,
            next: 0,
            number: 0,
            why: None,
        }
    }
}

/// A list that is being made.
#[derive(Clone, Copy, Debug)]
pub struct ListFrame {
    pub base: Base,
    pub mark: Mark,
    pub variant: u32,
    pub state: ListState,
    /// The number of items so far, and what it must and should be.
    pub len: u32,
    pub least: u32,
    pub usual: u32,
    pub most: u32,
    /// The items before this one have schemas of their own.
    pub tuple: u32,
    pub unique: bool,
    pub repeated: u32,
    /// Where the search for the next item begins.
    pub cursor: Cursor,
    /// The items made so far to be contained.
    pub contained: u32,
    /// True if the next item need not match `contains`.
    pub plain: bool,
    /// True if the item that is being made must match `contains`.
    pub wanted: bool,
    pub item: Option<Mark>,
}

/// The next step of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListState {
    Begin,
    Next,
    Item,
    Verify,
}

impl ListFrame {
    pub fn new(base: Base, mark: Mark, variant: u32) -> ListFrame {
        ListFrame {
            base,
            mark,
            variant,
            state: ListState::Begin,
            len: 0,
            least: 0,
            usual: 0,
            most: 0,
            tuple: 0,
            unique: false,
            repeated: 0,
            cursor: Cursor::default(),
            contained: 0,
            plain: false,
            wanted: false,
            item: None,
        }
    }
}

/// An object that is being made.
#[derive(Clone, Copy, Debug)]
pub struct ObjectFrame {
    pub base: Base,
    pub mark: Mark,
    pub variant: u32,
    pub state: ObjectState,
    /// The number of members so far, and of the optional ones among those that were considered.
    pub len: u32,
    pub optional: u32,
    pub least: u32,
    pub most: u32,
    /// The required members that are still to be made.
    pub required: u32,
    /// The rule whose names are being read, and the place of the next one.
    pub rule: u32,
    pub next: u32,
    /// The member that is being made: whether it must be there, and the state before it.
    pub must: bool,
    pub member: Option<Mark>,
    /// Names of further members: where the search for the next goes on, and how many were tried.
    pub names: Cursor,
    pub tried: u32,
}

/// The next step of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectState {
    Begin,
    Declared,
    Required,
    Dependent,
    Further,
    FurtherName,
    Member(AfterMember),
    Verify,
}

/// What comes after a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterMember {
    Declared,
    Required,
    Dependent,
    Further,
}

impl ObjectFrame {
    pub fn new(base: Base, mark: Mark, variant: u32) -> ObjectFrame {
        ObjectFrame {
            base,
            mark,
            variant,
            state: ObjectState::Begin,
            len: 0,
            optional: 0,
            least: 0,
            most: 0,
            required: 0,
            rule: 0,
            next: 0,
            must: false,
            member: None,
            names: Cursor::default(),
            tried: 0,
        }
    }
}
