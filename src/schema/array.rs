//! Generation of arrays, with the number of elements that the rules require, or one element if they
//! require none.

use super::equality::is_repeated;
use super::error::{Resumable, SchemaError};
use super::frame::{ArrayFrame, ArrayState, Base, Cursor, PRODUCT};
use super::keyword::{Keyword, TypeSet};
use super::rules::{RuleId, Rules};
use super::scalar::{limits, saturated};
use super::search::Search;
use super::validator::UNIQUE_MAX;

/// The number of variants of an array: as usual; with as few elements as possible; with elements
/// that match several `contains` at once; with both; with more elements, or one element varied;
/// with any subset of the first elements varied.
const VARIANTS: u32 = SINGLE + PRODUCT;

/// The number of variants before those that vary several elements.
const SINGLE: u32 = 36;

/// The most values for one element that are rejected as duplicates: for scalars, and for arrays and
/// objects, which have more variants. Each element in the array adds two.
const REPEATED_MAX: [u32; 2] = [40, 160];

/// The keywords that an array can violate although each of its elements is valid.
const HARD: u64 = Keyword::OneOf.bit()
    | Keyword::Not.bit()
    | Keyword::If.bit()
    | Keyword::Contains.bit()
    | Keyword::MaxContains.bit();

impl ArrayFrame {
    /// Creates the frame of a variant of an array.
    pub fn new(base: Base, variant: u32) -> ArrayFrame {
        ArrayFrame {
            base,
            variant,
            ..ArrayFrame::default()
        }
    }

    /// Returns the cursor of the next element, which this variant may vary.
    fn variation(&self) -> Cursor {
        let number = self.variant.saturating_sub(4) / 2;
        match self.variant {
            4..SINGLE if self.variant.is_multiple_of(2) && number % self.target == self.len => {
                Cursor::variation(number / self.target)
            }
            SINGLE.. if (self.variant - SINGLE) >> self.len.min(31) & 1 == 1 => {
                Cursor::variation(0)
            }
            _ => Cursor::default(),
        }
    }

    /// Returns whether one element matches every `contains`, instead of one element each.
    fn is_together(&self) -> bool {
        matches!(self.variant, 2 | 3)
    }
}

impl Search {
    pub(super) fn array(&mut self, array: &mut ArrayFrame) -> Resumable {
        match array.state {
            ArrayState::Verify => match self.result.take().expect("the value was verified") {
                Ok(_) => self.finish_at(array.variant + 1),
                Err(SchemaError::Contradiction) => self.vary_array(array),
                Err(why) => Err(why.into()),
            },
            _ if self.result.is_some() => self.item_made(array),
            ArrayState::Begin => self.begin_array(array),
            ArrayState::Next => self.next_item(array),
        }
    }

    fn vary_array(&mut self, array: &mut ArrayFrame) -> Resumable {
        self.release(array.base.mark, true);
        *array = ArrayFrame::new(array.base, array.variant + 1);
        Ok(SchemaError::Contradiction.when(array.variant >= VARIANTS)?)
    }

    fn begin_array(&mut self, array: &mut ArrayFrame) -> Resumable {
        let (rules, demands, fuel) = self.parts(array.base);
        fuel.spend(2 + demands.len() as u32)?;
        let limits = limits(rules, demands, Keyword::MinItems, Keyword::MaxItems);
        (array.min, array.max) = (saturated(limits.0), saturated(limits.1));
        array.unique = demands
            .iter()
            .any(|rule| rules.flag(*rule, Keyword::UniqueItems));
        let tuples = demands.iter().filter_map(|rule| rules.prefix(*rule));
        array.tuple = tuples.map(|at| rules.tree.size(at)).max().unwrap_or(0);
        let each = demands.iter().map(|rule| needed_by(rules, *rule));
        let needed = match array.is_together() {
            true => each.max().unwrap_or(0),
            false => each.fold(0, u32::saturating_add),
        };
        let needed = needed.max(array.min);
        array.target = array.tuple.max(1).max(needed).min(array.max);
        match array.variant {
            1 | 3 => array.target = needed.min(array.max),
            more @ 5..SINGLE if more % 2 == 1 => {
                array.target = array.target.saturating_add(more / 2 - 1).min(array.max);
            }
            _ => {}
        }
        SchemaError::Contradiction.when(array.min > array.max || array.variant >= VARIANTS)?;
        SchemaError::TooLarge.when(array.unique && array.min > UNIQUE_MAX)?;
        self.out.open(false);
        array.state = ArrayState::Next;
        Ok(())
    }

    fn next_item(&mut self, array: &mut ArrayFrame) -> Resumable {
        if array.len == array.target {
            if !self.close(array.base, array.len, HARD) {
                return self.finish_at(array.variant + 1);
            }
            array.state = ArrayState::Verify;
            return Ok(());
        }
        let mark = self.mark();
        for at in 0..self.demands(array.base).len() {
            let rule = self.demands(array.base)[at];
            let schema = self.rules.item_schema(rule, array.len, &mut self.fuel)?;
            if let Some(schema) = schema {
                self.require(schema);
            }
        }
        // Elements that must match `contains` come first, where possible.
        array.must_match = !array.skip_contains && self.require_contained(array);
        if array.cursor == Cursor::default() {
            array.cursor = array.variation();
        }
        array.item = mark;
        self.call(mark, TypeSet::ALL, array.cursor);
        Ok(())
    }

    fn item_made(&mut self, array: &mut ArrayFrame) -> Resumable {
        let result = self.result.take().expect("the search for an element ended");
        match result {
            Ok(cursor) if array.unique && self.is_repeated(array)? => {
                let item = array.item;
                let ty = TypeSet::of_value(self.out.node(item.nodes));
                let has_parts = ty == TypeSet::ARRAY || ty == TypeSet::OBJECT;
                self.release(item, true);
                array.repeated += 1;
                array.cursor = cursor;
                if array.repeated > REPEATED_MAX[usize::from(has_parts)] + 2 * array.len {
                    // This branch or type has run out of values; the next one may not have.
                    (array.cursor.fill, array.cursor.index) = (cursor.fill + 1, 0);
                    array.repeated = 0;
                }
            }
            Ok(cursor) => {
                array.len += 1;
                (array.skip_contains, array.repeated) = (false, 0);
                let before = self.contained_by(array, array.contained);
                array.contained += u32::from(array.must_match);
                // If elements must be unique, the search for one resumes where the last one with
                // the same schemas was found.
                let goes_on =
                    array.len > array.tuple && before == self.contained_by(array, array.contained);
                array.cursor = match array.unique && goes_on {
                    true => cursor,
                    false => Cursor::default(),
                };
            }
            Err(_) if array.must_match => {
                // This element can't match `contains`; one after the tuple may.
                if array.len >= array.tuple {
                    return self.vary_array(array);
                }
                (array.skip_contains, array.cursor) = (true, Cursor::default());
            }
            Err(why) if array.len < array.min => {
                // If elements depend on each other, a change of earlier ones may help.
                let depends =
                    array.variant > 0 || array.unique || self.contained_by(array, 0).is_some();
                return match depends {
                    true => self.vary_array(array),
                    false => Err(why.into()),
                };
            }
            Err(_) => array.target = array.len,
        }
        Ok(())
    }

    /// Returns whether the last element is equal to one before it.
    fn is_repeated(&mut self, array: &ArrayFrame) -> Result<bool, SchemaError> {
        let first = array.base.mark.nodes + 1;
        is_repeated(&self.out, first, array.item.nodes, &mut self.fuel)
    }

    /// Returns the rule whose `contains` the next element should match, if any is unsatisfied by
    /// this number of elements generated to match it.
    fn contained_by(&self, array: &ArrayFrame, mut contained: u32) -> Option<RuleId> {
        for rule in self.demands(array.base) {
            let needed = needed_by(&self.rules, *rule);
            if contained < needed {
                return Some(*rule);
            }
            if !array.is_together() {
                contained -= needed;
            }
        }
        None
    }

    /// Requires the next element to match `contains`, if any is unsatisfied.
    fn require_contained(&mut self, array: &ArrayFrame) -> bool {
        let Some(rule) = self.contained_by(array, array.contained) else {
            return false;
        };
        if !array.is_together() {
            self.require_keyword(rule, Keyword::Contains);
            return true;
        }
        for at in 0..self.demands(array.base).len() {
            let rule = self.demands(array.base)[at];
            if array.contained < needed_by(&self.rules, rule) {
                self.require_keyword(rule, Keyword::Contains);
            }
        }
        true
    }
}

/// Returns the number of elements that must match a rule's `contains`.
fn needed_by(rules: &Rules, rule: RuleId) -> u32 {
    if !rules.has_any(rule, Keyword::Contains.bit()) {
        return 0;
    }
    saturated(rules.count(rule, Keyword::MinContains).unwrap_or(1))
}
