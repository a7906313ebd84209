//! The reader of request bodies: finds the few facts that a response needs while the body streams
//! by, without holding it. It connects the JSON scanner to the table of fields.

mod echo;
mod fields;
mod strict;

use crate::api::{facts::Facts, problem::Problem, provider::Endpoint, table::ENDPOINTS};
use crate::json::escapes::{NAME_MAX, resolved};
use crate::json::scanner::{Fault, Json, JsonEvent};
use crate::meter::HELD;
use echo::Echo;
use fields::Fields;
use strict::Strict;

/// The parts of bodies that are read only on demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The last text of the user.
    pub echo: bool,
    /// The presence and the types of fields.
    pub strict: bool,
}

/// A reader of request bodies, one after the other; each starts with `begin`.
pub struct BodyReader {
    json: Json,
    /// The number of bytes of a byte order mark at the start of a body that is not JSON; None if it
    /// starts with something else.
    mark: Option<u8>,
    fields: Fields,
    echo: Option<Box<Echo>>,
    strict: Option<Box<Strict>>,
}

/// The byte order mark of UTF-8, with which a JSON text must not begin (RFC 8259, 8.1).
const MARK: &[u8] = b"\xef\xbb\xbf";

impl BodyReader {
    /// Creates a reader that is ready for a body of the first endpoint.
    pub fn new(reading: Reading) -> BodyReader {
        BodyReader {
            json: Json::new(),
            mark: Some(0),
            fields: Fields::new(),
            echo: reading.echo.then(Box::default),
            strict: reading.strict.then(|| Box::new(Strict::new(&ENDPOINTS[0]))),
        }
    }

    /// The parts of bodies that it reads on demand.
    pub fn reading(&self) -> Reading {
        Reading {
            echo: self.echo.is_some(),
            strict: self.strict.is_some(),
        }
    }

    /// Forgets the last body and starts one of `endpoint`, whose fields are read.
    pub fn begin(&mut self, endpoint: &'static Endpoint) {
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

    /// Releases the memory that the last body took.
    pub fn release(&mut self) {
        self.fields.facts.held.clear();
        self.fields.facts.echo = None;
        if let Some(echo) = &mut self.echo {
            echo.clear();
        }
    }

    /// Takes the next bytes of the body, cut anywhere. After the first error in the JSON text,
    /// which `finish` reports, it returns at once.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.json.fault.is_some() {
            return self.match_mark(bytes);
        }
        loop {
            match self.json.next(bytes) {
                JsonEvent::Drained => return self.drained(bytes),
                JsonEvent::Failed if self.json.offset() == 0 => return self.match_mark(bytes),
                JsonEvent::Failed => return self.mark = None,
                JsonEvent::Key if self.json.depth() == 1 => self.key_read(bytes),
                event if self.fields.facts.held.is_open() => self.held_met(event, bytes),
                JsonEvent::Key => {
                    let raw = self.json.text(bytes);
                    self.fields.inner_key_read(raw);
                    if let Some(echo) = &mut self.echo
                        && self.fields.in_prompt()
                    {
                        echo.key_read(raw, self.json.depth());
                    }
                }
                event => {
                    let text = met_text(&self.json, event, bytes);
                    self.fields.value_met(event, text, self.json.depth());
                    if self.fields.in_prompt() {
                        let (offset, len) = (self.json.offset(), self.json.reported_len(event));
                        let depth = self.json.depth();
                        self.fields.facts.measure(event, depth, offset, len);
                        if let Some(echo) = &mut self.echo {
                            echo.value_met(event, &self.json, bytes);
                        }
                    }
                    if let Some(strict) = &mut self.strict {
                        strict.value_met(event, self.json.depth());
                    }
                }
            }
            self.json.watch = self.watch();
        }
    }

    /// Takes a value in a field that is held. Only its outermost value is checked.
    fn held_met(&mut self, event: JsonEvent, bytes: &[u8]) {
        self.json.work += HELD as u32;
        if self.fields.facts.held.take(event, &self.json, bytes) {
            let text = met_text(&self.json, event, bytes);
            self.fields.value_met(event, text, self.json.depth());
            if let Some(strict) = &mut self.strict {
                strict.value_met(event, self.json.depth());
            }
        }
        self.json.whole = self.fields.facts.held.is_open();
    }

    /// Compares the next bytes of a body that is not JSON with a byte order mark.
    #[cold]
    fn match_mark(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.mark = match self.mark {
                Some(at) if usize::from(at) == MARK.len() => return,
                Some(at) if MARK[usize::from(at)] == *byte => Some(at + 1),
                _ => None,
            };
        }
    }

    fn key_read(&mut self, bytes: &[u8]) {
        let raw = self.json.text(bytes);
        self.fields.key_read(raw);
        if let Some(echo) = &mut self.echo
            && self.fields.in_prompt()
        {
            echo.clear();
        }
        if let Some(strict) = &mut self.strict {
            strict.key_read(resolved(raw, &mut [0; NAME_MAX]));
        }
        self.json.whole = self.fields.hold();
    }

    fn drained(&mut self, bytes: &[u8]) {
        self.fields.facts.held.drain(&self.json, bytes);
        if let Some(echo) = &mut self.echo
            && self.fields.in_prompt()
        {
            echo.drain(&self.json, bytes);
        }
    }

    /// Returns the number of levels of containers that the scanner has to report now.
    #[inline]
    fn watch(&self) -> u8 {
        if self.json.whole {
            return u8::MAX;
        }
        let mut watch = self.fields.watch();
        if self.echo.is_some() && self.fields.in_prompt() {
            watch = watch.max(echo::DEPTH);
        }
        if let Some(strict) = &self.strict {
            watch = watch.max(strict.watch());
        }
        watch
    }

    /// Returns the units that were spent since the last call, and not charged otherwise.
    pub fn take_work(&mut self) -> i64 {
        std::mem::take(&mut self.json.work).into()
    }

    /// The memory that the held fields take, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.fields.facts.held.bytes()
    }

    /// The facts of a body that `finish` found to be right.
    pub fn facts(&self) -> &Facts {
        &self.fields.facts
    }

    /// Returns the facts of the whole body, or its error: the first one in the JSON text, otherwise
    /// the first refusal in the order of the table of fields. An empty body means every default.
    pub fn finish(&mut self) -> Result<&Facts, Problem> {
        self.json.finish().map_err(|fault| match fault {
            Fault::Syntax if self.mark == Some(MARK.len() as u8) => Problem::MARKED,
            Fault::Syntax => Problem::NOT_JSON.with_number(self.json.offset()),
            Fault::NotObject => Problem::NOT_OBJECT,
            Fault::TooDeep => Problem::TOO_DEEP,
        })?;
        if let Some(strict) = &self.strict {
            self.fields.facts.lacks = strict.finish()?;
        }
        if let Some(echo) = &self.echo {
            self.fields.facts.echo = echo.said(self.fields.endpoint)?;
        }
        self.fields.settled()
    }
}

/// Returns the text of a string or an integer, and an empty one for every other value.
#[inline]
fn met_text<'a>(json: &'a Json, event: JsonEvent, piece: &'a [u8]) -> &'a [u8] {
    match event {
        JsonEvent::Text | JsonEvent::Integer => json.text(piece),
        _ => b"",
    }
}

#[cfg(any(test, fuzzing))]
pub mod tests;
