//! Begins responses: HTTP's head, and the content if it is short. The last head and the last short
//! content of each kind are kept; the next response of the kind is a copy with other numbers.

use std::rc::Rc;

use crate::Nanos;
use crate::api::number::{ID_LEN, PatchSite, hex, patch};
use crate::api::{content::Content, render::Room, table::KINDS};
use crate::exchange::Mock;
use crate::exchange::response::{Progress, Response};
use crate::http::answer::{self, Framing};
use crate::http::date;
use crate::meter::{FIRST_PIECE, Meter};

/// The longest content that is written at once, in bytes. Longer content is written in pieces, and
/// has a `Content-Length` only if its length is known in advance.
const WHOLE_MAX: usize = 64 * 1024;

/// The part that the heads of all responses share for a second.
#[derive(Debug)]
pub struct Clock {
    /// Unix time in seconds.
    pub unix: i64,
    /// The same as a `Date` field has it.
    pub date: [u8; date::LEN],
    /// The fields of a response after which the connection stays open.
    pub keep_alive: Vec<u8>,
}

/// The options for sending a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireOptions {
    /// True if the connection is closed after the response (RFC 9112, 9.3).
    pub closes: bool,
    /// True for a response to HEAD: the fields of GET without content (RFC 9110, 9.3.2).
    pub is_head: bool,
    /// True for a client of HTTP/1.0, which knows no chunks.
    pub http10: bool,
    /// True if the client may still be sending the request: the connection lingers then.
    pub unread_body: bool,
}

/// The progress of a response after its beginning was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// All of it was written.
    Whole,
    /// The head was written; the content follows in pieces, with this framing.
    Head(Framing),
    /// Nothing was written: the units were spent before the content could be prepared.
    Unprepared,
}

/// The writer of a core.
#[derive(Debug, Default)]
pub struct Writer {
    contents: [Option<CachedContent>; KINDS],
    heads: [Option<CachedHead>; KINDS],
    /// A piece of content, before it is framed.
    pub piece: Vec<u8>,
}

/// The content of a whole response, and the places of its numbers.
#[derive(Debug)]
struct CachedContent {
    content: Rc<Content>,
    created: i64,
    tokens: u32,
    cut: bool,
    /// True if the content is too long to be written at once.
    is_long: bool,
    bytes: Vec<u8>,
    sites: Vec<PatchSite>,
}

/// A head and the place of its id.
#[derive(Debug)]
struct CachedHead {
    /// The content of an error, which has fields of its own.
    problem: Option<Rc<Content>>,
    streams: bool,
    wire: WireOptions,
    framing: Framing,
    unix: i64,
    bytes: Vec<u8>,
    /// The place of the response's id.
    id_at: usize,
    /// The beginning of the tail, which varies in width.
    tail_at: usize,
    /// The delay that the tail reports.
    delay: Nanos,
}

impl Writer {
    /// Appends a response to `out`, or its head if the content follows in pieces.
    #[inline]
    pub fn begin(
        &mut self,
        response: &mut Response,
        wire: &mut WireOptions,
        mock: &mut Mock,
        clock: &Clock,
        meter: &mut Meter,
        out: &mut Vec<u8>,
    ) -> Begun {
        response.cursor.created = clock.unix;
        let kind = response.kind();
        if let (Some(content), Some(head)) = (&self.contents[kind], &mut self.heads[kind])
            && content.serves(response)
            && head.framing == Framing::Length(content.bytes.len() as u64)
            && head.serves(response, *wire)
            && !wire.is_head
        {
            let id = hex(response.numbers.id);
            head.copy(response, &id, mock, out);
            content.copy(response, &id, out);
            meter.charge_bytes(content.bytes.len());
            return Begun::Whole;
        }
        self.begin_new(response, wire, mock, clock, meter, out)
    }

    /// The same for a response that is not like the last one of its kind.
    #[inline(never)]
    fn begin_new(
        &mut self,
        response: &mut Response,
        wire: &mut WireOptions,
        mock: &mut Mock,
        clock: &Clock,
        meter: &mut Meter,
        out: &mut Vec<u8>,
    ) -> Begun {
        let kind = response.kind();
        if !response.content.streams() && !mock.renderer.prepare(&response.content, meter) {
            return Begun::Unprepared;
        }
        let pieces = self.render(response, wire.http10, mock, meter);
        let whole = self.contents[kind].as_ref().filter(|_| pieces.is_none());
        let framing = match (pieces, whole) {
            (Some(framing), _) => framing,
            (None, Some(content)) if response.content.status() != 204 => {
                Framing::Length(content.bytes.len() as u64)
            }
            (None, _) => Framing::Nothing,
        };
        wire.closes |= framing == Framing::UntilClose;
        let head = match &mut self.heads[kind] {
            Some(head) if head.framing == framing && head.serves(response, *wire) => head,
            slot => {
                let old = slot.take().map(|head| head.bytes);
                slot.insert(CachedHead::render(
                    old, response, *wire, framing, mock, clock,
                ))
            }
        };
        let id = hex(response.numbers.id);
        head.copy(response, &id, mock, out);
        if let Some(content) = whole {
            if !wire.is_head {
                content.copy(response, &id, out);
            }
            meter.charge_bytes(content.bytes.len());
        }
        match pieces {
            Some(framing) if !wire.is_head => Begun::Head(framing),
            _ => Begun::Whole,
        }
    }

    /// Renders the content of a response and keeps it, if it can be written at once. Otherwise
    /// returns the framing of its pieces.
    fn render(
        &mut self,
        response: &mut Response,
        http10: bool,
        mock: &mut Mock,
        meter: &mut Meter,
    ) -> Option<Framing> {
        let unknown_length = match http10 {
            true => Framing::UntilClose,
            false => Framing::Chunked,
        };
        if response.content.streams() {
            return Some(unknown_length);
        }
        let content = match &mut self.contents[response.kind()] {
            Some(content) if content.serves(response) => content,
            slot => {
                let planned = mock.planned_length(response);
                if let Some(length) = planned.filter(|length| *length > WHOLE_MAX as u64) {
                    return Some(Framing::Length(length));
                }
                let old = slot.take();
                slot.insert(CachedContent::render(old, response, mock, meter))
            }
        };
        content.is_long.then_some(unknown_length)
    }
}

impl CachedHead {
    /// Renders the head of a response into the memory of an older one.
    fn render(
        old: Option<Vec<u8>>,
        response: &Response,
        wire: WireOptions,
        framing: Framing,
        mock: &Mock,
        clock: &Clock,
    ) -> CachedHead {
        let mut bytes = old.unwrap_or_default();
        bytes.clear();
        let keep_alive = (!wire.closes).then_some(&clock.keep_alive[..]);
        let status = response.content.status();
        answer::begin(&mut bytes, status, &clock.date, keep_alive, framing);
        let (content, endpoint) = (&response.content, response.endpoint);
        let id = response.numbers.id;
        let id_at = mock.renderer.fields(content, endpoint, id, &mut bytes);
        CachedHead {
            problem: match **content {
                Content::Problem(_) | Content::Allowed(_) => Some(content.clone()),
                _ => None,
            },
            streams: content.streams(),
            wire,
            framing,
            unix: clock.unix,
            tail_at: bytes.len(),
            bytes,
            id_at,
            // No response has this delay: the tail is written when the head is copied.
            delay: Nanos::MAX,
        }
    }

    #[inline(never)]
    fn write_tail(&mut self, response: &Response, mock: &Mock) {
        self.bytes.truncate(self.tail_at);
        self.delay = response.outcome.delay;
        let (content, endpoint) = (&response.content, response.endpoint);
        mock.renderer
            .tail(content, endpoint, response.millis(), &mut self.bytes);
    }

    /// Returns true if the head serves a response, except for its framing.
    #[inline]
    fn serves(&self, response: &Response, wire: WireOptions) -> bool {
        let is_same = |known: &Rc<Content>| *known == response.content;
        self.wire == wire
            && self.unix == response.cursor.created
            && self.streams == response.content.streams()
            && self.problem.as_ref().is_none_or(is_same)
    }

    /// Appends the head with the id and the tail of a response.
    #[inline]
    fn copy(&mut self, response: &Response, id: &[u8; ID_LEN], mock: &Mock, out: &mut Vec<u8>) {
        if self.delay != response.outcome.delay {
            self.write_tail(response, mock);
        }
        let at = out.len() + self.id_at;
        out.extend_from_slice(&self.bytes);
        out[at..at + ID_LEN].copy_from_slice(id);
    }
}

impl CachedContent {
    /// Renders the content of a response into the memory of an older one, as far as it may be
    /// written at once.
    fn render(
        old: Option<CachedContent>,
        response: &mut Response,
        mock: &mut Mock,
        meter: &mut Meter,
    ) -> CachedContent {
        let memory = old.map(|old| (old.bytes, old.sites));
        let (mut bytes, mut sites) = memory.unwrap_or_default();
        bytes.clear();
        sites.clear();
        let start = response.cursor;
        let mut first = Meter::new(FIRST_PIECE);
        let room = Room {
            out: &mut bytes,
            sites: Some(&mut sites),
            end: WHOLE_MAX,
            meter: &mut first,
        };
        let progress = mock.render(response, Nanos::MAX, room);
        meter.charge(FIRST_PIECE - first.left());
        let is_long = progress != Progress::Done;
        if is_long {
            response.cursor = start;
        }
        CachedContent {
            content: response.content.clone(),
            // The next response renders again, into the same memory.
            created: match mock.renderer.repeats(&response.content) {
                true => start.created,
                false => i64::MIN,
            },
            tokens: response.numbers.tokens,
            cut: response.numbers.cut,
            is_long,
            bytes,
            sites,
        }
    }

    /// Appends the content with the numbers of a response.
    #[inline]
    fn copy(&self, response: &Response, id: &[u8; ID_LEN], out: &mut Vec<u8>) {
        let at = out.len();
        out.extend_from_slice(&self.bytes);
        patch(&response.numbers, id, &self.sites, &mut out[at..]);
    }

    /// Returns true if these bytes are those of a response, except for its numbers.
    #[inline]
    fn serves(&self, response: &Response) -> bool {
        // Comparing the `Rc`s compares their addresses first.
        self.content == response.content
            && self.created == response.cursor.created
            && self.tokens == response.numbers.tokens
            && self.cut == response.numbers.cut
    }
}
