//! The possible lengths of the matches of a pattern.

use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::parts::{Budget, literal};

/// A set of lengths from 0 to `top`, as a bit set.
#[derive(Clone, Debug, PartialEq)]
pub struct Lengths {
    words: Vec<u64>,
    top: usize,
}

impl Lengths {
    fn none(top: usize) -> Lengths {
        Lengths {
            words: vec![0; top / 64 + 1],
            top,
        }
    }

    /// Returns the set that contains only `len`, or nothing if `len` is greater than `top`.
    pub fn only(len: usize, top: usize) -> Lengths {
        let mut lengths = Lengths::none(top);
        lengths.add(len);
        lengths
    }

    fn add(&mut self, len: usize) {
        if len <= self.top {
            self.words[len / 64] |= 1 << (len % 64);
        }
    }

    /// Returns whether a length is in the set.
    pub fn has(&self, len: usize) -> bool {
        len <= self.top && self.words[len / 64] >> (len % 64) & 1 == 1
    }

    /// Returns the lengths in ascending order.
    pub fn each(&self) -> impl Iterator<Item = usize> + '_ {
        let words = self.words.iter().enumerate().filter(|(_, word)| **word > 0);
        words.flat_map(move |(at, word)| {
            let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| 64 * at + bit)
        })
    }

    fn unite(&mut self, other: &Lengths) {
        for (one, other) in self.words.iter_mut().zip(&other.words) {
            *one |= other;
        }
    }

    /// Returns the sums of each length of this set and each length of the other, or `None` if the
    /// budget does not suffice.
    pub fn plus(&self, other: &Lengths, budget: &mut Budget) -> Option<Lengths> {
        let count = |set: &Lengths| set.words.iter().map(|word| word.count_ones()).sum::<u32>();
        let (few, many) = match count(self) < count(other) {
            true => (self, other),
            false => (other, self),
        };
        let mut sums = Lengths::none(self.top);
        for len in few.each() {
            budget.spend(1 + self.words.len() / 16)?;
            let (words, bits) = (len / 64, len % 64);
            for at in words..sums.words.len() {
                let low = many.words[at - words] << bits;
                let carried = match (bits, (at - words).checked_sub(1)) {
                    (1.., Some(before)) => many.words[before] >> (64 - bits),
                    _ => 0,
                };
                sums.words[at] |= low | carried;
            }
        }
        Some(sums)
    }
}

/// Returns the lengths up to `top` of the matches of a part, or `None` if the budget does not
/// suffice.
pub fn lengths(hir: &Hir, top: usize, budget: &mut Budget) -> Option<Lengths> {
    budget.spend(2 + top / 1024)?;
    Some(match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Lengths::only(0, top),
        HirKind::Literal(bytes) => Lengths::only(literal(&bytes.0).chars().count(), top),
        HirKind::Class(_) => Lengths::only(1, top),
        HirKind::Capture(capture) => lengths(&capture.sub, top, budget)?,
        HirKind::Repetition(repetition) => repeated(repetition, top, budget)?,
        HirKind::Concat(parts) => {
            let mut sum = Lengths::only(0, top);
            for part in parts {
                sum = sum.plus(&lengths(part, top, budget)?, budget)?;
            }
            sum
        }
        HirKind::Alternation(branches) => {
            let mut all = Lengths::none(top);
            for branch in branches {
                all.unite(&lengths(branch, top, budget)?);
            }
            all
        }
    })
}

fn repeated(repetition: &Repetition, top: usize, budget: &mut Budget) -> Option<Lengths> {
    let once = lengths(&repetition.sub, top, budget)?;
    let max = repetition.max.map_or(usize::MAX, |max| max as usize);
    let mut each = once.each();
    if let (Some(len @ 1..), None) = (each.next(), each.next()) {
        budget.spend(top / len / 4)?;
        let mut all = Lengths::none(top);
        let counts = (repetition.min as usize..=max).take_while(|count| count * len <= top);
        counts.for_each(|count| all.add(count * len));
        return Some(all);
    }
    let mut sum = Lengths::only(0, top);
    for _ in 0..repetition.min {
        let next = sum.plus(&once, budget)?;
        let settled = next == sum || next.each().next().is_none();
        sum = next;
        if settled {
            break;
        }
    }
    let mut all = sum.clone();
    for _ in repetition.min as usize..max {
        sum = sum.plus(&once, budget)?;
        let before = all.clone();
        all.unite(&sum);
        if all == before {
            break;
        }
    }
    Some(all)
}
