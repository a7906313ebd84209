//! A JSON text checked while it streams by in any cuts, in constant memory and without a heap.
//! It follows RFC 8259 and UTF-8 to the letter and tells its caller what it meets (keys, values,
//! lists) down to a depth the caller watches. It knows no field, no endpoint and no limit of the
//! API, and it resolves no escapes.
//!
//! One state machine goes byte by byte; three inner loops run ahead of it where bodies are long:
//! `plain_run` (ASCII text), `text_run` with the standard library's UTF-8 check (other text) and
//! `Json::numbers_run` (lists of token numbers). Each of them only ever stops early, so the state
//! machine alone decides what is an error and where.

/// Deepest nesting accepted, in open containers: what API clients send stays under 20, and one
/// bit a level fits the `u128` that remembers the kinds.
pub const MAX_DEPTH: u8 = 128;

/// Bytes of a watched string or number that are kept: one more than the longest text any field
/// accepts, so that a text that fills it is known to be too long.
pub const KEEP_MAX: usize = 257;

/// What the scanner met. Everything but `Failed` and `Drained` is told only for members of
/// containers at most `watch` deep.
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
}

/// Why a text is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The byte at this offset (from 0) cannot continue a JSON text; the length if it ends early.
    Syntax { at: u64 },
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
    /// Members of containers up to this depth are told (1: only those of the top object).
    pub watch: u8,
    /// The first thing wrong, which ends the scan.
    pub fault: Option<Fault>,
    state: State,
    /// Open containers, and one bit for each of them, innermost lowest: 1 is an object.
    depth: u8,
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
    /// Where in this piece the watched text stands, and what earlier pieces held of it.
    text_from: usize,
    text_to: usize,
    kept: usize,
    keep: [u8; KEEP_MAX],
}

impl Json {
    /// A scanner at the start of a text.
    pub fn new() -> Json {
        Json {
            watch: 1,
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
            text_from: 0,
            text_to: 0,
            kept: 0,
            keep: [0; KEEP_MAX],
        }
    }

    /// Starts over with a new text. What was kept is left to be written over.
    pub fn begin(&mut self) {
        self.watch = 1;
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
                State::After => self.value_passed(byte, &mut at),
                State::FirstKey | State::NextKey => self.key_met(byte, &mut at),
                State::Colon => self.colon_met(byte, &mut at),
                State::Escape => self.escape_met(byte, &mut at),
                State::Hex => self.hex_met(byte, &mut at),
                State::Utf8 => self.continuation_met(byte, &mut at),
                State::True => self.literal_met(b"true", Event::True, byte, &mut at),
                State::False => self.literal_met(b"false", Event::False, byte, &mut at),
                State::Null => self.literal_met(b"null", Event::Null, byte, &mut at),
                State::Start => self.top_met(byte, &mut at),
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
            kept => &self.keep[..kept],
        };
        &text[..text.len().min(KEEP_MAX)]
    }

    /// What is wrong with the text if nothing follows. No bytes at all are no error.
    pub fn finish(&self) -> Result<(), Fault> {
        match (self.fault, self.state) {
            (Some(fault), _) => Err(fault),
            (None, State::End) => Ok(()),
            (None, _) if self.seen == 0 => Ok(()),
            (None, _) => Err(Fault::Syntax { at: self.seen }),
        }
    }

    fn piece_ended(&mut self, piece: &[u8]) {
        if self.keeping {
            self.keep_up_to(piece, piece.len());
        }
        self.seen += piece.len() as u64;
        self.at = 0;
        self.text_from = 0;
    }

    fn keep_up_to(&mut self, piece: &[u8], end: usize) {
        let part = &piece[self.text_from..end];
        let part = &part[..part.len().min(KEEP_MAX - self.kept)];
        self.keep[self.kept..self.kept + part.len()].copy_from_slice(part);
        self.kept += part.len();
    }

    /// A watched text begins at `from`; an unwatched one costs nothing more than these stores.
    #[inline]
    fn text_began(&mut self, from: usize, watched: bool) {
        self.keeping = watched;
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

    #[cold]
    fn misfit(&mut self, at: usize) -> Option<Event> {
        let at = self.seen + at as u64;
        self.failed(Fault::Syntax { at })
    }
}

/// What each state does with the next byte. Each step moves `at` past what it used.
impl Json {
    #[cold]
    fn top_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        match byte {
            b'{' => return self.container_began(true, at),
            b' ' | b'\t' | b'\n' | b'\r' => *at += 1,
            b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                return self.failed(Fault::NotObject);
            }
            _ => return self.misfit(*at),
        }
        None
    }

    fn tail_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if !is_space(byte) {
            return self.misfit(*at);
        }
        *at += 1;
        None
    }

    #[inline]
    fn key_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        match byte {
            b'"' => {
                self.string_began(true, at);
                None
            }
            b'}' if self.state == State::FirstKey => self.container_ended(at),
            _ => self.space_met(byte, at),
        }
    }

    #[inline]
    fn colon_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if byte != b':' {
            return self.space_met(byte, at);
        }
        self.state = State::Value;
        *at += 1;
        None
    }

    #[inline]
    fn value_met(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<Event> {
        match byte {
            b'"' => self.string_began(false, at),
            b'{' => return self.container_began(true, at),
            b'[' => return self.container_began(false, at),
            b']' if self.state == State::FirstValue => return self.container_ended(at),
            b'-' => return self.number_began(State::Minus, piece, at),
            b'0' => return self.number_began(State::Zero, piece, at),
            b'1'..=b'9' => return self.number_began(State::Int, piece, at),
            b't' => self.literal_began(State::True, 3, at),
            b'f' => self.literal_began(State::False, 4, at),
            b'n' => self.literal_began(State::Null, 3, at),
            _ => return self.space_met(byte, at),
        }
        None
    }

    #[inline]
    fn value_passed(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        match (byte, self.in_object()) {
            (b',', true) => self.state = State::NextKey,
            (b',', false) => self.state = State::Value,
            (b'}', true) | (b']', false) => return self.container_ended(at),
            _ => return self.space_met(byte, at),
        }
        *at += 1;
        None
    }

    #[inline]
    fn space_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if !is_space(byte) {
            return self.misfit(*at);
        }
        *at += 1;
        None
    }

    #[inline]
    fn container_began(&mut self, object: bool, at: &mut usize) -> Option<Event> {
        if self.depth == MAX_DEPTH {
            return self.failed(Fault::TooDeep);
        }
        let (state, event) = match object {
            true => (State::FirstKey, Event::ObjectBegan),
            false => (State::FirstValue, Event::ListBegan),
        };
        let told = self.told(event).filter(|_| self.depth > 0);
        self.state = state;
        self.depth += 1;
        self.kinds = self.kinds << 1 | u128::from(object);
        *at += 1;
        told
    }

    #[inline]
    fn container_ended(&mut self, at: &mut usize) -> Option<Event> {
        let object = self.in_object();
        self.depth -= 1;
        self.kinds >>= 1;
        self.state = if self.depth == 0 {
            State::End
        } else {
            State::After
        };
        *at += 1;
        if object {
            None
        } else {
            self.told(Event::ListEnded)
        }
    }

    #[inline]
    fn string_began(&mut self, key: bool, at: &mut usize) {
        *at += 1;
        self.in_key = key;
        self.state = State::Text;
        self.text_began(*at, self.depth <= self.watch);
    }

    #[inline]
    fn text_read(&mut self, piece: &[u8], at: &mut usize) -> Option<Event> {
        *at += plain_run(&piece[*at..]);
        match piece.get(*at) {
            Some(b'"') => return self.string_ended(piece, at),
            Some(b'\\') => {
                self.state = State::Escape;
                *at += 1;
            }
            Some(&byte) if byte >= 0x80 => match text_run(&piece[*at..]) {
                0 => return self.character_began(byte, at),
                run => *at += run,
            },
            Some(_) => return self.misfit(*at),
            None => {}
        }
        None
    }

    #[inline]
    fn string_ended(&mut self, piece: &[u8], at: &mut usize) -> Option<Event> {
        let end = *at;
        *at += 1;
        let event = match self.in_key {
            true => Event::Key,
            false => Event::Text,
        };
        self.state = if self.in_key {
            State::Colon
        } else {
            State::After
        };
        if self.keeping {
            self.text_ended(piece, end, event)
        } else {
            None
        }
    }

    fn escape_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.state = State::Text,
            b'u' => {
                self.state = State::Hex;
                self.left = 4;
            }
            _ => return self.misfit(*at),
        }
        *at += 1;
        None
    }

    fn hex_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if !byte.is_ascii_hexdigit() {
            return self.misfit(*at);
        }
        self.left -= 1;
        if self.left == 0 {
            self.state = State::Text;
        }
        *at += 1;
        None
    }

    /// Overlong forms, surrogates and code points over U+10FFFF all show in the second byte.
    fn character_began(&mut self, lead: u8, at: &mut usize) -> Option<Event> {
        (self.left, self.low, self.high) = match lead {
            0xC2..=0xDF => (1, 0x80, 0xBF),
            0xE0 => (2, 0xA0, 0xBF),
            0xED => (2, 0x80, 0x9F),
            0xE1..=0xEF => (2, 0x80, 0xBF),
            0xF0 => (3, 0x90, 0xBF),
            0xF1..=0xF3 => (3, 0x80, 0xBF),
            0xF4 => (3, 0x80, 0x8F),
            _ => return self.misfit(*at),
        };
        self.state = State::Utf8;
        *at += 1;
        None
    }

    fn continuation_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if byte < self.low || byte > self.high {
            return self.misfit(*at);
        }
        (self.low, self.high) = (0x80, 0xBF);
        self.left -= 1;
        if self.left == 0 {
            self.state = State::Text;
        }
        *at += 1;
        None
    }

    fn literal_began(&mut self, state: State, left: u8, at: &mut usize) {
        self.state = state;
        self.left = left;
        *at += 1;
    }

    fn literal_met(
        &mut self,
        word: &[u8],
        event: Event,
        byte: u8,
        at: &mut usize,
    ) -> Option<Event> {
        if byte != word[word.len() - usize::from(self.left)] {
            return self.misfit(*at);
        }
        self.left -= 1;
        *at += 1;
        if self.left > 0 {
            return None;
        }
        self.state = State::After;
        self.told(event)
    }

    #[inline]
    fn number_began(&mut self, state: State, piece: &[u8], at: &mut usize) -> Option<Event> {
        let watched = self.depth <= self.watch;
        self.state = state;
        if self.in_object() {
            self.text_began(*at, watched);
            *at += 1;
            return None;
        }
        *at += 1;
        if state != State::Minus {
            self.numbers_run(piece, at);
        }
        self.told(Event::Numbers)
    }

    fn number_met(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<Event> {
        use State::{Dot, Exp, ExpInt, ExpSign, Frac, Int, Minus, Zero};
        self.state = match (self.state, byte) {
            (Minus, b'0') => Zero,
            (Minus, b'1'..=b'9') | (Int, b'0'..=b'9') => Int,
            (Zero | Int, b'.') => Dot,
            (Dot | Frac, b'0'..=b'9') => Frac,
            (Zero | Int | Frac, b'e' | b'E') => Exp,
            (Exp, b'+' | b'-') => ExpSign,
            (Exp | ExpSign | ExpInt, b'0'..=b'9') => ExpInt,
            (Zero | Int, _) => return self.number_ended(Event::Integer, piece, at),
            (Frac | ExpInt, _) => return self.number_ended(Event::Decimal, piece, at),
            _ => return self.misfit(*at),
        };
        *at += 1;
        None
    }

    /// The byte that shows a number's end is not part of it and is left to the next state.
    fn number_ended(&mut self, event: Event, piece: &[u8], at: &mut usize) -> Option<Event> {
        self.state = State::After;
        if self.keeping {
            self.text_ended(piece, *at, event)
        } else {
            None
        }
    }

    /// Runs ahead from a list's number over the digits, commas and spaces that follow, eight
    /// bytes a step: tokens are five digits long on average, and a branch a digit is what makes a
    /// plain scan slow. It stops before the first byte it does not know to be right, in the state
    /// the plain scan would be in there.
    #[inline]
    fn numbers_run(&mut self, piece: &[u8], at: &mut usize) {
        // What the byte before each word was, as flags in the word's lowest byte.
        let mut last_digit = FLAG;
        let mut last_zero = if self.state == State::Zero { FLAG } else { 0 };
        let mut done = 0;
        for word in words(&piece[*at..]) {
            let digit = digits(word);
            let comma = equals(word, b',');
            let space = equals(word, b' ');
            let after_digit = digit << 8 | last_digit;
            let lone_zero = equals(word, b'0') & !after_digit;
            let after_zero = lone_zero << 8 | last_zero;
            let foreign = !(digit | comma | space) & FLAGS;
            let wrong = foreign | comma & !after_digit | space & after_digit | digit & after_zero;
            if wrong != 0 {
                let right = wrong.trailing_zeros() & !7;
                last_digit = after_digit >> right & FLAG;
                last_zero = after_zero >> right & FLAG;
                done += right as usize / 8;
                break;
            }
            last_digit = digit >> 56;
            last_zero = lone_zero >> 56;
            done += 8;
        }
        *at += done;
        self.state = match (last_digit, last_zero) {
            (0, _) => State::Value,
            (_, 0) => State::Int,
            _ => State::Zero,
        };
    }
}

/// Every byte's lowest bit.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Every byte's highest bit, the flag that the tests on words answer with.
const FLAGS: u64 = 0x80 * ONES;

/// The flag of a word's first byte.
const FLAG: u64 = 0x80;

/// Bytes looked at together where text is long: the compiler makes vector code of such a block.
const BLOCK: usize = 64;

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The words of eight bytes that fit, the first byte lowest.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(*word))
}

/// Flags the bytes that are `byte`.
fn equals(word: u64, byte: u8) -> u64 {
    let rest = word ^ (ONES * u64::from(byte));
    !(((rest & !FLAGS) + !FLAGS) | rest) & FLAGS
}

/// Flags the bytes that are ASCII digits.
fn digits(word: u64) -> u64 {
    let rest = word ^ (ONES * 0x30);
    !(((rest & !FLAGS) + ONES * 0x76) | rest) & FLAGS
}

/// Flags bytes that end a run of plain text: quotes, backslashes, control bytes and those of
/// 0x80 and more. Borrows make flags above the first one unreliable; the first one is right.
fn stops(word: u64) -> u64 {
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    let control = word.wrapping_sub(ONES * 0x20);
    (quote | backslash | control | word) & FLAGS
}

/// Length of the run of ASCII that stands for itself in a string. Short strings end in the first
/// words; only after those is a long one assumed and read by blocks.
#[inline]
fn plain_run(bytes: &[u8]) -> usize {
    let mut run = 0;
    while let Some(word) = bytes[run..].first_chunk::<8>() {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return run + stops.trailing_zeros() as usize / 8;
        }
        run += 8;
        if run == BLOCK / 2 {
            run += plain_blocks(&bytes[run..]);
        }
    }
    let is_plain = |&byte: &u8| (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
    run + bytes[run..]
        .iter()
        .take_while(|byte| is_plain(byte))
        .count()
}

/// Length of the whole blocks at the front without a byte that ends a plain run.
#[inline(never)]
fn plain_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let is_plain = |block: &&[u8; BLOCK]| {
        block.iter().fold(0, |stop, &byte| {
            // Signed, bytes of 0x80 and more are under 0x20 too: one comparison for both.
            stop | u8::from(byte.cast_signed() < 0x20 || byte == b'"' || byte == b'\\')
        }) == 0
    };
    blocks.iter().take_while(is_plain).count() * BLOCK
}

/// Length of the run of whole valid characters, of any script, that stand for themselves in a
/// string. 0 if the first character is cut, or is not UTF-8.
fn text_run(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let ends_text = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let goes_on = |block: &&[u8; BLOCK]| {
        block
            .iter()
            .fold(0, |end, &byte| end | u8::from(ends_text(byte)))
            == 0
    };
    let whole = blocks.iter().take_while(goes_on).count() * BLOCK;
    let rest = bytes[whole..]
        .iter()
        .take_while(|byte| !ends_text(**byte))
        .count();
    match std::str::from_utf8(&bytes[..whole + rest]) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    }
}
