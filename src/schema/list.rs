//! Makes lists with the number of items that the rules require, or one item if they require none.

use std::task::Poll;

use super::equality::is_repeated;
use super::frame::{Cursor, Frame, ListFrame, ListState, PRODUCT};
use super::judge::UNIQUE_MAX;
use super::keyword::{Keyword, Kinds};
use super::rules::{RuleId, Rules};
use super::scalar::{least_of, most_of};
use super::search::Search;
use super::unfit::Unfit;
use crate::json::Kind;

/// The ways in which a list is varied: with as few items as possible; with items that are all that
/// must be contained at once; both; then with more items, or with another one of them; then with
/// every choice of the first items.
const VARIANTS: u32 = SINGLE + PRODUCT;

/// The variants before those.
const SINGLE: u32 = 36;

/// The values for one item that are rejected because they are in the list already, and more for
/// each item in it: of lists and objects as many as there are variants of them.
const REPEATED_MAX: [u32; 2] = [40, 160];

/// Keywords that a list may fail although each of its items is right.
const HARD: u64 = Keyword::OneOf.bit()
    | Keyword::Not.bit()
    | Keyword::If.bit()
    | Keyword::Contains.bit()
    | Keyword::MaxContains.bit();

impl ListFrame {
    /// The number of the change of one item, in the variants that have one.
    fn variation(&self) -> Option<u32> {
        let more = self.variant.checked_sub(4)?;
        (self.variant < SINGLE && more.is_multiple_of(2)).then_some(more / 2)
    }

    /// Returns whether one item is all that must be contained, and not one item each.
    fn is_together(&self) -> bool {
        matches!(self.variant, 2 | 3)
    }
}

impl Search {
    pub(super) fn list(&mut self, list: ListFrame) -> Poll<Result<(), Unfit>> {
        match list.state {
            ListState::Begin => Poll::Ready(self.list_begins(list)),
            ListState::Next => self.next_item(list),
            ListState::Item => Poll::Ready(self.item_made(list)),
            ListState::Verify => {
                let outcome = self.returned().expect("the value was verified");
                match outcome {
                    Ok(_) => self.list_done(list),
                    Err(Unfit::Contradiction) => self.vary_list(list),
                    Err(why) => return Poll::Ready(Err(why)),
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    fn list_done(&mut self, list: ListFrame) {
        let index = list.variant + 1;
        self.finish(Ok(Cursor { fill: 0, index }));
    }

    fn vary_list(&mut self, list: ListFrame) {
        self.release(list.mark, true);
        match list.variant + 1 < VARIANTS {
            true => {
                let next = ListFrame::new(list.base, list.mark, list.variant + 1);
                self.replace(Frame::List(next));
            }
            false => self.finish(Err(Unfit::Contradiction)),
        }
    }

    fn list_begins(&mut self, mut list: ListFrame) -> Result<(), Unfit> {
        let (rules, demands, fuel) = self.parts(list.base);
        fuel.spend(2 + demands.len() as u32)?;
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        list.least = small(most_of(rules, demands, Keyword::MinItems).unwrap_or(0));
        list.most = small(least_of(rules, demands, Keyword::MaxItems).unwrap_or(u64::MAX));
        list.unique = demands
            .iter()
            .any(|rule| rules.flag(*rule, Keyword::UniqueItems));
        let tuples =
            demands
                .iter()
                .filter_map(|rule| match rules.tree.kind(rules.prefix(*rule)?) {
                    Kind::List { len, .. } => Some(len),
                    _ => None,
                });
        list.tuple = tuples.max().unwrap_or(0);
        let each = demands.iter().map(|rule| needed_by(rules, *rule));
        let needed = each.fold(0, u32::saturating_add);
        let most_needed = demands.iter().map(|rule| needed_by(rules, *rule)).max();
        let needed = match list.is_together() {
            true => most_needed.unwrap_or(0),
            false => needed,
        };
        let needed = needed.max(list.least);
        list.usual = list.tuple.max(1).max(needed).min(list.most);
        match list.variant {
            1 | 3 => list.usual = needed.min(list.most),
            more @ 5..SINGLE if more % 2 == 1 => {
                list.usual = list.usual.saturating_add(more / 2 - 1).min(list.most);
            }
            _ => {}
        }
        if list.least > list.most || list.variant >= VARIANTS {
            return Err(Unfit::Contradiction);
        }
        if list.unique && list.least > UNIQUE_MAX {
            return Err(Unfit::TooLarge);
        }
        self.out.open(false);
        list.state = ListState::Next;
        self.replace(Frame::List(list));
        Ok(())
    }

    fn next_item(&mut self, mut list: ListFrame) -> Poll<Result<(), Unfit>> {
        if list.len == list.usual {
            return self.close_list(list);
        }
        let mark = self.mark();
        for at in 0..self.demands(list.base).len() {
            let rule = self.demands(list.base)[at];
            let schema = self.rules.item_schema(rule, list.len, &mut self.fuel)?;
            if let Some(schema) = schema {
                self.want(schema);
            }
        }
        // What must be contained comes first, where an item can be it.
        list.wanted = !list.plain && self.want_contained(list);
        if list.cursor == Cursor::default()
            && let Some(number) = list.variation()
            && number % list.usual == list.len
        {
            list.cursor = Cursor::variation(number / list.usual);
        }
        let product = list.variant.checked_sub(SINGLE);
        if list.cursor == Cursor::default()
            && product.is_some_and(|product| product >> list.len.min(31) & 1 == 1)
        {
            list.cursor = Cursor::variation(0);
        }
        list.item = Some(mark);
        list.state = ListState::Item;
        self.replace(Frame::List(list));
        self.call(mark, Kinds::ALL, list.cursor);
        Poll::Ready(Ok(()))
    }

    fn item_made(&mut self, mut list: ListFrame) -> Result<(), Unfit> {
        let outcome = self.returned().expect("an item was searched");
        list.state = ListState::Next;
        match outcome {
            Ok(cursor) if list.unique && self.is_repeated(list)? => {
                let item = list.item.unwrap_or(list.mark);
                let kind = Kinds::of_value(self.out.kind(item.nodes));
                let has_parts = kind == Kinds::ARRAY || kind == Kinds::OBJECT;
                self.release(item, true);
                list.repeated += 1;
                list.cursor = cursor;
                if list.repeated > REPEATED_MAX[usize::from(has_parts)] + 2 * list.len {
                    // This branch or type has no others; the next one may.
                    (list.cursor.fill, list.cursor.index) = (cursor.fill + 1, 0);
                    list.repeated = 0;
                }
            }
            Ok(cursor) => {
                list.len += 1;
                (list.plain, list.repeated) = (false, 0);
                let before = self.contained_by(list);
                list.contained += u32::from(list.wanted);
                // Items with the same schemas go on where the last one ended, if none may repeat.
                let goes_on = list.len > list.tuple && before == self.contained_by(list);
                list.cursor = match list.unique && goes_on {
                    true => cursor,
                    false => Cursor::default(),
                };
            }
            Err(_) if list.wanted => {
                // This item can't be what must be contained; one behind the tuple may.
                if list.len >= list.tuple {
                    self.vary_list(list);
                    return Ok(());
                }
                (list.plain, list.cursor) = (true, Cursor::default());
            }
            Err(why) if list.len < list.least => {
                // Where items depend on each other, others before it may leave room for it.
                let depends = list.variant > 0
                    || list.unique
                    || self
                        .contained_by(ListFrame {
                            contained: 0,
                            ..list
                        })
                        .is_some();
                match depends {
                    true => self.vary_list(list),
                    false => return Err(why),
                }
                return Ok(());
            }
            Err(_) => list.usual = list.len,
        }
        self.replace(Frame::List(list));
        Ok(())
    }

    /// Returns whether the item that was made last is equal to one before it.
    fn is_repeated(&mut self, list: ListFrame) -> Result<bool, Unfit> {
        let item = list.item.unwrap_or(list.mark).nodes;
        is_repeated(&self.out, list.mark.nodes + 1, item, &mut self.fuel)
    }

    /// The rule whose schema the next item should satisfy so that the list contains what it must.
    fn contained_by(&self, list: ListFrame) -> Option<RuleId> {
        let mut contained = list.contained;
        for rule in self.demands(list.base) {
            let needed = needed_by(&self.rules, *rule);
            if contained < needed {
                return Some(*rule);
            }
            if !list.is_together() {
                contained -= needed;
            }
        }
        None
    }

    /// Wants the next item to be what the list must contain, if something is left of that.
    fn want_contained(&mut self, list: ListFrame) -> bool {
        let Some(rule) = self.contained_by(list) else {
            return false;
        };
        if !list.is_together() {
            let schema = self.rules.get(rule, Keyword::Contains);
            schema.into_iter().for_each(|schema| self.want(schema));
            return true;
        }
        for at in 0..self.demands(list.base).len() {
            let rule = self.demands(list.base)[at];
            if list.contained < needed_by(&self.rules, rule)
                && let Some(schema) = self.rules.get(rule, Keyword::Contains)
            {
                self.want(schema);
            }
        }
        true
    }

    fn close_list(&mut self, mut list: ListFrame) -> Poll<Result<(), Unfit>> {
        self.out.close(list.mark.nodes, list.len);
        let hard = self
            .demands(list.base)
            .iter()
            .any(|rule| self.rules.has_any(*rule, HARD));
        if !hard {
            self.list_done(list);
            return Poll::Ready(Ok(()));
        }
        list.state = ListState::Verify;
        self.replace(Frame::List(list));
        self.push_verify(list.base, list.mark.nodes);
        Poll::Ready(Ok(()))
    }
}

/// Returns the number of items that must match a rule's `contains`.
fn needed_by(rules: &Rules, rule: RuleId) -> u32 {
    match rules.get(rule, Keyword::Contains) {
        Some(_) => {
            let least = rules.count(rule, Keyword::MinContains).unwrap_or(1);
            u32::try_from(least).unwrap_or(u32::MAX)
        }
        None => 0,
    }
}
