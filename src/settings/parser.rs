//! Parsers for the values of settings. Each also describes the values that it allows.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::value::{ContentMode, ExitAfter};

/// A parser for one kind of value.
pub trait ValueParser<T> {
    /// Parses a value. Returns `None` if the text is invalid.
    fn parse(&self, text: &str) -> Option<T>;
    /// Describes the allowed values, as the end of a sentence.
    fn allowed(&self) -> String;
    /// Returns whether the value must not be printed.
    fn secret(&self) -> bool {
        false
    }
    /// Returns the allowed values, if they are a fixed set of words.
    fn words(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// A boolean.
pub struct Flag;

impl ValueParser<bool> for Flag {
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

/// An integer within the given bounds, both inclusive.
pub struct Integer(pub u64, pub u64);

impl<T: TryFrom<u64>> ValueParser<T> for Integer {
    fn parse(&self, text: &str) -> Option<T> {
        let number = digits(text).filter(|number| (self.0..=self.1).contains(number))?;
        number.try_into().ok()
    }

    fn allowed(&self) -> String {
        format!("an integer from {} to {}", self.0, self.1)
    }
}

/// A number of seconds within the given bounds, both inclusive, with microsecond precision.
pub struct Seconds(pub f64, pub f64);

impl ValueParser<Duration> for Seconds {
    fn parse(&self, text: &str) -> Option<Duration> {
        let range = Duration::from_secs_f64(self.0)..=Duration::from_secs_f64(self.1);
        let time = Duration::from_micros(decimal(text, 6)?);
        range.contains(&time).then_some(time)
    }

    fn allowed(&self) -> String {
        let Seconds(min, max) = self;
        format!("seconds from {min} to {max}, with at most 6 decimals")
    }
}

/// A number of milliseconds up to a maximum, with microsecond precision.
pub struct Millis(pub u64);

impl ValueParser<Duration> for Millis {
    fn parse(&self, text: &str) -> Option<Duration> {
        let time = Duration::from_micros(decimal(text, 3)?);
        (time <= Duration::from_millis(self.0)).then_some(time)
    }

    fn allowed(&self) -> String {
        format!("milliseconds from 0 to {}, with at most 3 decimals", self.0)
    }
}

/// A whole number of microseconds up to a maximum.
pub struct Micros(pub u64);

impl ValueParser<Duration> for Micros {
    fn parse(&self, text: &str) -> Option<Duration> {
        Integer(0, self.0).parse(text).map(Duration::from_micros)
    }

    fn allowed(&self) -> String {
        format!("microseconds from 0 to {}", self.0)
    }
}

/// A percentage, converted to millionths of the whole.
pub struct Percent;

impl ValueParser<u32> for Percent {
    fn parse(&self, text: &str) -> Option<u32> {
        let millionths = decimal(text, 4)?.try_into().ok()?;
        (millionths <= 1_000_000).then_some(millionths)
    }

    fn allowed(&self) -> String {
        "a percentage from 0 to 100, with at most 4 decimals".to_owned()
    }
}

/// An integer, or a range of integers such as 50-200, within the given bounds, both inclusive.
pub struct IntRange(pub u32, pub u32);

impl ValueParser<RangeInclusive<u32>> for IntRange {
    fn parse(&self, text: &str) -> Option<RangeInclusive<u32>> {
        let number = Integer(self.0.into(), self.1.into());
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last): (u32, u32) = (number.parse(first)?, number.parse(last)?);
        (first <= last).then_some(first..=last)
    }

    fn allowed(&self) -> String {
        let IntRange(min, max) = self;
        format!("an integer from {min} to {max}, or a range such as 50-200")
    }
}

/// A number of bytes up to a tebibyte, which is more than any plausible body.
pub struct Bytes;

impl ValueParser<u64> for Bytes {
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
        "bytes from 0 to 1024g, where k, m and g are powers of 1024".to_owned()
    }
}

/// The word `auto`, which becomes `None`, or a value of the inner parser.
pub struct Auto<K>(pub K);

impl<T, K: ValueParser<T>> ValueParser<Option<T>> for Auto<K> {
    fn parse(&self, text: &str) -> Option<Option<T>> {
        if text == "auto" {
            Some(None)
        } else {
            self.0.parse(text).map(Some)
        }
    }

    fn allowed(&self) -> String {
        format!("auto or {}", self.0.allowed())
    }
}

/// One of a fixed set of words, each with its value.
pub struct Choice<T: 'static>(pub &'static [(&'static str, T)]);

impl<T: Copy> ValueParser<T> for Choice<T> {
    fn parse(&self, text: &str) -> Option<T> {
        let pick = |(word, value): &(&str, T)| (*word == text).then_some(*value);
        self.0.iter().find_map(pick)
    }

    fn allowed(&self) -> String {
        format!("one of {}", ValueParser::<T>::words(self).join(", "))
    }

    fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|(word, _)| *word).collect()
    }
}

/// The source of response texts. A file is only named here; it is read later.
pub struct ContentSource;

impl ValueParser<ContentMode> for ContentSource {
    fn parse(&self, text: &str) -> Option<ContentMode> {
        match text {
            "fixed" => Some(ContentMode::Fixed),
            "echo" => Some(ContentMode::Echo),
            "random" => Some(ContentMode::Random),
            _ => {
                let path = text.strip_prefix("file:").filter(|path| !path.is_empty())?;
                Some(ContentMode::File(path.into()))
            }
        }
    }

    fn allowed(&self) -> String {
        "fixed, echo, random or file:PATH".to_owned()
    }
}

/// Comma-separated names of models.
pub struct ModelList;

impl ValueParser<Vec<String>> for ModelList {
    fn parse(&self, text: &str) -> Option<Vec<String>> {
        let is_name =
            |name: &&str| (1..=256).contains(&name.len()) && !name.contains(char::is_control);
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        names
            .iter()
            .all(is_name)
            .then(|| names.into_iter().map(str::to_owned).collect())
    }

    fn allowed(&self) -> String {
        "comma-separated names of 1-256 bytes".to_owned()
    }
}

/// The path of a file; an empty one means no file.
pub struct FileName;

impl ValueParser<PathBuf> for FileName {
    fn parse(&self, text: &str) -> Option<PathBuf> {
        (!text.contains(char::is_control)).then(|| text.into())
    }

    fn allowed(&self) -> String {
        "a file name without control characters".to_owned()
    }
}

/// A number of requests, or a time with a unit.
pub struct StopAfter;

impl ValueParser<ExitAfter> for StopAfter {
    fn parse(&self, text: &str) -> Option<ExitAfter> {
        // In seconds; a longer time must be a mistake.
        const YEAR: u64 = 31_536_000;
        if text == "never" {
            return Some(ExitAfter::Never);
        }
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[number.len()..] {
            "" => {
                return digits(text)
                    .filter(|&count| count > 0)
                    .map(ExitAfter::Requests);
            }
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let millis = decimal(number, 3)?.checked_mul(unit)? / 1000;
        (1..=YEAR * 1000)
            .contains(&millis)
            .then_some(ExitAfter::Time(Duration::from_millis(millis)))
    }

    fn allowed(&self) -> String {
        "never, a number of requests, or a time such as 500ms, 30s or 2h".to_owned()
    }
}

/// A host name or address, which is not resolved here.
pub struct Host;

impl ValueParser<String> for Host {
    fn parse(&self, text: &str) -> Option<String> {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        (!text.is_empty() && !text.contains(odd)).then(|| text.to_owned())
    }

    fn allowed(&self) -> String {
        "a host name, an IPv4 address or an IPv6 address".to_owned()
    }
}

/// A secret that a field value is compared with. No field value has control characters or white
/// space at either end (RFC 9110, section 5.5), so a secret with any could never match.
pub struct Secret;

impl ValueParser<String> for Secret {
    fn parse(&self, text: &str) -> Option<String> {
        let odd = |c: char| c.is_ascii_control() && c != '\t';
        (!text.contains(odd) && text.trim_matches([' ', '\t']) == text).then(|| text.to_owned())
    }

    fn allowed(&self) -> String {
        "a field value, without control characters or surrounding spaces".to_owned()
    }

    fn secret(&self) -> bool {
        true
    }
}

/// A list of CPU numbers, in order.
pub struct Cores;

impl ValueParser<Vec<usize>> for Cores {
    fn parse(&self, text: &str) -> Option<Vec<usize>> {
        let core = Integer(0, 1023);
        let mut cores = Vec::new();
        // An empty text is an empty list, but `split` would yield one empty part.
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
        "CPUs from 0 to 1023 such as 0-3,8, each at most once".to_owned()
    }
}

/// Parses a number that consists of digits only; `str::parse` would also accept a sign.
fn digits(text: &str) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Parses a decimal number, multiplied by 10 to the power of `places`. Parsing it as a float would
/// round it.
fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > places || whole.len() + fraction.len() == 0 {
        return None;
    }
    digits(&format!("{whole}{fraction:0<places$}"))
}

#[cfg(test)]
mod tests;
