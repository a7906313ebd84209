//! The place in a response of the frame that is being rendered.

use std::ops::Range;

use crate::api::content::{Content, Generated};
use crate::api::{number::Numbers, template::Endings};

/// The place of a frame in a response.
pub struct Place<'a> {
    pub content: &'a Content,
    pub numbers: &'a Numbers,
    /// The number by which the request is counted.
    pub endpoint: u8,
    /// Unix time in seconds.
    pub created: i64,
    /// The number of the frame.
    pub frame: u32,
    /// The number of the choice or item.
    pub choice: u32,
    /// The tokens of generated text that the frame carries.
    pub tokens: Range<u32>,
    pub stage: TextStage,
    /// The position in the frame.
    pub position: Position,
}

/// The progress of generated text, as a response reports it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TextStage {
    /// No token has been sent.
    Begun,
    /// Tokens are being sent.
    Going,
    /// All tokens have been sent, or are in this frame.
    Done,
}

impl<'a> Place<'a> {
    /// Returns a place before the first frame.
    pub fn new(content: &'a Content, numbers: &'a Numbers, endpoint: u8) -> Place<'a> {
        Place {
            content,
            numbers,
            endpoint,
            created: 0,
            frame: 0,
            choice: 0,
            tokens: 0..0,
            stage: TextStage::Begun,
            position: Position::default(),
        }
    }

    /// The generated text that the response has.
    pub fn generated(&self) -> &'a Generated {
        match self.content {
            Content::Generated(generated) => generated,
            other => unreachable!("{other:?} has no generated text"),
        }
    }

    /// Returns the word for how far the text has come.
    pub fn ending(&self, endings: &Endings) -> &'static str {
        match self.stage {
            TextStage::Begun | TextStage::Going => endings.open,
            TextStage::Done if self.numbers.cut => endings.cut,
            TextStage::Done if self.generated().function().is_some() => endings.call,
            TextStage::Done => endings.stop,
        }
    }
}

/// A position in a frame, between two pieces of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position {
    /// The next slot.
    pub(super) slot: u32,
    /// The part of the slot's value that has been rendered, in tokens, entries or bytes.
    pub(super) at: u32,
    /// The tokens whose characters have been counted, and their number, for `text_offset`.
    pub(super) counted: u32,
    /// See `counted`.
    pub(super) chars: u32,
}

impl Position {
    /// Moves to the beginning of the next frame. The characters of a choice's text are counted on
    /// if the response has no other.
    #[inline]
    pub fn next_frame(&mut self, choices: u32) {
        (self.slot, self.at) = (0, 0);
        if choices > 1 {
            (self.counted, self.chars) = (0, 0);
        }
    }
}
