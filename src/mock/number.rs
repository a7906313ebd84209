//! The numbers of an answer: how they are written, and how a copy of an answer is given others.
//! Knows no template.

use std::io::Write;

use super::template::Slot;

/// The numbers drawn for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Different for every answer of the process.
    pub id: u64,
    /// Tokens of the request.
    pub prompt: u32,
    /// Tokens of the answer, as its usage tells.
    pub completion: u32,
    /// How many tokens of text each choice has; 0 where there is none.
    pub tokens: u32,
    /// Whether a limit of the request made them fewer.
    pub cut: bool,
}

/// Where in rendered bytes a number of [`Numbers`] stands, so that a copy can be given others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The first byte.
    pub at: usize,
    /// How many bytes.
    pub len: usize,
    pub(super) slot: Slot,
}

/// Writes other numbers over those in rendered bytes. They must have as many digits.
pub fn patch(numbers: &Numbers, notes: &[Note], bytes: &mut [u8]) {
    let id = hex(numbers.id);
    for note in notes {
        let place = &mut bytes[note.at..note.at + note.len];
        match note.slot {
            Slot::Id => place.copy_from_slice(&id),
            slot => write_digits(numbers.of(slot), place),
        }
    }
}

/// Writes a number that has as many digits as there is room for.
fn write_digits(mut number: u32, place: &mut [u8]) {
    // Numbers that are drawn have three (bench `micro`, `turn_same`).
    if let [hundreds, tens, ones] = place {
        let (first, rest) = (number / 100, number % 100);
        *hundreds = b'0' + first as u8;
        *tens = b'0' + (rest / 10) as u8;
        *ones = b'0' + (rest % 10) as u8;
        return;
    }
    for byte in place.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl Numbers {
    fn of(&self, slot: Slot) -> u32 {
        match slot {
            Slot::Prompt => self.prompt,
            Slot::Completion => self.completion,
            Slot::Total => self.prompt + self.completion,
            other => unreachable!("{other:?} is no number"),
        }
    }
}

pub(super) fn write_number(slot: Slot, numbers: &Numbers, out: &mut Vec<u8>) {
    match slot {
        Slot::Id => out.extend_from_slice(&hex(numbers.id)),
        slot => write!(out, "{}", numbers.of(slot)).expect("a Vec takes all"),
    }
}

/// Sixteen hexadecimal digits, eight at a time: each byte of a word becomes one digit (bench
/// `micro`, `decide_and_render_small`).
fn hex(number: u64) -> [u8; 16] {
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

/// How many digits a number has.
pub(super) fn digits(number: u32) -> u64 {
    u64::from(number.checked_ilog10().unwrap_or(0)) + 1
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
                let at = out.len();
                write_number(slot, numbers, &mut out);
                notes.push(Note {
                    at,
                    len: out.len() - at,
                    slot,
                });
                out.push(b' ');
            }
            (out, notes)
        };
        let (mut bytes, notes) = render(&one);
        patch(&other, &notes, &mut bytes);
        assert_eq!(bytes, render(&other).0);
    }
}
