//! Generation of a value once all its demands are known: picks the type, and generates scalars and
//! values listed in `enum` or `const`.

use super::equality::NODES_MAX;
use super::error::{Resumable, SchemaError};
use super::frame::{
    ArrayFrame, Base, Cursor, Embedded, Fill, Frame, Listed, ObjectFrame, Scalar, Verify,
};
use super::keyword::{Keyword, TypeSet};
use super::rules::TEXT_MAX;
use super::scalar::{self, Candidate};
use super::{number::Number, search::Search};
use crate::json::Node;

/// The most listed values that are skipped in one step.
const SKIPPED_MAX: u32 = 256;

/// The number of rejected candidates after which a type is abandoned.
const REJECTED_MAX: u32 = 192;

/// The number of simple numbers that are tried before the fallback candidates.
const SIMPLE: u32 = 32;

/// The index of the first fallback candidate.
const FALLBACK: u32 = 1 << 16;

/// The fallback candidates, in case a schema excludes small or negative numbers.
const FALLBACK_NUMBERS: [i128; 20] = [
    2,
    -1,
    10,
    -10,
    100,
    -100,
    1000,
    -1000,
    10_000,
    1_000_000,
    -1_000_000,
    1_000_000_000,
    1 << 31,
    -(1 << 31),
    1 << 53,
    -(1 << 53),
    i64::MAX as i128,
    i64::MIN as i128,
    1 << 63,
    u64::MAX as i128,
];

/// The most bytes of text in a JSON text within a string: serializing them takes a few
/// microseconds.
const EMBEDDED_LENGTH: usize = 16 * 1024;

/// The number of rejected JSON texts after which such a string is abandoned.
const EMBEDDED_MAX: u32 = 32;

/// The types, in the order in which they are tried if a schema does not specify one.
const ORDER: [TypeSet; 6] = [
    TypeSet::STRING,
    TypeSet::NUMBER,
    TypeSet::BOOLEAN,
    TypeSet::OBJECT,
    TypeSet::ARRAY,
    TypeSet::NULL,
];

/// The types that keywords imply if a schema does not specify one, and those keywords.
const HINTS: [(TypeSet, u64); 4] = [
    (TypeSet::OBJECT, Keyword::implying(TypeSet::OBJECT)),
    (TypeSet::ARRAY, Keyword::implying(TypeSet::ARRAY)),
    (TypeSet::NUMBER, Keyword::implying(TypeSet::NUMBER)),
    (TypeSet::STRING, Keyword::implying(TypeSet::STRING)),
];

impl Search {
    pub(super) fn fill(&mut self, fill: &mut Fill) -> Resumable {
        match self.result.take() {
            Some(Ok(cursor)) => {
                let fill = fill.number;
                return self.finish(Ok(Cursor { fill, ..cursor }));
            }
            Some(Err(why)) => {
                self.release(fill.base.mark, true);
                fill.why.get_or_insert(why);
            }
            None => {}
        }
        let base = fill.base;
        self.fuel.spend(self.demands(base).len() as u32 / 4)?;
        let (rules, demands, _) = self.parts(base);
        let all = demands
            .iter()
            .fold(TypeSet::ALL, |all, rule| all.and(rules.types(*rule)));
        let types = all.and(base.types);
        let listed = self.list_of_values(base);
        let order = self.order(base);
        let ty = loop {
            let Some(ty) = order.get(fill.next as usize) else {
                return Err(fill.why.unwrap_or(SchemaError::Contradiction).into());
            };
            fill.next += 1;
            if ty.and(types).meets(TypeSet::ALL) || listed.is_some() {
                break ty.and(types);
            }
        };
        if listed.is_some() {
            // Try the list only once, whatever the types of its values.
            fill.next = order.len() as u32;
        }
        fill.number = self.next_fill(base);
        if fill.number < base.cursor.fill || !types.meets(TypeSet::ALL) {
            return Ok(());
        }
        let index = match fill.number == base.cursor.fill {
            true => base.cursor.index,
            false => 0,
        };
        let frame = self.leaf(base, listed, ty, index);
        self.push(frame);
        Ok(())
    }

    fn leaf(&self, base: Base, listed: Option<(u32, u32)>, ty: TypeSet, index: u32) -> Frame {
        if let Some((first, end)) = listed {
            // The cursor is the distance to the next value, but 1 may stand for the second value.
            let from = match index {
                1 if first < end => self.rules.tree.end(first),
                distance => first.saturating_add(distance).min(end),
            };
            return Frame::Listed(Listed {
                base,
                first,
                next: first,
                from,
                end,
            });
        }
        match ty {
            TypeSet::OBJECT => Frame::Object(ObjectFrame::new(base, index)),
            TypeSet::ARRAY => Frame::Array(ArrayFrame::new(base, index)),
            TypeSet::STRING if self.embedded_schema(base).is_some() => Frame::Embedded(Embedded {
                base,
                schema: self.embedded_schema(base).flatten(),
                cursor: Cursor { fill: 0, index },
                is_text: false,
                rejected: 0,
            }),
            ty => Frame::Scalar(Scalar {
                base,
                ty,
                index,
                after: index,
                rejected: 0,
            }),
        }
    }

    /// Returns the position of the schema of a string's content, if the content must be JSON and
    /// has a schema.
    fn embedded_schema(&self, base: Base) -> Option<Option<u32>> {
        let mut demands = self.demands(base).iter();
        let rule = demands.find(|rule| {
            self.rules.text(**rule, Keyword::ContentMediaType) == Some("application/json")
        })?;
        Some(self.rules.get(*rule, Keyword::ContentSchema))
    }

    /// Generates the value, and then the string that is its JSON text.
    pub(super) fn embedded(&mut self, embedded: &mut Embedded) -> Resumable {
        let mark = embedded.base.mark;
        match self.result.take() {
            None => {
                if let Some(schema) = embedded.schema {
                    self.require(schema);
                }
                self.call(mark, TypeSet::ALL, embedded.cursor);
            }
            Some(result) if !embedded.is_text => {
                embedded.cursor = result?;
                embedded.is_text = true;
                let large = self.out.len() - mark.nodes > NODES_MAX;
                SchemaError::TooLarge
                    .when(large || self.out.text_len() - mark.text > EMBEDDED_LENGTH)?;
                let mut text = String::new();
                self.out.write(mark.nodes, &mut text);
                self.fuel.spend(1 + text.len() as u32 / 16)?;
                self.out.truncate(mark.nodes, mark.text);
                self.out.push_string(&text);
                self.push_verify(embedded.base);
            }
            Some(Ok(_)) => return self.finish_at(embedded.cursor.index),
            Some(Err(_)) if embedded.rejected < EMBEDDED_MAX => {
                self.release(mark, true);
                embedded.is_text = false;
                embedded.rejected += 1;
            }
            Some(Err(_)) => return Err(SchemaError::Contradiction.into()),
        }
        Ok(())
    }

    /// Returns the positions of the first value and of the end of the shortest `enum` or `const`,
    /// if there is one.
    fn list_of_values(&self, base: Base) -> Option<(u32, u32)> {
        let tree = &self.rules.tree;
        let lists = self.demands(base).iter().filter_map(|rule| {
            if let Some(at) = self.rules.get(*rule, Keyword::Const) {
                return Some((0, at, tree.end(at)));
            }
            let at = self.rules.get(*rule, Keyword::Enum)?;
            match tree.node(at) {
                Node::Array { len, end } => Some((len, at + 1, end)),
                _ => None,
            }
        });
        let shortest = lists.min_by_key(|(len, ..)| *len);
        shortest.map(|(_, next, end)| (next, end))
    }

    /// Returns the types in the order in which they are tried: those in `type` first, in its order
    /// and with null last; without `type`, those that other keywords imply first.
    fn order(&self, base: Base) -> [TypeSet; 6] {
        let tree = &self.rules.tree;
        let mut order = ORDER;
        let mut sorted = 0;
        let mut first = |ty: TypeSet| {
            let at = order[sorted..].iter().position(|it| it.meets(ty));
            if let Some(at) = at {
                order[sorted..=sorted + at].rotate_right(1);
                sorted += 1;
            }
        };
        let mut demands = self.demands(base).iter();
        let named = demands.find_map(|rule| self.rules.get(*rule, Keyword::Type));
        if let Some(at) = named {
            let each = tree.items(at).filter_map(|item| TypeSet::of(tree, item));
            each.filter(|ty| *ty != TypeSet::NULL).for_each(first);
            return order;
        }
        let hinted = HINTS.iter().filter(|(_, set)| self.demands_any(base, *set));
        hinted.for_each(|(ty, _)| first(*ty));
        order
    }

    pub(super) fn listed(&mut self, listed: &mut Listed) -> Resumable {
        match self.result.take() {
            Some(Ok(_)) => return self.finish_at(listed.next - listed.first),
            Some(Err(_)) => self.release(listed.base.mark, true),
            None => {}
        }
        SchemaError::Contradiction.when(listed.next == listed.end)?;
        let tree = self.rules.tree.clone();
        for _ in 0..SKIPPED_MAX {
            if listed.next >= listed.from {
                break;
            }
            listed.next = tree.end(listed.next);
        }
        if listed.next < listed.from || listed.next == listed.end {
            self.fuel.spend(SKIPPED_MAX / 8)?;
            return Ok(());
        }
        let value = listed.next;
        listed.next = tree.end(value);
        let too_long = |at| tree.text(at).is_some_and(|it| it.len() > TEXT_MAX);
        SchemaError::TooLarge
            .when(listed.next - value > NODES_MAX || (value..listed.next).any(too_long))?;
        self.fuel.spend((listed.next - value) / 2)?;
        self.out.copy(&tree, value);
        let copied = self.out.text_len() - listed.base.mark.text;
        self.fuel.spend(copied as u32 / 64)?;
        self.push_verify(listed.base);
        Ok(())
    }

    pub(super) fn scalar(&mut self, scalar: &mut Scalar) -> Resumable {
        match self.result {
            Some(Ok(_)) => return self.finish_at(scalar.index + 1),
            Some(Err(SchemaError::Contradiction)) => {
                self.release(scalar.base.mark, true);
                scalar.index = scalar.after;
                scalar.rejected += 1;
            }
            Some(Err(why)) => return Err(why.into()),
            None => {}
        }
        SchemaError::Contradiction.when(scalar.rejected > REJECTED_MAX)?;
        let after = self.candidate(scalar)?;
        // The result is taken only now, since finding the next candidate may have to wait.
        self.result = None;
        scalar.after = after.ok_or(SchemaError::Contradiction)?;
        if self.out.len() == scalar.base.mark.nodes {
            scalar.index = scalar.after;
            scalar.rejected += 1;
        } else if self.accepts_any_value(scalar.base) {
            return self.finish_at(scalar.index + 1);
        } else {
            self.push_verify(scalar.base);
        }
        Ok(())
    }

    /// Ends the top frame with a value; the search for another one resumes at candidate `index`.
    pub(super) fn finish_at(&mut self, index: u32) -> Resumable {
        self.finish(Ok(Cursor { fill: 0, index }))
    }

    /// Ends an array or an object in the tree. Returns whether it must be verified, because the
    /// demands have one of the keywords that it can violate although each of its parts is valid.
    pub(super) fn close(&mut self, base: Base, len: u32, hard: u64) -> bool {
        self.out.close(base.mark.nodes, len);
        let verify = self.demands_any(base, hard);
        if verify {
            self.push_verify(base);
        }
        verify
    }

    /// Returns whether the demands have one of a set of keywords.
    fn demands_any(&self, base: Base, keywords: u64) -> bool {
        let mut demands = self.demands(base).iter();
        demands.any(|rule| self.rules.has_any(*rule, keywords))
    }

    /// Returns whether every value of the right type satisfies the demands.
    fn accepts_any_value(&self, base: Base) -> bool {
        let types = Keyword::Type.bit() | Keyword::Format.bit();
        !self.demands_any(base, !types)
    }

    /// Adds a candidate to the tree, if there is one for this index. Returns the next index to try
    /// if it is rejected, or `None` after the last one.
    fn candidate(&mut self, scalar: &Scalar) -> Resumable<Option<u32>> {
        let index = scalar.index;
        let (rules, demands, fuel) = self.parts(scalar.base);
        fuel.spend(1 + demands.len() as u32 / 2)?;
        match scalar.ty {
            TypeSet::NULL if index == 0 => self.out.push(Node::Null),
            TypeSet::BOOLEAN if index < 2 => self.out.push(Node::Bool(index == 0)),
            TypeSet::NULL | TypeSet::BOOLEAN => return Ok(None),
            TypeSet::STRING => {
                let string = scalar::string(rules, demands, index, fuel)?;
                return Ok(string.map(|Candidate { text, after }| {
                    if let Some(text) = text {
                        self.out.push_string(&text);
                    }
                    after
                }));
            }
            ty => {
                fuel.spend(15)?;
                let range = scalar::numbers(rules, demands);
                let number = match index.checked_sub(FALLBACK) {
                    Some(fallback) => {
                        let number = FALLBACK_NUMBERS.get(fallback as usize);
                        number.copied().map(Number::Integer)
                    }
                    None if ty.meets(TypeSet::FRACTION) => range.number(index),
                    None => range.integer(index),
                };
                let Some(number) = number else {
                    return Ok(None);
                };
                if let Some(value) = number.node().filter(|_| range.contains(number)) {
                    self.out.push(value);
                    // If the range allows simple numbers but another keyword rejects them, go on
                    // with the fallback candidates.
                    if (SIMPLE..FALLBACK).contains(&index) {
                        return Ok(Some(FALLBACK));
                    }
                }
            }
        }
        Ok(Some(index + 1))
    }

    fn push_verify(&mut self, base: Base) {
        self.push(Frame::Verify(Verify { base, next: 0 }));
    }

    pub(super) fn verify(&mut self, verify: &mut Verify) -> Resumable {
        let Some(rule) = self.demands(verify.base).get(verify.next).copied() else {
            return self.finish(Ok(Cursor::default()));
        };
        let value = verify.base.mark.nodes;
        SchemaError::Contradiction
            .when(!TypeSet::of_value(self.out.node(value)).meets(verify.base.types))?;
        if self.validator.is_idle() {
            self.validator.begin(value, rule);
        }
        let (rules, fuel) = (&mut self.rules, &mut self.fuel);
        let fits = self.validator.run(rules, &self.out, fuel)?;
        verify.next += 1;
        Ok(SchemaError::Contradiction.when(!fits)?)
    }
}
