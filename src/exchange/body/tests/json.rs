//! The distinction between JSON and other bodies, and the offset of the first error.

use super::*;

#[test]
fn hand_written_documents_are_judged_like_serde_json_judges_them() {
    const VALUES: &str = r#"
        0 -0 1 -1 10 01 -01 00 1. .5 1.5 1.e5 1e 1e+ 1e5 1E-05 +1 - -a 0x1 0e 0e0 0.0 1.0
        1e0 1e400 NaN Infinity true false null tru nul truE nulll falsey "" "a" "\n" "\/"
        "\u00e9" "\u12g4" "\u123" "\uD800" "\uDC00\uD800" "\uD83D\uDE00" "\x" "\" "\\" "\""
        'a' "é" "漢字" "😀" "unended [] [1] [1,] [,1] [1,,2] [1 2] [[]] [[[]]] ] [} {] } {}
        {"a":1} {"a":1,} {"a"} {"a":} {:1} {a:1} {"a":1"b":2} {"a":1,"b":[{"c":null}]} {1:1}
        {"a"::1} [0] [00] [0,01,2,3,4,5,6,7] [1,2,3,4,5,6,7,8] [1,2,3,4,-5,6,7,8]
        [1,2,3,4,5,,6,7,8,9] [12345678,012345678] [12345678,0,12345678] [1234567,0,1,2,3]
        [1234567,00,1,2,3] "a","b" [1234567,12345678,] [1.5,2.5e3,-0.1,1e5]
        [11111111111111111111111111111111] [1:2] [1;2] [true,false,null] [truefalse] [1]]
        [1]} ["a","b"] ["a",""] ["a",1] [1,"a"] [[1],"a"] [[1],[2]] [[1],[]] [[1],["a"]]
        [[1],[[2]]] [[1],2] [[1,2,3,4,5,6,7,8,9],[1],[12,13]]"#;
    let mut reader = BodyReader::new(ECHO);
    let keys = [
        "model",
        "input",
        "n",
        "stream",
        "encoding_format",
        "dimensions",
        "other",
    ];
    for value in VALUES.split_ascii_whitespace() {
        for endpoint in FUZZED {
            check(&mut reader, endpoint, value.as_bytes());
            for key in keys {
                let body = format!(r#" {{ "{key}" : {value} , "x":[{value}] }} "#);
                check(&mut reader, endpoint, body.as_bytes());
                check(
                    &mut reader,
                    endpoint,
                    format!(r#"{{"{key}":{value}}}"#).as_bytes(),
                );
                check(
                    &mut reader,
                    endpoint,
                    format!(r#"{{"{key}":[ {value}, 1]}}"#).as_bytes(),
                );
                check(
                    &mut reader,
                    endpoint,
                    format!(r#"{{"{key}":{value}"#).as_bytes(),
                );
            }
        }
    }
}

#[test]
fn the_first_byte_that_cannot_be_is_named() {
    let table: &[(&[u8], u64)] = &[
        (b" ", 1),
        (b" \n\t\r", 4),
        (b"\xEF\xBB\xBF{}", 0),
        (b"x", 0),
        (b"}", 0),
        (b"{", 1),
        (b"{,", 1),
        (b"{}x", 2),
        (b"{} \n {", 5),
        (b"{\"a\"", 4),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":1,}", 7),
        (b"{\"a\":01}", 6),
        (b"{\"a\":1.}", 7),
        (b"{\"a\":-}", 6),
        (b"{\"a\":1e+}", 8),
        (b"{\"a\":1e5.}", 8),
        (b"{\"a\":trux}", 8),
        (b"{\"a\":nul", 8),
        (b"{\"a\":[1}", 7),
        (b"{\"a\":[1,]}", 8),
        (b"{\"a\":[1234567,12345678,012]}", 24),
        (b"{\"a\":[1234567,12345678,,2,3,4,5]}", 23),
        (b"{\"a\":[1234567, 12345678 1, 2, 3]}", 24),
        (b"{\"a\":\"\n\"}", 6),
        (b"{\"a\":\"\x1f\"}", 6),
        (b"{\"a\":\"\\x\"}", 7),
        (b"{\"a\":\"\\u12x4\"}", 10),
        (b"{\"a\":\"\x80\"}", 6),
        (b"{\"a\":\"\xC1\x81\"}", 6),
        (b"{\"a\":\"\xC3\"}", 7),
        (b"{\"a\":\"\xE0\x9F\xBF\"}", 7),
        (b"{\"a\":\"\xED\xA0\x80\"}", 7),
        (b"{\"a\":\"\xE6\xBC\"}", 8),
        (b"{\"a\":\"\xF0\x8F\xBF\xBF\"}", 7),
        (b"{\"a\":\"\xF4\x90\x80\x80\"}", 7),
        (b"{\"a\":\"\xF5\x80\x80\x80\"}", 6),
        (b"{\"a\":\"\xF0\x9F\x98", 9),
        (b"{\"\xFF\":1}", 2),
    ];
    let mut reader = BodyReader::new(ECHO);
    for &(body, at) in table {
        let name = body.escape_ascii();
        let want = match body.starts_with(b"\xef\xbb\xbf") {
            true => Err(Problem::MARKED),
            false => syntax(at),
        };
        assert_eq!(verdict(&mut reader, CHAT, body), want, "{name}");
    }
    // The same byte is found behind any length of text, so at any position in a word or block.
    for len in 0..150 {
        for (bad, off) in [(&b"\x1F"[..], 0), (b"\\x", 1), (b"\xC3\"", 1), (b"\xFF", 0)] {
            for filler in ["a", "é", "漢", "😀"] {
                let text = filler.repeat(len);
                let body = [b"{\"a\":\"", text.as_bytes(), bad, b"aaaaaaaaaa\"}"].concat();
                let at = 6 + text.len() as u64 + off;
                assert_eq!(verdict(&mut reader, CHAT, &body), syntax(at));
            }
        }
    }
}

#[test]
fn every_two_and_three_byte_sequence_is_utf8_or_not_as_std_says() {
    let mut reader = BodyReader::new(ECHO);
    let edges = [
        0x00, 0x22, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF,
    ];
    for lead in 0x80..=0xFF {
        for (second, third) in edges.iter().flat_map(|a| edges.map(|b| (*a, b))) {
            let text = [lead, second, third, 0x80];
            for used in 1..=4 {
                let body = [b"{\"a\":\"", &text[..used], b"\"}"].concat();
                check(&mut reader, CHAT, &body);
            }
        }
    }
}

#[test]
fn nesting_is_accepted_to_128_levels() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |levels: usize| {
            let end = if open == "[" { "" } else { "1" };
            format!(
                "{{\"input\":{}{end}{}}}",
                open.repeat(levels),
                close.repeat(levels)
            )
        };
        assert_eq!(read(CHAT, &nested(126)), Ok(DEFAULT));
        assert_eq!(read(CHAT, &nested(127)), Ok(DEFAULT));
        assert_eq!(read(CHAT, &nested(128)), Err(Problem::TOO_DEEP));
    }
    let siblings = format!("{{\"a\":[{}1]}}", "[],{},".repeat(500));
    assert_eq!(read(CHAT, &siblings), Ok(DEFAULT));
}
