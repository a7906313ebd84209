//! Helpers for both matching and generating strings: the work budget, and accessors for parsed
//! patterns.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// The work budget of one match or one generated string, in steps.
#[derive(Debug)]
pub struct Budget {
    left: u32,
    of: u32,
}

impl Budget {
    /// Creates a budget of `steps` steps.
    pub fn new(steps: u32) -> Budget {
        Budget {
            left: steps,
            of: steps,
        }
    }

    /// Spends steps. Returns `None` if too few are left.
    pub fn spend(&mut self, steps: usize) -> Option<()> {
        let left = (self.left as usize).checked_sub(steps);
        self.left = left.unwrap_or(0) as u32;
        left.map(|_| ())
    }

    /// Returns the number of steps spent, plus one.
    pub fn spent(&self) -> u32 {
        1 + self.of - self.left
    }
}

/// Returns the character ranges of a class.
pub fn ranges(class: &Class) -> &[ClassUnicodeRange] {
    match class {
        Class::Unicode(class) => class.ranges(),
        // The translation produces no byte classes.
        Class::Bytes(_) => &[],
    }
}

/// Returns whether a class contains a character.
pub fn has(class: &Class, char: char) -> bool {
    let ranges = ranges(class);
    let after = ranges.partition_point(|range| range.start() <= char);
    after > 0 && char <= ranges[after - 1].end()
}

/// Returns the text of a literal.
pub fn literal(bytes: &[u8]) -> &str {
    // Without byte classes, literals are always UTF-8.
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Returns whether a part of a pattern always matches exactly one character.
pub fn is_single(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(_) => true,
        HirKind::Literal(text) => literal(&text.0).chars().count() == 1,
        HirKind::Capture(capture) => is_single(&capture.sub),
        _ => false,
    }
}
