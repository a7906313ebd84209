//! The action of each state of the scanner on the next byte. A step moves `at` past the bytes that
//! it used, and returns the report if there is one.

use crate::json::scanner::runs::{NumbersEnd, numbers_run, plain_run, text_run};
use crate::json::scanner::{Fault, Json, JsonEvent, MAX_DEPTH, ScanState};

impl Json {
    pub(super) fn top_met(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<JsonEvent> {
        match byte {
            b'{' => self.object_began(piece, at),
            b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.failed(Fault::NotObject),
            _ => self.space_met(byte, at),
        }
    }

    #[inline]
    pub(super) fn key_met(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<JsonEvent> {
        match byte {
            b'"' => self.string_began(true, piece, at),
            b'}' if self.state == ScanState::FirstKey => self.container_ended(at),
            _ => self.space_met(byte, at),
        }
    }

    #[inline]
    pub(super) fn colon_met(&mut self, byte: u8, at: &mut usize) -> Option<JsonEvent> {
        if byte != b':' {
            return self.space_met(byte, at);
        }
        self.state = ScanState::Value;
        *at += 1;
        None
    }

    #[inline]
    pub(super) fn value_met(
        &mut self,
        byte: u8,
        piece: &[u8],
        at: &mut usize,
    ) -> Option<JsonEvent> {
        match byte {
            b'"' => return self.string_began(false, piece, at),
            b'{' => return self.object_began(piece, at),
            b'[' => return self.list_began(at),
            b']' if self.state == ScanState::FirstValue => return self.container_ended(at),
            b'-' => return self.number_began(ScanState::Minus, piece, at),
            b'0' => return self.number_began(ScanState::Zero, piece, at),
            b'1'..=b'9' => return self.number_began(ScanState::Int, piece, at),
            b't' => self.literal_began(ScanState::True, 3, at),
            b'f' => self.literal_began(ScanState::False, 4, at),
            b'n' => self.literal_began(ScanState::Null, 3, at),
            _ => return self.space_met(byte, at),
        }
        None
    }

    #[inline]
    pub(super) fn value_passed(
        &mut self,
        byte: u8,
        piece: &[u8],
        at: &mut usize,
    ) -> Option<JsonEvent> {
        match (byte, self.in_object()) {
            (b',', true) => {
                *at += 1;
                self.key_due(ScanState::NextKey, piece, at)
            }
            (b',', false) => {
                *at += 1;
                self.state = ScanState::Value;
                None
            }
            (b'}', true) | (b']', false) => self.container_ended(at),
            _ => self.space_met(byte, at),
        }
    }

    #[inline]
    pub(super) fn space_met(&mut self, byte: u8, at: &mut usize) -> Option<JsonEvent> {
        if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            return self.failed(Fault::Syntax);
        }
        *at += 1;
        None
    }

    #[inline]
    fn object_began(&mut self, piece: &[u8], at: &mut usize) -> Option<JsonEvent> {
        if self.depth == MAX_DEPTH {
            return self.failed(Fault::TooDeep);
        }
        let watched = self.depth <= self.watch && self.depth > 0;
        self.depth += 1;
        self.kinds = self.kinds << 1 | 1;
        *at += 1;
        if watched {
            self.state = ScanState::FirstKey;
            return Some(JsonEvent::ObjectBegan);
        }
        self.key_due(ScanState::FirstKey, piece, at)
    }

    #[inline]
    fn list_began(&mut self, at: &mut usize) -> Option<JsonEvent> {
        if self.depth == MAX_DEPTH {
            return self.failed(Fault::TooDeep);
        }
        let told = self.reported(JsonEvent::ListBegan);
        self.state = ScanState::FirstValue;
        self.depth += 1;
        self.kinds <<= 1;
        *at += 1;
        told
    }

    #[inline]
    fn container_ended(&mut self, at: &mut usize) -> Option<JsonEvent> {
        let object = self.in_object();
        self.depth -= 1;
        self.kinds >>= 1;
        self.state = if self.depth == 0 {
            ScanState::End
        } else {
            ScanState::After
        };
        *at += 1;
        match object {
            false => self.reported(JsonEvent::ListEnded),
            true => self.whole.then_some(JsonEvent::ObjectEnded),
        }
    }

    fn string_began(&mut self, key: bool, piece: &[u8], at: &mut usize) -> Option<JsonEvent> {
        self.string_opened(key, at);
        self.text_read(piece, at)
    }

    /// Expects a key. If its quote is there, the key is read at once, which saves a turn of the
    /// state machine.
    #[inline]
    fn key_due(&mut self, state: ScanState, piece: &[u8], at: &mut usize) -> Option<JsonEvent> {
        self.state = state;
        match piece.get(*at) {
            Some(b'"') => self.string_began(true, piece, at),
            _ => None,
        }
    }

    #[inline]
    fn string_opened(&mut self, key: bool, at: &mut usize) {
        *at += 1;
        self.in_key = key;
        self.state = ScanState::Text;
        self.text_began(*at, self.depth <= self.watch || key && self.depth == 1);
    }

    /// Continues in a string, over its short escapes, and in the strings that follow it: the
    /// messages of a chat consist mostly of strings of a few bytes, and a turn of the state machine
    /// costs more.
    pub(super) fn text_read(&mut self, piece: &[u8], at: &mut usize) -> Option<JsonEvent> {
        loop {
            *at += plain_run(&piece[*at..]);
            match piece[*at..] {
                [] => return None,
                [b'"', ..] => {
                    let event = self.string_ended(piece, at);
                    if event.is_some() || !self.string_follows(piece, at) {
                        return event;
                    }
                }
                [
                    b'\\',
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                    ..,
                ] => *at += 2,
                [b'\\', ..] => {
                    self.state = ScanState::Escape;
                    *at += 1;
                    return None;
                }
                [lead @ 0x80..=0xFF, ..] => match text_run(&piece[*at..]) {
                    0 => return self.character_began(lead, at),
                    run => *at += run,
                },
                _ => return self.failed(Fault::Syntax),
            }
        }
    }

    /// Ends a string. The colon of a key is passed too if it is there, as it nearly always is.
    #[inline]
    fn string_ended(&mut self, piece: &[u8], at: &mut usize) -> Option<JsonEvent> {
        let end = *at;
        let (event, state, after) = match (self.in_key, piece.get(end + 1)) {
            (true, Some(b':')) => (JsonEvent::Key, ScanState::Value, end + 2),
            (true, _) => (JsonEvent::Key, ScanState::Colon, end + 1),
            (false, _) => (JsonEvent::Text, ScanState::After, end + 1),
        };
        self.state = state;
        *at = after;
        self.keeping.then(|| self.text_ended(piece, end, event))
    }

    /// Steps from the end of a string into the next one if at most a comma and a space stand
    /// between them.
    #[inline]
    fn string_follows(&mut self, piece: &[u8], at: &mut usize) -> bool {
        let key = self.state == ScanState::After && self.in_object();
        *at += match (self.state, &piece[*at..]) {
            (ScanState::Value, [b'"', ..]) => 0,
            (ScanState::Value, [b' ', b'"', ..]) | (ScanState::After, [b',', b'"', ..]) => 1,
            (ScanState::After, [b',', b' ', b'"', ..]) => 2,
            _ => return false,
        };
        self.string_opened(key, at);
        true
    }

    pub(super) fn escape_met(&mut self, byte: u8, at: &mut usize) -> Option<JsonEvent> {
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.state = ScanState::Text,
            b'u' => {
                self.state = ScanState::Hex;
                self.left = 4;
            }
            _ => return self.failed(Fault::Syntax),
        }
        *at += 1;
        None
    }

    pub(super) fn hex_met(&mut self, byte: u8, at: &mut usize) -> Option<JsonEvent> {
        if !byte.is_ascii_hexdigit() {
            return self.failed(Fault::Syntax);
        }
        self.left -= 1;
        if self.left == 0 {
            self.state = ScanState::Text;
        }
        *at += 1;
        None
    }

    /// Begins a character. Overlong forms, surrogates and code points above U+10FFFF all show in
    /// the second byte.
    fn character_began(&mut self, lead: u8, at: &mut usize) -> Option<JsonEvent> {
        (self.left, self.low, self.high) = match lead {
            0xC2..=0xDF => (1, 0x80, 0xBF),
            0xE0 => (2, 0xA0, 0xBF),
            0xED => (2, 0x80, 0x9F),
            0xE1..=0xEF => (2, 0x80, 0xBF),
            0xF0 => (3, 0x90, 0xBF),
            0xF1..=0xF3 => (3, 0x80, 0xBF),
            0xF4 => (3, 0x80, 0x8F),
            _ => return self.failed(Fault::Syntax),
        };
        self.state = ScanState::Utf8;
        *at += 1;
        None
    }

    pub(super) fn continuation_met(&mut self, byte: u8, at: &mut usize) -> Option<JsonEvent> {
        if byte < self.low || byte > self.high {
            return self.failed(Fault::Syntax);
        }
        (self.low, self.high) = (0x80, 0xBF);
        self.left -= 1;
        if self.left == 0 {
            self.state = ScanState::Text;
        }
        *at += 1;
        None
    }

    fn literal_began(&mut self, state: ScanState, left: u8, at: &mut usize) {
        self.state = state;
        self.left = left;
        *at += 1;
    }

    pub(super) fn literal_met(
        &mut self,
        word: &[u8],
        event: JsonEvent,
        byte: u8,
        at: &mut usize,
    ) -> Option<JsonEvent> {
        if byte != word[word.len() - usize::from(self.left)] {
            return self.failed(Fault::Syntax);
        }
        self.left -= 1;
        *at += 1;
        if self.left > 0 {
            return None;
        }
        self.state = ScanState::After;
        self.reported(event)
    }

    #[inline]
    fn number_began(
        &mut self,
        state: ScanState,
        piece: &[u8],
        at: &mut usize,
    ) -> Option<JsonEvent> {
        let watched = self.depth <= self.watch;
        self.state = state;
        if self.in_object() || self.whole {
            self.text_began(*at, watched);
            *at += 1;
            return None;
        }
        *at += 1;
        if state == ScanState::Minus {
            return self.reported(JsonEvent::Numbers);
        }
        let (run, end) = numbers_run(&piece[*at..], state == ScanState::Zero);
        *at += run;
        self.state = match (end, piece.get(*at)) {
            (NumbersEnd::Comma, _) => ScanState::Value,
            (_, Some(b']')) => ScanState::After,
            (NumbersEnd::Digit, _) => ScanState::Int,
            (NumbersEnd::Zero, _) => ScanState::Zero,
        };
        self.reported(JsonEvent::Numbers)
    }

    pub(super) fn number_met(
        &mut self,
        byte: u8,
        piece: &[u8],
        at: &mut usize,
    ) -> Option<JsonEvent> {
        use ScanState::{Dot, Exp, ExpInt, ExpSign, Frac, Int, Minus, Zero};
        self.state = match (self.state, byte) {
            (Minus, b'0') => Zero,
            (Minus, b'1'..=b'9') | (Int, b'0'..=b'9') => Int,
            (Zero | Int, b'.') => Dot,
            (Dot | Frac, b'0'..=b'9') => Frac,
            (Zero | Int | Frac, b'e' | b'E') => Exp,
            (Exp, b'+' | b'-') => ExpSign,
            (Exp | ExpSign | ExpInt, b'0'..=b'9') => ExpInt,
            (Zero | Int, _) => return self.number_ended(JsonEvent::Integer, piece, at),
            (Frac | ExpInt, _) => return self.number_ended(JsonEvent::Decimal, piece, at),
            _ => return self.failed(Fault::Syntax),
        };
        *at += 1;
        if matches!(self.state, Int | Frac | ExpInt) {
            *at += piece[*at..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
        }
        None
    }

    /// Ends a number. The byte that shows its end is left to the next state.
    fn number_ended(
        &mut self,
        event: JsonEvent,
        piece: &[u8],
        at: &mut usize,
    ) -> Option<JsonEvent> {
        self.state = ScanState::After;
        self.keeping.then(|| self.text_ended(piece, *at, event))
    }
}
