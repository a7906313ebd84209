//! The few facts an answer needs from the request body, found while it streams by and never held.
//! It ties the scanner, which knows JSON and no field, to the fields, which know no JSON. It does
//! not know what is answered, nor which fields an endpoint requires.

mod escapes;
mod field;
mod fields;
mod json;
mod runs;

use field::Refusal;
use fields::Fields;
pub use fields::{Encoding, Facts};
use json::{Event, Fault, Json};

use super::route::Endpoint;

/// Reads request bodies, one after the other; each starts with `begin`.
pub struct Ask {
    json: Json,
    fields: Fields,
}

impl Default for Ask {
    fn default() -> Ask {
        Ask::new()
    }
}

impl Ask {
    /// A reader that can take a body of the chat endpoint at once.
    pub fn new() -> Ask {
        Ask {
            json: Json::new(),
            fields: Fields::new(),
        }
    }

    /// Forgets the last body and starts one for `endpoint`, whose fields are read; an endpoint
    /// without a body of its own reads none.
    pub fn begin(&mut self, endpoint: Endpoint) {
        self.json.begin();
        self.fields.begin(endpoint);
    }

    /// Takes the next bytes of the body, cut anywhere. After the first error in the JSON text it
    /// returns at once; `finish` tells of it.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.json.fault.is_some() {
            return;
        }
        loop {
            match self.json.next(bytes) {
                Event::Drained | Event::Failed => return,
                Event::Key if self.json.depth() == 1 => {
                    self.fields.key_read(self.json.text(bytes));
                }
                Event::Key => self.fields.inner_key_read(self.json.text(bytes)),
                event => {
                    let text = match event {
                        Event::Text | Event::Integer => self.json.text(bytes),
                        _ => b"",
                    };
                    self.fields.depth = self.json.depth();
                    self.fields.value_met(event, text);
                    let (offset, len) = (self.json.offset(), self.json.told_len(event));
                    self.fields.measure(event, offset, len);
                }
            }
            self.json.watch = self.fields.watch();
        }
    }

    /// The facts of the whole body, or what is wrong with it: the first error in the JSON text,
    /// or else the first field refused in the order of `Field`. No body at all asks for every
    /// default.
    pub fn finish(&mut self) -> Result<&Facts, Bad> {
        self.json.finish().map_err(|fault| match fault {
            Fault::Syntax => Bad::Syntax {
                at: self.json.offset(),
            },
            Fault::NotObject => Bad::NotObject,
            Fault::TooDeep => Bad::TooDeep,
        })?;
        let settled = self.fields.settled();
        settled.map_err(|Refusal { param, message }| Bad::Field { param, message })
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
}

#[cfg(test)]
mod tests;
