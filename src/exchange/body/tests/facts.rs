//! The facts of every body, and the limits of their values.

use super::*;

#[test]
fn no_body_is_every_default() {
    for endpoint in FUZZED {
        assert_eq!(read(endpoint, ""), Ok(DEFAULT));
        assert_eq!(read(endpoint, "{}"), Ok(DEFAULT));
    }
}

#[test]
fn a_body_after_a_bad_one_is_read_as_if_it_were_the_first() {
    let mut reader = BodyReader::new(ECHO);
    let full = br#"{"model":"m","stream":true,"n":3,"max_tokens":5,"dimensions":9,
        "encoding_format":"base64","input":["a","b"],"max_output_tokens":7}"#;
    for endpoint in FUZZED {
        for before in [&full[..], br#"{"n":0,"input":[[1,"#, b"[", b"{\"a\":\"\xE6"] {
            fed(&mut reader, endpoint, [before].into_iter()).ok();
            assert_eq!(fed(&mut reader, CHAT, [].into_iter()), Ok(DEFAULT));
            fed(&mut reader, endpoint, [before].into_iter()).ok();
            assert_eq!(
                fed(&mut reader, endpoint, [&b"{}"[..]].into_iter()),
                Ok(DEFAULT)
            );
        }
    }
}

#[test]
fn syntax_wins_over_a_bad_field_and_the_first_field_over_the_next() {
    assert_eq!(read(CHAT, r#"{"n":0,"stream":1}"#), refusal("stream"));
    assert_eq!(read(CHAT, r#"{"n":0,"stream":1"#), syntax(17));
    assert_eq!(read(CHAT, r#"[{"n":0}"#), Err(Problem::NOT_OBJECT));
}

#[test]
fn a_model_has_at_most_256_raw_bytes() {
    for (unit, size) in [("a", 1), (r"\n", 2), ("😀", 4), (r"\u00e9", 6)] {
        for endpoint in FUZZED {
            for len in [1, 254, 255, 256, 257, 258, 5000] {
                let pad = "b".repeat(len % size);
                let name = unit.repeat(len / size) + &pad;
                let model = Some(name.clone().into_bytes());
                let good = Ok(Plain { model, ..DEFAULT });
                let wanted = if len <= MODEL_MAX {
                    good
                } else {
                    refusal("model")
                };
                assert_eq!(read(endpoint, &format!(r#"{{"model":"{name}"}}"#)), wanted);
            }
        }
    }
}

fn chat(n: u8, token_limit: Option<u32>) -> Result<Plain, Problem> {
    Ok(Plain {
        n,
        token_limit,
        ..DEFAULT
    })
}

#[test]
fn n_is_from_1_to_128() {
    let n = |text: &str| read(CHAT, &format!("{{\"n\":{text}}}"));
    for number in [1, 2, 127, 128] {
        assert_eq!(n(&number.to_string()), chat(number, None));
    }
    let huge = "9".repeat(300);
    for odd in [
        "0",
        "129",
        "256",
        "257",
        "4294967297",
        "-1",
        "1.0",
        "1e0",
        "-0",
        "\"1\"",
        &huge,
    ] {
        assert_eq!(n(odd), refusal("n"), "{odd}");
    }
}

#[test]
fn limits_of_tokens_are_at_least_1_and_saturate() {
    let huge = "9".repeat(300);
    for (text, limit) in [
        ("1", 1),
        ("4294967294", u32::MAX - 1),
        ("4294967295", u32::MAX),
        ("4294967296", u32::MAX),
        (&huge, u32::MAX),
    ] {
        let body = format!("{{\"max_tokens\":{text}}}");
        assert_eq!(read(CHAT, &body), chat(1, Some(limit)));
        let body = format!("{{\"max_output_tokens\":{text}}}");
        assert_eq!(read(RESPONSES, &body), chat(1, Some(limit)));
    }
    let fraction = format!("{huge}.0");
    for text in ["0", "-5", &fraction, "true", "[]", "{}"] {
        let body = format!("{{\"max_completion_tokens\":{text}}}");
        let wanted = refusal("max_completion_tokens");
        assert_eq!(read(CHAT, &body), wanted, "{text}");
    }
}

#[test]
fn of_two_limits_of_tokens_the_smaller_counts() {
    let both = r#"{"max_tokens":7,"max_completion_tokens":5}"#;
    assert_eq!(read(CHAT, both), chat(1, Some(5)));
}

#[test]
fn dimensions_are_from_1_to_4096() {
    let read = |text: &str| read(EMBEDDINGS, &format!("{{\"dimensions\":{text}}}"));
    for number in [1, 4095, 4096] {
        let dimensions = Some(number);
        let wanted = Ok(Plain {
            dimensions,
            ..DEFAULT
        });
        assert_eq!(read(&number.to_string()), wanted);
    }
    for odd in ["0", "4097"] {
        assert_eq!(read(odd), refusal("dimensions"), "{odd}");
    }
}

#[test]
fn inputs_are_counted_to_2048_and_tokens_without_end() {
    let list = |element: &str, count: usize| {
        let list = vec![element; count].join(",");
        read(EMBEDDINGS, &format!("{{\"input\":[{list}]}}"))
    };
    for element in ["\"a\"", "[1]", "[1,2,3,4,5,6,7,8,9]"] {
        for inputs in [1, 2, 2047, 2048] {
            let wanted = Ok(Plain {
                inputs: inputs as u16,
                ..DEFAULT
            });
            assert_eq!(list(element, inputs), wanted);
        }
        assert_eq!(list(element, 2049), field("input", INPUT_TOO_MANY));
        assert_eq!(list(element, 70_000), field("input", INPUT_TOO_MANY));
    }
    assert_eq!(list("15339", 100_000), Ok(DEFAULT));
}

#[test]
fn messages_name_the_limits() {
    let message = |field: &str| row(field).accepts.message().unwrap();
    assert!(message("model").contains(&MODEL_MAX.to_string()));
    assert!(message("dimensions").contains(&DIMENSIONS_MAX.to_string()));
    assert!(INPUT_TOO_MANY.contains(&INPUTS_MAX.to_string()));
}

#[test]
fn the_last_of_two_keys_wins_wholly() {
    for (value, wanted) in [
        ("[],\"n\":4", Ok(Plain { n: 4, ..DEFAULT })),
        ("4,\"n\":null", Ok(DEFAULT)),
        ("4,\"\\u006e\":0", refusal("n")),
        (
            "4,\"m\":{\"n\":0,\"n\":[{\"n\":9}]}",
            Ok(Plain { n: 4, ..DEFAULT }),
        ),
    ] {
        assert_eq!(read(CHAT, &format!("{{\"n\":{value}}}")), wanted);
    }
    let body = r#"{"input":[[1],"a"],"input":["a","b"],"input":null,"input":[1]}"#;
    assert_eq!(read(EMBEDDINGS, body), Ok(DEFAULT));
}

#[test]
fn the_scanner_stays_small() {
    assert!(
        size_of::<BodyReader>() <= 800,
        "{} bytes",
        size_of::<BodyReader>()
    );
}
