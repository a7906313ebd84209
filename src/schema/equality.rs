//! Equality of values as JSON Schema has it (Core, 4.2.2): 1 and 1.0 are equal, and the order of
//! members does not matter.

use super::fuel::Fuel;
use super::number::Number;
use super::rules::TEXT_MAX;
use super::unfit::Unfit;
use crate::json::{Kind, Tree};

/// The most nodes that are compared, or copied, at once.
pub const NODES_MAX: u32 = 2000;

/// Returns whether two values are equal. Values that are too large to be compared at once are an
/// error.
pub fn equal(
    one: &Tree,
    at: u32,
    other: &Tree,
    place: u32,
    fuel: &mut Fuel,
) -> Result<bool, Unfit> {
    let mut comparer = Comparer {
        one,
        other,
        left: NODES_MAX,
    };
    let found = comparer.equal(at, place);
    fuel.spend(1 + (NODES_MAX - comparer.left) / 2)?;
    found.ok_or(Unfit::TooLarge)
}

/// Returns whether an item of a list is equal to one before it; `first` is the place of the first.
pub fn is_repeated(tree: &Tree, first: u32, item: u32, fuel: &mut Fuel) -> Result<bool, Unfit> {
    let (mut before, mut scalars) = (first, 0);
    let found = loop {
        if before == item {
            break false;
        }
        let same = match is_small(tree.kind(item)) {
            true => is_same_scalar(tree, before, tree, item),
            false => equal(tree, before, tree, item, fuel)?,
        };
        if same {
            break true;
        }
        scalars += 1;
        before = tree.end(before);
    };
    // These take about 3 nanoseconds each.
    fuel.spend(1 + scalars / 8)?;
    Ok(found)
}

/// Returns whether a value can be compared without counting the work.
pub fn is_small(kind: Kind) -> bool {
    /// The longest such string, in bytes: comparing it takes some nanoseconds.
    const LENGTH: u32 = 256;
    match kind {
        Kind::List { .. } | Kind::Object { .. } => false,
        Kind::Text { len, .. } => len <= LENGTH,
        _ => true,
    }
}

/// Returns whether two values are equal, of which at least one is small.
pub fn is_same_scalar(one: &Tree, at: u32, other: &Tree, place: u32) -> bool {
    match (one.kind(at), other.kind(place)) {
        (Kind::Text { len, .. }, Kind::Text { len: other_len, .. }) => {
            len == other_len && one.text(at) == other.text(place)
        }
        (one, other) => match (Number::of(one), Number::of(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
    }
}

struct Comparer<'a> {
    one: &'a Tree,
    other: &'a Tree,
    left: u32,
}

impl Comparer<'_> {
    fn equal(&mut self, one: u32, other: u32) -> Option<bool> {
        self.left = self.left.checked_sub(1)?;
        let kinds = (self.one.kind(one), self.other.kind(other));
        Some(match kinds {
            (Kind::Text { len, .. }, Kind::Text { len: other_len, .. }) => {
                if len != other_len {
                    return Some(false);
                }
                if len as usize > TEXT_MAX {
                    return None;
                }
                self.left = self.left.checked_sub(len / 128)?;
                self.one.text(one) == self.other.text(other)
            }
            (Kind::List { len, .. }, Kind::List { len: other_len, .. }) => {
                len == other_len && self.equal_items(one, other)?
            }
            (Kind::Object { len, .. }, Kind::Object { len: other_len, .. }) => {
                len == other_len && self.equal_members(one, other)?
            }
            (one, other) => match (Number::of(one), Number::of(other)) {
                (Some(one), Some(other)) => one == other,
                _ => one == other,
            },
        })
    }

    fn equal_items(&mut self, one: u32, other: u32) -> Option<bool> {
        for (item, other) in self.one.items(one).zip(self.other.items(other)) {
            if !self.equal(item, other)? {
                return Some(false);
            }
        }
        Some(true)
    }

    fn equal_members(&mut self, one: u32, other: u32) -> Option<bool> {
        let mut beside = self.other.members(other);
        for (name, member) in self.one.members(one) {
            let text = self.one.text(name)?;
            let same_place = beside
                .next()
                .filter(|(it, _)| self.other.text(*it) == Some(text));
            let found = match same_place {
                Some((_, member)) => Some(member),
                None => {
                    let Kind::Object { len, .. } = self.other.kind(other) else {
                        return None;
                    };
                    self.left = self.left.checked_sub(len / 4)?;
                    self.other.member(other, text)
                }
            };
            let Some(found) = found else {
                return Some(false);
            };
            if !self.equal(member, found)? {
                return Some(false);
            }
        }
        Some(true)
    }
}
