//! Generation of shell completions and of the manual page from the settings.

use std::ffi::OsStr;

use super::help::EXAMPLES;
use crate::net::StartError;
use crate::settings::{GENERATE, OTHERS, SETTINGS, Setting};

/// The output formats and their generators.
const FORMATS: [(&str, Generate); 4] = [("man", man), ("bash", bash), ("zsh", zsh), ("fish", fish)];

type Generate = fn() -> String;

/// Returns the output in a format.
pub(super) fn text(format: &OsStr) -> Result<String, StartError> {
    if let Some((_, make)) = FORMATS.iter().find(|(known, _)| *known == format) {
        return Ok(make());
    }
    let formats = formats(", ");
    Err(StartError::Usage(format!(
        "{GENERATE}: invalid value {format:?}; expected one of {formats}"
    )))
}

fn formats(separator: &str) -> String {
    FORMATS.map(|(format, _)| format).join(separator)
}

/// A flag that shells complete.
struct Completion {
    flag: String,
    /// The first sentence of the help.
    summary: String,
    /// The placeholder for the value; empty if the flag takes none, `FILE` for the name of a file.
    metavar: &'static str,
    /// The possible values, separated by spaces, if they are a fixed set of words.
    words: String,
}

/// Returns every flag.
fn completions() -> impl Iterator<Item = Completion> {
    let settings = SETTINGS.iter().map(|setting| {
        let help = setting.help.join(" ");
        let end = help.find(". ").unwrap_or(help.len());
        Completion {
            flag: setting.flag(),
            summary: help[..end].trim_end_matches('.').to_owned(),
            metavar: setting.metavar,
            words: (setting.allowed)().words.join(" "),
        }
    });
    let others = OTHERS.iter().map(|&(flag, help)| {
        let (metavar, words) = match flag {
            GENERATE => ("FORMAT", formats(" ")),
            _ => ("", String::new()),
        };
        Completion {
            flag: flag.to_owned(),
            summary: help[0].to_owned(),
            metavar,
            words,
        }
    });
    settings.chain(others)
}

fn bash() -> String {
    let mut text = String::from(
        "_mocker() {\n    local word=${COMP_WORDS[COMP_CWORD]} \
         before=${COMP_WORDS[COMP_CWORD-1]}\n    COMPREPLY=()\n    case $before in\n",
    );
    for one in completions().filter(|one| !one.metavar.is_empty()) {
        let values = match one.metavar {
            "FILE" => "-f".to_owned(),
            _ => format!("-W '{}'", one.words),
        };
        let compgen = format!("mapfile -t COMPREPLY < <(compgen {values} -- \"$word\")");
        text += &format!("        {}) {compgen}; return ;;\n", one.flag);
    }
    let flags: Vec<String> = completions().map(|one| one.flag).collect();
    text + &format!(
        "    esac\n    mapfile -t COMPREPLY < <(compgen -W '{}' -- \"${{word/#--/-}}\")\n}}\n\
         complete -F _mocker mocker\n",
        flags.join(" ")
    )
}

fn zsh() -> String {
    let mut text = String::from("#compdef mocker\n_arguments");
    for one in completions() {
        let value = match one.metavar {
            "" => String::new(),
            "FILE" => ":FILE:_files".to_owned(),
            metavar => format!(":{metavar}:({})", one.words),
        };
        // Brackets, colons and quotes have a meaning in a specification.
        let summary = one.summary.replace('\'', "'\\''");
        let summary = summary.replace('[', "\\[").replace(']', "\\]");
        let summary = summary.replace(':', "\\:");
        text += &format!(" \\\n    '{}[{summary}]{value}'", one.flag);
    }
    text + "\n"
}

fn fish() -> String {
    let mut text = String::from("complete -c mocker -f\n");
    for one in completions() {
        let value = match one.metavar {
            "" => String::new(),
            "FILE" => " -rF".to_owned(),
            _ => format!(" -xa '{}'", one.words),
        };
        let flag = one.flag.trim_start_matches('-');
        let help = one.summary.replace('\\', "\\\\").replace('\'', "\\'");
        text += &format!("complete -c mocker -o {flag}{value} -d '{help}'\n");
    }
    text
}

fn man() -> String {
    // A backslash begins an escape, and a bare dash would become a hyphen.
    let roff = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    let mut text = format!(
        ".TH MOCKER 1 \"\" \"mocker {}\"\n.SH NAME\nmocker \\- a mock OpenAI API server\n\
         .SH SYNOPSIS\n.B mocker\n[\\fI\\-flag value\\fR]...\n.SH DESCRIPTION\n\
         A server that imitates the OpenAI API with configurable latency and failures, and reports \
         how precisely it kept to them.\nA flag overrides its environment variable. A boolean flag \
         needs no value.\n",
        env!("CARGO_PKG_VERSION")
    );
    for entries in Setting::groups() {
        text += &format!(".SH {}\n", entries[0].group.to_uppercase());
        for setting in entries {
            text += &format!(
                ".TP\n.B {}\n{}\nDefault: {}. Allowed: {}. Variable: {}.\n",
                roff(&setting.usage()),
                roff(&setting.help.join("\n")),
                roff(&setting.shown(setting.default)),
                roff(&(setting.allowed)().text),
                setting.variable(),
            );
        }
    }
    text += ".SH OTHER\n";
    for (flag, help) in OTHERS {
        text += &format!(".TP\n.B {}\n{}\n", roff(flag), roff(&help.join("\n")));
    }
    text += ".SH EXIT STATUS\n";
    for (code, what) in [
        ("0", "Success."),
        ("1", "The server can't run."),
        ("2", "The settings are invalid."),
        ("3", "The run failed the condition of -fail-on."),
    ] {
        text += &format!(".TP\n.B {code}\n{}\n", roff(what));
    }
    text += ".SH EXAMPLES\n";
    for (command, what) in EXAMPLES {
        text += &format!(".TP\n.B {}\n{}\n", roff(command), roff(what));
    }
    text
}
