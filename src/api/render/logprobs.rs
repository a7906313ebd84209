//! The log probabilities of tokens, in the form of each API. They are made up, and the same for the
//! same response; the token itself has the highest of the alternatives reported with it.

use std::{borrow::Cow, io::Write};

use crate::api::render::values::{Room, Values};
use crate::api::{form::LogprobsForm, number::mix, render::place::Place};
use crate::meter::LOGPROB;

/// The lists of a `CreateCompletionResponse`, in order.
const LISTS: [&str; 4] = ["tokens", "token_logprobs", "top_logprobs", "text_offset"];

impl Values {
    /// Appends what is left of the log probabilities, or the value without any. Returns true when
    /// they are complete.
    pub(super) fn logprobs(&self, place: &mut Place<'_>, room: &mut Room<'_>) -> bool {
        let generated = place.generated();
        // The tokens of a call have none, streamed or not.
        let without = place.tokens.is_empty() || generated.function().is_some();
        let others = generated.logprobs.filter(|_| !without);
        let none = match (generated.form.logprobs, others) {
            (LogprobsForm::Objects { around, .. }, Some(others)) => {
                return self.token_list(place, others, around, room);
            }
            (LogprobsForm::Lists, Some(others)) => return self.parallel(place, others, room),
            (LogprobsForm::Objects { none, .. }, None) => none,
            (LogprobsForm::Lists, None) => "null",
        };
        room.out.extend_from_slice(none.as_bytes());
        true
    }

    /// Appends tokens as `ChatCompletionTokenLogprob`, or `LogProb` of the Responses API.
    fn token_list(
        &self,
        place: &mut Place<'_>,
        others: u8,
        [before, after]: [&str; 2],
        room: &mut Room<'_>,
    ) -> bool {
        let mut raw = Vec::new();
        loop {
            let out = &mut *room.out;
            let before = if place.position.at == 0 { before } else { "," };
            out.extend_from_slice(before.as_bytes());
            let at = place.tokens.start + place.position.at;
            self.token(place, at, &mut raw);
            let entry = |raw: &[u8], rank: u8, out: &mut Vec<u8>| {
                out.extend_from_slice(b"{\"token\":\"");
                out.extend_from_slice(raw);
                out.extend_from_slice(b"\",\"logprob\":");
                write_logprob(place, at, rank, out);
                out.extend_from_slice(b",\"bytes\":[");
                for (index, byte) in text(raw).bytes().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(out, "{comma}{byte}").expect("writing to a Vec cannot fail");
                }
                out.push(b']');
            };
            entry(&raw, 0, out);
            out.extend_from_slice(b",\"top_logprobs\":[");
            for rank in 0..others {
                if rank > 0 {
                    out.push(b',');
                }
                match rank {
                    0 => entry(&raw, rank, out),
                    _ => entry(alternative(rank).as_bytes(), rank, out),
                }
                out.push(b'}');
            }
            out.extend_from_slice(b"]}");
            room.meter.charge(LOGPROB * (1 + i64::from(others)));
            place.position.at += 1;
            if at + 1 == place.tokens.end {
                out.extend_from_slice(after.as_bytes());
                return true;
            }
            if room.is_used() {
                return false;
            }
        }
    }

    /// Appends tokens as a `CreateCompletionResponse` has them: a list for each kind of fact.
    fn parallel(&self, place: &mut Place<'_>, others: u8, room: &mut Room<'_>) -> bool {
        let tokens = place.tokens.len() as u32;
        let mut raw = Vec::new();
        loop {
            let (list, index) = (place.position.at / tokens, place.position.at % tokens);
            let at = place.tokens.start + index;
            if list == 3 && !self.count_chars(place, at, room) {
                return false;
            }
            let out = &mut *room.out;
            if index == 0 {
                let before = if list == 0 { "{" } else { "]," };
                let name = LISTS[list as usize];
                write!(out, "{before}\"{name}\":[").expect("writing to a Vec cannot fail");
            } else {
                out.push(b',');
            }
            self.token(place, at, &mut raw);
            match list {
                0 => {
                    out.push(b'"');
                    out.extend_from_slice(&raw);
                    out.push(b'"');
                }
                1 => write_logprob(place, at, 0, out),
                2 => top(place, at, others, &raw, out),
                _ => write!(out, "{}", place.position.chars).expect("writing to a Vec cannot fail"),
            }
            let entries = if list == 2 { i64::from(others) } else { 1 };
            room.meter.charge(LOGPROB * entries.max(1));
            place.position.at += 1;
            if place.position.at == tokens * LISTS.len() as u32 {
                out.extend_from_slice(b"]}");
                return true;
            }
            if room.is_used() {
                return false;
            }
        }
    }

    /// Counts the characters of the text before a token. Returns true when it is done.
    fn count_chars(&self, place: &mut Place<'_>, before: u32, room: &mut Room<'_>) -> bool {
        let mut raw = Vec::new();
        while place.position.counted < before {
            self.token(place, place.position.counted, &mut raw);
            place.position.chars += text(&raw).chars().count() as u32;
            place.position.counted += 1;
            room.meter.charge(LOGPROB);
            if room.meter.is_spent() {
                return false;
            }
        }
        true
    }

    /// Writes a token as the inside of a JSON string.
    fn token(&self, place: &Place<'_>, at: u32, raw: &mut Vec<u8>) {
        raw.clear();
        self.source(place).append(at..at + 1, raw);
    }
}

/// Appends an object of the alternatives for a token and their log probabilities. A name that
/// occurs twice has the value of its last alternative.
fn top(place: &Place<'_>, at: u32, others: u8, raw: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    let same = (1..others).find(|rank| alternative(*rank).as_bytes() == raw);
    for rank in (0..others).filter(|rank| Some(*rank) != same) {
        let name = alternative(rank);
        let (name, value) = match rank {
            0 => (raw, same.unwrap_or(0)),
            _ => (name.as_bytes(), rank),
        };
        out.extend_from_slice(if rank == 0 { b"\"" } else { b",\"" });
        out.extend_from_slice(name);
        out.extend_from_slice(b"\":");
        write_logprob(place, at, value, out);
    }
    out.push(b'}');
}

/// Returns the alternative of a rank above 0.
fn alternative(rank: u8) -> String {
    format!(" other{rank}")
}

/// Appends the natural logarithm of a probability: the higher the rank, the lower it is.
fn write_logprob(place: &Place<'_>, at: u32, rank: u8, out: &mut Vec<u8>) {
    let drawn = mix(place.numbers.id ^ u64::from(at) << 8) % 1000;
    let logprob = -(drawn as f64 / 1000.0) - f64::from(rank);
    serde_json::to_writer(out, &logprob).expect("writing to a Vec cannot fail");
}

/// Returns the text that the inside of a JSON string stands for.
fn text(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'\\') {
        return String::from_utf8_lossy(raw);
    }
    let string = [b"\"", raw, b"\""].concat();
    Cow::Owned(serde_json::from_slice(&string).expect("tokens end where characters do"))
}
