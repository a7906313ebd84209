//! Generates a value that satisfies a JSON Schema: the arguments of a tool call, or a structured
//! output. Supports draft 2020-12 and the keywords that differ in earlier drafts, except
//! `unevaluatedProperties` and `unevaluatedItems`. Prefers simple values, and validates the result
//! against the whole schema before returning it.

mod array;
mod equality;
mod error;
mod fill;
mod format;
mod frame;
mod fuel;
mod keyword;
mod number;
mod object;
mod pattern;
mod reference;
mod rules;
mod scalar;
mod search;
mod validator;

use std::rc::Rc;

use crate::json::{JsonWriter, Tree};
pub use error::SchemaError;
use error::{Halt, Resumable};
use fuel::Fuel;
use keyword::TypeSet;
use rules::Rules;
use search::Search;

/// The work budget of any schema, in steps. Each node adds [`STEPS_PER_NODE`], up to [`STEPS_MAX`]:
/// the largest schema that OpenAI accepts (5,000 properties, 1,000 enum values) takes a third of
/// that.
const STEPS: u64 = 100_000;
/// See [`STEPS`].
const STEPS_PER_NODE: u64 = 300;
/// See [`STEPS`].
const STEPS_MAX: u64 = 600_000;

/// The largest value, in nodes plus bytes of text; its JSON is about as long.
const BYTES_MAX: usize = 512 * 1024;

/// The deepest recursion of a schema into itself, which is tried only if no shallower value exists.
const REPEATS_MAX: u8 = 6;

/// The number of steps per call, chosen so that a call takes at most 50 microseconds.
pub const STEPS_PER_CALL: u32 = 500;

/// The result of one call of [`Generator::run`].
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The value, as JSON text.
    Done(String),
    /// The work is unfinished: call [`Generator::run`] again.
    More,
    /// No value was generated.
    Failed(SchemaError),
}

/// Incremental generator of a value for a schema.
#[derive(Debug)]
pub struct Generator {
    search: Search,
    types: TypeSet,
    state: GeneratorState,
    text: String,
}

/// The states of a generator, in this order.
#[derive(Debug)]
enum GeneratorState {
    Search,
    Validate,
    Write(JsonWriter),
}

impl Generator {
    /// Creates a generator for the schema at `root` in `tree`. If `object` is true, the value must
    /// be an object.
    pub fn new(tree: Rc<Tree>, root: u32, object: bool) -> Generator {
        let nodes = u64::from(tree.end(root) - root);
        let steps = (STEPS + nodes * STEPS_PER_NODE).min(STEPS_MAX);
        let types = if object {
            TypeSet::OBJECT
        } else {
            TypeSet::ALL
        };
        let rules = Rules::new(tree, root);
        let mut search = Search::new(rules, Fuel::new(steps), BYTES_MAX);
        search.begin(types, 0);
        Generator {
            search,
            types,
            state: GeneratorState::Search,
            text: String::new(),
        }
    }

    /// Runs for about `steps` steps of about 20 nanoseconds each.
    pub fn run(&mut self, steps: u32) -> Progress {
        self.search.fuel.begin_call(steps);
        match self.poll() {
            Ok(()) => Progress::Done(std::mem::take(&mut self.text)),
            Err(Halt::Paused) => Progress::More,
            Err(Halt::Failed(why)) => Progress::Failed(why),
        }
    }

    /// Returns the remaining steps of the total budget.
    pub fn steps_left(&self) -> u64 {
        self.search.fuel.total()
    }

    fn poll(&mut self) -> Resumable {
        loop {
            match &mut self.state {
                GeneratorState::Search => match self.search.run() {
                    Ok(()) => {
                        self.state = GeneratorState::Validate;
                        self.search.validator.reset();
                    }
                    // Raise the recursion limit only if it was reached: the simplest value is the
                    // one with the least recursion.
                    Err(Halt::Failed(_))
                        if self.search.recursed && self.search.repeats < REPEATS_MAX =>
                    {
                        self.search.begin(self.types, self.search.repeats + 1);
                        if self.search.fuel.total() == 0 {
                            return Err(SchemaError::TooLarge.into());
                        }
                    }
                    Err(halt) => return Err(halt),
                },
                GeneratorState::Validate => {
                    if !self.validate()? {
                        return Err(SchemaError::Contradiction.into());
                    }
                    self.state = GeneratorState::Write(JsonWriter::new(0));
                }
                GeneratorState::Write(writer) => {
                    self.search.fuel.ready()?;
                    let before = self.text.len();
                    if !writer.step(&self.search.out, &mut self.text) {
                        return Ok(());
                    }
                    let written = self.text.len() - before;
                    self.search.fuel.spend(2 + written as u32 / 32)?;
                }
            }
        }
    }

    fn validate(&mut self) -> Resumable<bool> {
        let search = &mut self.search;
        if search.validator.is_idle() {
            let rule = search.rules.rule(search.rules.root, &mut search.fuel)?;
            search.validator.begin(0, rule);
        }
        search
            .validator
            .run(&mut search.rules, &search.out, &mut search.fuel)
    }
}

#[cfg(any(test, fuzzing))]
pub mod tests;
