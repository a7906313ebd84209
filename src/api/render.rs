//! Renders responses from templates, in pieces: each call goes on where the last one stopped.

mod fields;
mod layout;
mod logprobs;
mod place;
pub mod script;
mod stencil;
mod values;

use super::route::{ResponseKind, View};
use super::table::{ENDPOINTS, UNROUTED, provider};
use super::template::{Slot, Template};
use super::{content::Content, form::Output, provider::Endpoint, text::Words};
use crate::meter::{self, Meter};
use crate::settings::Settings;
use layout::{Frame, Layout};
pub use place::{Place, Position};
use script::Script;
use stencil::Stencils;
pub use values::Room;
use values::Values;

/// The most tokens of a chunk that is copied from a stencil: its text is written at once.
const STAMPED_MAX: u32 = 256;

/// Renders the responses of one core.
#[derive(Debug)]
pub struct Renderer {
    /// The frames of each endpoint.
    scripts: Vec<EndpointScripts>,
    values: Values,
    stencils: Stencils,
    /// The frames of errors without a route, of views, and of responses without content.
    unrouted: Script,
    view: Script,
    empty: Script,
    cors: bool,
}

/// The frames of an endpoint's responses: each of a text, and of a call.
#[derive(Debug)]
struct EndpointScripts {
    documents: [Script; 2],
    streams: [Script; 2],
    error: Script,
}

/// Writes the frames of one response.
pub struct FrameWriter<'a> {
    values: &'a mut Values,
    stencils: &'a mut Stencils,
    /// The index of the stencil of this response's chunks, once it is prepared.
    stencil: Option<usize>,
}

impl Renderer {
    /// Reads the template files.
    pub fn new(settings: &Settings, words: Words) -> Renderer {
        Renderer {
            scripts: ENDPOINTS.iter().map(EndpointScripts::new).collect(),
            unrouted: Script::constant((provider(UNROUTED).error)()),
            view: Script::constant(Template::only(Slot::View)),
            empty: Script::default(),
            values: Values::new(settings, words),
            stencils: Stencils::default(),
            cors: settings.cors,
        }
    }

    /// Returns the source of generated text.
    pub fn words(&self) -> &Words {
        &self.values.words
    }

    /// Returns true if responses with this content differ only in their numbers.
    pub fn repeats(&self, content: &Content) -> bool {
        match (content, &self.values.words) {
            (Content::Generated(generated), Words::Random) => generated.custom.is_some(),
            (Content::View(view, _), _) => *view == View::Page,
            _ => true,
        }
    }

    /// Makes everything that the content needs before its length is known. Returns false if the
    /// units are spent before.
    #[inline]
    pub fn prepare(&mut self, content: &Content, meter: &mut Meter) -> bool {
        let is_embedding = matches!(content, Content::Embeddings { .. });
        !is_embedding || self.values.vector(content, 0, meter).is_some()
    }

    /// Returns the layout of a response, and the writer of its frames. A chunk of a stream has
    /// `per_chunk` tokens.
    pub fn layout(&mut self, place: &Place<'_>, per_chunk: u32) -> (Layout<'_>, FrameWriter<'_>) {
        let (content, numbers) = (place.content, place.numbers);
        let items = content.items(self.values.listed.len());
        let scripts = self.scripts.get(usize::from(place.endpoint));
        let document = |script| Layout::of_document(script, items, numbers.tokens);
        let layout = match (content, scripts) {
            (Content::Generated(generated), Some(scripts)) => {
                let call = usize::from(generated.function().is_some());
                match generated.stream {
                    true => {
                        Layout::of_stream(&scripts.streams[call], generated, numbers, per_chunk)
                    }
                    false => document(&scripts.documents[call]),
                }
            }
            (Content::View(..), _) => document(&self.view),
            (Content::Allowed(_), _) => document(&self.empty),
            (Content::Problem(_), scripts) => {
                document(scripts.map_or(&self.unrouted, |scripts| &scripts.error))
            }
            (_, Some(scripts)) => document(&scripts.documents[0]),
            (_, None) => unreachable!("only endpoints have documents"),
        };
        let writer = FrameWriter {
            values: &mut self.values,
            stencils: &mut self.stencils,
            stencil: None,
        };
        (layout, writer)
    }

    /// Returns the length of a document if it follows from its content: unless it has generated
    /// text.
    pub fn planned_length(&mut self, mut place: Place<'_>) -> Option<u64> {
        if !matches!(
            place.content,
            Content::Embeddings { .. } | Content::Document { .. } | Content::Models
        ) {
            return None;
        }
        let (layout, writer) = self.layout(&place, 1);
        let mut length = 0;
        for index in 0..layout.frames {
            let template = layout.frame(index, &mut place).template;
            for index in 0..=template.slots() {
                let (text, slot) = template.piece(index);
                let value = slot.map_or(0, |slot| writer.values.length(slot, &place));
                length += text.len() as u64 + value;
            }
        }
        Some(length)
    }
}

impl EndpointScripts {
    fn new(endpoint: &Endpoint) -> EndpointScripts {
        let outputs = [Output::Text, Output::Call];
        let (documents, streams) = match endpoint.route.kind {
            ResponseKind::Text(form) => (
                outputs.map(|output| (form.script)(output, false)),
                outputs.map(|output| (form.script)(output, true)),
            ),
            ResponseKind::Embeddings(script)
            | ResponseKind::Document(script)
            | ResponseKind::Models(script) => ([script(), Script::default()], Default::default()),
            ResponseKind::View(_) => Default::default(),
        };
        EndpointScripts {
            documents,
            streams,
            error: Script::constant((endpoint.provider.error)()),
        }
    }
}

impl FrameWriter<'_> {
    /// Appends what is left of a frame, until the room is used. Returns true when it is complete.
    #[inline]
    pub fn write(&mut self, frame: Frame<'_>, place: &mut Place<'_>, room: &mut Room<'_>) -> bool {
        room.meter.charge(meter::FRAME);
        let tokens = place.tokens.len() as u32;
        if !frame.is_chunk || tokens > STAMPED_MAX || !place.content.chunks_are_alike() {
            return self.values.frame(frame.template, place, room);
        }
        let index = match self.stencil {
            Some(index) => index,
            None => self.stencils.prepare(frame.template, place, self.values),
        };
        self.stencil = Some(index);
        self.stencils.kept[index].stamp(place, self.values, room.out);
        room.meter
            .charge(self.values.source(place).cost(tokens as usize));
        true
    }
}
