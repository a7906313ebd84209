//! Builders of requests.

/// Returns a request with a body. `fields` are lines without their ends.
pub fn request(method: &str, path: &str, fields: &[&str], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: mocker\r\n");
    fields
        .iter()
        .for_each(|line| text += &format!("{line}\r\n"));
    if !body.is_empty() || method == "POST" {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    text + "\r\n" + body
}

pub fn post(path: &str, body: &str) -> String {
    request("POST", path, &[], body)
}

pub fn chat(body: &str) -> String {
    post("/v1/chat/completions", body)
}

/// Returns a request for this many vectors of 4096 numbers, about 45 KB each.
pub fn embeddings(inputs: usize) -> String {
    let inputs = vec![r#""x""#; inputs].join(",");
    let body = format!(r#"{{"dimensions":4096,"input":[{inputs}]}}"#);
    post("/v1/embeddings", &body)
}

/// Returns a chunked chat request with this body, which includes the framing.
pub fn chunked(body: &str) -> String {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: mocker\r\n\
         Transfer-Encoding: chunked\r\n\r\n{body}"
    )
}
