//! The reasons why a schema gets no value.

/// The reason why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is neither an object nor `true` or `false`, or a keyword holds what it may not.
    Malformed,
    /// It has a keyword that is not followed.
    Keyword(&'static str),
    /// A `$ref` leads to something that is not part of the schema.
    Reference,
    /// A `pattern` is no regular expression.
    BadPattern,
    /// A `pattern` has look-around or a back-reference, and no known `format` stands beside it.
    LookAround,
    /// Every value would hold itself.
    Endless,
    /// It takes more work than a request may cost, or nests too deeply.
    TooLarge,
    /// No value was found that satisfies all of it.
    Contradiction,
}
