//! Candidate strings and numbers for a schema, the simplest first. The judge decides whether they
//! satisfy it.

use std::task::{Poll, ready};

use super::format::Format;
use super::fuel::Fuel;
use super::keyword::Keyword;
use super::number::{Bound, Number, Range};
use super::pattern::MATCHED_MAX;
use super::rules::{RuleId, Rules};
use super::unfit::Unfit;
use crate::json::Kind;

/// The word that strings are made of.
const WORD: &str = "mocked";

/// The longest string that is made to measure, in characters.
const LENGTH_MAX: u64 = 65_536;

/// The numbers of the strings of each sample of a format.
const BLOCK: u32 = 256;

/// The other variants of each sample that are tried where the first is rejected.
const OTHERS: u32 = 8;

/// The longest of the shortest strings that several patterns are met with, in characters.
const SHORT_MAX: u64 = 24;

/// The strings of each pattern.
const PATTERN_VARIANTS: u32 = 4096;

/// The index of the first fallback candidate, tried after a word was rejected.
const ODD: u32 = 1 << 16;

/// The lengths of those strings, and what they are made of: a schema may forbid what words are.
const ODD_LENGTHS: [u64; 20] = [
    0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 16, 20, 24, 32, 48, 64, 100, 128, 256,
];
/// See [`ODD_LENGTHS`].
const ODD_WORDS: [&str; 8] = ["1", "A", "-", " ", "_", ".", "é", "🙂"];

/// The letters of the numbers that tell words apart.
const LETTERS: &[u8; 36] = b"mockedabfghijlnpqrstuvwxyz0123456789";

/// The range of numbers that a rule allows, without its steps.
pub fn range(rules: &Rules, rule: RuleId) -> Range {
    let mut range = Range::default();
    add_bounds(rules, rule, &mut range);
    range
}

fn add_bounds(rules: &Rules, rule: RuleId, range: &mut Range) {
    let kind = |keyword| rules.get(rule, keyword).map(|at| rules.tree.kind(at));
    let number = |keyword| kind(keyword).and_then(Number::of);
    // Before draft 6, the exclusive ones were flags beside the others.
    let flag = |keyword| kind(keyword) == Some(Kind::Bool(true));
    if let Some(number) = number(Keyword::Minimum) {
        let exclusive = flag(Keyword::ExclusiveMinimum);
        range.from(Bound { number, exclusive });
    }
    if let Some(number) = number(Keyword::Maximum) {
        let exclusive = flag(Keyword::ExclusiveMaximum);
        range.to(Bound { number, exclusive });
    }
    let exclusive = true;
    if let Some(number) = number(Keyword::ExclusiveMinimum) {
        range.from(Bound { number, exclusive });
    }
    if let Some(number) = number(Keyword::ExclusiveMaximum) {
        range.to(Bound { number, exclusive });
    }
}

/// What numbers all of these rules allow.
pub fn numbers(rules: &Rules, demands: &[RuleId]) -> Range {
    let mut range = Range::default();
    for rule in demands {
        add_bounds(rules, *rule, &mut range);
        let step = rules.get(*rule, Keyword::MultipleOf);
        if let Some(step) = step.and_then(|at| Number::of(rules.tree.kind(at))) {
            range.step(step);
        }
    }
    range
}

/// A string that could do.
pub struct Candidate {
    /// The string; `None` where this number has none.
    pub text: Option<String>,
    /// The number of the next one to try if this one does not do.
    pub after: u32,
}

/// The string with this number that all of these rules could allow; `None` behind the last one.
pub fn string(
    rules: &mut Rules,
    demands: &[RuleId],
    index: u32,
    fuel: &mut Fuel,
) -> Poll<Result<Option<Candidate>, Unfit>> {
    let least = most_of(rules, demands, Keyword::MinLength).unwrap_or(0);
    let most = least_of(rules, demands, Keyword::MaxLength).unwrap_or(u64::MAX);
    if most < least {
        return Poll::Ready(Ok(None));
    }
    let format = demands.iter().find_map(|rule| {
        let name = rules.text(*rule, Keyword::Format)?;
        Format::named(name)
    });
    let samples = format.map_or(0, Format::samples);
    if let Some((format, sample, variant, after)) = format.and_then(|it| sample_of(it, index)) {
        fuel.spend(10)?;
        let least = least.min(MATCHED_MAX as u64) as usize;
        let text = format.sample(sample, variant, least);
        return Poll::Ready(Ok(Some(Candidate { text, after })));
    }
    let patterns = patterns(rules, demands);
    let number = index - samples * (BLOCK + OTHERS);
    // Each pattern has its turn, and what is made of all of them.
    let ways = patterns.len() as u32 + u32::from(patterns.len() > 1);
    if ways > 0 {
        let (way, variant) = (number % ways, number / ways);
        if variant == PATTERN_VARIANTS {
            return Poll::Ready(Ok(None));
        }
        // Every other string has other characters; those between have another length.
        let (variant, lengths) = match variant % 2 {
            0 => (variant / 2, (least, most)),
            _ => {
                let length = least + u64::from(variant / 2);
                (0, (length, length.min(most)))
            }
        };
        let text = match patterns.get(way as usize) {
            Some(pattern) => ready!(of_pattern(rules, *pattern, lengths, variant, fuel))?,
            None => ready!(of_patterns(rules, &patterns, variant, fuel))?,
        };
        let after = index + 1;
        return Poll::Ready(Ok(Some(Candidate { text, after })));
    }
    if least > LENGTH_MAX {
        return Poll::Ready(Err(Unfit::TooLarge));
    }
    let first = index - number;
    let (text, after) = match number.checked_sub(ODD) {
        None => {
            let text = word(number, least as usize, most.min(LENGTH_MAX) as usize);
            (text, first + ODD)
        }
        Some(odd) => (odd_string(odd, least, most), index + 1),
    };
    fuel.spend(2 + text.as_ref().map_or(0, String::len) as u32 / 16)?;
    let is_last = text.is_none() && number >= ODD;
    Poll::Ready(Ok((!is_last).then_some(Candidate { text, after })))
}

/// The sample and the variant of a format with this number, and the number of the one to try next:
/// first each sample, then others of them. `None` behind the last one.
fn sample_of(format: &'static Format, index: u32) -> Option<(&'static Format, u32, u32, u32)> {
    let samples = format.samples();
    match index.checked_sub(samples * BLOCK) {
        None => {
            let (sample, variant) = (index / BLOCK, index % BLOCK);
            Some((format, sample, variant, (sample + 1) * BLOCK))
        }
        Some(other) if other < samples * OTHERS => {
            let (sample, variant) = (other % samples, 1 + other / samples);
            Some((format, sample, variant, index + 1))
        }
        Some(_) => None,
    }
}

/// The places of the different patterns of these rules.
fn patterns(rules: &Rules, demands: &[RuleId]) -> Vec<u32> {
    let mut patterns: Vec<u32> = Vec::new();
    for rule in demands {
        let at = rules.get(*rule, Keyword::Pattern);
        let same = |one: &u32, other: u32| rules.tree.text(*one) == rules.tree.text(other);
        patterns.extend(at.filter(|at| !patterns.iter().any(|known| same(known, *at))));
    }
    patterns
}

/// A string of an odd length, or of odd characters.
fn odd_string(number: u32, least: u64, most: u64) -> Option<String> {
    let ends = [least, least.saturating_add(1), most.min(LENGTH_MAX)];
    let lengths = ends.into_iter().chain(ODD_LENGTHS);
    let length = lengths.clone().nth(number as usize);
    if let Some(length) = length {
        let length = length.max(least).min(most) as usize;
        return Some(repeated(length));
    }
    let word = ODD_WORDS.get(number as usize - lengths.count())?;
    let length = word_length(least, most);
    Some(word.chars().cycle().take(length).collect())
}

/// The word, over and over, up to this length.
fn repeated(length: usize) -> String {
    let mut text = WORD.repeat(length / WORD.len() + 1);
    text.truncate(length);
    text
}

fn word_length(least: u64, most: u64) -> usize {
    (WORD.len() as u64).max(least).min(most) as usize
}

fn of_pattern(
    rules: &mut Rules,
    at: u32,
    (least, most): (u64, u64),
    variant: u32,
    fuel: &mut Fuel,
) -> Poll<Result<Option<String>, Unfit>> {
    let pattern = ready!(rules.pattern(at, fuel))?;
    let least = usize::try_from(least).unwrap_or(usize::MAX);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Poll::Ready(pattern.generate(least, most, variant, fuel))
}

/// Strings of all patterns, one behind the other: what contains a match of each.
fn of_patterns(
    rules: &mut Rules,
    patterns: &[u32],
    variant: u32,
    fuel: &mut Fuel,
) -> Poll<Result<Option<String>, Unfit>> {
    // What must stand at the start comes first, and what must stand at the end last.
    let mut sorted = Vec::with_capacity(patterns.len());
    for at in patterns {
        let (start, end) = ready!(rules.pattern(*at, fuel))?.anchored();
        sorted.push((u32::from(end) + 1 - u32::from(start), *at));
    }
    sorted.sort_unstable();
    let mut all = String::new();
    for (_, at) in &sorted {
        // Every other string is made of the shortest parts.
        let (variant, lengths) = match variant % 2 {
            0 => (variant / 2, MATCHED_MAX as u64..=MATCHED_MAX as u64),
            _ => (0, 0..=SHORT_MAX),
        };
        let mut part = None;
        for most in lengths {
            part = ready!(of_pattern(rules, *at, (0, most), variant, fuel))?;
            if part.is_some() {
                break;
            }
        }
        match part {
            Some(part) => all += &part,
            None => return Poll::Ready(Ok(None)),
        }
    }
    Poll::Ready(Ok(Some(all)))
}

/// The word with this number that has at least `least` and at most `most` characters.
fn word(number: u32, least: usize, most: usize) -> Option<String> {
    let length = word_length(least as u64, most as u64);
    if number == 0 {
        return Some(repeated(length));
    }
    let numbered = repeated(length) + &number.to_string();
    if numbered.len() <= most {
        return Some(numbered);
    }
    // Where there is no room, the last letters change.
    let (mut digits, mut rest) = (Vec::new(), number as usize);
    while rest > 0 {
        digits.push(LETTERS[rest % LETTERS.len()]);
        rest /= LETTERS.len();
    }
    let length = length.max(digits.len());
    let stem = repeated(length - digits.len());
    let digits = digits.iter().rev().map(|digit| char::from(*digit));
    (length <= most).then(|| stem.chars().chain(digits).collect())
}

/// Returns the largest count that a keyword holds in any of these rules.
pub fn most_of(rules: &Rules, demands: &[RuleId], keyword: Keyword) -> Option<u64> {
    let counts = demands
        .iter()
        .filter_map(|rule| rules.count(*rule, keyword));
    counts.max()
}

/// Returns the smallest count that a keyword holds in any of these rules.
pub fn least_of(rules: &Rules, demands: &[RuleId], keyword: Keyword) -> Option<u64> {
    let counts = demands
        .iter()
        .filter_map(|rule| rules.count(*rule, keyword));
    counts.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_and_keep_their_lengths() {
        for (least, most, count) in [(0, 100, 1000), (1, 1, 36), (20, 30, 1000), (0, 0, 1)] {
            // One of those whose letters change may be the first word again.
            let mut seen = std::collections::HashSet::new();
            for number in 0..count {
                let word = word(number, least, most).unwrap();
                assert!((least..=most).contains(&word.len()), "{word}");
                seen.insert(word);
            }
            assert!(seen.len() + 1 >= count as usize, "{least} to {most}");
        }
        assert_eq!(word(0, 0, 100).unwrap(), "mocked");
        assert_eq!(word(0, 8, 100).unwrap(), "mockedmo");
        assert_eq!(word(0, 0, 3).unwrap(), "moc");
        assert_eq!(word(36, 1, 1), None);
    }
}
