//! The help, and the effective configuration.

use crate::settings::{CommandLine, OTHERS, Origin, Setting};

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

/// Returns the output of `-help`.
pub(super) fn help() -> String {
    let mut text = String::from("Usage: mocker [-flag value]...\n\nExamples:\n");
    for (command, what) in EXAMPLES {
        text += &format!("  {command:<44}{what}\n");
    }
    text += "\nA flag overrides its environment variable. A boolean flag needs no value.\n";
    for entries in Setting::groups() {
        text += &format!("\n{}:\n", entries[0].group);
        for setting in entries {
            text += &format!("  {:<28}{}\n", setting.usage(), setting.variable());
            for line in setting.help {
                text += &format!("      {line}\n");
            }
            let (default, allowed) = (setting.shown(setting.default), (setting.allowed)().text);
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
pub(super) fn config(line: &CommandLine) -> String {
    let mut text = String::new();
    for (setting, origin, value) in line.entries() {
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
