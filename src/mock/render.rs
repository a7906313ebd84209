//! Renders responses from templates, in pieces: each call goes on where the last one stopped.

mod fields;
mod layout;
mod logprobs;
mod place;
mod script;
mod stencil;
mod values;

use super::number::{Numbers, PatchSite};
use super::policy::Policy;
use super::response::{Content, Response};
use super::route::View;
use super::text::Words;
use crate::Nanos;
use crate::meter;
use crate::settings::Settings;
use layout::Layout;
use place::Place;
use script::Scripts;
use stencil::Stencils;
pub use values::Room;
use values::Values;

/// The most tokens of a chunk that is copied from a stencil: its text is written at once.
const STAMPED_MAX: u32 = 256;

/// Renders the responses of one core.
#[derive(Debug)]
pub struct Renderer {
    scripts: Scripts,
    values: Values,
    stencils: Stencils,
    cors: bool,
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

impl Renderer {
    /// Reads the template files.
    pub fn new(settings: &Settings, words: Words) -> Renderer {
        Renderer {
            scripts: Scripts::new(),
            values: Values::new(settings, words),
            stencils: Stencils::default(),
            cors: settings.cors,
        }
    }

    /// Returns the source of generated text.
    pub fn words(&self) -> &Words {
        self.values.words()
    }

    /// Returns true if responses with this content differ only in their numbers.
    pub fn repeats(&self, content: &Content) -> bool {
        match (content, self.values.words()) {
            (Content::Generated(generated), Words::Random) => generated.custom.is_some(),
            (Content::View(view, _), _) => *view == View::Page,
            _ => true,
        }
    }

    /// Appends what is due of a response at `now`, until the room is used. `sites` receives the
    /// places of the numbers that differ between responses with the same content.
    pub fn render(
        &mut self,
        response: &mut Response,
        policy: &Policy,
        now: Nanos,
        mut room: Room<'_>,
        out: &mut Vec<u8>,
        mut sites: Option<&mut Vec<PatchSite>>,
    ) -> Progress {
        let (content, cursor) = (&response.content, &mut response.cursor);
        let numbers = &response.numbers;
        let listed = self.values.listed();
        let layout = layout(
            &self.scripts,
            content,
            numbers,
            response.endpoint,
            listed,
            policy,
        );
        let mut place = Place::new(content, numbers, cursor.created);
        let mut stencil = None;
        while cursor.frame < layout.frames {
            if cursor.due > now {
                return Progress::Wait(cursor.due);
            }
            if room.is_used(out) {
                return Progress::More;
            }
            let frame = layout.frame(cursor.frame, &mut place);
            room.meter.charge(meter::FRAME);
            let tokens = place.tokens.len() as u32;
            if frame.is_chunk && tokens <= STAMPED_MAX && content.chunks_are_alike() {
                let index = *stencil.get_or_insert_with(|| {
                    let values = &mut self.values;
                    self.stencils.prepare(frame.template, &place, values)
                });
                self.stencils.get(index).stamp(&place, &self.values, out);
                let cost = self.values.source(&place).cost(tokens as usize);
                room.meter.charge(cost);
            } else {
                let sites = sites.as_deref_mut();
                let values = &mut self.values;
                if !values.frame(frame.template, &place, cursor, &mut room, out, sites) {
                    return Progress::More;
                }
                cursor.end_chunk(layout.choices);
            }
            cursor.next_frame();
            if frame.is_chunk {
                cursor.tokens += tokens;
            }
            if frame.is_last && content.streams() {
                cursor.due += policy.gap(response.outcome.seed, place.tokens.clone());
            }
        }
        Progress::Done
    }

    /// Returns the length of a document if it follows from its content: unless it has generated
    /// text.
    pub fn planned_length(&mut self, response: &Response, policy: &Policy) -> Option<u64> {
        let content = &response.content;
        if !matches!(
            **content,
            Content::Embeddings { .. } | Content::Document { .. }
        ) {
            return None;
        }
        let (numbers, listed) = (&response.numbers, self.values.listed());
        let endpoint = response.endpoint;
        let layout = layout(&self.scripts, content, numbers, endpoint, listed, policy);
        let mut place = Place::new(content, numbers, response.cursor.created);
        let mut length = 0;
        for index in 0..layout.frames {
            let template = layout.frame(index, &mut place).template;
            for index in 0..=template.slots() {
                let (text, slot) = template.piece(index);
                let value = slot.map_or(0, |slot| self.values.length(slot, &place));
                length += text.len() as u64 + value;
            }
        }
        Some(length)
    }
}

/// Returns the layout of a response. `listed` is the number of models that the server lists.
fn layout<'a>(
    scripts: &'a Scripts,
    content: &Content,
    numbers: &Numbers,
    endpoint: u8,
    listed: usize,
    policy: &Policy,
) -> Layout<'a> {
    let script = match content {
        Content::Generated(generated) => {
            let (call, stream) = (generated.function().is_some(), generated.stream.is_some());
            let script = scripts.generated(endpoint, generated.api, call, stream);
            if stream {
                let per_chunk = policy.tokens_per_chunk;
                return Layout::of_stream(
                    script,
                    generated,
                    numbers.tokens,
                    numbers.cut,
                    per_chunk,
                );
            }
            script
        }
        Content::Embeddings { .. } | Content::Document { .. } => scripts.document(endpoint),
        Content::View(..) => &scripts.view,
        Content::Allowed(_) => &scripts.empty,
        Content::Problem(_) => &scripts.problem,
    };
    Layout::of_document(script, content.items(listed), numbers.tokens)
}
