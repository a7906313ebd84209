"""Rows of JSON Schemas: combinations, references, counts, texts, numbers, depth."""

import functools

from .build import RESPONSES, Raw, dump, post, structured, tool
from .row import group, row
from .tools import called

# The response to a schema that costs too much or that no value satisfies.
REFUSED = "400 invalid_schema"
EITHER = ("200", REFUSED)
TYPES = ["string", "number", "integer", "boolean", "null", "array", "object"]
# The most properties that OpenAI allows in a schema.
PROPERTIES_MAX = 5000
STRING = {"type": "string"}
PERSON = {"type": "object", "properties": {"name": STRING, "age": {"type": "integer"}}}


def schema(name, made, *expect, **fields):
    """Returns a row of chats whose responses must satisfy a schema. Requests differ in a field that
    the server ignores, so that it cannot reuse the previous value."""
    @functools.cache
    def text():
        return Raw(dump(made() if callable(made) else made))

    def make(number):
        return structured(text(), user=f"{number}", **fields)
    return row(name, make, *(expect or EITHER), varies=True)


def lists_of_types(lists, length):
    """Returns an allOf of lists of one repeated type, whose pairs multiply if they are compared one
    by one."""
    return {"allOf": [{"type": ["object"] * length}] * lists}


def mixed_lists_of_types(lists):
    """Returns an allOf of lists of all types, each in a different order."""
    return {"allOf": [{"type": TYPES[at % 7 :] + TYPES[: at % 7]} for at in range(lists)]}


def choices(keyword, parts, branches, last=None):
    """Returns an allOf of choices whose branches exclude each other, except for the last of
    each."""
    def part(number):
        consts = [{"const": f"{number}-{branch}"} for branch in range(branches - 1)]
        return {keyword: [*consts, last or {"const": "all"}]}
    return {"allOf": [part(number) for number in range(parts)]}


def diamonds(depth, keyword="allOf"):
    """Returns references that double at each level."""
    levels = {
        f"d{at}": {keyword: [{"$ref": f"#/$defs/d{at + 1}"}, {"$ref": f"#/$defs/d{at + 1}"}]}
        for at in range(depth)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**levels, f"d{depth}": STRING}}


def chain(length):
    """Returns a chain of references."""
    links = {f"d{at}": {"$ref": f"#/$defs/d{at + 1}"} for at in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**links, f"d{length}": STRING}}


def doubled(depth):
    """Returns objects whose two properties double at each level."""
    levels = {
        f"d{at}": {"type": "object", "properties": {
            name: {"$ref": f"#/$defs/d{at + 1}"} for name in "ab"
        }}
        for at in range(depth)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**levels, f"d{depth}": STRING}}


def nested(depth, wrap):
    """Returns nested schemas as text, since Python's own recursion depth is limited too."""
    before, after = wrap
    return Raw(before * depth + '{"type":"string"}' + after * depth)


OBJECT = ('{"type":"object","required":["a"],"properties":{"a":', "}}")
ARRAY = ('{"type":"array","minItems":1,"items":', "}")
ALL_OF = ('{"allOf":[', "]}")
ANY_OF = ('{"anyOf":[{"type":"number","minimum":1,"maximum":0},', "]}")


def array(size, items=STRING, **fields):
    return {"type": "array", "minItems": size, "items": items, **fields}


def arrays(*sizes):
    """Returns nested arrays of these sizes."""
    return functools.reduce(lambda items, size: array(size, items), reversed(sizes), STRING)


def properties(count, value=None, required=True):
    names = [f"property_{at:04}" for at in range(count)]
    declared = {"type": "object", "properties": {name: value or STRING for name in names}}
    return {**declared, "required": names, "additionalProperties": False} if required else declared


def texts(count, length):
    return [f"{at:06}".ljust(length, "x") for at in range(count)]


def number(**bounds):
    return {"type": "number", **bounds}


def pattern(text):
    return {"type": "string", "pattern": text}


ROWS = group(
    "schemas",
    schema("a person", PERSON, "200"),
    # Combinations
    schema("allOf of 7 lists of 20 types", lambda: lists_of_types(7, 20)),
    schema("allOf of 5 lists of 40 types", lambda: lists_of_types(5, 40)),
    schema("allOf of 1000 lists of 7 types", lambda: mixed_lists_of_types(1000)),
    schema("allOf of 2 lists of 10,000 types", lambda: lists_of_types(2, 10_000)),
    schema("allOf of 9000 schemas", {"allOf": [{}] * 9000}),
    schema("allOf of 2000 objects of 2 properties", {"allOf": [PERSON] * 2000}),
    schema("allOf of 90 in allOf of 90", {"allOf": [{"allOf": [STRING] * 90}] * 90}),
    schema("anyOf of 1000, the last one possible", choices("anyOf", 2, 1000)),
    schema("anyOf of 9000, all alike", {"anyOf": [STRING] * 9000}),
    schema("oneOf of 1000, all alike", {"oneOf": [STRING] * 1000}),
    schema("oneOf of 1000, one possible", choices("oneOf", 1, 1000)),
    schema("anyOf: 10 choices of 10", choices("anyOf", 10, 10)),
    schema("oneOf: 10 choices of 10", choices("oneOf", 10, 10)),
    schema("anyOf: 30 choices of 2", choices("anyOf", 30, 2)),
    schema("anyOf: 3 choices of 1000, impossible",
           choices("anyOf", 3, 1000, last={"const": 1, "type": "string"}), REFUSED),
    schema("anyOf: 90 choices of 100", choices("anyOf", 90, 100)),
    schema("anyOf of 100 in each of 100 properties",
           lambda: properties(100, {"anyOf": [{"const": at} for at in range(100)]})),
    schema("anyOf of 50 levels", nested(50, ANY_OF)),
    schema("not", {"not": STRING}),
    schema("not in not, 90 levels", nested(90, ('{"not":', "}"))),
    schema("if, then, else", {"if": STRING, "then": {"minLength": 3}, "else": {"minimum": 1}}),
    schema("contains of 1000", array(1, contains=STRING, minContains=1000)),
    # References
    schema("references that double, 10 levels", diamonds(10)),
    schema("references that double, 30 levels", diamonds(30)),
    schema("references that double, anyOf, 30 levels", diamonds(30, "anyOf")),
    schema("properties that double, 12 levels", doubled(12)),
    schema("properties that double, 30 levels", doubled(30)),
    schema("chain of 90 references", chain(90)),
    schema("chain of 9000 references", chain(9000)),
    schema("reference to itself", {"$ref": "#"}, REFUSED),
    schema("two references to each other", {"$ref": "#/$defs/a", "$defs": {
        "a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"},
    }}, REFUSED),
    schema("list that may end", {"type": "object", "required": ["value", "next"], "properties": {
        "value": STRING, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    }}, "200"),
    schema("list that can't end", {"type": "object", "required": ["next"], "properties": {
        "next": {"$ref": "#"},
    }}, REFUSED),
    schema("tree that may end", {"type": "object", "properties": {
        "children": {"type": "array", "items": {"$ref": "#"}},
    }}, "200"),
    schema("8 references to itself in each object", {"type": "object", "properties": {
        f"p{at}": {"anyOf": [{"$ref": "#"}, {"type": "null"}]} for at in range(8)
    }}),
    schema("pointer of 64 KB", {"$ref": "#" + "/a" * 32_768}, REFUSED),
    schema("1000 pointers of 900 bytes",
           lambda: {"allOf": [{"$ref": "#/$defs/" + "d" * 900}] * 1000,
                    "$defs": {"d" * 900: STRING}}),
    schema("reference to another document", {"$ref": "https://example.com/schema"}, REFUSED),
    schema("900 KB of definitions that are not used",
           lambda: {**PERSON, "$defs": {f"d{at}": PERSON for at in range(9000)}}, "200"),
    # Counts
    schema("minItems of 100", array(100), "200"),
    schema("minItems of 3000", array(3000)),
    schema("minItems of 10,000", array(10_000)),
    schema("minItems of 10^18", array(10**18), REFUSED),
    schema("minItems of 10 in 10 in 10", arrays(10, 10, 10)),
    schema("minItems of 100 in 100 in 100", arrays(100, 100, 100)),
    schema("minItems of 10^9 in 10^9", arrays(10**9, 10**9), REFUSED),
    schema("minItems of 1000 objects", array(1000, PERSON)),
    schema("minItems of 1000, texts of 64 KB",
           array(1000, {"type": "string", "minLength": 65_536})),
    schema("minItems of 100, an enum of 1000", array(100, {"enum": texts(1000, 20)})),
    schema("minItems of 1000, a const of 60 KB", array(1000, {"const": "c" * 60_000})),
    schema("minItems of 1000, a const of 10,000 items", array(1000, {"const": [1] * 10_000})),
    schema("minLength of 1000", {"type": "string", "minLength": 1000}, "200"),
    schema("minLength of 65,536", {"type": "string", "minLength": 65_536}),
    schema("minLength of 65,537", {"type": "string", "minLength": 65_537}),
    schema("minLength of 10^18", {"type": "string", "minLength": 10**18}, REFUSED),
    schema("minLength of 65,536, 1000 properties",
           lambda: properties(1000, {"type": "string", "minLength": 65_536})),
    schema("minLength of 65,536, n: 128", {"type": "string", "minLength": 65_536}, n=128),
    schema("minLength of 65,536, n: 128, streamed", {"type": "string", "minLength": 65_536},
           n=128, stream=True),
    schema("minProperties of 1000", {"type": "object", "minProperties": 1000}),
    schema("minProperties of 10^18", {"type": "object", "minProperties": 10**18}, REFUSED),
    schema("uniqueItems, 2 of one const", array(2, {"const": 1}, uniqueItems=True), REFUSED),
    schema("uniqueItems, 300 texts", array(300, uniqueItems=True)),
    schema("uniqueItems, 300 of an enum", array(300, {"enum": texts(300, 8)}, uniqueItems=True)),
    schema("uniqueItems, 700 equal objects", lambda: {
        "type": "array", "uniqueItems": True, "minItems": 700,
        "prefixItems": [{"const": {"a": [1] * 10, "b": at // 699}} for at in range(700)],
    }),
    schema("prefixItems of 3000", {"type": "array", "prefixItems": [STRING] * 3000}),
    # Lists and texts
    schema("enum of 1000", {"enum": texts(1000, 20)}, "200"),
    schema("enum of 9000, the last one fits", {"enum": texts(9000, 20), "minLength": 20,
                                               "allOf": [{"const": texts(9000, 20)[-1]}]}),
    schema("enum of 1000 texts of 900 bytes", {"enum": texts(1000, 900)}),
    schema("enum of 1000 texts of 900 bytes, none fits",
           {"enum": texts(1000, 900), "maxLength": 10}, REFUSED),
    schema("enum of 1000 objects", {"enum": [{"a": at} for at in range(1000)]}),
    schema("const of 900 KB", {"const": "c" * 900_000}),
    schema("const of 100,000 numbers", {"const": [1] * 100_000}),
    schema("required of 9000, not declared", {"type": "object", "required": texts(9000, 20)}),
    schema("required of 9000, one name", {"type": "object", "required": ["name"] * 9000}),
    schema("100 properties", lambda: properties(100), "200"),
    schema("5000 properties", lambda: properties(PROPERTIES_MAX), "200"),
    schema("5000 properties, not required", lambda: properties(PROPERTIES_MAX, required=False),
           "200"),
    schema("5001 properties", lambda: properties(PROPERTIES_MAX + 1)),
    schema("5000 properties in 10 levels", lambda: functools.reduce(
        lambda inner, _: {**properties(499), "properties": {
            **properties(499)["properties"], "inner": inner,
        }}, range(9), properties(499)), "200"),
    schema("names of properties of 9 KB", lambda: {"type": "object", "properties": {
        f"{at}".ljust(9000, "n"): STRING for at in range(100)
    }}),
    schema("description of 900 KB", {**PERSON, "description": "d" * 900_000}),
    schema("description of escapes, n: 128", {**PERSON, "description": "\0" * 100_000}, n=128),
    # Depth
    schema("10 levels of objects", nested(10, OBJECT), "200"),
    schema("60 levels of allOf", nested(60, ALL_OF)),
    schema("90 levels of arrays", nested(90, ARRAY)),
    schema("60 levels of objects", nested(60, OBJECT)),
    schema("levels over 128", nested(130, ARRAY), "400 invalid_json"),
    # Patterns
    schema("pattern", pattern("^[a-z]+$")),
    schema("pattern: nested quantifiers", pattern("^(((a+)+)+)+$")),
    schema("pattern: 1000 times 1000", pattern("^(a{1,1000}){1,1000}$")),
    schema("pattern: 1000 times 1000 times 1000", pattern("^((a{1000}){1000}){1000}$")),
    schema("pattern: optional a's", pattern("^" + "a?" * 500 + "a" * 500 + "$")),
    schema("pattern: 9000 alternatives", pattern("^(" + "|".join(texts(9000, 6)) + ")$")),
    schema("pattern: 1000 times \\p{L}", pattern("^" + "\\p{L}" * 1000 + "$")),
    schema("pattern: \\w{1000} 60 times", pattern("^" + "\\w{1000}" * 60 + "$")),
    schema("pattern of 64 KB", pattern("^" + "[a-z0-9]" * 8192 + "$")),
    schema("pattern: 4000 groups in groups", pattern("(" * 4000 + ")" * 4000)),
    schema("pattern: lookahead", pattern("^(?!.*secret).*$")),
    schema("pattern: back reference", pattern("^(a*)\\1$")),
    schema("pattern that is wrong", pattern("^(["), REFUSED),
    schema("1000 patterns of 500 bytes",
           lambda: properties(1000, pattern("^" + "(a|b)" * 100 + "$"))),
    schema("pattern of a format", {"type": "string", "format": "uuid", "pattern": "^[0-9a-f-]+$"}),
    schema("patternProperties of 1000", lambda: {"type": "object", "patternProperties": {
        f"^{name}$": STRING for name in texts(1000, 20)
    }}),
    # Numbers
    schema("multipleOf of 10^-300", number(multipleOf=1e-300, minimum=1)),
    schema("multipleOf of 0.1", number(multipleOf=0.1, minimum=0.35), "200"),
    schema("multipleOf of 0", number(multipleOf=0)),
    schema("multipleOf of many primes", {"allOf": [
        {"type": "integer", "minimum": 1, "multipleOf": prime} for prime in (7919, 7907, 7901, 7883)
    ]}),
    schema("minimum of 10^308", number(minimum=1e308)),
    schema("between 2 neighbouring doubles",
           number(exclusiveMinimum=1, exclusiveMaximum=1.0000000000000002), REFUSED),
    schema("integer over 2^64", {"type": "integer", "minimum": 2**70}),
    schema("number that no double holds", Raw('{"type":"number","minimum":1e400}'),
           "200", "400"),
    schema("const of 1000 digits", Raw('{"const":' + "1" * 1000 + "}"), "200", "400"),
    schema("minItems that is no integer", array(1.5), REFUSED),
    # Outside of response_format
    schema("5000 properties, streamed", lambda: properties(PROPERTIES_MAX), "200", stream=True),
    schema("100 properties, n: 128, 20 logprobs", lambda: properties(100), n=128, logprobs=True,
           top_logprobs=20),
    row("5000 properties of a function", lambda _: called([tool("f", properties(PROPERTIES_MAX))]),
        "200"),
    row("5000 properties of a response", lambda _: post(RESPONSES, {
        "input": "x", "text": {"format": {
            "type": "json_schema", "name": "x", "schema": properties(PROPERTIES_MAX),
        }},
    }), "200"),
    row("100 properties, every schema different",
        lambda number: structured({**properties(100), "title": f"{number}"}), varies=True),
)
