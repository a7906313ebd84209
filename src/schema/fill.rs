//! Makes a value once all rules for it are known: picks its type, and makes scalars and values that
//! are listed in `enum` or `const`.

use std::task::{Poll, ready};

use super::equality::NODES_MAX;
use super::frame::{
    Base, Cursor, Embedded, EmbeddedState, Fill, Frame, ListFrame, Listed, ObjectFrame, Scalar,
    Verify,
};
use super::keyword::{Keyword, Kinds};
use super::number::Number;
use super::rules::TEXT_MAX;
use super::scalar::{self, Candidate};
use super::search::Search;
use super::unfit::Unfit;
use crate::json::Kind;

/// The listed values that are passed over in one step.
const PASSED_MAX: u32 = 256;

/// The candidates of a type that are rejected before it is given up.
const REJECTED_MAX: u32 = 192;

/// The plain numbers that are tried before others.
const PLAIN: u32 = 32;

/// The number of the first candidate that is tried where no plain number is allowed.
const ODD: u32 = 1 << 16;

/// Those candidates: a schema may forbid small numbers, or negative ones.
const ODD_NUMBERS: [i128; 20] = [
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

/// The most bytes of text in the value of such a text: writing them takes some microseconds.
const EMBEDDED_LENGTH: usize = 16 * 1024;

/// The JSON texts that are rejected before a string of them is given up.
const EMBEDDED_MAX: u32 = 32;

/// The types, in the order in which they are tried where a schema leaves them open.
const ORDER: [Kinds; 6] = [
    Kinds::STRING,
    Kinds::NUMBER,
    Kinds::BOOLEAN,
    Kinds::OBJECT,
    Kinds::ARRAY,
    Kinds::NULL,
];

/// The types that some keywords are about: a schema that has one of them means that type.
const HINTS: [(Kinds, &[Keyword]); 4] = [
    (
        Kinds::OBJECT,
        &[
            Keyword::Properties,
            Keyword::Required,
            Keyword::AdditionalProperties,
            Keyword::PatternProperties,
            Keyword::PropertyNames,
            Keyword::MinProperties,
        ],
    ),
    (
        Kinds::ARRAY,
        &[
            Keyword::Items,
            Keyword::PrefixItems,
            Keyword::MinItems,
            Keyword::UniqueItems,
            Keyword::Contains,
        ],
    ),
    (
        Kinds::NUMBER,
        &[
            Keyword::Minimum,
            Keyword::Maximum,
            Keyword::ExclusiveMinimum,
            Keyword::ExclusiveMaximum,
            Keyword::MultipleOf,
        ],
    ),
    (
        Kinds::STRING,
        &[Keyword::MinLength, Keyword::Pattern, Keyword::Format],
    ),
];

impl Search {
    pub(super) fn fill(&mut self, mut fill: Fill) -> Poll<Result<(), Unfit>> {
        match self.returned() {
            Some(Ok(cursor)) => {
                let fill = fill.number;
                self.finish(Ok(Cursor { fill, ..cursor }));
                return Poll::Ready(Ok(()));
            }
            Some(Err(why)) => {
                self.release(fill.mark, true);
                fill.why.get_or_insert(why);
            }
            None => {}
        }
        let base = fill.base;
        self.fuel.spend(self.demands(base).len() as u32 / 4)?;
        let (rules, demands, _) = self.parts(base);
        let all = demands
            .iter()
            .fold(Kinds::ALL, |all, rule| all.and(rules.kinds(*rule)));
        let kinds = all.and(self.scope(base).0);
        let listed = self.list_of_values(base);
        let order = self.order(base);
        let kind = loop {
            let Some(kind) = order.get(fill.next as usize) else {
                self.finish(Err(fill.why.unwrap_or(Unfit::Contradiction)));
                return Poll::Ready(Ok(()));
            };
            fill.next += 1;
            if kind.and(kinds).meets(Kinds::ALL) || listed.is_some() {
                break kind.and(kinds);
            }
        };
        if listed.is_some() {
            // The list is tried once, whatever the types in it.
            fill.next = order.len() as u32;
        }
        let fills = self.scope(base).1;
        fill.number = *fills;
        *fills += 1;
        self.replace(Frame::Fill(fill));
        if fill.number < base.cursor.fill || !kinds.meets(Kinds::ALL) {
            return Poll::Ready(Ok(()));
        }
        let index = match fill.number == base.cursor.fill {
            true => base.cursor.index,
            false => 0,
        };
        let frame = self.leaf(base, listed, kind, index);
        self.push(frame);
        Poll::Ready(Ok(()))
    }

    fn leaf(&self, base: Base, listed: Option<(u32, u32)>, kind: Kinds, index: u32) -> Frame {
        let mark = self.mark();
        if let Some((first, end)) = listed {
            // The cursor is the distance to the next value; of the first, that is not known.
            let from = match index {
                1 if first < end => self.rules.tree.end(first),
                distance => first.saturating_add(distance).min(end),
            };
            return Frame::Listed(Listed {
                base,
                mark,
                first,
                next: first,
                from,
                end,
            });
        }
        match kind {
            Kinds::OBJECT => Frame::Object(ObjectFrame::new(base, mark, index)),
            Kinds::ARRAY => Frame::List(ListFrame::new(base, mark, index)),
            Kinds::STRING if self.embedded_schema(base).is_some() => Frame::Embedded(Embedded {
                base,
                mark,
                schema: self.embedded_schema(base).flatten(),
                cursor: Cursor { fill: 0, index },
                state: EmbeddedState::Begin,
                rejected: 0,
            }),
            kind => Frame::Scalar(Scalar {
                base,
                mark,
                kind,
                index,
                after: index,
                rejected: 0,
            }),
        }
    }

    /// The schema of a string's content, if that must be JSON and there is one.
    fn embedded_schema(&self, base: Base) -> Option<Option<u32>> {
        let mut demands = self.demands(base).iter();
        let rule = demands.find(|rule| {
            self.rules.text(**rule, Keyword::ContentMediaType) == Some("application/json")
        })?;
        Some(self.rules.get(*rule, Keyword::ContentSchema))
    }

    /// Makes the value, and then the string that is its text.
    pub(super) fn embedded(&mut self, mut embedded: Embedded) -> Result<(), Unfit> {
        let mark = embedded.mark;
        match embedded.state {
            EmbeddedState::Begin => {
                embedded.state = EmbeddedState::Value;
                self.replace(Frame::Embedded(embedded));
                let before = self.mark();
                embedded
                    .schema
                    .into_iter()
                    .for_each(|schema| self.want(schema));
                self.call(before, Kinds::ALL, embedded.cursor);
            }
            EmbeddedState::Value => {
                embedded.cursor = self.returned().unwrap_or(Err(Unfit::Contradiction))?;
                embedded.state = EmbeddedState::Verify;
                let large = self.out.len() - mark.nodes > NODES_MAX;
                if large || self.out.text_len() - mark.text > EMBEDDED_LENGTH {
                    return Err(Unfit::TooLarge);
                }
                let mut text = String::new();
                self.out.write(mark.nodes, &mut text);
                self.fuel.spend(1 + text.len() as u32 / 16)?;
                self.out.truncate(mark.nodes, mark.text);
                self.out.push_text(&text);
                self.replace(Frame::Embedded(embedded));
                self.push_verify(embedded.base, mark.nodes);
            }
            EmbeddedState::Verify => match self.returned() {
                Some(Ok(_)) => {
                    let index = embedded.cursor.index;
                    self.finish(Ok(Cursor { fill: 0, index }));
                }
                _ if embedded.rejected < EMBEDDED_MAX => {
                    self.release(mark, true);
                    embedded.state = EmbeddedState::Begin;
                    embedded.rejected += 1;
                    self.replace(Frame::Embedded(embedded));
                }
                _ => return Err(Unfit::Contradiction),
            },
        }
        Ok(())
    }

    /// The values to choose from, if a schema lists them: the shortest list.
    fn list_of_values(&self, base: Base) -> Option<(u32, u32)> {
        let tree = &self.rules.tree;
        let lists = self.demands(base).iter().filter_map(|rule| {
            if let Some(at) = self.rules.get(*rule, Keyword::Const) {
                return Some((0, at, tree.end(at)));
            }
            let at = self.rules.get(*rule, Keyword::Enum)?;
            match tree.kind(at) {
                Kind::List { len, end } => Some((len, at + 1, end)),
                _ => None,
            }
        });
        lists
            .min_by_key(|(len, ..)| *len)
            .map(|(_, next, end)| (next, end))
    }

    /// The types in the order in which they are tried: those that a schema names, as it names them,
    /// with null last; otherwise the type that the other keywords imply comes first.
    fn order(&self, base: Base) -> [Kinds; 6] {
        let tree = &self.rules.tree;
        let mut order = ORDER;
        let mut sorted = 0;
        let mut first = |kind: Kinds| {
            let at = order[sorted..].iter().position(|it| it.meets(kind));
            if let Some(at) = at {
                order[sorted..=sorted + at].rotate_right(1);
                sorted += 1;
            }
        };
        let named = self
            .demands(base)
            .iter()
            .find_map(|rule| self.rules.get(*rule, Keyword::Type));
        if let Some(at) = named {
            let each = tree.items(at).filter_map(|item| Kinds::of(tree, item));
            each.filter(|kind| *kind != Kinds::NULL).for_each(first);
            return order;
        }
        let hinted = HINTS.iter().filter(|(_, keywords)| {
            let set = keywords.iter().fold(0, |set, keyword| set | keyword.bit());
            self.demands(base)
                .iter()
                .any(|rule| self.rules.has_any(*rule, set))
        });
        hinted.for_each(|(kind, _)| first(*kind));
        order
    }

    pub(super) fn listed(&mut self, mut listed: Listed) -> Result<(), Unfit> {
        if let Some(outcome) = self.returned() {
            if outcome.is_ok() {
                let index = listed.next - listed.first;
                self.finish(Ok(Cursor { fill: 0, index }));
                return Ok(());
            }
            self.release(listed.mark, true);
        }
        if listed.next == listed.end {
            self.finish(Err(Unfit::Contradiction));
            return Ok(());
        }
        let tree = self.rules.tree.clone();
        for _ in 0..PASSED_MAX {
            if listed.next >= listed.from {
                break;
            }
            listed.next = tree.end(listed.next);
        }
        if listed.next < listed.from || listed.next == listed.end {
            self.fuel.spend(PASSED_MAX / 8)?;
            self.replace(Frame::Listed(listed));
            return Ok(());
        }
        let value = listed.next;
        listed.next = tree.end(value);
        self.replace(Frame::Listed(listed));
        if listed.next - value > NODES_MAX {
            return Err(Unfit::TooLarge);
        }
        if (value..listed.next).any(|at| tree.text(at).is_some_and(|it| it.len() > TEXT_MAX)) {
            return Err(Unfit::TooLarge);
        }
        self.fuel.spend((listed.next - value) / 2)?;
        self.out.copy(&tree, value);
        self.fuel
            .spend((self.out.text_len() - listed.mark.text) as u32 / 64)?;
        self.push_verify(listed.base, listed.mark.nodes);
        Ok(())
    }

    pub(super) fn scalar(&mut self, mut scalar: Scalar) -> Poll<Result<(), Unfit>> {
        match self.returned() {
            Some(Ok(_)) => return self.scalar_done(scalar),
            Some(Err(Unfit::Contradiction)) => {
                self.release(scalar.mark, true);
                scalar.index = scalar.after;
                scalar.rejected += 1;
                // The candidate may have to be waited for.
                self.replace(Frame::Scalar(scalar));
            }
            Some(Err(why)) => return Poll::Ready(Err(why)),
            None => {}
        }
        if scalar.rejected > REJECTED_MAX {
            return Poll::Ready(Err(Unfit::Contradiction));
        }
        let Some((added, after)) = ready!(self.candidate(scalar))? else {
            return Poll::Ready(Err(Unfit::Contradiction));
        };
        scalar.after = after;
        if !added {
            scalar.index = after;
            scalar.rejected += 1;
        } else if self.is_undemanding(scalar.base) {
            return self.scalar_done(scalar);
        }
        self.replace(Frame::Scalar(scalar));
        if added {
            self.push_verify(scalar.base, scalar.mark.nodes);
        }
        Poll::Ready(Ok(()))
    }

    fn scalar_done(&mut self, scalar: Scalar) -> Poll<Result<(), Unfit>> {
        let index = scalar.index + 1;
        self.finish(Ok(Cursor { fill: 0, index }));
        Poll::Ready(Ok(()))
    }

    /// Returns whether any value of the right type satisfies the rules.
    fn is_undemanding(&self, base: Base) -> bool {
        let kinds = Keyword::Type.bit() | Keyword::Format.bit();
        let mut demands = self.demands(base).iter();
        demands.all(|rule| !self.rules.has_any(*rule, !kinds))
    }

    /// Adds the candidate of this number to the tree, if there is one. Returns the number to go on
    /// with where it does not do; `None` behind the last one.
    fn candidate(&mut self, scalar: Scalar) -> Poll<Result<Option<(bool, u32)>, Unfit>> {
        let index = scalar.index;
        let (rules, demands, fuel) = self.parts(scalar.base);
        fuel.spend(1 + demands.len() as u32 / 2)?;
        let value = match scalar.kind {
            Kinds::NULL if index == 0 => Some(Kind::Null),
            Kinds::BOOLEAN if index < 2 => Some(Kind::Bool(index == 0)),
            Kinds::NULL | Kinds::BOOLEAN => return Poll::Ready(Ok(None)),
            Kinds::STRING => {
                let string = ready!(scalar::string(rules, demands, index, fuel))?;
                let Some(Candidate { text, after }) = string else {
                    return Poll::Ready(Ok(None));
                };
                if let Some(text) = &text {
                    self.out.push_text(text);
                }
                return Poll::Ready(Ok(Some((text.is_some(), after))));
            }
            kind => {
                fuel.spend(15)?;
                let range = scalar::numbers(rules, demands);
                let number = match (index.checked_sub(ODD), kind.meets(Kinds::FRACTION)) {
                    (Some(odd), _) => ODD_NUMBERS.get(odd as usize).copied().map(Number::Integer),
                    (None, true) => range.number(index),
                    (None, false) => range.integer(index),
                };
                let Some(number) = number else {
                    return Poll::Ready(Ok(None));
                };
                let value = number.kind().filter(|_| range.has(number));
                self.out_push(value);
                // Some that the ranges allow and something else forbids are followed by odd ones.
                let after = match value.is_some() && (PLAIN..ODD).contains(&index) {
                    true => ODD,
                    false => index + 1,
                };
                return Poll::Ready(Ok(Some((value.is_some(), after))));
            }
        };
        self.out_push(value);
        Poll::Ready(Ok(Some((value.is_some(), index + 1))))
    }

    fn out_push(&mut self, value: Option<Kind>) {
        if let Some(value) = value {
            self.out.push(value);
        }
    }

    pub(super) fn push_verify(&mut self, base: Base, value: u32) {
        self.push(Frame::Verify(Verify {
            base,
            value,
            next: 0,
        }));
    }

    pub(super) fn verify(&mut self, mut verify: Verify) -> Poll<Result<(), Unfit>> {
        let Some(rule) = self.demands(verify.base).get(verify.next).copied() else {
            self.finish(Ok(Cursor::default()));
            return Poll::Ready(Ok(()));
        };
        let kind = Kinds::of_value(self.out.kind(verify.value));
        if !kind.meets(self.scope(verify.base).0) {
            return Poll::Ready(Err(Unfit::Contradiction));
        }
        if self.judge.is_idle() {
            self.judge.begin(verify.value, rule);
        }
        let fits = ready!(self.judge.run(&mut self.rules, &self.out, &mut self.fuel))?;
        verify.next += 1;
        self.replace(Frame::Verify(verify));
        match fits {
            true => Poll::Ready(Ok(())),
            false => Poll::Ready(Err(Unfit::Contradiction)),
        }
    }
}
