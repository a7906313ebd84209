//! Parts of a body that are kept as they are while it streams by: the fields whose meaning takes
//! more than a fact or two. Only who sends them pays for them. Knows no field's meaning.

use serde_json::Value;

use super::field::Field;

/// The longest value of a field that is held, in bytes: a few hundred functions take less.
pub const HELD_MAX: usize = 1 << 20;

/// A run of a body's bytes, copied piece by piece.
#[derive(Debug, Default)]
pub struct Clip {
    /// What was copied.
    pub bytes: Vec<u8>,
    /// Where in the body it begins.
    pub start: u64,
    /// Where in the piece under way the copy goes on; None when nothing is copied.
    from: Option<usize>,
}

impl Clip {
    /// Begins anew with what stands at `at` in the piece under way, which is `offset` in the body.
    pub fn begin(&mut self, at: usize, offset: u64) {
        self.bytes.clear();
        self.start = offset;
        self.from = Some(at);
    }

    /// Copies no more.
    pub fn end(&mut self) {
        self.from = None;
    }

    /// Leaves out what stands between a key and its value.
    fn skip_to_value(&mut self, piece: &[u8]) {
        if let Some(from) = self.from.as_mut().filter(|_| self.bytes.is_empty()) {
            let before = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b':';
            *from += piece[*from..].iter().take_while(before).count();
        }
    }

    /// Copies up to `end` of a piece, but no more than `max` bytes in all.
    pub fn copy(&mut self, piece: &[u8], end: usize, max: usize) {
        if let Some(from) = self.from.take() {
            let end = end.min(from + (max - self.bytes.len()));
            self.bytes.extend_from_slice(&piece[from..end]);
        }
    }

    /// Copies the rest of a piece; the next one goes on with it.
    pub fn drain(&mut self, piece: &[u8], max: usize) {
        if self.from.is_some() {
            self.copy(piece, piece.len(), max);
            self.from = Some(0);
        }
    }
}

/// The fields of a body that are held, each its raw text.
#[derive(Debug, Default)]
pub struct Held {
    clips: Vec<(Field, Clip)>,
    /// Which of them goes on.
    open: Option<usize>,
}

/// Why a field that is held has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It takes more than [`HELD_MAX`] bytes.
    TooLong,
    /// It holds a number that no double holds, or half a surrogate pair.
    Odd,
}

impl Held {
    /// Forgets all and gives the memory back.
    pub fn clear(&mut self) {
        if !self.is_empty() {
            *self = Held::default();
        }
    }

    /// Whether none of the fields was there.
    pub fn is_empty(&self) -> bool {
        self.clips.is_empty()
    }

    /// A key was read; `field` is the one behind it if that is to be held. Of two values of one
    /// field the last is held.
    pub(crate) fn key_read(&mut self, field: Option<Field>, piece: &[u8], at: usize) {
        if let Some(open) = self.open.take() {
            let clip = &mut self.clips[open].1;
            clip.skip_to_value(piece);
            clip.copy(piece, at, HELD_MAX);
        }
        if let Some(field) = field {
            let known = self.clips.iter().position(|(held, _)| *held == field);
            let place = known.unwrap_or_else(|| {
                self.clips.push((field, Clip::default()));
                self.clips.len() - 1
            });
            self.clips[place].1.begin(at, 0);
            self.open = Some(place);
        }
    }

    /// A piece of the body ends.
    pub fn drain(&mut self, piece: &[u8]) {
        if let Some(open) = self.open {
            let clip = &mut self.clips[open].1;
            clip.skip_to_value(piece);
            clip.drain(piece, HELD_MAX);
        }
    }

    /// What a field holds; None if it is absent or null.
    pub(crate) fn value(&self, field: Field) -> Result<Option<Value>, Unread> {
        let Some((_, clip)) = self.clips.iter().find(|(held, _)| *held == field) else {
            return Ok(None);
        };
        // It goes on up to the end of the next key, which is not read.
        let mut values = serde_json::Deserializer::from_slice(&clip.bytes).into_iter();
        match values.next() {
            Some(Ok(Value::Null)) | None => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(error)) if error.is_eof() => Err(Unread::TooLong),
            Some(Err(_)) => Err(Unread::Odd),
        }
    }
}
