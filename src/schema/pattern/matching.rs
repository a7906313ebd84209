//! Pattern matching by the set of positions where each part of the pattern can end, which takes
//! polynomial time for any pattern.

use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use super::Pattern;
use super::parts::{Budget, has, is_single, literal};

/// Positions between characters, in ascending order.
type Ends = Vec<u32>;

impl Pattern {
    /// Implements [`Pattern::matches`]. Returns `None` if the budget does not suffice.
    pub(super) fn is_match(&self, text: &[char], budget: &mut Budget) -> Option<bool> {
        let (at_start, at_end) = self.anchored;
        budget.spend(2 + text.len() / 16)?;
        let starts = match at_start {
            true => vec![0],
            false => (0..=text.len() as u32).collect(),
        };
        let ends = Matcher { text, budget }.ends(&self.hir, &starts)?;
        Some(match at_end {
            true => ends.contains(&(text.len() as u32)),
            false => !ends.is_empty(),
        })
    }
}

struct Matcher<'a> {
    text: &'a [char],
    budget: &'a mut Budget,
}

impl Matcher<'_> {
    /// Returns the positions where matches of a part can end if they begin at one of `starts`.
    fn ends(&mut self, hir: &Hir, starts: &[u32]) -> Option<Ends> {
        self.budget.spend(1 + starts.len() / 8)?;
        if starts.is_empty() {
            return Some(Ends::new());
        }
        let text = self.text;
        Some(match hir.kind() {
            HirKind::Empty => starts.to_vec(),
            HirKind::Literal(bytes) => {
                let literal = literal(&bytes.0);
                let len = literal.chars().count();
                self.budget.spend(len / 8)?;
                let rest = |start: &u32| text[*start as usize..].iter().copied().take(len);
                let begins = |start: &&u32| rest(start).eq(literal.chars());
                starts
                    .iter()
                    .filter(begins)
                    .map(|start| start + len as u32)
                    .collect()
            }
            HirKind::Class(class) => {
                let next = |start: &u32| text.get(*start as usize);
                let fits = |start: &&u32| next(start).is_some_and(|char| has(class, *char));
                starts.iter().filter(fits).map(|start| start + 1).collect()
            }
            HirKind::Look(look) => {
                let holds = |start: &u32| holds(*look, text, *start as usize);
                starts.iter().copied().filter(holds).collect()
            }
            HirKind::Repetition(repetition) => self.repeated(repetition, starts)?,
            HirKind::Capture(capture) => self.ends(&capture.sub, starts)?,
            HirKind::Concat(parts) => {
                let mut at = starts.to_vec();
                for part in parts {
                    at = self.ends(part, &at)?;
                }
                at
            }
            HirKind::Alternation(branches) => {
                let mut all = Ends::new();
                for branch in branches {
                    all = union(&all, &self.ends(branch, starts)?);
                }
                all
            }
        })
    }

    fn repeated(&mut self, repetition: &Repetition, starts: &[u32]) -> Option<Ends> {
        if is_single(&repetition.sub) {
            return self.run(repetition, starts);
        }
        let mut at = starts.to_vec();
        for _ in 0..repetition.min {
            let next = self.ends(&repetition.sub, &at)?;
            // Once the set no longer changes, further repetitions will not change it either.
            let settled = next == at;
            at = next;
            if settled || at.is_empty() {
                break;
            }
        }
        let mut all = at.clone();
        let more = repetition.max.map_or(u32::MAX, |max| max - repetition.min);
        for _ in 0..more {
            at = self.ends(&repetition.sub, &at)?;
            at.retain(|end| all.binary_search(end).is_err());
            if at.is_empty() {
                break;
            }
            self.budget.spend(all.len() / 8)?;
            all = union(&all, &at);
        }
        Some(all)
    }

    /// Handles a repetition of single characters in a single pass over the text.
    fn run(&mut self, repetition: &Repetition, starts: &[u32]) -> Option<Ends> {
        let min = repetition.min as usize;
        let max = repetition.max.map_or(usize::MAX, |max| max as usize);
        let text = self.text;
        let mut all = Ends::new();
        // The end of the run of matching characters from the last start: starts within it share it.
        let mut reach = 0;
        for &start in starts {
            let start = start as usize;
            reach = reach.max(start);
            while reach < text.len() && reach - start < max && one(&repetition.sub, text[reach]) {
                reach += 1;
            }
            self.budget.spend(1 + (reach - start) / 8)?;
            let last = start.saturating_add(max).min(reach);
            let from = (start + min).max(all.last().map_or(0, |end| *end as usize + 1));
            all.extend((from..=last).map(|end| end as u32));
        }
        Some(all)
    }
}

fn one(hir: &Hir, char: char) -> bool {
    match hir.kind() {
        HirKind::Class(class) => has(class, char),
        HirKind::Literal(bytes) => literal(&bytes.0).starts_with(char),
        HirKind::Capture(capture) => one(&capture.sub, char),
        _ => false,
    }
}

fn holds(look: Look, text: &[char], at: usize) -> bool {
    let word = |at: Option<usize>| {
        let char = at.and_then(|at| text.get(at));
        char.is_some_and(|char| char.is_ascii_alphanumeric() || *char == '_')
    };
    let boundary = word(at.checked_sub(1)) != word(Some(at));
    match look {
        Look::Start => at == 0,
        Look::End => at == text.len(),
        Look::WordAscii => boundary,
        Look::WordAsciiNegate => !boundary,
        // The translation emits no others.
        _ => false,
    }
}

fn union(one: &[u32], other: &[u32]) -> Ends {
    let mut all = [one, other].concat();
    all.sort_unstable();
    all.dedup();
    all
}
