//! Generation of objects, with every declared or required member that the rules allow.

use super::error::{Halt, Resumable, SchemaError};
use super::frame::{Base, Cursor, ObjectFrame, ObjectState, PRODUCT};
use super::keyword::{Keyword, TypeSet};
use super::rules::{DEPENDENTS_MAX, TEXT_MAX};
use super::scalar::{limits, saturated};
use super::search::Search;

/// The number of optional members that are omitted, or varied, one at a time.
const SINGLE: u32 = 16;

/// The most members that are added beyond the required ones.
const ADDED: u32 = 4;

/// The number of variants of an object: with all optional members, with none of them, without one
/// of them, with one member varied, with further members, with several members varied.
const VARIANTS: u32 = 2 + 3 * SINGLE + ADDED + PRODUCT;

/// The first variant after those that omit or vary a single member; it adds further members.
const ADDING: u32 = 2 + 3 * SINGLE;

/// The number of members whose type is varied.
const TYPED: u32 = 4;

/// Further names to try if `patternProperties` must not match.
const FALLBACK_NAMES: [&str; 6] = ["1", "A", "_", "-", " ", "é"];

/// The most required names of one schema that are compared with those of the others.
const REQUIRED_MAX: u32 = 256;

/// The number of names that are tried for each further member.
const NAME_TRIES: u32 = 64;

/// The keywords that an object can violate although each of its members is valid.
const HARD: u64 = Keyword::OneOf.bit()
    | Keyword::Not.bit()
    | Keyword::If.bit()
    | Keyword::PropertyNames.bit()
    | Keyword::MaxProperties.bit()
    | Keyword::DependentRequired.bit()
    | Keyword::DependentSchemas.bit()
    | Keyword::Dependencies.bit();

impl ObjectFrame {
    /// Creates the frame of a variant of an object.
    pub fn new(base: Base, variant: u32) -> ObjectFrame {
        ObjectFrame {
            base,
            variant,
            ..ObjectFrame::default()
        }
    }

    /// Returns whether this variant omits the optional member number `optional`.
    fn leaves_out(&self, optional: u32) -> bool {
        match self.variant.checked_sub(2) {
            None => self.variant == 1,
            Some(left_out) => left_out == optional && left_out < SINGLE,
        }
    }

    /// Returns the cursor of member number `member`, which this variant may vary.
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

    /// Returns the variant after this one. Skips those that would be the same because the object
    /// has no members to omit or vary.
    fn next_variant(&self) -> u32 {
        let bare = self.optional == 0 && self.len <= self.added().max(self.min);
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
    pub(super) fn object(&mut self, object: &mut ObjectFrame) -> Resumable {
        match object.state {
            ObjectState::FurtherName => self.further_name(object),
            ObjectState::Verify => match self.result.take().expect("the value was verified") {
                Ok(_) => self.finish_at(object.next_variant()),
                Err(SchemaError::Contradiction) => self.vary_object(object),
                Err(why) => Err(why.into()),
            },
            _ if self.result.is_some() => self.member_made(object),
            ObjectState::Begin => self.begin_object(object),
            ObjectState::Declared => self.declared(object),
            ObjectState::Required => self.required(object),
            ObjectState::Dependent => self.dependent(object),
            ObjectState::Further => self.further(object),
        }
    }

    fn vary_object(&mut self, object: &mut ObjectFrame) -> Resumable {
        self.release(object.base.mark, true);
        *object = ObjectFrame::new(object.base, object.next_variant());
        Ok(SchemaError::Contradiction.when(object.variant >= VARIANTS)?)
    }

    fn begin_object(&mut self, object: &mut ObjectFrame) -> Resumable {
        let (rules, demands, fuel) = self.parts(object.base);
        fuel.spend(2 + demands.len() as u32)?;
        let (least, most) = (Keyword::MinProperties, Keyword::MaxProperties);
        let limits = limits(rules, demands, least, most);
        (object.min, object.max) = (saturated(limits.0), saturated(limits.1));
        SchemaError::Contradiction.when(object.min > object.max || object.variant >= VARIANTS)?;
        if object.max < u32::MAX {
            object.required = self.count_required(object.base)?;
        }
        self.out.open(true);
        object.state = ObjectState::Declared;
        Ok(())
    }

    /// Returns the number of distinct names that the rules require, or an upper bound if there are
    /// very many. If `maxProperties` is limited, this many places are reserved for them.
    fn count_required(&mut self, base: Base) -> Resumable<u32> {
        let tree = self.rules.tree.clone();
        let mut count = 0;
        for number in 0..self.demands(base).len() {
            let rule = self.demands(base)[number];
            let Some(at) = self.rules.get(rule, Keyword::Required) else {
                continue;
            };
            let distinct = self.rules.distinct(at, &mut self.fuel)?;
            if number == 0 || distinct > REQUIRED_MAX {
                count += distinct;
                continue;
            }
            for name in tree.items(at) {
                let name = tree.text(name).ok_or(SchemaError::Malformed)?;
                let known = self.is_named(base, number as u32, Keyword::Required, name);
                count += u32::from(!known?);
            }
        }
        Ok(count)
    }

    /// Advances to the next name in the values of a keyword. Returns the position of that value and
    /// that of the name, or `None` after the last.
    fn next_name(&self, object: &mut ObjectFrame, keyword: Keyword) -> Option<(u32, u32)> {
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
                    return Some((at, name));
                }
            }
            object.rule += 1;
            object.next = 0;
        }
    }

    /// Returns whether a keyword of one of the first `count` demands contains `name`.
    fn is_named(
        &mut self,
        base: Base,
        count: u32,
        keyword: Keyword,
        name: &str,
    ) -> Resumable<bool> {
        for at in 0..count as usize {
            let rule = self.demands(base)[at];
            if let Some(at) = self.rules.get(rule, keyword)
                && self.rules.find(at, name, &mut self.fuel)?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn declared(&mut self, object: &mut ObjectFrame) -> Resumable {
        let Some((own, place)) = self.next_name(object, Keyword::Properties) else {
            (object.rule, object.next, object.state) = (0, 0, ObjectState::Required);
            return Ok(());
        };
        let name = self.name_at(place)?;
        let base = object.base;
        // Of duplicate names the last counts. A name that several rules declare is handled with the
        // first rule.
        let again = !self.rules.is_distinct(own)
            && self.rules.find(own, &name, &mut self.fuel)? != Some(place + 1);
        if again || self.is_named(base, object.rule, Keyword::Properties, &name)? {
            return Ok(());
        }
        let count = self.demands(base).len() as u32;
        object.is_required = self.is_named(base, count, Keyword::Required, &name)?;
        if !object.is_required {
            let room = object.len.saturating_add(object.required) < object.max;
            if object.leaves_out(object.optional) || !room {
                object.optional += 1;
                return Ok(());
            }
        }
        self.add_member(object, &name)
    }

    fn required(&mut self, object: &mut ObjectFrame) -> Resumable {
        let Some((own, place)) = self.next_name(object, Keyword::Required) else {
            object.state = ObjectState::Dependent;
            return Ok(());
        };
        let name = self.name_at(place)?;
        let base = object.base;
        let last = self.rules.find(own, &name, &mut self.fuel)?;
        let count = self.demands(base).len() as u32;
        let before = self.is_named(base, object.rule, Keyword::Required, &name)?
            || self.is_named(base, count, Keyword::Properties, &name)?;
        if last != Some(place) || before {
            return Ok(());
        }
        object.is_required = true;
        self.add_member(object, &name)
    }

    fn name_at(&self, place: u32) -> Result<String, SchemaError> {
        let name = self.rules.tree.text(place).ok_or(SchemaError::Malformed)?;
        SchemaError::TooLarge.when(name.len() > TEXT_MAX)?;
        Ok(name.to_owned())
    }

    /// Adds the name of a member and begins the search for its value.
    fn add_member(&mut self, object: &mut ObjectFrame, name: &str) -> Resumable {
        let mark = self.mark();
        let wanted = self.require_member(object.base, name);
        if wanted.is_err() {
            self.withdraw(mark);
            return wanted;
        }
        self.fuel.spend(name.len() as u32 / 64)?;
        self.out.push_string(name);
        let mut value = self.mark();
        value.queue = mark.queue;
        object.member = mark;
        object.optional += u32::from(!object.is_required);
        if !object.is_required {
            self.push_limit();
        }
        self.call(value, TypeSet::ALL, object.cursor(object.len));
        Ok(())
    }

    /// Requires all schemas that apply to the member called `name`.
    fn require_member(&mut self, base: Base, name: &str) -> Resumable {
        for at in 0..self.demands(base).len() {
            let rule = self.demands(base)[at];
            let mut which = 0;
            loop {
                let schema = self.rules.member_schema(rule, name, which, &mut self.fuel);
                let Some(schema) = schema? else { break };
                self.require(schema);
                which += 1;
                if !self.rules.has_patterns(rule) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn member_made(&mut self, object: &mut ObjectFrame) -> Resumable {
        let result = self.result.take().expect("the search for a member ended");
        if !object.is_required {
            self.pop_limit();
        }
        let Err(why) = result else {
            object.len += 1;
            object.required -= u32::from(object.is_required && object.required > 0);
            return Ok(());
        };
        self.release(object.member, true);
        match object.state {
            _ if !object.is_required => Ok(()),
            // It may not be needed if optional members are omitted.
            ObjectState::Dependent => self.vary_object(object),
            _ if object.variant > 0 => self.vary_object(object),
            _ => Err(why.into()),
        }
    }

    /// Adds the members that other members require.
    fn dependent(&mut self, object: &mut ObjectFrame) -> Resumable {
        const KEYWORDS: [Keyword; 2] = [Keyword::DependentRequired, Keyword::Dependencies];
        let tree = self.rules.tree.clone();
        let at = object.base.mark.nodes;
        // Close the object temporarily, so that its members can be looked up.
        self.out.close(at, object.len);
        let (mut missing, before) = (None, self.fuel.total());
        for number in 0..self.demands(object.base).len() {
            let rule = self.demands(object.base)[number];
            let places = KEYWORDS.map(|keyword| self.rules.get(rule, keyword));
            for (name, wanted) in places.into_iter().flatten().flat_map(|at| tree.members(at)) {
                self.fuel.spend(1 + object.len / 4)?;
                SchemaError::TooLarge.when(before - self.fuel.total() > DEPENDENTS_MAX)?;
                let name = tree.text(name).unwrap_or_default();
                if self.out.member(at, name).is_none() {
                    continue;
                }
                for wanted in tree.items(wanted) {
                    self.fuel.spend(1 + object.len / 4)?;
                    SchemaError::TooLarge.when(before - self.fuel.total() > DEPENDENTS_MAX)?;
                    let wanted = tree.text(wanted).ok_or(SchemaError::Malformed)?;
                    if missing.is_none() && self.out.member(at, wanted).is_none() {
                        missing = Some(wanted);
                    }
                }
            }
        }
        match missing {
            Some(name) => {
                object.is_required = true;
                self.add_member(object, name)
            }
            None => {
                object.state = ObjectState::Further;
                Ok(())
            }
        }
    }

    /// Adds members until `minProperties` is reached.
    fn further(&mut self, object: &mut ObjectFrame) -> Resumable {
        let min = object.min.max(match object.added() {
            0 => 0,
            added => object.min.max(1).saturating_add(added - 1),
        });
        if object.len >= min.min(object.max) {
            if !self.close(object.base, object.len, HARD) {
                return self.finish_at(object.next_variant());
            }
            object.state = ObjectState::Verify;
            return Ok(());
        }
        object.tried += 1;
        SchemaError::Contradiction
            .when(object.tried > NAME_TRIES.saturating_add(min.saturating_mul(4)))?;
        let pattern = self.name_pattern(object.base);
        let by_pattern = match pattern {
            // Every other name is one that the pattern probably does not match.
            Some(_) if object.tried.is_multiple_of(2) => {
                let fallback = FALLBACK_NAMES[(object.tried / 2) as usize % FALLBACK_NAMES.len()];
                Some(fallback.repeat(1 + object.tried as usize / 16))
            }
            Some(at) => match self.rules.pattern(at, &mut self.fuel) {
                Ok(pattern) => pattern
                    .generate(0, 100, object.tried - 1, &mut self.fuel)
                    .unwrap_or_default(),
                Err(Halt::Failed(_)) => None,
                Err(Halt::Paused) => return Err(Halt::Paused),
            },
            None => None,
        };
        let mark = self.mark();
        object.member = mark;
        object.state = ObjectState::FurtherName;
        match by_pattern {
            Some(name) => {
                self.out.push_string(&name);
                self.result = Some(Ok(object.names));
            }
            None => {
                for at in 0..self.demands(object.base).len() {
                    let rule = self.demands(object.base)[at];
                    self.require_keyword(rule, Keyword::PropertyNames);
                }
                self.call(mark, TypeSet::STRING, object.names);
            }
        }
        Ok(())
    }

    /// Returns the position of a pattern in `patternProperties`, which shows what names look like.
    fn name_pattern(&self, base: Base) -> Option<u32> {
        self.demands(base).iter().find_map(|rule| {
            let at = self.rules.get(*rule, Keyword::PatternProperties)?;
            self.rules.tree.members(at).next().map(|(name, _)| name)
        })
    }

    /// Takes the name that was generated, and begins the search for its value.
    fn further_name(&mut self, object: &mut ObjectFrame) -> Resumable {
        let mark = object.member;
        let Some(Ok(cursor)) = self.result else {
            self.result = None;
            return self.vary_object(object);
        };
        let name = self.out.text(mark.nodes).unwrap_or_default().to_owned();
        // Do everything that may have to wait before anything changes.
        let before = self.mark();
        let wanted = self.require_member(object.base, &name);
        self.withdraw(before);
        wanted?;
        self.result = None;
        object.names = cursor;
        self.release(mark, true);
        self.out.close(object.base.mark.nodes, object.len);
        self.fuel.spend(1 + object.len / 4)?;
        object.is_required = false;
        object.state = ObjectState::Further;
        if self.out.member(object.base.mark.nodes, &name).is_some() {
            return Ok(());
        }
        self.add_member(object, &name)
    }
}
