//! Texts about the settings: the help, the version, the effective configuration and the table of
//! `docs/settings.md`.

use super::raw::{Origin, RawValues};
use super::{SETTINGS, Setting};

/// The flag that checks the health of a running server, for containers.
pub(super) const HEALTHCHECK: &str = "-healthcheck";

/// The flag that prints the effective configuration.
pub(super) const PRINT_CONFIG: &str = "-print-config";

/// The flag that prints shell completions or a manual page.
pub(super) const GENERATE: &str = "-generate";

/// The flags that are not settings, with their help.
pub(super) const OTHERS: &[(&str, &[&str])] = &[
    (
        HEALTHCHECK,
        &[
            "Request GET /health from the server that the other flags and the variables describe.",
            "Exit with 0 if it is healthy, or with 1 if not or without a response for two seconds.",
        ],
    ),
    (
        PRINT_CONFIG,
        &["Print every setting with its value and the origin of the value."],
    ),
    (
        GENERATE,
        &["Print a manual page (man) or completions (bash, zsh, fish)."],
    ),
    ("-help", &["Print this help."]),
    ("-version", &["Print the version."]),
];

/// Example command lines, with descriptions.
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("mocker -latency 50 -jitter 20", "respond after 30 to 70 ms"),
    (
        "mocker -ttft 200 -itl 20 -tokens 100",
        "stream a token every 20 ms",
    ),
    (
        "mocker -failure-percent 10 -tpm 60",
        "fail 10 % of requests, rate-limit after 60 s",
    ),
    (
        "mocker -exit-after 30s -fail-on mock-bound",
        "fail a CI job if mocker was the bottleneck",
    ),
    (
        "MOCKER_PORT=8080 mocker -host 0.0.0.0",
        "accept remote clients on port 8080",
    ),
];

/// Returns the output of `-version`.
pub(super) fn version() -> String {
    concat!("mocker ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

/// Returns the groups of settings, in order.
pub(super) fn groups() -> impl Iterator<Item = &'static [Setting]> {
    SETTINGS.chunk_by(|one, other| one.group == other.group)
}

/// Returns the output of `-help`.
pub(super) fn help() -> String {
    let mut text = String::from("Usage: mocker [-flag value]...\n\nExamples:\n");
    for (command, what) in EXAMPLES {
        text += &format!("  {command:<44}{what}\n");
    }
    text += "\nA flag overrides its environment variable. A flag without a value means true.\n";
    for entries in groups() {
        text += &format!("\n{}:\n", entries[0].group);
        for setting in entries {
            text += &format!("  {:<28}{}\n", setting.usage(), setting.variable());
            for line in setting.help {
                text += &format!("      {line}\n");
            }
            let (default, allowed) = (setting.default_shown(), (setting.allowed)());
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

/// Returns the output of `-print-config`.
pub(super) fn config(raw: &RawValues) -> String {
    let mut text = String::new();
    for (setting, origin, value) in raw.entries() {
        let origin = match origin {
            Origin::Default => "default".into(),
            Origin::Flag => "flag".into(),
            Origin::Variable => setting.variable(),
        };
        let setting = format!("{} {}", setting.flag(), setting.shown(value));
        text += &format!("{setting:<50} {origin}\n");
    }
    text
}

/// Returns the table of `docs/settings.md`, in Markdown.
pub fn markdown() -> String {
    let mut table =
        String::from("| Flag | Variable | Default | Description |\n|---|---|---|---|\n");
    for entries in groups() {
        table += &format!("| **{}** | | | |\n", entries[0].group);
        for setting in entries {
            table += &format!(
                "| `{}` | `{}` | `{}` | {} Allowed: {}. |\n",
                setting.usage(),
                setting.variable(),
                setting.default_shown(),
                setting.help.join(" "),
                (setting.allowed)(),
            );
        }
    }
    table
}
