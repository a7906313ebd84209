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
    /// An array: of any values, of strings, or of schemas.
    Array,
    /// A schema.
    Schema,
    /// A schema or, in drafts before 2020-12, an array of schemas.
    SchemaOrArray,
    /// An object: any one, or one whose members are schemas.
    Object,
    /// The name of a type or an array of names.
    Types,
}

/// Defines `Keyword` and its table: the name, the type of the value, and the type of value that the
/// keyword implies if a schema does not specify one.
macro_rules! keywords {
    ($($variant:ident $name:literal $holds:ident $(=> $implied:ident)?;)+) => {
        /// A keyword. Its discriminant is its index in the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Keyword {$(
            #[doc = concat!("`", $name, "`")]
            $variant,
        )+}

        /// The name, the value type and the implied types of each keyword.
        const TABLE: &[(Keyword, &str, ValueType, TypeSet)] = &[$((
            Keyword::$variant,
            $name,
            ValueType::$holds,
            TypeSet(0 $(| TypeSet::$implied.0)?),
        ),)+];

        impl Keyword {
            /// Returns the keyword called `name`, if it is interpreted.
            pub fn named(name: &str) -> Option<Keyword> {
                match name {
                    $($name => Some(Keyword::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

keywords! {
    Type "type" Types;
    Const "const" Any;
    Enum "enum" Array;
    Ref "$ref" Text;
    DynamicRef "$dynamicRef" Text;
    RecursiveRef "$recursiveRef" Text;
    AllOf "allOf" Array;
    AnyOf "anyOf" Array;
    OneOf "oneOf" Array;
    Not "not" Schema;
    If "if" Schema;
    Then "then" Schema;
    Else "else" Schema;
    Minimum "minimum" Number => NUMBER;
    Maximum "maximum" Number => NUMBER;
    ExclusiveMinimum "exclusiveMinimum" Limit => NUMBER;
    ExclusiveMaximum "exclusiveMaximum" Limit => NUMBER;
    MultipleOf "multipleOf" Positive => NUMBER;
    MinLength "minLength" Count => STRING;
    MaxLength "maxLength" Count;
    Pattern "pattern" Text => STRING;
    Format "format" Text => STRING;
    ContentMediaType "contentMediaType" Any;
    ContentSchema "contentSchema" Any;
    Items "items" SchemaOrArray => ARRAY;
    PrefixItems "prefixItems" Array => ARRAY;
    AdditionalItems "additionalItems" Schema;
    MinItems "minItems" Count => ARRAY;
    MaxItems "maxItems" Count;
    UniqueItems "uniqueItems" Flag => ARRAY;
    Contains "contains" Schema => ARRAY;
    MinContains "minContains" Count;
    MaxContains "maxContains" Count;
    Properties "properties" Object => OBJECT;
    PatternProperties "patternProperties" Object => OBJECT;
    AdditionalProperties "additionalProperties" Schema => OBJECT;
    PropertyNames "propertyNames" Schema => OBJECT;
    Required "required" Array => OBJECT;
    MinProperties "minProperties" Count => OBJECT;
    MaxProperties "maxProperties" Count;
    DependentRequired "dependentRequired" Object;
    DependentSchemas "dependentSchemas" Object;
    Dependencies "dependencies" Object;
    UnevaluatedProperties "unevaluatedProperties" Schema;
    UnevaluatedItems "unevaluatedItems" Schema;
}

/// The number of keywords.
const KEYWORDS: usize = TABLE.len();

// A set of keywords is a bit set in a `u64`.
const _: () = assert!(KEYWORDS <= 64);

/// The most type names in an array. There are only seven, and duplicates are not allowed.
const TYPES_MAX: u32 = 64;

impl Keyword {
    /// Returns its bit in a set of keywords.
    pub const fn bit(self) -> u64 {
        1 << self as u64
    }

    /// Returns the set of the keywords that imply a type.
    pub const fn implying(ty: TypeSet) -> u64 {
        let (mut set, mut at) = (0, 0);
        while at < KEYWORDS {
            if TABLE[at].3.0 & ty.0 != 0 {
                set |= 1 << at;
            }
            at += 1;
        }
        set
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// Returns whether the value at `at` has the type that the keyword takes. Nested values are
    /// checked only when they are used.
    pub fn allows(self, tree: &Tree, at: u32) -> bool {
        let node = tree.node(at);
        let array = matches!(node, Node::Array { .. });
        let object = matches!(node, Node::Object { .. });
        let number = matches!(node, Node::Integer(_) | Node::Unsigned(_) | Node::Float(_));
        let flag = matches!(node, Node::Bool(_));
        match TABLE[self as usize].2 {
            ValueType::Any => true,
            ValueType::Count => count(node).is_some(),
            ValueType::Number => number,
            ValueType::Positive => match node {
                Node::Float(number) => number > 0.0,
                node => count(node).is_some_and(|count| count > 0),
            },
            ValueType::Limit => number || flag,
            ValueType::Flag => flag,
            ValueType::Text => matches!(node, Node::String { .. }),
            ValueType::Array => array,
            ValueType::Schema => object || flag,
            ValueType::SchemaOrArray => object || flag || array,
            ValueType::Object => object,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        for (at, (keyword, name, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*keyword as usize, at);
            assert_eq!(Keyword::named(name), Some(*keyword));
        }
    }
}
