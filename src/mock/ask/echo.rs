//! What the user said last, found while the body streams by. Read only where answers echo it.
//! Knows which field it stands in from who asks.

use super::escapes::{NAME_MAX, resolved};
use super::json::Event;

/// How many bytes of a message are held, as they stand in the body.
pub const ECHO_MAX: usize = 64 * 1024;

/// How many containers are open in a part of a message's content: the body, the list of messages,
/// the message, its content, the part.
pub const DEPTH: u8 = 5;

/// The longest escape of one character, a surrogate pair: where a text is cut, so many bytes may
/// have to go.
const ESCAPE_MAX: usize = 12;

/// A run of a body's bytes, copied piece by piece.
#[derive(Debug, Default)]
struct Clip {
    /// What was copied.
    bytes: Vec<u8>,
    /// Where in the body it begins.
    start: u64,
    /// Where in the piece under way the copy goes on; None when nothing is copied.
    from: Option<usize>,
}

impl Clip {
    /// Begins anew with what stands at `at` in the piece under way, which is `offset` in the body.
    fn begin(&mut self, at: usize, offset: u64) {
        self.bytes.clear();
        self.start = offset;
        self.from = Some(at);
    }

    /// Copies no more.
    fn end(&mut self) {
        self.from = None;
    }

    /// Copies up to `end` of a piece, but no more than `max` bytes in all.
    fn copy(&mut self, piece: &[u8], end: usize, max: usize) {
        if let Some(from) = self.from.take() {
            let end = end.min(from + (max - self.bytes.len()));
            self.bytes.extend_from_slice(&piece[from..end]);
        }
    }

    /// Copies the rest of a piece; the next one goes on with it.
    fn drain(&mut self, piece: &[u8], max: usize) {
        if self.from.is_some() {
            self.copy(piece, piece.len(), max);
            self.from = Some(0);
        }
    }
}

/// The message read last and the last one of a user.
#[derive(Default)]
pub struct Echo {
    clip: Clip,
    /// What the message under way says.
    said: Said,
    by_user: bool,
    last: Option<Said>,
    /// There is a list of messages.
    in_list: bool,
    /// The key of a message that was read last.
    key: Key,
    /// Its value is a list of parts.
    in_parts: bool,
    /// The key of a part that was read last is `text`.
    in_text: bool,
    /// What was said before the part under way.
    part_from: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Key {
    #[default]
    Other,
    Role,
    Content,
}

/// What a message says.
#[derive(Default)]
struct Said {
    /// As it stands between quotes.
    raw: Vec<u8>,
    /// It was too long to be held whole.
    cut: bool,
}

impl Said {
    /// Adds a string; those of several parts stand below each other.
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

/// Where in a body something was met.
#[derive(Clone, Copy)]
pub struct Met<'a> {
    /// How many containers are open.
    pub depth: u8,
    /// The piece of the body under way.
    pub piece: &'a [u8],
    /// Where in it what was met ends.
    pub at: usize,
    /// The same in the body.
    pub offset: u64,
    /// How long a string is, its quotes included.
    pub len: u64,
}

impl Echo {
    /// Forgets all and gives the memory back.
    pub fn clear(&mut self) {
        *self = Echo::default();
    }

    /// The field that holds the messages begins, perhaps not for the first time.
    pub fn begin(&mut self, met: Met<'_>) {
        self.clear();
        self.clip.begin(met.at, met.offset);
    }

    /// Another field begins.
    pub fn end(&mut self) {
        self.clip.end();
    }

    /// Reads on.
    pub fn drain(&mut self, piece: &[u8]) {
        self.clip.drain(piece, CLIP_MAX);
    }

    /// A key in a message or a part of one. Of two of a name the last counts.
    pub fn key_read(&mut self, raw: &[u8], met: Met<'_>) {
        let mut room = [0; NAME_MAX];
        match (met.depth, resolved(raw, &mut room)) {
            _ if !self.in_list => {}
            (3, b"role") => {
                self.key = Key::Role;
                self.by_user = false;
            }
            (3, b"content") => {
                self.key = Key::Content;
                self.said = Said::default();
            }
            (3, _) => self.key = Key::Other,
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

    /// What stands behind a key, or in a list; `text` is the beginning of a string.
    pub fn value_met(&mut self, event: Event, text: &[u8], met: Met<'_>) {
        let mut room = [0; NAME_MAX];
        match (event, met.depth) {
            (Event::ListBegan, 2) => self.in_list = true,
            // Messages are a list, or one string.
            (_, 2..) if !self.in_list => {}
            (Event::Text, 3) if self.key == Key::Role => {
                self.by_user = resolved(text, &mut room) == b"user";
            }
            (Event::Text, 3) if self.key == Key::Content => self.hear(met),
            (Event::Text, DEPTH) if self.in_parts && self.in_text => self.hear(met),
            // A prompt, or one of several: the last of them.
            (Event::Text, 1 | 2) => {
                self.message_ended();
                self.hear(met);
                self.last = Some(std::mem::take(&mut self.said));
            }
            (Event::ListBegan, 4) => self.in_parts = self.key == Key::Content,
            (Event::ListEnded, 3) | (Event::ObjectBegan, 4) => self.in_parts = false,
            (Event::ObjectBegan | Event::ListBegan, DEPTH) => {
                self.in_text = false;
                self.part_from = self.said.raw.len();
            }
            (Event::ObjectBegan | Event::ListBegan, 3) | (Event::ListEnded, 1) => {
                self.message_ended();
            }
            _ => {}
        }
        self.clip.begin(met.at, met.offset);
    }

    /// Takes the string that ends here.
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
        self.key = Key::Other;
        self.in_parts = false;
    }

    /// What the user said last, if anything; an error if it is no text.
    pub fn said(&self) -> Result<Option<String>, HalfPair> {
        let Some(Said { raw, cut }) = &self.last else {
            return Ok(None);
        };
        // It may have been cut within an escape or a character.
        let cuts = if *cut { ESCAPE_MAX.min(raw.len()) } else { 1 };
        let read = |raw: &[u8]| {
            let quoted = [b"\"", raw, b"\""].concat();
            serde_json::from_slice::<String>(&quoted).ok()
        };
        let said = (0..cuts).find_map(|cut| read(&raw[..raw.len() - cut]));
        said.map(Some).ok_or(HalfPair)
    }
}

/// The text holds an escape of half a surrogate pair.
#[derive(Debug)]
pub struct HalfPair;

/// How much of a body is copied at most to hold one string: what stands before it is short.
const CLIP_MAX: usize = ECHO_MAX + 1024;
