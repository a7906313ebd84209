//! A JSON text checked while it streams by in any cuts, in constant memory and without a heap.
//! It follows RFC 8259 and UTF-8 to the letter and tells its caller what it meets (keys, values,
//! lists) down to a depth the caller watches. It knows no field, no endpoint and no limit of the
//! API, and it resolves no escapes.
//!
//! One state machine goes byte by byte, and the loops in `runs` go ahead of it where bodies are
//! long. They only ever stop early, so the state machine alone decides what is an error and where.
//! What each state does with a byte is in `steps`.

mod steps;

/// Deepest nesting accepted, in open containers: what API clients send stays under 20, and one
/// bit a level fits the `u128` that remembers the kinds.
pub const MAX_DEPTH: u8 = 128;

/// Bytes of a watched string or number that are kept: one more than a model's name may have, the
/// longest text a field accepts, so that a text that fills it is known to be too long.
pub const KEEP_MAX: usize = 257;

/// What the scanner met. Keys of the top object are always told, and all else but `Failed` and
/// `Drained` only in containers at most `watch` deep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The piece is used up; the next call takes the next piece.
    Drained,
    /// The text cannot be accepted any more; `Json::fault` says why.
    Failed,
    /// A key ended; `Json::text` is what stood between its quotes.
    Key,
    /// A string ended; `Json::text` is what stood between its quotes.
    Text,
    /// A number without fraction or exponent ended as an object's member; `Json::text` has it.
    Integer,
    /// A number with a fraction or an exponent ended as an object's member.
    Decimal,
    /// One number or more in a row began as elements of a list; a list of a million token
    /// numbers is not told one by one.
    Numbers,
    /// `true` ended.
    True,
    /// `false` ended.
    False,
    /// `null` ended.
    Null,
    /// A list began; what comes next is its elements.
    ListBegan,
    /// The innermost list ended.
    ListEnded,
    /// An object began.
    ObjectBegan,
    /// The innermost object ended; reported only where values are read whole.
    ObjectEnded,
}

/// Why a text is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The byte at `Json::offset` cannot continue a JSON text, or the text ends there too early.
    Syntax,
    /// The top level holds a value that is not an object.
    NotObject,
    /// More than `MAX_DEPTH` containers are open.
    TooDeep,
}

/// What the next byte may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
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
    /// What containers up to this depth hold is told (1: the top object's values, 0: none).
    pub watch: u8,
    /// Whether every value is reported, at any depth: also the end of objects, and the numbers of
    /// lists one by one.
    pub whole: bool,
    /// The first thing wrong, which ends the scan.
    pub fault: Option<Fault>,
    state: State,
    /// Containers open now.
    depth: u8,
    /// One bit for each of them, innermost lowest: 1 is an object.
    kinds: u128,
    /// Bytes still to come of a literal, a `\u` escape or a character, counted down.
    left: u8,
    /// What the next continuation byte of a character may be.
    low: u8,
    high: u8,
    /// The string under way is a key.
    in_key: bool,
    /// The string or number under way is watched, so its text is kept over a cut.
    keeping: bool,
    /// Bytes of the pieces before this one, and the place in this one.
    seen: u64,
    at: usize,
    /// Where in the whole text the string or number began that was begun last, its quote left out.
    text_start: u64,
    /// Where in this piece the watched text stands, and what earlier pieces held of it.
    text_from: usize,
    text_to: usize,
    /// Where in the piece before this one the text stood that was cut; its length if none was.
    tail_from: usize,
    kept: u16,
    keep: [u8; KEEP_MAX],
}

impl Json {
    /// A scanner at the start of a text.
    pub fn new() -> Json {
        Json {
            watch: 1,
            whole: false,
            fault: None,
            state: State::Start,
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
            text_from: 0,
            text_to: 0,
            tail_from: 0,
            kept: 0,
            keep: [0; KEEP_MAX],
        }
    }

    /// Starts over with a new text. What was kept is left to be written over.
    pub fn begin(&mut self) {
        self.watch = 1;
        self.whole = false;
        self.fault = None;
        self.state = State::Start;
        self.depth = 0;
        self.keeping = false;
        self.seen = 0;
        self.at = 0;
    }

    /// Goes on in `piece` until there is something to tell. The same piece is given again until
    /// the answer is `Drained`; after `Failed` the scanner must not be called.
    #[inline]
    pub fn next(&mut self, piece: &[u8]) -> Event {
        let mut at = self.at;
        while let Some(&byte) = piece.get(at) {
            let event = match self.state {
                State::Text => self.text_read(piece, &mut at),
                State::Value | State::FirstValue => self.value_met(byte, piece, &mut at),
                State::After => self.value_passed(byte, piece, &mut at),
                State::FirstKey | State::NextKey => self.key_met(byte, piece, &mut at),
                State::Colon => self.colon_met(byte, &mut at),
                State::Escape => self.escape_met(byte, &mut at),
                State::Hex => self.hex_met(byte, &mut at),
                State::Utf8 => self.continuation_met(byte, &mut at),
                State::True => self.literal_met(b"true", Event::True, byte, &mut at),
                State::False => self.literal_met(b"false", Event::False, byte, &mut at),
                State::Null => self.literal_met(b"null", Event::Null, byte, &mut at),
                State::Start => self.top_met(byte, piece, &mut at),
                State::End => self.tail_met(byte, &mut at),
                _ => self.number_met(byte, piece, &mut at),
            };
            if let Some(event) = event {
                self.at = at;
                return event;
            }
        }
        self.piece_ended(piece);
        Event::Drained
    }

    /// The text of the key, string or integer just told: the raw bytes between the quotes, at
    /// most `KEEP_MAX` of them. `piece` is the piece the event was found in.
    pub fn text<'a>(&'a self, piece: &'a [u8]) -> &'a [u8] {
        let text = match self.kept {
            0 => &piece[self.text_from..self.text_to],
            kept => &self.keep[..usize::from(kept)],
        };
        &text[..text.len().min(KEEP_MAX)]
    }

    /// The part in this piece of the key or string that was just reported, however long it is.
    pub fn piece_of_text<'a>(&self, piece: &'a [u8]) -> &'a [u8] {
        &piece[self.text_from..self.text_to]
    }

    /// The part, in the piece that was just used up, of a key or a string that goes on in the next
    /// one, and whether it is a key.
    pub fn cut_text<'a>(&self, piece: &'a [u8]) -> Option<(&'a [u8], bool)> {
        let in_text = matches!(
            self.state,
            State::Text | State::Escape | State::Hex | State::Utf8
        );
        (self.keeping && in_text).then_some((&piece[self.tail_from..], self.in_key))
    }

    /// What is wrong with the text if nothing follows. No bytes at all are no error.
    pub fn finish(&self) -> Result<(), Fault> {
        match (self.fault, self.state) {
            (Some(fault), _) => Err(fault),
            (None, State::End) => Ok(()),
            (None, _) if self.seen == 0 => Ok(()),
            (None, _) => Err(Fault::Syntax),
        }
    }

    /// Bytes accepted so far, and so the offset (from 0) of the one that was not.
    pub fn offset(&self) -> u64 {
        self.seen + self.at as u64
    }

    /// The same in the piece under way.
    pub fn at(&self) -> usize {
        self.at
    }

    /// How many bytes of the body the value takes so far that was just told, a string or a list
    /// that began; brackets and quotes count.
    pub fn told_len(&self, event: Event) -> u64 {
        match event {
            Event::Text => self.offset() - self.text_start + 1,
            _ => 1,
        }
    }

    /// How many containers are open.
    pub fn depth(&self) -> u8 {
        self.depth
    }

    fn piece_ended(&mut self, piece: &[u8]) {
        self.tail_from = piece.len();
        if self.keeping {
            self.tail_from = self.text_from;
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

    /// A watched text begins at `from`; an unwatched one costs nothing more than these stores.
    #[inline]
    fn text_began(&mut self, from: usize, watched: bool) {
        self.keeping = watched;
        self.text_start = self.seen + from as u64;
        self.text_from = from;
        self.kept = 0;
    }

    /// A watched text ends before `end`. A text that lies in one piece is never copied.
    fn text_ended(&mut self, piece: &[u8], end: usize, event: Event) -> Option<Event> {
        self.keeping = false;
        self.text_to = end;
        if self.kept > 0 {
            self.keep_up_to(piece, end);
        }
        Some(event)
    }

    #[inline]
    fn in_object(&self) -> bool {
        self.kinds & 1 == 1
    }

    #[inline]
    fn told(&self, event: Event) -> Option<Event> {
        (self.depth <= self.watch).then_some(event)
    }

    #[cold]
    fn failed(&mut self, fault: Fault) -> Option<Event> {
        self.fault = Some(fault);
        Some(Event::Failed)
    }
}
