//! The dependencies between modules, from `use` declarations and paths in the code. The re-export
//! of a child does not count.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{Source, sources};

pub type Module = Vec<String>;

/// Returns every module except the root, with the modules that it uses.
pub fn uses() -> BTreeMap<Module, BTreeSet<Module>> {
    let sources = sources();
    let own = |source: &Source| source.module().into_iter().map(str::to_owned).collect();
    let inner = |source: &&Source| !matches!(source.path.as_str(), "lib.rs" | "main.rs");
    let modules: BTreeSet<Module> = sources.iter().filter(inner).map(own).collect();
    let used = |source: &Source| {
        let module: Module = own(source);
        let paths = paths(&source.code);
        let named = paths
            .iter()
            .filter_map(|path| resolve(path, &module, &modules));
        let others = named.filter(|other| *other != module).collect();
        (module, others)
    };
    sources.iter().filter(inner).map(used).collect()
}

/// Returns every path that is imported or written out.
pub fn paths(code: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), code);
    let mut plain = String::new();
    while let Some(at) = rest.find("use ") {
        let (before, list) = rest.split_at(at);
        plain += before;
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let end = list.find(';').unwrap_or(list.len());
        let tree = &list["use ".len()..end];
        let of_child = before.ends_with("pub ") && !tree.starts_with("crate::");
        if begins && !of_child {
            expand("", tree, &mut found);
        }
        rest = &list[end..];
    }
    plain += rest;
    let part = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
    let written = plain.split(part).filter(|path| path.contains("::"));
    found.extend(written.map(str::to_owned));
    found
}

/// Expands an import such as `a::{b, c::{d, e}}` into paths.
fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let Some(open) = tree.find('{') else {
        found.push(format!("{prefix}{tree}"));
        return;
    };
    let prefix = format!("{prefix}{}", &tree[..open]);
    let inside = &tree[open + 1..tree.rfind('}').expect("braces close")];
    let (mut depth, mut from) = (0, 0);
    for (at, char) in inside.char_indices().chain([(inside.len(), ',')]) {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &inside[from..at], found);
                from = at + 1;
            }
            _ => {}
        }
    }
}

/// Returns the module that a path in `module` refers to: the longest prefix that is one.
fn resolve(path: &str, module: &Module, modules: &BTreeSet<Module>) -> Option<Module> {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut base = module.clone();
    match parts[0] {
        "crate" => {
            base.clear();
            parts.remove(0);
        }
        "super" => {
            while parts.first() == Some(&"super") {
                base.pop();
                parts.remove(0);
            }
        }
        _ => {}
    }
    let at = |len: usize| {
        let inner = parts[..len].iter().map(|part| (*part).to_owned());
        base.iter().cloned().chain(inner).collect::<Module>()
    };
    (0..=parts.len())
        .rev()
        .map(at)
        .find(|path| modules.contains(path))
}

#[test]
fn there_are_no_import_cycles() {
    let uses = uses();
    assert!(
        uses.values().map(BTreeSet::len).sum::<usize>() > 100,
        "imports are found"
    );
    for start in uses.keys() {
        // Everything reachable from it: a module that reaches itself is in a cycle.
        let (mut reached, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(module) = next.pop() {
            for other in &uses[module] {
                assert!(
                    other != start,
                    "{} is used by what it uses: {}",
                    start.join("/"),
                    module.join("/")
                );
                if reached.insert(other) {
                    next.push(other);
                }
            }
        }
    }
}

#[test]
fn nested_imports_are_expanded() {
    let code = "use a::{b,c::{self,d}};pub use e::F;pub use crate::i;fn f(){super::g::h()}";
    assert_eq!(
        paths(code),
        ["a::b", "a::c::self", "a::c::d", "crate::i", "super::g::h"]
    );
}
