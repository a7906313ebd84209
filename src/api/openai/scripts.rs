//! The frames of OpenAI's responses and streams, from the JSON files of this folder.

use crate::api::form::Output;
use crate::api::render::script::{LastIf, Script, event, typed_event};
use crate::api::template::{Endings, Slot, Template};

/// The words for how a text ended.
const ENDINGS: &[(&str, Endings)] = &[
    (
        "finish_reason",
        Endings {
            open: "null",
            stop: "\"stop\"",
            cut: "\"length\"",
            call: "\"tool_calls\"",
        },
    ),
    (
        "status",
        Endings {
            open: "\"in_progress\"",
            stop: "\"completed\"",
            cut: "\"incomplete\"",
            call: "\"completed\"",
        },
    ),
    (
        "incomplete_details",
        Endings {
            open: "null",
            stop: "null",
            cut: "{\"reason\":\"max_output_tokens\"}",
            call: "null",
        },
    ),
];

macro_rules! template {
    ($name:literal) => {
        Template::parse(include_str!(concat!($name, ".json")), ENDINGS)
    };
}

pub fn error() -> Template {
    template!("error")
}

pub fn embeddings() -> Script {
    Script::of_list(template!("embeddings"), template!("embeddings.item"))
}

pub fn moderation() -> Script {
    Script::of_list(template!("moderation"), template!("moderation.result"))
}

pub fn models() -> Script {
    Script::of_list(template!("models"), template!("model"))
}

pub fn model() -> Script {
    Script::constant(template!("model"))
}

pub fn chat(output: Output, stream: bool) -> Script {
    let choice = match output {
        _ if stream => return chat_stream(output),
        Output::Text => template!("chat.choice"),
        Output::Call => template!("chat.choice.call"),
    };
    Script::of_list(with_usage(template!("chat")), choice)
}

pub fn completion(_: Output, stream: bool) -> Script {
    if stream {
        let chunk = template!("completion.chunk");
        let usage = template!("completion.chunk.usage");
        return chunks(Vec::new(), chunk.clone(), chunk, usage);
    }
    Script::of_list(
        with_usage(template!("completion")),
        template!("completion.choice"),
    )
}

pub fn response(output: Output, stream: bool) -> Script {
    let item = match output {
        _ if stream => return response_stream(output),
        Output::Text => message(true),
        Output::Call => template!("response.call"),
    };
    Script::constant(whole_response(Some(&item), true))
}

fn with_usage(template: Template) -> Template {
    template.with(Slot::Usage, &template!("chat.usage"))
}

fn chat_stream(output: Output) -> Script {
    let chunk = |delta| template!("chat.chunk").with(Slot::Delta, &delta);
    let (first, next) = match output {
        Output::Call => (
            template!("chat.delta.call"),
            template!("chat.delta.arguments"),
        ),
        Output::Text => (
            template!("chat.delta.role"),
            template!("chat.delta.content"),
        ),
    };
    let end = chunk(Template::constant("{}"));
    let usage = template!("chat.chunk.usage");
    chunks(vec![event(&chunk(first))], chunk(next), end, usage)
}

/// Returns a stream of chunks; the one before the last reports the usage, if that is requested.
fn chunks(opening: Vec<Template>, chunk: Template, end: Template, usage: Template) -> Script {
    Script {
        opens_choices: true,
        opening,
        chunk: Some(event(&chunk)),
        ending: vec![event(&end)],
        last: vec![
            event(&with_usage(usage)),
            event(&Template::constant("[DONE]")),
        ],
        last_if: LastIf::Usage,
        ..Script::default()
    }
}

fn response_stream(output: Output) -> Script {
    macro_rules! event {
        ($name:literal) => {
            event!($name, |data| data)
        };
        ($name:literal, $with:expr) => {{
            let json = include_str!(concat!("response.event.", $name, ".json"));
            typed_event(json, ENDINGS, $with)
        }};
    }
    let begun = whole_response(None, false);
    let of_response = |data: Template| data.with(Slot::Response, &begun);
    let created = event!("created", of_response);
    let in_progress = event!("in_progress", of_response);
    let item = |done| match output {
        Output::Call => template!("response.call"),
        Output::Text => message(done),
    };
    let (added, done) = (item(false), item(true));
    let of_added = |data: Template| data.with(Slot::Output, &added);
    let of_done = |data: Template| data.with(Slot::Output, &done);
    let mut opening = vec![created, in_progress, event!("item_added", of_added)];
    let whole = whole_response(Some(&done), true);
    let of_whole = |data: Template| data.with(Slot::Response, &whole);
    let mut ending = Vec::new();
    let chunk = match output {
        Output::Call => {
            ending.push(event!("arguments_done"));
            event!("arguments_delta")
        }
        Output::Text => {
            let part = template!("response.part");
            let of_part = |data: Template| data.with(Slot::Part, &part);
            opening.push(event!("part_added", of_part));
            ending.extend([event!("text_done"), event!("part_done", of_part)]);
            event!("text_delta")
        }
    };
    ending.push(event!("item_done", of_done));
    Script {
        opening,
        opens_choices: true,
        chunk: Some(chunk),
        ending,
        repeats_text: true,
        last_if: LastIf::Cut,
        last: vec![
            event!("completed", of_whole),
            event!("incomplete", of_whole),
        ],
    }
}

/// Returns a response of the Responses API with this output; without one, at its beginning.
fn whole_response(output: Option<&Template>, done: bool) -> Template {
    let nothing = Template::default();
    let usage = match done {
        true => &Template::constant(",\"usage\":").then(&template!("response.usage")),
        false => &nothing,
    };
    template!("response")
        .with(Slot::Outputs, output.unwrap_or(&nothing))
        .with(Slot::UsageMember, usage)
}

/// Returns the message of a response; before it is complete, it has no parts.
fn message(done: bool) -> Template {
    let part = match done {
        true => template!("response.part"),
        false => Template::default(),
    };
    template!("response.message").with(Slot::Parts, &part)
}
