//! The last text of the user, found while the body streams by. It is read only if responses echo
//! it. The caller says which field holds the messages.

use crate::api::problem::Problem;
use crate::api::provider::Endpoint;
use crate::json::escapes::{NAME_MAX, resolved};
use crate::json::scanner::JsonEvent;

/// The most bytes of a message that are held, as written in the body.
pub const ECHO_MAX: usize = 64 * 1024;

/// The number of containers open in a part of a message's content: the body, the list of messages,
/// the message, its content, the part.
pub const DEPTH: u8 = 5;

/// The length of the longest escape of a character, a surrogate pair: the most bytes that a cut
/// text may have to lose in addition.
const ESCAPE_MAX: usize = 12;

/// A run of bytes of the body, copied piece by piece.
#[derive(Debug, Default)]
struct Clip {
    /// The copied bytes.
    bytes: Vec<u8>,
    /// The offset of the run in the body.
    start: u64,
    /// The offset in the current piece at which the copy continues; None if nothing is copied.
    from: Option<usize>,
}

impl Clip {
    /// Starts over at `at` in the current piece, which is `offset` in the body.
    fn begin(&mut self, at: usize, offset: u64) {
        self.bytes.clear();
        self.start = offset;
        self.from = Some(at);
    }

    /// Stops copying.
    fn end(&mut self) {
        self.from = None;
    }

    /// Copies up to `end` of a piece, but at most `max` bytes in total.
    fn copy(&mut self, piece: &[u8], end: usize, max: usize) {
        if let Some(from) = self.from.take() {
            let end = end.min(from + (max - self.bytes.len()));
            self.bytes.extend_from_slice(&piece[from..end]);
        }
    }

    /// Copies the rest of a piece and continues with the next one.
    fn drain(&mut self, piece: &[u8], max: usize) {
        if self.from.is_some() {
            self.copy(piece, piece.len(), max);
            self.from = Some(0);
        }
    }
}

/// The message being read and the last text of the user.
#[derive(Default)]
pub struct Echo {
    clip: Clip,
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
    /// Adds a string. Those of several parts are separated by a line feed.
    fn add(&mut self, raw: &[u8], len: usize) {
        if !self.raw.is_empty() && !self.cut {
            self.raw.extend_from_slice(b"\\n");
        }
        let room = ECHO_MAX.saturating_sub(self.raw.len());
        let held = &raw[..raw.len().min(len).min(room)];
        self.cut |= held.len() < len;
        self.raw.extend_from_slice(held);
    }
}

/// A position in the body.
#[derive(Clone, Copy)]
pub struct Met<'a> {
    /// The number of open containers.
    pub depth: u8,
    /// The current piece of the body.
    pub piece: &'a [u8],
    /// The offset in the piece at which the value ends.
    pub at: usize,
    /// The same offset in the body.
    pub offset: u64,
    /// The length of a string with its quotes.
    pub len: u64,
}

impl Echo {
    /// Forgets everything and releases the memory.
    pub fn clear(&mut self) {
        *self = Echo::default();
    }

    /// Begins the field that holds the messages, perhaps not for the first time.
    pub fn begin(&mut self, met: Met<'_>) {
        self.clear();
        self.clip.begin(met.at, met.offset);
    }

    /// Begins another field.
    pub fn end(&mut self) {
        self.clip.end();
    }

    /// Takes the end of a piece.
    pub fn drain(&mut self, piece: &[u8]) {
        self.clip.drain(piece, CLIP_MAX);
    }

    /// Takes a key in a message or a part of one. The last of two with the same name counts.
    pub fn key_read(&mut self, raw: &[u8], met: Met<'_>) {
        let mut room = [0; NAME_MAX];
        match (met.depth, resolved(raw, &mut room)) {
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
        self.clip.begin(met.at, met.offset);
    }

    /// Takes a value behind a key or in a list; `text` is the beginning of a string.
    pub fn value_met(&mut self, event: JsonEvent, text: &[u8], met: Met<'_>) {
        let mut room = [0; NAME_MAX];
        match (event, met.depth) {
            (JsonEvent::ListBegan, 2) => self.in_list = true,
            // Messages are a list or one string.
            (_, 2..) if !self.in_list => {}
            (JsonEvent::Text, 3) if self.key == EchoKey::Role => {
                self.by_user = resolved(text, &mut room) == b"user";
            }
            (JsonEvent::Text, 3) if self.key == EchoKey::Content => self.hear(met),
            (JsonEvent::Text, DEPTH) if self.in_parts && self.in_text => self.hear(met),
            // A prompt, or one of several, of which the last counts.
            (JsonEvent::Text, 1 | 2) => {
                self.message_ended();
                self.hear(met);
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
        self.clip.begin(met.at, met.offset);
    }

    /// Adds the string that ends here to the message.
    fn hear(&mut self, met: Met<'_>) {
        self.clip.copy(met.piece, met.at, CLIP_MAX);
        let from = (met.offset - met.len + 1 - self.clip.start) as usize;
        if let Some(raw) = self.clip.bytes.get(from..) {
            self.said.add(raw, met.len as usize - 2);
        }
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

/// The most bytes of a body that are copied to hold one string: little precedes it.
const CLIP_MAX: usize = ECHO_MAX + 1024;
