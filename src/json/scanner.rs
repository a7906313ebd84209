//! A scanner that checks a JSON text while it streams by in any cuts, in constant memory and
//! without allocating. It follows RFC 8259 and UTF-8 to the letter, and reports keys, values and
//! lists down to a depth that the caller chooses. Escapes are checked and not resolved.
//!
//! A state machine goes byte by byte, and the loops in `runs` go ahead of it in long runs. They
//! never go too far, so the state machine alone decides what is an error and where. `steps` has the
//! action of each state.

mod runs;
mod steps;

use crate::meter::SCAN;

/// The deepest nesting accepted, in open containers: API clients stay below 20, and one bit for
/// each level fits the `u128` that remembers the kinds.
pub const MAX_DEPTH: u8 = 128;

/// The most bytes of a watched string or number that are kept: one more than the name of a model
/// may have, the longest text that a field accepts, so that a text which fills it is too long.
pub const KEEP_MAX: usize = 257;

/// A report of the scanner. Keys of the top object are always reported; all others except `Failed`
/// and `Drained` only in containers at most `watch` deep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonEvent {
    /// The piece is used up; the next call takes the next piece.
    Drained,
    /// The text is not accepted; `Json::fault` has the reason.
    Failed,
    /// A key ended; `Json::text` is the text between its quotes.
    Key,
    /// A string ended; `Json::text` is the text between its quotes.
    Text,
    /// A number without fraction or exponent ended as the member of an object; `Json::text` has it.
    Integer,
    /// A number with a fraction or an exponent ended as the member of an object.
    Decimal,
    /// One or more numbers in a row began as elements of a list. A list of a million token numbers
    /// is not reported one by one.
    Numbers,
    /// `true` ended.
    True,
    /// `false` ended.
    False,
    /// `null` ended.
    Null,
    /// A list began; its elements follow.
    ListBegan,
    /// The innermost list ended.
    ListEnded,
    /// An object began.
    ObjectBegan,
    /// The innermost object ended; reported only where values are read whole.
    ObjectEnded,
}

/// The reason why a text is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The byte at `Json::offset` cannot continue a JSON text, or the text ends there too early.
    Syntax,
    /// The top level holds a value that is not an object.
    NotObject,
    /// More than `MAX_DEPTH` containers are open.
    TooDeep,
}

/// The state of the scanner, named after what the next byte may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ScanState {
    Start,
    FirstKey,
    NextKey,
    Colon,
    FirstValue,
    Value,
    After,
    End,
    Text,
    Escape,
    Hex,
    Utf8,
    True,
    False,
    Null,
    Minus,
    Zero,
    Int,
    Dot,
    Frac,
    Exp,
    ExpSign,
    ExpInt,
}

/// The scanner's state between two bytes.
pub struct Json {
    /// The depth of the containers whose content is reported (1: the top object, 0: none).
    pub watch: u8,
    /// True if every value is reported, at any depth: also the end of objects, and the numbers of
    /// lists one by one.
    pub whole: bool,
    /// The first fault, which ends the scan.
    pub fault: Option<Fault>,
    state: ScanState,
    /// The number of open containers.
    depth: u8,
    /// One bit for each of them, innermost lowest: 1 is an object.
    kinds: u128,
    /// The number of bytes to come of a literal, a `\u` escape or a character.
    left: u8,
    /// The range of the next continuation byte of a character.
    low: u8,
    high: u8,
    /// The current string is a key.
    in_key: bool,
    /// The current string or number is watched, so its text is kept over a cut.
    keeping: bool,
    /// The number of bytes in the pieces before this one, and the position in this one.
    seen: u64,
    at: usize,
    /// The offset in the whole text of the last string or number, without its quote.
    text_start: u64,
    /// The units that were spent since they were last charged.
    pub work: u32,
    /// The range of the watched text in this piece.
    text_from: usize,
    text_to: usize,
    /// The offset of the text that was cut at the end of the previous piece; its length if none
    /// was.
    tail_from: u32,
    kept: u16,
    keep: [u8; KEEP_MAX],
}

impl Json {
    /// Creates a scanner at the start of a text.
    pub fn new() -> Json {
        Json {
            watch: 1,
            whole: false,
            fault: None,
            state: ScanState::Start,
            depth: 0,
            kinds: 0,
            left: 0,
            low: 0,
            high: 0,
            in_key: false,
            keeping: false,
            seen: 0,
            at: 0,
            text_start: 0,
            work: 0,
            text_from: 0,
            text_to: 0,
            tail_from: 0,
            kept: 0,
            keep: [0; KEEP_MAX],
        }
    }

    /// Starts over with a new text.
    pub fn begin(&mut self) {
        self.watch = 1;
        self.whole = false;
        self.fault = None;
        self.state = ScanState::Start;
        self.depth = 0;
        self.keeping = false;
        self.seen = 0;
        self.at = 0;
    }

    /// Continues in `piece` up to the next report. The caller passes the same piece until it
    /// returns `Drained`, and must not call it after `Failed`.
    #[inline]
    pub fn next(&mut self, piece: &[u8]) -> JsonEvent {
        let mut at = self.at;
        while let Some(&byte) = piece.get(at) {
            self.work += SCAN as u32;
            let event = match self.state {
                ScanState::Text => self.text_read(piece, &mut at),
                ScanState::Value | ScanState::FirstValue => self.value_met(byte, piece, &mut at),
                ScanState::After => self.value_passed(byte, piece, &mut at),
                ScanState::FirstKey | ScanState::NextKey => self.key_met(byte, piece, &mut at),
                ScanState::Colon => self.colon_met(byte, &mut at),
                ScanState::Escape => self.escape_met(byte, &mut at),
                ScanState::Hex => self.hex_met(byte, &mut at),
                ScanState::Utf8 => self.continuation_met(byte, &mut at),
                ScanState::True => self.literal_met(b"true", JsonEvent::True, byte, &mut at),
                ScanState::False => self.literal_met(b"false", JsonEvent::False, byte, &mut at),
                ScanState::Null => self.literal_met(b"null", JsonEvent::Null, byte, &mut at),
                ScanState::Start => self.top_met(byte, piece, &mut at),
                ScanState::End => self.space_met(byte, &mut at),
                _ => self.number_met(byte, piece, &mut at),
            };
            if let Some(event) = event {
                self.at = at;
                return event;
            }
        }
        self.piece_ended(piece);
        JsonEvent::Drained
    }

    /// Returns the text of the key, string or integer just reported: the raw bytes between the
    /// quotes, at most `KEEP_MAX` of them. `piece` is the current piece.
    pub fn text<'a>(&'a self, piece: &'a [u8]) -> &'a [u8] {
        let text = match self.kept {
            0 => &piece[self.text_from..self.text_to],
            kept => &self.keep[..usize::from(kept)],
        };
        &text[..text.len().min(KEEP_MAX)]
    }

    /// Returns the part in this piece of the key or string just reported, however long it is.
    pub fn piece_of_text<'a>(&self, piece: &'a [u8]) -> &'a [u8] {
        &piece[self.text_from..self.text_to]
    }

    /// Returns the part, in the piece just used up, of a key or a string that continues in the next
    /// one, and whether it is a key.
    pub fn cut_text<'a>(&self, piece: &'a [u8]) -> Option<(&'a [u8], bool)> {
        let in_text = matches!(
            self.state,
            ScanState::Text | ScanState::Escape | ScanState::Hex | ScanState::Utf8
        );
        (self.keeping && in_text).then_some((&piece[self.tail_from as usize..], self.in_key))
    }

    /// Returns the fault of the text if nothing follows. An empty text has none.
    pub fn finish(&self) -> Result<(), Fault> {
        match (self.fault, self.state) {
            (Some(fault), _) => Err(fault),
            (None, ScanState::End) => Ok(()),
            (None, _) if self.seen == 0 => Ok(()),
            (None, _) => Err(Fault::Syntax),
        }
    }

    /// Returns the number of bytes accepted so far, which is the offset of the one that was not.
    pub fn offset(&self) -> u64 {
        self.seen + self.at as u64
    }

    /// Returns the same offset in the current piece.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns the length so far of the value just reported, a string or a list that began;
    /// brackets and quotes count.
    pub fn reported_len(&self, event: JsonEvent) -> u64 {
        match event {
            JsonEvent::Text => self.offset() - self.text_start + 1,
            _ => 1,
        }
    }

    /// Returns the number of open containers.
    pub fn depth(&self) -> u8 {
        self.depth
    }

    fn piece_ended(&mut self, piece: &[u8]) {
        self.tail_from = piece.len() as u32;
        if self.keeping {
            self.tail_from = self.text_from as u32;
            self.keep_up_to(piece, piece.len());
        }
        self.seen += piece.len() as u64;
        self.at = 0;
        self.text_from = 0;
    }

    fn keep_up_to(&mut self, piece: &[u8], end: usize) {
        let room = &mut self.keep[usize::from(self.kept)..];
        let part = &piece[self.text_from..end];
        let part = &part[..part.len().min(room.len())];
        room[..part.len()].copy_from_slice(part);
        self.kept += part.len() as u16;
    }

    /// Begins a string or number at `from`. An unwatched one costs no more than these stores.
    #[inline]
    fn text_began(&mut self, from: usize, watched: bool) {
        self.keeping = watched;
        self.text_start = self.seen + from as u64;
        self.text_from = from;
        self.kept = 0;
    }

    /// Ends a watched text before `end`. A text that lies in one piece is never copied.
    fn text_ended(&mut self, piece: &[u8], end: usize, event: JsonEvent) -> JsonEvent {
        self.keeping = false;
        self.text_to = end;
        if self.kept > 0 {
            self.keep_up_to(piece, end);
        }
        event
    }

    #[inline]
    fn in_object(&self) -> bool {
        self.kinds & 1 == 1
    }

    #[inline]
    fn reported(&self, event: JsonEvent) -> Option<JsonEvent> {
        (self.depth <= self.watch).then_some(event)
    }

    #[cold]
    fn failed(&mut self, fault: Fault) -> Option<JsonEvent> {
        self.fault = Some(fault);
        Some(JsonEvent::Failed)
    }
}
