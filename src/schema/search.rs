//! The search for a value: a machine with a stack of its own, which can stop after any step. Each
//! value is made by the same few frames: one collects what all schemas of the value demand, one
//! picks a branch of each choice among them, one tries the types, and one makes a value of a type.
//! On failure the search backtracks: the frame below tries its next alternative.

use std::task::{Poll, ready};

use super::frame::{Base, Choose, Cursor, Fill, Frame, Mark, Outcome};
use super::fuel::Fuel;
use super::judge::Judge;
use super::keyword::{Keyword, Kinds};
use super::rules::{FALSE, RuleId, Rules, TRUE};
use super::unfit::Unfit;
use crate::json::{Kind, Tree};

/// The deepest nesting of values: bodies have at most 128 levels.
const DEPTH_MAX: u32 = 100;

/// The most schemas that one value must satisfy, references and branches counted.
const DEMANDS_MAX: usize = 128;

/// Schemas whose demands are still to be collected.
#[derive(Clone, Copy, Debug)]
enum Queued {
    Schema(u32),
    /// The rest of a list of schemas.
    Each {
        next: u32,
        end: u32,
    },
}

/// Something of which one possibility must be picked.
#[derive(Clone, Copy, Debug)]
enum Choice {
    /// One of the schemas in a list.
    Branches(u32),
    /// `if` with `then`, otherwise `else`.
    Condition(RuleId),
    /// A schema that holds if a member is present: apply it, or rely on the member's absence.
    Dependent(u32),
}

/// The least fuel that must be left while a frame is on top or others are above it.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// The number of frames up to that one.
    frame: usize,
    least: u64,
}

/// Makes a value for the rules.
#[derive(Debug)]
pub struct Search {
    pub rules: Rules,
    pub fuel: Fuel,
    /// The value so far.
    pub out: Tree,
    pub judge: Judge,
    frames: Vec<Frame>,
    returned: Option<Outcome>,
    demands: Vec<RuleId>,
    choices: Vec<Choice>,
    queue: Vec<Queued>,
    /// The limits of branches that are abandoned before all fuel is spent.
    limits: Vec<Limit>,
    /// How often each rule is among the demands.
    opened: Vec<u8>,
    depth: u32,
    /// Where the schema of the whole value is.
    root: u32,
    /// The number of times that a schema may recur within itself.
    repeats: u8,
    /// Set if a value failed because a schema recursed more than `repeats` times.
    pub recursed: bool,
    bytes_max: usize,
}

impl Search {
    /// Creates a search with a work budget of `fuel`, for a value of at most `bytes_max` bytes.
    pub fn new(rules: Rules, fuel: Fuel, bytes_max: usize) -> Search {
        Search {
            rules,
            fuel,
            out: Tree::default(),
            judge: Judge::default(),
            frames: Vec::new(),
            returned: None,
            demands: Vec::new(),
            choices: Vec::new(),
            queue: Vec::new(),
            limits: Vec::new(),
            opened: Vec::new(),
            depth: 0,
            root: 0,
            repeats: 0,
            recursed: false,
            bytes_max,
        }
    }

    /// Begins to search for a value of one of these types that satisfies the schema at `root`.
    pub fn begin(&mut self, root: u32, kinds: Kinds, repeats: u8) {
        self.out.truncate(0, 0);
        self.demands.clear();
        self.choices.clear();
        self.queue.clear();
        self.limits.clear();
        self.opened.fill(0);
        self.judge.reset();
        (self.depth, self.recursed) = (0, false);
        (self.root, self.repeats) = (root, repeats);
        let mark = self.mark();
        self.want(root);
        self.frames.clear();
        self.call(mark, kinds, Cursor::default());
    }

    /// Goes on until there is a value or none is found.
    pub fn run(&mut self) -> Poll<Result<(), Unfit>> {
        while let Some(frame) = self.frames.last().copied() {
            ready!(self.fuel.wait());
            self.fuel.spend(1)?;
            let text = self.out.text_len() + self.out.len() as usize;
            let done = match text <= self.bytes_max {
                true => ready!(self.advance(frame)),
                false => return Poll::Ready(Err(Unfit::TooLarge)),
            };
            if let Err(why) = done {
                if self.fuel.total() == 0 {
                    return Poll::Ready(Err(why));
                }
                self.judge.reset();
                self.finish(Err(why));
            }
            self.hold_limits();
        }
        let outcome = self.returned.take().unwrap_or(Err(Unfit::Contradiction));
        Poll::Ready(outcome.map(|_| ()))
    }

    fn advance(&mut self, frame: Frame) -> Poll<Result<(), Unfit>> {
        match frame {
            Frame::Scope { mark, .. } => {
                let outcome = self.returned.take().expect("what is above has returned");
                self.release(mark, outcome.is_err());
                self.finish(outcome);
                Poll::Ready(Ok(()))
            }
            Frame::Gather(base) => self.gather(base),
            Frame::Choose(choose) => self.choose(choose),
            Frame::Fill(fill) => self.fill(fill),
            Frame::Listed(listed) => Poll::Ready(self.listed(listed)),
            Frame::Scalar(scalar) => self.scalar(scalar),
            Frame::Embedded(embedded) => Poll::Ready(self.embedded(embedded)),
            Frame::Verify(verify) => self.verify(verify),
            Frame::List(list) => self.list(list),
            Frame::Object(object) => self.object(object),
        }
    }

    // The stack of frames.

    pub(super) fn push(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    pub(super) fn replace(&mut self, frame: Frame) {
        *self.frames.last_mut().expect("a frame is on top") = frame;
    }

    pub(super) fn finish(&mut self, outcome: Outcome) {
        self.frames.pop();
        self.returned = Some(outcome);
    }

    /// Returns an outcome to the frame on top.
    pub(super) fn give(&mut self, outcome: Outcome) {
        self.returned = Some(outcome);
    }

    /// What the frame above has returned, which stays there.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.returned
    }

    pub(super) fn returned(&mut self) -> Option<Outcome> {
        self.returned.take()
    }

    /// What the frame on top calls next may spend half of the fuel that is left, since there are
    /// other possibilities, or it is not needed.
    pub(super) fn limit(&mut self) {
        let total = self.fuel.total();
        let kept = self.limits.last().map_or(0, |outer| outer.least);
        self.limits.push(Limit {
            frame: self.frames.len(),
            least: kept + total.saturating_sub(kept) / 2,
        });
    }

    /// Ends the limit of the frame on top.
    pub(super) fn unlimit(&mut self) {
        self.limits.pop();
    }

    /// Abandons a branch that has spent its share of the fuel.
    fn hold_limits(&mut self) {
        // An inner limit is always reached before those around it.
        if let Some(limit) = self.limits.last()
            && self.fuel.total() < limit.least
            && self.frames.len() > limit.frame
        {
            self.frames.truncate(limit.frame);
            self.judge.reset();
            self.returned = Some(Err(Unfit::TooLarge));
        }
    }

    // What a value must satisfy.

    /// The state to return to.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            nodes: self.out.len(),
            text: self.out.text_len(),
            demands: self.demands.len(),
            choices: self.choices.len(),
            queue: self.queue.len(),
            depth: self.depth,
        }
    }

    /// Returns to a state; the value made since then is only taken back if it failed.
    pub(super) fn release(&mut self, mark: Mark, failed: bool) {
        for rule in self.demands.drain(mark.demands..) {
            self.opened[rule as usize] -= 1;
        }
        self.depth = mark.depth;
        self.choices.truncate(mark.choices);
        self.queue.truncate(mark.queue);
        if failed {
            self.out.truncate(mark.nodes, mark.text);
        }
    }

    /// The next value must satisfy the schema at a place.
    pub(super) fn want(&mut self, schema: u32) {
        self.queue.push(Queued::Schema(schema));
    }

    /// Takes back what was wanted since the mark.
    pub(super) fn unwant(&mut self, mark: Mark) {
        self.queue.truncate(mark.queue);
    }

    /// Makes a value for what was wanted since the mark.
    pub(super) fn call(&mut self, mark: Mark, kinds: Kinds, cursor: Cursor) {
        self.depth += 1;
        let base = Base {
            demands: mark.demands as u32,
            choice: mark.choices as u32,
            queue: mark.queue as u32,
            scope: self.frames.len() as u32,
            cursor,
        };
        let fills = 0;
        self.push(Frame::Scope { mark, kinds, fills });
        self.push(Frame::Gather(base));
    }

    /// The rules that a value must satisfy.
    pub(super) fn demands(&self, base: Base) -> &[RuleId] {
        &self.demands[base.demands as usize..]
    }

    /// The rules and what is needed to read them.
    pub(super) fn parts(&mut self, base: Base) -> (&mut Rules, &[RuleId], &mut Fuel) {
        let demands = &self.demands[base.demands as usize..];
        (&mut self.rules, demands, &mut self.fuel)
    }

    /// The types that a value may have, whatever its schemas say; and the count of what was tried,
    /// which goes up by one.
    pub(super) fn scope(&mut self, base: Base) -> (Kinds, &mut u32) {
        match &mut self.frames[base.scope as usize] {
            Frame::Scope { kinds, fills, .. } => (*kinds, fills),
            _ => unreachable!("a value has a scope"),
        }
    }

    fn gather(&mut self, base: Base) -> Poll<Result<(), Unfit>> {
        if self.depth > DEPTH_MAX {
            return Poll::Ready(Err(Unfit::TooLarge));
        }
        if self.queue.len() == base.queue as usize {
            let frame = match self.choices.len() > base.choice as usize {
                true => Frame::Choose(Choose {
                    base,
                    mark: self.mark(),
                    next: 0,
                    vague: false,
                    why: None,
                }),
                false => Frame::Fill(Fill::new(base, self.mark())),
            };
            self.replace(frame);
            return Poll::Ready(Ok(()));
        }
        let queue = self.queue.pop().expect("something is to be done");
        let at = match queue {
            Queued::Schema(at) => at,
            Queued::Each { next, end } => {
                let after = self.rules.tree.end(next);
                if after < end {
                    self.queue.push(Queued::Each { next: after, end });
                }
                self.queue.push(Queued::Schema(next));
                return Poll::Ready(Ok(()));
            }
        };
        let added = self.add(base, at);
        if added.is_pending() {
            self.queue.push(queue);
        }
        added
    }

    /// Adds what the schema at a place demands.
    fn add(&mut self, base: Base, at: u32) -> Poll<Result<(), Unfit>> {
        let rule = ready!(self.rules.rule(at, &mut self.fuel))?;
        match rule {
            TRUE => return Poll::Ready(Ok(())),
            FALSE => return Poll::Ready(Err(Unfit::Contradiction)),
            _ => {}
        }
        // The same schema once more demands nothing new.
        self.fuel.spend(self.demands(base).len() as u32 / 8)?;
        if self.demands(base).contains(&rule) {
            return Poll::Ready(Ok(()));
        }
        if let Some(at) = self.rules.get(rule, Keyword::Not)
            && is_vague(self.rules.tree.kind(at))
        {
            return Poll::Ready(Err(Unfit::Contradiction));
        }
        if let Some(keyword) = self.rules.unsupported(rule) {
            return Poll::Ready(Err(Unfit::Keyword(keyword.name())));
        }
        if self.opened.len() < self.rules.len() {
            self.opened.resize(self.rules.len(), 0);
        }
        // The whole was not referred to when it was met first.
        if self.opened[rule as usize] > self.repeats + u8::from(at == self.root) {
            self.recursed = true;
            return Poll::Ready(Err(Unfit::Endless));
        }
        let target = ready!(self.rules.reference(rule, &mut self.fuel))?;
        if self.demands(base).len() == DEMANDS_MAX {
            return Poll::Ready(Err(Unfit::TooLarge));
        }
        self.opened[rule as usize] += 1;
        self.demands.push(rule);
        self.queue.extend(target.map(Queued::Schema));
        if let Some(at) = self.rules.get(rule, Keyword::AllOf) {
            let (next, end) = (at + 1, self.rules.tree.end(at));
            if next < end {
                self.queue.push(Queued::Each { next, end });
            }
        }
        self.add_choices(rule)?;
        Poll::Ready(Ok(()))
    }

    fn add_choices(&mut self, rule: RuleId) -> Result<(), Unfit> {
        for keyword in [Keyword::AnyOf, Keyword::OneOf] {
            let list = self.rules.get(rule, keyword);
            self.choices.extend(list.map(Choice::Branches));
        }
        let branches = Keyword::Then.bit() | Keyword::Else.bit();
        if self.rules.has_any(rule, Keyword::If.bit()) && self.rules.has_any(rule, branches) {
            self.choices.push(Choice::Condition(rule));
        }
        let tree = self.rules.tree.clone();
        for keyword in [Keyword::DependentSchemas, Keyword::Dependencies] {
            let Some(at) = self.rules.get(rule, keyword) else {
                continue;
            };
            let members = tree.members(at).map(|(_, member)| member);
            for schema in members.take(DEMANDS_MAX) {
                self.fuel.spend(1)?;
                if !matches!(tree.kind(schema), Kind::List { .. }) {
                    self.choices.push(Choice::Dependent(schema));
                }
            }
        }
        Ok(())
    }

    fn choose(&mut self, mut choose: Choose) -> Poll<Result<(), Unfit>> {
        match self.returned() {
            Some(Ok(cursor)) => {
                self.unlimit();
                self.finish(Ok(cursor));
                return Poll::Ready(Ok(()));
            }
            Some(Err(why)) => {
                self.unlimit();
                // The failure of the first branch is the most informative.
                choose.why.get_or_insert(why);
                self.release(choose.mark, true);
            }
            None => {}
        }
        let choice = self.choices[choose.base.choice as usize];
        match self.next_branch(choice, &mut choose) {
            Branch::Schemas(schemas) => {
                self.replace(Frame::Choose(choose));
                self.limit();
                self.queue
                    .extend(schemas.into_iter().flatten().map(Queued::Schema));
                let choice = choose.base.choice + 1;
                self.push(Frame::Gather(Base {
                    choice,
                    queue: choose.mark.queue as u32,
                    ..choose.base
                }));
            }
            Branch::Passed => self.replace(Frame::Choose(choose)),
            Branch::None => self.finish(Err(choose.why.unwrap_or(Unfit::Contradiction))),
        }
        Poll::Ready(Ok(()))
    }

    /// The schemas of the next branch.
    fn next_branch(&self, choice: Choice, choose: &mut Choose) -> Branch {
        let tree = &self.rules.tree;
        let first = choose.next == 0;
        match choice {
            Choice::Branches(list) => {
                if first {
                    choose.next = list + 1;
                }
                if choose.next == tree.end(list) {
                    if choose.vague || choose.next == list + 1 {
                        return Branch::None;
                    }
                    (choose.vague, choose.next) = (true, list + 1);
                }
                let branch = choose.next;
                choose.next = tree.end(branch);
                // Libraries emit `{}` for types they cannot describe, often beside null; it is
                // tried last.
                match is_vague(tree.kind(branch)) == choose.vague {
                    true => Branch::Schemas([Some(branch), None]),
                    false => Branch::Passed,
                }
            }
            Choice::Condition(rule) => {
                choose.next += 1;
                let get = |keyword| self.rules.get(rule, keyword);
                match choose.next {
                    1 => Branch::Schemas([get(Keyword::If), get(Keyword::Then)]),
                    2 => Branch::Schemas([get(Keyword::Else), None]),
                    _ => Branch::None,
                }
            }
            Choice::Dependent(schema) => {
                choose.next += 1;
                match choose.next {
                    1 => Branch::Schemas([Some(schema), None]),
                    2 => Branch::Schemas([None, None]),
                    _ => Branch::None,
                }
            }
        }
    }
}

/// Returns whether a schema demands nothing.
fn is_vague(schema: Kind) -> bool {
    matches!(schema, Kind::Object { len: 0, .. } | Kind::Bool(true))
}

/// A possibility of a choice.
enum Branch {
    /// One that demands these schemas.
    Schemas([Option<u32>; 2]),
    /// One that is not tried now.
    Passed,
    /// There are no more.
    None,
}
