//! A JSON string with its quotes: the name of a model or of a function as responses repeat it,
//! exactly as the client wrote it.

use std::fmt;

use percent_encoding::percent_decode_str;

/// The longest name, in bytes between the quotes as written (escapes count as they stand).
pub const MODEL_MAX: usize = 256;

/// The longest JSON string, in bytes, that is stored without an allocation: OpenAI's names have at
/// most about 30 bytes, and a waiting response must stay small.
const INLINE: usize = 46;

/// A JSON string with its quotes.
#[derive(Clone, PartialEq, Eq)]
pub enum JsonString {
    /// A name of usual length: the number of bytes, and the bytes.
    Short(u8, [u8; INLINE]),
    /// A longer one, which costs each request an allocation.
    Long(Box<[u8]>),
}

impl JsonString {
    /// Makes one from the inside of a JSON string of at most [`MODEL_MAX`] bytes.
    pub fn from_raw(raw: &[u8]) -> JsonString {
        let len = raw.len() + 2;
        if len <= INLINE {
            let mut bytes = [0; INLINE];
            bytes[0] = b'"';
            bytes[1..len - 1].copy_from_slice(raw);
            bytes[len - 1] = b'"';
            return JsonString::Short(len as u8, bytes);
        }
        JsonString::Long([b"\"", raw, b"\""].concat().into())
    }

    /// Makes one from a path segment: decodes it (RFC 3986, 2.1), and writes the text as JSON.
    /// Returns `None` if it is not UTF-8, or longer than [`MODEL_MAX`].
    pub fn from_segment(segment: &str) -> Option<JsonString> {
        let starts_with_hex = |text: &str| {
            let digits = text.as_bytes().first_chunk::<2>();
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"%\"\\".contains(&byte);
        if segment.len() <= MODEL_MAX && segment.bytes().all(plain) {
            return Some(JsonString::from_raw(segment.as_bytes()));
        }
        let mut escapes = segment.split('%').skip(1);
        if !escapes.all(starts_with_hex) {
            return None;
        }
        let name = JsonString::from_text(&percent_decode_str(segment).decode_utf8().ok()?);
        (name.json().len() <= MODEL_MAX + 2).then_some(name)
    }

    /// A name from the text that it is.
    pub fn from_text(text: &str) -> JsonString {
        let json = serde_json::Value::from(text).to_string();
        JsonString::from_raw(&json.as_bytes()[1..json.len() - 1])
    }

    /// The JSON string, quotes included.
    pub fn json(&self) -> &[u8] {
        match self {
            JsonString::Short(len, bytes) => &bytes[..usize::from(*len)],
            JsonString::Long(bytes) => bytes,
        }
    }
}

/// Returns true if the inside of a well-formed JSON string represents a text: JSON's grammar also
/// allows escapes of unpaired surrogates (RFC 8259, 8.2).
pub fn is_text(raw: &[u8]) -> bool {
    let plain = !raw.contains(&b'\\');
    plain || serde_json::from_slice::<String>(JsonString::from_raw(raw).json()).is_ok()
}

impl fmt::Debug for JsonString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.json()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_length_keep_their_bytes() {
        for len in 0..=MODEL_MAX {
            let raw = vec![b'm'; len];
            let name = JsonString::from_raw(&raw);
            assert_eq!(name.json().len(), len + 2);
            assert_eq!(&name.json()[1..=len], &raw[..]);
            assert_eq!(matches!(name, JsonString::Short(..)), len + 2 <= INLINE);
        }
    }

    #[test]
    fn a_path_segment_becomes_a_json_string() {
        let json =
            |segment: &str| JsonString::from_segment(segment).map(|name| format!("{name:?}"));
        assert_eq!(json("gpt-4o").as_deref(), Some(r#""gpt-4o""#));
        assert_eq!(json("a%20%22b%22").as_deref(), Some(r#""a \"b\"""#));
        for bad in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert_eq!(json(bad), None, "{bad}");
        }
        assert!(json(&"m".repeat(MODEL_MAX)).is_some());
        assert!(json(&"m".repeat(MODEL_MAX + 1)).is_none());
    }
}
