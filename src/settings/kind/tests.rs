//! What each kind reads, at the edges of what is allowed.

use super::*;

/// Reads each text and compares the values; a text without a value is refused.
fn reads<T: PartialEq + std::fmt::Debug>(kind: impl Kind<T>, cases: &[(&str, Option<T>)]) {
    for (text, value) in cases {
        assert_eq!(&kind.parse(text), value, "{text:?}");
    }
}

#[test]
fn switch() {
    for (texts, value) in [
        (["true", "TRUE", "1"], true),
        (["false", "False", "0"], false),
    ] {
        reads(Switch, &texts.map(|text| (text, Some(value))));
    }
    reads(
        Switch,
        &["", "yes", "on", "2", " 1", "01"].map(|text| (text, None)),
    );
}

#[test]
fn whole() {
    let none: Option<u16> = None;
    reads(
        Whole(1, 1024),
        &[("0", none), ("1", Some(1)), ("2", Some(2))],
    );
    reads(
        Whole(1, 1024),
        &[("1023", Some(1023)), ("1024", Some(1024)), ("1025", none)],
    );
    reads(
        Whole(0, 65_535),
        &[("0", Some(0)), ("65535", Some(65_535)), ("65536", none)],
    );
    reads(
        Whole(0, u64::MAX),
        &[("18446744073709551615", Some(u64::MAX))],
    );
    reads::<u64>(Whole(0, u64::MAX), &[("18446744073709551616", None)]);
    let odd = [
        "", "+1", "-1", "1.0", "1e3", "0x1", " 1", "1 ", "80x", "1_0", "\u{661}",
    ];
    reads::<u16>(Whole(0, 65_535), &odd.map(|text| (text, None)));
}

#[test]
fn seconds() {
    let micros = |micros| Some(Duration::from_micros(micros));
    let limits = || Seconds(0.001, 86_400.0);
    reads(limits(), &[("0.000999", None), ("0.001", micros(1_000))]);
    reads(
        limits(),
        &[
            ("0.001001", micros(1_001)),
            ("86399.999999", micros(86_399_999_999)),
        ],
    );
    reads(
        limits(),
        &[("86400", micros(86_400_000_000)), ("86400.000001", None)],
    );
    reads(
        limits(),
        &[("1.5", micros(1_500_000)), ("0.1", micros(100_000))],
    );
    reads(
        limits(),
        &[(".5", micros(500_000)), ("5.", micros(5_000_000))],
    );
    let odd = [
        "",
        ".",
        "0",
        "-1",
        "+1",
        "1e3",
        "inf",
        "NaN",
        "1.0000001",
        "1.2.3",
        "1,5",
        "1s",
    ];
    reads(limits(), &odd.map(|text| (text, None)));
    reads(
        limits(),
        &[("1.\u{661}", None), ("99999999999999999999", None)],
    );
}

#[test]
fn millis() {
    let micros = |micros| Some(Duration::from_micros(micros));
    reads(
        Millis(1000),
        &[
            ("0", micros(0)),
            ("0.0", micros(0)),
            ("0.001", micros(1)),
            (".5", micros(500)),
            ("5.", micros(5_000)),
            ("12.345", micros(12_345)),
            ("999.999", micros(999_999)),
            ("1000", micros(1_000_000)),
            ("1000.000", micros(1_000_000)),
            ("1000.001", None),
            ("1001", None),
        ],
    );
    let odd = [
        "",
        ".",
        "-1",
        "+1",
        "1e3",
        "inf",
        "NaN",
        "0.0001",
        "1.2.3",
        "1,5",
        "5ms",
        " 5",
        "5 ",
        "\u{661}",
        "18446744073709551615",
        "18446744073709551.616",
        "99999999999999999999",
    ];
    reads(Millis(1000), &odd.map(|text| (text, None)));
    reads(Millis(u64::MAX / 1_000_000), &odd.map(|text| (text, None)));
    let allowed = "milliseconds from 0 to 1000, with at most 3 decimals";
    assert_eq!(Millis(1000).allowed(), allowed);
}

#[test]
fn percent() {
    reads(
        Percent,
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
    let odd = [
        "",
        ".",
        "-1",
        "+1",
        "1e1",
        "NaN",
        "0.00001",
        "1.2.3",
        "1,5",
        "5%",
        " 5",
        "5 ",
        "\u{661}",
        "429496.7296",
        "429496.7297",
        "99999999999999999999",
    ];
    reads(Percent, &odd.map(|text| (text, None)));
    let allowed = "a percentage from 0 to 100, with at most 4 decimals";
    assert_eq!(Percent.allowed(), allowed);
}

#[test]
fn bytes() {
    reads(
        Bytes,
        &[("0", Some(0)), ("1", Some(1)), ("52428800", Some(50 << 20))],
    );
    reads(
        Bytes,
        &[
            ("1k", Some(1 << 10)),
            ("50m", Some(50 << 20)),
            ("2G", Some(2 << 30)),
        ],
    );
    reads(
        Bytes,
        &[
            ("1024g", Some(1 << 40)),
            ("1025g", None),
            ("1023G", Some(1023 << 30)),
        ],
    );
    reads(
        Bytes,
        &[("1099511627776", Some(1 << 40)), ("1099511627777", None)],
    );
    let odd = [
        "",
        "k",
        "1t",
        "1kb",
        "1 k",
        "1.5m",
        "-1",
        "18446744073709551615g",
        "1\u{212a}",
    ];
    reads(Bytes, &odd.map(|text| (text, None)));
}

#[test]
fn auto() {
    reads(
        Auto(Whole(1, 9)),
        &[("auto", Some(None)), ("9", Some(Some(9u8)))],
    );
    reads::<Option<u8>>(
        Auto(Whole(1, 9)),
        &["", "0", "10", "AUTO"].map(|text| (text, None)),
    );
}

#[test]
fn choice() {
    let words = || Choice(&[("off", 0), ("on", 1)]);
    reads(
        words(),
        &[
            ("off", Some(0)),
            ("on", Some(1)),
            ("", None),
            ("o", None),
            ("On", None),
        ],
    );
    assert_eq!(words().allowed(), "one of off, on");
}

#[test]
fn texts() {
    let same = |text: &'static str| (text, Some(text.to_owned()));
    reads(Host, &["localhost", "127.0.0.1", "::1", "a.b-c"].map(same));
    reads(
        Host,
        &["", " ", "a b", "a\n", "\u{7}", "\u{a0}"].map(|text| (text, None)),
    );
    reads(
        Secret,
        &["", "Bearer x", "a\tb", "gr\u{fc}n", "\"=,"].map(same),
    );
    let odd = ["a\r\nb: c", "a\nb", "\0", "\u{7f}", " a", "a ", "\ta", " "];
    reads(Secret, &odd.map(|text| (text, None)));
}

#[test]
fn cores() {
    reads(
        Cores,
        &[
            ("", Some(vec![])),
            ("0", Some(vec![0])),
            ("1023", Some(vec![1023])),
        ],
    );
    reads(
        Cores,
        &[
            ("0-3,8", Some(vec![0, 1, 2, 3, 8])),
            ("8,0-1", Some(vec![8, 0, 1])),
        ],
    );
    reads(
        Cores,
        &[
            ("3-3", Some(vec![3])),
            ("0-1023", Some((0..1024).collect())),
        ],
    );
    let twice = ["1,1", "0-3,2", "2,0-3", "0-2,1-3"];
    reads(Cores, &twice.map(|text| (text, None)));
    let odd = [
        ",", "1,", ",1", "1,,2", "3-1", "-1", "1-", "1-2-3", "1024", "0-1024", "0 ,1", "a",
    ];
    reads(Cores, &odd.map(|text| (text, None)));
}

#[test]
fn span() {
    reads(
        Span(1, 100),
        &[
            ("1", Some(1..=1)),
            ("100", Some(100..=100)),
            ("5-20", Some(5..=20)),
            ("7-7", Some(7..=7)),
            ("0", None),
            ("101", None),
            ("0-5", None),
            ("5-101", None),
            ("20-5", None),
            ("5-", None),
            ("-5", None),
            ("5-6-7", None),
            ("", None),
        ],
    );
}

#[test]
fn source() {
    reads(
        Source,
        &[
            ("fixed", Some(Content::Fixed)),
            ("echo", Some(Content::Echo)),
            ("random", Some(Content::Random)),
            ("file:a b.txt", Some(Content::File("a b.txt".into()))),
            ("file:", None),
            ("file", None),
            ("Fixed", None),
            ("", None),
        ],
    );
}

#[test]
fn names() {
    let long = "m".repeat(256);
    let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    reads(
        Names,
        &[
            ("a", names(&["a"])),
            ("a, b/c", names(&["a", "b/c"])),
            (&long, names(&[&long])),
            (&format!("{long}m"), None),
            ("", None),
            ("a,", None),
            ("a,,b", None),
            ("a\nb", None),
        ],
    );
}

#[test]
fn name() {
    reads(
        Name,
        &[
            ("", Some(PathBuf::new())),
            ("a b/c.json", Some("a b/c.json".into())),
            ("a\nb", None),
        ],
    );
}

#[test]
fn until() {
    let time = |millis| Some(After::Time(Duration::from_millis(millis)));
    reads(
        Until,
        &[
            ("never", Some(After::Never)),
            ("1", Some(After::Requests(1))),
            ("100000", Some(After::Requests(100_000))),
            ("30s", time(30_000)),
            ("1.5s", time(1_500)),
            ("20ms", time(20)),
            ("2m", time(120_000)),
            ("3h", time(10_800_000)),
            ("8760h", time(31_536_000_000)),
            ("8761h", None),
            ("0", None),
            ("0s", None),
            ("1.5", None),
            ("-1", None),
            ("s", None),
            ("1d", None),
            ("", None),
        ],
    );
}

#[test]
fn micros() {
    let micros = |micros| Some(Duration::from_micros(micros));
    reads(
        Micros(50),
        &[
            ("0", micros(0)),
            ("50", micros(50)),
            ("51", None),
            ("0.5", None),
            ("-1", None),
            ("", None),
        ],
    );
}
