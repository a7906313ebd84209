//! What each state of the scanner does with the next byte. Each step is given that byte, moves
//! `at` past what it used, and answers with what there is to tell. It knows no more than the
//! scanner does.

use super::super::runs::{NumbersEnd, numbers_run, plain_run, text_run};
use super::{Event, Fault, Json, MAX_DEPTH, State};

impl Json {
    pub(super) fn top_met(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<Event> {
        match byte {
            b'{' => return self.object_began(piece, at),
            b' ' | b'\t' | b'\n' | b'\r' => *at += 1,
            b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                return self.failed(Fault::NotObject);
            }
            _ => return self.failed(Fault::Syntax),
        }
        None
    }

    pub(super) fn tail_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if !is_space(byte) {
            return self.failed(Fault::Syntax);
        }
        *at += 1;
        None
    }

    #[inline]
    pub(super) fn key_met(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<Event> {
        match byte {
            b'"' => self.string_began(true, piece, at),
            b'}' if self.state == State::FirstKey => self.container_ended(at),
            _ => self.space_met(byte, at),
        }
    }

    #[inline]
    pub(super) fn colon_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if byte != b':' {
            return self.space_met(byte, at);
        }
        self.state = State::Value;
        *at += 1;
        None
    }

    #[inline]
    pub(super) fn value_met(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<Event> {
        match byte {
            b'"' => return self.string_began(false, piece, at),
            b'{' => return self.object_began(piece, at),
            b'[' => return self.list_began(at),
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
    pub(super) fn value_passed(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<Event> {
        match (byte, self.in_object()) {
            (b',', true) => {
                *at += 1;
                self.key_due(State::NextKey, piece, at)
            }
            (b',', false) => {
                *at += 1;
                self.state = State::Value;
                None
            }
            (b'}', true) | (b']', false) => self.container_ended(at),
            _ => self.space_met(byte, at),
        }
    }

    #[inline]
    fn space_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if !is_space(byte) {
            return self.failed(Fault::Syntax);
        }
        *at += 1;
        None
    }

    #[inline]
    fn object_began(&mut self, piece: &[u8], at: &mut usize) -> Option<Event> {
        if self.depth == MAX_DEPTH {
            return self.failed(Fault::TooDeep);
        }
        let watched = self.depth <= self.watch && self.depth > 0;
        self.depth += 1;
        self.kinds = self.kinds << 1 | 1;
        *at += 1;
        if watched {
            self.state = State::FirstKey;
            return Some(Event::ObjectBegan);
        }
        self.key_due(State::FirstKey, piece, at)
    }

    #[inline]
    fn list_began(&mut self, at: &mut usize) -> Option<Event> {
        if self.depth == MAX_DEPTH {
            return self.failed(Fault::TooDeep);
        }
        let told = self.told(Event::ListBegan);
        self.state = State::FirstValue;
        self.depth += 1;
        self.kinds <<= 1;
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
        match object {
            false => self.told(Event::ListEnded),
            true => self.whole.then_some(Event::ObjectEnded),
        }
    }

    fn string_began(&mut self, key: bool, piece: &[u8], at: &mut usize) -> Option<Event> {
        self.string_opened(key, at);
        self.text_read(piece, at)
    }

    /// A key whose quote is there is begun at once: a turn of the machine less for each.
    #[inline]
    fn key_due(&mut self, state: State, piece: &[u8], at: &mut usize) -> Option<Event> {
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
        self.state = State::Text;
        self.text_began(*at, self.depth <= self.watch || key && self.depth == 1);
    }

    /// Reads on in a string, over its short escapes, and in the strings that follow it: most of a
    /// chat's messages are strings of a few bytes, and a turn of the machine costs more than they.
    pub(super) fn text_read(&mut self, piece: &[u8], at: &mut usize) -> Option<Event> {
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
                    self.state = State::Escape;
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

    /// A key's colon is passed too if it is there, as it nearly always is.
    #[inline]
    fn string_ended(&mut self, piece: &[u8], at: &mut usize) -> Option<Event> {
        let end = *at;
        let (event, state, after) = match (self.in_key, piece.get(end + 1)) {
            (true, Some(b':')) => (Event::Key, State::Value, end + 2),
            (true, _) => (Event::Key, State::Colon, end + 1),
            (false, _) => (Event::Text, State::After, end + 1),
        };
        self.state = state;
        *at = after;
        match self.keeping {
            true => self.text_ended(piece, end, event),
            false => None,
        }
    }

    /// Steps from the end of a string into the next one if at most a comma and a space stand
    /// between them.
    #[inline]
    fn string_follows(&mut self, piece: &[u8], at: &mut usize) -> bool {
        let key = self.state == State::After && self.in_object();
        *at += match (self.state, &piece[*at..]) {
            (State::Value, [b'"', ..]) => 0,
            (State::Value, [b' ', b'"', ..]) | (State::After, [b',', b'"', ..]) => 1,
            (State::After, [b',', b' ', b'"', ..]) => 2,
            _ => return false,
        };
        self.string_opened(key, at);
        true
    }

    pub(super) fn escape_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.state = State::Text,
            b'u' => {
                self.state = State::Hex;
                self.left = 4;
            }
            _ => return self.failed(Fault::Syntax),
        }
        *at += 1;
        None
    }

    pub(super) fn hex_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if !byte.is_ascii_hexdigit() {
            return self.failed(Fault::Syntax);
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
            _ => return self.failed(Fault::Syntax),
        };
        self.state = State::Utf8;
        *at += 1;
        None
    }

    pub(super) fn continuation_met(&mut self, byte: u8, at: &mut usize) -> Option<Event> {
        if byte < self.low || byte > self.high {
            return self.failed(Fault::Syntax);
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

    pub(super) fn literal_met(
        &mut self,
        word: &[u8],
        event: Event,
        byte: u8,
        at: &mut usize,
    ) -> Option<Event> {
        if byte != word[word.len() - usize::from(self.left)] {
            return self.failed(Fault::Syntax);
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
        if self.in_object() || self.whole {
            self.text_began(*at, watched);
            *at += 1;
            return None;
        }
        *at += 1;
        if state == State::Minus {
            return self.told(Event::Numbers);
        }
        let (run, end) = numbers_run(&piece[*at..], state == State::Zero);
        *at += run;
        self.state = match (end, piece.get(*at)) {
            (NumbersEnd::Comma, _) => State::Value,
            (_, Some(b']')) => State::After,
            (NumbersEnd::Digit, _) => State::Int,
            (NumbersEnd::Zero, _) => State::Zero,
        };
        self.told(Event::Numbers)
    }

    pub(super) fn number_met(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> Option<Event> {
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

    /// The byte that shows a number's end is not part of it and is left to the next state.
    fn number_ended(&mut self, event: Event, piece: &[u8], at: &mut usize) -> Option<Event> {
        self.state = State::After;
        if self.keeping {
            self.text_ended(piece, *at, event)
        } else {
            None
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
