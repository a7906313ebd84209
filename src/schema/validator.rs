//! Validation of a value against a schema. As in most validators, `format` is only an annotation.

use std::task::{Poll, ready};

use super::equality::{equal, is_repeated, is_same_scalar, is_small};
use super::error::SchemaError;
use super::format::Format;
use super::fuel::Fuel;
use super::keyword::{Keyword, TypeSet};
use super::number::{Number, is_multiple};
use super::rules::{DEPENDENTS_MAX, FALSE, RuleId, Rules, TEXT_MAX, TRUE};
use crate::json::{Node, Tree};

/// The deepest nesting of checks, counting schemas and values.
const DEPTH_MAX: usize = 1000;

/// The number of `enum` values that are compared in one step if the value is small.
const SCALARS_AT_ONCE: usize = 8;

/// The longest array that is checked for `uniqueItems`, which takes quadratic time.
pub const UNIQUE_MAX: u32 = 2048;

/// A validator with an explicit stack, so that it can be suspended.
#[derive(Debug, Default)]
pub struct Validator {
    checks: Vec<Check>,
    /// The result of the last check that finished.
    result: Option<bool>,
}

/// The validation of one value against one rule.
#[derive(Clone, Copy, Debug)]
struct Check {
    value: u32,
    rule: RuleId,
    group: KeywordGroup,
    /// The next position in the value, or in the value of a keyword.
    next: u32,
    /// The number of parts already checked at this position.
    passed: u32,
    /// A counter whose meaning depends on the group.
    count: u32,
}

/// The groups of keywords, in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeywordGroup {
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

/// The keywords that apply schemas to the same value. The groups of a rule without them are
/// skipped.
const APPLICATORS: u64 = Keyword::Ref.bit()
    | Keyword::DynamicRef.bit()
    | Keyword::RecursiveRef.bit()
    | Keyword::AllOf.bit()
    | Keyword::AnyOf.bit()
    | Keyword::OneOf.bit()
    | Keyword::Not.bit()
    | Keyword::If.bit();

/// The keywords that apply schemas to members.
const MEMBERS: u64 = Keyword::Properties.bit()
    | Keyword::PatternProperties.bit()
    | Keyword::AdditionalProperties.bit();

/// The keywords that are checked in a single step. A rule with no others is done after it.
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

impl Validator {
    /// Abandons the current validation.
    pub fn reset(&mut self) {
        self.checks.clear();
        self.result = None;
    }

    /// Begins to validate the value at position `value` against `rule`.
    pub fn begin(&mut self, value: u32, rule: RuleId) {
        self.reset();
        self.checks.push(Check::new(value, rule));
    }

    /// Returns whether no validation is in progress.
    pub fn is_idle(&self) -> bool {
        self.checks.is_empty() && self.result.is_none()
    }

    /// Continues the validation and returns whether the value is valid.
    pub fn run(
        &mut self,
        rules: &mut Rules,
        values: &Tree,
        fuel: &mut Fuel,
    ) -> Poll<Result<bool, SchemaError>> {
        while let Some(check) = self.checks.last().copied() {
            ready!(fuel.poll_ready());
            fuel.spend(1)?;
            let mut step = Step {
                check,
                child: self.result,
                rules,
                values,
                fuel,
            };
            let Poll::Ready(next) = step.advance() else {
                fuel.refund();
                return Poll::Pending;
            };
            let (next, check) = (next?, step.check);
            self.result = None;
            match next {
                CheckAction::Finish(result) => {
                    self.checks.pop();
                    self.result = Some(result);
                }
                CheckAction::NextGroup => *self.top() = check.at_next_group(),
                CheckAction::Continue => *self.top() = check,
                CheckAction::Child(value, rule) => {
                    *self.top() = check;
                    self.push(value, rule, fuel)?;
                }
            }
        }
        Poll::Ready(Ok(self.result.take().unwrap_or(true)))
    }

    fn top(&mut self) -> &mut Check {
        self.checks.last_mut().expect("a check is in progress")
    }

    fn push(&mut self, value: u32, rule: RuleId, fuel: &mut Fuel) -> Result<(), SchemaError> {
        if rule <= FALSE {
            self.result = Some(rule == TRUE);
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
            return Err(SchemaError::Endless);
        }
        if self.checks.len() == DEPTH_MAX {
            return Err(SchemaError::TooLarge);
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
            group: KeywordGroup::Scalar,
            next: 0,
            passed: 0,
            count: 0,
        }
    }

    fn at_next_group(self) -> Check {
        use KeywordGroup::*;
        let group = match self.group {
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
            group,
            next: 0,
            passed: 0,
            // The branch depends on the result of `if`.
            count: if group == Branch { self.count } else { 0 },
            ..self
        }
    }
}

/// The action after a step.
enum CheckAction {
    /// End the check with this result.
    Finish(bool),
    /// Go on to the next group.
    NextGroup,
    /// Stay in this group.
    Continue,
    /// First validate another value against another rule.
    Child(u32, RuleId),
}

/// One step of a check.
struct Step<'a> {
    check: Check,
    /// The result of the child check that just finished, if any.
    child: Option<bool>,
    rules: &'a mut Rules,
    values: &'a Tree,
    fuel: &'a mut Fuel,
}

type StepResult = Poll<Result<CheckAction, SchemaError>>;

impl Step<'_> {
    fn advance(&mut self) -> StepResult {
        let rule = self.check.rule;
        if rule <= FALSE {
            return Poll::Ready(Ok(CheckAction::Finish(rule == TRUE)));
        }
        if let Some(keyword) = self.rules.unsupported(rule) {
            return Poll::Ready(Err(SchemaError::Keyword(keyword.name())));
        }
        match self.check.group {
            KeywordGroup::Scalar => self.scalar(),
            KeywordGroup::Enum => self.listed(),
            KeywordGroup::Reference if !self.rules.has_any(rule, APPLICATORS) => {
                // Skip the groups in between.
                self.check.group = KeywordGroup::Branch;
                Poll::Ready(Ok(CheckAction::NextGroup))
            }
            KeywordGroup::Reference => self.reference(),
            KeywordGroup::AllOf => self.branches(Keyword::AllOf),
            KeywordGroup::AnyOf => self.branches(Keyword::AnyOf),
            KeywordGroup::OneOf => self.branches(Keyword::OneOf),
            KeywordGroup::Not => self.not(),
            KeywordGroup::If => self.condition(),
            KeywordGroup::Branch => self.branch(),
            KeywordGroup::Items => self.items(),
            KeywordGroup::Contains => self.contains(),
            KeywordGroup::Unique => Poll::Ready(self.unique()),
            KeywordGroup::Names => self.names(),
            KeywordGroup::Members => self.members(),
            KeywordGroup::Dependents => self.dependents(),
            KeywordGroup::End => Poll::Ready(Ok(CheckAction::Finish(true))),
        }
    }

    fn place(&self, keyword: Keyword) -> Option<u32> {
        self.rules.get(self.check.rule, keyword)
    }

    fn value(&self) -> Node {
        self.values.node(self.check.value)
    }

    /// Checks types, bounds and patterns.
    fn scalar(&mut self) -> StepResult {
        let (rule, node) = (self.check.rule, self.value());
        if !self.rules.types(rule).meets(TypeSet::of_value(node)) {
            return Poll::Ready(Ok(CheckAction::Finish(false)));
        }
        let count = |keyword| self.rules.count(rule, keyword);
        let within = |len: u64, min, max| {
            count(min).is_none_or(|min| len >= min) && count(max).is_none_or(|max| len <= max)
        };
        let fits = match node {
            Node::Array { len, .. } => within(len.into(), Keyword::MinItems, Keyword::MaxItems),
            Node::Object { len, .. } => {
                within(len.into(), Keyword::MinProperties, Keyword::MaxProperties)
            }
            Node::String { len, .. } => {
                self.fuel.spend(len / 64)?;
                let text = self.values.text(self.check.value).unwrap_or_default();
                let chars = text.chars().count() as u64;
                within(chars, Keyword::MinLength, Keyword::MaxLength) && ready!(self.pattern(text))?
            }
            node => match Number::of(node) {
                Some(number) => self.number(number),
                None => true,
            },
        };
        Poll::Ready(Ok(match fits {
            true if self.rules.has_any(rule, !SCALARS) => CheckAction::NextGroup,
            fits => CheckAction::Finish(fits),
        }))
    }

    fn pattern(&mut self, text: &str) -> Poll<Result<bool, SchemaError>> {
        let Some(at) = self.place(Keyword::Pattern) else {
            return Poll::Ready(Ok(true));
        };
        Poll::Ready(match ready!(self.rules.pattern(at, self.fuel)) {
            Ok(pattern) => pattern.matches(text, self.fuel),
            // Libraries emit such patterns together with a `format` of the same meaning.
            Err(SchemaError::LookAround) if self.known_format() => Ok(true),
            Err(error) => Err(error),
        })
    }

    fn known_format(&self) -> bool {
        let format = self.rules.text(self.check.rule, Keyword::Format);
        format.is_some_and(|name| Format::named(name).is_some())
    }

    fn number(&self, number: Number) -> bool {
        super::scalar::range(self.rules, self.check.rule).contains(number)
            && self.place(Keyword::MultipleOf).is_none_or(|at| {
                let step = Number::of(self.rules.tree.node(at));
                step.is_none_or(|step| is_multiple(number, step))
            })
    }

    /// Checks `const` and `enum`.
    fn listed(&mut self) -> StepResult {
        let tree = self.rules.tree.clone();
        let equals =
            |step: &mut Self, at: u32| equal(&tree, at, step.values, step.check.value, step.fuel);
        if let Some(at) = self.place(Keyword::Const)
            && self.check.passed == 0
        {
            self.check.passed = 1;
            if !equals(self, at)? {
                return Poll::Ready(Ok(CheckAction::Finish(false)));
            }
        }
        let Some(at) = self.place(Keyword::Enum) else {
            return Poll::Ready(Ok(CheckAction::NextGroup));
        };
        if self.check.next == 0 {
            self.check.next = at + 1;
        }
        if self.check.next == tree.end(at) {
            return Poll::Ready(Ok(CheckAction::Finish(false)));
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
        Poll::Ready(Ok(if found {
            CheckAction::NextGroup
        } else {
            CheckAction::Continue
        }))
    }

    fn reference(&mut self) -> StepResult {
        match self.child {
            Some(true) => return Poll::Ready(Ok(CheckAction::NextGroup)),
            Some(false) => return Poll::Ready(Ok(CheckAction::Finish(false))),
            None => {}
        }
        let target = ready!(self.rules.reference(self.check.rule, self.fuel))?;
        match target {
            Some(at) => self.child_of(self.check.value, at),
            None => Poll::Ready(Ok(CheckAction::NextGroup)),
        }
    }

    fn child_of(&mut self, value: u32, schema: u32) -> StepResult {
        let rule = ready!(self.rules.rule(schema, self.fuel))?;
        Poll::Ready(Ok(CheckAction::Child(value, rule)))
    }

    /// Checks `allOf`, `anyOf` or `oneOf`.
    fn branches(&mut self, keyword: Keyword) -> StepResult {
        let Some(at) = self.place(keyword) else {
            return Poll::Ready(Ok(CheckAction::NextGroup));
        };
        let check = &mut self.check;
        if check.next == 0 {
            check.next = at + 1;
        } else if let Some(fits) = self.child {
            check.count += u32::from(fits);
            check.next = self.rules.tree.end(check.next);
            let decided = match keyword {
                Keyword::AllOf if !fits => Some(CheckAction::Finish(false)),
                Keyword::AnyOf if fits => Some(CheckAction::NextGroup),
                Keyword::OneOf if check.count > 1 => Some(CheckAction::Finish(false)),
                _ => None,
            };
            if let Some(next) = decided {
                return Poll::Ready(Ok(next));
            }
        }
        if check.next == self.rules.tree.end(at) {
            return Poll::Ready(Ok(match keyword {
                Keyword::AllOf => CheckAction::NextGroup,
                _ if check.count == 0 => CheckAction::Finish(false),
                _ => CheckAction::NextGroup,
            }));
        }
        self.child_of(self.check.value, self.check.next)
    }

    fn not(&mut self) -> StepResult {
        match (self.place(Keyword::Not), self.child) {
            (None, _) | (_, Some(false)) => Poll::Ready(Ok(CheckAction::NextGroup)),
            (_, Some(true)) => Poll::Ready(Ok(CheckAction::Finish(false))),
            (Some(at), None) => self.child_of(self.check.value, at),
        }
    }

    fn condition(&mut self) -> StepResult {
        if let Some(holds) = self.child {
            // The branch is `then` or `else`.
            self.check.count = if holds { 1 } else { 2 };
            return Poll::Ready(Ok(CheckAction::NextGroup));
        }
        match self.place(Keyword::If) {
            Some(at) => self.child_of(self.check.value, at),
            None => Poll::Ready(Ok(CheckAction::NextGroup)),
        }
    }

    fn branch(&mut self) -> StepResult {
        match self.child {
            Some(true) => return Poll::Ready(Ok(CheckAction::NextGroup)),
            Some(false) => return Poll::Ready(Ok(CheckAction::Finish(false))),
            None => {}
        }
        let keyword = match self.check.count {
            1 => Keyword::Then,
            2 => Keyword::Else,
            _ => return Poll::Ready(Ok(CheckAction::NextGroup)),
        };
        match self.place(keyword) {
            Some(at) => self.child_of(self.check.value, at),
            None => Poll::Ready(Ok(CheckAction::NextGroup)),
        }
    }

    fn items(&mut self) -> StepResult {
        let Node::Array { end, .. } = self.value() else {
            return Poll::Ready(Ok(CheckAction::NextGroup));
        };
        if self.child == Some(false) {
            return Poll::Ready(Ok(CheckAction::Finish(false)));
        }
        let check = &mut self.check;
        if check.next == 0 {
            check.next = check.value + 1;
        } else if self.child.is_some() {
            check.next = self.values.end(check.next);
            check.passed += 1;
        }
        if check.next == end {
            return Poll::Ready(Ok(CheckAction::NextGroup));
        }
        let schema = self
            .rules
            .item_schema(check.rule, check.passed, self.fuel)?;
        match schema {
            Some(schema) => self.child_of(self.check.next, schema),
            // If this item has no schema, the later ones have none either.
            None => Poll::Ready(Ok(CheckAction::NextGroup)),
        }
    }

    fn contains(&mut self) -> StepResult {
        let (Node::Array { end, .. }, Some(schema)) = (self.value(), self.place(Keyword::Contains))
        else {
            return Poll::Ready(Ok(CheckAction::NextGroup));
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
        let min = self.rules.count(rule, Keyword::MinContains).unwrap_or(1);
        let max = self.rules.count(rule, Keyword::MaxContains);
        let fits = found >= min && max.is_none_or(|max| found <= max);
        Poll::Ready(Ok(if fits {
            CheckAction::NextGroup
        } else {
            CheckAction::Finish(false)
        }))
    }

    /// Compares the next item with those before it.
    fn unique(&mut self) -> Result<CheckAction, SchemaError> {
        let Node::Array { end, len } = self.value() else {
            return Ok(CheckAction::NextGroup);
        };
        if !self.rules.flag(self.check.rule, Keyword::UniqueItems) {
            return Ok(CheckAction::NextGroup);
        }
        if len > UNIQUE_MAX {
            return Err(SchemaError::TooLarge);
        }
        let first = self.check.value + 1;
        if self.check.next == 0 {
            self.check.next = first;
        }
        if self.check.next == end {
            return Ok(CheckAction::NextGroup);
        }
        let item = self.check.next;
        if is_repeated(self.values, first, item, self.fuel)? {
            return Ok(CheckAction::Finish(false));
        }
        self.check.next = self.values.end(item);
        Ok(CheckAction::Continue)
    }

    /// Required names, and the schema of names.
    fn names(&mut self) -> StepResult {
        let Node::Object { end, .. } = self.value() else {
            self.check.group = KeywordGroup::Dependents;
            return Poll::Ready(Ok(CheckAction::NextGroup));
        };
        let required = self.place(Keyword::Required);
        let schema = self.place(Keyword::PropertyNames);
        if required.is_none() && schema.is_none() {
            return Poll::Ready(Ok(CheckAction::NextGroup));
        }
        if self.child == Some(false) {
            return Poll::Ready(Ok(CheckAction::Finish(false)));
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
                CheckAction::NextGroup
            } else {
                CheckAction::Finish(false)
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
            return Poll::Ready(Ok(CheckAction::Child(check.next, rule)));
        }
        self.check = check;
        Poll::Ready(Ok(CheckAction::Continue))
    }

    /// Checks `properties`, `patternProperties` and `additionalProperties`.
    fn members(&mut self) -> StepResult {
        let Node::Object { end, .. } = self.value() else {
            return Poll::Ready(Ok(CheckAction::NextGroup));
        };
        if !self.rules.has_any(self.check.rule, MEMBERS) {
            return Poll::Ready(Ok(CheckAction::NextGroup));
        }
        if self.child == Some(false) {
            return Poll::Ready(Ok(CheckAction::Finish(false)));
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
            return Poll::Ready(Ok(CheckAction::NextGroup));
        }
        let name = self.values.text(check.next).unwrap_or_default();
        let schema = self
            .rules
            .member_schema(check.rule, name, check.passed, self.fuel);
        let Some(schema) = ready!(schema)? else {
            check.next = self.values.end(check.next + 1);
            check.passed = 0;
            self.check = check;
            return Poll::Ready(Ok(CheckAction::Continue));
        };
        let rule = ready!(self.rules.rule(schema, self.fuel))?;
        self.check = check;
        Poll::Ready(Ok(CheckAction::Child(check.next + 1, rule)))
    }

    /// Checks `dependentRequired`, `dependentSchemas` and, before draft 2019-09, `dependencies`.
    fn dependents(&mut self) -> StepResult {
        let keywords = [
            Keyword::DependentRequired,
            Keyword::DependentSchemas,
            Keyword::Dependencies,
        ];
        if self.child == Some(false) {
            return Poll::Ready(Ok(CheckAction::Finish(false)));
        }
        let Some(keyword) = keywords.get(self.check.passed as usize) else {
            return Poll::Ready(Ok(CheckAction::NextGroup));
        };
        let (Some(at), Node::Object { .. }) = (self.place(*keyword), self.value()) else {
            self.check.passed += 1;
            self.check.next = 0;
            return Poll::Ready(Ok(CheckAction::Continue));
        };
        let tree = self.rules.tree.clone();
        let next = match self.check.next {
            0 => at + 1,
            next => next,
        };
        if next == tree.end(at) {
            self.check.passed += 1;
            self.check.next = 0;
            return Poll::Ready(Ok(CheckAction::Continue));
        }
        let name = tree.text(next).unwrap_or_default();
        let present = self.has_member(name)?;
        let after = tree.end(next + 1);
        if let Node::Array { .. } = tree.node(next + 1) {
            let before = self.fuel.total();
            for wanted in tree.items(next + 1).filter(|_| present) {
                let wanted = tree.text(wanted).ok_or(SchemaError::Malformed)?;
                if !self.has_member(wanted)? {
                    return Poll::Ready(Ok(CheckAction::Finish(false)));
                }
                if before - self.fuel.total() > DEPENDENTS_MAX {
                    return Poll::Ready(Err(SchemaError::TooLarge));
                }
            }
        } else if present {
            let rule = ready!(self.rules.rule(next + 1, self.fuel))?;
            self.check.next = after;
            return Poll::Ready(Ok(CheckAction::Child(self.check.value, rule)));
        }
        self.check.next = after;
        Poll::Ready(Ok(CheckAction::Continue))
    }

    fn has_member(&mut self, name: &str) -> Result<bool, SchemaError> {
        if name.len() > TEXT_MAX {
            return Err(SchemaError::TooLarge);
        }
        if let Node::Object { len, .. } = self.value() {
            self.fuel.spend(1 + len / 4)?;
        }
        Ok(self.values.member(self.check.value, name).is_some())
    }
}
