//! The order of the frames of a response: the opening, then chunk after chunk, each of all choices
//! in turn, then the ending.

use crate::api::render::place::{Place, TextStage};
use crate::api::render::script::{LastIf, Script};
use crate::api::{content::Generated, number::Numbers, template::Template};

/// The number of frames of each kind.
pub struct Layout<'a> {
    script: &'a Script,
    opening: u32,
    chunks: u32,
    /// The number of choices or items.
    pub choices: u32,
    endings: &'a [Template],
    last: &'a [Template],
    /// The number of all frames.
    pub frames: u32,
    tokens: u32,
    per_chunk: u32,
}

/// A frame to render.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    pub template: &'a Template,
    /// True for a chunk.
    pub is_chunk: bool,
    /// True if the next chunk is due later: this one is the last choice's.
    pub is_last: bool,
}

impl<'a> Layout<'a> {
    /// Returns the layout of a stream with `per_chunk` tokens in each chunk.
    pub fn of_stream(
        script: &'a Script,
        generated: &Generated,
        numbers: &Numbers,
        per_chunk: u32,
    ) -> Layout<'a> {
        let (choices, last) = (generated.choices, script.last.as_slice());
        let last = match script.last_if {
            LastIf::Always => last,
            LastIf::Usage => &last[usize::from(!generated.include_usage)..],
            LastIf::Cut => &last[usize::from(numbers.cut)..][..1],
        };
        Layout {
            script,
            opening: choices * script.opening.len() as u32,
            chunks: numbers.tokens.div_ceil(per_chunk),
            choices,
            endings: &script.ending,
            last,
            frames: 0,
            tokens: numbers.tokens,
            per_chunk,
        }
        .counted()
    }

    /// Returns the layout of a document with this number of items.
    pub fn of_document(script: &'a Script, items: u32, tokens: u32) -> Layout<'a> {
        Layout {
            script,
            opening: script.opening.len() as u32,
            chunks: 1,
            choices: if script.chunk.is_some() { items } else { 0 },
            endings: &[],
            last: &script.last,
            frames: 0,
            tokens,
            per_chunk: tokens,
        }
        .counted()
    }

    fn counted(mut self) -> Layout<'a> {
        let endings = self.choices * self.endings.len() as u32;
        self.frames = self.opening + self.chunks * self.choices + endings + self.last.len() as u32;
        self
    }

    /// Returns a frame, and moves the place to it.
    #[inline]
    pub fn frame(&self, index: u32, place: &mut Place<'_>) -> Frame<'a> {
        let plain = |template| Frame {
            template,
            is_chunk: false,
            is_last: false,
        };
        place.frame = index;
        let Some(after) = index.checked_sub(self.opening) else {
            let frames = self.script.opening.len() as u32;
            (place.choice, place.tokens, place.stage) = (index / frames, 0..0, TextStage::Begun);
            if !self.script.opens_choices {
                (place.choice, place.tokens, place.stage) = (0, 0..self.tokens, TextStage::Done);
            }
            return plain(&self.script.opening[(index % frames) as usize]);
        };
        let (chunk, choice) = match self.choices {
            // Most have one, and a division takes long.
            0 | 1 => (after, 0),
            choices => (after / choices, after % choices),
        };
        if chunk < self.chunks && self.choices > 0 {
            let from = chunk * self.per_chunk;
            place.choice = choice;
            place.tokens = from..self.tokens.min(from + self.per_chunk);
            place.stage = match self.script.opens_choices {
                true => TextStage::Going,
                false => TextStage::Done,
            };
            return Frame {
                template: self.script.chunk.as_ref().expect("choices have chunks"),
                is_chunk: true,
                is_last: choice + 1 == self.choices && chunk + 1 < self.chunks,
            };
        }
        let after = after - self.chunks * self.choices;
        place.stage = TextStage::Done;
        place.tokens = match self.script.repeats_text || !self.script.opens_choices {
            true => 0..self.tokens,
            false => self.tokens..self.tokens,
        };
        let endings = self.endings.len() as u32;
        if after < self.choices * endings {
            place.choice = after / endings;
            return plain(&self.endings[(after % endings) as usize]);
        }
        place.choice = 0;
        plain(&self.last[(after - self.choices * endings) as usize])
    }
}
