//! The frames of each kind of response, as templates: one for a whole JSON document, and one for
//! the events of a stream (WHATWG HTML, 9.2.6).

use crate::api::route::{Api, Endpoint};
use crate::api::template::{Slot, Template};

/// The frames of a kind of response.
#[derive(Debug, Default)]
pub struct Script {
    /// The frames at the beginning: of each choice, if `opens_choices`.
    pub opening: Vec<Template>,
    pub opens_choices: bool,
    /// The frame of a choice's text, or of a part of it; the frame of an item of a list.
    pub chunk: Option<Template>,
    /// The frames at the end of each choice.
    pub ending: Vec<Template>,
    /// True if these carry the whole text again.
    pub repeats_text: bool,
    /// The frames after all choices. Of a stream of chunks, the first reports the usage, if that is
    /// requested; of a stream of typed events, the second replaces the first if the text was cut.
    pub last: Vec<Template>,
}

/// All scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    /// The documents of each endpoint, in the order of their numbers; empty for views.
    documents: Vec<Script>,
    /// The documents that call a function, in the order of [`Api`].
    calls: [Script; Api::ALL.len()],
    /// The streams of each API: of a text, and of a call of a function.
    streams: [[Script; 2]; Api::ALL.len()],
    pub problem: Script,
    pub view: Script,
    pub empty: Script,
}

macro_rules! template {
    ($name:literal) => {
        Template::parse(include_str!(concat!("../openai/", $name, ".json")))
    };
}

impl Scripts {
    pub fn new() -> Scripts {
        Scripts {
            documents: Endpoint::all().map(Script::of).collect(),
            calls: Api::ALL.map(Script::of_call),
            streams: Api::ALL.map(|api| [false, true].map(|call| Script::of_stream(api, call))),
            problem: Script::constant(template!("error")),
            view: Script::constant(Template::only(Slot::View)),
            empty: Script::default(),
        }
    }

    /// Returns the script of a whole document.
    pub fn document(&self, endpoint: u8) -> &Script {
        &self.documents[usize::from(endpoint)]
    }

    /// Returns the script of generated text.
    #[inline]
    pub fn generated(&self, endpoint: u8, api: Api, call: bool, stream: bool) -> &Script {
        match (stream, call) {
            (true, call) => &self.streams[api as usize][usize::from(call)],
            (false, true) => &self.calls[api as usize],
            (false, false) => self.document(endpoint),
        }
    }
}

impl Script {
    fn constant(template: Template) -> Script {
        Script {
            opening: vec![template],
            ..Script::default()
        }
    }

    /// Makes the script of the document that an endpoint's files describe.
    fn of(endpoint: Endpoint) -> Script {
        match (endpoint.route().files, endpoint) {
            (None, _) => Script::default(),
            (Some(_), Endpoint::Responses) => {
                Script::constant(response(Some(&message(true)), true))
            }
            (Some((frame, item)), _) => {
                Script::of_list(Template::parse(frame), Template::parse(item))
            }
        }
    }

    fn of_call(api: Api) -> Script {
        match api {
            Api::Chat => Script::of_list(template!("chat"), template!("chat.choice.call")),
            Api::Responses => Script::constant(response(Some(&template!("response.call")), true)),
            // Completions have no tools.
            Api::Completions => Script::default(),
        }
    }

    fn of_list(frame: Template, item: Template) -> Script {
        let frame = frame.with(Slot::Usage, &template!("chat.usage"));
        if !frame.has(Slot::Items) {
            return Script::constant(frame);
        }
        let (opening, closing) = frame.split(Slot::Items);
        Script {
            opening: vec![opening],
            chunk: Some(Template::only(Slot::Comma).then(&item)),
            last: vec![closing],
            ..Script::default()
        }
    }

    fn of_stream(api: Api, call: bool) -> Script {
        match api {
            Api::Chat => Script::of_chat_stream(call),
            Api::Responses => Script::of_response_stream(call),
            Api::Completions => {
                let chunk = template!("completion.chunk");
                let usage = template!("completion.chunk.usage");
                Script::of_chunks(Vec::new(), chunk.clone(), chunk, usage)
            }
        }
    }

    fn of_chat_stream(call: bool) -> Script {
        let chunk = |delta| template!("chat.chunk").with(Slot::Delta, &delta);
        let (first, next) = match call {
            true => (
                template!("chat.delta.call"),
                template!("chat.delta.arguments"),
            ),
            false => (
                template!("chat.delta.role"),
                template!("chat.delta.content"),
            ),
        };
        let end = chunk(Template::constant("{}"));
        let usage = template!("chat.chunk.usage");
        Script::of_chunks(vec![event(&chunk(first))], chunk(next), end, usage)
    }

    fn of_chunks(
        opening: Vec<Template>,
        chunk: Template,
        end: Template,
        usage: Template,
    ) -> Script {
        Script {
            opens_choices: true,
            opening,
            chunk: Some(event(&chunk)),
            ending: vec![event(&end)],
            repeats_text: false,
            last: vec![
                event(&usage.with(Slot::Usage, &template!("chat.usage"))),
                event(&Template::constant("[DONE]")),
            ],
        }
    }

    fn of_response_stream(call: bool) -> Script {
        macro_rules! event {
            ($name:literal) => {
                event!($name, |data| data)
            };
            ($name:literal, $with:expr) => {{
                let json = include_str!(concat!("../openai/response.event.", $name, ".json"));
                typed_event(json, $with)
            }};
        }
        let begun = response(None, false);
        let of_response = |data: Template| data.with(Slot::Response, &begun);
        let created = event!("created", of_response);
        let in_progress = event!("in_progress", of_response);
        let output = |done| match call {
            true => template!("response.call"),
            false => message(done),
        };
        let (added, done) = (output(false), output(true));
        let of_added = |data: Template| data.with(Slot::Output, &added);
        let of_done = |data: Template| data.with(Slot::Output, &done);
        let mut opening = vec![created, in_progress, event!("item_added", of_added)];
        let whole = response(Some(&done), true);
        let of_whole = |data: Template| data.with(Slot::Response, &whole);
        let mut ending = Vec::new();
        let chunk = match call {
            true => {
                ending.push(event!("arguments_done"));
                event!("arguments_delta")
            }
            false => {
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
            last: vec![
                event!("completed", of_whole),
                event!("incomplete", of_whole),
            ],
        }
    }
}

/// Returns a response of the Responses API with this output; without one, at its beginning.
fn response(output: Option<&Template>, done: bool) -> Template {
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

/// Makes a server-sent event of its data.
fn event(data: &Template) -> Template {
    Template::constant("data: ")
        .then(data)
        .then(&Template::constant("\n\n"))
}

/// Makes a server-sent event of its data, which names its type.
fn typed_event(json: &str, with: impl Fn(Template) -> Template) -> Template {
    let value: serde_json::Value = serde_json::from_str(json).expect("templates are JSON");
    let kind = value["type"].as_str().expect("events have a type");
    let data = with(Template::parse(json));
    Template::constant(&format!("event: {kind}\n")).then(&event(&data))
}
