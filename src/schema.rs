//! Makes a value that satisfies a JSON Schema (draft 2020-12, and the differing keywords of earlier
//! drafts): the arguments of a call, or a response of a given structure. The plainest value that is
//! found is taken, and validated against the whole schema before it is returned.
//! `unevaluatedProperties` and `unevaluatedItems` are not supported.

mod equality;
mod fill;
mod format;
mod frame;
mod fuel;
mod judge;
mod keyword;
mod list;
mod number;
mod object;
mod pattern;
mod reference;
mod rules;
mod scalar;
mod search;
mod unfit;

use std::rc::Rc;
use std::task::Poll;

use crate::json::{Tree, Writer};
use fuel::Fuel;
use keyword::Kinds;
use rules::Rules;
use search::Search;
pub use unfit::Unfit;

/// The steps that any schema may cost. A larger one may cost more for each of its nodes, up to a
/// limit: the largest that OpenAI accepts (5,000 properties, 1,000 values of enums) takes a third
/// of it.
const STEPS: u64 = 100_000;
/// See [`STEPS`].
const STEPS_PER_NODE: u64 = 300;
/// See [`STEPS`].
const STEPS_MAX: u64 = 600_000;

/// The largest value, as nodes plus bytes of text; its JSON has about the same size.
const BYTES_MAX: usize = 512 * 1024;

/// The deepest recursion of a schema into itself, used only if a value requires it.
const REPEATS_MAX: u8 = 6;

/// The steps of one call that take at most 50 microseconds together.
pub const STEPS_PER_CALL: u32 = 500;

/// The progress of a [`Maker`].
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The value, as JSON text.
    Done(String),
    /// The work is unfinished: call [`Maker::run`] again.
    More,
    /// There is no value.
    Refused(Unfit),
}

/// Makes a value in steps, over any number of calls.
#[derive(Debug)]
pub struct Maker {
    search: Search,
    root: u32,
    kinds: Kinds,
    repeats: u8,
    state: State,
    text: String,
}

#[derive(Debug)]
enum State {
    Search,
    Judge,
    Write(Writer),
}

impl Maker {
    /// Creates a maker for the schema at `root` in `tree`. If `object` is set, the value must be an
    /// object.
    pub fn new(tree: Rc<Tree>, root: u32, object: bool) -> Maker {
        let nodes = u64::from(tree.end(root) - root);
        let steps = (STEPS + nodes * STEPS_PER_NODE).min(STEPS_MAX);
        let kinds = if object { Kinds::OBJECT } else { Kinds::ALL };
        let rules = Rules::new(tree, root);
        let mut search = Search::new(rules, Fuel::new(steps), BYTES_MAX);
        search.begin(root, kinds, 0);
        Maker {
            search,
            root,
            kinds,
            repeats: 0,
            state: State::Search,
            text: String::new(),
        }
    }

    /// Runs for about `steps` steps of about 20 nanoseconds each.
    pub fn run(&mut self, steps: u32) -> Progress {
        self.search.fuel.begin_call(steps);
        match self.go_on() {
            Poll::Pending => Progress::More,
            Poll::Ready(Ok(())) => Progress::Done(std::mem::take(&mut self.text)),
            Poll::Ready(Err(why)) => Progress::Refused(why),
        }
    }

    /// Returns the remaining steps of the total budget.
    pub fn steps_left(&self) -> u64 {
        self.search.fuel.total()
    }

    fn go_on(&mut self) -> Poll<Result<(), Unfit>> {
        loop {
            match &mut self.state {
                State::Search => match std::task::ready!(self.search.run()) {
                    Ok(()) => {
                        self.state = State::Judge;
                        self.search.judge.reset();
                    }
                    // The limit on recursion is raised only if it was reached: the plainest value
                    // is the one with the least.
                    Err(_) if self.search.recursed && self.repeats < REPEATS_MAX => {
                        self.repeats += 1;
                        self.search.begin(self.root, self.kinds, self.repeats);
                        if self.search.fuel.total() == 0 {
                            return Poll::Ready(Err(Unfit::TooLarge));
                        }
                    }
                    Err(why) => return Poll::Ready(Err(why)),
                },
                State::Judge => {
                    let fits = std::task::ready!(self.judge())?;
                    if !fits {
                        return Poll::Ready(Err(Unfit::Contradiction));
                    }
                    self.state = State::Write(Writer::new(0));
                }
                State::Write(writer) => {
                    std::task::ready!(self.search.fuel.wait());
                    let before = self.text.len();
                    if !writer.step(&self.search.out, &mut self.text) {
                        return Poll::Ready(Ok(()));
                    }
                    let written = self.text.len() - before;
                    self.search.fuel.spend(2 + written as u32 / 32)?;
                }
            }
        }
    }

    fn judge(&mut self) -> Poll<Result<bool, Unfit>> {
        let search = &mut self.search;
        if search.judge.is_idle() {
            let rule = std::task::ready!(search.rules.rule(self.root, &mut search.fuel))?;
            search.judge.begin(0, rule);
        }
        search
            .judge
            .run(&mut search.rules, &search.out, &mut search.fuel)
    }
}

#[cfg(any(test, fuzzing))]
pub mod tests;
