//! The values that settings were given, and where they come from. Knows neither how flags are read
//! nor which settings go together.

use super::{ROWS, Row, Settings};

/// The settings that the line which says ready tells anyway.
const TOLD: [&str; 6] = ["host", "port", "threads", "pin", "cores", "quiet"];

/// Where the value of a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    Flag,
    Variable,
}

/// The values as they were given, in the order of the rows.
pub(super) struct Given(Vec<(Origin, String)>);

impl Given {
    /// No value was given: each is the default.
    pub(super) fn new() -> Given {
        let default = |row: &Row| (Origin::Default, row.default.to_owned());
        Given(ROWS.iter().map(default).collect())
    }

    /// A value was given for the row of this number.
    pub(super) fn set(&mut self, at: usize, origin: Origin, text: String) {
        self.0[at] = (origin, text);
    }

    /// Whether a flag gave the value of the row of this number.
    pub(super) fn is_flag(&self, at: usize) -> bool {
        self.0[at].0 == Origin::Flag
    }

    /// Each row, where its value comes from, and the value.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'static Row, Origin, &str)> {
        let rows = ROWS.iter().zip(&self.0);
        rows.map(|(row, (origin, text))| (row, *origin, text.as_str()))
    }

    /// The flag or the variable that a value came from.
    pub(super) fn origin(&self, field: &str) -> String {
        let (row, origin, _) = self
            .rows()
            .find(|(row, ..)| row.field == field)
            .expect("it has a row");
        match origin {
            Origin::Flag => row.flag(),
            _ => row.variable(),
        }
    }

    /// The settings that differ from their defaults, as flags; but for those in [`TOLD`].
    pub(super) fn changed(&self) -> String {
        let rows = self.rows().filter(|(row, origin, text)| {
            let mut settings = Settings::default();
            let taken = (row.set)(&mut settings, text);
            let differs = taken.is_some() && settings != Settings::default();
            *origin != Origin::Default && differs && !TOLD.contains(&row.field)
        });
        let flags = rows.map(|(row, _, text)| match row.metavar {
            "" => row.flag(),
            _ => format!("{} {}", row.flag(), row.shown(text)),
        });
        flags.collect::<Vec<_>>().join(" ")
    }
}

impl Row {
    /// A value as it may be shown, as a shell would take it.
    pub(super) fn shown(&self, text: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/%+@".contains(c);
        match text {
            _ if (self.secret)() && !text.is_empty() => "(set)".into(),
            _ if !text.is_empty() && text.chars().all(plain) => text.into(),
            _ => format!("{text:?}"),
        }
    }
}
