//! The order of a stream's units: what opens it, then chunk after chunk, each choice in turn, then
//! what ends it. Knows no bytes.

use super::form::Form;
use super::place::{Place, Stage};

/// The units of a stream: how many there are of each kind.
pub(super) struct Plan {
    opening: u32,
    chunks: u32,
    choices: u32,
    ending: u32,
    pub units: u32,
    tokens: u32,
    per_chunk: u32,
    /// How many events open a response.
    opened: u32,
}

/// What a unit is.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// A choice begins; of a response, all that comes before its text.
    Opening,
    /// So many tokens of a choice; the last choice of these tokens or not.
    Chunk { last: bool },
    /// A choice ends; of a response, all that comes after its text.
    Ending,
    /// What comes after all choices.
    Last,
}

impl Plan {
    /// That of an answer that is given as so many choices, so many tokens in each chunk.
    pub fn new(place: &Place<'_>, form: &Form, choices: u32, per_chunk: u32) -> Plan {
        let (generated, tokens) = (place.generated, place.reply.numbers.tokens);
        let chunks = tokens.div_ceil(per_chunk);
        let opening = choices * u32::from(form.opening);
        let ending = choices * u32::from(form.ending);
        let last = u32::from(form.last);
        Plan {
            opening,
            chunks,
            choices,
            ending,
            units: opening + chunks * choices + ending + last,
            tokens,
            per_chunk,
            opened: if generated.function().is_some() { 3 } else { 4 },
        }
    }

    /// What unit `next` is; moves the place to it.
    pub fn unit(&self, next: u32, place: &mut Place<'_>) -> Unit {
        let Some(after) = next.checked_sub(self.opening) else {
            (place.choice, place.tokens, place.stage) = (next, 0..0, Stage::Begun);
            place.sequence = 0;
            return Unit::Opening;
        };
        let (chunk, choice) = match self.choices {
            1 => (after, 0),
            choices => (after / choices, after % choices),
        };
        place.choice = choice;
        if chunk < self.chunks {
            let from = chunk * self.per_chunk;
            place.tokens = from..self.tokens.min(from + self.per_chunk);
            place.stage = Stage::Going;
            place.sequence = self.opened + chunk;
            let last = choice + 1 == self.choices && chunk + 1 < self.chunks;
            return Unit::Chunk { last };
        }
        place.tokens = self.tokens..self.tokens;
        place.stage = Stage::Done;
        place.sequence = self.opened + self.chunks;
        match after - self.chunks * self.choices < self.ending {
            true => Unit::Ending,
            false => Unit::Last,
        }
    }
}
