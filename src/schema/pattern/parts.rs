//! What matching and making strings share: their budget, and the parts of a parsed pattern.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// The steps that may be spent on one match or one string.
#[derive(Debug)]
pub struct Budget {
    left: u32,
    of: u32,
}

impl Budget {
    /// A budget of this many steps.
    pub fn new(steps: u32) -> Budget {
        Budget {
            left: steps,
            of: steps,
        }
    }

    /// Spends steps; `None` when there are not enough.
    pub fn spend(&mut self, steps: usize) -> Option<()> {
        let left = (self.left as usize).checked_sub(steps);
        self.left = left.unwrap_or(0) as u32;
        left.map(|_| ())
    }

    /// The steps that have been spent, and one.
    pub fn spent(&self) -> u32 {
        1 + self.of - self.left
    }
}

/// The ranges of characters of a class.
pub fn ranges(class: &Class) -> &[ClassUnicodeRange] {
    match class {
        Class::Unicode(class) => class.ranges(),
        // The translation makes no class of bytes.
        Class::Bytes(_) => &[],
    }
}

/// Returns whether a class has a character.
pub fn has(class: &Class, char: char) -> bool {
    let ranges = ranges(class);
    let after = ranges.partition_point(|range| range.start() <= char);
    after > 0 && char <= ranges[after - 1].end()
}

/// The characters of a literal.
pub fn literal(bytes: &[u8]) -> &str {
    // Only classes of bytes make literals that are not UTF-8.
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Returns whether a part always takes exactly one character.
pub fn is_single(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(_) => true,
        HirKind::Literal(text) => literal(&text.0).chars().count() == 1,
        HirKind::Capture(capture) => is_single(&capture.sub),
        _ => false,
    }
}
