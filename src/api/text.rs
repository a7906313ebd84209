//! Generated text, and its tokens.

use std::{io, ops::Range, sync::Arc};

use super::number::mix;
use crate::meter::{CUT, Meter, WORD};
use crate::settings::{ContentMode, Settings};

/// The default text of a response.
const SENTENCE: &str = "This is a mocked response: its words are always the same, \
                        its numbers never are.";

/// The approximate length of the text with `big-payload`, in bytes.
const BIG: usize = 10_000;

/// The number of characters of JSON in a token: OpenAI's rule of thumb for English text, and
/// clients see pieces that end anywhere.
const JSON_TOKEN: usize = 4;

/// The most characters in a token of a text. Longer words are rare, and the limit bounds the length
/// of an echo with this number of tokens.
const TOKEN_MAX: usize = 16;

/// The words of random text.
const WORDS: [&str; 64] = [
    "about", "air", "answer", "apple", "autumn", "bird", "blue", "book", "bread", "bridge", "by",
    "cloud", "coffee", "dance", "day", "dream", "early", "evening", "far", "field", "fire",
    "flower", "for", "forest", "garden", "gentle", "glass", "green", "hand", "hill", "home",
    "house", "in", "island", "journey", "lamp", "leaf", "letter", "light", "long", "moon",
    "morning", "mountain", "music", "near", "night", "ocean", "of", "old", "open", "paper", "path",
    "quiet", "rain", "river", "road", "small", "song", "stone", "summer", "the", "tree", "water",
    "window",
];

/// The source of the words of all responses.
#[derive(Clone, Debug)]
pub enum Words {
    /// A text, which is repeated if it is too short.
    Text(Arc<Text>),
    /// Random words, which follow from the response's number.
    Random,
}

impl Words {
    /// Makes the source that the settings choose. Reads the file of `-content file:PATH`; an error
    /// is that of the system, or says that the file has no words.
    #[expect(clippy::disallowed_methods, reason = "runs at startup")]
    pub fn new(settings: &Settings) -> io::Result<Words> {
        let text = match &settings.content {
            ContentMode::Random => return Ok(Words::Random),
            ContentMode::File(path) => {
                let text = std::fs::read_to_string(path)?;
                if text.trim().is_empty() {
                    let why = "it holds no words";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                text.trim_end().to_owned()
            }
            // An echo of nothing is the sentence too.
            ContentMode::Fixed | ContentMode::Echo => {
                let times = match settings.big_payload {
                    true => BIG.div_ceil(SENTENCE.len() + 1),
                    false => 1,
                };
                vec![SENTENCE; times].join(" ")
            }
        };
        Ok(Words::Text(Arc::new(Text::of_words(&text))))
    }

    /// Returns the source of a choice of a response. `own` is the text that was made for it, if
    /// any.
    pub fn source<'a>(&'a self, own: Option<&'a Text>, id: u64, choice: u32) -> Source<'a> {
        match (own, self) {
            (Some(own), _) => Source::Text(own),
            (None, Words::Text(text)) => Source::Text(text),
            (None, Words::Random) => Source::Random(mix(id ^ u64::from(choice))),
        }
    }

    /// The default number of tokens of a response.
    pub fn tokens(&self) -> u32 {
        match self {
            Words::Text(text) => text.tokens(),
            Words::Random => SENTENCE.split(' ').count() as u32,
        }
    }
}

/// The tokens of a text, without end.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The tokens of this text, repeated.
    Text(&'a Text),
    /// Random words that follow from this seed.
    Random(u64),
}

impl Source<'_> {
    /// The units for a number of tokens, without those for their bytes.
    #[inline]
    pub fn cost(&self, tokens: usize) -> i64 {
        WORD * tokens as i64
    }

    /// Appends a range of tokens as the inside of a JSON string.
    #[inline]
    pub fn append(&self, tokens: Range<u32>, out: &mut Vec<u8>) {
        match self {
            Source::Text(text) => text.append(tokens, out),
            Source::Random(seed) => {
                for token in tokens {
                    let word = mix(seed.wrapping_add(token.into())) as usize % WORDS.len();
                    if token > 0 {
                        out.push(b' ');
                    }
                    out.extend_from_slice(WORDS[word].as_bytes());
                }
            }
        }
    }
}

/// A text as the inside of a JSON string, cut into tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    json: Vec<u8>,
    /// The end of each token in `json`.
    ends: Vec<u32>,
}

impl Text {
    /// Makes a text whose tokens are words with the white space before them, or parts of long ones.
    pub fn of_words(text: &str) -> Text {
        Cutter::of_words(text.to_owned()).finish()
    }

    /// The number of tokens; at least 1.
    pub fn tokens(&self) -> u32 {
        self.ends.len() as u32
    }

    #[inline]
    fn append(&self, tokens: Range<u32>, out: &mut Vec<u8>) {
        let count = self.tokens();
        if tokens.end <= count && tokens.start < tokens.end {
            let from = match tokens.start {
                0 => 0,
                start => self.ends[start as usize - 1],
            };
            let end = self.ends[tokens.end as usize - 1];
            return out.extend_from_slice(&self.json[from as usize..end as usize]);
        }
        for token in tokens {
            let at = token % count;
            // Repetitions are separated by a space.
            if at == 0 && token > 0 {
                out.push(b' ');
            }
            self.append(at..at + 1, out);
        }
    }
}

/// Cuts a text into tokens, in pieces.
#[derive(Debug)]
pub struct Cutter {
    text: String,
    /// True if the tokens are words; otherwise they are a few characters each.
    words: bool,
    /// The end of the last token.
    at: usize,
    cut: Text,
}

impl Cutter {
    /// Begins a text whose tokens are words with the white space before them, or parts of long
    /// ones.
    pub fn of_words(text: String) -> Cutter {
        Cutter {
            text,
            words: true,
            at: 0,
            cut: Text::default(),
        }
    }

    /// Begins a JSON text, whose tokens are a few characters each.
    pub fn of_json(text: String) -> Cutter {
        Cutter {
            words: false,
            ..Cutter::of_words(text)
        }
    }

    /// Goes on until the units are spent. Returns the text when it is complete.
    pub fn run(&mut self, meter: &mut Meter) -> Option<Text> {
        // There is at least one token, and all of it may be white space.
        while self.at < self.text.len() || self.cut.ends.is_empty() {
            if meter.is_spent() {
                return None;
            }
            let rest = &self.text[self.at..];
            let len = match self.words {
                true => word(rest),
                false => rest.char_indices().nth(JSON_TOKEN).map(|(at, _)| at),
            };
            let token = &rest[..len.unwrap_or(rest.len())];
            let json = serde_json::Value::from(token).to_string();
            let json = &json.as_bytes()[1..json.len() - 1];
            self.cut.json.extend_from_slice(json);
            self.cut.ends.push(self.cut.json.len() as u32);
            self.at += token.len();
            meter.charge(CUT);
        }
        Some(std::mem::take(&mut self.cut))
    }

    fn finish(mut self) -> Text {
        let text = self.run(&mut Meter::new(i64::MAX));
        text.expect("the units suffice for any text")
    }
}

/// Returns the length of the token that a text begins with; `None` if it is all of the text.
fn word(text: &str) -> Option<usize> {
    let mut in_word = false;
    for (count, (at, char)) in text.char_indices().enumerate() {
        if count == TOKEN_MAX {
            return Some(at);
        }
        // White space at the end belongs to the last word.
        if in_word && char.is_whitespace() && !text[at..].trim_start().is_empty() {
            return Some(at);
        }
        in_word = !char.is_whitespace();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: Source<'_>, tokens: Range<u32>) -> String {
        let mut out = Vec::new();
        source.append(tokens, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn pieces(text: &Text) -> Vec<String> {
        let source = Source::Text(text);
        (0..text.tokens())
            .map(|at| said(source, at..at + 1))
            .collect()
    }

    #[test]
    fn a_token_is_a_word_with_the_space_before_it() {
        for (text, want) in [
            ("This is it", &["This", " is", " it"][..]),
            ("one", &["one"]),
            ("  two  words \n", &["  two", "  words \\n"]),
            ("sa\"y é\u{2003}x", &["sa\\\"y", " é", "\u{2003}x"]),
            ("", &[""]),
            ("\n \t", &["\\n \\t"]),
            (
                "longer than sixteen: abcdefghijklmnopqr.",
                &["longer", " than", " sixteen:", " abcdefghijklmno", "pqr."],
            ),
        ] {
            assert_eq!(pieces(&Text::of_words(text)), want, "{text:?}");
        }
        let json = pieces(&Cutter::of_json(r#"{"a":"é\n"}"#.to_owned()).finish());
        assert_eq!(json, [r#"{\"a\""#, r#":\"é\\"#, r#"n\"}"#]);
    }

    #[test]
    fn every_range_is_what_its_tokens_are_one_by_one() {
        let text = Text::of_words("a bc def");
        for source in [Source::Text(&text), Source::Random(7)] {
            for from in 0..8 {
                for to in from..9 {
                    let one_by_one = (from..to).map(|at| said(source, at..at + 1));
                    assert_eq!(said(source, from..to), one_by_one.collect::<String>());
                }
            }
        }
        assert_eq!(said(Source::Text(&text), 0..7), "a bc def a bc def a");
        assert_ne!(
            said(Source::Random(7), 0..20),
            said(Source::Random(8), 0..20)
        );
        assert_eq!(said(Source::Random(7), 0..20).split(' ').count(), 20);
    }

    #[test]
    fn the_big_text_has_about_ten_kilobytes() {
        let settings = Settings {
            big_payload: true,
            ..Settings::default()
        };
        let words = Words::new(&settings).unwrap();
        let text = said(words.source(None, 1, 0), 0..words.tokens());
        assert!((10_000..10_200).contains(&text.len()));
    }
}
