//! Pattern matching by the set of positions where each part of the pattern can end, which takes
//! polynomial time for any pattern.

use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use super::parts::{Budget, has, is_single, literal};

/// Positions between characters, in ascending order.
type Ends = Vec<u32>;

/// Returns whether a pattern matches anywhere in `text`, or `None` if the budget does not suffice.
pub fn is_match(
    hir: &Hir,
    text: &[char],
    (at_start, at_end): (bool, bool),
    budget: &mut Budget,
) -> Option<bool> {
    budget.spend(2 + text.len() / 16)?;
    let starts = match at_start {
        true => vec![0],
        false => (0..=text.len() as u32).collect(),
    };
    let ends = ends(hir, text, &starts, budget)?;
    Some(match at_end {
        true => ends.contains(&(text.len() as u32)),
        false => !ends.is_empty(),
    })
}

/// Returns the positions where matches of a part can end if they begin at one of `starts`.
fn ends(hir: &Hir, text: &[char], starts: &[u32], budget: &mut Budget) -> Option<Ends> {
    budget.spend(1 + starts.len() / 8)?;
    if starts.is_empty() {
        return Some(Ends::new());
    }
    Some(match hir.kind() {
        HirKind::Empty => starts.to_vec(),
        HirKind::Literal(bytes) => {
            let literal = literal(&bytes.0);
            let len = literal.chars().count() as u32;
            budget.spend(len as usize / 8)?;
            let begins = |start: &&u32| text[**start as usize..].iter().copied().take(len as usize);
            let found = starts
                .iter()
                .filter(|start| begins(start).eq(literal.chars()));
            found.map(|start| start + len).collect()
        }
        HirKind::Class(class) => {
            let in_class =
                |start: &&u32| text.get(**start as usize).is_some_and(|c| has(class, *c));
            starts
                .iter()
                .filter(in_class)
                .map(|start| start + 1)
                .collect()
        }
        HirKind::Look(look) => {
            let holds = |start: &u32| holds(*look, text, *start as usize);
            starts.iter().copied().filter(holds).collect()
        }
        HirKind::Repetition(repetition) => repeated(repetition, text, starts, budget)?,
        HirKind::Capture(capture) => ends(&capture.sub, text, starts, budget)?,
        HirKind::Concat(parts) => {
            let mut at = starts.to_vec();
            for part in parts {
                at = ends(part, text, &at, budget)?;
            }
            at
        }
        HirKind::Alternation(branches) => {
            let mut all = Ends::new();
            for branch in branches {
                let more = ends(branch, text, starts, budget)?;
                all = union(&all, &more);
            }
            all
        }
    })
}

fn repeated(
    repetition: &Repetition,
    text: &[char],
    starts: &[u32],
    budget: &mut Budget,
) -> Option<Ends> {
    if is_single(&repetition.sub) {
        return run(repetition, text, starts, budget);
    }
    let mut at = starts.to_vec();
    for _ in 0..repetition.min {
        let next = ends(&repetition.sub, text, &at, budget)?;
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
        let next = ends(&repetition.sub, text, &at, budget)?;
        at = next
            .into_iter()
            .filter(|end| all.binary_search(end).is_err())
            .collect();
        if at.is_empty() {
            break;
        }
        budget.spend(all.len() / 8)?;
        all = union(&all, &at);
    }
    Some(all)
}

/// Handles a repetition of single characters in a single pass over the text.
fn run(
    repetition: &Repetition,
    text: &[char],
    starts: &[u32],
    budget: &mut Budget,
) -> Option<Ends> {
    let min = repetition.min as usize;
    let max = repetition.max.map_or(usize::MAX, |max| max as usize);
    let mut all = Ends::new();
    // The end of the run of matching characters from the last start: starts within it share it.
    let mut reach = 0;
    for &start in starts {
        let start = start as usize;
        if reach < start {
            reach = start;
        }
        while reach < text.len() && reach - start < max && one(&repetition.sub, text[reach]) {
            reach += 1;
        }
        budget.spend(1 + (reach - start) / 8)?;
        let last = start.saturating_add(max).min(reach);
        let from = (start + min).max(all.last().map_or(0, |end| *end as usize + 1));
        all.extend((from..=last).map(|end| end as u32));
    }
    Some(all)
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
