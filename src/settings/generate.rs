//! What is made of the rows for `man` and for shells. Knows no setting by name, and not how
//! arguments are read.

use super::texts::{EXAMPLES, GENERATE, OTHERS, groups};
use super::{ROWS, Row};

/// What can be made, and how.
pub(super) const KINDS: [(&str, Make); 4] =
    [("man", man), ("bash", bash), ("zsh", zsh), ("fish", fish)];

type Make = fn() -> String;

/// What is made of this kind, if there is such a kind.
pub(super) fn text(kind: &str) -> Option<String> {
    let (_, make) = KINDS.iter().find(|(known, _)| *known == kind)?;
    Some(make())
}

impl Row {
    /// The first sentence of its help.
    fn summary(&self) -> String {
        let help = self.help.join(" ");
        let end = help.find(". ").unwrap_or(help.len());
        help[..end].trim_end_matches('.').to_owned()
    }

    /// Whether its value is the name of a file.
    fn is_file(&self) -> bool {
        self.metavar == "FILE"
    }
}

/// Every flag.
fn flags() -> String {
    let others = OTHERS.iter().map(|(flag, _)| (*flag).to_owned());
    ROWS.iter()
        .map(Row::flag)
        .chain(others)
        .collect::<Vec<_>>()
        .join(" ")
}

fn kinds() -> String {
    KINDS.map(|(kind, _)| kind).join(" ")
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
    values(GENERATE, &format!("-W '{}'", kinds()));
    for row in ROWS.iter().filter(|row| !row.metavar.is_empty()) {
        let words = (row.words)().join(" ");
        match (row.is_file(), words.is_empty()) {
            (true, _) => values(&row.flag(), "-f"),
            (false, true) => values(&row.flag(), "-W ''"),
            (false, false) => values(&row.flag(), &format!("-W '{words}'")),
        }
    }
    text + &format!(
        "    esac\n    mapfile -t COMPREPLY < <(compgen -W '{}' -- \"${{word/#--/-}}\")\n}}\n\
         complete -F _mocker mocker\n",
        flags()
    )
}

fn zsh() -> String {
    // In a specification brackets and colons mean something, and quotes end it.
    let plain = |text: &str| {
        let text = text.replace('\'', "'\\''");
        text.replace('[', "\\[")
            .replace(']', "\\]")
            .replace(':', "\\:")
    };
    let mut text = String::from("#compdef mocker\n_arguments \\\n");
    for row in ROWS {
        let value = match row.metavar {
            "" => String::new(),
            metavar if row.is_file() => format!(":{metavar}:_files"),
            metavar => format!(":{metavar}:({})", (row.words)().join(" ")),
        };
        let summary = plain(&row.summary());
        text += &format!("    '{}[{summary}]{value}' \\\n", row.flag());
    }
    for (flag, help) in OTHERS {
        let value = match *flag {
            GENERATE => format!(":KIND:({})", kinds()),
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
    for row in ROWS {
        let rest = match row.metavar {
            "" => String::new(),
            _ if row.is_file() => " -rF".into(),
            _ => format!(" -xa '{}'", (row.words)().join(" ")),
        };
        option(&row.flag(), &rest, &row.summary());
    }
    for (flag, help) in OTHERS {
        let rest = match *flag {
            GENERATE => format!(" -xa '{}'", kinds()),
            _ => String::new(),
        };
        option(flag, &rest, help[0]);
    }
    text
}

fn man() -> String {
    // A line must not begin with a dot or a quote, and a dash is a minus.
    let roff = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    let mut text = format!(
        ".TH MOCKER 1 \"\" \"mocker {}\"\n.SH NAME\nmocker \\- a mock OpenAI API server\n\
         .SH SYNOPSIS\n.B mocker\n[\\fI\\-flag value\\fR]...\n.SH DESCRIPTION\n\
         Answers like the OpenAI API, exactly as late and as faulty as it is told to be, and tells \
         how late it was.\nA flag beats its environment variable; a switch alone means true.\n",
        env!("CARGO_PKG_VERSION")
    );
    for rows in groups() {
        text += &format!(".SH {}\n", rows[0].group.to_uppercase());
        for row in rows {
            text += &format!(
                ".TP\n.B {}\n{}\nDefault: {}. Allowed: {}. Variable: {}.\n",
                roff(&row.usage()),
                roff(&row.help.join("\n")),
                roff(row.default_shown()),
                roff(&(row.allowed)()),
                row.variable(),
            );
        }
    }
    text += ".SH OTHER\n";
    for (flag, help) in OTHERS {
        text += &format!(".TP\n.B {}\n{}\n", roff(flag), roff(&help.join("\n")));
    }
    text += ".SH EXIT STATUS\n";
    for (code, what) in [
        ("0", "Done."),
        ("1", "It can't run."),
        ("2", "A mistake in the settings."),
        (
            "3",
            "The run can't be trusted, where -fail-on asks for that.",
        ),
    ] {
        text += &format!(".TP\n.B {code}\n{}\n", roff(what));
    }
    text += ".SH EXAMPLES\n";
    for (command, what) in EXAMPLES {
        text += &format!(".TP\n.B {}\n{}\n", roff(command), roff(what));
    }
    text
}
