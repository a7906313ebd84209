//! Validation of a value against a schema. As in most validators, `format` is only an annotation.

use super::equality::{equal, is_repeated, is_same_scalar, is_small};
use super::error::{Halt, Resumable, SchemaError};
use super::keyword::{Keyword, TypeSet};
use super::rules::{DEPENDENTS_MAX, FALSE, RuleId, Rules, TEXT_MAX, TRUE};
use super::scalar::numbers;
use super::{format::Format, fuel::Fuel, number::Number};
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
#[derive(Clone, Copy, Debug, Default)]
struct Check {
    value: u32,
    rule: RuleId,
    /// The index of the current group of keywords (see [`Step::advance`]).
    group: usize,
    /// The next position in the value, or in the value of a keyword.
    next: u32,
    /// The number of parts already checked at this position.
    passed: u32,
    /// A counter whose meaning depends on the group.
    count: u32,
    /// True if the check fails unless the child check succeeds.
    needs_child: bool,
}

/// The number of groups of keywords.
const GROUPS: usize = 15;

/// The index of the last group of keywords that apply schemas to the same value.
const LAST_APPLICATOR: usize = 8;

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
    pub fn run(&mut self, rules: &mut Rules, values: &Tree, fuel: &mut Fuel) -> Resumable<bool> {
        while let Some(check) = self.checks.last().copied() {
            fuel.ready()?;
            fuel.spend(1)?;
            let mut step = Step {
                check,
                child: self.result,
                rules,
                values,
                fuel,
            };
            let next = step.advance();
            let check = step.check;
            if next == Err(Halt::Paused) {
                fuel.refund();
            }
            let next = next?;
            self.result = None;
            match next {
                CheckAction::Finish(result) => {
                    self.checks.pop();
                    self.result = Some(result);
                }
                CheckAction::NextGroup => {
                    let (group, next, passed) = (check.group + 1, 0, 0);
                    *self.top() = Check {
                        group,
                        next,
                        passed,
                        ..check
                    };
                }
                CheckAction::Continue => *self.top() = check,
                CheckAction::Child(value, rule) => {
                    *self.top() = check;
                    self.push(value, rule, fuel)?;
                }
            }
        }
        Ok(self.result.take().unwrap_or(true))
    }

    fn top(&mut self) -> &mut Check {
        self.checks.last_mut().expect("a check is in progress")
    }

    fn push(&mut self, value: u32, rule: RuleId, fuel: &mut Fuel) -> Result<(), SchemaError> {
        if rule <= FALSE {
            self.result = Some(rule == TRUE);
            return Ok(());
        }
        let around = self.checks.iter().rev();
        let same = around.take_while(|check| check.value == value);
        let (mut passed, mut again) = (0, false);
        for check in same {
            passed += 1;
            again |= check.rule == rule;
        }
        fuel.spend(passed / 8)?;
        SchemaError::Endless.when(again)?;
        SchemaError::TooLarge.when(self.checks.len() == DEPTH_MAX)?;
        self.checks.push(Check::new(value, rule));
        Ok(())
    }
}

impl Check {
    fn new(value: u32, rule: RuleId) -> Check {
        Check {
            value,
            rule,
            ..Check::default()
        }
    }
}

/// The action after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl CheckAction {
    /// Returns the action after a group of keywords that the value satisfies or not.
    fn after(fits: bool) -> CheckAction {
        match fits {
            true => CheckAction::NextGroup,
            false => CheckAction::Finish(false),
        }
    }
}

/// One step of a check. Its changes of the check are lost if it pauses.
struct Step<'a> {
    check: Check,
    /// The result of the child check that just finished, if any.
    child: Option<bool>,
    rules: &'a mut Rules,
    values: &'a Tree,
    fuel: &'a mut Fuel,
}

type StepResult = Resumable<CheckAction>;

impl Step<'_> {
    fn advance(&mut self) -> StepResult {
        let rule = self.check.rule;
        if rule <= FALSE {
            return Ok(CheckAction::Finish(rule == TRUE));
        }
        if let Some(keyword) = self.rules.unsupported(rule) {
            return Err(SchemaError::Keyword(keyword.name()).into());
        }
        if self.check.needs_child && self.child == Some(false) {
            return Ok(CheckAction::Finish(false));
        }
        let groups: [fn(&mut Self) -> StepResult; GROUPS] = [
            Self::scalar,
            Self::listed,
            Self::reference,
            |step| step.branches(Keyword::AllOf),
            |step| step.branches(Keyword::AnyOf),
            |step| step.branches(Keyword::OneOf),
            Self::not,
            Self::condition,
            Self::branch,
            Self::items,
            Self::contains,
            Self::unique,
            Self::names,
            Self::members,
            Self::dependents,
        ];
        match groups.get(self.check.group) {
            Some(group) => group(self),
            None => Ok(CheckAction::Finish(true)),
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
            return Ok(CheckAction::Finish(false));
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
                within(chars, Keyword::MinLength, Keyword::MaxLength) && self.pattern(text)?
            }
            node => match Number::of(node) {
                Some(number) => numbers(self.rules, &[rule]).contains(number),
                None => true,
            },
        };
        Ok(match fits {
            true if self.rules.has_any(rule, !SCALARS) => CheckAction::NextGroup,
            fits => CheckAction::Finish(fits),
        })
    }

    fn pattern(&mut self, text: &str) -> Resumable<bool> {
        let Some(at) = self.place(Keyword::Pattern) else {
            return Ok(true);
        };
        match self.rules.pattern(at, self.fuel) {
            Ok(pattern) => Ok(pattern.matches(text, self.fuel)?),
            // Libraries emit such patterns together with a `format` of the same meaning.
            Err(Halt::Failed(SchemaError::LookAround)) if self.known_format() => Ok(true),
            Err(halt) => Err(halt),
        }
    }

    fn known_format(&self) -> bool {
        let format = self.rules.text(self.check.rule, Keyword::Format);
        format.is_some_and(|name| Format::named(name).is_some())
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
                return Ok(CheckAction::Finish(false));
            }
        }
        let Some(at) = self.place(Keyword::Enum) else {
            return Ok(CheckAction::NextGroup);
        };
        if self.check.next == 0 {
            self.check.next = at + 1;
        }
        if self.check.next == tree.end(at) {
            return Ok(CheckAction::Finish(false));
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
        Ok(match found {
            true => CheckAction::NextGroup,
            false => CheckAction::Continue,
        })
    }

    fn reference(&mut self) -> StepResult {
        if !self.rules.has_any(self.check.rule, APPLICATORS) {
            // Skip the groups in between.
            self.check.group = LAST_APPLICATOR;
            return Ok(CheckAction::NextGroup);
        }
        let target = self.rules.reference(self.check.rule, self.fuel)?;
        self.require_once(target)
    }

    /// Validates another value; if `needed`, the check fails unless the other value is valid.
    fn child_of(&mut self, value: u32, schema: u32, needed: bool) -> StepResult {
        self.check.needs_child = needed;
        let rule = self.rules.rule(schema, self.fuel)?;
        Ok(CheckAction::Child(value, rule))
    }

    /// Requires the value to satisfy a schema, if there is one, and goes on to the next group.
    fn require_once(&mut self, schema: Option<u32>) -> StepResult {
        match schema.filter(|_| self.child.is_none()) {
            Some(at) => self.child_of(self.check.value, at, true),
            None => Ok(CheckAction::NextGroup),
        }
    }

    /// Checks `allOf`, `anyOf` or `oneOf`.
    fn branches(&mut self, keyword: Keyword) -> StepResult {
        let Some(at) = self.place(keyword) else {
            return Ok(CheckAction::NextGroup);
        };
        let check = &mut self.check;
        if check.next == 0 {
            (check.next, check.count) = (at + 1, 0);
        } else if let Some(fits) = self.child {
            check.count += u32::from(fits);
            check.next = self.rules.tree.end(check.next);
            match keyword {
                Keyword::AnyOf if fits => return Ok(CheckAction::NextGroup),
                Keyword::OneOf if check.count > 1 => return Ok(CheckAction::Finish(false)),
                _ => {}
            }
        }
        let all = keyword == Keyword::AllOf;
        match check.next == self.rules.tree.end(at) {
            true => Ok(CheckAction::after(all || check.count > 0)),
            false => self.child_of(self.check.value, self.check.next, all),
        }
    }

    fn not(&mut self) -> StepResult {
        match (self.place(Keyword::Not), self.child) {
            (Some(at), None) => self.child_of(self.check.value, at, false),
            (_, fits) => Ok(CheckAction::after(fits != Some(true))),
        }
    }

    fn condition(&mut self) -> StepResult {
        match (self.place(Keyword::If), self.child) {
            (Some(at), None) => self.child_of(self.check.value, at, false),
            (_, holds) => {
                // The branch: none, `else` or `then`.
                self.check.count = holds.map_or(0, |holds| 1 + u32::from(holds));
                Ok(CheckAction::NextGroup)
            }
        }
    }

    fn branch(&mut self) -> StepResult {
        self.require_once(match self.check.count {
            2 => self.place(Keyword::Then),
            1 => self.place(Keyword::Else),
            _ => None,
        })
    }

    fn items(&mut self) -> StepResult {
        let Node::Array { end, .. } = self.value() else {
            return Ok(CheckAction::NextGroup);
        };
        let check = &mut self.check;
        if check.next == 0 {
            check.next = check.value + 1;
        } else if self.child.is_some() {
            check.next = self.values.end(check.next);
            check.passed += 1;
        }
        if check.next == end {
            return Ok(CheckAction::NextGroup);
        }
        let schema = self
            .rules
            .item_schema(check.rule, check.passed, self.fuel)?;
        match schema {
            Some(schema) => self.child_of(self.check.next, schema, true),
            // If this item has no schema, the later ones have none either.
            None => Ok(CheckAction::NextGroup),
        }
    }

    fn contains(&mut self) -> StepResult {
        let (Node::Array { end, .. }, Some(schema)) = (self.value(), self.place(Keyword::Contains))
        else {
            return Ok(CheckAction::NextGroup);
        };
        let check = &mut self.check;
        if check.next == 0 {
            (check.next, check.count) = (check.value + 1, 0);
        } else if let Some(fits) = self.child {
            check.count += u32::from(fits);
            check.next = self.values.end(check.next);
        }
        if check.next < end {
            return self.child_of(self.check.next, schema, false);
        }
        let (found, rule) = (u64::from(check.count), check.rule);
        let min = self.rules.count(rule, Keyword::MinContains).unwrap_or(1);
        let max = self.rules.count(rule, Keyword::MaxContains);
        let fits = found >= min && max.is_none_or(|max| found <= max);
        Ok(CheckAction::after(fits))
    }

    /// Compares the next item with those before it.
    fn unique(&mut self) -> StepResult {
        let Node::Array { end, len } = self.value() else {
            return Ok(CheckAction::NextGroup);
        };
        if !self.rules.flag(self.check.rule, Keyword::UniqueItems) {
            return Ok(CheckAction::NextGroup);
        }
        SchemaError::TooLarge.when(len > UNIQUE_MAX)?;
        let first = self.check.value + 1;
        let item = self.check.next.max(first);
        if item == end {
            return Ok(CheckAction::NextGroup);
        }
        if is_repeated(self.values, first, item, self.fuel)? {
            return Ok(CheckAction::Finish(false));
        }
        self.check.next = self.values.end(item);
        Ok(CheckAction::Continue)
    }

    /// Required names, and the schema of names.
    fn names(&mut self) -> StepResult {
        let Node::Object { end, .. } = self.value() else {
            // The remaining groups are about objects.
            self.check.group = GROUPS - 1;
            return Ok(CheckAction::NextGroup);
        };
        let required = self.place(Keyword::Required);
        let schema = self.place(Keyword::PropertyNames);
        if required.is_none() && schema.is_none() {
            return Ok(CheckAction::NextGroup);
        }
        let check = &mut self.check;
        if check.next == 0 {
            (check.next, check.count) = (check.value + 1, 0);
        } else if self.child.is_some() || schema.is_none() {
            check.next = self.values.end(check.next + 1);
        }
        if check.next >= end {
            let fits = match required {
                Some(at) => self.rules.distinct(at, self.fuel)? == check.count,
                None => true,
            };
            return Ok(CheckAction::after(fits));
        }
        if let Some(at) = required {
            let name = self.values.text(check.next).unwrap_or_default();
            let found = self.rules.find(at, name, self.fuel)?;
            check.count += u32::from(found.is_some());
        }
        match schema {
            Some(schema) => self.child_of(self.check.next, schema, true),
            None => Ok(CheckAction::Continue),
        }
    }

    /// Checks `properties`, `patternProperties` and `additionalProperties`.
    fn members(&mut self) -> StepResult {
        if !self.rules.has_any(self.check.rule, MEMBERS) {
            return Ok(CheckAction::NextGroup);
        }
        let check = &mut self.check;
        if check.next == 0 {
            check.next = check.value + 1;
        } else if self.child.is_some() && self.rules.has_patterns(check.rule) {
            check.passed += 1;
        } else if self.child.is_some() {
            check.next = self.values.end(check.next + 1);
        }
        if check.next >= self.values.end(check.value) {
            return Ok(CheckAction::NextGroup);
        }
        let name = self.values.text(check.next).unwrap_or_default();
        let schema = self
            .rules
            .member_schema(check.rule, name, check.passed, self.fuel)?;
        match schema {
            Some(schema) => self.child_of(self.check.next + 1, schema, true),
            None => {
                check.next = self.values.end(check.next + 1);
                check.passed = 0;
                Ok(CheckAction::Continue)
            }
        }
    }

    /// Checks `dependentRequired`, `dependentSchemas` and, before draft 2019-09, `dependencies`.
    fn dependents(&mut self) -> StepResult {
        use Keyword::{Dependencies, DependentRequired, DependentSchemas};
        let keywords = [DependentRequired, DependentSchemas, Dependencies];
        let Some(keyword) = keywords.get(self.check.passed as usize) else {
            return Ok(CheckAction::NextGroup);
        };
        let tree = self.rules.tree.clone();
        // Without the keyword, there is nothing to check from the beginning to the end.
        let place = self.place(*keyword);
        let (first, end) = place.map_or((0, 0), |at| (at + 1, tree.end(at)));
        let next = self.check.next.max(first);
        if next == end {
            self.check.passed += 1;
            self.check.next = 0;
            return Ok(CheckAction::Continue);
        }
        self.check.next = tree.end(next + 1);
        let name = tree.text(next).unwrap_or_default();
        if !self.has_member(name)? {
            return Ok(CheckAction::Continue);
        }
        if !tree.is_array(next + 1) {
            return self.child_of(self.check.value, next + 1, true);
        }
        let before = self.fuel.total();
        for wanted in tree.items(next + 1) {
            let wanted = tree.text(wanted).ok_or(SchemaError::Malformed)?;
            if !self.has_member(wanted)? {
                return Ok(CheckAction::Finish(false));
            }
            SchemaError::TooLarge.when(before - self.fuel.total() > DEPENDENTS_MAX)?;
        }
        Ok(CheckAction::Continue)
    }

    fn has_member(&mut self, name: &str) -> Result<bool, SchemaError> {
        SchemaError::TooLarge.when(name.len() > TEXT_MAX)?;
        if let Node::Object { len, .. } = self.value() {
            self.fuel.spend(1 + len / 4)?;
        }
        Ok(self.values.member(self.check.value, name).is_some())
    }
}
