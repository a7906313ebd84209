//! The settings that the command line and the environment specify, with their origins.

use std::ffi::{OsStr, OsString};

use super::{SETTINGS, Setting, Settings};

/// The settings that the startup message reports anyway.
const ALWAYS_REPORTED: [&str; 6] = ["host", "port", "threads", "pin", "cores", "quiet"];

/// The origin of a setting's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing has set it.
    Default,
    /// A flag has set it.
    Flag,
    /// Its environment variable has set it.
    Variable,
}

/// The action that the flags specify.
pub enum Action {
    /// Serve.
    Run,
    /// Check the health of the server that the settings describe.
    Healthcheck,
    /// Print the effective configuration.
    PrintConfig,
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Print shell completions or a manual page, in this format.
    Generate(OsString),
}

/// The meaning of the command line and the environment.
pub struct CommandLine {
    /// The action.
    pub action: Action,
    /// The value of every setting.
    pub settings: Settings,
    /// Warnings.
    pub notes: Vec<String>,
    /// The value of each setting as text, with its origin, in the order of [`SETTINGS`].
    texts: Vec<(Origin, String)>,
}

impl CommandLine {
    /// Creates the defaults.
    pub(super) fn new() -> CommandLine {
        let default = |setting: &Setting| (Origin::Default, setting.default.to_owned());
        CommandLine {
            action: Action::Run,
            settings: Settings::default(),
            notes: Vec::new(),
            texts: SETTINGS.iter().map(default).collect(),
        }
    }

    /// Parses the value of setting number `at`. Errors format the value with `{:?}`, which keeps
    /// them on one line.
    pub(super) fn set(&mut self, at: usize, origin: Origin, value: &OsStr) -> Result<(), String> {
        let setting = &SETTINGS[at];
        let set = |text: &&str| (setting.set)(&mut self.settings, text).is_some();
        if let Some(text) = value.to_str().filter(set) {
            self.texts[at] = (origin, text.to_owned());
            return Ok(());
        }
        let allowed = (setting.allowed)();
        let shown = match allowed.secret {
            true => String::new(),
            false => format!(" {value:?}"),
        };
        let (name, allowed) = (setting.name(origin), allowed.text);
        Err(format!("{name}: invalid value{shown}; expected {allowed}"))
    }

    /// Returns true if setting number `at` was set by a flag.
    pub(super) fn is_from_flag(&self, at: usize) -> bool {
        self.texts[at].0 == Origin::Flag
    }

    /// Returns each setting with the origin and the text of its value.
    pub fn entries(&self) -> impl Iterator<Item = (&'static Setting, Origin, &str)> {
        let entries = SETTINGS.iter().zip(&self.texts);
        entries.map(|(setting, (origin, text))| (setting, *origin, text.as_str()))
    }

    /// Returns the name of the flag or variable that set a field.
    pub(super) fn origin(&self, field: &str) -> String {
        let mut entries = self.entries();
        let entry = entries.find(|(setting, ..)| setting.field == field);
        let (setting, origin, _) = entry.expect("the field exists");
        setting.name(origin)
    }

    /// Returns the settings that differ from their defaults as flags, except those that the startup
    /// message reports anyway.
    pub fn changed(&self) -> String {
        let differs = |setting: &Setting, text: &str| {
            let mut settings = Settings::default();
            let taken = (setting.set)(&mut settings, text);
            taken.is_some() && settings != Settings::default()
        };
        let entries = self.entries().filter(|(setting, origin, text)| {
            let reported = ALWAYS_REPORTED.contains(&setting.field);
            *origin != Origin::Default && !reported && differs(setting, text)
        });
        let flags = entries.map(|(setting, _, text)| match setting.metavar {
            "" => setting.flag(),
            _ => format!("{} {}", setting.flag(), setting.shown(text)),
        });
        flags.collect::<Vec<_>>().join(" ")
    }
}

impl Setting {
    /// Returns the name by which it is set.
    fn name(&self, origin: Origin) -> String {
        match origin {
            Origin::Flag => self.flag(),
            _ => self.variable(),
        }
    }

    /// Formats a value for output: quoted if a shell needs it, and masked if it is secret.
    pub fn shown(&self, text: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/%+@".contains(c);
        match text {
            _ if (self.allowed)().secret && !text.is_empty() => "(set)".into(),
            _ if !text.is_empty() && text.chars().all(plain) => text.into(),
            _ => format!("{text:?}"),
        }
    }
}
