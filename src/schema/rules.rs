//! The schemas of one tree as rules: which keywords each schema has, read once and when it is first
//! reached. The work is done in small steps, so that it can be suspended for a schema of any size.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::task::{Poll, ready};

use super::fuel::Fuel;
use super::keyword::{KEYWORDS, Keyword, Kinds, count};
use super::pattern::{Parsing, Pattern, PatternFault};
use super::reference::References;
use super::unfit::Unfit;
use crate::json::{Kind, Tree};

/// The number of a rule.
pub type RuleId = u32;

/// The rule that every value satisfies.
pub const TRUE: RuleId = 0;

/// The rule that no value satisfies.
pub const FALSE: RuleId = 1;

/// The largest object or list that is searched from end to end; a larger one gets an index.
const LINEAR_MAX: u32 = 8;

/// The largest object or list that is searched at all: OpenAI accepts 5,000 properties.
const INDEX_MAX: u32 = 20_000;

/// The most steps for the names that a member makes necessary, which are counted in one go.
pub const DEPENDENTS_MAX: u64 = 2000;

/// The longest string of a schema that is compared or copied, in bytes: OpenAI allows 120,000
/// characters in all strings of a schema together.
pub const TEXT_MAX: usize = 128 * 1024;

/// Keywords that are not supported: they depend on what other keywords left over.
const UNSUPPORTED: [Keyword; 2] = [Keyword::UnevaluatedProperties, Keyword::UnevaluatedItems];

/// One schema.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// One bit for each keyword that it has.
    present: u64,
    /// Where the places of their values begin, in the order of the keywords.
    from: u32,
    /// The types that it allows.
    kinds: Kinds,
}

/// The rules of one tree.
#[derive(Debug)]
pub struct Rules {
    /// The schema, and whatever stands around it.
    pub tree: Rc<Tree>,
    root: u32,
    /// The rule of each place from `root` on; [`TRUE`] where none has been read.
    known: Vec<RuleId>,
    rules: Vec<Rule>,
    /// The places of the values of all keywords.
    places: Vec<u32>,
    reading: Reading,
    hasher: RandomState,
    indexes: BTreeMap<u32, Index>,
    indexing: Indexing,
    patterns: BTreeMap<u32, Result<Rc<Pattern>, PatternFault>>,
    /// The pattern that is being parsed.
    parsing: Option<(u32, Result<Parsing, PatternFault>)>,
    references: References,
}

/// A schema whose keywords are being read.
#[derive(Debug)]
struct Reading {
    at: u32,
    /// The next member.
    next: u32,
    found: [u32; KEYWORDS],
}

/// An object or a list that gets an index.
#[derive(Debug, Default)]
struct Indexing {
    at: Option<u32>,
    next: u32,
    index: Index,
}

/// The places of names, by their hashes.
type Index = HashMap<u64, u32, BuildHasherDefault<Hashed>>;

/// A hasher of what is a hash already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("hashes are numbers")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Rules {
    /// The rules of the schema at `root`.
    pub fn new(tree: Rc<Tree>, root: u32) -> Rules {
        let rule = |kinds| Rule {
            present: 0,
            from: 0,
            kinds,
        };
        Rules {
            references: References::new(root),
            known: vec![TRUE; (tree.end(root) - root) as usize],
            tree,
            root,
            rules: vec![rule(Kinds::ALL); 2],
            places: Vec::new(),
            reading: Reading {
                at: u32::MAX,
                next: 0,
                found: [0; KEYWORDS],
            },
            hasher: RandomState::new(),
            indexes: BTreeMap::new(),
            indexing: Indexing::default(),
            patterns: BTreeMap::new(),
            parsing: None,
        }
    }

    /// The number of rules that were read.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Reads the schema at a place, unless that was done before.
    pub fn rule(&mut self, at: u32, fuel: &mut Fuel) -> Poll<Result<RuleId, Unfit>> {
        let end = match self.tree.kind(at) {
            Kind::Bool(true) => return Poll::Ready(Ok(TRUE)),
            Kind::Bool(false) => return Poll::Ready(Ok(FALSE)),
            Kind::Object { end, .. } => end,
            _ => return Poll::Ready(Err(Unfit::Malformed)),
        };
        let known = self.known[(at - self.root) as usize];
        if known != TRUE {
            return Poll::Ready(Ok(known));
        }
        let reading = &mut self.reading;
        if reading.at != at {
            *reading = Reading {
                at,
                next: at + 1,
                found: [0; KEYWORDS],
            };
        }
        while reading.next < end {
            ready!(fuel.wait());
            fuel.spend(1)?;
            let name = self.tree.text(reading.next).unwrap_or_default();
            let value = reading.next + 1;
            if let Some(keyword) = Keyword::named(name) {
                if !keyword.allows(&self.tree, value) {
                    return Poll::Ready(Err(Unfit::Malformed));
                }
                reading.found[keyword as usize] = value;
            }
            reading.next = self.tree.end(value);
        }
        Poll::Ready(Ok(self.keep()))
    }

    /// Keeps the schema that was read to its end.
    fn keep(&mut self) -> RuleId {
        let found = std::mem::replace(&mut self.reading.found, [0; KEYWORDS]);
        let at = std::mem::replace(&mut self.reading.at, u32::MAX);
        let from = self.places.len() as u32;
        let mut present = 0;
        for (bit, place) in found
            .into_iter()
            .enumerate()
            .filter(|(_, place)| *place > 0)
        {
            present |= 1 << bit;
            self.places.push(place);
        }
        let kinds = match found[Keyword::Type as usize] {
            0 => Kinds::ALL,
            place => Kinds::of(&self.tree, place).unwrap_or(Kinds::ALL),
        };
        let id = self.rules.len() as RuleId;
        self.rules.push(Rule {
            present,
            from,
            kinds,
        });
        self.known[(at - self.root) as usize] = id;
        id
    }

    /// The keyword of a rule that is not supported, if it has one that demands something.
    pub fn unsupported(&self, rule: RuleId) -> Option<Keyword> {
        let demands = |keyword: &Keyword| {
            let at = self.get(rule, *keyword);
            at.is_some_and(|at| self.tree.kind(at) != Kind::Bool(true))
        };
        UNSUPPORTED.into_iter().find(demands)
    }

    /// The types that a rule allows.
    pub fn kinds(&self, rule: RuleId) -> Kinds {
        self.rules[rule as usize].kinds
    }

    /// Returns whether a rule has one of a set of keywords.
    pub fn has_any(&self, rule: RuleId, keywords: u64) -> bool {
        self.rules[rule as usize].present & keywords != 0
    }

    /// The place of what a keyword of a rule holds.
    pub fn get(&self, rule: RuleId, keyword: Keyword) -> Option<u32> {
        let rule = self.rules[rule as usize];
        (rule.present & keyword.bit() != 0).then(|| {
            let before = (rule.present & (keyword.bit() - 1)).count_ones();
            self.places[(rule.from + before) as usize]
        })
    }

    /// The count that a keyword holds.
    pub fn count(&self, rule: RuleId, keyword: Keyword) -> Option<u64> {
        count(self.tree.kind(self.get(rule, keyword)?))
    }

    /// The string that a keyword holds.
    pub fn text(&self, rule: RuleId, keyword: Keyword) -> Option<&str> {
        self.tree.text(self.get(rule, keyword)?)
    }

    /// Returns whether a keyword holds `true`.
    pub fn flag(&self, rule: RuleId, keyword: Keyword) -> bool {
        self.get(rule, keyword)
            .is_some_and(|at| self.tree.kind(at) == Kind::Bool(true))
    }

    /// The place of what a name stands before in an object, or of the string itself in a list of
    /// names.
    pub fn find(
        &mut self,
        at: u32,
        name: &str,
        fuel: &mut Fuel,
    ) -> Poll<Result<Option<u32>, Unfit>> {
        let (len, step) = match self.tree.kind(at) {
            Kind::Object { len, .. } => (len, 1),
            Kind::List { len, .. } => (len, 0),
            _ => return Poll::Ready(Err(Unfit::Malformed)),
        };
        if name.len() > TEXT_MAX {
            return Poll::Ready(Err(Unfit::TooLarge));
        }
        if len <= LINEAR_MAX {
            fuel.spend(1 + len / 4)?;
            let mut found = None;
            let mut next = at + 1;
            for _ in 0..len {
                if self.tree.text(next) == Some(name) {
                    found = Some(next + step);
                }
                next = self.tree.end(next + step);
            }
            return Poll::Ready(Ok(found));
        }
        ready!(self.index(at, fuel))?;
        fuel.spend(2 + name.len() as u32 / 32)?;
        let found = self.indexes[&at].get(&self.hasher.hash_one(name)).copied();
        let found = found.filter(|place| self.tree.text(*place) == Some(name));
        Poll::Ready(Ok(found.map(|place| place + step)))
    }

    /// The number of different names in an object or a list of names.
    pub fn distinct(&mut self, at: u32, fuel: &mut Fuel) -> Poll<Result<u32, Unfit>> {
        let len = match self.tree.kind(at) {
            Kind::Object { len, .. } | Kind::List { len, .. } => len,
            _ => return Poll::Ready(Err(Unfit::Malformed)),
        };
        if len <= 1 {
            return Poll::Ready(Ok(len));
        }
        ready!(self.index(at, fuel))?;
        Poll::Ready(Ok(self.indexes[&at].len() as u32))
    }

    /// Makes an index of the names in an object or a list of names. Of equal ones the last counts.
    fn index(&mut self, at: u32, fuel: &mut Fuel) -> Poll<Result<(), Unfit>> {
        if self.indexes.contains_key(&at) {
            return Poll::Ready(Ok(()));
        }
        let (len, end, step) = match self.tree.kind(at) {
            Kind::Object { len, end } => (len, end, 1),
            Kind::List { len, end } => (len, end, 0),
            _ => return Poll::Ready(Err(Unfit::Malformed)),
        };
        if len > INDEX_MAX {
            return Poll::Ready(Err(Unfit::TooLarge));
        }
        if self.indexing.at != Some(at) {
            self.indexing = Indexing {
                at: Some(at),
                next: at + 1,
                index: Index::with_capacity_and_hasher(len as usize, Default::default()),
            };
        }
        while self.indexing.next < end {
            ready!(fuel.wait());
            let place = self.indexing.next;
            if let Some(name) = self.tree.text(place) {
                if name.len() > TEXT_MAX {
                    return Poll::Ready(Err(Unfit::TooLarge));
                }
                fuel.spend(2 + name.len() as u32 / 32)?;
                self.indexing
                    .index
                    .insert(self.hasher.hash_one(name), place);
            } else {
                fuel.spend(1)?;
            }
            self.indexing.next = self.tree.end(place + step);
        }
        let done = std::mem::take(&mut self.indexing);
        self.indexes.insert(at, done.index);
        Poll::Ready(Ok(()))
    }

    /// The pattern at a place, parsed once.
    pub fn pattern(&mut self, at: u32, fuel: &mut Fuel) -> Poll<Result<Rc<Pattern>, Unfit>> {
        if let Some(known) = self.patterns.get(&at) {
            return Poll::Ready(known.clone().map_err(Unfit::from));
        }
        let cost = Pattern::parse_cost(self.tree.text(at).unwrap_or_default());
        ready!(fuel.wait());
        let parsing = match self.parsing.take().filter(|(known, _)| *known == at) {
            Some((_, parsing)) => parsing,
            None => {
                fuel.spend(cost)?;
                Pattern::begin(self.tree.text(at).unwrap_or_default())
            }
        };
        if parsing.is_ok() && fuel.wait().is_pending() {
            self.parsing = Some((at, parsing));
            return Poll::Pending;
        }
        fuel.spend(cost)?;
        let parsed = parsing.and_then(|half| Pattern::end(&half)).map(Rc::new);
        self.patterns.insert(at, parsed.clone());
        Poll::Ready(parsed.map_err(Unfit::from))
    }

    /// The place of the schema that a rule refers to, if it does.
    pub fn reference(&mut self, rule: RuleId, fuel: &mut Fuel) -> Poll<Result<Option<u32>, Unfit>> {
        let keywords = [Keyword::Ref, Keyword::DynamicRef, Keyword::RecursiveRef];
        let Some(at) = keywords.into_iter().find_map(|it| self.get(rule, it)) else {
            return Poll::Ready(Ok(None));
        };
        if let Some(target) = self.references.known(at) {
            return Poll::Ready(Ok(Some(target)));
        }
        ready!(self.references.read(&self.tree, fuel))?;
        let (mut target, tokens) = self.references.begin(&self.tree, at)?;
        for token in tokens {
            target = match self.tree.kind(target) {
                Kind::Object { .. } => ready!(self.find(target, &token, fuel))?,
                Kind::List { .. } => {
                    // RFC 6901, 4: digits without a leading zero.
                    let at = token
                        .parse()
                        .ok()
                        .filter(|at: &u32| at.to_string() == token);
                    fuel.spend(1 + at.unwrap_or(0).min(self.tree.len()) / 4)?;
                    at.and_then(|at| self.tree.items(target).nth(at as usize))
                }
                _ => None,
            }
            .ok_or(Unfit::Reference)?;
        }
        self.references.keep(at, target);
        Poll::Ready(Ok(Some(target)))
    }
}

/// What a rule says of the parts of a value.
impl Rules {
    /// The schemas of an array's first items: `prefixItems`, or before 2020 a list in `items`.
    pub fn prefix(&self, rule: RuleId) -> Option<u32> {
        let items = self.get(rule, Keyword::Items);
        let is_list = |at: &u32| matches!(self.tree.kind(*at), Kind::List { .. });
        self.get(rule, Keyword::PrefixItems)
            .or(items.filter(is_list))
    }

    /// The place of the schema of an item, if the rule has one for it.
    pub fn item_schema(
        &self,
        rule: RuleId,
        item: u32,
        fuel: &mut Fuel,
    ) -> Result<Option<u32>, Unfit> {
        let prefix = self.prefix(rule);
        if let Some(at) = prefix
            && let Kind::List { len, .. } = self.tree.kind(at)
            && item < len
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

    /// Returns whether a member can have more than one schema.
    pub fn has_patterns(&self, rule: RuleId) -> bool {
        self.has_any(rule, Keyword::PatternProperties.bit())
    }

    /// Returns whether no name occurs twice in an object or a list that has an index.
    pub fn is_distinct(&self, at: u32) -> bool {
        let len = match self.tree.kind(at) {
            Kind::Object { len, .. } | Kind::List { len, .. } => len,
            _ => 0,
        };
        let index = self.indexes.get(&at);
        index.is_some_and(|index| index.len() as u32 == len)
    }

    /// The place of one of the schemas of an object's member: of several, the one with number
    /// `which`.
    pub fn member_schema(
        &mut self,
        rule: RuleId,
        name: &str,
        which: u32,
        fuel: &mut Fuel,
    ) -> Poll<Result<Option<u32>, Unfit>> {
        let mut passed = 0;
        if let Some(at) = self.get(rule, Keyword::Properties)
            && let Some(schema) = ready!(self.find(at, name, fuel))?
        {
            if which == passed {
                return Poll::Ready(Ok(Some(schema)));
            }
            passed += 1;
        }
        if let Some(at) = self.get(rule, Keyword::PatternProperties) {
            let tree = self.tree.clone();
            for (pattern, schema) in tree.members(at) {
                if !ready!(self.pattern(pattern, fuel))?.matches(name, fuel)? {
                    continue;
                }
                if which == passed {
                    return Poll::Ready(Ok(Some(schema)));
                }
                passed += 1;
            }
        }
        let additional = self.get(rule, Keyword::AdditionalProperties);
        Poll::Ready(Ok(additional.filter(|_| passed == 0 && which == 0)))
    }
}
