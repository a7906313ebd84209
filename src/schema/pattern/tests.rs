//! Tests of pattern matching and generation, cross-checked with the regress engine.

use super::*;

fn fuel() -> Fuel {
    let mut fuel = Fuel::new(1_000_000);
    fuel.begin_call(u32::MAX);
    fuel
}

fn parse(text: &str) -> Result<Pattern, SchemaError> {
    Pattern::begin(text).and_then(|parsing| Pattern::end(&parsing))
}

fn pattern(text: &str) -> Pattern {
    parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

/// Generates a string, and asserts that it matches according to this engine and another one.
fn made(text: &str, min: usize, max: usize, variant: u32) -> Option<String> {
    let parsed = pattern(text);
    let made = parsed.generate(min, max, variant, &mut fuel()).unwrap()?;
    let len = made.chars().count();
    assert!((min..=max).contains(&len), "{text}: {made} has {len}");
    assert_eq!(
        parsed.matches(&made, &mut fuel()),
        Ok(true),
        "{text}: {made}"
    );
    let other = regress::Regex::with_flags(text, "u").or_else(|_| regress::Regex::new(text));
    if let Ok(other) = other {
        assert!(other.find(&made).is_some(), "{text}: {made}");
    }
    Some(made)
}

#[test]
fn generated_strings_look_natural() {
    for (text, expected) in [
        ("^[a-z]+$", "mocked"),
        ("^[A-Z]{3}-\\d{4}$", "MOC-1111"),
        ("^\\d{4}-\\d{2}-\\d{2}$", "1111-11-11"),
        ("^-?\\d+$", "111111"),
        ("^#[0-9a-fA-F]{6}$", "#1cced1"),
        ("abc", "abc"),
        ("^(red|green)$", "red"),
        ("^\\s$", " "),
        ("^[^a-z]$", "M"),
        ("^[\\x01-\\x1f~]$", "~"),
        ("^\\u{1F600}$", "😀"),
        ("^\\ud83d\\ude00$", "😀"),
        ("^[\\w.+-]+@[\\w-]+\\.[a-z]{2,}$", "mocked@mocked.mocked"),
        ("", ""),
    ] {
        let got = made(text, 0, 100, 0);
        match text.contains("0-9a-f") {
            true => assert_eq!(got.map(|made| made.len()), Some(7)),
            false => assert_eq!(got.as_deref(), Some(expected), "{text}"),
        }
    }
}

#[test]
fn possible_lengths_are_met_exactly() {
    for (text, min, max) in [
        ("^(ab)+$", 6, 6),
        ("^(ab|cde)+$", 5, 5),
        ("^(ab|cde)+$", 7, 7),
        ("^(ab|cde)+$", 70, 70),
        ("^a{3,9}b*$", 20, 20),
        ("^[a-z]+(-[a-z]+)*$", 30, 40),
        ("^[a-z]+(-[a-z]+)*$", 1, 2),
        ("abc", 10, 10),
        ("^abc", 10, 12),
        ("abc$", 10, 12),
        ("^(foo|quux){2,}$", 11, 11),
        ("^.{0,500}$", 400, 450),
        ("^(a{2}|b{5})*$", 9, 9),
        ("^(?:x?){50}$", 17, 17),
    ] {
        assert!(made(text, min, max, 0).is_some(), "{text}");
    }
    for (text, min, max) in [("^(ab)+$", 5, 5), ("^abc$", 4, 9), ("^(a{3})*$", 4, 5)] {
        assert_eq!(made(text, min, max, 0), None, "{text}");
    }
}

#[test]
fn variants_differ() {
    for (text, count) in [
        ("^[a-z]+$", 100),
        ("^\\d{3}$", 100),
        ("^(a|b|c)$", 3),
        ("^SKU-[0-9]{2}$", 80),
        ("x", 1),
    ] {
        let made: std::collections::HashSet<_> = (0..count)
            .filter_map(|variant| made(text, 0, 100, variant))
            .collect();
        assert_eq!(made.len(), count as usize, "{text}");
    }
}

#[test]
fn classes_and_escapes_are_those_of_javascript() {
    for (text, matching, other) in [
        ("^\\d$", "1", "٣"),
        ("^\\w$", "_", "é"),
        ("^\\W$", "é", "a"),
        ("^\\s$", "\u{FEFF}", "\u{200B}"),
        ("^\\S$", "a", "\u{A0}"),
        ("^.$", "\u{85}", "\u{2028}"),
        ("^[a&&b]$", "&", "c"),
        ("^[a~~b]$", "~", "c"),
        ("^[[a]$", "[", "b"),
        ("^[a-\\d]$", "-", "b"),
        ("^[\\d-x]$", "-", "b"),
        ("^[+--]$", ",", "."),
        ("^[^]$", "\n", "ab"),
        ("^a{,2}$", "a{,2}", "aa"),
        ("^a{$", "a{", "a"),
        ("^a]}$", "a]}", "a"),
        ("^\\/\\-\\.$", "/-.", "/-x"),
        ("^\\cJ$", "\n", "J"),
        ("^\\x41\\u0042$", "AB", "ab"),
        ("^(?<year>\\d{4})$", "2025", "25"),
        ("^(?P<year>\\d{4})$", "2025", "25"),
        ("\\A\\d\\Z", "1", "1 "),
        ("^(?i)abc$", "aBc", "abd"),
        ("^(?s).$", "\n", "ab"),
        ("^(?s)(?-s).$", "a", "\n"),
        ("^[\\s]$", "\u{FEFF}", "\u{85}"),
        ("^[^\\S]$", "\u{2003}", "x"),
        ("^[.\\-+*?^$|(){}\\]\\\\]$", "]", "a"),
        ("\\bcat\\b", "a cat!", "concat"),
        ("a\\Bb", "ab", "a b"),
        ("^\\p{Lu}$", "É", "é"),
        ("^\\p{Script=Greek}+$", "αβγ", "abc"),
        ("^[\\p{L}\\p{N}]+$", "é9", "-"),
        ("^a|b$", "xb", "xa"),
        ("^(?:a|ab)(?:c|bcd)(?:d*)$", "abcd", "abdc"),
        ("^(a*)*b$", "aaab", "aaaa"),
        ("^(a|b)*?c+?$", "abcc", "abd"),
    ] {
        let parsed = pattern(text);
        assert_eq!(parsed.matches(matching, &mut fuel()), Ok(true), "{text}");
        assert_eq!(parsed.matches(other, &mut fuel()), Ok(false), "{text}");
    }
}

#[test]
fn unsupported_patterns_are_distinguished_from_malformed_ones() {
    for (text, expected) in [
        ("(", SchemaError::BadPattern),
        ("a)", SchemaError::BadPattern),
        ("[b-a]", SchemaError::BadPattern),
        ("*", SchemaError::BadPattern),
        ("\\", SchemaError::BadPattern),
        ("\\u12", SchemaError::BadPattern),
        ("\\ud800\\uffff", SchemaError::BadPattern),
        ("\\ud800\\u+123", SchemaError::BadPattern),
        ("\\p{Nothing}", SchemaError::BadPattern),
        ("(?=a)", SchemaError::LookAround),
        ("a(?!b)", SchemaError::LookAround),
        ("(?<=a)b", SchemaError::LookAround),
        ("(?<!a)b", SchemaError::LookAround),
        ("(a)\\1", SchemaError::LookAround),
        ("(?<x>a)\\k<x>", SchemaError::LookAround),
        ("a{100001}", SchemaError::TooLarge),
    ] {
        assert_eq!(parse(text).map(|_| ()), Err(expected), "{text}");
    }
    let long = "a".repeat(PATTERN_MAX);
    assert!(parse(&long).is_ok());
    assert!(parse(&(long + "a")).is_err());
    let folded = |letters: usize| parse(&format!("(?i){}", "a".repeat(letters))).map(|_| ());
    assert_eq!(folded(252), Ok(()));
    assert_eq!(folded(253), Err(SchemaError::TooLarge));
    let dots = |count: usize| parse(&".".repeat(count)).map(|_| ());
    assert_eq!(dots(44), Ok(()));
    assert_eq!(dots(45), Err(SchemaError::TooLarge));
    let properties = |count: usize| parse(&"\\p{Lu}".repeat(count)).map(|_| ());
    assert_eq!(properties(4), Ok(()));
    assert_eq!(properties(5), Err(SchemaError::TooLarge));
    let nested = |depth: usize| "(".repeat(depth) + "a" + &")".repeat(depth);
    assert!(parse(&nested(20)).is_ok());
    let deep = parse(&nested(100)).map(|_| ());
    assert_eq!(deep, Err(SchemaError::TooLarge));
}

#[test]
fn long_strings_are_charged_or_rejected() {
    let matches = |text: &str, count: usize| {
        let mut fuel = fuel();
        let before = fuel.total();
        let found = pattern(text).matches(&"a".repeat(count), &mut fuel);
        (found, before - fuel.total())
    };
    assert_eq!(matches("^a*$", MATCHED_MAX).0, Ok(true));
    assert_eq!(matches("a", MATCHED_MAX + 1).0, Err(SchemaError::TooLarge));
    assert!(matches("a*b", 100).1 > 500);
}

/// Conventional engines take exponential time or gigabytes for each of these.
#[test]
fn hostile_patterns_are_bounded() {
    for text in [
        "^(a+)+$",
        "^(a|a)*$",
        "^(a|aa)+$",
        "^((a{1,1000}){1,1000}){1,1000}$",
        "^(((((a*)*)*)*)*)*$",
        "^(x+x+)+y$",
        "(.*){1,32000}[bc]",
        "^(a?){1000}a{1000}$",
        "^(?:(?:a|b|ab)(?:c|d|cd)){1,50}$",
    ] {
        let parsed = pattern(text);
        let mut fuel = fuel();
        let before = fuel.total();
        let _ = parsed.matches(&"a".repeat(MATCHED_MAX), &mut fuel);
        let _ = parsed.generate(1000, 1100, 7, &mut fuel);
        let _ = parsed.generate(0, 3, 7, &mut fuel);
        assert!(before - fuel.total() < 4 * u64::from(STEPS_MAX), "{text}");
    }
}
