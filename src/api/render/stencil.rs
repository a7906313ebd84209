//! Chunks that are rendered once and then copied: those of streams alike differ only in their
//! numbers and their text. It makes millions of chunks per second possible
//! (`scripts/measure stream-throughput`).

use std::io::Write;

use crate::api::render::values::{Room, Values};
use crate::api::template::{Slot, Template};
use crate::api::{json_string::JsonString, number::hex, render::place::Place};
use crate::meter::{Meter, TURN};

/// The stencils that a core keeps: a load uses a few models.
const KEPT: usize = 8;

/// The stencils used last.
#[derive(Debug, Default)]
pub(super) struct Stencils {
    pub kept: Vec<Stencil>,
    /// The next one to be replaced.
    oldest: usize,
}

/// A rendered chunk without its text and its number.
#[derive(Debug)]
pub(super) struct Stencil {
    /// The address of the template; templates live as long as their core.
    template: usize,
    include_usage: bool,
    model: JsonString,
    bytes: Vec<u8>,
    /// The places of the text, and of the numbers of the choice and the frame, in order.
    holes: Vec<(usize, Slot)>,
    id: u64,
    ids: Vec<usize>,
    created: i64,
    created_at: Option<usize>,
}

impl Stencils {
    /// Prepares the stencil for the chunks of a stream, and returns its index.
    pub fn prepare(
        &mut self,
        template: &Template,
        place: &mut Place<'_>,
        values: &mut Values,
    ) -> usize {
        let address = std::ptr::from_ref(template).addr();
        let generated = place.generated();
        let known = self.kept.iter().position(|kept| {
            kept.template == address
                && kept.include_usage == generated.include_usage
                && kept.model == generated.model
                && (place.created < 1_000_000_000) == (kept.created < 1_000_000_000)
        });
        let index = known.unwrap_or_else(|| {
            let stencil = Stencil::new(template, place, values);
            if self.kept.len() < KEPT {
                self.kept.push(stencil);
                return self.kept.len() - 1;
            }
            let index = self.oldest;
            self.oldest = (index + 1) % KEPT;
            self.kept[index] = stencil;
            index
        });
        self.kept[index].patch(place);
        index
    }
}

impl Stencil {
    fn new(template: &Template, place: &mut Place<'_>, values: &mut Values) -> Stencil {
        let generated = place.generated();
        let mut stencil = Stencil {
            template: std::ptr::from_ref(template).addr(),
            include_usage: generated.include_usage,
            model: generated.model.clone(),
            bytes: Vec::new(),
            holes: Vec::new(),
            id: place.numbers.id,
            ids: Vec::new(),
            created: place.created,
            created_at: None,
        };
        let mut meter = Meter::new(TURN);
        let mut room = Room {
            out: &mut stencil.bytes,
            sites: None,
            end: usize::MAX,
            meter: &mut meter,
        };
        for index in 0..=template.slots() {
            let (text, slot) = template.piece(index);
            room.out.extend_from_slice(text);
            let at = room.out.len();
            match slot {
                Some(slot @ (Slot::Content | Slot::Index | Slot::Sequence)) => {
                    stencil.holes.push((at, slot));
                }
                Some(slot) => {
                    match slot {
                        Slot::Id => stencil.ids.push(at),
                        Slot::Created => stencil.created_at = Some(at),
                        _ => {}
                    }
                    values.fill(slot, place, &mut room);
                }
                None => {}
            }
        }
        stencil
    }

    /// Writes the numbers of another stream over those in the stencil.
    fn patch(&mut self, place: &Place<'_>) {
        if self.id != place.numbers.id {
            self.id = place.numbers.id;
            let id = hex(self.id);
            for at in &self.ids {
                self.bytes[*at..at + id.len()].copy_from_slice(&id);
            }
        }
        if self.created != place.created {
            self.created = place.created;
            if let Some(at) = self.created_at {
                let mut place = &mut self.bytes[at..];
                write!(place, "{}", self.created).expect("times have equally many digits");
            }
        }
    }

    /// Appends the chunk at a place.
    #[inline]
    pub fn stamp(&self, place: &Place<'_>, values: &Values, out: &mut Vec<u8>) {
        let mut from = 0;
        for (at, slot) in &self.holes {
            out.extend_from_slice(&self.bytes[from..*at]);
            from = *at;
            let number = match slot {
                Slot::Index => place.choice,
                Slot::Sequence => place.frame,
                _ => {
                    values.source(place).append(place.tokens.clone(), out);
                    continue;
                }
            };
            match number {
                0..10 => out.push(b'0' + number as u8),
                _ => write!(out, "{number}").expect("writing to a Vec cannot fail"),
            }
        }
        out.extend_from_slice(&self.bytes[from..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::content::{Content, Generated};
    use crate::api::{number::Numbers, route::ResponseKind, table::ENDPOINTS, text::Words};
    use crate::settings::Settings;

    /// A stamp equals the frame that is rendered slot by slot, whatever slots the template has.
    #[test]
    fn stamps_are_frames() {
        let settings = Settings::default();
        let mut values = Values::new(&settings, Words::new(&settings).unwrap());
        let ResponseKind::Text(form) = ENDPOINTS[0].route.kind else {
            unreachable!("the first endpoint generates text")
        };
        let content = Content::Generated(Generated {
            form,
            model: JsonString::from_text("m"),
            choices: 1,
            limit: None,
            tokens: 9,
            cut: false,
            prompt: 0,
            stream: true,
            include_usage: false,
            logprobs: None,
            custom: None,
        });
        for json in [
            r#"{"i":"$index","c":"$content"}"#,
            r#"{"c":"$content","i":"$index","s":"$sequence","id":"a$id"}"#,
            r#"{"c":"$content"}"#,
            r#"{"s":"$sequence","t":"$created","c":"$content","d":"$content","m":"$model"}"#,
        ] {
            let template = Template::parse(json, &[]);
            let mut stencils = Stencils::default();
            for (id, frame) in [(1, 0), (2, 7), (2, 123)] {
                let numbers = Numbers::new(id, 5);
                let mut place = Place::new(&content, &numbers, 0);
                place.created = 1_700_000_000 + i64::from(frame);
                (place.frame, place.choice, place.tokens) = (frame, frame * 3, 0..4);
                let index = stencils.prepare(&template, &mut place, &mut values);
                let mut stamped = Vec::new();
                stencils.kept[index].stamp(&place, &values, &mut stamped);
                let (mut rendered, mut meter) = (Vec::new(), Meter::new(TURN));
                let mut room = Room {
                    out: &mut rendered,
                    sites: None,
                    end: usize::MAX,
                    meter: &mut meter,
                };
                assert!(values.frame(&template, &mut place, &mut room));
                assert_eq!(
                    stamped.escape_ascii().to_string(),
                    rendered.escape_ascii().to_string()
                );
            }
        }
    }
}
