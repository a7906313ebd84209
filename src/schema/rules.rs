//! Rules: schemas indexed by keyword. Each schema is read when it is first reached, in small steps,
//! so that the work can be suspended however large the schema is.

use super::error::{Halt, Resumable, SchemaError};
use super::fuel::Fuel;
use super::keyword::{Keyword, TypeSet, count};
use super::pattern::{Parsing, Pattern};
use super::reference::References;
use crate::json::{Node, Tree};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::rc::Rc;

/// The index of a rule.
pub type RuleId = u32;

/// The rule that every value satisfies.
pub const TRUE: RuleId = 0;

/// The rule that no value satisfies.
pub const FALSE: RuleId = 1;

/// The most members of an object, or elements of an array, that are searched linearly; a larger one
/// is indexed.
const LINEAR_MAX: u32 = 8;

/// The most members or elements that are indexed, four times the 5,000 properties that OpenAI
/// accepts.
const INDEX_MAX: u32 = 20_000;

/// The most steps spent on the members that other members require: that work is not suspended.
pub const DEPENDENTS_MAX: u64 = 2000;

/// The longest string that is compared or copied, in bytes. OpenAI allows 120,000 characters in all
/// strings of a schema together.
pub const TEXT_MAX: usize = 128 * 1024;

/// The keywords that are not supported: they apply to whatever no other keyword has evaluated.
const UNSUPPORTED: [Keyword; 2] = [Keyword::UnevaluatedProperties, Keyword::UnevaluatedItems];

/// One schema.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// The set of its keywords.
    present: u64,
    /// The index in [`Rules::places`] from which the values of its keywords are, in the order of
    /// the keywords.
    from: u32,
    /// The types that it allows.
    types: TypeSet,
}

/// The rules of one tree.
#[derive(Debug, Default)]
pub struct Rules {
    /// The tree that contains the schema.
    pub tree: Rc<Tree>,
    /// The position of the schema.
    pub root: u32,
    /// The rule at each position from `root` on, or [`TRUE`] where none has been read.
    known: Vec<RuleId>,
    rules: Vec<Rule>,
    /// The positions of the keyword values of all rules.
    places: Vec<u32>,
    reading: PartialRule,
    hasher: RandomState,
    indexes: BTreeMap<u32, Index>,
    indexing: PartialIndex,
    patterns: BTreeMap<u32, Result<Rc<Pattern>, SchemaError>>,
    /// The pattern that is being parsed.
    parsing: Option<(u32, Result<Parsing, SchemaError>)>,
    references: References,
}

/// A schema that has been partially read.
#[derive(Debug, Default)]
struct PartialRule {
    at: Option<u32>,
    /// The position of the next member.
    next: u32,
    /// The positions of the values of its keywords.
    found: BTreeMap<Keyword, u32>,
}

/// The index of an object or an array that has been partially built.
#[derive(Debug, Default)]
struct PartialIndex {
    at: Option<u32>,
    next: u32,
    index: Index,
}

/// The positions of names, by hash.
type Index = HashMap<u64, u32, BuildHasherDefault<Hashed>>;

/// A hasher that passes through keys that are already hashes.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are u64 hashes")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Rules {
    /// Creates the rules of the schema at `root`.
    pub fn new(tree: Rc<Tree>, root: u32) -> Rules {
        let constant = Rule {
            present: 0,
            from: 0,
            types: TypeSet::ALL,
        };
        Rules {
            references: References::new(root),
            known: vec![TRUE; (tree.end(root) - root) as usize],
            tree,
            root,
            rules: vec![constant; 2],
            ..Rules::default()
        }
    }

    /// Returns the number of rules that have been read.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Returns the rule of the schema at a position, which is read the first time.
    pub fn rule(&mut self, at: u32, fuel: &mut Fuel) -> Resumable<RuleId> {
        let end = match self.tree.node(at) {
            Node::Bool(true) => return Ok(TRUE),
            Node::Bool(false) => return Ok(FALSE),
            Node::Object { end, .. } => end,
            _ => return Err(SchemaError::Malformed.into()),
        };
        let known = self.known[(at - self.root) as usize];
        if known != TRUE {
            return Ok(known);
        }
        let reading = &mut self.reading;
        if reading.at != Some(at) {
            let found = BTreeMap::new();
            *reading = PartialRule {
                at: Some(at),
                next: at + 1,
                found,
            };
        }
        while reading.next < end {
            fuel.ready()?;
            fuel.spend(1)?;
            let name = self.tree.text(reading.next).unwrap_or_default();
            let value = reading.next + 1;
            if let Some(keyword) = Keyword::named(name) {
                SchemaError::Malformed.when(!keyword.allows(&self.tree, value))?;
                reading.found.insert(keyword, value);
            }
            reading.next = self.tree.end(value);
        }
        let found = std::mem::take(&mut self.reading).found;
        let types = found.get(&Keyword::Type);
        let types = types.and_then(|place| TypeSet::of(&self.tree, *place));
        let id = self.rules.len() as RuleId;
        self.rules.push(Rule {
            present: found.keys().fold(0, |set, keyword| set | keyword.bit()),
            from: self.places.len() as u32,
            types: types.unwrap_or(TypeSet::ALL),
        });
        self.places.extend(found.values());
        self.known[(at - self.root) as usize] = id;
        Ok(id)
    }

    /// Returns an unsupported keyword of a rule, if it has one with an effect.
    pub fn unsupported(&self, rule: RuleId) -> Option<Keyword> {
        let mut keywords = UNSUPPORTED.into_iter();
        keywords.find(|it| self.has_any(rule, it.bit()) && !self.flag(rule, *it))
    }

    /// Returns the types that a rule allows.
    pub fn types(&self, rule: RuleId) -> TypeSet {
        self.rules[rule as usize].types
    }

    /// Returns whether a rule has one of a set of keywords.
    pub fn has_any(&self, rule: RuleId, keywords: u64) -> bool {
        self.rules[rule as usize].present & keywords != 0
    }

    /// Returns the position of a keyword's value.
    pub fn get(&self, rule: RuleId, keyword: Keyword) -> Option<u32> {
        let rule = self.rules[rule as usize];
        (rule.present & keyword.bit() != 0).then(|| {
            let before = (rule.present & (keyword.bit() - 1)).count_ones();
            self.places[(rule.from + before) as usize]
        })
    }

    /// Returns a keyword's value as a count.
    pub fn count(&self, rule: RuleId, keyword: Keyword) -> Option<u64> {
        count(self.tree.node(self.get(rule, keyword)?))
    }

    /// Returns a keyword's value as a string.
    pub fn text(&self, rule: RuleId, keyword: Keyword) -> Option<&str> {
        self.tree.text(self.get(rule, keyword)?)
    }

    /// Returns whether a keyword's value is `true`.
    pub fn flag(&self, rule: RuleId, keyword: Keyword) -> bool {
        self.get(rule, keyword)
            .is_some_and(|at| self.tree.node(at) == Node::Bool(true))
    }

    /// Returns the position of the member called `name` in an object, or of the string `name` in an
    /// array.
    pub fn find(&mut self, at: u32, name: &str, fuel: &mut Fuel) -> Resumable<Option<u32>> {
        SchemaError::TooLarge.when(name.len() > TEXT_MAX)?;
        let len = self.tree.size(at);
        let found = if len <= LINEAR_MAX {
            fuel.spend(1 + len / 4)?;
            let same = |place: &u32| self.tree.text(*place) == Some(name);
            self.tree.parts(at).filter(same).last()
        } else {
            self.index(at, fuel)?;
            fuel.spend(2 + name.len() as u32 / 32)?;
            let found = self.indexes[&at].get(&self.hasher.hash_one(name)).copied();
            found.filter(|place| self.tree.text(*place) == Some(name))
        };
        let step = u32::from(self.tree.is_object(at));
        Ok(found.map(|place| place + step))
    }

    /// Returns the number of distinct names in an object or an array of strings.
    pub fn distinct(&mut self, at: u32, fuel: &mut Fuel) -> Resumable<u32> {
        let len = self.tree.size(at);
        if len <= 1 {
            return Ok(len);
        }
        self.index(at, fuel)?;
        Ok(self.indexes[&at].len() as u32)
    }

    /// Indexes the names in an object or an array of strings. Of duplicates the last one counts.
    fn index(&mut self, at: u32, fuel: &mut Fuel) -> Resumable {
        if self.indexes.contains_key(&at) {
            return Ok(());
        }
        let (len, end) = (self.tree.size(at), self.tree.end(at));
        let step = u32::from(self.tree.is_object(at));
        SchemaError::TooLarge.when(len > INDEX_MAX)?;
        if self.indexing.at != Some(at) {
            self.indexing = PartialIndex {
                at: Some(at),
                next: at + 1,
                index: Index::with_capacity_and_hasher(len as usize, Default::default()),
            };
        }
        while self.indexing.next < end {
            fuel.ready()?;
            let place = self.indexing.next;
            if let Some(name) = self.tree.text(place) {
                SchemaError::TooLarge.when(name.len() > TEXT_MAX)?;
                fuel.spend(2 + name.len() as u32 / 32)?;
                let hash = self.hasher.hash_one(name);
                self.indexing.index.insert(hash, place);
            } else {
                fuel.spend(1)?;
            }
            self.indexing.next = self.tree.end(place + step);
        }
        let done = std::mem::take(&mut self.indexing);
        self.indexes.insert(at, done.index);
        Ok(())
    }

    /// Returns the pattern at a position, which is parsed the first time.
    pub fn pattern(&mut self, at: u32, fuel: &mut Fuel) -> Resumable<Rc<Pattern>> {
        if let Some(known) = self.patterns.get(&at) {
            return Ok(known.clone()?);
        }
        let cost = Pattern::parse_cost(self.tree.text(at).unwrap_or_default());
        fuel.ready()?;
        let parsing = match self.parsing.take().filter(|(known, _)| *known == at) {
            Some((_, parsing)) => parsing,
            None => {
                fuel.spend(cost)?;
                Pattern::begin(self.tree.text(at).unwrap_or_default())
            }
        };
        if parsing.is_ok() && fuel.ready().is_err() {
            self.parsing = Some((at, parsing));
            return Err(Halt::Paused);
        }
        fuel.spend(cost)?;
        let parsed = parsing.and_then(|half| Pattern::end(&half)).map(Rc::new);
        self.patterns.insert(at, parsed.clone());
        Ok(parsed?)
    }

    /// Returns the position of the schema that a rule refers to, if any.
    pub fn reference(&mut self, rule: RuleId, fuel: &mut Fuel) -> Resumable<Option<u32>> {
        let keywords = [Keyword::Ref, Keyword::DynamicRef, Keyword::RecursiveRef];
        let Some(at) = keywords.into_iter().find_map(|it| self.get(rule, it)) else {
            return Ok(None);
        };
        if let Some(target) = self.references.targets.get(&at) {
            return Ok(Some(*target));
        }
        self.references.read(&self.tree, fuel)?;
        let (mut target, tokens) = self.references.begin(&self.tree, at)?;
        for token in tokens {
            target = match self.tree.node(target) {
                Node::Object { .. } => self.find(target, &token, fuel)?,
                Node::Array { .. } => {
                    // RFC 6901, section 4: an array index has no leading zero.
                    let at = token.parse().ok();
                    let at = at.filter(|at: &u32| at.to_string() == token);
                    fuel.spend(1 + at.unwrap_or(0).min(self.tree.len()) / 4)?;
                    at.and_then(|at| self.tree.items(target).nth(at as usize))
                }
                _ => None,
            }
            .ok_or(SchemaError::Reference)?;
        }
        self.references.targets.insert(at, target);
        Ok(Some(target))
    }
}

/// Subschemas for the elements and members of a value.
impl Rules {
    /// Returns the position of the schemas of an array's first elements: `prefixItems` or, before
    /// draft 2020-12, an array in `items`.
    pub fn prefix(&self, rule: RuleId) -> Option<u32> {
        let items = self.get(rule, Keyword::Items);
        let list = items.filter(|at| self.tree.is_array(*at));
        self.get(rule, Keyword::PrefixItems).or(list)
    }

    /// Returns the position of the schema of element number `item`, if any.
    pub fn item_schema(
        &self,
        rule: RuleId,
        item: u32,
        fuel: &mut Fuel,
    ) -> Result<Option<u32>, SchemaError> {
        let prefix = self.prefix(rule);
        if let Some(at) = prefix
            && item < self.tree.size(at)
        {
            fuel.spend(item / 4)?;
            return Ok(self.tree.items(at).nth(item as usize));
        }
        let items = self.get(rule, Keyword::Items);
        Ok(match items.filter(|at| prefix != Some(*at)) {
            None if prefix.is_some() => self.get(rule, Keyword::AdditionalItems),
            items => items,
        })
    }

    /// Returns whether a member can have more than one schema, because of `patternProperties`.
    pub fn has_patterns(&self, rule: RuleId) -> bool {
        self.has_any(rule, Keyword::PatternProperties.bit())
    }

    /// Returns whether an object or an array is indexed and has no duplicate names.
    pub fn is_distinct(&self, at: u32) -> bool {
        let index = self.indexes.get(&at);
        index.is_some_and(|index| index.len() as u32 == self.tree.size(at))
    }

    /// Returns the position of schema number `which` among those that apply to the member called
    /// `name`.
    pub fn member_schema(
        &mut self,
        rule: RuleId,
        name: &str,
        which: u32,
        fuel: &mut Fuel,
    ) -> Resumable<Option<u32>> {
        let mut passed = 0;
        if let Some(at) = self.get(rule, Keyword::Properties)
            && let Some(schema) = self.find(at, name, fuel)?
        {
            if which == passed {
                return Ok(Some(schema));
            }
            passed += 1;
        }
        if let Some(at) = self.get(rule, Keyword::PatternProperties) {
            let tree = self.tree.clone();
            for (pattern, schema) in tree.members(at) {
                if !self.pattern(pattern, fuel)?.matches(name, fuel)? {
                    continue;
                }
                if which == passed {
                    return Ok(Some(schema));
                }
                passed += 1;
            }
        }
        let additional = self.get(rule, Keyword::AdditionalProperties);
        Ok(additional.filter(|_| passed == 0 && which == 0))
    }
}
