//! The last text of the user, found while the body streams by. It is read only if responses echo
//! it. The caller says which field holds the messages.

use crate::api::{problem::Problem, provider::Endpoint};
use crate::json::escapes::{NAME_MAX, resolved};
use crate::json::scanner::{Json, JsonEvent};

/// The most bytes of a message that are held, as written in the body.
pub const ECHO_MAX: usize = 64 * 1024;

/// The number of containers open in a part of a message's content: the body, the list of messages,
/// the message, its content, the part.
pub const DEPTH: u8 = 5;

/// The length of the longest escape of a character, a surrogate pair: the most bytes that a cut
/// text may have to lose in addition.
const ESCAPE_MAX: usize = 12;

/// The message being read and the last text of the user.
#[derive(Default)]
pub struct Echo {
    /// The beginning of a string that was cut between pieces of the body.
    begun: Vec<u8>,
    /// The text of the current message.
    said: Said,
    by_user: bool,
    last: Option<Said>,
    /// The messages are a list.
    in_list: bool,
    /// The key of the message read last.
    key: EchoKey,
    /// The value of the key is a list of parts.
    in_parts: bool,
    /// The key of the part read last is `text`.
    in_text: bool,
    /// The length of the text before the current part.
    part_from: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum EchoKey {
    #[default]
    Other,
    Role,
    Content,
}

/// The text of a message.
#[derive(Default)]
struct Said {
    /// The text as written between quotes, with its escapes.
    raw: Vec<u8>,
    /// The text was too long to be held whole.
    cut: bool,
}

impl Said {
    /// Adds a string in two parts. The strings of several parts of a message are separated by a
    /// line feed.
    fn add(&mut self, string: [&[u8]; 2]) {
        if !self.raw.is_empty() && !self.cut {
            self.raw.extend_from_slice(b"\\n");
        }
        for part in string {
            let room = ECHO_MAX.saturating_sub(self.raw.len());
            self.cut |= room < part.len();
            self.raw.extend_from_slice(&part[..part.len().min(room)]);
        }
    }
}

impl Echo {
    /// Forgets everything and releases the memory.
    pub fn clear(&mut self) {
        *self = Echo::default();
    }

    /// Takes the part of a string that stands at the end of a piece of the body.
    pub fn drain(&mut self, json: &Json, piece: &[u8]) {
        if let Some((text, false)) = json.cut_text(piece) {
            // One byte more than a text may have shows that it is longer.
            let room = ECHO_MAX + 1 - self.begun.len();
            self.begun.extend_from_slice(&text[..text.len().min(room)]);
        }
    }

    /// Takes a key in a message or a part of one. The last of two with the same name counts.
    pub fn key_read(&mut self, raw: &[u8], depth: u8) {
        match (depth, resolved(raw, &mut [0; NAME_MAX])) {
            _ if !self.in_list => {}
            (3, b"role") => {
                self.key = EchoKey::Role;
                self.by_user = false;
            }
            (3, b"content") => {
                self.key = EchoKey::Content;
                self.said = Said::default();
            }
            (3, _) => self.key = EchoKey::Other,
            (DEPTH, name) => {
                self.in_text = name == b"text";
                if self.in_text && !self.said.cut {
                    self.said.raw.truncate(self.part_from);
                }
            }
            _ => {}
        }
    }

    /// Takes a value behind a key or in a list, which the scanner just reported.
    pub fn value_met(&mut self, event: JsonEvent, json: &Json, piece: &[u8]) {
        match (event, json.depth()) {
            (JsonEvent::ListBegan, 2) => self.in_list = true,
            // Messages are a list or one string.
            (_, 2..) if !self.in_list => {}
            (JsonEvent::Text, 3) if self.key == EchoKey::Role => {
                self.by_user = resolved(json.text(piece), &mut [0; NAME_MAX]) == b"user";
            }
            (JsonEvent::Text, 3) if self.key == EchoKey::Content => self.hear(json, piece),
            (JsonEvent::Text, DEPTH) if self.in_parts && self.in_text => self.hear(json, piece),
            // A prompt, or one of several, of which the last counts.
            (JsonEvent::Text, 1 | 2) => {
                self.message_ended();
                self.hear(json, piece);
                self.last = Some(std::mem::take(&mut self.said));
            }
            (JsonEvent::ListBegan, 4) => self.in_parts = self.key == EchoKey::Content,
            (JsonEvent::ListEnded, 3) | (JsonEvent::ObjectBegan, 4) => self.in_parts = false,
            (JsonEvent::ObjectBegan | JsonEvent::ListBegan, DEPTH) => {
                self.in_text = false;
                self.part_from = self.said.raw.len();
            }
            (JsonEvent::ObjectBegan | JsonEvent::ListBegan, 3) | (JsonEvent::ListEnded, 1) => {
                self.message_ended();
            }
            _ => {}
        }
        self.begun.clear();
    }

    /// Adds the string that was just reported to the message.
    fn hear(&mut self, json: &Json, piece: &[u8]) {
        self.said.add([&self.begun, json.piece_of_text(piece)]);
    }

    fn message_ended(&mut self) {
        let said = std::mem::take(&mut self.said);
        if std::mem::take(&mut self.by_user) {
            self.last = Some(said);
        }
        self.key = EchoKey::Other;
        self.in_parts = false;
    }

    /// Returns the last text of the user in a body for this endpoint, if there is one; an error if
    /// it has the escape of an unpaired surrogate.
    pub fn said(&self, endpoint: &Endpoint) -> Result<Option<String>, Problem> {
        let Some(Said { raw, cut }) = &self.last else {
            return Ok(None);
        };
        // A cut may lie within an escape or a character.
        let cuts = if *cut { ESCAPE_MAX.min(raw.len()) } else { 1 };
        let read = |raw: &[u8]| {
            let quoted = [b"\"", raw, b"\""].concat();
            serde_json::from_slice::<String>(&quoted).ok()
        };
        let said = (0..cuts).find_map(|cut| read(&raw[..raw.len() - cut]));
        let half_pair = || {
            let param = endpoint.subject().map_or("messages", |row| row.name);
            let message = "The message to be echoed must contain no unpaired surrogate.";
            Problem::field(param, message)
        };
        said.map(Some).ok_or_else(half_pair)
    }
}
