//! Turns replies into bytes: HTTP's head and the mock's content. An answer that fits is rendered
//! once and kept; the next of its shape is that copy with other numbers in it. Knows no
//! connection.

use std::rc::Rc;

use crate::http::answer::{self, Framing, KeepAlive, Persistence};
use crate::http::date;
use crate::mock::book::Book;
use crate::mock::number::{Note, patch};
use crate::mock::reply::{KINDS, Reply, Shape};

/// Content up to so many bytes is written in one piece; longer content, item by item as the outbox
/// empties.
const WHOLE_MAX: u64 = 64 * 1024;

/// What the heads of all responses share for a second: the time, and how long connections may idle.
#[derive(Debug)]
pub struct Clock {
    /// Unix time in seconds.
    pub unix: i64,
    /// The same as a `Date` field has it.
    pub date: [u8; date::LEN],
    /// The fields of a response after which the connection stays open.
    pub keep_alive: KeepAlive,
}

/// How an answer is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// What the answer says of the connection.
    pub persistence: Persistence,
    /// The request was HEAD: the fields of GET, no content (RFC 9110, 9.3.2).
    pub bodiless: bool,
    /// The client speaks HTTP/1.0, which knows no chunks.
    pub old: bool,
    /// The client's bytes may still be on their way when it has been sent: the connection lingers.
    pub early: bool,
}

/// Whether there is more of an answer than was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The whole of it was.
    All,
    /// Its items follow, from the first.
    Opening,
    /// Its events follow, each when it is due.
    Head,
}

/// The answers of one core, the last of each shape.
#[derive(Debug, Default)]
pub struct Writer {
    images: [Option<Image>; KINDS],
    scratch: Vec<u8>,
    /// Notes that nobody needs, of heads that are not kept.
    notes: Vec<Note>,
}

/// A whole answer, and where in it numbers stand.
#[derive(Debug)]
struct Image {
    shape: Rc<Shape>,
    manner: Manner,
    unix: i64,
    millis: u64,
    tokens: u32,
    cut: bool,
    /// Whether the next answer of this shape has these bytes but for its numbers.
    repeats: bool,
    bytes: Vec<u8>,
    notes: Vec<Note>,
}

impl Writer {
    /// Appends an answer to `out`, or the beginning of one that is too long for one piece.
    pub fn begin(
        &mut self,
        reply: &Reply,
        manner: Manner,
        book: &mut Book,
        clock: &Clock,
        out: &mut Vec<u8>,
    ) -> Written {
        let image = &mut self.images[reply.kind()];
        let same = |image: &Image| {
            (Rc::ptr_eq(&image.shape, &reply.shape) || image.shape == reply.shape)
                && image.manner == manner
                && image.unix == clock.unix
                && image.millis == reply.millis()
                && image.tokens == reply.numbers.tokens
                && image.cut == reply.numbers.cut
                && image.repeats
        };
        if !image.as_ref().is_some_and(same) {
            if reply.streams().is_some() {
                let framing = match manner.old {
                    true => Framing::UntilClose,
                    false => Framing::Chunked,
                };
                self.notes.clear();
                head(reply, manner, framing, book, clock, out, &mut self.notes);
                return Written::Head;
            }
            let length = match book.items(reply) {
                0 | 1 => 0,
                _ => book.length(reply, clock.unix),
            };
            if length > WHOLE_MAX {
                let (notes, framing) = (&mut self.notes, Framing::Length(length));
                notes.clear();
                head(reply, manner, framing, book, clock, out, notes);
                if manner.bodiless {
                    return Written::All;
                }
                book.opening(reply, clock.unix, out, None);
                return Written::Opening;
            }
            let old = image.take();
            *image = Some(Image::render(
                old,
                reply,
                manner,
                book,
                clock,
                &mut self.scratch,
            ));
        }
        let image = image.as_ref().expect("it was there or was just rendered");
        let at = out.len();
        out.extend_from_slice(&image.bytes);
        patch(&reply.numbers, &image.notes, &mut out[at..]);
        Written::All
    }
}

impl Image {
    /// Renders an answer into the memory of the image that it replaces.
    fn render(
        old: Option<Image>,
        reply: &Reply,
        manner: Manner,
        book: &mut Book,
        clock: &Clock,
        content: &mut Vec<u8>,
    ) -> Image {
        let (mut bytes, mut notes) =
            old.map_or_else(Default::default, |image| (image.bytes, image.notes));
        bytes.clear();
        notes.clear();
        content.clear();
        book.opening(reply, clock.unix, content, Some(&mut notes));
        (0..book.items(reply)).for_each(|index| book.item(reply, index, content));
        book.closing(reply, clock.unix, content, Some(&mut notes));
        let in_content = notes.len();
        let framing = match reply.shape.status() {
            204 => Framing::Nothing,
            _ => Framing::Length(content.len() as u64),
        };
        head(reply, manner, framing, book, clock, &mut bytes, &mut notes);
        match manner.bodiless {
            true => drop(notes.drain(..in_content)),
            false => {
                notes[..in_content]
                    .iter_mut()
                    .for_each(|note| note.at += bytes.len());
                bytes.extend_from_slice(content);
            }
        }
        Image {
            shape: reply.shape.clone(),
            manner,
            unix: clock.unix,
            millis: reply.millis(),
            tokens: reply.numbers.tokens,
            cut: reply.numbers.cut,
            repeats: book.repeats(&reply.shape),
            bytes,
            notes,
        }
    }
}

fn head(
    reply: &Reply,
    manner: Manner,
    framing: Framing,
    book: &Book,
    clock: &Clock,
    out: &mut Vec<u8>,
    notes: &mut Vec<Note>,
) {
    let status = reply.shape.status();
    let keep_alive = match manner.persistence {
        Persistence::KeepAlive => Some(&clock.keep_alive),
        Persistence::Close => None,
    };
    answer::begin(out, status, &clock.date, keep_alive, framing);
    book.fields(reply, out, notes);
    out.extend_from_slice(b"\r\n");
}
