//! A JSON value as one flat list of nodes and one string. A `serde_json::Value` takes up to 60
//! bytes of memory for each byte of hostile JSON (`[{},{},...]`); this takes at most 16.

/// The node at one place of a [`Tree`]. A node that holds others is followed by them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer that an `i64` holds.
    Integer(i64),
    /// An integer above that, which a `u64` holds.
    Unsigned(u64),
    /// Any other number.
    Float(f64),
    /// A string, or the name of an object's member.
    Text {
        /// Where it begins in the tree's text.
        from: u32,
        /// Its length in bytes.
        len: u32,
    },
    /// A list.
    List {
        /// The place after its last item.
        end: u32,
        /// The number of its items.
        len: u32,
    },
    /// An object: the name of each member, a text, is followed by its value.
    Object {
        /// The place after its last member.
        end: u32,
        /// The number of its members; names that occur twice count twice.
        len: u32,
    },
}

/// A JSON value. Places in it are indexes of nodes; the whole value is at place 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    nodes: Vec<Kind>,
    text: String,
}

impl Tree {
    /// The number of nodes.
    pub fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// Returns whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The number of bytes that its strings take.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// The node at a place.
    pub fn kind(&self, at: u32) -> Kind {
        self.nodes[at as usize]
    }

    /// The place after the value at a place.
    pub fn end(&self, at: u32) -> u32 {
        match self.kind(at) {
            Kind::List { end, .. } | Kind::Object { end, .. } => end,
            _ => at + 1,
        }
    }

    /// The string or name at a place; `None` if it is another value.
    pub fn text(&self, at: u32) -> Option<&str> {
        match self.kind(at) {
            Kind::Text { from, len } => Some(&self.text[from as usize..(from + len) as usize]),
            _ => None,
        }
    }

    /// Returns whether the value at a place is an object.
    pub fn is_object(&self, at: u32) -> bool {
        matches!(self.kind(at), Kind::Object { .. })
    }

    /// The places of the items of a list; none if the value is not a list.
    pub fn items(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let (mut next, end) = match self.kind(at) {
            Kind::List { end, .. } => (at + 1, end),
            _ => (0, 0),
        };
        std::iter::from_fn(move || {
            let item = next;
            (item < end).then(|| {
                next = self.end(item);
                item
            })
        })
    }

    /// The places of the names and values of an object's members; none if it is not an object.
    pub fn members(&self, at: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let (mut next, end) = match self.kind(at) {
            Kind::Object { end, .. } => (at + 1, end),
            _ => (0, 0),
        };
        std::iter::from_fn(move || {
            let name = next;
            (name < end).then(|| {
                next = self.end(name + 1);
                (name, name + 1)
            })
        })
    }

    /// The place of the member with this name: the last one, as serde_json and browsers read it.
    pub fn member(&self, at: u32, name: &str) -> Option<u32> {
        let found = self
            .members(at)
            .filter(|(known, _)| self.text(*known) == Some(name));
        found.last().map(|(_, value)| value)
    }

    /// The string that a member holds, if it is there and holds one.
    pub fn member_text(&self, at: u32, name: &str) -> Option<&str> {
        self.text(self.member(at, name)?)
    }

    /// Adds a node that holds no others.
    pub fn push(&mut self, kind: Kind) {
        self.nodes.push(kind);
    }

    /// Adds a string.
    pub fn push_text(&mut self, text: &str) {
        let from = self.text.len() as u32;
        self.text.push_str(text);
        self.nodes.push(Kind::Text {
            from,
            len: text.len() as u32,
        });
    }

    /// Adds a list or an object and returns its place; [`Tree::close`] ends it.
    pub fn open(&mut self, object: bool) -> u32 {
        let at = self.len();
        self.push(match object {
            true => Kind::Object { end: 0, len: 0 },
            false => Kind::List { end: 0, len: 0 },
        });
        at
    }

    /// Ends a list or an object of `len` items or members.
    pub fn close(&mut self, at: u32, len: u32) {
        let end = self.len();
        let node = &mut self.nodes[at as usize];
        *node = match node {
            Kind::Object { .. } => Kind::Object { end, len },
            _ => Kind::List { end, len },
        };
    }

    /// Removes what was added since the tree had this many nodes and bytes of text.
    pub fn truncate(&mut self, nodes: u32, text: usize) {
        self.nodes.truncate(nodes as usize);
        self.text.truncate(text);
    }

    /// Adds a copy of a value of another tree.
    pub fn copy(&mut self, other: &Tree, at: u32) {
        let shift = self.len().wrapping_sub(at);
        for node in at..other.end(at) {
            match other.kind(node) {
                Kind::Text { .. } => self.push_text(other.text(node).expect("it is a text")),
                Kind::List { end, len } => self.push(Kind::List {
                    end: end.wrapping_add(shift),
                    len,
                }),
                Kind::Object { end, len } => self.push(Kind::Object {
                    end: end.wrapping_add(shift),
                    len,
                }),
                kind => self.push(kind),
            }
        }
    }

    /// Appends to the last string, which must be the last node.
    pub(super) fn extend_text(&mut self, more: &str) {
        let Some(Kind::Text { len, .. }) = self.nodes.last_mut() else {
            unreachable!("a string is extended only while it is the last node");
        };
        *len += more.len() as u32;
        self.text.push_str(more);
    }
}

impl From<&serde_json::Value> for Tree {
    fn from(value: &serde_json::Value) -> Tree {
        let mut tree = Tree::default();
        add(&mut tree, value);
        tree
    }
}

fn add(tree: &mut Tree, value: &serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::Null => tree.push(Kind::Null),
        Value::Bool(truth) => tree.push(Kind::Bool(*truth)),
        Value::Number(number) => {
            let float = || Kind::Float(number.as_f64().expect("it is a double"));
            let unsigned = || number.as_u64().map_or_else(float, Kind::Unsigned);
            tree.push(number.as_i64().map_or_else(unsigned, Kind::Integer));
        }
        Value::String(text) => tree.push_text(text),
        Value::Array(items) => {
            let at = tree.open(false);
            items.iter().for_each(|item| add(tree, item));
            tree.close(at, items.len() as u32);
        }
        Value::Object(members) => {
            let at = tree.open(true);
            for (name, member) in members {
                tree.push_text(name);
                add(tree, member);
            }
            tree.close(at, members.len() as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tree(value: &Value) -> Tree {
        Tree::from(value)
    }

    #[test]
    fn members_and_items_are_found() {
        let tree = tree(&json!({"a": [1, {"x": 2}, 3], "b": {"c": null}}));
        let list = tree.member(0, "a").unwrap();
        let items: Vec<Kind> = tree.items(list).map(|at| tree.kind(at)).collect();
        assert_eq!(items[0], Kind::Integer(1));
        assert_eq!(items[2], Kind::Integer(3));
        assert_eq!(items.len(), 3);
        let inner = tree.member(0, "b").unwrap();
        assert_eq!(
            tree.member(inner, "c").map(|at| tree.kind(at)),
            Some(Kind::Null)
        );
        assert_eq!(tree.member(inner, "a"), None);
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        let mut tree = Tree::default();
        let at = tree.open(true);
        for number in [1, 2] {
            tree.push_text("a");
            tree.push(Kind::Integer(number));
        }
        tree.close(at, 2);
        assert_eq!(
            tree.member(0, "a").map(|at| tree.kind(at)),
            Some(Kind::Integer(2))
        );
    }

    #[test]
    fn copies_and_cuts_leave_a_whole_tree() {
        let source = tree(&json!([0, {"a": ["b", {}]}, 5]));
        let mut copy = tree(&json!("before"));
        let (nodes, text) = (copy.len(), copy.text_len());
        copy.copy(&source, 2);
        let mut written = String::new();
        copy.write(nodes, &mut written);
        assert_eq!(written, r#"{"a":["b",{}]}"#);
        copy.truncate(nodes, text);
        assert_eq!(copy, tree(&json!("before")));
    }
}
