//! The known values of `format`, with sample strings of each: those of JSON Schema (Validation,
//! section 7.3) and those that pydantic and zod emit.

/// A format and its sample strings.
#[derive(Debug)]
pub struct Format {
    /// Its names, which are synonyms.
    names: &'static [&'static str],
    /// Its sample strings, the usual one first and the shortest last. `{}` stands for padding and
    /// the number of the variant, `{+}` for padding with the preceding character, `{n:5}` for a
    /// number that counts up from 5, and `{4:5}` for such a number with 4 digits.
    samples: &'static [&'static str],
}

/// The number of variants of each sample: enough for the elements of an array to be distinct, and
/// few enough to fit in an octet of an IPv4 address.
const VARIANTS: u32 = 200;

/// The largest number in a two-digit field, most of which are minutes.
const MINUTES: u32 = 59;

macro_rules! formats {
    ($($($name:literal)+ => $($sample:literal)+;)+) => {
        const FORMATS: &[Format] = &[$(Format {
            names: &[$($name),+],
            samples: &[$($sample),+],
        },)+];
    };
}

formats! {
    "date-time" => "{4:2025}-01-01T12:00:00Z" "{4:2025}-01-01T12:00:00.000Z"
        "{4:2025}-01-01T12:00:00.000000Z" "{4:2025}-01-01T12:00:00+00:00"
        "{4:2025}-01-01T12:00:00.000+00:00" "{4:2025}-01-01T12:00:00"
        "{4:2025}-01-01T12:00:00.000" "{4:2025}-01-01T12:00Z" "{4:2025}-01-01T12:00"
        "{4:2025}-01-01 12:00:00";
    "date" => "{4:2025}-01-01";
    "time" => "12:{2:0}:00Z" "12:{2:0}:00" "12:{2:0}:00.000Z" "12:{2:0}:00.000"
        "12:{2:0}:00+00:00" "12:{2:0}Z" "12:{2:0}";
    "duration" "time-delta" => "P{n:1}D" "PT{n:1}H" "P{n:1}W" "P1DT{n:1}H0M0S" "PT{n:1}.5S";
    "email" "idn-email" => "mock{}@example.com" "m{}@a.co";
    "name-email" => "Mock <mock{}@example.com>";
    "hostname" "idn-hostname" => "{}example.com" "a{}.b";
    "ipv4" "ip" "ipvanyaddress" => "192.0.2.{n:1}" "1.1.1.{n:1}";
    "ipv4network" "ipvanynetwork" "cidrv4" => "10.{n:0}.0.0/16";
    "ipv4interface" "ipvanyinterface" => "192.0.2.{n:1}/24";
    "ipv6" => "2001:db8::{n:1}" "::{n:1}";
    "ipv6network" "cidrv6" => "2001:db8:{n:0}::/48" "2001:db8::/32";
    "ipv6interface" => "2001:db8::{n:1}/64";
    "uri" "url" "iri" "uri-reference" "iri-reference" => "https://example.com/{}" "https://a.b/{}";
    "uri-template" => "https://example.com/{}" "/{}";
    "multi-host-uri" => "https://example.com/{}";
    "uuid" "uuid4" "guid" => "00000000-0000-4000-8000-{12:0}";
    "uuid1" => "00000000-0000-1000-8000-{12:0}";
    "uuid3" => "00000000-0000-3000-8000-{12:0}";
    "uuid5" => "00000000-0000-5000-8000-{12:0}";
    "uuid6" => "00000000-0000-6000-8000-{12:0}";
    "uuid7" => "00000000-0000-7000-8000-{12:0}";
    "uuid8" => "00000000-0000-8000-8000-{12:0}";
    "json-pointer" => "/mocked{}" "/{}";
    "relative-json-pointer" => "{n:0}";
    "regex" => "mocked{}" "m{}";
    "base64" "byte" "base64url" => "bW9ja2Vk" "{4:1000}" "bW9ja2VkMQ==" "bW9ja2VkMQ";
    "binary" "password" => "mocked{}" "m{}";
    "json-string" => "\"mocked{}\"" "{n:1}";
    "path" => "/mocked{}" "m{}";
    // Paths that exist on most systems, since pydantic checks that.
    "file-path" => "/etc/hosts";
    "directory-path" => "/";
    "color" => "red" "#{6:100000}";
    "phone" "e164" => "+1415555{4:2671}";
    "decimal" => "{n:1}.5" "{n:1}";
    "mac" => "00:00:5e:00:53:{2:10}" "00-00-5e-00-53-{2:10}";
    "hex" => "6d6f636b6564" "{4:1000}";
    "emoji" => "🙂{+}" "🙃{+}" "😀{+}" "😉{+}";
    "nanoid" => "{21:0}";
    "cuid" => "c{24:0}";
    "cuid2" => "m{23:0}";
    "ulid" => "{26:0}";
    "xid" => "{20:0}";
    "ksuid" => "{27:0}";
    "jwt" => "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJtb2NrZWQifQ.c2lnbmF0dXJl";
}

impl Format {
    /// Returns the format called `name`, if it is known.
    pub fn named(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.names.contains(&name))
    }

    /// Returns the number of samples.
    pub fn samples(&self) -> u32 {
        self.samples.len() as u32
    }

    /// Returns a variant of a sample, padded to at least `min` characters if possible, or `None`
    /// after the last variant.
    pub fn sample(&self, sample: u32, variant: u32, min: usize) -> Option<String> {
        if variant >= VARIANTS {
            return None;
        }
        let sample = self.samples[sample as usize];
        let Some((before, rest)) = sample.split_once('{') else {
            return (variant == 0).then(|| sample.to_owned());
        };
        let (field, after) = rest.split_once('}').expect("fields are closed");
        let mut middle = match field.split_once(':') {
            None if field == "+" && variant > 0 => return None,
            None if variant == 0 => String::new(),
            None => variant.to_string(),
            Some((width, base)) => {
                let number = base.parse::<u32>().expect("a field is a number") + variant;
                let width = width.parse().unwrap_or(1);
                (width != 2 || number <= MINUTES).then(|| format!("{number:0width$}"))?
            }
        };
        if let "" | "+" = field {
            let shorter = |middle: &str| {
                let chars = [before, middle, after].map(|part| part.chars().count());
                min.saturating_sub(chars.iter().sum())
            };
            let last = before.chars().next_back().filter(|_| field == "+");
            let padding = last.unwrap_or('x').to_string();
            middle = padding.repeat(shorter(&middle)) + &middle;
        }
        Some(format!("{before}{middle}{after}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_a_format_differ_and_are_padded() {
        for format in FORMATS {
            let mut seen = std::collections::HashSet::new();
            for sample in 0..format.samples() {
                for variant in 0..VARIANTS {
                    let made = format.sample(sample, variant, 0);
                    assert!(variant > 0 || made.is_some(), "{:?}", format.names);
                    let Some(made) = made else { break };
                    assert!(seen.insert(made.clone()), "{made}");
                }
            }
        }
        let email = Format::named("email").unwrap();
        assert_eq!(email.sample(0, 0, 0).unwrap(), "mock@example.com");
        assert_eq!(email.sample(0, 3, 20).unwrap(), "mockxxx3@example.com");
        let date = Format::named("date").unwrap();
        assert_eq!(date.sample(0, 2, 0).unwrap(), "2027-01-01");
    }

    /// Another implementation accepts every variant of the usual sample of each format.
    #[test]
    fn samples_are_valid() {
        for (format, name) in FORMATS
            .iter()
            .flat_map(|it| it.names.iter().map(move |name| (it, *name)))
        {
            let schema = serde_json::json!({"format": name});
            let options = jsonschema::options().should_validate_formats(true);
            let validator = options.build(&schema).unwrap();
            for made in (0..).map_while(|variant| format.sample(0, variant, 0)) {
                assert!(validator.is_valid(&made.as_str().into()), "{name}: {made}");
                let version = match name.strip_prefix("uuid") {
                    Some("") => "4",
                    Some(version) => version,
                    None => continue,
                };
                assert_eq!(&made[14..15], version, "{name}: {made}");
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = FORMATS.iter().flat_map(|format| format.names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
