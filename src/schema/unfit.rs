//! The reasons why no value was made for a schema.

/// The reason why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is neither an object nor a boolean, or the value of a keyword has the wrong type.
    Malformed,
    /// It has an unsupported keyword.
    Keyword(&'static str),
    /// A `$ref` leads to something that is not part of the schema.
    Reference,
    /// A `pattern` is not a valid regular expression.
    BadPattern,
    /// A `pattern` has look-around or a back-reference, and no known `format` stands beside it.
    LookAround,
    /// It requires infinite nesting.
    Endless,
    /// It takes more work than a request may cost, or nests too deeply.
    TooLarge,
    /// No value was found that satisfies all of it.
    Contradiction,
}
