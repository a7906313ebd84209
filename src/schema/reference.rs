//! References between schemas: JSON Pointers (RFC 6901), anchors and identifiers (JSON Schema Core,
//! section 8.2). All targets must be within the schema.

use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

use super::error::{Resumable, SchemaError};
use super::fuel::Fuel;
use crate::json::Tree;

/// The most identifiers and anchors in one schema.
const IDS_MAX: usize = 256;
/// The longest identifier or anchor in bytes, before and after resolution.
const ID_MAX: usize = 2048;

/// The most tokens of a pointer: each goes one level deeper, and request bodies nest at most 128
/// levels deep.
const TOKENS_MAX: usize = 128;

/// A schema resource: a schema with an identifier of its own, or the root.
#[derive(Debug)]
struct Resource {
    at: u32,
    end: u32,
    /// The index of the enclosing resource; the root is its own parent.
    parent: usize,
    /// Its absolute URI, or as much of one as the identifiers define.
    uri: String,
}

/// The targets of references.
#[derive(Debug, Default)]
pub struct References {
    root: u32,
    /// The targets that are known, by the positions of the references.
    pub targets: BTreeMap<u32, u32>,
    scan: Option<Scan>,
    /// The resources in the order of their positions.
    resources: Vec<Resource>,
    by_uri: BTreeMap<String, usize>,
    /// The positions of anchors, by resource index and name.
    anchors: BTreeMap<(usize, String), u32>,
}

/// An incremental search for identifiers and anchors.
#[derive(Debug, Default)]
struct Scan {
    next: u32,
    end: u32,
    /// The positions of the open arrays and objects.
    open: Vec<u32>,
    after_name: bool,
    ids: Vec<(u32, u32)>,
    anchors: Vec<(u32, u32)>,
}

impl References {
    /// Creates the references within the schema at `root`.
    pub fn new(root: u32) -> References {
        References {
            root,
            ..References::default()
        }
    }

    /// Finds the identifiers and anchors of the whole schema, the first time it is called.
    pub fn read(&mut self, tree: &Tree, fuel: &mut Fuel) -> Resumable {
        if !self.resources.is_empty() {
            return Ok(());
        }
        let root = self.root;
        let scan = self.scan.get_or_insert_with(|| Scan {
            next: root,
            end: tree.end(root),
            ..Scan::default()
        });
        while scan.next < scan.end {
            fuel.ready()?;
            fuel.spend(1)?;
            scan.step(tree)?;
        }
        let scan = self.scan.take().unwrap_or_default();
        Ok(self.settle(tree, scan)?)
    }

    fn settle(&mut self, tree: &Tree, mut scan: Scan) -> Result<(), SchemaError> {
        scan.ids.sort_unstable();
        if scan.ids.first().is_none_or(|(at, _)| *at != self.root) {
            self.add_resource(tree, self.root, "")?;
        }
        for (at, id) in scan.ids {
            self.add_resource(tree, at, tree.text(id).unwrap_or_default())?;
        }
        for (at, name) in scan.anchors {
            let name = tree.text(name).unwrap_or_default();
            let name = name.trim_start_matches('#').to_owned();
            self.anchors.insert((self.around(at), name), at);
        }
        Ok(())
    }

    fn add_resource(&mut self, tree: &Tree, at: u32, id: &str) -> Result<(), SchemaError> {
        let parent = self.around(at);
        let base = self.resources.get(parent).map_or("", |it| it.uri.as_str());
        let uri = resolve(base, id.trim_end_matches('#'));
        SchemaError::TooLarge.when(uri.len() > ID_MAX)?;
        self.by_uri.insert(uri.clone(), self.resources.len());
        self.resources.push(Resource {
            at,
            end: tree.end(at),
            parent,
            uri,
        });
        Ok(())
    }

    /// Returns the index of the innermost resource that contains a position.
    fn around(&self, at: u32) -> usize {
        let after = self.resources.partition_point(|it| it.at <= at);
        let mut found = after.saturating_sub(1);
        while let Some(resource) = self.resources.get(found)
            && resource.end <= at
            && resource.parent != found
        {
            found = resource.parent;
        }
        found
    }

    /// Returns the position from which a reference is resolved, and the tokens of its JSON Pointer.
    pub fn begin(&self, tree: &Tree, at: u32) -> Result<(u32, Vec<String>), SchemaError> {
        let text = tree.text(at).ok_or(SchemaError::Malformed)?;
        SchemaError::TooLarge.when(text.len() > ID_MAX)?;
        let (base, fragment) = text.split_once('#').unwrap_or((text, ""));
        let from = self.around(at);
        let resource = match base {
            "" => from,
            base => {
                let uri = resolve(&self.resources[from].uri, base);
                *self.by_uri.get(&uri).ok_or(SchemaError::Reference)?
            }
        };
        let start = self.resources[resource].at;
        let fragment = percent_decoded(fragment).ok_or(SchemaError::Reference)?;
        match fragment.strip_prefix('/') {
            None if fragment.is_empty() => Ok((start, Vec::new())),
            None => {
                let anchor = self.anchors.get(&(resource, fragment));
                let at = anchor.ok_or(SchemaError::Reference)?;
                Ok((*at, Vec::new()))
            }
            Some(pointer) if pointer.matches('/').count() < TOKENS_MAX => {
                let token = |token: &str| token.replace("~1", "/").replace("~0", "~");
                Ok((start, pointer.split('/').map(token).collect()))
            }
            Some(_) => Err(SchemaError::Reference),
        }
    }
}

impl Scan {
    fn step(&mut self, tree: &Tree) -> Result<(), SchemaError> {
        let next = self.next;
        while self.open.pop_if(|at| tree.end(*at) == next).is_some() {
            self.after_name = false;
        }
        let at = self.next;
        self.next += 1;
        let around = self.open.last().copied();
        if let Some(object) = around.filter(|at| tree.is_object(*at))
            && !self.after_name
        {
            self.after_name = true;
            let Some(text) = tree.text(at + 1).filter(|text| text.len() <= ID_MAX) else {
                return Ok(());
            };
            let found = (object, at + 1);
            match tree.text(at).unwrap_or_default() {
                // Before draft 2019-09, an identifier with nothing but a fragment was an anchor.
                "$id" | "id" if text.starts_with('#') => self.anchors.push(found),
                "$id" | "id" => self.ids.push(found),
                "$anchor" | "$dynamicAnchor" => self.anchors.push(found),
                _ => {}
            }
            return SchemaError::TooLarge.when(self.ids.len() + self.anchors.len() > IDS_MAX);
        }
        self.after_name = false;
        if tree.is_array(at) || tree.is_object(at) {
            self.open.push(at);
        }
        Ok(())
    }
}

/// Resolves a reference without a fragment against a base (RFC 3986, section 5.2, except that dot
/// segments are kept).
fn resolve(base: &str, reference: &str) -> String {
    let scheme = |uri: &str| {
        let end = uri.find([':', '/'])?;
        uri[end..].starts_with(':').then_some(end + 1)
    };
    if scheme(reference).is_some() {
        return reference.to_owned();
    }
    let absolute = reference.starts_with('/');
    let Some(after_scheme) = scheme(base) else {
        return match base.rsplit_once('/') {
            Some((folder, _)) if !absolute => format!("{folder}/{reference}"),
            _ => reference.to_owned(),
        };
    };
    let path = match base[after_scheme..].strip_prefix("//") {
        Some(rest) => base.len() - rest.len() + rest.find('/').unwrap_or(rest.len()),
        None => after_scheme,
    };
    let folder = base[path..].rfind('/');
    let kept = match reference {
        "" => base,
        _ if reference.starts_with("//") => &base[..after_scheme],
        _ if absolute => &base[..path],
        _ => &base[..folder.map_or(path, |slash| path + slash + 1)],
    };
    // A relative path does not continue the name of the host.
    let is_path = !absolute && !reference.is_empty();
    let slash = match is_path && kept == base && !base.ends_with(['/', ':']) {
        true => "/",
        false => "",
    };
    format!("{kept}{slash}{reference}")
}

/// Percent-decodes a fragment. Returns `None` if the result is not UTF-8.
fn percent_decoded(fragment: &str) -> Option<String> {
    let decoded = percent_decode_str(fragment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_identifiers_are_resolved() {
        for (base, reference, expected) in [
            ("", "", ""),
            ("", "item", "item"),
            ("", "https://a.b/c", "https://a.b/c"),
            ("https://a.b/c", "", "https://a.b/c"),
            ("https://a.b/c", "d", "https://a.b/d"),
            ("https://a.b/c/", "d", "https://a.b/c/d"),
            ("https://a.b", "d", "https://a.b/d"),
            ("https://a.b/c/d", "/e", "https://a.b/e"),
            ("https://a.b/c", "//x.y/z", "https://x.y/z"),
            ("https://a.b/c", "urn:x:y", "urn:x:y"),
            ("schemas/order", "item", "schemas/item"),
            ("order", "item", "item"),
        ] {
            assert_eq!(resolve(base, reference), expected, "{base} {reference}");
        }
    }

    #[test]
    fn fragments_are_decoded() {
        assert_eq!(percent_decoded("/a%20b%25%").as_deref(), Some("/a b%%"));
        assert_eq!(percent_decoded("%C3%A9").as_deref(), Some("é"));
        assert_eq!(percent_decoded("%FF"), None);
    }
}
