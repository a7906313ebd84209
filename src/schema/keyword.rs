//! The supported keywords of JSON Schema and the type of value that each takes.

use crate::json::{Kind, Tree};

/// The type of a keyword's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Any value.
    Any,
    /// A number of characters, items or members; `2.0` is one too.
    Count,
    /// A number.
    Number,
    /// A number above 0.
    Positive,
    /// A number, or in drafts before 6 `true` or `false`.
    Limit,
    /// `true` or `false`.
    Flag,
    /// A string.
    Text,
    /// A list of any values.
    Values,
    /// A list of strings.
    Names,
    /// A schema.
    Schema,
    /// A list of schemas.
    Schemas,
    /// A schema, or before 2020 a list of them.
    SchemaOrSchemas,
    /// An object of schemas.
    SchemaByName,
    /// An object of anything.
    Object,
    /// A type's name or a list of them.
    Types,
}

/// Makes `Keyword` and the table of its names from rows.
macro_rules! keywords {
    ($($variant:ident $name:literal $holds:ident;)+) => {
        /// A keyword. Its number is its place in the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Keyword {$(
            #[doc = concat!("`", $name, "`")]
            $variant,
        )+}

        /// The name of each keyword and what it holds.
        const TABLE: &[(Keyword, &str, Holds)] =
            &[$((Keyword::$variant, $name, Holds::$holds),)+];

        /// The keyword of this name.
        fn named(name: &str) -> Option<Keyword> {
            match name {
                $($name => Some(Keyword::$variant),)+
                _ => None,
            }
        }
    };
}

keywords! {
    Type "type" Types;
    Const "const" Any;
    Enum "enum" Values;
    Ref "$ref" Text;
    DynamicRef "$dynamicRef" Text;
    RecursiveRef "$recursiveRef" Text;
    AllOf "allOf" Schemas;
    AnyOf "anyOf" Schemas;
    OneOf "oneOf" Schemas;
    Not "not" Schema;
    If "if" Schema;
    Then "then" Schema;
    Else "else" Schema;
    Minimum "minimum" Number;
    Maximum "maximum" Number;
    ExclusiveMinimum "exclusiveMinimum" Limit;
    ExclusiveMaximum "exclusiveMaximum" Limit;
    MultipleOf "multipleOf" Positive;
    MinLength "minLength" Count;
    MaxLength "maxLength" Count;
    Pattern "pattern" Text;
    Format "format" Text;
    ContentMediaType "contentMediaType" Any;
    ContentSchema "contentSchema" Any;
    Items "items" SchemaOrSchemas;
    PrefixItems "prefixItems" Schemas;
    AdditionalItems "additionalItems" Schema;
    MinItems "minItems" Count;
    MaxItems "maxItems" Count;
    UniqueItems "uniqueItems" Flag;
    Contains "contains" Schema;
    MinContains "minContains" Count;
    MaxContains "maxContains" Count;
    Properties "properties" SchemaByName;
    PatternProperties "patternProperties" SchemaByName;
    AdditionalProperties "additionalProperties" Schema;
    PropertyNames "propertyNames" Schema;
    Required "required" Names;
    MinProperties "minProperties" Count;
    MaxProperties "maxProperties" Count;
    DependentRequired "dependentRequired" Object;
    DependentSchemas "dependentSchemas" SchemaByName;
    Dependencies "dependencies" Object;
    UnevaluatedProperties "unevaluatedProperties" Schema;
    UnevaluatedItems "unevaluatedItems" Schema;
}

/// The number of keywords.
pub const KEYWORDS: usize = TABLE.len();

// A set of keywords is a word.
const _: () = assert!(KEYWORDS <= 64);

/// The most type names in a list: there are seven, and the list must not repeat one.
const TYPES_MAX: u32 = 64;

impl Keyword {
    /// Returns the keyword of this name, if it is supported.
    pub fn named(name: &str) -> Option<Keyword> {
        named(name)
    }

    /// Its bit in a set of keywords.
    pub const fn bit(self) -> u64 {
        1 << self as u64
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// Returns whether the value at `at` has the type that the keyword takes. Nested values are
    /// checked when they are reached.
    pub fn allows(self, tree: &Tree, at: u32) -> bool {
        let kind = tree.kind(at);
        let schema = matches!(kind, Kind::Object { .. } | Kind::Bool(_));
        let number = matches!(kind, Kind::Integer(_) | Kind::Unsigned(_) | Kind::Float(_));
        match TABLE[self as usize].2 {
            Holds::Any => true,
            Holds::Count => count(kind).is_some(),
            Holds::Number => number,
            Holds::Positive => match kind {
                Kind::Float(number) => number > 0.0,
                kind => count(kind).is_some_and(|count| count > 0),
            },
            Holds::Limit => number || matches!(kind, Kind::Bool(_)),
            Holds::Flag => matches!(kind, Kind::Bool(_)),
            Holds::Text => matches!(kind, Kind::Text { .. }),
            Holds::Values | Holds::Names => matches!(kind, Kind::List { .. }),
            Holds::Schema => schema,
            Holds::Schemas => matches!(kind, Kind::List { .. }),
            Holds::SchemaOrSchemas => schema || matches!(kind, Kind::List { .. }),
            Holds::SchemaByName | Holds::Object => matches!(kind, Kind::Object { .. }),
            Holds::Types => Kinds::of(tree, at).is_some(),
        }
    }
}

/// Returns a value as a count, saturating at `u64::MAX`.
pub fn count(kind: Kind) -> Option<u64> {
    match kind {
        Kind::Integer(count) => u64::try_from(count).ok(),
        Kind::Unsigned(count) => Some(count),
        // JSON Schema, 4.2.3: a number without a fraction is an integer, however it is written.
        Kind::Float(count) if count >= 0.0 && count.fract() == 0.0 => Some(count as u64),
        _ => None,
    }
}

/// A set of the types of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// `null`
    pub const NULL: Kinds = Kinds(1);
    /// `true` and `false`
    pub const BOOLEAN: Kinds = Kinds(1 << 1);
    /// Numbers without a fraction.
    pub const INTEGER: Kinds = Kinds(1 << 2);
    /// Numbers with a fraction.
    pub const FRACTION: Kinds = Kinds(1 << 3);
    /// Strings.
    pub const STRING: Kinds = Kinds(1 << 4);
    /// Lists.
    pub const ARRAY: Kinds = Kinds(1 << 5);
    /// Objects.
    pub const OBJECT: Kinds = Kinds(1 << 6);
    /// All numbers.
    pub const NUMBER: Kinds = Kinds(Kinds::INTEGER.0 | Kinds::FRACTION.0);
    /// All types.
    pub const ALL: Kinds = Kinds(0x7F);

    /// The types that `type` names; `None` if it names something else.
    pub fn of(tree: &Tree, at: u32) -> Option<Kinds> {
        match tree.kind(at) {
            Kind::List { len, .. } if len <= TYPES_MAX => {
                let each = tree.items(at).map(|item| Kinds::named(tree.text(item)?));
                each.reduce(|all, one| Some(Kinds(all?.0 | one?.0)))?
            }
            _ => Kinds::named(tree.text(at)?),
        }
    }

    fn named(name: &str) -> Option<Kinds> {
        Some(match name {
            "null" => Kinds::NULL,
            "boolean" => Kinds::BOOLEAN,
            "integer" => Kinds::INTEGER,
            "number" => Kinds::NUMBER,
            "string" => Kinds::STRING,
            "array" => Kinds::ARRAY,
            "object" => Kinds::OBJECT,
            _ => return None,
        })
    }

    /// The type of a value.
    pub fn of_value(kind: Kind) -> Kinds {
        match kind {
            Kind::Null => Kinds::NULL,
            Kind::Bool(_) => Kinds::BOOLEAN,
            Kind::Integer(_) | Kind::Unsigned(_) => Kinds::INTEGER,
            Kind::Float(number) if number.fract() == 0.0 => Kinds::INTEGER,
            Kind::Float(_) => Kinds::FRACTION,
            Kind::Text { .. } => Kinds::STRING,
            Kind::List { .. } => Kinds::ARRAY,
            Kind::Object { .. } => Kinds::OBJECT,
        }
    }

    /// The types that are in both sets.
    pub fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    /// Returns whether there are types that are in both sets.
    pub fn meets(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_numbered_as_their_rows() {
        for (at, (keyword, name, _)) in TABLE.iter().enumerate() {
            assert_eq!(*keyword as usize, at);
            assert_eq!(Keyword::named(name), Some(*keyword));
        }
    }
}
