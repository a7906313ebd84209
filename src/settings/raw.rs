//! The values of the settings as text, and their origins.

use super::{SETTINGS, Setting, Settings};

/// The settings that the startup message reports anyway.
const ALWAYS_REPORTED: [&str; 6] = ["host", "port", "threads", "pin", "cores", "quiet"];

/// The origin of a setting's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    Flag,
    Variable,
}

/// The value of each setting as text, with its origin, in the order of [`SETTINGS`].
pub(super) struct RawValues(Vec<(Origin, String)>);

impl RawValues {
    /// Creates the defaults.
    pub(super) fn new() -> RawValues {
        let default = |setting: &Setting| (Origin::Default, setting.default.to_owned());
        RawValues(SETTINGS.iter().map(default).collect())
    }

    /// Sets the value of setting number `at`.
    pub(super) fn set(&mut self, at: usize, origin: Origin, text: String) {
        self.0[at] = (origin, text);
    }

    /// Returns whether setting number `at` was set by a flag.
    pub(super) fn is_from_flag(&self, at: usize) -> bool {
        self.0[at].0 == Origin::Flag
    }

    /// Returns each setting with the origin and the text of its value.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'static Setting, Origin, &str)> {
        let entries = SETTINGS.iter().zip(&self.0);
        entries.map(|(setting, (origin, text))| (setting, *origin, text.as_str()))
    }

    /// Returns the name of the flag or variable that set a field.
    pub(super) fn origin(&self, field: &str) -> String {
        let (setting, origin, _) = self
            .entries()
            .find(|(setting, ..)| setting.field == field)
            .expect("the field exists");
        match origin {
            Origin::Flag => setting.flag(),
            _ => setting.variable(),
        }
    }

    /// Returns the settings that differ from their defaults as flags, except [`ALWAYS_REPORTED`].
    pub(super) fn changed(&self) -> String {
        let entries = self.entries().filter(|(setting, origin, text)| {
            let mut settings = Settings::default();
            let taken = (setting.set)(&mut settings, text);
            let differs = taken.is_some() && settings != Settings::default();
            *origin != Origin::Default && differs && !ALWAYS_REPORTED.contains(&setting.field)
        });
        let flags = entries.map(|(setting, _, text)| match setting.metavar {
            "" => setting.flag(),
            _ => format!("{} {}", setting.flag(), setting.shown(text)),
        });
        flags.collect::<Vec<_>>().join(" ")
    }
}

impl Setting {
    /// Formats a value for output: quoted if a shell needs it, and masked if it is secret.
    pub(super) fn shown(&self, text: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/%+@".contains(c);
        match text {
            _ if (self.secret)() && !text.is_empty() => "(set)".into(),
            _ if !text.is_empty() && text.chars().all(plain) => text.into(),
            _ => format!("{text:?}"),
        }
    }
}
