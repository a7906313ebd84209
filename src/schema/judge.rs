//! Validates a value against a schema. `format` is not checked.

use std::task::{Poll, ready};

use super::equality::{equal, is_repeated, is_same_scalar, is_small};
use super::format::Format;
use super::fuel::Fuel;
use super::keyword::{Keyword, Kinds};
use super::number::{Number, is_multiple};
use super::rules::{DEPENDENTS_MAX, FALSE, RuleId, Rules, TEXT_MAX, TRUE};
use super::unfit::Unfit;
use crate::json::{Kind, Tree};

/// The deepest nesting of schemas and values together.
const DEPTH_MAX: usize = 1000;

/// The values of an `enum` that are compared in one step, where that is cheap.
const SCALARS_AT_ONCE: usize = 8;

/// The longest list whose items are compared with each other.
pub const UNIQUE_MAX: u32 = 2048;

/// Decides whether values of one tree satisfy rules, with a stack of its own.
#[derive(Debug, Default)]
pub struct Judge {
    checks: Vec<Check>,
    /// The result of the check that ended last.
    verdict: Option<bool>,
}

/// The validation of one value against one rule.
#[derive(Clone, Copy, Debug)]
struct Check {
    value: u32,
    rule: RuleId,
    stage: Stage,
    /// The next place within the value, or within what a keyword holds.
    next: u32,
    /// The number of places passed.
    passed: u32,
    /// The counter of the stage.
    count: u32,
}

/// What is checked, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Scalar,
    Enum,
    Reference,
    AllOf,
    AnyOf,
    OneOf,
    Not,
    If,
    Branch,
    Items,
    Contains,
    Unique,
    Names,
    Members,
    Dependents,
    End,
}

/// The keywords that each group of stages is about: a rule without them is done sooner.
const APPLICATORS: u64 = Keyword::Ref.bit()
    | Keyword::DynamicRef.bit()
    | Keyword::RecursiveRef.bit()
    | Keyword::AllOf.bit()
    | Keyword::AnyOf.bit()
    | Keyword::OneOf.bit()
    | Keyword::Not.bit()
    | Keyword::If.bit();

/// The keywords that have schemas for members.
const MEMBERS: u64 = Keyword::Properties.bit()
    | Keyword::PatternProperties.bit()
    | Keyword::AdditionalProperties.bit();

/// The keywords that are decided at once.
const SCALARS: u64 = Keyword::Type.bit()
    | Keyword::Minimum.bit()
    | Keyword::Maximum.bit()
    | Keyword::ExclusiveMinimum.bit()
    | Keyword::ExclusiveMaximum.bit()
    | Keyword::MultipleOf.bit()
    | Keyword::MinLength.bit()
    | Keyword::MaxLength.bit()
    | Keyword::Pattern.bit()
    | Keyword::Format.bit();

impl Judge {
    /// Forgets what is being judged.
    pub fn reset(&mut self) {
        self.checks.clear();
        self.verdict = None;
    }

    /// Begins to validate the value at `value` against `rule`.
    pub fn begin(&mut self, value: u32, rule: RuleId) {
        self.reset();
        self.checks.push(Check::new(value, rule));
    }

    /// Returns whether nothing is being judged.
    pub fn is_idle(&self) -> bool {
        self.checks.is_empty() && self.verdict.is_none()
    }

    /// Continues until the result is known.
    pub fn run(
        &mut self,
        rules: &mut Rules,
        values: &Tree,
        fuel: &mut Fuel,
    ) -> Poll<Result<bool, Unfit>> {
        while let Some(check) = self.checks.last().copied() {
            ready!(fuel.wait());
            fuel.spend(1)?;
            let mut step = Step {
                check,
                child: self.verdict,
                rules,
                values,
                fuel,
            };
            let next = ready!(step.advance())?;
            let check = step.check;
            self.verdict = None;
            match next {
                Next::Verdict(verdict) => {
                    self.checks.pop();
                    self.verdict = Some(verdict);
                }
                Next::Stage => *self.top() = check.at_next_stage(),
                Next::Stay => *self.top() = check,
                Next::Child(value, rule) => {
                    *self.top() = check;
                    self.push(value, rule, fuel)?;
                }
            }
        }
        Poll::Ready(Ok(self.verdict.take().unwrap_or(true)))
    }

    fn top(&mut self) -> &mut Check {
        self.checks.last_mut().expect("a check goes on")
    }

    fn push(&mut self, value: u32, rule: RuleId, fuel: &mut Fuel) -> Result<(), Unfit> {
        if rule <= FALSE {
            self.verdict = Some(rule == TRUE);
            return Ok(());
        }
        let mut around = self.checks.iter().rev();
        let same = around.by_ref().take_while(|check| check.value == value);
        let (mut passed, mut again) = (0, false);
        for check in same {
            passed += 1;
            again |= check.rule == rule;
        }
        fuel.spend(passed / 8)?;
        if again {
            return Err(Unfit::Endless);
        }
        if self.checks.len() == DEPTH_MAX {
            return Err(Unfit::TooLarge);
        }
        self.checks.push(Check::new(value, rule));
        Ok(())
    }
}

impl Check {
    fn new(value: u32, rule: RuleId) -> Check {
        Check {
            value,
            rule,
            stage: Stage::Scalar,
            next: 0,
            passed: 0,
            count: 0,
        }
    }

    fn at_next_stage(self) -> Check {
        use Stage::*;
        let stage = match self.stage {
            Scalar => Enum,
            Enum => Reference,
            Reference => AllOf,
            AllOf => AnyOf,
            AnyOf => OneOf,
            OneOf => Not,
            Not => If,
            If => Branch,
            Branch => Items,
            Items => Contains,
            Contains => Unique,
            Unique => Names,
            Names => Members,
            Members => Dependents,
            Dependents | End => End,
        };
        Check {
            stage,
            next: 0,
            passed: 0,
            // The branch depends on what came of `if`.
            count: if stage == Branch { self.count } else { 0 },
            ..self
        }
    }
}

/// What comes next.
enum Next {
    /// The check ends.
    Verdict(bool),
    /// The stage is done.
    Stage,
    /// The stage goes on.
    Stay,
    /// Another value is held against another rule first.
    Child(u32, RuleId),
}

/// One step of a check.
struct Step<'a> {
    check: Check,
    /// The result of the child that ended, if one did.
    child: Option<bool>,
    rules: &'a mut Rules,
    values: &'a Tree,
    fuel: &'a mut Fuel,
}

type Stepped = Poll<Result<Next, Unfit>>;

impl Step<'_> {
    fn advance(&mut self) -> Stepped {
        let rule = self.check.rule;
        if rule <= FALSE {
            return Poll::Ready(Ok(Next::Verdict(rule == TRUE)));
        }
        if let Some(keyword) = self.rules.unsupported(rule) {
            return Poll::Ready(Err(Unfit::Keyword(keyword.name())));
        }
        match self.check.stage {
            Stage::Scalar => self.scalar(),
            Stage::Enum => self.listed(),
            Stage::Reference if !self.rules.has_any(rule, APPLICATORS) => {
                // The stages in between do not apply.
                self.check.stage = Stage::Branch;
                Poll::Ready(Ok(Next::Stage))
            }
            Stage::Reference => self.reference(),
            Stage::AllOf => self.branches(Keyword::AllOf),
            Stage::AnyOf => self.branches(Keyword::AnyOf),
            Stage::OneOf => self.branches(Keyword::OneOf),
            Stage::Not => self.not(),
            Stage::If => self.condition(),
            Stage::Branch => self.branch(),
            Stage::Items => self.items(),
            Stage::Contains => self.contains(),
            Stage::Unique => Poll::Ready(self.unique()),
            Stage::Names => self.names(),
            Stage::Members => self.members(),
            Stage::Dependents => self.dependents(),
            Stage::End => Poll::Ready(Ok(Next::Verdict(true))),
        }
    }

    fn place(&self, keyword: Keyword) -> Option<u32> {
        self.rules.get(self.check.rule, keyword)
    }

    fn value(&self) -> Kind {
        self.values.kind(self.check.value)
    }

    /// Types, bounds and patterns: all that is decided at once.
    fn scalar(&mut self) -> Stepped {
        let (rule, kind) = (self.check.rule, self.value());
        if !self.rules.kinds(rule).meets(Kinds::of_value(kind)) {
            return Poll::Ready(Ok(Next::Verdict(false)));
        }
        let count = |keyword| self.rules.count(rule, keyword);
        let within = |len: u64, least, most| {
            count(least).is_none_or(|least| len >= least)
                && count(most).is_none_or(|most| len <= most)
        };
        let fits = match kind {
            Kind::List { len, .. } => within(len.into(), Keyword::MinItems, Keyword::MaxItems),
            Kind::Object { len, .. } => {
                within(len.into(), Keyword::MinProperties, Keyword::MaxProperties)
            }
            Kind::Text { len, .. } => {
                self.fuel.spend(len / 64)?;
                let text = self.values.text(self.check.value).unwrap_or_default();
                let chars = text.chars().count() as u64;
                within(chars, Keyword::MinLength, Keyword::MaxLength) && ready!(self.pattern(text))?
            }
            kind => match Number::of(kind) {
                Some(number) => self.number(number),
                None => true,
            },
        };
        Poll::Ready(Ok(match fits {
            true if self.rules.has_any(rule, !SCALARS) => Next::Stage,
            fits => Next::Verdict(fits),
        }))
    }

    fn pattern(&mut self, text: &str) -> Poll<Result<bool, Unfit>> {
        let Some(at) = self.place(Keyword::Pattern) else {
            return Poll::Ready(Ok(true));
        };
        Poll::Ready(match ready!(self.rules.pattern(at, self.fuel)) {
            Ok(pattern) => pattern.matches(text, self.fuel),
            // Libraries emit it next to a format with the same meaning.
            Err(Unfit::LookAround) if self.known_format() => Ok(true),
            Err(unfit) => Err(unfit),
        })
    }

    fn known_format(&self) -> bool {
        let format = self.rules.text(self.check.rule, Keyword::Format);
        format.is_some_and(|name| Format::named(name).is_some())
    }

    fn number(&self, number: Number) -> bool {
        super::scalar::range(self.rules, self.check.rule).has(number)
            && self.place(Keyword::MultipleOf).is_none_or(|at| {
                let step = Number::of(self.rules.tree.kind(at));
                step.is_none_or(|step| is_multiple(number, step))
            })
    }

    /// `const` and `enum`.
    fn listed(&mut self) -> Stepped {
        let tree = self.rules.tree.clone();
        let equals =
            |step: &mut Self, at: u32| equal(&tree, at, step.values, step.check.value, step.fuel);
        if let Some(at) = self.place(Keyword::Const)
            && self.check.passed == 0
        {
            self.check.passed = 1;
            if !equals(self, at)? {
                return Poll::Ready(Ok(Next::Verdict(false)));
            }
        }
        let Some(at) = self.place(Keyword::Enum) else {
            return Poll::Ready(Ok(Next::Stage));
        };
        if self.check.next == 0 {
            self.check.next = at + 1;
        }
        if self.check.next == tree.end(at) {
            return Poll::Ready(Ok(Next::Verdict(false)));
        }
        let small = is_small(self.value());
        let mut found = false;
        for _ in 0..if small { SCALARS_AT_ONCE } else { 1 } {
            if found || self.check.next == tree.end(at) {
                break;
            }
            found = match small {
                true => is_same_scalar(&tree, self.check.next, self.values, self.check.value),
                false => equals(self, self.check.next)?,
            };
            self.check.next = tree.end(self.check.next);
        }
        Poll::Ready(Ok(if found { Next::Stage } else { Next::Stay }))
    }

    fn reference(&mut self) -> Stepped {
        match self.child {
            Some(true) => return Poll::Ready(Ok(Next::Stage)),
            Some(false) => return Poll::Ready(Ok(Next::Verdict(false))),
            None => {}
        }
        let target = ready!(self.rules.reference(self.check.rule, self.fuel))?;
        match target {
            Some(at) => self.child_of(self.check.value, at),
            None => Poll::Ready(Ok(Next::Stage)),
        }
    }

    fn child_of(&mut self, value: u32, schema: u32) -> Stepped {
        let rule = ready!(self.rules.rule(schema, self.fuel))?;
        Poll::Ready(Ok(Next::Child(value, rule)))
    }

    /// All, any or one of the schemas in a list.
    fn branches(&mut self, keyword: Keyword) -> Stepped {
        let Some(at) = self.place(keyword) else {
            return Poll::Ready(Ok(Next::Stage));
        };
        let check = &mut self.check;
        if check.next == 0 {
            check.next = at + 1;
        } else if let Some(fits) = self.child {
            check.count += u32::from(fits);
            check.next = self.rules.tree.end(check.next);
            let decided = match keyword {
                Keyword::AllOf if !fits => Some(Next::Verdict(false)),
                Keyword::AnyOf if fits => Some(Next::Stage),
                Keyword::OneOf if check.count > 1 => Some(Next::Verdict(false)),
                _ => None,
            };
            if let Some(next) = decided {
                return Poll::Ready(Ok(next));
            }
        }
        if check.next == self.rules.tree.end(at) {
            return Poll::Ready(Ok(match keyword {
                Keyword::AllOf => Next::Stage,
                _ if check.count == 0 => Next::Verdict(false),
                _ => Next::Stage,
            }));
        }
        self.child_of(self.check.value, self.check.next)
    }

    fn not(&mut self) -> Stepped {
        match (self.place(Keyword::Not), self.child) {
            (None, _) | (_, Some(false)) => Poll::Ready(Ok(Next::Stage)),
            (_, Some(true)) => Poll::Ready(Ok(Next::Verdict(false))),
            (Some(at), None) => self.child_of(self.check.value, at),
        }
    }

    fn condition(&mut self) -> Stepped {
        if let Some(holds) = self.child {
            // The branch is `then` or `else`.
            self.check.count = if holds { 1 } else { 2 };
            return Poll::Ready(Ok(Next::Stage));
        }
        match self.place(Keyword::If) {
            Some(at) => self.child_of(self.check.value, at),
            None => Poll::Ready(Ok(Next::Stage)),
        }
    }

    fn branch(&mut self) -> Stepped {
        match self.child {
            Some(true) => return Poll::Ready(Ok(Next::Stage)),
            Some(false) => return Poll::Ready(Ok(Next::Verdict(false))),
            None => {}
        }
        let keyword = match self.check.count {
            1 => Keyword::Then,
            2 => Keyword::Else,
            _ => return Poll::Ready(Ok(Next::Stage)),
        };
        match self.place(keyword) {
            Some(at) => self.child_of(self.check.value, at),
            None => Poll::Ready(Ok(Next::Stage)),
        }
    }

    fn items(&mut self) -> Stepped {
        let Kind::List { end, .. } = self.value() else {
            return Poll::Ready(Ok(Next::Stage));
        };
        if self.child == Some(false) {
            return Poll::Ready(Ok(Next::Verdict(false)));
        }
        let check = &mut self.check;
        if check.next == 0 {
            check.next = check.value + 1;
        } else if self.child.is_some() {
            check.next = self.values.end(check.next);
            check.passed += 1;
        }
        if check.next == end {
            return Poll::Ready(Ok(Next::Stage));
        }
        let schema = self
            .rules
            .item_schema(check.rule, check.passed, self.fuel)?;
        match schema {
            Some(schema) => self.child_of(self.check.next, schema),
            // If this item has no schema, the later ones have none either.
            None => Poll::Ready(Ok(Next::Stage)),
        }
    }

    fn contains(&mut self) -> Stepped {
        let (Kind::List { end, .. }, Some(schema)) = (self.value(), self.place(Keyword::Contains))
        else {
            return Poll::Ready(Ok(Next::Stage));
        };
        let check = &mut self.check;
        if check.next == 0 {
            check.next = check.value + 1;
        } else if let Some(fits) = self.child {
            check.count += u32::from(fits);
            check.next = self.values.end(check.next);
        }
        if check.next < end {
            return self.child_of(self.check.next, schema);
        }
        let (found, rule) = (u64::from(check.count), check.rule);
        let least = self.rules.count(rule, Keyword::MinContains).unwrap_or(1);
        let most = self.rules.count(rule, Keyword::MaxContains);
        let fits = found >= least && most.is_none_or(|most| found <= most);
        Poll::Ready(Ok(if fits {
            Next::Stage
        } else {
            Next::Verdict(false)
        }))
    }

    /// Compares the next item with those before it.
    fn unique(&mut self) -> Result<Next, Unfit> {
        let Kind::List { end, len } = self.value() else {
            return Ok(Next::Stage);
        };
        if !self.rules.flag(self.check.rule, Keyword::UniqueItems) {
            return Ok(Next::Stage);
        }
        if len > UNIQUE_MAX {
            return Err(Unfit::TooLarge);
        }
        let first = self.check.value + 1;
        if self.check.next == 0 {
            self.check.next = first;
        }
        if self.check.next == end {
            return Ok(Next::Stage);
        }
        let item = self.check.next;
        if is_repeated(self.values, first, item, self.fuel)? {
            return Ok(Next::Verdict(false));
        }
        self.check.next = self.values.end(item);
        Ok(Next::Stay)
    }

    /// Required names, and the schema of names.
    fn names(&mut self) -> Stepped {
        let Kind::Object { end, .. } = self.value() else {
            self.check.stage = Stage::Dependents;
            return Poll::Ready(Ok(Next::Stage));
        };
        let required = self.place(Keyword::Required);
        let schema = self.place(Keyword::PropertyNames);
        if required.is_none() && schema.is_none() {
            return Poll::Ready(Ok(Next::Stage));
        }
        if self.child == Some(false) {
            return Poll::Ready(Ok(Next::Verdict(false)));
        }
        let mut check = self.check;
        if check.next == 0 {
            check.next = check.value + 1;
        } else if self.child.is_some() || schema.is_none() {
            check.next = self.values.end(check.next + 1);
        }
        if check.next >= end {
            let fits = match required {
                Some(at) => ready!(self.rules.distinct(at, self.fuel))? == check.count,
                None => true,
            };
            return Poll::Ready(Ok(if fits {
                Next::Stage
            } else {
                Next::Verdict(false)
            }));
        }
        let name = self.values.text(check.next).unwrap_or_default();
        if let Some(at) = required {
            let found = ready!(self.rules.find(at, name, self.fuel))?;
            check.count += u32::from(found.is_some());
        }
        if let Some(schema) = schema {
            let rule = ready!(self.rules.rule(schema, self.fuel))?;
            self.check = check;
            return Poll::Ready(Ok(Next::Child(check.next, rule)));
        }
        self.check = check;
        Poll::Ready(Ok(Next::Stay))
    }

    /// `properties`, `patternProperties` and `additionalProperties`.
    fn members(&mut self) -> Stepped {
        let Kind::Object { end, .. } = self.value() else {
            return Poll::Ready(Ok(Next::Stage));
        };
        if !self.rules.has_any(self.check.rule, MEMBERS) {
            return Poll::Ready(Ok(Next::Stage));
        }
        if self.child == Some(false) {
            return Poll::Ready(Ok(Next::Verdict(false)));
        }
        let mut check = self.check;
        if check.next == 0 {
            check.next = check.value + 1;
        } else if self.child.is_some() && self.rules.has_patterns(check.rule) {
            check.passed += 1;
        } else if self.child.is_some() {
            check.next = self.values.end(check.next + 1);
        }
        if check.next >= end {
            return Poll::Ready(Ok(Next::Stage));
        }
        let name = self.values.text(check.next).unwrap_or_default();
        let schema = self
            .rules
            .member_schema(check.rule, name, check.passed, self.fuel);
        let Some(schema) = ready!(schema)? else {
            check.next = self.values.end(check.next + 1);
            check.passed = 0;
            self.check = check;
            return Poll::Ready(Ok(Next::Stay));
        };
        let rule = ready!(self.rules.rule(schema, self.fuel))?;
        self.check = check;
        Poll::Ready(Ok(Next::Child(check.next + 1, rule)))
    }

    /// `dependentRequired`, `dependentSchemas` and, before 2019, `dependencies`.
    fn dependents(&mut self) -> Stepped {
        let keywords = [
            Keyword::DependentRequired,
            Keyword::DependentSchemas,
            Keyword::Dependencies,
        ];
        if self.child == Some(false) {
            return Poll::Ready(Ok(Next::Verdict(false)));
        }
        let Some(keyword) = keywords.get(self.check.passed as usize) else {
            return Poll::Ready(Ok(Next::Stage));
        };
        let (Some(at), Kind::Object { .. }) = (self.place(*keyword), self.value()) else {
            self.check.passed += 1;
            self.check.next = 0;
            return Poll::Ready(Ok(Next::Stay));
        };
        let tree = self.rules.tree.clone();
        let next = match self.check.next {
            0 => at + 1,
            next => next,
        };
        if next == tree.end(at) {
            self.check.passed += 1;
            self.check.next = 0;
            return Poll::Ready(Ok(Next::Stay));
        }
        let name = tree.text(next).unwrap_or_default();
        let present = self.has_member(name)?;
        let after = tree.end(next + 1);
        if let Kind::List { .. } = tree.kind(next + 1) {
            let before = self.fuel.total();
            for wanted in tree.items(next + 1).filter(|_| present) {
                let wanted = tree.text(wanted).ok_or(Unfit::Malformed)?;
                if !self.has_member(wanted)? {
                    return Poll::Ready(Ok(Next::Verdict(false)));
                }
                if before - self.fuel.total() > DEPENDENTS_MAX {
                    return Poll::Ready(Err(Unfit::TooLarge));
                }
            }
        } else if present {
            let rule = ready!(self.rules.rule(next + 1, self.fuel))?;
            self.check.next = after;
            return Poll::Ready(Ok(Next::Child(self.check.value, rule)));
        }
        self.check.next = after;
        Poll::Ready(Ok(Next::Stay))
    }

    fn has_member(&mut self, name: &str) -> Result<bool, Unfit> {
        if name.len() > TEXT_MAX {
            return Err(Unfit::TooLarge);
        }
        if let Kind::Object { len, .. } = self.value() {
            self.fuel.spend(1 + len / 4)?;
        }
        Ok(self.values.member(self.check.value, name).is_some())
    }
}
