//! Parsers for the values of settings. Each also describes the values that it allows.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use super::value::{ContentMode, ExitAfter, Millionths};

/// The description of the values that a setting allows.
pub struct Allowed {
    /// The values, as the end of a sentence.
    pub text: String,
    /// The values, if they are a fixed set of words.
    pub words: Vec<&'static str>,
    /// True if the value must not be printed.
    pub secret: bool,
}

/// The values that a setting allows.
pub struct Values<T> {
    /// Their description.
    pub allowed: Allowed,
    parse: Box<Parse<T>>,
}

type Parse<T> = dyn Fn(&str) -> Option<T>;

impl<T> Values<T> {
    fn new(allowed: impl Into<String>, parse: impl Fn(&str) -> Option<T> + 'static) -> Values<T> {
        let allowed = Allowed {
            text: allowed.into(),
            words: Vec::new(),
            secret: false,
        };
        let parse = Box::new(parse);
        Values { allowed, parse }
    }

    /// Parses a value. Returns `None` if the text is invalid.
    pub fn parse(&self, text: &str) -> Option<T> {
        (self.parse)(text)
    }
}

/// A boolean.
pub fn flag() -> Values<bool> {
    Values::new("true, false, 1 or 0", |text| {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    })
}

/// An integer within the given bounds, both inclusive.
pub fn integer<T: TryFrom<u64>>(min: u64, max: u64) -> Values<T> {
    Values::new(format!("an integer from {min} to {max}"), move |text| {
        bounded(text, min, max)
    })
}

/// A number of seconds within the given bounds, both inclusive, with microsecond precision.
pub fn seconds(min: f64, max: f64) -> Values<Duration> {
    let allowed = format!("seconds from {min} to {max}, with at most 6 decimals");
    let range = Duration::from_secs_f64(min)..=Duration::from_secs_f64(max);
    Values::new(allowed, move |text| {
        let time = Duration::from_micros(decimal(text, 6)?);
        range.contains(&time).then_some(time)
    })
}

/// A number of milliseconds up to a maximum, with microsecond precision.
pub fn millis(max: u64) -> Values<Duration> {
    let allowed = format!("milliseconds from 0 to {max}, with at most 3 decimals");
    Values::new(allowed, move |text| {
        let time = Duration::from_micros(decimal(text, 3)?);
        (time <= Duration::from_millis(max)).then_some(time)
    })
}

/// A whole number of microseconds up to a maximum.
pub fn micros(max: u64) -> Values<Duration> {
    Values::new(format!("microseconds from 0 to {max}"), move |text| {
        bounded(text, 0, max).map(Duration::from_micros)
    })
}

/// A percentage, converted to millionths of the whole.
pub fn percent() -> Values<Millionths> {
    let allowed = "a percentage from 0 to 100, with at most 4 decimals";
    Values::new(allowed, |text| {
        let millionths = decimal(text, 4)?.try_into().ok()?;
        (millionths <= 1_000_000).then_some(millionths)
    })
}

/// An integer, or a range of integers such as 50-200, within the given bounds, both inclusive.
pub fn int_range(min: u64, max: u64) -> Values<RangeInclusive<u32>> {
    let allowed = format!("an integer from {min} to {max}, or a range such as 50-200");
    Values::new(allowed, move |text| range(text, min, max))
}

/// A number of bytes up to a tebibyte, which is more than any plausible body.
pub fn bytes() -> Values<u64> {
    let allowed = "bytes from 0 to 1024g, where k, m and g are powers of 1024";
    Values::new(allowed, |text| {
        let (number, unit) = split_unit(text);
        let unit: u64 = match unit.to_ascii_lowercase().as_str() {
            "" => 1,
            "k" => 1 << 10,
            "m" => 1 << 20,
            "g" => 1 << 30,
            _ => return None,
        };
        let bytes = digits(number)?.checked_mul(unit)?;
        (bytes <= 1 << 40).then_some(bytes)
    })
}

/// The word `auto`, which becomes `None`, or one of these values.
pub fn auto<T: 'static>(values: Values<T>) -> Values<Option<T>> {
    let allowed = format!("auto or {}", values.allowed.text);
    Values::new(allowed, move |text| match text {
        "auto" => Some(None),
        _ => values.parse(text).map(Some),
    })
}

/// One of a fixed set of words, each with its value.
pub fn choice<T: Copy + 'static, const N: usize>(choices: [(&'static str, T); N]) -> Values<T> {
    let words = choices.map(|(word, _)| word).to_vec();
    let mut values = Values::new(format!("one of {}", words.join(", ")), move |text| {
        let chosen = choices.iter().find(|(word, _)| *word == text);
        chosen.map(|(_, value)| *value)
    });
    values.allowed.words = words;
    values
}

/// The source of response texts. A file is only named here; it is read later.
pub fn content_source() -> Values<ContentMode> {
    Values::new("fixed, echo, random or file:PATH", |text| match text {
        "fixed" => Some(ContentMode::Fixed),
        "echo" => Some(ContentMode::Echo),
        "random" => Some(ContentMode::Random),
        _ => {
            let path = text.strip_prefix("file:").filter(|path| !path.is_empty())?;
            Some(ContentMode::File(path.into()))
        }
    })
}

/// Comma-separated names of models.
pub fn model_list() -> Values<Vec<String>> {
    Values::new("comma-separated names of 1-256 bytes", |text| {
        let is_name =
            |name: &str| (1..=256).contains(&name.len()) && !name.contains(char::is_control);
        let names = text.split(',').map(str::trim);
        let names = names.map(|name| is_name(name).then(|| name.to_owned()));
        names.collect()
    })
}

/// The path of a file; an empty one means no file.
pub fn file_name() -> Values<PathBuf> {
    Values::new("a file name without control characters", |text| {
        (!text.contains(char::is_control)).then(|| text.into())
    })
}

/// A number of requests, or a time with a unit.
pub fn stop_after() -> Values<ExitAfter> {
    // In milliseconds; a longer time must be a mistake.
    const YEAR: u64 = 31_536_000_000;
    let allowed = "never, a number of requests, or a time such as 500ms, 30s or 2h";
    Values::new(allowed, |text| {
        let (number, unit) = split_unit(text);
        let unit = match unit {
            "" => return bounded(number, 1, u64::MAX).map(ExitAfter::Requests),
            "never" if number.is_empty() => return Some(ExitAfter::Never),
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let millis = decimal(number, 3)?.checked_mul(unit)? / 1000;
        let time = Duration::from_millis(millis);
        (1..=YEAR)
            .contains(&millis)
            .then_some(ExitAfter::Time(time))
    })
}

/// A host name or address, which is not resolved here.
pub fn host() -> Values<String> {
    Values::new("a host name, an IPv4 address or an IPv6 address", |text| {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        (!text.is_empty() && !text.contains(odd)).then(|| text.to_owned())
    })
}

/// A secret that a field value is compared with. No field value has control characters or white
/// space at either end (RFC 9110, section 5.5), so a secret with any could never match.
pub fn secret() -> Values<String> {
    let allowed = "a field value, without control characters or surrounding spaces";
    let mut values = Values::new(allowed, |text| {
        let odd = |c: char| c.is_ascii_control() && c != '\t';
        (!text.contains(odd) && text.trim_matches([' ', '\t']) == text).then(|| text.to_owned())
    });
    values.allowed.secret = true;
    values
}

/// A list of CPU numbers, in order.
pub fn cores() -> Values<Vec<usize>> {
    Values::new(
        "CPUs from 0 to 1023 such as 0-3,8, each at most once",
        |text| {
            let mut cores = Vec::new();
            // An empty text is an empty list, but `split` would yield one empty part.
            for part in text.split(',').filter(|_| !text.is_empty()) {
                let more = range(part, 0, 1023)?;
                if more.clone().any(|core| cores.contains(&core)) {
                    return None;
                }
                cores.extend(more);
            }
            Some(cores)
        },
    )
}

/// Parses an integer within bounds.
fn bounded<T: TryFrom<u64>>(text: &str, min: u64, max: u64) -> Option<T> {
    let number = digits(text).filter(|number| (min..=max).contains(number))?;
    number.try_into().ok()
}

/// Parses an integer within bounds, or two with a dash between them.
fn range<T>(text: &str, min: u64, max: u64) -> Option<RangeInclusive<T>>
where
    T: TryFrom<u64> + PartialOrd,
{
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = bounded(first, min, max)?..=bounded(last, min, max)?;
    (range.start() <= range.end()).then_some(range)
}

/// Splits the letters off the end of a text.
fn split_unit(text: &str) -> (&str, &str) {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    text.split_at(number.len())
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
