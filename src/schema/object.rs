//! Makes objects with every declared or required member that the rules allow.

use std::task::{Poll, ready};

use super::frame::{AfterMember, Base, Cursor, Frame, ObjectFrame, ObjectState, PRODUCT};
use super::keyword::{Keyword, Kinds};
use super::rules::{DEPENDENTS_MAX, RuleId};
use super::scalar::{least_of, most_of};
use super::search::Search;
use super::unfit::Unfit;

/// The optional members that are left out, or varied, one by one.
const SINGLE: u32 = 16;

/// The members that are added beyond what is demanded.
const ADDED: u32 = 4;

/// The ways in which an object is varied: with all optional members, with none of them, without one
/// of them, with one member varied, with further members.
const VARIANTS: u32 = 2 + 3 * SINGLE + ADDED + PRODUCT;

/// The first variant that adds members.
const ADDING: u32 = 2 + 3 * SINGLE;

/// The members whose type is varied.
const TYPED: u32 = 4;

/// Names that patterns of names may not match.
const ODD_NAMES: [&str; 6] = ["1", "A", "_", "-", " ", "é"];

/// The most required names of a schema that are held against those of the others.
const REQUIRED_MAX: u32 = 256;

/// The names that are tried for each further member.
const NAME_TRIES: u32 = 64;

/// Keywords that an object may fail although each of its members is right.
const HARD: u64 = Keyword::OneOf.bit()
    | Keyword::Not.bit()
    | Keyword::If.bit()
    | Keyword::PropertyNames.bit()
    | Keyword::MaxProperties.bit()
    | Keyword::DependentRequired.bit()
    | Keyword::DependentSchemas.bit()
    | Keyword::Dependencies.bit();

impl ObjectFrame {
    /// Returns whether this variant leaves out an optional member: the one with this number.
    fn leaves_out(&self, optional: u32) -> bool {
        match self.variant.checked_sub(2) {
            None => self.variant == 1,
            Some(left_out) => left_out == optional && left_out < SINGLE,
        }
    }

    /// Where the search for a member begins: the one with this number may be varied.
    fn cursor(&self, member: u32) -> Cursor {
        match self.variant.checked_sub(2 + SINGLE) {
            Some(varied) if varied < SINGLE && varied == member => Cursor::variation(0),
            Some(varied @ SINGLE..) if varied < 2 * SINGLE && varied % TYPED == member => {
                Cursor::variation(1 + (varied - SINGLE) / TYPED)
            }
            _ => match self.variant.checked_sub(2 + 3 * SINGLE + ADDED) {
                Some(product) if product >> member.min(31) & 1 == 1 => Cursor::variation(0),
                _ => Cursor::default(),
            },
        }
    }

    /// Returns the variant after this one. Without members of its own, an object can only have
    /// further ones.
    fn next_variant(&self) -> u32 {
        let bare = self.optional == 0 && self.len <= self.added().max(self.least);
        match self.variant {
            ..ADDING if bare && self.len == 0 => ADDING,
            last if bare && last + 1 == ADDING + ADDED => VARIANTS,
            variant => variant + 1,
        }
    }

    /// Returns the number of members that this variant adds.
    fn added(&self) -> u32 {
        match self.variant.saturating_sub(1 + 3 * SINGLE) {
            added @ ..=ADDED => added,
            _ => 0,
        }
    }
}

impl Search {
    pub(super) fn object(&mut self, object: ObjectFrame) -> Poll<Result<(), Unfit>> {
        match object.state {
            ObjectState::Begin => self.object_begins(object),
            ObjectState::Declared => self.declared(object),
            ObjectState::Required => self.required(object),
            ObjectState::Dependent => self.dependent(object),
            ObjectState::Further => self.further(object),
            ObjectState::FurtherName => self.further_name(object),
            ObjectState::Member(after) => Poll::Ready(self.member_made(object, after)),
            ObjectState::Verify => {
                let outcome = self.returned().expect("the value was verified");
                match outcome {
                    Ok(_) => self.object_done(object),
                    Err(Unfit::Contradiction) => self.vary_object(object),
                    Err(why) => return Poll::Ready(Err(why)),
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    fn object_done(&mut self, object: ObjectFrame) {
        let index = object.next_variant();
        self.finish(Ok(Cursor { fill: 0, index }));
    }

    fn vary_object(&mut self, object: ObjectFrame) {
        self.release(object.mark, true);
        let variant = object.next_variant();
        match variant < VARIANTS {
            true => {
                let next = ObjectFrame::new(object.base, object.mark, variant);
                self.replace(Frame::Object(next));
            }
            false => self.finish(Err(Unfit::Contradiction)),
        }
    }

    fn object_begins(&mut self, mut object: ObjectFrame) -> Poll<Result<(), Unfit>> {
        let (rules, demands, fuel) = self.parts(object.base);
        fuel.spend(2 + demands.len() as u32)?;
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        object.least = small(most_of(rules, demands, Keyword::MinProperties).unwrap_or(0));
        object.most = small(least_of(rules, demands, Keyword::MaxProperties).unwrap_or(u64::MAX));
        if object.least > object.most || object.variant >= VARIANTS {
            return Poll::Ready(Err(Unfit::Contradiction));
        }
        if object.most < u32::MAX {
            object.required = ready!(self.count_required(object.base))?;
        }
        self.out.open(true);
        object.state = ObjectState::Declared;
        self.replace(Frame::Object(object));
        Poll::Ready(Ok(()))
    }

    /// Returns the number of different names that the rules require, or more if there are very
    /// many. Required members come before optional ones if their number is limited.
    fn count_required(&mut self, base: Base) -> Poll<Result<u32, Unfit>> {
        let tree = self.rules.tree.clone();
        let mut count = 0;
        for number in 0..self.demands(base).len() {
            let rule = self.demands(base)[number];
            let Some(at) = self.rules.get(rule, Keyword::Required) else {
                continue;
            };
            let distinct = ready!(self.rules.distinct(at, &mut self.fuel))?;
            if number == 0 || distinct > REQUIRED_MAX {
                count += distinct;
                continue;
            }
            for name in tree.items(at) {
                let name = tree.text(name).ok_or(Unfit::Malformed)?;
                let known = self.is_named(base, number as u32, Keyword::Required, name);
                count += u32::from(!ready!(known)?);
            }
        }
        Poll::Ready(Ok(count))
    }

    /// Goes on to the next name that the rules have in what a keyword holds; `None` behind the
    /// last.
    fn next_name(&self, object: &mut ObjectFrame, keyword: Keyword) -> Option<(RuleId, u32)> {
        let tree = &self.rules.tree;
        loop {
            let rule = *self.demands(object.base).get(object.rule as usize)?;
            if let Some(at) = self.rules.get(rule, keyword) {
                if object.next == 0 {
                    object.next = at + 1;
                }
                if object.next < tree.end(at) {
                    let name = object.next;
                    let is_object = tree.is_object(at);
                    object.next = tree.end(name + u32::from(is_object));
                    return Some((rule, name));
                }
            }
            object.rule += 1;
            object.next = 0;
        }
    }

    /// Returns whether a keyword of one of the first `count` demands has a name.
    fn is_named(
        &mut self,
        base: Base,
        count: u32,
        keyword: Keyword,
        name: &str,
    ) -> Poll<Result<bool, Unfit>> {
        for at in 0..count as usize {
            let rule = self.demands(base)[at];
            if let Some(at) = self.rules.get(rule, keyword)
                && ready!(self.rules.find(at, name, &mut self.fuel))?.is_some()
            {
                return Poll::Ready(Ok(true));
            }
        }
        Poll::Ready(Ok(false))
    }

    fn declared(&mut self, mut object: ObjectFrame) -> Poll<Result<(), Unfit>> {
        let Some((rule, place)) = self.next_name(&mut object, Keyword::Properties) else {
            (object.rule, object.next, object.state) = (0, 0, ObjectState::Required);
            self.replace(Frame::Object(object));
            return Poll::Ready(Ok(()));
        };
        let name = self.name_at(place)?;
        let base = object.base;
        let own = self
            .rules
            .get(rule, Keyword::Properties)
            .unwrap_or_default();
        // A duplicate name counts where it occurs last; a name that several rules declare is
        // handled with the first.
        let again = !self.rules.is_distinct(own)
            && ready!(self.rules.find(own, &name, &mut self.fuel))? != Some(place + 1);
        if again || ready!(self.is_named(base, object.rule, Keyword::Properties, &name))? {
            self.replace(Frame::Object(object));
            return Poll::Ready(Ok(()));
        }
        let count = self.demands(base).len() as u32;
        object.must = ready!(self.is_named(base, count, Keyword::Required, &name))?;
        if !object.must {
            let number = object.optional;
            let room = object.len.saturating_add(object.required) < object.most;
            if object.leaves_out(number) || !room {
                object.optional += 1;
                self.replace(Frame::Object(object));
                return Poll::Ready(Ok(()));
            }
        }
        self.add_member(object, &name, AfterMember::Declared)
    }

    fn required(&mut self, mut object: ObjectFrame) -> Poll<Result<(), Unfit>> {
        let Some((rule, place)) = self.next_name(&mut object, Keyword::Required) else {
            object.state = ObjectState::Dependent;
            self.replace(Frame::Object(object));
            return Poll::Ready(Ok(()));
        };
        let name = self.name_at(place)?;
        let base = object.base;
        let own = self.rules.get(rule, Keyword::Required).unwrap_or_default();
        let last = ready!(self.rules.find(own, &name, &mut self.fuel))?;
        let count = self.demands(base).len() as u32;
        let before = ready!(self.is_named(base, object.rule, Keyword::Required, &name))?
            || ready!(self.is_named(base, count, Keyword::Properties, &name))?;
        if last != Some(place) || before {
            self.replace(Frame::Object(object));
            return Poll::Ready(Ok(()));
        }
        object.must = true;
        self.add_member(object, &name, AfterMember::Required)
    }

    fn name_at(&self, place: u32) -> Result<String, Unfit> {
        let name = self.rules.tree.text(place).ok_or(Unfit::Malformed)?;
        match name.len() > super::rules::TEXT_MAX {
            true => Err(Unfit::TooLarge),
            false => Ok(name.to_owned()),
        }
    }

    /// Begins a member: adds its name and searches its value.
    fn add_member(
        &mut self,
        mut object: ObjectFrame,
        name: &str,
        after: AfterMember,
    ) -> Poll<Result<(), Unfit>> {
        let mark = self.mark();
        let wanted = self.want_member(object.base, name);
        if !matches!(wanted, Poll::Ready(Ok(()))) {
            self.unwant(mark);
            return wanted;
        }
        self.fuel.spend(name.len() as u32 / 64)?;
        self.out.push_text(name);
        let value = self.mark().with_queue_of(mark);
        object.member = Some(mark);
        object.optional += u32::from(!object.must);
        object.state = ObjectState::Member(after);
        self.replace(Frame::Object(object));
        if !object.must {
            self.limit();
        }
        self.call(value, Kinds::ALL, object.cursor(object.len));
        Poll::Ready(Ok(()))
    }

    /// Wants all that the rules say of the member with a name.
    fn want_member(&mut self, base: Base, name: &str) -> Poll<Result<(), Unfit>> {
        for at in 0..self.demands(base).len() {
            let rule = self.demands(base)[at];
            let mut which = 0;
            loop {
                let schema = self.rules.member_schema(rule, name, which, &mut self.fuel);
                let Some(schema) = ready!(schema)? else { break };
                self.want(schema);
                which += 1;
                if !self.rules.has_patterns(rule) {
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn member_made(&mut self, mut object: ObjectFrame, after: AfterMember) -> Result<(), Unfit> {
        let outcome = self.returned().expect("a member was searched");
        if !object.must {
            self.unlimit();
        }
        if outcome.is_ok() {
            object.len += 1;
            object.required -= u32::from(object.must && object.required > 0);
        } else {
            self.release(object.member.unwrap_or(object.mark), true);
        }
        match outcome {
            Err(why) if object.must => match after {
                // Without what is optional, it may not be needed.
                AfterMember::Dependent | AfterMember::Further => {
                    self.vary_object(object);
                    return Ok(());
                }
                _ if object.variant > 0 => {
                    self.vary_object(object);
                    return Ok(());
                }
                AfterMember::Declared | AfterMember::Required => return Err(why),
            },
            _ => {}
        }
        object.state = match after {
            AfterMember::Declared => ObjectState::Declared,
            AfterMember::Required => ObjectState::Required,
            AfterMember::Dependent => ObjectState::Dependent,
            AfterMember::Further => ObjectState::Further,
        };
        self.replace(Frame::Object(object));
        Ok(())
    }

    /// Adds the members that others make necessary.
    fn dependent(&mut self, mut object: ObjectFrame) -> Poll<Result<(), Unfit>> {
        const KEYWORDS: [Keyword; 2] = [Keyword::DependentRequired, Keyword::Dependencies];
        let tree = self.rules.tree.clone();
        let at = object.mark.nodes;
        // The object is closed for a moment, so that its members can be found.
        self.out.close(at, object.len);
        let (mut missing, before) = (None, self.fuel.total());
        for number in 0..self.demands(object.base).len() {
            let rule = self.demands(object.base)[number];
            let places = KEYWORDS.map(|keyword| self.rules.get(rule, keyword));
            for (name, wanted) in places.into_iter().flatten().flat_map(|at| tree.members(at)) {
                self.fuel.spend(1 + object.len / 4)?;
                if before - self.fuel.total() > DEPENDENTS_MAX {
                    return Poll::Ready(Err(Unfit::TooLarge));
                }
                let name = tree.text(name).unwrap_or_default();
                if self.out.member(at, name).is_none() {
                    continue;
                }
                for wanted in tree.items(wanted) {
                    self.fuel.spend(1 + object.len / 4)?;
                    if before - self.fuel.total() > DEPENDENTS_MAX {
                        return Poll::Ready(Err(Unfit::TooLarge));
                    }
                    let wanted = tree.text(wanted).ok_or(Unfit::Malformed)?;
                    if missing.is_none() && self.out.member(at, wanted).is_none() {
                        missing = Some(wanted);
                    }
                }
            }
        }
        match missing {
            Some(name) => {
                object.must = true;
                self.add_member(object, name, AfterMember::Dependent)
            }
            None => {
                object.state = ObjectState::Further;
                self.replace(Frame::Object(object));
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Adds members until `minProperties` is reached.
    fn further(&mut self, mut object: ObjectFrame) -> Poll<Result<(), Unfit>> {
        let least = object.least.max(match object.added() {
            0 => 0,
            added => object.least.max(1).saturating_add(added - 1),
        });
        if object.len >= least.min(object.most) {
            self.close_object(object);
            return Poll::Ready(Ok(()));
        }
        object.tried += 1;
        if object.tried > NAME_TRIES.saturating_add(least.saturating_mul(4)) {
            return Poll::Ready(Err(Unfit::Contradiction));
        }
        let pattern = self.name_pattern(object.base);
        let by_pattern = match pattern {
            // Every other name is one that the pattern may not match.
            Some(_) if object.tried.is_multiple_of(2) => {
                let odd = ODD_NAMES[(object.tried / 2) as usize % ODD_NAMES.len()];
                Some(odd.repeat(1 + object.tried as usize / 16))
            }
            Some(at) => {
                let pattern = ready!(self.rules.pattern(at, &mut self.fuel));
                let variant = object.tried - 1;
                pattern
                    .and_then(|it| it.generate(0, 100, variant, &mut self.fuel))
                    .ok()
                    .flatten()
            }
            None => None,
        };
        let mark = self.mark();
        object.member = Some(mark);
        object.state = ObjectState::FurtherName;
        self.replace(Frame::Object(object));
        match by_pattern {
            Some(name) => {
                self.out.push_text(&name);
                self.give(Ok(object.names));
            }
            None => {
                for at in 0..self.demands(object.base).len() {
                    let rule = self.demands(object.base)[at];
                    let schema = self.rules.get(rule, Keyword::PropertyNames);
                    schema.into_iter().for_each(|schema| self.want(schema));
                }
                self.call(mark, Kinds::STRING, object.names);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The place of a pattern that names must match where no others are allowed, or that says what
    /// members look like.
    fn name_pattern(&self, base: Base) -> Option<u32> {
        self.demands(base).iter().find_map(|rule| {
            let at = self.rules.get(*rule, Keyword::PatternProperties)?;
            self.rules.tree.members(at).next().map(|(name, _)| name)
        })
    }

    /// Takes the name that was made, and searches a value for it.
    fn further_name(&mut self, mut object: ObjectFrame) -> Poll<Result<(), Unfit>> {
        let mark = object.member.unwrap_or(object.mark);
        let name = match self.outcome() {
            Some(Ok(_)) => self.out.text(mark.nodes).unwrap_or_default().to_owned(),
            _ => {
                self.returned();
                self.vary_object(object);
                return Poll::Ready(Ok(()));
            }
        };
        // What has to be waited for comes before anything changes.
        let before = self.mark();
        let wanted = self.want_member(object.base, &name);
        self.unwant(before);
        ready!(wanted)?;
        if let Some(Ok(cursor)) = self.returned() {
            object.names = cursor;
        }
        self.release(mark, true);
        self.out.close(object.mark.nodes, object.len);
        self.fuel.spend(1 + object.len / 4)?;
        object.must = false;
        object.state = ObjectState::Further;
        if self.out.member(object.mark.nodes, &name).is_some() {
            self.replace(Frame::Object(object));
            return Poll::Ready(Ok(()));
        }
        self.add_member(object, &name, AfterMember::Further)
    }

    fn close_object(&mut self, mut object: ObjectFrame) {
        self.out.close(object.mark.nodes, object.len);
        let hard = self
            .demands(object.base)
            .iter()
            .any(|rule| self.rules.has_any(*rule, HARD));
        if !hard {
            return self.object_done(object);
        }
        object.state = ObjectState::Verify;
        self.replace(Frame::Object(object));
        self.push_verify(object.base, object.mark.nodes);
    }
}
