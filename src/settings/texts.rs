//! The texts that tell of the settings: the help, the version, what was asked for, the table of
//! `docs/settings.md`. Knows no setting by name, and not how arguments are read.

use super::given::{Given, Origin};
use super::{ROWS, Row};

/// The flag of a container's health check.
pub(super) const HEALTHCHECK: &str = "-healthcheck";

/// The flag that shows what was asked for.
pub(super) const PRINT_CONFIG: &str = "-print-config";

/// The flag of what is made for shells and `man`.
pub(super) const GENERATE: &str = "-generate";

/// The flags that are no settings, and what they do.
pub(super) const OTHERS: &[(&str, &[&str])] = &[
    (
        HEALTHCHECK,
        &[
            "Ask GET /health of the server that the other flags and the variables describe.",
            "Exit with 0 when it is well, with 1 when it is not or says nothing for two seconds.",
        ],
    ),
    (
        PRINT_CONFIG,
        &["Print every setting, its value and where that comes from."],
    ),
    (
        GENERATE,
        &["Print a manual page (man) or completions (bash, zsh, fish)."],
    ),
    ("-help", &["Print this text."]),
    ("-version", &["Print the version."]),
];

/// Command lines that show what it is for.
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("mocker -latency 50 -jitter 20", "answer after 30 to 70 ms"),
    (
        "mocker -ttft 200 -itl 20 -tokens 100",
        "stream a token each 20 ms",
    ),
    (
        "mocker -failure-percent 10 -tpm 60",
        "fail now and then, refuse after a minute",
    ),
    (
        "mocker -exit-after 30s -fail-on mock-bound",
        "tell a CI job whether to trust its run",
    ),
    (
        "MOCKER_PORT=8080 mocker -host 0.0.0.0",
        "serve other machines, on port 8080",
    ),
];

/// What `-version` prints.
pub(super) fn version() -> String {
    concat!("mocker ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

/// The rows of each group, in order.
pub(super) fn groups() -> impl Iterator<Item = &'static [Row]> {
    ROWS.chunk_by(|one, other| one.group == other.group)
}

/// What `-help` prints.
pub(super) fn help() -> String {
    let mut text = String::from("Usage: mocker [-flag value]...\n\nExamples:\n");
    for (command, what) in EXAMPLES {
        text += &format!("  {command:<44}{what}\n");
    }
    text += "\nA flag beats its environment variable; a switch alone means true.\n";
    for rows in groups() {
        text += &format!("\n{}:\n", rows[0].group);
        for row in rows {
            text += &format!("  {:<28}{}\n", row.usage(), row.variable());
            for line in row.help {
                text += &format!("      {line}\n");
            }
            let (default, allowed) = (row.default_shown(), (row.allowed)());
            text += &format!("      Default: {default}. Allowed: {allowed}.\n");
        }
    }
    text += "\nOther:\n";
    for (flag, help) in OTHERS {
        text += &format!("  {flag}\n");
        for line in *help {
            text += &format!("      {line}\n");
        }
    }
    text
}

/// What `-print-config` prints.
pub(super) fn config(given: &Given) -> String {
    let mut text = String::new();
    for (row, origin, value) in given.rows() {
        let origin = match origin {
            Origin::Default => "default".into(),
            Origin::Flag => "flag".into(),
            Origin::Variable => row.variable(),
        };
        let setting = format!("{} {}", row.flag(), row.shown(value));
        text += &format!("{setting:<50} {origin}\n");
    }
    text
}

/// The table of `docs/settings.md`, as lines of Markdown.
pub fn markdown() -> String {
    let mut table = String::from("| Flag | Variable | Default | What |\n|---|---|---|---|\n");
    for rows in groups() {
        table += &format!("| **{}** | | | |\n", rows[0].group);
        for row in rows {
            table += &format!(
                "| `{}` | `{}` | `{}` | {} Allowed: {}. |\n",
                row.usage(),
                row.variable(),
                row.default_shown(),
                row.help.join(" "),
                (row.allowed)(),
            );
        }
    }
    table
}
