//! The text of answers: how long it is, which words it has, and that it is the same streamed.

use std::collections::HashSet;

use mocker::settings::{Content, Settings};

use super::client::{Client, chat};
use super::streams::{chunks, streamed, text_of};

#[test]
fn text_is_as_long_as_was_set_and_counted() {
    for content in [Content::Fixed, Content::Random] {
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
fn random_words_are_others_each_time() {
    let mut client = Client::new(&Settings {
        content: Content::Random,
        ..Settings::default()
    });
    let mut ask = || client.ask(chat("{}")).json()["choices"][0]["message"]["content"].take();
    let texts: HashSet<String> = (0..100).map(|_| ask().to_string()).collect();
    assert_eq!(texts.len(), 100);
}

/// Of 5 tokens or 6, a limit of 5 cuts only the latter; both answers are equally long otherwise.
#[test]
fn an_answer_says_that_it_was_cut_only_when_it_was() {
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
fn what_streams_says_the_same_as_what_does_not() {
    for content in [Content::Fixed, Content::Random] {
        let settings = Settings {
            content,
            ..Settings::default()
        };
        // The first answer of a seed has one id, whatever its form; so random words are the same.
        let (_, streamed) = streamed(&settings, chat(r#"{"stream":true}"#));
        let whole = Client::new(&settings).ask(chat("{}")).json();
        let text = text_of(&chunks(&streamed), 0);
        assert_eq!(whole["choices"][0]["message"]["content"], *text);
    }
}
