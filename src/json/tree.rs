//! A JSON value as a flat vector of nodes and one string with all text. A `serde_json::Value` takes
//! up to 60 bytes of memory per byte of hostile JSON (`[{},{},...]`); this takes at most 16.

/// A node of a [`Tree`]. The nodes that an array or an object contains follow it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer that fits in an `i64`.
    Integer(i64),
    /// An integer above `i64::MAX` that fits in a `u64`.
    Unsigned(u64),
    /// Any other number.
    Float(f64),
    /// A string, or the name of an object member.
    String {
        /// The offset of its first byte in the tree's text.
        from: u32,
        /// Its length in bytes.
        len: u32,
    },
    /// An array.
    Array {
        /// The position after its last element.
        end: u32,
        /// The number of its elements.
        len: u32,
    },
    /// An object: its members, each a name (a string) followed by a value.
    Object {
        /// The position after its last member.
        end: u32,
        /// The number of its members; duplicate names are counted.
        len: u32,
    },
}

/// A JSON value. A position is the index of a node; the whole value is at position 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    text: String,
}

impl Tree {
    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.text.capacity()
    }

    /// Returns the number of nodes.
    pub fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// Returns whether the tree is empty.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the total length of its strings in bytes.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Returns the node at a position.
    pub fn node(&self, at: u32) -> Node {
        self.nodes[at as usize]
    }

    /// Returns the position after the value at `at`.
    pub fn end(&self, at: u32) -> u32 {
        match self.node(at) {
            Node::Array { end, .. } | Node::Object { end, .. } => end,
            _ => at + 1,
        }
    }

    /// Returns the string or name at a position, or `None` if the node there is not a string.
    pub fn text(&self, at: u32) -> Option<&str> {
        match self.node(at) {
            Node::String { from, len } => Some(&self.text[from as usize..(from + len) as usize]),
            _ => None,
        }
    }

    /// Returns whether the value at a position is an array.
    pub fn is_array(&self, at: u32) -> bool {
        matches!(self.node(at), Node::Array { .. })
    }

    /// Returns whether the value at a position is an object.
    pub fn is_object(&self, at: u32) -> bool {
        matches!(self.node(at), Node::Object { .. })
    }

    /// Returns the number of elements of an array or members of an object; 0 for other values.
    pub fn size(&self, at: u32) -> u32 {
        match self.node(at) {
            Node::Array { len, .. } | Node::Object { len, .. } => len,
            _ => 0,
        }
    }

    /// Returns the positions of an array's elements, or of the names of an object's members; none
    /// for other values.
    pub fn parts(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let (mut next, end) = (at + 1, self.end(at));
        let is_object = u32::from(self.is_object(at));
        std::iter::from_fn(move || {
            let part = next;
            (part < end).then(|| {
                next = self.end(part + is_object);
                part
            })
        })
    }

    /// Returns the positions of an array's elements; none if the value is not an array.
    pub fn items(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let all = if self.is_array(at) { usize::MAX } else { 0 };
        self.parts(at).take(all)
    }

    /// Returns the positions of the name and the value of each member of an object; none if the
    /// value is not an object.
    pub fn members(&self, at: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let all = if self.is_object(at) { usize::MAX } else { 0 };
        self.parts(at).take(all).map(|name| (name, name + 1))
    }

    /// Returns the position of the value of the member called `name`. Of duplicates the last one
    /// counts, as in serde_json and browsers.
    pub fn member(&self, at: u32, name: &str) -> Option<u32> {
        let found = self
            .members(at)
            .filter(|(known, _)| self.text(*known) == Some(name));
        found.last().map(|(_, value)| value)
    }

    /// Returns the value of the member called `name`, if it is a string.
    pub fn member_text(&self, at: u32, name: &str) -> Option<&str> {
        self.text(self.member(at, name)?)
    }

    /// Adds a node other than an array or an object.
    pub fn push(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Adds a string.
    pub fn push_string(&mut self, text: &str) {
        let from = self.text.len() as u32;
        self.text.push_str(text);
        self.nodes.push(Node::String {
            from,
            len: text.len() as u32,
        });
    }

    /// Adds an array or an object and returns its position; [`Tree::close`] ends it.
    pub fn open(&mut self, object: bool) -> u32 {
        let at = self.len();
        self.push(match object {
            true => Node::Object { end: 0, len: 0 },
            false => Node::Array { end: 0, len: 0 },
        });
        at
    }

    /// Ends an array or an object of `count` elements or members.
    pub fn close(&mut self, at: u32, count: u32) {
        let after = self.len();
        if let Node::Array { end, len } | Node::Object { end, len } = &mut self.nodes[at as usize] {
            (*end, *len) = (after, count);
        }
    }

    /// Truncates the tree to its first `nodes` nodes and `text` bytes of text.
    pub fn truncate(&mut self, nodes: u32, text: usize) {
        self.nodes.truncate(nodes as usize);
        self.text.truncate(text);
    }

    /// Adds a copy of the value at `at` in another tree.
    pub fn copy(&mut self, other: &Tree, at: u32) {
        let shift = self.len().wrapping_sub(at);
        for place in at..other.end(at) {
            let mut node = other.node(place);
            match &mut node {
                Node::String { from, .. } => {
                    *from = self.text.len() as u32;
                    self.text
                        .push_str(other.text(place).expect("the node is a string"));
                }
                Node::Array { end, .. } | Node::Object { end, .. } => {
                    *end = end.wrapping_add(shift);
                }
                _ => {}
            }
            self.push(node);
        }
    }

    /// Appends to the string that is the last node.
    pub(super) fn extend_string(&mut self, more: &str) {
        let Some(Node::String { len, .. }) = self.nodes.last_mut() else {
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
        Value::Null => tree.push(Node::Null),
        Value::Bool(truth) => tree.push(Node::Bool(*truth)),
        Value::Number(number) => {
            let float = || Node::Float(number.as_f64().expect("any number converts to f64"));
            let unsigned = || number.as_u64().map_or_else(float, Node::Unsigned);
            tree.push(number.as_i64().map_or_else(unsigned, Node::Integer));
        }
        Value::String(text) => tree.push_string(text),
        Value::Array(items) => {
            let at = tree.open(false);
            items.iter().for_each(|item| add(tree, item));
            tree.close(at, items.len() as u32);
        }
        Value::Object(members) => {
            let at = tree.open(true);
            for (name, member) in members {
                tree.push_string(name);
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
        let items: Vec<Node> = tree.items(list).map(|at| tree.node(at)).collect();
        assert_eq!(items[0], Node::Integer(1));
        assert_eq!(items[2], Node::Integer(3));
        assert_eq!(items.len(), 3);
        let inner = tree.member(0, "b").unwrap();
        assert_eq!(
            tree.member(inner, "c").map(|at| tree.node(at)),
            Some(Node::Null)
        );
        assert_eq!(tree.member(inner, "a"), None);
    }

    #[test]
    fn the_last_of_duplicate_members_counts() {
        let mut tree = Tree::default();
        let at = tree.open(true);
        for number in [1, 2] {
            tree.push_string("a");
            tree.push(Node::Integer(number));
        }
        tree.close(at, 2);
        assert_eq!(
            tree.member(0, "a").map(|at| tree.node(at)),
            Some(Node::Integer(2))
        );
    }

    #[test]
    fn copying_and_truncating_leave_a_valid_tree() {
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
