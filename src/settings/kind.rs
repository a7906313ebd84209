//! The kinds of values that settings have: how a text is read, and what is allowed.
//!
//! Knows no setting by name, and nothing of flags and variables.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::value::{After, Content};

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
    /// The texts that are allowed, where those are a few words.
    fn words(&self) -> Vec<&'static str> {
        Vec::new()
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

/// Whole microseconds from 0 to so many.
pub struct Micros(pub u64);

impl Kind<Duration> for Micros {
    fn parse(&self, text: &str) -> Option<Duration> {
        Whole(0, self.0).parse(text).map(Duration::from_micros)
    }

    fn allowed(&self) -> String {
        format!("microseconds from 0 to {}", self.0)
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

/// A whole number, or a range of them such as 50-200, from the first to the second.
pub struct Span(pub u32, pub u32);

impl Kind<RangeInclusive<u32>> for Span {
    fn parse(&self, text: &str) -> Option<RangeInclusive<u32>> {
        let number = Whole(self.0.into(), self.1.into());
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last): (u32, u32) = (number.parse(first)?, number.parse(last)?);
        (first <= last).then_some(first..=last)
    }

    fn allowed(&self) -> String {
        let Span(least, most) = self;
        format!("a whole number from {least} to {most}, or two such as 50-200")
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
        format!("one of {}", Kind::<T>::words(self).join(", "))
    }

    fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|(word, _)| *word).collect()
    }
}

/// What answers say. The file is not read yet.
pub struct Source;

impl Kind<Content> for Source {
    fn parse(&self, text: &str) -> Option<Content> {
        match text {
            "fixed" => Some(Content::Fixed),
            "echo" => Some(Content::Echo),
            "random" => Some(Content::Random),
            _ => {
                let path = text.strip_prefix("file:").filter(|path| !path.is_empty())?;
                Some(Content::File(path.into()))
            }
        }
    }

    fn allowed(&self) -> String {
        "fixed, echo, random or file:PATH".to_owned()
    }
}

/// Names of models, with commas between them.
pub struct Names;

impl Kind<Vec<String>> for Names {
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
        "names of up to 256 bytes, with commas".to_owned()
    }
}

/// The name of a file; an empty one is none.
pub struct Name;

impl Kind<PathBuf> for Name {
    fn parse(&self, text: &str) -> Option<PathBuf> {
        (!text.contains(char::is_control)).then(|| text.into())
    }

    fn allowed(&self) -> String {
        "a file's name, without control characters".to_owned()
    }
}

/// A number of requests, or a time with its unit.
pub struct Until;

impl Kind<After> for Until {
    fn parse(&self, text: &str) -> Option<After> {
        // In seconds; longer is a mistake.
        const YEAR: u64 = 31_536_000;
        if text == "never" {
            return Some(After::Never);
        }
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[number.len()..] {
            "" => return digits(text).filter(|&count| count > 0).map(After::Requests),
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let millis = decimal(number, 3)?.checked_mul(unit)? / 1000;
        (1..=YEAR * 1000)
            .contains(&millis)
            .then_some(After::Time(Duration::from_millis(millis)))
    }

    fn allowed(&self) -> String {
        "never, a number of requests, or a time such as 500ms, 30s or 2h".to_owned()
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
mod tests;
