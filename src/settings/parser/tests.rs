//! Tests of the value parsers, mostly at the limits of the allowed values.

use super::*;

/// Asserts that each text parses to the expected value, or to `None`.
fn reads<T: PartialEq + std::fmt::Debug>(parser: Values<T>, cases: &[(&str, Option<T>)]) {
    for (text, value) in cases {
        assert_eq!(&parser.parse(text), value, "{text:?}");
    }
}

/// Asserts that each of these texts, separated by white space, is invalid.
fn refuses<T: PartialEq + std::fmt::Debug>(parser: Values<T>, texts: &str) {
    texts
        .split_ascii_whitespace()
        .for_each(|text| assert_eq!(parser.parse(text), None, "{text:?}"));
}

/// Asserts that white space alone, or at either end of a value, is invalid.
fn refuses_space<T: PartialEq + std::fmt::Debug>(parser: Values<T>) {
    for text in ["", " ", " 5", "5 ", "5\n"] {
        assert_eq!(parser.parse(text), None, "{text:?}");
    }
}

const fn us(micros: u64) -> Option<Duration> {
    Some(Duration::from_micros(micros))
}

#[test]
fn flag_values() {
    for (texts, value) in [
        (["true", "TRUE", "1"], true),
        (["false", "False", "0"], false),
    ] {
        reads(flag(), &texts.map(|text| (text, Some(value))));
    }
    refuses(flag(), "yes on 2 01");
    reads(flag(), &[("", None), (" 1", None)]);
}

#[test]
fn integer_values() {
    reads::<u16>(
        integer(1, 1024),
        &[
            ("0", None),
            ("1", Some(1)),
            ("2", Some(2)),
            ("1023", Some(1023)),
            ("1024", Some(1024)),
            ("1025", None),
        ],
    );
    let port = || integer(0, 65_535);
    reads::<u16>(port(), &[("0", Some(0)), ("65535", Some(65_535))]);
    refuses::<u16>(port(), "65536 +1 -1 1.0 1e3 0x1 80x 1_0 \u{661}");
    refuses_space::<u16>(port());
    reads(
        integer(0, u64::MAX),
        &[
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
        ],
    );
}

#[test]
fn seconds_values() {
    let limits = || seconds(0.001, 86_400.0);
    reads(
        limits(),
        &[
            ("0.000999", None),
            ("0.001", us(1_000)),
            ("0.001001", us(1_001)),
            ("86399.999999", us(86_399_999_999)),
            ("86400", us(86_400_000_000)),
            ("86400.000001", None),
            ("1.5", us(1_500_000)),
            ("0.1", us(100_000)),
            (".5", us(500_000)),
            ("5.", us(5_000_000)),
        ],
    );
    refuses(limits(), ". 0 -1 +1 1e3 inf NaN 1.0000001 1.2.3 1,5 1s");
    refuses(limits(), "1.\u{661} 99999999999999999999");
    refuses_space(limits());
}

#[test]
fn millis_values() {
    reads(
        millis(1000),
        &[
            ("0", us(0)),
            ("0.0", us(0)),
            ("0.001", us(1)),
            (".5", us(500)),
            ("5.", us(5_000)),
            ("12.345", us(12_345)),
            ("999.999", us(999_999)),
            ("1000", us(1_000_000)),
            ("1000.000", us(1_000_000)),
            ("1000.001", None),
            ("1001", None),
        ],
    );
    for max in [1000, u64::MAX / 1_000_000] {
        let odd = ". -1 +1 1e3 inf NaN 0.0001 1.2.3 1,5 5ms \u{661}";
        refuses(millis(max), odd);
        let large = "18446744073709551615 18446744073709551.616 99999999999999999999";
        refuses(millis(max), large);
        refuses_space(millis(max));
    }
    let allowed = "milliseconds from 0 to 1000, with at most 3 decimals";
    assert_eq!(millis(1000).allowed.text, allowed);
}

#[test]
fn percent_values() {
    reads(
        percent(),
        &[
            ("0", Some(0)),
            ("0.0001", Some(1)),
            (".5", Some(5_000)),
            ("5.", Some(50_000)),
            ("10", Some(100_000)),
            ("33.3333", Some(333_333)),
            ("99.9999", Some(999_999)),
            ("100", Some(1_000_000)),
            ("100.0000", Some(1_000_000)),
            ("100.0001", None),
            ("101", None),
        ],
    );
    refuses(percent(), ". -1 +1 1e1 NaN 0.00001 1.2.3 1,5 5% \u{661}");
    refuses(percent(), "429496.7296 429496.7297 99999999999999999999");
    refuses_space(percent());
    let allowed = "a percentage from 0 to 100, with at most 4 decimals";
    assert_eq!(percent().allowed.text, allowed);
}

#[test]
fn bytes_values() {
    reads(
        bytes(),
        &[
            ("0", Some(0)),
            ("1", Some(1)),
            ("52428800", Some(50 << 20)),
            ("1k", Some(1 << 10)),
            ("50m", Some(50 << 20)),
            ("2G", Some(2 << 30)),
            ("1023G", Some(1023 << 30)),
            ("1024g", Some(1 << 40)),
            ("1025g", None),
            ("1099511627776", Some(1 << 40)),
            ("1099511627777", None),
        ],
    );
    refuses(bytes(), "k 1t 1kb 1.5m -1 18446744073709551615g 1\u{212a}");
    reads(bytes(), &[("", None), ("1 k", None)]);
}

#[test]
fn auto_values() {
    let digit = || auto(integer(1, 9));
    reads(digit(), &[("auto", Some(None)), ("9", Some(Some(9u8)))]);
    refuses::<Option<u8>>(digit(), "0 10 AUTO");
    reads::<Option<u8>>(digit(), &[("", None)]);
}

#[test]
fn choice_values() {
    let words = || choice([("off", 0), ("on", 1)]);
    reads(words(), &[("off", Some(0)), ("on", Some(1)), ("", None)]);
    refuses(words(), "o On");
    assert_eq!(words().allowed.text, "one of off, on");
}

#[test]
fn texts() {
    let same = |text: &'static str| (text, Some(text.to_owned()));
    let none = |text: &'static str| (text, None);
    reads(
        host(),
        &["localhost", "127.0.0.1", "::1", "a.b-c"].map(same),
    );
    reads(
        host(),
        &["", " ", "a b", "a\n", "\u{7}", "\u{a0}"].map(none),
    );
    reads(
        secret(),
        &["", "Bearer x", "a\tb", "gr\u{fc}n", "\"=,"].map(same),
    );
    let odd = ["a\r\nb: c", "a\nb", "\0", "\u{7f}", " a", "a ", "\ta", " "];
    reads(secret(), &odd.map(none));
}

#[test]
fn cores_values() {
    reads(
        cores(),
        &[
            ("", Some(vec![])),
            ("0", Some(vec![0])),
            ("1023", Some(vec![1023])),
            ("0-3,8", Some(vec![0, 1, 2, 3, 8])),
            ("8,0-1", Some(vec![8, 0, 1])),
            ("3-3", Some(vec![3])),
            ("0-1023", Some((0..1024).collect())),
            ("0 ,1", None),
        ],
    );
    let twice = "1,1 0-3,2 2,0-3 0-2,1-3";
    refuses(cores(), twice);
    let odd = ", 1, ,1 1,,2 3-1 -1 1- 1-2-3 1024 0-1024 a";
    refuses(cores(), odd);
}

#[test]
fn int_range_values() {
    reads(
        int_range(1, 100),
        &[
            ("1", Some(1..=1)),
            ("100", Some(100..=100)),
            ("5-20", Some(5..=20)),
            ("7-7", Some(7..=7)),
            ("", None),
        ],
    );
    refuses(int_range(1, 100), "0 101 0-5 5-101 20-5 5- -5 5-6-7");
}

#[test]
fn content_source_values() {
    reads(
        content_source(),
        &[
            ("fixed", Some(ContentMode::Fixed)),
            ("echo", Some(ContentMode::Echo)),
            ("random", Some(ContentMode::Random)),
            ("file:a b.txt", Some(ContentMode::File("a b.txt".into()))),
            ("", None),
        ],
    );
    refuses(content_source(), "file: file Fixed");
}

#[test]
fn model_list_values() {
    let long = "m".repeat(256);
    let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    reads(
        model_list(),
        &[
            ("a", names(&["a"])),
            ("a, b/c", names(&["a", "b/c"])),
            (&long, names(&[&long])),
            (&format!("{long}m"), None),
            ("", None),
            ("a\nb", None),
        ],
    );
    refuses(model_list(), "a, a,,b");
}

#[test]
fn file_name_values() {
    reads(
        file_name(),
        &[
            ("", Some(PathBuf::new())),
            ("a b/c.json", Some("a b/c.json".into())),
            ("a\nb", None),
        ],
    );
}

#[test]
fn stop_after_values() {
    let time = |millis| Some(ExitAfter::Time(Duration::from_millis(millis)));
    reads(
        stop_after(),
        &[
            ("never", Some(ExitAfter::Never)),
            ("1", Some(ExitAfter::Requests(1))),
            ("100000", Some(ExitAfter::Requests(100_000))),
            ("30s", time(30_000)),
            ("1.5s", time(1_500)),
            ("20ms", time(20)),
            ("2m", time(120_000)),
            ("3h", time(10_800_000)),
            ("8760h", time(31_536_000_000)),
            ("", None),
        ],
    );
    refuses(stop_after(), "8761h 0 0s 1.5 -1 s 1d");
}

#[test]
fn micros_values() {
    reads(micros(50), &[("0", us(0)), ("50", us(50)), ("", None)]);
    refuses(micros(50), "51 0.5 -1");
}
