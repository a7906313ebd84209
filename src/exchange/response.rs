//! A response: its content, the numbers drawn for it, and how far it has been rendered.

use std::rc::Rc;

use crate::Nanos;
use crate::api::render::{Place, Position, Renderer, Room};
use crate::api::{content::Content, number::Numbers, table};
use crate::scenario::{Outcome, policy::Policy};

/// A response that was decided and planned. It is small, since thousands may wait.
#[derive(Clone, Debug)]
pub struct Response {
    /// Everything that the bytes follow from, except the numbers and the time. Responses to the
    /// same request share it.
    pub content: Rc<Content>,
    /// The numbers that differ from one response to the next.
    pub numbers: Numbers,
    /// The decision on the request.
    pub outcome: Outcome,
    /// The index by which the request is counted: `Call::endpoint`.
    pub endpoint: u8,
    /// The next byte to render.
    pub cursor: Cursor,
}

/// A place in a response, between two pieces of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// The time at which the next frame is due.
    pub due: Nanos,
    /// The Unix time in seconds that the whole response reports.
    pub created: i64,
    /// The next frame.
    pub(super) frame: u32,
    /// The position in it.
    pub(super) position: Position,
    /// The tokens that have been sent, over all choices.
    pub tokens: u32,
}

/// The state of a response after a piece of it was rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The next frame is due at this time.
    Wait(Nanos),
    /// The room or the units are used up.
    More,
    /// The response is complete.
    Done,
}

impl Response {
    /// Appends what is due at `now`, until the room is used.
    pub(super) fn render(
        &mut self,
        renderer: &mut Renderer,
        policy: &Policy,
        now: Nanos,
        mut room: Room<'_>,
    ) -> Progress {
        let (content, cursor) = (&*self.content, &mut self.cursor);
        let mut place = Place {
            created: cursor.created,
            position: cursor.position,
            ..Place::new(content, &self.numbers, self.endpoint)
        };
        let (layout, mut writer) = renderer.layout(&place, policy.tokens_per_chunk);
        let progress = loop {
            if cursor.frame >= layout.frames {
                break Progress::Done;
            }
            if cursor.due > now {
                break Progress::Wait(cursor.due);
            }
            if room.is_used() {
                break Progress::More;
            }
            let frame = layout.frame(cursor.frame, &mut place);
            if !writer.write(frame, &mut place, &mut room) {
                break Progress::More;
            }
            cursor.frame += 1;
            place.position.next_frame(layout.choices);
            if frame.is_chunk {
                cursor.tokens += place.tokens.len() as u32;
            }
            if frame.is_last && content.streams() {
                cursor.due += policy.gap(self.outcome.seed, place.tokens.clone());
            }
        };
        cursor.position = place.position;
        progress
    }

    /// The kind of the response, below [`table::KINDS`]: one for each endpoint, and one for all
    /// responses of a provider with a status other than 200.
    #[inline]
    pub fn kind(&self) -> usize {
        match &*self.content {
            Content::Allowed(_) | Content::Problem(_) => table::kind_of_errors(self.endpoint),
            _ => self.endpoint.into(),
        }
    }

    /// The delay as the response reports it: in whole milliseconds.
    pub fn millis(&self) -> u64 {
        self.outcome.delay / 1_000_000
    }

    /// The number of generated tokens, over all choices.
    pub fn tokens(&self) -> u64 {
        match &*self.content {
            Content::Generated(generated) => {
                u64::from(self.numbers.tokens) * u64::from(generated.choices)
            }
            _ => 0,
        }
    }
}
