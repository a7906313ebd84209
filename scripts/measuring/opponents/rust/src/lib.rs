//! The code that both servers share: options, types and responses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The options of the command line.
#[derive(Clone, Default)]
pub struct Options {
    pub latency: Duration,
    pub content: String,
}

impl Options {
    /// Parses `--latency MILLISECONDS --content TEXT`.
    pub fn read() -> Result<Options, lexopt::Error> {
        use lexopt::prelude::*;
        let mut options = Options::default();
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("latency") => {
                    let millis: f64 = arguments.value()?.parse()?;
                    options.latency = Duration::from_secs_f64(millis / 1e3);
                }
                Long("content") => options.content = arguments.value()?.string()?,
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }
}

#[derive(Deserialize)]
pub struct ChatRequest {
    pub model: String,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    refusal: Option<String>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<String>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
}

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: Usage,
}

/// Returns the response as JSON.
pub fn complete(request: &ChatRequest, content: &str) -> Vec<u8> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let (prompt, output) = (fastrand::u32(100..500), fastrand::u32(100..500));
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let completion = Completion {
        id: format!("chatcmpl-{number:016x}"),
        object: "chat.completion",
        created: now.map_or(0, |since| since.as_secs()),
        model: &request.model,
        choices: [Choice {
            index: 0,
            message: Message {
                role: "assistant",
                content,
                refusal: None,
            },
            logprobs: None,
            finish_reason: "stop",
        }],
        usage: Usage {
            prompt_tokens: prompt,
            completion_tokens: output,
            total_tokens: prompt + output,
        },
    };
    serde_json::to_vec(&completion).expect("it is JSON")
}
