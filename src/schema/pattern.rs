//! Regular expressions of `pattern`, with the semantics of JavaScript (ECMA-262, as JSON Schema
//! Core, section 6.4, recommends). They are parsed by regex-syntax; matching strings and generating
//! matching strings is done here, with bounded work.

mod generate;
mod lengths;
mod matching;
mod parts;
mod translate;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{Ast, ErrorKind};
use regex_syntax::hir::translate::Translator;
use regex_syntax::hir::{Hir, Look};

use super::{error::SchemaError, fuel::Fuel};
use parts::Budget;

/// The longest pattern in bytes; zod emits patterns of up to 420.
const PATTERN_MAX: usize = 1024;

/// The deepest nesting of groups, which bounds recursion.
const NEST_MAX: u32 = 40;

/// The longest string that is matched or generated, in characters.
pub const MATCHED_MAX: usize = 4096;

/// The most steps that matching or generating one string may take.
const STEPS_MAX: u32 = 4_000;

/// A regular expression.
#[derive(Debug)]
pub struct Pattern {
    hir: Hir,
    /// Two flags: true if every match begins at the start of the string, and true if every match
    /// ends at its end.
    pub anchored: (bool, bool),
}

/// A partially parsed regular expression.
#[derive(Debug)]
pub struct Parsing {
    translated: String,
    ast: Ast,
}

impl Pattern {
    /// Does the first half of parsing a pattern. Each half takes at most 100 microseconds, and at
    /// most 50 for patterns of up to 500 bytes.
    pub fn begin(pattern: &str) -> Result<Parsing, SchemaError> {
        SchemaError::TooLarge.when(pattern.len() > PATTERN_MAX)?;
        let translated = translate::from_javascript(pattern)?;
        let mut parser = ParserBuilder::new().nest_limit(NEST_MAX).build();
        let ast = parser
            .parse(&translated)
            .map_err(|error| match error.kind() {
                ErrorKind::NestLimitExceeded(_) => SchemaError::TooLarge,
                _ => SchemaError::BadPattern,
            })?;
        Ok(Parsing { translated, ast })
    }

    /// Does the second half of parsing a pattern.
    pub fn end(parsing: &Parsing) -> Result<Pattern, SchemaError> {
        let hir = Translator::new().translate(&parsing.translated, &parsing.ast);
        let hir = hir.map_err(|_| SchemaError::BadPattern)?;
        let properties = hir.properties();
        Ok(Pattern {
            anchored: (
                properties.look_set_prefix().contains(Look::Start),
                properties.look_set_suffix().contains(Look::End),
            ),
            hir,
        })
    }

    /// Returns the number of steps that each half of parsing a pattern takes.
    pub fn parse_cost(pattern: &str) -> u32 {
        // About 80 nanoseconds per byte (bench `schema`).
        10 + 4 * pattern.len().min(PATTERN_MAX) as u32
    }

    /// Returns whether the pattern matches anywhere in `text`.
    pub fn matches(&self, text: &str, fuel: &mut Fuel) -> Result<bool, SchemaError> {
        let chars: Vec<char> = text.chars().take(MATCHED_MAX + 1).collect();
        SchemaError::TooLarge.when(chars.len() > MATCHED_MAX)?;
        let mut budget = Budget::new(STEPS_MAX);
        let found = self.is_match(&chars, &mut budget);
        fuel.spend(budget.spent())?;
        found.ok_or(SchemaError::TooLarge)
    }

    /// Generates a string of `min` to `max` characters that the pattern matches, or `None` if none
    /// was found. Different variants are different strings if the pattern allows. The string may
    /// fail to match if the pattern has anchors or word boundaries in the middle.
    pub fn generate(
        &self,
        min: usize,
        max: usize,
        variant: u32,
        fuel: &mut Fuel,
    ) -> Result<Option<String>, SchemaError> {
        SchemaError::TooLarge.when(min > MATCHED_MAX)?;
        let mut budget = Budget::new(STEPS_MAX);
        let made = self.string(min, max.min(MATCHED_MAX), variant, &mut budget);
        fuel.spend(budget.spent())?;
        made.ok_or(SchemaError::TooLarge)
    }
}

#[cfg(test)]
mod tests;
