//! The numbers that differ between responses, and the places where copies of a response have them.

use std::{io::Write, ops::Range};

use crate::api::template::Slot;

/// The range of token numbers that are drawn and not counted. Two of them and their sum have three
/// digits, so all responses to a request are equally long.
const TOKENS: Range<u32> = 100..500;

/// The numbers of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The number of the response, unique in the process.
    pub id: u64,
    /// The tokens of the request.
    pub prompt: u32,
    /// The tokens of the response, as its usage reports them.
    pub completion: u32,
    /// The tokens of each choice's text; 0 without text.
    pub tokens: u32,
    /// True if a limit of the request made them fewer.
    pub cut: bool,
}

/// The place of a number in rendered bytes, where a copy has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchSite {
    /// The first byte.
    at: u32,
    /// The number of digits.
    digits: u8,
    value: PatchValue,
}

/// A number of a response that differs from that of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PatchValue {
    Prompt,
    Completion,
    Total,
    Id,
}

/// Writes other numbers over those in rendered bytes. They must have as many digits. `id` has the
/// digits of the numbers' id.
#[inline]
pub fn patch(numbers: &Numbers, id: &[u8; ID_LEN], sites: &[PatchSite], bytes: &mut [u8]) {
    let total = numbers.prompt + numbers.completion;
    let values = [numbers.prompt, numbers.completion, total];
    for site in sites {
        let place = &mut bytes[site.at as usize..];
        match values.get(site.value as usize) {
            Some(number) => write_digits(*number, &mut place[..site.digits.into()]),
            None => place[..ID_LEN].copy_from_slice(id),
        }
    }
}

/// The digits of the numbers below 1000.
static TRIPLES: [[u8; 3]; 1000] = {
    let mut triples = [[0; 3]; 1000];
    let mut number = 0;
    while number < 1000 {
        let digits = [number / 100, number / 10 % 10, number % 10];
        triples[number] = [
            b'0' + digits[0] as u8,
            b'0' + digits[1] as u8,
            b'0' + digits[2] as u8,
        ];
        number += 1;
    }
    triples
};

/// Writes a number that has exactly as many digits as there is room for.
#[inline]
fn write_digits(mut number: u32, place: &mut [u8]) {
    // Drawn numbers have three digits (bench `micro`, `turn_same`).
    if let (3, Some(triple)) = (place.len(), TRIPLES.get(number as usize)) {
        place.copy_from_slice(triple);
        return;
    }
    for byte in place.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl Numbers {
    /// Makes numbers for a response whose tokens are not counted, from random bits.
    pub fn new(id: u64, bits: u64) -> Numbers {
        Numbers {
            id,
            prompt: scale(bits as u32, TOKENS),
            completion: scale((bits >> 32) as u32, TOKENS),
            tokens: 0,
            cut: false,
        }
    }

    #[inline]
    fn of(&self, slot: Slot) -> u32 {
        match slot {
            Slot::Prompt => self.prompt,
            Slot::Completion => self.completion,
            Slot::Total => self.prompt + self.completion,
            other => unreachable!("{other:?} is not a number"),
        }
    }
}

/// Writes a number, and notes its place.
pub fn noted(slot: Slot, numbers: &Numbers, out: &mut Vec<u8>, sites: Option<&mut Vec<PatchSite>>) {
    let at = out.len();
    match slot {
        Slot::Id => out.extend_from_slice(&hex(numbers.id)),
        slot => write!(out, "{}", numbers.of(slot)).expect("writing to a Vec cannot fail"),
    }
    if let Some(sites) = sites {
        sites.push(PatchSite {
            at: at as u32,
            digits: (out.len() - at) as u8,
            value: match slot {
                Slot::Prompt => PatchValue::Prompt,
                Slot::Completion => PatchValue::Completion,
                Slot::Total => PatchValue::Total,
                _ => PatchValue::Id,
            },
        });
    }
}

/// The number of digits of an id.
pub const ID_LEN: usize = 16;

/// Returns the hexadecimal digits of a number. They are computed eight at a time: each byte of a
/// word becomes one digit (bench `micro`, `decide_and_render_small`).
#[inline]
pub fn hex(number: u64) -> [u8; ID_LEN] {
    // A 1 in each byte.
    const ONES: u64 = 0x0101_0101_0101_0101;
    let digits = |half: u64| {
        let spread = (half | half << 16) & 0x0000_ffff_0000_ffff;
        let spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
        let nibbles = (spread | spread << 4) & (0x0f * ONES);
        let letters = (nibbles + 6 * ONES) >> 4 & ONES;
        nibbles + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)
    };
    let both = u128::from(digits(number >> 32)) << 64 | u128::from(digits(number & 0xffff_ffff));
    both.to_be_bytes()
}

/// Returns the number of decimal digits of a number.
pub fn digits(number: u32) -> u64 {
    u64::from(number.checked_ilog10().unwrap_or(0)) + 1
}

/// Returns a number from a range far smaller than 2^32, from 32 random bits.
fn scale(bits: u32, range: Range<u32>) -> u32 {
    range.start + ((u64::from(bits) * u64::from(range.end - range.start)) >> 32) as u32
}

/// A source of numbers that are unique within a process, in an order that looks random.
#[derive(Clone, Debug)]
pub struct Ids {
    key: u64,
    next: u64,
}

impl Ids {
    /// Makes the source of core number `core`; `key` is that of the process.
    pub fn new(key: u64, core: u16) -> Ids {
        Ids {
            key,
            next: u64::from(core) << 48,
        }
    }

    /// Returns the next number, which no other core returns.
    pub fn draw(&mut self) -> u64 {
        self.next += 1;
        // Mixing is a bijection, so the numbers stay unique.
        mix(self.next ^ self.key)
    }
}

/// Maps a number to another one: a bijection that spreads every bit, the finisher of SplitMix64.
pub fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_those_of_the_standard_library() {
        let mut rng = fastrand::Rng::with_seed(1);
        for number in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX]
            .into_iter()
            .chain((0..1000).map(|_| rng.u64(..)))
        {
            assert_eq!(hex(number), format!("{number:016x}").as_bytes());
        }
    }

    #[test]
    fn random_tokens_have_three_digits_and_so_has_their_sum() {
        assert_eq!(scale(0, TOKENS), TOKENS.start);
        assert_eq!(scale(u32::MAX, TOKENS), TOKENS.end - 1);
        let sums = 2 * TOKENS.start..2 * TOKENS.end - 1;
        assert!((100..1000).contains(&sums.start) && sums.end <= 1000);
    }

    #[test]
    fn a_copy_is_patched_to_other_numbers() {
        let one = Numbers {
            id: 1,
            prompt: 123,
            completion: 456,
            tokens: 0,
            cut: false,
        };
        let other = Numbers {
            id: u64::MAX,
            prompt: 400,
            completion: 100,
            tokens: 0,
            cut: false,
        };
        let slots = [Slot::Id, Slot::Prompt, Slot::Completion, Slot::Total];
        let render = |numbers: &Numbers| {
            let (mut out, mut notes) = (Vec::new(), Vec::new());
            for slot in slots {
                noted(slot, numbers, &mut out, Some(&mut notes));
                out.push(b' ');
            }
            (out, notes)
        };
        let (mut bytes, notes) = render(&one);
        patch(&other, &hex(other.id), &notes, &mut bytes);
        assert_eq!(bytes, render(&other).0);
    }
}
