//! The error type of schemas, and the result of work that can be suspended.

/// The reason why no value was generated for a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaError {
    /// The schema is neither an object nor a boolean, or the value of a keyword has the wrong type.
    Malformed,
    /// A keyword is not supported.
    Keyword(&'static str),
    /// The target of a `$ref` is not part of the schema.
    Reference,
    /// A `pattern` is not a valid regular expression.
    BadPattern,
    /// A `pattern` has look-around or a back-reference, and the schema has no known `format`.
    LookAround,
    /// Every value would be infinitely deep.
    Endless,
    /// The schema exceeds the work budget of a request, or nests too deeply.
    TooLarge,
    /// No value was found that satisfies the whole schema.
    Contradiction,
}

impl SchemaError {
    /// Returns this error if `fails` is true.
    pub fn when(self, fails: bool) -> Result<(), SchemaError> {
        if fails { Err(self) } else { Ok(()) }
    }
}

/// The reason why a step of the work has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The call has no fuel left; the next call repeats the step.
    Paused,
    /// The step has failed.
    Failed(SchemaError),
}

/// The result of work that a call may leave for the next one.
pub type Resumable<T = ()> = Result<T, Halt>;

impl From<SchemaError> for Halt {
    fn from(why: SchemaError) -> Halt {
        Halt::Failed(why)
    }
}
