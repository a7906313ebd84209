//! What the user said last, found while the body streams by. Read only where answers echo it.
//! Knows which field it stands in from who asks.

use super::escapes::{NAME_MAX, resolved};
use super::held::Clip;
use super::json::Event;

/// How many bytes of a message are held, as they stand in the body.
pub const ECHO_MAX: usize = 64 * 1024;

/// How many containers are open in a part of a message's content: the body, the list of messages,
/// the message, its content, the part.
pub const DEPTH: u8 = 5;

/// The longest escape of one character, a surrogate pair: where a text is cut, so many bytes may
/// have to go.
const ESCAPE_MAX: usize = 12;

/// The message read last and the last one of a user.
#[derive(Default)]
pub struct Echo {
    clip: Clip,
    /// What the message under way says, as it stands between quotes.
    said: Vec<u8>,
    by_user: bool,
    last: Option<Vec<u8>>,
    /// Something was too long to be held whole.
    cut: bool,
    /// What the next string is.
    due: Due,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Due {
    /// Nothing of interest.
    #[default]
    Other,
    /// The role of the message.
    Role,
    /// What it says, or a part of that.
    Words,
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
        self.due = Due::Words;
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

    /// A key in a message or a part of one.
    pub fn key_read(&mut self, raw: &[u8], met: Met<'_>) {
        let mut room = [0; NAME_MAX];
        self.due = match (met.depth, resolved(raw, &mut room)) {
            (3, b"role") => Due::Role,
            (3, b"content") => {
                self.said.clear();
                Due::Words
            }
            (DEPTH, b"text") => Due::Words,
            _ => Due::Other,
        };
        self.clip.begin(met.at, met.offset);
    }

    /// What stands behind a key, or in a list; `text` is the beginning of a string.
    pub fn value_met(&mut self, event: Event, text: &[u8], met: Met<'_>) {
        let mut room = [0; NAME_MAX];
        match (event, met.depth) {
            (Event::Text, 3) if self.due == Due::Role => {
                self.by_user = resolved(text, &mut room) == b"user";
            }
            (Event::Text, 3 | DEPTH) if self.due == Due::Words => self.hear(met),
            // A prompt, or one of several: the last of them.
            (Event::Text, 1 | 2) => {
                self.said.clear();
                self.hear(met);
                self.last = Some(std::mem::take(&mut self.said));
            }
            (Event::ObjectBegan, 3) | (Event::ListEnded, 1) => self.message_ended(),
            _ => {}
        }
        self.clip.begin(met.at, met.offset);
    }

    /// Takes the string that ends here.
    fn hear(&mut self, met: Met<'_>) {
        self.clip.copy(met.piece, met.at, CLIP_MAX);
        let from = (met.offset - met.len + 1 - self.clip.start) as usize;
        let Some(said) = self.clip.bytes.get(from..) else {
            return;
        };
        // Parts stand below each other.
        if !self.said.is_empty() && !self.cut {
            self.said.extend_from_slice(b"\\n");
        }
        let len = met.len as usize - 2;
        let room = ECHO_MAX.saturating_sub(self.said.len());
        let said = &said[..said.len().min(len).min(room)];
        self.cut |= said.len() < len;
        self.said.extend_from_slice(said);
    }

    fn message_ended(&mut self) {
        if std::mem::take(&mut self.by_user) {
            self.last = Some(std::mem::take(&mut self.said));
        }
        self.said.clear();
        self.due = Due::Other;
    }

    /// What the user said last, if anything; an error if it is no text.
    pub fn said(&self) -> Result<Option<String>, HalfPair> {
        let Some(raw) = &self.last else {
            return Ok(None);
        };
        // It may have been cut within an escape or a character.
        let cuts = if self.cut {
            ESCAPE_MAX.min(raw.len())
        } else {
            1
        };
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
