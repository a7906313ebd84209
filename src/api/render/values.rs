//! The values of slots, in pieces.

use std::io::Write;

use crate::api::content::{Content, Custom, Generated};
use crate::api::embedding::{Embeddings, VARIANTS};
use crate::api::number::{ID_LEN, PatchSite, digits, noted};
use crate::api::table::{list_paths, provider};
use crate::api::template::{Slot, Template};
use crate::api::text::{Source, Words};
use crate::api::{json_string::JsonString, problem::Problem, render::place::Place};
use crate::api::{methods::Methods, route::View};
use crate::meter::Meter;
use crate::settings::Settings;
use crate::watch::PAGE;

/// The number of tokens of text that are rendered between two checks of the meter.
const TOKENS_AT_ONCE: u32 = 256;

/// The number of bytes that are copied between two checks of the meter.
const BYTES_AT_ONCE: usize = 16 * 1024;

/// The values of slots.
#[derive(Debug)]
pub(super) struct Values {
    /// The source of generated text.
    pub words: Words,
    /// The models that the server lists.
    pub listed: Vec<JsonString>,
    vectors: Embeddings,
}

/// The output of a call of the renderer, and the room that it may use.
pub struct Room<'a> {
    /// The bytes to append to.
    pub out: &'a mut Vec<u8>,
    /// Receives the places of the numbers that differ between responses with the same content.
    pub sites: Option<&'a mut Vec<PatchSite>>,
    /// The length of the output at which rendering stops.
    pub end: usize,
    /// The units that may be spent.
    pub meter: &'a mut Meter,
}

impl Room<'_> {
    #[inline]
    pub fn is_used(&self) -> bool {
        self.out.len() >= self.end || self.meter.is_spent()
    }
}

impl Values {
    pub fn new(settings: &Settings, words: Words) -> Values {
        let listed = settings.models.iter();
        Values {
            words,
            listed: listed.map(|name| JsonString::from_text(name)).collect(),
            vectors: Embeddings::default(),
        }
    }

    /// Appends what is left of a frame, until the room is used. Returns true when it is complete.
    pub fn frame(
        &mut self,
        template: &Template,
        place: &mut Place<'_>,
        room: &mut Room<'_>,
    ) -> bool {
        loop {
            let (text, slot) = template.piece(place.position.slot as usize);
            if place.position.at == 0 {
                room.out.extend_from_slice(text);
                room.meter.charge_bytes(text.len());
            }
            let Some(slot) = slot else { return true };
            if !self.fill(slot, place, room) {
                return false;
            }
            place.position.slot += 1;
            place.position.at = 0;
        }
    }

    /// Appends what is left of a slot's value, until the room is used. Returns true when it is
    /// complete.
    pub fn fill(&mut self, slot: Slot, place: &mut Place<'_>, room: &mut Room<'_>) -> bool {
        let out = &mut *room.out;
        match slot {
            Slot::Content => return self.text(place, room),
            Slot::Logprobs => return self.logprobs(place, room),
            Slot::Format | Slot::View => return copied(slot, place, room),
            Slot::Id | Slot::Prompt | Slot::Completion | Slot::Total => {
                noted(slot, place.numbers, out, room.sites.as_deref_mut());
            }
            Slot::Created => number(out, place.created),
            Slot::Comma if place.choice == 0 => {}
            Slot::Comma => out.push(b','),
            Slot::Index => number(out, place.choice),
            Slot::Sequence => number(out, place.frame),
            Slot::Model => out.extend_from_slice(self.model(place).json()),
            Slot::Ending(endings) => out.extend_from_slice(place.ending(endings).as_bytes()),
            Slot::Function => {
                let function = place.generated().function().expect("calls have one");
                out.extend_from_slice(function.json());
            }
            Slot::UsageMember => {
                if place.generated().include_usage {
                    out.extend_from_slice(b",\"usage\":null");
                }
            }
            Slot::Embedding => {
                let Some(vector) = self.vector(place.content, place.choice, room.meter) else {
                    return false;
                };
                out.extend_from_slice(vector);
                let len = vector.len();
                room.meter.charge_bytes(len);
            }
            Slot::Type | Slot::Code | Slot::Message | Slot::Param => problem(slot, place, out),
            other => unreachable!("{other:?} is replaced by a template"),
        }
        true
    }

    /// Appends what is left of the text.
    fn text(&self, place: &mut Place<'_>, room: &mut Room<'_>) -> bool {
        let source = self.source(place);
        loop {
            let (from, start) = (place.tokens.start + place.position.at, room.out.len());
            let to = place.tokens.end.min(from + TOKENS_AT_ONCE);
            source.append(from..to, room.out);
            room.meter.charge(source.cost((to - from) as usize));
            room.meter.charge_bytes(room.out.len() - start);
            if to == place.tokens.end {
                return true;
            }
            place.position.at += to - from;
            if room.is_used() {
                return false;
            }
        }
    }

    fn model<'a>(&'a self, place: &Place<'a>) -> &'a JsonString {
        match place.content {
            Content::Models => &self.listed[place.choice as usize],
            content => content
                .model()
                .expect("a template with this slot has a model"),
        }
    }
    /// Returns the vector of an input; `None` if the units are spent before it is made.
    pub fn vector(&mut self, content: &Content, choice: u32, meter: &mut Meter) -> Option<&[u8]> {
        let Content::Embeddings {
            dimensions,
            encoding,
            ..
        } = *content
        else {
            unreachable!("{content:?} has no vectors")
        };
        let vectors = self.vectors.get(dimensions, encoding, meter)?;
        Some(&vectors[choice as usize % VARIANTS])
    }

    /// Returns the source of the text of a choice.
    #[inline]
    pub fn source<'a>(&'a self, place: &Place<'a>) -> Source<'a> {
        let custom = place.generated().custom.as_ref().map(Custom::text);
        self.words.source(custom, place.numbers.id, place.choice)
    }

    /// Returns the length of the value of a slot in a document without generated text.
    pub fn length(&mut self, slot: Slot, place: &Place<'_>) -> u64 {
        let numbers = place.numbers;
        match slot {
            Slot::Id => ID_LEN as u64,
            Slot::Prompt => digits(numbers.prompt),
            Slot::Index => digits(place.choice),
            Slot::Comma => u64::from(place.choice > 0),
            Slot::Model => self.model(place).json().len() as u64,
            Slot::Embedding => {
                let vector = self.vector(place.content, place.choice, &mut Meter::new(i64::MAX));
                vector.map_or(0, |vector| vector.len() as u64)
            }
            other => unreachable!("{other:?} is not a slot of such a document"),
        }
    }
}

/// Appends what is left of a text that is copied: the format that a request has, or a view.
fn copied(slot: Slot, place: &mut Place<'_>, room: &mut Room<'_>) -> bool {
    let text = match place.content {
        Content::View(View::Page, _) => PAGE.as_bytes(),
        Content::View(_, text) => text,
        Content::Generated(Generated {
            custom: Some(Custom::Json { format, .. }),
            ..
        }) => format.as_bytes(),
        Content::Generated(_) => b"{\"type\":\"text\"}",
        other => unreachable!("{other:?} has no {slot:?}"),
    };
    loop {
        let rest = &text[place.position.at as usize..];
        let piece = &rest[..rest.len().min(BYTES_AT_ONCE)];
        room.out.extend_from_slice(piece);
        room.meter.charge_bytes(piece.len());
        if piece.len() == rest.len() {
            return true;
        }
        place.position.at += piece.len() as u32;
        if room.is_used() {
            return false;
        }
    }
}

/// Appends a number in decimal digits.
fn number(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    write!(out, "{number}").expect("writing to a Vec cannot fail");
}

/// Appends a field of an error, as JSON.
fn problem(slot: Slot, place: &Place<'_>, out: &mut Vec<u8>) {
    let Content::Problem(problem) = place.content else {
        unreachable!("only errors have these slots")
    };
    let string = |text: &str| serde_json::Value::from(text).to_string();
    let json = match slot {
        Slot::Type => string((provider(place.endpoint).error_type)(problem)),
        Slot::Code => problem.code.map_or("null".into(), string),
        Slot::Message => string(&message(problem)),
        Slot::Param => problem.param.map_or("null".into(), string),
        other => unreachable!("{other:?} is not a slot of an error"),
    };
    out.extend_from_slice(json.as_bytes());
}

/// Returns the message of an error with its words filled in, and the paths of the table.
fn message(problem: &Problem) -> String {
    let text = problem.text();
    match text.contains("{post}") {
        false => text,
        true => text
            .replace("{post}", &list_paths(Methods::Post))
            .replace("{get}", &list_paths(Methods::Get)),
    }
}
