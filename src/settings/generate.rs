//! Generation of shell completions and of the manual page from the settings.

use super::texts::{EXAMPLES, GENERATE, OTHERS, groups};
use super::{SETTINGS, Setting};

/// The output formats and their generators.
pub(super) const FORMATS: [(&str, Generate); 4] =
    [("man", man), ("bash", bash), ("zsh", zsh), ("fish", fish)];

type Generate = fn() -> String;

/// Returns the output in a format, or `None` if the format is unknown.
pub(super) fn text(format: &str) -> Option<String> {
    let (_, make) = FORMATS.iter().find(|(known, _)| *known == format)?;
    Some(make())
}

impl Setting {
    /// Returns the first sentence of the help.
    fn summary(&self) -> String {
        let help = self.help.join(" ");
        let end = help.find(". ").unwrap_or(help.len());
        help[..end].trim_end_matches('.').to_owned()
    }

    /// Returns whether the value is the name of a file.
    fn is_file(&self) -> bool {
        self.metavar == "FILE"
    }
}

/// Returns all flags, separated by spaces.
fn flags() -> String {
    let others = OTHERS.iter().map(|(flag, _)| (*flag).to_owned());
    SETTINGS
        .iter()
        .map(Setting::flag)
        .chain(others)
        .collect::<Vec<_>>()
        .join(" ")
}

fn formats() -> String {
    FORMATS.map(|(format, _)| format).join(" ")
}

fn bash() -> String {
    let mut text = String::from(
        "_mocker() {\n    local word=${COMP_WORDS[COMP_CWORD]} \
         before=${COMP_WORDS[COMP_CWORD-1]}\n    COMPREPLY=()\n    case $before in\n",
    );
    let mut values = |flag: &str, words: &str| {
        text += &format!(
            "        {flag}) mapfile -t COMPREPLY < <(compgen {words} -- \"$word\"); return ;;\n"
        );
    };
    values(GENERATE, &format!("-W '{}'", formats()));
    for setting in SETTINGS
        .iter()
        .filter(|setting| !setting.metavar.is_empty())
    {
        let words = (setting.words)().join(" ");
        match (setting.is_file(), words.is_empty()) {
            (true, _) => values(&setting.flag(), "-f"),
            (false, true) => values(&setting.flag(), "-W ''"),
            (false, false) => values(&setting.flag(), &format!("-W '{words}'")),
        }
    }
    text + &format!(
        "    esac\n    mapfile -t COMPREPLY < <(compgen -W '{}' -- \"${{word/#--/-}}\")\n}}\n\
         complete -F _mocker mocker\n",
        flags()
    )
}

fn zsh() -> String {
    // Brackets, colons and quotes have a meaning in a specification.
    let plain = |text: &str| {
        let text = text.replace('\'', "'\\''");
        text.replace('[', "\\[")
            .replace(']', "\\]")
            .replace(':', "\\:")
    };
    let mut text = String::from("#compdef mocker\n_arguments \\\n");
    for setting in SETTINGS {
        let value = match setting.metavar {
            "" => String::new(),
            metavar if setting.is_file() => format!(":{metavar}:_files"),
            metavar => format!(":{metavar}:({})", (setting.words)().join(" ")),
        };
        let summary = plain(&setting.summary());
        text += &format!("    '{}[{summary}]{value}' \\\n", setting.flag());
    }
    for (flag, help) in OTHERS {
        let value = match *flag {
            GENERATE => format!(":FORMAT:({})", formats()),
            _ => String::new(),
        };
        text += &format!("    '{flag}[{}]{value}' \\\n", plain(help[0]));
    }
    text.trim_end_matches(" \\\n").to_owned() + "\n"
}

fn fish() -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut text = String::from("complete -c mocker -f\n");
    let mut option = |flag: &str, rest: &str, help: &str| {
        let (flag, help) = (flag.trim_start_matches('-'), quoted(help));
        text += &format!("complete -c mocker -o {flag}{rest} -d '{help}'\n");
    };
    for setting in SETTINGS {
        let rest = match setting.metavar {
            "" => String::new(),
            _ if setting.is_file() => " -rF".into(),
            _ => format!(" -xa '{}'", (setting.words)().join(" ")),
        };
        option(&setting.flag(), &rest, &setting.summary());
    }
    for (flag, help) in OTHERS {
        let rest = match *flag {
            GENERATE => format!(" -xa '{}'", formats()),
            _ => String::new(),
        };
        option(flag, &rest, help[0]);
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
         how precisely it kept to them.\nA flag overrides its environment variable. A flag without \
         a value means true.\n",
        env!("CARGO_PKG_VERSION")
    );
    for entries in groups() {
        text += &format!(".SH {}\n", entries[0].group.to_uppercase());
        for setting in entries {
            text += &format!(
                ".TP\n.B {}\n{}\nDefault: {}. Allowed: {}. Variable: {}.\n",
                roff(&setting.usage()),
                roff(&setting.help.join("\n")),
                roff(setting.default_shown()),
                roff(&(setting.allowed)()),
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
