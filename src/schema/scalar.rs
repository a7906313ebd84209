//! Candidate strings and numbers for a schema, simplest first. They need not satisfy it: the
//! validator decides.

use super::error::{Resumable, SchemaError};
use super::number::{Bound, Number, Range};
use super::pattern::MATCHED_MAX;
use super::rules::{RuleId, Rules};
use super::{format::Format, fuel::Fuel, keyword::Keyword};
use crate::json::Node;

/// The word that generated strings are made of.
const WORD: &str = "mocked";

/// The longest string that is generated, in characters.
const LENGTH_MAX: usize = 65_536;

/// The number of indexes reserved for the variants of one sample of a format.
const BLOCK: u32 = 256;

/// The number of further variants of each sample that are tried after the first is rejected.
const FURTHER_VARIANTS: u32 = 8;

/// The longest part, in characters, of a string that is composed of the shortest match of each of
/// several patterns.
const SHORT_MAX: usize = 24;

/// The number of strings tried for each pattern.
const PATTERN_VARIANTS: u32 = 4096;

/// The index of the first fallback candidate, which is tried after a word is rejected.
const FALLBACK: u32 = 1 << 16;

/// The lengths of the fallback candidates, in case a schema excludes the usual length.
const FALLBACK_LENGTHS: [usize; 20] = [
    0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 16, 20, 24, 32, 48, 64, 100, 128, 256,
];
/// The words that fallback candidates are made of, in case a schema excludes letters.
const FALLBACK_WORDS: [&str; 8] = ["1", "A", "-", " ", "_", ".", "é", "🙂"];

/// The digits, in base 36, of the numbers that make words distinct.
const LETTERS: &[u8; 36] = b"mockedabfghijlnpqrstuvwxyz0123456789";

/// Returns the range of numbers that all of these rules allow.
pub fn numbers(rules: &Rules, demands: &[RuleId]) -> Range {
    let mut range = Range::default();
    for rule in demands {
        let node = |keyword| rules.get(*rule, keyword).map(|at| rules.tree.node(at));
        let number = |keyword| node(keyword).and_then(Number::of);
        // Before draft 6, `exclusiveMinimum` and `exclusiveMaximum` were booleans that modified
        // `minimum` and `maximum`.
        let bound = |keyword, modifier| {
            let exclusive = keyword == modifier || node(modifier) == Some(Node::Bool(true));
            number(keyword).map(|number| Bound { number, exclusive })
        };
        for keyword in [Keyword::Minimum, Keyword::ExclusiveMinimum] {
            let bound = bound(keyword, Keyword::ExclusiveMinimum);
            bound.into_iter().for_each(|bound| range.add_lower(bound));
        }
        for keyword in [Keyword::Maximum, Keyword::ExclusiveMaximum] {
            let bound = bound(keyword, Keyword::ExclusiveMaximum);
            bound.into_iter().for_each(|bound| range.add_upper(bound));
        }
        let step = number(Keyword::MultipleOf);
        step.into_iter().for_each(|step| range.add_step(step));
    }
    range
}

/// A candidate string.
pub struct Candidate {
    /// The string, or `None` if no string was found for this index.
    pub text: Option<String>,
    /// The index of the next candidate to try if this one is rejected.
    pub after: u32,
}

/// Returns candidate number `index` for these rules, or `None` after the last one.
pub fn string(
    rules: &mut Rules,
    demands: &[RuleId],
    index: u32,
    fuel: &mut Fuel,
) -> Resumable<Option<Candidate>> {
    let (min, max) = limits(rules, demands, Keyword::MinLength, Keyword::MaxLength);
    if max < min {
        return Ok(None);
    }
    let named = |rule: &RuleId| Format::named(rules.text(*rule, Keyword::Format)?);
    let format = demands.iter().find_map(named);
    let samples = format.map_or(0, Format::samples);
    if let Some(format) = format
        && let Some((sample, variant, after)) = sample_of(samples, index)
    {
        fuel.spend(10)?;
        let text = format.sample(sample, variant, min.min(MATCHED_MAX));
        return Ok(Some(Candidate { text, after }));
    }
    let patterns = patterns(rules, demands);
    let number = index - samples * (BLOCK + FURTHER_VARIANTS);
    // Alternate between the patterns, and strings composed of matches of all of them.
    let ways = patterns.len() as u32 + u32::from(patterns.len() > 1);
    if ways > 0 {
        let (way, variant) = (number % ways, number / ways);
        if variant == PATTERN_VARIANTS {
            return Ok(None);
        }
        // Alternate between other characters and other lengths.
        let (variant, min, max) = match variant % 2 {
            0 => (variant / 2, min, max),
            _ => {
                let length = min + variant as usize / 2;
                (0, length, length.min(max))
            }
        };
        let text = match patterns.get(way as usize) {
            Some(at) => rules
                .pattern(*at, fuel)?
                .generate(min, max, variant, fuel)?,
            None => of_patterns(rules, &patterns, variant, fuel)?,
        };
        let after = index + 1;
        return Ok(Some(Candidate { text, after }));
    }
    SchemaError::TooLarge.when(min > LENGTH_MAX)?;
    let first = index - number;
    let (text, after) = match number.checked_sub(FALLBACK) {
        None => (word(number, min, max.min(LENGTH_MAX)), first + FALLBACK),
        Some(fallback) => (fallback_string(fallback, min, max), index + 1),
    };
    fuel.spend(2 + text.as_ref().map_or(0, String::len) as u32 / 16)?;
    let is_last = text.is_none() && number >= FALLBACK;
    Ok((!is_last).then_some(Candidate { text, after }))
}

/// Returns the sample and the variant of a format for an index, and the next index to try: first
/// each sample, then further variants of them. Returns `None` after the last one.
fn sample_of(samples: u32, index: u32) -> Option<(u32, u32, u32)> {
    match index.checked_sub(samples * BLOCK) {
        None => {
            let sample = index / BLOCK;
            Some((sample, index % BLOCK, (sample + 1) * BLOCK))
        }
        Some(other) if other < samples * FURTHER_VARIANTS => {
            Some((other % samples, 1 + other / samples, index + 1))
        }
        Some(_) => None,
    }
}

/// Returns the positions of the distinct patterns of these rules.
fn patterns(rules: &Rules, demands: &[RuleId]) -> Vec<u32> {
    let mut patterns: Vec<u32> = Vec::new();
    for rule in demands {
        let at = rules.get(*rule, Keyword::Pattern);
        let same = |one: &u32, other: u32| rules.tree.text(*one) == rules.tree.text(other);
        patterns.extend(at.filter(|at| !patterns.iter().any(|known| same(known, *at))));
    }
    patterns
}

/// Returns fallback candidate number `number`: an unusual length or unusual characters.
fn fallback_string(number: u32, min: usize, max: usize) -> Option<String> {
    let ends = [min, min.saturating_add(1), max.min(LENGTH_MAX)];
    let lengths = ends.into_iter().chain(FALLBACK_LENGTHS);
    if let Some(length) = lengths.clone().nth(number as usize) {
        return Some(repeated(length.max(min).min(max)));
    }
    let word = FALLBACK_WORDS.get(number as usize - lengths.count())?;
    let chars = word.chars().cycle();
    Some(chars.take(word_length(min, max)).collect())
}

/// Returns the word repeated up to this length.
fn repeated(length: usize) -> String {
    let mut text = WORD.repeat(length / WORD.len() + 1);
    text.truncate(length);
    text
}

fn word_length(min: usize, max: usize) -> usize {
    WORD.len().max(min).min(max)
}

/// Returns a string that is composed of a match of each pattern.
fn of_patterns(
    rules: &mut Rules,
    patterns: &[u32],
    variant: u32,
    fuel: &mut Fuel,
) -> Resumable<Option<String>> {
    // Patterns anchored at the start come first, and those anchored at the end last.
    let mut sorted = Vec::with_capacity(patterns.len());
    for at in patterns {
        let (start, end) = rules.pattern(*at, fuel)?.anchored;
        sorted.push((u32::from(end) + 1 - u32::from(start), *at));
    }
    sorted.sort_unstable();
    let mut all = String::new();
    for (_, at) in &sorted {
        // Every other string is composed of the shortest matches.
        let (variant, lengths) = match variant % 2 {
            0 => (variant / 2, MATCHED_MAX..=MATCHED_MAX),
            _ => (0, 0..=SHORT_MAX),
        };
        let mut part = None;
        for max in lengths {
            part = rules.pattern(*at, fuel)?.generate(0, max, variant, fuel)?;
            if part.is_some() {
                break;
            }
        }
        match part {
            Some(part) => all += &part,
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}

/// Returns word number `number`, which has from `min` to `max` characters.
fn word(number: u32, min: usize, max: usize) -> Option<String> {
    let length = word_length(min, max);
    if number == 0 {
        return Some(repeated(length));
    }
    let numbered = repeated(length) + &number.to_string();
    if numbered.len() <= max {
        return Some(numbered);
    }
    // If there is no room for a number, replace the last letters.
    let (mut digits, mut rest) = (Vec::new(), number as usize);
    while rest > 0 {
        digits.push(LETTERS[rest % LETTERS.len()]);
        rest /= LETTERS.len();
    }
    let length = length.max(digits.len());
    let stem = repeated(length - digits.len());
    let digits = digits.iter().rev().map(|digit| char::from(*digit));
    (length <= max).then(|| stem.chars().chain(digits).collect())
}

/// Returns a count as a `u32`, saturating.
pub fn saturated(count: impl TryInto<u32>) -> u32 {
    count.try_into().unwrap_or(u32::MAX)
}

/// Returns the largest value of one keyword, and the smallest value of another, among these rules.
pub fn limits(rules: &Rules, demands: &[RuleId], min: Keyword, max: Keyword) -> (usize, usize) {
    let counts = |keyword| {
        let demands = demands.iter();
        let counts = demands.filter_map(move |rule| rules.count(*rule, keyword));
        counts.map(|count| usize::try_from(count).unwrap_or(usize::MAX))
    };
    let (min, max) = (counts(min).max(), counts(max).min());
    (min.unwrap_or(0), max.unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_and_keep_their_lengths() {
        for (min, max, count) in [(0, 100, 1000), (1, 1, 36), (20, 30, 1000), (0, 0, 1)] {
            // One of the words with replaced letters may equal the first word.
            let mut seen = std::collections::HashSet::new();
            for number in 0..count {
                let word = word(number, min, max).unwrap();
                assert!((min..=max).contains(&word.len()), "{word}");
                seen.insert(word);
            }
            assert!(seen.len() + 1 >= count as usize, "{min} to {max}");
        }
        assert_eq!(word(0, 0, 100).unwrap(), "mocked");
        assert_eq!(word(0, 8, 100).unwrap(), "mockedmo");
        assert_eq!(word(0, 0, 3).unwrap(), "moc");
        assert_eq!(word(36, 1, 1), None);
    }
}
