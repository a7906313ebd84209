//! Tests of the text of responses: its length, its words, and that streams have the same text.

use std::collections::HashSet;

use mocker::internals::settings::{ContentMode, Settings};

use super::client::{Client, chat};
use super::streams::{chunks, streamed, text_of};

#[test]
fn the_text_has_the_configured_length_and_is_counted() {
    for content in [ContentMode::Fixed, ContentMode::Random] {
        let settings = Settings {
            tokens: Some(50..=60),
            content,
            ..Settings::default()
        };
        let mut client = Client::new(&settings);
        let mut seen = HashSet::new();
        for _ in 0..300 {
            let json = client.ask(chat(r#"{"messages":[]}"#)).json();
            let text = json["choices"][0]["message"]["content"].as_str().unwrap();
            let tokens = text.split(' ').count();
            assert_eq!(json["usage"]["completion_tokens"], tokens);
            assert_eq!(json["usage"]["prompt_tokens"], 1);
            assert_eq!(json["choices"][0]["finish_reason"], "stop");
            seen.insert(tokens);
        }
        assert_eq!(seen.len(), 11, "every length from 50 to 60 comes");
        let cut = client.ask(chat(r#"{"max_tokens":7}"#)).json();
        assert_eq!(cut["choices"][0]["finish_reason"], "length");
        assert_eq!(cut["usage"]["completion_tokens"], 7);
    }
}

#[test]
fn random_words_differ_each_time() {
    let mut client = Client::new(&Settings {
        content: ContentMode::Random,
        ..Settings::default()
    });
    let mut ask = || client.ask(chat("{}")).json()["choices"][0]["message"]["content"].take();
    let texts: HashSet<String> = (0..100).map(|_| ask().to_string()).collect();
    assert_eq!(texts.len(), 100);
}

/// A limit of 5 truncates a text of 6 tokens but not one of 5; otherwise both responses are equal.
#[test]
fn truncation_is_reported_only_if_it_happened() {
    let mut client = Client::new(&Settings {
        tokens: Some(5..=6),
        ..Settings::default()
    });
    let mut ask = || client.ask(chat(r#"{"max_tokens":5}"#)).json();
    let ends = (0..200).map(|_| ask()["choices"][0]["finish_reason"].to_string());
    let cut = ends.filter(|end| end == "\"length\"").count();
    assert!((60..140).contains(&cut), "{cut} of 200");
}

#[test]
fn streams_have_the_same_text_as_other_responses() {
    for content in [ContentMode::Fixed, ContentMode::Random] {
        let settings = Settings {
            content,
            ..Settings::default()
        };
        // The first response of a seed has the same id in any format, and so the same random words.
        let (_, streamed) = streamed(&settings, chat(r#"{"stream":true}"#));
        let whole = Client::new(&settings).ask(chat("{}")).json();
        let text = text_of(&chunks(&streamed), 0);
        assert_eq!(whole["choices"][0]["message"]["content"], *text);
    }
}
