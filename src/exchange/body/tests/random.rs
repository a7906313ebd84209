//! Random documents and their mutations, compared with serde_json.

use super::*;

fn spaces() -> &'static str {
    const SPACES: [&str; 8] = ["", "", "", "", "", " ", "\n  ", "\t \r\n"];
    SPACES[fastrand::usize(..SPACES.len())]
}

fn chosen(values: &[&str]) -> String {
    values[fastrand::usize(..values.len())].to_owned()
}

fn random_string() -> String {
    const PARTS: [&str; 14] = [
        "a",
        "model",
        "The quick brown fox ",
        "\\n",
        "\\\\",
        "\\\"",
        "\\u00e9",
        "\\ud800",
        "é",
        "漢字",
        "😀",
        "{",
        "[1,2]",
        "\u{7f}",
    ];
    let parts = [0, 1, 2, 5, 30][fastrand::usize(..5)];
    let text: String = (0..parts)
        .map(|_| PARTS[fastrand::usize(..PARTS.len())])
        .collect();
    format!("\"{text}\"")
}

fn random_list(mut element: impl FnMut() -> String) -> String {
    let count = [0, 1, 2, 3, 20][fastrand::usize(..5)];
    let separator = [",", ", ", ",\n ", " ,"][fastrand::usize(..4)];
    let list: Vec<String> = (0..count).map(|_| element()).collect();
    format!("[{}{}{}]", spaces(), list.join(separator), spaces())
}

fn random_number() -> String {
    match fastrand::u8(..4) {
        0 => chosen(&["0", "-0", "1.5", "-1e5", "2E-3", "0.0", "1e+2"]),
        1 => fastrand::u8(..).to_string(),
        _ => fastrand::u32(..200_000).to_string(),
    }
}

fn random_value(depth: u8) -> String {
    match fastrand::u8(..if depth > 4 { 4 } else { 8 }) {
        0 => chosen(&["true", "false", "null"]),
        1 => random_number(),
        2 | 3 => random_string(),
        4 => random_list(random_number),
        5 => random_list(|| random_value(depth + 1)),
        6 => random_list(|| random_list(random_number)),
        _ => random_object(depth + 1),
    }
}

fn random_member(depth: u8) -> String {
    const KEYS: [&str; 26] = [
        "model",
        "stream",
        "n",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "encoding_format",
        "dimensions",
        "input",
        "input",
        "messages",
        "mod\\u0065l",
        "messages",
        "role",
        "content",
        "text",
        "tools",
        "tool_choice",
        "response_format",
        "stream_options",
        "include_usage",
        "logprobs",
        "top_logprobs",
        "include",
        "\\u006E",
        "mode",
    ];
    let key = KEYS[fastrand::usize(..KEYS.len())];
    let value = match (fastrand::u8(..4), key) {
        (0, _) => random_value(depth),
        _ if depth > 5 => random_number(),
        (_, "stream" | "include_usage" | "logprobs") => chosen(&["true", "false", "null", "0"]),
        (_, "encoding_format") => chosen(&["\"float\"", "\"b\\u0061se64\"", "\"base64\"", "1"]),
        (1, "input") => random_list(random_string),
        (2, "input") => random_list(|| random_list(random_number)),
        (3, "input") => random_list(random_number),
        (_, "model") => chosen(&["\"gpt-4o\"", "\"\"", "null", "7", "\"é\\u0041\""]),
        (_, "role") => chosen(&["\"user\"", "\"u\\u0073er\"", "\"system\""]),
        (1, "content") => random_list(|| random_object(depth + 1)),
        (_, "content" | "text") => random_string(),
        (_, "tools" | "messages") => random_list(|| random_object(depth + 1)),
        (_, "tool_choice" | "response_format" | "stream_options") => random_object(depth + 1),
        (_, "include") => chosen(&["[\"message.output_text.logprobs\"]", "[]"]),
        _ => random_number(),
    };
    format!(
        "{}\"{key}\"{}:{}{value}{}",
        spaces(),
        spaces(),
        spaces(),
        spaces()
    )
}

fn random_object(depth: u8) -> String {
    let members: Vec<String> = (0..fastrand::u8(..5))
        .map(|_| random_member(depth))
        .collect();
    format!("{{{}{}}}", spaces(), members.join(","))
}

fn mutate(body: &mut Vec<u8>) {
    const BYTES: &[u8] =
        b"\"\"\\{}[]:,, \n0019-+.eEtfnu\x00\x1f\x7f\x80\xA0\xBF\xC3\xE0\xED\xF0\xF4\xFF";
    let at = fastrand::usize(..=body.len());
    let end = (at + fastrand::usize(1..4)).min(body.len());
    let byte = BYTES[fastrand::usize(..BYTES.len())];
    match fastrand::u8(..6) {
        0 => body.insert(at, byte),
        1 => body.truncate(at),
        2 => drop(body.drain(at..end)),
        3 => body.extend_from_within(at..end),
        _ if at < body.len() => body[at] = byte,
        _ => {}
    }
}

#[test]
fn random_documents_and_their_mutations_are_judged_like_serde_json_judges_them() {
    let seed = std::env::var("ASK_SEED").map_or(20_240, |seed| seed.parse().unwrap());
    let mut reader = BodyReader::new(ECHO);
    for seed in seed..seed + 2500 {
        fastrand::seed(seed);
        let body = random_object(0).into_bytes();
        let endpoint = FUZZED[fastrand::usize(..3)];
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            check(&mut reader, endpoint, &body);
            for _ in 0..4 {
                let mut body = body.clone();
                (0..fastrand::u8(1..3)).for_each(|_| mutate(&mut body));
                check(&mut reader, endpoint, &body);
            }
        }));
        assert!(judged.is_ok(), "ASK_SEED={seed}");
    }
}
