//! The few facts an answer needs from the request body, found while it streams by and never held.
//! It ties the scanner, which knows JSON and no field, to the fields, which know no JSON. It does
//! not know what is answered, nor which fields an endpoint requires.

mod echo;
mod escapes;
mod field;
mod fields;
mod held;
mod inputs;
mod json;
mod runs;
mod strict;

use echo::{Echo, Met};
use escapes::{NAME_MAX, resolved};
pub(super) use field::Field;
use field::Refusal;
pub use fields::Facts;
use fields::Fields;
pub use held::{HELD_MAX, Unread};
use json::{Event, Fault, Json};
use strict::Strict;
pub use strict::Wrong;
pub(super) use strict::subject;

use super::route::Endpoint;

/// What is read of bodies beside what every answer needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// What the user said last.
    pub echo: bool,
    /// Whether fields are there and of the right type.
    pub strict: bool,
}

/// Reads request bodies, one after the other; each starts with `begin`.
pub struct Ask {
    json: Json,
    /// How many bytes of a byte order mark a body that is no JSON begins with; None once it begins
    /// otherwise.
    mark: Option<usize>,
    fields: Fields,
    echo: Option<Box<Echo>>,
    strict: Option<Box<Strict>>,
}

/// UTF-8's byte order mark, which a JSON text must not begin with (RFC 8259, 8.1).
const MARK: &[u8] = b"\xef\xbb\xbf";

impl Ask {
    /// A reader that can take a body of the chat endpoint at once.
    pub fn new(reading: Reading) -> Ask {
        Ask {
            json: Json::new(),
            mark: Some(0),
            fields: Fields::new(),
            echo: reading.echo.then(Box::default),
            strict: reading
                .strict
                .then(|| Box::new(Strict::new(Endpoint::Chat))),
        }
    }

    /// Forgets the last body and starts one for `endpoint`, whose fields are read.
    pub fn begin(&mut self, endpoint: Endpoint) {
        self.json.begin();
        self.mark = Some(0);
        self.fields.begin(endpoint);
        if let Some(echo) = &mut self.echo {
            echo.clear();
        }
        if let Some(strict) = &mut self.strict {
            **strict = Strict::new(endpoint);
        }
    }

    /// Gives back the memory that the last body took.
    pub fn rest(&mut self) {
        self.fields.facts.held.clear();
        self.fields.facts.echo = None;
        if let Some(echo) = &mut self.echo {
            echo.clear();
        }
    }

    /// Takes the next bytes of the body, cut anywhere. After the first error in the JSON text it
    /// returns at once; `finish` tells of it.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.json.fault.is_some() {
            return self.look_for_mark(bytes);
        }
        loop {
            match self.json.next(bytes) {
                Event::Drained => return self.drained(bytes),
                Event::Failed if self.json.offset() == 0 => return self.look_for_mark(bytes),
                Event::Failed => return self.mark = None,
                Event::Key if self.json.depth() == 1 => self.key_read(bytes),
                event if self.fields.facts.held.is_open() => self.held_met(event, bytes),
                Event::Key => {
                    let raw = self.json.text(bytes);
                    self.fields.inner_key_read(raw);
                    if let Some(echo) = &mut self.echo
                        && self.fields.in_subject()
                    {
                        echo.key_read(raw, met(&self.json, Event::Key, bytes));
                    }
                }
                event => {
                    let text = met_text(&self.json, event, bytes);
                    self.fields.depth = self.json.depth();
                    self.fields.value_met(event, text);
                    let (offset, len) = (self.json.offset(), self.json.told_len(event));
                    self.fields.measure(event, offset, len);
                    if let Some(echo) = &mut self.echo
                        && self.fields.in_subject()
                    {
                        echo.value_met(event, text, met(&self.json, event, bytes));
                    }
                    if let Some(strict) = &mut self.strict {
                        strict.value_met(event, self.json.depth());
                    }
                }
            }
            self.json.watch = self.watch();
        }
    }

    /// Takes what is met in a field that is held. Only its outermost value is checked.
    fn held_met(&mut self, event: Event, bytes: &[u8]) {
        if self.fields.facts.held.take(event, &self.json, bytes) {
            self.fields.depth = self.json.depth();
            self.fields
                .value_met(event, met_text(&self.json, event, bytes));
            if let Some(strict) = &mut self.strict {
                strict.value_met(event, self.json.depth());
            }
        }
        self.json.whole = self.fields.facts.held.is_open();
    }

    /// Compares the next bytes of a body that is no JSON with a byte order mark.
    #[cold]
    fn look_for_mark(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.mark = match self.mark {
                Some(at) if at == MARK.len() => return,
                Some(at) if MARK[at] == *byte => Some(at + 1),
                _ => None,
            };
        }
    }

    fn key_read(&mut self, bytes: &[u8]) {
        let raw = self.json.text(bytes);
        self.fields.key_read(raw);
        if let Some(echo) = &mut self.echo {
            match self.fields.in_subject() {
                true => echo.begin(met(&self.json, Event::Key, bytes)),
                false => echo.end(),
            }
        }
        if let Some(strict) = &mut self.strict {
            strict.key_read(resolved(raw, &mut [0; NAME_MAX]));
        }
        self.json.whole = self.fields.hold();
    }

    fn drained(&mut self, bytes: &[u8]) {
        self.fields.facts.held.drain(&self.json, bytes);
        if let Some(echo) = &mut self.echo {
            echo.drain(bytes);
        }
    }

    /// How many levels of containers are of interest now.
    #[inline]
    fn watch(&self) -> u8 {
        if self.json.whole {
            return u8::MAX;
        }
        let mut watch = self.fields.watch();
        if self.echo.is_some() && self.fields.in_subject() {
            watch = watch.max(echo::DEPTH);
        }
        if let Some(strict) = &self.strict {
            watch = watch.max(strict.watch());
        }
        watch
    }

    /// The facts of the whole body, or what is wrong with it: the first error in the JSON text,
    /// or else the first field refused in the order of `Field`. No body at all asks for every
    /// default.
    pub fn finish(&mut self) -> Result<&Facts, Bad> {
        self.json.finish().map_err(|fault| match fault {
            Fault::Syntax if self.mark == Some(MARK.len()) => Bad::Marked,
            Fault::Syntax => Bad::Syntax {
                at: self.json.offset(),
            },
            Fault::NotObject => Bad::NotObject,
            Fault::TooDeep => Bad::TooDeep,
        })?;
        if let Some(strict) = &self.strict {
            self.fields.facts.lacks = strict.finish().map_err(Bad::Strict)?;
        }
        if let Some(echo) = &self.echo {
            self.fields.facts.echo = echo.said().map_err(|echo::HalfPair| Bad::HalfPair)?;
        }
        let settled = self.fields.settled();
        settled.map_err(|Refusal { param, message }| Bad::Field { param, message })
    }
}

/// The text of a string or an integer; empty for every other value.
#[inline]
fn met_text<'a>(json: &'a Json, event: Event, piece: &'a [u8]) -> &'a [u8] {
    match event {
        Event::Text | Event::Integer => json.text(piece),
        _ => b"",
    }
}

/// What was just told, and where.
fn met<'a>(json: &Json, event: Event, piece: &'a [u8]) -> Met<'a> {
    Met {
        depth: json.depth(),
        piece,
        at: json.at(),
        offset: json.offset(),
        len: json.told_len(event),
    }
}

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// Not JSON: the offset (from 0) of the first byte that cannot continue a JSON text; the
    /// body's length if it ends early.
    Syntax {
        /// Bytes before the offending one.
        at: u64,
    },
    /// Not JSON: it begins with a byte order mark.
    Marked,
    /// The top level is not an object.
    NotObject,
    /// More than 128 containers are nested.
    TooDeep,
    /// The JSON is fine; a field is not.
    Field {
        /// The field's name as in the API.
        param: &'static str,
        /// A full sentence: what is wrong and what is allowed.
        message: &'static str,
    },
    /// With `-strict`: what OpenAI would not take.
    Strict(Wrong),
    /// What the user said last is to be echoed and is no text: it holds half a surrogate pair.
    HalfPair,
}

#[cfg(any(test, fuzzing))]
pub mod tests;
