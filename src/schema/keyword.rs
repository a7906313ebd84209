//! The JSON Schema keywords that are interpreted, and the type of value that each takes.

use crate::json::{Node, Tree};

/// The type of a keyword's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Any value.
    Any,
    /// A non-negative integer; `2.0` is one too.
    Count,
    /// A number.
    Number,
    /// A number above 0.
    Positive,
    /// A number or, in drafts before 6, a boolean.
    Limit,
    /// `true` or `false`.
    Flag,
    /// A string.
    Text,
    /// An array of any values.
    Values,
    /// An array of strings.
    Names,
    /// A schema.
    Schema,
    /// An array of schemas.
    Schemas,
    /// A schema or, in drafts before 2020-12, an array of schemas.
    SchemaOrSchemas,
    /// An object whose members are schemas.
    SchemaByName,
    /// Any object.
    Object,
    /// The name of a type or an array of names.
    Types,
}

/// Defines `Keyword` and the table of names and value types.
macro_rules! keywords {
    ($($variant:ident $name:literal $holds:ident;)+) => {
        /// A keyword. Its discriminant is its index in the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Keyword {$(
            #[doc = concat!("`", $name, "`")]
            $variant,
        )+}

        /// The name and the value type of each keyword.
        const TABLE: &[(Keyword, &str, ValueType)] =
            &[$((Keyword::$variant, $name, ValueType::$holds),)+];

        /// Returns the keyword called `name`.
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

// A set of keywords is a bit set in a `u64`.
const _: () = assert!(KEYWORDS <= 64);

/// The most type names in an array. There are only seven, and duplicates are not allowed.
const TYPES_MAX: u32 = 64;

impl Keyword {
    /// Returns the keyword called `name`, if it is interpreted.
    pub fn named(name: &str) -> Option<Keyword> {
        named(name)
    }

    /// Returns its bit in a set of keywords.
    pub const fn bit(self) -> u64 {
        1 << self as u64
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// Returns whether the value at `at` has the type that the keyword takes. Nested values are
    /// checked only when they are used.
    pub fn allows(self, tree: &Tree, at: u32) -> bool {
        let node = tree.node(at);
        let schema = matches!(node, Node::Object { .. } | Node::Bool(_));
        let number = matches!(node, Node::Integer(_) | Node::Unsigned(_) | Node::Float(_));
        match TABLE[self as usize].2 {
            ValueType::Any => true,
            ValueType::Count => count(node).is_some(),
            ValueType::Number => number,
            ValueType::Positive => match node {
                Node::Float(number) => number > 0.0,
                node => count(node).is_some_and(|count| count > 0),
            },
            ValueType::Limit => number || matches!(node, Node::Bool(_)),
            ValueType::Flag => matches!(node, Node::Bool(_)),
            ValueType::Text => matches!(node, Node::String { .. }),
            ValueType::Values | ValueType::Names => matches!(node, Node::Array { .. }),
            ValueType::Schema => schema,
            ValueType::Schemas => matches!(node, Node::Array { .. }),
            ValueType::SchemaOrSchemas => schema || matches!(node, Node::Array { .. }),
            ValueType::SchemaByName | ValueType::Object => matches!(node, Node::Object { .. }),
            ValueType::Types => TypeSet::of(tree, at).is_some(),
        }
    }
}

/// Returns a value as a count, saturating at `u64::MAX`, or `None` if it is not one.
pub fn count(node: Node) -> Option<u64> {
    match node {
        Node::Integer(count) => u64::try_from(count).ok(),
        Node::Unsigned(count) => Some(count),
        // JSON Schema Core, section 4.2.3: a number without a fractional part is an integer,
        // whether it is written as `2` or as `2.0`.
        Node::Float(count) if count >= 0.0 && count.fract() == 0.0 => Some(count as u64),
        _ => None,
    }
}

/// A set of JSON Schema types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeSet(u8);

impl TypeSet {
    /// `null`
    pub const NULL: TypeSet = TypeSet(1);
    /// `true` and `false`
    pub const BOOLEAN: TypeSet = TypeSet(1 << 1);
    /// Numbers without a fractional part.
    pub const INTEGER: TypeSet = TypeSet(1 << 2);
    /// Numbers with a fractional part.
    pub const FRACTION: TypeSet = TypeSet(1 << 3);
    /// Strings.
    pub const STRING: TypeSet = TypeSet(1 << 4);
    /// Arrays.
    pub const ARRAY: TypeSet = TypeSet(1 << 5);
    /// Objects.
    pub const OBJECT: TypeSet = TypeSet(1 << 6);
    /// All numbers.
    pub const NUMBER: TypeSet = TypeSet(TypeSet::INTEGER.0 | TypeSet::FRACTION.0);
    /// All types.
    pub const ALL: TypeSet = TypeSet(0x7F);

    /// Returns the types listed in the value of `type`, or `None` if one of them is unknown.
    pub fn of(tree: &Tree, at: u32) -> Option<TypeSet> {
        match tree.node(at) {
            Node::Array { len, .. } if len <= TYPES_MAX => {
                let each = tree.items(at).map(|item| TypeSet::named(tree.text(item)?));
                each.reduce(|all, one| Some(TypeSet(all?.0 | one?.0)))?
            }
            _ => TypeSet::named(tree.text(at)?),
        }
    }

    fn named(name: &str) -> Option<TypeSet> {
        Some(match name {
            "null" => TypeSet::NULL,
            "boolean" => TypeSet::BOOLEAN,
            "integer" => TypeSet::INTEGER,
            "number" => TypeSet::NUMBER,
            "string" => TypeSet::STRING,
            "array" => TypeSet::ARRAY,
            "object" => TypeSet::OBJECT,
            _ => return None,
        })
    }

    /// Returns the type of a value.
    pub fn of_value(node: Node) -> TypeSet {
        match node {
            Node::Null => TypeSet::NULL,
            Node::Bool(_) => TypeSet::BOOLEAN,
            Node::Integer(_) | Node::Unsigned(_) => TypeSet::INTEGER,
            Node::Float(number) if number.fract() == 0.0 => TypeSet::INTEGER,
            Node::Float(_) => TypeSet::FRACTION,
            Node::String { .. } => TypeSet::STRING,
            Node::Array { .. } => TypeSet::ARRAY,
            Node::Object { .. } => TypeSet::OBJECT,
        }
    }

    /// Returns the intersection of both sets.
    pub fn and(self, other: TypeSet) -> TypeSet {
        TypeSet(self.0 & other.0)
    }

    /// Returns whether the sets have a type in common.
    pub fn meets(self, other: TypeSet) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discriminants_are_indexes_in_the_table() {
        for (at, (keyword, name, _)) in TABLE.iter().enumerate() {
            assert_eq!(*keyword as usize, at);
            assert_eq!(Keyword::named(name), Some(*keyword));
        }
    }
}
