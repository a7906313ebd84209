//! Regular expressions of `pattern`, as JavaScript reads them (ECMA-262, as JSON Schema Core 6.4
//! recommends). They are parsed by regex-syntax; whether a string matches, and which string does,
//! is decided here with bounded work.

mod generate;
mod lengths;
mod matching;
mod parts;
mod translate;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{Ast, ErrorKind};
use regex_syntax::hir::translate::Translator;
use regex_syntax::hir::{Hir, Look};

use super::fuel::Fuel;
use super::unfit::Unfit;
use parts::Budget;
pub use translate::PatternFault;

/// The longest pattern, in bytes: those that zod writes have up to 420.
const PATTERN_MAX: usize = 1024;

/// The deepest nesting of groups, which bounds recursion.
const NEST_MAX: u32 = 40;

/// The longest string that is matched or made, in characters.
pub const MATCHED_MAX: usize = 4096;

/// The most steps that a match, or making a string, may cost.
const STEPS_MAX: u32 = 4_000;

/// A regular expression.
#[derive(Debug)]
pub struct Pattern {
    hir: Hir,
    /// True if every match begins at the start of the string, and ends at its end.
    anchored: (bool, bool),
}

/// A partially parsed regular expression.
#[derive(Debug)]
pub struct Parsing {
    translated: String,
    ast: Ast,
}

impl From<PatternFault> for Unfit {
    fn from(fault: PatternFault) -> Unfit {
        match fault {
            PatternFault::Malformed => Unfit::BadPattern,
            PatternFault::LookAround => Unfit::LookAround,
            PatternFault::TooLarge => Unfit::TooLarge,
        }
    }
}

impl Pattern {
    /// Begins to parse a pattern. Each half takes at most 100 microseconds, and at most 50 for
    /// patterns of up to 500 bytes.
    pub fn begin(pattern: &str) -> Result<Parsing, PatternFault> {
        if pattern.len() > PATTERN_MAX {
            return Err(PatternFault::TooLarge);
        }
        let translated = translate::from_javascript(pattern)?;
        let mut parser = ParserBuilder::new().nest_limit(NEST_MAX).build();
        let ast = parser
            .parse(&translated)
            .map_err(|error| match error.kind() {
                ErrorKind::NestLimitExceeded(_) => PatternFault::TooLarge,
                _ => PatternFault::Malformed,
            })?;
        Ok(Parsing { translated, ast })
    }

    /// Finishes parsing a pattern.
    pub fn end(parsing: &Parsing) -> Result<Pattern, PatternFault> {
        let hir = Translator::new().translate(&parsing.translated, &parsing.ast);
        let hir = hir.map_err(|_| PatternFault::Malformed)?;
        let properties = hir.properties();
        Ok(Pattern {
            anchored: (
                properties.look_set_prefix().contains(Look::Start),
                properties.look_set_suffix().contains(Look::End),
            ),
            hir,
        })
    }

    /// The steps that each half of parsing a pattern takes.
    pub fn parse_cost(pattern: &str) -> u32 {
        // About 80 nanoseconds a byte (bench `schema`).
        10 + 4 * pattern.len().min(PATTERN_MAX) as u32
    }

    /// Returns whether every match begins at the start of the string, and ends at its end.
    pub fn anchored(&self) -> (bool, bool) {
        self.anchored
    }

    /// Returns whether the pattern matches anywhere in `text`.
    pub fn matches(&self, text: &str, fuel: &mut Fuel) -> Result<bool, Unfit> {
        let chars: Vec<char> = text.chars().take(MATCHED_MAX + 1).collect();
        if chars.len() > MATCHED_MAX {
            return Err(Unfit::TooLarge);
        }
        let mut budget = Budget::new(STEPS_MAX);
        let found = matching::is_match(&self.hir, &chars, self.anchored, &mut budget);
        fuel.spend(budget.spent())?;
        found.ok_or(Unfit::TooLarge)
    }

    /// Makes a string of `least` to `most` characters that the pattern matches. Another `variant`
    /// is a different string if the pattern allows one. The string may fail to match if the pattern
    /// has anchors or word boundaries in the middle. `None` if none was found.
    pub fn generate(
        &self,
        least: usize,
        most: usize,
        variant: u32,
        fuel: &mut Fuel,
    ) -> Result<Option<String>, Unfit> {
        if least > MATCHED_MAX {
            return Err(Unfit::TooLarge);
        }
        let mut budget = Budget::new(STEPS_MAX);
        let made = generate::string(
            &self.hir,
            self.anchored,
            least,
            most.min(MATCHED_MAX),
            variant,
            &mut budget,
        );
        fuel.spend(budget.spent())?;
        made.ok_or(Unfit::TooLarge)
    }
}

#[cfg(test)]
mod tests;
