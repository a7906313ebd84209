//! The frames of each kind of response, as templates: one for a whole JSON document, and one for
//! the events of a stream (WHATWG HTML, 9.2.6).

use crate::api::template::{Endings, Slot, Template};

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
    /// The frames after all choices.
    pub last: Vec<Template>,
    /// The condition of the first of these.
    pub last_if: LastIf,
}

/// The condition under which the first of the last frames of a stream is sent.
#[derive(Clone, Copy, Debug, Default)]
pub enum LastIf {
    /// No condition.
    #[default]
    Always,
    /// The usage is requested.
    Usage,
    /// The text is complete; if it was cut, the second is sent instead.
    Cut,
}

impl Script {
    /// Makes a script of one frame.
    pub fn constant(template: Template) -> Script {
        Script {
            opening: vec![template],
            ..Script::default()
        }
    }

    /// Makes the script of a document with a list of items.
    pub fn of_list(frame: Template, item: Template) -> Script {
        let (opening, closing) = frame.split(Slot::Items);
        Script {
            opening: vec![opening],
            chunk: Some(Template::only(Slot::Comma).then(&item)),
            last: vec![closing],
            ..Script::default()
        }
    }
}

/// Makes a server-sent event of its data.
pub fn event(data: &Template) -> Template {
    Template::constant("data: ")
        .then(data)
        .then(&Template::constant("\n\n"))
}

/// Makes a server-sent event of its data, which names its type.
pub fn typed_event(
    json: &str,
    endings: &'static [(&str, Endings)],
    with: impl Fn(Template) -> Template,
) -> Template {
    let value: serde_json::Value = serde_json::from_str(json).expect("templates are JSON");
    let kind = value["type"].as_str().expect("events have a type");
    let data = with(Template::parse(json, endings));
    Template::constant(&format!("event: {kind}\n")).then(&event(&data))
}
