//! The vectors of embeddings, rendered at first use, in pieces, and then copied.

use std::io::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use fastrand::Rng;

use crate::meter::{EMBEDDED, Meter};

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
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A list of JSON numbers.
    #[default]
    Float,
    /// A base64 string of little-endian `f32`s.
    Base64,
}

/// The numbers that are written between two checks of the meter.
const NUMBERS_AT_ONCE: usize = 256;

/// The vectors that a core holds.
#[derive(Debug, Default)]
pub struct Embeddings {
    /// The set used last is at the end.
    sets: Vec<VectorSet>,
    unfinished: Option<Unfinished>,
}

/// The vectors of one size and encoding.
#[derive(Debug)]
struct VectorSet {
    dimensions: u16,
    encoding: Encoding,
    json: [Vec<u8>; VARIANTS],
}

/// A set that is being made. Only one is made at a time, so that unfinished ones take no memory and
/// every one is finished.
#[derive(Debug)]
struct Unfinished {
    set: VectorSet,
    variant: usize,
    /// The vector of this variant, and how many of its numbers are written.
    vector: Vec<f32>,
    written: usize,
}

impl VectorSet {
    fn has(&self, dimensions: u16, encoding: Encoding) -> bool {
        self.dimensions == dimensions && self.encoding == encoding
    }
}

impl Embeddings {
    /// Returns the JSON of the vectors of a size (1 to [`DIMENSIONS_MAX`] numbers) and encoding;
    /// `None` if the units are spent before they are made.
    pub fn get(
        &mut self,
        dimensions: u16,
        encoding: Encoding,
        meter: &mut Meter,
    ) -> Option<&[Vec<u8>; VARIANTS]> {
        loop {
            let found = self
                .sets
                .iter()
                .position(|set| set.has(dimensions, encoding));
            if let Some(found) = found {
                if found + 1 < self.sets.len() {
                    let set = self.sets.remove(found);
                    self.sets.push(set);
                }
                return self.sets.last().map(|set| &set.json);
            }
            if meter.is_spent() {
                return None;
            }
            let unfinished = self
                .unfinished
                .get_or_insert_with(|| Unfinished::new(dimensions, encoding));
            while !unfinished.step(meter) {
                if meter.is_spent() {
                    return None;
                }
            }
            if self.sets.len() == SETS {
                self.sets.remove(0);
            }
            self.sets
                .extend(self.unfinished.take().map(|unfinished| unfinished.set));
        }
    }
}

impl Unfinished {
    fn new(dimensions: u16, encoding: Encoding) -> Unfinished {
        Unfinished {
            set: VectorSet {
                dimensions,
                encoding,
                json: Default::default(),
            },
            variant: 0,
            vector: unit_vector(dimensions, 0),
            written: 0,
        }
    }

    /// Writes the next numbers. Returns true when the set is complete.
    fn step(&mut self, meter: &mut Meter) -> bool {
        let out = &mut self.set.json[self.variant];
        let end = self.vector.len().min(self.written + NUMBERS_AT_ONCE);
        match self.set.encoding {
            Encoding::Float => list(&self.vector[self.written..end], self.written == 0, out),
            Encoding::Base64 if end == self.vector.len() => base64(&self.vector, out),
            Encoding::Base64 => {}
        }
        meter.charge(EMBEDDED * (end - self.written) as i64);
        self.written = end;
        if end < self.vector.len() {
            return false;
        }
        if self.set.encoding == Encoding::Float {
            out.push(b']');
        }
        self.variant += 1;
        if self.variant == VARIANTS {
            return true;
        }
        self.vector = unit_vector(self.set.dimensions, self.variant);
        self.written = 0;
        false
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

/// Appends numbers of a list, which begins with them if `is_first` is set.
fn list(numbers: &[f32], is_first: bool, out: &mut Vec<u8>) {
    for (at, number) in numbers.iter().enumerate() {
        out.push(if is_first && at == 0 { b'[' } else { b',' });
        write!(out, "{number}").expect("writing to a Vec cannot fail");
    }
}

/// Appends a JSON string of base64 with padding (RFC 4648, 4).
fn base64(vector: &[f32], out: &mut Vec<u8>) {
    let bytes: Vec<u8> = vector
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    write!(out, "\"{}\"", BASE64_STANDARD.encode(bytes)).expect("writing to a Vec cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(json: &[u8]) -> Vec<f32> {
        serde_json::from_slice(json).unwrap()
    }

    fn get(
        embeddings: &mut Embeddings,
        dimensions: u16,
        encoding: Encoding,
    ) -> &[Vec<u8>; VARIANTS] {
        let meter = &mut Meter::new(i64::MAX);
        embeddings.get(dimensions, encoding, meter).unwrap()
    }

    #[test]
    fn vectors_have_their_size_length_one_and_differ() {
        let mut embeddings = Embeddings::default();
        for dimensions in [1, 2, 256, DIMENSIONS, DIMENSIONS_MAX] {
            let json = get(&mut embeddings, dimensions, Encoding::Float).clone();
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
            floats(&get(&mut embeddings, DIMENSIONS, Encoding::Float)[3]),
            vector
        );
        let encoded = &get(&mut embeddings, DIMENSIONS, Encoding::Base64)[3];
        let text: String = serde_json::from_slice(encoded).unwrap();
        let bytes: Vec<u8> = vector.iter().flat_map(|n| n.to_le_bytes()).collect();
        assert_eq!(BASE64_STANDARD.decode(text).unwrap(), bytes);
    }

    #[test]
    fn sixteen_sets_are_kept_and_the_one_unused_longest_goes() {
        let mut embeddings = Embeddings::default();
        for dimensions in 1..=16 {
            get(&mut embeddings, dimensions, Encoding::Float);
        }
        get(&mut embeddings, 1, Encoding::Float);
        get(&mut embeddings, 1, Encoding::Base64);
        let mut kept: Vec<u16> = embeddings.sets.iter().map(|set| set.dimensions).collect();
        kept.sort_unstable();
        assert_eq!(
            kept,
            [1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
        );
    }

    /// Each of several requests for other sizes is served, although each may spend little at once.
    #[test]
    fn sets_are_made_one_after_the_other_in_pieces() {
        let mut embeddings = Embeddings::default();
        let mut left: Vec<u16> = (1000..1040).collect();
        let mut turns = 0;
        while !left.is_empty() {
            left.retain(|dimensions| {
                let mut meter = Meter::new(20_000);
                let found = embeddings.get(*dimensions, Encoding::Float, &mut meter);
                let spent = 20_000 - meter.left();
                assert!(
                    spent < 20_000 + EMBEDDED * NUMBERS_AT_ONCE as i64,
                    "{spent}"
                );
                found.is_none()
            });
            turns += 1;
        }
        assert!(turns > 10, "{turns}");
    }
}
