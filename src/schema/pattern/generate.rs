//! Generation of strings that a pattern matches.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::Pattern;
use super::lengths::{Lengths, lengths};
use super::parts::{Budget, has, is_single, literal, ranges};

/// The word that strings are made of where the pattern allows it.
const WORD: &[u8] = b"mocked";

/// The characters that are tried next. `1` comes before the other digits because it makes valid
/// dates.
const PREFERRED: &str =
    "mockedabfghijlnpqrstuvwxyzMOCKEDABFGHIJLNPQRSTUVWXYZ1234567890-_. /:@+=,;!?#%&*()$";

/// The most characters of a class that variants can choose from.
const CHOICES_MAX: u32 = 36;

/// The number of lengths beyond the minimum that are considered.
const SPAN: usize = 256;

impl Pattern {
    /// Implements [`Pattern::generate`]. Returns `None` if the budget does not suffice.
    pub(super) fn string(
        &self,
        min: usize,
        max: usize,
        variant: u32,
        budget: &mut Budget,
    ) -> Option<Option<String>> {
        let (at_start, at_end) = self.anchored;
        let mut generator = StringGenerator {
            out: String::new(),
            count: 0,
            run: 0,
            variant,
            budget,
        };
        generator.append(&self.hir, None)?;
        if (min..=max).contains(&generator.count) {
            return Some(Some(generator.out));
        }
        let padded = !at_start || !at_end;
        let top = max.min(min.saturating_add(SPAN));
        let all = lengths(&self.hir, top, generator.budget)?;
        let long_enough = all.each().find(|len| *len >= min);
        let Some(len) = long_enough.or(all.each().last().filter(|_| padded)) else {
            return Some(None);
        };
        generator.out.clear();
        (generator.count, generator.run) = (0, 0);
        generator.variant = variant;
        generator.append(&self.hir, Some(len))?;
        let padding: String = (len..min)
            .map(|at| char::from(WORD[at % WORD.len()]))
            .collect();
        Some(Some(match at_end {
            false => generator.out + &padding,
            true => padding + &generator.out,
        }))
    }
}

struct StringGenerator<'a> {
    out: String,
    /// The number of characters in `out`.
    count: usize,
    /// The number of trailing characters that came from classes, which are chosen to spell the
    /// word.
    run: usize,
    /// The remaining digits of the variant number: each choice consumes one.
    variant: u32,
    budget: &'a mut Budget,
}

impl StringGenerator<'_> {
    fn choose(&mut self, choices: u32) -> u32 {
        let choice = self.variant % choices.max(1);
        self.variant /= choices.max(1);
        choice
    }

    fn push(&mut self, char: char) {
        self.out.push(char);
        self.count += 1;
    }

    /// Appends a match of exactly `len` characters, which must be one of its possible lengths, or
    /// of natural length.
    fn append(&mut self, hir: &Hir, len: Option<usize>) -> Option<()> {
        self.budget.spend(2)?;
        match (hir.kind(), len) {
            (HirKind::Empty | HirKind::Look(_), _) => {}
            (HirKind::Literal(_) | HirKind::Class(_), _) => self.single(hir)?,
            (HirKind::Capture(capture), _) => self.append(&capture.sub, len)?,
            (HirKind::Concat(parts), None) => {
                parts.iter().try_for_each(|part| self.append(part, None))?;
            }
            (HirKind::Concat(parts), Some(len)) => {
                let mut rests = vec![Lengths::only(0, len)];
                for part in parts.iter().skip(1).rev() {
                    let rest = &rests[rests.len() - 1];
                    let sum = rest.plus(&lengths(part, len, self.budget)?, self.budget)?;
                    rests.push(sum);
                }
                let mut left = len;
                for (part, rest) in parts.iter().zip(rests.iter().rev()) {
                    let own = lengths(part, left, self.budget)?;
                    let own = own.each().find(|own| rest.has(left - own))?;
                    self.append(part, Some(own))?;
                    left -= own;
                }
            }
            (HirKind::Alternation(branches), len) => {
                let first = self.choose(branches.len() as u32) as usize;
                let Some(exact) = len else {
                    return self.append(&branches[first], None);
                };
                let order = branches[first..].iter().chain(&branches[..first]);
                for branch in order {
                    if lengths(branch, exact, self.budget)?.has(exact) {
                        return self.append(branch, len);
                    }
                }
            }
            (HirKind::Repetition(repetition), None) => {
                for _ in 0..natural_count(repetition) {
                    self.append(&repetition.sub, None)?;
                }
            }
            (HirKind::Repetition(repetition), Some(len)) => {
                self.exact_repetition(repetition, len)?;
            }
        }
        Some(())
    }

    fn exact_repetition(&mut self, repetition: &Repetition, len: usize) -> Option<()> {
        let sub = &repetition.sub;
        if is_single(sub) {
            return (0..len).try_for_each(|_| self.append(sub, None));
        }
        let once = lengths(sub, len, self.budget)?;
        // If the part can be empty, empty repetitions make up the minimum.
        let min = match once.has(0) {
            true => 0,
            false => repetition.min as usize,
        };
        let mut sums = vec![Lengths::only(0, len)];
        while sums.len() <= min || !sums[sums.len() - 1].has(len) {
            self.budget.spend(1)?;
            let sum = sums[sums.len() - 1].plus(&once, self.budget)?;
            sums.push(sum);
        }
        let mut left = len;
        for before in sums.iter().rev().skip(1) {
            let own = once
                .each()
                .find(|own| *own <= left && before.has(left - own))?;
            self.append(sub, Some(own))?;
            left -= own;
        }
        Some(())
    }

    /// Appends a literal, or a character of a class.
    fn single(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Literal(bytes) => {
                self.budget.spend(bytes.0.len() / 8)?;
                literal(&bytes.0).chars().for_each(|char| self.push(char));
                self.run = 0;
            }
            HirKind::Class(class) => {
                let size: u32 = ranges(class).iter().map(|range| range.len() as u32).sum();
                let choice = self.choose(size.min(CHOICES_MAX));
                self.budget.spend(1 + choice as usize)?;
                let char = char_of(class, self.run, choice as usize);
                self.push(char?);
                self.run += 1;
            }
            _ => {}
        }
        Some(())
    }
}

/// Returns the usual number of repetitions of a part: the length of the word for single characters,
/// and the minimum for other parts.
fn natural_count(repetition: &Repetition) -> u32 {
    match (is_single(&repetition.sub), repetition.max) {
        (true, Some(..=1)) | (false, _) => repetition.min,
        (true, max) => (WORD.len() as u32)
            .min(max.unwrap_or(u32::MAX))
            .max(repetition.min),
    }
}

/// Returns choice number `choice` among the characters of a class, for position `place` in the
/// word.
fn char_of(class: &Class, place: usize, choice: usize) -> Option<char> {
    let wish = char::from(WORD[place % WORD.len()]);
    let wishes = [wish, wish.to_ascii_uppercase(), '1'];
    let wish = wishes.into_iter().find(|char| has(class, *char));
    let others = PREFERRED.chars().filter(|char| has(class, *char));
    let rest = ranges(class)
        .iter()
        .flat_map(|range| range.start()..=range.end())
        .filter(|char| !char.is_control() && !PREFERRED.contains(*char));
    let printable = wish
        .into_iter()
        .chain(others.filter(|char| Some(*char) != wish))
        .chain(rest)
        // Before the first printable character there are only control characters.
        .take(CHOICES_MAX as usize)
        .nth(choice);
    let first = || ranges(class).first().map(|range| range.start());
    printable.or_else(first)
}
