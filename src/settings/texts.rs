//! The texts that tell of the settings: the help, the version, the README's table.

use super::ROWS;

/// What `-version` prints.
pub(super) fn version() -> String {
    concat!("mocker ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

/// What `-help` prints.
pub(super) fn help() -> String {
    let mut text = String::from(
        "Usage: mocker [-flag value]...\n\n\
         \x20 mocker -host 0.0.0.0 -port 8080 -auth \"Bearer secret\"\n\
         \x20 MOCKER_PORT=8080 mocker -big-payload\n\n\
         A flag beats its environment variable; a switch alone means true.\n\n",
    );
    for row in ROWS {
        text += &format!("  {:<28}{}\n", row.usage(), row.variable());
        for line in row.help {
            text += &format!("      {line}\n");
        }
        let (default, allowed) = (row.default_shown(), (row.allowed)());
        text += &format!("      Default: {default}. Allowed: {allowed}.\n");
    }
    text += "  -healthcheck\n      Ask GET /health of the server that the other flags and the \
             variables describe.\n      Exit with 0 when it is well, with 1 when it is not or says \
             nothing for two seconds.\n";
    text += "  -h, -help\n      Print this text.\n  -V, -version\n      Print the version.\n";
    text
}

/// The README's table of settings, as lines of Markdown.
pub fn markdown() -> String {
    let mut table = String::from("| Flag | Variable | Default | What |\n|---|---|---|---|\n");
    for row in ROWS {
        table += &format!(
            "| `{}` | `{}` | `{}` | {} Allowed: {}. |\n",
            row.usage(),
            row.variable(),
            row.default_shown(),
            row.help.join(" "),
            (row.allowed)(),
        );
    }
    table
}
