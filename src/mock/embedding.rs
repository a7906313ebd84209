//! The vectors of embedding answers, rendered at first use and then copied. Knows no request.

use std::io::Write;

use fastrand::Rng;

/// Numbers in a vector unless `dimensions` asks for others: `text-embedding-ada-002` has as many.
pub const DIMENSIONS: u16 = 1536;
/// The same with `big-payload`.
pub const DIMENSIONS_BIG: u16 = 4096;
/// The most that `dimensions` can ask for: over the 3072 of OpenAI's largest model, and a bound on
/// the answer.
pub const DIMENSIONS_MAX: u16 = 4096;

/// How many vectors of each kind there are, so that the inputs of a batch differ.
pub const VARIANTS: usize = 4;

/// How many kinds (size and encoding) a core keeps: at most 16 x 4 x 53 KB. A run asks for one or
/// two, and one that asks for all 8192 pays with time, not with memory.
const KINDS: usize = 16;

/// How the numbers of an embedding are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As a list of JSON numbers.
    Float,
    /// As one base64 string of little-endian `f32`s.
    Base64,
}

/// The vectors that a core holds.
#[derive(Debug, Default)]
pub struct Embeddings {
    /// The one used last stands at the end.
    kinds: Vec<Kind>,
}

#[derive(Debug)]
struct Kind {
    dimensions: u16,
    encoding: Encoding,
    json: [Vec<u8>; VARIANTS],
}

impl Embeddings {
    /// The JSON of the four vectors of a size (1 to [`DIMENSIONS_MAX`] numbers) and encoding:
    /// a list of numbers, or a string of base64 over little-endian 32-bit floats.
    pub fn get(&mut self, dimensions: u16, encoding: Encoding) -> &[Vec<u8>; VARIANTS] {
        let wanted = |kind: &Kind| kind.dimensions == dimensions && kind.encoding == encoding;
        let kind = match self.kinds.iter().position(wanted) {
            Some(last) if last + 1 == self.kinds.len() => return &self.kinds[last].json,
            Some(found) => self.kinds.remove(found),
            None => {
                if self.kinds.len() == KINDS {
                    self.kinds.remove(0);
                }
                let json = std::array::from_fn(|variant| render(dimensions, variant, encoding));
                Kind {
                    dimensions,
                    encoding,
                    json,
                }
            }
        };
        self.kinds.push(kind);
        &self.kinds.last().expect("one was pushed").json
    }
}

fn render(dimensions: u16, variant: usize, encoding: Encoding) -> Vec<u8> {
    let vector = unit_vector(dimensions, variant);
    match encoding {
        Encoding::Float => list(&vector),
        Encoding::Base64 => {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect();
            base64(&bytes)
        }
    }
}

/// A vector of length 1. It follows from its size and variant alone, so every core and every run
/// gives the same, in both encodings.
fn unit_vector(dimensions: u16, variant: usize) -> Vec<f32> {
    let mut rng = Rng::with_seed(u64::from(dimensions) << 8 | variant as u64);
    let raw: Vec<f64> = (0..dimensions).map(|_| rng.f64() * 2.0 - 1.0).collect();
    let length = raw.iter().map(|number| number * number).sum::<f64>().sqrt();
    raw.iter().map(|number| (number / length) as f32).collect()
}

fn list(vector: &[f32]) -> Vec<u8> {
    let mut out = vec![b'['];
    for number in vector {
        write!(out, "{number},").expect("a Vec takes all");
    }
    *out.last_mut().expect("it holds at least '['") = b']';
    out
}

/// A JSON string of base64 with padding (RFC 4648, 4).
fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = vec![b'"'];
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            out.push(if digit > group.len() {
                b'='
            } else {
                DIGITS[value as usize]
            });
        }
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(json: &[u8]) -> Vec<f32> {
        serde_json::from_slice(json).unwrap()
    }

    #[test]
    fn base64_is_as_rfc_4648_lists_it() {
        for (text, want) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), format!("\"{want}\"").as_bytes());
        }
    }

    #[test]
    fn vectors_have_their_size_length_one_and_differ() {
        let mut embeddings = Embeddings::default();
        for dimensions in [1, 2, 256, DIMENSIONS, DIMENSIONS_MAX] {
            let json = embeddings.get(dimensions, Encoding::Float).clone();
            for vector in json.iter().map(|json| floats(json)) {
                assert_eq!(vector.len(), usize::from(dimensions));
                let length = vector
                    .iter()
                    .map(|n| f64::from(*n).powi(2))
                    .sum::<f64>()
                    .sqrt();
                assert!((length - 1.0).abs() < 1e-5, "{dimensions}: {length}");
            }
            if dimensions > 1 {
                for one in 0..VARIANTS {
                    (0..one).for_each(|other| assert_ne!(json[one], json[other]));
                }
            }
        }
    }

    #[test]
    fn both_encodings_hold_the_same_numbers() {
        let vector = unit_vector(DIMENSIONS, 3);
        let mut embeddings = Embeddings::default();
        assert_eq!(
            floats(&embeddings.get(DIMENSIONS, Encoding::Float)[3]),
            vector
        );
        let bytes: Vec<u8> = vector.iter().flat_map(|n| n.to_le_bytes()).collect();
        assert_eq!(
            embeddings.get(DIMENSIONS, Encoding::Base64)[3],
            base64(&bytes)
        );
    }

    #[test]
    fn sixteen_kinds_are_kept_and_the_one_unused_longest_goes() {
        let mut embeddings = Embeddings::default();
        for dimensions in 1..=16 {
            embeddings.get(dimensions, Encoding::Float);
        }
        embeddings.get(1, Encoding::Float);
        embeddings.get(1, Encoding::Base64);
        let mut kept: Vec<u16> = embeddings
            .kinds
            .iter()
            .map(|kind| kind.dimensions)
            .collect();
        kept.sort_unstable();
        assert_eq!(
            kept,
            [1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
        );
    }
}
