//! The kinds of values that settings have: how a text is read, and what is allowed.
//!
//! Knows no setting by name, and nothing of flags and variables.

use std::time::Duration;

/// A kind of value, which reads a text into a `T`.
pub trait Kind<T> {
    /// The value of the text; `None` where the text is not allowed.
    fn parse(&self, text: &str) -> Option<T>;
    /// What is allowed, as the end of a sentence.
    fn allowed(&self) -> String;
    /// Whether the value must not be shown.
    fn secret(&self) -> bool {
        false
    }
}

/// True or false.
pub struct Switch;

impl Kind<bool> for Switch {
    fn parse(&self, text: &str) -> Option<bool> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    fn allowed(&self) -> String {
        "true, false, 1 or 0".to_owned()
    }
}

/// A whole number from the first to the second, both included.
pub struct Whole(pub u64, pub u64);

impl<T: TryFrom<u64>> Kind<T> for Whole {
    fn parse(&self, text: &str) -> Option<T> {
        let number = digits(text).filter(|number| (self.0..=self.1).contains(number))?;
        number.try_into().ok()
    }

    fn allowed(&self) -> String {
        format!("a whole number from {} to {}", self.0, self.1)
    }
}

/// Seconds from the first to the second, both included, to the microsecond.
pub struct Seconds(pub f64, pub f64);

impl Kind<Duration> for Seconds {
    fn parse(&self, text: &str) -> Option<Duration> {
        let range = Duration::from_secs_f64(self.0)..=Duration::from_secs_f64(self.1);
        let time = Duration::from_micros(decimal(text, 6)?);
        range.contains(&time).then_some(time)
    }

    fn allowed(&self) -> String {
        let Seconds(least, most) = self;
        format!("seconds from {least} to {most}, with at most 6 decimals")
    }
}

/// Milliseconds from 0 to so many, to the microsecond.
pub struct Millis(pub u64);

impl Kind<Duration> for Millis {
    fn parse(&self, text: &str) -> Option<Duration> {
        let time = Duration::from_micros(decimal(text, 3)?);
        (time <= Duration::from_millis(self.0)).then_some(time)
    }

    fn allowed(&self) -> String {
        format!("milliseconds from 0 to {}, with at most 3 decimals", self.0)
    }
}

/// A percentage, in millionths of the whole.
pub struct Percent;

impl Kind<u32> for Percent {
    fn parse(&self, text: &str) -> Option<u32> {
        let millionths = decimal(text, 4)?.try_into().ok()?;
        (millionths <= 1_000_000).then_some(millionths)
    }

    fn allowed(&self) -> String {
        "a percentage from 0 to 100, with at most 4 decimals".to_owned()
    }
}

/// Bytes up to a tebibyte, more than any body that could be meant.
pub struct Bytes;

impl Kind<u64> for Bytes {
    fn parse(&self, text: &str) -> Option<u64> {
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u64 = match text[number.len()..].to_ascii_lowercase().as_str() {
            "" => 1,
            "k" => 1 << 10,
            "m" => 1 << 20,
            "g" => 1 << 30,
            _ => return None,
        };
        digits(number)?
            .checked_mul(unit)
            .filter(|bytes| *bytes <= 1 << 40)
    }

    fn allowed(&self) -> String {
        "whole bytes from 0 to 1024g; k, m and g are powers of 1024".to_owned()
    }
}

/// The word `auto`, which is `None`, or a value of the kind inside.
pub struct Auto<K>(pub K);

impl<T, K: Kind<T>> Kind<Option<T>> for Auto<K> {
    fn parse(&self, text: &str) -> Option<Option<T>> {
        if text == "auto" {
            Some(None)
        } else {
            self.0.parse(text).map(Some)
        }
    }

    fn allowed(&self) -> String {
        format!("auto, or {}", self.0.allowed())
    }
}

/// One of a few words, each with its value.
pub struct Choice<T: 'static>(pub &'static [(&'static str, T)]);

impl<T: Copy> Kind<T> for Choice<T> {
    fn parse(&self, text: &str) -> Option<T> {
        let pick = |(word, value): &(&str, T)| (*word == text).then_some(*value);
        self.0.iter().find_map(pick)
    }

    fn allowed(&self) -> String {
        let words: Vec<&str> = self.0.iter().map(|(word, _)| *word).collect();
        format!("one of {}", words.join(", "))
    }
}

/// Where to listen, not resolved yet.
pub struct Host;

impl Kind<String> for Host {
    fn parse(&self, text: &str) -> Option<String> {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        (!text.is_empty() && !text.contains(odd)).then(|| text.to_owned())
    }

    fn allowed(&self) -> String {
        "a name, an IPv4 or an IPv6 address".to_owned()
    }
}

/// A secret that a header carries. No header could match one with a control character, nor one
/// with a space at an end, since those belong to the header's syntax.
pub struct Secret;

impl Kind<String> for Secret {
    fn parse(&self, text: &str) -> Option<String> {
        let odd = |c: char| c.is_ascii_control() && c != '\t';
        (!text.contains(odd) && text.trim_matches([' ', '\t']) == text).then(|| text.to_owned())
    }

    fn allowed(&self) -> String {
        "a header's value: no control characters, no space at an end".to_owned()
    }

    fn secret(&self) -> bool {
        true
    }
}

/// Numbers of cores, in the order given.
pub struct Cores;

impl Kind<Vec<usize>> for Cores {
    fn parse(&self, text: &str) -> Option<Vec<usize>> {
        let core = Whole(0, 1023);
        let mut cores = Vec::new();
        // An empty text is an empty list; `split` would make one empty part of it.
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (usize, usize) = (core.parse(first)?, core.parse(last)?);
            if first > last || (first..=last).any(|core| cores.contains(&core)) {
                return None;
            }
            cores.extend(first..=last);
        }
        Some(cores)
    }

    fn allowed(&self) -> String {
        "cores from 0 to 1023 such as 0-3,8, each once".to_owned()
    }
}

/// A number made of digits alone. `str::parse` would take a sign too.
fn digits(text: &str) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A decimal number times 10 to the power of `places`. A float would round what was written.
fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > places || whole.len() + fraction.len() == 0 {
        return None;
    }
    digits(&format!("{whole}{fraction:0<places$}"))
}

#[cfg(test)]
mod tests {
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
}
