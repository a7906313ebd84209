//! The README says what the code says: its settings table is the one made from the rows.

use std::{env, fs};

#[test]
fn settings_table_is_the_rows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let (open, close) = ("<!-- settings -->\n", "<!-- /settings -->");
    let readme = fs::read_to_string(path).expect("README.md can be read");
    let (before, rest) = readme
        .split_once(open)
        .expect("README.md opens the settings block");
    let (block, after) = rest
        .split_once(close)
        .expect("README.md closes the settings block");
    let table = mocker::settings::markdown();
    if env::var_os("UPDATE_README").is_some_and(|value| value == "1") {
        let fresh = format!("{before}{open}{table}{close}{after}");
        fs::write(path, fresh).expect("README.md can be written");
        return;
    }
    assert!(
        block == table,
        "README.md's settings table is not the one of src/settings.rs; refresh it with\n\
         UPDATE_README=1 cargo test --test it settings_table"
    );
}
