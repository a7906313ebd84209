//! Streams: which events leave, and when. Knows no framing but that of
//! events (WHATWG HTML, 9.2.6).

use std::io::Write;

use super::Book;
use super::events::{Chunks, Event};
use super::place::{Place, Stage};
use super::plan::{Plan, Unit};
use crate::Nanos;
use crate::mock::policy::Policy;
use crate::mock::reply::Reply;
use crate::mock::route::Api;
use crate::mock::template::{Slot, Template};

/// A stream under way: an answer, and how far it is.
#[derive(Debug)]
pub struct Stream {
    /// The answer.
    pub reply: Reply,
    /// When the next unit is due.
    pub due: Nanos,
    /// Unix time in seconds: all of a stream tells the same.
    created: i64,
    next: u32,
    /// How many tokens have been written.
    pub tokens: u32,
}

impl Stream {
    /// The stream of an answer that is due at `due`, made at Unix time `created` in seconds.
    pub fn new(reply: Reply, due: Nanos, created: i64) -> Stream {
        Stream {
            reply,
            due,
            created,
            next: 0,
            tokens: 0,
        }
    }
}

/// So many bytes of events are rendered in one go where they are measured alone.
const MEASURED: usize = 64 * 1024;

/// A chunk that was written once: the next ones differ in a number (the choice's index, or the
/// event's) and in their text, and are copied around these two. It is what makes some millions of
/// chunks a second (`scripts/streams`).
struct Stencil {
    bytes: Vec<u8>,
    number: usize,
    content: usize,
}

impl Book {
    /// Appends what of a stream is due at `now`, until `out` has `room` bytes or the stream ends.
    /// True when it has ended.
    pub fn go_on(
        &mut self,
        stream: &mut Stream,
        policy: &mut Policy,
        now: Nanos,
        room: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let (generated, _) = stream.reply.streams().expect("only those come here");
        let mut place = Place::whole(&stream.reply, generated, stream.created);
        // Where choices are no items, one is all.
        let choices = self.items(&stream.reply).max(1);
        let plan = Plan::new(&place, self.form(&place), choices, policy.tokens_per_chunk);
        let mut scratch = Some(std::mem::take(&mut self.scratch));
        let mut stencil = None;
        while stream.due <= now && out.len() < room && stream.next < plan.units {
            match plan.unit(stream.next, &mut place) {
                Unit::Opening => self.open(&mut place, out),
                Unit::Chunk { last } => {
                    stream.tokens += place.tokens.len() as u32;
                    // With probabilities, chunks differ in more than their text.
                    if generated.logprobs.is_some() {
                        self.chunk(&place, out);
                    } else {
                        let stencil = stencil.get_or_insert_with(|| {
                            self.stencil(&place, scratch.take().unwrap_or_default())
                        });
                        self.stamp(stencil, &place, out);
                    }
                    if last {
                        stream.due += policy.gap();
                    }
                }
                Unit::Ending => self.end(&mut place, out),
                Unit::Last => self.last(&place, out),
            }
            stream.next += 1;
        }
        self.scratch = stencil
            .map(|stencil| stencil.bytes)
            .or(scratch)
            .unwrap_or_default();
        stream.next == plan.units
    }

    /// How many bytes all events of a stream have; of a stream of more than `most`, some number
    /// above that. Renders them.
    pub fn stream_length(
        &mut self,
        reply: &Reply,
        created: i64,
        policy: &Policy,
        most: u64,
    ) -> u64 {
        // A copy: the stream itself is yet to draw its times.
        let mut policy = policy.clone();
        let mut stream = Stream::new(reply.clone(), 0, created);
        let (mut events, mut length) = (Vec::new(), 0);
        loop {
            events.clear();
            let ended = self.go_on(&mut stream, &mut policy, Nanos::MAX, MEASURED, &mut events);
            length += events.len() as u64;
            if ended || length > most {
                return length;
            }
        }
    }

    /// What opens a choice or a response.
    fn open(&self, place: &mut Place<'_>, out: &mut Vec<u8>) {
        if place.generated.api == Api::Chat {
            return self.chunk(place, out);
        }
        let events = &self.events;
        self.event(&events.created, place, out);
        self.event(&events.in_progress, place, out);
        self.event(&events.item_added, place, out);
        if place.generated.function().is_none() {
            self.event(&events.part_added, place, out);
        }
    }

    /// What ends a choice or a response.
    fn end(&self, place: &mut Place<'_>, out: &mut Vec<u8>) {
        if place.generated.api != Api::Responses {
            return self.chunk(place, out);
        }
        let events = &self.events;
        place.tokens = 0..place.reply.numbers.tokens;
        match place.generated.function() {
            Some(_) => self.event(&events.arguments_done, place, out),
            None => {
                self.event(&events.text_done, place, out);
                self.event(&events.part_done, place, out);
            }
        }
        self.event(&events.item_done, place, out);
        let end = match place.reply.numbers.cut {
            true => &events.incomplete,
            false => &events.completed,
        };
        self.event(end, place, out);
    }

    /// What comes after all choices.
    fn last(&self, place: &Place<'_>, out: &mut Vec<u8>) {
        let chunks = self.chunks(place);
        if place.generated.stream.is_some_and(|how| how.include_usage) {
            out.extend_from_slice(b"data: ");
            self.render(&chunks.usage, place, out, None);
            out.extend_from_slice(b"\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// A chunk, whatever of its choice it carries.
    fn chunk(&self, place: &Place<'_>, out: &mut Vec<u8>) {
        let (before, template) = self.chunk_parts(place);
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(b"data: ");
        self.render(template, place, out, None);
        out.extend_from_slice(b"\n\n");
    }

    fn event(&self, event: &Event, place: &mut Place<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(event.before.as_bytes());
        out.extend_from_slice(b"data: ");
        self.render(&event.data, place, out, None);
        out.extend_from_slice(b"\n\n");
        place.sequence += 1;
    }

    fn chunks(&self, place: &Place<'_>) -> &Chunks {
        match place.generated.api {
            Api::Completions => &self.events.completion,
            _ => &self.events.chat,
        }
    }

    /// What goes before the data of a chunk, and the data.
    fn chunk_parts(&self, place: &Place<'_>) -> (&str, &Template) {
        let event = match (place.generated.api, place.generated.function()) {
            (Api::Responses, Some(_)) => &self.events.arguments_delta,
            (Api::Responses, None) => &self.events.text_delta,
            _ => return ("", &self.chunks(place).chunk),
        };
        (&event.before, &event.data)
    }

    /// What a chunk of a chat completion adds.
    pub(super) fn delta(&self, place: &Place<'_>, out: &mut Vec<u8>) {
        let events = &self.events;
        let template = match (place.stage, place.generated.function()) {
            (Stage::Begun, None) => &events.role,
            (Stage::Begun, Some(_)) => &events.call,
            (Stage::Going, None) => &events.content,
            (Stage::Going, Some(_)) => &events.arguments,
            (Stage::Done, _) => return out.extend_from_slice(b"{}"),
        };
        self.render(template, place, out, None);
    }

    fn stencil(&self, place: &Place<'_>, mut bytes: Vec<u8>) -> Stencil {
        let (before, template) = self.chunk_parts(place);
        let (mut number, mut content) = (0, 0);
        bytes.clear();
        bytes.extend_from_slice(before.as_bytes());
        bytes.extend_from_slice(b"data: ");
        let mut fill = |slot: Slot, out: &mut Vec<u8>| match slot {
            Slot::Index | Slot::Sequence => number = out.len(),
            Slot::Content => content = out.len(),
            slot => self.fill(slot, place, out, None),
        };
        template.render(&mut bytes, |slot, out| {
            match (slot, place.generated.function()) {
                (Slot::Delta, None) => self.events.content.render(out, &mut fill),
                (Slot::Delta, Some(_)) => self.events.arguments.render(out, &mut fill),
                (slot, _) => fill(slot, out),
            }
        });
        bytes.extend_from_slice(b"\n\n");
        Stencil {
            bytes,
            number,
            content,
        }
    }

    #[inline]
    fn stamp(&self, stencil: &Stencil, place: &Place<'_>, out: &mut Vec<u8>) {
        let number = match place.generated.api {
            Api::Responses => place.sequence,
            _ => place.choice,
        };
        out.extend_from_slice(&stencil.bytes[..stencil.number]);
        match number {
            0..10 => out.push(b'0' + number as u8),
            _ => write!(out, "{number}").expect("a Vec takes all"),
        }
        out.extend_from_slice(&stencil.bytes[stencil.number..stencil.content]);
        self.source(place).append(place.tokens.clone(), out);
        out.extend_from_slice(&stencil.bytes[stencil.content..]);
    }
}
