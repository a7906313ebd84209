//! The vectors of embeddings, rendered at first use and then copied.

use std::io::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use fastrand::Rng;

/// The numbers in a vector if `dimensions` is absent, as of `text-embedding-ada-002`.
pub const DIMENSIONS: u16 = 1536;
/// The same with `big-payload`.
pub const DIMENSIONS_BIG: u16 = 4096;
/// The most that `dimensions` allows: more than the 3072 of OpenAI's largest model, and a bound on
/// the response.
pub const DIMENSIONS_MAX: u16 = 4096;

/// The number of vectors in a set, so that the inputs of a batch differ.
pub const VARIANTS: usize = 4;

/// The number of sets that a core keeps: at most 16 x 4 x 53 KB. A load needs one or two, and one
/// that needs all 8192 costs time, not memory.
const SETS: usize = 16;

/// The form of an embedding's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A list of JSON numbers.
    Float,
    /// A base64 string of little-endian `f32`s.
    Base64,
}

/// The vectors that a core holds.
#[derive(Debug, Default)]
pub struct Embeddings {
    /// The set used last is at the end.
    sets: Vec<VectorSet>,
}

/// The vectors of one size and encoding.
#[derive(Debug)]
struct VectorSet {
    dimensions: u16,
    encoding: Encoding,
    json: [Vec<u8>; VARIANTS],
}

impl Embeddings {
    /// Returns the JSON of the vectors of a size (1 to [`DIMENSIONS_MAX`] numbers) and encoding.
    pub fn get(&mut self, dimensions: u16, encoding: Encoding) -> &[Vec<u8>; VARIANTS] {
        let wanted = |set: &VectorSet| set.dimensions == dimensions && set.encoding == encoding;
        let set = match self.sets.iter().position(wanted) {
            Some(last) if last + 1 == self.sets.len() => return &self.sets[last].json,
            Some(found) => self.sets.remove(found),
            None => {
                if self.sets.len() == SETS {
                    self.sets.remove(0);
                }
                let json = std::array::from_fn(|variant| render(dimensions, variant, encoding));
                VectorSet {
                    dimensions,
                    encoding,
                    json,
                }
            }
        };
        self.sets.push(set);
        &self.sets.last().expect("one was pushed").json
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

/// Returns a vector of length 1. It follows from its size and variant alone, so it is the same in
/// every core, run and encoding.
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

/// Returns a JSON string of base64 with padding (RFC 4648, 4).
fn base64(bytes: &[u8]) -> Vec<u8> {
    format!("\"{}\"", BASE64_STANDARD.encode(bytes)).into_bytes()
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
    fn sixteen_sets_are_kept_and_the_one_unused_longest_goes() {
        let mut embeddings = Embeddings::default();
        for dimensions in 1..=16 {
            embeddings.get(dimensions, Encoding::Float);
        }
        embeddings.get(1, Encoding::Float);
        embeddings.get(1, Encoding::Base64);
        let mut kept: Vec<u16> = embeddings.sets.iter().map(|set| set.dimensions).collect();
        kept.sort_unstable();
        assert_eq!(
            kept,
            [1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
        );
    }
}
