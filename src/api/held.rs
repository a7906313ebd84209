//! The fields of a body that are kept whole because their meaning takes more than a fact or two.
//! Each becomes a tree while it arrives, so nothing is left to be parsed when the body ends.
//! Requests without such fields pay nothing.

use std::rc::Rc;

use crate::json::scanner::{Json, JsonEvent};
use crate::json::{Builder, Node, Tree};

/// The longest value of a field that is held, in bytes: a few hundred functions take less.
pub const HELD_MAX: usize = 1 << 20;

/// The longest number in such a value, in bytes: the most that the scanner keeps of one.
pub const NUMBER_MAX: usize = 256;

/// The fields of a body that are held.
#[derive(Debug, Default)]
pub struct Held {
    fields: Vec<(&'static str, Result<Rc<Tree>, Unread>)>,
    open: Option<Box<Open>>,
}

/// A field whose value is arriving.
#[derive(Debug, Default)]
struct Open {
    field: &'static str,
    builder: Builder,
    /// The offset of the value in the body, once it has begun.
    start: Option<u64>,
    /// Set once the scanner has reported part of the value.
    met: bool,
    /// The reason why it cannot be kept, if that was found in the middle of a string, whose end is
    /// to come.
    broken: Option<Unread>,
}

/// The reason why a field that is held has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is longer than [`HELD_MAX`] bytes.
    TooLong,
    /// It holds a number that no double holds or that is longer than 256 bytes, or an
    /// unpaired surrogate.
    Odd,
}

impl Held {
    /// Forgets all fields and releases their memory.
    pub fn clear(&mut self) {
        if !self.fields.is_empty() || self.open.is_some() {
            *self = Held::default();
        }
    }

    /// The memory that the fields take, in bytes.
    pub fn bytes(&self) -> usize {
        let trees = self
            .fields
            .iter()
            .filter_map(|(_, value)| value.as_ref().ok());
        let open = self.open.as_ref().map_or(0, |open| open.builder.bytes());
        trees.map(|tree| tree.bytes()).sum::<usize>() + open
    }

    /// Returns true if none of the fields is present.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns true if a value is arriving that is to be held.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Begins the field of this name, whose value comes next. If a field occurs twice, its last
    /// value is held.
    pub fn begin(&mut self, field: &'static str) {
        self.fields.retain(|(known, _)| *known != field);
        self.open = Some(Box::new(Open {
            field,
            ..Open::default()
        }));
    }

    /// Takes what the scanner reports of the value. Returns true for the first report of it.
    pub fn take(&mut self, event: JsonEvent, json: &Json, piece: &[u8]) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let first = !std::mem::replace(&mut open.met, true);
        let offset = json.offset();
        let start = *open.start.get_or_insert_with(|| match event {
            JsonEvent::Text => offset - json.reported_len(event),
            // Of other values only the first byte matters: none of them can be too long.
            _ => offset - 1,
        });
        if let Some(why) = open.broken.or_else(|| too_long(offset - start)) {
            self.end(Err(why));
        } else if open.add(event, json, piece).is_none() {
            self.end(Err(Unread::Odd));
        } else if open.builder.is_complete() {
            let tree = std::mem::take(&mut open.builder).finish();
            self.end(Ok(Rc::new(tree)));
        }
        first
    }

    /// Takes the part of a string or key that stands at the end of a piece of the body.
    pub fn drain(&mut self, json: &Json, piece: &[u8]) {
        let Some(open) = &mut self.open else { return };
        let Some((text, is_key)) = json.cut_text(piece) else {
            return;
        };
        // The string may be the value itself, which has not been reported yet.
        let before = json.offset() - text.len() as u64;
        let start = *open.start.get_or_insert(before.saturating_sub(1));
        open.broken = open.broken.or_else(|| too_long(json.offset() - start));
        if open.broken.is_none() && open.builder.string_piece(text, is_key).is_err() {
            open.broken = Some(Unread::Odd);
        }
    }

    fn end(&mut self, value: Result<Rc<Tree>, Unread>) {
        if let Some(open) = self.open.take() {
            self.fields.push((open.field, value));
        }
    }

    /// Returns the value of the field of this name; `None` if it is absent or null.
    pub fn value(&self, field: &str) -> Result<Option<Rc<Tree>>, Unread> {
        let found = self.fields.iter().find(|(held, _)| *held == field);
        match found {
            Some((_, Ok(tree))) if tree.node(0) == Node::Null => Ok(None),
            Some((_, value)) => value.clone().map(Some),
            None => Ok(None),
        }
    }
}

fn too_long(len: u64) -> Option<Unread> {
    (len > HELD_MAX as u64).then_some(Unread::TooLong)
}

impl Open {
    /// Adds what was reported; `None` if it cannot be kept.
    fn add(&mut self, event: JsonEvent, json: &Json, piece: &[u8]) -> Option<()> {
        let builder = &mut self.builder;
        match event {
            JsonEvent::Key | JsonEvent::Text => {
                let text = json.piece_of_text(piece);
                builder.string_piece(text, event == JsonEvent::Key).ok()?;
                builder.string_end().ok()?;
            }
            JsonEvent::Integer | JsonEvent::Decimal => {
                let raw = Some(json.text(piece)).filter(|raw| raw.len() <= NUMBER_MAX)?;
                builder.number(raw).ok()?;
            }
            JsonEvent::True | JsonEvent::False => builder.boolean(event == JsonEvent::True),
            JsonEvent::Null => builder.null(),
            JsonEvent::ListBegan | JsonEvent::ObjectBegan => {
                builder.begin(event == JsonEvent::ObjectBegan)
            }
            JsonEvent::ListEnded | JsonEvent::ObjectEnded => builder.end(),
            JsonEvent::Numbers | JsonEvent::Drained | JsonEvent::Failed => {
                unreachable!("the scanner reports no value by these where it reports all")
            }
        }
        Some(())
    }
}
