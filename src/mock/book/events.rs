//! The templates of chunks and events. Knows no answer.

use crate::mock::template::Template;

/// The templates of chunks and events.
#[derive(Debug)]
pub(super) struct Events {
    pub chat: Chunks,
    pub completion: Chunks,
    pub role: Template,
    pub content: Template,
    pub call: Template,
    pub arguments: Template,
    pub created: Event,
    pub in_progress: Event,
    pub item_added: Event,
    pub part_added: Event,
    pub text_delta: Event,
    pub text_done: Event,
    pub part_done: Event,
    pub arguments_delta: Event,
    pub arguments_done: Event,
    pub item_done: Event,
    pub completed: Event,
    pub incomplete: Event,
}

#[derive(Debug)]
pub(super) struct Chunks {
    pub chunk: Template,
    pub usage: Template,
}

/// An event of the Responses API: its line before the data, and the data.
#[derive(Debug)]
pub(super) struct Event {
    pub before: String,
    pub data: Template,
}

impl Event {
    fn new(json: &str) -> Event {
        let value: serde_json::Value = serde_json::from_str(json).expect("templates are JSON");
        let kind = value["type"].as_str().expect("events have a type");
        Event {
            before: format!("event: {kind}\n"),
            data: Template::parse(json),
        }
    }
}

impl Events {
    pub fn new() -> Events {
        macro_rules! event {
            ($name:literal) => {
                Event::new(include_str!(concat!(
                    "../templates/response.event.",
                    $name,
                    ".json"
                )))
            };
        }
        macro_rules! template {
            ($name:literal) => {
                Template::parse(include_str!(concat!("../templates/", $name, ".json")))
            };
        }
        Events {
            chat: Chunks {
                chunk: template!("chat.chunk"),
                usage: template!("chat.chunk.usage"),
            },
            completion: Chunks {
                chunk: template!("completion.chunk"),
                usage: template!("completion.chunk.usage"),
            },
            role: template!("chat.delta.role"),
            content: template!("chat.delta.content"),
            call: template!("chat.delta.call"),
            arguments: template!("chat.delta.arguments"),
            created: event!("created"),
            in_progress: event!("in_progress"),
            item_added: event!("item_added"),
            part_added: event!("part_added"),
            text_delta: event!("text_delta"),
            text_done: event!("text_done"),
            part_done: event!("part_done"),
            arguments_delta: event!("arguments_delta"),
            arguments_done: event!("arguments_done"),
            item_done: event!("item_done"),
            completed: event!("completed"),
            incomplete: event!("incomplete"),
        }
    }
}
